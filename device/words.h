/* SPDX-License-Identifier: GPL-2.0 */
/* The words of fault scripts, for those who read and who write them. */
#ifndef VNDEV_WORDS_H
#define VNDEV_WORDS_H

#include "script.h"

/* Steps that are a word, or a word and a number up to a largest one */
struct words_step {
	const char *name;
	enum step_kind kind;
	bool numbered;
	uint32_t max;
};

/* A field of the config space */
struct words_field {
	const char *name;
	unsigned int offset;
	unsigned int size;
};

/* These end with an entry that has no name */
extern const struct words_step words_steps[];
extern const struct words_field words_fields[];

extern const char *const words_base[BASE_NR];
extern const char *const words_hdr[HDR_NR];

/* NULL if there is none */
const struct words_step *words_step(enum step_kind kind);
const struct words_field *words_field(unsigned int offset);

#endif /* VNDEV_WORDS_H */
