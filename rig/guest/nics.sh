# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Sourced in the guest: the NICs of vnrx run are eth0 and eth1, whatever the
# host's udev, which also runs in the guest, has called them.

for nic in /sys/class/net/*; do
	case $(cat "$nic/address") in
	52:54:00:00:77:02) ip link set "${nic##*/}" name eth0 ;;
	52:54:00:00:77:03) ip link set "${nic##*/}" name eth1 ;;
	esac
done 2>/dev/null
unset nic
