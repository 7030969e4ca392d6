#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# netpoll calls NAPI with a budget of 0, perhaps in hard interrupts. Page pools
# and XDP must not be used then (Documentation/networking/napi.rst).

# shellcheck source-path=SCRIPTDIR source=vnet_lib.sh
source "$(dirname "$0")/vnet_lib.sh"

TRACEFS=/sys/kernel/tracing
CONFIGFS=/sys/kernel/config
TARGET=$CONFIGFS/netconsole/vnet
LINES=400

netconsole_on()
{
	mountpoint -q $CONFIGFS || mount -t configfs none $CONFIGFS ||
		skip "no configfs"
	[ -d $CONFIGFS/netconsole ] || modprobe -q netconsole || true
	mkdir $TARGET 2>/dev/null || skip "no dynamic netconsole"
	trap netconsole_off EXIT
	echo "$VNET_DEV" >$TARGET/dev_name
	echo $VNET_HERE >$TARGET/local_ip
	echo $VNET_THERE >$TARGET/remote_ip
	in_peer cat "/sys/class/net/$VNET_PEER/address" >$TARGET/remote_mac
	echo 1 >$TARGET/enabled
}

netconsole_off()
{
	flood_stop
	tracing_off
	[ ! -d $TARGET ] || {
		echo 0 >$TARGET/enabled
		rmdir $TARGET
	} 2>/dev/null
}

# Through netpoll, not only to the console of a slow serial port
lines()
{
	local i

	for ((i = 0; i < LINES; i++)); do
		echo "<2>vnet: line $i for netconsole" >/dev/kmsg
	done
}

under_traffic()
{
	netconsole_on
	tcp_start $((3 * VNET_TCP_BYTES))
	lines
	tcp_wait
	both
}

while_down_and_up()
{
	local pid

	netconsole_on
	flood_start 700
	lines &
	pid=$!
	vnet_background $pid
	"$VNET_LIB_DIR/traffic" updown "$VNET_DEV" 5
	wait $pid
	flood_stop
	wait_for 10 vnet_connected
	both
}

# --- who uses pools, called by whom ---

tracing_on()
{
	mountpoint -q $TRACEFS || mount -t tracefs none $TRACEFS ||
		skip "no tracefs"
	[ -w $TRACEFS/kprobe_events ] || skip "no kprobes"
	echo >$TRACEFS/trace
	# buffers are given to the ring one by one, or many at once
	probe_must refill virtqueue_add_inbuf_ctx
	probe refills virtqueue_add_inbufs || true
	probe_must alloc page_pool_alloc_pages
	probe_must put page_pool_put_unrefed_netmem
	probe_must frame xdp_return_frame
	probe_must poll virtnet_poll
	echo 1 >$TRACEFS/tracing_on
}

# probe NAME FUNCTION: an event with the stack of each call, if netpoll is in
# it; fails in a kernel that has not this function
probe()
{
	echo "p:vnet/$1 $2" 2>/dev/null >>$TRACEFS/kprobe_events || return
	echo stacktrace >"$TRACEFS/events/vnet/$1/trigger"
	echo 1 >"$TRACEFS/events/vnet/$1/enable"
}

probe_must() { probe "$@" || skip "$2 cannot be traced in this kernel"; }

tracing_off()
{
	local event

	for event in "$TRACEFS"/events/vnet/*/; do
		[ -d "$event" ] || continue
		echo 0 >"$event/enable"
		echo '!stacktrace' >"$event/trigger"
	done 2>/dev/null
	echo 2>/dev/null >$TRACEFS/kprobe_events
	echo 2>/dev/null >$TRACEFS/trace
}

# How many calls of a kind have netpoll_poll_dev() below them, and no interrupt
# between. An event of another processor may come before the stack of one.
from_netpoll()
{
	awk '
		function flush() {
			if (wanted && !seen_irq && seen_netpoll)
				n++
			wanted = seen_irq = seen_netpoll = 0
		}
		function cpu() {
			match($0, /\[[0-9]+\]/)
			return substr($0, RSTART, RLENGTH)
		}
		/: <stack trace>/ { flush(); in_stack = 1
				    wanted = last[cpu()] == want; next }
		in_stack && /=> / {
			if (!seen_netpoll &&
			    /net_rx_action|handle_softirqs|asm_common_int/)
				seen_irq = 1
			if (/poll_one_napi|netpoll_poll_dev|poll_napi/)
				seen_netpoll = 1
			next
		}
		{ in_stack = 0 }
		match($0, /: (alloc|put|frame|refills?|poll): /) {
			event = substr($0, RSTART + 2, RLENGTH - 4)
			last[cpu()] = event
		}
		END { flush(); print n + 0 }' want="$1" $TRACEFS/trace
}

# A ring for transmission that is full makes netpoll poll
crowd()
{
	local i pid pids=()

	for ((i = 0; i < 3; i++)); do
		pid=$("$VNET_LIB_DIR/traffic" flood $VNET_THERE 9 1400)
		vnet_background "$pid"
		pids+=("$pid")
	done
	lines
	kill "${pids[@]}"
}

budget_0()
{
	local kind n bad=0

	netconsole_on
	tracing_on
	flood_start 700
	crowd
	flood_stop
	echo 0 >$TRACEFS/tracing_on
	n=$(from_netpoll poll)
	echo "NAPI polled by netpoll: $n times"
	for kind in alloc put frame refill refills; do
		echo "$kind below it: $(from_netpoll $kind)"
		[ "$(from_netpoll $kind)" -eq 0 ] || bad=1
	done
	[ $bad -eq 0 ]
	[ "$n" -gt 0 ] || skip "netpoll had no need to poll"
}

tests()
{
	vnet_add "netconsole under traffic" under_traffic
	vnet_add "netconsole under a flood, down and up" while_down_and_up
	vnet_add "no page pool at budget 0" budget_0
}

vnet_add_modes mergeable small -- tests
vnet_run "$@"
