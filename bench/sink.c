// SPDX-License-Identifier: GPL-2.0
#include "sink.h"
#include "util.h"

#define WAIT_MS		10000
#define QUIET_MS	300
#define RATE_SLICES	6

static const unsigned int phase_ms[] = {
	[PHASE_WAIT] = WAIT_MS,
	[PHASE_WARM] = 300,
	[PHASE_RATE] = 200,	/* a slice */
	[PHASE_SETTLE] = 100,
	[PHASE_COUNT] = 1000,
	[PHASE_DRAIN] = QUIET_MS,
};

static void phase_enter(struct run *r, enum phase phase)
{
	__u64 ms = phase < PHASE_DONE ? phase_ms[phase] : 0;

	if (phase == PHASE_RATE && !r->has_rate)
		ms = 0;
	r->phase = phase;
	r->until = now_ns() + ms * NSEC_PER_MSEC;
}

void run_init(struct run *r, const char *dev, bool has_rate)
{
	memset(r, 0, sizeof(*r));
	r->has_rate = has_rate;
	meter_init(&r->meter, dev, PROBES_PATH);
	phase_enter(r, PHASE_WAIT);
}

static bool faster(const struct meter_sample *a0, const struct meter_sample *a1,
		   const struct meter_sample *b0, const struct meter_sample *b1)
{
	return (double)(a1->seen - a0->seen) * (b1->ns - b0->ns) >
	       (double)(b1->seen - b0->seen) * (a1->ns - a0->ns);
}

static void slice_end(struct run *r, __u64 seen)
{
	struct meter_sample now;

	meter_sample(&r->meter, &now, seen);
	if (!r->slices++ || faster(&r->mark, &now, &r->rate[0], &r->rate[1])) {
		r->rate[0] = r->mark;
		r->rate[1] = now;
	}
	r->mark = now;
}

static void phase_leave(struct run *r, __u64 seen)
{
	switch (r->phase) {
	case PHASE_WAIT:
		die("nothing arrived within %d ms", WAIT_MS);
	case PHASE_WARM:
		meter_sample(&r->meter, &r->mark, seen);
		break;
	case PHASE_RATE:
		slice_end(r, seen);
		if (r->has_rate && r->slices < RATE_SLICES) {
			phase_enter(r, PHASE_RATE);
			return;
		}
		meter_arm(&r->meter);
		break;
	case PHASE_SETTLE:
		meter_sample(&r->meter, &r->count[0], seen);
		break;
	case PHASE_COUNT:
		meter_sample(&r->meter, &r->count[1], seen);
		meter_disarm(&r->meter);
		puts("{\"event\":\"enough\"}");
		fflush(stdout);
		break;
	default:
		break;
	}
	phase_enter(r, r->phase + 1);
}

enum phase run_tick(struct run *r, __u64 seen)
{
	bool moved = seen != r->last_seen;

	r->last_seen = seen;
	if (r->phase == PHASE_WAIT && moved)
		phase_enter(r, PHASE_WARM);
	else if (r->phase == PHASE_DRAIN && moved)
		phase_enter(r, PHASE_DRAIN);
	else if (r->phase < PHASE_DONE && now_ns() >= r->until)
		phase_leave(r, seen);
	return r->phase;
}

void run_report(const struct run *r, const char *test,
		const struct probe_tally *t, __u64 overflow)
{
	printf("{\"event\":\"result\",\"test\":\"%s\",\"good\":%llu", test,
	       t->good);
	printf(",\"bad\":%llu,\"misordered\":%llu,\"overflow\":%llu", t->bad,
	       t->misordered, overflow);
	if (r->has_rate) {
		printf(",\"rate\":");
		meter_print(&r->meter, &r->rate[0], &r->rate[1], false);
	}
	printf(",\"count\":");
	meter_print(&r->meter, &r->count[0], &r->count[1], true);
	printf(",\"note\":\"%s\"}\n", r->meter.note);
}

int main(int argc, char **argv)
{
	const char *test = argc > 1 ? argv[1] : "";

	if (argc == 3 && !strcmp(test, "up"))
		sink_up(argv[2]);
	else if (argc == 3 && !strcmp(test, "xdp"))
		sink_xdp(argv[2]);
	else if (argc == 3 && !strcmp(test, "udp"))
		sink_udp(argv[2]);
	else if (argc == 4 && !strcmp(test, "tcp"))
		sink_tcp(argv[2], argv[3]);
	else
		die("usage: sink up|xdp|udp DEV | sink tcp DEV HOST");
	return 0;
}
