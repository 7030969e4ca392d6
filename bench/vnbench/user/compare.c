// SPDX-License-Identifier: GPL-2.0
/*
 * Measures kernels against each other: all of them are up at once, and take
 * turns every few milliseconds on one processor, so that whatever else the
 * machine does meets all of them alike. The ratios are of neighbours.
 *
 * usage: compare [options] NAME=DIR... -- MODE/DMA/RING/TEST/SIZE...
 * DIR holds a UML kernel, linux, and its root file system, root; or, with -q,
 * bzImage and initrd for a QEMU that counts instructions. The first kernel is
 * the one that the others are compared with. One JSON object for each cell
 * and kernel goes to standard output.
 */

#include <getopt.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>
#include <x86intrin.h>

#include "../../util.h"
#include "figures.h"
#include "kernel.h"

#define LINE		KERNEL_LINE
#define EMULATED_TICKS	50e6	/* for one kernel in one cell */

struct options {
	struct kernel_options boot;
	int rounds;
	int run_us;		/* how long one kernel's turn is to be */
	int ring_size;
	double per_tick;	/* nanoseconds, or instructions */
};

struct subject {
	struct kernel kernel;
	double ticks[MAX_ROUNDS];	/* per packet */
};

struct cell {
	char mode[16];
	char dma[16];
	char ring[16];
	char test[16];
	int size;
};

/* --- figures -------------------------------------------------------------- */

/* Of the processor's counter */
static double ns_per_tick(void)
{
	__u64 ns, ticks;

	ns = now_ns();
	ticks = __rdtsc();
	usleep(200000);
	ticks = __rdtsc() - ticks;
	return (double)(now_ns() - ns) / ticks;
}

/* Ticks per packet, or NAN if this cell cannot be measured */
static double run(struct subject *s, unsigned long packets)
{
	char command[64];
	const char *answer;

	snprintf(command, sizeof(command), "run %lu", packets);
	answer = s->kernel.error[0] ? NULL : kernel_do(&s->kernel, command);
	if (!answer)
		return NAN;
	return kernel_value(answer, "ticks=") /
	       kernel_value(answer, "packets=");
}

/* --- one cell ------------------------------------------------------------- */

static void cell_set(struct kernel *k, const struct cell *cell, int ring_size)
{
	char command[LINE];

	snprintf(command, sizeof(command), "cell %s %s %s %d %s %d",
		 cell->mode, cell->dma, cell->ring, ring_size, cell->test,
		 cell->size);
	k->error[0] = 0;
	kernel_do(k, command);
}

/* The slowest kernel's ticks for a packet. Warms up, too. */
static double cell_warm(struct subject *s, int n)
{
	double ticks, slowest = 1;
	int i;

	for (i = 0; i < n; i++) {
		run(&s[i], 1024);
		ticks = run(&s[i], 1024);
		if (ticks > slowest)
			slowest = ticks;
	}
	return slowest;
}

static int cell_held(const struct cell *cell)
{
	return strncmp(cell->test, "held", 4) ? 0 : atoi(cell->test + 4);
}

/* Emulated, the dearest cells would take minutes: three turns are enough */
static int cell_turns(const struct options *opt, double run_ticks)
{
	int turns = EMULATED_TICKS / run_ticks;

	if (!opt->boot.qemu || turns > opt->rounds)
		return opt->rounds;
	return turns < 3 ? 3 : turns;
}

static void cell_rounds(struct subject *s, int n, const struct options *opt,
			unsigned long packets)
{
	int i, r;

	for (r = 0; r < opt->rounds; r++)
		for (i = 0; i < n; i++) {
			int turn = r & 1 ? n - 1 - i : i;

			s[turn].ticks[r] = run(&s[turn], packets);
		}
}

/* What the kernel did for a packet: all that has a name in its answer */
static void report_counts(const char *answer)
{
	static const char * const names[] = {
		"page_allocs", "bulk_allocs", "dma_maps", "dma_unmaps",
		"syncs_cpu", "syncs_device", "slab_allocs", "slab_node_allocs",
		"slab_bulk_allocs", "skb_allocs", "napi_skb_allocs",
	};
	double packets = kernel_value(answer, "packets=");
	char name[32];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(name, sizeof(name), " %s=", names[i]);
		if (strstr(answer, name))
			printf(",\"%s\":%.4g", names[i],
			       kernel_value(answer, name) / packets);
	}
}

static void report_inspected(struct kernel *k)
{
	double packets, skbs;
	const char *answer;

	answer = kernel_do(k, k->qemu ? "inspect 2048" : "inspect 16384");
	if (!answer) {
		printf(",\"error\":\"%s\"", k->error);
		return;
	}
	packets = kernel_value(answer, "packets=");
	printf(",\"buffers_per_packet\":%.4g,\"pages_per_packet\":%.4g",
	       kernel_value(answer, "buffers=") / packets,
	       kernel_value(answer, "pages=") / packets);
	report_counts(answer);
	skbs = kernel_value(answer, "skbs=");
	if (!skbs)
		return;
	printf(",\"truesize\":%.5g,\"frags_per_skb\":%.4g",
	       kernel_value(answer, "truesize=") / skbs,
	       kernel_value(answer, "frags=") / skbs);
}

static void report_cell(const struct cell *cell, const struct options *opt)
{
	printf("{\"bench\":\"%s\",\"mode\":\"%s\",\"dma\":\"%s\"",
	       opt->boot.qemu ? "instructions" : "native", cell->mode,
	       cell->dma);
	printf(",\"ring\":\"%s\",\"test\":\"%s\",\"size\":%d", cell->ring,
	       cell->test, cell->size);
	printf(",\"boot\":\"%s\",\"unit\":\"%s/packet\",\"runs\":%d",
	       opt->boot.append ?: "",
	       opt->boot.qemu ? "instructions" : "ns",
	       opt->rounds);
}

static void report_ratio(const struct subject *s, const struct subject *first,
			 int rounds)
{
	if (first->kernel.error[0])
		printf(",\"ratio_to_stock\":null,\"spread\":null");
	else
		figures_ratio(first->ticks, s->ticks, rounds, false);
}

static void report(struct subject *s, const struct subject *first,
		   const struct cell *cell, const struct options *opt)
{
	report_cell(cell, opt);
	printf(",\"kernel\":\"%s\"", s->kernel.name);
	if (s->kernel.error[0]) {
		figures_error(s->kernel.error);
	} else {
		printf(",\"value\":%.2f",
		       figures_median(s->ticks, opt->rounds) * opt->per_tick);
		report_ratio(s, first, opt->rounds);
		report_inspected(&s->kernel);
	}
	printf("}\n");
	fflush(stdout);
}

static void measure(struct subject *s, int n, const struct cell *cell,
		    const struct options *options)
{
	struct options opt = *options;
	unsigned long packets;
	double ticks;
	int i;

	for (i = 0; i < n; i++)
		cell_set(&s[i].kernel, cell, opt.ring_size);
	ticks = cell_warm(s, n);
	packets = opt.run_us * 1000. / (ticks * opt.per_tick) + 1;
	if (packets < (unsigned long)cell_held(cell))
		packets = cell_held(cell);
	opt.rounds = cell_turns(&opt, packets * ticks);
	cell_rounds(s, n, &opt, packets);
	for (i = 0; i < n; i++)
		report(&s[i], &s[0], cell, &opt);
}

/* --- options -------------------------------------------------------------- */

static void cell_parse(char *text, struct cell *cell)
{
	char end;

	if (sscanf(text, "%15[^/]/%15[^/]/%15[^/]/%15[^/]/%d%c", cell->mode,
		   cell->dma, cell->ring, cell->test, &cell->size, &end) != 5)
		die("'%s' is no cell", text);
}

static void options_parse(int argc, char **argv, struct options *opt)
{
	int c;

	while ((c = getopt(argc, argv, "+" KERNEL_OPTIONS "n:qr:t:")) != -1) {
		if (kernel_option(&opt->boot, c))
			continue;
		switch (c) {
		case 'n':
			opt->ring_size = number(optarg, 2, 32768);
			break;
		case 'q':
			opt->boot.qemu = true;
			break;
		case 'r':
			opt->rounds = number(optarg, 1, MAX_ROUNDS);
			break;
		case 't':
			opt->run_us = number(optarg, 1, 10000000);
			break;
		default:
			die("usage: compare [-q] [-c CPU] [-r ROUNDS] [-t US] "
			    "[-m MEMORY] [-n RINGSIZE] [-l LOGDIR] [-a ARG] "
			    "NAME=DIR... -- CELL...");
		}
	}
}

static void kernels_boot(struct subject *s, int n,
			 const struct kernel_options *opt)
{
	int i;

	for (i = 0; i < n; i++)
		kernel_start(&s[i].kernel, opt);
	for (i = 0; i < n; i++) {
		if (!kernel_answer(&s[i].kernel))
			die("%s cannot measure", s[i].kernel.name);
		kernel_pause(&s[i].kernel);
	}
}

int main(int argc, char **argv)
{
	struct options opt = {
		.boot = { .memory = "1536M", .logs = "." },
		.rounds = 31, .run_us = 3000, .ring_size = 256,
	};
	static struct subject subjects[MAX_KERNELS];
	struct cell cell;
	int i, n = 0;

	options_parse(argc, argv, &opt);
	for (i = optind; i < argc && strcmp(argv[i], "--"); i++) {
		if (n == MAX_KERNELS)
			die("more than %d kernels", MAX_KERNELS);
		kernel_parse(argv[i], &subjects[n++].kernel);
	}
	if (!n)
		die("no kernel to measure");
	opt.per_tick = opt.boot.qemu ? 1 : ns_per_tick();
	signal(SIGPIPE, SIG_IGN);
	kernels_boot(subjects, n, &opt.boot);
	for (i++; i < argc; i++) {
		cell_parse(argv[i], &cell);
		measure(subjects, n, &cell, &opt);
	}
	for (int j = 0; j < n; j++)
		kernel_stop(&subjects[j].kernel);
	return 0;
}
