# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Tests of speed, in instructions: the same on any machine, at any load.

use bench

bench_groups() { group bench/instructions bench_test; }

# Wants two processors for itself
twocore_groups() { group two-core/bench bench_test_twocore; }

# What ./vnrx bench --quick counts, and the first kernel once more
bench_test_options() {
	KERNELS=stock,patched,again=stock
	QUICK=1
	APPEND=
	PATTERNS=()
	CELLS=()
	bench_cells
}

bench_test_prepare() {
	local KERNELS QUICK APPEND PATTERNS CELLS
	bench_packages
	need_pkgs "to count instructions" qemu-system-x86
	bench_test_options
	bench_kernels icount
}

twocore_test_prepare() {
	# shellcheck disable=SC2034 # for bench_kernels
	local KERNELS=stock,patched
	bench_packages
	bench_kernels bench
}

bench_test() {
	check "every cell can be counted" bench_test_count || return
	check "counting repeats itself" bench_test_again
	check "no cell is 2 % worse than when results were kept" \
		bench_test_against
}

bench_test_count() {
	# shellcheck disable=SC2034 # for bench_instructions
	local KERNELS QUICK APPEND PATTERNS CELLS BENCH_TMP=$UNIT
	bench_test_options
	bench_instructions
	jq -s '{cells: .}' "$UNIT/cells" >"$UNIT/bench.json"
	! grep '"error"' "$UNIT/cells"
}

bench_test_again() {
	jq -e '[.cells[] | select(.kernel == "again")
		| select(.ratio_to_stock < 0.99 or .ratio_to_stock > 1.01)
		| debug] == []' "$UNIT/bench.json"
}

# Frames that get lost on their way make a cell fail
bench_test_twocore() {
	check "all frames arrive, with two processors" bench_test_flood ||
		return
	check "both kinds of figures" jq -se 'map(.unit) | unique ==
		["CPU ns/packet", "packets/s"]' "$UNIT/cells"
}

bench_test_flood() {
	# shellcheck disable=SC2034 # for bench_twocore
	local KERNELS=stock,patched QUICK=1 APPEND='' CPU='' ROUNDS=3 CELLS=() \
		PATTERNS=('two-core/*/premapped/*/64/@(max|500kx64)') \
		BENCH_TMP=$UNIT
	if [ "$(nproc --all)" -lt 2 ]; then
		echo "one processor is not enough"
		return 4
	fi
	bench_cells
	bench_twocore
	[ -s "$UNIT/cells" ] && ! grep '"error"' "$UNIT/cells"
}

# The last one, or one of long ago would have to be mended for ever
bench_test_against() {
	local kept=("$VNRX_ROOT"/results/*/bench.json) worse
	if [ ! -f "${kept[-1]}" ]; then
		echo "no results are kept"
		return 4
	fi
	worse=$(jq -r --slurpfile old "${kept[-1]}" \
		-f "$VNRX_ROOT/rig/bench-against.jq" "$UNIT/bench.json") ||
		return
	echo "$worse"
	[ -z "$worse" ]
}
