#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Process 1 of a guest that boots without vng, on the host's file system.
# Runs the script it is given and powers off. In a guest in a guest a program
# takes a second to start: hence one mount for all, and builtins.

SCRIPT=$1
OVERLAYS=(/etc /home /root /tmp /var)
export PATH=/usr/sbin:/usr/bin:/sbin:/bin

fstab() {
	local dir
	printf '%s\n' 'sys /sys sysfs
	dev /dev devtmpfs
	devpts /dev/pts devpts X-mount.mkdir
	shm /dev/shm tmpfs X-mount.mkdir
	debugfs /sys/kernel/debug debugfs
	tracefs /sys/kernel/tracing tracefs
	bpf /sys/fs/bpf bpf
	cgroup2 /sys/fs/cgroup cgroup2'
	for dir in "${OVERLAYS[@]}"; do
		echo "overlay $dir overlay" \
			"lowerdir=$dir,upperdir=/run$dir,workdir=/run$dir.work"
	done
}

# udev would do this
name_ports() {
	local port name
	mkdir -p /dev/virtio-ports
	for port in /sys/class/virtio-ports/*; do
		read -r name <"$port/name"
		ln -s "../${port##*/}" "/dev/virtio-ports/$name"
	done
	ln -s virtio-ports/vnrx.devstdout /dev/stdout
	ln -s /proc/self/fd /dev/fd
}

mount -t proc proc /proc
mount -t tmpfs run /run
up=("${OVERLAYS[@]/#//run}")
mkdir "${up[@]}" "${up[@]/%/.work}"
fstab >/run/fstab
mount -T /run/fstab -a
name_ports
ip link set lo up
setsid bash "$SCRIPT" </dev/null >/dev/virtio-ports/vnrx.stdout
echo o >/proc/sysrq-trigger
sleep 60
