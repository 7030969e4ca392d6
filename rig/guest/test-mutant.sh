#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs in a guest whose kernel has no virtio_net: loads one, and runs tests.
#
# usage: test-mutant.sh MODULES TESTS "kunit | PROGRAM PATTERN"
#	 test-mutant.sh MODULES BIN "steps PATTERN" IOMMU KERNEL-MODULES \
#	     BUFFERS

set -u
HERE=$(dirname "$0")
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

load() {
	insmod "$1/virtio_net.ko" || exit 1
	udevadm settle --timeout=5 2>/dev/null
}

# Steps of the guest tests, told like those of the suite
steps() {
	load "$1"
	bash "$HERE/test-nics.sh" "$2" "$6" "$4" off "$5" "${3#* }" |
		awk '$1 == "log" { sub(/^log/, "#"); print }
		$1 == "result" {
			name = $0
			sub(/^result [a-z]* /, "", name)
			sub(/ # .*/, "", name)
			n++
			bad += $2 == "fail"
			print ($2 == "fail" ? "not ok " : "ok ") n " " name \
				($2 == "skip" ? " # SKIP" : "")
		}
		$1 == "end" { ended = 1 }
		END { exit bad > 0 || !ended }'
}

suite() {
	load "$1"
	cd "$2" && VNET_ONLY=$4 VNET_CYCLES=200 "./$3"
}

case $3 in
kunit) kunit "$1" ;;
steps\ *) steps "$@" ;;
*) suite "$1" "$2" "${3%% *}" "${3#* }" ;;
esac
