# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Tests of the device and its fuzzer, and a short run of the fuzzer.

use deps fetch build

TEST_FUZZ_SECONDS=120

fuzz_groups() {
	group fuzz/driver fuzz_test_driver
	group fuzz/device fuzz_test_device
}

# Leaves the kernel in the cache: to build it takes minutes
fuzz_test_prepare() {
	need_pkgs "for tests of the device" gcc libc6-dev make busybox-static jq
	kernel_image umlfuzz patched REPLY
}

fuzz_test_driver() {
	check "the driver survives $TEST_FUZZ_SECONDS s of made up faults" \
		fuzz_test_run || return 0
	check "coverage is reported" jq -e '.coverage.hit > 0' \
		"$VNRX_OUT/fuzz.json"
}

# What it finds is in the log of the test, and in out/fuzz
fuzz_test_run() {
	timeout 400 "$VNRX_ROOT/vnrx" --cache "$VNRX_CACHE" fuzz \
		--seconds "$TEST_FUZZ_SECONDS"
}

# With the sanitizers
fuzz_test_device() {
	local test
	check "the device compiles, -Wall -Wextra -Werror" make \
		-C "$VNRX_ROOT/device" "O=$UNIT" SAN=1 || return 0
	for test in test_device test_script; do
		check "$test" timeout 120 "$UNIT/$test"
	done
}
