/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The receiving end in the guest. A test is a run through these phases, as
 * long as traffic flows: warm up, measure the rate, count costs with probes
 * armed, then let what is on its way arrive. The rate is that of the best of
 * several slices: what else the host does at times only ever takes away.
 */
#ifndef VNRX_SINK_H
#define VNRX_SINK_H

#include "meter.h"
#include "probe.h"

#define PROBES_PATH	"/bench/meter.bpf.o"
#define XDP_PATH	"/bench/xdp.bpf.o"

enum phase {
	PHASE_WAIT,
	PHASE_WARM,
	PHASE_RATE,
	PHASE_SETTLE,		/* probes armed, not yet counting */
	PHASE_COUNT,
	PHASE_DRAIN,
	PHASE_DONE
};

struct run {
	struct meter meter;
	enum phase phase;
	bool has_rate;		/* false: the rate is measured elsewhere */
	__u64 until;
	__u64 last_seen;
	unsigned int slices;
	struct meter_sample mark;	/* where the present slice began */
	struct meter_sample rate[2];	/* the best slice */
	struct meter_sample count[2];
};

void run_init(struct run *r, const char *dev, bool has_rate);
/* To be called often, with the number of units received so far */
enum phase run_tick(struct run *r, __u64 seen);
/* overflow: frames that found the receiver's queue full */
void run_report(const struct run *r, const char *test,
		const struct probe_tally *t, __u64 overflow);

void sink_xdp(const char *dev);
void sink_udp(const char *dev);
void sink_tcp(const char *dev, const char *host);
void sink_up(const char *dev);

#endif /* VNRX_SINK_H */
