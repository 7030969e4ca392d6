#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The guest's side of ./vnrx bench published/*: published.sh PROGRAMS QUEUES
# "XDPSECONDS TCPSECONDS" TEST... A test is xdp_drop/SIZE or tcp_stream. A line
# of JSON for each goes to standard output.

PROGRAMS=$1
QUEUES=$2
read -r XDP_SECONDS TCP_SECONDS <<<"$3"
HOST=10.77.0.1
GUEST=10.77.0.2
PORT=7700
shift 3

network() {
	ip address add "$GUEST/24" dev eth0 &&
		ip link set eth0 up &&
		ethtool -L eth0 combined "$QUEUES" &&
		host_reached
}

host_reached() {
	local tries=30
	until ping -c 1 -W 2 "$HOST" >/dev/null 2>&1; do
		if [ $((tries--)) -eq 0 ]; then
			echo "the host does not answer" >&2
			return 1
		fi
		sleep 1
	done
}

# All that arrives is dropped before it is asked for: a guest that is flooded
# would not get to start a program
xdp_drop() {
	local size=$1 line
	coproc DROP { exec "$PROGRAMS/drop" eth0 "$XDP_SECONDS"; }
	exec {from}<&"${DROP[0]}"
	read -r line <&"$from" || return
	echo "start $size $QUEUES" >&"$HOST_FD"
	read -r line <&"$from"
	echo stop >&"$HOST_FD"
	wait "$DROP_PID" || return
	exec {from}<&-
	jq -c --arg test "xdp_drop/$size" '{test: $test, unit: "packets/s",
		value: (.packets / .ns * 1e9), packets, dropped}' <<<"$line"
}

tcp_stream() {
	iperf3 -c "$HOST" -R -P "$QUEUES" -t "$TCP_SECONDS" -J |
		jq -ce 'if .error then .error | halt_error else .end |
		{test: "tcp_stream", unit: "Mbit/s",
		 value: (.sum_received.bits_per_second / 1e6),
		 bytes: .sum_received.bytes,
		 retransmits: .sum_sent.retransmits} end'
}

network || exit
# one socket for all: the host listens to the first that it hears of
exec {HOST_FD}>"/dev/udp/$HOST/$PORT" || exit
for test in "$@"; do
	case $test in
	xdp_drop/*) xdp_drop "${test#*/}" || exit ;;
	tcp_stream) tcp_stream || exit ;;
	esac
done
