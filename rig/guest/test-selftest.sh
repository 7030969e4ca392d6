#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs in a guest: one of the kernel's selftests, with its own exit status.
#
# usage: test-selftest.sh DIRECTORY PROGRAM

set -u
mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null
# udev would give devices that are bound again other names
udevadm control --exit
ip link set lo up
cd "$1" || exit 1
dmesg -c >/dev/null
"./$2"
rc=$?
dmesg
! dmesg | grep -E 'WARNING|BUG|Oops|Bad page|page_pool' || exit 1
exit $rc
