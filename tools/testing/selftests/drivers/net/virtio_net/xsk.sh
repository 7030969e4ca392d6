#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# AF_XDP: every frame gets to the socket and back out, verified at both ends.

# shellcheck source-path=SCRIPTDIR source=vnet_lib.sh
source "$(dirname "$0")/vnet_lib.sh"

FRAMES=${VNET_XDP_FRAMES:-1200}

# A socket cannot send on a queue that XDP has added
all_queues()
{
	need ethtool
	[ "$(channels_max)" -eq "$(channels_now)" ] ||
		ethtool -L "$VNET_DEV" combined "$(channels_max)"
}

xsk()
{
	all_queues
	timeout 60 "$VNET_LIB_DIR/xsk" -d "$VNET_LIB_DIR" "$@" "$VNET_DEV" \
		"$VNET_NS" "$VNET_PEER" "$FRAMES"
}

# Sockets come and go, and the rings are the driver's own again
cycles()
{
	local i

	FRAMES=100
	for ((i = 0; i < 5; i++)); do
		xsk "$@"
		tcp 1
	done
	both
}

under_tcp()
{
	tcp_start $((2 * VNET_TCP_BYTES))
	xsk "$@"
	tcp_wait
	both
}

tests()
{
	vnet_add "copy" xsk
	vnet_add "copy, opened and closed" cycles
	vnet_add "copy, beside TCP" under_tcp
	vnet_add "zero copy" xsk -z
	vnet_add "zero copy, opened and closed" cycles -z
	vnet_add "zero copy, beside TCP" under_tcp -z
	vnet_add "nothing is left after unbind" leaves_nothing
}

vnet_need_xdp
vnet_add_modes mergeable small -- tests
vnet_run "$@"
