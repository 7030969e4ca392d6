// SPDX-License-Identifier: GPL-2.0
/* vndev: a virtio network device behind a vhost-user socket. */
#include <getopt.h>
#include <stdbool.h>
#include <unistd.h>

#include "device.h"
#include "feature.h"
#include "fuzz.h"
#include "session.h"
#include "util.h"


struct options {
	struct device_options dev;
	const char *pcap;
	const char *tap;
	unsigned int len;	/* of frames from memory, 0 for none */
	bool echo;
	unsigned int seconds;	/* 0: until a signal */
	struct session_options session;
	struct fuzz_options fuzz;
};

static const char usage[] =
"usage: vndev [options] SOCKET\n"
"       vndev [options] --guest SCRIPT... -- SOCKET COMMAND [ARG...]\n"
"\n"
"A virtio network device for QEMU, UML or DPDK, behind a vhost-user socket.\n"
"  --mode small|mergeable|big  the receive buffers a driver will post\n"
"  --packed                    offer packed rings\n"
"  --access-platform           offer VIRTIO_F_ACCESS_PLATFORM\n"
"  --no-indirect --no-event-idx --no-ctrl   do not offer these\n"
"  --more F --less F           offer the feature F too, or not at all\n"
"  --pairs N                   queue pairs, 1 to 8 (default 1)\n"
"  --mtu N                     (default 1500)\n"
"  --connect                   the front end listens on SOCKET\n"
"Traffic to the guest, as fast as it can be:\n"
"  --memory LEN                the same frame of LEN bytes\n"
"  --pcap FILE                 the frames of a file, over and over\n"
"  --tap NAME                  the frames of a tap, both ways\n"
"  --echo                      send back what the guest sends\n"
"  --seconds N                 end after this time, with counters as JSON\n"
"Faults (device/README.md describes the scripts):\n"
"  --guest                     run COMMAND as the guest, with the scripts\n"
"  --check                     only read the scripts\n"
"  --xdp off,single,multi      the programs to run each script under\n"
"  --config NAME --kernel NAME what the results call this run\n"
"  --results FILE              append a line of JSON for each case\n"
"  --log FILE                  append what the guest's console says\n"
"  --from N                    leave out the first N cases\n"
"  --patience SECONDS          for one answer of the guest (default 20)\n"
"Made up faults, the scripts first:\n"
"  --fuzz DIR                  keep in DIR what has shown something new\n"
"  --findings DIR              what the driver did not survive\n"
"  --known FILE                a list of what is not news\n"
"  --cover FILE                append the addresses that were reached\n"
"  --seed N                    another run (default 1)\n"
"  --replay                    only see whether it survives the scripts\n";

enum {
	OPT_MODE = 256, OPT_PACKED, OPT_ACCESS, OPT_NO_INDIRECT, OPT_NO_EVENT,
	OPT_NO_CTRL, OPT_MORE, OPT_LESS, OPT_PAIRS, OPT_MTU, OPT_CONNECT,
	OPT_MEMORY, OPT_PCAP, OPT_TAP, OPT_ECHO, OPT_SECONDS, OPT_GUEST,
	OPT_CHECK, OPT_XDP, OPT_CONFIG, OPT_KERNEL, OPT_RESULTS, OPT_FROM, OPT_LOG,
	OPT_PATIENCE, OPT_FUZZ, OPT_FINDINGS, OPT_KNOWN, OPT_COVER, OPT_SEED,
	OPT_REPLAY, OPT_VERBOSE, OPT_HELP
};

static const struct option long_options[] = {
	{ "mode", 1, NULL, OPT_MODE },
	{ "packed", 0, NULL, OPT_PACKED },
	{ "access-platform", 0, NULL, OPT_ACCESS },
	{ "no-indirect", 0, NULL, OPT_NO_INDIRECT },
	{ "no-event-idx", 0, NULL, OPT_NO_EVENT },
	{ "no-ctrl", 0, NULL, OPT_NO_CTRL },
	{ "more", 1, NULL, OPT_MORE },
	{ "less", 1, NULL, OPT_LESS },
	{ "pairs", 1, NULL, OPT_PAIRS },
	{ "mtu", 1, NULL, OPT_MTU },
	{ "connect", 0, NULL, OPT_CONNECT },
	{ "memory", 1, NULL, OPT_MEMORY },
	{ "pcap", 1, NULL, OPT_PCAP },
	{ "tap", 1, NULL, OPT_TAP },
	{ "echo", 0, NULL, OPT_ECHO },
	{ "seconds", 1, NULL, OPT_SECONDS },
	{ "guest", 0, NULL, OPT_GUEST },
	{ "check", 0, NULL, OPT_CHECK },
	{ "xdp", 1, NULL, OPT_XDP },
	{ "config", 1, NULL, OPT_CONFIG },
	{ "kernel", 1, NULL, OPT_KERNEL },
	{ "results", 1, NULL, OPT_RESULTS },
	{ "log", 1, NULL, OPT_LOG },
	{ "from", 1, NULL, OPT_FROM },
	{ "patience", 1, NULL, OPT_PATIENCE },
	{ "fuzz", 1, NULL, OPT_FUZZ },
	{ "findings", 1, NULL, OPT_FINDINGS },
	{ "known", 1, NULL, OPT_KNOWN },
	{ "cover", 1, NULL, OPT_COVER },
	{ "seed", 1, NULL, OPT_SEED },
	{ "replay", 0, NULL, OPT_REPLAY },
	{ "verbose", 0, NULL, OPT_VERBOSE },
	{ "help", 0, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 }
};

static enum device_mode mode_by_name(const char *name)
{
	unsigned int mode;

	for (mode = 0; mode < MODE_NR; mode++)
		if (!strcmp(device_mode_name(mode), name))
			return mode;
	die("--mode is small, mergeable or big, not '%s'", name);
}

static uint64_t feature(const char *name)
{
	int bit = feature_by_name(name);

	if (bit < 0)
		die("no feature is called '%s'", name);
	return 1ull << bit;
}

static void option_device(struct device_options *dev, int opt)
{
	switch (opt) {
	case OPT_MODE:
		dev->mode = mode_by_name(optarg);
		break;
	case OPT_PACKED:
		dev->packed = true;
		break;
	case OPT_ACCESS:
		dev->access_platform = true;
		break;
	case OPT_NO_INDIRECT:
		dev->indirect = false;
		break;
	case OPT_NO_EVENT:
		dev->event_idx = false;
		break;
	case OPT_NO_CTRL:
		dev->ctrl = false;
		break;
	case OPT_MORE:
		dev->more |= feature(optarg);
		break;
	case OPT_LESS:
		dev->less |= feature(optarg);
		break;
	case OPT_PAIRS:
		dev->pairs = number(optarg, 1, VHOST_MAX_PAIRS);
		break;
	case OPT_MTU:
		dev->mtu = number(optarg, 68, 65535);
		break;
	case OPT_CONNECT:
		dev->connect = true;
		break;
	case OPT_VERBOSE:
		dev->verbose = true;
		break;
	}
}

static void option_traffic(struct options *o, int opt)
{
	switch (opt) {
	case OPT_MEMORY:
		o->len = number(optarg, FRAME_MIN, FRAME_MAX);
		break;
	case OPT_PCAP:
		o->pcap = optarg;
		break;
	case OPT_TAP:
		o->tap = optarg;
		break;
	case OPT_ECHO:
		o->echo = true;
		break;
	case OPT_SECONDS:
		o->seconds = number(optarg, 1, 1000000);
		break;
	}
}

static void option_session(struct session_options *s, int opt)
{
	switch (opt) {
	case OPT_GUEST:
		s->guest = true;
		break;
	case OPT_CHECK:
		s->check = true;
		break;
	case OPT_XDP:
		s->xdp = optarg;
		break;
	case OPT_CONFIG:
		s->config = optarg;
		break;
	case OPT_KERNEL:
		s->kernel = optarg;
		break;
	case OPT_RESULTS:
		s->results = optarg;
		break;
	case OPT_LOG:
		s->trial.log = optarg;
		break;
	case OPT_FROM:
		s->from = number(optarg, 0, 1000000);
		break;
	case OPT_PATIENCE:
		s->trial.patience = number(optarg, 1, 10000);
		break;
	}
}

static void option_fuzz(struct fuzz_options *f, int opt)
{
	switch (opt) {
	case OPT_FUZZ:
		f->corpus = optarg;
		break;
	case OPT_FINDINGS:
		f->findings = optarg;
		break;
	case OPT_KNOWN:
		f->known = optarg;
		break;
	case OPT_COVER:
		f->cover = optarg;
		break;
	case OPT_SEED:
		f->seed = number(optarg, 0, UINT32_MAX);
		break;
	case OPT_REPLAY:
		f->replay = true;
		break;
	}
}

/* "+": options end at the first argument, the guest's are not ours */
static void options_parse(struct options *o, int argc, char **argv)
{
	int opt;

	while ((opt = getopt_long(argc, argv, "+", long_options, NULL)) >= 0) {
		if (opt == OPT_HELP) {
			fputs(usage, stdout);
			exit(0);
		}
		if (opt == '?')
			die("vndev --help lists the options");
		option_device(&o->dev, opt);
		option_traffic(o, opt);
		option_session(&o->session, opt);
		option_fuzz(&o->fuzz, opt);
	}
	if (o->fuzz.corpus || o->fuzz.replay)
		o->session.guest = true;
}

/* SCRIPT... -- SOCKET COMMAND...; with --check only scripts */
static void arguments(struct options *o, int argc, char **argv)
{
	struct session_options *s = &o->session;
	int i = optind;

	if (s->guest || s->check) {
		s->scripts = argv + i;
		while (i < argc && strcmp(argv[i], "--"))
			i++;
		s->nr_scripts = argv + i - s->scripts;
		if (!s->nr_scripts)
			die("no scripts are given");
		i++;
	}
	if (s->check)
		return;
	if (i >= argc)
		die("no socket is given (vndev --help)");
	o->dev.path = argv[i++];
	s->trial.command = argv + i;
	if (s->guest == (i >= argc))
		die(s->guest ? "no command for the guest is given" :
			       "too many arguments (vndev --help)");
}

static void source_open(struct options *o, struct device *dev)
{
	struct source *src = &dev->net.source;
	int err = 0;

	if (!!o->pcap + !!o->tap + !!o->len > 1)
		die("--memory, --pcap and --tap exclude each other");
	if (o->pcap)
		err = source_pcap(src, o->pcap);
	else if (o->tap)
		err = source_tap(src, o->tap);
	else if (o->len)
		err = source_memory(src, o->len, dev->vh.config.mac);
	if (err)
		die("%s: %s", o->pcap ?: o->tap ?: "memory", strerror(-err));
	dev->net.running = o->pcap || o->tap || o->len;
	dev->net.echo = o->echo;
}

static void print_counters(const struct device *dev, double seconds)
{
	const struct net_counters *c;
	unsigned int i;

	for (i = 0; i < dev->vh.pairs; i++) {
		c = &dev->net.count[i];
		printf("{\"pair\":%u,\"seconds\":%.3f,\"rx_packets\":%llu,"
		       "\"rx_bytes\":%llu,\"rx_mpps\":%.3f,"
		       "\"rx_too_long\":%llu,\"tx_packets\":%llu,"
		       "\"tx_bytes\":%llu,\"tx_echoed\":%llu}\n",
		       i, seconds, (unsigned long long)c->rx_packets,
		       (unsigned long long)c->rx_bytes,
		       c->rx_packets / seconds / 1e6,
		       (unsigned long long)c->rx_too_long,
		       (unsigned long long)c->tx_packets,
		       (unsigned long long)c->tx_bytes,
		       (unsigned long long)c->tx_echoed);
	}
}

/* Signals arrive as data: nothing has to be global for a handler */
static int serve(struct options *o, struct device *dev, int signals)
{
	uint64_t start = now_ns(), end;

	source_open(o, dev);
	end = o->seconds ? start + o->seconds * NSEC_PER_SEC : UINT64_MAX;
	while (now_ns() < end)
		if (device_poll(dev, signals, o->seconds ? 10 : -1))
			break;
	print_counters(dev, (now_ns() - start) / 1e9);
	return 0;
}

static int fuzz(struct options *o, struct session *session,
		struct device *dev, int signals)
{
	struct trial trial = {
		.opt = &o->session.trial, .dev_opt = &o->dev, .dev = dev,
		.signals = signals,
	};

	if (!o->session.trial.log || (o->fuzz.corpus && !o->fuzz.findings))
		die("--fuzz and --replay need --log, --fuzz --findings too");
	o->fuzz.seconds = o->seconds ?: 60;
	return fuzz_run(&o->fuzz, &o->session, session_scripts(session),
			&trial);
}

static int run(struct options *o, struct session *session)
{
	struct device *dev = calloc(1, sizeof(*dev));
	int err, signals = trial_signals();

	if (!dev)
		die("no memory");
	err = device_open(dev, &o->dev);
	if (err)
		die("%s: %s", o->dev.path, strerror(-err));
	if (o->fuzz.corpus || o->fuzz.replay)
		err = fuzz(o, session, dev, signals);
	else if (session)
		err = session_run(session, dev, signals);
	else
		err = serve(o, dev, signals);
	device_close(dev);
	free(dev);
	close(signals);
	return err;
}

int main(int argc, char **argv)
{
	struct options o = {
		.dev = {
			.mode = MODE_MERGEABLE, .indirect = true, .ctrl = true,
			.event_idx = true, .pairs = 1, .mtu = 1500,
		},
		.session = {
			.xdp = "off", .config = "", .kernel = "",
			.trial.patience = 20,
		},
		.fuzz = { .seed = 1 },
	};
	struct session *session = NULL;
	int err = 0;

	options_parse(&o, argc, argv);
	arguments(&o, argc, argv);
	if (o.session.guest || o.session.check) {
		session = session_new(&o.session, &o.dev);
		if (!session)
			return 2;
	}
	if (!o.session.check)
		err = run(&o, session);
	if (session)
		session_free(session);
	return err;
}
