/* SPDX-License-Identifier: GPL-2.0 */
/*
 * UDP frames of many lengths, each byte of their payload known from their
 * sequence number. Sent through a packet socket, so that the layout is known
 * to the byte.
 */
#ifndef VNET_WIRE_H
#define VNET_WIRE_H

#include <net/ethernet.h>
#include <netinet/ip.h>
#include <netinet/udp.h>

#include "vnet.h"
#include "xdp.h"

#define FRAME_MAX	65536
/* for sockets that must not lose what is under way, whatever its truesize */
#define RCVBUF		(16 << 20)
#define POLL_MS		100

#pragma pack(push, 1)
struct wire_head {
	struct ether_header eth;
	struct iphdr ip;
	struct udphdr udp;
};

#pragma pack(pop)

struct wire {
	int sock;
	int ifindex;
	unsigned int mtu;
	struct wire_head head;
};

/* Opens PEER in the namespace NETNS, to send to DEV in the present one */
void wire_open(struct wire *w, const char *dev, const char *netns,
	       const char *peer);
void wire_send(const struct wire *w, __u64 seq);

/* Only to receive what DEV, in the present namespace, gives to the stack */
void wire_listen(struct wire *w, const char *dev);

/* Receives one frame of ours that PEER got; false if there was none */
bool wire_recv(const struct wire *w, void *frame, size_t size, size_t *len);

/* What follows the headers of the frame with this number */
size_t wire_payload_len(const struct wire *w, __u64 seq);
bool wire_payload_right(const struct wire *w, const void *data, size_t len);

/* A UDP socket in this namespace that the frames go to */
int wire_udp_sock(void);

#endif /* VNET_WIRE_H */
