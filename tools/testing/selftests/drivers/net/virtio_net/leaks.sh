#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Things that run out when each open, bind or change loses one of them: XDP
# memory ids, of which the system has 65533, page pools, memory.

# shellcheck source-path=SCRIPTDIR source=vnet_lib.sh
source "$(dirname "$0")/vnet_lib.sh"

TRACEFS=/sys/kernel/tracing
CYCLES=${VNET_CYCLES:-2000}

tracing_on()
{
	mountpoint -q $TRACEFS || mount -t tracefs none $TRACEFS ||
		skip "no tracefs"
	[ -d $TRACEFS/events/xdp/mem_connect ] || skip "no events of xdp"
	trap tracing_off EXIT
	echo >$TRACEFS/trace
	echo 1 >$TRACEFS/events/xdp/mem_connect/enable
	echo 1 >$TRACEFS/events/xdp/mem_disconnect/enable
	echo 1 >$TRACEFS/tracing_on
}

tracing_off()
{
	echo 0 >$TRACEFS/events/xdp/mem_connect/enable
	echo 0 >$TRACEFS/events/xdp/mem_disconnect/enable
	echo >$TRACEFS/trace
}

events() { grep -c "$1:" $TRACEFS/trace || true; }

# Each id that was taken by an open has been given back by a close
mem_ids()
{
	local connects disconnects

	tracing_on
	"$VNET_LIB_DIR/traffic" updown "$VNET_DEV" 50
	connects=$(events mem_connect)
	disconnects=$(events mem_disconnect)
	echo "memory models: $connects connected, $disconnects disconnected"
	# closed with 0 left: one for each queue may be connected now
	[ $((connects - disconnects)) -le "$(queues)" ]
}

queues() { find "/sys/class/net/$VNET_DEV/queues" -name 'rx-*' | wc -l; }

many_cycles()
{
	local i

	pools | wc -l >"$VNET_TMP/before"
	for ((i = 0; i < CYCLES; i += 100)); do
		"$VNET_LIB_DIR/traffic" updown "$VNET_DEV" 100
	done
	wait_for 10 vnet_connected
	pools | wc -l | diff "$VNET_TMP/before" -
	both
}

xdp_works()
{
	vnet_has_xdp || skip "no xdp here"
	[ "$(vnet_buffers)" != big ] || skip "no XDP in big buffers"
	timeout 60 "$VNET_LIB_DIR/xdp" -d "$VNET_LIB_DIR" "$VNET_DEV" \
		"$VNET_NS" "$VNET_PEER" 200 drop none
}

mem_free()
{
	echo 3 >/proc/sys/vm/drop_caches
	awk '/^MemFree|^MemAvailable/ { print $2; exit }' /proc/meminfo
}

# Without a device, before and after traffic and changes of all kinds
memory()
{
	local before after i

	memory_use
	vnet_unbind
	pools_gone
	before=$(mem_free)
	vnet_bind
	wait_for 10 vnet_connected
	for ((i = 0; i < 5; i++)); do
		memory_use
	done
	vnet_unbind
	pools_gone
	after=$(mem_free)
	vnet_bind
	wait_for 10 vnet_connected
	echo "free without the device: $before kB, then $after kB"
	[ $((before - after)) -lt $((12 << 10)) ]
}

# What loses a page per packet, or per change, loses some MB here
memory_use()
{
	tcp $((2 * VNET_TCP_BYTES))
	flood_start 1400
	vnet_rx_wait 2000
	"$VNET_LIB_DIR/traffic" updown "$VNET_DEV" 20
	flood_stop
	wait_for 10 vnet_connected
}

kmemleak()
{
	[ -w $VNET_DEBUGFS/kmemleak ] || skip "no kmemleak in this kernel"
	echo clear >$VNET_DEBUGFS/kmemleak
	both
	vnet_unbind
	pools_gone
	vnet_bind
	wait_for 10 vnet_connected
	both
	echo scan >$VNET_DEBUGFS/kmemleak
	sleep 5
	echo scan >$VNET_DEBUGFS/kmemleak
	cat $VNET_DEBUGFS/kmemleak
	! grep -q virtnet $VNET_DEBUGFS/kmemleak
}

swiotlb_used()
{
	vnet_unbind
	pools_gone
	cat $VNET_DEBUGFS/swiotlb/io_tlb_used
	vnet_bind
	wait_for 10 vnet_connected
	both >/dev/null
}

# The other device's pools keep what the busiest round has taken
swiotlb()
{
	grep -q swiotlb=force /proc/cmdline || skip "no swiotlb=force"
	stops_growing 6 64 swiotlb_used true
}

tests()
{
	vnet_add "no memory id is used up by down and up" mem_ids
	vnet_add "$CYCLES times down and up" many_cycles
	vnet_add "XDP works afterwards" xdp_works
	vnet_add "no memory is lost" memory
	vnet_add "no bounce buffers are lost" swiotlb
	vnet_add "kmemleak" kmemleak
}

vnet_add_modes mergeable small big -- tests
vnet_run "$@"
