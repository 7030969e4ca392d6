#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Receive buffers go round: once a ring is filled and traffic flows, pages are
# recycled and not allocated, none is lost, and none is left when the device
# has gone. What is counted comes from the page pools, over netlink.

# shellcheck source-path=SCRIPTDIR source=vnet_lib.sh
source "$(dirname "$0")/vnet_lib.sh"

PAGE_SIZE=$(getconf PAGE_SIZE)
# pages that a pool keeps in its allocation cache, and those in its ring
POOL_CACHE=128
POOL_RING=128
# datagrams that it is counted what they hold of, and those of "traffic send"
# that are short
COUNTED=64
SHORT=18
ROUNDS=4
HOLDS=8

slow() { pools_here stats | sum alloc-slow alloc-slow-high-order; }
taken() { pools_here stats | sum alloc-fast alloc-slow alloc-slow-high-order; }
recycled() { pools_here stats | sum recycle-cached recycle-ring; }
inflight_mem() { pools_here pools | sum inflight-mem; }

stats_need()
{
	need ethtool
	pools_need
	pools_here stats | grep -q alloc-fast ||
		skip "no CONFIG_PAGE_POOL_STATS"
}

# No buffer is larger than a page, or 8 KB for large packets, but in big-packets
# mode: MAX_SKB_FRAGS + 2
buffer_max()
{
	if [ "$(vnet_buffers)" = big ]; then
		echo $((19 * PAGE_SIZE))
	else
		echo $((PAGE_SIZE > 8192 ? PAGE_SIZE : 8192))
	fi
}

# Bytes that full rings can hold
ring_mem() { echo $(($(ring_size) * $(channels_all) * $(buffer_max))); }

# Rings that are not used have no buffers, but may have had
channels_all() { find "/sys/class/net/$VNET_DEV/queues" -name 'rx-*' | wc -l; }

# The largest page of the pools that are in use
pool_page()
{
	pools_here pools | awk '{
		for (i = 1; i <= NF; i++) {
			if (index($i, "inflight=") == 1)
				n = substr($i, 10)
			if (index($i, "inflight-mem=") == 1)
				mem = substr($i, 14)
		}
		if (n > 0 && mem / n > max)
			max = mem / n
	}
	END { print max + 0 }'
}

# Beyond what is posted a pool may keep a ring of pages and a cache of them
pools_may_keep()
{
	local pages

	pages=$(($(pools_here pools | wc -l) * (POOL_CACHE + POOL_RING)))
	echo $((2 * $(ring_mem) + pages * $(pool_page)))
}

# So many times all buffers of all rings in small frames, read at once
turn_over()
{
	local sink

	sink=$(./traffic sink $VNET_SINK_PORT)
	vnet_background "$sink"
	timeout 100 ip netns exec "$VNET_NS" "$VNET_LIB_DIR/traffic" send \
		$VNET_HERE $VNET_SINK_PORT 1400 \
		$(($1 * $(ring_size) * $(channels_now)))
	tcp "$VNET_TCP_BYTES"
	kill "$sink"
}

# A packet takes the first piece of a big buffer, which gets a new last one:
# what a page is cut into comes back at once, after some 17 turns of the ring
turns_to_settle() { [ "$(vnet_buffers)" = big ] && echo 20 || echo 2; }
turns_to_count() { [ "$(vnet_buffers)" = big ] && echo 40 || echo 12; }

# A ring's pages may be allocated anew, which a fragmented memory or a change
# of the buffers' size makes necessary, but not with each turn of the ring
recycling()
{
	local slow taken recycled bound

	stats_need
	turn_over "$(turns_to_settle)"
	slow=$(slow) taken=$(taken) recycled=$(recycled)
	turn_over "$(turns_to_count)"
	slow=$(($(slow) - slow))
	taken=$(($(taken) - taken))
	recycled=$(($(recycled) - recycled))
	# full rings, and as much kept by the pools
	bound=$((2 * $(ring_mem) / $(pool_page)))
	echo "$taken pages taken, $slow of them new, $recycled recycled"
	echo "twice the pages of all rings: $bound, of $(pool_page) bytes"
	[ $slow -le "$bound" ]
	[ "$taken" -gt 0 ]
	# what was not new has come back, but for what the pools had at first
	[ $((recycled + bound)) -ge $((taken - slow)) ]
	[ $slow -le $((taken / 4)) ]
}

# Never more than the pools can keep
inflight_kept()
{
	local mem may

	mem=$(inflight_mem) may=$(pools_may_keep)
	echo "$mem bytes in flight, may be $may" >&2
	[ "$mem" -le "$may" ] || return 1
	echo "$mem"
}

# Pools may come to keep more as they go on, until they keep what the busiest
# moment has taken: not a ring more in each dozen of rings that are received.
# What is lost in any number shows in ends().
no_growth()
{
	stats_need
	turn_over 2
	stops_growing 4 "$(ring_mem)" inflight_kept turn_over_often
}

turn_over_often()
{
	local i

	for ((i = 0; i < ROUNDS; i++)); do
		turn_over 3
	done
}

# What sockets hold comes back when they are closed, and is not replaced by
# other pages: those that the pools keep do for the next time
held()
{
	local i before mem nr all=0

	need ss
	stats_need
	turn_over "$(turns_to_settle)"
	nr=$((4 * $(ring_size)))
	send_held 1400 $nr
	send_held 1400 $nr
	before=$(inflight_mem)
	for ((i = 0; i < HOLDS; i++)); do
		all=$((all + $(send_held 1400 $nr)))
	done
	mem=$(inflight_mem)
	echo "in flight: $before bytes, then $mem; sockets held $all"
	[ "$mem" -le "$(pools_may_keep)" ]
	[ $((mem - before)) -le $((all / 4)) ]
}

ends()
{
	need ethtool
	turn_over 1
	leaves_nothing
}

# Pools end with the last packet of theirs, wherever that is
ends_later()
{
	local holder has_pools

	need ss
	has_pools=$(pools_here pools || true)
	holder=$(./traffic hold $VNET_HOLD_PORT)
	vnet_background "$holder"
	in_peer "$VNET_LIB_DIR/traffic" send $VNET_HERE $VNET_HOLD_PORT 1400 200
	wait_for 5 rmem_is_at_least 1
	vnet_unbind
	[ -z "$has_pools" ] || pools | grep -q detached
	kill "$holder"
	pools_gone
	vnet_bind
	both
}

# All that the datagrams of a socket count against its limit, where it is UDP
rmem() { ss -Hunl "sport = :$VNET_HOLD_PORT" | awk '{ print $2 }'; }

rmem_is_at_least()
{
	local mem

	mem=$(rmem)
	[ "${mem:-0}" -ge "$1" ]
}

# Each queue has its pools, which name its device and its NAPI
listed()
{
	pools_need
	pools_here pools
	[ "$(pools_here pools | grep -c napi-id=)" -ge "$(channels_all)" ]
	! pools | grep detached
}

# What a datagram with LEN bytes of data may count: no more than in 6.12 with
# pages of 4 KB, where the linear part of an skb with fragments takes 1 KB. What
# is longer than a short frame may have a page to itself, after large packets.
counted_max()
{
	local frame=$(($1 + 42)) mode

	mode=$(vnet_buffers)
	if [ "$mode" = small ]; then
		echo 2176
	elif [ $frame -le 128 ]; then
		echo 1280
	elif [ "$mode" = mergeable ] && [ $frame -le 1100 ]; then
		echo 1856
	else
		echo $((1280 + PAGE_SIZE))
	fi
}

# send_held LEN COUNT: what so many datagrams count, every second of which is
# short
send_held()
{
	local holder before mem

	holder=$(./traffic hold $VNET_HOLD_PORT)
	vnet_background "$holder"
	in_peer "$VNET_LIB_DIR/traffic" send $VNET_HERE $VNET_HOLD_PORT "$1" \
		"$2"
	wait_for 5 rmem_is_at_least $(($2 * $1 / 2))
	before=-1 mem=$(rmem)
	# all of them are there when no more come
	while [ "$mem" != "$before" ]; do
		sleep 0.2
		before=$mem mem=$(rmem)
	done
	kill "$holder"
	wait_for 5 held_none
	echo "$mem"
}

# counted LEN: datagrams of LEN bytes, and short ones, count what they may
counted()
{
	local short long

	short=$(($(send_held $SHORT $COUNTED) / COUNTED))
	long=$((2 * $(send_held "$1" $COUNTED) / COUNTED - short))
	echo "$SHORT bytes count $short, may be $(counted_max $SHORT)"
	echo "$1 bytes count $long, may be $(counted_max "$1")"
	[ $short -le "$(counted_max $SHORT)" ]
	[ $long -le "$(counted_max "$1")" ]
}

held_none() { [ -z "$(rmem)" ]; }

# Small datagrams must not fill a socket's buffer sooner, whatever size the
# buffers have of what came before
counts()
{
	local len

	need ethtool ss
	[ "$PAGE_SIZE" = 4096 ] || skip "pages are not of 4 KB"
	[ -n "$(pools_here pools)" ] || skip "buffers are not from page pools"
	turn_over 1
	for len in 60 200 600 1000 1400; do
		counted $len
	done
	# now of large packets, where there are such
	for len in 200 1400; do
		tcp "$VNET_TCP_BYTES"
		counted $len
	done
}

tests()
{
	vnet_add "pools are listed with their NAPI" listed
	vnet_add "pages are recycled" recycling
	vnet_add "no page is lost" no_growth
	vnet_add "what a socket holds comes back" held
	vnet_add "a datagram counts no more than it should" counts
	vnet_add "no page is left after unbind" ends
	vnet_add "pools end with the packets held" ends_later
}

cd "$VNET_LIB_DIR" || exit 1
vnet_add_modes mergeable mergeable-nogso small big -- tests
vnet_run "$@"
