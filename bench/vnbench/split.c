// SPDX-License-Identifier: GPL-2.0
/* The device's side of a split ring, for a little-endian virtio 1.0 driver */

#include <linux/virtio_ring.h>

#include "vnbench.h"

static void vn_split_init(struct vn_queue *q)
{
	q->pos = (struct vn_pos){ };
}

static __virtio16 *vn_avail_event(struct vn_queue *q)
{
	struct vring_used *used = q->device;

	return (__virtio16 *)&used->ring[q->num];
}

static void vn_split_want_kick(struct vn_queue *q)
{
	struct vring_avail *avail = q->driver;

	*vn_avail_event(q) = avail->idx;
}

/* All of a table that starts at desc[i], linked by index */
static u16 vn_split_walk(const struct vring_desc *desc, u16 i,
			 struct vn_chain *chain)
{
	u16 flags, descs = 0;

	do {
		flags = (__force u16)desc[i].flags;
		vn_chain_add(chain, (__force u64)desc[i].addr,
			     (__force u32)desc[i].len,
			     flags & VRING_DESC_F_WRITE);
		i = (__force u16)desc[i].next;
		descs++;
	} while (flags & VRING_DESC_F_NEXT && descs < VN_SEGS);
	return descs;
}

static bool vn_split_get(struct vn_queue *q, struct vn_chain *chain)
{
	struct vring_avail *avail = q->driver;
	struct vring_desc *desc = q->desc;
	u16 head;

	if (q->pos.avail == (__force u16)READ_ONCE(avail->idx))
		return false;
	head = (__force u16)avail->ring[q->pos.avail++ & (q->num - 1)];
	desc += head;
	chain->id = head;
	chain->nsegs = 0;
	if ((__force u16)desc->flags & VRING_DESC_F_INDIRECT)
		vn_split_walk(vn_bus_to_virt((__force u64)desc->addr), 0,
			      chain);
	else
		vn_split_walk(q->desc, head, chain);
	return true;
}

static void vn_split_put(struct vn_queue *q, const struct vn_used *used)
{
	struct vring_used *ring = q->device;
	struct vring_used_elem *elem;

	elem = &ring->ring[q->pos.used++ & (q->num - 1)];
	elem->id = (__force __virtio32)(u32)used->id;
	elem->len = (__force __virtio32)used->len;
}

static void vn_split_publish(struct vn_queue *q)
{
	struct vring_used *used = q->device;

	smp_wmb();	/* elements before the index */
	WRITE_ONCE(used->idx, (__force __virtio16)q->pos.used);
}

const struct vn_ring_ops vn_split_ops = {
	.init = vn_split_init,
	.get = vn_split_get,
	.put = vn_split_put,
	.publish = vn_split_publish,
	.want_kick = vn_split_want_kick,
};
