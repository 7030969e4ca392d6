// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/virtio_config.h>
#include <string.h>

#include "net.h"

unsigned int net_hdr_len(const struct vhost *vh)
{
	if (vhost_has(vh, VIRTIO_NET_F_HASH_REPORT))
		return sizeof(struct virtio_net_hdr_v1_hash);
	if (vhost_has(vh, VIRTIO_NET_F_MRG_RXBUF) ||
	    vhost_has(vh, VIRTIO_F_VERSION_1))
		return sizeof(struct virtio_net_hdr_v1);
	return sizeof(struct virtio_net_hdr);
}

/* From byte SKIP of the writable part of BUF on */
uint32_t net_fill(const struct ring_buf *buf, uint32_t skip,
		  const uint8_t *data, uint32_t len)
{
	uint32_t left = len;
	unsigned int i;

	for (i = buf->nr_read; i < buf->nr_iov && left; i++) {
		uint8_t *at = buf->iov[i].iov_base;
		uint32_t room = buf->iov[i].iov_len;

		if (skip >= room) {
			skip -= room;
			continue;
		}
		room -= skip;
		if (room > left)
			room = left;
		memcpy(at + skip, data, room);
		data += room;
		left -= room;
		skip = 0;
	}
	return len - left;
}

/* Buffers for NEED bytes, or none of them */
static int gather(struct net *net, struct ring *ring, uint32_t need)
{
	int max = vhost_has(net->vh, VIRTIO_NET_F_MRG_RXBUF) ? NET_MAX_BUFS : 1;
	uint32_t room = 0;
	int n = 0, got = 1;

	while (room < need && n < max) {
		got = ring_pop(ring, &net->buf[n]);
		if (got <= 0)
			break;
		room += net->buf[n++].size;
	}
	if (room >= need)
		return n;
	while (n)
		ring_unpop(ring, &net->buf[--n]);
	return got > 0 ? -EMSGSIZE : 0;
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* The header must fit in the first buffer: all drivers see to that */
static void fill(struct net *net, struct ring *ring, int n, const net_hdr *hdr,
		 const struct source_frame *frame)
{
	uint32_t hdr_len = net_hdr_len(net->vh), done = 0;
	const struct ring_buf *buf;

	for (buf = net->buf; buf < net->buf + n; buf++) {
		uint32_t skip = buf == net->buf ? hdr_len : 0;
		uint32_t part = smaller(buf->size - skip, frame->len - done);

		if (skip)
			net_fill(buf, 0, (const uint8_t *)hdr, hdr_len);
		net_fill(buf, skip, frame->at + done, part);
		done += part;
		ring_complete(ring, buf->nr_desc, buf->id, skip + part);
	}
}

int net_send(struct net *net, unsigned int pair, const net_hdr *hdr,
	     const struct source_frame *frame)
{
	struct net_counters *count = &net->count[pair];
	struct ring *ring = vhost_rx(net->vh, pair);
	net_hdr plain = { 0 };
	int n;

	n = gather(net, ring, net_hdr_len(net->vh) + frame->len);
	if (n <= 0) {
		if (n)
			count->rx_too_long++;
		else
			count->rx_no_buffer++;
		return n;
	}
	if (hdr)
		plain = *hdr;
	plain.hdr.num_buffers = n;
	fill(net, ring, n, &plain, frame);
	count->rx_packets++;
	count->rx_bytes += frame->len;
	return 1;
}

void net_show(struct net *net, unsigned int pair)
{
	struct ring *ring = vhost_rx(net->vh, pair);

	ring_publish(ring);
	ring_notify(ring);
}

/* A frame that does not fit now is the next one again, unless from a tap */
unsigned int net_send_burst(struct net *net, unsigned int pair)
{
	struct source_frame frame;
	unsigned int n;

	for (n = 0; n < NET_BURST; n++) {
		size_t next = net->source.next;

		if (!source_get(&net->source, &frame))
			break;
		if (!net_send(net, pair, NULL, &frame)) {
			net->source.next = next;
			break;
		}
	}
	if (n)
		net_show(net, pair);
	return n;
}

static uint32_t copy_out(const struct ring_buf *buf, uint8_t *to, uint32_t max)
{
	uint32_t done = 0;
	unsigned int i;

	for (i = 0; i < buf->nr_read; i++) {
		uint32_t part = smaller(buf->iov[i].iov_len, max - done);

		memcpy(to + done, buf->iov[i].iov_base, part);
		done += part;
	}
	return done;
}

/* Only who wants the frame needs a copy of it */
static void take(struct net *net, unsigned int pair, const struct ring_buf *buf)
{
	struct net_counters *count = &net->count[pair];
	uint32_t hdr_len = net_hdr_len(net->vh), len = 0;
	struct source_frame frame;
	unsigned int i;

	for (i = 0; i < buf->nr_read; i++)
		len += buf->iov[i].iov_len;
	if (len < hdr_len)
		return;
	count->tx_packets++;
	count->tx_bytes += len - hdr_len;
	if (!net->echo && net->source.tap_fd < 0)
		return;
	len = copy_out(buf, net->frame, sizeof(net->frame));
	frame = (struct source_frame) { net->frame + hdr_len, len - hdr_len };
	source_put(&net->source, frame.at, frame.len);
	if (net->echo && net_send(net, pair, NULL, &frame) > 0)
		count->tx_echoed++;
}

unsigned int net_take_burst(struct net *net, unsigned int pair)
{
	struct ring *ring = vhost_tx(net->vh, pair);
	uint64_t echoed = net->count[pair].tx_echoed;
	struct ring_buf buf;
	unsigned int n = 0;

	while (n < NET_BURST && ring_pop(ring, &buf) > 0) {
		take(net, pair, &buf);
		ring_complete(ring, buf.nr_desc, buf.id, 0);
		n++;
	}
	if (!n)
		return 0;
	ring_publish(ring);
	ring_notify(ring);
	if (net->count[pair].tx_echoed != echoed)
		net_show(net, pair);
	return n;
}
