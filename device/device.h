/* SPDX-License-Identifier: GPL-2.0 */
/* One device: the protocol, its queues, and the loop that serves them. */
#ifndef VNDEV_DEVICE_H
#define VNDEV_DEVICE_H

#include "ctrlq.h"
#include "net.h"
#include "vhost.h"

enum device_mode {
	MODE_SMALL,		/* a buffer for each frame */
	MODE_MERGEABLE,
	MODE_BIG,		/* a buffer for each packet, which is large */
	MODE_NR
};

struct device_options {
	const char *path;
	bool connect;
	bool verbose;
	enum device_mode mode;
	bool packed;
	bool access_platform;
	bool indirect;
	bool event_idx;
	bool ctrl;
	unsigned int pairs;
	unsigned int mtu;
	uint64_t more;		/* features offered whatever the mode is */
	uint64_t less;		/* features never offered */
};

struct device {
	struct vhost vh;
	struct net net;
	struct ctrlq ctrl;
	bool nag;		/* tells of a config change when idle */
};

const char *device_mode_name(unsigned int mode);

/* Returns 0 or a negative errno */
int device_open(struct device *dev, const struct device_options *opt);
void device_close(struct device *dev);

/* The config space as an honest device has it */
void device_config(struct device *dev, const struct device_options *opt);
uint64_t device_features(const struct device_options *opt);

/*
 * Serves the queues and the socket until something has happened, or for
 * TIMEOUT milliseconds. Returns whether FD, which may be -1, can be read.
 */
bool device_poll(struct device *dev, int fd, int timeout);

#endif /* VNDEV_DEVICE_H */
