// SPDX-License-Identifier: GPL-2.0
/*
 * usage: xdpdrop IFNAME
 *
 * Has XDP drop what a device receives, until it is ended. Exit status 4 if the
 * device takes no program.
 */
#include "util.h"
#include "xdp_link.h"

int main(int argc, char **argv)
{
	if (argc != 2)
		die("usage: xdpdrop IFNAME");
	if (xdp_attach(argv[1], XDP_DROP) < 0) {
		fprintf(stderr, "%s: no XDP program: %s\n", argv[1],
			strerror(errno));
		return errno == EOPNOTSUPP ? 4 : 1;
	}
	pause();
}
