// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "wire.h"

#define PAYLOAD_OF(frame)	((frame) - sizeof(struct wire_head))

/* Around powers of two, where the sizes of buffers change */
static const unsigned int frame_lens[] = {
	60, 128, 129, 188, 242, 256, 512, 513, 1024, 1025, 1242, 1513, 2048,
	2050, 3400, 3550, 4096, 4098, 6000, 8192, 9013, 16384, 32768,
};

/* Every fourth frame is as long as the MTU allows */
static unsigned int frame_len(const struct wire *w, __u64 seq)
{
	unsigned int max = w->mtu + sizeof(struct ether_header);
	size_t n = 0;

	if (seq % 4 == 3)
		return max;
	while (n < ARRAY_SIZE(frame_lens) && frame_lens[n] <= max)
		n++;
	return frame_lens[(seq / 4 * 3 + seq % 4) % n];
}

size_t wire_payload_len(const struct wire *w, __u64 seq)
{
	return PAYLOAD_OF(frame_len(w, seq));
}

static void probe_fill(struct probe *p, __u64 seq)
{
	p->seq = seq;
	p->check = pattern_word(seq);
	p->tail = (__u16)~p->check;
}

static void payload_fill(unsigned char *p, size_t len, __u64 seq)
{
	pattern_fill(p, len, seq);
	probe_fill((struct probe *)p, seq);
}

bool wire_payload_right(const struct wire *w, const void *data, size_t len)
{
	static unsigned char want[FRAME_MAX];
	const struct probe *p = data;

	if (len < sizeof(*p) || len > wire_payload_len(w, p->seq))
		return false;
	payload_fill(want, len, p->seq);
	return !memcmp(want, data, len);
}

static void mac_of(const char *dev, __u8 *mac)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = { 0 };

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", dev);
	if (ioctl(sock, SIOCGIFHWADDR, &ifr))
		die("%s: %s", dev, strerror(errno));
	memcpy(mac, ifr.ifr_hwaddr.sa_data, ETH_ALEN);
	close(sock);
}

static unsigned int mtu_of(const char *dev)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = { 0 };

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", dev);
	if (ioctl(sock, SIOCGIFMTU, &ifr))
		die("%s: %s", dev, strerror(errno));
	close(sock);
	return ifr.ifr_mtu;
}

static void patience(int sock)
{
	const struct timeval tv = { .tv_usec = POLL_MS * 1000 };
	const int size = RCVBUF;

	setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(sock, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
}

void wire_listen(struct wire *w, const char *dev)
{
	struct sockaddr_ll addr = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_IP),
	};

	w->ifindex = if_nametoindex(dev);
	w->mtu = mtu_of(dev);
	addr.sll_ifindex = w->ifindex;
	w->sock = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_IP));
	if (w->sock < 0 ||
	    bind(w->sock, (struct sockaddr *)&addr, sizeof(addr)))
		die("packet socket on %s: %s", dev, strerror(errno));
	patience(w->sock);
	mac_of(dev, w->head.eth.ether_shost);
}

static void head_fill(struct wire_head *h)
{
	h->eth.ether_type = htons(ETHERTYPE_IP);
	h->ip.version = 4;
	h->ip.ihl = 5;
	h->ip.ttl = 64;
	h->ip.protocol = IPPROTO_UDP;
	h->ip.saddr = inet_addr(ADDR_FROM);
	h->ip.daddr = inet_addr(ADDR_TO);
	h->udp.source = htons(XDP_PORT);
	h->udp.dest = htons(XDP_PORT);
}

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

void wire_open(struct wire *w, const char *dev, const char *netns,
	       const char *peer)
{
	int home = netns_open("/proc/self/ns/net");
	char path[128];

	mac_of(dev, w->head.eth.ether_dhost);
	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	netns_enter(netns_open(path));
	wire_listen(w, peer);
	netns_enter(home);
	head_fill(&w->head);
}

static __be16 ip_sum(const struct wire_head *h)
{
	const __u8 *p = (const __u8 *)h + offsetof(struct wire_head, ip);
	__u32 i, sum = 0;

	for (i = 0; i < sizeof(h->ip); i += 2)
		sum += p[i] << 8 | p[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum);
}

/* A UDP checksum of 0 is none: the payload is verified by whoever gets it */
void wire_send(const struct wire *w, __u64 seq)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_ifindex = w->ifindex,
	};
	static unsigned char frame[FRAME_MAX];
	struct wire_head *h = (struct wire_head *)frame;
	size_t len = frame_len(w, seq);

	*h = w->head;
	h->ip.tot_len = htons(len - sizeof(h->eth));
	h->ip.check = ip_sum(h);
	h->udp.len = htons(len - sizeof(h->eth) - sizeof(h->ip));
	payload_fill(frame + sizeof(*h), PAYLOAD_OF(len), seq);
	while (sendto(w->sock, frame, len, 0, (struct sockaddr *)&to,
		      sizeof(to)) < 0)
		if (errno != EINTR && errno != ENOBUFS)
			die("cannot send %zu bytes: %s", len, strerror(errno));
}

bool wire_recv(const struct wire *w, void *frame, size_t size, size_t *len)
{
	const struct wire_head *h = frame;
	ssize_t got = recv(w->sock, frame, size, 0);

	if (got < (ssize_t)sizeof(*h) || h->ip.protocol != IPPROTO_UDP ||
	    h->udp.dest != htons(XDP_PORT))
		return false;
	*len = got;
	return true;
}

int wire_udp_sock(void)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = htons(XDP_PORT),
	};
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	patience(sock);
	if (bind(sock, (struct sockaddr *)&addr, sizeof(addr)))
		die("cannot bind: %s", strerror(errno));
	return sock;
}
