/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A life of the driver: it probes, has inputs of the fuzzer, and leaves. Guests
 * are started as it takes; one that has failed is ended.
 */
#ifndef VNDEV_LIFE_H
#define VNDEV_LIFE_H

#include "console.h"
#include "cover.h"
#include "trial.h"

struct life {
	struct trial trial;
	struct console console;
	struct cover cover;
	bool running;		/* a guest is there */
	unsigned int guests;
	uint64_t lies;		/* completions, of all lives */
	/* of this life */
	bool costs;		/* its steps cost the driver buffers */
	bool unbinds;
};

/* Returns 0 or a negative errno */
int life_init(struct life *l, const char *log);
void life_exit(struct life *l);

/* Each returns whether the driver has survived; trial.why says why not */
bool life_begin(struct life *l);
bool life_input(struct life *l, const struct script *script);
bool life_end(struct life *l);

/* Has the driver nothing to receive into any more? */
bool life_spent(const struct life *l);

#endif /* VNDEV_LIFE_H */
