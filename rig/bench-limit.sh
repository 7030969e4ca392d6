# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The limit of ./vnrx bench two-core/*: the same device, and DPDK's poll-mode
# driver (dpdk-testpmd with virtio-user) in the place of a guest. It takes no
# interrupts and makes nothing of what it receives.

use deps bench-twocore

# Of a second each; the first and the last are not whole
LIMIT_PERIODS=7

limit_cells() {
	local mode ring size
	for mode in small mergeable; do
		for ring in split packed; do
			for size in 64 1500; do
				echo "limit/$mode/plain/$ring/poll/$size"
			done
		done
	done
}

bench_limit() {
	local cell cpu
	into cpu twocore_cpu
	need_pkgs "for a poll-mode driver" dpdk-dev gcc libc6-dev make
	run_step "build the device" make -s -C "$VNRX_ROOT/device" \
		"O=$BENCH_TMP" "$BENCH_TMP/vndev" || die "it does not build"
	mkdir -p "$BENCH_TMP/testpmd"
	dpkg-query -W -f 'DPDK ${Version}\n' dpdk-dev \
		>"$BENCH_TMP/testpmd/about"
	BENCH_KERNELS+=("testpmd=$BENCH_TMP/testpmd")
	for cell in "${CELLS[@]}"; do
		run_step "$cell" limit_cell "$cell" "$cpu" || true
		limit_report "$cell" >>"$BENCH_TMP/cells"
	done
}

# limit_cell CELL CPU: what testpmd says is in $BENCH_TMP/testpmd.out
limit_cell() {
	local mode ring size socket=$BENCH_TMP/limit.socket device
	IFS=/ read -r _ mode _ ring _ size <<<"$1"
	local vdev="net_virtio_user0,path=$socket,queues=1,queue_size=256"
	local options=(--mode "$mode")
	[ "$mode" = mergeable ] || vdev+=,mrg_rxbuf=0
	if [ "$ring" = packed ]; then
		vdev+=,packed_vq=1
		options+=(--packed)
	fi
	nice -n -20 taskset -c "$(twocore_other "$2")" \
		"$BENCH_TMP/vndev" "${options[@]}" --memory "$size" "$socket" &
	device=$!
	limit_testpmd "$vdev" "$2" >"$BENCH_TMP/testpmd.out"
	kill "$device"
	wait "$device"
}

# limit_testpmd VDEV CPU: without huge pages, as the guest's memory is. The
# thread that prints sleeps on the device's processor.
limit_testpmd() {
	local cpus
	cpus=$(twocore_other "$2")
	limit_first timeout -s INT $((LIMIT_PERIODS + 3)) dpdk-testpmd \
		-l "$cpus,$2" --main-lcore "$cpus" --no-huge -m 256 --no-pci \
		--no-telemetry --no-shconf --vdev "$1" -- \
		--forward-mode=rxonly --auto-start --total-num-mbufs=4096 \
		--stats-period 1
	# it ends with the signal that it is sent
	[ $? -eq 124 ]
}

# As the guests of two-core are run
limit_first() {
	if [ "$EUID" -eq 0 ]; then
		chrt -r 1 "$@"
	else
		"$@"
	fi
}

limit_report() {
	sed -n 's/^ *Rx-pps: *\([0-9]*\).*/\1/p' "$BENCH_TMP/testpmd.out" |
		jq -s -c --arg cell "$1" '($cell | split("/")) as $c
		| .[1:-1] | sort | .[length / 2 | floor] as $pps
		| {bench: $c[0], mode: $c[1], dma: $c[2], ring: $c[3],
		   test: $c[4], size: ($c[5] | tonumber), boot: "",
		   kernel: "testpmd", runs: length, unit: "ns/packet, polled",
		   ratio_to_stock: null, spread: null}
		+ if $pps then {value: (1e9 / $pps), packets_per_second: $pps}
		  else {value: null, error: "testpmd received nothing"} end'
}
