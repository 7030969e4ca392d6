// SPDX-License-Identifier: GPL-2.0
/*
 * Test virtqueue_add_inbufs() and virtqueue_get_bufs(), mixed with the calls
 * for one buffer, on split and packed rings. The device is in the same thread:
 * it uses buffers in any order, checks what it is given, and can misbehave.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stdbool.h>
#include <linux/kernel.h>
#include <linux/dma-mapping.h>

static unsigned long test_map(void *p, size_t size, int dir);
static void test_unmap(unsigned long addr, size_t size, int dir);

/* To include the code under test instead of linking it lets mappings be
 * counted and refused.
 */
#undef dma_map_page
#undef dma_map_single
#undef dma_unmap_page
#undef dma_unmap_single
#undef dma_mapping_error
#define dma_map_page(d, p, o, s, dir)	\
	((void)(d), test_map((char *)(p) + (o), s, dir))
#define dma_map_single(d, p, s, dir)	((void)(d), test_map(p, s, dir))
#define dma_unmap_page(d, a, s, dir)	((void)(d), test_unmap(a, s, dir))
#define dma_unmap_single(d, a, s, dir)	((void)(d), test_unmap(a, s, dir))
#define dma_mapping_error(d, a)		((void)(d), (a) == 0)

/* what the device sees is not where the driver has it */
#define DMA_OFFSET	0x4000000000000000UL

/* that of the tools is 0 */
#undef sg_dma_address
#define sg_dma_address(sg)	(sg_phys(sg) + DMA_OFFSET)

#include "../../drivers/virtio/virtio_ring.c"

#define RING		16
#define ODD_RING	12
#define BUFS		(2 * RING)
#define BUF_SIZE	256
#define MAX_SEGS	3
#define BATCH		(RING + 4)
#define MAPPINGS	((MAX_SEGS + 1) * RING)
#define ROUNDS		20000
#define check(cond) do {						\
	if (!(cond)) {							\
		fprintf(stderr, "%s: line %d: %s\n", name, __LINE__, #cond); \
		exit(1);						\
	}								\
} while (0)

enum { PLAIN, MAPPED, PREMAPPED, NR_DMA };

struct buf {
	char mem[BUF_SIZE];
	bool posted;
	bool out;
	unsigned int segs;
	unsigned int used_len;
	void *ctx;
};

/* A buffer that the device has and has not used yet */
struct taken {
	unsigned int id;
	unsigned int descs;
	unsigned int buf;
};

struct mapping {
	unsigned long addr;
	size_t size;
	int dir;
};

static struct buf bufs[BUFS];
static struct mapping mapped[MAPPINGS + 1];
static struct taken taken[RING];
static unsigned int nr_taken, nr_posted, nr_mapped, nr_notified;
static unsigned int avail_idx, used_idx;
static bool avail_wrap, used_wrap;
static int refuse_map;

static struct virtio_device vdev;
static struct virtqueue *vq;
static struct vring_virtqueue *vvq;
static unsigned int ring;
static int dma;
static char name[64];

void *__kmalloc_fake, *__kfree_ignore_start, *__kfree_ignore_end;

static unsigned long test_map(void *p, size_t size, int dir)
{
	struct mapping *m = mapped;

	if (refuse_map && !--refuse_map)
		return 0;
	while (m->addr)
		m++;
	check(m < &mapped[MAPPINGS]);
	m->addr = (unsigned long)p + DMA_OFFSET;
	m->size = size;
	m->dir = dir;
	nr_mapped++;

	return m->addr;
}

static void test_unmap(unsigned long addr, size_t size, int dir)
{
	struct mapping *m = mapped;

	while (m < &mapped[MAPPINGS] && m->addr != addr)
		m++;
	check(m < &mapped[MAPPINGS]);
	check(m->size == size);
	check(m->dir == dir);
	m->addr = 0;
	nr_mapped--;
}

static bool notify(struct virtqueue *_vq)
{
	nr_notified++;
	return true;
}

static void callback(struct virtqueue *_vq)
{
}

/* --- the device --- */

static void *from_device(u64 addr)
{
	return (void *)(addr - (dma == PLAIN ? 0 : DMA_OFFSET));
}

/* A segment of a buffer; finds out which one by the first */
static void see_segment(int *buf, unsigned int seg, u64 addr, u32 len,
			unsigned int flags)
{
	char *p = from_device(addr);

	if (!seg)
		*buf = (p - bufs[0].mem) / (long)sizeof(bufs[0]);
	check(*buf >= 0 && *buf < BUFS);
	check(p == bufs[*buf].mem + seg * (BUF_SIZE / MAX_SEGS));
	check(bufs[*buf].posted);
	check(seg < bufs[*buf].segs);
	check(len == BUF_SIZE / MAX_SEGS);
	check(!(flags & VRING_DESC_F_WRITE) == bufs[*buf].out);
}

static bool take_split(void)
{
	struct vring *vr = &vvq->split.vring;
	struct vring_desc *desc = vr->desc, *d;
	struct taken t = {};
	unsigned int i, seg = 0;
	int buf = -1;

	if ((u16)avail_idx == vr->avail->idx)
		return false;

	t.id = vr->avail->ring[avail_idx++ % ring];
	check(t.id < ring);
	i = t.id;
	d = &desc[i];
	t.descs = 1;
	if (d->flags & VRING_DESC_F_INDIRECT) {
		desc = from_device(d->addr);
		i = 0;
	}
	for (;;) {
		d = &desc[i];
		see_segment(&buf, seg++, d->addr, d->len, d->flags);
		if (!(d->flags & VRING_DESC_F_NEXT))
			break;
		i = d->next;
	}
	check(seg == bufs[buf].segs);
	t.buf = buf;
	taken[nr_taken++] = t;

	return true;
}

static bool is_avail_packed(unsigned int flags)
{
	return !!(flags & 1 << VRING_PACKED_DESC_F_AVAIL) == avail_wrap &&
	       !!(flags & 1 << VRING_PACKED_DESC_F_USED) != avail_wrap;
}

static bool take_packed(void)
{
	struct vring_packed_desc *d, *table;
	unsigned int i, n, flags, seg = 0;
	struct taken t = {};
	int buf = -1;

	d = &vvq->packed.vring.desc[avail_idx];
	if (!is_avail_packed(d->flags))
		return false;

	do {
		d = &vvq->packed.vring.desc[avail_idx];
		flags = d->flags;
		check(is_avail_packed(flags));
		t.id = d->id;
		t.descs++;
		if (flags & VRING_DESC_F_INDIRECT) {
			table = from_device(d->addr);
			n = d->len / sizeof(*table);
			for (i = 0; i < n; i++)
				see_segment(&buf, seg++, table[i].addr,
					    table[i].len, table[i].flags);
		} else {
			see_segment(&buf, seg++, d->addr, d->len, flags);
		}
		if (++avail_idx == ring) {
			avail_idx = 0;
			avail_wrap = !avail_wrap;
		}
	} while (flags & VRING_DESC_F_NEXT);
	check(seg == bufs[buf].segs);
	t.buf = buf;
	taken[nr_taken++] = t;

	return true;
}

static void put_used(unsigned int id, unsigned int len, unsigned int descs)
{
	struct vring_packed_desc *d;

	if (!vvq->packed_ring) {
		struct vring_used *used = vvq->split.vring.used;

		used->ring[used_idx % ring].id = id;
		used->ring[used_idx % ring].len = len;
		used->idx = ++used_idx;
		return;
	}

	d = &vvq->packed.vring.desc[used_idx];
	d->id = id;
	d->len = len;
	d->flags = used_wrap ? 1 << VRING_PACKED_DESC_F_AVAIL |
			       1 << VRING_PACKED_DESC_F_USED : 0;
	used_idx += descs;
	if (used_idx >= ring) {
		used_idx -= ring;
		used_wrap = !used_wrap;
	}
}

/* Take what is available, and use up to @n buffers in any order */
static void device_run(unsigned int n)
{
	while (vvq->packed_ring ? take_packed() : take_split())
		;
	while (n-- && nr_taken) {
		struct taken *t = &taken[random() % nr_taken];

		bufs[t->buf].used_len = random() % BUF_SIZE;
		put_used(t->id, bufs[t->buf].used_len, t->descs);
		*t = taken[--nr_taken];
	}
}

/* --- the driver --- */

static int unposted_buf(void)
{
	unsigned int i, n = random() % BUFS;

	for (i = 0; i < BUFS; i++)
		if (!bufs[(n + i) % BUFS].posted)
			return (n + i) % BUFS;
	return -1;
}

static struct buf *claim(unsigned int segs, bool out)
{
	struct buf *b = &bufs[unposted_buf()];

	b->posted = true;
	b->out = out;
	b->segs = segs;
	b->ctx = vvq->indirect ? NULL : (void *)random();
	nr_posted++;

	return b;
}

static void unclaim(struct buf *b)
{
	check(b->posted);
	b->posted = false;
	nr_posted--;
}

static unsigned long dma_addr(const void *p)
{
	return (unsigned long)p + DMA_OFFSET;
}

/* Returns what virtqueue_add_inbufs() does */
static int add_batch(unsigned int n)
{
	unsigned int i, num_free = vq->num_free;
	struct virtqueue_buf v[BATCH];
	int added;

	n = min(n, BUFS - nr_posted);
	for (i = 0; i < n; i++) {
		struct buf *b = claim(1, false);

		v[i].data = b;
		v[i].ctx = b->ctx;
		v[i].len = BUF_SIZE / MAX_SEGS;
		if (dma == PREMAPPED)
			v[i].dma_addr = dma_addr(b->mem);
		else
			v[i].addr = b->mem;
	}
	added = virtqueue_add_inbufs(vq, v, n);
	check(added <= (int)n);
	for (i = added < 0 ? 0 : added; i < n; i++)
		unclaim(v[i].data);
	check(vq->num_free == num_free - (added < 0 ? 0 : added));

	return added;
}

static void add_one(void)
{
	struct scatterlist sg[MAX_SEGS], *sgs = sg;
	unsigned int i, segs = 1 + random() % MAX_SEGS;
	bool out = random() % 2;
	struct buf *b;
	int err;

	if (nr_posted == BUFS)
		return;
	b = claim(segs, out);
	sg_init_table(sg, segs);
	for (i = 0; i < segs; i++)
		sg_set_buf(&sg[i], b->mem + i * (BUF_SIZE / MAX_SEGS),
			   BUF_SIZE / MAX_SEGS);
	if (out)
		err = virtqueue_add_sgs(vq, &sgs, 1, 0, b, GFP_ATOMIC);
	else
		err = virtqueue_add_inbuf_ctx(vq, sg, segs, b, b->ctx,
					      GFP_ATOMIC);
	if (out)
		b->ctx = NULL;
	if (err)
		unclaim(b);
}

static void received(struct buf *b, unsigned int len, void *ctx)
{
	check(b->posted);
	check(len == b->used_len);
	check(ctx == b->ctx);
	unclaim(b);
}

static unsigned int get_batch(unsigned int n)
{
	struct virtqueue_buf v[BATCH];
	unsigned int i, got;

	memset(v, 0xff, sizeof(v));
	got = virtqueue_get_bufs(vq, v, n);
	check(got <= n);
	for (i = 0; i < got; i++)
		received(v[i].data, v[i].len, v[i].ctx);

	return got;
}

static void get_one(void)
{
	void *b, *ctx = NULL;
	unsigned int len;

	b = virtqueue_get_buf_ctx(vq, &len, &ctx);
	if (b)
		received(b, len, ctx);
}

/* --- the tests --- */

struct config {
	bool packed, event, indirect;
	int dma;
	unsigned int ring;
};

static void set_features(const struct config *c)
{
	__virtio_set_bit(&vdev, VIRTIO_F_VERSION_1);
	if (c->packed)
		__virtio_set_bit(&vdev, VIRTIO_F_RING_PACKED);
	if (c->event)
		__virtio_set_bit(&vdev, VIRTIO_RING_F_EVENT_IDX);
	if (c->indirect)
		__virtio_set_bit(&vdev, VIRTIO_RING_F_INDIRECT_DESC);
	if (c->dma != PLAIN)
		__virtio_set_bit(&vdev, VIRTIO_F_ACCESS_PLATFORM);
}

static void setup(const struct config *c)
{
	static const char * const dmas[NR_DMA] = {
		"plain", "mapped", "premapped"
	};

	snprintf(name, sizeof(name), "%s of %u%s%s, %s",
		 c->packed ? "packed" : "split", c->ring,
		 c->event ? ", event idx" : "",
		 c->indirect ? ", indirect" : "", dmas[c->dma]);
	memset(bufs, 0, sizeof(bufs));
	memset(mapped, 0, sizeof(mapped));
	nr_taken = 0;
	nr_posted = 0;
	nr_mapped = 0;
	nr_notified = 0;
	avail_idx = 0;
	used_idx = 0;
	avail_wrap = true;
	used_wrap = true;
	refuse_map = 0;

	dma = c->dma;
	ring = c->ring;
	memset(&vdev, 0, sizeof(vdev));
	INIT_LIST_HEAD(&vdev.vqs);
	spin_lock_init(&vdev.vqs_list_lock);
	set_features(c);

	vq = vring_create_virtqueue(0, ring, PAGE_SIZE, &vdev, true, false,
				    !c->indirect, notify, callback, "test");
	check(vq);
	vvq = to_vvq(vq);
	if (c->packed)
		memset(vvq->packed.vring.desc, 0,
		       vvq->packed.ring_size_in_bytes);
	else
		memset(vvq->split.vring.desc, 0,
		       vvq->split.queue_size_in_bytes);
	if (dma == PREMAPPED)
		check(!virtqueue_set_dma_premapped(vq));
}

static void teardown(void)
{
	struct buf *b;

	while ((b = virtqueue_detach_unused_buf(vq)))
		unclaim(b);
	check(!nr_posted);
	check(!nr_mapped);
	check(vq->num_free == ring);
	vring_del_virtqueue(vq);
}

static void test_traffic(void)
{
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		switch (random() % 8) {
		case 0 ... 1:
			add_batch(random() % BATCH);
			break;
		case 2:
			add_one();
			break;
		case 3 ... 4:
			get_batch(random() % BATCH);
			break;
		case 5:
			get_one();
			break;
		case 6:
			virtqueue_kick(vq);
			break;
		case 7:
			device_run(random() % BATCH);
			break;
		}
	}
	device_run(ring);
	while (get_batch(BATCH))
		;
	check(vq->num_free == ring);
}

static void test_limits(void)
{
	check(add_batch(0) == 0);
	check(add_batch(ring - 2) == (int)ring - 2);
	check(add_batch(4) == 2);
	check(add_batch(1) == -ENOSPC);
	check(add_batch(0) == 0);
	check(get_batch(BATCH) == 0);
	device_run(5);
	check(get_batch(3) == 3);
	check(get_batch(3) == 2);
	check(get_batch(3) == 0);
	device_run(ring);
	check(get_batch(BATCH) == ring - 5);
}

/* What the device is told after each batch, with callbacks and without */
static void test_event(void)
{
	__le16 *event;

	if (vvq->packed_ring)
		event = &vvq->packed.vring.driver->off_wrap;
	else
		event = (__le16 *)&vring_used_event(&vvq->split.vring);

	virtqueue_disable_cb(vq);
	virtqueue_enable_cb(vq);
	check(add_batch(6) == 6);
	device_run(3);
	check(get_batch(BATCH) == 3);
	if (!vvq->packed_ring || vvq->event)
		check(*event == vvq->last_used_idx);
	virtqueue_disable_cb(vq);
	*event = 0x1234;
	device_run(3);
	check(get_batch(BATCH) == 3);
	check(*event == 0x1234);
}

static void test_refused_map(void)
{
	if (dma != MAPPED)
		return;
	refuse_map = 4;
	check(add_batch(6) == 3);
	refuse_map = 1;
	check(add_batch(6) == -ENOMEM);
	device_run(ring);
	check(get_batch(BATCH) == 3);
}

/* Who never kicks: a device that wants to know is told before the count of what
 * it has not been told of overflows
 */
static void test_many_added(void)
{
	unsigned int i;

	if (vvq->packed_ring)
		return;
	virtqueue_kick(vq);
	nr_notified = 0;
	for (i = 0; i < (1 << 16) / ring + 1; i++) {
		check(add_batch(ring) == (int)ring);
		check(vvq->num_added < (1 << 16) - 1);
		device_run(ring);
		check(get_batch(BATCH) == ring);
	}
	check(nr_notified);
}

/* Have the device ask for a notification after @n more buffers */
static void want_notification(unsigned int n)
{
	struct vring_packed_desc_event *event = vvq->packed.vring.device;
	unsigned int at = avail_idx + n - 1;
	bool wrap = avail_wrap;

	if (!vvq->packed_ring) {
		vring_avail_event(&vvq->split.vring) = at;
		return;
	}
	if (at >= ring) {
		at -= ring;
		wrap = !wrap;
	}
	event->off_wrap = at | wrap << VRING_PACKED_EVENT_F_WRAP_CTR;
	event->flags = VRING_PACKED_EVENT_FLAG_DESC;
}

static void test_kick(void)
{
	unsigned int i;

	if (!vvq->event)
		return;
	virtqueue_kick(vq);
	for (i = 0; i < 4 * ring; i++) {
		want_notification(6);
		nr_notified = 0;
		check(add_batch(5) == 5);
		virtqueue_kick(vq);
		check(!nr_notified);
		check(add_batch(3) == 3);
		virtqueue_kick(vq);
		check(nr_notified == 1);
		check(add_batch(1) == 1);
		virtqueue_kick(vq);
		check(nr_notified == 1);
		device_run(ring);
		check(get_batch(BATCH) == 9);
	}
	if (vvq->packed_ring)
		vvq->packed.vring.device->flags = 0;
}

static void test_broken(void)
{
	check(add_batch(6) == 6);
	device_run(3);
	vvq->broken = true;
	check(get_batch(BATCH) == 0);
	check(add_batch(1) == -EIO);
	vvq->broken = false;
	check(get_batch(BATCH) == 3);
	device_run(3);
	check(get_batch(BATCH) == 3);
}

/* The driver adds what must not be added, behind one good buffer */
static void test_bad_buf(bool with_ctx)
{
	struct buf *b = claim(1, false), *bad = claim(1, false);
	unsigned int num_free = vq->num_free;
	struct virtqueue_buf v[2] = {
		{ .data = b, .ctx = b->ctx, .len = BUF_SIZE / MAX_SEGS },
		{ .len = BUF_SIZE / MAX_SEGS },
	};

	if (dma == PREMAPPED) {
		v[0].dma_addr = dma_addr(b->mem);
		v[1].dma_addr = dma_addr(bad->mem);
	} else {
		v[0].addr = b->mem;
		v[1].addr = bad->mem;
	}
	if (with_ctx) {
		v[1].data = bad;
		v[1].ctx = bad;
	}
	check(virtqueue_add_inbufs(vq, &v[1], 1) == -EINVAL);
	check(vq->num_free == num_free);
	check(virtqueue_add_inbufs(vq, v, 2) == 1);
	check(vq->num_free == num_free - 1);
	unclaim(bad);
	device_run(1);
	check(get_batch(BATCH) == 1);
}

/* The device may write to the descriptors of a split ring: what was added in
 * batches is not looked for there, unless there is something to unmap.
 */
static void test_rewritten_desc(void)
{
	unsigned int i;

	if (vvq->packed_ring || dma == MAPPED)
		return;
	check(add_batch(6) == 6);
	device_run(0);
	for (i = 0; i < ring; i++)
		vvq->split.vring.desc[i].flags |=
			VRING_DESC_F_NEXT | VRING_DESC_F_INDIRECT;
	device_run(6);
	check(get_batch(BATCH) == 6);
	check(vq->num_free == ring);
}

enum { AGAIN, HIGHEST, RING_SIZE, BEYOND_16_BITS, NR_BAD_IDS };

/* The device names a buffer that it cannot have: those before it are good */
static void test_bad_id(int how)
{
	struct taken *t = &taken[0];
	unsigned int id = t->id;

	check(add_batch(6) == 6);
	device_run(3);
	id = t->id;
	switch (how) {
	case AGAIN:
		bufs[t->buf].used_len = 0;
		put_used(id, 0, 1);
		break;
	case HIGHEST:
		id = 0xffff;
		break;
	case RING_SIZE:
		id = ring;
		break;
	case BEYOND_16_BITS:
		/* a packed ring has no room for that */
		id = vvq->packed_ring ? ring + id : 1 << 16 | id;
		break;
	}
	put_used(id, 0, 1);
	check(get_batch(BATCH) == (how == AGAIN ? 4 : 3));
	check(virtqueue_is_broken(vq));
	check(get_batch(BATCH) == 0);
	check(add_batch(1) == -EIO);
}

static void test_config(const struct config *c)
{
	int i;

	setup(c);
	test_limits();
	test_traffic();
	test_event();
	test_refused_map();
	test_many_added();
	test_kick();
	test_broken();
	test_bad_buf(false);
	if (c->indirect)
		test_bad_buf(true);
	test_rewritten_desc();
	test_traffic();
	teardown();

	for (i = 0; i < NR_BAD_IDS; i++) {
		setup(c);
		test_bad_id(i);
		teardown();
	}
	printf("ok: %s\n", name);
}

int main(void)
{
	struct config c;
	int i;

	for (i = 0; i < 8 * NR_DMA; i++) {
		c.packed = i & 1;
		c.event = i & 2;
		c.indirect = i & 4;
		c.dma = i / 8;
		c.ring = RING;
		test_config(&c);

		/* the size of a packed ring may be any number */
		c.ring = ODD_RING;
		if (c.packed)
			test_config(&c);
	}

	return 0;
}
