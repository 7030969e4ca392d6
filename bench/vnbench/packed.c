// SPDX-License-Identifier: GPL-2.0
/* The device's side of a packed ring */

#include <linux/virtio_ring.h>

#include "vnbench.h"

#define VN_AVAIL	BIT(VRING_PACKED_DESC_F_AVAIL)
#define VN_USED		BIT(VRING_PACKED_DESC_F_USED)

/* Never kicked unless it asks */
static void vn_packed_init(struct vn_queue *q)
{
	struct vring_packed_desc_event *event = q->device;

	q->pos = (struct vn_pos){ .avail_wrap = true, .used_wrap = true };
	event->flags = cpu_to_le16(VRING_PACKED_EVENT_FLAG_DISABLE);
}

static void vn_packed_want_kick(struct vn_queue *q)
{
	struct vring_packed_desc_event *event = q->device;

	event->flags = cpu_to_le16(VRING_PACKED_EVENT_FLAG_ENABLE);
}

static void vn_packed_step(struct vn_queue *q, u16 *at, bool *wrap, u16 by)
{
	*at += by;
	if (*at < q->num)
		return;
	*at -= q->num;
	*wrap = !*wrap;
}

static bool vn_packed_available(struct vn_queue *q,
				const struct vring_packed_desc *desc)
{
	u16 flags = le16_to_cpu(READ_ONCE(desc->flags));
	bool avail = flags & VN_AVAIL;
	bool used = flags & VN_USED;

	return avail == q->pos.avail_wrap && used != q->pos.avail_wrap;
}

static void vn_packed_add(struct vn_chain *chain,
			  const struct vring_packed_desc *desc)
{
	vn_chain_add(chain, le64_to_cpu(desc->addr), le32_to_cpu(desc->len),
		     le16_to_cpu(desc->flags) & VRING_DESC_F_WRITE);
}

static void vn_packed_indirect(struct vn_chain *chain,
			       const struct vring_packed_desc *desc)
{
	u32 i, n = le32_to_cpu(desc->len) / sizeof(*desc);
	const struct vring_packed_desc *table;

	table = vn_bus_to_virt(le64_to_cpu(desc->addr));
	for (i = 0; i < n; i++)
		vn_packed_add(chain, &table[i]);
}

static bool vn_packed_get(struct vn_queue *q, struct vn_chain *chain)
{
	struct vring_packed_desc *ring = q->desc, *desc;
	u16 flags;

	if (!vn_packed_available(q, &ring[q->pos.avail]))
		return false;
	chain->nsegs = 0;
	chain->descs = 0;
	do {
		desc = &ring[q->pos.avail];
		flags = le16_to_cpu(desc->flags);
		if (flags & VRING_DESC_F_INDIRECT)
			vn_packed_indirect(chain, desc);
		else
			vn_packed_add(chain, desc);
		vn_packed_step(q, &q->pos.avail, &q->pos.avail_wrap, 1);
		chain->descs++;
	} while (flags & VRING_DESC_F_NEXT && chain->descs < VN_SEGS);
	chain->id = le16_to_cpu(desc->id);
	return true;
}

static void vn_packed_put(struct vn_queue *q, const struct vn_used *used)
{
	struct vring_packed_desc *desc = q->desc;
	u16 flags = q->pos.used_wrap ? VN_AVAIL | VN_USED : 0;

	desc += q->pos.used;
	desc->id = cpu_to_le16(used->id);
	desc->len = cpu_to_le32(used->len);
	if (used->len)
		flags |= VRING_DESC_F_WRITE;
	smp_wmb();	/* the flags come last */
	WRITE_ONCE(desc->flags, cpu_to_le16(flags));
	vn_packed_step(q, &q->pos.used, &q->pos.used_wrap, used->descs);
}

/* The driver does not run in between: nothing to hold back */
static void vn_packed_publish(struct vn_queue *q)
{
}

const struct vn_ring_ops vn_packed_ops = {
	.init = vn_packed_init,
	.get = vn_packed_get,
	.put = vn_packed_put,
	.publish = vn_packed_publish,
	.want_kick = vn_packed_want_kick,
};
