// SPDX-License-Identifier: GPL-2.0
/* Receives a flood in a native XDP program that checks and drops it */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <unistd.h>

#include "sink.h"
#include "util.h"

#define NAP_US	2000

static void read_tally(int map, struct probe_tally *t)
{
	__u32 zero = 0;

	if (bpf_map_lookup_elem(map, &zero, t))
		die("cannot read the XDP program's tally");
}

static struct bpf_object *program_load(void)
{
	struct bpf_object *obj = bpf_object__open_file(XDP_PATH, NULL);

	if (!obj)
		die("cannot read %s", XDP_PATH);
	if (bpf_object__load(obj))
		die("the kernel refuses %s: %s", XDP_PATH, strerror(errno));
	return obj;
}

static void program_attach(struct bpf_object *obj, int ifindex)
{
	struct bpf_program *prog;
	int err;

	prog = bpf_object__find_program_by_name(obj, "xdp_sink");
	err = bpf_xdp_attach(ifindex, bpf_program__fd(prog),
			     XDP_FLAGS_DRV_MODE, NULL);
	if (err)
		die("no native XDP here: %s", strerror(-err));
}

void sink_xdp(const char *dev)
{
	static struct run run;
	struct probe_tally tally = { 0 };
	int ifindex = if_nametoindex(dev);
	struct bpf_object *obj;
	int map;

	obj = program_load();
	map = bpf_object__find_map_fd_by_name(obj, "tally");
	program_attach(obj, ifindex);
	run_init(&run, dev, true);
	printf("{\"event\":\"flood\",\"port\":%d}\n", PROBE_PORT_XDP);
	fflush(stdout);
	do {
		usleep(NAP_US);
		read_tally(map, &tally);
	} while (run_tick(&run, tally.good + tally.bad) < PHASE_DONE);
	bpf_xdp_detach(ifindex, XDP_FLAGS_DRV_MODE, NULL);
	run_report(&run, "xdp_drop", &tally, 0);
}
