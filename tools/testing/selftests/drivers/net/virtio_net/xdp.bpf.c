// SPDX-License-Identifier: GPL-2.0
/*
 * Does to the frames of a test what it is told, and counts them; lets all
 * other frames pass. The counts are shared by all queues and programs.
 */
#include <stddef.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "xdp.h"

#define XDP_INVALID	99
#define CUT_STEP	2048

#pragma pack(push, 1)
struct frame {
	struct ethhdr eth;
	struct iphdr ip;
	struct udphdr udp;
	struct probe probe;
};

#pragma pack(pop)

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

struct {
	__uint(type, BPF_MAP_TYPE_XSKMAP);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u32);
} xsks SEC(".maps");

static __always_inline __u64 pattern_word(__u64 position)
{
	__u64 word = (position + 1) * 0x9e3779b97f4a7c15ULL;

	return word ^ (word >> 29);
}

/* The frame if it is one of the test's */
static __always_inline struct frame *frame_of(struct xdp_md *ctx)
{
	void *end = (void *)(long)ctx->data_end;
	struct frame *f = (void *)(long)ctx->data;

	if ((void *)(f + 1) > end || f->eth.h_proto != bpf_htons(ETH_P_IP) ||
	    f->ip.protocol != IPPROTO_UDP ||
	    f->udp.dest != bpf_htons(XDP_PORT))
		return NULL;
	return f;
}

static __always_inline void frame_check(struct counts *c, struct frame *f,
					__u64 len, __u64 linear)
{
	__sync_fetch_and_add(&c->seen, 1);
	if (f->probe.check != pattern_word(f->probe.seq) ||
	    len != bpf_ntohs(f->ip.tot_len) + sizeof(f->eth))
		__sync_fetch_and_add(&c->bad, 1);
	if (len > linear)
		__sync_fetch_and_add(&c->frags, 1);
	if (len > c->longest)
		c->longest = len;
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
static __always_inline int shift(struct xdp_md *ctx)
{
	struct frame copy, *f = frame_of(ctx);
	void *end;

	if (!f)
		return -1;
	copy = *f;
	if (bpf_xdp_adjust_head(ctx, -SHIFT_BYTES))
		return -1;
	end = (void *)(long)ctx->data_end;
	f = (void *)(long)ctx->data;
	if ((void *)(f + 1) > end)
		return -1;
	*f = copy;
	return bpf_xdp_adjust_tail(ctx, -SHIFT_BYTES);
}

/* All buffers but the first go, in steps that do not end where they do */
static __always_inline int cut(struct xdp_md *ctx)
{
	__u64 len = bpf_xdp_get_buff_len(ctx);
	struct frame *f;
	int i;

	for (i = 0; i < 65536 / CUT_STEP && len > 2 * CUT_STEP; i++) {
		if (bpf_xdp_adjust_tail(ctx, -CUT_STEP))
			return -1;
		len -= CUT_STEP;
	}
	if (bpf_xdp_adjust_tail(ctx, (int)sizeof(*f) - (int)len))
		return -1;
	f = frame_of(ctx);
	if (!f)
		return -1;
	f->ip.tot_len = bpf_htons(sizeof(*f) - sizeof(f->eth));
	f->udp.len = bpf_htons(sizeof(f->udp) + sizeof(f->probe));
	f->ip.check = 0;
	return 0;
}

/* The header's checksum after cut() */
static __always_inline void ip_sum(struct frame *f)
{
	__u32 sum = bpf_csum_diff(NULL, 0, (void *)&f->ip, sizeof(f->ip), 0);

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	f->ip.check = ~sum;
}

static __always_inline void change(struct xdp_md *ctx, struct counts *c,
				   __u32 how)
{
	struct frame *f;
	int err = 0;

	if (how == CHANGE_GROW)
		grow(ctx, c);
	else if (how == CHANGE_SHIFT)
		err = shift(ctx);
	else if (how == CHANGE_CUT)
		err = cut(ctx);
	if (err)
		__sync_fetch_and_add(&c->refused, 1);
	f = frame_of(ctx);
	if (f && how == CHANGE_CUT)
		ip_sum(f);
}

static __always_inline int send_back(struct xdp_md *ctx)
{
	struct frame *f = frame_of(ctx);
	__u8 mac[ETH_ALEN];

	if (!f)
		return -1;
	__builtin_memcpy(mac, f->eth.h_dest, ETH_ALEN);
	__builtin_memcpy(f->eth.h_dest, f->eth.h_source, ETH_ALEN);
	__builtin_memcpy(f->eth.h_source, mac, ETH_ALEN);
	return 0;
}

static __always_inline int act(struct xdp_md *ctx, __u32 action)
{
	switch (action) {
	case ACTION_DROP:
		return XDP_DROP;
	case ACTION_PASS:
		return XDP_PASS;
	case ACTION_TX:
		return send_back(ctx) ? XDP_ABORTED : XDP_TX;
	case ACTION_BACK:
		if (send_back(ctx))
			return XDP_ABORTED;
		return bpf_redirect_map(&devices, 0, 0);
	case ACTION_VETH:
		return bpf_redirect_map(&devices, 0, 0);
	case ACTION_CPUMAP:
		return bpf_redirect_map(&cpus, 0, 0);
	case ACTION_XSK:
		return bpf_redirect_map(&xsks, ctx->rx_queue_index, XDP_PASS);
	case ACTION_INVALID:
		return XDP_INVALID;
	}
	return XDP_ABORTED;
}

static __always_inline int frame_act(struct xdp_md *ctx)
{
	struct frame *f = frame_of(ctx);
	struct config *how;
	struct counts *c;
	__u32 zero = 0;

	how = bpf_map_lookup_elem(&config, &zero);
	c = bpf_map_lookup_elem(&counts, &zero);
	if (!f || !how || !c)
		return XDP_PASS;
	frame_check(c, f, bpf_xdp_get_buff_len(ctx),
		    ctx->data_end - ctx->data);
	change(ctx, c, how->change);
	return act(ctx, how->action);
}

SEC("xdp")
int vnet_act(struct xdp_md *ctx)
{
	return frame_act(ctx);
}

SEC("xdp")
int vnet_act2(struct xdp_md *ctx)
{
	return frame_act(ctx);
}

SEC("xdp.frags")
int vnet_act_frags(struct xdp_md *ctx)
{
	return frame_act(ctx);
}

SEC("xdp.frags")
int vnet_act2_frags(struct xdp_md *ctx)
{
	return frame_act(ctx);
}

/* At the other end of a redirect */
SEC("xdp.frags")
int vnet_end(struct xdp_md *ctx)
{
	struct frame *f = frame_of(ctx);
	struct counts *c;
	__u32 zero = 0;

	c = bpf_map_lookup_elem(&counts, &zero);
	if (!f || !c)
		return XDP_PASS;
	if (f->probe.check != pattern_word(f->probe.seq))
		__sync_fetch_and_add(&c->bad, 1);
	__sync_fetch_and_add(&c->sunk, 1);
	return XDP_DROP;
}

char _license[] SEC("license") = "GPL";
