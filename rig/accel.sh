# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# KVM or TCG? /dev/kvm may open and still run no guest, so ask a guest.

use deps fetch

VNRX_ACCEL=${VNRX_ACCEL:-}

accel_option() {
	[[ $1 == kvm || $1 == tcg ]] ||
		usage_die "--accel is kvm or tcg, not '$1'"
	VNRX_ACCEL=$1
}

# accel VAR [IMAGE]: what to use here; IMAGE is the kernel of the probe guest,
# without one Debian's cloud kernel is.
accel() { into "$1" accel_get "${2:-}"; }

accel_get() {
	local image=$1 cloud
	REPLY=${VNRX_ACCEL:-tcg}
	[ -z "$VNRX_ACCEL" ] || return 0
	as_root test -c /dev/kvm || return 0
	if [ -z "$image" ]; then
		cloud_kernel cloud
		image=$cloud/vmlinuz
	fi
	with_lock accel accel_cached "$image"
}

# The answer holds until the host or its QEMU changes
accel_cached() {
	local file
	file=$VNRX_CACHE/accel/$(
		{
			cat /proc/sys/kernel/random/boot_id
			qemu-system-x86_64 --version
		} | hash_stdin)
	if [ ! -s "$file" ]; then
		mkdir -p "$VNRX_CACHE/accel"
		accel_probe "$1" >"$file.new"
		mv "$file.new" "$file"
	fi
	REPLY=$(cat "$file")
}

# A kernel that gets as far as looking for its root file system has booted
accel_probe() {
	local log
	new_tmp log
	say "trying whether KVM runs a guest here"
	guard as_root timeout --foreground -k 1 8 \
		qemu-system-x86_64 -accel kvm -cpu host -m 256M -nodefaults \
		-display none -no-reboot -serial "file:$log/console" \
		-kernel "$1" -append "console=ttyS0 panic=-1 root=none" \
		</dev/null >/dev/null 2>&1
	if grep -qs 'Kernel panic - not syncing: VFS' "$log/console"; then
		echo kvm
	else
		say "KVM does not run a guest: using TCG"
		echo tcg
	fi
}
