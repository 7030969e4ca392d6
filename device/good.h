/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a good frame looks like: the device makes them, the guest checks every
 * byte. The type is the one that IEEE 802 has set aside for experiments.
 */
#ifndef VNDEV_GOOD_H
#define VNDEV_GOOD_H

#include <stdint.h>

#define GOOD_TYPE	0x88b5
#define GOOD_MAGIC	0x766e7278

/*
 * Bytes of the source address by which the guest's XDP program goes: an action
 * less one, so that the address that frames have otherwise means to pass them,
 * and what to do before.
 */
#define GOOD_SRC_DO	10
#define GOOD_SRC_ACTION	11
#define GOOD_DO_META	1	/* put 8 bytes in front of the frame */
#define GOOD_DO_HEAD	2	/* take 16 bytes away there */
#define GOOD_DO_TAIL	4	/* take 20 bytes away at its end */
#define GOOD_DO_SEND	8	/* redirect it to where it is from */

struct good_head {
	uint8_t dst[6];
	uint8_t src[6];
	uint16_t type;		/* big endian */
	uint16_t len;		/* of the whole frame */
	uint32_t magic;
	uint32_t seq;
} __attribute__((packed));

static inline uint8_t good_byte(uint32_t seq, uint32_t at)
{
	return seq * 7 + at;
}

#endif /* VNDEV_GOOD_H */
