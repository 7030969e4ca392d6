// SPDX-License-Identifier: GPL-2.0
/*
 * A case is one script under one XDP program: the driver probes the device,
 * good traffic passes, the script runs, the counters are what the script
 * expects, good traffic passes again, the driver leaves and no page is left,
 * the kernel log is clean.
 */
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "fault.h"
#include "link.h"
#include "session.h"
#include "util.h"

#define GOOD_ROUND	6	/* frames of each size */
#define WHY		400

struct counters {
	long long rx_packets;
	long long rx_dropped;
	long long rx_length_errors;
	long long rx_frame_errors;
	long long delivered;
	long long good;
	long long wrong;
};

enum verdict { PASSED, FAILED, UNSUPPORTED, LOST, STOPPED };

struct session {
	const struct session_options *opt;
	const struct device_options *dev_opt;
	struct device *dev;
	struct fault *fault;
	struct link link;
	int signals;
	struct script **scripts;
	unsigned int nr_scripts;
	/* the case */
	const struct script *script;
	const char *xdp;
	enum verdict verdict;
	bool probed;
	char reply[LINK_LINE];
	char why[WHY];
};

int session_signals(void)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* --- verdicts ------------------------------------------------------------- */

/* The first reason counts */
__attribute__((format(printf, 3, 4)))
static bool fail(struct session *s, enum verdict verdict, const char *fmt, ...)
{
	va_list args;

	if (s->verdict != PASSED)
		return false;
	s->verdict = verdict;
	va_start(args, fmt);
	vsnprintf(s->why, sizeof(s->why), fmt, args);
	va_end(args);
	return false;
}

static bool stopped(struct session *s)
{
	struct signalfd_siginfo info;

	if (read(s->signals, &info, sizeof(info)) <= 0)
		return false;
	fail(s, STOPPED, "interrupted");
	return true;
}

/* --- the guest ------------------------------------------------------------ */

/* Serves the device until a line comes that is an answer */
static bool wait_reply(struct session *s, const char *what)
{
	uint64_t end = now_ns() + s->opt->patience * NSEC_PER_SEC;
	int got;

	while (now_ns() < end) {
		got = link_line(&s->link, s->reply);
		if (got < 0)
			return fail(s, LOST, "the guest died at '%s'", what);
		if (got && (!strncmp(s->reply, "ok", 2) ||
			    !strncmp(s->reply, "err", 3)))
			return true;
		if (got)
			continue;
		if (stopped(s))
			return false;
		device_poll(s->dev, s->link.fd, 20);
	}
	return fail(s, LOST, "the guest hangs at '%s'", what);
}

/* Returns whether the guest has answered "ok" */
static bool call(struct session *s, const char *command)
{
	if (s->verdict == LOST || s->verdict == STOPPED)
		return false;
	if (!link_send(&s->link, command))
		return fail(s, LOST, "the guest died before '%s'", command);
	if (!wait_reply(s, command))
		return false;
	return !strncmp(s->reply, "ok", 2);
}

/* As call(), and what the guest refuses is a failure */
static bool must(struct session *s, const char *command)
{
	if (call(s, command))
		return true;
	return fail(s, FAILED, "%s: %s", command, s->reply);
}

static bool get_counters(struct session *s, struct counters *c)
{
	if (!must(s, "counters"))
		return false;
	if (sscanf(s->reply, "ok %lld %lld %lld %lld %lld %lld %lld",
		   &c->rx_packets, &c->rx_dropped, &c->rx_length_errors,
		   &c->rx_frame_errors, &c->delivered, &c->good,
		   &c->wrong) == 7)
		return true;
	return fail(s, FAILED, "counters: '%s'", s->reply);
}

static bool attach_xdp(struct session *s)
{
	char command[32];

	if (!strcmp(s->xdp, "off"))
		return true;
	snprintf(command, sizeof(command), "xdp %s", s->xdp);
	if (call(s, command))
		return true;
	return fail(s, UNSUPPORTED, "%s: %s", command, s->reply);
}

static bool probe(struct session *s)
{
	s->probed = call(s, "bind");
	return s->probed && must(s, "up") && attach_xdp(s);
}

/* Returns how many of the good frames did not arrive as they should */
static long long good_round(struct session *s)
{
	static const uint32_t sizes[] = { 60, 590, 1514 };
	struct counters before, after;
	long long sent = 0;
	size_t i;

	if (!get_counters(s, &before))
		return -1;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		fault_good(s->fault, GOOD_ROUND, sizes[i]);
		sent += GOOD_ROUND;
	}
	if (!get_counters(s, &after))
		return -1;
	return sent - (after.good - before.good);
}

/* --- expectations --------------------------------------------------------- */

static bool word_holds(const struct session *s, const char *word)
{
	const struct device_options *d = s->dev_opt;

	return !strcmp(word, device_mode_name(d->mode)) ||
	       !strcmp(word, d->packed ? "packed" : "split") ||
	       !strcmp(word, d->access_platform ? "premapped" : "plain") ||
	       !strcmp(word, s->xdp) ||
	       (!strcmp(word, "xdp") && strcmp(s->xdp, "off"));
}

static bool holds(const struct session *s, const struct condition *c)
{
	unsigned int i;

	for (i = 0; i < c->nr; i++)
		if (word_holds(s, c->word[i]))
			return true;
	return false;
}

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
		    (e->when.nr && !holds(s, &e->when)) ||
		    compare(value, e->op, e->value))
			continue;
		fail(s, FAILED, "line %u: %s is %lld, not %s %lld", e->line,
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
		fail(s, FAILED, "%lld of %lld packets are not counted", lost,
		     d.rx_packets);
}

/* 0: must pass at once, 1: the driver may have given up the queue */
static long long may_break(const struct session *s)
{
	const struct expect *e;

	for (e = s->script->expects; e; e = e->next)
		if (!strcmp(e->counter, "broken") &&
		    (!e->when.nr || holds(s, &e->when)))
			return e->value;
	return 0;
}

static bool has_expect(const struct session *s, const char *counter,
		       long long value)
{
	const struct expect *e;

	for (e = s->script->expects; e; e = e->next)
		if (!strcmp(e->counter, counter) && e->value == value &&
		    (!e->when.nr || holds(s, &e->when)))
			return true;
	return false;
}

/* --- a case --------------------------------------------------------------- */

/* The config space is left alone as long as the driver believes in it */
static void honest_again(struct session *s)
{
	struct ring *ring;

	fault_forget(s->fault);
	s->dev->ctrl.refuse = 0;
	s->dev->ctrl.lie = false;
	s->dev->nag = false;
	for (ring = s->dev->vh.ring;
	     ring < s->dev->vh.ring + VHOST_MAX_RINGS; ring++)
		ring->silent = false;
}

/* "try": a guest that cannot do it is good as well */
static bool guest_step(struct session *s, const char *text)
{
	bool optional = !strncmp(text, "try ", 4);

	return call(s, optional ? text + 4 : text) || optional;
}

static void run_steps(struct session *s)
{
	const struct step *step;

	for (step = s->script->steps; step && s->verdict == PASSED;
	     step = step->next) {
		if (step->kind != STEP_GUEST)
			fault_step(s->fault, step);
		else if (!guest_step(s, step->text) && s->verdict == PASSED)
			fail(s, FAILED, "line %u: guest %s: %s", step->line,
			     step->text, s->reply);
	}
}

/* After the driver has left: what it allocated must be gone with it */
static void check_left(struct session *s)
{
	unsigned int tries = 30;

	if (s->probed)
		must(s, "unbind");
	while (must(s, "pools") && strcmp(s->reply, "ok 0 0") && --tries) {
		usleep(100 * 1000);
		device_poll(s->dev, -1, 0);
	}
	if (!tries)
		fail(s, FAILED, "page pools remain (live, detached): %s",
		     s->reply + 3);
}

/* The driver may give up a queue that makes no sense, not the next one */
static void check_good(struct session *s)
{
	long long missing = good_round(s), broken = may_break(s);

	if (missing > 0 && !broken)
		fail(s, FAILED, "%lld good packets lost after the script",
		     missing);
	if (missing <= 0 || !broken)
		return;
	honest_again(s);
	must(s, "unbind");
	device_config(s->dev, s->dev_opt);
	if (!probe(s))
		fail(s, FAILED, "cannot probe again: %s", s->reply);
	missing = good_round(s);
	if (missing > 0)
		fail(s, FAILED, "%lld good packets lost after a new probe",
		     missing);
}

static void run_probed(struct session *s)
{
	struct counters from, to;
	long long missing = good_round(s);

	if (missing)
		fail(s, FAILED, "%lld good packets lost before the script",
		     missing);
	if (!get_counters(s, &from))
		return;
	run_steps(s);
	if (!get_counters(s, &to))
		return;
	check_counters(s, &from, &to);
	if (!has_expect(s, "link", 0))
		check_good(s);
}

/* "expect probe = 0": the driver must refuse; "<= 1": it may */
static void run_case(struct session *s)
{
	const struct step *step;

	s->verdict = PASSED;
	s->why[0] = 0;
	fault_init(s->fault, s->dev);
	for (step = s->script->before; step; step = step->next)
		fault_step(s->fault, step);
	if (probe(s)) {
		check_expect(s, "probe", 1);
		run_probed(s);
	} else if (s->verdict == PASSED) {
		check_expect(s, "probe", 0);
		if (!has_expect(s, "probe", 0) && !has_expect(s, "probe", 1))
			fail(s, FAILED, "probe: %s", s->reply);
	}
	honest_again(s);
	if (!has_expect(s, "link", 0))
		check_left(s);
	device_config(s->dev, s->dev_opt);
	if (call(s, "dmesg") && strcmp(s->reply, "ok clean"))
		fail(s, FAILED, "%s", s->reply + 3);
}

/* --- results -------------------------------------------------------------- */

static void put_json(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		if ((unsigned char)*text >= ' ')
			fputc(*text, out);
	}
}

static void put_result(struct session *s)
{
	FILE *out = s->opt->results ? fopen(s->opt->results, "ae") : NULL;
	bool ok = s->verdict == PASSED;

	fprintf(stderr, "%s %s xdp-%s%s%s\n", ok ? "ok" : "FAILED",
		s->script->name, s->xdp, ok ? "" : ": ", s->why);
	if (!out)
		return;
	fprintf(out, "{\"script\":\"%s\",\"config\":\"%s/xdp-%s\",\"kernel\":\"",
		s->script->name, s->opt->config, s->xdp);
	put_json(out, s->opt->kernel);
	fprintf(out, "\",\"survived\":%s,\"why\":\"", ok ? "true" : "false");
	put_json(out, s->why);
	fprintf(out, "\"}\n");
	fclose(out);
}

/* --- all of them ---------------------------------------------------------- */

static bool wanted(const struct session *s)
{
	return (!s->script->only.nr || holds(s, &s->script->only)) &&
	       !holds(s, &s->script->not);
}

/* Returns false if no other case can be run in this guest */
static bool one_case(struct session *s, bool *failed)
{
	run_case(s);
	if (s->verdict == UNSUPPORTED || s->verdict == STOPPED)
		return s->verdict == UNSUPPORTED;
	put_result(s);
	*failed = *failed || s->verdict != PASSED;
	return s->verdict != LOST;
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
			s->xdp = word;
			if (nr++ < s->opt->from || !wanted(s))
				continue;
			if (one_case(s, failed))
				continue;
			printf("%u\n", nr);
			return false;
		}
	}
	return true;
}

static bool guest_hello(struct session *s)
{
	s->verdict = PASSED;
	return wait_reply(s, "boot");
}

int session_run(struct session *s, struct device *dev, int signals)
{
	bool failed = false, complete;
	int err;

	s->dev = dev;
	s->signals = signals;
	err = link_start(&s->link, s->opt->command, s->opt->log);
	if (err)
		die("%s: %s", s->opt->command[0], strerror(-err));
	if (!guest_hello(s)) {
		fprintf(stderr, "%s\n", s->why);
		link_stop(&s->link);
		return 2;
	}
	complete = all_cases(s, &failed);
	if (complete)
		link_send(&s->link, "off");
	link_stop(&s->link);
	fault_forget(s->fault);
	if (!complete)
		return s->verdict == STOPPED ? 130 : 3;
	return failed;
}

struct session *session_new(const struct session_options *opt,
			    struct device_options *dev_opt)
{
	struct session *s = calloc(1, sizeof(*s));
	unsigned int i;

	s->scripts = calloc(opt->nr_scripts, sizeof(*s->scripts));
	s->fault = calloc(1, sizeof(*s->fault));
	s->opt = opt;
	s->dev_opt = dev_opt;
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

void session_free(struct session *s)
{
	while (s->nr_scripts)
		script_free(s->scripts[--s->nr_scripts]);
	free(s->scripts);
	free(s->fault);
	free(s);
}
