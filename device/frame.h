/* SPDX-License-Identifier: GPL-2.0 */
/* Frames that the device sends. */
#ifndef VNDEV_FRAME_H
#define VNDEV_FRAME_H

#include <stdint.h>

#define FRAME_MIN	60
#define FRAME_MAX	65562	/* 64 KB and Ethernet headers */

enum frame_kind {
	FRAME_GOOD,
	FRAME_UDP4,
	FRAME_TCP4,
	FRAME_UDP6,
	FRAME_TCP6,
	FRAME_NR_KINDS
};

/* Returns the name of a kind, or NULL beyond the last */
const char *frame_kind_name(unsigned int kind);

/* Fills LEN bytes, FRAME_MIN to FRAME_MAX. The checksums are not filled in. */
void frame_build(uint8_t *at, enum frame_kind kind, uint32_t len,
		 const uint8_t *dst, uint32_t seq);

#endif /* VNDEV_FRAME_H */
