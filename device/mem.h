/* SPDX-License-Identifier: GPL-2.0 */
/* The front end's memory, as far as it shares it. */
#ifndef VNDEV_MEM_H
#define VNDEV_MEM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "proto.h"

struct mem_region {
	uint64_t gpa;
	uint64_t uva;
	uint64_t size;
	uint8_t *at;		/* where byte 0 of the region is here */
	void *map;
	size_t map_size;
};

struct mem_map {
	unsigned int nr;
	struct mem_region region[VU_MAX_REGIONS];
};

/*
 * Replaces the map by what TABLE describes; one descriptor for each region,
 * which remain the caller's. Returns 0 or a negative errno, with an empty map.
 */
int mem_set(struct mem_map *map, const struct vu_mem_table *table,
	    const int *fds);

void mem_clear(struct mem_map *map);

/*
 * LEN bytes at a guest-physical address, or at an address of the front end.
 * NULL unless all of it is within one region.
 */
void *mem_gpa(const struct mem_map *map, uint64_t gpa, uint64_t len);
void *mem_uva(const struct mem_map *map, uint64_t uva, uint64_t len);

#endif /* VNDEV_MEM_H */
