// SPDX-License-Identifier: GPL-2.0
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <string.h>

#include "frame.h"
#include "good.h"

#define SRC_ADDR4	0xc6120001u	/* 198.18.0.1: for benchmarks */
#define DST_ADDR4	0xc6120002u
#define PORT		9

static const uint8_t src_mac[6] = { 0x02, 0, 0, 0, 0, 0x01 };

const char *frame_kind_name(unsigned int kind)
{
	static const char *const names[FRAME_NR_KINDS] = {
		[FRAME_GOOD] = "good",
		[FRAME_UDP4] = "udp4",
		[FRAME_TCP4] = "tcp4",
		[FRAME_UDP6] = "udp6",
		[FRAME_TCP6] = "tcp6",
	};

	return kind < FRAME_NR_KINDS ? names[kind] : NULL;
}

static void put_good(uint8_t *at, uint32_t len, uint32_t seq)
{
	struct good_head head;
	uint32_t i;

	memcpy(&head, at, sizeof(head));
	head.len = len;
	head.magic = GOOD_MAGIC;
	head.seq = seq;
	memcpy(at, &head, sizeof(head));
	for (i = sizeof(head); i < len; i++)
		at[i] = good_byte(seq, i);
}

static void put_l4(uint8_t *at, int proto, uint32_t len, uint32_t seq)
{
	struct udphdr udp = {
		.source = htons(PORT), .dest = htons(PORT), .len = htons(len),
	};
	struct tcphdr tcp = {
		.source = htons(PORT), .dest = htons(PORT), .seq = htonl(seq),
		.doff = sizeof(tcp) / 4, .ack = 1,
	};

	memset(at, seq, len);
	if (proto == IPPROTO_UDP)
		memcpy(at, &udp, sizeof(udp));
	else
		memcpy(at, &tcp, sizeof(tcp));
}

static uint16_t ip_sum(const struct iphdr *ip)
{
	const uint8_t *p = (const uint8_t *)ip;
	uint32_t i, sum = 0;

	for (i = 0; i < sizeof(*ip); i += 2)
		sum += p[i] << 8 | p[i + 1];
	sum = (sum >> 16) + (sum & 0xffff);
	sum += sum >> 16;
	return htons(~sum & 0xffff);
}

static void put_ip4(uint8_t *at, int proto, uint32_t len, uint32_t seq)
{
	struct iphdr ip = {
		.version = 4, .ihl = 5, .ttl = 64, .protocol = proto,
		.tot_len = htons(len < 0xffff ? len : 0xffff),
		.saddr = htonl(SRC_ADDR4), .daddr = htonl(DST_ADDR4),
	};

	ip.check = ip_sum(&ip);
	memcpy(at, &ip, sizeof(ip));
	put_l4(at + sizeof(ip), proto, len - sizeof(ip), seq);
}

static void put_ip6(uint8_t *at, int proto, uint32_t len, uint32_t seq)
{
	uint32_t left = len - sizeof(struct ip6_hdr);
	struct ip6_hdr ip = {
		.ip6_flow = htonl(6 << 28), .ip6_nxt = proto, .ip6_hlim = 64,
		.ip6_plen = htons(left < 0xffff ? left : 0xffff),
		.ip6_src.s6_addr = { 0xfe, 0x80, [15] = 1 },
		.ip6_dst.s6_addr = { 0xfe, 0x80, [15] = 2 },
	};

	memcpy(at, &ip, sizeof(ip));
	/* the shortest of frames has no room for all of it */
	if (left >= sizeof(struct tcphdr))
		put_l4(at + sizeof(ip), proto, left, seq);
}

void frame_build(uint8_t *at, enum frame_kind kind, uint32_t len,
		 const uint8_t *dst, uint32_t seq)
{
	static const uint16_t type[FRAME_NR_KINDS] = {
		[FRAME_GOOD] = GOOD_TYPE,
		[FRAME_UDP4] = ETH_P_IP, [FRAME_TCP4] = ETH_P_IP,
		[FRAME_UDP6] = ETH_P_IPV6, [FRAME_TCP6] = ETH_P_IPV6,
	};
	uint16_t proto = htons(type[kind]);
	int l4 = kind == FRAME_UDP4 || kind == FRAME_UDP6 ? IPPROTO_UDP :
							    IPPROTO_TCP;

	memcpy(at, dst, ETH_ALEN);
	memcpy(at + ETH_ALEN, src_mac, ETH_ALEN);
	memcpy(at + 2 * ETH_ALEN, &proto, sizeof(proto));
	if (kind == FRAME_GOOD)
		put_good(at, len, seq);
	else if (type[kind] == ETH_P_IP)
		put_ip4(at + ETH_HLEN, l4, len - ETH_HLEN, seq);
	else
		put_ip6(at + ETH_HLEN, l4, len - ETH_HLEN, seq);
}
