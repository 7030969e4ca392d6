// SPDX-License-Identifier: GPL-2.0
/*
 * Sends frames from the peer to a device with an XDP program and accounts for
 * each of them: it was seen, did what it should, and came out right.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <ctype.h>
#include <getopt.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire.h"

#define WINDOW		64
#define PATIENCE_NS	(8 * NSEC_PER_SEC)
/* what has not come out by then, while frames may be lost, never will */
#define LOSS_NS		(500 * NSEC_PER_MSEC)
#define CPUMAP_QUEUE	2048
#define OBJECT		"xdp.bpf.o"
/* between one program and the next under traffic */
#define SWAP_FRAMES	40

static const char * const action_names[] = {
	[ACTION_DROP] = "drop",
	[ACTION_PASS] = "pass",
	[ACTION_ABORTED] = "aborted",
	[ACTION_INVALID] = "invalid",
	[ACTION_TX] = "tx",
	[ACTION_VETH] = "veth",
	[ACTION_BACK] = "back",
	[ACTION_CPUMAP] = "cpumap",
};

static const char * const change_names[] = {
	[CHANGE_NONE] = "none",
	[CHANGE_GROW] = "grow",
	[CHANGE_SHIFT] = "shift",
	[CHANGE_CUT] = "cut",
};

enum swap {
	SWAP_NONE,
	SWAP_REPLACE,		/* one program by another */
	SWAP_DETACH,		/* by none, and none by one */
};

struct test {
	const char *dev;
	const char *end;	/* the other end of a veth, or NULL */
	struct config config;
	struct wire wire;
	struct wire here;	/* frames that DEV gives to the stack */
	struct bpf_object *obj;
	const char *dir;	/* of the BPF object */
	bool frags;
	bool may_lose;
	enum swap swap;
	unsigned int swaps;
	const char *counter;	/* of the driver, for each frame, or NULL */
	__u64 counted;
	int counts_fd;
	int link;
	int udp;
	__u64 frames;
	__u64 out;		/* came out where they should */
	__u64 lost;		/* did not, where some may */
	__u64 wrong;		/* came out with wrong contents */
	__u64 grown;		/* most bytes that came out longer */
};

static int name_find(const char *name, const char * const *names, int count)
{
	int i;

	for (i = 0; i < count; i++)
		if (!strcmp(name, names[i]))
			return i;
	die("unknown: %s", name);
}

/* --- BPF --- */

static int map_fd(const struct test *t, const char *name)
{
	int fd = bpf_object__find_map_fd_by_name(t->obj, name);

	if (fd < 0)
		die("no map %s", name);
	return fd;
}

static void map_set(const struct test *t, const char *name, const void *value)
{
	__u32 zero = 0;

	if (bpf_map_update_elem(map_fd(t, name), &zero, value, 0))
		skip("cannot set %s: %s", name, strerror(errno));
}

/* A map of devices, CPUs takes programs only that are like those in it */
static void programs_choose(const struct test *t)
{
	struct bpf_program *prog;
	const char *name;
	bool wanted;

	bpf_object__for_each_program(prog, t->obj) {
		name = bpf_program__name(prog);
		wanted = !strcmp(name, "vnet_end") ||
			 !!strstr(name, "_frags") == t->frags;
		bpf_program__set_autoload(prog, wanted);
	}
}

static void object_load(struct test *t)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/" OBJECT, t->dir);
	t->obj = bpf_object__open_file(path, NULL);
	if (!t->obj)
		skip("no " OBJECT ": was there no clang?");
	programs_choose(t);
	if (bpf_object__load(t->obj))
		skip("the kernel refuses %s: %s", path, strerror(errno));
	t->counts_fd = map_fd(t, "counts");
	map_set(t, "config", &t->config);
}

/* A link, unlike a program that is attached, is gone with its process */
static int attach(const char *dev, int prog)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = XDP_FLAGS_DRV_MODE);
	int fd = bpf_link_create(prog, if_nametoindex(dev), BPF_XDP, &opts);

	if (fd == -EOPNOTSUPP)
		skip("no native XDP on %s with these features", dev);
	if (fd < 0)
		die("no native XDP on %s: %s", dev, strerror(-fd));
	return fd;
}

static int program_fd(const struct test *t, const char *name)
{
	struct bpf_program *prog;

	prog = bpf_object__find_program_by_name(t->obj, name);
	return bpf_program__fd(prog);
}

static int program_act(const struct test *t, bool second)
{
	if (t->frags)
		return program_fd(t, second ? "vnet_act2_frags" :
					      "vnet_act_frags");
	return program_fd(t, second ? "vnet_act2" : "vnet_act");
}

static void act_start(struct test *t)
{
	t->link = attach(t->dev, program_act(t, false));
}

static void act_stop(struct test *t)
{
	if (t->link >= 0)
		close(t->link);
	t->link = -1;
}

static struct counts counts_get(const struct test *t)
{
	struct counts c;
	__u32 zero = 0;

	if (bpf_map_lookup_elem(t->counts_fd, &zero, &c))
		die("cannot read the counts: %s", strerror(errno));
	return c;
}

/* --- what the driver counts --- */

static void ethtool(const char *dev, void *data)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = { .ifr_data = data };

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", dev);
	if (ioctl(sock, SIOCETHTOOL, &ifr))
		die("%s: no statistics: %s", dev, strerror(errno));
	close(sock);
}

/* rxN_NAME, for any number N */
static bool counter_is(const char *s, const char *name)
{
	if (strncmp(s, "rx", 2) || !isdigit((unsigned char)s[2]))
		return false;
	for (s += 2; isdigit((unsigned char)*s); s++)
		;
	return *s == '_' && !strcmp(s + 1, name);
}

/* Over all queues that are in use now: those of XDP are while it is attached */
static __u64 counter_get(const char *dev, const char *name)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	struct ethtool_gstrings *names;
	struct ethtool_stats *values;
	__u64 sum = 0;
	__u32 i, n;

	ethtool(dev, &info);
	n = info.n_stats;
	names = calloc(1, sizeof(*names) + n * ETH_GSTRING_LEN);
	values = calloc(1, sizeof(*values) + n * sizeof(__u64));
	names->cmd = ETHTOOL_GSTRINGS;
	names->string_set = ETH_SS_STATS;
	names->len = n;
	ethtool(dev, names);
	values->cmd = ETHTOOL_GSTATS;
	values->n_stats = n;
	ethtool(dev, values);
	for (i = 0; i < n; i++)
		if (counter_is((char *)names->data + i * ETH_GSTRING_LEN, name))
			sum += values->data[i];
	free(names);
	free(values);
	return sum;
}

static void counter_start(struct test *t)
{
	if (t->counter)
		t->counted = counter_get(t->dev, t->counter);
}

static void counter_stop(struct test *t)
{
	if (!t->counter)
		return;
	t->counted = counter_get(t->dev, t->counter) - t->counted;
	printf("%s: %llu\n", t->counter, t->counted);
}

/* --- where frames come out --- */

static void payload_count(struct test *t, const void *payload, size_t len)
{
	/* what follows the probe does not survive a shift */
	if (t->config.change == CHANGE_SHIFT && len > sizeof(struct probe))
		len = sizeof(struct probe);
	if (!wire_payload_right(&t->wire, payload, len))
		t->wrong++;
	t->out++;
}

static unsigned char frame[2 * FRAME_MAX];

/* A frame that a program changes must reach the stack in its new length */
static bool length_matters(const struct test *t)
{
	return t->config.action == ACTION_PASS &&
	       t->config.change != CHANGE_NONE;
}

/* IP cuts off what is too long before a UDP socket could see it */
static void length_check(struct test *t)
{
	const struct wire_head *h = (const void *)frame;
	int tries = 10;
	size_t len, want;

	while (!wire_recv(&t->here, frame, sizeof(frame), &len)) {
		if (!--tries) {
			t->wrong++;
			return;
		}
	}
	want = sizeof(h->eth) + ntohs(h->ip.tot_len);
	if (len < want || (len > want && t->config.change != CHANGE_GROW))
		t->wrong++;
	else if (len - want > t->grown)
		t->grown = len - want;
}

static void udp_recv(struct test *t)
{
	ssize_t len = recv(t->udp, frame, sizeof(frame), 0);

	if (len <= 0)
		return;
	payload_count(t, frame, len);
	if (length_matters(t))
		length_check(t);
}

static void returned_recv(struct test *t)
{
	size_t len;

	if (wire_recv(&t->wire, frame, sizeof(frame), &len))
		payload_count(t, frame + sizeof(struct wire_head),
			      len - sizeof(struct wire_head));
}

static void out_wait(struct test *t)
{
	switch (t->config.action) {
	case ACTION_PASS:
	case ACTION_CPUMAP:
		udp_recv(t);
		break;
	case ACTION_TX:
	case ACTION_BACK:
		returned_recv(t);
		break;
	case ACTION_VETH:
		t->out = counts_get(t).sunk;
		nap_ms(1);
		break;
	default:
		t->out = counts_get(t).seen;
		nap_ms(1);
	}
}

static void swap_program(struct test *t)
{
	int prog = program_act(t, t->swaps % 2 == 0);

	if (t->swap == SWAP_DETACH && t->swaps % 2)
		act_start(t);
	else if (t->swap == SWAP_DETACH)
		act_stop(t);
	else if (bpf_link_update(t->link, prog, NULL))
		die("cannot replace the program: %s", strerror(errno));
	t->swaps++;
}

/* No more frames under way than any queue on it can hold: none may be lost */
static void frames_run(struct test *t)
{
	__u64 sent = 0, last = 0, deadline = now_ns() + PATIENCE_NS;

	while (t->out + t->lost < t->frames && now_ns() < deadline) {
		while (sent < t->frames && sent - t->out - t->lost < WINDOW)
			wire_send(&t->wire, sent++);
		if (t->swap && t->out >= (t->swaps + 1) * SWAP_FRAMES)
			swap_program(t);
		out_wait(t);
		if (t->out != last) {
			last = t->out;
			deadline = now_ns() + PATIENCE_NS;
		} else if (t->may_lose &&
			   now_ns() + PATIENCE_NS > deadline + LOSS_NS) {
			t->lost = sent - t->out;
		}
	}
}

static bool result_right(const struct test *t, const struct counts *c)
{
	if (t->out + t->lost != t->frames || c->bad || t->wrong || c->refused)
		return false;
	if (t->lost > t->frames / 2)
		return false;
	if (t->config.change == CHANGE_GROW && !c->grown)
		return false;
	/* not every frame can grow */
	if (t->config.change == CHANGE_GROW && length_matters(t) &&
	    t->grown != c->grown)
		return false;
	if (t->counter && t->counted != t->frames)
		return false;
	/* without a program frames go unseen, but not all of them do */
	if (t->swap == SWAP_DETACH)
		return c->seen && c->seen <= t->frames;
	return c->seen == t->frames;
}

static void verdict(const struct test *t)
{
	struct counts c = counts_get(t);

	printf("sent %llu, seen %llu, out %llu, lost %llu, longest %llu\n",
	       t->frames, c.seen, t->out, t->lost, c.longest);
	printf("wrong for XDP %llu, wrong at the end %llu\n", c.bad, t->wrong);
	printf("changes refused %llu, tails grown by up to %llu, out %llu\n",
	       c.refused, c.grown, t->grown);
	printf("of several buffers %llu, programs changed %u times\n", c.frags,
	       t->swaps);
	if (!result_right(t, &c))
		exit(1);
	if (t->frags && !c.frags)
		skip("no frame took more than one buffer");
}

static void targets_set(struct test *t)
{
	__u32 value = CPUMAP_QUEUE;

	if (t->config.action == ACTION_CPUMAP)
		map_set(t, "cpus", &value);
	value = if_nametoindex(t->dev);
	if (t->config.action == ACTION_BACK)
		map_set(t, "devices", &value);
}

static void veth_set(struct test *t, const char *veth)
{
	__u32 value = if_nametoindex(veth);

	if (!t->end)
		die("the veth action needs -v VETH -e END");
	map_set(t, "devices", &value);
	attach(t->end, program_fd(t, "vnet_end"));
}

static void usage_die(void)
{
	die("usage: xdp [-d DIR] [-f] [-l] [-n NAME] [-r|-t]\n"
	    "           [-v VETH -e END] DEV NETNS PEER FRAMES ACTION CHANGE\n"
	    "  -d  directory of " OBJECT "\n"
	    "  -f  program for frames of several buffers\n"
	    "  -l  frames may be lost, as those without room for XDP are that\n"
	    "      are too long to be copied\n"
	    "  -n  a counter of the driver that must count all frames\n"
	    "  -r  replace the program under traffic, -t detach and attach");
}

static void arguments(struct test *t, char **argv)
{
	t->dev = argv[0];
	wire_open(&t->wire, argv[0], argv[1], argv[2]);
	t->frames = get_number(argv[3], 1, 10000000);
	t->config.action = name_find(argv[4], action_names,
				     ARRAY_SIZE(action_names));
	t->config.change = name_find(argv[5], change_names,
				     ARRAY_SIZE(change_names));
}

static void run(struct test *t, const char *veth)
{
	t->udp = wire_udp_sock();
	if (length_matters(t))
		wire_listen(&t->here, t->dev);
	object_load(t);
	targets_set(t);
	if (t->config.action == ACTION_VETH)
		veth_set(t, veth);
	act_start(t);
	counter_start(t);
	frames_run(t);
	counter_stop(t);
	act_stop(t);
	verdict(t);
}

int main(int argc, char **argv)
{
	static struct test t = { .dir = "." };
	const char *veth = NULL;
	int opt;

	while ((opt = getopt(argc, argv, "d:fln:rtv:e:")) != -1) {
		switch (opt) {
		case 'd':
			t.dir = optarg;
			break;
		case 'f':
			t.frags = true;
			break;
		case 'l':
			t.may_lose = true;
			break;
		case 'n':
			t.counter = optarg;
			break;
		case 'r':
			t.swap = SWAP_REPLACE;
			break;
		case 't':
			t.swap = SWAP_DETACH;
			break;
		case 'v':
			veth = optarg;
			break;
		case 'e':
			t.end = optarg;
			break;
		default:
			usage_die();
		}
	}
	if (argc - optind != 6)
		usage_die();
	arguments(&t, argv + optind);
	run(&t, veth);
	return 0;
}
