/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A vhost-user back end: one socket, one front end at a time. It keeps what
 * the front end has set, and starts and stops the rings accordingly; what
 * goes through the rings is not its concern.
 */
#ifndef VNDEV_VHOST_H
#define VNDEV_VHOST_H

#include <linux/virtio_net.h>

#include "mem.h"
#include "proto.h"
#include "ring.h"

#define VHOST_MAX_PAIRS	8
#define VHOST_MAX_RINGS	(2 * VHOST_MAX_PAIRS + 1)

struct vhost {
	const char *path;
	bool connect;		/* we connect, the front end listens */
	bool verbose;
	int listen_fd;
	int sock;		/* -1 without a front end */
	int backend_fd;		/* for our own requests, or -1 */
	unsigned int pairs;
	uint64_t offered;
	uint64_t features;	/* what the front end has acknowledged */
	uint64_t protocol;
	uint8_t status;
	unsigned int nr_rings;
	unsigned int connections;
	struct mem_map mem;
	struct ring ring[VHOST_MAX_RINGS];
	struct virtio_net_config config;
};

/* Listens, or prepares to connect. Returns 0 or a negative errno. */
int vhost_open(struct vhost *vh, const char *path, bool connect);
void vhost_close(struct vhost *vh);

/* Takes a front end, if one is there. Returns whether there is one now. */
bool vhost_attach(struct vhost *vh);
void vhost_detach(struct vhost *vh);

/* Reads and answers one message; the front end may be gone afterwards */
void vhost_message(struct vhost *vh);

/* Tells the driver that the config space has changed */
void vhost_config_changed(struct vhost *vh);

static inline bool vhost_has(const struct vhost *vh, unsigned int feature)
{
	return vh->features >> feature & 1;
}

static inline struct ring *vhost_rx(struct vhost *vh, unsigned int pair)
{
	return &vh->ring[2 * pair];
}

static inline struct ring *vhost_tx(struct vhost *vh, unsigned int pair)
{
	return &vh->ring[2 * pair + 1];
}

/*
 * Behind the pairs that the driver believes in: without multiqueue, or with a
 * number that it cannot believe, that is one.
 */
static inline struct ring *vhost_ctrl(struct vhost *vh)
{
	unsigned int pairs = vh->config.max_virtqueue_pairs;

	if (!vhost_has(vh, VIRTIO_NET_F_MQ) || !pairs || pairs > vh->pairs)
		pairs = 1;
	return &vh->ring[2 * pairs];
}

#endif /* VNDEV_VHOST_H */
