// SPDX-License-Identifier: GPL-2.0
/* Split rings. All known front ends are little endian, as this is. */
#include <errno.h>
#include <stdatomic.h>

#include "ring.h"

static struct vring_avail *ring_avail(struct ring *ring)
{
	return ring->avail;
}

static struct vring_used *ring_used(struct ring *ring)
{
	return ring->used;
}

int split_start(struct ring *ring)
{
	uint32_t num = ring->num;

	if (num & (num - 1))
		return -EINVAL;
	ring->desc = mem_uva(ring->mem, ring->addr.desc,
			     num * sizeof(struct vring_desc));
	ring->avail = mem_uva(ring->mem, ring->addr.avail,
			      sizeof(struct vring_avail) +
			      (num + 1) * sizeof(uint16_t));
	ring->used = mem_uva(ring->mem, ring->addr.used,
			     sizeof(struct vring_used) + sizeof(uint16_t) +
			     num * sizeof(struct vring_used_elem));
	return ring->desc && ring->avail && ring->used ? 0 : -EINVAL;
}

/* A table of NUM descriptors, from START on. Each is read once. */
static int split_walk(struct ring *ring, struct ring_buf *buf,
		      const struct vring_desc *table, uint32_t num,
		      uint16_t start)
{
	uint32_t i = start, left = num;
	struct vring_desc desc;
	int err;

	do {
		if (i >= num || !left--)
			return -EIO;
		desc = ((volatile const struct vring_desc *)table)[i];
		if (desc.flags & VRING_DESC_F_INDIRECT) {
			const void *inner = mem_gpa(ring->mem, desc.addr,
						    desc.len);

			num = desc.len / sizeof(desc);
			if (!inner || table != ring->desc ||
			    desc.flags & VRING_DESC_F_NEXT)
				return -EIO;
			return split_walk(ring, buf, inner, num, 0);
		}
		err = ring_add_iov(ring, buf, desc.addr, desc.len,
				   desc.flags & VRING_DESC_F_WRITE);
		if (err)
			return err;
		i = desc.next;
	} while (desc.flags & VRING_DESC_F_NEXT);
	return 0;
}

int split_pop(struct ring *ring, struct ring_buf *buf)
{
	struct vring_avail *avail = ring_avail(ring);
	uint16_t idx;
	int err;

	idx = __atomic_load_n(&avail->idx, __ATOMIC_ACQUIRE);
	if (idx == ring->avail_idx)
		return 0;
	if ((uint16_t)(idx - ring->avail_idx) > ring->num)
		return -EIO;
	buf->id = avail->ring[ring->avail_idx & (ring->num - 1)];
	buf->nr_desc = 1;
	err = split_walk(ring, buf, ring->desc, ring->num, buf->id);
	if (err)
		return err;
	ring->avail_idx++;
	return 1;
}

void split_complete(struct ring *ring, uint32_t id, uint32_t len)
{
	struct vring_used *used = ring_used(ring);

	used->ring[ring->used_idx++ & (ring->num - 1)] =
		(struct vring_used_elem) { .id = id, .len = len };
}

void split_publish(struct ring *ring)
{
	__atomic_store_n(&ring_used(ring)->idx, ring->used_idx,
			 __ATOMIC_RELEASE);
	ring->published = ring->used_idx;
}

bool split_wants_interrupt(struct ring *ring)
{
	struct vring_avail *avail = ring_avail(ring);
	uint16_t event, old = ring->signalled;
	bool valid = ring->signalled_valid;

	/* the index must be visible before the driver's wish is read */
	atomic_thread_fence(memory_order_seq_cst);
	if (!ring->event_idx)
		return !(*(volatile uint16_t *)&avail->flags &
			 VRING_AVAIL_F_NO_INTERRUPT);
	event = *(volatile uint16_t *)&avail->ring[ring->num];
	ring->signalled = ring->published;
	ring->signalled_valid = true;
	return !valid || ring_passed(event, ring->published, old);
}

void split_want_kicks(struct ring *ring, bool want)
{
	struct vring_used *used = ring_used(ring);

	if (ring->event_idx) {
		uint16_t *event = (uint16_t *)&used->ring[ring->num];

		*(volatile uint16_t *)event = want ? ring->avail_idx :
					      ring->avail_idx - 1;
	} else {
		*(volatile uint16_t *)&used->flags =
			want ? 0 : VRING_USED_F_NO_NOTIFY;
	}
	atomic_thread_fence(memory_order_seq_cst);
}
