// SPDX-License-Identifier: GPL-2.0
/*
 * Inputs are fault scripts. Those that are known come first, then what can be
 * made of the ones that took the driver where it had not been. When it fails,
 * the steps since it probed are repeated in a new guest and made fewer.
 */
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "corpus.h"
#include "fuzz.h"
#include "json.h"
#include "life.h"
#include "mutate.h"
#include "print.h"
#include "reduce.h"
#include "steps.h"
#include "util.h"

#define LIFE_NS		(2 * NSEC_PER_SEC)
#define LIFE_INPUTS	1000
#define REDUCE_NS	(20 * NSEC_PER_SEC)
#define PROGRESS_NS	(10 * NSEC_PER_SEC)
#define REPLAYS		5
#define XDPS		3

struct fuzz {
	const struct fuzz_options *opt;
	const struct session_options *run;
	struct life life;
	struct rng rng;
	struct corpus seeds;	/* to be tried first */
	unsigned int next_seed;
	struct corpus corpus;
	struct script *steps;	/* of this life */
	char xdps[XDPS][8];
	unsigned int nr_xdps;
	uint64_t start;
	uint64_t progress;	/* when it is told next */
	uint64_t inputs;
	unsigned int lives;
	unsigned int findings;
	unsigned int known;
};

static uint64_t fuzz_end(const struct fuzz *f)
{
	return f->start + f->opt->seconds * NSEC_PER_SEC;
}

static double seconds(const struct fuzz *f)
{
	return (now_ns() - f->start) / 1e9;
}

/* --- telling -------------------------------------------------------------- */

static void tell_progress(struct fuzz *f)
{
	if (now_ns() < f->progress)
		return;
	f->progress = now_ns() + PROGRESS_NS;
	fprintf(stderr, "%s: %.0f s, %" PRIu64 " inputs, %.2f M lies, %u edges,"
		" %u in the corpus, %u findings\n", f->run->config, seconds(f),
		f->inputs, f->life.lies / 1e6, f->life.cover.nr, f->corpus.nr,
		f->findings);
}

static FILE *open_results(const struct fuzz *f)
{
	return f->run->results ? fopen(f->run->results, "ae") : NULL;
}

static void put_summary(const struct fuzz *f)
{
	FILE *out = open_results(f);

	if (!out)
		return;
	fprintf(out, "{\"config\":\"%s\",\"seconds\":%.1f,\"lives\":%u,"
		"\"guests\":%u,\"inputs\":%" PRIu64 ",\"lies\":%" PRIu64
		",\"edges\":%u,\"corpus\":%u,\"saved\":%u,\"known\":%u}\n",
		f->run->config, seconds(f), f->lives, f->life.guests, f->inputs,
		f->life.lies, f->life.cover.nr, f->corpus.nr, f->corpus.saved,
		f->known);
	fclose(out);
}

static void put_finding(const struct fuzz *f, const char *name,
			const char *why, double when, bool repeated)
{
	FILE *out = open_results(f);

	if (!out)
		return;
	fprintf(out, "{\"finding\":\"%s\",\"config\":\"%s/xdp-%s\","
		"\"seconds\":%.1f,\"repeated\":%s,\"why\":\"", name,
		f->run->config, f->life.trial.xdp, when,
		repeated ? "true" : "false");
	put_json(out, why);
	fprintf(out, "\"}\n");
	fclose(out);
}

/* Is there a line in the file that begins so? */
static bool has_line(const char *path, const char *begins)
{
	FILE *in = path ? fopen(path, "re") : NULL;
	bool found = false;
	char line[1024];

	while (in && !found && fgets(line, sizeof(line), in))
		found = !strncmp(line, begins, strlen(begins));
	if (in)
		fclose(in);
	return found;
}

/* By an earlier device of the same run */
static bool told(const struct fuzz *f, const char *name)
{
	char line[FINDING_NAME + 16];

	snprintf(line, sizeof(line), "{\"finding\":\"%s\"", name);
	return has_line(f->run->results, line);
}

static bool known(const struct fuzz *f, const char *name)
{
	char line[FINDING_NAME + 2];

	snprintf(line, sizeof(line), "%s:", name);
	return has_line(f->opt->known, line);
}

/* --- findings ------------------------------------------------------------- */

static void save_finding(const struct fuzz *f, const struct script *script,
			 const char *name, const char *why)
{
	char path[4096];
	FILE *out;

	mkdir(f->opt->findings, 0755);
	snprintf(path, sizeof(path), "%s/%s.fault", f->opt->findings, name);
	out = fopen(path, "we");
	if (!out) {
		fprintf(stderr, "cannot write %s: %s\n", path, strerror(errno));
		return;
	}
	fprintf(out, "# SPDX-License-Identifier: GPL-2.0\n"
		"# kernel %s\n# config %s/xdp-%s\n# why %s\n", f->run->kernel,
		f->run->config, f->life.trial.xdp, why);
	print_script(out, script);
	fclose(out);
}

/* LAST is tried first: what came before it seldom matters */
static struct script *repeat(struct fuzz *f, struct script *last)
{
	if (last && reduce_fails(&f->life, last, 2))
		return last;
	return reduce_fails(&f->life, f->steps, 2) ? f->steps : NULL;
}

static void found(struct fuzz *f, struct script *last)
{
	char name[FINDING_NAME], why[TRIAL_WHY];
	double when = seconds(f);
	struct script *script;

	memcpy(why, f->life.trial.why, sizeof(why));
	finding_name(name, why);
	if (known(f, name)) {
		f->known++;
		return;
	}
	f->findings++;
	if (told(f, name))
		return;
	fprintf(stderr, "%s: %s\n", f->run->config, why);
	save_finding(f, f->steps, name, why);
	script = repeat(f, last);
	if (script) {
		memcpy(why, f->life.trial.why, sizeof(why));
		finding_name(name, why);
		if (told(f, name))
			return;
		reduce(&f->life, script, name, now_ns() + REDUCE_NS);
		save_finding(f, script, name, why);
	}
	put_finding(f, name, why, when, script);
}

/* --- inputs --------------------------------------------------------------- */

static struct script *next_input(struct fuzz *f)
{
	const struct script *base, *other;

	if (f->next_seed < f->seeds.nr)
		return mutate_tame(f->seeds.entry[f->next_seed++]);
	base = corpus_pick(&f->corpus, &f->rng);
	other = corpus_pick(&f->corpus, &f->rng);
	if (!base)
		base = other = f->seeds.entry[0];
	return mutate(&f->rng, base, other);
}

/* It is the corpus's if it has shown something, else the caller's */
static bool take_input(struct fuzz *f, struct script *input)
{
	unsigned int fresh = cover_take(&f->life.cover,
					&f->life.trial.dev->vh.mem);

	f->inputs++;
	return fresh && corpus_add(&f->corpus, input);
}

/* Returns the input after which the driver failed, or NULL */
static struct script *inputs(struct fuzz *f)
{
	uint64_t end = now_ns() + LIFE_NS;
	struct script *input;
	unsigned int n = 0;
	bool survived, kept;

	if (end > fuzz_end(f))
		end = fuzz_end(f);
	while (now_ns() < end && n++ < LIFE_INPUTS && !life_spent(&f->life)) {
		input = next_input(f);
		if (!input)
			die("no memory");
		steps_join(f->steps, input, 0, UINT32_MAX);
		survived = life_input(&f->life, input);
		if (!survived)
			return input;
		kept = take_input(f, input);
		if (!kept)
			script_free(input);
		if (trial_stopped(&f->life.trial))
			return NULL;
	}
	return NULL;
}

/* --- lives ---------------------------------------------------------------- */

static void one_life(struct fuzz *f)
{
	struct trial *t = &f->life.trial;
	struct script *last = NULL;

	f->steps = steps_script("what the fuzzer did since the driver probed");
	if (!f->steps)
		die("no memory");
	t->xdp = f->xdps[f->lives++ % f->nr_xdps];
	if (life_begin(&f->life))
		last = inputs(f);
	if (f->life.running)
		life_end(&f->life);

	else
		f->life.lies += t->fault->lies;
	if (t->verdict == FAILED || t->verdict == LOST)
		found(f, last);
	if (last)
		script_free(last);
	script_free(f->steps);
	tell_progress(f);
}

/* Under a program that cannot be attached there is nothing to be found */
static void forget_xdp(struct fuzz *f)
{
	unsigned int i = (f->lives - 1) % f->nr_xdps;

	if (f->life.trial.verdict != UNSUPPORTED || f->nr_xdps == 1)
		return;
	memcpy(f->xdps[i], f->xdps[--f->nr_xdps], sizeof(f->xdps[i]));
}

static int fuzz(struct fuzz *f)
{
	struct trial *t = &f->life.trial;

	while (now_ns() < fuzz_end(f)) {
		one_life(f);
		forget_xdp(f);
		if (t->verdict == STOPPED)
			return 130;
		if (!f->life.guests)
			return 2;
	}
	return f->findings ? 1 : 0;
}

/* --- replaying ------------------------------------------------------------ */

static int replay(struct fuzz *f, struct script **scripts)
{
	struct trial *t = &f->life.trial;
	bool failed, any = false;
	unsigned int i;

	for (i = 0; i < f->run->nr_scripts; i++) {
		failed = reduce_fails(&f->life, scripts[i], REPLAYS);
		if (t->verdict == STOPPED)
			return 130;
		any |= failed;
		printf("%s: %s\n", scripts[i]->name,
		       failed ? t->why : "the driver survives");
	}
	return any;
}

/* --- all ------------------------------------------------------------------ */

static void split_xdps(struct fuzz *f, const char *list)
{
	char copy[64], *word, *save;

	snprintf(copy, sizeof(copy), "%s", list);
	for (word = strtok_r(copy, ",", &save); word && f->nr_xdps < XDPS;
	     word = strtok_r(NULL, ",", &save))
		snprintf(f->xdps[f->nr_xdps++], sizeof(f->xdps[0]), "%s", word);
}

/* Those of the corpus, and then SCRIPTS, which stay the caller's */
static void gather_seeds(struct fuzz *f, struct script **scripts)
{
	struct script *copy;
	unsigned int i;

	corpus_load(&f->seeds, f->opt->corpus);
	f->corpus.dir = f->opt->corpus;
	for (i = 0; i < f->run->nr_scripts; i++) {
		copy = mutate_tame(scripts[i]);
		if (!copy || !corpus_keep(&f->seeds, copy))
			die("no memory");
	}
}

static void fuzz_free(struct fuzz *f)
{
	life_exit(&f->life);
	corpus_free(&f->seeds);
	corpus_free(&f->corpus);
	free(f);
}

int fuzz_run(const struct fuzz_options *opt, const struct session_options *run,
	     struct script **scripts, struct trial *trial)
{
	struct fuzz *f = calloc(1, sizeof(*f));
	int err;

	if (!f)
		die("no memory");
	f->opt = opt;
	f->run = run;
	f->start = now_ns();
	f->progress = f->start + PROGRESS_NS;
	f->life.trial = *trial;
	rng_seed(&f->rng, opt->seed);
	split_xdps(f, run->xdp);
	f->life.trial.xdp = f->xdps[0];
	err = life_init(&f->life, run->trial.log);
	if (err)
		die("%s: %s", run->trial.log, strerror(-err));
	if (opt->replay) {
		err = replay(f, scripts);
	} else {
		gather_seeds(f, scripts);
		err = fuzz(f);
		put_summary(f);
	}
	if (opt->cover)
		cover_write(&f->life.cover, opt->cover);
	fuzz_free(f);
	return err;
}
