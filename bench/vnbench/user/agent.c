// SPDX-License-Identifier: GPL-2.0
/*
 * Guest's side of ./vnrx bench: the first program of a kernel with the vnbench
 * module. Reads commands from its console, line by line, and answers each with
 * one line that begins with "@ok" or "@failed":
 *
 *   cell MODE DMA RING RINGSIZE TEST SIZE
 *   run PACKETS, inspect PACKETS
 *   peer MODE TEST SIZE	for a device that is another process
 *   counters		of the interface, as "received=... dropped=..."
 *   quit
 */

#include <fcntl.h>
#include <net/if.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "../../iface.h"
#include "../../util.h"

#define LINE	1024
#define PEER	"eth0"		/* the interface of a device that is not ours */

struct agent {
	int bench;		/* /dev/vnbench */
	int sock;
	int link;		/* the attached XDP program, or -1 */
	int ifindex;
	char device[80];	/* as last made */
	char test[16];
	char error[2 * LINE];
};

static int failed(struct agent *agent, const char *what)
{
	snprintf(agent->error, sizeof(agent->error), "%s: %s", what,
		 strerror(errno));
	return -1;
}

static int wrong(struct agent *agent, const char *what)
{
	snprintf(agent->error, sizeof(agent->error), "%s", what);
	return -1;
}

/* A command for the module; its answer in line */
static int bench_command(struct agent *agent, char *line)
{
	ssize_t n;
	char what[128];

	snprintf(what, sizeof(what), "vnbench %.100s", line);
	if (write(agent->bench, line, strlen(line)) < 0)
		return failed(agent, what);
	n = read(agent->bench, line, LINE - 1);
	if (n < 0)
		return failed(agent, "read from vnbench");
	line[n] = 0;
	return 0;
}

/* --- the interface -------------------------------------------------------- */

static int if_request(struct agent *agent, unsigned long request,
		      struct ifreq *ifr)
{
	if (!if_indextoname(agent->ifindex, ifr->ifr_name))
		return failed(agent, "name of the interface");
	if (ioctl(agent->sock, request, ifr))
		return failed(agent, "set up the interface");
	return 0;
}

static int if_up(struct agent *agent)
{
	struct ifreq ifr = { .ifr_flags = IFF_UP | IFF_NOARP };

	return if_request(agent, SIOCSIFFLAGS, &ifr);
}

static int if_mtu(struct agent *agent, int mtu)
{
	struct ifreq ifr = { .ifr_mtu = mtu };

	return if_request(agent, SIOCSIFMTU, &ifr);
}

/* --- XDP ------------------------------------------------------------------ */

static int xdp_compile(struct agent *agent, int prog, __u32 action)
{
	char line[LINE];

	snprintf(line, sizeof(line), "xdp %d %u", prog, action);
	return bench_command(agent, line);
}

static int xdp_attach(struct agent *agent, __u32 action)
{
	int prog;

	prog = iface_xdp_load(action);
	if (prog < 0)
		return failed(agent, "load the XDP program");
	if (xdp_compile(agent, prog, action))
		return -1;
	agent->link = iface_xdp_attach(agent->ifindex, prog);
	if (agent->link < 0)
		failed(agent, "attach the XDP program");
	close(prog);
	return agent->link < 0 ? -1 : 0;
}

static void xdp_detach(struct agent *agent)
{
	if (agent->link >= 0)
		close(agent->link);
	agent->link = -1;
}

static int xdp_action(const char *test)
{
	static const struct {
		const char *test;
		int action;
	} actions[] = {
		{ "xdp_drop", XDP_DROP },
		{ "xdp_pass", XDP_PASS },
		{ "xdp_tx", XDP_TX },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(actions); i++)
		if (!strcmp(actions[i].test, test))
			return actions[i].action;
	return -1;
}

/* --- commands ------------------------------------------------------------- */

/* Every cell on a device of its own: nothing is left of the last one */
static int device_make(struct agent *agent, const char *device)
{
	char line[LINE];

	xdp_detach(agent);
	snprintf(line, sizeof(line), "device %s", device);
	if (bench_command(agent, line))
		return -1;
	if (sscanf(line, "ifindex=%d", &agent->ifindex) != 1)
		return wrong(agent, "vnbench names no interface");
	return 0;
}

static int held(const char *test)
{
	return strncmp(test, "held", 4) ? 0 : atoi(test + 4);
}

static int frame_set(struct agent *agent, int size, int skbs)
{
	char line[LINE];

	snprintf(line, sizeof(line), "frame %d %d", size, skbs);
	return bench_command(agent, line);
}

/* A frame that is larger is of an ordinary network, with GSO */
static int link_up(struct agent *agent, const char *mode, int size)
{
	if (size == 9000 && strcmp(mode, "small") && if_mtu(agent, 9000))
		return -1;
	return if_up(agent);
}

static int test_start(struct agent *agent)
{
	if (xdp_action(agent->test) < 0)
		return 0;
	return xdp_attach(agent, xdp_action(agent->test));
}

static int do_cell(struct agent *agent, const char *args)
{
	char mode[16], dma[16], ring[16];
	int ring_size, size;

	if (sscanf(args, "%15s %15s %15s %d %15s %d", mode, dma, ring,
		   &ring_size, agent->test, &size) != 6)
		return wrong(agent, "cell: six words are wanted");
	snprintf(agent->device, sizeof(agent->device), "%s %s %s %d", mode,
		 dma, ring, ring_size);
	if (device_make(agent, agent->device))
		return -1;
	if (link_up(agent, mode, size) ||
	    frame_set(agent, size, held(agent->test)))
		return -1;
	return test_start(agent);
}

static int do_peer(struct agent *agent, const char *args)
{
	char mode[16], line[LINE] = "idle";
	int size;

	if (sscanf(args, "%15s %15s %d", mode, agent->test, &size) != 3)
		return wrong(agent, "peer: three words are wanted");
	if (bench_command(agent, line))
		return -1;
	xdp_detach(agent);
	agent->ifindex = if_nametoindex(PEER);
	if (!agent->ifindex)
		return failed(agent, PEER);
	if (link_up(agent, mode, size))
		return -1;
	return test_start(agent);
}

/* Like dev_get_stats() in the module */
static void do_counters(char *line)
{
	snprintf(line, LINE, "received=%llu dropped=%llu",
		 iface_statistic(PEER, "rx_packets"),
		 iface_statistic(PEER, "rx_dropped") +
		 iface_statistic(PEER, "rx_nohandler"));
}

static unsigned long long value(const char *answer, const char *name)
{
	const char *at = strstr(answer, name);

	return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

/* Did every packet go where the test sends it? */
static int check(struct agent *agent, const char *answer, bool inspect)
{
	unsigned long long packets = value(answer, "packets=");
	bool taken = held(agent->test) || inspect;
	int action = xdp_action(agent->test);
	bool up = action < 0 || action == XDP_PASS;
	bool lost = action == XDP_DROP || (up && !taken);

	if (value(answer, "received=") != packets)
		return wrong(agent, "not all packets were received");
	if (value(answer, " sent=") != (action == XDP_TX ? packets : 0))
		return wrong(agent, "wrong number of packets sent back");
	if (value(answer, "dropped=") != (lost ? packets : 0))
		return wrong(agent, "wrong number of packets dropped");
	if (value(answer, "skbs=") != (up && inspect ? packets : 0))
		return wrong(agent, "wrong number of packets delivered");
	return 0;
}

static int do_run(struct agent *agent, char *line, bool inspect)
{
	if (bench_command(agent, line))
		return -1;
	if (check(agent, line, inspect)) {
		strncat(agent->error, ": ", sizeof(agent->error) - 1 -
			strlen(agent->error));
		strncat(agent->error, line, sizeof(agent->error) - 1 -
			strlen(agent->error));
		return -1;
	}
	return 0;
}

/* A command that has nothing to answer */
static int command_plain(struct agent *agent, char *line)
{
	int err;

	if (!strncmp(line, "cell ", 5))
		err = do_cell(agent, line + 5);
	else if (!strncmp(line, "peer ", 5))
		err = do_peer(agent, line + 5);
	else
		err = wrong(agent, "unknown command");
	line[0] = 0;
	return err;
}

static int command(struct agent *agent, char *line)
{
	agent->error[0] = 0;
	if (!strncmp(line, "run ", 4))
		return do_run(agent, line, false);
	if (!strncmp(line, "inspect ", 8))
		return do_run(agent, line, true);
	if (strcmp(line, "counters"))
		return command_plain(agent, line);
	do_counters(line);
	return 0;
}

static void serve(struct agent *agent)
{
	char line[LINE];

	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\r\n")] = 0;
		if (!strcmp(line, "quit"))
			return;
		if (command(agent, line))
			printf("@failed %s\n", agent->error);
		else
			printf("@ok %s\n", line);
	}
}

/* --- the system ----------------------------------------------------------- */

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0)
		return;		/* not every kernel has it */
	if (write(fd, text, strlen(text)) < 0)
		printf("%s: %s\n", path, strerror(errno));
	close(fd);
}

static void insmod(const char *path)
{
	int fd = open(path, O_RDONLY);

	if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
		printf("@failed %s: %s\n", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

/* The console neither echoes nor translates */
static void console_raw(void)
{
	struct termios tio;

	if (tcgetattr(0, &tio))
		return;
	cfmakeraw(&tio);
	tcsetattr(0, TCSANOW, &tio);
}

static void system_up(void)
{
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sys", "/sys", "sysfs", 0, NULL);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	console_raw();
	setlinebuf(stdout);
	put("/proc/sys/net/core/bpf_jit_enable", "1");
	put("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
	insmod("/vnbench.ko");
}

int main(void)
{
	struct agent agent = { .link = -1 };

	system_up();
	agent.bench = open("/dev/vnbench", O_RDWR);
	agent.sock = socket(AF_INET, SOCK_DGRAM, 0);
	if (agent.bench < 0 || agent.sock < 0)
		printf("@failed no /dev/vnbench: %s\n", strerror(errno));
	else
		printf("@ok ready\n");
	serve(&agent);
	reboot(RB_POWER_OFF);
	return 1;
}
