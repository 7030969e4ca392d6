#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# /init of a guest that suspends and resumes its devices, which vng's root file
# system would not survive. Two NICs on one hub, and no other virtio device;
# reports as test-nics.sh does, on the second serial line.

export PATH=/bin
PM=/sys/power
CYCLES=3
REPORTS=/dev/ttyS1

# what is to be expected where allocations are made to fail
NOT_OURS='fs/proc/generic.c|page_pool_create_percpu.* gave up'
NOT_OURS="$NOT_OURS|(soft|hard)irqs last"

# not busybox's own, which knows no namespaces
ip() { /bin/ip "$@"; }

in_peer() { ip netns exec peer "$@"; }

# Opens the line for each text: it is not among what is suspended then
say() {
	stty -F "$REPORTS" raw
	cat >"$REPORTS"
}

# report NAME STATUS
report() {
	case $2 in
	0)
		echo "result ok $1" | say
		return
		;;
	4)
		echo "result skip $1 # $(tail -n 1 /tmp/step)" | say
		return
		;;
	esac
	sed 's/^/log /' /tmp/step | say
	echo "result fail $1" | say
}

leave() {
	echo end | say
	exec poweroff -f
}

mounts() {
	/bin/busybox --install -s /bin
	mount -t proc proc /proc
	mount -t sysfs sys /sys
	mount -t devtmpfs dev /dev
	mkdir -p /run/netns
}

here_up() {
	ip address replace 198.18.0.1/24 dev eth0 && ip link set eth0 up
}

network_up() {
	ip netns add peer &&
		ip link set eth1 netns peer &&
		here_up &&
		in_peer ip address add 198.18.0.2/24 dev eth1 &&
		in_peer ip link set eth1 up
}

traffic() {
	timeout 60 tcp 198.18.0.2 7003 $((4 << 20)) &&
		timeout 60 udp ping 198.18.0.2 7004 3100 50
}

# Devices are suspended, nothing waits for a wake-up, devices are resumed
suspend_devices() {
	echo devices >$PM/pm_test && echo freeze >$PM/state
}

# Those of eth0, by its index; one that has lost its device has none
pools_count() {
	netdev pools | grep "ifindex=$(cat /sys/class/net/eth0/ifindex) " |
		grep -vc detached=
}

# as many as before, and none left behind
pools_same() {
	[ "$(pools_count)" -eq "$POOLS" ] && ! netdev pools | grep detached=
}

pools_settle() {
	sleep 2
	pools_same && return
	echo "page pools, $POOLS of eth0 before:"
	netdev pools
	return 1
}

cycle() {
	in_peer timeout 20 udp send 198.18.0.1 9 700 20000 &
	sleep 1
	suspend_devices || return
	wait $!
	traffic && pools_settle
}

here_answers() { in_peer ping -c 3 -W 1 198.18.0.1; }

# A device that has come back drops what it dropped, and no longer than that
xdp_stays() {
	xdpdrop eth0 &
	sleep 1
	kill -0 $! 2>/dev/null || {
		wait $!
		return
	}
	! here_answers && suspend_devices && ! here_answers
	kept=$?
	kill $!
	wait $!
	[ $kept -eq 0 ] && here_answers && traffic && pools_settle
}

# What the device was told before it was reset, it must be told again: the
# device lets in what is for its address and its VLANs only.
config_stays() {
	old=$(cat /sys/class/net/eth0/address)
	ip link set eth0 address 52:54:00:12:34:99 &&
		ip link add link eth0 name vlan5 type vlan id 5 &&
		ip address add 198.18.5.1/24 dev vlan5 &&
		ip link set vlan5 up &&
		in_peer ip link add link eth1 name vlan5 type vlan id 5 &&
		in_peer ip address add 198.18.5.2/24 dev vlan5 &&
		in_peer ip link set vlan5 up || return
	in_peer ip neighbor flush all
	vlan_answers || {
		echo "no answer on the VLAN before"
		return 1
	}
	suspend_devices || return
	# with the promiscuous mode of a start gone
	sleep 1
	in_peer ip neighbor flush all
	here_answers && vlan_answers
	kept=$?
	ip link delete vlan5
	in_peer ip link delete vlan5
	ip link set eth0 address "$old"
	in_peer ip neighbor flush all
	[ $kept -eq 0 ] && traffic
}

vlan_answers() { in_peer ping -c 3 -W 1 198.18.5.1; }

# Each allocation of it fails once, all in this process. What has not come back
# is looked at, and brought back by the next suspend, or by unbind and bind.
suspend_faults() {
	device=$(readlink -f /sys/class/net/eth0/device)
	mount -t debugfs debugfs /sys/kernel/debug
	for dir in /sys/kernel/debug/failslab /sys/kernel/debug/fail_page_alloc; do
		[ -d $dir ] || {
			echo "no fault injection in this kernel"
			return 4
		}
		echo 0 >$dir/verbose
		echo 0 >$dir/ignore-gfp-wait
	done
	echo 0 >/sys/kernel/debug/fail_page_alloc/min-order
	echo 0 >$PM/pm_async
	echo 0 >/sys/module/suspend/parameters/pm_test_delay
	echo devices >$PM/pm_test
	failnth 3000 suspend eth0 "${device##*/}" || return
	suspend_devices && here_up && traffic && pools_settle
}

complaints() {
	dmesg | grep -E 'WARNING|BUG|Oops|Bad page|[Pp]age.pool|Negative' |
		grep -vE "$NOT_OURS" | head -n 10 >/tmp/bad
	[ -s /tmp/bad ] || return
	cat /tmp/bad
	dmesg | grep -F -A 12 "$(head -n 1 /tmp/bad)"
}

main() {
	network_up >/tmp/step 2>&1
	report "two NICs come up" $?
	in_peer peer 7003 &
	in_peer udp echo 7004 &
	sleep 1
	traffic >/tmp/step 2>&1
	report "TCP and UDP, verified" $?
	if [ ! -f $PM/pm_test ]; then
		echo "result skip suspend # no pm_test in this kernel" | say
		return
	fi
	POOLS=$(pools_count)
	while [ $CYCLES -gt 0 ]; do
		cycle >/tmp/step 2>&1
		report "suspend and resume under a flood, $CYCLES" $?
		CYCLES=$((CYCLES - 1))
	done
	xdp_stays >/tmp/step 2>&1
	report "an XDP program outlives suspend and resume" $?
	config_stays >/tmp/step 2>&1
	report "a MAC address and a VLAN outlive suspend and resume" $?
	suspend_faults >/tmp/step 2>&1
	report "each allocation of suspend and resume fails once" $?
	! complaints >/tmp/step
	report "the kernel does not complain" $?
}

mounts
main
leave
