#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What the tests of the receive path have in common.
#
# They need two virtio_net devices that are connected back to back, as
# described in virtio_net_common.sh: the one that is tested and its peer, which
# is moved to a network namespace. They are, in this order: two arguments of
# the test, the variables VNET_DEV and VNET_PEER, or the first two devices
# found. Their addresses, names and features are the tests' to change.
#
# A test program adds its tests with vnet_add and runs them with vnet_run. A
# test is a function: it passes, calls "skip REASON", or fails at the first
# command that does. It also fails if the kernel complains meanwhile.

VNET_LIB_DIR=$(dirname "$(readlink -e "${BASH_SOURCE[0]}")")
# shellcheck source=/dev/null
source "$VNET_LIB_DIR/../../../kselftest/ktap_helpers.sh"

VNET_HERE=198.18.0.1
VNET_THERE=198.18.0.2
VNET_PORT=7003
# shellcheck disable=SC2034 # for the tests
{
VNET_SINK_PORT=7004
VNET_HOLD_PORT=7005
}
# some devices come up with more
VNET_MTU=1500
VNET_NS=vnet-$$
VNET_DRIVER=/sys/bus/virtio/drivers/virtio_net
VNET_DEBUGFS=/sys/kernel/debug
# a page pool must have ended so many seconds after its device
VNET_POOL_SECONDS=10
# for so many seconds the kernel keeps a datagram of which a fragment was lost
VNET_IPFRAG_TIME=/proc/sys/net/ipv4/ipfrag_time
VNET_IPFRAG_SECONDS=3
# a slow machine moves less
VNET_TCP_BYTES=${VNET_TCP_BYTES:-$((8 << 20))}

VNET_SPLATS='WARNING|BUG|Oops|general protection|Bad page|rx error|[Pp]age.pool'
VNET_SPLATS+='|Negative|DMA-API|refcount_t|KASAN|UBSAN|kmemleak|soft lockup'
VNET_SPLATS+='|hung|NETDEV WATCHDOG|is not a head|swiotlb buffer is full'
VNET_SPLATS+='|suspicious RCU|possible .* dependency|possible .* locking'

VNET_TMP=
# set where the kernel does not list page pools
VNET_NO_POOLS=
VNET_DEV_BUS=
VNET_PEER_BUS=
VNET_MODE=
VNET_ADD_MODE=default
VNET_NAMES=()
VNET_CMDS=()
VNET_TEST_MODES=()

traffic() { "$VNET_LIB_DIR/traffic" "$@"; }
in_peer() { ip netns exec "$VNET_NS" "$@"; }

skip()
{
	echo "SKIP: $*"
	exit "$KSFT_SKIP"
}

need()
{
	local cmd

	for cmd in "$@"; do
		command -v "$cmd" >/dev/null || skip "no $cmd here"
	done
}

# wait_for SECONDS CMD ARGS...
wait_for()
{
	local end=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000))

	shift
	until "$@"; do
		[ "${EPOCHREALTIME/[.,]/}" -lt "$end" ] || return 1
		sleep 0.05
	done
}

# stops_growing TRIES MORE TELL WORK: what TELL says is at last no more than
# MORE above what it said before the last WORK. What is kept for later use grows
# up to a bound, what is lost does each time.
stops_growing()
{
	local tries=$1 more=$2 tell=$3 work=$4 i before now

	before=$($tell)
	for ((i = 0; i < tries; i++)); do
		$work
		now=$($tell)
		echo "$tell: $before, then $now; may be $more more"
		[ "$now" -gt $((before + more)) ] || return 0
		before=$now
	done
	return 1
}

# --- the two devices ---

vnet_bus_of() { basename "$(readlink -f "/sys/class/net/$1/device")"; }

# The present name of a device that may have been bound again
vnet_name_of()
{
	local dir

	for dir in "/sys/bus/virtio/devices/$1/net/"*; do
		[ -e "$dir" ] || return 1
		basename "$dir"
	done
}

# Where there is no driver, no interface has it: not "" = ""
vnet_is_virtio()
{
	local driver

	driver=$(readlink -e "/sys/class/net/$1/device/driver") &&
		[ "$driver" = "$(readlink -e $VNET_DRIVER)" ]
}

vnet_find()
{
	local dir found=()

	for dir in /sys/class/net/*; do
		! vnet_is_virtio "${dir##*/}" || found+=("${dir##*/}")
	done
	VNET_DEV=${1:-${VNET_DEV:-${found[0]}}}
	VNET_PEER=${2:-${VNET_PEER:-${found[1]}}}
	[ "$VNET_DEV" != "$VNET_PEER" ] && vnet_is_virtio "$VNET_DEV" &&
		vnet_is_virtio "$VNET_PEER"
}

vnet_ipv6_off()
{
	echo 1 2>/dev/null >"/proc/sys/net/ipv6/conf/$1/disable_ipv6" || true
}

vnet_here_up()
{
	vnet_ipv6_off "$VNET_DEV"
	ip address replace "$VNET_HERE/24" dev "$VNET_DEV"
	ip link set "$VNET_DEV" mtu $VNET_MTU up
}

vnet_there_up()
{
	ip link set "$VNET_PEER" netns "$VNET_NS"
	in_peer bash -c "$(declare -f vnet_ipv6_off)
		vnet_ipv6_off $VNET_PEER"
	in_peer ip address replace "$VNET_THERE/24" dev "$VNET_PEER"
	in_peer ip link set "$VNET_PEER" mtu $VNET_MTU up
}

vnet_unbind() { echo "$VNET_DEV_BUS" >$VNET_DRIVER/unbind; }

# What was bound comes back under the name that it had, whatever udev thinks
vnet_bind_only()
{
	local name

	echo "$VNET_DEV_BUS" >$VNET_DRIVER/bind
	wait_for 10 vnet_name_of "$VNET_DEV_BUS" >/dev/null
	! command -v udevadm >/dev/null || udevadm settle --timeout=5 || true
	name=$(vnet_name_of "$VNET_DEV_BUS")
	[ "$name" = "$VNET_DEV" ] || ip link set "$name" name "$VNET_DEV"
}

vnet_bind()
{
	vnet_bind_only
	vnet_here_up
}

vnet_rebind()
{
	vnet_unbind
	vnet_bind
}

vnet_connected() { ping -q -c 1 -W 1 $VNET_THERE >/dev/null; }

# --- modes: what is left when features are taken away ---

VIRTIO_NET_F_CTRL_GUEST_OFFLOADS=2
VIRTIO_NET_F_MTU=3
VIRTIO_NET_F_GUEST_TSO4=7
VIRTIO_NET_F_MRG_RXBUF=15
VIRTIO_F_RING_PACKED=34
# any of these makes the driver want room for a large packet: GUEST_TSO4,
# TSO6, ECN, UFO, USO4, USO6
VNET_GSO_FEATURES="7 8 9 10 54 55"

vnet_filter() { echo "$VNET_DEBUGFS/virtio/$VNET_DEV_BUS"; }

vnet_offered() { grep -qx "$1" "$(vnet_filter)/device_features"; }

# feature BIT: does the driver use it now?
vnet_feature()
{
	local bits

	bits=$(cat "/sys/bus/virtio/devices/$VNET_DEV_BUS/features")
	[ "${bits:$1:1}" = 1 ]
}

# The features that a mode goes without; REPLY is the reason if it cannot be
vnet_mode_features()
{
	REPLY=
	case $1 in
	default) MODE_WITHOUT="" MODE_NEEDS="" ;;
	mergeable) MODE_WITHOUT="" MODE_NEEDS=$VIRTIO_NET_F_MRG_RXBUF ;;
	mergeable-nogso)
		MODE_WITHOUT=$VNET_GSO_FEATURES
		MODE_NEEDS=$VIRTIO_NET_F_MRG_RXBUF
		;;
	mergeable-fixed)
		MODE_WITHOUT=$VIRTIO_NET_F_CTRL_GUEST_OFFLOADS
		MODE_NEEDS="$VIRTIO_NET_F_MRG_RXBUF $VIRTIO_NET_F_GUEST_TSO4"
		;;
	split)
		MODE_WITHOUT=$VIRTIO_F_RING_PACKED
		MODE_NEEDS=$VIRTIO_F_RING_PACKED
		;;
	small)
		MODE_WITHOUT="$VIRTIO_NET_F_MRG_RXBUF $VIRTIO_NET_F_MTU"
		MODE_WITHOUT+=" $VNET_GSO_FEATURES"
		MODE_NEEDS=""
		;;
	big-mtu)
		MODE_WITHOUT="$VIRTIO_NET_F_MRG_RXBUF $VNET_GSO_FEATURES"
		MODE_NEEDS=$VIRTIO_NET_F_MTU
		;;
	big)
		MODE_WITHOUT=$VIRTIO_NET_F_MRG_RXBUF
		MODE_NEEDS=$VIRTIO_NET_F_GUEST_TSO4
		;;
	*) REPLY="no such mode" ;;
	esac
}

vnet_mode_possible()
{
	local bit

	vnet_mode_features "$1"
	[ -z "$REPLY" ] || return
	[[ $1 = default || -f $(vnet_filter)/filter_feature_add ]] || {
		REPLY="no feature filter in debugfs (CONFIG_VIRTIO_DEBUG)"
		return 1
	}
	for bit in $MODE_NEEDS; do
		vnet_offered "$bit" && continue
		REPLY="the device does not offer feature $bit"
		return 1
	done
}

vnet_mode_filter()
{
	local bit dir

	dir=$(vnet_filter)
	[ -d "$dir" ] || return 0
	echo 1 >"$dir/filter_features_clear"
	for bit in $MODE_WITHOUT; do
		echo "$bit" >"$dir/filter_feature_add"
	done
}

# vnet_mode MODE: binds the device with these features; in REPLY why not
vnet_mode()
{
	local bit

	vnet_mode_possible "$1" || return
	REPLY="the device does not come up"
	vnet_unbind
	vnet_mode_filter
	vnet_bind && wait_for 10 vnet_connected || return
	for bit in $MODE_WITHOUT; do
		REPLY="feature $bit is still there"
		! vnet_feature "$bit" || return
	done
}

# Which kind of receive buffers the driver uses
vnet_buffers()
{
	local bit

	if vnet_feature $VIRTIO_NET_F_MRG_RXBUF; then
		echo mergeable
		return
	fi
	for bit in $VNET_GSO_FEATURES; do
		if vnet_feature "$bit"; then
			echo big
			return
		fi
	done
	echo small
}

# --- traffic ---

# vnet_background PID: is ended with the test, however that ends
vnet_background() { echo "$1" >>"$VNET_TMP/pids"; }

vnet_has_ended() { ! kill -0 "$1" 2>/dev/null; }

# What the test has left running, and what a shell among it waits for
vnet_end_background()
{
	local pid

	while read -r pid; do
		! vnet_has_ended "$pid" || continue
		pkill -P "$pid"
		kill "$pid"
		wait_for 5 vnet_has_ended "$pid"
	done <"$VNET_TMP/pids"
	: >"$VNET_TMP/pids"
}

# As long as there is the network namespace
vnet_serve() { in_peer "$VNET_LIB_DIR/traffic" serve $VNET_PORT >/dev/null; }

tcp()
{
	timeout 90 "$VNET_LIB_DIR/traffic" tcp $VNET_THERE $VNET_PORT \
		"$1"
}

# tcp_start BYTES: and go on; tcp_wait fails if they did not arrive
tcp_start()
{
	tcp "$1" &
	TCP=$!
	vnet_background $TCP
}

tcp_wait() { wait "$TCP"; }

# udp FIRST LAST STEP
udp()
{
	timeout 90 "$VNET_LIB_DIR/traffic" udp $VNET_THERE $VNET_PORT "$@"
}

# Small and large, there and back, each byte verified
both()
{
	tcp "$VNET_TCP_BYTES"
	udp 1 3100 29
	udp 1 65507 9001
}

# flood_start LEN: datagrams without end, from the peer to a port that
# nobody reads
flood_start()
{
	FLOOD=$(in_peer "$VNET_LIB_DIR/traffic" flood $VNET_HERE 9 "$1")
	vnet_background "$FLOOD"
}

flood_stop() { kill "$FLOOD" 2>/dev/null || true; }

vnet_rx_packets()
{
	cat "/sys/class/net/$VNET_DEV/statistics/rx_packets"
}

vnet_rx_more_than() { [ "$(vnet_rx_packets)" -gt "$1" ]; }

# Lets at least so many packets come in
vnet_rx_wait()
{
	wait_for "${2:-30}" vnet_rx_more_than $(($(vnet_rx_packets) + $1))
}

# --- page pools ---

# Fails if they cannot be listed, with KSFT_SKIP if this kernel does not
pools()
{
	local list

	list=$("$VNET_LIB_DIR/netdev" "${1:-pools}") || return
	[ -z "$list" ] || pools_filter <<<"$list"
}

pools_filter()
{
	awk -v ignored="$VNET_TMP/ignored" '
		BEGIN {
			while ((getline id < ignored) > 0)
				skip[id] = 1
		}
		{
			id = $0
			sub(/.*id=/, "", id)
			for (i = 1; i <= NF; i++)
				if ($i ~ /^id=/)
					id = substr($i, 4)
			if (!(id in skip))
				print
		}'
}

# Those of the device
pools_here()
{
	pools "$1" | grep "ifindex=$(cat "/sys/class/net/$VNET_DEV/ifindex") "
}

# sum NAME...: over all lines of standard input
sum()
{
	awk -v names="$*" 'BEGIN { n = split(names, name, " ") }
	{
		for (i = 1; i <= NF; i++)
			for (j = 1; j <= n; j++)
				if (index($i, name[j] "=") == 1)
					s += substr($i, length(name[j]) + 2)
	}
	END { printf "%d\n", s }'
}

pools_need()
{
	[ -n "$(pools_here pools)" ] || skip "the driver has no page pools here"
}

pools_none()
{
	local list

	list=$(pools) && [ -z "$list" ]
}

pools_none_detached()
{
	local list

	list=$(pools) && ! grep detached <<<"$list"
}

# Packets that were freed elsewhere wait for the next one on the processor that
# they came in on
packets_flush()
{
	local cpu

	for cpu in /sys/devices/system/cpu/cpu[0-9]*; do
		taskset -c "${cpu##*cpu}" ping -q -c 1 -W 1 127.0.0.1 || true
	done >/dev/null 2>&1
}

# No pool without a device is left; to be called with the device unbound
pools_gone()
{
	[ -z "$VNET_NO_POOLS" ] || return 0
	packets_flush
	wait_for $VNET_POOL_SECONDS pools_none && return
	echo "page pools that do not end:"
	pools
	grep FRAG /proc/net/sockstat
	return 1
}

# Each buffer that was received, dropped, sent or passed on is back
leaves_nothing()
{
	vnet_unbind
	pools_gone
	vnet_bind
	both
}

# Those of other devices. The kernel leaves the pools of a device behind when
# that changes namespace.
pools_ignore()
{
	local list

	list=$("$VNET_LIB_DIR/netdev" pools) || VNET_NO_POOLS=1
	awk -v own="ifindex=$(cat "/sys/class/net/$VNET_DEV/ifindex")" '{
			id = ""
			for (i = 1; i <= NF; i++) {
				if ($i == own)
					next
				if ($i ~ /^id=/)
					id = substr($i, 4)
			}
			if (id)
				print id
		}' <<<"$list" >"$VNET_TMP/ignored"
}

alloc_fails()
{
	"$VNET_LIB_DIR/netdev" qstats |
		grep "ifindex=$(cat "/sys/class/net/$VNET_DEV/ifindex") " |
		grep -o 'rx-alloc-fail=.*' | sum rx-alloc-fail
}

ring_size()
{
	ethtool -g "$VNET_DEV" | awk '/^RX:/ { n = $2 } END { print n }'
}

ring_max() { ethtool -g "$VNET_DEV" | awk '/^RX:/ { print $2; exit }'; }

channels_now()
{
	ethtool -l "$VNET_DEV" | awk '/^Combined:/ { n = $2 } END { print n }'
}

channels_max()
{
	ethtool -l "$VNET_DEV" | awk '/^Combined:/ { print $2; exit }'
}

# --- the tests ---

# vnet_add NAME FUNC ARGS...: in the mode of VNET_ADD_MODE
vnet_add()
{
	local quoted

	printf -v quoted '%q ' "${@:2}"
	VNET_NAMES+=("$VNET_ADD_MODE: $1")
	VNET_CMDS+=("$quoted")
	VNET_TEST_MODES+=("$VNET_ADD_MODE")
}

# vnet_add_modes MODE... -- FUNC: FUNC adds tests, in each mode. VNET_MODES is
# a list of modes to leave it at.
vnet_add_modes()
{
	local modes=()

	while [ "$1" != -- ]; do
		[[ -n $VNET_MODES && " $VNET_MODES " != *" $1 "* ]] ||
			modes+=("$1")
		shift
	done
	for VNET_ADD_MODE in "${modes[@]}"; do
		"$2"
	done
}

# Lines of the log that are no complaints about the driver in this test
vnet_forgive() { echo "$1" >"$VNET_TMP/forgiven"; }

vnet_log_mark() { echo "vnet_lib $$ test $KTAP_TESTNO" >/dev/kmsg; }

# What the kernel has complained about since the mark
vnet_log_bad()
{
	dmesg | awk -v mark="vnet_lib $$ test $KTAP_TESTNO\$" '
		{ line[NR] = $0 }
		$0 ~ mark { from = NR }
		END {
			for (i = from + 1; i <= NR; i++)
				print line[i]
		}' | grep -vE "$(cat "$VNET_TMP/forgiven")" >"$VNET_TMP/log"
	grep -E -A 14 "$VNET_SPLATS" "$VNET_TMP/log" | head -n 60
	! grep -qE "$VNET_SPLATS" "$VNET_TMP/log"
}

# In a subshell, and not "|| rc=$?", which would switch errexit off inside
vnet_test()
{
	local rc start=$SECONDS

	vnet_log_mark
	vnet_forgive 'no such line'
	(
		set -e
		eval "$2"
	) </dev/null >"$VNET_TMP/out" 2>&1
	rc=$?
	vnet_end_background
	vnet_log_bad >"$VNET_TMP/bad" || rc=$KSFT_FAIL
	vnet_result "$rc" "$1"
	ktap_print_msg "$1: $((SECONDS - start)) s"
}

vnet_result()
{
	case $1 in
	"$KSFT_PASS") ktap_test_pass "$2" ;;
	"$KSFT_SKIP")
		# behind it may be what a shell says of what was ended
		ktap_print_msg "$(grep -v Terminated "$VNET_TMP/out" |
			tail -n 1)"
		ktap_test_skip "$2"
		vnet_recover
		;;
	*)
		sed 's/^/#   /' "$VNET_TMP/out" "$VNET_TMP/bad"
		echo "#   exit status $1"
		ktap_test_fail "$2"
		vnet_recover
		VNET_MODE=
		;;
	esac
}

# What a test has left must not make the next one fail
vnet_recover()
{
	faults_off
	[ -e "/sys/class/net/$VNET_DEV" ] || vnet_bind
}

# vnet_run: all that were added; VNET_ONLY is a pattern of names
vnet_run()
{
	local i

	ktap_print_header
	vnet_select
	vnet_setup "$@"
	ktap_set_plan ${#VNET_NAMES[@]}
	for i in "${!VNET_NAMES[@]}"; do
		vnet_run_one "$i"
	done
	ktap_finished
}

vnet_select()
{
	local i

	[ -n "$VNET_ONLY" ] || return
	for i in "${!VNET_NAMES[@]}"; do
		# shellcheck disable=SC2053 # a pattern
		[[ ${VNET_NAMES[i]} == $VNET_ONLY ]] ||
			unset "VNET_NAMES[$i]" "VNET_CMDS[$i]" \
				"VNET_TEST_MODES[$i]"
	done
}

vnet_run_one()
{
	local mode=${VNET_TEST_MODES[$1]}

	if [ "$mode" != "$VNET_MODE" ]; then
		VNET_MODE=$mode
		VNET_MODE_BAD=
		(vnet_mode "$mode") || {
			vnet_mode_possible "$mode"
			VNET_MODE_BAD=${REPLY:-"the device does not come up"}
		}
	fi
	if [ -z "$VNET_MODE_BAD" ]; then
		vnet_test "${VNET_NAMES[$1]}" "${VNET_CMDS[$1]}"
	elif vnet_mode_possible "$mode"; then
		ktap_print_msg "$VNET_MODE_BAD"
		ktap_test_fail "${VNET_NAMES[$1]}"
	else
		ktap_print_msg "$VNET_MODE_BAD"
		ktap_test_skip "${VNET_NAMES[$1]}"
	fi
}

vnet_setup()
{
	local cmd

	[ "$(id -u)" -eq 0 ] || vnet_skip_all "need root"
	vnet_find "$@" || vnet_skip_all "need two virtio_net devices"
	for cmd in ip ping pkill taskset; do
		command -v $cmd >/dev/null || vnet_skip_all "no $cmd here"
	done
	VNET_TMP=$(mktemp -d) || vnet_skip_all "no temporary directory"
	: >"$VNET_TMP/pids"
	: >"$VNET_TMP/ignored"
	VNET_DEV_BUS=$(vnet_bus_of "$VNET_DEV")
	VNET_PEER_BUS=$(vnet_bus_of "$VNET_PEER")
	trap vnet_cleanup EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	mountpoint -q $VNET_DEBUGFS ||
		mount -t debugfs none $VNET_DEBUGFS 2>/dev/null
	ip netns add "$VNET_NS" || vnet_skip_all "no network namespaces"
	in_peer ip link set lo up
	cat $VNET_IPFRAG_TIME >"$VNET_TMP/ipfrag_time"
	echo $VNET_IPFRAG_SECONDS >$VNET_IPFRAG_TIME
	vnet_there_up
	pools_ignore
	vnet_serve
}

# What takes clang and libelf to build
vnet_has_xdp() { [[ -x $VNET_LIB_DIR/xdp && -f $VNET_LIB_DIR/xdp.bpf.o ]]; }

vnet_need_xdp()
{
	vnet_has_xdp && return
	ktap_print_header
	vnet_skip_all "no xdp here: was there no clang, libelf or zlib?"
}

vnet_skip_all()
{
	ktap_skip_all "$@"
	exit "$KSFT_SKIP"
}

vnet_cleanup()
{
	local rc=$?

	trap '' INT TERM HUP
	faults_off
	vnet_end_background
	ip netns pids "$VNET_NS" 2>/dev/null | xargs -r kill 2>/dev/null
	ip netns delete "$VNET_NS"
	wait_for 10 vnet_name_of "$VNET_PEER_BUS" >/dev/null || {
		ktap_print_msg "$VNET_PEER has not come back"
		rc=1
	}
	if [ -d "$(vnet_filter)" ]; then
		echo 1 >"$(vnet_filter)/filter_features_clear"
	fi
	[ ! -e "/sys/class/net/$VNET_DEV" ] || vnet_unbind
	vnet_bind_only
	cat "$VNET_TMP/ipfrag_time" >$VNET_IPFRAG_TIME
	faults_restore
	rm -rf "$VNET_TMP"
	exit $rc
}

# --- fault injection ---

# faults fail_page_alloc|failslab|fail_function PERCENT: of what must not sleep
faults()
{
	local dir=$VNET_DEBUGFS/$1

	[ -d "$dir" ] || skip "no $1 in this kernel"
	faults_save "$1"
	echo 0 >"$dir/verbose"
	[ ! -f "$dir/min-order" ] || echo 0 >"$dir/min-order"
	[ ! -f "$dir/ignore-gfp-wait" ] || echo 1 >"$dir/ignore-gfp-wait"
	echo -1 >"$dir/times"
	echo "$2" >"$dir/probability"
}

# faults_save NAME: as the administrator had them
faults_save()
{
	local file

	[ ! -d "$VNET_TMP/$1" ] || return 0
	mkdir "$VNET_TMP/$1"
	for file in verbose min-order ignore-gfp-wait times; do
		[ ! -f "$VNET_DEBUGFS/$1/$file" ] ||
			cat "$VNET_DEBUGFS/$1/$file" >"$VNET_TMP/$1/$file"
	done
}

faults_restore()
{
	local file

	for file in "$VNET_TMP"/fail*/*; do
		[ ! -f "$file" ] ||
			cat "$file" >"$VNET_DEBUGFS/${file#"$VNET_TMP"/}"
	done
}

# function_faults NAME PERCENT: that function returns NULL instead
function_faults()
{
	local dir=$VNET_DEBUGFS/fail_function

	[ -w $dir/inject ] || return
	echo "$1" 2>/dev/null >$dir/inject || return
	printf 0 >"$dir/$1/retval"
	faults fail_function "$2"
}

faults_off()
{
	local dir

	for dir in "$VNET_DEBUGFS"/fail*; do
		[ ! -f "$dir/probability" ] || echo 0 >"$dir/probability"
	done
	[ ! -f $VNET_DEBUGFS/fail_function/inject ] ||
		echo >$VNET_DEBUGFS/fail_function/inject
}
