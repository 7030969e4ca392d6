# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2153 # names set through "into" and the like
#
# Tests of the DKMS package, as a machine with Debian's cloud kernel has it:
# installed, its module booted by that very kernel, removed.

use dkms fetch

dkms_groups() {
	group dkms/package dkms_test
}

dkms_test_prepare() {
	need_pkgs "for the test of the DKMS package" lintian dkms openssl kmod
	root_ready "the test of the DKMS package (mount namespace)"
	cloud_kernel DKMS_CLOUD
	into DKMS_REL cat_reply "$DKMS_CLOUD/release"
	module_compiler "$DKMS_CLOUD/usr/src/linux-headers-$DKMS_REL" \
		"$DKMS_REL"
	into DKMS_DEB dkms_package "$TEST_TMP/dkms"
}

cat_reply() { REPLY=$(cat "$1"); }

dkms_test() {
	local lib=/lib/modules/$DKMS_REL version
	into version dkms_version
	check "lintian has nothing to say" dkms_lintian
	check "a machine installs and removes it" dkms_machine || return
	check "before: the kernel's own module" \
		dkms_fact before-module "$lib/kernel/drivers/net/*"
	check "installed: ours has precedence" \
		dkms_fact installed-module "$lib/updates/dkms/*"
	check "installed: of this version" \
		dkms_fact version "$version"
	check "installed: signed with the machine's key" \
		dkms_fact signer "DKMS module signing key"
	check "installed: in the initramfs" \
		dkms_fact installed-initrds "$DKMS_REL "
	check "installed: says why other kernels keep theirs" dkms_refused
	check "removed: the kernel's own module again" \
		dkms_fact removed-module "$lib/kernel/drivers/net/*"
	check "removed: out of the initramfs" \
		dkms_fact removed-initrds "$DKMS_REL "
	check "removed: DKMS has forgotten it" dkms_fact removed-status ""
	check "the unmodified kernel moves verified traffic with it" dkms_boot
}

dkms_lintian() {
	local said
	said=$(lintian --allow-root "$DKMS_DEB" 2>&1)
	printf '%s\n' "$said"
	[ -z "$said" ]
}

dkms_machine() {
	local out=$UNIT/machine rc=0
	grep -qw overlay /proc/filesystems ||
		as_root modprobe overlay 2>/dev/null || {
		echo "this machine's kernel has no overlayfs"
		return 4
	}
	mkdir "$out"
	as_root unshare --mount bash "$VNRX_ROOT/rig/guest/dkms-root.sh" \
		"$DKMS_CLOUD" "$DKMS_DEB" "$out" || rc=$?
	tail -n 30 "$out"/*.log "$out/facts"
	return "$rc"
}

# dkms_fact NAME PATTERN
dkms_fact() {
	local value
	value=$(sed -n "s/^$1=//p" "$UNIT/machine/facts")
	echo "$1 is '$value', wanted: '$2'"
	# shellcheck disable=SC2053 # a pattern
	[[ $value == $2 ]]
}

dkms_refused() {
	local log=$UNIT/machine/install.log
	grep -q '6\.1\.0-1-amd64 keeps its driver: the module is for' "$log" &&
		grep -q '6\.12\.200.* keeps its driver: its headers' "$log"
}

# In a copy of this repository: the demo writes to its own
dkms_boot() {
	local copy=$UNIT/repo
	house_copy "$copy" || return
	timeout 300 "$copy/vnrx" --cache "$VNRX_CACHE" demo \
		--module "$UNIT/machine"/virtio_net.ko* \
		--only 'patched/mergeable/premapped' || return
	jq -e --arg version "$(dkms_version && echo "$REPLY")" \
		'[.rows[].driver_version] | unique == [$version]' \
		"$copy/out/demo.json"
}
