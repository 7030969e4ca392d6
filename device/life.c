// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "life.h"

#define PATIENCE_MS	5	/* for a buffer: there are other inputs */
#define STARVED		8	/* so often without one, and none is left */

int life_init(struct life *l, const char *log)
{
	l->trial.fault = calloc(1, sizeof(*l->trial.fault));
	if (!l->trial.fault)
		return -ENOMEM;
	return console_open(&l->console, log);
}

void life_exit(struct life *l)
{
	if (l->running)
		trial_stop(&l->trial, true);
	l->running = false;
	console_close(&l->console);
	free(l->trial.fault);
}

/* A kernel without coverage says 0 */
static bool start_guest(struct life *l)
{
	struct trial *t = &l->trial;

	if (!trial_start(t))
		return false;
	l->running = true;
	l->guests++;
	cover_guest(&l->cover, 0);
	if (trial_call(t, "cover"))
		cover_guest(&l->cover, strtoull(t->reply + 3, NULL, 0));
	return true;
}

static bool survives(struct life *l)
{
	struct trial *t = &l->trial;

	console_poll(&l->console);
	/* a guest that has died said why before */
	if (l->console.bad && t->verdict == LOST)
		t->verdict = PASSED;
	if (l->console.bad)
		trial_fail(t, FAILED, "%.300s", l->console.splat);
	return t->verdict == PASSED;
}

static void check_good(struct trial *t, const char *when)
{
	long long missing = t->verdict == PASSED ? trial_good(t) : 0;

	if (missing > 0)
		trial_fail(t, FAILED, "%lld good packets lost %s", missing,
			   when);
}

/* What KASAN has told once it does not tell again: a new guest does */
static bool end_guest(struct life *l)
{
	bool fine = survives(l);

	if (!fine && l->running) {
		trial_stop(&l->trial, false);
		l->running = false;
	}
	return fine;
}

bool life_begin(struct life *l)
{
	struct trial *t = &l->trial;

	t->verdict = PASSED;
	t->why[0] = 0;
	l->costs = false;
	l->unbinds = false;
	console_forget(&l->console);
	if (!l->running && !start_guest(l))
		return false;
	fault_init(t->fault, t->dev);
	t->fault->patience = PATIENCE_MS;
	if (!trial_probe(t))
		trial_fail(t, FAILED, "probe: %s", t->reply);
	check_good(t, "after a probe");
	return end_guest(l);
}

/* Steps after which good packets may be lost, or there is no driver */
static void note_step(struct life *l, const struct step *step)
{
	switch (step->kind) {
	case STEP_PACKET:
		l->costs |= step->packet->used_id.set;
		break;
	case STEP_HOLD:
		l->costs |= l->trial.fault->nr_held;
		break;
	case STEP_DUPLICATE:
	case STEP_JUMP:
	case STEP_FORGET:
		l->costs = true;
		break;
	case STEP_GUEST:
		l->unbinds |= !!strstr(step->text, "bind");
		break;
	default:
		break;
	}
}

bool life_input(struct life *l, const struct script *script)
{
	struct trial *t = &l->trial;
	const struct step *step;

	for (step = script->steps; step && t->verdict == PASSED;
	     step = step->next) {
		note_step(l, step);
		trial_step(t, step);
	}
	/* an answer comes when the interrupts before it have been handled */
	trial_call(t, "sleep 0");
	return survives(l);
}

bool life_spent(const struct life *l)
{
	return l->console.broken || l->trial.fault->starved > STARVED;
}

static void be_bound(struct life *l)
{
	struct trial *t = &l->trial;

	device_config(t->dev, t->dev_opt);
	if (!l->unbinds)
		return;
	trial_call(t, "bind");
	trial_call(t, "up");
}

bool life_end(struct life *l)
{
	struct trial *t = &l->trial;

	l->lies += t->fault->lies;
	l->costs |= t->fault->nr_held;
	trial_honest(t);
	if (t->verdict == PASSED) {
		be_bound(l);
		if (!l->costs && !l->console.broken)
			check_good(t, "after hostile ones");
		trial_leave(t);
		trial_log(t);
	}
	return end_guest(l);
}
