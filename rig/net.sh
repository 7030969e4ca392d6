# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# A network namespace per run, in which taps, bridges and QEMU live.
#
# The namespace has no name and no mount: it is held by one process and is
# gone, with all in it, when that and the guests have ended. It comes with a
# mount namespace, so that /sys shows its interfaces.

use deps

NET_PID=
NET_HOST4=10.77.0.1
# shellcheck disable=SC2034
NET_GUEST4=10.77.0.2

# net_up: makes the namespace; net_exec and the like work in the last one made
net_up() {
	local dir holder
	need_pkgs "for the guest's network" iproute2
	root_ready "a network namespace"
	new_tmp dir
	job_start as_root unshare --net --mount sh -c "$(net_holder)" sh \
		"$dir/pid" $$ 2>"$dir/err"
	holder=$REPLY
	net_wait "$dir/pid" "$dir/err"
	NET_PID=$(cat "$dir/pid")
	cleanup_push net_down "$(as_root readlink "/proc/$NET_PID/ns/net")"
	# net_down is to end the holder, not job_kill before it: once nobody is
	# in the namespace, its number may be that of another vnrx's
	unset "JOBS[$holder]"
	net_exec ip link set lo up
}

# Ends by itself when vnrx is gone without having cleaned up
net_holder() {
	cat <<-'EOF'
	mount -t sysfs sysfs /sys || exit
	echo $$ >"$1.new" && mv "$1.new" "$1"
	exec tail --pid="$2" -f /dev/null
	EOF
}

net_wait() {
	local tries=100
	while [ ! -e "$1" ]; do
		[ $((tries--)) -gt 0 ] ||
			die "cannot make a network namespace (in a container?)" \
				"$(tail -n 1 "$2")"
		sleep 0.05
	done
}

# net_down NS: whatever still runs there is ours
net_down() {
	local pid
	for pid in $(net_pids "$1"); do
		root_kill KILL "$pid"
	done
}

net_pids() {
	local name=${1//[/\\[}
	as_root find /proc -maxdepth 3 -path '/proc/[0-9]*/ns/net' \
		-lname "${name//]/\\]}" 2>/dev/null | cut -d/ -f3
}

# net_exec CMD ARGS...: as root in the namespace
net_exec() {
	as_root nsenter -t "$NET_PID" --net --mount --wd="$PWD" -- "$@"
}

# net_tap NAME [QUEUES [MTU]]: with vnet_hdr, so that GSO and checksum
# offloads stay on; the number of queues must be the one QEMU will ask for
net_tap() {
	local name=$1 queues=${2:-1} mtu=${3:-}
	local flags=(vnet_hdr)
	[ -e /dev/net/tun ] || as_root modprobe tun 2>/dev/null
	[ "$queues" -le 1 ] || flags+=(multi_queue)
	net_exec ip tuntap add dev "$name" mode tap "${flags[@]}" ||
		die "cannot make a tap: no /dev/net/tun?"
	net_mtu "$name" "$mtu"
	net_exec ip link set "$name" up
}

net_mtu() {
	[ -n "$2" ] || return 0
	net_exec ip link set "$1" mtu "$2" || die "no MTU of $2 on $1"
}

# net_bridge NAME TAP...: forwards at once, adds no traffic of its own
net_bridge() {
	local bridge=$1 tap
	shift
	net_exec ip link add "$bridge" type bridge \
		forward_delay 0 stp_state 0 mcast_snooping 0 ||
		die "cannot make a bridge: modprobe bridge"
	net_exec ip link set "$bridge" addrgenmode none
	for tap in "$@"; do
		net_exec ip link set "$tap" master "$bridge"
	done
	net_exec ip link set "$bridge" up
}

# net_address NAME: the host's side of a guest with one NIC
net_address() {
	net_exec ip address add "$NET_HOST4/24" dev "$1"
}

# Properties of QEMU's NIC for a guest that gets no packet larger than a frame
net_no_gso() {
	local name names=()
	for name in $(qemu-system-x86_64 -device virtio-net-pci,help |
		grep -oE 'guest_(tso[46]|ecn|ufo|uso[46])'); do
		names+=("$name=off")
	done
	local IFS=,
	REPLY="${names[*]}"
}
