#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Runs in a guest: one of the kernel's tests for network drivers, on a pair of
# NICs set up as the kernel's networking CI does it. Prints the KTAP; what is
# known not to work on a virtio NIC is turned into a skip, with the reason.
#
# usage: test-drivers-net.sh DIRECTORY PROGRAM

set -u
cd "$1" || exit 1

# PROGRAM TEST CAUSE REASON: failures that are not the driver's, and the word
# that tells them from others; "*" is any test
known() {
	cat <<-'EOT'
	hw/csum.py * remote_ifname the test library of 6.12 does not know remote_ifname
	EOT
}

setup() {
	mount -t debugfs debugfs /sys/kernel/debug
	udevadm control --exit
	ip link set lo up
	ip netns add ns-remote
	ip link set eth1 netns ns-remote
	sysctl -qw net.ipv6.conf.all.keep_addr_on_down=1
	ip address replace 198.18.3.1/24 dev eth0
	ip address replace fd00:3::1/64 dev eth0 nodad
	ip link set eth0 up
	ip -n ns-remote address add 198.18.3.2/24 dev eth1
	ip -n ns-remote address add fd00:3::2/64 dev eth1 nodad
	ip -n ns-remote link set eth1 up
	ip -n ns-remote link set lo up
	export NETIF=eth0 LOCAL_V4=198.18.3.1 REMOTE_V4=198.18.3.2
	export LOCAL_V6=fd00:3::1 REMOTE_V6=fd00:3::2
	export REMOTE_TYPE=netns REMOTE_ARGS=ns-remote
	ping -q -c 1 -w 10 198.18.3.2 >/dev/null
}

# The tests want to be run where they are, by any Python with the modules
run() {
	(cd "$(dirname "$1")" && PATH=/usr/bin:$PATH \
		timeout 300 python3 "./$(basename "$1")" 2>&1)
}

# Exceptions are comments of KTAP already; a known failure becomes a skip
judge() {
	known >/tmp/known
	awk -v program="$1" '
		BEGIN {
			while ((getline line < "/tmp/known") > 0) {
				split(line, part, " ")
				if (part[1] != program)
					continue
				name = part[2]
				cause[name] = part[3]
				sub(/^[^ ]* [^ ]* [^ ]* /, "", line)
				reason[name] = line
			}
		}
		/^# / { said = said $0 }
		/^not ok/ {
			name = $4 in cause ? $4 : "*"
			if (name in cause && index(said, cause[name])) {
				print "# known: " reason[name]
				sub(/^not ok/, "ok")
				$0 = $0 " # SKIP"
			}
		}
		/^(not )?ok/ { said = "" }
		{ print }'
}

setup >&2 || exit 1
dmesg -c >/dev/null
run "$2" | judge "$2"
dmesg >&2
! dmesg | grep -E 'WARNING|BUG|Oops|Bad page|page_pool' || exit 1
