// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "mem.h"

static bool within(uint64_t start, uint64_t size, uint64_t addr, uint64_t len)
{
	return addr >= start && addr - start <= size &&
	       len <= size - (addr - start);
}

void *mem_gpa(const struct mem_map *map, uint64_t gpa, uint64_t len)
{
	const struct mem_region *r;

	for (r = map->region; r < map->region + map->nr; r++)
		if (within(r->gpa, r->size, gpa, len))
			return r->at + (gpa - r->gpa);
	return NULL;
}

void *mem_uva(const struct mem_map *map, uint64_t uva, uint64_t len)
{
	const struct mem_region *r;

	for (r = map->region; r < map->region + map->nr; r++)
		if (within(r->uva, r->size, uva, len))
			return r->at + (uva - r->uva);
	return NULL;
}

/* From the start of the file: the offset need not be a multiple of pages */
static int region_map(struct mem_region *r, const struct vu_region *from,
		      int fd)
{
	if (!from->size || from->offset + from->size < from->size)
		return -EINVAL;
	r->map_size = from->offset + from->size;
	r->map = mmap(NULL, r->map_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		      fd, 0);
	if (r->map == MAP_FAILED)
		return -errno;
	r->at = (uint8_t *)r->map + from->offset;
	r->gpa = from->gpa;
	r->uva = from->uva;
	r->size = from->size;
	return 0;
}

int mem_set(struct mem_map *map, const struct vu_mem_table *table,
	    const int *fds)
{
	unsigned int i;
	int err;

	mem_clear(map);
	for (i = 0; i < table->nr; i++) {
		err = region_map(&map->region[i], &table->region[i], fds[i]);
		if (err) {
			mem_clear(map);
			return err;
		}
		map->nr++;
	}
	return 0;
}

void mem_clear(struct mem_map *map)
{
	while (map->nr) {
		struct mem_region *r = &map->region[--map->nr];

		munmap(r->map, r->map_size);
	}
}
