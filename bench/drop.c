// SPDX-License-Identifier: GPL-2.0
/*
 * Drops what an interface receives, all of its queues, in a native XDP program
 * that looks at nothing. Says "ready", waits for traffic, measures for some
 * seconds, and stays until the traffic has ended: none of it is to meet the
 * stack.
 */
#include <net/if.h>

#include "iface.h"

#define NAP_US		100000
#define PATIENCE_NS	(120 * NSEC_PER_SEC)
#define QUIET_NAPS	10
/* in a nap: more than an idle network has */
#define TRAFFIC		20

struct sample {
	__u64 ns;
	__u64 packets;
	__u64 dropped;
};

static void sample(struct sample *s, const char *dev)
{
	s->packets = iface_statistic(dev, "rx_packets");
	s->dropped = iface_statistic(dev, "rx_dropped");
	s->ns = now_ns();
}

/* How many packets a nap has brought */
static __u64 nap(const char *dev)
{
	__u64 before = iface_statistic(dev, "rx_packets");

	usleep(NAP_US);
	return iface_statistic(dev, "rx_packets") - before;
}

static void traffic_wait(const char *dev)
{
	__u64 end = now_ns() + PATIENCE_NS;

	while (nap(dev) < TRAFFIC)
		if (now_ns() > end)
			die("no traffic for %s", dev);
	/* the first pages, and the host's start */
	usleep(10 * NAP_US);
}

static void traffic_end(const char *dev)
{
	__u64 end = now_ns() + PATIENCE_NS;
	int quiet = 0;

	while (quiet < QUIET_NAPS && now_ns() < end)
		quiet = nap(dev) < TRAFFIC ? quiet + 1 : 0;
}

int main(int argc, char **argv)
{
	struct sample from, to;
	int prog;

	if (argc != 3)
		die("usage: drop DEV SECONDS");
	prog = iface_xdp_load(XDP_DROP);
	if (prog < 0 || iface_xdp_attach(if_nametoindex(argv[1]), prog) < 0)
		die("no native XDP on %s: %s", argv[1], strerror(errno));
	printf("ready\n");
	fflush(stdout);
	traffic_wait(argv[1]);
	sample(&from, argv[1]);
	sleep(number(argv[2], 1, 100000));
	sample(&to, argv[1]);
	printf("{\"packets\":%llu,\"dropped\":%llu,\"ns\":%llu}\n",
	       to.packets - from.packets, to.dropped - from.dropped,
	       to.ns - from.ns);
	fflush(stdout);
	traffic_end(argv[1]);
	return 0;
}
