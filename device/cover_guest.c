// SPDX-License-Identifier: GPL-2.0
/*
 * What -fsanitize-coverage=trace-pc calls, in a kernel for ./vnrx fuzz. It is
 * put in front of drivers/virtio/virtio.c by the compiler's command line, so
 * that nothing of the kernel has to be changed; that file is left out of what
 * is measured. KCOV would not do: it sees what a task has called, and packets
 * are received by whoever is interrupted.
 */
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/preempt.h>

#include "cover_map.h"

#define COVER_PROBES	64

void __sanitizer_cov_trace_pc(void);

static struct cover_map *cover_map;
static unsigned long cover_address;	/* physical: the device looks there */
module_param_named(cover, cover_address, ulong, 0444);

/* Tasks and softirqs, which interrupt them, have their own way each */
static u32 cover_last[2];

static void cover_note(struct cover_map *map, u32 from, u32 to)
{
	u32 i = cover_hash(from, to), n;

	for (n = 0; n < COVER_PROBES; n++, i = (i + 1) % COVER_SLOTS) {
		struct cover_edge *slot = &map->slot[i];

		if (slot->from == from && slot->to == to)
			return;
		if (slot->to)
			continue;
		if (map->nr == COVER_EDGES)
			return;
		slot->from = from;
		slot->to = to;
		map->edge[map->nr] = *slot;
		smp_store_release(&map->nr, map->nr + 1);
		return;
	}
}

/* An interrupt comes at any time: what was before it says nothing */
void notrace __sanitizer_cov_trace_pc(void)
{
	u32 to = (unsigned long)__builtin_return_address(0);
	unsigned int way = !!in_serving_softirq();

	if (!cover_map)
		return;
	if (in_hardirq()) {
		cover_note(cover_map, 0, to);
		return;
	}
	cover_note(cover_map, cover_last[way], to);
	cover_last[way] = to;
}

static int __init cover_init(void)
{
	struct cover_map *map;

	map = alloc_pages_exact(sizeof(*map), GFP_KERNEL | __GFP_ZERO);
	if (!map)
		return -ENOMEM;
	map->magic = COVER_MAGIC;
	cover_address = __pa(map);
	cover_map = map;
	return 0;
}
subsys_initcall(cover_init);
