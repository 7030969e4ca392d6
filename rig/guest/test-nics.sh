#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs in a guest with two NICs back to back: eth0 is tested, eth1 becomes the
# peer in a network namespace. Reports on standard output, one line for each
# result, "result ok|fail|skip NAME [REASON]", after lines "log ..." about it.
#
# usage: test-nics.sh BIN mergeable|small|big IOMMU PACKED (on|off) MODULES [STEPS]
#	STEPS is a pattern of names: all others are left out

set -u
BIN=$1
MODE=$2
IOMMU=$3
PACKED=$4
MODULES=$5
STEPS=${6:-*}

HERE=198.18.0.1
PEER=198.18.0.2
TCP_PORT=7003
ECHO_PORT=7004
HOLD_PORT=7005
# datagrams, to be held where memory is bounced
HELD=4000
TCP_BYTES=$((12 << 20))
XDP_FRAMES=1500
KMEMLEAK=/sys/kernel/debug/kmemleak
# how much slower than others a kernel with that is
SLOW=1
DRIVER=/sys/bus/virtio/drivers/virtio_net
NETCONSOLE=/sys/kernel/config/netconsole/vnrx
SWIOTLB=/sys/kernel/debug/swiotlb/io_tlb_used

BAD='WARNING|BUG|Oops|general protection|Bad page|rx error|[Pp]age.pool'
BAD+='|Negative|DMA-API|refcount_t|KASAN|UBSAN|kmemleak|soft lockup|hung'
BAD+='|NETDEV WATCHDOG|is not a head|swiotlb buffer is full|suspicious RCU'
BAD+='|possible .* dependency|possible .* locking'

# what is to be expected where allocations are made to fail; and what lockdep
# adds to every warning
NOT_OURS='fs/proc/generic.c|page_pool_create_percpu.* gave up'
NOT_OURS+='|(soft|hard)irqs last|cacheline tracking ENOMEM'

in_peer() { ip netns exec peer "$@"; }

# With PREEMPT_RT, netpoll frees skbs with preemption off: its own mistake, and
# with a device of any kind
without_netpoll_rt() {
	awk '/BUG: sleeping function/ { held = "" ; inside = 1 }
		inside {
			held = held $0 "\n"
			if (/\] zap_completion_queue/)
				inside = 0
			else if (/Call Trace/) {
				printf "%s", held
				inside = 0
			}
			next
		}
		{ print }
		END { if (inside) printf "%s", held }'
}

# step NAME FUNC ARGS...: passes if FUNC does and the kernel has not complained
step() {
	local name=$1 rc
	# shellcheck disable=SC2053 # a pattern
	[[ $name == $STEPS || $2 = setup ]] || return 0
	shift
	# not "|| rc=$?": that would switch errexit off inside
	(
		set -e
		"$@"
	) >/tmp/step 2>&1
	rc=$?
	dmesg -c | without_netpoll_rt >/tmp/dmesg
	if grep -E "$BAD" /tmp/dmesg | grep -vE "$NOT_OURS" >/tmp/bad; then
		{
			echo "the kernel says:"
			head -n 10 /tmp/bad
			grep -F -A 12 "$(head -n 1 /tmp/bad)" /tmp/dmesg
		} >>/tmp/step
		rc=1
	fi
	echo "took $SECONDS s"
	SECONDS=0
	report "$rc" "$name"
	return "$rc"
}

report() {
	# shellcheck disable=SC2053 # a pattern
	[[ $1 -ne 0 || $2 == $STEPS ]] || return 0
	case $1 in
	0) echo "result ok $2" ;;
	4) echo "result skip $2 # $(tail -n 1 /tmp/step)" ;;
	*)
		echo "exit status $1" >>/tmp/step
		sed 's/^/log /' /tmp/step
		echo "result fail $2"
		;;
	esac
}

skip() {
	echo "$*"
	exit 4
}

# --- the two NICs -----------------------------------------------------------

device_of() { basename "$(readlink -f "/sys/class/net/$1/device")"; }

here_up() {
	sysctl -qw net.ipv6.conf.eth0.disable_ipv6=1
	ip address replace $HERE/24 dev eth0
	ip link set eth0 up
}

peer_up() {
	ip link set eth1 netns peer
	in_peer sysctl -qw net.ipv6.conf.eth1.disable_ipv6=1
	in_peer ip address add $PEER/24 dev eth1
	in_peer ip link set eth1 up
	# the kernel leaves the pools of a device behind when that is moved
	"$BIN/netdev" pools | awk '!/ifindex=/ { print $1 }' >/tmp/pools.peer
}

setup() {
	mount -t debugfs debugfs /sys/kernel/debug || true
	mount -t configfs configfs /sys/kernel/config || true
	# udev would give devices that are bound again other names
	udevadm control --exit || true
	ip link set lo up
	# a datagram of which a fragment was lost keeps pages for so many seconds
	sysctl -qw net.ipv4.ipfrag_time=3
	ip netns add peer
	in_peer ip link set lo up
	DEV0=$(device_of eth0)
	DEV1=$(device_of eth1)
	dmesg -c >/dev/null
	here_up
	peer_up
	in_peer "$BIN/peer" $TCP_PORT &
	in_peer "$BIN/udp" echo $ECHO_PORT &
	ping -q -c 1 -w 10 $PEER
}

# feature BIT: on or off, as negotiated
feature() {
	local bits
	bits=$(cat /sys/class/net/eth0/device/features)
	[ "${bits:$1:1}" = 1 ] && echo on || echo off
}

features() {
	local mergeable=off gso=on
	[ "$MODE" != mergeable ] || mergeable=on
	[ "$MODE" != small ] || gso=off
	cat /sys/class/net/eth0/device/features
	[ "$(feature 15)" = $mergeable ]
	[ "$(feature 7)" = $gso ]
	[ "$(feature 33)" = "$IOMMU" ]
	[ "$(feature 34)" = "$PACKED" ]
}

# --- traffic ----------------------------------------------------------------

tcp() { timeout $((60 * SLOW)) "$BIN/tcp" $PEER $TCP_PORT "${1:-$TCP_BYTES}"; }
udp() { timeout $((60 * SLOW)) "$BIN/udp" ping $PEER $ECHO_PORT "$@"; }

traffic() {
	tcp
	udp 3100 11
	udp 65507 6500
}

# Datagrams without end, from the peer to a port that nobody reads. Not by
# in_peer: to end the shell that runs it would not end them.
flood_start() {
	ip netns exec peer timeout $((60 * SLOW)) \
		"$BIN/udp" send $HERE 9 700 1000000000 &
	FLOOD=$!
}

flood_stop() {
	kill "$FLOOD" 2>/dev/null || true
	wait "$FLOOD" || true
	! pgrep -f "udp send"
}

# --- pools ------------------------------------------------------------------

# Those of eth0, and of an eth0 that is gone, one a line: "id=N ..."
pools() {
	"$BIN/netdev" pools | awk 'FILENAME != "-" { peer[$1]; next }
		!($1 in peer)' /tmp/pools.peer -
}

pools_live() { pools | grep -v detached=; }

pools_are_there() {
	pools
	[ -n "$(pools_live)" ]
	# each names the NAPI that it is polled by
	! pools_live | grep -v napi-id=
}

# Packets that were freed elsewhere wait for the next one on the processor that
# they came in on
packets_flush() {
	local cpu
	for cpu in /sys/devices/system/cpu/cpu[0-9]*; do
		taskset -c "${cpu##*cpu}" ping -q -c 1 127.0.0.1 >/dev/null
	done
}

pools_are_gone() {
	local tries=100
	packets_flush
	while [ -n "$(pools)" ]; do
		[ $((tries -= 1)) -gt 0 ] || {
			echo "page pools that do not end:"
			pools
			grep FRAG /proc/net/sockstat
			return 1
		}
		sleep 0.1
	done
}

# --- life and death of the device -------------------------------------------

unbind() { echo "$1" >$DRIVER/unbind; }

bind() {
	echo "$1" >$DRIVER/bind
	here_up
}

# Descriptors that the receive ring can have at most
ring_max() { ethtool -g eth0 | awk '/^RX:/ { print $2; exit }'; }

down_up() {
	local times=4
	flood_start
	while [ $((times -= 1)) -gt 0 ]; do
		ip link set eth0 down
		ip link set eth0 up
		sleep 0.1
	done
	flood_stop
	tcp
}

unbind_bind() {
	local times=2
	while [ $((times -= 1)) -ge 0 ]; do
		flood_start
		sleep 0.5
		unbind "$DEV0"
		flood_stop
		pools_are_gone
		bind "$DEV0"
	done
	tcp
}

# Packets in a socket keep pages of a pool whose device has gone
held() {
	local holder has_pools
	has_pools=$(pools)
	"$BIN/udp" hold $HOLD_PORT &
	holder=$!
	sleep 0.5
	in_peer "$BIN/udp" send $HERE $HOLD_PORT 1400 400
	sleep 0.5
	unbind "$DEV0"
	pools
	[ -z "$has_pools" ] || pools | grep -q detached=
	kill $holder
	wait $holder || true
	pools_are_gone
	bind "$DEV0"
	tcp
}

# Packets in a socket must leave bounce slots for others, also those that XDP
# has passed: each of these takes at least one
held_slots() {
	local holder before after
	"$BIN/udp" hold $HOLD_PORT &
	holder=$!
	sleep 0.5
	before=$(cat $SWIOTLB)
	timeout $((20 * SLOW)) ip netns exec peer "$BIN/udp" send $HERE $HOLD_PORT 1400 $HELD
	sleep 0.5
	after=$(cat $SWIOTLB)
	kill $holder
	wait $holder || true
	echo "bounce slots in use: $before, with packets held: $after"
	[ $((after - before)) -lt $((HELD / 2)) ]
}

slots_left() {
	local xdp
	[ -r $SWIOTLB ] || skip "no swiotlb in debugfs"
	held_slots
	[ "$MODE" != big ] || return 0
	"$BIN/xdpdrop" eth0 pass &
	xdp=$!
	sleep 0.5
	held_slots
	kill $xdp
	wait $xdp || true
	traffic
}

swiotlb_used() {
	local used
	unbind "$DEV0"
	unbind "$DEV1"
	pools_are_gone
	sleep 0.5
	used=$(cat $SWIOTLB)
	bind "$DEV0"
	echo "$DEV1" >$DRIVER/bind
	peer_up
	tcp
	echo "$used" >"$1"
}

# Twice without NICs, with traffic in between
swiotlb_leak() {
	[ -r $SWIOTLB ] || skip "no swiotlb in debugfs"
	swiotlb_used /tmp/used1
	swiotlb_used /tmp/used2
	echo "slots in use: $(cat /tmp/used1), then $(cat /tmp/used2)"
	[ "$(cat /tmp/used1)" -eq "$(cat /tmp/used2)" ]
}

rings() {
	local size max
	max=$(ring_max)
	tcp $((3 * TCP_BYTES)) &
	for size in $((max / 4)) $((max / 2)) "$max"; do
		ethtool -G eth0 rx "$size" || {
			pkill -P $!
			skip "the device cannot resize its rings"
		}
		sleep 0.3
	done
	wait $!
	traffic
}

# restart ARGS...: each queue is restarted alone, through netdev core
restart() {
	local module=$MODULES/vnrx_restart.ko
	[ -f "$module" ] || skip "no module for this kernel"
	# it never stays: EAGAIN is success
	insmod "$module" ifname=eth0 "$@" 2>&1 | tee /tmp/insmod
	grep -q 'Resource temporarily unavailable' /tmp/insmod
}

restarts() {
	local before after
	before=$(pools_live | cut -d ' ' -f 1 | sort)
	tcp $((3 * TCP_BYTES)) &
	restart queue=0 times=3
	restart queue=1 times=3
	sleep 0.3
	restart queue=0
	wait $!
	after=$(pools_live | cut -d ' ' -f 1 | sort)
	# as many as before, but not the same
	[ "$(wc -l <<<"$before")" -eq "$(wc -l <<<"$after")" ]
	[ "$before" != "$after" ]
	ip link set eth0 down
	restart queue=0
	here_up
	traffic
}

# Memory that the CPU cannot read is refused, and the queue goes on as it was
provider_refused() {
	[ -f "$MODULES/vnrx_restart.ko" ] || skip "no module for this kernel"
	! restart queue=0 provider=1 || return 1
	grep -q 'not supported' /tmp/insmod
	traffic
}

# A small ring needs longer buffers for a packet of 64 KB
tiny_ring() {
	local max
	max=$(ring_max)
	ethtool -G eth0 rx 16 || skip "the device cannot resize its rings"
	tcp
	udp 65507 100
	ethtool -G eth0 rx "$max"
	traffic
}

high_order() { echo "$1" >/proc/sys/net/core/high_order_alloc_disable; }

# large_pages: those that the pools of eth0 have taken from the system
large_pages() {
	"$BIN/netdev" stats |
		grep "ifindex=$(cat /sys/class/net/eth0/ifindex) " |
		grep -o 'alloc-slow-high-order=[0-9]*' |
		awk -F= '{ n += $2 } END { print n }'
}

# Where memory is bounced, the driver wants no large pages
wants_large() { [ "$IOMMU" = off ] || ! grep -q swiotlb=force /proc/cmdline; }

rebind() {
	unbind "$DEV0"
	pools_are_gone
	bind "$DEV0"
}

# A new device that may have no order-3 pages takes none, and one that has
# them goes on when they are forbidden
no_high_order() {
	trap 'high_order 0' EXIT
	high_order 1
	rebind
	traffic
	echo "large pages while forbidden: $(large_pages)"
	[ "$(large_pages)" -eq 0 ]
	high_order 0
	rebind
	traffic
	echo "large pages while allowed: $(large_pages)"
	! wants_large || [ "$(large_pages)" -gt 0 ]
	high_order 1
	ip link set eth0 down
	here_up
	tcp $((2 * TCP_BYTES))
}

# The pools must follow the device, and come back with it
netns_move() {
	ip netns add other
	ip link set eth0 netns other
	ip netns exec other ip address add $HERE/24 dev eth0
	ip netns exec other ip link set eth0 up
	ip netns exec other ping -q -c 1 -w 10 $PEER
	ip netns exec other "$BIN/netdev" pools | tee /tmp/pools.other
	grep -q ifindex= /tmp/pools.other
	ip -n other link set eth0 netns 1
	here_up
	ip netns delete other
	traffic
	pools_are_there
}

channels() {
	local max
	max=$(ethtool -l eth0 | awk '/^Combined:/ { print $2; exit }')
	[ "$max" -gt 1 ] || skip "one queue pair only"
	tcp $((3 * TCP_BYTES)) &
	ethtool -L eth0 combined 1
	sleep 0.3
	ethtool -L eth0 combined "$max"
	wait $!
	traffic
}

# faults fail_page_alloc|failslab PERCENT: of what must not sleep
faults() {
	local dir=/sys/kernel/debug/$1
	[ -d "$dir" ] || skip "no fault injection in this kernel"
	echo 0 >"$dir/verbose"
	[ ! -f "$dir/min-order" ] || echo 0 >"$dir/min-order"
	echo 1 >"$dir/ignore-gfp-wait"
	echo -1 >"$dir/times"
	echo "$2" >"$dir/probability"
}

out_of_memory() {
	faults fail_page_alloc 60
	timeout 3 "$BIN/tcp" $PEER $TCP_PORT $((1 << 30)) || true
	faults fail_page_alloc 0
	traffic
}

# fault_sites: those that failnth makes fail, also where they may sleep
fault_sites() {
	local dir
	for dir in /sys/kernel/debug/{failslab,fail_page_alloc}; do
		[ -d "$dir" ] || skip "no fault injection in this kernel"
		echo 0 >"$dir/verbose"
		echo 0 >"$dir/ignore-gfp-wait"
	done
	echo 0 >/sys/kernel/debug/fail_page_alloc/min-order
}

# Each allocation that it takes to bind the device fails once
bind_faults() {
	fault_sites
	unbind "$DEV0"
	pools_are_gone
	"$BIN/failnth" 3000 write $DRIVER/bind $DRIVER/unbind "$DEV0"
	pools_are_gone
	bind "$DEV0"
	traffic
}

# Each of those that it takes to open a device whose rings are empty, and small
# if they can be, to have not too many
up_faults() {
	local max size=0
	fault_sites
	rebind_closed
	max=$(ring_max)
	! ethtool -G eth0 rx $((max / 4)) || size=$((max / 4))
	"$BIN/failnth" 3000 up eth0 "$size" $DRIVER/unbind $DRIVER/bind "$DEV0"
	here_up
	[ "$size" -eq 0 ] || ethtool -G eth0 rx "$max"
	traffic
}

rebind_closed() {
	sysctl -qw net.ipv6.conf.default.disable_ipv6=1
	unbind "$DEV0"
	pools_are_gone
	echo "$DEV0" >$DRIVER/bind
}

# Each of those that it takes to resize the rings, which are small to have not
# too many. Where there is no memory for new pools, a queue keeps those it has
# and says so.
ring_faults() {
	local pools max
	max=$(ring_max)
	ethtool -G eth0 rx $((max / 2)) ||
		skip "the device cannot resize its rings"
	fault_sites
	pools=$(pools_live | wc -l)
	"$BIN/failnth" 3000 ring eth0 $((max / 4)) $((max / 8))
	ethtool -G eth0 rx "$max"
	traffic
	echo "$pools pools before, now:"
	pools_live
	[ "$(pools_live | wc -l)" -eq "$pools" ]
}

# The ring runs dry: what arrives is kept, and nothing comes after it. No
# interrupt will tell the driver that there is memory again.
ring_dry() {
	local holder packets=40000
	"$BIN/udp" hold $HOLD_PORT &
	holder=$!
	faults fail_page_alloc 100
	timeout $((20 * SLOW)) ip netns exec peer "$BIN/udp" send $HERE $HOLD_PORT 1400 $packets
	faults fail_page_alloc 0
	traffic
	kill $holder
	wait $holder || true
}

# netconsole_lines N: sent through netpoll
netconsole_lines() {
	local lines=$1
	while [ $((lines -= 1)) -ge 0 ]; do
		echo "<2>line $lines for netconsole" >/dev/kmsg
	done
}

netconsole_on() {
	mkdir $NETCONSOLE || skip "no netconsole in this kernel"
	echo eth0 >$NETCONSOLE/dev_name
	echo $HERE >$NETCONSOLE/local_ip
	echo $PEER >$NETCONSOLE/remote_ip
	ip neighbour show dev eth0 to $PEER |
		sed -n 's/.*lladdr \([0-9a-f:]*\).*/\1/p' >$NETCONSOLE/remote_mac
	echo 1 >$NETCONSOLE/enabled
}

netconsole_off() {
	echo 0 >$NETCONSOLE/enabled
	rmdir $NETCONSOLE
}

netconsole() {
	netconsole_on
	tcp $((2 * TCP_BYTES)) &
	netconsole_lines 200
	wait $!
	netconsole_off
}

# --- XDP --------------------------------------------------------------------

# xdp_raw [OPTIONS] ACTION CHANGE: with the program's own exit status
xdp_raw() {
	timeout $((60 * SLOW)) "$BIN/xdp" -d "$BIN" "${@:1:$#-2}" eth0 peer eth1 \
		$XDP_FRAMES "${@: -2}"
}

# What the program would skip must work here: a skip would hide a refusal
xdp() { xdp_raw "$@" || return 1; }

xdp_toggle() {
	local XDP_FRAMES=400
	tcp $((2 * TCP_BYTES)) &
	xdp -t pass none
	wait $!
}

xdp_veth() {
	ip link add veth0 type veth peer name veth1
	ip link set veth0 up
	ip link set veth1 up
	xdp -v veth0 -e veth1 veth none
	ip link delete veth0
}

# The driver must refuse XDP where it cannot do it, and go on as before
xdp_refused() {
	local rc=0
	xdp_raw drop none 2>/tmp/refused || rc=$?
	cat /tmp/refused
	[ $rc -eq 4 ]
	grep -q 'no native XDP on eth0 with these features' /tmp/refused
	traffic
}

xdp_steps() {
	step "XDP_DROP" xdp drop none
	step "XDP_PASS" xdp pass none
	step "XDP_TX" xdp tx none
	step "XDP_REDIRECT to a veth" xdp_veth
	step "XDP_REDIRECT to a CPU" xdp cpumap none
	step "XDP_PASS after the head has moved" xdp pass shift
	step "XDP_PASS after the tail has grown to its limit" xdp pass grow
	step "XDP_REDIRECT to a CPU after the tail has grown" xdp cpumap grow
	step "XDP attached and detached under traffic" xdp_toggle
}

# --- a debug kernel ---------------------------------------------------------

# What core loses where "failnth" had an allocation fail: the XPS maps of a
# netdev that was not registered, and the bitmap of an IDA
leaks_of_driver() {
	awk 'function flush() {
			if (!core || !failed)
				printf "%s", held
			held = ""
			core = failed = 0
		}
		/^unreferenced object/ { flush() }
		{ held = held $0 "\n" }
		/comm "failnth"/ { failed = 1 }
		/__netif_set_xps_queue|ida_alloc_range/ { core = 1 }
		END { flush() }' $KMEMLEAK
}

# What was freed a moment ago may be in a register or on a stack still: only
# what two scans find is lost
nothing_leaked() {
	local i
	for ((i = 0; i < 2; i++)); do
		sleep 5
		echo scan >$KMEMLEAK
	done
	leaks_of_driver >/tmp/leaks
	cat /tmp/leaks
	[ ! -s /tmp/leaks ]
}

# --- all --------------------------------------------------------------------

main() {
	step "two NICs come up" setup || return
	if [ -e $KMEMLEAK ] || [ -e /proc/lockdep_stats ]; then
		SLOW=10
		TCP_BYTES=$((TCP_BYTES / SLOW))
	fi
	DEV0=$(device_of eth0)
	DEV1=$(in_peer readlink -f /sys/class/net/eth1/device)
	DEV1=${DEV1##*/}
	step "the device has the features wanted" features
	step "page pools exist" pools_are_there
	step "TCP and UDP, verified" traffic
	if [ "$MODE" = big ]; then
		step "XDP is refused" xdp_refused
	else
		xdp_steps
	fi
	step "TCP and UDP after XDP" traffic
	step "down and up under a flood" down_up
	step "rings resized under traffic" rings
	step "a ring of 16 takes packets of 64 KB" tiny_ring
	step "queues removed and added under traffic" channels
	step "single queues restarted under traffic" restarts
	step "memory providers are refused" provider_refused
	step "moved to another network namespace and back" netns_move
	step "order-3 pages forbidden" no_high_order
	step "allocations fail under traffic" out_of_memory
	step "a ring without buffers is filled again" ring_dry
	step "each allocation of going up fails once" up_faults
	step "each allocation of a bind fails once" bind_faults
	NOT_OURS="$NOT_OURS|keeps its page pools" \
		step "each allocation of a resize fails once" ring_faults
	step "netconsole under traffic" netconsole
	step "packets held beyond the device's end" held
	step "unbind and bind under a flood" unbind_bind
	if grep -q swiotlb=force /proc/cmdline; then
		step "packets held leave bounce slots" slots_left
		step "no bounce slots lost" swiotlb_leak
	fi
	step "TCP and UDP at the end" traffic
	# what it finds is looked at, not how much it says that is
	NOT_OURS+='|new suspected memory leaks'
	[ ! -e $KMEMLEAK ] || step "kmemleak finds nothing" nothing_leaked
}

main
echo end
