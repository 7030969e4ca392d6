// SPDX-License-Identifier: GPL-2.0
/* What the device does: fills RX buffers, takes TX ones, obeys control */

#include <linux/etherdevice.h>
#include <linux/virtio_net.h>

#include "vnbench.h"

struct vn_wire {
	struct virtio_net_hdr_mrg_rxbuf hdr;
	struct ethhdr eth;
	__le64 number;
} __packed;

static u32 vn_chain_len(const struct vn_chain *chain)
{
	u32 i, len = 0;

	for (i = 0; i < chain->nsegs; i++)
		len += chain->seg[i].len;
	return len;
}

static void vn_chain_write(const struct vn_chain *chain, const void *from,
			   u32 len)
{
	u32 i, part;

	for (i = 0; i < chain->nsegs && len; i++) {
		part = min(len, chain->seg[i].len);
		memcpy(chain->seg[i].addr, from, part);
		from += part;
		len -= part;
	}
}

/* The rest of the frame stays as it is: nobody looks at it */
static void vn_frame_write(struct vn_device *dev, const struct vn_chain *chain,
			   u16 buffers)
{
	struct vn_wire wire = {
		.hdr.num_buffers = cpu_to_le16(buffers),
		.eth.h_proto = htons(VN_ETHERTYPE),
		.number = cpu_to_le64(dev->frame.number++),
	};

	memcpy(wire.eth.h_dest, dev->config.mac, ETH_ALEN);
	memcpy(wire.eth.h_source, dev->config.mac, ETH_ALEN);
	wire.eth.h_source[5] ^= 1;
	vn_chain_write(chain, &wire, sizeof(wire));
}

/* Takes buffers for one frame; their number, or 0 if there are too few */
static u16 vn_collect(struct vn_device *dev, struct vn_queue *q,
		      struct vn_chain *first)
{
	u32 left = dev->frame.size + sizeof(struct virtio_net_hdr_mrg_rxbuf);
	struct vn_chain more, *chain = first;
	u32 len;
	u16 n = 0;

	while (left) {
		if (n == VN_BUFS || (n && !dev->shape.mergeable) ||
		    !q->ring->get(q, chain))
			return 0;
		len = min(left, vn_chain_len(chain));
		dev->used[n++] = (struct vn_used){
			.id = chain->id, .descs = chain->descs, .len = len,
		};
		left -= len;
		chain = &more;
	}
	return n;
}

static bool vn_fill_one(struct vn_device *dev, struct vn_queue *q)
{
	struct vn_pos before = q->pos;
	struct vn_chain first;
	u16 i, n;

	n = vn_collect(dev, q, &first);
	if (!n) {
		q->pos = before;
		return false;
	}
	vn_frame_write(dev, &first, n);
	for (i = 0; i < n; i++)
		q->ring->put(q, &dev->used[i]);
	dev->buffers += n;
	return true;
}

/* Up to so many frames into the first RX queue; how many there was room for */
unsigned int vn_fill(struct vn_device *dev, unsigned int frames)
{
	struct vn_queue *q = &dev->queue[0];
	unsigned int n = 0;

	while (n < frames && vn_fill_one(dev, q))
		n++;
	q->ring->publish(q);
	return n;
}

static void vn_chain_read(const struct vn_chain *chain, void *to, u32 len)
{
	u32 i, part;

	for (i = 0; i < chain->nsegs && len; i++) {
		part = min(len, chain->seg[i].len);
		memcpy(to, chain->seg[i].addr, part);
		to += part;
		len -= part;
	}
}

/* The next frame that XDP_TX owes us. The stack may send others as well. */
static bool vn_echo(struct vn_device *dev, const struct vn_chain *chain)
{
	struct vn_wire wire = { };

	vn_chain_read(chain, &wire, sizeof(wire));
	return wire.eth.h_proto == htons(VN_ETHERTYPE) &&
	       le64_to_cpu(wire.number) == dev->sent;
}

static void vn_serve_tx(struct vn_device *dev, struct vn_queue *q)
{
	struct vn_chain chain;
	struct vn_used used;

	while (q->ring->get(q, &chain)) {
		used = (struct vn_used){ .id = chain.id, .descs = chain.descs };
		q->ring->put(q, &used);
		dev->sent += vn_echo(dev, &chain);
	}
	q->ring->publish(q);
	q->ring->want_kick(q);
}

/* Agrees to everything: the status is what the driver lets us write first */
static void vn_obey(const struct vn_chain *chain)
{
	int i;

	for (i = 0; i < chain->nsegs; i++) {
		if (!chain->seg[i].writable)
			continue;
		*(u8 *)chain->seg[i].addr = VIRTIO_NET_OK;
		return;
	}
}

static void vn_serve_control(struct vn_queue *q)
{
	struct vn_chain chain;
	struct vn_used used;

	while (q->ring->get(q, &chain)) {
		vn_obey(&chain);
		used = (struct vn_used){
			.id = chain.id, .descs = chain.descs, .len = 1,
		};
		q->ring->put(q, &used);
	}
	q->ring->publish(q);
	q->ring->want_kick(q);
}

/* Queues are RX, TX, RX, TX, control; RX is served when the bench says so */
bool vn_notify(struct virtqueue *vq)
{
	struct vn_device *dev = to_vn(vq->vdev);
	struct vn_queue *q = vq->priv;
	u64 start = vn_ticks();

	if (vq->index == dev->nqueues - 1)
		vn_serve_control(q);
	else if (vq->index & 1)
		vn_serve_tx(dev, q);
	dev->own_ticks += vn_ticks() - start;
	return true;
}
