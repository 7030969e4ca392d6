/* SPDX-License-Identifier: GPL-2.0 */
/* Inputs that have shown something new: in memory, and as files. */
#ifndef VNDEV_CORPUS_H
#define VNDEV_CORPUS_H

#include "rng.h"
#include "script.h"

struct corpus {
	const char *dir;
	unsigned int nr;
	unsigned int saved;	/* files that were not there before */
	struct script **entry;
};

/* What is in the directory, which is made; a file that is wrong is told */
void corpus_load(struct corpus *c, const char *dir);
void corpus_free(struct corpus *c);

/* Both take the script, or return false without memory */
bool corpus_keep(struct corpus *c, struct script *script);

/* This one writes it to a file as well */
bool corpus_add(struct corpus *c, struct script *script);

/* NULL if there is none */
const struct script *corpus_pick(const struct corpus *c, struct rng *rng);

#endif /* VNDEV_CORPUS_H */
