/* SPDX-License-Identifier: GPL-2.0 */
/* Scripts as lists of steps that can be copied, cut and joined. */
#ifndef VNDEV_STEPS_H
#define VNDEV_STEPS_H

#include "script.h"

/* NULL without memory */
struct script *steps_script(const char *title);
struct step *steps_new(enum step_kind kind, uint32_t count);
struct step *steps_guest(const char *text);
struct step *steps_copy(const struct step *step);
void steps_free_one(struct step *step);

unsigned int steps_count(const struct script *script);

/* Where step AT is linked, or the end of the list */
struct step **steps_at(struct script *script, unsigned int at);

/* Both take what they are given, which may be NULL */
void steps_insert(struct step **at, struct step *step);
void steps_append(struct script *script, struct step *step);
void steps_remove(struct step **at);

/* Copies of NR steps of FROM, behind those of TO */
void steps_join(struct script *to, const struct script *from, unsigned int at,
		unsigned int nr);

#endif /* VNDEV_STEPS_H */
