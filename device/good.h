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
