// SPDX-License-Identifier: GPL-2.0
/* What split and packed rings have in common. */
#include <errno.h>
#include <unistd.h>

#include "ring.h"

void ring_init(struct ring *ring)
{
	*ring = (struct ring) { .kick_fd = -1, .call_fd = -1 };
}

int ring_start(struct ring *ring, const struct mem_map *mem, bool packed,
	       bool event_idx)
{
	int err;

	if (!ring->num || ring->num > RING_MAX_SIZE)
		return -EINVAL;
	ring->mem = mem;
	ring->packed = packed;
	ring->event_idx = event_idx;
	ring->broken = false;
	ring->signalled_valid = false;
	ring->generation++;
	err = packed ? packed_start(ring) : split_start(ring);
	ring->running = !err;
	if (!err)
		ring_want_kicks(ring, true);
	return err;
}

void ring_stop(struct ring *ring)
{
	ring->running = false;
	ring->held = NULL;
	ring->desc = NULL;
	ring->avail = NULL;
	ring->used = NULL;
}

/*
 * Packed: index and wrap counter, available in the lower half, used in the
 * upper one. A front end that knows only split rings says 0 for a new ring,
 * where both counters are 1.
 */
void ring_set_base(struct ring *ring, uint32_t base, bool packed)
{
	if (!packed) {
		ring->avail_idx = base;
		ring->used_idx = base;
		ring->published = base;
		return;
	}
	if (!base)
		base = 1u << 15 | 1u << 31;
	if (!(base >> 16))
		base |= base << 16;
	ring->avail_idx = base & 0x7fff;
	ring->avail_wrap = base >> 15 & 1;
	ring->used_idx = base >> 16 & 0x7fff;
	ring->used_wrap = base >> 31;
}

uint32_t ring_base(const struct ring *ring)
{
	if (!ring->packed)
		return ring->avail_idx;
	return ring->avail_idx | (uint32_t)ring->avail_wrap << 15 |
	       (uint32_t)ring->used_idx << 16 | (uint32_t)ring->used_wrap << 31;
}

int ring_add_iov(struct ring *ring, struct ring_buf *buf, uint64_t addr,
		 uint32_t len, bool write)
{
	struct iovec *iov = &buf->iov[buf->nr_iov];

	if (buf->nr_iov == RING_MAX_IOV)
		return -EIO;
	/* what is read must come before what is written */
	if (!write && buf->nr_iov != buf->nr_read)
		return -EIO;
	iov->iov_base = mem_gpa(ring->mem, addr, len);
	iov->iov_len = len;
	if (!iov->iov_base)
		return -EIO;
	buf->nr_iov++;
	if (write)
		buf->size += len;
	else
		buf->nr_read++;
	return 0;
}

int ring_pop(struct ring *ring, struct ring_buf *buf)
{
	int got;

	if (!ring->running || ring->broken)
		return 0;
	buf->nr_desc = 0;
	buf->nr_read = 0;
	buf->nr_iov = 0;
	buf->size = 0;
	got = ring->packed ? packed_pop(ring, buf) : split_pop(ring, buf);
	if (got < 0)
		ring->broken = true;
	return got;
}

void ring_unpop(struct ring *ring, const struct ring_buf *buf)
{
	if (!ring->packed) {
		ring->avail_idx--;
		return;
	}
	if (ring->avail_idx < buf->nr_desc) {
		ring->avail_idx += ring->num;
		ring->avail_wrap = !ring->avail_wrap;
	}
	ring->avail_idx -= buf->nr_desc;
}

void ring_complete(struct ring *ring, uint16_t nr_desc, uint32_t id,
		   uint32_t len)
{
	if (!ring->running)
		return;
	if (ring->packed)
		packed_complete(ring, nr_desc, id, len);
	else
		split_complete(ring, id, len);
}

void ring_publish(struct ring *ring)
{
	if (!ring->running)
		return;
	if (ring->packed)
		packed_publish(ring);
	else
		split_publish(ring);
}

void ring_jump(struct ring *ring, uint16_t entries)
{
	if (!ring->running)
		return;
	if (!ring->packed) {
		ring->used_idx += entries;
		split_publish(ring);
		return;
	}
	while (entries--)
		packed_complete(ring, 1, 0, 0);
	packed_publish(ring);
}

void ring_interrupt(struct ring *ring)
{
	uint64_t one = 1;
	ssize_t done = 0;

	ring->interrupts++;
	/* not blocking: a front end that lags behind has enough of them */
	if (ring->call_fd >= 0)
		done = write(ring->call_fd, &one, sizeof(one));
	(void)done;
}

void ring_notify(struct ring *ring)
{
	if (!ring->running || ring->silent)
		return;
	if (ring->packed ? packed_wants_interrupt(ring) :
			   split_wants_interrupt(ring))
		ring_interrupt(ring);
}

void ring_want_kicks(struct ring *ring, bool want)
{
	if (!ring->running)
		return;
	if (ring->packed)
		packed_want_kicks(ring, want);
	else
		split_want_kicks(ring, want);
}

void ring_kick_drain(struct ring *ring)
{
	uint64_t count;

	while (ring->kick_fd >= 0 &&
	       read(ring->kick_fd, &count, sizeof(count)) > 0)
		;
}
