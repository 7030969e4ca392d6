# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Our driver alone, as a module for a kernel that is not of our making.

use deps fetch series

# module_source DIR: what the module is compiled from, in DIR
module_source() {
	local tmp
	new_tmp tmp
	series_files "" "$tmp" driver
	[ -f "$tmp/drivers/net/virtio_net.c" ] ||
		linux_source_files "$tmp" drivers/net/virtio_net.c
	mkdir -p "$1" || die "cannot write to $1"
	cp "$tmp"/drivers/net/virtio_net.c "$VNRX_ROOT/pkg/dkms/Kbuild" "$1/" ||
		die "cannot write to $1"
	[ ! -f "$tmp/drivers/net/virtio_net_rxbuf.h" ] ||
		cp "$tmp/drivers/net/virtio_net_rxbuf.h" "$1/"
}

# module_for DIR RELEASE: the module, built against the headers in DIR
module_for() {
	local headers=$1/usr/src/linux-headers-$2 cc series key
	module_compiler "$headers" "$2"
	cc=$REPLY
	into series series_hash driver
	key=$(printf '%s\n' "$series" "${1##*/}" "$("$cc" --version)" |
		hash_stdin)
	REPLY=$VNRX_CACHE/module/$key/virtio_net.ko
	with_lock "module-$key" module_build "$REPLY" "$headers"
}

# The one that the kernel was compiled with
module_compiler() {
	local cc
	cc=$(sed -n 's/^CONFIG_CC_VERSION_TEXT="\([^ ]*\) .*/\1/p' \
		"$1/.config")
	need_pkgs "the compiler of kernel $2" "${cc#x86_64-linux-gnu-}"
	REPLY=$cc
}

module_build() {
	local ko=$1 headers=$2 dir
	REPLY=$ko
	[ ! -f "$ko" ] || return 0
	new_tmp dir
	module_source "$dir/source"
	run_step "build our virtio_net.ko" \
		module_make "$headers" "$dir/source" || exit 1
	mkdir -p "${ko%/*}"
	mv "$dir/source/virtio_net.ko" "$ko.new" && mv "$ko.new" "$ko"
	REPLY=$ko
}

# The headers' own Makefile names its other half by an absolute path, so that
# is named here. No BTF: it would need pahole, and the vmlinux.
module_make() {
	make -C "$1" -f "${1%-cloud-amd64}-common/Makefile" M="$2" \
		CONFIG_DEBUG_INFO_BTF_MODULES= modules &&
		strip --strip-debug "$2/virtio_net.ko"
}
