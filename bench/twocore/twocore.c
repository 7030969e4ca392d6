// SPDX-License-Identifier: GPL-2.0
/*
 * Measures kernels against each other, each as user-mode Linux on one
 * processor with a device that is this process on another: all of them are up
 * at once and take turns, so that whatever else the machine does meets all of
 * them alike. The ratios are of neighbours.
 *
 * usage: twocore [options] NAME=DIR... -- MODE/DMA/RING/TEST/SIZE/LOAD...
 * DIR holds a UML kernel, linux, and its root file system, root. LOAD is max,
 * which yields packets per second, or thousands of packets per second, one by
 * one or in bursts of so many, as 100k or 500kx64: these yield the processor
 * time of the guest for a packet. One JSON object for each cell and kernel goes
 * to standard output.
 */

#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "figures.h"
#include "flood.h"
#include "kernel.h"
#include "util.h"

#define LINE		KERNEL_LINE
#define MAX_KPPS	10000
#define MAX_BURST	256
#define AFTER_MS	20

struct options {
	struct kernel_options boot;
	int cpu;		/* the device's */
	int rounds;
	struct flood flood;	/* the cell decides on its rate */
};

struct cell {
	char mode[16];
	char dma[16];
	char ring[16];
	char test[16];
	char load[16];
	int size;
	unsigned int kpps;	/* 0 for max */
	unsigned int burst;
};

struct guest {
	struct kernel kernel;	/* must be the first member */
	struct guest *next;	/* in a circle */
	struct device *dev;	/* NULL while it is not up */
	struct guest_cpu cpu;
	char socket[LINE];
	char argument[LINE];
	double rate[MAX_ROUNDS];	/* packets per second */
	double cost[MAX_ROUNDS];	/* processor time per packet, ns */
	struct flood_result sum;
};

/* --- a guest and its device ----------------------------------------------- */

static void others_serve(const struct guest *g)
{
	const struct guest *other;

	for (other = g->next; other != g; other = other->next)
		if (other->dev)
			device_poll(other->dev, -1, 0);
}

/*
 * The device has to be served, or the kernel never gets to an answer. Those of
 * the others as well: a driver that waits for its device does not sleep, and
 * all of them are on one processor.
 */
static bool guest_wait(struct kernel *k, int ms)
{
	struct guest *g = (struct guest *)k;
	__u64 end = now_ns() + ms * NSEC_PER_MSEC;

	while (now_ns() < end) {
		others_serve(g);
		if (device_poll(g->dev, k->fd, 1))
			return true;
	}
	return false;
}

static enum device_mode mode_of(const struct cell *cell)
{
	unsigned int mode;

	for (mode = 0; mode < MODE_NR; mode++)
		if (!strcmp(device_mode_name(mode), cell->mode))
			return mode;
	die("'%s' is no mode", cell->mode);
}

static void guest_start(struct guest *g, const struct cell *cell,
			const struct options *opt)
{
	const struct device_options dev = {
		.path = g->socket, .mode = mode_of(cell),
		.packed = !strcmp(cell->ring, "packed"),
		.access_platform = !strcmp(cell->dma, "premapped"),
		.indirect = true, .event_idx = true, .ctrl = true,
		.pairs = 1, .mtu = 1500,
	};
	int err;

	snprintf(g->socket, sizeof(g->socket), "%s/%.64s.socket",
		 opt->boot.logs, g->kernel.name);
	snprintf(g->argument, sizeof(g->argument),
		 "virtio_uml.device=%.1024s:1", g->socket);
	g->dev = calloc(1, sizeof(*g->dev));
	if (!g->dev)
		die("no memory");
	err = device_open(g->dev, &dev);
	if (err)
		die("%s: %s", g->socket, strerror(-err));
	g->kernel.device = g->argument;
	g->kernel.wait = guest_wait;
	kernel_start(&g->kernel, &opt->boot);
}

static void guest_stop(struct guest *g)
{
	kernel_stop(&g->kernel);
	device_close(g->dev);
	free(g->dev);
	g->dev = NULL;
}

static void guests_start(struct guest *g, int n, const struct cell *cell,
			 const struct options *opt)
{
	int i;

	for (i = 0; i < n; i++)
		guest_start(&g[i], cell, opt);
	for (i = 0; i < n; i++)
		if (!kernel_answer(&g[i].kernel))
			die("%s cannot measure", g[i].kernel.name);
}

static void guests_stop(struct guest *g, int n)
{
	int i;

	for (i = 0; i < n && g[i].dev; i++)
		guest_stop(&g[i]);
}

/* --- one cell ------------------------------------------------------------- */

static void cell_set(struct guest *g, const struct cell *cell)
{
	struct source *source = &g->dev->net.source;
	char command[LINE];

	source_close(source);
	if (source_memory(source, cell->size, g->dev->vh.config.mac))
		die("no memory");
	snprintf(command, sizeof(command), "peer %s %s %d", cell->mode,
		 cell->test, cell->size);
	g->kernel.error[0] = 0;
	g->sum = (struct flood_result) { 0 };
	kernel_do(&g->kernel, command);
	/* what the driver has to say to its device may come later */
	guest_wait(&g->kernel, AFTER_MS);
	guest_cpu_find(&g->cpu, g->kernel.pid);
}

/* Where have all the frames gone? */
static bool counters(struct guest *g, double *received, double *dropped)
{
	const char *answer = kernel_do(&g->kernel, "counters");

	if (!answer)
		return false;
	*received = kernel_value(answer, "received=");
	*dropped = kernel_value(answer, "dropped=");
	return true;
}

/* Both tests end with the loss of each frame, for which somebody counts it */
static void check(struct guest *g, const struct flood_result *r,
		  double received, double dropped)
{
	if (r->sent && received == r->sent && dropped == r->sent)
		return;
	snprintf(g->kernel.error, sizeof(g->kernel.error),
		 "%.0f of %llu packets received, %.0f dropped", received,
		 (unsigned long long)r->sent, dropped);
	fprintf(stderr, "%s: %s\n", g->kernel.name, g->kernel.error);
}

static void turn(struct guest *g, const struct flood *flood,
		 struct flood_result *r)
{
	double received[2], dropped[2];

	*r = (struct flood_result) { 0 };
	if (g->kernel.error[0] || !counters(g, &received[0], &dropped[0]))
		return;
	flood_run(g->dev, &g->cpu, flood, r);
	if (counters(g, &received[1], &dropped[1]))
		check(g, r, received[1] - received[0], dropped[1] - dropped[0]);
}

static void turn_note(struct guest *g, int round, const struct flood_result *r)
{
	g->rate[round] = r->sent * 1e9 / r->ns;
	g->cost[round] = (double)r->cpu_ns / r->sent;
	g->sum.sent += r->sent;
	g->sum.lost += r->lost;
	g->sum.interrupts += r->interrupts;
}

static void cell_rounds(struct guest *g, int n, const struct options *opt)
{
	struct flood_result result;
	int i, r;

	for (i = 0; i < n; i++)
		turn(&g[i], &opt->flood, &result);
	for (r = 0; r < opt->rounds; r++)
		for (i = 0; i < n; i++) {
			int nr = r & 1 ? n - 1 - i : i;

			turn(&g[nr], &opt->flood, &result);
			turn_note(&g[nr], r, &result);
		}
}

static void report_cell(const struct cell *cell, const struct options *opt)
{
	printf("{\"bench\":\"two-core\",\"mode\":\"%s\",\"dma\":\"%s\"",
	       cell->mode, cell->dma);
	printf(",\"ring\":\"%s\",\"test\":\"%s\",\"size\":%d", cell->ring,
	       cell->test, cell->size);
	printf(",\"load\":\"%s\",\"boot\":\"%s\",\"runs\":%d", cell->load,
	       opt->boot.append ?: "", opt->rounds);
	printf(",\"unit\":\"%s\"",
	       opt->flood.pps ? "CPU ns/packet" : "packets/s");
}

static void report_figures(const struct guest *g, const struct guest *first,
			   const struct options *opt)
{
	bool max = !opt->flood.pps;
	const double *figures = max ? g->rate : g->cost;

	printf(",\"value\":%.1f", figures_median(figures, opt->rounds));
	if (first->kernel.error[0])
		printf(",\"ratio_to_stock\":null,\"spread\":null");
	else
		figures_ratio(max ? first->rate : first->cost, figures,
			      opt->rounds, max);
	printf(",\"packets_per_second\":%.0f,\"cpu_ns_per_packet\":%.1f",
	       figures_median(g->rate, opt->rounds),
	       figures_median(g->cost, opt->rounds));
	printf(",\"interrupts_per_packet\":%.4g,\"lost\":%.4g",
	       (double)g->sum.interrupts / g->sum.sent,
	       (double)g->sum.lost / (g->sum.lost + g->sum.sent));
}

static void report(const struct guest *g, const struct guest *first,
		   const struct cell *cell, const struct options *opt)
{
	report_cell(cell, opt);
	printf(",\"kernel\":\"%s\"", g->kernel.name);
	if (g->kernel.error[0])
		figures_error(g->kernel.error);
	else
		report_figures(g, first, opt);
	printf("}\n");
	fflush(stdout);
}

static void measure(struct guest *g, int n, const struct cell *cell,
		    const struct options *options)
{
	struct options opt = *options;
	int i;

	opt.flood.pps = cell->kpps * 1000;
	opt.flood.burst = cell->burst;
	for (i = 0; i < n; i++)
		cell_set(&g[i], cell);
	cell_rounds(g, n, &opt);
	for (i = 0; i < n; i++)
		report(&g[i], &g[0], cell, &opt);
}

/* What the driver has negotiated with a device is for the whole boot */
static bool same_device(const struct cell *a, const struct cell *b)
{
	return !strcmp(a->mode, b->mode) && !strcmp(a->dma, b->dma) &&
	       !strcmp(a->ring, b->ring);
}

/* --- options -------------------------------------------------------------- */

static bool load_parse(struct cell *cell)
{
	char k, end;
	int n;

	cell->kpps = 0;
	cell->burst = 1;
	if (!strcmp(cell->load, "max"))
		return true;
	n = sscanf(cell->load, "%u%cx%u%c", &cell->kpps, &k, &cell->burst,
		   &end);
	return (n == 3 || (n == 2 && !strchr(cell->load, 'x'))) && k == 'k' &&
	       cell->kpps && cell->kpps <= MAX_KPPS && cell->burst &&
	       cell->burst <= MAX_BURST;
}

static void cell_parse(const char *text, struct cell *cell)
{
	char end;

	if (sscanf(text, "%15[^/]/%15[^/]/%15[^/]/%15[^/]/%d/%15[^/]%c",
		   cell->mode, cell->dma, cell->ring, cell->test, &cell->size,
		   cell->load, &end) != 6)
		die("'%s' is no cell", text);
	if (cell->size < FRAME_MIN || cell->size > FRAME_MAX)
		die("%s: frames are of %d to %d bytes", text, FRAME_MIN,
		    FRAME_MAX);
	if (!load_parse(cell))
		die("%s: the load is max, or 1k to %dk packets/s, with x2 to "
		    "x%d behind it in bursts", text, MAX_KPPS, MAX_BURST);
}

static void options_parse(int argc, char **argv, struct options *opt)
{
	int c;

	while ((c = getopt(argc, argv, "+" KERNEL_OPTIONS "d:r:t:")) != -1) {
		if (kernel_option(&opt->boot, c))
			continue;
		switch (c) {
		case 'd':
			opt->cpu = number(optarg, 0, CPU_SETSIZE - 1);
			break;
		case 'r':
			opt->rounds = number(optarg, 1, MAX_ROUNDS);
			break;
		case 't':
			opt->flood.turn_ns = 1000 * number(optarg, 100,
							   10000000);
			break;
		default:
			die("usage: twocore [-c CPU] [-d DEVICECPU] [-t US] "
			    "[-r ROUNDS] [-m MEMORY] [-l LOGDIR] [-a ARG] "
			    "NAME=DIR... -- CELL...");
		}
	}
	if (opt->boot.cpu == opt->cpu)
		die("the device needs a processor of its own");
}

/* Not real-time: it never sleeps in a turn, and something must */
static void processor_take(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		die("processor %d: %s", cpu, strerror(errno));
	setpriority(PRIO_PROCESS, 0, -20);
}

static void measure_all(struct guest *g, int n, char **cells,
			const struct options *opt)
{
	struct cell cell, last = { 0 };

	for (; *cells; cells++) {
		cell_parse(*cells, &cell);
		if (!same_device(&cell, &last)) {
			guests_stop(g, n);
			guests_start(g, n, &cell, opt);
		}
		measure(g, n, &cell, opt);
		last = cell;
	}
	guests_stop(g, n);
}

/* How many there are in front of "--" */
static int guests_parse(struct guest *g, char **args)
{
	int i, n;

	for (n = 0; args[n] && strcmp(args[n], "--"); n++) {
		if (n == MAX_KERNELS)
			die("more than %d kernels", MAX_KERNELS);
		kernel_parse(args[n], &g[n].kernel);
	}
	for (i = 0; i < n; i++)
		g[i].next = &g[(i + 1) % n];
	return n;
}

int main(int argc, char **argv)
{
	struct options opt = {
		.boot = { .memory = "512M", .logs = ".", .cpu = 1 },
		.rounds = 31, .flood.turn_ns = 20 * NSEC_PER_MSEC,
	};
	static struct guest guests[MAX_KERNELS];
	int n;

	options_parse(argc, argv, &opt);
	argv += optind;
	n = guests_parse(guests, argv);
	if (!n || !argv[n] || !argv[n + 1])
		die("no kernel or no cell to measure");
	signal(SIGPIPE, SIG_IGN);
	processor_take(opt.cpu);
	measure_all(guests, n, argv + n + 1, &opt);
	return 0;
}
