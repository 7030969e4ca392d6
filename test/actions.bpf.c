// SPDX-License-Identifier: GPL-2.0
/*
 * Does to the frames of a test what it is told, and counts them; lets all
 * other frames pass. The counts are shared by all queues.
 */
#include <stddef.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "actions.h"
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
	__type(value, struct config);
} config SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct counts);
} counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} devices SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_CPUMAP);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} cpus SEC(".maps");

/* The frame if it is one of the test's */
static __always_inline struct frame *frame_of(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	struct frame *f = (void *)(long)ctx->data;

	if ((void *)(f + 1) > end || f->eth.h_proto != bpf_htons(ETH_P_IP) ||
	    f->ip.protocol != IPPROTO_UDP ||
	    f->udp.dest != bpf_htons(PROBE_PORT_XDP))
		return NULL;
	return f;
}

static __always_inline void frame_check(struct counts *c, struct frame *f)
{
	__sync_fetch_and_add(&c->seen, 1);
	if (f->probe.check != probe_word(f->probe.seq))
		__sync_fetch_and_add(&c->bad, 1);
}

static __always_inline void grow(struct xdp_md *ctx, struct counts *c)
{
	int i, step = 1 << (GROW_STEPS - 1);
	__u64 grown = 0;

	for (i = 0; i < GROW_STEPS; i++, step >>= 1)
		if (!bpf_xdp_adjust_tail(ctx, step))
			grown += step;
	if (grown > c->grown)
		c->grown = grown;
}

/*
 * Headers and probe go to the front. The length stays the same, what follows
 * the probe does not.
 */
static __always_inline void shift(struct xdp_md *ctx, struct counts *c)
{
	struct frame copy, *f = frame_of(ctx);
	void *end;

	if (!f)
		return;
	copy = *f;
	if (bpf_xdp_adjust_head(ctx, -SHIFT_BYTES))
		goto refused;
	end = (void *)(long)ctx->data_end;
	f = (void *)(long)ctx->data;
	if ((void *)(f + 1) > end)
		goto refused;
	*f = copy;
	if (!bpf_xdp_adjust_tail(ctx, -SHIFT_BYTES))
		return;
refused:
	__sync_fetch_and_add(&c->refused, 1);
}

static __always_inline int send_back(struct xdp_md *ctx)
{
	struct frame *f = frame_of(ctx);
	__u8 mac[ETH_ALEN];

	if (!f)
		return XDP_ABORTED;
	__builtin_memcpy(mac, f->eth.h_dest, ETH_ALEN);
	__builtin_memcpy(f->eth.h_dest, f->eth.h_source, ETH_ALEN);
	__builtin_memcpy(f->eth.h_source, mac, ETH_ALEN);
	return XDP_TX;
}

static __always_inline int act(struct xdp_md *ctx, __u32 action)
{
	switch (action) {
	case ACTION_DROP:
		return XDP_DROP;
	case ACTION_PASS:
		return XDP_PASS;
	case ACTION_TX:
		return send_back(ctx);
	case ACTION_VETH:
		return bpf_redirect_map(&devices, 0, 0);
	case ACTION_CPUMAP:
		return bpf_redirect_map(&cpus, 0, 0);
	}
	return XDP_ABORTED;
}

SEC("xdp")
int xdp_act(struct xdp_md *ctx)
{
	struct frame *f = frame_of(ctx);
	struct config *how;
	struct counts *c;
	__u32 zero = 0;

	how = bpf_map_lookup_elem(&config, &zero);
	c = bpf_map_lookup_elem(&counts, &zero);
	if (!f || !how || !c)
		return XDP_PASS;
	frame_check(c, f);
	if (how->change == CHANGE_GROW)
		grow(ctx, c);
	else if (how->change == CHANGE_SHIFT)
		shift(ctx, c);
	return act(ctx, how->action);
}

/* At the other end of a redirect */
SEC("xdp")
int xdp_end(struct xdp_md *ctx)
{
	struct frame *f = frame_of(ctx);
	struct counts *c;
	__u32 zero = 0;

	c = bpf_map_lookup_elem(&counts, &zero);
	if (!f || !c)
		return XDP_PASS;
	if (f->probe.check != probe_word(f->probe.seq))
		__sync_fetch_and_add(&c->bad, 1);
	__sync_fetch_and_add(&c->sunk, 1);
	return XDP_DROP;
}

char _license[] SEC("license") = "GPL";
