/* SPDX-License-Identifier: GPL-2.0 */
/* What a lying device does, on the first receive ring. */
#ifndef VNDEV_FAULT_H
#define VNDEV_FAULT_H

#include "device.h"
#include "script.h"

#define FAULT_STREAM	(FRAME_MAX + sizeof(net_hdr))

struct fault {
	struct device *dev;
	uint32_t seq;
	unsigned int patience;	/* milliseconds to wait for a buffer */
	unsigned int starved;	/* packets for which there was no buffer */
	uint64_t lies;		/* completions that are not as they should be */
	/* the buffer completed last */
	uint16_t last_id;
	uint16_t last_desc;
	/* buffers taken and not completed, of the ring as it was then */
	unsigned int generation;
	unsigned int nr_held;
	struct ring_buf *held;
	struct ring_buf buf[SCRIPT_MAX_BUFS];
	uint8_t stream[FAULT_STREAM];
};

void fault_init(struct fault *f, struct device *dev);
void fault_forget(struct fault *f);

/* All steps but those of the guest */
void fault_step(struct fault *f, const struct step *s);

/* Good frames of LEN bytes; returns how many there was room for */
unsigned int fault_good(struct fault *f, unsigned int nr, uint32_t len);

#endif /* VNDEV_FAULT_H */
