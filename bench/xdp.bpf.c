// SPDX-License-Identifier: GPL-2.0
/*
 * Drops the frames of a flood after checking each byte that it can check, and
 * lets everything else pass. Runs on one receive queue: the tally is shared.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "probe.h"

struct frame {
	struct ethhdr eth;
	struct iphdr ip;
	struct udphdr udp;
	struct probe probe;
} __attribute__((packed));

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct probe_tally);
} tally SEC(".maps");

static __always_inline int is_flood(const struct frame *f)
{
	return f->eth.h_proto == bpf_htons(ETH_P_IP) &&
	       f->ip.protocol == IPPROTO_UDP &&
	       f->udp.dest == bpf_htons(PROBE_PORT_XDP);
}

SEC("xdp")
int xdp_sink(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	struct frame *f = (void *)(long)ctx->data;
	struct probe_tally *t;
	__u32 zero = 0;

	t = bpf_map_lookup_elem(&tally, &zero);
	if (!t || (void *)(f + 1) > end || !is_flood(f))
		return XDP_PASS;
	if ((void *)(f + 1) != end)
		t->bad++;
	else
		probe_count(t, &f->probe);
	return XDP_DROP;
}

char _license[] SEC("license") = "GPL";
