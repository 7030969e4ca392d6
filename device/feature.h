/* SPDX-License-Identifier: GPL-2.0 */
/* What the headers of Debian 12 do not have yet, and features by name. */
#ifndef VNDEV_FEATURES_H
#define VNDEV_FEATURES_H

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <stdint.h>

#ifndef VIRTIO_NET_F_GUEST_USO4
#define VIRTIO_NET_F_GUEST_USO4		54
#define VIRTIO_NET_F_GUEST_USO6		55
#define VIRTIO_NET_F_HOST_USO		56
#endif
#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4	5
#endif

/* Returns the bit's number, or -1 for a name that is not known */
int feature_by_name(const char *name);

#endif /* VNDEV_FEATURES_H */
