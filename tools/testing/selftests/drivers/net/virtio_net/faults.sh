#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Memory runs out: traffic slows down, goes on when there is memory again, and
# nothing is lost.

# shellcheck source-path=SCRIPTDIR source=vnet_lib.sh
source "$(dirname "$0")/vnet_lib.sh"

# rate KIND PERCENT
rate()
{
	faults "$1" "$2"
	timeout 3 "$VNET_LIB_DIR/traffic" tcp $VNET_THERE $VNET_PORT \
		$((1 << 30)) || true
	faults "$1" 0
	both
}

# send_to_held COUNT: from the first processor
send_to_held()
{
	timeout 20 taskset -c 0 ip netns exec "$VNET_NS" \
		"$VNET_LIB_DIR/traffic" send \
		$VNET_HERE $VNET_HOLD_PORT 1400 "$1"
}

# Buffers are used up and none can be had: what arrives is held by a socket.
# No interrupt tells the driver that there is memory again.
dry()
{
	local holder packets=40000

	# packets that are held keep their bounce buffers: leave some
	grep -q swiotlb=force /proc/cmdline && packets=8000
	holder=$(./traffic hold $VNET_HOLD_PORT)
	vnet_background "$holder"
	# a processor without a route does not get one when there is no memory
	send_to_held 1
	faults fail_page_alloc 100
	send_to_held $packets || true
	faults fail_page_alloc 0
	wait_for 10 vnet_connected
	both
	kill "$holder"
}

counted()
{
	local before after

	"$VNET_LIB_DIR/netdev" qstats | grep -q rx-alloc-fail ||
		skip "the driver does not report rx-alloc-fail"
	# pools that have kept what was taken before would do without more
	vnet_unbind
	pools_gone
	vnet_bind
	wait_for 10 vnet_connected
	before=$(alloc_fails)
	dry
	after=$(alloc_fails)
	echo "rx-alloc-fail: $before, then $after"
	[ "$after" -gt "$before" ]
}

function_fails()
{
	function_faults "$@" || skip "$1 cannot be made to fail here"
	trap 'faults_off' EXIT
	timeout 3 "$VNET_LIB_DIR/traffic" tcp $VNET_THERE $VNET_PORT \
		$((1 << 30)) || true
	faults_off
	wait_for 10 vnet_connected
	both
}

# Opening fails or not, but does not leave half of it behind
open_fails()
{
	local i

	for ((i = 0; i < 12; i++)); do
		ip link set "$VNET_DEV" down
		faults fail_page_alloc 50
		faults failslab 10
		ip link set "$VNET_DEV" up || true
		faults_off
	done
	ip link set "$VNET_DEV" down
	ip link set "$VNET_DEV" up
	wait_for 10 vnet_connected
	both
}

# With failures at every place of probe; a device that fails to is bound again
probe_fails()
{
	local i failed=0

	# what procfs says about entries that could not be made
	vnet_forgive 'fs/proc/generic.c|page_pool_create_percpu'
	probe_faults
	for ((i = 0; i < 16; i++)); do
		vnet_unbind
		pools_gone
		echo $((2 + 2 * (i % 4))) >$VNET_DEBUGFS/failslab/probability
		probe_failing || failed=$((failed + 1))
		echo 0 >$VNET_DEBUGFS/failslab/probability
		if vnet_name_of "$VNET_DEV_BUS"; then
			vnet_unbind
		fi
		vnet_bind
	done
	echo "$failed probes failed"
	wait_for 10 vnet_connected
	both
}

# Also allocations that may sleep, but those of one task only
probe_faults()
{
	local dir=$VNET_DEBUGFS/failslab

	[[ -d $dir && -w /proc/self/make-it-fail ]] ||
		skip "no failslab in this kernel"
	trap probe_faults_off EXIT
	echo 0 >$dir/verbose
	echo 0 >$dir/ignore-gfp-wait
	echo 1 >$dir/task-filter
	echo -1 >$dir/times
}

probe_faults_off()
{
	faults_off
	echo 0 >$VNET_DEBUGFS/failslab/task-filter
}

# Nothing but the write may fail: file systems do not all survive it
probe_failing()
{
	(
		set +e
		exec 2>/dev/null 3>$VNET_DRIVER/bind \
			4>"/proc/$BASHPID/make-it-fail"
		echo 1 >&4
		rc=0
		echo "$VNET_DEV_BUS" >&3 || rc=1
		echo 0 >&4
		exit $rc
	)
}

tests()
{
	vnet_add "some page allocations fail" rate fail_page_alloc 20
	vnet_add "most page allocations fail" rate fail_page_alloc 80
	vnet_add "some slab allocations fail" rate failslab 5
	vnet_add "page_pool_alloc_pages fails" function_fails \
		page_pool_alloc_pages 70
	vnet_add "a dry ring is filled again" dry
	vnet_add "failures are counted" counted
	vnet_add "allocations fail in open" open_fails
	vnet_add "allocations fail in probe" probe_fails
	vnet_add "nothing is left after unbind" leaves_nothing
}

cd "$VNET_LIB_DIR" || exit 1
vnet_add_modes mergeable small big -- tests
vnet_run "$@"
