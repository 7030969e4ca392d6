// SPDX-License-Identifier: GPL-2.0
/* One measurement: frames in, skbs held or not, and the time that took */

#include <linux/bottom_half.h>
#include <linux/if_ether.h>
#include <linux/netdevice.h>

#include "vnbench.h"

#define VN_BURST	256
/* more often than this, something is wrong */
#define VN_SOFTIRQS	1000

/* Takes the skbs that the stack delivers to the bench's ethertype */
struct vn_taker {
	struct packet_type type;
	struct sk_buff_head queue;
	const struct vn_cell *cell;
	struct vn_result *result;
	u64 number;		/* in the next frame */
	u64 received;		/* by the driver, before the run */
};

static void vn_inspect(const struct sk_buff *skb, struct vn_taker *taker)
{
	struct vn_result *result = taker->result;
	const struct sk_buff *frag;
	__le64 number;

	if (skb_copy_bits(skb, 0, &number, sizeof(number)) ||
	    le64_to_cpu(number) != taker->number++)
		return;
	result->skbs++;
	result->truesize += skb->truesize;
	result->frags += skb_shinfo(skb)->nr_frags;
	skb_walk_frags(skb, frag)
		result->frags += 1 + skb_shinfo(frag)->nr_frags;
}

static int vn_take(struct sk_buff *skb, struct net_device *netdev,
		   struct packet_type *type, struct net_device *orig)
{
	struct vn_taker *taker = container_of(type, struct vn_taker, type);

	if (taker->cell->inspect)
		vn_inspect(skb, taker);
	if (taker->cell->held)
		__skb_queue_tail(&taker->queue, skb);
	else
		kfree_skb(skb);
	return NET_RX_SUCCESS;
}

static void vn_taker_start(struct vn_taker *taker)
{
	__skb_queue_head_init(&taker->queue);
	if (!taker->cell->held && !taker->cell->inspect)
		return;
	taker->type = (struct packet_type){
		.type = htons(VN_ETHERTYPE),
		.dev = taker->cell->netdev,
		.func = vn_take,
	};
	dev_add_pack(&taker->type);
}

static void vn_taker_stop(struct vn_taker *taker)
{
	if (taker->type.func)
		dev_remove_pack(&taker->type);
	__skb_queue_purge(&taker->queue);
}

static u64 vn_received(const struct vn_cell *cell)
{
	struct rtnl_link_stats64 stats;

	dev_get_stats(cell->netdev, &stats);
	return stats.rx_packets;
}

/* The interrupt, if there is one, and the softirqs */
static void vn_softirqs(struct vn_device *dev, struct virtqueue *interrupt,
			struct vn_result *result)
{
	u64 own = dev->own_ticks, start = vn_ticks();

	local_bh_disable();
	if (interrupt)
		vring_interrupt(0, interrupt);
	local_bh_enable();
	result->ticks += vn_ticks() - start - (dev->own_ticks - own);
}

/*
 * Softirqs may be cut short and be left to a thread. Nothing of them may be
 * done out of time, not even the poll that finds no more.
 */
static int vn_receive(struct vn_device *dev, struct vn_taker *taker, u32 n)
{
	struct vn_result *result = taker->result;
	int tries = VN_SOFTIRQS;

	result->packets += n;
	vn_softirqs(dev, dev->queue[0].vq, result);
	while (vn_napi_busy(taker->cell->netdev) ||
	       vn_received(taker->cell) - taker->received < result->packets) {
		if (!tries--)
			return -ETIMEDOUT;
		vn_softirqs(dev, NULL, result);
	}
	return 0;
}

/* As a reader of a socket does: in process context, one after the other */
static void vn_release_held(struct vn_taker *taker)
{
	u64 start = vn_ticks();
	struct sk_buff *skb;

	while ((skb = __skb_dequeue(&taker->queue)))
		consume_skb(skb);
	taker->result->ticks += vn_ticks() - start;
}

static int vn_burst(struct vn_device *dev, struct vn_taker *taker)
{
	u32 held = taker->cell->held, n = VN_BURST;
	int err;

	if (held)
		n = min(n, held - skb_queue_len(&taker->queue));
	n = vn_fill(dev, n);
	if (!n)
		return -ENOBUFS;
	err = vn_receive(dev, taker, n);
	if (held && skb_queue_len(&taker->queue) >= held)
		vn_release_held(taker);
	return err;
}

static void vn_stats_add(struct vn_device *dev, const struct vn_cell *cell,
			 struct vn_result *result, int sign)
{
	struct rtnl_link_stats64 stats;

	dev_get_stats(cell->netdev, &stats);
	result->received += sign * stats.rx_packets;
	result->dropped += sign * (stats.rx_dropped + stats.rx_nohandler);
	result->sent += sign * dev->sent;
	result->buffers += sign * dev->buffers;
	result->pages += sign * vn_pages();
}

/* At least so many packets; all that are held have been freed in the end */
int vn_run(struct vn_device *dev, const struct vn_cell *cell, u64 packets,
	   struct vn_result *result)
{
	struct vn_taker taker = {
		.cell = cell, .result = result, .number = dev->frame.number,
		.received = vn_received(cell),
	};
	int err = 0;

	*result = (struct vn_result){ };
	vn_stats_add(dev, cell, result, -1);
	vn_taker_start(&taker);
	while (!err && (result->packets < packets ||
			!skb_queue_empty(&taker.queue))) {
		err = vn_burst(dev, &taker);
		cond_resched();
	}
	vn_taker_stop(&taker);
	vn_stats_add(dev, cell, result, 1);
	return err;
}
