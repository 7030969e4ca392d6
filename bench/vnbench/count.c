// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel does for the packets of one run: calls counted by kprobes,
 * where the kernel has them (UML does not), and pages as it counts them itself.
 */

#include <linux/kprobes.h>
#include <linux/slab.h>
#include <linux/vmstat.h>

#include "vnbench.h"

/* Of each counter the first function that this kernel has */
static const struct {
	const char *name;
	const char *symbol[2];
} vn_functions[] = {
	{ "page_allocs", VN_SYMBOLS_PAGE_ALLOC },
	{ "bulk_allocs", { "alloc_pages_bulk_noprof" } },
	{ "dma_maps", { "dma_map_phys", "dma_map_page_attrs" } },
	{ "dma_unmaps", { "dma_unmap_phys", "dma_unmap_page_attrs" } },
	{ "syncs_cpu", { "__dma_sync_single_for_cpu" } },
	{ "syncs_device", { "__dma_sync_single_for_device" } },
	{ "slab_allocs", { "kmem_cache_alloc_noprof" } },
	{ "slab_node_allocs", { "kmem_cache_alloc_node_noprof" } },
	{ "slab_bulk_allocs", { "kmem_cache_alloc_bulk_noprof" } },
	{ "skb_allocs", { "__alloc_skb" } },
	{ "napi_skb_allocs", { "napi_alloc_skb", "__napi_alloc_skb" } },
};

struct vn_counter {
#ifdef CONFIG_KPROBES
	struct kprobe probe;
#endif
	bool armed;
	u64 calls;
};

struct vn_counters {
	struct vn_counter counter[ARRAY_SIZE(vn_functions)];
};

#ifdef CONFIG_KPROBES

static int vn_called(struct kprobe *probe, struct pt_regs *regs)
{
	container_of(probe, struct vn_counter, probe)->calls++;
	return 0;
}

static void vn_counter_arm(struct vn_counter *counter, const char *symbol)
{
	counter->probe = (struct kprobe){
		.symbol_name = symbol,
		.pre_handler = vn_called,
	};
	counter->armed = !register_kprobe(&counter->probe);
}

static void vn_counter_disarm(struct vn_counter *counter)
{
	if (counter->armed)
		unregister_kprobe(&counter->probe);
}

#else

static void vn_counter_arm(struct vn_counter *counter, const char *symbol)
{
}

static void vn_counter_disarm(struct vn_counter *counter)
{
}

#endif

struct vn_counters *vn_count_start(void)
{
	struct vn_counters *counters;
	int i, j;

	counters = kzalloc(sizeof(*counters), GFP_KERNEL);
	if (!counters)
		return NULL;
	for (i = 0; i < ARRAY_SIZE(vn_functions); i++)
		for (j = 0; j < 2 && vn_functions[i].symbol[j] &&
		     !counters->counter[i].armed; j++)
			vn_counter_arm(&counters->counter[i],
				       vn_functions[i].symbol[j]);
	return counters;
}

/* Adds "name=calls ..." to the text */
void vn_count_stop(struct vn_counters *counters, char *text, size_t size)
{
	size_t len = strlen(text);
	int i;

	if (!counters)
		return;
	for (i = 0; i < ARRAY_SIZE(vn_functions); i++) {
		vn_counter_disarm(&counters->counter[i]);
		if (counters->counter[i].armed)
			len += scnprintf(text + len, size - len, " %s=%llu",
					 vn_functions[i].name,
					 counters->counter[i].calls);
	}
	kfree(counters);
}

/* Pages that the page allocator has handed out so far */
u64 vn_pages(void)
{
	u64 pages = 0;
#ifdef CONFIG_VM_EVENT_COUNTERS
	unsigned long *events;
	int i;

	events = kcalloc(NR_VM_EVENT_ITEMS, sizeof(*events), GFP_KERNEL);
	if (!events)
		return 0;
	all_vm_events(events);
	for (i = 0; i < MAX_NR_ZONES; i++)
		pages += events[PGALLOC_NORMAL - ZONE_NORMAL + i];
	kfree(events);
#endif
	return pages;
}
