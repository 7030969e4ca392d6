// SPDX-License-Identifier: GPL-2.0
/*
 * usage: xdpdrop IFNAME [pass]
 *
 * Has XDP drop what a device receives, or pass it on, until it is ended. Exit
 * status 4 if the device takes no program.
 */
#include "util.h"
#include "xdp_link.h"

int main(int argc, char **argv)
{
	int action = argc == 3 ? XDP_PASS : XDP_DROP;

	if (argc != 2 && (argc != 3 || strcmp(argv[2], "pass")))
		die("usage: xdpdrop IFNAME [pass]");
	if (xdp_attach(argv[1], action) < 0) {
		fprintf(stderr, "%s: no XDP program: %s\n", argv[1],
			strerror(errno));
		return errno == EOPNOTSUPP ? 4 : 1;
	}
	pause();
}
