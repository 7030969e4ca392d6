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
 *	skb or XDP frame	from the driver to the stack, which recycles it
 *
 * The driver knows a buffer by the address of its virtio header, which is
 * where the device starts to write, and by its context, which says what lies
 * around that address:
 *
 *	|<--------------------- truesize --------------------->|
 *	| headroom | virtio header, frame |  skb_shared_info   |
 *	           ^ buffer               ^ only if headroom is not 0
 */
#ifndef _VIRTIO_NET_RXBUF_H
#define _VIRTIO_NET_RXBUF_H

#include <linux/align.h>
#include <linux/cache.h>
#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>
#include <linux/skbuff.h>
#include <linux/skbuff_ref.h>
#include <linux/virtio.h>
#include <net/page_pool/helpers.h>
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

/* References taken on a page before it is cut: more than it can have buffers,
 * so that cutting one is no atomic operation.
 */
#define VIRTNET_RXB_PAGE_REFS	BIT(16)

/* Pages to allocate, after a large one could not be had, before memory is
 * searched for one again: a failed high-order allocation is expensive.
 */
#define VIRTNET_RXB_BACKOFF	64

#define VIRTNET_RXB_CTX_SHIFT	22
#define VIRTNET_RXB_CTX_MASK	(BIT(VIRTNET_RXB_CTX_SHIFT) - 1)

/**
 * struct virtnet_rxb_layout - where things are in a receive buffer
 * @headroom:	bytes before the virtio header, 0 for a buffer without room
 *		for an skb head
 * @len:	bytes that the device may write, virtio header included
 * @truesize:	bytes that the buffer takes from its page
 */
struct virtnet_rxb_layout {
	unsigned int headroom;
	unsigned int len;
	unsigned int truesize;
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
 * @backoff:	pages to allocate before trying hard for a large one again
 * @nr_pools:	pools in use: 0 if the queue has none, else the last one has
 *		order-0 pages
 * @pool:	where pages come from, most wanted first
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
	unsigned int backoff;
	unsigned int nr_pools;
	struct virtnet_rxb_pool pool[2];
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
 * virtnet_rxb_first_order() - order of the pages that a queue wants most
 * @dma_dev: device that pages are mapped for, or NULL
 *
 * A page stays mapped as long as an skb holds one of its buffers.  Where memory
 * is bounced, as in a confidential VM or by VDUSE, a mapping is a piece of a
 * limited area that others need too: a small frame in a socket must not hold
 * 32 KB of it.  Such devices have a limit to the size of a mapping.
 *
 * Context: any.
 * Return: the order.
 */
static inline unsigned int virtnet_rxb_first_order(struct device *dma_dev)
{
	if (dma_dev && dma_max_mapping_size(dma_dev) != SIZE_MAX)
		return 0;

	return VIRTNET_RXB_LARGE_ORDER;
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
 * @headroom: bytes before the virtio header, 0 for a buffer that ends up as
 *	      an skb fragment
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
 * virtnet_rxb_ctx() - pack what must be known of a buffer when it comes back
 * @l: layout of the buffer
 *
 * Context: any.
 * Return: the context to give to the ring.
 */
static inline void *virtnet_rxb_ctx(const struct virtnet_rxb_layout *l)
{
	return (void *)((unsigned long)l->headroom << VIRTNET_RXB_CTX_SHIFT |
			l->truesize);
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
	return (unsigned long)ctx >> VIRTNET_RXB_CTX_SHIFT;
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
	return (unsigned long)ctx & VIRTNET_RXB_CTX_MASK;
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
 * virtnet_rxb_pp() - the page_pool that a buffer belongs to
 * @buf: any address in the buffer
 *
 * Context: any, while the caller owns the buffer.
 * Return: the pool.
 */
static inline struct page_pool *virtnet_rxb_pp(const void *buf)
{
	return virt_to_head_page(buf)->pp;
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
 * virtnet_rxb_retire_page() - stop cutting buffers from the current page
 * @rxb: receive buffers of the queue
 *
 * Context: the one that allocates: NAPI, or process with NAPI off.
 * Ownership: the references that no buffer has taken go back; the page itself
 *	      goes with its last buffer.
 */
static inline void virtnet_rxb_retire_page(struct virtnet_rxb *rxb)
{
	struct page *page = rxb->page;

	if (!page)
		return;

	rxb->page = NULL;
	rxb->size = 0;
	if (!page_pool_unref_page(page, VIRTNET_RXB_PAGE_REFS - rxb->users))
		page_pool_put_unrefed_page(page->pp, page, -1, false);
}

/**
 * virtnet_rxb_alloc_large() - get a page from the pool of large ones
 * @rxb: receive buffers of the queue, with two pools
 * @gfp: how hard to try; reclaim is not worth it
 *
 * While backing off, a page that the pool has or that the page allocator has at
 * hand is still taken.
 *
 * Context: the one that allocates: NAPI, or process with NAPI off.
 * Return: the page, or NULL, which is normal.
 */
static inline struct page *virtnet_rxb_alloc_large(struct virtnet_rxb *rxb,
						   gfp_t gfp)
{
	struct page *page;

	gfp &= ~__GFP_DIRECT_RECLAIM;
	if (rxb->backoff) {
		rxb->backoff--;
		gfp = 0;
	}

	page = page_pool_alloc_pages(rxb->pool[0].pp,
				     gfp | __GFP_NOWARN | __GFP_NORETRY);
	if (unlikely(!page) && !rxb->backoff)
		rxb->backoff = VIRTNET_RXB_BACKOFF;

	return page;
}

/**
 * virtnet_rxb_alloc_page() - get a page from the first pool that has one
 * @rxb: receive buffers of the queue
 * @gfp: how hard to try
 *
 * net.core.high_order_alloc_disable is not visible to modules, so it is not
 * honoured.
 *
 * Context: the one that allocates: NAPI, or process with NAPI off.
 * Return: the page, or NULL if there is no memory or no DMA mapping.
 */
static inline struct page *virtnet_rxb_alloc_page(struct virtnet_rxb *rxb,
						  gfp_t gfp)
{
	if (WARN_ON_ONCE(!rxb->nr_pools))
		return NULL;

	if (rxb->nr_pools > 1) {
		struct page *page = virtnet_rxb_alloc_large(rxb, gfp);

		if (page)
			return page;
	}

	return page_pool_alloc_pages(rxb->pool[rxb->nr_pools - 1].pp, gfp);
}

/**
 * virtnet_rxb_next_page() - start cutting buffers from a new page
 * @rxb: receive buffers of the queue
 * @gfp: how hard to try
 *
 * Without a new page the old one stays: what is left of it may still do for a
 * smaller buffer.
 *
 * Context: the one that allocates: NAPI, or process with NAPI off.
 * Return: false if there is no memory.
 */
static inline bool virtnet_rxb_next_page(struct virtnet_rxb *rxb, gfp_t gfp)
{
	struct page *page = virtnet_rxb_alloc_page(rxb, gfp);

	if (unlikely(!page))
		return false;

	virtnet_rxb_retire_page(rxb);
	page_pool_fragment_page(page, VIRTNET_RXB_PAGE_REFS);
	rxb->page = page;
	rxb->size = page_size(page);
	rxb->offset = 0;
	rxb->users = 0;

	return true;
}

/**
 * virtnet_rxb_alloc() - cut a buffer
 * @rxb: receive buffers of the queue
 * @size: bytes, a multiple of VIRTNET_RXB_ALIGN and at most PAGE_SIZE
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

	if (rxb->offset + size > rxb->size && !virtnet_rxb_next_page(rxb, gfp))
		return NULL;

	buf = page_address(rxb->page) + rxb->offset;
	rxb->offset += size;
	rxb->users++;

	return buf;
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

	if (l->headroom || rest >= l->truesize)
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
 * @sg: entry to fill
 * @buf: address of the virtio header
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
		sg_init_one(sg, buf, len);
		return;
	}

	addr = virtnet_rxb_dma_addr(buf);
	dma_sync_single_for_device(rxb->dma_dev, addr, len, DMA_FROM_DEVICE);
	sg_init_table(sg, 1);
	sg_dma_address(sg) = addr;
	sg->length = len;
}

/**
 * virtnet_rxb_post() - give a new buffer to the device
 * @rxb: receive buffers of the queue
 * @l: layout of the buffer, enlarged if the buffer takes the end of its page
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
				   struct virtnet_rxb_layout *l, gfp_t gfp)
{
	struct scatterlist sg;
	void *buf;
	int err;

	buf = virtnet_rxb_alloc(rxb, l->truesize, gfp);
	if (unlikely(!buf))
		return -ENOMEM;

	virtnet_rxb_take_rest(rxb, l);
	buf += l->headroom;
	virtnet_rxb_fill_sg(rxb, &sg, buf, l->len);

	err = virtqueue_add_inbuf_ctx(rxb->vq, &sg, 1, buf,
				      virtnet_rxb_ctx(l), gfp);
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
 * dma_dev_need_sync() is asked here only to spare the address calculation.
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

	if (buf && rxb->dma_dev && dma_dev_need_sync(rxb->dma_dev))
		dma_sync_single_for_cpu(rxb->dma_dev,
					virtnet_rxb_dma_addr(buf),
					min(*len, virtnet_rxb_max_len(*ctx)),
					DMA_FROM_DEVICE);

	return buf;
}

/**
 * virtnet_rxb_move() - move a buffer's content to a buffer of another pool
 * @rxb: receive buffers of the queue
 * @buf: first byte to copy
 * @len: bytes to copy, at most PAGE_SIZE
 * @pp: the pool
 * @truesize: set to the bytes that the copy takes
 *
 * All pages of an XDP frame must be from one pool, see &struct virtnet_rxb.
 * They are not when a frame spans the buffers before and after a change of
 * pools, which is rare enough to copy, or to drop if there is no page to copy
 * to.
 *
 * Context: NAPI with a budget.
 * Ownership: @buf goes to the layer, the copy to the driver; nothing changes on
 *	      error.
 * Return: the first byte of the copy, or NULL.
 */
static inline void *virtnet_rxb_move(struct virtnet_rxb *rxb, void *buf,
				     unsigned int len, struct page_pool *pp,
				     unsigned int *truesize)
{
	unsigned int size = ALIGN(len, VIRTNET_RXB_ALIGN);
	struct page *page;
	void *copy;

	if (rxb->page && rxb->page->pp == pp &&
	    rxb->offset + size <= rxb->size) {
		copy = virtnet_rxb_alloc(rxb, size, 0);
	} else {
		page = page_pool_alloc_pages(pp, GFP_NOWAIT | __GFP_NOWARN);
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
 * @buf: any address in the first buffer of the frame
 *
 * Context: NAPI with a budget, interface up.
 * Return: the RxQ info that names the pool of @buf.
 */
static inline struct xdp_rxq_info *
virtnet_rxb_xdp_rxq(struct virtnet_rxb *rxb, const void *buf)
{
	return &rxb->pool[virtnet_rxb_pp(buf) != rxb->pool[0].pp].xdp_rxq;
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
 * What a full ring of 4 KB buffers takes: 1 MB for 256 buffers.  The pool's
 * allocation cache, up to 128 pages that were freed in NAPI, comes on top: 4 MB
 * of order 3.  What a pool has, it keeps until the device is removed.
 *
 * Context: any.
 * Return: pages.
 */
static inline unsigned int virtnet_rxb_pool_size(unsigned int ring_size,
						 unsigned int order)
{
	return max(ring_size / (unsigned int)((PAGE_SIZE << order) / SZ_4K),
		   32U);
}

/**
 * virtnet_rxb_add_pool() - create a page_pool that XDP can use
 * @rxb: receive buffers of the queue, with vq and dma_dev set
 * @napi: NAPI that consumes the pages
 * @order: order of the pages
 *
 * Pages are mapped DMA_FROM_DEVICE, and not synced by the pool, see
 * virtnet_rxb_fill_sg().  They are allocated on the node of the CPU that polls.
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
		.napi = napi,
		.dma_dir = DMA_FROM_DEVICE,
		.netdev = napi->dev,
		.queue_idx = virtnet_rxb_queue(rxb),
		.flags = rxb->dma_dev ? PP_FLAG_DMA_MAP : 0,
	};
	struct page_pool *pp;
	int err;

	pp = page_pool_create(&params);
	if (IS_ERR(pp))
		return PTR_ERR(pp);

	err = xdp_reg_page_pool(pp);
	if (err) {
		page_pool_destroy(pp);
		return err;
	}

	rxb->pool[rxb->nr_pools++].pp = pp;

	return 0;
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
 * virtnet_rxb_destroy() - destroy the pools of a queue
 * @rxb: receive buffers of the queue; may have no pools
 *
 * Pages that skbs and XDP frames hold come back later; each pool frees itself
 * with the last one.
 *
 * Context: process.  The device is reset, the ring drained, NAPI off but not
 *	    deleted, XDP closed: page_pool_destroy() unmaps every page.
 */
static inline void virtnet_rxb_destroy(struct virtnet_rxb *rxb)
{
	virtnet_rxb_retire_page(rxb);

	while (rxb->nr_pools) {
		struct virtnet_rxb_pool *pool = &rxb->pool[--rxb->nr_pools];

		xdp_unreg_page_pool(pool->pp);
		page_pool_destroy(pool->pp);
		pool->pp = NULL;
	}
}

/**
 * virtnet_rxb_create() - create the pools of a queue
 * @rxb: receive buffers of the queue, zeroed
 * @vq: the ring, empty
 * @napi: NAPI that polls the ring
 * @dma_dev: device to map pages for, or NULL to leave that to the ring
 *
 * Context: process, before the device may use the ring.
 * Return: 0 or a negative error, with nothing left to destroy.
 */
static inline int virtnet_rxb_create(struct virtnet_rxb *rxb,
				     struct virtqueue *vq,
				     struct napi_struct *napi,
				     struct device *dma_dev)
{
	unsigned int order = virtnet_rxb_first_order(dma_dev);
	int err;

	rxb->vq = vq;
	rxb->dma_dev = dma_dev;

	err = virtnet_rxb_add_pool(rxb, napi, order);
	if (!err && order)
		err = virtnet_rxb_add_pool(rxb, napi, 0);
	if (err)
		goto err_destroy;

	err = dma_dev ? virtqueue_set_dma_premapped(vq) : 0;
	if (err)
		goto err_destroy;

	return 0;

err_destroy:
	virtnet_rxb_destroy(rxb);
	return err;
}

/**
 * virtnet_rxb_recreate() - replace the pools of a queue after a resize
 * @rxb: receive buffers of the queue; may have no pools
 * @napi: NAPI that polls the ring
 *
 * A pool cannot be resized.  The new pools are created before the old ones are
 * given up: on error nothing changes.
 *
 * Context: process.  The ring is drained and empty, NAPI off.
 * Return: 0 or a negative error.
 */
static inline int virtnet_rxb_recreate(struct virtnet_rxb *rxb,
				       struct napi_struct *napi)
{
	struct virtnet_rxb new = {};
	bool open;
	int err;

	if (!rxb->nr_pools)
		return 0;

	err = virtnet_rxb_create(&new, rxb->vq, napi, rxb->dma_dev);
	if (err)
		return err;

	open = xdp_rxq_info_is_reg(&rxb->pool[0].xdp_rxq);
	virtnet_rxb_close_xdp(rxb);
	virtnet_rxb_destroy(rxb);
	*rxb = new;

	return open ? virtnet_rxb_open_xdp(rxb, napi) : 0;
}

#endif /* _VIRTIO_NET_RXBUF_H */
