/* SPDX-License-Identifier: GPL-2.0 */
/* Makes fault scripts up, and keeps those that show something new. */
#ifndef VNDEV_FUZZ_H
#define VNDEV_FUZZ_H

#include "session.h"

struct fuzz_options {
	const char *corpus;	/* directories */
	const char *findings;
	const char *known;	/* a list: see known.list; or NULL */
	const char *cover;	/* addresses reached are appended, or NULL */
	uint64_t seed;
	unsigned int seconds;
	bool replay;		/* only run the scripts */
};

/*
 * SCRIPTS are the first inputs. Returns 0, 1 if the driver did not survive, 2
 * without a guest, 130 if interrupted.
 */
int fuzz_run(const struct fuzz_options *opt, const struct session_options *run,
	     struct script **scripts, struct trial *trial);

#endif /* VNDEV_FUZZ_H */
