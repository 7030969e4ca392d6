/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which ways the driver has gone, in memory of the guest that the device sees
 * as well: cover_guest.c writes it, cover.c reads it.
 *
 * An edge is a pair of addresses in the driver, one reached after the other,
 * and is listed when it is seen first: what an input has added is what the list
 * has grown by.
 */
#ifndef VNDEV_COVER_MAP_H
#define VNDEV_COVER_MAP_H

#include <linux/types.h>

#define COVER_MAGIC	0x65676465786e7276ull
#define COVER_SLOTS	(1u << 15)	/* a power of 2 */
#define COVER_EDGES	(COVER_SLOTS / 2)

/* A kernel of user-mode Linux is linked into the first 4 GiB */
struct cover_edge {
	__u32 from;
	__u32 to;
};

struct cover_map {
	__u64 magic;
	__u32 nr;
	__u32 pad;
	struct cover_edge edge[COVER_EDGES];
	struct cover_edge slot[COVER_SLOTS];	/* the same as a hash table */
};

static inline __u32 cover_hash(__u32 from, __u32 to)
{
	return ((from >> 2) * 0x9e3779b1u ^ to) * 0x85ebca6bu >> 17;
}

#endif /* VNDEV_COVER_MAP_H */
