#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Process 1 of a guest that boots without vng, on the host's file system.
# Runs the script it is given and powers off.

SCRIPT=$1
export PATH=/usr/sbin:/usr/bin:/sbin:/bin

mount_all() {
	mount -t proc proc /proc
	mount -t sysfs sys /sys
	mount -t devtmpfs dev /dev
	mkdir -p /dev/pts /dev/shm
	mount -t devpts devpts /dev/pts
	mount -t tmpfs tmpfs /dev/shm
	mount -t tmpfs run /run
	mount -t debugfs debugfs /sys/kernel/debug
	mount -t tracefs tracefs /sys/kernel/tracing
	mount -t bpf bpf /sys/fs/bpf
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
}

# Writable for the guest alone
overlay() {
	local up=/run/overlay$1
	mkdir -p "$up/upper" "$up/work"
	mount -t overlay -o "lowerdir=$1,upperdir=$up/upper,workdir=$up/work" \
		overlay "$1"
}

# udev would do this
name_ports() {
	local port
	mkdir -p /dev/virtio-ports
	for port in /sys/class/virtio-ports/*; do
		ln -s "../${port##*/}" "/dev/virtio-ports/$(cat "$port/name")"
	done
	ln -s /proc/self/fd /dev/fd
	ln -s virtio-ports/vnrx.devstdout /dev/stdout
}

mount_all
for dir in /etc /home /opt /root /srv /tmp /usr /var; do
	overlay "$dir"
done
name_ports
ip link set lo up
setsid bash "$SCRIPT" </dev/null >/dev/virtio-ports/vnrx.stdout
sync
echo o >/proc/sysrq-trigger
sleep 60
