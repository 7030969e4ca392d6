/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest, what it is told to do, and whether it survives: what scripts and
 * the fuzzer have in common.
 */
#ifndef VNDEV_TRIAL_H
#define VNDEV_TRIAL_H

#include <stdbool.h>

#include "device.h"
#include "fault.h"
#include "link.h"

#define TRIAL_WHY	400

enum verdict { PASSED, FAILED, UNSUPPORTED, LOST, STOPPED };

struct counters {
	long long rx_packets;
	long long rx_dropped;
	long long rx_length_errors;
	long long rx_frame_errors;
	long long delivered;
	long long good;
	long long wrong;
};

struct trial_options {
	char **command;		/* starts the guest */
	const char *log;	/* what its console says is appended */
	unsigned int patience;	/* seconds */
};

struct trial {
	const struct trial_options *opt;
	const struct device_options *dev_opt;
	struct device *dev;
	struct fault *fault;
	struct link link;
	int signals;
	const char *xdp;	/* "off", or the program to attach */
	bool probed;
	enum verdict verdict;
	char reply[LINK_LINE];
	char why[TRIAL_WHY];
};

/* A descriptor that can be read when the program is to end */
int trial_signals(void);

/* Returns whether the guest has come up */
bool trial_start(struct trial *t);
void trial_stop(struct trial *t, bool power_off);

/* The first reason counts. Returns false. */
__attribute__((format(printf, 3, 4)))
bool trial_fail(struct trial *t, enum verdict verdict, const char *fmt, ...);
bool trial_stopped(struct trial *t);

/* Returns whether the guest has answered "ok" */
bool trial_call(struct trial *t, const char *command);

/* As trial_call(), and what the guest refuses is a failure */
bool trial_must(struct trial *t, const char *command);

bool trial_probe(struct trial *t);
bool trial_counters(struct trial *t, struct counters *c);

/* Returns how many of the good frames did not arrive as they should */
long long trial_good(struct trial *t);

/* Ends what the steps of a script have begun to lie about */
void trial_honest(struct trial *t);

/* One step; false if the guest was to do something and could not */
bool trial_step(struct trial *t, const struct step *step);

/* The driver leaves: what it allocated must be gone with it */
void trial_leave(struct trial *t);
void trial_log(struct trial *t);

/* Does one of the words describe this device, and the program? */
bool trial_holds(const struct trial *t, const struct condition *c);

/* Has the script something to say about this device? */
bool trial_wants(const struct trial *t, const struct script *script);

#endif /* VNDEV_TRIAL_H */
