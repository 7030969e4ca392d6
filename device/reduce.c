// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <string.h>

#include "reduce.h"
#include "steps.h"
#include "util.h"

/* Letters as they are; numbers and offsets differ from time to time */
void finding_name(char name[FINDING_NAME], const char *why)
{
	unsigned int n = 0;

	for (; *why && *why != '+' && n < FINDING_NAME - 1; why++) {
		if (isalpha((unsigned char)*why) || *why == '_')
			name[n++] = tolower((unsigned char)*why);
		else if (n && name[n - 1] != '-' && !isdigit(*why))
			name[n++] = '-';
	}
	while (n && name[n - 1] == '-')
		n--;
	name[n] = 0;
}

bool reduce_fails(struct life *l, const struct script *script,
		  unsigned int tries)
{
	while (tries--) {
		if (!life_begin(l))
			return l->trial.verdict != STOPPED;
		life_input(l, script);
		if (!life_end(l))
			return l->trial.verdict != STOPPED;
	}
	return false;
}

static bool fails_so(struct life *l, const struct script *script,
		     const char *name)
{
	char other[FINDING_NAME];

	if (!reduce_fails(l, script, 1))
		return false;
	finding_name(other, l->trial.why);
	return !strcmp(name, other);
}

/* Takes NR steps out if the driver fails without them as well */
static bool without(struct life *l, struct script *script, unsigned int at,
		    unsigned int nr, const char *name)
{
	struct step **from = steps_at(script, at);
	struct step **to = steps_at(script, at + nr);
	struct step *cut = *from, *rest = *to;

	*from = rest;
	if (!fails_so(l, script, name)) {
		*from = cut;
		return false;
	}
	*to = NULL;
	while (cut)
		steps_remove(&cut);
	return true;
}

void reduce(struct life *l, struct script *script, const char *name,
	    uint64_t end)
{
	unsigned int at, chunk = steps_count(script) / 2;

	for (; chunk; chunk /= 2) {
		at = 0;
		while (at < steps_count(script)) {
			if (now_ns() > end || l->trial.verdict == STOPPED)
				return;
			if (!without(l, script, at, chunk, name))
				at += chunk;
		}
	}
}
