#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Frames of every length arrive as they were sent, in each kind of receive
# buffers.

# shellcheck source-path=SCRIPTDIR source=vnet_lib.sh
source "$(dirname "$0")/vnet_lib.sh"

stream() { tcp $((3 * VNET_TCP_BYTES)); }

every_length() { udp 1 1600 1; }

# steps that have no factor in common with powers of two
long_lengths()
{
	udp 1601 12000 61
	udp 12001 65507 1999
	udp 65400 65507 7
}

no_tso()
{
	need ethtool
	in_peer ethtool -K "$VNET_PEER" tso off gso off
	stream
	in_peer ethtool -K "$VNET_PEER" tso on gso on
}

# Sets both ends; the wire between them may not carry it
mtu_set()
{
	ip link set "$VNET_DEV" mtu "$1" 2>/dev/null || return
	in_peer ip link set "$VNET_PEER" mtu "$1" 2>/dev/null || return
	[ "$1" -le 1500 ] ||
		ping -q -c 1 -W 1 -M "do" -s $(($1 - 28)) $VNET_THERE >/dev/null
}

mtu_restore()
{
	ip link set "$VNET_DEV" mtu $VNET_MTU
	in_peer ip link set "$VNET_PEER" mtu $VNET_MTU
}

mtu_one()
{
	local max=$(($1 - 28))

	if ! mtu_set "$1"; then
		echo "no frames of $1 bytes on this wire"
		return
	fi
	echo "MTU $1"
	MTUS=$((MTUS + 1))
	[ "$1" -lt 576 ] || tcp 1
	udp $((max > 40 ? max - 40 : 1)) $((max + 10)) 1
	udp 1 6000 331
}

mtus()
{
	local mtu

	MTUS=0
	for mtu in 68 576 1280 1499 1500 3000 3488 4000 9000 16000 65535; do
		mtu_one $mtu
		mtu_restore
	done
	[ $MTUS -ge 4 ]
}

# What is being received while the MTU changes must still be right
mtu_under_traffic()
{
	local mtu

	tcp_start $((4 * VNET_TCP_BYTES))
	for mtu in 1400 1300 1200 576 1500 900; do
		sleep 0.2
		ip link set "$VNET_DEV" mtu $mtu
	done
	tcp_wait
	mtu_restore
	both
}

tests()
{
	vnet_add "TCP verified in both directions" stream
	vnet_add "TCP in frames of the MTU" no_tso
	vnet_add "UDP of 1 to 1600 bytes, each" every_length
	vnet_add "UDP up to 64 KB" long_lengths
	vnet_add "MTUs of 68 to 65535" mtus
	vnet_add "MTU changes under traffic" mtu_under_traffic
}

vnet_add_modes mergeable mergeable-nogso small big -- tests
vnet_run "$@"
