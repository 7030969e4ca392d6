#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# /init of a guest that suspends and resumes its devices, which vng's root file
# system would not survive. Two NICs on one hub; reports as test-nics.sh does,
# on the virtio port "vnrx".

export PATH=/bin
PM=/sys/power
CYCLES=3

# not busybox's own, which knows no namespaces
ip() { /bin/ip "$@"; }

in_peer() { ip netns exec peer "$@"; }

port_open() {
	for dir in /sys/class/virtio-ports/*; do
		[ "$(cat "$dir/name")" = vnrx ] || continue
		exec 3>"/dev/${dir##*/}" && return
	done
	echo "no virtio port to report on"
	poweroff -f
}

# report NAME STATUS
report() {
	if [ "$2" -eq 0 ]; then
		echo "result ok $1" >&3
		return
	fi
	sed 's/^/log /' /tmp/step >&3
	echo "result fail $1" >&3
}

leave() {
	echo end >&3
	exec 3>&-
	exec poweroff -f
}

mounts() {
	/bin/busybox --install -s /bin
	mount -t proc proc /proc
	mount -t sysfs sys /sys
	mount -t devtmpfs dev /dev
	mkdir -p /run/netns
}

network_up() {
	ip netns add peer &&
		ip link set eth1 netns peer &&
		ip address add 198.18.0.1/24 dev eth0 &&
		in_peer ip address add 198.18.0.2/24 dev eth1 &&
		in_peer ip link set eth1 up &&
		ip link set eth0 up
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

cycle() {
	in_peer timeout 20 udp send 198.18.0.1 9 700 20000 &
	sleep 1
	suspend_devices || return
	wait $!
	traffic || return
	sleep 2
	pools_same || {
		echo "page pools, $POOLS of eth0 before:"
		netdev pools
		return 1
	}
}

complaints() {
	dmesg | grep -E -A 12 'WARNING|BUG|Oops|Bad page|[Pp]age.pool|Negative'
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
		echo "result skip suspend # no pm_test in this kernel" >&3
		return
	fi
	POOLS=$(pools_count)
	while [ $CYCLES -gt 0 ]; do
		cycle >/tmp/step 2>&1
		report "suspend and resume under a flood, $CYCLES" $?
		CYCLES=$((CYCLES - 1))
	done
	! complaints >/tmp/step
	report "the kernel does not complain" $?
}

mounts
port_open
main
leave
