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

#include <fcntl.h>
#include <getopt.h>
#include <math.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

#include "../../util.h"

#define MAX_KERNELS	8
#define MAX_ROUNDS	1000
#define LINE		2048
#define ANSWER_MS	120000
#define EMULATED_TICKS	50e6	/* for one kernel in one cell */

struct options {
	int cpu;
	int rounds;
	int run_us;		/* how long one kernel's turn is to be */
	int ring_size;
	bool qemu;
	double per_tick;	/* nanoseconds, or instructions */
	const char *memory;
	const char *append;
	const char *logs;
};

struct kernel {
	const char *name;
	const char *dir;
	pid_t pid;
	bool qemu;
	int fd;
	int log;		/* its standard error, and what else it says */
	size_t have;		/* of buf, beyond the line handed out */
	char buf[LINE];
	char line[LINE];
	char error[LINE];	/* why there are no figures for this cell */
	double ticks[MAX_ROUNDS];	/* per packet */
};

struct cell {
	char mode[16];
	char dma[16];
	char ring[16];
	char test[16];
	int size;
};

/* --- one kernel ----------------------------------------------------------- */

/* As undisturbed as we are allowed to be */
static void processor_take(int cpu)
{
	const struct sched_param param = { .sched_priority = 1 };
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		die("processor %d: %s", cpu, strerror(errno));
	if (sched_setscheduler(0, SCHED_RR, &param))
		setpriority(PRIO_PROCESS, 0, -20);
}

static void exec_uml(const struct kernel *k, const struct options *opt)
{
	char image[LINE], root[LINE], mem[64], dir[LINE];

	processor_take(opt->cpu);
	personality(ADDR_NO_RANDOMIZE);
	snprintf(image, sizeof(image), "%s/linux", k->dir);
	snprintf(root, sizeof(root), "rootflags=%s/root", k->dir);
	snprintf(mem, sizeof(mem), "mem=%s", opt->memory);
	snprintf(dir, sizeof(dir), "uml_dir=%s", opt->logs);
	execl(image, image, mem, dir, "root=/dev/root", "rootfstype=hostfs",
	      root, "ro", "con=null", "ssl=null", "con0=fd:0,fd:1",
	      "console=tty0", "init=/init", "panic=-1", opt->append, NULL);
}

/* One instruction takes a nanosecond there, and that is its clock's unit */
static void exec_qemu(const struct kernel *k, const struct options *opt)
{
	char image[LINE], initrd[LINE], append[LINE];

	snprintf(image, sizeof(image), "%s/bzImage", k->dir);
	snprintf(initrd, sizeof(initrd), "%s/initrd", k->dir);
	snprintf(append, sizeof(append),
		 "console=ttyS0 loglevel=4 panic=-1 tsc=nowatchdog %s",
		 opt->append ?: "");
	execlp("qemu-system-x86_64", "qemu-system-x86_64", "-accel", "tcg",
	       "-icount", "shift=0,sleep=off", "-m", opt->memory, "-nodefaults",
	       "-no-user-config", "-display", "none", "-no-reboot",
	       "-kernel", image, "-initrd", initrd, "-append", append,
	       "-serial", "stdio", NULL);
}

static void kernel_exec(const struct kernel *k, const struct options *opt,
			int fd)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (dup2(k->log, 2) < 0 || dup2(fd, 0) < 0 || dup2(fd, 1) < 0)
		_exit(1);
	if (opt->qemu)
		exec_qemu(k, opt);
	else
		exec_uml(k, opt);
	die("%s: %s", k->dir, strerror(errno));
}

static void kernel_start(struct kernel *k, const struct options *opt)
{
	char log[LINE];
	int fds[2];

	snprintf(log, sizeof(log), "%s/%s.log", opt->logs, k->name);
	k->log = open(log, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
	if (k->log < 0)
		die("%s: %s", log, strerror(errno));

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		die("socketpair: %s", strerror(errno));
	k->pid = fork();
	if (k->pid < 0)
		die("fork: %s", strerror(errno));
	if (!k->pid)
		kernel_exec(k, opt, fds[1]);
	close(fds[1]);
	k->fd = fds[0];
	k->qemu = opt->qemu;
}

static void kernel_more(struct kernel *k)
{
	struct pollfd pfd = { .fd = k->fd, .events = POLLIN };
	ssize_t n;

	if (k->have == sizeof(k->buf))
		k->have = 0;	/* no line of ours */
	if (poll(&pfd, 1, ANSWER_MS) != 1)
		die("%s does not answer", k->name);
	n = read(k->fd, k->buf + k->have, sizeof(k->buf) - k->have);
	if (n <= 0)
		die("%s is gone: see its log", k->name);
	k->have += n;
}

/* The next line of its console, in k->line */
static void kernel_line(struct kernel *k)
{
	size_t len;
	char *end;

	while (!(end = memchr(k->buf, '\n', k->have)))
		kernel_more(k);
	len = end - k->buf;
	memcpy(k->line, k->buf, len);
	k->line[len] = 0;
	k->have -= len + 1;
	memmove(k->buf, end + 1, k->have);
}

/*
 * The answer is told from the kernel's messages by its first character. NULL
 * if the kernel could not do what it was told, and k->error says why.
 */
static const char *kernel_answer(struct kernel *k)
{
	char *at;

	for (;;) {
		kernel_line(k);
		at = strchr(k->line, '@');
		if (at && !strncmp(at, "@ok", 3))
			return at + 3;
		if (at && !strncmp(at, "@failed", 7))
			break;
		dprintf(k->log, "%s\n", k->line);
	}
	snprintf(k->error, sizeof(k->error), "%s", at + 8);
	for (at = k->error; *at; at++)
		if (*at == '"' || *at == '\\' || *at < ' ')
			*at = ' ';
	fprintf(stderr, "%s: %s\n", k->name, k->error);
	return NULL;
}

/* QEMU's clock leaps ahead when nothing is to do, which keeps it busy */
static void kernel_pause(const struct kernel *k)
{
	if (k->qemu)
		kill(k->pid, SIGSTOP);
}

static void kernel_resume(const struct kernel *k)
{
	if (k->qemu)
		kill(k->pid, SIGCONT);
}

static const char *kernel_do(struct kernel *k, const char *command)
{
	const char *answer;

	kernel_resume(k);
	if (dprintf(k->fd, "%s\n", command) < 0)
		die("%s is gone: see its log", k->name);
	answer = kernel_answer(k);
	kernel_pause(k);
	return answer;
}

static void kernel_stop(struct kernel *k)
{
	kernel_resume(k);
	dprintf(k->fd, "quit\n");
	waitpid(k->pid, NULL, 0);
	close(k->fd);
	close(k->log);
}

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

static double value(const char *answer, const char *name)
{
	const char *at = strstr(answer, name);

	if (!at)
		die("no %s in '%s'", name, answer);
	return strtod(at + strlen(name), NULL);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Of n sorted values, the one that so many of them are below */
static double quantile(const double *sorted, int n, double share)
{
	double at = share * (n - 1);
	int i = at;

	if (i >= n - 1)
		return sorted[n - 1];
	return sorted[i] + (at - i) * (sorted[i + 1] - sorted[i]);
}

/* Ticks per packet, or NAN if this cell cannot be measured */
static double run(struct kernel *k, unsigned long packets)
{
	char command[64];
	const char *answer;

	snprintf(command, sizeof(command), "run %lu", packets);
	answer = k->error[0] ? NULL : kernel_do(k, command);
	if (!answer)
		return NAN;
	return value(answer, "ticks=") / value(answer, "packets=");
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
static double cell_warm(struct kernel *k, int n)
{
	double ticks, slowest = 1;
	int i;

	for (i = 0; i < n; i++) {
		run(&k[i], 1024);
		ticks = run(&k[i], 1024);
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

	if (!opt->qemu || turns > opt->rounds)
		return opt->rounds;
	return turns < 3 ? 3 : turns;
}

static void cell_rounds(struct kernel *k, int n, const struct options *opt,
			unsigned long packets)
{
	int i, r;

	for (r = 0; r < opt->rounds; r++)
		for (i = 0; i < n; i++) {
			int turn = r & 1 ? n - 1 - i : i;

			k[turn].ticks[r] = run(&k[turn], packets);
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
	double packets = value(answer, "packets=");
	char name[32];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(name, sizeof(name), " %s=", names[i]);
		if (strstr(answer, name))
			printf(",\"%s\":%.4g", names[i],
			       value(answer, name) / packets);
	}
}

static void report_inspected(struct kernel *k)
{
	const char *answer;
	double skbs;

	answer = kernel_do(k, k->qemu ? "inspect 2048" : "inspect 16384");
	if (!answer) {
		printf(",\"error\":\"%s\"", k->error);
		return;
	}
	printf(",\"buffers_per_packet\":%.4g,\"pages_per_packet\":%.4g",
	       value(answer, "buffers=") / value(answer, "packets="),
	       value(answer, "pages=") / value(answer, "packets="));
	report_counts(answer);
	skbs = value(answer, "skbs=");
	if (!skbs)
		return;
	printf(",\"truesize\":%.5g,\"frags_per_skb\":%.4g",
	       value(answer, "truesize=") / skbs,
	       value(answer, "frags=") / skbs);
}

static void report_ratio(const struct kernel *k, const struct kernel *first,
			 int rounds)
{
	double ratio[MAX_ROUNDS];
	int r;

	if (first->error[0]) {
		printf(",\"ratio_to_stock\":null,\"spread\":null");
		return;
	}
	for (r = 0; r < rounds; r++)
		ratio[r] = first->ticks[r] / k->ticks[r];
	qsort(ratio, rounds, sizeof(*ratio), compare);
	printf(",\"ratio_to_stock\":%.4f,\"spread\":[%.4f,%.4f]",
	       quantile(ratio, rounds, .5), quantile(ratio, rounds, .1),
	       quantile(ratio, rounds, .9));
}

static void report_value(const struct kernel *k, const struct options *opt)
{
	double sorted[MAX_ROUNDS];

	memcpy(sorted, k->ticks, sizeof(sorted));
	qsort(sorted, opt->rounds, sizeof(*sorted), compare);
	printf(",\"value\":%.2f",
	       quantile(sorted, opt->rounds, .5) * opt->per_tick);
}

static void report_cell(const struct cell *cell, const struct options *opt)
{
	printf("{\"bench\":\"%s\",\"mode\":\"%s\",\"dma\":\"%s\"",
	       opt->qemu ? "instructions" : "native", cell->mode, cell->dma);
	printf(",\"ring\":\"%s\",\"test\":\"%s\",\"size\":%d", cell->ring,
	       cell->test, cell->size);
	printf(",\"boot\":\"%s\",\"unit\":\"%s/packet\",\"runs\":%d",
	       opt->append ?: "", opt->qemu ? "instructions" : "ns",
	       opt->rounds);
}

static void report(struct kernel *k, const struct kernel *first,
		   const struct cell *cell, const struct options *opt)
{
	report_cell(cell, opt);
	printf(",\"kernel\":\"%s\"", k->name);
	if (k->error[0]) {
		printf(",\"value\":null,\"ratio_to_stock\":null");
		printf(",\"spread\":null,\"error\":\"%s\"", k->error);
	} else {
		report_value(k, opt);
		report_ratio(k, first, opt->rounds);
		report_inspected(k);
	}
	printf("}\n");
	fflush(stdout);
}

static void measure(struct kernel *k, int n, const struct cell *cell,
		    const struct options *options)
{
	struct options opt = *options;
	unsigned long packets;
	double ticks;
	int i;

	for (i = 0; i < n; i++)
		cell_set(&k[i], cell, opt.ring_size);
	ticks = cell_warm(k, n);
	packets = opt.run_us * 1000. / (ticks * opt.per_tick) + 1;
	if (packets < (unsigned long)cell_held(cell))
		packets = cell_held(cell);
	opt.rounds = cell_turns(&opt, packets * ticks);
	cell_rounds(k, n, &opt, packets);
	for (i = 0; i < n; i++)
		report(&k[i], &k[0], cell, &opt);
}

/* --- options -------------------------------------------------------------- */

static void cell_parse(char *text, struct cell *cell)
{
	char end;

	if (sscanf(text, "%15[^/]/%15[^/]/%15[^/]/%15[^/]/%d%c", cell->mode,
		   cell->dma, cell->ring, cell->test, &cell->size, &end) != 5)
		die("'%s' is no cell", text);
}

static void kernel_parse(char *text, struct kernel *k)
{
	char *dir = strchr(text, '=');

	if (!dir)
		die("'%s' is not NAME=DIR", text);
	*dir++ = 0;
	*k = (struct kernel){ .name = text, .dir = dir };
}

static void options_parse(int argc, char **argv, struct options *opt)
{
	int c;

	while ((c = getopt(argc, argv, "+a:c:l:m:n:qr:t:")) != -1)
		switch (c) {
		case 'a':
			opt->append = optarg;
			break;
		case 'c':
			opt->cpu = number(optarg, 0, CPU_SETSIZE - 1);
			break;
		case 'l':
			opt->logs = optarg;
			break;
		case 'm':
			opt->memory = optarg;
			break;
		case 'n':
			opt->ring_size = number(optarg, 2, 32768);
			break;
		case 'q':
			opt->qemu = true;
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

static void kernels_boot(struct kernel *k, int n, const struct options *opt)
{
	int i;

	for (i = 0; i < n; i++)
		kernel_start(&k[i], opt);
	for (i = 0; i < n; i++) {
		if (!kernel_answer(&k[i]))
			die("%s cannot measure", k[i].name);
		kernel_pause(&k[i]);
	}
}

int main(int argc, char **argv)
{
	struct options opt = {
		.rounds = 31, .run_us = 3000, .ring_size = 256,
		.memory = "1536M", .logs = ".",
	};
	static struct kernel kernels[MAX_KERNELS];
	struct cell cell;
	int i, n = 0;

	options_parse(argc, argv, &opt);
	for (i = optind; i < argc && strcmp(argv[i], "--"); i++) {
		if (n == MAX_KERNELS)
			die("more than %d kernels", MAX_KERNELS);
		kernel_parse(argv[i], &kernels[n++]);
	}
	if (!n)
		die("no kernel to measure");
	opt.per_tick = opt.qemu ? 1 : ns_per_tick();
	signal(SIGPIPE, SIG_IGN);
	kernels_boot(kernels, n, &opt);
	for (i++; i < argc; i++) {
		cell_parse(argv[i], &cell);
		measure(kernels, n, &cell, &opt);
	}
	for (int j = 0; j < n; j++)
		kernel_stop(&kernels[j]);
	return 0;
}
