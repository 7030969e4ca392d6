// SPDX-License-Identifier: GPL-2.0
/* The virtio device as the virtio core and its driver see it */

#include <linux/etherdevice.h>
#include <linux/slab.h>

#include "vnbench.h"

#define VN_BIT(name)	BIT_ULL(VIRTIO_NET_F_##name)

static const u8 vn_mac[ETH_ALEN] = { 0x02, 0x76, 0x6e, 0x72, 0x78, 0x02 };

static void vn_get(struct virtio_device *vdev, unsigned int offset, void *buf,
		   unsigned int len)
{
	struct vn_device *dev = to_vn(vdev);

	if (offset + len > sizeof(dev->config))
		memset(buf, 0, len);
	else
		memcpy(buf, (void *)&dev->config + offset, len);
}

static void vn_set(struct virtio_device *vdev, unsigned int offset,
		   const void *buf, unsigned int len)
{
}

static u8 vn_get_status(struct virtio_device *vdev)
{
	return to_vn(vdev)->status;
}

static void vn_set_status(struct virtio_device *vdev, u8 status)
{
	to_vn(vdev)->status = status;
}

static void vn_reset(struct virtio_device *vdev)
{
	to_vn(vdev)->status = 0;
}

/* What QEMU offers, as far as receiving goes */
static u64 vn_get_features(struct virtio_device *vdev)
{
	const struct vn_shape *shape = &to_vn(vdev)->shape;
	u64 features = BIT_ULL(VIRTIO_F_VERSION_1) |
		BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC) |
		BIT_ULL(VIRTIO_RING_F_EVENT_IDX) |
		VN_BIT(MAC) | VN_BIT(MQ) | VN_BIT(CTRL_VQ) |
		VN_BIT(CTRL_GUEST_OFFLOADS) | VN_BIT(GUEST_CSUM);

	if (shape->mergeable)
		features |= VN_BIT(MRG_RXBUF);
	if (shape->mergeable || shape->big)
		features |= VN_BIT(GUEST_TSO4) | VN_BIT(GUEST_TSO6) |
			VN_BIT(GUEST_ECN) | VN_BIT(GUEST_UFO);
	if (shape->premapped)
		features |= BIT_ULL(VIRTIO_F_ACCESS_PLATFORM);
	if (shape->packed)
		features |= BIT_ULL(VIRTIO_F_RING_PACKED);
	return features;
}

static int vn_finalize_features(struct virtio_device *vdev)
{
	vring_transport_features(vdev);
	return 0;
}

static void vn_del_vqs(struct virtio_device *vdev)
{
	struct virtqueue *vq, *next;

	list_for_each_entry_safe(vq, next, &vdev->vqs, list)
		vring_del_virtqueue(vq);
	to_vn(vdev)->nqueues = 0;
}

static void vn_queue_init(struct vn_device *dev, struct virtqueue *vq)
{
	struct vn_queue *q = &dev->queue[vq->index];

	*q = (struct vn_queue){
		.vq = vq,
		.ring = dev->shape.packed ? &vn_packed_ops : &vn_split_ops,
		.desc = vn_bus_to_virt(virtqueue_get_desc_addr(vq)),
		.driver = vn_bus_to_virt(virtqueue_get_avail_addr(vq)),
		.device = vn_bus_to_virt(virtqueue_get_used_addr(vq)),
		.num = virtqueue_get_vring_size(vq),
	};
	vq->priv = q;
	q->ring->init(q);
	if (vq->index & 1 || vq->index == dev->nqueues - 1)
		q->ring->want_kick(q);
}

static int vn_find_vqs(struct virtio_device *vdev, unsigned int nvqs,
		       struct virtqueue *vqs[],
		       struct virtqueue_info info[],
		       struct irq_affinity *affinity)
{
	struct vn_device *dev = to_vn(vdev);
	unsigned int i;

	if (nvqs != VN_QUEUES)
		return -EINVAL;
	dev->nqueues = nvqs;
	for (i = 0; i < nvqs; i++) {
		vqs[i] = vring_create_virtqueue(i, dev->shape.ring_size,
						SMP_CACHE_BYTES, vdev, true,
						false, info[i].ctx, vn_notify,
						info[i].callback, info[i].name);
		if (!vqs[i]) {
			vn_del_vqs(vdev);
			return -ENOMEM;
		}
		vn_queue_init(dev, vqs[i]);
	}
	return 0;
}

static const char *vn_bus_name(struct virtio_device *vdev)
{
	return "vnbench";
}

static const struct virtio_config_ops vn_config_ops = {
	.get = vn_get,
	.set = vn_set,
	.get_status = vn_get_status,
	.set_status = vn_set_status,
	.reset = vn_reset,
	.find_vqs = vn_find_vqs,
	.del_vqs = vn_del_vqs,
	.get_features = vn_get_features,
	.finalize_features = vn_finalize_features,
	.bus_name = vn_bus_name,
};

static void vn_release(struct device *dev)
{
	kfree(to_vn(dev_to_virtio(dev)));
}

struct vn_device *vn_device_create(struct device *parent,
				   const struct vn_shape *shape)
{
	struct vn_device *dev;
	int err;

	dev = kzalloc(sizeof(*dev), GFP_KERNEL);
	if (!dev)
		return ERR_PTR(-ENOMEM);
	dev->shape = *shape;
	memcpy(dev->config.mac, vn_mac, ETH_ALEN);
	dev->config.max_virtqueue_pairs = cpu_to_le16(2);
	dev->vdev.id.device = VIRTIO_ID_NET;
	dev->vdev.config = &vn_config_ops;
	dev->vdev.dev.parent = parent;
	dev->vdev.dev.release = vn_release;
	err = register_virtio_device(&dev->vdev);
	if (err) {
		put_device(&dev->vdev.dev);
		return ERR_PTR(err);
	}
	return dev;
}

void vn_device_destroy(struct vn_device *dev)
{
	unregister_virtio_device(&dev->vdev);
}

/* The driver's network device, with a reference; NULL without a driver */
struct net_device *vn_netdev(struct vn_device *dev)
{
	struct net_device *netdev, *found = NULL;

	rcu_read_lock();
	for_each_netdev_rcu(&init_net, netdev) {
		if (netdev->dev.parent != &dev->vdev.dev)
			continue;
		found = netdev;
		dev_hold(found);
		break;
	}
	rcu_read_unlock();
	return found;
}
