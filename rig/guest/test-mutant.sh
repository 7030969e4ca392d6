#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs in a guest whose kernel has no virtio_net: loads one, and runs tests.
#
# usage: test-mutant.sh MODULES TESTS "kunit | PROGRAM PATTERN"

set -u
mount -t debugfs debugfs /sys/kernel/debug
udevadm control --exit
ip link set lo up

# The unit tests run when they are loaded, and report to the log
kunit() {
	insmod "$1/virtio_net_rxbuf_test.ko"
	dmesg | sed -n 's/^\[[^]]*\] //; /KTAP/,$p' |
		sed 's/^ *\(not ok\|ok\)/\1/'
	dmesg | grep -q '\] ok .*virtio_net' || exit 1
	! dmesg | grep -E 'not ok|BUG|WARNING|Oops|Bad page|general protection'
}

suite() {
	insmod "$1/virtio_net.ko" || exit 1
	udevadm settle --timeout=5 2>/dev/null
	cd "$2" && VNET_ONLY=$4 VNET_CYCLES=200 "./$3"
}

if [ "$3" = kunit ]; then
	kunit "$1"
else
	suite "$1" "$2" "${3%% *}" "${3#* }"
fi
