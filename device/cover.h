/* SPDX-License-Identifier: GPL-2.0 */
/* Which ways the driver has gone, of all guests together. */
#ifndef VNDEV_COVER_H
#define VNDEV_COVER_H

#include "cover_map.h"
#include "mem.h"

struct cover {
	uint64_t gpa;		/* of this guest's map, 0 if it has none */
	uint32_t taken;		/* of its edges */
	uint32_t nr;
	struct cover_edge slot[COVER_SLOTS];	/* a hash table */
};

/* Another guest, its map at GPA */
void cover_guest(struct cover *c, uint64_t gpa);

/* Takes what the guest has added; returns how much of it is new to us */
unsigned int cover_take(struct cover *c, const struct mem_map *mem);

/* Adds the addresses reached to a file, one a line. 0 or a negative errno. */
int cover_write(const struct cover *c, const char *path);

#endif /* VNDEV_COVER_H */
