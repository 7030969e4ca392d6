// SPDX-License-Identifier: GPL-2.0
/*
 * Floods a guest with 64-byte UDP frames through its tap device.
 *
 * The pace is the guest's: a tap counts a frame as transmitted when QEMU has
 * read it, so what is queued in the tap is known, and the flood keeps that
 * between "not empty" and "cannot overflow". The receiver is saturated
 * whatever its speed, no frame is lost before it reaches the virtual device,
 * and no processor time of the host is burned on frames that would be.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "probe.h"
#include "util.h"

#define BATCH		64
#define WINDOW_MAX	512
#define NAP_NS		(100 * 1000)

struct frame {
	struct ether_header eth;
	struct iphdr ip;
	struct udphdr udp;
	struct probe probe;
} __attribute__((packed));

_Static_assert(sizeof(struct frame) == PROBE_FRAME_LEN, "frame length");

struct flood {
	int sock;
	int tx_packets;		/* files with the tap's statistics */
	int tx_dropped;
	__u64 base;		/* their sum at the start */
	__u64 dropped_base;
	__u64 window;
	__u64 sent;
	__u64 frames_max;
	__u64 deadline;
	struct sockaddr_ll to;
	struct frame head;	/* what all frames have in common */
	struct frame frames[BATCH];
	struct iovec iov[BATCH];
	struct mmsghdr msgs[BATCH];
};

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

static int stat_open(const char *dev, const char *name)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/sys/class/net/%s/%s", dev, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die("cannot open %s: %s", path, strerror(errno));
	return fd;
}

static __u64 stat_read(int fd)
{
	char text[32] = "";

	if (pread(fd, text, sizeof(text) - 1, 0) <= 0)
		die("cannot read the device's statistics");
	return strtoull(text, NULL, 10);
}

static __u64 queue_passed(const struct flood *f)
{
	return stat_read(f->tx_packets) + stat_read(f->tx_dropped);
}

static void device_open(struct flood *f, const char *dev)
{
	int fd = stat_open(dev, "tx_queue_len");

	f->window = stat_read(fd) / 2;
	close(fd);
	if (f->window > WINDOW_MAX)
		f->window = WINDOW_MAX;
	if (f->window < BATCH)
		die("%s has a transmit queue shorter than %d", dev, 2 * BATCH);
	f->tx_packets = stat_open(dev, "statistics/tx_packets");
	f->tx_dropped = stat_open(dev, "statistics/tx_dropped");
	f->base = queue_passed(f);
	f->dropped_base = stat_read(f->tx_dropped);
}

static void sock_open(struct flood *f, const char *dev)
{
	struct ifreq ifr = { 0 };
	int one = 1;

	f->sock = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (f->sock < 0)
		die("cannot open a packet socket: %s", strerror(errno));
	/* only an optimisation: the queueing discipline would do no harm */
	setsockopt(f->sock, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one));
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", dev);
	if (ioctl(f->sock, SIOCGIFHWADDR, &ifr))
		die("%s: %s", dev, strerror(errno));
	memcpy(f->head.eth.ether_shost, ifr.ifr_hwaddr.sa_data, ETH_ALEN);
	f->to.sll_family = AF_PACKET;
	f->to.sll_ifindex = if_nametoindex(dev);
}

static void mac_parse(__u8 *mac, const char *text)
{
	int used = 0;

	if (sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx%n", &mac[0], &mac[1],
		   &mac[2], &mac[3], &mac[4], &mac[5], &used) != ETH_ALEN ||
	    text[used])
		die("'%s' is not an Ethernet address", text);
}

static __be32 ip_parse(const char *text)
{
	struct in_addr addr;

	if (inet_pton(AF_INET, text, &addr) != 1)
		die("'%s' is not an IPv4 address", text);
	return addr.s_addr;
}

static __u32 sum16(const void *data, size_t len, __u32 sum)
{
	const __u8 *p = data;

	for (; len; len -= 2, p += 2)
		sum += p[0] << 8 | p[1];
	return sum;
}

static __be16 sum_fold(__u32 sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum);
}

static void head_fill(struct flood *f, __u16 port)
{
	struct frame *h = &f->head;

	h->eth.ether_type = htons(ETHERTYPE_IP);
	h->ip.version = 4;
	h->ip.ihl = 5;
	h->ip.tot_len = htons(sizeof(*h) - sizeof(h->eth));
	h->ip.ttl = 64;
	h->ip.protocol = IPPROTO_UDP;
	h->ip.check = sum_fold(sum16(&h->ip, sizeof(h->ip), 0));
	h->udp.source = htons(port);
	h->udp.dest = htons(port);
	h->udp.len = htons(sizeof(h->udp) + sizeof(h->probe));
}

static void frame_fill(struct frame *fr, __u64 seq)
{
	__u32 sum = IPPROTO_UDP + sizeof(fr->udp) + sizeof(fr->probe);

	probe_fill(&fr->probe, seq);
	fr->udp.check = 0;
	sum = sum16(&fr->ip.saddr, 2 * sizeof(fr->ip.saddr), sum);
	sum = sum16(&fr->udp, sizeof(fr->udp) + sizeof(fr->probe), sum);
	fr->udp.check = sum_fold(sum);
	if (!fr->udp.check)
		fr->udp.check = 0xffff;
}

static void batch_init(struct flood *f)
{
	int i;

	for (i = 0; i < BATCH; i++) {
		f->frames[i] = f->head;
		f->iov[i].iov_base = &f->frames[i];
		f->iov[i].iov_len = sizeof(f->frames[i]);
		f->msgs[i].msg_hdr.msg_name = &f->to;
		f->msgs[i].msg_hdr.msg_namelen = sizeof(f->to);
		f->msgs[i].msg_hdr.msg_iov = &f->iov[i];
		f->msgs[i].msg_hdr.msg_iovlen = 1;
	}
}

/* How many frames fit into the window now */
static unsigned int room(const struct flood *f)
{
	__u64 left = f->frames_max - f->sent;
	__u64 queued = f->base + f->sent - queue_passed(f);

	/* other traffic through the tap can make it look emptier than empty */
	if ((__s64)queued < 0)
		queued = 0;
	if (queued + BATCH > f->window)
		return 0;
	return left < BATCH ? left : BATCH;
}

static void batch_send(struct flood *f, unsigned int n)
{
	unsigned int i;
	int done;

	for (i = 0; i < n; i++)
		frame_fill(&f->frames[i], f->sent + i);
	done = sendmmsg(f->sock, f->msgs, n, 0);
	if (done > 0)
		f->sent += done;
	else if (errno != EINTR && errno != EAGAIN && errno != ENOBUFS)
		die("cannot send: %s", strerror(errno));
}

static void flood_run(struct flood *f)
{
	const struct timespec nap = { .tv_nsec = NAP_NS };
	unsigned int n;

	while (!stop && f->sent < f->frames_max && now_ns() < f->deadline) {
		n = room(f);
		if (n)
			batch_send(f, n);
		else
			nanosleep(&nap, NULL);
	}
}

static void handle_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };

	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
}

int main(int argc, char **argv)
{
	static struct flood f;
	__u64 start;

	if (argc != 8)
		die("usage: flood DEV SRC_IP DST_IP DST_MAC PORT FRAMES MSEC");
	handle_signals();
	sock_open(&f, argv[1]);
	device_open(&f, argv[1]);
	f.head.ip.saddr = ip_parse(argv[2]);
	f.head.ip.daddr = ip_parse(argv[3]);
	mac_parse(f.head.eth.ether_dhost, argv[4]);
	head_fill(&f, number(argv[5], 1, 65535));
	f.frames_max = number(argv[6], 1, ~0ULL);
	batch_init(&f);
	start = now_ns();
	f.deadline = start + number(argv[7], 1, 600000) * NSEC_PER_MSEC;
	flood_run(&f);
	printf("{\"sent\":%llu,\"tap_dropped\":%llu,\"ns\":%llu}\n", f.sent,
	       stat_read(f.tx_dropped) - f.dropped_base, now_ns() - start);
	return 0;
}
