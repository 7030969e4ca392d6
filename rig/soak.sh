# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2153 # for run and guest_vnrx
#
# vnrx soak: the kernel's test soak.sh in guests, for long.

use deps run selftest test-guest

# no more than two NICs of four queues want: their pools may have 36 MB
SOAK_SWIOTLB_SLOTS=32768
# an emulated guest with two processors may die of code that is patched
SOAK_EMULATED_CPUS=1
# to boot, to recover, to end: for a machine that emulates
SOAK_MORE_SECONDS=900

help_soak() {
	cat <<-'EOF'
	  soak [--seconds N] [--kernel KIND|IMAGE] [--accel kvm|tcg]
	      memory, DMA mappings and pages run out, all at once and again
	      and again, while rings, queues, XDP programs and the device come
	      and go under traffic; for small, mergeable and big buffers, in
	      one guest without and one with bounce buffers. Nothing may be
	      lost, and all must work when there is enough again. Logs are in
	      out/soak/; exit status 1 if something failed.
	        --seconds N     all together (default: 3600)
	        --kernel KIND|IMAGE  stock, patched (default), driver, mainline
	                        (./vnrx help build), or a bzImage
	EOF
}

cmd_soak() {
	local SOAK_SECONDS=3600 kernel=patched TEST_ARGS GUEST_SECONDS
	soak_options "$@"
	guest_defaults
	GUEST["kernel"]=$kernel
	guest_prepare
	selftest_prepare
	TEST_ARGS=(--kernel "$GUEST_IMAGE" --accel "$GUEST_ACCEL" --net pair)
	[ "$GUEST_ACCEL" = kvm ] || TEST_ARGS+=(--cpus "$SOAK_EMULATED_CPUS")
	GUEST_SECONDS=$((SOAK_SECONDS + SOAK_MORE_SECONDS))
	mkdir -p "$VNRX_OUT/soak" || die "cannot write to $VNRX_OUT"
	rm -f "$VNRX_OUT/soak"/*.log
	run_step "soak, $SOAK_SECONDS s" soak_guests
	soak_report
}

soak_options() {
	while [ $# -gt 0 ]; do
		[ $# -gt 1 ] || usage_die "soak: $1 needs a value"
		case $1 in
		--seconds)
			[[ $2 =~ ^[1-9][0-9]{1,5}$ ]] || usage_die \
				"--seconds is a number from 10, not '$2'"
			SOAK_SECONDS=$2
			;;
		--kernel) kernel=$2 ;;
		--accel) accel_option "$2" ;;
		*) usage_die "soak: unknown option $1" ;;
		esac
		shift 2
	done
}

# Side by side
soak_guests() {
	local one
	soak_guest plain &
	one=$!
	soak_guest bounced --iommu on --append \
		"swiotlb=$SOAK_SWIOTLB_SLOTS,force"
	wait $one
}

# soak_guest NAME ARGS...: one third of the time for each receive mode
soak_guest() {
	local log=$VNRX_OUT/soak/$1.log
	shift
	guest_vnrx --queues 4 --mtu 9000 "$@" -- \
		env "VNET_SOAK_SECONDS=$((SOAK_SECONDS / 3))" \
		bash "$VNRX_ROOT/rig/guest/test-selftest.sh" \
		"$SELFTEST_TREE/$SELFTEST_DIR/virtio_net" soak.sh \
		>"$log" 2>&1 || true
}

# Each guest has three tests
soak_report() {
	local log failed=0 passed
	for log in "$VNRX_OUT/soak"/{plain,bounced}.log; do
		passed=$(grep -c '^ok [0-9]* ' "$log")
		grep -E '^(not )?ok ' "$log" |
			sed "s/^/$(basename "$log" .log): /"
		[ "$passed" -eq 3 ] || failed=1
	done
	[ $failed -eq 0 ] || die "not all of it was survived: see" \
		"$VNRX_OUT/soak/"
}
