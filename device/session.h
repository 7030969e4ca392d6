/* SPDX-License-Identifier: GPL-2.0 */
/* Runs fault scripts against a guest, and judges what comes of it. */
#ifndef VNDEV_SESSION_H
#define VNDEV_SESSION_H

#include <stdbool.h>

#include "device.h"

struct session_options {
	bool guest;
	bool check;
	char **scripts;
	unsigned int nr_scripts;
	char **command;
	const char *xdp;
	const char *config;
	const char *kernel;
	const char *results;
	const char *log;
	unsigned int from;
	unsigned int patience;
};

struct session;

/* A descriptor that can be read when the program is to end */
int session_signals(void);

/*
 * Reads the scripts; NULL if one of them is wrong, which it has said. A script
 * that is alone changes what the device offers.
 */
struct session *session_new(const struct session_options *opt,
			    struct device_options *dev_opt);
void session_free(struct session *s);

/*
 * Returns 0 if all cases passed, 1 if some did not, 3 if the guest was lost on
 * the way: the result of that case is written, --from goes on after it.
 */
int session_run(struct session *s, struct device *dev, int signals);

#endif /* VNDEV_SESSION_H */
