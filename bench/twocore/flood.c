// SPDX-License-Identifier: GPL-2.0
#include <time.h>
#include <unistd.h>

#include "flood.h"
#include "util.h"

#define SETTLE_US	1000
#define IDLE_NS		100000	/* of processor time in one such step */

/* --- the guest's processor time ------------------------------------------- */

void guest_cpu_find(struct guest_cpu *cpu, pid_t pid)
{
	char path[64];
	FILE *file;

	cpu->nr = 0;
	cpu->pid[cpu->nr++] = pid;
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	file = fopen(path, "r");
	if (!file)
		die("%s: %s", path, strerror(errno));
	while (cpu->nr < GUEST_PIDS &&
	       fscanf(file, "%d", &cpu->pid[cpu->nr]) == 1)
		cpu->nr++;
	fclose(file);
}

/* To the nanosecond, other than what /proc says */
static uint64_t guest_cpu_ns(const struct guest_cpu *cpu)
{
	struct timespec ts;
	uint64_t sum = 0;
	unsigned int i;
	clockid_t clock;

	for (i = 0; i < cpu->nr; i++)
		if (!clock_getcpuclockid(cpu->pid[i], &clock) &&
		    !clock_gettime(clock, &ts))
			sum += ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
	return sum;
}

/* What it has received is done with when it needs no more processor time */
static uint64_t settle(const struct guest_cpu *cpu)
{
	uint64_t before, now = guest_cpu_ns(cpu);
	int tries = 100;

	do {
		usleep(SETTLE_US);
		before = now;
		now = guest_cpu_ns(cpu);
	} while (now - before > IDLE_NS && tries--);
	return now;
}

/* --- traffic -------------------------------------------------------------- */

static unsigned int send_frames(struct net *net, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (net_send(net, 0, NULL, &net->source.frames[0]) <= 0)
			break;
	if (i)
		net_show(net, 0);
	return i;
}

/*
 * A burst each so many nanoseconds, as from a wire: a frame that finds no
 * buffer is lost. When the machine had other things to do than to run us,
 * frames were not sent and are not lost.
 */
static void send_paced(struct net *net, const struct flood *flood, uint64_t end,
		       struct flood_result *result)
{
	uint64_t gap = flood->burst * NSEC_PER_SEC / flood->pps;
	uint64_t now, next = now_ns();

	while ((now = now_ns()) < end) {
		if (now < next)
			continue;
		next += gap;
		if (next < now)
			next = now;
		result->lost += flood->burst - send_frames(net, flood->burst);
	}
}

static void send_all(struct net *net, uint64_t end)
{
	while (now_ns() < end)
		send_frames(net, NET_BURST);
}

void flood_run(struct device *dev, const struct guest_cpu *cpu,
	       const struct flood *flood, struct flood_result *result)
{
	const struct net_counters *count = &dev->net.count[0];
	const struct ring *ring = vhost_rx(&dev->vh, 0);
	uint64_t sent = count->rx_packets, interrupts = ring->interrupts;
	uint64_t cpu_ns = guest_cpu_ns(cpu), start = now_ns();

	*result = (struct flood_result) { 0 };
	if (flood->pps)
		send_paced(&dev->net, flood, start + flood->turn_ns, result);
	else
		send_all(&dev->net, start + flood->turn_ns);
	result->ns = now_ns() - start;
	result->cpu_ns = settle(cpu) - cpu_ns;
	result->sent = count->rx_packets - sent;
	result->interrupts = ring->interrupts - interrupts;
}
