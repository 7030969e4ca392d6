#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
#
# /init of the demo's guest: loads the driver, runs the tests, and reports
# one JSON object a line on the virtio port "vnrx". Runs on busybox. What
# the host wants of it is on the kernel's command line: vnrx_module,
# vnrx_host, vnrx_guest, vnrx_prefix arrive in the environment.

export PATH=/bin
: "${vnrx_module:=}" "${vnrx_host:=}" "${vnrx_guest:=}" "${vnrx_prefix:=}"
DEV=

emit() { printf '%s\n' "$*" >&3; }

# Text that may stand between the quotes of a JSON string
plain() { tr -c "[:alnum:] '!#-/:-@[]^_{|}~" ' ' | tail -c 400; }

leave() {
	emit '{"event":"end"}'
	exec 3>&-
	exec poweroff -f
}

# Nothing further can be measured in this boot
give_up() {
	emit "{\"event\":\"fatal\",\"reason\":\"$(echo "$*" | plain)\"}"
	leave
}

failed() {
	emit "{\"event\":\"failed\",\"test\":\"$1\"," \
		"\"reason\":\"$(echo "$2" | plain)\"}"
}

mounts() {
	/bin/busybox --install -s /bin
	mount -t proc proc /proc
	mount -t sysfs sys /sys
	mount -t devtmpfs dev /dev
}

# Without the port nobody would learn anything: say it on the console, end
port_open() {
	local dir tries=50
	while [ $((tries -= 1)) -gt 0 ]; do
		for dir in /sys/class/virtio-ports/*; do
			[ "$(cat "$dir/name" 2>/dev/null)" = vnrx ] || continue
			exec 3>"/dev/${dir##*/}" && return
		done
		sleep 0.1
	done
	echo "no virtio port to report on: is CONFIG_VIRTIO_CONSOLE off?"
	exec poweroff -f
}

# modules/common and modules/$vnrx_module hold files in the order to load
modules_load() {
	local file out
	for file in /modules/common/*.ko "/modules/$vnrx_module"/*.ko; do
		[ -f "$file" ] || continue
		out=$(insmod "$file" 2>&1) ||
			give_up "insmod ${file##*/}: $out $(dmesg | tail -n 1)"
	done
}

device_find() {
	local dir
	for dir in /sys/class/net/*; do
		[ "$(readlink -f "$dir/device/driver")" = \
			/sys/bus/virtio/drivers/virtio_net ] || continue
		DEV=${dir##*/}
		return
	done
	give_up "no network device of virtio_net"
}

# step TEST CMD...: the program's JSON lines go out as they come
step() {
	local test=$1
	shift
	"$@" >&3 2>/tmp/err || failed "$test" "$(cat /tmp/err)"
}

# The kernel's own driver has no version
driver_tell() {
	emit "{\"event\":\"driver\",\"version\":\"$(
		cat /sys/module/virtio_net/version 2>/dev/null)\"}"
}

network_up() {
	sysctl -qw "net.ipv6.conf.$DEV.disable_ipv6=1" 2>/dev/null
	ip address add "$vnrx_guest/$vnrx_prefix" dev "$DEV" ||
		give_up "no address on $DEV"
	sink up "$DEV" >&3 2>/tmp/err || give_up "$(cat /tmp/err)"
	ping -c 1 -w 5 "$vnrx_host" >/dev/null ||
		give_up "the host does not answer a ping"
}

rx_packets() { cat "/sys/class/net/$DEV/statistics/rx_packets"; }

# iperf_step in|out OPTION...: "packets" is what the device delivered
iperf_step() {
	local way=$1 before
	shift
	before=$(rx_packets)
	if iperf3 -J -i 0.5 -c "$vnrx_host" "$@" \
		>/tmp/iperf 2>/tmp/err; then
		emit "{\"event\":\"iperf\",\"way\":\"$way\",\"packets\":" \
			"$(($(rx_packets) - before)),\"report\":" \
			"$(tr -d '\n\t' </tmp/iperf)}"
	else
		failed tcp "iperf3 $way: $(grep '"error"' /tmp/iperf)
			$(cat /tmp/err)"
	fi
}

# On the guest's one processor a flood's softirqs would starve whoever reads
# the socket. As a thread, NAPI shares the processor with it.
napi_threaded() {
	echo 1 >"/sys/class/net/$DEV/threaded" ||
		failed udp "the kernel has no threaded NAPI"
}

# Oopses and warnings are failures even if all traffic arrived
health() {
	local flags
	flags=$(cat /proc/sys/kernel/tainted)
	[ $((flags & (1 << 5 | 1 << 7 | 1 << 9 | 1 << 14))) -ne 0 ] || return 0
	emit "{\"event\":\"sick\",\"reason\":\"$(dmesg |
		grep -E 'BUG|WARNING|Oops|Bad page|lockup' | head -n 3 | plain)\"}"
}

mounts
port_open
emit "{\"event\":\"boot\",\"release\":\"$(uname -r)\"}"
modules_load
device_find
driver_tell
network_up
step tcp sink tcp "$DEV" "$vnrx_host"
iperf_step in -t 2 -R
iperf_step out -t 1
step xdp_drop sink xdp "$DEV"
napi_threaded
step udp sink udp "$DEV"
health
leave
