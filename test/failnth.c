// SPDX-License-Identifier: GPL-2.0
/*
 * Does something again and again: the first time its first allocation fails,
 * then its second, and so on, until there was none left to fail. What succeeds
 * all the same is undone. Reports how many times it failed and succeeded.
 *
 * usage: failnth MAX write FILE UNDO-FILE TEXT
 *	  failnth MAX up IFNAME SIZE UNBIND-FILE BIND-FILE DEVICE
 *		the device is bound anew each time, for rings that are empty; its
 *		receive rings get SIZE, unless that is 0
 *	  failnth MAX ring IFNAME SIZE OTHER-SIZE
 *		of the receive rings. What failed is done again, which must take
 *		more allocations than to ask for what is there, and undone.
 *	  failnth MAX suspend IFNAME DEVICE
 *		and resume. What came of it is looked at, and each second time
 *		an XDP program taken off; then another suspend, each second time
 *		after unbind and bind, brings back what has not come back.
 *
 * The kernel must have CONFIG_FAULT_INJECTION, failslab and fail_page_alloc,
 * told through debugfs to fail also what may sleep.
 */
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util.h"
#include "xdp_link.h"

#define DRIVER		"/sys/bus/virtio/drivers/virtio_net"

struct action {
	bool (*attempt)(const struct action *a);
	void (*undo)(const struct action *a);
	/* what to do after a failure, NULL for nothing */
	void (*failed)(const struct action *a);
	const char *ifname;
	const char *file;
	const char *undo_file;
	const char *text;
	unsigned int size;
	unsigned int undo_size;
};

/* Attempts it with the nth allocation failing; returns how many were not made. */
static unsigned int fail_nth(const struct action *a, unsigned int n, bool *ok)
{
	char text[16];
	ssize_t len;
	int fd;

	fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		die("no fault injection in this kernel: %s", strerror(errno));
	snprintf(text, sizeof(text), "%u", n);
	if (write(fd, text, strlen(text)) < 0)
		die("fail-nth: %s", strerror(errno));
	*ok = a->attempt(a);
	len = pread(fd, text, sizeof(text) - 1, 0);
	if (len <= 0)
		die("fail-nth: %s", strerror(errno));
	text[len] = 0;
	if (pwrite(fd, "0", 1, 0) != 1)
		die("fail-nth: %s", strerror(errno));
	close(fd);
	return strtoul(text, NULL, 10);
}

/* How many allocations it makes, none of which fails */
static unsigned int allocations(const struct action *a)
{
	const unsigned int many = 1 << 30;
	unsigned int left;
	bool ok;

	left = fail_nth(a, many, &ok);
	if (!ok)
		die("failed with no allocation failing: %s", strerror(errno));
	return many - left;
}

static bool write_file(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC);
	bool ok;

	if (fd < 0)
		return false;
	ok = write(fd, text, strlen(text)) >= 0;
	close(fd);
	return ok;
}

static bool try_write(const struct action *a)
{
	return write_file(a->file, a->text);
}

static void must_write(const char *file, const char *text)
{
	if (!write_file(file, text))
		die("%s: %s", file, strerror(errno));
}

static void undo_write(const struct action *a)
{
	must_write(a->undo_file, a->text);
}

static bool dev_ioctl(const char *ifname, unsigned long request,
		      struct ifreq *req)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool ok;

	if (fd < 0)
		return false;
	snprintf(req->ifr_name, sizeof(req->ifr_name), "%s", ifname);
	ok = !ioctl(fd, request, req);
	close(fd);
	return ok;
}

static bool try_up(const struct action *a)
{
	struct ifreq req = {};

	if (!dev_ioctl(a->ifname, SIOCGIFFLAGS, &req))
		return false;
	req.ifr_flags |= IFF_UP;
	return dev_ioctl(a->ifname, SIOCSIFFLAGS, &req);
}

static bool set_ring(const char *ifname, unsigned int size)
{
	struct ethtool_ringparam ring = { .cmd = ETHTOOL_GRINGPARAM };
	struct ifreq req = { .ifr_data = (void *)&ring };

	if (!dev_ioctl(ifname, SIOCETHTOOL, &req))
		return false;
	ring.cmd = ETHTOOL_SRINGPARAM;
	ring.rx_pending = size;
	return dev_ioctl(ifname, SIOCETHTOOL, &req);
}

static bool try_ring(const struct action *a)
{
	return set_ring(a->ifname, a->size);
}

static void undo_ring(const struct action *a)
{
	if (!set_ring(a->ifname, a->undo_size))
		die("%s does not get its ring back: %s", a->ifname,
		    strerror(errno));
}

static void undo_up(const struct action *a)
{
	must_write(a->undo_file, a->text);
	must_write(a->file, a->text);
	if (a->undo_size)
		undo_ring(a);
}

/* That the ring of one queue could not be had must not keep others as they are */
static void retry_ring(const struct action *a)
{
	unsigned int again = allocations(a);

	if (again <= allocations(a))
		die("%s: a resize that failed does nothing when repeated",
		    a->ifname);
	undo_ring(a);
}

/* --- suspend -------------------------------------------------------------- */

static int xdp_link = -1;

static void detach_xdp(void)
{
	if (xdp_link >= 0)
		close(xdp_link);
	xdp_link = -1;
}

static void read_file(const char *file)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	char text[4096];

	while (fd >= 0 && read(fd, text, sizeof(text)) > 0)
		;
	close(fd);
}

static void set_down(const char *ifname)
{
	struct ifreq req = {};

	if (dev_ioctl(ifname, SIOCGIFFLAGS, &req)) {
		req.ifr_flags &= ~IFF_UP;
		dev_ioctl(ifname, SIOCSIFFLAGS, &req);
	}
}

/* All this may be refused, but not do harm */
static void look_at(const struct action *a, bool detach)
{
	char file[128];

	snprintf(file, sizeof(file), "/sys/class/net/%s/queues/rx-0/virtio_net/"
		 "mergeable_rx_buffer_size", a->ifname);
	read_file(file);
	read_file("/proc/net/dev");
	if (system("netdev qstats >/dev/null"))
		die("no queue statistics");
	set_down(a->ifname);
	if (detach)
		detach_xdp();
	try_up(a);
}

static bool try_suspend(const struct action *a)
{
	return write_file(a->file, "freeze");
}

static void undo_suspend(const struct action *a)
{
	static unsigned int times;

	look_at(a, times & 2);
	if (times++ & 1) {
		must_write(DRIVER "/unbind", a->text);
		must_write(DRIVER "/bind", a->text);
	}
	must_write(a->file, "freeze");
	if (!try_up(a))
		die("%s does not come back", a->ifname);
	detach_xdp();
	/* not every device takes one */
	xdp_link = xdp_attach(a->ifname, XDP_PASS);
}

/* --- all ------------------------------------------------------------------ */

static void parse(struct action *a, int argc, char **argv)
{
	if (argc == 6 && !strcmp(argv[2], "write")) {
		a->attempt = try_write;
		a->undo = undo_write;
		a->file = argv[3];
		a->undo_file = argv[4];
		a->text = argv[5];
	} else if (argc == 8 && !strcmp(argv[2], "up")) {
		a->attempt = try_up;
		a->undo = undo_up;
		a->ifname = argv[3];
		a->undo_size = number(argv[4], 0, 32768);
		a->undo_file = argv[5];
		a->file = argv[6];
		a->text = argv[7];
	} else if (argc == 6 && !strcmp(argv[2], "ring")) {
		a->attempt = try_ring;
		a->undo = undo_ring;
		a->failed = retry_ring;
		a->ifname = argv[3];
		a->size = number(argv[4], 1, 32768);
		a->undo_size = number(argv[5], 1, 32768);
	} else if (argc == 5 && !strcmp(argv[2], "suspend")) {
		a->attempt = try_suspend;
		a->undo = undo_suspend;
		a->ifname = argv[3];
		a->text = argv[4];
		a->file = "/sys/power/state";
	} else {
		die("usage: failnth MAX write FILE UNDO-FILE TEXT |\n"
		    "       up IFNAME SIZE UNBIND-FILE BIND-FILE DEVICE |\n"
		    "       ring IFNAME SIZE OTHER-SIZE |\n"
		    "       suspend IFNAME DEVICE");
	}
}

int main(int argc, char **argv)
{
	unsigned int n, max, left, failed = 0;
	struct action a = {};
	bool ok = false;

	parse(&a, argc, argv);
	max = number(argv[1], 1, 100000);
	for (n = 1; n <= max; n++) {
		left = fail_nth(&a, n, &ok);
		if (ok)
			a.undo(&a);
		else if (a.failed)
			a.failed(&a);
		failed += !ok;
		if (left)
			break;
	}
	printf("%u allocations failed, %u attempts with them\n", n - 1, failed);
	return n > max || !ok;
}
