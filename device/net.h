/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The network device: frames into the receive rings, out of the transmit
 * rings, as an honest device does it. What a lying one does is in fault.h.
 */
#ifndef VNDEV_NET_H
#define VNDEV_NET_H

#include <linux/virtio_net.h>

#include "frame.h"
#include "source.h"
#include "vhost.h"

/* A 64 KB packet in the smallest buffers that the driver posts */
#define NET_MAX_BUFS	64
#define NET_BURST	64

/* The header as it is with VIRTIO_NET_F_HASH_REPORT: the others are shorter */
typedef struct virtio_net_hdr_v1_hash net_hdr;

struct net_counters {
	uint64_t rx_packets;
	uint64_t rx_bytes;
	uint64_t rx_no_buffer;
	uint64_t rx_too_long;
	uint64_t tx_packets;
	uint64_t tx_bytes;
	uint64_t tx_echoed;
};

struct net {
	struct vhost *vh;
	struct source source;
	bool echo;
	bool running;		/* sends as fast as it can */
	struct net_counters count[VHOST_MAX_PAIRS];
	struct ring_buf buf[NET_MAX_BUFS];
	uint8_t frame[FRAME_MAX];
};

unsigned int net_hdr_len(const struct vhost *vh);

/* Spreads a packet over the buffers of SIZES; returns how many bytes fit */
uint32_t net_fill(const struct ring_buf *buf, uint32_t skip,
		  const uint8_t *data, uint32_t len);

/*
 * One frame; HDR may be NULL. Returns 1, 0 if the ring has no room for it, or
 * -EMSGSIZE if it will never have. The driver is not told yet.
 */
int net_send(struct net *net, unsigned int pair, const net_hdr *hdr,
	     const struct source_frame *frame);
void net_show(struct net *net, unsigned int pair);

/* Both return how many packets they have moved */
unsigned int net_send_burst(struct net *net, unsigned int pair);
unsigned int net_take_burst(struct net *net, unsigned int pair);

#endif /* VNDEV_NET_H */
