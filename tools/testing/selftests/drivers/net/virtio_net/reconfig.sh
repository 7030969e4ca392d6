#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What an administrator may change while traffic flows: rings, queues, RSS,
# coalescing, busy polling, threaded NAPI, the network namespace.

# shellcheck source-path=SCRIPTDIR source=vnet_lib.sh
source "$(dirname "$0")/vnet_lib.sh"

# tcp_during CMD ARGS...: under TCP that must arrive, and a flood
tcp_during()
{
	need ethtool
	tcp_start $((4 * VNET_TCP_BYTES))
	flood_start 700
	"$@"
	flood_stop
	tcp_wait
}

ring_sizes()
{
	local max size

	max=$(ring_max)
	for size in $((max / 2)) "$max" $((max / 4)) "$max"; do
		ethtool -G "$VNET_DEV" rx "$size" ||
			skip "the device cannot resize its rings"
		[ "$(ring_size)" -eq "$size" ]
		vnet_rx_wait 30
	done
}

rings()
{
	tcp_during ring_sizes
	both
}

# The ring is resized while the interface has none of its NAPI
rings_down()
{
	local max

	need ethtool
	max=$(ring_max)
	ip link set "$VNET_DEV" down
	ethtool -G "$VNET_DEV" rx $((max / 2)) ||
		skip "the device cannot resize its rings"
	ip link set "$VNET_DEV" up
	wait_for 5 vnet_connected
	both
	ip link set "$VNET_DEV" down
	ethtool -G "$VNET_DEV" rx "$max"
	ip link set "$VNET_DEV" up
	wait_for 5 vnet_connected
	both
}

# Pools follow the ring: what was posted to the old one comes back
rings_leak_nothing()
{
	need ethtool
	ethtool -G "$VNET_DEV" rx $(($(ring_max) / 2)) ||
		skip "the device cannot resize its rings"
	ethtool -G "$VNET_DEV" rx "$(ring_max)"
	both
	wait_for $VNET_POOL_SECONDS pools_none_detached
	vnet_unbind
	pools_gone
	vnet_bind
}

channel_counts()
{
	local max n

	max=$(channels_max)
	[ "$max" -gt 1 ] || skip "one queue pair only"
	for n in 1 "$max" $(((max + 1) / 2)) "$max"; do
		ethtool -L "$VNET_DEV" combined "$n"
		[ "$(channels_now)" -eq "$n" ]
		vnet_rx_wait 30
	done
}

channels()
{
	tcp_during channel_counts
	both
}

rss_tables()
{
	local i

	ethtool -x "$VNET_DEV" 2>/dev/null | grep -q "^ *0:" ||
		skip "no RSS"
	for i in 1 "$(channels_max)" 1 "$(channels_max)"; do
		ethtool -X "$VNET_DEV" equal "$i"
		vnet_rx_wait 30
	done
	ethtool -X "$VNET_DEV" default
}

rss()
{
	tcp_during rss_tables
	both
}

coalescing_values()
{
	ethtool -C "$VNET_DEV" rx-usecs 50 rx-frames 32 2>/dev/null ||
		ethtool -C "$VNET_DEV" tx-frames 0 2>/dev/null ||
		skip "no coalescing parameters"
	vnet_rx_wait 30
	ethtool -C "$VNET_DEV" adaptive-rx on 2>/dev/null || true
	vnet_rx_wait 30
	ethtool -C "$VNET_DEV" adaptive-rx off rx-usecs 0 rx-frames 1 \
		2>/dev/null || true
	ethtool -C "$VNET_DEV" tx-frames 1 2>/dev/null || true
}

coalescing()
{
	tcp_during coalescing_values
	both
}

napi_set() { echo "$2" >"/sys/class/net/$VNET_DEV/$1"; }

threaded_values()
{
	local i

	for i in 1 0 1 0; do
		napi_set threaded $i
		vnet_rx_wait 30
	done
}

threaded()
{
	[ -e "/sys/class/net/$VNET_DEV/threaded" ] || skip "no threaded NAPI"
	tcp_during threaded_values
	napi_set threaded 1
	both
	"$VNET_LIB_DIR/traffic" updown "$VNET_DEV" 5
	wait_for 5 vnet_connected
	both
	napi_set threaded 0
}

busy_poll_off()
{
	echo 0 >/proc/sys/net/core/busy_poll
	echo 0 >/proc/sys/net/core/busy_read
	napi_set napi_defer_hard_irqs 0
	napi_set gro_flush_timeout 0
}

busy_poll()
{
	[ -e /proc/sys/net/core/busy_poll ] || skip "no busy polling"
	trap busy_poll_off EXIT
	echo 100 >/proc/sys/net/core/busy_poll
	echo 100 >/proc/sys/net/core/busy_read
	both
	napi_set napi_defer_hard_irqs 2
	napi_set gro_flush_timeout 200000
	both
	"$VNET_LIB_DIR/traffic" updown "$VNET_DEV" 3
	wait_for 5 vnet_connected
	both
}

# A device that is in the other namespace comes back when that goes
netns_other_end()
{
	ip netns delete "$VNET_NS-other" 2>/dev/null || true
	wait_for 10 vnet_name_of "$VNET_DEV_BUS" || true
}

# With packets on their way, which then belong to nobody
netns_move()
{
	local ns=$VNET_NS-other

	trap netns_other_end EXIT
	flood_start 700
	vnet_rx_wait 50
	ip netns add "$ns"
	ip link set "$VNET_DEV" netns "$ns"
	ip -n "$ns" address add $VNET_HERE/24 dev "$VNET_DEV"
	ip -n "$ns" link set "$VNET_DEV" up
	wait_for 10 ip netns exec "$ns" ping -q -c 1 -W 1 $VNET_THERE
	ip netns exec "$ns" "$VNET_LIB_DIR/traffic" tcp $VNET_THERE $VNET_PORT \
		"$VNET_TCP_BYTES"
	ip -n "$ns" link set "$VNET_DEV" netns 1
	flood_stop
	netns_other_end
	# its pools are listed as nobody's now: begin anew
	vnet_unbind
	pools_gone
	vnet_bind
	wait_for 5 vnet_connected
	both
}

all_at_once()
{
	local i gro=off

	need ethtool
	tcp_start $((6 * VNET_TCP_BYTES))
	flood_start 700
	for ((i = 0; i < 4; i++)); do
		ethtool -G "$VNET_DEV" rx $(($(ring_max) / (1 + i % 2))) || true
		ethtool -L "$VNET_DEV" combined $((1 + i % $(channels_max)))
		ip link set "$VNET_DEV" mtu $((1500 - 100 * (i % 3)))
		ethtool -K "$VNET_DEV" gro "$gro" || true
		[ $gro = on ] && gro=off || gro=on
		vnet_rx_wait 10
	done
	flood_stop
	ip link set "$VNET_DEV" mtu $VNET_MTU
	ethtool -G "$VNET_DEV" rx "$(ring_max)" || true
	ethtool -L "$VNET_DEV" combined "$(channels_max)"
	tcp_wait
	both
}

tests()
{
	vnet_add "rings resized under traffic" rings
	vnet_add "rings resized while down" rings_down
	vnet_add "resizing leaves no pools behind" rings_leak_nothing
	vnet_add "queues removed and added under traffic" channels
	vnet_add "RSS tables changed under traffic" rss
	vnet_add "coalescing changed under traffic" coalescing
	vnet_add "threaded NAPI switched under traffic" threaded
	vnet_add "busy polling" busy_poll
	vnet_add "rings, queues, MTU and GRO at once" all_at_once
	vnet_add "moved to another namespace under a flood" netns_move
}

vnet_add_modes mergeable small big split -- tests
vnet_run "$@"
