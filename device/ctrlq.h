/* SPDX-License-Identifier: GPL-2.0 */
/* The control queue. */
#ifndef VNDEV_CTRLQ_H
#define VNDEV_CTRLQ_H

#include "vhost.h"

struct ctrlq {
	uint64_t commands;
	uint64_t refused;
	unsigned int refuse;	/* commands to refuse, whatever they are */
	bool lie;		/* says that it has written more than it has */
};

/* Executes what the driver has asked for; returns how many commands */
unsigned int ctrlq_poll(struct ctrlq *ctrl, struct vhost *vh);

#endif /* VNDEV_CTRLQ_H */
