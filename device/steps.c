// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "steps.h"

struct script *steps_script(const char *title)
{
	struct script *script = calloc(1, sizeof(*script));

	if (script)
		snprintf(script->title, sizeof(script->title), "%s", title);
	return script;
}

struct step *steps_new(enum step_kind kind, uint32_t count)
{
	struct step *step = calloc(1, sizeof(*step));

	if (!step)
		return NULL;
	step->kind = kind;
	step->count = count;
	if (kind != STEP_PACKET)
		return step;
	step->packet = calloc(1, sizeof(*step->packet));
	if (!step->packet) {
		free(step);
		return NULL;
	}
	step->packet->repeat = 1;
	step->packet->len = FRAME_MIN;
	return step;
}

struct step *steps_guest(const char *text)
{
	struct step *step = steps_new(STEP_GUEST, 0);

	if (step)
		snprintf(step->text, sizeof(step->text), "%s", text);
	return step;
}

struct step *steps_copy(const struct step *step)
{
	struct step *copy = steps_new(step->kind, step->count);
	struct packet_step *packet;

	if (!copy)
		return NULL;
	packet = copy->packet;
	*copy = *step;
	copy->next = NULL;
	copy->packet = packet;
	if (packet)
		*packet = *step->packet;
	return copy;
}

void steps_free_one(struct step *step)
{
	if (step)
		free(step->packet);
	free(step);
}

unsigned int steps_count(const struct script *script)
{
	const struct step *step;
	unsigned int n = 0;

	for (step = script->steps; step; step = step->next)
		n++;
	return n;
}

struct step **steps_at(struct script *script, unsigned int at)
{
	struct step **link = &script->steps;

	while (*link && at--)
		link = &(*link)->next;
	return link;
}

void steps_insert(struct step **at, struct step *step)
{
	if (!step)
		return;
	step->next = *at;
	*at = step;
}

void steps_append(struct script *script, struct step *step)
{
	steps_insert(steps_at(script, UINT32_MAX), step);
}

void steps_remove(struct step **at)
{
	struct step *step = *at;

	if (!step)
		return;
	*at = step->next;
	steps_free_one(step);
}

void steps_join(struct script *to, const struct script *from, unsigned int at,
		unsigned int nr)
{
	struct step **end = steps_at(to, UINT32_MAX);
	const struct step *step = from->steps;

	while (step && at--)
		step = step->next;
	for (; step && nr--; step = step->next) {
		steps_insert(end, steps_copy(step));
		if (*end)
			end = &(*end)->next;
	}
}
