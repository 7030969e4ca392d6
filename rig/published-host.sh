#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The host's side of ./vnrx bench published/*, in the namespace of the tap.
# Sends what the guest asks for: "start SIZE QUEUES" makes pktgen flood the tap
# until "stop". Datagrams, because a guest that drops all it receives can still
# send them. It is an iperf3 server as well.

TAP=vnrx0
MAC=52:54:00:00:77:02
HOST=10.77.0.1
GUEST=10.77.0.2
PORT=7700
PKTGEN=/proc/net/pktgen

pktgen_here() {
	[ -e "$PKTGEN/pgctrl" ] || modprobe pktgen
	[ -e "$PKTGEN/pgctrl" ] && return
	echo "no pktgen in this kernel" >&2
	return 1
}

# pktgen_set FILE LINE...
pktgen_set() {
	local file=$1 line
	shift
	for line in "$@"; do
		echo "$line" >"$PKTGEN/$file" || return
	done
}

# pktgen_thread N OF SIZE QUEUES: one for each processor, with its share of the
# tap's queues in turns
pktgen_thread() {
	local dev=$TAP@$1
	pktgen_set "kpktgend_$1" rem_device_all "add_device $dev" &&
		pktgen_set "$dev" "count 0" "pkt_size $3" "delay 0" \
			"src_min $HOST" "dst $GUEST" "dst_mac $MAC" \
			"queue_map_min $(($1 * $4 / $2))" \
			"queue_map_max $((($1 + 1) * $4 / $2 - 1))"
}

# flood_start SIZE QUEUES. Writing "start" ends at a signal, with the threads.
flood_start() {
	local threads n
	pktgen_here || return
	threads=$(nproc)
	[ "$threads" -le "$2" ] || threads=$2
	for ((n = 0; n < threads; n++)); do
		pktgen_thread "$n" "$threads" "$1" "$2" || return
	done
	sh -c "echo start >$PKTGEN/pgctrl" &
	FLOOD=$!
}

flood_stop() {
	[ -n "$FLOOD" ] || return
	kill "$FLOOD"
	wait "$FLOOD"
	pktgen_set pgctrl stop
	FLOOD=
}

FLOOD=
iperf3 -s >/dev/null &
nc.openbsd -u -l "$PORT" </dev/null | while read -r request size queues; do
	case $request in
	start) flood_start "$size" "$queues" ;;
	stop) flood_stop ;;
	*) echo "what is '$request'?" >&2 ;;
	esac
done
