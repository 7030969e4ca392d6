// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>

#include "cover.h"

void cover_guest(struct cover *c, uint64_t gpa)
{
	c->gpa = gpa;
	c->taken = 0;
}

/* Returns whether it was not there before */
static bool add(struct cover *c, struct cover_edge edge)
{
	uint32_t i = cover_hash(edge.from, edge.to);
	struct cover_edge *slot;

	if (c->nr == COVER_EDGES)
		return false;
	for (;; i++) {
		slot = &c->slot[i % COVER_SLOTS];
		if (slot->from == edge.from && slot->to == edge.to)
			return false;
		if (!slot->to)
			break;
	}
	*slot = edge;
	c->nr++;
	return true;
}

unsigned int cover_take(struct cover *c, const struct mem_map *mem)
{
	const struct cover_map *map = NULL;
	unsigned int fresh = 0;
	uint32_t nr;

	if (c->gpa)
		map = mem_gpa(mem, c->gpa, sizeof(*map));
	if (!map || map->magic != COVER_MAGIC)
		return 0;
	nr = __atomic_load_n(&map->nr, __ATOMIC_ACQUIRE);
	if (nr > COVER_EDGES)
		return 0;
	while (c->taken < nr)
		fresh += add(c, map->edge[c->taken++]);
	return fresh;
}

int cover_write(const struct cover *c, const char *path)
{
	FILE *out = fopen(path, "ae");
	uint32_t i;

	if (!out)
		return -errno;
	for (i = 0; i < COVER_SLOTS; i++)
		if (c->slot[i].to)
			fprintf(out, "%x\n", c->slot[i].to);
	return fclose(out) ? -errno : 0;
}
