// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of what the fuzzer does with scripts, without a device: what it makes
 * up is tame, and is the same after it was printed and read. TAP on stdout.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cover.h"
#include "mutate.h"
#include "print.h"
#include "reduce.h"
#include "steps.h"
#include "util.h"

#define ROUNDS		20000
#define TAIL		7	/* steps that make an input tame */

struct test {
	unsigned int nr;
	unsigned int failed;
	char path[64];
};

static void ok(struct test *t, bool good, const char *name)
{
	printf("%sok %u - %s\n", good ? "" : "not ", ++t->nr, name);
	t->failed += !good;
}

static char *text_of(const struct script *script)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		die("no memory");
	print_script(out, script);
	fclose(out);
	return text;
}

static struct script *read_text(struct test *t, const char *text)
{
	FILE *out = fopen(t->path, "we");

	if (!out || fputs(text, out) < 0 || fclose(out))
		die("%s: %s", t->path, strerror(errno));
	return script_read(t->path);
}

/* Printed, read and printed again */
static bool same_again(struct test *t, const struct script *script)
{
	char *once = text_of(script), *twice = NULL;
	struct script *again = read_text(t, once);
	bool same = false;

	if (again) {
		twice = text_of(again);
		same = !strcmp(once, twice);
		script_free(again);
	}
	if (!same)
		printf("# %s\n# %s\n", once, twice ?: "cannot be read");
	free(once);
	free(twice);
	return same;
}

static bool is_tame(const struct script *script)
{
	const struct step *step;

	for (step = script->steps; step; step = step->next)
		if ((step->kind == STEP_PACKET && step->packet->repeat > 128) ||
		    (step->kind == STEP_WAIT && step->count > 2) ||
		    (step->kind == STEP_GUEST &&
		     strncmp(step->text, "try ", 4)) ||
		    step->kind == STEP_DISCONNECT)
			return false;
	return steps_count(script) <= MUTATE_MAX_STEPS + TAIL;
}

/* From nothing: each is made of the one before */
static void test_mutate(struct test *t)
{
	struct script *script = steps_script("nothing"), *next;
	bool same = true, tame = true;
	struct rng rng;
	unsigned int i;

	rng_seed(&rng, 1);
	for (i = 0; i < ROUNDS && same && tame; i++) {
		next = mutate(&rng, script, script);
		script_free(script);
		script = next;
		tame = is_tame(script);
		/* files are slow */
		same = i % 20 || same_again(t, script);
	}
	ok(t, tame, "what is made up is tame");
	ok(t, same, "what is printed is read as the same");
	ok(t, steps_count(script), "there is something in it");
	script_free(script);
}

static void test_tame(struct test *t)
{
	struct script *wild = read_text(t, "title wild\n"
		"packet repeat=5000\nwait 3000\nguest sleep 9000\n"
		"disconnect\nhold 3\nguest down\nexpect good >= 0\n");
	struct script *tame = mutate_tame(wild);
	char *text = text_of(tame);

	ok(t, !is_tame(wild) && is_tame(tame), "a script is made tame");
	ok(t, strstr(text, "hold 3\nguest try down\nrelease\nguest try up\n"),
	   "and ends what it begins");
	free(text);
	script_free(tame);
	script_free(wild);
}

static void test_seed(struct test *t)
{
	struct script *empty = steps_script("nothing"), *made[2];
	char *text[2];
	struct rng rng;
	int i;

	for (i = 0; i < 2; i++) {
		rng_seed(&rng, 7);
		made[i] = mutate(&rng, empty, empty);
		text[i] = text_of(made[i]);
	}
	ok(t, !strcmp(text[0], text[1]), "the same seed, the same script");
	for (i = 0; i < 2; i++) {
		script_free(made[i]);
		free(text[i]);
	}
	script_free(empty);
}

static const char all_there_is[] =
	"title all there is\n"
	"packet len=700 frame=udp6 repeat=3 split=700,0,90*3"
	" used_len[0]=size+1 used_len[2]=written-1 used_id=num"
	" src=260 hdr.flags=1 hdr.csum_start=hdr-2 rewrite=num_buffers:7\n"
	"packet len=60 frame=good repeat=1 used_len[*]=4294967295\n"
	"hold 3\nrelease\nforget\nduplicate 2\njump 4\ninterrupts 5\nsilent 1\n"
	"flood 2\nwait 1\nconfig mtu 100\nchanged\nrefuse 1\nlie 1\nnag 1\n"
	"disconnect\nguest try up\n"
	"expect broken = 1\n";

static void test_print(struct test *t)
{
	struct script *script = read_text(t, all_there_is);
	char *text = script ? text_of(script) : NULL;

	ok(t, text && !strcmp(text, all_there_is), "all directives");
	if (script)
		script_free(script);
	free(text);
}

static void test_steps(struct test *t)
{
	struct script *a = read_text(t, all_there_is);
	struct script *b = steps_script("another");
	unsigned int nr = steps_count(a);

	steps_join(b, a, 2, 3);
	ok(t, steps_count(b) == 3 && b->steps->kind == STEP_HOLD,
	   "a part is copied");
	steps_remove(steps_at(b, 1));
	ok(t, steps_count(b) == 2 && steps_count(a) == nr,
	   "what is removed stays in the other");
	steps_append(b, steps_new(STEP_JUMP, 1));
	ok(t, (*steps_at(b, 2))->kind == STEP_JUMP, "a step is appended");
	script_free(a);
	script_free(b);
}

static void test_names(struct test *t)
{
	char name[FINDING_NAME];

	finding_name(name, "BUG: KASAN: slab-out-of-bounds in f_x+0x1/0x2");
	ok(t, !strcmp(name, "bug-kasan-slab-out-of-bounds-in-f_x"),
	   "a splat has the name of its function");
	finding_name(name, "18 good packets lost after a probe");
	ok(t, !strcmp(name, "good-packets-lost-after-a-probe"),
	   "numbers are not part of a name");
}

/* The guest's map is in memory that the front end shares */
static void test_cover(struct test *t)
{
	struct cover_map *map = calloc(1, sizeof(*map));
	struct cover *c = calloc(1, sizeof(*c));
	struct mem_map mem = {
		.nr = 1, .region[0] = { .gpa = 4096, .size = sizeof(*map),
					.at = (uint8_t *)map },
	};

	map->edge[0] = (struct cover_edge) { 1, 2 };
	map->edge[1] = (struct cover_edge) { 1, 3 };
	map->nr = 2;
	cover_guest(c, 4096);
	ok(t, !cover_take(c, &mem), "no map where there is no magic");
	map->magic = COVER_MAGIC;
	ok(t, cover_take(c, &mem) == 2, "what is new is counted");
	cover_guest(c, 4096);
	ok(t, !cover_take(c, &mem) && c->nr == 2, "not with another guest");
	map->nr = COVER_EDGES + 1;
	ok(t, !cover_take(c, &mem), "a map that makes no sense");
	cover_guest(c, 8192);
	ok(t, !cover_take(c, &mem), "a map outside of the memory");
	free(map);
	free(c);
}

int main(void)
{
	struct test t = { 0 };

	snprintf(t.path, sizeof(t.path), "/tmp/vndev-test.%d", getpid());
	test_print(&t);
	test_mutate(&t);
	test_tame(&t);
	test_seed(&t);
	test_steps(&t);
	test_names(&t);
	test_cover(&t);
	unlink(t.path);
	printf("1..%u\n", t.nr);
	return !!t.failed;
}
