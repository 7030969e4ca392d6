/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A virtio-net device inside the kernel whose driver is measured: it serves
 * its rings from the driver's own processor, and takes its own time off.
 */
#ifndef VNBENCH_H
#define VNBENCH_H

#include <linux/skbuff.h>
#include <linux/virtio.h>
#include <linux/virtio_net.h>

#include "compat.h"

#define VN_QUEUES	5	/* two pairs (XDP_TX wants one), and control */
#define VN_SEGS		32	/* longest chain: big packets have 19 */
#define VN_BUFS		256	/* most buffers of one frame */
#define VN_ETHERTYPE	0x88b5	/* for local experiments: nobody receives it */

struct vn_seg {
	void *addr;
	u32 len;
	bool writable;
};

/* One buffer that the driver has made available */
struct vn_chain {
	u16 id;
	u16 descs;
	u16 nsegs;
	struct vn_seg seg[VN_SEGS];
};

struct vn_used {
	u16 id;
	u16 descs;
	u32 len;
};

/* How far the device has come; a frame that does not fit goes back to it */
struct vn_pos {
	u16 avail;
	u16 used;
	bool avail_wrap;
	bool used_wrap;
};

struct vn_queue;

struct vn_ring_ops {
	void (*init)(struct vn_queue *q);
	bool (*get)(struct vn_queue *q, struct vn_chain *chain);
	void (*put)(struct vn_queue *q, const struct vn_used *used);
	/* shows the driver what has been put */
	void (*publish)(struct vn_queue *q);
	/* asks to be told of the next buffer; without it, never */
	void (*want_kick)(struct vn_queue *q);
};

struct vn_queue {
	struct virtqueue *vq;
	const struct vn_ring_ops *ring;
	void *desc;
	void *driver;
	void *device;
	u16 num;
	struct vn_pos pos;
};

/* What one device of the bench is to be like */
struct vn_shape {
	bool mergeable;
	bool big;
	bool premapped;
	bool packed;
	u16 ring_size;
};

struct vn_frame {
	u32 size;		/* without the virtio header */
	u64 number;		/* of the next one, stands behind the header */
};

struct vn_device {
	struct virtio_device vdev;
	struct virtio_net_config config;
	struct vn_shape shape;
	u8 status;
	u16 nqueues;
	struct vn_queue queue[VN_QUEUES];
	struct vn_frame frame;
	u64 own_ticks;		/* spent in the device when the driver kicks */
	u64 sent;		/* frames that came back, all and in order */
	u64 buffers;		/* filled */
	struct vn_used used[VN_BUFS];
};

static inline struct vn_device *to_vn(struct virtio_device *vdev)
{
	return container_of(vdev, struct vn_device, vdev);
}

/* Time in units of the processor's counter; instructions under icount */
static inline u64 vn_ticks(void)
{
	u32 low, high;

	asm volatile("lfence; rdtsc" : "=a" (low), "=d" (high) : : "memory");
	return low | (u64)high << 32;
}

/* split.c, packed.c */
extern const struct vn_ring_ops vn_split_ops;
extern const struct vn_ring_ops vn_packed_ops;

static inline void vn_chain_add(struct vn_chain *chain, u64 addr, u32 len,
				bool writable)
{
	struct vn_seg *seg = &chain->seg[chain->nsegs];

	if (WARN_ON_ONCE(chain->nsegs == VN_SEGS))
		return;
	seg->addr = vn_bus_to_virt(addr);
	seg->len = len;
	seg->writable = writable;
	chain->nsegs++;
}

/* serve.c */
unsigned int vn_fill(struct vn_device *dev, unsigned int frames);
bool vn_notify(struct virtqueue *vq);

/* device.c */
struct vn_device *vn_device_create(struct device *parent,
				   const struct vn_shape *shape);
void vn_device_destroy(struct vn_device *dev);
struct net_device *vn_netdev(struct vn_device *dev);

/* bench.c */
struct vn_cell {
	struct net_device *netdev;
	u32 held;		/* skbs kept until there are so many; 0: none */
	bool inspect;		/* look at the skbs: not while time is taken */
};

struct vn_result {
	u64 packets;
	u64 ticks;
	u64 buffers;
	u64 skbs;		/* inspected: in order, and these are sums of */
	u64 truesize;
	u64 frags;
	u64 pages;		/* allocated */
	u64 sent;
	u64 received;		/* as the driver counts */
	u64 dropped;		/* by XDP, or by the stack: nobody wants them */
};

int vn_run(struct vn_device *dev, const struct vn_cell *cell, u64 packets,
	   struct vn_result *result);

/* count.c */
struct vn_counters;

struct vn_counters *vn_count_start(void);
void vn_count_stop(struct vn_counters *counters, char *text, size_t size);
u64 vn_pages(void);

/* xdp.c */
int vn_xdp_compile(int fd, u32 action);

/* idle.c */
int vn_idle_start(void);
void vn_idle_stop(void);

#endif /* VNBENCH_H */
