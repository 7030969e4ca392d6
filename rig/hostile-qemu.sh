# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # options, guest, socket: hostile_device
#
# vnrx hostile in QEMU: the configurations called swiotlb. There the driver's
# memory is bounced, so that a sync that is missing or too short shows as wrong
# bytes, and the kernel has more to say than user-mode Linux can: kmemleak, page
# poisoning.

use deps run initramfs

# QEMU has the config space and the control queue itself
HOSTILE_NOT_OURS='^(feature|disconnect|before|config|changed|nag|refuse|lie)\b'
# Of big buffers that are bounced a queue posts few, 16 or more: these scripts
# take more before the driver knows of any
HOSTILE_NOT_BIG='/(interrupts-none|missing-completion|silence-full-ring'
HOSTILE_NOT_BIG+='|used-id-order)\.fault$'
# seconds for an answer of a debug kernel that is emulated; milliseconds
# without a packet after which none is under way any more
HOSTILE_QEMU_PATIENCE=300
HOSTILE_QEMU_SETTLE=60

is_hostile_qemu() { [[ $1 == */swiotlb/* ]]; }

# hostile_qemu_prepare KERNEL: leaves HOSTILE_BZIMAGE and HOSTILE_ACCEL behind
hostile_qemu_prepare() {
	need_pkgs "for a hostile device of QEMU" qemu-system-x86 cpio
	guest_defaults
	GUEST["flavour"]=debug
	into HOSTILE_BZIMAGE guest_image "$1"
	accel HOSTILE_ACCEL "$HOSTILE_BZIMAGE"
}

hostile_qemu_initrd() {
	initramfs_pack "$HOSTILE_TMP/root" "$HOSTILE_TMP/initrd"
}

# hostile_qemu_scripts CONFIG SCRIPT...: those for which QEMU is no hindrance
hostile_qemu_scripts() {
	grep -LE "$HOSTILE_NOT_OURS" "${@:2}" | if [[ $1 == big/* ]]; then
		grep -vE "$HOSTILE_NOT_BIG"
	else
		cat
	fi
}

# hostile_qemu_device CONFIG: adds to options and guest what QEMU needs
hostile_qemu_device() {
	# without MSI-X: QEMU 7.2 dies when that is enabled for vhost-user
	local props=iommu_platform=on,disable-legacy=on,mq=on,vectors=0,romfile=
	local args="console=ttyS0 panic=-1 loglevel=8 swiotlb=force"
	options+=(--patience "$HOSTILE_QEMU_PATIENCE")
	args+=" vnrx_tty=ttyS1 vnrx_settle=$HOSTILE_QEMU_SETTLE"
	[[ $1 != */packed ]] || props+=,packed=on
	[[ $1 == mergeable/* ]] || props+=,mrg_rxbuf=off
	# shellcheck disable=SC2054 # QEMU's commas
	guest=("$socket" qemu-system-x86_64 -accel "$HOSTILE_ACCEL"
		-machine q35,memory-backend=mem -m 1G -smp 1
		-object memory-backend-memfd,id=mem,size=1G,share=on
		-nodefaults -display none -no-reboot
		-chardev stdio,id=console,signal=off -serial chardev:console
		-chardev socket,id=tty,fd=3 -serial chardev:tty
		-chardev "socket,id=device,path=$socket"
		-netdev vhost-user,id=net,chardev=device,queues=2
		-device "virtio-net-pci,netdev=net,$props"
		-kernel "$HOSTILE_BZIMAGE" -initrd "$HOSTILE_TMP/initrd"
		-append "$args")
	[ "$HOSTILE_ACCEL" != kvm ] || guest+=(-cpu host)
}
