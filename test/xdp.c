// SPDX-License-Identifier: GPL-2.0
/*
 * Native XDP on a device: attaches a program that does one thing to the
 * frames it is sent from another network namespace, and accounts for each of
 * them at the place where it should come out.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "actions.h"
#include "frames.h"
#include "util.h"

#define WINDOW		64
#define PATIENCE_NS	(8 * NSEC_PER_SEC)
#define CPUMAP_QUEUE	2048

static const char * const action_names[] = {
	[ACTION_DROP] = "drop",
	[ACTION_PASS] = "pass",
	[ACTION_TX] = "tx",
	[ACTION_VETH] = "veth",
	[ACTION_CPUMAP] = "cpumap",
};

static const char * const change_names[] = {
	[CHANGE_NONE] = "none",
	[CHANGE_GROW] = "grow",
	[CHANGE_SHIFT] = "shift",
};

struct test {
	struct config config;
	struct sender sender;
	struct bpf_object *obj;
	int counts_fd;
	int udp;
	__u64 out;		/* came out where they should */
	__u64 wrong;		/* came out with wrong contents */
};

static int name_find(const char *name, const char * const *names, int count)
{
	int i;

	for (i = 0; i < count; i++)
		if (!strcmp(name, names[i]))
			return i;
	die("unknown: %s", name);
}

/* --- the other namespace --- */

static int netns_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	return fd;
}

static void netns_enter(int fd)
{
	if (setns(fd, CLONE_NEWNET))
		die("cannot change network namespace: %s", strerror(errno));
	close(fd);
}

static void sender_setup(struct test *t, const char *dev, const char *netns,
			 const char *peer)
{
	int home = netns_open("/proc/self/ns/net");
	char path[128];
	__u8 mac[ETH_ALEN];

	mac_of(dev, mac);
	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	netns_enter(netns_open(path));
	sender_open(&t->sender, peer);
	netns_enter(home);
	sender_aim(&t->sender, mac, "198.18.0.2", "198.18.0.1");
}

/* --- BPF --- */

static int map_fd(const struct test *t, const char *name)
{
	int fd = bpf_object__find_map_fd_by_name(t->obj, name);

	if (fd < 0)
		die("no map %s", name);
	return fd;
}

static void map_set(const struct test *t, const char *name, const void *value)
{
	__u32 zero = 0;

	if (bpf_map_update_elem(map_fd(t, name), &zero, value, 0))
		die("cannot set %s: %s", name, strerror(errno));
}

static void program_load(struct test *t, const char *path)
{
	t->obj = bpf_object__open_file(path, NULL);
	if (!t->obj)
		die("cannot read %s", path);
	if (bpf_object__load(t->obj))
		die("the kernel refuses %s: %s", path, strerror(errno));
	t->counts_fd = map_fd(t, "counts");
	map_set(t, "config", &t->config);
}

static void attach(const struct test *t, const char *dev, const char *name)
{
	struct bpf_program *prog;
	int err;

	prog = bpf_object__find_program_by_name(t->obj, name);
	err = bpf_xdp_attach(if_nametoindex(dev), bpf_program__fd(prog),
			     XDP_FLAGS_DRV_MODE, NULL);
	if (err)
		die("no native XDP on %s: %s", dev, strerror(-err));
}

static void detach(const char *dev)
{
	int err = bpf_xdp_detach(if_nametoindex(dev), XDP_FLAGS_DRV_MODE, NULL);

	if (err)
		die("cannot detach from %s: %s", dev, strerror(-err));
}

static struct counts counts_get(const struct test *t)
{
	struct counts c;
	__u32 zero = 0;

	if (bpf_map_lookup_elem(t->counts_fd, &zero, &c))
		die("cannot read the counts: %s", strerror(errno));
	return c;
}

/* --- where frames come out --- */

static void payload_count(struct test *t, const void *payload, size_t len)
{
	/* what follows the probe does not survive a shift */
	if (t->config.change == CHANGE_SHIFT && len > sizeof(struct probe))
		len = sizeof(struct probe);
	if (!payload_right(payload, len))
		t->wrong++;
	t->out++;
}

static void udp_open(struct test *t)
{
	const struct timeval patience = { .tv_usec = 100000 };
	const int size = RCVBUF;
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = htons(PROBE_PORT_XDP),
	};

	t->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	setsockopt(t->udp, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(t->udp, SOL_SOCKET, SO_RCVTIMEO, &patience,
		   sizeof(patience));
	if (bind(t->udp, (struct sockaddr *)&addr, sizeof(addr)))
		die("cannot bind: %s", strerror(errno));
}

static void udp_recv(struct test *t)
{
	unsigned char buf[2 * FRAME_MAX];
	ssize_t len = recv(t->udp, buf, sizeof(buf), 0);

	if (len > 0)
		payload_count(t, buf, len);
}

/* The sender's socket sees all of IP that arrives there */
static void returned_recv(struct test *t)
{
	unsigned char buf[4 * FRAME_MAX];
	const struct frame_head *h = (const void *)buf;
	ssize_t len = recv(t->sender.sock, buf, sizeof(buf), 0);

	if (len < (ssize_t)sizeof(*h) || h->ip.protocol != IPPROTO_UDP ||
	    h->udp.dest != htons(PROBE_PORT_XDP))
		return;
	payload_count(t, h + 1, len - sizeof(*h));
}

static void out_wait(struct test *t)
{
	const struct timespec nap = { .tv_nsec = NSEC_PER_MSEC };

	switch (t->config.action) {
	case ACTION_PASS:
	case ACTION_CPUMAP:
		udp_recv(t);
		break;
	case ACTION_TX:
		returned_recv(t);
		break;
	case ACTION_VETH:
		t->out = counts_get(t).sunk;
		nanosleep(&nap, NULL);
		break;
	default:
		t->out = counts_get(t).seen;
		nanosleep(&nap, NULL);
	}
}

/* No more frames under way than any queue on it can hold: none may be lost */
static void frames_run(struct test *t, __u64 frames)
{
	__u64 sent = 0, last = 0, deadline = now_ns() + PATIENCE_NS;

	while (t->out < frames && now_ns() < deadline) {
		while (sent < frames && sent - t->out < WINDOW)
			sender_send(&t->sender, sent++);
		out_wait(t);
		if (t->out == last)
			continue;
		last = t->out;
		deadline = now_ns() + PATIENCE_NS;
	}
}

static void verdict(const struct test *t, __u64 frames)
{
	struct counts c = counts_get(t);

	printf("sent %llu, seen %llu, out %llu\n", frames, c.seen, t->out);
	printf("wrong for XDP %llu, wrong at the end %llu\n", c.bad, t->wrong);
	printf("changes refused %llu, tails grown by up to %llu\n", c.refused,
	       c.grown);
	if (c.seen != frames || t->out != frames || c.bad || t->wrong ||
	    c.refused || (t->config.change == CHANGE_GROW && !c.grown))
		exit(1);
}

static void run(const char *dev, char **argv)
{
	__u64 frames = number(argv[2], 1, 10000000);
	__u32 value = CPUMAP_QUEUE;
	static struct test t;

	t.config.action = name_find(argv[4], action_names,
				    ARRAY_SIZE(action_names));
	t.config.change = name_find(argv[5], change_names,
				    ARRAY_SIZE(change_names));
	sender_setup(&t, dev, argv[0], argv[1]);
	udp_open(&t);
	program_load(&t, argv[3]);
	if (t.config.action == ACTION_CPUMAP)
		map_set(&t, "cpus", &value);
	if (t.config.action == ACTION_VETH) {
		value = if_nametoindex("veth0");
		map_set(&t, "devices", &value);
		attach(&t, "veth1", "xdp_end");
	}
	attach(&t, dev, "xdp_act");
	frames_run(&t, frames);
	detach(dev);
	if (t.config.action == ACTION_VETH)
		detach("veth1");
	verdict(&t, frames);
}

static void toggle(const char *dev, char **argv)
{
	__u64 times = number(argv[0], 1, 10000);
	const struct timespec nap = { .tv_nsec = 100 * NSEC_PER_MSEC };
	static struct test t;

	t.config.action = ACTION_PASS;
	program_load(&t, argv[1]);
	while (times--) {
		attach(&t, dev, "xdp_act");
		nanosleep(&nap, NULL);
		detach(dev);
		nanosleep(&nap, NULL);
	}
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "toggle"))
		toggle(argv[2], argv + 3);
	else if (argc == 9 && !strcmp(argv[1], "run"))
		run(argv[2], argv + 3);
	else
		die("usage: xdp run DEV NETNS PEER FRAMES PROGRAM "
		    "drop|pass|tx|veth|cpumap none|grow|shift\n"
		    "       xdp toggle DEV TIMES PROGRAM");
	return 0;
}
