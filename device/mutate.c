// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "mutate.h"
#include "steps.h"
#include "util.h"
#include "words.h"

#define PICK(rng, table) ((table)[rng_below(rng, ARRAY_SIZE(table))])

#define MAX_REPEAT	128
#define MAX_REWRITES	2	/* each takes a while */
#define LARGE		4096
#define MAX_LARGE	4
/* One of so many may cost the driver its queue, or take its time */
#define COSTLY		64
#define SLOW		4
/* of which a line can name each: see the parser */
#define MAX_LENGTHS	8
#define MAX_PARTS	24

/* --- tame ----------------------------------------------------------------- */

static void at_most(uint32_t *value, uint32_t max)
{
	if (*value > max)
		*value = max;
}

static void tame_packet(struct packet_step *p)
{
	at_most(&p->repeat, p->len > LARGE ? MAX_LARGE : MAX_REPEAT);
	if (p->rewrites)
		at_most(&p->repeat, MAX_REWRITES);
}

/* Interfaces of the guest are a matter of milliseconds each time */
static bool tame_guest(const struct step *step)
{
	return strncmp(step->text, "sleep", 5) && strncmp(step->text, "tx", 2);
}

/* Others are read while the driver probes, which it may then refuse to do */
static bool tame_config(const struct step *step)
{
	const struct words_field *field = words_field(step->offset);

	return !strcmp(field->name, "status") || !strcmp(field->name, "mtu");
}

/* Returns false for what is not for the fuzzer */
static bool tame_step(struct step *step)
{
	const struct words_step *word = words_step(step->kind);

	if (word && word->numbered)
		at_most(&step->count, word->max);
	switch (step->kind) {
	case STEP_PACKET:
		tame_packet(step->packet);
		return true;
	case STEP_DUPLICATE:
		at_most(&step->count, 8);
		return true;
	case STEP_INTERRUPTS:
		at_most(&step->count, 32);
		return true;
	case STEP_HOLD:
		at_most(&step->count, 300);
		return true;
	case STEP_FLOOD:
	case STEP_WAIT:
		at_most(&step->count, 2);
		return true;
	case STEP_REFUSE:
		at_most(&step->count, 3);
		return true;
	case STEP_DISCONNECT:
		return false;
	case STEP_CONFIG:
		return tame_config(step);
	case STEP_GUEST:
		return tame_guest(step);
	default:
		return true;
	}
}

/* The guest may refuse anything: that is not what is looked for */
static void may_fail(struct step *step)
{
	char text[SCRIPT_TEXT];

	if (step->kind != STEP_GUEST || !strncmp(step->text, "try ", 4))
		return;
	snprintf(text, sizeof(text), "try %.*s", SCRIPT_TEXT - 5, step->text);
	memcpy(step->text, text, sizeof(text));
}

/* --- an end that leaves no traces ----------------------------------------- */

/* What the steps have begun and not ended */
struct traces {
	bool held;
	bool silent;
	bool lies;
	bool refuses;
	bool nags;
	bool unbound;
	bool down;
};

static void trace_guest(struct traces *t, const char *text)
{
	if (!strcmp(text, "try up"))
		t->down = false;
	else if (!strcmp(text, "try down"))
		t->down = true;
	else if (!strcmp(text, "try bind"))
		t->unbound = false;
	else if (!strcmp(text, "try unbind"))
		t->unbound = t->down = true;
}

static void trace_step(struct traces *t, const struct step *step)
{
	switch (step->kind) {
	case STEP_HOLD:
		t->held = true;
		break;
	case STEP_RELEASE:
	case STEP_FORGET:
		t->held = false;
		break;
	case STEP_SILENT:
		t->silent = step->count;
		break;
	case STEP_LIE:
		t->lies = step->count;
		break;
	case STEP_REFUSE:
		t->refuses = step->count;
		break;
	case STEP_NAG:
		t->nags = step->count;
		break;
	case STEP_GUEST:
		trace_guest(t, step->text);
		break;
	default:
		break;
	}
}

static void append_guest(struct script *script, const char *text)
{
	steps_append(script, steps_guest(text));
}

static void leave_no_traces(struct script *script)
{
	struct traces t = { 0 };
	struct step *step;

	for (step = script->steps; step; step = step->next)
		trace_step(&t, step);
	if (t.held)
		steps_append(script, steps_new(STEP_RELEASE, 0));
	if (t.silent)
		steps_append(script, steps_new(STEP_SILENT, 0));
	if (t.lies)
		steps_append(script, steps_new(STEP_LIE, 0));
	if (t.refuses)
		steps_append(script, steps_new(STEP_REFUSE, 0));
	if (t.nags)
		steps_append(script, steps_new(STEP_NAG, 0));
	if (t.unbound)
		append_guest(script, "try bind");
	if (t.down)
		append_guest(script, "try up");
}

/*
 * Returns whether the driver can go on after it. What is held is forgotten when
 * more is taken.
 */
static bool cheap_step(struct step *step, bool *held)
{
	bool again = *held;

	switch (step->kind) {
	case STEP_PACKET:
		step->packet->used_id.set = false;
		return true;
	case STEP_HOLD:
		*held = true;
		return !again;
	case STEP_RELEASE:
		*held = false;
		return true;
	default:
		return step->kind != STEP_JUMP &&
		       step->kind != STEP_DUPLICATE &&
		       step->kind != STEP_FORGET;
	}
}

/* To probe again takes as long as many inputs */
static void cheapen(struct script *script)
{
	struct step **at = &script->steps;
	bool held = false;

	while (*at) {
		if (cheap_step(*at, &held))
			at = &(*at)->next;
		else
			steps_remove(at);
	}
}

/* Packets are a matter of microseconds each, these of milliseconds */
static bool is_slow(enum step_kind kind)
{
	return kind == STEP_GUEST || kind == STEP_WAIT || kind == STEP_FLOOD;
}

static void quicken(struct script *script)
{
	struct step **at = &script->steps;

	while (*at) {
		if (is_slow((*at)->kind))
			steps_remove(at);
		else
			at = &(*at)->next;
	}
}

static void tame(struct script *script)
{
	struct step **at = &script->steps;
	unsigned int n = 0;

	while (*at) {
		if (n == MUTATE_MAX_STEPS || !tame_step(*at)) {
			steps_remove(at);
			continue;
		}
		may_fail(*at);
		at = &(*at)->next;
		n++;
	}
	leave_no_traces(script);
}

struct script *mutate_tame(const struct script *script)
{
	struct script *copy = steps_script("an input of the fuzzer");

	if (!copy)
		return NULL;
	steps_join(copy, script, 0, UINT32_MAX);
	tame(copy);
	return copy;
}

/* --- values --------------------------------------------------------------- */

static int64_t random_number(struct rng *rng)
{
	static const int64_t edges[] = {
		0, 1, 2, 3, 10, 12, 14, 16, 17, 18, 19, 20, 54, 60, 64, 255,
		256, 1500, 1514, 1526, 2048, 4095, 4096, 4097, 32768, 65535,
		65536, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
	};

	switch (rng_below(rng, 4)) {
	case 0:
		return rng_below(rng, 64);
	case 1:
		return rng_below(rng, 1u << rng_below(rng, 32));
	default:
		return PICK(rng, edges);
	}
}

static struct value random_value(struct rng *rng)
{
	static const int64_t near[] = {
		0, 0, 1, -1, 2, -2, 4, -4, 12, -12, 14, -14, 20, 64, -64, 256,
		-256, 4096, -4096,
	};
	struct value value = { .set = true };

	value.base = rng_below(rng, BASE_NR);
	value.add = value.base == BASE_ZERO ? random_number(rng) :
					      PICK(rng, near);
	return value;
}

static uint32_t random_len(struct rng *rng)
{
	static const uint32_t edges[] = {
		0, 1, 13, 14, 60, 61, 128, 256, 590, 1500, 1514, 1526, 2048,
		3000, 4096, 9000, 17000, 32768, 65535, FRAME_MAX,
	};

	if (rng_one_in(rng, 4))
		return rng_below(rng, 5000);
	return PICK(rng, edges);
}

/* --- packets -------------------------------------------------------------- */

static void random_parts(struct rng *rng, struct packet_step *p)
{
	uint32_t part = random_len(rng) % 5000;
	unsigned int i;

	p->nr_parts = rng_below(rng, MAX_PARTS + 1);
	for (i = 0; i < p->nr_parts; i++) {
		if (rng_one_in(rng, 3))
			part = random_len(rng) % 5000;
		p->part[i] = part;
	}
}

/* One of them, or all */
static void random_lengths(struct rng *rng, struct packet_step *p)
{
	struct value value = random_value(rng);
	unsigned int i;

	if (rng_one_in(rng, 4)) {
		for (i = 0; i < SCRIPT_MAX_BUFS; i++)
			p->used_len[i] = value;
		return;
	}
	if (p->used_len[MAX_LENGTHS].set)
		memset(p->used_len, 0, sizeof(p->used_len));
	i = rng_one_in(rng, 2) ? 0 : rng_below(rng, MAX_LENGTHS);
	p->used_len[i] = value;
}

static void random_header(struct rng *rng, struct packet_step *p)
{
	static const uint8_t gso_types[] = { 0, 1, 3, 4, 5, 0x80, 0x81, 0xff };
	enum hdr_field field = rng_below(rng, HDR_NR);

	p->hdr[field] = random_value(rng);
	if (field == HDR_GSO_TYPE || field == HDR_FLAGS) {
		p->hdr[field].base = BASE_ZERO;
		p->hdr[field].add = field == HDR_FLAGS ?
			rng_below(rng, 8) : PICK(rng, gso_types);
	}
}

static void random_rewrite(struct rng *rng, struct packet_step *p)
{
	p->rewrites = !p->rewrites;
	p->rewrite = rng_below(rng, HDR_NR);
	p->rewrite_with = random_number(rng);
}

static void random_source(struct rng *rng, struct packet_step *p)
{
	p->src = (struct value) {
		.set = true,
		.add = rng_below(rng, 16) << 8 | rng_below(rng, 6),
	};
}

/* An id that is wrong ends the queue: seldom */
static void mutate_packet(struct rng *rng, struct packet_step *p)
{
	switch (rng_below(rng, 43)) {
	case 0 ... 5:
		p->len = random_len(rng);
		break;
	case 6 ... 8:
		p->frame = rng_below(rng, FRAME_NR_KINDS);
		break;
	case 9 ... 12:
		p->repeat = 1 + rng_below(rng, MAX_REPEAT);
		break;
	case 13 ... 17:
		random_parts(rng, p);
		break;
	case 18 ... 25:
		random_lengths(rng, p);
		break;
	case 26:
		memset(p->used_len, 0, sizeof(p->used_len));
		break;
	case 27 ... 35:
		random_header(rng, p);
		break;
	case 36 ... 37:
		memset(&p->hdr, 0, sizeof(p->hdr));
		break;
	case 38:
		random_rewrite(rng, p);
		break;
	case 39:
		p->used_id = random_value(rng);
		p->used_id.set = rng_one_in(rng, 2);
		break;
	default:
		random_source(rng, p);
	}
}

static struct step *random_packet(struct rng *rng)
{
	struct step *step = steps_new(STEP_PACKET, 0);
	unsigned int n = 1 + rng_below(rng, 5);

	if (!step)
		return NULL;
	step->packet->repeat = 1 + rng_below(rng, MAX_REPEAT);
	while (n--)
		mutate_packet(rng, step->packet);
	return step;
}

/* --- other steps ---------------------------------------------------------- */

static struct step *random_guest(struct rng *rng)
{
	static const char *const texts[] = {
		"try down", "try up", "try down", "try up", "try unbind",
		"try bind", "try xdp off", "try xdp single", "try xdp multi",
		"try mtu 68", "try mtu 1000", "try mtu 1500", "try ring 16",
		"try ring 64", "try ring 128", "try ring 256",
		"try channels 1", "try channels 2", "try rxhash 0",
		"try rxhash 1",
	};

	return steps_guest(PICK(rng, texts));
}

static struct step *random_other(struct rng *rng)
{
	static const struct {
		enum step_kind kind;
		uint32_t max;
	} kinds[] = {
		{ STEP_HOLD, 300 }, { STEP_HOLD, 20 }, { STEP_RELEASE, 0 },
		{ STEP_RELEASE, 0 }, { STEP_DUPLICATE, 3 },
		{ STEP_INTERRUPTS, 32 }, { STEP_INTERRUPTS, 4 },
		{ STEP_SILENT, 1 }, { STEP_SILENT, 1 }, { STEP_FLOOD, 2 },
		{ STEP_WAIT, 2 }, { STEP_CHANGED, 0 }, { STEP_REFUSE, 2 },
		{ STEP_LIE, 1 }, { STEP_NAG, 1 },
	};
	unsigned int i = rng_below(rng, ARRAY_SIZE(kinds));

	return steps_new(kinds[i].kind, rng_below(rng, kinds[i].max + 1));
}

/* These two cost the queue or its buffers */
static struct step *random_costly(struct rng *rng)
{
	if (rng_one_in(rng, 2))
		return steps_new(STEP_FORGET, 0);
	return steps_new(STEP_JUMP, rng_below(rng, 300));
}

static struct step *random_step(struct rng *rng)
{
	uint32_t what = rng_below(rng, 200);

	if (what < 150)
		return random_packet(rng);
	if (what < 185)
		return random_other(rng);
	if (what < 198)
		return random_guest(rng);
	return random_costly(rng);
}

static void mutate_step(struct rng *rng, struct step *step)
{
	if (step->kind == STEP_PACKET)
		mutate_packet(rng, step->packet);
	else if (step->kind != STEP_CONFIG && step->kind != STEP_GUEST)
		step->count = rng_below(rng, step->count * 2 + 2);
}

/* --- scripts -------------------------------------------------------------- */

static void move_step(struct rng *rng, struct script *script, unsigned int nr)
{
	struct step **from = steps_at(script, rng_below(rng, nr));
	struct step *step = *from;

	*from = step->next;
	steps_insert(steps_at(script, rng_below(rng, nr)), step);
}

static void splice(struct rng *rng, struct script *script,
		   const struct script *other)
{
	unsigned int nr = steps_count(other);

	if (nr)
		steps_join(script, other, rng_below(rng, nr), 1 +
			   rng_below(rng, nr));
}

static void mutate_once(struct rng *rng, struct script *script,
			const struct script *other)
{
	unsigned int nr = steps_count(script);
	uint32_t what = rng_below(rng, 16);
	struct step **at;

	if (!nr || what < 4) {
		at = steps_at(script, rng_below(rng, nr + 1));
		steps_insert(at, random_step(rng));
		return;
	}
	at = steps_at(script, rng_below(rng, nr));
	if (what < 11)
		mutate_step(rng, *at);
	else if (what < 13)
		steps_remove(at);
	else if (what < 14)
		move_step(rng, script, nr);
	else if (what < 15)
		steps_insert(at, steps_copy(*at));
	else
		splice(rng, script, other);
}

struct script *mutate(struct rng *rng, const struct script *script,
		      const struct script *other)
{
	struct script *copy = steps_script("an input of the fuzzer");
	unsigned int n = 1 + rng_below(rng, 4);

	if (!copy)
		return NULL;
	steps_join(copy, script, 0, UINT32_MAX);
	while (n--)
		mutate_once(rng, copy, other);
	if (!rng_one_in(rng, COSTLY))
		cheapen(copy);
	if (!rng_one_in(rng, SLOW))
		quicken(copy);
	tame(copy);
	return copy;
}
