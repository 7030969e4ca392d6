// SPDX-License-Identifier: GPL-2.0
#include <linux/virtio_ring.h>
#include <stddef.h>
#include <string.h>

#include "feature.h"

int feature_by_name(const char *name)
{
	static const struct {
		const char *name;
		int bit;
	} known[] = {
		{ "csum", VIRTIO_NET_F_CSUM },
		{ "guest_csum", VIRTIO_NET_F_GUEST_CSUM },
		{ "ctrl_guest_offloads", VIRTIO_NET_F_CTRL_GUEST_OFFLOADS },
		{ "mtu", VIRTIO_NET_F_MTU },
		{ "mac", VIRTIO_NET_F_MAC },
		{ "guest_tso4", VIRTIO_NET_F_GUEST_TSO4 },
		{ "guest_tso6", VIRTIO_NET_F_GUEST_TSO6 },
		{ "guest_ecn", VIRTIO_NET_F_GUEST_ECN },
		{ "guest_ufo", VIRTIO_NET_F_GUEST_UFO },
		{ "guest_uso4", VIRTIO_NET_F_GUEST_USO4 },
		{ "guest_uso6", VIRTIO_NET_F_GUEST_USO6 },
		{ "mrg_rxbuf", VIRTIO_NET_F_MRG_RXBUF },
		{ "status", VIRTIO_NET_F_STATUS },
		{ "ctrl_vq", VIRTIO_NET_F_CTRL_VQ },
		{ "ctrl_rx", VIRTIO_NET_F_CTRL_RX },
		{ "ctrl_vlan", VIRTIO_NET_F_CTRL_VLAN },
		{ "ctrl_mac_addr", VIRTIO_NET_F_CTRL_MAC_ADDR },
		{ "guest_announce", VIRTIO_NET_F_GUEST_ANNOUNCE },
		{ "mq", VIRTIO_NET_F_MQ },
		{ "rss", VIRTIO_NET_F_RSS },
		{ "hash_report", VIRTIO_NET_F_HASH_REPORT },
		{ "speed_duplex", VIRTIO_NET_F_SPEED_DUPLEX },
		{ "indirect_desc", VIRTIO_RING_F_INDIRECT_DESC },
		{ "event_idx", VIRTIO_RING_F_EVENT_IDX },
	};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(known[i].name, name))
			return known[i].bit;
	return -1;
}
