// SPDX-License-Identifier: GPL-2.0
/*
 * Process 1 of the guest that a fault script runs against. It does what the
 * lines on its serial line say, and answers each with "ok ..." or "err ...".
 * The device, not the guest, judges.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "good.h"
#include "splat.h"
#include "util.h"

#ifndef BPF_F_XDP_HAS_FRAGS
#define BPF_F_XDP_HAS_FRAGS	(1U << 5)
#endif
#ifndef PACKET_IGNORE_OUTGOING
#define PACKET_IGNORE_OUTGOING	23
#endif

#define DRIVER		"/sys/bus/virtio/drivers/virtio_net"
#define DEVICES		"/sys/bus/virtio/devices"
#define NET_DEVICE	0x0001
#define LINE		1024
#define SOCKET_BYTES	(64 << 20)
#define SETTLE_MS	4
#define KMEMLEAK	"/sys/kernel/debug/kmemleak"

struct guest {
	FILE *tty;
	int kmsg;
	int packets;		/* packet socket, -1 while the link is down */
	int xdp;		/* BPF link, or -1 */
	char device[64];	/* virtioN */
	char dev[IFNAMSIZ];	/* network interface, "" if there is none */
	unsigned long long delivered;
	unsigned long long good;
	unsigned long long wrong;
	unsigned int settle;	/* milliseconds */
	char buf[80 * 1024];
};

struct command {
	const char *name;
	void (*run)(struct guest *g, const char *arg);
};

__attribute__((format(printf, 2, 3)))
static void reply(struct guest *g, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(g->tty, fmt, args);
	va_end(args);
	fputc('\n', g->tty);
	fflush(g->tty);
}

static void reply_errno(struct guest *g, int rc)
{
	if (rc < 0)
		reply(g, "err %s", strerror(errno));
	else
		reply(g, "ok");
}

/* --- files ---------------------------------------------------------------- */

static int put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY), rc;

	if (fd < 0)
		return -1;
	rc = write(fd, text, strlen(text));
	close(fd);
	return rc;
}

static unsigned long long get_number(const char *path)
{
	unsigned long long value = 0;
	FILE *file = fopen(path, "r");

	if (!file)
		return 0;
	if (fscanf(file, "%lli", (long long *)&value) != 1)
		value = 0;
	fclose(file);
	return value;
}

static unsigned long long statistic(struct guest *g, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/class/net/%s/statistics/%s",
		 g->dev, name);
	return get_number(path);
}

/* The first name in a directory that ACCEPT likes */
static bool find_entry(const char *dir, char *name, size_t size,
		       bool (*accept)(const char *dir, const char *name))
{
	DIR *d = opendir(dir);
	struct dirent *e;
	bool found = false;

	while (d && !found && (e = readdir(d))) {
		if (e->d_name[0] == '.' || (accept && !accept(dir, e->d_name)))
			continue;
		snprintf(name, size, "%.*s", (int)size - 1, e->d_name);
		found = true;
	}
	if (d)
		closedir(d);
	return found;
}

static bool is_net_device(const char *dir, const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s/device", dir, name);
	return get_number(path) == NET_DEVICE;
}

/* --- the driver ----------------------------------------------------------- */

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static bool find_interface(struct guest *g)
{
	char path[128];

	snprintf(path, sizeof(path), DEVICES "/%s/net", g->device);
	return find_entry(path, g->dev, sizeof(g->dev), NULL);
}

static void do_bind(struct guest *g, const char *arg)
{
	int rc = put_file(DRIVER "/bind", g->device);

	(void)arg;
	if (rc >= 0 && find_interface(g))
		reply(g, "ok %s", g->dev);
	else
		reply(g, "err %s", rc < 0 ? strerror(errno) : "no interface");
}

static void do_unbind(struct guest *g, const char *arg)
{
	(void)arg;
	close_fd(&g->packets);
	close_fd(&g->xdp);
	g->dev[0] = 0;
	reply_errno(g, put_file(DRIVER "/unbind", g->device));
}

/* --- the interface -------------------------------------------------------- */

static int dev_ioctl(struct guest *g, unsigned long request, struct ifreq *ifr)
{
	int sock = socket(AF_INET, SOCK_DGRAM, 0), rc;

	strcpy(ifr->ifr_name, g->dev);
	rc = ioctl(sock, request, ifr);
	close(sock);
	return rc;
}

static int set_up(struct guest *g, bool up)
{
	struct ifreq ifr = { 0 };

	if (dev_ioctl(g, SIOCGIFFLAGS, &ifr))
		return -1;
	ifr.ifr_flags &= ~IFF_UP;
	ifr.ifr_flags |= IFF_PROMISC | (up ? IFF_UP : 0);
	return dev_ioctl(g, SIOCSIFFLAGS, &ifr);
}

static int set_ethtool(struct guest *g, void *data)
{
	struct ifreq ifr = { .ifr_data = data };

	return dev_ioctl(g, SIOCETHTOOL, &ifr);
}

/* Sees every frame that the driver hands to the stack */
static int open_packets(struct guest *g)
{
	struct sockaddr_ll ll = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = if_nametoindex(g->dev),
	};
	int size = SOCKET_BYTES, one = 1;
	int sock = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0);

	setsockopt(sock, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(sock, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one,
		   sizeof(one));
	if (bind(sock, (struct sockaddr *)&ll, sizeof(ll))) {
		close(sock);
		return -1;
	}
	g->packets = sock;
	return 0;
}

/* One frame in, one frame out: without GRO they can be counted */
static void do_up(struct guest *g, const char *arg)
{
	struct ethtool_value gro = { .cmd = ETHTOOL_SGRO };

	(void)arg;
	set_ethtool(g, &gro);
	if (g->packets < 0 && open_packets(g))
		reply_errno(g, -1);
	else
		reply_errno(g, set_up(g, true));
}

static void do_down(struct guest *g, const char *arg)
{
	(void)arg;
	reply_errno(g, set_up(g, false));
}

static void do_mtu(struct guest *g, const char *arg)
{
	struct ifreq ifr = { .ifr_mtu = atoi(arg) };

	reply_errno(g, dev_ioctl(g, SIOCSIFMTU, &ifr));
}

static void do_ring(struct guest *g, const char *arg)
{
	struct ethtool_ringparam ring = { .cmd = ETHTOOL_GRINGPARAM };

	if (set_ethtool(g, &ring)) {
		reply_errno(g, -1);
		return;
	}
	ring.cmd = ETHTOOL_SRINGPARAM;
	ring.rx_pending = atoi(arg);
	reply_errno(g, set_ethtool(g, &ring));
}

static void do_channels(struct guest *g, const char *arg)
{
	struct ethtool_channels ch = {
		.cmd = ETHTOOL_SCHANNELS, .combined_count = atoi(arg),
	};

	reply_errno(g, set_ethtool(g, &ch));
}

/* Hashes that the device reports: the driver asks for them only then */
static void do_rxhash(struct guest *g, const char *arg)
{
	struct ethtool_value flags = { .cmd = ETHTOOL_GFLAGS };

	if (set_ethtool(g, &flags)) {
		reply_errno(g, -1);
		return;
	}
	flags.cmd = ETHTOOL_SFLAGS;
	flags.data &= ~ETH_FLAG_RXHASH;
	flags.data |= atoi(arg) ? ETH_FLAG_RXHASH : 0;
	reply_errno(g, set_ethtool(g, &flags));
}

/* All that has been sent must come back from the driver */
static int wait_for_sent(int sock)
{
	int tries, left;

	for (tries = 0; tries < 200; tries++) {
		if (ioctl(sock, SIOCOUTQ, &left))
			return -1;
		if (!left)
			return 0;
		usleep(10000);
	}
	errno = EBUSY;
	return -1;
}

static void do_tx(struct guest *g, const char *arg)
{
	struct sockaddr_ll ll = {
		.sll_family = AF_PACKET, .sll_ifindex = if_nametoindex(g->dev),
	};
	int i, sock = socket(AF_PACKET, SOCK_RAW, 0), rc = 0;
	char frame[60] = { 0 };

	for (i = 0; i < atoi(arg) && rc >= 0; i++)
		rc = sendto(sock, frame, sizeof(frame), 0,
			    (struct sockaddr *)&ll, sizeof(ll));
	reply_errno(g, rc < 0 ? rc : wait_for_sent(sock));
	close(sock);
}

/* --- XDP ------------------------------------------------------------------ */

static int bpf(int cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

#define INSN(c, d, s, o, i) { .code = (c), .dst_reg = (d), .src_reg = (s), \
			      .off = (o), .imm = (i) }

/* If the frame says so (r8), calls a helper with context (r6) and a number */
#define WHEN_TOLD(bit, helper, number) \
	INSN(BPF_ALU64 | BPF_MOV | BPF_X, 1, 8, 0, 0), \
	INSN(BPF_ALU64 | BPF_AND | BPF_K, 1, 0, 0, bit), \
	INSN(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 3, 0), \
	INSN(BPF_ALU64 | BPF_MOV | BPF_X, 1, 6, 0, 0), \
	INSN(BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, number), \
	INSN(BPF_JMP | BPF_CALL, 0, 0, 0, helper)

/* Reads and writes the frame's first byte, and does as its source says */
static int load_xdp(bool frags)
{
	static const struct bpf_insn insns[] = {
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 6, 1, 0, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 7, 0, 0, XDP_PASS - 1),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 8, 0, 0, 0),
		INSN(BPF_LDX | BPF_W | BPF_MEM, 2, 1, 0, 0),
		INSN(BPF_LDX | BPF_W | BPF_MEM, 3, 1, 4, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 4, 2, 0, 0),
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, 4, 0, 0, ETH_HLEN),
		INSN(BPF_JMP | BPF_JGT | BPF_X, 4, 3, 4, 0),
		INSN(BPF_LDX | BPF_B | BPF_MEM, 5, 2, 0, 0),
		INSN(BPF_STX | BPF_B | BPF_MEM, 2, 5, 0, 0),
		INSN(BPF_LDX | BPF_B | BPF_MEM, 7, 2, GOOD_SRC_ACTION, 0),
		INSN(BPF_LDX | BPF_B | BPF_MEM, 8, 2, GOOD_SRC_DO, 0),
		WHEN_TOLD(GOOD_DO_META, BPF_FUNC_xdp_adjust_meta, -8),
		WHEN_TOLD(GOOD_DO_HEAD, BPF_FUNC_xdp_adjust_head, 16),
		WHEN_TOLD(GOOD_DO_TAIL, BPF_FUNC_xdp_adjust_tail, -20),
		INSN(BPF_ALU64 | BPF_AND | BPF_K, 8, 0, 0, GOOD_DO_SEND),
		INSN(BPF_JMP | BPF_JEQ | BPF_K, 8, 0, 5, 0),
		INSN(BPF_LDX | BPF_W | BPF_MEM, 1, 6,
		     offsetof(struct xdp_md, ingress_ifindex), 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, 0),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_redirect),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 7, 0, 0, 0),
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, 7, 0, 0, -1),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 0, 7, 0, 0),
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, 0, 0, 0, 1),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_XDP,
		.insns = (unsigned long)insns,
		.insn_cnt = ARRAY_SIZE(insns),
		.license = (unsigned long)"GPL",
		.prog_flags = frags ? BPF_F_XDP_HAS_FRAGS : 0,
		.expected_attach_type = BPF_XDP,
	};

	return bpf(BPF_PROG_LOAD, &attr);
}

static int attach_xdp(struct guest *g, int prog)
{
	union bpf_attr attr = { 0 };

	attr.link_create.prog_fd = prog;
	attr.link_create.target_ifindex = if_nametoindex(g->dev);
	attr.link_create.attach_type = BPF_XDP;
	/* in the driver, not in the stack above it */
	attr.link_create.flags = 1U << 2;
	return bpf(BPF_LINK_CREATE, &attr);
}

static void do_xdp(struct guest *g, const char *arg)
{
	int prog;

	close_fd(&g->xdp);
	if (!strcmp(arg, "off")) {
		reply(g, "ok");
		return;
	}
	prog = load_xdp(!strcmp(arg, "multi"));
	if (prog < 0) {
		reply(g, "err load: %s", strerror(errno));
		return;
	}
	g->xdp = attach_xdp(g, prog);
	reply_errno(g, g->xdp);
	close(prog);
}

/* --- counting ------------------------------------------------------------- */

static bool is_good(const uint8_t *frame, ssize_t len)
{
	struct good_head head;
	ssize_t i;

	if (len < (ssize_t)sizeof(head))
		return false;
	memcpy(&head, frame, sizeof(head));
	if (head.magic != GOOD_MAGIC || head.len != (uint16_t)len)
		return false;
	for (i = sizeof(head); i < len; i++)
		if (frame[i] != good_byte(head.seq, i))
			return false;
	return true;
}

static void drain(struct guest *g)
{
	const struct good_head *head = (const void *)g->buf;
	struct tpacket_stats stats;
	socklen_t size = sizeof(stats);
	ssize_t len;

	if (g->packets < 0)
		return;
	while ((len = recv(g->packets, g->buf, sizeof(g->buf), 0)) > 0) {
		if (is_good((uint8_t *)g->buf, len))
			g->good++;
		else if (len >= ETH_HLEN && head->type == htons(GOOD_TYPE))
			g->wrong++;
	}
	if (!getsockopt(g->packets, SOL_PACKET, PACKET_STATISTICS, &stats,
			&size))
		g->delivered += stats.tp_packets;
}

/* Until nothing more comes */
static void settle(struct guest *g)
{
	unsigned long long before, now = statistic(g, "rx_packets");
	int quiet = 0, tries = 200;

	while (quiet < 3 && tries--) {
		usleep(g->settle * 1000);
		drain(g);
		before = now;
		now = statistic(g, "rx_packets");
		quiet = now == before ? quiet + 1 : 0;
	}
}

static void do_counters(struct guest *g, const char *arg)
{
	(void)arg;
	settle(g);
	reply(g, "ok %llu %llu %llu %llu %llu %llu %llu",
	      statistic(g, "rx_packets"), statistic(g, "rx_dropped"),
	      statistic(g, "rx_length_errors"),
	      statistic(g, "rx_frame_errors"), g->delivered, g->good,
	      g->wrong);
}

/* "ok LIVE DETACHED", of the pools that the program netdev lists */
static void do_pools(struct guest *g, const char *arg)
{
	unsigned int live = 0, detached = 0;
	FILE *list;

	(void)arg;
	list = popen("/bin/netdev pools", "r");
	while (list && fgets(g->buf, sizeof(g->buf), list)) {
		if (strstr(g->buf, "detached="))
			detached++;
		else
			live++;
	}
	if (!list || pclose(list))
		reply(g, "err cannot list the page pools");
	else
		reply(g, "ok %u %u", live, detached);
}

/* --- the kernel log ------------------------------------------------------- */

static void do_dmesg(struct guest *g, const char *arg)
{
	char splat[400] = "clean", *text;
	ssize_t len;

	(void)arg;
	for (;;) {
		len = read(g->kmsg, g->buf, sizeof(g->buf) - 1);
		if (len < 0 && errno == EPIPE)
			continue;
		if (len <= 0)
			break;
		g->buf[len] = 0;
		text = strchr(g->buf, ';');
		if (!text || strcmp(splat, "clean") || !is_splat(text))
			continue;
		text[1 + strcspn(text + 1, "\n")] = 0;
		snprintf(splat, sizeof(splat), "%.*s",
			 (int)sizeof(splat) - 1, text + 1);
	}
	reply(g, "ok %s", splat);
}

/* What was freed a moment ago may be in a register or on a stack still: only
 * what two scans find is lost.
 */
static void do_leaks(struct guest *g, const char *arg)
{
	ssize_t len;
	int fd;

	(void)arg;
	if (access(KMEMLEAK, R_OK)) {
		reply(g, "ok");
		return;
	}
	put_file(KMEMLEAK, "scan");
	sleep(6);
	put_file(KMEMLEAK, "scan");
	fd = open(KMEMLEAK, O_RDONLY);
	len = read(fd, g->buf, sizeof(g->buf) - 1);
	close(fd);
	if (len <= 0) {
		reply(g, "ok");
		return;
	}
	g->buf[len] = 0;
	put_file("/dev/console", g->buf);
	g->buf[strcspn(g->buf, "\n")] = 0;
	reply(g, "err %.300s", g->buf);
}

/* --- commands ------------------------------------------------------------- */

static void do_sleep(struct guest *g, const char *arg)
{
	usleep(atoi(arg) * 1000);
	reply(g, "ok");
}

/* Where the map of cover_guest.c is, 0 in a kernel that has none */
static void do_cover(struct guest *g, const char *arg)
{
	(void)arg;
	reply(g, "ok %llu",
	      get_number("/sys/module/virtio/parameters/cover"));
}

static void do_off(struct guest *g, const char *arg)
{
	(void)arg;
	reply(g, "ok");
	sync();
	reboot(RB_POWER_OFF);
}

static void execute(struct guest *g, char *line)
{
	static const struct command commands[] = {
		{ "bind", do_bind }, { "unbind", do_unbind },
		{ "up", do_up }, { "down", do_down }, { "mtu", do_mtu },
		{ "ring", do_ring }, { "channels", do_channels },
		{ "rxhash", do_rxhash }, { "tx", do_tx }, { "xdp", do_xdp },
		{ "counters", do_counters }, { "pools", do_pools },
		{ "dmesg", do_dmesg }, { "leaks", do_leaks },
		{ "sleep", do_sleep },
		{ "cover", do_cover }, { "off", do_off },
	};
	char *arg = strchr(line, ' ');
	size_t i;

	if (arg)
		*arg++ = 0;
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i].name, line)) {
			commands[i].run(g, arg ?: "");
			return;
		}
	reply(g, "err no command '%s'", line);
}

static void mounts(void)
{
	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mkdir("/dev", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sys", "/sys", "sysfs", 0, NULL);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	mount("debug", "/sys/kernel/debug", "debugfs", 0, NULL);
}

static FILE *open_tty(const char *name)
{
	struct termios raw;
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/dev/%s", name);
	fd = open(path, O_RDWR | O_NOCTTY);
	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	tcgetattr(fd, &raw);
	cfmakeraw(&raw);
	tcsetattr(fd, TCSANOW, &raw);
	return fdopen(fd, "r+");
}

int main(void)
{
	static struct guest guest = { .packets = -1, .xdp = -1 };
	struct guest *g = &guest;
	char line[LINE];

	mounts();
	g->settle = atoi(getenv("vnrx_settle") ?: "") ?: SETTLE_MS;
	g->tty = open_tty(getenv("vnrx_tty") ?: "ttyS0");
	setvbuf(g->tty, NULL, _IONBF, 0);
	g->kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
	if (!find_entry(DEVICES, g->device, sizeof(g->device), is_net_device))
		reply(g, "err no virtio network device");
	put_file(DRIVER "/unbind", g->device);
	reply(g, "ok %s", g->device);
	while (fgets(line, sizeof(line), g->tty)) {
		line[strcspn(line, "\r\n")] = 0;
		execute(g, line);
	}
	reboot(RB_POWER_OFF);
	return 1;
}
