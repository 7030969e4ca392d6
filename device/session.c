// SPDX-License-Identifier: GPL-2.0
/*
 * A case is one script under one XDP program: the driver probes the device,
 * good traffic passes, the script runs, the counters are what the script
 * expects, good traffic passes again, the driver leaves and no page is left,
 * the kernel log is clean.
 */
#include "json.h"
#include "session.h"
#include "trial.h"
#include "util.h"

struct session {
	const struct session_options *opt;
	struct trial trial;
	struct script **scripts;
	unsigned int nr_scripts;
	const struct script *script;	/* of the case */
};

/* --- expectations --------------------------------------------------------- */

static bool compare(long long a, enum expect_op op, long long b)
{
	if (op == OP_EQ)
		return a == b;
	return op == OP_GE ? a >= b : a <= b;
}

static void check_expect(struct session *s, const char *counter,
			 long long value)
{
	static const char *const ops[] = { "=", ">=", "<=" };
	const struct expect *e;

	for (e = s->script->expects; e; e = e->next) {
		if (strcmp(e->counter, counter) ||
		    (e->when.nr && !trial_holds(&s->trial, &e->when)) ||
		    compare(value, e->op, e->value))
			continue;
		trial_fail(&s->trial, FAILED,
			   "line %u: %s is %lld, not %s %lld", e->line,
			   counter, value, ops[e->op], (long long)e->value);
	}
}

static void check_counters(struct session *s, const struct counters *from,
			   const struct counters *to)
{
	long long errors, lost;
	struct counters d = {
		.rx_packets = to->rx_packets - from->rx_packets,
		.rx_dropped = to->rx_dropped - from->rx_dropped,
		.rx_length_errors = to->rx_length_errors -
				    from->rx_length_errors,
		.rx_frame_errors = to->rx_frame_errors - from->rx_frame_errors,
		.delivered = to->delivered - from->delivered,
		.good = to->good - from->good,
		.wrong = to->wrong - from->wrong,
	};

	errors = d.rx_dropped + d.rx_length_errors + d.rx_frame_errors;
	check_expect(s, "rx_packets", d.rx_packets);
	check_expect(s, "rx_dropped", d.rx_dropped);
	check_expect(s, "rx_length_errors", d.rx_length_errors);
	check_expect(s, "rx_frame_errors", d.rx_frame_errors);
	check_expect(s, "delivered", d.delivered);
	check_expect(s, "good", d.good);
	check_expect(s, "wrong", d.wrong);
	check_expect(s, "errors", errors);
	lost = d.rx_packets - d.delivered - errors;
	if (lost > 0)
		trial_fail(&s->trial, FAILED,
			   "%lld of %lld packets are not counted", lost,
			   d.rx_packets);
}

/* 0: must pass at once, 1: the driver may have given up the queue */
static long long may_break(const struct session *s)
{
	const struct expect *e;

	for (e = s->script->expects; e; e = e->next)
		if (!strcmp(e->counter, "broken") &&
		    (!e->when.nr || trial_holds(&s->trial, &e->when)))
			return e->value;
	return 0;
}

static bool has_expect(const struct session *s, const char *counter,
		       long long value)
{
	const struct expect *e;

	for (e = s->script->expects; e; e = e->next)
		if (!strcmp(e->counter, counter) && e->value == value &&
		    (!e->when.nr || trial_holds(&s->trial, &e->when)))
			return true;
	return false;
}

/* --- a case --------------------------------------------------------------- */

static void run_steps(struct session *s)
{
	struct trial *t = &s->trial;
	const struct step *step;

	for (step = s->script->steps; step && t->verdict == PASSED;
	     step = step->next)
		if (!trial_step(t, step))
			trial_fail(t, FAILED, "line %u: guest %s: %s",
				   step->line, step->text, t->reply);
}

/* The driver may give up a queue that makes no sense, not the next one */
static void check_good(struct session *s)
{
	struct trial *t = &s->trial;
	long long missing = trial_good(t), broken = may_break(s);

	if (missing > 0 && !broken)
		trial_fail(t, FAILED, "%lld good packets lost after the script",
			   missing);
	if (missing <= 0 || !broken)
		return;
	trial_honest(t);
	trial_must(t, "unbind");
	device_config(t->dev, t->dev_opt);
	if (!trial_probe(t))
		trial_fail(t, FAILED, "cannot probe again: %s", t->reply);
	missing = trial_good(t);
	if (missing > 0)
		trial_fail(t, FAILED,
			   "%lld good packets lost after a new probe", missing);
}

static void run_probed(struct session *s)
{
	struct trial *t = &s->trial;
	struct counters from, to;
	long long missing = trial_good(t);

	if (missing)
		trial_fail(t, FAILED,
			   "%lld good packets lost before the script", missing);
	if (!trial_counters(t, &from))
		return;
	run_steps(s);
	if (!trial_counters(t, &to))
		return;
	check_counters(s, &from, &to);
	if (!has_expect(s, "link", 0))
		check_good(s);
}

/* "expect probe = 0": the driver must refuse; "<= 1": it may */
static void run_case(struct session *s)
{
	struct trial *t = &s->trial;
	const struct step *step;

	t->verdict = PASSED;
	t->why[0] = 0;
	fault_init(t->fault, t->dev);
	for (step = s->script->before; step; step = step->next)
		fault_step(t->fault, step);
	if (trial_probe(t)) {
		check_expect(s, "probe", 1);
		run_probed(s);
	} else if (t->verdict == PASSED) {
		check_expect(s, "probe", 0);
		if (!has_expect(s, "probe", 0) && !has_expect(s, "probe", 1))
			trial_fail(t, FAILED, "probe: %s", t->reply);
	}
	trial_honest(t);
	if (!has_expect(s, "link", 0))
		trial_leave(t);
	device_config(t->dev, t->dev_opt);
	trial_log(t);
}

/* --- results -------------------------------------------------------------- */

static void put_result(struct session *s)
{
	struct trial *t = &s->trial;
	FILE *out = s->opt->results ? fopen(s->opt->results, "ae") : NULL;
	bool ok = t->verdict == PASSED;

	fprintf(stderr, "%s %s xdp-%s%s%s\n", ok ? "ok" : "FAILED",
		s->script->name, t->xdp, ok ? "" : ": ", t->why);
	if (!out)
		return;
	fprintf(out, "{\"script\":\"%s\",\"config\":\"%s/xdp-%s\","
		"\"kernel\":\"", s->script->name, s->opt->config, t->xdp);
	put_json(out, s->opt->kernel);
	fprintf(out, "\",\"survived\":%s,\"why\":\"", ok ? "true" : "false");
	put_json(out, t->why);
	fprintf(out, "\"}\n");
	fclose(out);
}

/* --- all of them ---------------------------------------------------------- */

/* Returns false if no other case can be run in this guest */
static bool one_case(struct session *s, bool *failed)
{
	struct trial *t = &s->trial;
	run_case(s);
	if (t->verdict == UNSUPPORTED || t->verdict == STOPPED)
		return t->verdict == UNSUPPORTED;
	put_result(s);
	*failed = *failed || t->verdict != PASSED;
	return t->verdict != LOST;
}

/* Cases are numbered by their place in scripts x programs, run or not */
static bool all_cases(struct session *s, bool *failed)
{
	char xdp[64], *word, *save;
	unsigned int i, nr = 0;

	for (i = 0; i < s->nr_scripts; i++) {
		s->script = s->scripts[i];
		snprintf(xdp, sizeof(xdp), "%s", s->opt->xdp);
		for (word = strtok_r(xdp, ",", &save); word;
		     word = strtok_r(NULL, ",", &save)) {
			s->trial.xdp = word;
			if (nr++ < s->opt->from ||
			    !trial_wants(&s->trial, s->script))
				continue;
			if (one_case(s, failed))
				continue;
			printf("%u\n", nr);
			return false;
		}
	}
	return true;
}

/* What all scripts together have lost is told with the last of them */
static bool check_leaks(struct session *s)
{
	struct trial *t = &s->trial;

	t->verdict = PASSED;
	if (!s->script || trial_must(t, "leaks"))
		return true;
	put_result(s);
	return false;
}

int session_run(struct session *s, struct device *dev, int signals)
{
	bool failed = false, complete;

	s->trial.dev = dev;
	s->trial.signals = signals;
	if (!trial_start(&s->trial)) {
		fprintf(stderr, "%s\n", s->trial.why);
		return 2;
	}
	complete = all_cases(s, &failed);
	if (complete && !check_leaks(s))
		failed = true;
	trial_stop(&s->trial, complete);
	if (!complete)
		return s->trial.verdict == STOPPED ? 130 : 3;
	return failed;
}

struct session *session_new(const struct session_options *opt,
			    struct device_options *dev_opt)
{
	struct session *s = calloc(1, sizeof(*s));
	unsigned int i;

	s->scripts = calloc(opt->nr_scripts, sizeof(*s->scripts));
	s->trial.fault = calloc(1, sizeof(*s->trial.fault));
	s->opt = opt;
	s->trial.opt = &opt->trial;
	s->trial.dev_opt = dev_opt;
	for (i = 0; i < opt->nr_scripts; i++) {
		s->scripts[i] = script_read(opt->scripts[i]);
		if (!s->scripts[i]) {
			session_free(s);
			return NULL;
		}
		s->nr_scripts++;
		if (!s->scripts[i]->alone || opt->check)
			continue;
		if (opt->nr_scripts > 1)
			die("%s changes the device for good: run it alone",
			    opt->scripts[i]);
		dev_opt->more |= s->scripts[i]->more;
		dev_opt->less |= s->scripts[i]->less;
	}
	return s;
}

struct script **session_scripts(struct session *s)
{
	return s->scripts;
}

void session_free(struct session *s)
{
	while (s->nr_scripts)
		script_free(s->scripts[--s->nr_scripts]);
	free(s->scripts);
	free(s->trial.fault);
	free(s);
}
