#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A Debian machine for the tests of the DKMS package: this one, with all that
# is written kept in memory, and another kernel installed. As root, in a mount
# namespace of its own:
#	dkms-root.sh CLOUD DEB OUT
# CLOUD is an unpacked cloud kernel with headers. Leaves in OUT the module that
# the package has built, what dpkg said, and facts, one NAME=VALUE a line.

set -eu
CLOUD=$1 DEB=$2 OUT=$3
REL=$(cat "$CLOUD/release")
KBUILD=usr/lib/linux-kbuild-${REL%-cloud-amd64}
OLD=6.1.0-1-amd64
BARE=6.12.200+deb12-amd64
TMP=$(mktemp -d)
ROOT=$TMP/root

# overlay LOWER MOUNTPOINT
overlay() {
	local name=$TMP/layer-${2//\//-}
	mkdir -p "$name/upper" "$name/work" "$2"
	mount -t overlay overlay -o \
		"lowerdir=$1,upperdir=$name/upper,workdir=$name/work" "$2"
}

# Only the kernels of the test, each as far as the package looks at it
kernels() {
	mkdir -p "$ROOT/lib/modules"
	mount -t tmpfs tmpfs "$ROOT/lib/modules"
	mount -t tmpfs tmpfs "$ROOT/boot"
	overlay "$CLOUD/lib/modules/$REL" "$ROOT/lib/modules/$REL"
	overlay "$CLOUD/usr/src" "$ROOT/usr/src"
	mkdir -p "$ROOT/$KBUILD"
	mount --bind "$CLOUD/$KBUILD" "$ROOT/$KBUILD"
	ln -sfn "/usr/src/linux-headers-$REL" \
		"$ROOT/lib/modules/$REL/build"
	mkdir -p "$ROOT/lib/modules/$OLD/build/include" \
		"$ROOT/lib/modules/$OLD/kernel" \
		"$ROOT/lib/modules/$BARE/kernel"
	touch "$ROOT/boot/initrd.img-$REL" "$ROOT/boot/initrd.img-$OLD"
	depmod -b "$ROOT" "$REL"
}

machine() {
	mount -t tmpfs tmpfs "$TMP"
	overlay / "$ROOT"
	mount -t proc proc "$ROOT/proc"
	mount --bind /dev "$ROOT/dev"
	mount -t tmpfs tmpfs "$ROOT/tmp"
	mount -t tmpfs tmpfs "$ROOT/var/lib/dkms"
	kernels
	# the real one would take minutes; which kernels it is called for counts
	# shellcheck disable=SC2016 # for the other shell
	printf '#!/bin/sh\necho "$3" >>/initrds\n' \
		>"$ROOT/usr/sbin/update-initramfs"
	chmod +x "$ROOT/usr/sbin/update-initramfs"
	cp "$DEB" "$ROOT/package.deb"
}

inside() { chroot "$ROOT" "$@"; }

# facts WHEN
facts() {
	echo "$1-module=$(inside modinfo -k "$REL" -n virtio_net)"
	echo "$1-srcversion=$(inside modinfo -k "$REL" -F srcversion virtio_net)"
	echo "$1-status=$(inside dkms status vnrx-virtio-net | tr '\n' ' ')"
	echo "$1-initrds=$(tr '\n' ' ' <"$ROOT/initrds" 2>/dev/null)"
	rm -f "$ROOT/initrds"
}

module_out() {
	cp "$ROOT/lib/modules/$REL/updates/dkms/"virtio_net.ko* "$OUT/"
	echo "version=$(modinfo -F version "$OUT"/virtio_net.ko*)"
	echo "signer=$(modinfo -F signer "$OUT"/virtio_net.ko*)"
}

mount --make-rprivate /
machine
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
{
	echo "release=$REL"
	facts before
	inside dpkg -i /package.deb >"$OUT/install.log" 2>&1
	facts installed
	module_out
	inside dpkg -r vnrx-virtio-net-dkms >"$OUT/remove.log" 2>&1
	facts removed
} >"$OUT/facts"
