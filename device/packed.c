// SPDX-License-Identifier: GPL-2.0
/* Packed rings. All known front ends are little endian, as this is. */
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>

#include "ring.h"

#define F_AVAIL	(1u << VRING_PACKED_DESC_F_AVAIL)
#define F_USED	(1u << VRING_PACKED_DESC_F_USED)

static struct vring_packed_desc *ring_desc(struct ring *ring)
{
	return ring->desc;
}

int packed_start(struct ring *ring)
{
	ring->desc = mem_uva(ring->mem, ring->addr.desc,
			     ring->num * sizeof(struct vring_packed_desc));
	ring->avail = mem_uva(ring->mem, ring->addr.avail,
			      sizeof(struct vring_packed_desc_event));
	ring->used = mem_uva(ring->mem, ring->addr.used,
			     sizeof(struct vring_packed_desc_event));
	if (!ring->desc || !ring->avail || !ring->used ||
	    ring->avail_idx >= ring->num || ring->used_idx >= ring->num)
		return -EINVAL;
	return 0;
}

static void packed_advance(struct ring *ring, uint16_t *idx, bool *wrap,
			   uint16_t by)
{
	uint32_t next = *idx + by;

	if (next >= ring->num) {
		next -= ring->num;
		*wrap = !*wrap;
	}
	*idx = next;
}

static int packed_indirect(struct ring *ring, struct ring_buf *buf,
			   const struct vring_packed_desc *outer)
{
	volatile const struct vring_packed_desc *inner;
	uint32_t i, num = outer->len / sizeof(*inner);
	struct vring_packed_desc desc;
	int err;

	inner = mem_gpa(ring->mem, outer->addr, outer->len);
	if (!inner || !num)
		return -EIO;
	for (i = 0; i < num; i++) {
		desc = inner[i];
		err = ring_add_iov(ring, buf, desc.addr, desc.len,
				   desc.flags & VRING_DESC_F_WRITE);
		if (err)
			return err;
	}
	return 0;
}

static int packed_add(struct ring *ring, struct ring_buf *buf,
		      const struct vring_packed_desc *desc)
{
	if (desc->flags & VRING_DESC_F_INDIRECT)
		return packed_indirect(ring, buf, desc);
	return ring_add_iov(ring, buf, desc->addr, desc->len,
			    desc->flags & VRING_DESC_F_WRITE);
}

int packed_pop(struct ring *ring, struct ring_buf *buf)
{
	uint16_t idx = ring->avail_idx, flags;
	struct vring_packed_desc desc;
	bool wrap = ring->avail_wrap;

	flags = __atomic_load_n(&ring_desc(ring)[idx].flags, __ATOMIC_ACQUIRE);
	if (!!(flags & F_AVAIL) != wrap || !!(flags & F_USED) == wrap)
		return 0;
	do {
		desc = ((volatile struct vring_packed_desc *)ring->desc)[idx];
		if (packed_add(ring, buf, &desc) ||
		    ++buf->nr_desc > ring->num)
			return -EIO;
		packed_advance(ring, &idx, &wrap, 1);
	} while (desc.flags & VRING_DESC_F_NEXT);
	/* the id is in the last descriptor of the chain */
	buf->id = desc.id;
	ring->avail_idx = idx;
	ring->avail_wrap = wrap;
	return 1;
}

void packed_complete(struct ring *ring, uint16_t nr_desc, uint32_t id,
		     uint32_t len)
{
	struct vring_packed_desc *desc = &ring_desc(ring)[ring->used_idx];
	uint16_t flags = VRING_DESC_F_WRITE;

	if (ring->used_wrap)
		flags |= F_AVAIL | F_USED;
	desc->id = id;
	desc->len = len;
	if (ring->held) {
		desc->flags = flags;
	} else {
		ring->held = &desc->flags;
		ring->held_flags = flags;
	}
	packed_advance(ring, &ring->used_idx, &ring->used_wrap, nr_desc);
	ring->published += nr_desc;
}

/* All buffers of a packet at once */
void packed_publish(struct ring *ring)
{
	if (!ring->held)
		return;
	__atomic_store_n(ring->held, ring->held_flags, __ATOMIC_RELEASE);
	ring->held = NULL;
}

bool packed_wants_interrupt(struct ring *ring)
{
	volatile struct vring_packed_desc_event *want = ring->avail;
	uint16_t flags, off_wrap, event, old = ring->signalled;
	bool valid = ring->signalled_valid &&
		     (uint16_t)(ring->published - ring->shown) < ring->num;

	/* the entries must be visible before the driver's wish is read */
	atomic_thread_fence(memory_order_seq_cst);
	flags = want->flags;
	off_wrap = want->off_wrap;
	ring->signalled = ring->used_idx;
	ring->shown = ring->published;
	ring->signalled_valid = true;
	if (flags != VRING_PACKED_EVENT_FLAG_DESC || !ring->event_idx)
		return flags != VRING_PACKED_EVENT_FLAG_DISABLE;
	event = off_wrap & 0x7fff;
	if (off_wrap >> 15 != ring->used_wrap)
		event -= ring->num;
	if (old > ring->used_idx)
		old -= ring->num;
	return !valid || ring_passed(event, ring->used_idx, old);
}

void packed_want_kicks(struct ring *ring, bool want)
{
	volatile struct vring_packed_desc_event *event = ring->used;

	event->flags = want ? VRING_PACKED_EVENT_FLAG_ENABLE :
			      VRING_PACKED_EVENT_FLAG_DISABLE;
	atomic_thread_fence(memory_order_seq_cst);
}
