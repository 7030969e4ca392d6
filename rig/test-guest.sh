# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Tests in guests. Each guest is a group: one boot of the patched kernel in one
# configuration, in which rig/guest/test-*.sh makes all the checks it can.

use deps fetch run initramfs selftest

guest_groups() {
	local mode
	# the slowest first: they decide when all is done
	for mode in small mergeable; do
		group "guest/$mode-iommu-swiotlb" guest_nics "$mode" on off \
			swiotlb=force
		group "guest/$mode-iommu" guest_nics "$mode" on off
		group "guest/$mode" guest_nics "$mode" off off
	done
	group guest/mergeable-packed guest_nics mergeable on on
	group guest/big guest_nics big off off
	group guest/big-packed guest_nics big on on
	group guest/big-iommu-swiotlb guest_nics big on off swiotlb=force
	group guest/mergeable-suspend guest_suspend mergeable
	group guest/small-suspend guest_suspend small
	group guest/basic_features guest_selftest \
		drivers/net/virtio_net basic_features.sh
}

# What the debug kernel has to say: a tenth of the speed
debug_groups() {
	local mode
	for mode in mergeable small; do
		group "debug/$mode" guest_debug "$mode" off off
		group "debug/$mode-iommu" guest_debug "$mode" on off
	done
	group debug/mergeable-packed guest_debug mergeable on on
	group debug/mergeable-iommu-swiotlb guest_debug mergeable on off \
		swiotlb=force
	group debug/big guest_debug big off off
	group debug/big-packed guest_debug big on on
}

# A kernel that can be preempted anywhere, with lockdep
rt_groups() {
	group rt/mergeable-iommu guest_rt mergeable on off
	group rt/small guest_rt small off off
	group rt/big guest_rt big off off
}

# Leaves the image behind
debug_prepare() { kernel_image debug patched DEBUG_IMAGE; }

# Leaves the image behind
rt_prepare() { kernel_image rt patched RT_IMAGE; }

# guest_debug MODE IOMMU PACKED [KERNEL-ARGS]
guest_debug() { guest_slow "$DEBUG_IMAGE" "$@"; }

# guest_rt MODE IOMMU PACKED [KERNEL-ARGS]
guest_rt() { guest_slow "$RT_IMAGE" "$@"; }

# guest_slow IMAGE MODE IOMMU PACKED [KERNEL-ARGS]
guest_slow() {
	# shellcheck disable=SC2034 # for guest_vnrx
	local GUEST_SECONDS=5400 GUEST_IMAGE=$1
	local TEST_ARGS=("${TEST_ARGS[@]}" --kernel "$1" --memory 3G)
	shift
	guest_nics "$@"
}

# Leaves the image and the programs behind
guest_tests_prepare() {
	need_pkgs "for tests in guests" qemu-system-x86 iproute2 ethtool \
		iputils-ping procps jq busybox-static cpio kmod xz-utils zstd
	root_ready "tests in guests"
	guest_defaults
	# shellcheck disable=SC2034 # read by guest_prepare
	GUEST["kernel"]=$TEST_KERNEL
	guest_prepare
	TEST_ARGS=(--kernel "$GUEST_IMAGE" --accel "$GUEST_ACCEL" --net pair)
	into TEST_BIN test_programs
}

# Also leaves the kernel source that they belong to in TEST_SRC
test_programs() {
	local key suite=$VNRX_ROOT/$SELFTEST_DIR/virtio_net
	need_pkgs "for the programs of the tests" gcc clang make libbpf-dev \
		libelf-dev zlib1g-dev
	linux_source TEST_SRC
	key=$(hash_files "$VNRX_ROOT"/{test,bench}/Makefile \
		"$VNRX_ROOT"/{test/*.c,bench/*.[ch]} "$suite"/*.[ch] \
		"$TEST_SRC/tools/testing/selftests/kselftest.h")
	REPLY=$VNRX_CACHE/test/$key
	with_lock "test-$key" build_once "$REPLY" "the programs of the tests" \
		test_programs_make
}

test_programs_make() {
	make -C "$VNRX_ROOT/test" "O=$1" "LINUX=$TEST_SRC"
}

# guest_nics MODE IOMMU PACKED [KERNEL-ARGS]
guest_nics() {
	local no_gso args=(--iommu "$2" --packed "$3" --append "${4:-quiet}")
	# with twice as many queues as processors, XDP has its own to send from
	args+=(--queues "$([ "$2" = on ] && echo 2 || echo 4)")
	[ "$1" = mergeable ] || args+=(--mrg_rxbuf off)
	# with any of these the driver would want big packets
	into no_gso net_no_gso
	[ "$1" != small ] || args+=(--nic "$no_gso")
	guest_report "${args[@]}" -- bash "$VNRX_ROOT/rig/guest/test-nics.sh" \
		"$TEST_BIN" "$1" "$2" "$3" "${GUEST_IMAGE%/*}"
}

# guest_report ARGS...: a guest that reports on its standard output
guest_report() {
	guest_vnrx "$@" >"$UNIT/said" 2>"$UNIT/console"
	# an emulated guest with two processors sometimes dies of an int3 that
	# the kernel puts into its own code while it boots: once is not ours
	if ! grep -q '^result' "$UNIT/said" &&
		grep -q 'Oops: int3' "$UNIT/console"; then
		guest_vnrx "$@" >"$UNIT/said" 2>"$UNIT/console"
	fi
	guest_results
}

# Turns what the guest has said into results; that it said nothing into one
guest_results() {
	local word status name log=$UNIT/detail
	: >"$log"
	while read -r word status name; do
		case $word in
		log) echo "$status $name" >>"$log" ;;
		result) guest_result "$status" "$name" ;;
		end) return ;;
		esac
	done <"$UNIT/said"
	cat "$UNIT/said" "$UNIT/console" >"$log"
	# what a reader of the last lines wants to see first
	grep -E 'vnrx:|BUG|panic|Oops|RIP: 0010' "$UNIT/console" >>"$log"
	result fail "the guest runs to its end" "$log"
}

# A vnrx of its own: it cleans up after itself whatever becomes of the guest
guest_vnrx() {
	"$VNRX_ROOT/vnrx" --cache "$VNRX_CACHE" run "${TEST_ARGS[@]}" \
		--timeout "${GUEST_SECONDS:-900}" "$@" | tr -d '\r'
}

# guest_result STATUS TEXT: the name, and for a skip the reason behind " # "
guest_result() {
	local keep
	case $1 in
	ok) result ok "$2" ;;
	skip) result skip "${2%% \# *}" "${2#* \# }" ;;
	*)
		keep=$(mktemp "$UNIT/XXXXXX.log")
		mv "$UNIT/detail" "$keep"
		result fail "$2" "$keep"
		;;
	esac
	: >"$UNIT/detail"
}

# guest_selftest TARGET PROGRAM: one of the kernel's own tests, from the
# source that the kernel was built from
guest_selftest() {
	local dir=$TEST_SRC/tools/testing/selftests/$1 rc=0
	guest_vnrx -- bash "$VNRX_ROOT/rig/guest/test-selftest.sh" \
		"$dir" "$2" >"$UNIT/said" 2>"$UNIT/console" || rc=$?
	cat "$UNIT/console" >>"$UNIT/said"
	case $rc in
	0) result ok "$1/$2" ;;
	4) result skip "$1/$2" "$(grep SKIP "$UNIT/said" | head -n 1)" ;;
	*) result fail "$1/$2" "$UNIT/said" ;;
	esac
}

# --- suspend and resume -----------------------------------------------------

# A guest with its root in memory and its NICs on QEMU's own hub
guest_suspend() {
	local props=,romfile=,iommu_platform=on,disable-legacy=on
	[ "$1" = mergeable ] || props+=,mrg_rxbuf=off
	suspend_initrd "$UNIT/root" "$UNIT/initrd"
	timeout 600 qemu-system-x86_64 -M q35 -accel "$GUEST_ACCEL" \
		-cpu "$(suspend_cpu)" -m 512 -smp 2 -nodefaults \
		-display none -no-reboot -serial "file:$UNIT/console" \
		-serial "file:$UNIT/said" \
		-kernel "$GUEST_IMAGE" -initrd "$UNIT/initrd" \
		-append "console=ttyS0 panic=-1 loglevel=6 net.ifnames=0
			suspend.pm_test_delay=1" \
		-netdev hubport,id=net0,hubid=0 \
		-netdev hubport,id=net1,hubid=0 \
		-device "virtio-net-pci,netdev=net0,mac=52:54:00:00:77:02$props" \
		-device "virtio-net-pci,netdev=net1,mac=52:54:00:00:77:03$props"
	guest_results
}

suspend_cpu() {
	if [ "$GUEST_ACCEL" = kvm ]; then
		echo host
	else
		echo max
	fi
}

suspend_initrd() {
	initramfs_new "$1" "$VNRX_ROOT/rig/guest/test-suspend-init.sh"
	initramfs_add_program "$1" ip \
		"$TEST_BIN"/{tcp,udp,peer,netdev,failnth,xdpdrop}
	initramfs_pack "$1" "$2"
}
