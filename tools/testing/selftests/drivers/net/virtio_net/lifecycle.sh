#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Open and close, bind and unbind, offloads on and off, all under traffic, in
# each kind of receive buffers.

# shellcheck source-path=SCRIPTDIR source=vnet_lib.sh
source "$(dirname "$0")/vnet_lib.sh"

down_up()
{
	local i

	flood_start 700
	for ((i = 0; i < 5; i++)); do
		ip link set "$VNET_DEV" down
		ip link set "$VNET_DEV" up
		vnet_rx_wait 20
	done
	flood_stop
	both
}

rapid()
{
	flood_start 700
	"$VNET_LIB_DIR/traffic" updown "$VNET_DEV" 100
	flood_stop
	both
}

# Frames that arrive while the interface is down wait in the ring
down_under_traffic()
{
	flood_start 1400
	vnet_rx_wait 100
	ip link set "$VNET_DEV" down
	sleep 0.5
	ip link set "$VNET_DEV" up
	flood_stop
	both
}

bind_cycles()
{
	local i

	for ((i = 0; i < 4; i++)); do
		flood_start 700
		vnet_rx_wait 50
		vnet_unbind
		flood_stop
		pools_gone
		vnet_bind
	done
	wait_for 10 vnet_connected
	both
}

NAPI_TX=/sys/module/virtio_net/parameters/napi_tx

napi_tx_back()
{
	echo Y >$NAPI_TX
	vnet_unbind
	vnet_bind
}

# Without TX interrupts, what has been sent stays in the ring
napi_tx_off()
{
	[ -w $NAPI_TX ] || skip "no $NAPI_TX"
	trap napi_tx_back EXIT
	echo N >$NAPI_TX
	vnet_unbind
	vnet_bind
	both
	vnet_unbind
	pools_gone
	vnet_bind
	both
}

bind_down()
{
	ip link set "$VNET_DEV" down
	vnet_unbind
	pools_gone
	vnet_bind
	wait_for 10 vnet_connected
	both
}

# A close finds the work that refills a ring waiting for memory
close_while_dry()
{
	faults fail_page_alloc 100
	flood_start 1400
	sleep 1
	"$VNET_LIB_DIR/traffic" updown "$VNET_DEV" 3
	ip link set "$VNET_DEV" down
	faults fail_page_alloc 0
	ip link set "$VNET_DEV" up
	flood_stop
	wait_for 10 vnet_connected
	both
}

# feature NAME: off and on, or on and off, as it may be changed
feature_toggle()
{
	local now

	now=$(ethtool -k "$VNET_DEV" |
		awk -v name="$1:" '$1 == name && $3 == "" { print $2 }')
	case $now in
	on) set -- "$1" off on ;;
	off) set -- "$1" on off ;;
	*) return 0 ;;
	esac
	ethtool -K "$VNET_DEV" "$1" "$2" || return 0
	echo "$1 $2"
	tcp 1
	ethtool -K "$VNET_DEV" "$1" "$3"
	tcp 1
	TOGGLED=$((TOGGLED + 1))
}

features()
{
	local name

	need ethtool
	TOGGLED=0
	flood_start 700
	for name in generic-receive-offload large-receive-offload rx-gro-hw \
		rx-checksumming tx-checksumming scatter-gather \
		tcp-segmentation-offload generic-segmentation-offload \
		rx-gro-list rx-udp-gro-forwarding rx-vlan-filter \
		receive-hashing; do
		feature_toggle $name
	done
	flood_stop
	[ $TOGGLED -ge 3 ]
	both
}

tests()
{
	vnet_add "down and up under a flood" down_up
	vnet_add "down and up as fast as can be" rapid
	vnet_add "frames arrive while down" down_under_traffic
	vnet_add "closed while the ring is dry" close_while_dry
	vnet_add "offloads toggled under traffic" features
	vnet_add "unbind and bind under a flood" bind_cycles
	vnet_add "unbind and bind while down" bind_down
	vnet_add "unbind and bind without TX interrupts" napi_tx_off
}

vnet_add_modes mergeable small big -- tests
vnet_run "$@"
