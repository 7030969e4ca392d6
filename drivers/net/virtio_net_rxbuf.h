/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Receive buffers of virtio_net: layout, allocation, DMA, release.
 *
 * One &struct virtnet_rxb per receive queue owns the pages that its buffers
 * are cut from.  A buffer is always in one of these hands:
 *
 *	virtnet_rxb_post()	from the layer to the ring
 *	virtnet_rxb_get()	from the ring to the driver
 *	virtnet_rxb_put()	from the driver to the layer
 *	virtnet_rxb_reuse()	the same, to be posted again soon
 *	skb or XDP frame	from the driver to the stack, which recycles it
 *
 * The driver knows a buffer by the address of its virtio header, which is
 * where the device starts to write, and by its context, which says what lies
 * around that address:
 *
 *	|<--------------------- truesize --------------------->|
 *	| headroom | virtio header, frame |  skb_shared_info   |
 *	           ^ buffer               ^ only if headroom is not 0
 *
 * Where a packet of any size must fit in one buffer, that is a &struct
 * virtnet_rxb_chain of pieces, with functions of its own.
 */
#ifndef _VIRTIO_NET_RXBUF_H
#define _VIRTIO_NET_RXBUF_H

#include <linux/align.h>
#include <linux/bitfield.h>
#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/cache.h>
#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/if_vlan.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/ptr_ring.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>
#include <linux/skbuff.h>
#include <linux/skbuff_ref.h>
#include <linux/string.h>
#include <linux/virtio.h>
#include <net/ip.h>
#include <net/page_pool/helpers.h>
#include <net/sock.h>
#include <net/xdp.h>

/* No two buffers share a cache line that a DMA sync could touch. */
#define VIRTNET_RXB_ALIGN	max(SMP_CACHE_BYTES, ARCH_DMA_MINALIGN)

/* Room for the skb_shared_info of build_skb() and of multi-buffer XDP. */
#define VIRTNET_RXB_TAILROOM	SKB_DATA_ALIGN(sizeof(struct skb_shared_info))

/* Neighbouring buffers of one page coalesce into one skb fragment, and a page
 * of this size holds a 64 KB packet in two or three of them.
 */
#define VIRTNET_RXB_LARGE_SIZE	SZ_32K
#define VIRTNET_RXB_LARGE_ORDER	get_order(VIRTNET_RXB_LARGE_SIZE)

/* Packets that are longer than VIRTNET_RXB_BULK_LEN on average get buffers of
 * this size: half as many for the ring as if they had a page of 4 KB.
 */
#define VIRTNET_RXB_BULK_SIZE	SZ_8K
#define VIRTNET_RXB_BULK_LEN	(12 * SZ_1K)

/* Large pages that a pool keeps for what sockets give back at once: 4 MB. */
#define VIRTNET_RXB_NR_LARGE	128U

/* References taken on a page before it is cut: more than it can have buffers,
 * so that cutting one is no atomic operation.
 */
#define VIRTNET_RXB_PAGE_REFS	BIT(16)

/* Pages to take before it is asked again whether large ones are to be had: soon
 * if they were not, because a failed high-order allocation is expensive but
 * memory may return, and late if they were.
 */
#define VIRTNET_RXB_ASK_SOON	64
#define VIRTNET_RXB_ASK_LATE	1024

/* Buffers that are kept to be posted again: a NAPI poll's worth. */
#define VIRTNET_RXB_NR_SPARES	64

/* A chain is made of pieces of this size, and never needs more of them: the
 * virtio header and what pads it are smaller than what rounding adds.
 */
#define VIRTNET_RXB_PIECE	SZ_4K
#define VIRTNET_RXB_MAX_PIECES \
	DIV_ROUND_UP(IP_MAX_MTU + VLAN_ETH_HLEN, VIRTNET_RXB_PIECE)

/* A context is what fits in a pointer: headroom, pool, whether the page is from
 * the memory reserves, and truesize.
 */
#define VIRTNET_RXB_CTX_HEADROOM	GENMASK(31, 21)
#define VIRTNET_RXB_CTX_POOL		BIT(20)
#define VIRTNET_RXB_CTX_RESERVE		BIT(19)
#define VIRTNET_RXB_CTX_TRUESIZE	GENMASK(18, 0)

/* What all buffers of a page have in common. */
#define VIRTNET_RXB_CTX_ORIGIN \
	(VIRTNET_RXB_CTX_POOL | VIRTNET_RXB_CTX_RESERVE)

/* Fewer buffers of a page each do not hold a packet of 64 KB once some of them
 * are used: such a ring needs large pages.
 */
#define VIRTNET_RXB_SMALL_RING	32

/* Chains that are posted even where half of the pages are in use. */
#define VIRTNET_RXB_MIN_CHAINS	16U

/**
 * struct virtnet_rxb_layout - where things are in a receive buffer
 * @headroom:	bytes before the virtio header, 0 for a buffer without room
 *		for an skb head
 * @len:	bytes that the device may write, virtio header included
 * @truesize:	bytes that the buffer takes from its page
 * @origin:	where the page of a buffer that exists is from, as
 *		virtnet_rxb_origin() says it
 */
struct virtnet_rxb_layout {
	unsigned int headroom;
	unsigned int len;
	unsigned int truesize;
	unsigned int origin;
};

/**
 * struct virtnet_rxb_chain - a buffer that takes a packet of any size
 * @next:	the next chain that is not posted
 * @nr:		pieces in @piece
 * @reserve:	some of their pages are from the memory reserves
 * @piece:	where the device writes to, in this order
 *
 * Pieces that a packet has not reached stay, unless they are from the memory
 * reserves, and the next time the chain is posted only the others are replaced.
 */
struct virtnet_rxb_chain {
	struct virtnet_rxb_chain *next;
	unsigned int nr;
	bool reserve;
	void *piece[VIRTNET_RXB_MAX_PIECES];
};

/**
 * struct virtnet_rxb_chains - the chains of a queue
 * @hdr_len:	bytes of the virtio header, at the beginning of the first piece
 * @offset:	first byte of the frame in the first piece
 * @nr_pieces:	pieces of a posted chain
 * @nr:		number of chains
 * @nr_unposted: number of those that the ring does not have
 * @unposted:	list of them
 * @sg:		to describe a chain to the ring
 * @chain:	one for each descriptor of the ring
 */
struct virtnet_rxb_chains {
	unsigned int hdr_len;
	unsigned int offset;
	unsigned int nr_pieces;
	unsigned int nr;
	unsigned int nr_unposted;
	struct virtnet_rxb_chain *unposted;
	struct scatterlist sg[VIRTNET_RXB_MAX_PIECES + 1];
	struct virtnet_rxb_chain chain[];
};

/**
 * struct virtnet_rxb_pool - a page_pool and how XDP knows it
 * @pp:		the pool, its memory model is registered as long as it lives
 * @xdp_rxq:	RxQ info of frames whose pages are from @pp, valid while the
 *		interface is up
 */
struct virtnet_rxb_pool {
	struct page_pool *pp;
	struct xdp_rxq_info xdp_rxq;
};

/**
 * struct virtnet_rxb - the receive buffers of one queue
 * @vq:		the ring that the buffers go to
 * @dma_dev:	device that the pools map pages for, NULL if the ring needs no
 *		DMA addresses
 * @page:	page that buffers are being cut from, or NULL
 * @offset:	first byte of @page that is not part of a buffer yet
 * @size:	bytes in @page
 * @users:	buffers cut from @page so far
 * @cur:	index of the pool that @page is from
 * @origin:	virtnet_rxb_origin() of @page
 * @head_page:	page of order 0 that heads of short packets are being cut from,
 *		or NULL
 * @head_offset: first byte of @head_page that is not part of a head yet
 * @head_users:	heads cut from @head_page so far
 * @ask_large:	pages to take before asking for large ones again
 * @large:	large pages are to be had
 * @max_pages:	pages of order 0 beyond which they are scarce, 0 if they never
 *		are
 * @nr_pools:	pools in use: 0 if the queue has none, else the last one has
 *		order-0 pages
 * @pool:	where pages come from, most wanted first
 * @sg:		to describe a buffer to the ring
 * @nr_spares:	buffers in @spare
 * @spare_ctx:	context of each of them
 * @spare:	buffers to be posted again
 * @chains:	chains, if the queue has some
 *
 * When memory is fragmented, the layer falls back to order-0 pages.  Pages of
 * another order need another pool, and xdp_return_frame_bulk() puts every page
 * of a frame into the pool that the frame's RxQ info names, so each pool has
 * one of its own.
 */
struct virtnet_rxb {
	struct virtqueue *vq;
	struct device *dma_dev;
	struct page *page;
	unsigned int offset;
	unsigned int size;
	unsigned int users;
	unsigned int cur;
	unsigned int origin;
	struct page *head_page;
	unsigned int head_offset;
	unsigned int head_users;
	unsigned int ask_large;
	bool large;
	unsigned int max_pages;
	unsigned int nr_pools;
	struct virtnet_rxb_pool pool[2];
	struct scatterlist sg;
	unsigned int nr_spares;
	const void *spare_ctx;
	void *spare[VIRTNET_RXB_NR_SPARES];
	struct virtnet_rxb_chains *chains;
};

/**
 * virtnet_rxb_queue() - index of a receive queue
 * @rxb: receive buffers of the queue
 *
 * Receive and transmit virtqueues take turns.
 *
 * Context: any.
 * Return: the index.
 */
static inline unsigned int virtnet_rxb_queue(const struct virtnet_rxb *rxb)
{
	return rxb->vq->index / 2;
}

/**
 * virtnet_rxb_bounced() - are mappings for a device scarce?
 * @dma_dev: device that pages are mapped for, or NULL
 *
 * A page stays mapped as long as an skb holds one of its buffers.  Where memory
 * is bounced, as in a confidential VM or by VDUSE, a mapping is a piece of a
 * limited area that others need too.  Such devices have a limit to the size of
 * a mapping.
 *
 * Context: any.
 * Return: true if they are.
 */
static inline bool virtnet_rxb_bounced(struct device *dma_dev)
{
	return dma_dev && dma_max_mapping_size(dma_dev) != SIZE_MAX;
}

/**
 * virtnet_rxb_room() - bytes of a buffer that are not for the device
 * @headroom: bytes before the virtio header
 *
 * Context: any.
 * Return: headroom and tailroom in bytes, both or none.
 */
static inline unsigned int virtnet_rxb_room(unsigned int headroom)
{
	return headroom ? headroom + VIRTNET_RXB_TAILROOM : 0;
}

/**
 * virtnet_rxb_small_layout() - layout of a buffer for frames of a fixed size
 * @headroom: bytes before the virtio header, not 0
 * @len: bytes that the device may write
 *
 * The device must not write longer frames even where alignment leaves space:
 * without VIRTIO_NET_F_MRG_RXBUF the posted length is the only limit it knows.
 *
 * Context: any.
 * Return: the layout.
 */
static inline struct virtnet_rxb_layout
virtnet_rxb_small_layout(unsigned int headroom, unsigned int len)
{
	return (struct virtnet_rxb_layout) {
		.headroom = headroom,
		.len = len,
		.truesize = ALIGN(headroom + len, VIRTNET_RXB_ALIGN) +
			    ALIGN(VIRTNET_RXB_TAILROOM, VIRTNET_RXB_ALIGN),
	};
}

/**
 * virtnet_rxb_mergeable_layout() - layout of a buffer that frames may span
 * @headroom: bytes before the virtio header, 0 for a buffer without room for
 *	      an skb head behind a frame that fills it
 * @want: bytes that the device should be able to write
 * @page_size: largest buffer in bytes, virtnet_rxb_room() and more
 *
 * What alignment adds is given to the device.
 *
 * Context: any.
 * Return: the layout.
 */
static inline struct virtnet_rxb_layout
virtnet_rxb_mergeable_layout(unsigned int headroom, unsigned int want,
			     unsigned int page_size)
{
	unsigned int room = virtnet_rxb_room(headroom);
	unsigned int truesize;

	truesize = min(ALIGN(want + room, VIRTNET_RXB_ALIGN), page_size);

	return (struct virtnet_rxb_layout) {
		.headroom = headroom,
		.len = truesize - room,
		.truesize = truesize,
	};
}

/**
 * virtnet_rxb_origin() - what the contexts of its buffers say of a page
 * @pool: index of the pool that the page is from
 * @reserve: the page is from the memory reserves
 *
 * Context: any.
 * Return: bits of VIRTNET_RXB_CTX_ORIGIN.
 */
static inline unsigned int virtnet_rxb_origin(unsigned int pool, bool reserve)
{
	return FIELD_PREP(VIRTNET_RXB_CTX_POOL, pool) |
	       FIELD_PREP(VIRTNET_RXB_CTX_RESERVE, reserve);
}

/**
 * virtnet_rxb_ctx() - pack what must be known of a buffer when it comes back
 * @l: layout of the buffer
 *
 * Context: any.
 * Return: the context to give to the ring.
 */
static inline void *virtnet_rxb_ctx(const struct virtnet_rxb_layout *l)
{
	BUILD_BUG_ON(PAGE_SIZE > VIRTNET_RXB_CTX_TRUESIZE);

	return (void *)(FIELD_PREP(VIRTNET_RXB_CTX_HEADROOM, l->headroom) |
			FIELD_PREP(VIRTNET_RXB_CTX_TRUESIZE, l->truesize) |
			l->origin);
}

/**
 * virtnet_rxb_headroom() - bytes before the virtio header of a buffer
 * @ctx: context of the buffer
 *
 * Context: any.
 * Return: bytes.
 */
static inline unsigned int virtnet_rxb_headroom(const void *ctx)
{
	return FIELD_GET(VIRTNET_RXB_CTX_HEADROOM, (unsigned long)ctx);
}

/**
 * virtnet_rxb_truesize() - bytes that a buffer takes from its page
 * @ctx: context of the buffer
 *
 * Context: any.
 * Return: bytes.
 */
static inline unsigned int virtnet_rxb_truesize(const void *ctx)
{
	return FIELD_GET(VIRTNET_RXB_CTX_TRUESIZE, (unsigned long)ctx);
}

/**
 * virtnet_rxb_pool() - which of the queue's pools a buffer is from
 * @ctx: context of the buffer
 *
 * Who asks the context need not touch the page.
 *
 * Context: any.
 * Return: index in &struct virtnet_rxb pool.
 */
static inline unsigned int virtnet_rxb_pool(const void *ctx)
{
	return FIELD_GET(VIRTNET_RXB_CTX_POOL, (unsigned long)ctx);
}

/**
 * virtnet_rxb_ctx_kept() - context of buffers that may be posted again
 * @ctx: context of a buffer
 *
 * Context: any.
 * Return: @ctx without what says that the page is from the memory reserves, so
 *	   that no buffer from there equals it.
 */
static inline const void *virtnet_rxb_ctx_kept(const void *ctx)
{
	return (void *)((unsigned long)ctx & ~VIRTNET_RXB_CTX_RESERVE);
}

/**
 * virtnet_rxb_max_len() - bytes that fit between headroom and tailroom
 * @ctx: context of the buffer
 *
 * A device that reports more than this has written, or claims to have written,
 * to memory that is not its own.  In a small buffer some of these bytes may be
 * what alignment added, which are posted to no device and used for nothing.
 *
 * Context: any.
 * Return: bytes, virtio header included.
 */
static inline unsigned int virtnet_rxb_max_len(const void *ctx)
{
	return virtnet_rxb_truesize(ctx) -
	       virtnet_rxb_room(virtnet_rxb_headroom(ctx));
}

/**
 * virtnet_rxb_oversized() - does a buffer hold much more memory than its data?
 * @ctx: context of the buffer
 * @len: bytes of data in it
 *
 * Where buffers are of more than a page, as for large packets and in very small
 * rings, data must not count more against a socket's limit than they would in
 * buffers of a page.
 *
 * Context: any.
 * Return: true if the data are to be copied.
 */
static inline bool virtnet_rxb_oversized(const void *ctx, unsigned int len)
{
	unsigned int truesize = virtnet_rxb_truesize(ctx);

	return truesize > PAGE_SIZE && round_up(len, PAGE_SIZE) < truesize;
}

/**
 * virtnet_rxb_limited() - is there a limit to the pages that are mapped?
 * @rxb: receive buffers of the queue
 *
 * Then what the device is not to write to should be in other pages.
 *
 * Context: any.
 * Return: true if there is one.
 */
static inline bool virtnet_rxb_limited(const struct virtnet_rxb *rxb)
{
	return rxb->max_pages;
}

/**
 * virtnet_rxb_max_size() - size of the largest buffer that is worth it
 * @rxb: receive buffers of the queue
 * @len: average length of packets
 *
 * Context: any.
 * Return: bytes, headroom and tailroom included; more than PAGE_SIZE only while
 *	   large pages are to be had, 4 KB where pages are limited.
 */
static inline unsigned int
virtnet_rxb_max_size(const struct virtnet_rxb *rxb, unsigned int len)
{
	/* what virtnet_rxb_max_pages() reckons with */
	if (virtnet_rxb_limited(rxb))
		return SZ_4K;

	if (READ_ONCE(rxb->large) && len > VIRTNET_RXB_BULK_LEN)
		return max_t(unsigned int, VIRTNET_RXB_BULK_SIZE, PAGE_SIZE);

	return PAGE_SIZE;
}

/**
 * virtnet_rxb_put() - give up a buffer
 * @buf: any address in the buffer
 * @napi: the caller is the NAPI poll of the queue that owns the buffer
 *
 * Context: NAPI of the queue with @napi set, else process or softirq; never
 *	    hard irq nor NAPI with budget 0 (Documentation/networking/napi.rst),
 *	    because the pool takes a lock that the interrupted context may hold.
 * Ownership: driver to layer.
 */
static inline void virtnet_rxb_put(const void *buf, bool napi)
{
	struct page *page = virt_to_head_page(buf);

	page_pool_put_full_page(page->pp, page, napi);
}

/**
 * virtnet_rxb_reuse() - give up a buffer that nobody else has seen
 * @rxb: receive buffers of the queue
 * @buf: address of the virtio header
 * @ctx: context of the buffer
 *
 * The buffer is kept to be posted again, which takes no atomic operation and no
 * call of the pool, if it is like those kept already.
 *
 * A page from the memory reserves (page_is_pfmemalloc()) must not stay with the
 * ring: sk_filter_trim_cap() drops what comes in it, also when there is memory
 * again.  Such a buffer is never like those kept, and the pool gives its page
 * back.
 *
 * Context: NAPI of the queue, with a budget.
 * Ownership: driver to layer.
 */
static inline void virtnet_rxb_reuse(struct virtnet_rxb *rxb, void *buf,
				     const void *ctx)
{
	if (!rxb->nr_spares)
		rxb->spare_ctx = virtnet_rxb_ctx_kept(ctx);

	if (unlikely(rxb->nr_spares == VIRTNET_RXB_NR_SPARES ||
		     rxb->spare_ctx != ctx))
		virtnet_rxb_put(buf, true);
	else
		rxb->spare[rxb->nr_spares++] = buf;
}

/**
 * virtnet_rxb_drop_spares() - do without the buffers kept
 * @rxb: receive buffers of the queue
 *
 * Context: the one that allocates: NAPI, or process with NAPI off.
 */
static inline void virtnet_rxb_drop_spares(struct virtnet_rxb *rxb)
{
	while (rxb->nr_spares)
		virtnet_rxb_put(rxb->spare[--rxb->nr_spares], false);
}

/**
 * virtnet_rxb_hide_spares() - have other buffers posted than those kept
 * @rxb: receive buffers of the queue
 *
 * Buffers that are posted again and again may be all that their pages have,
 * while others hold the rest: scattered, they hold more pages than they need.
 *
 * Context: the one that allocates: NAPI, or process with NAPI off.
 * Ownership: stays with the layer.  To keep others meanwhile is a mistake.
 * Return: how many are kept, for virtnet_rxb_show_spares().
 */
static inline unsigned int virtnet_rxb_hide_spares(struct virtnet_rxb *rxb)
{
	unsigned int nr = rxb->nr_spares;

	rxb->nr_spares = 0;

	return nr;
}

/**
 * virtnet_rxb_show_spares() - undo virtnet_rxb_hide_spares()
 * @rxb: receive buffers of the queue
 * @nr: what that has returned
 *
 * Context: the one that allocates: NAPI, or process with NAPI off.
 */
static inline void virtnet_rxb_show_spares(struct virtnet_rxb *rxb,
					   unsigned int nr)
{
	rxb->nr_spares = nr;
}

/**
 * virtnet_rxb_put_coalesced() - give up a buffer that an skb fragment took in
 * @buf: any address in the buffer
 * @skb: the skb, whose fragment has a reference to the same page already
 *
 * Copies of AF_XDP buffers are appended to skbs like pool buffers, but are
 * ordinary pages: such skbs are not marked for recycling.
 *
 * Context: NAPI with a budget.
 * Ownership: driver to @skb.
 */
static inline void virtnet_rxb_put_coalesced(const void *buf,
					     const struct sk_buff *skb)
{
	skb_page_unref(page_to_netmem(virt_to_head_page(buf)), skb->pp_recycle);
}

/**
 * virtnet_rxb_nr_free() - how many pages a pool keeps
 * @pp: the pool
 *
 * Nobody else takes pages from it, but others may give some back meanwhile:
 * then it may be wrong, by as many as the pool can keep.
 *
 * Context: the one that allocates: NAPI, or process with NAPI off.
 * Return: pages.
 */
static inline unsigned int virtnet_rxb_nr_free(struct page_pool *pp)
{
	struct ptr_ring *ring = &pp->ring;
	int nr = READ_ONCE(ring->producer) - ring->consumer_head;

	if (nr < 0 || (!nr && !__ptr_ring_empty(ring)))
		nr += ring->size;

	return pp->alloc.count + nr;
}

/**
 * virtnet_rxb_nr_used() - how many pages of a pool are in use
 * @pp: the pool
 *
 * As right as virtnet_rxb_nr_free().
 *
 * Context: the one that allocates: NAPI, or process with NAPI off.
 * Return: pages, counted in pages of order 0.
 */
static inline unsigned int virtnet_rxb_nr_used(struct page_pool *pp)
{
	u32 released = atomic_read(&pp->pages_state_release_cnt);
	int used;

	used = pp->pages_state_hold_cnt - released - virtnet_rxb_nr_free(pp);

	return max(used, 0) << pp->p.order;
}

/**
 * virtnet_rxb_over() - are more than so many pages in use?
 * @rxb: receive buffers of the queue
 * @max_pages: the number, counted in pages of order 0
 *
 * Pages that the pools keep are mapped as well, but do not count: as long as
 * there are some, no others are mapped for packets that hold theirs.
 *
 * Few devices need it: a function of its own, that the others do not pay for.
 *
 * Context: the one that allocates: NAPI, or process with NAPI off.
 * Return: true if there are.
 */
static noinline __maybe_unused bool
virtnet_rxb_over(const struct virtnet_rxb *rxb, unsigned int max_pages)
{
	unsigned int i, pages = 0;

	for (i = 0; i < rxb->nr_pools; i++)
		pages += virtnet_rxb_nr_used(rxb->pool[i].pp);

	return pages > max_pages;
}

/**
 * virtnet_rxb_scarce() - should packets not hold pages any more?
 * @rxb: receive buffers of the queue
 *
 * Who copies a packet out of its buffers then leaves bounce buffers for others:
 * to hold packets must not keep a machine from sending.
 *
 * Context: the one that allocates: NAPI, or process with NAPI off.
 * Return: true if too many pages are in use.
 */
static inline bool virtnet_rxb_scarce(const struct virtnet_rxb *rxb)
{
	return unlikely(virtnet_rxb_limited(rxb)) &&
	       virtnet_rxb_over(rxb, rxb->max_pages);
}

/**
 * virtnet_rxb_give_back() - stop cutting from a page
 * @page: the page, or NULL
 * @users: what has been cut from it
 *
 * Context: the one that allocates: NAPI, or process with NAPI off.
 * Ownership: the references that nobody has taken go back; the page itself goes
 *	      with its last user.
 */
static inline void virtnet_rxb_give_back(struct page *page, unsigned int users)
{
	if (page && !page_pool_unref_page(page, VIRTNET_RXB_PAGE_REFS - users))
		page_pool_put_unrefed_page(page->pp, page, -1, false);
}

/**
 * virtnet_rxb_retire_page() - stop cutting buffers from the current page
 * @rxb: receive buffers of the queue
 *
 * Context: the one that allocates: NAPI, or process with NAPI off.
 * Ownership: as virtnet_rxb_give_back().
 */
static inline void virtnet_rxb_retire_page(struct virtnet_rxb *rxb)
{
	virtnet_rxb_give_back(rxb->page, rxb->users);
	rxb->page = NULL;
	rxb->size = 0;
}

/**
 * virtnet_rxb_retire_heads() - stop cutting heads from the current page
 * @rxb: receive buffers of the queue
 *
 * Context: the one that allocates: NAPI, or process with NAPI off.
 * Ownership: as virtnet_rxb_give_back().
 */
static inline void virtnet_rxb_retire_heads(struct virtnet_rxb *rxb)
{
	virtnet_rxb_give_back(rxb->head_page, rxb->head_users);
	rxb->head_page = NULL;
}

/**
 * virtnet_rxb_large_left() - are large pages to be had?
 * @gfp: how hard to try
 *
 * skb_page_frag_refill() knows what net.core.high_order_alloc_disable says,
 * which modules cannot read, and whether memory is too fragmented.
 *
 * Context: the one that allocates: NAPI, or process with NAPI off.
 * Return: true if networking would get a large page now.
 */
static inline bool virtnet_rxb_large_left(gfp_t gfp)
{
	struct page_frag pfrag = {};

	gfp |= __GFP_NOWARN | __GFP_NOMEMALLOC;
	if (!skb_page_frag_refill(1, &pfrag, gfp))
		return false;

	put_page(pfrag.page);

	return pfrag.size > PAGE_SIZE;
}

/**
 * virtnet_rxb_alloc_large() - get a page from the pool of large ones
 * @rxb: receive buffers of the queue, with two pools
 * @gfp: how hard to try; neither reclaim nor the memory reserves are worth it
 *
 * Those that the pool keeps are used also when no others are to be had.
 *
 * Context: the one that allocates: NAPI, or process with NAPI off.
 * Return: the page, or NULL, which is normal.
 */
static inline struct page *virtnet_rxb_alloc_large(struct virtnet_rxb *rxb,
						   gfp_t gfp)
{
	struct page_pool *pp = rxb->pool[0].pp;
	struct page *page;

	if (unlikely(!rxb->ask_large)) {
		WRITE_ONCE(rxb->large, virtnet_rxb_large_left(gfp));
		rxb->ask_large = rxb->large ? VIRTNET_RXB_ASK_LATE :
					      VIRTNET_RXB_ASK_SOON;
	}
	rxb->ask_large--;
	if (unlikely(!rxb->large && !virtnet_rxb_nr_free(pp)))
		return NULL;

	gfp &= ~__GFP_DIRECT_RECLAIM;
	gfp |= __GFP_NOWARN | __GFP_NORETRY | __GFP_NOMEMALLOC;
	page = page_pool_alloc_pages(pp, gfp);
	if (unlikely(!page)) {
		WRITE_ONCE(rxb->large, false);
		rxb->ask_large = VIRTNET_RXB_ASK_SOON;
	}

	return page;
}

/**
 * virtnet_rxb_alloc_small() - get a page of order 0
 * @rxb: receive buffers of the queue
 * @gfp: how hard to try
 *
 * A pool that maps pages must not be asked to reclaim memory: to number a page,
 * it calls xa_alloc_bh(), which may sleep with softirqs off where a node of the
 * XArray is not to be had at once.  Reclaim before, and ask it again.
 *
 * Context: the one that allocates: NAPI, or process with NAPI off.
 * Return: the page, or NULL.
 */
static inline struct page *virtnet_rxb_alloc_small(struct virtnet_rxb *rxb,
						   gfp_t gfp)
{
	struct page_pool *pp = rxb->pool[rxb->nr_pools - 1].pp;
	gfp_t atomic = gfp & ~__GFP_DIRECT_RECLAIM;
	struct page *page;

	if (!rxb->dma_dev || atomic == gfp)
		return page_pool_alloc_pages(pp, gfp);

	page = page_pool_alloc_pages(pp, atomic | __GFP_NOWARN);
	if (unlikely(!page)) {
		page = alloc_page(gfp);
		if (page)
			__free_page(page);
		page = page_pool_alloc_pages(pp, atomic);
	}

	return page;
}

/**
 * virtnet_rxb_alloc_from() - get a page from a pool
 * @rxb: receive buffers of the queue
 * @pool: index of the pool
 * @gfp: how hard to try
 *
 * Context: the one that allocates: NAPI, or process with NAPI off.
 * Return: the page, or NULL.
 */
static inline struct page *virtnet_rxb_alloc_from(struct virtnet_rxb *rxb,
						  unsigned int pool, gfp_t gfp)
{
	if (pool < rxb->nr_pools - 1)
		return virtnet_rxb_alloc_large(rxb, gfp);

	return virtnet_rxb_alloc_small(rxb, gfp);
}

/**
 * virtnet_rxb_alloc_page() - get a page from the first pool that has one
 * @rxb: receive buffers of the queue
 * @gfp: how hard to try
 *
 * Context: the one that allocates: NAPI, or process with NAPI off.
 * Return: the page, or NULL if there is no memory or no DMA mapping.
 */
static inline struct page *virtnet_rxb_alloc_page(struct virtnet_rxb *rxb,
						  gfp_t gfp)
{
	struct page *page = NULL;
	unsigned int i;

	if (WARN_ON_ONCE(!rxb->nr_pools))
		return NULL;

	for (i = 0; i < rxb->nr_pools && !page; i++)
		page = virtnet_rxb_alloc_from(rxb, i, gfp);

	return page;
}

/**
 * virtnet_rxb_next_page() - start cutting buffers from a new page
 * @rxb: receive buffers of the queue
 * @gfp: how hard to try
 *
 * Without a new page the old one stays: what is left of it may still do for a
 * smaller buffer.
 *
 * A function of its own, so that what is done for each buffer is short.
 *
 * Context: the one that allocates: NAPI, or process with NAPI off.
 * Return: false if there is no memory.
 */
static noinline __maybe_unused bool
virtnet_rxb_next_page(struct virtnet_rxb *rxb, gfp_t gfp)
{
	struct page *page = virtnet_rxb_alloc_page(rxb, gfp);

	if (unlikely(!page))
		return false;

	virtnet_rxb_retire_page(rxb);
	page_pool_fragment_page(page, VIRTNET_RXB_PAGE_REFS);
	rxb->cur = page->pp != rxb->pool[0].pp;
	rxb->origin = virtnet_rxb_origin(rxb->cur, page_is_pfmemalloc(page));
	rxb->page = page;
	rxb->size = page_size(page);
	rxb->offset = 0;
	rxb->users = 0;

	return true;
}

/**
 * virtnet_rxb_alloc() - cut a buffer
 * @rxb: receive buffers of the queue
 * @size: bytes, a multiple of VIRTNET_RXB_ALIGN; more than PAGE_SIZE takes a
 *	  large page
 * @gfp: how hard to try
 *
 * Context: NAPI with a budget, or process with NAPI off.
 * Ownership: layer to driver, to be given up with virtnet_rxb_put().
 * Return: first byte of the buffer, or NULL if there is no memory.
 */
static inline void *virtnet_rxb_alloc(struct virtnet_rxb *rxb,
				      unsigned int size, gfp_t gfp)
{
	void *buf;

	if (rxb->offset + size > rxb->size &&
	    (!virtnet_rxb_next_page(rxb, gfp) || unlikely(size > rxb->size)))
		return NULL;

	buf = page_address(rxb->page) + rxb->offset;
	rxb->offset += size;
	rxb->users++;

	return buf;
}

/**
 * virtnet_rxb_next_head_page() - start cutting heads from a new page
 * @rxb: receive buffers of the queue
 * @gfp: how hard to try
 *
 * Context: NAPI with a budget.
 * Return: false if there is no memory, with no page to cut from.
 */
static noinline __maybe_unused bool
virtnet_rxb_next_head_page(struct virtnet_rxb *rxb, gfp_t gfp)
{
	virtnet_rxb_retire_heads(rxb);
	rxb->head_page = virtnet_rxb_alloc_from(rxb, rxb->nr_pools - 1, gfp);
	if (unlikely(!rxb->head_page))
		return false;

	page_pool_fragment_page(rxb->head_page, VIRTNET_RXB_PAGE_REFS);
	rxb->head_offset = 0;
	rxb->head_users = 0;

	return true;
}

/**
 * virtnet_rxb_alloc_head() - cut an skb head for a short packet
 * @rxb: receive buffers of the queue
 * @size: bytes, a multiple of VIRTNET_RXB_ALIGN and at most PAGE_SIZE
 * @gfp: how hard to try
 *
 * An skb counts what it takes of a page, but holds all of it.  Of a large page
 * that would be many times as much where most packets are short: heads are from
 * pages of their own, of order 0.  A page from the memory reserves gives no
 * more than one, see virtnet_rxb_reuse().
 *
 * Context: NAPI with a budget.
 * Ownership: layer to driver, to be given up with virtnet_rxb_put().
 * Return: first byte of the head, or NULL if there is no memory.
 */
static inline void *virtnet_rxb_alloc_head(struct virtnet_rxb *rxb,
					   unsigned int size, gfp_t gfp)
{
	void *head;

	if ((!rxb->head_page || rxb->head_offset + size > PAGE_SIZE) &&
	    !virtnet_rxb_next_head_page(rxb, gfp))
		return NULL;

	head = page_address(rxb->head_page) + rxb->head_offset;
	rxb->head_offset += size;
	rxb->head_users++;
	if (unlikely(page_is_pfmemalloc(rxb->head_page)))
		virtnet_rxb_retire_heads(rxb);

	return head;
}

/**
 * virtnet_rxb_fit() - have data hold no more memory than they need
 * @rxb: receive buffers of the queue
 * @buf: address of the buffer
 * @ctx: context of the buffer
 * @len: bytes of data in it, not 0
 * @truesize: set to the bytes that the data hold
 *
 * Data in an oversized buffer are copied, if there is memory to copy them to.
 *
 * Context: NAPI with a budget.
 * Ownership: @buf goes to the layer unless it is returned; what is returned is
 *	      the driver's.
 * Return: where the data are.
 */
static inline void *virtnet_rxb_fit(struct virtnet_rxb *rxb, void *buf,
				    const void *ctx, unsigned int len,
				    unsigned int *truesize)
{
	unsigned int size = ALIGN(len, VIRTNET_RXB_ALIGN);
	void *copy;

	*truesize = virtnet_rxb_truesize(ctx);
	if (!virtnet_rxb_oversized(ctx, len))
		return buf;

	copy = virtnet_rxb_alloc(rxb, size, GFP_NOWAIT | __GFP_NOWARN);
	if (unlikely(!copy))
		return buf;

	memcpy(copy, buf, len);
	virtnet_rxb_reuse(rxb, buf, ctx);
	*truesize = size;

	return copy;
}

/**
 * virtnet_rxb_take_rest() - give the end of the page to the last buffer
 * @rxb: receive buffers of the queue
 * @l: layout of the buffer that was cut last
 *
 * What is left of the page would be lost if it is too small for a buffer like
 * the last one.  It is lost, and part of no buffer's truesize, where the last
 * buffer has a tailroom, which is to stay in place, or would grow beyond
 * PAGE_SIZE, the most that XDP takes as a fragment.
 *
 * Context: the one that allocates: NAPI, or process with NAPI off.
 */
static inline void virtnet_rxb_take_rest(struct virtnet_rxb *rxb,
					 struct virtnet_rxb_layout *l)
{
	unsigned int rest = rxb->size - rxb->offset;

	if (l->headroom || rest >= l->truesize || l->truesize >= PAGE_SIZE)
		return;

	rxb->offset = rxb->size;
	rest = min_t(unsigned int, rest, PAGE_SIZE - l->truesize);
	l->truesize += rest;
	l->len += rest;
}

/**
 * virtnet_rxb_dma_addr() - where the device sees a buffer
 * @buf: address in the buffer
 *
 * Context: any, while the caller owns the buffer and the queue has a dma_dev.
 * Return: the DMA address of @buf.
 */
static inline dma_addr_t virtnet_rxb_dma_addr(const void *buf)
{
	struct page *page = virt_to_head_page(buf);

	return page_pool_get_dma_addr(page) + (buf - page_address(page));
}

/**
 * virtnet_rxb_fill_sg() - describe a buffer to the ring
 * @rxb: receive buffers of the queue
 * @sg: entry to fill, initialized
 * @buf: first byte for the device
 * @len: bytes that the device may write
 *
 * With a dma_dev the ring takes DMA addresses (virtqueue_set_dma_premapped()).
 * The CPU may have written to the buffer since the device last owned it, so
 * exactly what is posted is synced, here and nowhere else: the pools need no
 * PP_FLAG_DMA_SYNC_DEV, and it makes no difference whether the buffer is new,
 * recycled or reused.  dma_sync_single_for_device() asks every time whether the
 * device needs this: the answer changes when the first page is bounced.
 *
 * Context: any.
 */
static inline void virtnet_rxb_fill_sg(const struct virtnet_rxb *rxb,
				       struct scatterlist *sg, void *buf,
				       unsigned int len)
{
	dma_addr_t addr;

	if (!rxb->dma_dev) {
		sg_set_buf(sg, buf, len);
		return;
	}

	addr = virtnet_rxb_dma_addr(buf);
	dma_sync_single_for_device(rxb->dma_dev, addr, len, DMA_FROM_DEVICE);
	sg_dma_address(sg) = addr;
	sg->length = len;
}

/**
 * virtnet_rxb_sync_for_cpu() - let the CPU see what the device has written
 * @rxb: receive buffers of the queue
 * @buf: first byte
 * @len: bytes, not more than the device was given
 *
 * dma_dev_need_sync() is asked only to spare the address calculation.  Nothing
 * is synced if @len is 0: at the start of a page DMA_API_DEBUG would find that
 * it ends another mapping as well, and warn.
 *
 * Context: any, before the bytes are read.
 */
static inline void virtnet_rxb_sync_for_cpu(const struct virtnet_rxb *rxb,
					    const void *buf, unsigned int len)
{
	if (rxb->dma_dev && len && dma_dev_need_sync(rxb->dma_dev))
		dma_sync_single_for_cpu(rxb->dma_dev,
					virtnet_rxb_dma_addr(buf), len,
					DMA_FROM_DEVICE);
}

/**
 * virtnet_rxb_cut() - cut a buffer of a layout
 * @rxb: receive buffers of the queue
 * @l: layout of the buffer, enlarged if the buffer takes the end of its page,
 *     cut down to PAGE_SIZE if there is no large page for it
 * @gfp: how hard to try
 *
 * Context: NAPI with a budget, or process with NAPI off.
 * Ownership: layer to driver.
 * Return: address for the virtio header, or NULL if there is no memory.
 */
static inline void *virtnet_rxb_cut(struct virtnet_rxb *rxb,
				    struct virtnet_rxb_layout *l, gfp_t gfp)
{
	void *buf;

	buf = virtnet_rxb_alloc(rxb, l->truesize, gfp);
	if (unlikely(!buf) && l->truesize > PAGE_SIZE) {
		l->len -= l->truesize - PAGE_SIZE;
		l->truesize = PAGE_SIZE;
		buf = virtnet_rxb_alloc(rxb, PAGE_SIZE, gfp);
	}
	if (unlikely(!buf))
		return NULL;

	virtnet_rxb_take_rest(rxb, l);
	l->origin = rxb->origin;

	return buf + l->headroom;
}

/**
 * virtnet_rxb_spares_fit() - whether the buffers that were kept are of a layout
 * @rxb: receive buffers of the queue, with some kept
 * @l: the layout, whose origin becomes that of the buffers
 *
 * Context: any.
 * Return: true if they are.
 */
static inline bool virtnet_rxb_spares_fit(const struct virtnet_rxb *rxb,
					  struct virtnet_rxb_layout *l)
{
	l->origin = (unsigned long)rxb->spare_ctx & VIRTNET_RXB_CTX_ORIGIN;

	return rxb->spare_ctx == virtnet_rxb_ctx(l);
}

/**
 * virtnet_rxb_next() - find a buffer to post
 * @rxb: receive buffers of the queue
 * @l: layout of the buffer, changed to what the buffer has
 * @gfp: how hard to try
 *
 * Buffers that were kept for this but are not as wanted now are given up.
 *
 * Context: NAPI with a budget, or process with NAPI off.
 * Ownership: layer to driver.
 * Return: address for the virtio header, or NULL if there is no memory.
 */
static inline void *virtnet_rxb_next(struct virtnet_rxb *rxb,
				     struct virtnet_rxb_layout *l, gfp_t gfp)
{
	if (rxb->nr_spares) {
		if (likely(virtnet_rxb_spares_fit(rxb, l)))
			return rxb->spare[--rxb->nr_spares];
		virtnet_rxb_drop_spares(rxb);
	}

	return virtnet_rxb_cut(rxb, l, gfp);
}

/**
 * virtnet_rxb_post() - give a buffer to the device
 * @rxb: receive buffers of the queue
 * @want: layout of the buffer; one that takes the end of its page is larger,
 *	  one without a large page is smaller
 * @gfp: how hard to try
 *
 * A base with a call for single premapped buffers differs in this function and
 * virtnet_rxb_fill_sg() only.
 *
 * Context: NAPI with a budget, or process with NAPI off.
 * Ownership: layer to ring; back to the layer if the ring does not take it.
 * Return: 0, -ENOMEM without memory, or the error of the ring.
 */
static inline int virtnet_rxb_post(struct virtnet_rxb *rxb,
				   const struct virtnet_rxb_layout *want,
				   gfp_t gfp)
{
	struct virtnet_rxb_layout l = *want;
	void *buf;
	int err;

	buf = virtnet_rxb_next(rxb, &l, gfp);
	if (unlikely(!buf))
		return -ENOMEM;

	virtnet_rxb_fill_sg(rxb, &rxb->sg, buf, l.len);
	err = virtqueue_add_inbuf_ctx(rxb->vq, &rxb->sg, 1, buf,
				      virtnet_rxb_ctx(&l), gfp);
	if (unlikely(err))
		virtnet_rxb_put(buf, false);

	return err;
}

/**
 * virtnet_rxb_get() - take the next used buffer from the device
 * @rxb: receive buffers of the queue
 * @len: set to the number of bytes that the device says it has written
 * @ctx: set to the context of the buffer
 *
 * The bytes that the device has written are synced for the CPU, but not more
 * than the buffer has.  The caller must compare @len with virtnet_rxb_max_len()
 * before it believes it, and must not read more than the smaller of the two.
 *
 * Context: NAPI with a budget.
 * Ownership: ring to driver.
 * Return: address of the virtio header, or of the data where a frame goes on in
 *	   another buffer; NULL if there is none.
 */
static inline void *virtnet_rxb_get(struct virtnet_rxb *rxb, unsigned int *len,
				    void **ctx)
{
	void *buf = virtqueue_get_buf_ctx(rxb->vq, len, ctx);

	if (likely(buf))
		virtnet_rxb_sync_for_cpu(rxb, buf,
					 min(*len, virtnet_rxb_max_len(*ctx)));

	return buf;
}

/**
 * virtnet_rxb_chain_len() - bytes that fit in a posted chain
 * @chains: chains of the queue
 *
 * Context: any.
 * Return: bytes, virtio header included, without what pads it.
 */
static inline unsigned int
virtnet_rxb_chain_len(const struct virtnet_rxb_chains *chains)
{
	return chains->nr_pieces * VIRTNET_RXB_PIECE - chains->offset +
	       chains->hdr_len;
}

/**
 * virtnet_rxb_keep_chain() - keep a chain to be posted again
 * @rxb: receive buffers of the queue
 * @chain: the chain
 *
 * Context: the one that allocates: NAPI, or process with NAPI off.
 * Ownership: driver to layer, with the pieces that the chain has.
 */
static inline void virtnet_rxb_keep_chain(struct virtnet_rxb *rxb,
					  struct virtnet_rxb_chain *chain)
{
	chain->next = rxb->chains->unposted;
	rxb->chains->unposted = chain;
	rxb->chains->nr_unposted++;
}

/**
 * virtnet_rxb_drop_reserves() - give up pieces from the memory reserves
 * @chain: the chain
 *
 * Context: the one that allocates: NAPI with a budget, or process with NAPI
 *	    off.
 * Ownership: the pieces go from the chain to the layer.
 */
static inline void virtnet_rxb_drop_reserves(struct virtnet_rxb_chain *chain)
{
	unsigned int i, nr = 0;

	for (i = 0; i < chain->nr; i++) {
		void *piece = chain->piece[i];

		if (page_is_pfmemalloc(virt_to_head_page(piece)))
			virtnet_rxb_put(piece, false);
		else
			chain->piece[nr++] = piece;
	}

	chain->nr = nr;
	chain->reserve = false;
}

/**
 * virtnet_rxb_strip_chain() - give up the pieces of a chain
 * @chain: the chain
 *
 * Context: the one that allocates: NAPI with a budget, or process with NAPI
 *	    off.
 * Ownership: the pieces go from the chain to the layer.
 */
static inline void virtnet_rxb_strip_chain(struct virtnet_rxb_chain *chain)
{
	while (chain->nr)
		virtnet_rxb_put(chain->piece[--chain->nr], false);
	chain->reserve = false;
}

/**
 * virtnet_rxb_put_chain() - give up a chain
 * @rxb: receive buffers of the queue
 * @chain: the chain
 * @taken: pieces, from the first, that somebody else owns now
 *
 * Pages from the memory reserves must not stay with the ring, see
 * virtnet_rxb_reuse().
 *
 * Context: the one that allocates: NAPI with a budget, or process with NAPI
 *	    off.
 * Ownership: driver to layer, which posts it again with other pieces in the
 *	      place of those taken or given up.
 */
static inline void virtnet_rxb_put_chain(struct virtnet_rxb *rxb,
					 struct virtnet_rxb_chain *chain,
					 unsigned int taken)
{
	chain->nr -= taken;
	memmove(chain->piece, chain->piece + taken,
		chain->nr * sizeof(chain->piece[0]));
	if (unlikely(chain->reserve))
		virtnet_rxb_drop_reserves(chain);
	virtnet_rxb_keep_chain(rxb, chain);
}

/**
 * virtnet_rxb_alloc_piece() - take a piece for a chain
 * @rxb: receive buffers of the queue, with chains
 * @chain: the chain, told if the piece is from the memory reserves
 * @gfp: how hard to try
 *
 * Context: NAPI with a budget, or process with NAPI off.
 * Ownership: layer to caller, which puts it into @chain.
 * Return: the piece, or NULL if there is no memory.
 */
static inline void *virtnet_rxb_alloc_piece(struct virtnet_rxb *rxb,
					    struct virtnet_rxb_chain *chain,
					    gfp_t gfp)
{
	void *piece = virtnet_rxb_alloc(rxb, VIRTNET_RXB_PIECE, gfp);

	if (likely(piece) && rxb->origin & VIRTNET_RXB_CTX_RESERVE)
		chain->reserve = true;

	return piece;
}

/**
 * virtnet_rxb_fill_chain() - see that a chain has all its pieces
 * @rxb: receive buffers of the queue
 * @chain: the chain
 * @gfp: how hard to try
 *
 * Context: NAPI with a budget, or process with NAPI off.
 * Ownership: the pieces belong to the chain, also on error.
 * Return: false if there is no memory.
 */
static inline bool virtnet_rxb_fill_chain(struct virtnet_rxb *rxb,
					  struct virtnet_rxb_chain *chain,
					  gfp_t gfp)
{
	while (chain->nr < rxb->chains->nr_pieces) {
		void *piece = virtnet_rxb_alloc_piece(rxb, chain, gfp);

		if (unlikely(!piece))
			return false;
		chain->piece[chain->nr++] = piece;
	}

	return true;
}

/**
 * virtnet_rxb_joined() - are two pieces neighbours, for the device as well?
 * @a: a piece
 * @b: another piece
 *
 * Context: any, while the caller owns both.
 * Return: true if @b follows @a in the same page.
 */
static inline bool virtnet_rxb_joined(const void *a, const void *b)
{
	return b == a + VIRTNET_RXB_PIECE &&
	       virt_to_head_page(a) == virt_to_head_page(b);
}

/**
 * virtnet_rxb_chain_sg() - describe a chain to the ring
 * @rxb: receive buffers of the queue
 * @chain: the chain, with all its pieces
 *
 * The header has an entry of its own, which devices without
 * VIRTIO_F_ANY_LAYOUT insist on.  Pieces that are neighbours share one.
 *
 * Context: any.
 * Return: number of entries filled.
 */
static inline unsigned int
virtnet_rxb_chain_sg(struct virtnet_rxb *rxb,
		     const struct virtnet_rxb_chain *chain)
{
	struct virtnet_rxb_chains *chains = rxb->chains;
	void *buf = chain->piece[0] + chains->offset;
	unsigned int i, n = 0;

	sg_init_table(chains->sg, ARRAY_SIZE(chains->sg));
	virtnet_rxb_fill_sg(rxb, &chains->sg[n++], chain->piece[0],
			    chains->hdr_len);
	for (i = 1; i <= chain->nr; i++) {
		void *last = chain->piece[i - 1];

		if (i < chain->nr && virtnet_rxb_joined(last, chain->piece[i]))
			continue;
		virtnet_rxb_fill_sg(rxb, &chains->sg[n++], buf,
				    last + VIRTNET_RXB_PIECE - buf);
		if (i < chain->nr)
			buf = chain->piece[i];
	}
	sg_mark_end(&chains->sg[n - 1]);

	return n;
}

/**
 * virtnet_rxb_gather_chain() - have the pieces of a chain in few pages
 * @rxb: receive buffers of the queue, with chains
 * @chain: the chain
 * @gfp: how hard to try
 *
 * A piece that stays in its chain may be the last in use of a page that has
 * many.  When pages are scarce, so many of them may be held by pieces that this
 * does not end.  A piece is given up only for another one.
 *
 * Context: NAPI with a budget, or process with NAPI off.
 * Ownership: the pieces belong to the chain.
 */
static noinline __maybe_unused void
virtnet_rxb_gather_chain(struct virtnet_rxb *rxb,
			 struct virtnet_rxb_chain *chain, gfp_t gfp)
{
	unsigned int i;

	for (i = 0; i < chain->nr; i++) {
		void *piece = virtnet_rxb_alloc_piece(rxb, chain, gfp);

		if (!piece)
			return;
		virtnet_rxb_put(chain->piece[i], false);
		chain->piece[i] = piece;
	}
}

/**
 * virtnet_rxb_post_chain() - give a chain to the device
 * @rxb: receive buffers of the queue, with chains
 * @gfp: how hard to try
 *
 * Where pages are limited, a ring full of chains would take most of them: when
 * half of them are in use, only as many chains are posted as the queue cannot
 * do without, so that the others are for packets.  Those that have their pieces
 * still take no more, and what one waits with is given up.
 *
 * Context: NAPI with a budget, or process with NAPI off.
 * Ownership: layer to ring; back to the layer if the ring does not take it,
 *	      with the pieces that it has, for the next try.
 * Return: 0, -ENOMEM without memory, -ENOSPC if enough or all are posted, or
 *	   the error of the ring.
 */
static inline int virtnet_rxb_post_chain(struct virtnet_rxb *rxb, gfp_t gfp)
{
	struct virtnet_rxb_chains *chains = rxb->chains;
	struct virtnet_rxb_chain *chain = chains->unposted;
	int err = -ENOMEM;

	if (unlikely(!chain))
		return -ENOSPC;
	if (virtnet_rxb_limited(rxb) && chain->nr < chains->nr_pieces &&
	    virtnet_rxb_over(rxb, rxb->max_pages / 2) &&
	    chains->nr - chains->nr_unposted >= VIRTNET_RXB_MIN_CHAINS) {
		virtnet_rxb_strip_chain(chain);
		return -ENOSPC;
	}

	chains->unposted = chain->next;
	chains->nr_unposted--;
	if (rxb->size > VIRTNET_RXB_PIECE && virtnet_rxb_scarce(rxb))
		virtnet_rxb_gather_chain(rxb, chain, gfp);
	if (virtnet_rxb_fill_chain(rxb, chain, gfp))
		err = virtqueue_add_inbuf(rxb->vq, chains->sg,
					  virtnet_rxb_chain_sg(rxb, chain),
					  chain, gfp);
	if (unlikely(err))
		virtnet_rxb_keep_chain(rxb, chain);

	return err;
}

/**
 * virtnet_rxb_get_chain() - take the next used chain from the device
 * @rxb: receive buffers of the queue, with chains
 * @len: set to the number of bytes that the device says it has written
 *
 * As virtnet_rxb_get(), with virtnet_rxb_chain_len() as the limit.
 *
 * Context: NAPI with a budget.
 * Ownership: ring to driver.
 * Return: the chain, or NULL if there is none.
 */
static inline struct virtnet_rxb_chain *
virtnet_rxb_get_chain(struct virtnet_rxb *rxb, unsigned int *len)
{
	struct virtnet_rxb_chains *chains = rxb->chains;
	struct virtnet_rxb_chain *chain = virtqueue_get_buf(rxb->vq, len);
	unsigned int left, size, i;

	if (!chain)
		return NULL;

	left = min(*len, virtnet_rxb_chain_len(chains)) + chains->offset -
	       chains->hdr_len;
	for (i = 0; left; i++) {
		size = min(left, VIRTNET_RXB_PIECE);
		virtnet_rxb_sync_for_cpu(rxb, chain->piece[i], size);
		left -= size;
	}

	return chain;
}

/**
 * virtnet_rxb_move() - move a buffer's content to a buffer of another pool
 * @rxb: receive buffers of the queue
 * @buf: first byte to copy
 * @len: bytes to copy; not 0 and at most PAGE_SIZE, or there is no copy
 * @pool: index of the pool
 * @truesize: set to the bytes that the copy takes
 *
 * All pages of an XDP frame must be from one pool, see &struct virtnet_rxb.
 * They are not when a frame spans the buffers before and after a change of
 * pools, which is rare enough to copy, or to drop if there is no page to copy
 * to.  Where large pages are not to be had, a pool of them that gets some back
 * is used in between: no new ones are asked for then.
 *
 * Context: NAPI with a budget.
 * Ownership: @buf goes to the layer, the copy to the driver; nothing changes on
 *	      error.
 * Return: the first byte of the copy, or NULL.
 */
static inline void *virtnet_rxb_move(struct virtnet_rxb *rxb, void *buf,
				     unsigned int len, unsigned int pool,
				     unsigned int *truesize)
{
	unsigned int size = ALIGN(len, VIRTNET_RXB_ALIGN);
	struct page *page;
	void *copy;

	if (unlikely(!len || len > PAGE_SIZE))
		return NULL;

	if (rxb->page && rxb->cur == pool && rxb->offset + size <= rxb->size) {
		copy = virtnet_rxb_alloc(rxb, size, 0);
	} else {
		page = virtnet_rxb_alloc_from(rxb, pool,
					      GFP_NOWAIT | __GFP_NOWARN);
		if (unlikely(!page))
			return NULL;
		copy = page_address(page);
		size = page_size(page);
	}

	memcpy(copy, buf, len);
	virtnet_rxb_put(buf, true);
	*truesize = size;

	return copy;
}

/**
 * virtnet_rxb_xdp_rxq() - RxQ info of an XDP frame
 * @rxb: receive buffers of the queue
 * @ctx: context of the first buffer of the frame
 *
 * Context: NAPI with a budget, interface up.
 * Return: the RxQ info that names the pool of the buffer.
 */
static inline struct xdp_rxq_info *virtnet_rxb_xdp_rxq(struct virtnet_rxb *rxb,
						       const void *ctx)
{
	return &rxb->pool[virtnet_rxb_pool(ctx)].xdp_rxq;
}

/**
 * virtnet_rxb_close_xdp() - take the RxQ infos of a queue away from XDP
 * @rxb: receive buffers of the queue
 *
 * The pools and their registered memory models stay.
 *
 * Context: process, NAPI off.
 */
static inline void virtnet_rxb_close_xdp(struct virtnet_rxb *rxb)
{
	unsigned int i;

	for (i = 0; i < rxb->nr_pools; i++) {
		struct xdp_rxq_info *rxq = &rxb->pool[i].xdp_rxq;

		if (!xdp_rxq_info_is_reg(rxq))
			continue;
		xdp_rxq_info_detach_mem_model(rxq);
		xdp_rxq_info_unreg(rxq);
	}
}

/**
 * virtnet_rxb_open_xdp() - make the RxQ infos of a queue known to XDP
 * @rxb: receive buffers of the queue
 * @napi: NAPI of the queue
 *
 * Only attaches the memory models.  They are registered as long as the pools
 * live: to register them on each open would use up an id of a system-wide range
 * each time.
 *
 * Context: process, NAPI off.
 * Return: 0 or a negative error, with nothing left registered.
 */
static inline int virtnet_rxb_open_xdp(struct virtnet_rxb *rxb,
				       const struct napi_struct *napi)
{
	unsigned int i;
	int err;

	for (i = 0; i < rxb->nr_pools; i++) {
		struct virtnet_rxb_pool *pool = &rxb->pool[i];

		err = xdp_rxq_info_reg(&pool->xdp_rxq, napi->dev,
				       virtnet_rxb_queue(rxb), napi->napi_id);
		if (err < 0) {
			virtnet_rxb_close_xdp(rxb);
			return err;
		}
		xdp_rxq_info_attach_page_pool(&pool->xdp_rxq, pool->pp);
	}

	return 0;
}

/**
 * virtnet_rxb_pool_size() - how many free pages a pool keeps
 * @ring_size: buffers in the ring
 * @order: order of the pool's pages
 *
 * What a full ring of 4 KB buffers takes: 1 MB for 256 buffers.  A reader that
 * empties a socket in one go gives back more: for that there are up to 4 MB of
 * large pages, in proportion to the ring.  The pool's allocation cache, up to
 * 128 pages that were freed in NAPI, comes on top.  What a pool has, it keeps
 * until the device is removed.
 *
 * Context: any.
 * Return: pages.
 */
static inline unsigned int virtnet_rxb_pool_size(unsigned int ring_size,
						 unsigned int order)
{
	unsigned int nr;

	nr = ring_size / (unsigned int)((PAGE_SIZE << order) / SZ_4K);
	if (order)
		nr = max(nr, min(ring_size / 2, VIRTNET_RXB_NR_LARGE));

	return max(nr, 32U);
}

/**
 * virtnet_rxb_at_home() - do the pools belong to their device?
 * @rxb: receive buffers of the queue
 * @dev: the device
 *
 * page_pool_netdevice_event() gives the pools of a device that leaves a network
 * namespace to the loopback device there.
 *
 * Context: process, under RTNL.
 * Return: false if the pools were left behind.
 */
static inline bool virtnet_rxb_at_home(const struct virtnet_rxb *rxb,
				       const struct net_device *dev)
{
	return !rxb->nr_pools || rxb->pool[0].pp->slow.netdev == dev;
}

/**
 * virtnet_rxb_add_pool() - create a page_pool that XDP can use
 * @rxb: receive buffers of the queue, with vq and dma_dev set
 * @napi: NAPI that netlink is to show with the pool
 * @order: order of the pages
 *
 * Pages are mapped DMA_FROM_DEVICE, and not synced by the pool, see
 * virtnet_rxb_fill_sg().  They are allocated on the node of the CPU that polls.
 *
 * What netlink shows is noted when a pool is created; the NAPI gets it later,
 * see virtnet_rxb_start().
 *
 * Context: process.
 * Return: 0 or a negative error.
 */
static inline int virtnet_rxb_add_pool(struct virtnet_rxb *rxb,
				       struct napi_struct *napi,
				       unsigned int order)
{
	unsigned int ring_size = virtqueue_get_vring_size(rxb->vq);
	const struct page_pool_params params = {
		.order = order,
		.pool_size = virtnet_rxb_pool_size(ring_size, order),
		.nid = NUMA_NO_NODE,
		.dev = rxb->dma_dev,
		.dma_dir = DMA_FROM_DEVICE,
		.napi = napi,
		.netdev = napi->dev,
		.queue_idx = virtnet_rxb_queue(rxb),
		.flags = rxb->dma_dev ? PP_FLAG_DMA_MAP : 0,
	};
	struct page_pool *pp;
	int err;

	pp = page_pool_create(&params);
	if (IS_ERR(pp))
		return PTR_ERR(pp);

	WRITE_ONCE(pp->p.napi, NULL);
	err = xdp_reg_page_pool(pp);
	if (err) {
		page_pool_destroy(pp);
		return err;
	}

	rxb->pool[rxb->nr_pools++].pp = pp;

	return 0;
}

/**
 * virtnet_rxb_max_pages() - how many bounced pages a queue may use
 * @ring_size: buffers in the ring
 * @nr_queues: receive queues of the device
 *
 * What a full ring of 4 KB buffers takes, and a share of what is there once for
 * all queues: as much again, and what a pool may keep in its allocation cache.
 * What the buffers of the ring do not need of that is for packets that the
 * stack holds.
 *
 * Context: any.
 * Return: pages, counted in pages of order 0.
 */
static inline unsigned int virtnet_rxb_max_pages(unsigned int ring_size,
						 unsigned int nr_queues)
{
	unsigned int ring = DIV_ROUND_UP(ring_size * SZ_4K, PAGE_SIZE);

	return ring + (ring + PP_ALLOC_CACHE_SIZE) / nr_queues;
}

/**
 * virtnet_rxb_raise_limit() - let packets have as much as buffers need
 * @rxb: receive buffers of the queue
 * @size: bytes of the buffers that the queue cannot do without
 *
 * A limit that those reach would have everything copied for ever.
 *
 * Context: process, before there are buffers.
 */
static inline void virtnet_rxb_raise_limit(struct virtnet_rxb *rxb,
					   unsigned int size)
{
	unsigned int pages = 2 * DIV_ROUND_UP(size, PAGE_SIZE);

	if (virtnet_rxb_limited(rxb))
		rxb->max_pages = max(rxb->max_pages, pages);
}

#ifdef CONFIG_PAGE_POOL_STATS
/**
 * virtnet_rxb_add_stats() - add the statistics of a queue's pools
 * @rxb: receive buffers of the queue
 * @stats: sum to add to
 *
 * Context: process, with the pools kept alive by the RTNL.
 */
static inline void virtnet_rxb_add_stats(const struct virtnet_rxb *rxb,
					 struct page_pool_stats *stats)
{
	unsigned int i;

	for (i = 0; i < rxb->nr_pools; i++)
		page_pool_get_stats(rxb->pool[i].pp, stats);
}
#endif

/**
 * virtnet_rxb_nr_pieces() - how many pieces a chain needs
 * @offset: first byte of the frame in the first piece
 * @len: bytes of the longest frame
 *
 * Context: any.
 * Return: the number, at most VIRTNET_RXB_MAX_PIECES.
 */
static inline unsigned int virtnet_rxb_nr_pieces(unsigned int offset,
						 unsigned int len)
{
	return min_t(unsigned int, VIRTNET_RXB_MAX_PIECES,
		     DIV_ROUND_UP(offset + len, VIRTNET_RXB_PIECE));
}

/**
 * virtnet_rxb_add_chains() - have the queue's buffers be chains
 * @rxb: receive buffers of the queue
 * @hdr_len: bytes of the virtio header
 * @offset: first byte of the frame in the first piece
 * @nr_pieces: pieces of each chain
 *
 * Context: process, before the device may use the ring.
 * Return: 0 or -ENOMEM.
 */
static inline int virtnet_rxb_add_chains(struct virtnet_rxb *rxb,
					 unsigned int hdr_len,
					 unsigned int offset,
					 unsigned int nr_pieces)
{
	unsigned int i, nr = virtqueue_get_vring_size(rxb->vq);
	struct virtnet_rxb_chains *chains;

	chains = kvzalloc(struct_size(chains, chain, nr), GFP_KERNEL);
	if (!chains)
		return -ENOMEM;

	chains->hdr_len = hdr_len;
	chains->offset = offset;
	chains->nr_pieces = nr_pieces;
	chains->nr = nr;
	rxb->chains = chains;
	virtnet_rxb_raise_limit(rxb, min(nr, VIRTNET_RXB_MIN_CHAINS) *
				     nr_pieces * VIRTNET_RXB_PIECE);
	for (i = 0; i < nr; i++)
		virtnet_rxb_keep_chain(rxb, &chains->chain[i]);

	return 0;
}

/**
 * virtnet_rxb_drop_chains() - do without the chains
 * @rxb: receive buffers of the queue; may have no chains
 *
 * Context: process.  All chains are back from the ring, NAPI is off.
 */
static inline void virtnet_rxb_drop_chains(struct virtnet_rxb *rxb)
{
	struct virtnet_rxb_chain *chain;

	if (!rxb->chains)
		return;

	for (chain = rxb->chains->unposted; chain; chain = chain->next)
		virtnet_rxb_strip_chain(chain);

	kvfree(rxb->chains);
	rxb->chains = NULL;
}

/**
 * virtnet_rxb_destroy() - destroy the pools of a queue
 * @rxb: receive buffers of the queue; may have no pools
 *
 * Pages that skbs and XDP frames hold come back later; each pool frees itself
 * with the last one.
 *
 * Context: process.  The ring is drained, and the device does not write to its
 *	    buffers any more; XDP is closed, and the NAPI off but not deleted,
 *	    unless virtnet_rxb_stop() or no virtnet_rxb_start() came before.
 *	    page_pool_destroy() unmaps every page.
 */
static inline void virtnet_rxb_destroy(struct virtnet_rxb *rxb)
{
	virtnet_rxb_drop_chains(rxb);
	virtnet_rxb_drop_spares(rxb);
	virtnet_rxb_retire_heads(rxb);
	virtnet_rxb_retire_page(rxb);

	while (rxb->nr_pools) {
		struct virtnet_rxb_pool *pool = &rxb->pool[--rxb->nr_pools];

		xdp_unreg_page_pool(pool->pp);
		page_pool_destroy(pool->pp);
		pool->pp = NULL;
	}
}

/**
 * virtnet_rxb_start() - give the pools to a NAPI
 * @rxb: receive buffers of the queue
 * @napi: NAPI that is going to poll the ring
 *
 * What skbs freed in that NAPI hold can then go to the pools' caches. New pools
 * do not have a NAPI, because they must not be destroyed with one that is on,
 * also not if only some of them could be created.
 *
 * Context: process, NAPI off.
 */
static inline void virtnet_rxb_start(struct virtnet_rxb *rxb,
				     struct napi_struct *napi)
{
	unsigned int i;

	for (i = 0; i < rxb->nr_pools; i++)
		WRITE_ONCE(rxb->pool[i].pp->p.napi, napi);
}

/**
 * virtnet_rxb_stop() - take the pools away from their NAPI
 * @rxb: receive buffers of the queue
 *
 * Context: process.  NAPI off, the ring drained, XDP closed.
 */
static inline void virtnet_rxb_stop(struct virtnet_rxb *rxb)
{
	unsigned int i;

	for (i = 0; i < rxb->nr_pools; i++)
		page_pool_disable_direct_recycling(rxb->pool[i].pp);
}

/**
 * virtnet_rxb_create() - create the pools of a queue
 * @rxb: receive buffers of the queue, zeroed
 * @vq: the ring
 * @napi: NAPI that is going to poll the ring, see virtnet_rxb_start()
 * @dma_dev: device to map pages for, or NULL to leave that to the ring
 *
 * With a device, virtqueue_set_dma_premapped() is the caller's: it can be done
 * but once, and not while there is something in the ring.
 *
 * Context: process.
 * Return: 0 or a negative error, with nothing left to destroy.
 */
static inline int virtnet_rxb_create(struct virtnet_rxb *rxb,
				     struct virtqueue *vq,
				     struct napi_struct *napi,
				     struct device *dma_dev)
{
	unsigned int ring_size = virtqueue_get_vring_size(vq);
	bool small_ring = ring_size < VIRTNET_RXB_SMALL_RING;
	bool bounced = virtnet_rxb_bounced(dma_dev);
	int err = 0;

	rxb->vq = vq;
	rxb->dma_dev = dma_dev;
	sg_init_table(&rxb->sg, 1);

	/* a small frame in a socket must not hold 32 KB of a bounce buffer */
	if (VIRTNET_RXB_LARGE_ORDER && (small_ring || !bounced))
		err = virtnet_rxb_add_pool(rxb, napi, VIRTNET_RXB_LARGE_ORDER);
	if (!err)
		err = virtnet_rxb_add_pool(rxb, napi, 0);
	if (err) {
		virtnet_rxb_destroy(rxb);
		return err;
	}
	if (!bounced)
		return 0;

	rxb->max_pages = virtnet_rxb_max_pages(ring_size,
					       napi->dev->num_rx_queues);
	if (small_ring)
		virtnet_rxb_raise_limit(rxb,
					ring_size * VIRTNET_RXB_LARGE_SIZE);

	return 0;
}

/**
 * virtnet_rxb_clone() - create pools like those that a queue has
 * @new: receive buffers to create, zeroed
 * @rxb: receive buffers of the queue
 * @napi: NAPI that is going to poll the ring, see virtnet_rxb_start()
 *
 * What follows the size of the ring is for the size that it has now.
 *
 * Context: process, also while the queue is live.
 * Return: 0 or a negative error, with nothing left to destroy.
 */
static inline int virtnet_rxb_clone(struct virtnet_rxb *new,
				    const struct virtnet_rxb *rxb,
				    struct napi_struct *napi)
{
	const struct virtnet_rxb_chains *chains = rxb->chains;
	int err;

	err = virtnet_rxb_create(new, rxb->vq, napi, rxb->dma_dev);
	if (err || !chains)
		return err;

	err = virtnet_rxb_add_chains(new, chains->hdr_len, chains->offset,
				     chains->nr_pieces);
	if (err)
		virtnet_rxb_destroy(new);

	return err;
}

/**
 * virtnet_rxb_recreate() - replace the pools of a queue
 * @rxb: receive buffers of the queue; may have no pools
 * @napi: NAPI that polls the ring
 *
 * A pool cannot be resized.  The new pools are created before the old ones are
 * given up: on error nothing changes.
 *
 * Context: process.  The ring is drained and empty, NAPI off, XDP closed.
 * Return: 0 or a negative error.
 */
static inline int virtnet_rxb_recreate(struct virtnet_rxb *rxb,
				       struct napi_struct *napi)
{
	struct virtnet_rxb *new;
	int err;

	if (!rxb->nr_pools)
		return 0;

	new = kzalloc(sizeof(*new), GFP_KERNEL);
	if (!new)
		return -ENOMEM;

	err = virtnet_rxb_clone(new, rxb, napi);
	if (!err) {
		virtnet_rxb_start(new, napi);
		virtnet_rxb_destroy(rxb);
		*rxb = *new;
	}
	kfree(new);

	return err;
}

#endif /* _VIRTIO_NET_RXBUF_H */
