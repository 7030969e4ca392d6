# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2153 # names set through "into" and the like
#
# The unit tests with pages that x86 does not have: in an emulated arm64, the
# layer that owns buffers is compiled for pages of 16 and 64 KB and takes them
# from page pools of these.

use deps static

pages_groups() {
	local size
	for size in 4 16 64; do
		group "pages/${size}k" pages_kunit "$size"
	done
}

pages_prepare() {
	need_pkgs "for tests with large pages" gcc-aarch64-linux-gnu \
		qemu-system-arm
}

# pages_kunit KB
pages_kunit() {
	local key fragment=$VNRX_ROOT/configs/pages.config
	DIR=$STATIC_CACHE/pages-$1
	CONFIG=$DIR/config
	MAKE=(make -s -C "$DIR/tree" "O=$DIR/obj" ARCH=arm64
		CROSS_COMPILE=aarch64-linux-gnu- "-j$(nproc)")
	key=$({
		static_git rev-parse "$STATIC_TIP^{tree}"
		aarch64-linux-gnu-gcc --version
		cat "$fragment" "$VNRX_ROOT"/rig/{static,test-pages}.sh
	} | hash_stdin)
	mkdir -p "$DIR"
	{
		cat "$fragment"
		echo "CONFIG_ARM64_${1}K_PAGES=y"
	} >"$CONFIG.new"
	# its time says whether there is something to configure
	cmp -s "$CONFIG.new" "$CONFIG" || mv "$CONFIG.new" "$CONFIG"
	with_lock "pages-$1" check_once "pages-$1-$key" \
		"unit tests pass with pages of $1 KB" pages_run "$1"
}

pages_run() {
	static_tree
	static_checkout "$STATIC_TIP" && static_configure || return
	"${MAKE[@]}" Image || return
	timeout 300 qemu-system-aarch64 -machine virt -cpu max -m 1G \
		-nodefaults -no-user-config -display none -no-reboot \
		-serial stdio -kernel "$DIR/obj/arch/arm64/boot/Image" \
		-append "console=ttyAMA0 panic=-1 kunit.enable=1
			kunit.filter_glob=virtio_net* kunit_shutdown=poweroff" \
		>"$UNIT/kunit" 2>&1 </dev/null
	cat "$UNIT/kunit"
	kunit_passed "$UNIT/kunit"
}
