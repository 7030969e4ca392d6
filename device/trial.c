// SPDX-License-Identifier: GPL-2.0
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "trial.h"
#include "util.h"

#define GOOD_ROUND	6	/* frames of each size */

int trial_signals(void)
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

bool trial_fail(struct trial *t, enum verdict verdict, const char *fmt, ...)
{
	va_list args;

	if (t->verdict != PASSED)
		return false;
	t->verdict = verdict;
	va_start(args, fmt);
	vsnprintf(t->why, sizeof(t->why), fmt, args);
	va_end(args);
	return false;
}

bool trial_stopped(struct trial *t)
{
	struct signalfd_siginfo info;

	if (read(t->signals, &info, sizeof(info)) <= 0)
		return false;
	trial_fail(t, STOPPED, "interrupted");
	return true;
}

/* --- the guest ------------------------------------------------------------ */

/* Serves the device until a line comes that is an answer */
static bool wait_reply(struct trial *t, const char *what)
{
	uint64_t end = now_ns() + t->opt->patience * NSEC_PER_SEC;
	int got;

	while (now_ns() < end) {
		got = link_line(&t->link, t->reply);
		if (got < 0)
			return trial_fail(t, LOST, "the guest died at '%s'",
					  what);
		if (got && (!strncmp(t->reply, "ok", 2) ||
			    !strncmp(t->reply, "err", 3)))
			return true;
		if (got)
			continue;
		if (trial_stopped(t))
			return false;
		device_poll(t->dev, t->link.fd, 20);
	}
	return trial_fail(t, LOST, "the guest hangs at '%s'", what);
}

bool trial_start(struct trial *t)
{
	int err = link_start(&t->link, t->opt->command, t->opt->log);

	if (err)
		die("%s: %s", t->opt->command[0], strerror(-err));
	t->verdict = PASSED;
	t->why[0] = 0;
	t->probed = false;
	if (wait_reply(t, "boot"))
		return true;
	trial_stop(t, false);
	return false;
}

void trial_stop(struct trial *t, bool power_off)
{
	if (power_off)
		link_send(&t->link, "off");
	link_stop(&t->link);
	vhost_detach(&t->dev->vh);
	fault_forget(t->fault);
}

bool trial_call(struct trial *t, const char *command)
{
	if (t->verdict == LOST || t->verdict == STOPPED)
		return false;
	if (!link_send(&t->link, command))
		return trial_fail(t, LOST, "the guest died before '%s'",
				  command);
	if (!wait_reply(t, command))
		return false;
	return !strncmp(t->reply, "ok", 2);
}

bool trial_must(struct trial *t, const char *command)
{
	if (trial_call(t, command))
		return true;
	return trial_fail(t, FAILED, "%s: %s", command, t->reply);
}

bool trial_counters(struct trial *t, struct counters *c)
{
	if (!trial_must(t, "counters"))
		return false;
	if (sscanf(t->reply, "ok %lld %lld %lld %lld %lld %lld %lld",
		   &c->rx_packets, &c->rx_dropped, &c->rx_length_errors,
		   &c->rx_frame_errors, &c->delivered, &c->good,
		   &c->wrong) == 7)
		return true;
	return trial_fail(t, FAILED, "counters: '%s'", t->reply);
}

static bool attach_xdp(struct trial *t)
{
	char command[32];

	if (!strcmp(t->xdp, "off"))
		return true;
	snprintf(command, sizeof(command), "xdp %s", t->xdp);
	if (trial_call(t, command))
		return true;
	return trial_fail(t, UNSUPPORTED, "%s: %s", command, t->reply);
}

bool trial_probe(struct trial *t)
{
	t->probed = trial_call(t, "bind");
	return t->probed && trial_must(t, "up") && attach_xdp(t);
}

long long trial_good(struct trial *t)
{
	static const uint32_t sizes[] = { 60, 590, 1514 };
	struct counters before, after;
	long long sent = 0;
	size_t i;

	if (!trial_counters(t, &before))
		return -1;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		fault_good(t->fault, GOOD_ROUND, sizes[i]);
		sent += GOOD_ROUND;
	}
	if (!trial_counters(t, &after))
		return -1;
	return sent - (after.good - before.good);
}

/* --- what a script does --------------------------------------------------- */

/* The config space is left alone as long as the driver believes in it */
void trial_honest(struct trial *t)
{
	struct ring *ring;

	fault_forget(t->fault);
	t->dev->ctrl.refuse = 0;
	t->dev->ctrl.lie = false;
	t->dev->nag = false;
	for (ring = t->dev->vh.ring;
	     ring < t->dev->vh.ring + VHOST_MAX_RINGS; ring++)
		ring->silent = false;
}

/* "try": a guest that cannot do it is good as well */
bool trial_step(struct trial *t, const struct step *step)
{
	bool optional = !strncmp(step->text, "try ", 4);

	if (step->kind != STEP_GUEST) {
		fault_step(t->fault, step);
		return true;
	}
	return trial_call(t, optional ? step->text + 4 : step->text) ||
	       optional;
}

void trial_leave(struct trial *t)
{
	unsigned int tries = 30;

	if (t->probed)
		trial_must(t, "unbind");
	while (trial_must(t, "pools") && strcmp(t->reply, "ok 0 0") &&
	       --tries) {
		usleep(100 * 1000);
		device_poll(t->dev, -1, 0);
	}
	if (!tries)
		trial_fail(t, FAILED, "page pools remain (live, detached): %s",
			   t->reply + 3);
}

void trial_log(struct trial *t)
{
	if (trial_call(t, "dmesg") && strcmp(t->reply, "ok clean"))
		trial_fail(t, FAILED, "%s", t->reply + 3);
}

/* --- conditions ----------------------------------------------------------- */

static bool word_holds(const struct trial *t, const char *word)
{
	const struct device_options *d = t->dev_opt;

	return !strcmp(word, device_mode_name(d->mode)) ||
	       !strcmp(word, d->packed ? "packed" : "split") ||
	       !strcmp(word, d->access_platform ? "premapped" : "plain") ||
	       !strcmp(word, t->xdp) ||
	       (!strcmp(word, "xdp") && strcmp(t->xdp, "off"));
}

bool trial_holds(const struct trial *t, const struct condition *c)
{
	unsigned int i;

	for (i = 0; i < c->nr; i++)
		if (word_holds(t, c->word[i]))
			return true;
	return false;
}

bool trial_wants(const struct trial *t, const struct script *script)
{
	return (!script->only.nr || trial_holds(t, &script->only)) &&
	       !trial_holds(t, &script->not);
}
