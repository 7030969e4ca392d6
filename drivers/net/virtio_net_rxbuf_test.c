// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * KUnit tests of the layer that owns virtio_net's receive buffers: layouts,
 * the limits that a device's lengths are held against, and the references to
 * the pages that buffers are cut from.
 */
#include <kunit/test.h>

#include "virtio_net_rxbuf.h"

/* What virtio_net asks for: a header of 10, 12 or 20 bytes, headroom for an
 * skb with and without that of XDP, or none.
 */
static const unsigned int hdr_lens[] = { 10, 12, 20 };
static const unsigned int mtus[] = { 68, 1280, 1500, 9000, 65535 };
static const unsigned int page_sizes[] = { SZ_4K, SZ_16K, SZ_64K };

static struct page_pool *pool_of(const void *buf)
{
	return virt_to_head_page(buf)->pp;
}

static void layout_check(struct kunit *test,
			 const struct virtnet_rxb_layout *l)
{
	void *ctx = virtnet_rxb_ctx(l);

	KUNIT_EXPECT_TRUE(test, IS_ALIGNED(l->truesize, VIRTNET_RXB_ALIGN));
	KUNIT_EXPECT_LE(test, l->len + virtnet_rxb_room(l->headroom),
			l->truesize);
	KUNIT_EXPECT_EQ(test, virtnet_rxb_headroom(ctx), l->headroom);
	KUNIT_EXPECT_EQ(test, virtnet_rxb_truesize(ctx), l->truesize);
	KUNIT_EXPECT_GE(test, virtnet_rxb_max_len(ctx), l->len);
	/* build_skb() finds its skb_shared_info behind all that is received */
	if (l->headroom)
		KUNIT_EXPECT_LE(test, l->headroom + virtnet_rxb_max_len(ctx),
				SKB_WITH_OVERHEAD(l->truesize));
}

static void small_layout_test(struct kunit *test)
{
	const unsigned int pad = NET_IP_ALIGN + NET_SKB_PAD;
	const unsigned int headrooms[] = { pad, pad + XDP_PACKET_HEADROOM };
	unsigned int h, i;

	for (h = 0; h < ARRAY_SIZE(hdr_lens); h++) {
		for (i = 0; i < ARRAY_SIZE(headrooms); i++) {
			unsigned int len = hdr_lens[h] + VLAN_ETH_FRAME_LEN;
			struct virtnet_rxb_layout l;

			l = virtnet_rxb_small_layout(headrooms[i], len);
			layout_check(test, &l);
			KUNIT_EXPECT_EQ(test, l.len, len);
			KUNIT_EXPECT_LT(test, l.truesize,
					headrooms[i] + len +
					VIRTNET_RXB_TAILROOM +
					2 * VIRTNET_RXB_ALIGN);
		}
	}
}

static void mergeable_layout_one(struct kunit *test, unsigned int headroom,
				 unsigned int want, unsigned int page_size)
{
	unsigned int room = virtnet_rxb_room(headroom);
	struct virtnet_rxb_layout l;

	l = virtnet_rxb_mergeable_layout(headroom, want, page_size);
	layout_check(test, &l);
	KUNIT_EXPECT_LE(test, l.truesize, page_size);
	KUNIT_EXPECT_EQ(test, l.len, l.truesize - room);
	KUNIT_EXPECT_EQ(test, virtnet_rxb_max_len(virtnet_rxb_ctx(&l)), l.len);
	if (want + room <= page_size)
		KUNIT_EXPECT_GE(test, l.len, want);
	/* nothing is wasted but what alignment needs */
	KUNIT_EXPECT_LT(test, l.len, want + VIRTNET_RXB_ALIGN);
}

static void mergeable_layout_test(struct kunit *test)
{
	unsigned int h, m, p;

	for (h = 0; h < ARRAY_SIZE(hdr_lens); h++) {
		for (m = 0; m < ARRAY_SIZE(mtus); m++) {
			unsigned int want = hdr_lens[h] + VLAN_ETH_HLEN +
					    mtus[m];

			for (p = 0; p < ARRAY_SIZE(page_sizes); p++) {
				mergeable_layout_one(test, 0, want,
						     page_sizes[p]);
				mergeable_layout_one(test, XDP_PACKET_HEADROOM,
						     want, page_sizes[p]);
			}
		}
	}
}

/* The point of fragments: a 64K page is not spent on one frame. */
static void density_test(struct kunit *test)
{
	unsigned int want = 12 + VLAN_ETH_FRAME_LEN;
	struct virtnet_rxb_layout l;

	l = virtnet_rxb_mergeable_layout(0, want, SZ_64K);
	KUNIT_EXPECT_GE(test, SZ_64K / l.truesize, 40U);
	l = virtnet_rxb_mergeable_layout(XDP_PACKET_HEADROOM, want, SZ_64K);
	KUNIT_EXPECT_GE(test, SZ_64K / l.truesize, 24U);
	KUNIT_EXPECT_GE(test, VIRTNET_RXB_LARGE_SIZE / l.truesize, 12U);
}

static void ctx_test(struct kunit *test)
{
	unsigned int headroom;

	for (headroom = 0; headroom < 1024; headroom++) {
		struct virtnet_rxb_layout l = {
			.headroom = headroom,
			.truesize = VIRTNET_RXB_CTX_TRUESIZE - headroom,
			.origin = virtnet_rxb_origin(headroom & 1,
						     headroom & 2),
		};
		void *ctx = virtnet_rxb_ctx(&l);

		KUNIT_ASSERT_EQ(test, virtnet_rxb_headroom(ctx), headroom);
		KUNIT_ASSERT_EQ(test, virtnet_rxb_truesize(ctx), l.truesize);
		KUNIT_ASSERT_EQ(test, virtnet_rxb_pool(ctx), headroom & 1);
		KUNIT_ASSERT_EQ(test, virtnet_rxb_ctx_kept(ctx) == ctx,
				!(headroom & 2));
		l.origin = virtnet_rxb_origin(headroom & 1, false);
		KUNIT_ASSERT_PTR_EQ(test, virtnet_rxb_ctx_kept(ctx),
				    (const void *)virtnet_rxb_ctx(&l));
	}
}

static void take_rest_test(struct kunit *test)
{
	struct virtnet_rxb_layout l = { .len = 1536, .truesize = 1536 };
	const unsigned int end = PAGE_SIZE << VIRTNET_RXB_LARGE_ORDER;
	struct virtnet_rxb rxb = { .size = end };
	unsigned int size;

	/* room for another: left alone */
	rxb.offset = end - 1536;
	virtnet_rxb_take_rest(&rxb, &l);
	KUNIT_EXPECT_EQ(test, l.truesize, 1536U);
	KUNIT_EXPECT_EQ(test, rxb.offset, end - 1536);

	/* the device gets what would be lost, and it is accounted for */
	rxb.offset = end - 512;
	virtnet_rxb_take_rest(&rxb, &l);
	KUNIT_EXPECT_EQ(test, l.truesize, 2048U);
	KUNIT_EXPECT_EQ(test, l.len, 2048U);
	KUNIT_EXPECT_EQ(test, rxb.offset, end);

	/* nothing is larger than XDP can take */
	l.len = PAGE_SIZE - 64;
	l.truesize = PAGE_SIZE - 64;
	rxb.offset = end - 512;
	virtnet_rxb_take_rest(&rxb, &l);
	KUNIT_EXPECT_EQ(test, l.truesize, (unsigned int)PAGE_SIZE);

	/* larger than a page already, for a very small ring */
	l.len = 2 * PAGE_SIZE;
	l.truesize = 2 * PAGE_SIZE;
	rxb.offset = end - SZ_4K;
	virtnet_rxb_take_rest(&rxb, &l);
	KUNIT_EXPECT_EQ(test, l.truesize, (unsigned int)(2 * PAGE_SIZE));

	/* a tailroom stays where it is */
	l = virtnet_rxb_mergeable_layout(XDP_PACKET_HEADROOM, 1530, PAGE_SIZE);
	size = l.truesize;
	rxb.offset = end - 512;
	virtnet_rxb_take_rest(&rxb, &l);
	KUNIT_EXPECT_EQ(test, l.truesize, size);
	KUNIT_EXPECT_EQ(test, l.len, size - virtnet_rxb_room(l.headroom));
}

static void pool_size_test(struct kunit *test)
{
	unsigned int ring, order;

	for (ring = 1; ring <= 32768; ring *= 2) {
		for (order = 0; order <= 3; order++) {
			unsigned int size = virtnet_rxb_pool_size(ring, order);

			KUNIT_EXPECT_GE(test, size, 32U);
			KUNIT_EXPECT_LE(test, size,
					max(ring, VIRTNET_RXB_NR_LARGE));
			KUNIT_EXPECT_GE(test, size * (PAGE_SIZE << order),
					(size_t)ring * SZ_4K);
		}
	}
}

/* Each queue can fill its ring, and all that is beyond that is shared. */
static void max_pages_test(struct kunit *test)
{
	unsigned int nr;

	for (nr = 1; nr <= 64; nr *= 2) {
		unsigned int max = virtnet_rxb_max_pages(256, nr);
		unsigned int ring = 256 * SZ_4K / PAGE_SIZE;

		KUNIT_EXPECT_GE(test, max, ring);
		KUNIT_EXPECT_LE(test, nr * (max - ring),
				ring + PP_ALLOC_CACHE_SIZE);
		KUNIT_EXPECT_GE(test, nr * (max - ring + 1),
				ring + PP_ALLOC_CACHE_SIZE);
	}
}

static struct page_pool *test_pool(struct kunit *test, unsigned int order)
{
	const struct page_pool_params params = {
		.order = order,
		.pool_size = 32,
		.nid = NUMA_NO_NODE,
	};
	struct page_pool *pp = page_pool_create(&params);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pp);

	return pp;
}

static int rxb_init(struct kunit *test)
{
	struct virtnet_rxb *rxb;

	rxb = kunit_kzalloc(test, sizeof(*rxb), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, rxb);
	test->priv = rxb;
	if (VIRTNET_RXB_LARGE_ORDER)
		rxb->pool[rxb->nr_pools++].pp =
			test_pool(test, VIRTNET_RXB_LARGE_ORDER);
	rxb->pool[rxb->nr_pools++].pp = test_pool(test, 0);

	return 0;
}

static void rxb_exit(struct kunit *test)
{
	struct virtnet_rxb *rxb = test->priv;

	if (!rxb)
		return;

	virtnet_rxb_drop_spares(rxb);
	virtnet_rxb_retire_heads(rxb);
	virtnet_rxb_retire_page(rxb);
	while (rxb->nr_pools)
		page_pool_destroy(rxb->pool[--rxb->nr_pools].pp);
}

static struct page_pool *small_pool(const struct virtnet_rxb *rxb)
{
	return rxb->pool[rxb->nr_pools - 1].pp;
}

/* Where PAGE_SIZE is large, a queue has one pool. */
static void need_two_pools(struct kunit *test)
{
	struct virtnet_rxb *rxb = test->priv;

	if (rxb->nr_pools < 2)
		kunit_skip(test, "all pages are large");
}

static long page_refs(struct page *page)
{
	return atomic_long_read(&page->pp_ref_count);
}

/* Buffers follow each other, do not overlap, and fill the page. */
static void cut_test(struct kunit *test)
{
	struct virtnet_rxb *rxb = test->priv;
	const unsigned int size = 2048;
	struct page *page = NULL;
	void *first = NULL;
	unsigned int n;

	for (n = 0; n < (PAGE_SIZE << VIRTNET_RXB_LARGE_ORDER) / size; n++) {
		void *buf = virtnet_rxb_alloc(rxb, size, GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, buf);
		if (!n) {
			first = buf;
			page = rxb->page;
		}
		KUNIT_EXPECT_PTR_EQ(test, rxb->page, page);
		KUNIT_EXPECT_PTR_EQ(test, buf, first + n * size);
		KUNIT_EXPECT_PTR_EQ(test, pool_of(buf), rxb->pool[0].pp);
	}
	KUNIT_EXPECT_EQ(test, rxb->offset, rxb->size);
	KUNIT_EXPECT_EQ(test, page_refs(page), (long)VIRTNET_RXB_PAGE_REFS);

	/* what no buffer has taken goes back, each buffer keeps one */
	virtnet_rxb_retire_page(rxb);
	KUNIT_EXPECT_NULL(test, rxb->page);
	KUNIT_EXPECT_EQ(test, page_refs(page), (long)n);

	while (n > 1) {
		virtnet_rxb_put(first + --n * size, false);
		KUNIT_EXPECT_EQ(test, page_refs(page), (long)n);
	}
	virtnet_rxb_put(first, false);
}

/* Heads fill pages of order 0, not those that buffers are cut from. */
static void head_test(struct kunit *test)
{
	struct virtnet_rxb *rxb = test->priv;
	unsigned int n, nr = PAGE_SIZE / 768;
	void *first = NULL, *other;
	struct page *page;

	for (n = 0; n < nr; n++) {
		void *head = virtnet_rxb_alloc_head(rxb, 768, GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, head);
		if (!n)
			first = head;
		KUNIT_EXPECT_PTR_EQ(test, head, first + n * 768);
		KUNIT_EXPECT_PTR_EQ(test, pool_of(head), small_pool(rxb));
	}
	KUNIT_EXPECT_NULL(test, rxb->page);
	page = rxb->head_page;
	KUNIT_EXPECT_EQ(test, page_size(page), PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, page_refs(page), (long)VIRTNET_RXB_PAGE_REFS);

	/* the next one does not fit: each head keeps the page by itself */
	other = virtnet_rxb_alloc_head(rxb, 768, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, other);
	KUNIT_EXPECT_PTR_NE(test, rxb->head_page, page);
	KUNIT_EXPECT_EQ(test, page_refs(page), (long)nr);
	while (n > 1) {
		virtnet_rxb_put(first + --n * 768, false);
		KUNIT_EXPECT_EQ(test, page_refs(page), (long)n);
	}
	virtnet_rxb_put(first, false);
	virtnet_rxb_put(other, false);
}

/* No buffer reaches beyond its page: not by a cache line either, which is what
 * one more of these sizes would need.
 */
static void page_end_test(struct kunit *test)
{
	const unsigned int sizes[] = { 1216, 3648 };
	struct virtnet_rxb *rxb = test->priv;
	unsigned int i, n;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (n = 0; n < 64; n++) {
			void *buf = virtnet_rxb_alloc(rxb, sizes[i],
						      GFP_KERNEL);
			void *last = buf + sizes[i] - 1;

			KUNIT_ASSERT_NOT_NULL(test, buf);
			KUNIT_EXPECT_LE(test, rxb->offset, rxb->size);
			KUNIT_EXPECT_PTR_EQ(test, virt_to_head_page(last),
					    virt_to_head_page(buf));
			virtnet_rxb_put(buf, false);
		}
	}
}

/* A buffer put while its page is still being cut does not free the page. */
static void put_early_test(struct kunit *test)
{
	struct virtnet_rxb *rxb = test->priv;
	void *a, *b;

	a = virtnet_rxb_alloc(rxb, 1536, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, a);
	virtnet_rxb_put(a, false);
	b = virtnet_rxb_alloc(rxb, 1536, GFP_KERNEL);
	KUNIT_EXPECT_PTR_EQ(test, b, a + 1536);
	KUNIT_EXPECT_EQ(test, page_refs(rxb->page),
			(long)VIRTNET_RXB_PAGE_REFS - 1);
	virtnet_rxb_put(b, false);
	KUNIT_EXPECT_EQ(test, page_refs(rxb->page),
			(long)VIRTNET_RXB_PAGE_REFS - 2);
}

/* Without large pages the queue goes on with small ones. */
static void fallback_test(struct kunit *test)
{
	struct virtnet_rxb *rxb = test->priv;
	struct virtnet_rxb *small;
	void *buf;

	small = kunit_kzalloc(test, sizeof(*small), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, small);
	small->nr_pools = 1;
	small->pool[0].pp = small_pool(rxb);

	buf = virtnet_rxb_alloc(small, PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, buf);
	KUNIT_EXPECT_EQ(test, small->size, (unsigned int)PAGE_SIZE);
	KUNIT_EXPECT_PTR_EQ(test, pool_of(buf), small_pool(rxb));
	virtnet_rxb_put(buf, false);
	virtnet_rxb_retire_page(small);
}

/* Large pages are done without for a while, and then asked for again. */
static void ask_large_test(struct kunit *test)
{
	struct virtnet_rxb *rxb = test->priv;
	void *buf;

	need_two_pools(test);

	rxb->large = false;
	rxb->ask_large = 1;
	buf = virtnet_rxb_alloc(rxb, PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, buf);
	KUNIT_EXPECT_PTR_EQ(test, pool_of(buf), rxb->pool[1].pp);
	virtnet_rxb_put(buf, false);

	buf = virtnet_rxb_alloc(rxb, PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, buf);
	KUNIT_EXPECT_PTR_EQ(test, pool_of(buf), rxb->pool[0].pp);
	KUNIT_EXPECT_TRUE(test, rxb->large);
	KUNIT_EXPECT_EQ(test, rxb->ask_large, VIRTNET_RXB_ASK_LATE - 1U);
	virtnet_rxb_put(buf, false);
}

/* Large pages that came back are used when no others are to be had. */
static void large_kept_test(struct kunit *test)
{
	struct virtnet_rxb *rxb = test->priv;
	struct page *large;
	void *a, *b;

	need_two_pools(test);

	rxb->large = true;
	rxb->ask_large = 8;
	a = virtnet_rxb_alloc(rxb, PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, a);
	KUNIT_ASSERT_EQ(test, rxb->cur, 0U);
	large = rxb->page;
	virtnet_rxb_put(a, false);
	virtnet_rxb_retire_page(rxb);

	rxb->large = false;
	a = virtnet_rxb_alloc(rxb, PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, a);
	KUNIT_EXPECT_PTR_EQ(test, rxb->page, large);

	/* and then there are none */
	virtnet_rxb_retire_page(rxb);
	b = virtnet_rxb_alloc(rxb, PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, b);
	KUNIT_EXPECT_EQ(test, rxb->cur, 1U);
	virtnet_rxb_put(a, false);
	virtnet_rxb_put(b, false);
}

/* Without a large page, a buffer of more than PAGE_SIZE becomes smaller. */
static void shrink_test(struct kunit *test)
{
	struct virtnet_rxb *rxb = test->priv;
	struct virtnet_rxb_layout l;
	void *large, *buf;

	need_two_pools(test);

	l = virtnet_rxb_mergeable_layout(0, 2 * PAGE_SIZE, 2 * PAGE_SIZE);
	large = virtnet_rxb_next(rxb, &l, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, large);
	KUNIT_EXPECT_EQ(test, l.len, (unsigned int)(2 * PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, l.origin, virtnet_rxb_origin(0, false));
	virtnet_rxb_retire_page(rxb);

	rxb->large = false;
	rxb->ask_large = 8;
	buf = virtnet_rxb_next(rxb, &l, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, buf);
	KUNIT_EXPECT_EQ(test, l.len, (unsigned int)PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, l.truesize, (unsigned int)PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, l.origin, virtnet_rxb_origin(1, false));
	KUNIT_EXPECT_EQ(test, rxb->size, (unsigned int)PAGE_SIZE);
	virtnet_rxb_put(buf, false);
	virtnet_rxb_put(large, false);
}

/* Buffers of more than a page are for packets of many pages, and only as long
 * as they need not be cut down.
 */
static void max_size_test(struct kunit *test)
{
	const unsigned int bulk = VIRTNET_RXB_BULK_LEN + 1;
	struct virtnet_rxb *rxb = test->priv;

	rxb->large = false;
	KUNIT_EXPECT_EQ(test, virtnet_rxb_max_size(rxb, bulk),
			(unsigned int)PAGE_SIZE);
	rxb->large = true;
	KUNIT_EXPECT_EQ(test, virtnet_rxb_max_size(rxb, bulk),
			max_t(unsigned int, SZ_8K, PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, virtnet_rxb_max_size(rxb, bulk - 1),
			(unsigned int)PAGE_SIZE);
}

/* Are there pages that hold a buffer of so many bytes? */
static bool fit_possible(unsigned int size)
{
	return size <= PAGE_SIZE << VIRTNET_RXB_LARGE_ORDER;
}

/* A buffer of so many bytes with data in it */
static void *fit_buf(struct kunit *test, unsigned int size, unsigned int len,
		     void **ctx)
{
	struct virtnet_rxb *rxb = test->priv;
	struct virtnet_rxb_layout l;
	void *buf;

	l = virtnet_rxb_mergeable_layout(0, size, size);
	buf = virtnet_rxb_next(rxb, &l, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, buf);
	KUNIT_ASSERT_GE(test, l.truesize, len);
	*ctx = virtnet_rxb_ctx(&l);
	memset(buf, 0x5a, len);

	return buf;
}

static void fit_check(struct kunit *test, unsigned int size, unsigned int len,
		      bool copied)
{
	struct virtnet_rxb *rxb = test->priv;
	unsigned int truesize;
	void *buf, *data, *ctx;

	if (!fit_possible(size))
		return;

	buf = fit_buf(test, size, len, &ctx);
	data = virtnet_rxb_fit(rxb, buf, ctx, len, &truesize);
	KUNIT_EXPECT_EQ(test, data != buf, copied);
	KUNIT_EXPECT_EQ(test, truesize,
			copied ? (unsigned int)ALIGN(len, VIRTNET_RXB_ALIGN) :
				 virtnet_rxb_truesize(ctx));
	KUNIT_EXPECT_NULL(test, memchr_inv(data, 0x5a, len));

	/* what was copied from is posted next */
	KUNIT_EXPECT_EQ(test, rxb->nr_spares, copied ? 1U : 0U);
	virtnet_rxb_put(data, false);
	virtnet_rxb_drop_spares(rxb);
}

/* Data do not hold more than they would in buffers of a page. */
static void fit_test(struct kunit *test)
{
	/* more than two pages and not three, as a very small ring needs them */
	const unsigned int odd = ALIGN(2 * PAGE_SIZE + PAGE_SIZE / 2,
				       VIRTNET_RXB_ALIGN);

	fit_check(test, PAGE_SIZE, 1, false);
	fit_check(test, PAGE_SIZE, PAGE_SIZE, false);
	fit_check(test, 2 * PAGE_SIZE, 1, true);
	fit_check(test, 2 * PAGE_SIZE, PAGE_SIZE, true);
	fit_check(test, 2 * PAGE_SIZE, PAGE_SIZE + 1, false);
	fit_check(test, 2 * PAGE_SIZE, 2 * PAGE_SIZE, false);
	fit_check(test, odd, PAGE_SIZE + 1, true);
	fit_check(test, odd, 2 * PAGE_SIZE + 1, false);
	fit_check(test, 4 * PAGE_SIZE, 3 * PAGE_SIZE, true);
	fit_check(test, 4 * PAGE_SIZE, 3 * PAGE_SIZE + 1, false);
}

/* What there is no memory for is not copied, and not lost. */
static void fit_oom_test(struct kunit *test)
{
	struct virtnet_rxb *rxb = test->priv;
	unsigned int truesize;
	void *buf, *ctx;

	if (!fit_possible(4 * PAGE_SIZE))
		kunit_skip(test, "no pages that are large enough");

	buf = fit_buf(test, 4 * PAGE_SIZE, 2 * PAGE_SIZE, &ctx);
	virtnet_rxb_retire_page(rxb);
	rxb->large = false;
	rxb->ask_large = 8;
	KUNIT_EXPECT_PTR_EQ(test, buf,
			    virtnet_rxb_fit(rxb, buf, ctx, 2 * PAGE_SIZE,
					    &truesize));
	KUNIT_EXPECT_EQ(test, truesize, (unsigned int)(4 * PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, rxb->nr_spares, 0U);
	virtnet_rxb_put(buf, false);
}

/* A buffer given up for reuse is the next one posted, if it fits. */
static void reuse_test(struct kunit *test)
{
	struct virtnet_rxb *rxb = test->priv;
	struct virtnet_rxb_layout l, other;
	void *buf;

	l = virtnet_rxb_mergeable_layout(64, 1530, PAGE_SIZE);
	buf = virtnet_rxb_next(rxb, &l, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, buf);
	KUNIT_EXPECT_PTR_EQ(test, buf, page_address(rxb->page) + 64);
	KUNIT_EXPECT_EQ(test, l.origin, virtnet_rxb_origin(0, false));
	virtnet_rxb_reuse(rxb, buf, virtnet_rxb_ctx(&l));
	KUNIT_EXPECT_EQ(test, page_refs(rxb->page),
			(long)VIRTNET_RXB_PAGE_REFS);
	KUNIT_EXPECT_PTR_EQ(test, virtnet_rxb_next(rxb, &l, GFP_KERNEL), buf);
	KUNIT_EXPECT_EQ(test, rxb->nr_spares, 0U);

	/* of another size now: given up, with its reference */
	virtnet_rxb_reuse(rxb, buf, virtnet_rxb_ctx(&l));
	other = virtnet_rxb_mergeable_layout(256, 1530, PAGE_SIZE);
	KUNIT_EXPECT_PTR_NE(test, virtnet_rxb_next(rxb, &other, GFP_KERNEL),
			    buf);
	KUNIT_EXPECT_EQ(test, rxb->nr_spares, 0U);
	KUNIT_EXPECT_EQ(test, page_refs(rxb->page),
			(long)VIRTNET_RXB_PAGE_REFS - 1);
	virtnet_rxb_put(buf + l.truesize, false);
}

/* A buffer that comes back knows its pool, also if another is in use now. */
static void reuse_pool_test(struct kunit *test)
{
	struct virtnet_rxb *rxb = test->priv;
	struct virtnet_rxb_layout l, want;
	void *buf;

	need_two_pools(test);

	want = virtnet_rxb_mergeable_layout(64, 1530, PAGE_SIZE);
	rxb->large = false;
	rxb->ask_large = 1;
	l = want;
	buf = virtnet_rxb_next(rxb, &l, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, buf);
	KUNIT_EXPECT_EQ(test, l.origin, virtnet_rxb_origin(1, false));
	virtnet_rxb_reuse(rxb, buf, virtnet_rxb_ctx(&l));

	virtnet_rxb_retire_page(rxb);
	KUNIT_ASSERT_NOT_NULL(test, virtnet_rxb_alloc(rxb, 64, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, rxb->cur, 0U);
	virtnet_rxb_put(page_address(rxb->page), false);

	l = want;
	KUNIT_EXPECT_PTR_EQ(test, virtnet_rxb_next(rxb, &l, GFP_KERNEL), buf);
	KUNIT_EXPECT_EQ(test, l.origin, virtnet_rxb_origin(1, false));
	virtnet_rxb_put(buf, false);
}

/* No more than a poll's worth is kept, and buffers of one size only. */
static void reuse_limit_test(struct kunit *test)
{
	struct virtnet_rxb *rxb = test->priv;
	struct virtnet_rxb_layout l = { .len = 256, .truesize = 256 };
	void *buf, *ctx = virtnet_rxb_ctx(&l);
	unsigned int i;

	for (i = 0; i < VIRTNET_RXB_NR_SPARES + 2; i++) {
		buf = virtnet_rxb_alloc(rxb, l.truesize, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, buf);
		local_bh_disable();
		virtnet_rxb_reuse(rxb, buf, ctx);
		local_bh_enable();
	}
	KUNIT_EXPECT_EQ(test, rxb->nr_spares,
			(unsigned int)VIRTNET_RXB_NR_SPARES);
	KUNIT_EXPECT_EQ(test, page_refs(rxb->page),
			(long)VIRTNET_RXB_PAGE_REFS - 2);

	l.truesize = 512;
	buf = virtnet_rxb_alloc(rxb, l.truesize, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, buf);
	rxb->nr_spares--;
	virtnet_rxb_put(rxb->spare[rxb->nr_spares], false);
	local_bh_disable();
	virtnet_rxb_reuse(rxb, buf, virtnet_rxb_ctx(&l));
	local_bh_enable();
	KUNIT_EXPECT_EQ(test, rxb->nr_spares, VIRTNET_RXB_NR_SPARES - 1U);

	virtnet_rxb_drop_spares(rxb);
	KUNIT_EXPECT_EQ(test, page_refs(rxb->page),
			(long)VIRTNET_RXB_PAGE_REFS -
			VIRTNET_RXB_NR_SPARES - 3);
}

/* The page that a pool gives next is from the memory reserves. */
static struct page_pool *reserve_pool(struct kunit *test)
{
	struct virtnet_rxb *rxb = test->priv;
	struct page_pool *pp = small_pool(rxb);
	struct page *page = page_pool_alloc_pages(pp, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, page);
	/* set_page_pfmemalloc() is for pages that are not in a pool yet */
	page->pp_magic |= BIT(1);
	KUNIT_ASSERT_TRUE(test, page_is_pfmemalloc(page));
	pp->alloc.cache[pp->alloc.count++] = page_to_netmem(page);
	rxb->large = false;
	rxb->ask_large = 64;

	return pp;
}

static int nr_released(const struct page_pool *pp)
{
	return atomic_read(&pp->pages_state_release_cnt);
}

/* Buffers from the memory reserves are not kept, others are as before. */
static void reserve_test(struct kunit *test)
{
	struct virtnet_rxb *rxb = test->priv;
	struct page_pool *pp = reserve_pool(test);
	struct virtnet_rxb_layout want, l[3];
	void *buf[ARRAY_SIZE(l)];
	unsigned int i;
	int released;

	want = virtnet_rxb_mergeable_layout(64, 256, PAGE_SIZE);
	for (i = 0; i < ARRAY_SIZE(l); i++) {
		if (i == 2)
			virtnet_rxb_retire_page(rxb);
		l[i] = want;
		buf[i] = virtnet_rxb_next(rxb, &l[i], GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, buf[i]);
		KUNIT_ASSERT_EQ(test, l[i].origin,
				virtnet_rxb_origin(rxb->cur, i < 2));
	}

	released = nr_released(pp);
	local_bh_disable();
	virtnet_rxb_reuse(rxb, buf[0], virtnet_rxb_ctx(&l[0]));
	KUNIT_EXPECT_EQ(test, rxb->nr_spares, 0U);
	virtnet_rxb_reuse(rxb, buf[2], virtnet_rxb_ctx(&l[2]));
	KUNIT_EXPECT_EQ(test, rxb->nr_spares, 1U);
	virtnet_rxb_reuse(rxb, buf[1], virtnet_rxb_ctx(&l[1]));
	KUNIT_EXPECT_EQ(test, rxb->nr_spares, 1U);
	local_bh_enable();
	/* and the pool has not kept the page either */
	KUNIT_EXPECT_EQ(test, nr_released(pp), released + 1);

	/* what was said of another buffer does not matter */
	want.origin = virtnet_rxb_origin(0, true);
	KUNIT_EXPECT_PTR_EQ(test, virtnet_rxb_next(rxb, &want, GFP_KERNEL),
			    buf[2]);
	KUNIT_EXPECT_EQ(test, want.origin, virtnet_rxb_origin(rxb->cur, false));
	virtnet_rxb_put(buf[2], false);
}

/* A page from the memory reserves gives one head. */
static void head_reserve_test(struct kunit *test)
{
	struct virtnet_rxb *rxb = test->priv;
	struct page_pool *pp = reserve_pool(test);
	int released = nr_released(pp);
	void *head;

	head = virtnet_rxb_alloc_head(rxb, 512, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, head);
	KUNIT_ASSERT_TRUE(test, page_is_pfmemalloc(virt_to_page(head)));
	KUNIT_EXPECT_NULL(test, rxb->head_page);
	virtnet_rxb_put(head, false);
	KUNIT_EXPECT_EQ(test, nr_released(pp), released + 1);
}

/* A frame whose buffers are from two pools is made one of one pool. */
static void move_test(struct kunit *test)
{
	struct virtnet_rxb *rxb = test->priv;
	unsigned int truesize;
	void *buf, *copy;

	need_two_pools(test);

	buf = virtnet_rxb_alloc(rxb, 1536, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, buf);
	memset(buf, 0x5a, 1536);
	copy = virtnet_rxb_move(rxb, buf, 1536, 1, &truesize);
	KUNIT_ASSERT_NOT_NULL(test, copy);
	KUNIT_EXPECT_PTR_EQ(test, pool_of(copy), rxb->pool[1].pp);
	KUNIT_EXPECT_NULL(test, memchr_inv(copy, 0x5a, 1536));
	KUNIT_EXPECT_EQ(test, truesize, (unsigned int)PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, page_refs(rxb->page),
			(long)VIRTNET_RXB_PAGE_REFS - 1);

	/* what one page of the pool cannot hold, and nothing */
	KUNIT_EXPECT_NULL(test, virtnet_rxb_move(rxb, copy, PAGE_SIZE + 1,
						 1, &truesize));
	KUNIT_EXPECT_NULL(test, virtnet_rxb_move(rxb, copy, 0, 1, &truesize));

	/* a large page, when none are to be had */
	virtnet_rxb_retire_page(rxb);
	rxb->large = false;
	rxb->ask_large = 8;
	buf = virtnet_rxb_alloc(rxb, 1536, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, buf);
	KUNIT_EXPECT_EQ(test, rxb->cur, 0U);
	virtnet_rxb_retire_page(rxb);
	KUNIT_EXPECT_NULL(test, virtnet_rxb_move(rxb, copy, 1536, 0,
						 &truesize));
	virtnet_rxb_put(buf, false);
	virtnet_rxb_put(copy, false);
}

/* A frame's RxQ info names the pool that its pages are from. */
static void xdp_rxq_test(struct kunit *test)
{
	struct virtnet_rxb *rxb = test->priv;
	struct virtnet_rxb_layout l = {};
	unsigned int i;

	for (i = 0; i < rxb->nr_pools; i++) {
		l.origin = virtnet_rxb_origin(i, false);
		KUNIT_EXPECT_PTR_EQ(test,
				    virtnet_rxb_xdp_rxq(rxb,
							virtnet_rxb_ctx(&l)),
				    &rxb->pool[i].xdp_rxq);
	}
}

static void nr_pieces_test(struct kunit *test)
{
	const unsigned int piece = VIRTNET_RXB_PIECE;
	unsigned int m;

	KUNIT_EXPECT_EQ(test, virtnet_rxb_nr_pieces(32, piece - 32), 1U);
	KUNIT_EXPECT_EQ(test, virtnet_rxb_nr_pieces(32, piece - 31), 2U);
	for (m = 0; m < ARRAY_SIZE(mtus); m++) {
		unsigned int len = mtus[m] + VLAN_ETH_HLEN;
		unsigned int n = virtnet_rxb_nr_pieces(32, len);

		KUNIT_EXPECT_GE(test, n * piece - 32, len);
		KUNIT_EXPECT_LE(test, n, (unsigned int)MAX_SKB_FRAGS);
	}
}

/* A queue with two chains, as virtnet_rxb_add_chains() makes them */
static struct virtnet_rxb_chains *test_chains(struct kunit *test,
					      unsigned int nr_pieces)
{
	struct virtnet_rxb *rxb = test->priv;
	struct virtnet_rxb_chains *chains;

	chains = kvzalloc(struct_size(chains, chain, 2), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, chains);
	chains->hdr_len = 12;
	chains->offset = 32;
	chains->nr_pieces = nr_pieces;
	chains->nr = 2;
	rxb->chains = chains;
	virtnet_rxb_put_chain(rxb, &chains->chain[1], 0);
	virtnet_rxb_put_chain(rxb, &chains->chain[0], 0);

	return chains;
}

/* What the device is given: header, then the rest, neighbours joined. */
static void chain_sg_test(struct kunit *test)
{
	struct virtnet_rxb *rxb = test->priv;
	struct virtnet_rxb_chains *chains = test_chains(test, 17);
	struct virtnet_rxb_chain *chain = chains->unposted;
	unsigned int i, n, sum = 0;

	KUNIT_ASSERT_TRUE(test, virtnet_rxb_fill_chain(rxb, chain, GFP_KERNEL));
	n = virtnet_rxb_chain_sg(rxb, chain);
	KUNIT_EXPECT_LE(test, n, 4U);
	KUNIT_EXPECT_EQ(test, chains->sg[0].length, 12U);
	KUNIT_EXPECT_PTR_EQ(test, sg_virt(&chains->sg[0]), chain->piece[0]);
	KUNIT_EXPECT_PTR_EQ(test, sg_virt(&chains->sg[1]),
			    chain->piece[0] + 32);
	for (i = 0; i < n; i++) {
		KUNIT_EXPECT_EQ(test, !!sg_is_last(&chains->sg[i]), i == n - 1);
		sum += chains->sg[i].length;
	}
	KUNIT_EXPECT_EQ(test, sum, virtnet_rxb_chain_len(chains));

	/* nothing to join: an entry for each piece */
	for (i = 0; i < chain->nr / 2; i++)
		swap(chain->piece[i], chain->piece[chain->nr - 1 - i]);
	KUNIT_EXPECT_EQ(test, virtnet_rxb_chain_sg(rxb, chain), 18U);
	KUNIT_EXPECT_TRUE(test, sg_is_last(&chains->sg[17]));
	virtnet_rxb_drop_chains(rxb);
}

/* Pieces that were not taken stay; those that were come from somewhere else. */
static void chain_take_test(struct kunit *test)
{
	struct virtnet_rxb *rxb = test->priv;
	struct virtnet_rxb_chains *chains = test_chains(test, 4);
	struct virtnet_rxb_chain *chain = chains->unposted;
	void *piece[4];

	KUNIT_ASSERT_TRUE(test, virtnet_rxb_fill_chain(rxb, chain, GFP_KERNEL));
	memcpy(piece, chain->piece, sizeof(piece));
	chains->unposted = chain->next;
	chains->nr_unposted--;
	virtnet_rxb_put_chain(rxb, chain, 1);
	KUNIT_EXPECT_EQ(test, chains->nr_unposted, 2U);
	KUNIT_EXPECT_PTR_EQ(test, chains->unposted, chain);
	KUNIT_EXPECT_EQ(test, chain->nr, 3U);
	KUNIT_EXPECT_PTR_EQ(test, chain->piece[0], piece[1]);
	KUNIT_EXPECT_PTR_EQ(test, chain->piece[2], piece[3]);

	KUNIT_ASSERT_TRUE(test, virtnet_rxb_fill_chain(rxb, chain, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, chain->nr, 4U);
	KUNIT_EXPECT_PTR_EQ(test, chain->piece[3], piece[3] + SZ_4K);
	KUNIT_EXPECT_EQ(test, page_refs(rxb->page),
			(long)VIRTNET_RXB_PAGE_REFS);

	virtnet_rxb_drop_chains(rxb);
	KUNIT_EXPECT_NULL(test, rxb->chains);
	KUNIT_EXPECT_EQ(test, page_refs(rxb->page),
			(long)VIRTNET_RXB_PAGE_REFS - 4);
	virtnet_rxb_put(piece[0], false);
}

/* Pieces from the memory reserves do not stay in a chain, others do. */
static void chain_reserve_test(struct kunit *test)
{
	struct virtnet_rxb *rxb = test->priv;
	struct virtnet_rxb_chains *chains = test_chains(test, 4);
	struct virtnet_rxb_chain *chain = chains->unposted;
	struct page_pool *pp = small_pool(rxb);
	int released;
	void *taken;

	chains->unposted = chain->next;
	chains->nr_unposted--;

	/* an ordinary piece, all that a page of the reserves has, others */
	chain->piece[0] = virtnet_rxb_alloc(rxb, VIRTNET_RXB_PIECE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, chain->piece[0]);
	chain->nr = 1;
	virtnet_rxb_retire_page(rxb);
	reserve_pool(test);
	KUNIT_ASSERT_TRUE(test, virtnet_rxb_fill_chain(rxb, chain, GFP_KERNEL));
	KUNIT_EXPECT_TRUE(test, chain->reserve);

	released = nr_released(pp);
	taken = chain->piece[0];
	virtnet_rxb_put_chain(rxb, chain, 1);
	virtnet_rxb_retire_page(rxb);
	KUNIT_EXPECT_EQ(test, nr_released(pp), released + 1);
	KUNIT_EXPECT_EQ(test, chain->nr,
			3 - min_t(unsigned int, 3, PAGE_SIZE / SZ_4K));
	KUNIT_EXPECT_FALSE(test, chain->reserve);
	KUNIT_EXPECT_EQ(test, chains->nr_unposted, 2U);
	virtnet_rxb_put(taken, false);

	chains->unposted = chain->next;
	chains->nr_unposted--;
	KUNIT_ASSERT_TRUE(test, virtnet_rxb_fill_chain(rxb, chain, GFP_KERNEL));
	KUNIT_EXPECT_FALSE(test, chain->reserve);
	virtnet_rxb_put_chain(rxb, chain, 0);
	KUNIT_EXPECT_EQ(test, chain->nr, 4U);

	virtnet_rxb_drop_chains(rxb);
}

/* Only where there is a limit, and only beyond it; what is free does not count.
 */
static void scarce_test(struct kunit *test)
{
	struct virtnet_rxb *rxb = test->priv;
	struct page_pool *pp = small_pool(rxb);
	struct page *page[40];
	unsigned int i;

	rxb->large = false;
	rxb->ask_large = 1024;
	for (i = 0; i < ARRAY_SIZE(page); i++) {
		KUNIT_EXPECT_EQ(test, virtnet_rxb_nr_used(pp), i);
		page[i] = page_pool_alloc_pages(pp, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, page[i]);
	}
	KUNIT_EXPECT_FALSE(test, virtnet_rxb_scarce(rxb));
	rxb->max_pages = i;
	KUNIT_EXPECT_FALSE(test, virtnet_rxb_scarce(rxb));
	rxb->max_pages = i - 1;
	KUNIT_EXPECT_TRUE(test, virtnet_rxb_scarce(rxb));

	/* 32 fill the pool's ring, what comes then is released */
	while (i--) {
		page_pool_put_full_page(pp, page[i], false);
		KUNIT_EXPECT_FALSE(test, virtnet_rxb_scarce(rxb));
		KUNIT_EXPECT_EQ(test, virtnet_rxb_nr_used(pp), i);
	}
}

/* What is hidden is not posted, and still there. */
static void hide_spares_test(struct kunit *test)
{
	struct virtnet_rxb *rxb = test->priv;
	struct virtnet_rxb_layout l, m;
	void *buf, *other;
	unsigned int nr;

	l = virtnet_rxb_mergeable_layout(64, 1530, PAGE_SIZE);
	m = l;
	buf = virtnet_rxb_cut(rxb, &l, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, buf);
	virtnet_rxb_reuse(rxb, buf, virtnet_rxb_ctx(&l));
	nr = virtnet_rxb_hide_spares(rxb);
	KUNIT_EXPECT_EQ(test, nr, 1U);
	other = virtnet_rxb_next(rxb, &m, GFP_KERNEL);
	KUNIT_EXPECT_PTR_NE(test, other, buf);
	virtnet_rxb_show_spares(rxb, nr);
	KUNIT_EXPECT_PTR_EQ(test, virtnet_rxb_next(rxb, &l, GFP_KERNEL), buf);
	virtnet_rxb_put(buf, false);
	if (other)
		virtnet_rxb_put(other, false);
}

/* Scattered pieces change places with some that follow each other. */
static void gather_test(struct kunit *test)
{
	struct virtnet_rxb *rxb = test->priv;
	struct virtnet_rxb_chains *chains = test_chains(test, 4);
	struct virtnet_rxb_chain *chain = chains->unposted;
	unsigned int i;

	for (i = 0; i < 4; i++) {
		void *piece = virtnet_rxb_alloc(rxb, VIRTNET_RXB_PIECE,
						GFP_KERNEL);

		KUNIT_ASSERT_NOT_NULL(test, piece);
		chain->piece[chain->nr++] = piece;
		virtnet_rxb_retire_page(rxb);
	}
	virtnet_rxb_gather_chain(rxb, chain, GFP_KERNEL);
	KUNIT_EXPECT_EQ(test, chain->nr, 4U);
	if (rxb->size >= 4 * VIRTNET_RXB_PIECE)
		for (i = 1; i < 4; i++)
			KUNIT_EXPECT_PTR_EQ(test, chain->piece[i],
					    chain->piece[0] +
					    i * VIRTNET_RXB_PIECE);
	KUNIT_EXPECT_LE(test, virtnet_rxb_nr_used(rxb->pool[0].pp) +
			virtnet_rxb_nr_used(small_pool(rxb)),
			2 * max_t(unsigned int, 4,
				  VIRTNET_RXB_LARGE_SIZE / PAGE_SIZE));
	virtnet_rxb_drop_chains(rxb);
}

/* Twice what the queue cannot do without, where the limit is less. */
static void raise_limit_test(struct kunit *test)
{
	struct virtnet_rxb *rxb = test->priv;

	virtnet_rxb_raise_limit(rxb, 100 * PAGE_SIZE);
	KUNIT_EXPECT_FALSE(test, virtnet_rxb_limited(rxb));

	rxb->max_pages = 10;
	virtnet_rxb_raise_limit(rxb, 5 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, rxb->max_pages, 10U);
	virtnet_rxb_raise_limit(rxb, 5 * PAGE_SIZE + 1);
	KUNIT_EXPECT_EQ(test, rxb->max_pages, 12U);
}

/* Large buffers are not worth their mappings where those are limited. */
static void limited_size_test(struct kunit *test)
{
	struct virtnet_rxb *rxb = test->priv;

	rxb->large = true;
	KUNIT_EXPECT_GE(test, virtnet_rxb_max_size(rxb, SZ_64K),
			(unsigned int)PAGE_SIZE);
	KUNIT_EXPECT_GT(test, virtnet_rxb_max_size(rxb, SZ_64K),
			(unsigned int)SZ_4K);
	rxb->max_pages = 1;
	KUNIT_EXPECT_EQ(test, virtnet_rxb_max_size(rxb, SZ_64K),
			(unsigned int)SZ_4K);
	KUNIT_EXPECT_EQ(test, virtnet_rxb_max_size(rxb, 64),
			(unsigned int)SZ_4K);
}

/* Pages of all pools count, and a large one for as many as it is made of. */
static void scarce_large_test(struct kunit *test)
{
	struct virtnet_rxb *rxb = test->priv;
	unsigned int large = 1 << VIRTNET_RXB_LARGE_ORDER;
	void *a, *b;

	need_two_pools(test);

	rxb->large = true;
	rxb->ask_large = 8;
	a = virtnet_rxb_alloc(rxb, PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, a);
	if (pool_of(a) != rxb->pool[0].pp)
		kunit_skip(test, "no large page");
	KUNIT_EXPECT_EQ(test, virtnet_rxb_nr_used(rxb->pool[0].pp), large);
	rxb->max_pages = large;
	KUNIT_EXPECT_FALSE(test, virtnet_rxb_scarce(rxb));
	rxb->max_pages = large - 1;
	KUNIT_EXPECT_TRUE(test, virtnet_rxb_scarce(rxb));

	virtnet_rxb_retire_page(rxb);
	rxb->large = false;
	b = virtnet_rxb_alloc(rxb, PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, b);
	rxb->max_pages = large;
	KUNIT_EXPECT_TRUE(test, virtnet_rxb_scarce(rxb));

	virtnet_rxb_put(a, false);
	virtnet_rxb_put(b, false);
}

static struct kunit_case layout_cases[] = {
	KUNIT_CASE(small_layout_test),
	KUNIT_CASE(mergeable_layout_test),
	KUNIT_CASE(density_test),
	KUNIT_CASE(ctx_test),
	KUNIT_CASE(take_rest_test),
	KUNIT_CASE(pool_size_test),
	KUNIT_CASE(max_pages_test),
	KUNIT_CASE(nr_pieces_test),
	{}
};

static struct kunit_suite layout_suite = {
	.name = "virtio_net_rxbuf_layout",
	.test_cases = layout_cases,
};

static struct kunit_case page_cases[] = {
	KUNIT_CASE(cut_test),
	KUNIT_CASE(head_test),
	KUNIT_CASE(page_end_test),
	KUNIT_CASE(put_early_test),
	KUNIT_CASE(fallback_test),
	KUNIT_CASE(ask_large_test),
	KUNIT_CASE(large_kept_test),
	KUNIT_CASE(shrink_test),
	KUNIT_CASE(max_size_test),
	KUNIT_CASE(fit_test),
	KUNIT_CASE(fit_oom_test),
	KUNIT_CASE(reuse_test),
	KUNIT_CASE(reuse_pool_test),
	KUNIT_CASE(reuse_limit_test),
	KUNIT_CASE(reserve_test),
	KUNIT_CASE(head_reserve_test),
	KUNIT_CASE(chain_sg_test),
	KUNIT_CASE(chain_take_test),
	KUNIT_CASE(chain_reserve_test),
	KUNIT_CASE(scarce_test),
	KUNIT_CASE(scarce_large_test),
	KUNIT_CASE(hide_spares_test),
	KUNIT_CASE(gather_test),
	KUNIT_CASE(raise_limit_test),
	KUNIT_CASE(limited_size_test),
	KUNIT_CASE(move_test),
	KUNIT_CASE(xdp_rxq_test),
	{}
};

static struct kunit_suite page_suite = {
	.name = "virtio_net_rxbuf_pages",
	.init = rxb_init,
	.exit = rxb_exit,
	.test_cases = page_cases,
};

kunit_test_suites(&layout_suite, &page_suite);

MODULE_DESCRIPTION("KUnit tests of virtio_net receive buffers");
MODULE_LICENSE("GPL");
