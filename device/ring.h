/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The device's side of a virtqueue, split or packed.
 *
 * ring_pop() takes what the driver has made available, ring_complete() writes
 * used entries, ring_publish() shows them to the driver, ring_notify()
 * interrupts it. The driver is trusted with nothing but its own memory: what
 * does not fit the map or the ring makes the ring broken.
 *
 * A device that lies completes what it likes: nothing here checks the id and
 * the length, and ring_jump() shows entries that were never written.
 */
#ifndef VNDEV_RING_H
#define VNDEV_RING_H

#include <linux/virtio_ring.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "mem.h"

#define RING_MAX_SIZE	32768
#define RING_MAX_IOV	64

/* One buffer: a chain of descriptors, what the device reads comes first */
struct ring_buf {
	uint16_t id;
	uint16_t nr_desc;	/* ring entries that it takes */
	uint16_t nr_read;
	uint16_t nr_iov;
	uint32_t size;		/* bytes that the device may write */
	struct iovec iov[RING_MAX_IOV];
};

struct ring {
	/* from the front end */
	uint32_t num;
	struct vu_vring_addr addr;
	int kick_fd;
	int call_fd;
	bool enabled;

	/* as long as it runs */
	const struct mem_map *mem;
	bool running;
	bool broken;
	bool packed;
	bool event_idx;
	unsigned int generation;	/* how often it was started */
	bool silent;		/* no interrupts whatever the driver wants */
	uint64_t interrupts;	/* sent so far */
	uint16_t avail_idx;
	uint16_t used_idx;
	uint16_t published;	/* split: used index the driver has seen;
				 * packed: entries written, to know a full turn
				 */
	uint16_t shown;		/* packed: published at the last interrupt */
	uint16_t *held;		/* packed: flags of the first entry written since
				 * the last publication: without them, the driver
				 * sees none behind it
				 */
	uint16_t held_flags;	/* packed: what they are to be */
	bool avail_wrap;
	bool used_wrap;
	bool signalled_valid;
	uint16_t signalled;	/* used index at the last interrupt */
	void *desc;
	void *avail;
	void *used;
};

void ring_init(struct ring *ring);

/* Returns 0, or -EINVAL if what the front end has set does not make a ring */
int ring_start(struct ring *ring, const struct mem_map *mem, bool packed,
	       bool event_idx);
void ring_stop(struct ring *ring);

/* The position, as SET_VRING_BASE and GET_VRING_BASE have it */
void ring_set_base(struct ring *ring, uint32_t base, bool packed);
uint32_t ring_base(const struct ring *ring);

/* Returns 1, 0 if there is none, or -EIO with the ring broken */
int ring_pop(struct ring *ring, struct ring_buf *buf);

/* Gives the last buffer that was popped back to the ring */
void ring_unpop(struct ring *ring, const struct ring_buf *buf);

/* LEN and ID are what the driver is told, NR_DESC is by how much to advance */
void ring_complete(struct ring *ring, uint16_t nr_desc, uint32_t id,
		   uint32_t len);
void ring_publish(struct ring *ring);
void ring_jump(struct ring *ring, uint16_t entries);

/* Interrupts the driver if it wants to know */
void ring_notify(struct ring *ring);
void ring_interrupt(struct ring *ring);

/* May the driver leave out its notifications? */
void ring_want_kicks(struct ring *ring, bool want);
void ring_kick_drain(struct ring *ring);

/* --- between ring.c, split.c and packed.c --------------------------------- */

/* Returns -EIO if the bytes are not in the map, or there are too many pieces */
int ring_add_iov(struct ring *ring, struct ring_buf *buf, uint64_t addr,
		 uint32_t len, bool write);

/* Has the index NOW passed EVENT since it was OLD? */
static inline bool ring_passed(uint16_t event, uint16_t now, uint16_t old)
{
	return (uint16_t)(now - event - 1) < (uint16_t)(now - old);
}

int split_start(struct ring *ring);
int split_pop(struct ring *ring, struct ring_buf *buf);
void split_complete(struct ring *ring, uint32_t id, uint32_t len);
void split_publish(struct ring *ring);
bool split_wants_interrupt(struct ring *ring);
void split_want_kicks(struct ring *ring, bool want);

int packed_start(struct ring *ring);
int packed_pop(struct ring *ring, struct ring_buf *buf);
void packed_complete(struct ring *ring, uint16_t nr_desc, uint32_t id,
		     uint32_t len);
void packed_publish(struct ring *ring);
bool packed_wants_interrupt(struct ring *ring);
void packed_want_kicks(struct ring *ring, bool want);

#endif /* VNDEV_RING_H */
