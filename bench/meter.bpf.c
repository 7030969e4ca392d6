// SPDX-License-Identifier: GPL-2.0
/*
 * Counts what receiving costs, at places that every virtio_net driver passes
 * through whatever its buffers are made of: pages that page pools take from
 * the page allocator, mappings for DMA from the device, buffers given to it.
 */
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "meter_shared.h"

#define DMA_TO_DEVICE	1
/* offset of the length in struct scatterlist, the same since 2.6.24 */
#define SG_LENGTH	12

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, METER_COUNTERS);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

static __always_inline void count(__u32 what, __u64 amount)
{
	__u64 *value = bpf_map_lookup_elem(&counters, &what);

	if (value)
		*value += amount;
}

/* dma_map_page_attrs(dev, page, offset, size, direction, attrs) */
SEC("kprobe/dma_map_page_attrs")
int meter_dma_map(struct pt_regs *ctx)
{
	if ((int)PT_REGS_PARM5(ctx) != DMA_TO_DEVICE)
		count(METER_DMA_MAPS, 1);
	return 0;
}

/* Both ways to post a buffer have the scatterlist second */
static __always_inline int buffer_posted(struct pt_regs *ctx)
{
	const void *sg = (const void *)PT_REGS_PARM2(ctx);
	__u32 len = 0;

	bpf_probe_read_kernel(&len, sizeof(len), sg + SG_LENGTH);
	count(METER_POSTED, 1);
	count(METER_POSTED_BYTES, len);
	return 0;
}

SEC("kprobe/virtqueue_add_inbuf_ctx")
int meter_post(struct pt_regs *ctx)
{
	return buffer_posted(ctx);
}

/* 6.13 and later: buffers that the driver has mapped itself */
SEC("kprobe/virtqueue_add_inbuf_premapped")
int meter_post_premapped(struct pt_regs *ctx)
{
	return buffer_posted(ctx);
}

/* A pool's parameters come first in it, and the page order first in those. */
SEC("raw_tracepoint/page_pool_state_hold")
int meter_fresh(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 order = 0;

	bpf_probe_read_kernel(&order, sizeof(order), (void *)ctx->args[0]);
	count(METER_FRESH, 1);
	count(METER_FRESH_PAGES, 1ULL << (order & 31));
	return 0;
}

char _license[] SEC("license") = "GPL";
