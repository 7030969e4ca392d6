# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Small initramfs images for any kernel: busybox, programs with their
# libraries, modules. A directory is filled with initramfs_add_*, then packed.

use deps

# initramfs_new DIR INIT: what every image has
initramfs_new() {
	need_pkgs "for the guest's initramfs" busybox-static cpio kmod \
		xz-utils zstd
	mkdir -p "$1"/{bin,bench,dev,proc,sys,tmp,modules}
	install -m 755 "$(command -v busybox)" "$1/bin/busybox"
	ln -s busybox "$1/bin/sh"
	install -m 755 "$2" "$1/init"
}

# initramfs_add_program DIR PROGRAM...: names or paths; with the libraries that
# they are linked to
initramfs_add_program() {
	local dir=$1 name path
	shift
	for name in "$@"; do
		path=$(command -v "$name") || die "no program $name here"
		install -m 755 -D "$path" "$dir/bin/${path##*/}"
		ldd "$path" 2>/dev/null | grep -o '/[^ ]*' |
			while read -r path; do
				install -m 755 -D "$path" "$dir$path"
			done
	done
	initramfs_add_libgcc "$dir"
}

# The C library loads it when a thread is cancelled: ldd does not know
initramfs_add_libgcc() {
	local path
	path=$(ldconfig -p | sed -n 's/.*libgcc_s\.so\.1 .*x86-64.*=> //p' |
		head -n 1)
	[ -z "$path" ] || install -m 755 -D "$path" "$1$path"
}

# initramfs_add_modules DIR SET MODULES NAME...: modules below MODULES with
# all that they depend on, numbered in the order in which SET is to be loaded
initramfs_add_modules() {
	local dir=$1/modules/$2 from=$3 name
	mkdir -p "$dir"
	shift 3
	for name in "$@"; do
		module_add "$dir" "$from" "$name"
	done
}

# A replacement for one of them, with what it depends on from MODULES
initramfs_add_module_file() {
	local dir=$1/modules/$2 from=$3 name
	mkdir -p "$dir"
	for name in $(module_depends "$4"); do
		module_add "$dir" "$from" "$name"
	done
	module_store "$dir" "$4"
}

module_add() {
	local dir=$1 from=$2 file name
	into file module_find "$from" "$3"
	[ -n "$file" ] || return 0
	for name in $(module_depends "$file"); do
		module_add "$dir" "$from" "$name"
	done
	module_store "$dir" "$file"
}

# Leaves nothing in REPLY for what is not there: built in, or the guest will
# say what it misses
module_find() {
	REPLY=$(find "$1/" -name "${2//[-_]/[-_]}.ko*" -print -quit)
}

module_depends() { modinfo -F depends "$1" | tr , ' '; }

# Uncompressed: not every kernel can unpack modules itself
module_store() {
	local base=${2##*/} number
	base=${base%.ko*}.ko
	[ -z "$(find "$1" -name "[0-9]*-$base")" ] || return 0
	number=$(find "$1" -name '*.ko' | wc -l)
	printf -v number '%02d' "$number"
	case $2 in
	*.xz) xz -dc "$2" ;;
	*.zst) zstd -dcq "$2" ;;
	*.gz) gzip -dc "$2" ;;
	*) cat "$2" ;;
	esac >"$1/$number-$base"
}

# initramfs_pack DIR OUT: not compressed, any kernel can read that
initramfs_pack() {
	(cd "$1" && find . | sort | cpio -o -H newc -R 0:0 --quiet) >"$2" ||
		die "cannot write $2"
}
