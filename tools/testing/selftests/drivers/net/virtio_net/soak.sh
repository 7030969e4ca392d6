#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# All that can run out does so at once, while the administrator changes all that
# can be changed, under traffic: in each receive mode for VNET_SOAK_SECONDS.
# Now and then there is enough for a moment, and then everything must work. Not
# among the tests that are run by default.

# shellcheck source-path=SCRIPTDIR source=vnet_lib.sh
source "$(dirname "$0")/vnet_lib.sh"

SOAK_SECONDS=${VNET_SOAK_SECONDS:-60}
SOAK_CHANGES=(change_link change_ring change_channels change_mtu change_offload
	change_xdp change_holder change_device)
SOAK_HOLD_BYTES=32M
# of the memory that is left, in per cent
SOAK_HOG_PERCENT=70
HIGH_ORDER=/proc/sys/net/core/high_order_alloc_disable

# --- what runs out ---

shortage_on()
{
	faults fail_page_alloc $((RANDOM % 60))
	faults failslab $((RANDOM % 5))
	function_rate $((RANDOM % 60))
	echo $((RANDOM % 2)) >$HIGH_ORDER
}

shortage_off()
{
	faults fail_page_alloc 0
	faults failslab 0
	function_rate 0
	echo 0 >$HIGH_ORDER
}

# Of a function that can be made to fail if there is one
function_rate()
{
	[ ! -d $VNET_DEBUGFS/fail_function ] || faults fail_function "$1"
}

# Pages that nobody can have
hog_start()
{
	local free

	mkdir "$VNET_TMP/hog"
	mount -t tmpfs -o size=100% none "$VNET_TMP/hog"
	free=$(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo)
	head -c $((free * SOAK_HOG_PERCENT / 100))K /dev/zero \
		>"$VNET_TMP/hog/pages"
}

# The socket that keeps packets may only have so many of them
cgroup_start()
{
	mkdir "$VNET_TMP/cgroup"
	mount -t cgroup2 none "$VNET_TMP/cgroup" || return
	echo +memory >"$VNET_TMP/cgroup/cgroup.subtree_control" || return
	mkdir "$VNET_TMP/cgroup/vnet-$$" || return
	echo $SOAK_HOLD_BYTES >"$VNET_TMP/cgroup/vnet-$$/memory.max"
}

# --- what comes in ---

holder_start()
{
	HOLDER=$(
		echo "$BASHPID" 2>/dev/null \
			>"$VNET_TMP/cgroup/vnet-$$/cgroup.procs" || true
		"$VNET_LIB_DIR/traffic" hold $VNET_HOLD_PORT
	)
	vnet_background "$HOLDER"
}

holder_stop() { kill "$HOLDER" 2>/dev/null || true; }

floods_start()
{
	local port pid

	FLOODS=()
	for port in 9 $VNET_HOLD_PORT; do
		pid=$(in_peer "$VNET_LIB_DIR/traffic" flood $VNET_HERE \
			"$port" 1400)
		vnet_background "$pid"
		FLOODS+=("$pid")
	done
}

floods_stop() { kill "${FLOODS[@]}" 2>/dev/null || true; }

# --- what is changed ---

change_link() { "$VNET_LIB_DIR/traffic" updown "$VNET_DEV" 3; }

# There may be no device at the moment, and no number in what is said of it
change_ring()
{
	local max

	max=$(ring_max)
	ethtool -G "$VNET_DEV" rx $((${max:-1} >> RANDOM % 4))
}

change_channels()
{
	local max

	max=$(channels_max)
	ethtool -L "$VNET_DEV" combined $((RANDOM % ${max:-1} + 1))
}

change_mtu()
{
	ip link set "$VNET_DEV" mtu $((RANDOM % 8932 + 68)) ||
		ip link set "$VNET_DEV" mtu $((RANDOM % 1432 + 68))
}

change_offload()
{
	local names=(gro rx-gro-hw rx-gro-list rxhash) states=(off on)

	ethtool -K "$VNET_DEV" "${names[RANDOM % ${#names[@]}]}" \
		"${states[RANDOM % 2]}"
}

change_xdp()
{
	timeout 5 "$VNET_LIB_DIR/xdp" -d "$VNET_LIB_DIR" -l -t "$VNET_DEV" \
		"$VNET_NS" "$VNET_PEER" 100 pass none
}

change_holder()
{
	holder_stop
	holder_start
}

# A probe may fail
change_device()
{
	vnet_unbind
	vnet_bind
}

change_any()
{
	"${SOAK_CHANGES[RANDOM % ${#SOAK_CHANGES[@]}]}" >/dev/null 2>&1 || true
}

# --- all together ---

device_there()
{
	vnet_name_of "$VNET_DEV_BUS" >/dev/null || vnet_bind
	vnet_here_up
	wait_for 30 vnet_connected
}

# Where packets have come to: RX queues, reassembly, sockets
soak_look()
{
	local where

	"$VNET_LIB_DIR/netdev" qstats || true
	ethtool -S "$VNET_DEV" | grep -E ' rx[0-9]*_(drops|kicks|alloc)' || true
	ip route get $VNET_THERE
	for where in env in_peer; do
		$where grep -E '^(Ip|Udp):' /proc/net/snmp
		$where grep -E '^(UDP|FRAG):' /proc/net/sockstat
	done
}

soak_round()
{
	local i

	holder_start
	floods_start
	shortage_on
	for ((i = 0; i < 10; i++)); do
		change_any
		sleep 0.0$((RANDOM % 10))
	done
	shortage_off
	floods_stop
	# it may have all that UDP may have for large datagrams (udp_mem)
	holder_stop
	device_there
	{ tcp 200000 && udp 1 3100 310; } || {
		soak_look
		return 1
	}
}

soak_end()
{
	faults_off
	echo 0 >$HIGH_ORDER
	floods_stop
	holder_stop
	wait_for 5 rmdir "$VNET_TMP/cgroup/vnet-$$" 2>/dev/null || true
	umount "$VNET_TMP/hog" "$VNET_TMP/cgroup" || true
	rmdir "$VNET_TMP/hog" "$VNET_TMP/cgroup" || true
}

soak()
{
	local end=$((SECONDS + SOAK_SECONDS)) rounds=0

	need ethtool
	trap soak_end EXIT
	vnet_forgive \
		'page_pool_create_percpu|swiotlb buffer is full|fs/proc/generic'
	hog_start
	cgroup_start || echo "without a memory cgroup"
	function_faults page_pool_alloc_pages 0 || true
	while [ $SECONDS -lt $end ]; do
		soak_round
		rounds=$((rounds + 1))
	done
	echo "$rounds rounds"
	soak_end
	trap - EXIT
	both
	vnet_unbind
	pools_gone
	vnet_bind
	both
}

tests()
{
	vnet_add "shortage of everything" soak
}

cd "$VNET_LIB_DIR" || exit 1
vnet_add_modes mergeable small big -- tests
vnet_run "$@"
