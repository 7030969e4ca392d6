/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What receiving costs in the guest, over a stretch of steady traffic.
 *
 * Rates and costs are taken over different stretches: a probe makes every
 * packet slower, so rates are measured without any armed.
 *
 * - page allocations are base pages, from the pgalloc lines of /proc/vmstat:
 *   those count at each allocation (per-CPU lists included), and an order-3
 *   allocation is eight of them, so drivers that allocate in different sizes
 *   compare. Everything that the guest allocates meanwhile is in it.
 * - DMA mappings and buffers come from probes (see meter.bpf.c).
 * - packets are those of the device's statistics: what the device delivered,
 *   be it 60 bytes or a 64 KB packet spread over many buffers.
 */
#ifndef VNRX_METER_H
#define VNRX_METER_H

#include <stdbool.h>
#include <linux/types.h>

#include "meter_shared.h"

struct bpf_object;
struct bpf_link;

#define METER_PROBES_MAX	8

struct meter_sample {
	__u64 ns;
	__u64 seen;		/* units that the receiver has verified */
	__u64 rx_packets;
	__s64 pgalloc;		/* -1: the kernel does not count them */
	__u64 probed[METER_COUNTERS];
};

struct meter {
	char rx_path[128];
	const char *probes;	/* path of meter.bpf.o */
	struct bpf_object *obj;
	struct bpf_link *links[METER_PROBES_MAX];
	int nr_links;
	int map_fd;
	bool has[METER_COUNTERS];
	char note[256];		/* why a figure is missing */
};

void meter_init(struct meter *m, const char *dev, const char *probes);
/* Figures whose probes this kernel does not take are left out, with a note */
void meter_arm(struct meter *m);
void meter_disarm(struct meter *m);
void meter_sample(struct meter *m, struct meter_sample *s, __u64 seen);
/* The difference of two samples as a JSON object */
void meter_print(const struct meter *m, const struct meter_sample *from,
		 const struct meter_sample *to, bool probed);

#endif /* VNRX_METER_H */
