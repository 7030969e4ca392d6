// SPDX-License-Identifier: GPL-2.0
/*
 * AF_XDP: a socket gets all frames that the peer sends to one queue, verifies
 * them and sends them back out of the device, to the peer, which verifies them
 * as well. Copy mode, or zero copy where the device can.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <getopt.h>
#include <linux/if_link.h>
#include <linux/if_xdp.h>
#include <net/if.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire.h"

#ifndef AF_XDP
#define AF_XDP		44
#endif
#ifndef SOL_XDP
#define SOL_XDP		283
#endif

#define OBJECT		"xdp.bpf.o"
#define CHUNK_SIZE	4096
#define RING_SIZE	512
#define CHUNKS		(2 * RING_SIZE)
#define WINDOW		64
#define PATIENCE_NS	(8 * NSEC_PER_SEC)
#define QUEUES_MAX	64

struct ring {
	__u32 *producer;
	__u32 *consumer;
	void *desc;
};

struct xsk {
	int sock;
	unsigned char *umem;
	struct ring fill, completion, rx, tx;
};

struct test {
	const char *dev;
	const char *dir;
	__u16 flags;
	unsigned int queues;
	__u64 frames;
	struct wire wire;
	struct bpf_object *obj;
	struct xsk xsk[QUEUES_MAX];
	__u64 received, returned, wrong;
};

/* --- rings: one side writes, the kernel the other --- */

static __u32 ring_used(const struct ring *r)
{
	return __atomic_load_n(r->producer, __ATOMIC_ACQUIRE) - *r->consumer;
}

static __u32 ring_free(const struct ring *r)
{
	return RING_SIZE - (*r->producer -
			    __atomic_load_n(r->consumer, __ATOMIC_ACQUIRE));
}

static void ring_advance(__u32 *index)
{
	__atomic_store_n(index, *index + 1, __ATOMIC_RELEASE);
}

static __u64 *ring_addr(const struct ring *r, __u32 index)
{
	return (__u64 *)r->desc + index % RING_SIZE;
}

static struct xdp_desc *ring_desc(const struct ring *r, __u32 index)
{
	return (struct xdp_desc *)r->desc + index % RING_SIZE;
}

static void ring_map(struct ring *r, int sock, __u64 where,
		     const struct xdp_ring_offset *off, size_t entry)
{
	char *p = mmap(NULL, off->desc + RING_SIZE * entry,
		       PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
		       sock, where);

	if (p == MAP_FAILED)
		die("cannot map a ring: %s", strerror(errno));
	r->producer = (__u32 *)(p + off->producer);
	r->consumer = (__u32 *)(p + off->consumer);
	r->desc = p + off->desc;
}

/* --- a socket for each queue --- */

static void xsk_option(int sock, int name, const void *value, size_t len)
{
	if (setsockopt(sock, SOL_XDP, name, value, len))
		die("AF_XDP option %d: %s", name, strerror(errno));
}

static void xsk_rings(struct xsk *x)
{
	struct xdp_mmap_offsets off;
	socklen_t len = sizeof(off);

	if (getsockopt(x->sock, SOL_XDP, XDP_MMAP_OFFSETS, &off, &len))
		die("AF_XDP offsets: %s", strerror(errno));
	ring_map(&x->rx, x->sock, XDP_PGOFF_RX_RING, &off.rx,
		 sizeof(struct xdp_desc));
	ring_map(&x->tx, x->sock, XDP_PGOFF_TX_RING, &off.tx,
		 sizeof(struct xdp_desc));
	ring_map(&x->fill, x->sock, XDP_UMEM_PGOFF_FILL_RING, &off.fr,
		 sizeof(__u64));
	ring_map(&x->completion, x->sock, XDP_UMEM_PGOFF_COMPLETION_RING,
		 &off.cr, sizeof(__u64));
}

static void xsk_umem(struct xsk *x)
{
	struct xdp_umem_reg reg = {
		.len = (__u64)CHUNKS * CHUNK_SIZE,
		.chunk_size = CHUNK_SIZE,
	};
	const int size = RING_SIZE;

	x->umem = mmap(NULL, reg.len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (x->umem == MAP_FAILED)
		die("no memory");
	reg.addr = (__u64)(unsigned long)x->umem;
	xsk_option(x->sock, XDP_UMEM_REG, &reg, sizeof(reg));
	xsk_option(x->sock, XDP_UMEM_FILL_RING, &size, sizeof(size));
	xsk_option(x->sock, XDP_UMEM_COMPLETION_RING, &size, sizeof(size));
	xsk_option(x->sock, XDP_RX_RING, &size, sizeof(size));
	xsk_option(x->sock, XDP_TX_RING, &size, sizeof(size));
}

static void chunk_give(struct xsk *x, __u64 addr)
{
	*ring_addr(&x->fill, *x->fill.producer) = addr & ~(CHUNK_SIZE - 1ULL);
	ring_advance(x->fill.producer);
}

static void xsk_open(struct test *t, unsigned int queue)
{
	struct sockaddr_xdp addr = {
		.sxdp_family = AF_XDP,
		.sxdp_flags = t->flags | XDP_USE_NEED_WAKEUP,
		.sxdp_ifindex = if_nametoindex(t->dev),
		.sxdp_queue_id = queue,
	};
	struct xsk *x = &t->xsk[queue];
	__u64 i;

	x->sock = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (x->sock < 0)
		skip("no AF_XDP: %s", strerror(errno));
	xsk_umem(x);
	xsk_rings(x);
	for (i = 0; i < RING_SIZE; i++)
		chunk_give(x, i * CHUNK_SIZE);
	if (!bind(x->sock, (struct sockaddr *)&addr, sizeof(addr)))
		return;
	if (t->flags & XDP_ZEROCOPY)
		skip("no zero copy here: %s", strerror(errno));
	die("cannot bind to queue %u: %s", queue, strerror(errno));
}

/* --- BPF --- */

static int map_fd(const struct test *t, const char *name)
{
	return bpf_object__find_map_fd_by_name(t->obj, name);
}

static void program_load(struct test *t)
{
	const struct config config = { .action = ACTION_XSK };
	struct bpf_program *prog;
	__u32 zero = 0;
	char path[512];

	snprintf(path, sizeof(path), "%s/" OBJECT, t->dir);
	t->obj = bpf_object__open_file(path, NULL);
	if (!t->obj)
		skip("no " OBJECT ": was there no clang?");
	bpf_object__for_each_program(prog, t->obj) {
		const char *name = bpf_program__name(prog);

		bpf_program__set_autoload(prog, !strcmp(name, "vnet_act"));
	}
	if (bpf_object__load(t->obj))
		skip("the kernel refuses %s: %s", path, strerror(errno));
	bpf_map_update_elem(map_fd(t, "config"), &zero, &config, 0);
}

/* Until the process ends */
static void program_attach(const struct test *t)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = XDP_FLAGS_DRV_MODE);
	struct bpf_program *prog;
	int fd;

	prog = bpf_object__find_program_by_name(t->obj, "vnet_act");
	fd = bpf_link_create(bpf_program__fd(prog), if_nametoindex(t->dev),
			     BPF_XDP, &opts);
	if (fd < 0)
		skip("no native XDP on %s: %s", t->dev, strerror(-fd));
}

static void sockets_open(struct test *t)
{
	int sock;
	__u32 i;

	for (i = 0; i < t->queues; i++) {
		xsk_open(t, i);
		sock = t->xsk[i].sock;
		if (bpf_map_update_elem(map_fd(t, "xsks"), &i, &sock, 0))
			die("cannot set the socket of queue %u: %s", i,
			    strerror(errno));
	}
}

/* --- frames --- */

static void addresses_swap(struct ether_header *eth)
{
	__u8 mac[ETH_ALEN];

	memcpy(mac, eth->ether_dhost, ETH_ALEN);
	memcpy(eth->ether_dhost, eth->ether_shost, ETH_ALEN);
	memcpy(eth->ether_shost, mac, ETH_ALEN);
}

static bool frame_right(const struct test *t, const void *frame, size_t len)
{
	const size_t head = sizeof(struct wire_head);

	return len > head && wire_payload_right(&t->wire, frame + head,
						len - head);
}

/* What was received is sent from where it is */
static void frame_back(struct test *t, struct xsk *x,
		       const struct xdp_desc *desc)
{
	unsigned char *frame = x->umem + desc->addr;
	struct xdp_desc *out;

	t->received++;
	if (!frame_right(t, frame, desc->len))
		t->wrong++;
	addresses_swap((struct ether_header *)frame);
	out = ring_desc(&x->tx, *x->tx.producer);
	out->addr = desc->addr;
	out->len = desc->len;
	out->options = 0;
	ring_advance(x->tx.producer);
}

static void xsk_work(struct test *t, struct xsk *x)
{
	while (ring_used(&x->completion)) {
		chunk_give(x, *ring_addr(&x->completion,
					 *x->completion.consumer));
		ring_advance(x->completion.consumer);
	}
	while (ring_used(&x->rx) && ring_free(&x->tx)) {
		frame_back(t, x, ring_desc(&x->rx, *x->rx.consumer));
		ring_advance(x->rx.consumer);
	}
	sendto(x->sock, NULL, 0, MSG_DONTWAIT, NULL, 0);
	recvfrom(x->sock, NULL, 0, MSG_DONTWAIT, NULL, NULL);
}

static void returned(struct test *t)
{
	static unsigned char frame[FRAME_MAX];
	size_t len;

	if (!wire_recv(&t->wire, frame, sizeof(frame), &len))
		return;
	t->returned++;
	if (!frame_right(t, frame, len))
		t->wrong++;
}

static void wait_some(struct test *t)
{
	struct pollfd fds[QUEUES_MAX + 1];
	unsigned int i;

	for (i = 0; i < t->queues; i++)
		fds[i] = (struct pollfd){ t->xsk[i].sock, POLLIN, 0 };
	fds[i] = (struct pollfd){ t->wire.sock, POLLIN, 0 };
	poll(fds, t->queues + 1, POLL_MS);
	for (i = 0; i < t->queues; i++)
		xsk_work(t, &t->xsk[i]);
	if (fds[t->queues].revents)
		returned(t);
}

static void run(struct test *t)
{
	__u64 sent = 0, last = 0, deadline = now_ns() + PATIENCE_NS;

	while (t->returned < t->frames && now_ns() < deadline) {
		while (sent < t->frames && sent - t->returned < WINDOW)
			wire_send(&t->wire, sent++);
		wait_some(t);
		if (t->returned == last)
			continue;
		last = t->returned;
		deadline = now_ns() + PATIENCE_NS;
	}
}

/* XDP may have added some */
static unsigned int queues_count(const char *dev)
{
	unsigned int i;
	char path[128];

	for (i = 0; i < QUEUES_MAX; i++) {
		snprintf(path, sizeof(path), "/sys/class/net/%s/queues/rx-%u",
			 dev, i);
		if (access(path, F_OK))
			break;
	}
	return i;
}

static void arguments(struct test *t, char **argv)
{
	t->dev = argv[0];
	t->frames = get_number(argv[3], 1, 10000000);
	wire_open(&t->wire, argv[0], argv[1], argv[2]);
}

int main(int argc, char **argv)
{
	static struct test t = { .dir = ".", .flags = XDP_COPY };
	int opt;

	while ((opt = getopt(argc, argv, "d:z")) != -1) {
		switch (opt) {
		case 'd':
			t.dir = optarg;
			break;
		case 'z':
			t.flags = XDP_ZEROCOPY;
			break;
		default:
			optind = argc;
		}
	}
	if (argc - optind != 4)
		die("usage: xsk [-d DIR] [-z] DEV NETNS PEER FRAMES");
	arguments(&t, argv + optind);
	program_load(&t);
	program_attach(&t);
	t.queues = queues_count(t.dev);
	sockets_open(&t);
	run(&t);
	printf("sent %llu, received %llu, returned %llu, wrong %llu\n",
	       t.frames, t.received, t.returned, t.wrong);
	return t.received != t.frames || t.returned != t.frames || t.wrong;
}
