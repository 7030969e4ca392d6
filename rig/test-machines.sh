# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2153 # names set through "into" and the like
#
# The unit tests on machines that x86-64 is not: pages of 16 and 64 KB, 32 bits
# with DMA addresses of 64, cache lines of 256 bytes and the other byte order.
# The kernel is compiled for each, and a processor emulated.

use deps static

machines_groups() {
	local name
	for name in arm64-{4,16,64}k i386-pae s390x; do
		group "machines/$name" machines_kunit "$name"
	done
}

machines_prepare() {
	need_pkgs "for tests on other machines" gcc-aarch64-linux-gnu \
		gcc-s390x-linux-gnu qemu-system-arm qemu-system-x86 \
		qemu-system-misc
}

# machine NAME: sets its ARCH, TOOLS, IMAGE, CONSOLE, QEMU and SYMBOLS
machine() {
	case $1 in
	arm64-*)
		local kb=${1#arm64-}
		ARCH=arm64 TOOLS=aarch64-linux-gnu- IMAGE=Image
		CONSOLE=ttyAMA0
		QEMU=(qemu-system-aarch64 -machine virt -cpu max)
		SYMBOLS=(SERIAL_AMBA_PL011 SERIAL_AMBA_PL011_CONSOLE
			VIRTIO_MMIO "ARM64_${kb^^}_PAGES")
		;;
	i386-pae)
		ARCH=i386 TOOLS='' IMAGE=bzImage CONSOLE=ttyS0
		QEMU=(qemu-system-i386 -cpu max)
		SYMBOLS=(SERIAL_8250 SERIAL_8250_CONSOLE M686 HIGHMEM64G PCI
			VIRTIO_PCI)
		;;
	s390x)
		ARCH=s390 TOOLS=s390x-linux-gnu- IMAGE=bzImage
		CONSOLE=ttysclp0
		QEMU=(qemu-system-s390x -machine s390-ccw-virtio -cpu max)
		SYMBOLS=(SCLP_VT220_TTY SCLP_VT220_CONSOLE S390_GUEST)
		;;
	esac
}

# machines_kunit NAME
machines_kunit() {
	local key ARCH TOOLS IMAGE CONSOLE QEMU SYMBOLS
	machine "$1"
	DIR=$STATIC_CACHE/machine-$1
	CONFIG=$DIR/config
	MAKE=(make -s -C "$DIR/tree" "O=$DIR/obj" "ARCH=$ARCH"
		"CROSS_COMPILE=$TOOLS" "-j$(nproc)")
	key=$({
		static_git rev-parse "$STATIC_TIP^{tree}"
		"${TOOLS}gcc" --version
		cat "$VNRX_ROOT/configs/machines.config" \
			"$VNRX_ROOT"/rig/{static,test-machines}.sh
	} | hash_stdin)
	mkdir -p "$DIR"
	{
		cat "$VNRX_ROOT/configs/machines.config"
		printf 'CONFIG_%s=y\n' "${SYMBOLS[@]}"
	} >"$CONFIG.new"
	# its time says whether there is something to configure
	cmp -s "$CONFIG.new" "$CONFIG" || mv "$CONFIG.new" "$CONFIG"
	with_lock "machine-$1" check_once "machine-$1-$key" \
		"unit tests pass on $1" machine_run
}

machine_run() {
	static_tree
	static_checkout "$STATIC_TIP" && static_configure || return
	"${MAKE[@]}" "$IMAGE" || return
	# to reboot is what each can, and ends QEMU
	timeout 300 "${QEMU[@]}" -m 1G -nodefaults -no-user-config \
		-display none -no-reboot -serial stdio \
		-kernel "$DIR/obj/arch/$(machine_dir)/boot/$IMAGE" \
		-append "console=$CONSOLE panic=-1 kunit.enable=1
			kunit.filter_glob=virtio_net* kunit_shutdown=reboot" \
		>"$UNIT/kunit" 2>&1 </dev/null
	cat "$UNIT/kunit"
	kunit_passed "$UNIT/kunit"
}

machine_dir() { [ "$ARCH" = i386 ] && echo x86 || echo "$ARCH"; }
