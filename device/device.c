// SPDX-License-Identifier: GPL-2.0
#include <linux/virtio_config.h>
#include <poll.h>
#include <stddef.h>

#include "device.h"
#include "feature.h"

#define BIT(nr)		(1ull << (nr))
#define SPINS		64	/* bursts between two looks at the sockets */

/* Socket or listener, FD, and a kick for each transmit and control queue */
#define MAX_FDS		(2 + VHOST_MAX_PAIRS + 1)

static const uint8_t default_mac[6] = { 0x52, 0x54, 0x00, 0x00, 0x77, 0x10 };

const char *device_mode_name(unsigned int mode)
{
	static const char *const names[MODE_NR] = {
		[MODE_SMALL] = "small",
		[MODE_MERGEABLE] = "mergeable",
		[MODE_BIG] = "big",
	};

	return mode < MODE_NR ? names[mode] : NULL;
}

static uint64_t if_bit(bool cond, unsigned int nr)
{
	return cond ? BIT(nr) : 0;
}

/* Large packets are what makes a driver without mergeable buffers post big */
uint64_t device_features(const struct device_options *opt)
{
	uint64_t f = BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_NET_F_MAC) |
		     BIT(VIRTIO_NET_F_STATUS) | BIT(VIRTIO_NET_F_MTU) |
		     BIT(VIRTIO_NET_F_CSUM) | BIT(VIRTIO_NET_F_GUEST_CSUM) |
		     BIT(VIRTIO_NET_F_HOST_TSO4) | BIT(VIRTIO_NET_F_HOST_TSO6);

	if (opt->mode != MODE_SMALL)
		f |= BIT(VIRTIO_NET_F_GUEST_TSO4) |
		     BIT(VIRTIO_NET_F_GUEST_TSO6) |
		     BIT(VIRTIO_NET_F_GUEST_ECN) |
		     BIT(VIRTIO_NET_F_GUEST_USO4) |
		     BIT(VIRTIO_NET_F_GUEST_USO6);
	if (opt->ctrl)
		f |= BIT(VIRTIO_NET_F_CTRL_VQ) | BIT(VIRTIO_NET_F_CTRL_RX) |
		     BIT(VIRTIO_NET_F_CTRL_MAC_ADDR) |
		     BIT(VIRTIO_NET_F_CTRL_GUEST_OFFLOADS);
	f |= if_bit(opt->mode == MODE_MERGEABLE, VIRTIO_NET_F_MRG_RXBUF);
	f |= if_bit(opt->ctrl && opt->pairs > 1, VIRTIO_NET_F_MQ);
	f |= if_bit(opt->packed, VIRTIO_F_RING_PACKED);
	f |= if_bit(opt->access_platform, VIRTIO_F_ACCESS_PLATFORM);
	f |= if_bit(opt->indirect, VIRTIO_RING_F_INDIRECT_DESC);
	f |= if_bit(opt->event_idx, VIRTIO_RING_F_EVENT_IDX);
	return (f | opt->more) & ~opt->less;
}

void device_config(struct device *dev, const struct device_options *opt)
{
	struct virtio_net_config *config = &dev->vh.config;
	unsigned int i;

	*config = (struct virtio_net_config) {
		.status = VIRTIO_NET_S_LINK_UP,
		.max_virtqueue_pairs = opt->pairs,
		.mtu = opt->mtu,
		.rss_max_key_size = 40,
		.rss_max_indirection_table_length = 128,
		.supported_hash_types = 63,
	};
	for (i = 0; i < sizeof(default_mac); i++)
		config->mac[i] = default_mac[i];
}

int device_open(struct device *dev, const struct device_options *opt)
{
	dev->vh.verbose = opt->verbose;
	dev->vh.pairs = opt->pairs;
	dev->vh.nr_rings = 2 * opt->pairs + 1;
	dev->vh.offered = device_features(opt);
	dev->net.vh = &dev->vh;
	dev->net.source.tap_fd = -1;
	device_config(dev, opt);
	return vhost_open(&dev->vh, opt->path, opt->connect);
}

void device_close(struct device *dev)
{
	vhost_close(&dev->vh);
	source_close(&dev->net.source);
}

/* --- the loop ------------------------------------------------------------- */

static unsigned int serve(struct device *dev)
{
	unsigned int pair, n = ctrlq_poll(&dev->ctrl, &dev->vh);

	for (pair = 0; pair < dev->vh.pairs; pair++) {
		n += net_take_burst(&dev->net, pair);
		if (dev->net.running && vhost_rx(&dev->vh, pair)->running)
			n += net_send_burst(&dev->net, pair);
	}
	return n;
}

static void want_kicks(struct device *dev, bool want)
{
	unsigned int pair;

	ring_want_kicks(vhost_ctrl(&dev->vh), want);
	for (pair = 0; pair < dev->vh.pairs; pair++) {
		ring_want_kicks(vhost_tx(&dev->vh, pair), want);
		ring_want_kicks(vhost_rx(&dev->vh, pair), false);
	}
}

static struct pollfd watch(int fd)
{
	return (struct pollfd) { .fd = fd, .events = POLLIN };
}

static void drain_kicks(struct device *dev)
{
	unsigned int i;

	for (i = 0; i < dev->vh.nr_rings; i++)
		ring_kick_drain(&dev->vh.ring[i]);
}

/* A front end that listens has nothing to wait on until it is there */
static bool poll_fds(struct device *dev, int fd, int timeout)
{
	struct vhost *vh = &dev->vh;
	struct pollfd fds[MAX_FDS];
	unsigned int i, nr = 0;

	fds[nr++] = watch(vh->sock >= 0 ? vh->sock : vh->listen_fd);
	fds[nr++] = watch(fd);
	fds[nr++] = watch(vhost_ctrl(vh)->kick_fd);
	for (i = 0; i < vh->pairs; i++)
		fds[nr++] = watch(vhost_tx(vh, i)->kick_fd);
	if (vh->connect && vh->sock < 0 && (timeout < 0 || timeout > 100))
		timeout = 100;
	if (poll(fds, nr, timeout) <= 0 && !vh->connect)
		return false;
	drain_kicks(dev);
	if (vh->sock < 0)
		vhost_attach(vh);
	else if (fds[0].revents)
		vhost_message(vh);
	return fds[1].revents;
}

/* Kicks are asked for only before sleeping, and after that comes one more look
 * at the rings.
 */
bool device_poll(struct device *dev, int fd, int timeout)
{
	unsigned int spins;

	for (spins = 0; spins < SPINS && serve(dev); spins++)
		timeout = 0;
	if (!timeout)
		return poll_fds(dev, fd, 0);
	want_kicks(dev, true);
	if (serve(dev) || dev->net.running)
		timeout = dev->net.running;
	if (dev->nag && timeout) {
		vhost_config_changed(&dev->vh);
		timeout = 1;
	}
	return poll_fds(dev, fd, timeout);
}
