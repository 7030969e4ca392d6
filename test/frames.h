/* SPDX-License-Identifier: GPL-2.0 */
/*
 * UDP frames of many lengths, each byte of their payload known from their
 * sequence number. Sent through a packet socket, so that the sender knows the
 * layout to the byte.
 */
#ifndef VNRX_FRAMES_H
#define VNRX_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>
#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/udp.h>

#include "probe.h"

#define FRAME_MAX	1514
/* for sockets that must not lose what is under way, whatever its truesize */
#define RCVBUF		(8 << 20)

struct frame_head {
	struct ether_header eth;
	struct iphdr ip;
	struct udphdr udp;
} __attribute__((packed));

struct sender {
	int sock;
	int ifindex;
	struct frame_head head;
};

/* In the present network namespace; the addresses are all that may differ */
void sender_open(struct sender *s, const char *dev);
void sender_aim(struct sender *s, const __u8 *mac, const char *from,
		const char *to);
void sender_send(const struct sender *s, __u64 seq);
void mac_of(const char *dev, __u8 *mac);

/* A payload that sender_send() has made, at least its probe, perhaps less */
bool payload_right(const void *data, size_t len);

#endif /* VNRX_FRAMES_H */
