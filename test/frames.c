// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "frames.h"
#include "util.h"

#define PAYLOAD_MAX	(FRAME_MAX - sizeof(struct frame_head))

/* The shortest frame, the longest, and what lies around powers of two */
static const size_t payload_lens[] = {
	sizeof(struct probe), PAYLOAD_MAX, 86, 87, 200, 214, 470, 471, 982,
	983, 1200, sizeof(struct probe) + 128, PAYLOAD_MAX - 1,
};

static size_t payload_len(__u64 seq)
{
	return payload_lens[seq % ARRAY_SIZE(payload_lens)];
}

static void payload_fill(unsigned char *p, size_t len, __u64 seq)
{
	size_t i;

	for (i = sizeof(struct probe); i < len; i++)
		p[i] = probe_word(seq + i) >> 8;
	probe_fill((struct probe *)p, seq);
}

bool payload_right(const void *data, size_t len)
{
	unsigned char want[PAYLOAD_MAX];
	const struct probe *p = data;

	if (len < sizeof(*p) || len > payload_len(p->seq))
		return false;
	payload_fill(want, len, p->seq);
	return !memcmp(want, data, len);
}

void mac_of(const char *dev, __u8 *mac)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = { 0 };

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", dev);
	if (ioctl(sock, SIOCGIFHWADDR, &ifr))
		die("%s: %s", dev, strerror(errno));
	memcpy(mac, ifr.ifr_hwaddr.sa_data, ETH_ALEN);
	close(sock);
}

void sender_open(struct sender *s, const char *dev)
{
	const struct timeval patience = { .tv_usec = 100000 };
	const int size = RCVBUF;
	struct sockaddr_ll addr = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_IP),
	};

	s->ifindex = if_nametoindex(dev);
	addr.sll_ifindex = s->ifindex;
	s->sock = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_IP));
	if (s->sock < 0 ||
	    bind(s->sock, (struct sockaddr *)&addr, sizeof(addr)))
		die("packet socket on %s: %s", dev, strerror(errno));
	setsockopt(s->sock, SOL_SOCKET, SO_RCVTIMEO, &patience,
		   sizeof(patience));
	setsockopt(s->sock, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	mac_of(dev, s->head.eth.ether_shost);
}

void sender_aim(struct sender *s, const __u8 *mac, const char *from,
		const char *to)
{
	struct frame_head *h = &s->head;

	memcpy(h->eth.ether_dhost, mac, ETH_ALEN);
	h->eth.ether_type = htons(ETHERTYPE_IP);
	h->ip.version = 4;
	h->ip.ihl = 5;
	h->ip.ttl = 64;
	h->ip.protocol = IPPROTO_UDP;
	if (inet_pton(AF_INET, from, &h->ip.saddr) != 1 ||
	    inet_pton(AF_INET, to, &h->ip.daddr) != 1)
		die("'%s' or '%s' is not an IPv4 address", from, to);
	h->udp.source = htons(PROBE_PORT_XDP);
	h->udp.dest = htons(PROBE_PORT_XDP);
}

static __be16 ip_sum(const struct frame_head *h)
{
	const __u8 *p = (const __u8 *)h + offsetof(struct frame_head, ip);
	__u32 i, sum = 0;

	for (i = 0; i < sizeof(h->ip); i += 2)
		sum += p[i] << 8 | p[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum);
}

/* A UDP checksum of 0 is none: the payload is verified by whoever gets it */
void sender_send(const struct sender *s, __u64 seq)
{
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_ifindex = s->ifindex,
	};
	unsigned char frame[FRAME_MAX];
	struct frame_head *h = (struct frame_head *)frame;
	size_t len = sizeof(*h) + payload_len(seq);

	*h = s->head;
	h->ip.tot_len = htons(len - sizeof(h->eth));
	h->ip.check = ip_sum(h);
	h->udp.len = htons(len - sizeof(h->eth) - sizeof(h->ip));
	payload_fill(frame + sizeof(*h), payload_len(seq), seq);
	while (sendto(s->sock, frame, len, 0, (struct sockaddr *)&to,
		      sizeof(to)) < 0)
		if (errno != EINTR && errno != ENOBUFS)
			die("cannot send: %s", strerror(errno));
}
