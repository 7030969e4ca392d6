/* SPDX-License-Identifier: GPL-2.0 */
/* The shortest script after which the driver still fails. */
#ifndef VNDEV_REDUCE_H
#define VNDEV_REDUCE_H

#include "life.h"

#define FINDING_NAME	64

/* A name for what went wrong: the same for the same place in the driver */
void finding_name(char name[FINDING_NAME], const char *why);

/* Does the driver fail with this? In some tries: it may depend on time. */
bool reduce_fails(struct life *l, const struct script *script,
		  unsigned int tries);

/*
 * Makes SCRIPT shorter as long as the driver fails in the same way, until END
 * at most.
 */
void reduce(struct life *l, struct script *script, const char *name,
	    uint64_t end);

#endif /* VNDEV_REDUCE_H */
