# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The experiments that the page_pool of mainline's driver was judged by: pktgen,
# a tap, vhost-net, and in the guest XDP_DROP or iperf3. With KVM and vhost-net
# on this machine; else in a guest that has vhost-net and emulates another one:
# all of it runs and is counted, but its speed is the emulator's.

use deps series net run programs

PUBLISHED_QUEUES=(1 2 4 8)

published_cells() {
	local queues
	for queues in "${PUBLISHED_QUEUES[@]}"; do
		echo "published/small/$queues/xdp_drop/64"
		echo "published/mergeable/$queues/xdp_drop/64"
		echo "published/mergeable/$queues/xdp_drop/1500"
	done
	for queues in 1 8; do
		echo "published/small/$queues/tcp_stream"
		echo "published/mergeable/$queues/tcp_stream"
	done
}

bench_published() {
	local how runs seconds programs real=false device tests
	[[ ,$KERNELS != *[,=]tree:* ]] || usage_die "bench: published/*" \
		"takes stock, patched, driver, mainline or a bzImage"
	need_pkgs "for the published experiments" iperf3 ethtool jq \
		netcat-openbsd iputils-ping file "${PROGRAMS_PKGS[@]}"
	into programs programs_get
	published_kernels
	published_how
	: >"$BENCH_TMP/published"
	for device in $(printf '%s\n' "${CELLS[@]}" | cut -d/ -f2,3 | uniq |
		sort -u); do
		mapfile -t tests < <(published_tests "$device")
		published_turns
	done
	published_report
}

published_tests() {
	printf '%s\n' "${CELLS[@]}" | grep "^published/$1/" | cut -d/ -f4-
}

# Fills NAMES and IMAGES. User-mode Linux cannot have vhost-net.
published_kernels() {
	local spec name image
	guest_defaults
	NAMES=()
	IMAGES=()
	for spec in ${KERNELS//,/ }; do
		into name bench_name "$spec"
		into image guest_image "${spec#*=}"
		NAMES+=("$name")
		IMAGES+=("$image")
		published_about "$spec" "$BENCH_TMP/image-$name"
		BENCH_KERNELS+=("$name=$BENCH_TMP/image-$name")
	done
}

# published_about SPEC DIR: what the report says of the kernel
published_about() {
	local what
	mkdir -p "$2"
	into what series_about "${1#*=}"
	file -bL "${IMAGES[-1]}" |
		sed "s/.*version \([^ ]*\).*/Linux \1, $what, in a guest/" \
			>"$2/about"
}

# "how" to start a guest, and for how many seconds each test measures. What is
# emulated only has to work.
published_how() {
	local kind
	accel kind "${IMAGES[0]}"
	if [ "$kind" = kvm ] && vhost_here; then
		how=(--vhost --accel kvm)
		real=true
		runs=${ROUNDS:-5}
		seconds=(10 300)
		return
	fi
	warn "no KVM with vhost-net: published/* runs in a guest in a guest," \
		"and its times mean nothing"
	how=(--nested)
	runs=${ROUNDS:-1}
	seconds=(3 5)
}

# All kernels with one device, in turns
published_turns() {
	local run i n=${#NAMES[@]}
	for ((run = 0; run < runs; run++)); do
		for ((i = 0; i < n; i++)); do
			published_turn $((run % 2 ? n - 1 - i : i))
		done
	done
}

# A test that has no line of its own has failed: the report says so
published_turn() {
	local name=${NAMES[$1]} out=$BENCH_TMP/out
	run_step "$device with $name, $((run + 1)) of $runs" \
		published_guest "${IMAGES[$1]}" "$out"
	printf '%s\n' "${tests[@]}" |
		jq -nRc --arg kernel "$name" --arg device "$device" \
		--argjson run "$run" --slurpfile lines "$out" \
		'[inputs] | {$kernel, $device, $run, tests: ., $lines}' \
		>>"$BENCH_TMP/published"
}

# published_guest IMAGE OUT
published_guest() {
	local no_gso nic=() queues=${device#*/}
	if [[ $device == small/* ]]; then
		into no_gso net_no_gso
		nic=(--mrg_rxbuf off --nic "$no_gso")
	fi
	"$VNRX_ROOT/vnrx" --cache "$VNRX_CACHE" run --kernel "$1" \
		"${how[@]}" --net host --queues "$queues" "${nic[@]}" \
		--timeout $((1200 + 2 * (seconds[0] + seconds[1]))) \
		--host-cmd "exec $VNRX_ROOT/rig/published-host.sh" -- \
		"$VNRX_ROOT/rig/guest/published.sh" "$programs" "$queues" \
		"${seconds[*]}" "${tests[@]}" >"$2"
}

published_report() {
	jq -sc --argjson real "$real" --arg first "${NAMES[0]}" \
		-f "$VNRX_ROOT/rig/bench-published.jq" \
		"$BENCH_TMP/published" >>"$BENCH_TMP/cells" || die "disk full?"
}
