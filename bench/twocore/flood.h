/* SPDX-License-Identifier: GPL-2.0 */
/* One turn of traffic: what a device sends, and what it costs the guest. */
#ifndef VNRX_TWOCORE_FLOOD_H
#define VNRX_TWOCORE_FLOOD_H

#include <sys/types.h>

#include "device.h"

/* The kernel's process, and those of its programs and helpers */
#define GUEST_PIDS	16

struct guest_cpu {
	pid_t pid[GUEST_PIDS];
	unsigned int nr;
};

struct flood {
	uint64_t pps;		/* 0: as many as there is room for */
	unsigned int burst;	/* so many at once, then none for a while */
	uint64_t turn_ns;
};

struct flood_result {
	uint64_t sent;
	uint64_t lost;		/* due, but there was no buffer for them */
	uint64_t interrupts;
	uint64_t ns;		/* from the first frame to the last */
	uint64_t cpu_ns;	/* of the guest, until it was idle again */
};

/* Which processes there are does not change while nothing is started */
void guest_cpu_find(struct guest_cpu *cpu, pid_t pid);

void flood_run(struct device *dev, const struct guest_cpu *cpu,
	       const struct flood *flood, struct flood_result *result);

#endif /* VNRX_TWOCORE_FLOOD_H */
