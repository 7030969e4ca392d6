# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The cells of ./vnrx bench with two processors: the guest has one of them, its
# device, which is a process (device/), the other.

use deps bench-kernel

# Full speed; then what a packet costs where the guest is not at its limit: each
# with an interrupt if it comes to that, and in bursts, as from a device that
# batches
TWOCORE_LOADS=(max 100k 500kx64)

twocore_cells() {
	local dma
	for dma in plain premapped; do
		twocore_tests "small/$dma/split/xdp_drop" 64 1500
		twocore_tests "small/$dma/split/stack" 64 1500
		twocore_tests "mergeable/$dma/split/xdp_drop" 64 1500
		twocore_tests "mergeable/$dma/split/stack" 64 1500
		# 500000 of these a second are more than a processor can copy
		echo "two-core/mergeable/$dma/split/stack/65536/max"
		echo "two-core/mergeable/$dma/split/stack/65536/20kx8"
	done
}

# twocore_tests MODE/DMA/RING/TEST SIZE...
twocore_tests() {
	local test=$1 size load
	shift
	for size in "$@"; do
		for load in "${TWOCORE_LOADS[@]}"; do
			echo "two-core/$test/$size/$load"
		done
	done
}

# Rounds are longer than those of native, and the figures need fewer
bench_twocore() {
	local rounds=31 cpu
	into cpu twocore_cpu
	[ -z "$QUICK" ] || rounds=11
	bench_kernels bench
	run_step "build the device that floods" make -s \
		-C "$VNRX_ROOT/bench/twocore" "O=$BENCH_TMP" ||
		die "the device does not build"
	run_step "measure ${#CELLS[@]} cells on two processors" \
		twocore_program -l "$BENCH_TMP" ${APPEND:+-a "$APPEND"} \
		-c "$cpu" -d "$(twocore_other "$cpu")" \
		-r "${ROUNDS:-$rounds}" "${BENCH_KERNELS[@]}" -- \
		"${CELLS[@]#two-core/}" || bench_failed
}

twocore_program() { "$BENCH_TMP/twocore" "$@" >>"$BENCH_TMP/cells"; }

# The guest's processor
twocore_cpu() {
	REPLY=${CPU:-$(($(nproc --all) - 1))}
	[ "$(nproc --all)" -gt 1 ] ||
		die "bench: these cells need two processors"
}

# twocore_other CPU: the next one, around the end
twocore_other() { echo $((($1 + 1) % $(nproc --all))); }
