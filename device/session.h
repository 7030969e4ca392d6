/* SPDX-License-Identifier: GPL-2.0 */
/* Runs fault scripts against a guest, and judges what comes of it. */
#ifndef VNDEV_SESSION_H
#define VNDEV_SESSION_H

#include <stdbool.h>

#include "trial.h"

struct session_options {
	bool guest;
	bool check;
	char **scripts;
	unsigned int nr_scripts;
	struct trial_options trial;
	const char *xdp;
	const char *config;
	const char *kernel;
	const char *results;
	unsigned int from;
};

struct session;

/*
 * Reads the scripts; NULL if one of them is wrong, which it has said. A script
 * that is alone changes what the device offers.
 */
struct session *session_new(const struct session_options *opt,
			    struct device_options *dev_opt);
void session_free(struct session *s);

struct script **session_scripts(struct session *s);

/*
 * Returns 0 if all cases passed, 1 if some did not, 3 if the guest was lost on
 * the way: the result of that case is written, --from goes on after it.
 */
int session_run(struct session *s, struct device *dev, int signals);

#endif /* VNDEV_SESSION_H */
