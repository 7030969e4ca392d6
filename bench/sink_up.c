// SPDX-License-Identifier: GPL-2.0
/*
 * Brings the device up and reports what the first filling of its ring took.
 * Pages that come through a page pool here tell a driver with pools from one
 * without: later, with everything recycled, both would show none.
 */
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "sink.h"
#include "util.h"

static void device_up(const char *dev)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = { 0 };

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", dev);
	if (ioctl(sock, SIOCGIFFLAGS, &ifr))
		die("%s: %s", dev, strerror(errno));
	ifr.ifr_flags |= IFF_UP;
	if (ioctl(sock, SIOCSIFFLAGS, &ifr))
		die("%s does not come up: %s", dev, strerror(errno));
}

void sink_up(const char *dev)
{
	struct meter_sample before, after;
	struct meter meter;

	meter_init(&meter, dev, PROBES_PATH);
	meter_arm(&meter);
	meter_sample(&meter, &before, 0);
	device_up(dev);
	meter_sample(&meter, &after, 0);
	meter_disarm(&meter);
	printf("{\"event\":\"up\",\"fill\":");
	meter_print(&meter, &before, &after, true);
	printf(",\"note\":\"%s\"}\n", meter.note);
}
