# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# ./vnrx bench: what one packet costs, in any number of kernels at once.

use deps results bench-kernel bench-plot bench-twocore bench-limit \
	bench-published

# the cells of the published table
BENCH_QUICK=('small/*/split/@(xdp_drop|stack|held1024|held8192)/@(64|1500)'
	'mergeable/*/split/@(xdp_drop|stack|held1024|held8192)/@(64|1500)'
	'mergeable/*/split/@(stack|held1024)/@(15000|65536)'
	'mergeable/plain/packed/@(xdp_drop|stack)/@(64|1500)')

help_bench() {
	cat <<-'EOF'
	  bench [CELL...] [--kernels SPEC,SPEC...] [--quick] [--rounds N]
	        [--cpu N] [--append ARG] [--list]
	      What it costs virtio_net to receive a packet: in nanoseconds, in
	      UML kernels that take turns on one processor; in instructions, in
	      a QEMU that counts them, also with init_on_alloc=1 and with
	      swiotlb=force; in packets per second and processor time, with a
	      device that is a process on another processor. Ratios are to the
	      first kernel. A table, out/bench.json and out/bench-plots/. Exit
	      status 1 if a cell could not be measured.
	        CELL            MODE/DMA/RING/TEST/SIZE, or with two processors
	                        two-core/MODE/DMA/RING/TEST/SIZE/LOAD, or with
	                        vhost-net published/MODE/QUEUES/TEST/SIZE, or
	                        with DPDK's driver limit/MODE/DMA/RING/poll/SIZE,
	                        or a pattern of that: 'mergeable/*/xdp_drop',
	                        'two-core/*/max' (default: all but the last two)
	        --kernels       stock, patched, driver (patched, without the
	                        ring's patches), mainline (the newest kernel of
	                        Debian's sid, as it is), tree:DIR (source under
	                        work; built apart, only what changed), or a
	                        directory that was built before; NAME=SPEC calls
	                        it NAME (default: stock,patched)
	        --only native|instructions|two-core|limit|published
	        --quick         the most telling cells, about a minute
	        --rounds N      pairs of measurements in a cell (default: 101,
	                        quick: 31)
	        --cpu N         where to measure (default: the last one)
	        --append ARG    one more argument for the kernels
	        --against FILE  fail if instructions per packet, relative to the
	                        first kernel's, are 2 % more than in FILE, an
	                        earlier bench.json
	        --keep          also keep the result, with the machine and the
	                        kernels, in results/DATE/
	        --list          names the cells
	EOF
}

cmd_bench() {
	local KERNELS=stock,patched QUICK='' ROUNDS='' CPU='' APPEND=''
	local LIST='' ONLY='' KEEP='' AGAINST='' COMMAND=("$@")
	local PATTERNS=() CELLS=()
	bench_options "$@"
	bench_cells
	if [ -n "$LIST" ]; then
		printf '%s\n' "${CELLS[@]}"
		return
	fi
	bench_packages
	[ -z "$AGAINST" ] || jq -e .cells "$AGAINST" >/dev/null 2>&1 ||
		usage_die "bench: $AGAINST is no bench.json"
	new_tmp BENCH_TMP
	bench_measure
	bench_report
}

bench_options() {
	while [ $# -gt 0 ]; do
		case $1 in
		--quick) QUICK=1 ;;
		--keep) KEEP=1 ;;
		--list) LIST=1 ;;
		--kernels | --rounds | --cpu | --append | --only | --against)
			[ $# -gt 1 ] || usage_die "bench: $1 needs a value"
			bench_option "$1" "$2"
			shift
			;;
		-*) usage_die "bench: unknown option $1" ;;
		*) PATTERNS+=("$1") ;;
		esac
		shift
	done
}

bench_option() {
	case $1 in
	--kernels)
		bench_check_names "$2"
		KERNELS=$2
		;;
	--append)
		[[ $2 =~ ^[A-Za-z0-9_.,=:\ -]+$ ]] ||
			usage_die "bench: --append $2: what argument is that?"
		APPEND=$2
		;;
	--against) AGAINST=$2 ;;
	--only)
		[[ $2 == @(native|instructions|two-core|limit|published) ]] ||
			usage_die "bench: --only native, instructions," \
				"two-core, limit or published, not '$2'"
		ONLY=$2
		;;
	--rounds)
		[[ $2 =~ ^[1-9][0-9]{0,2}$ ]] ||
			usage_die "bench: --rounds is from 1 to 999, not '$2'"
		ROUNDS=$2
		;;
	--cpu)
		[[ $2 =~ ^[0-9]+$ && $2 -lt $(nproc --all) ]] ||
			usage_die "bench: there is no processor $2"
		CPU=$2
		;;
	esac
}

bench_check_names() {
	local spec name
	for spec in ${1//,/ }; do
		into name bench_name "$spec"
		[[ $name =~ ^[A-Za-z0-9_.-]+$ ]] ||
			usage_die "bench: call the kernel something else" \
				"than '$name': NAME=$spec"
	done
}

# --- cells ------------------------------------------------------------------

# Fills CELLS with those that PATTERNS choose
bench_cells() {
	local cell pattern
	shopt -s extglob
	if [[ ${#PATTERNS[@]} -eq 0 && -n $QUICK ]]; then
		PATTERNS=("${BENCH_QUICK[@]}")
	fi
	[ ${#PATTERNS[@]} -gt 0 ] || PATTERNS=('!(limit/*|published/*)')
	for cell in $(bench_all); do
		for pattern in "${PATTERNS[@]}"; do
			# shellcheck disable=SC2053 # a pattern it is
			[[ $cell == $pattern || $cell == $pattern/* ]] ||
				continue
			CELLS+=("$cell")
			break
		done
	done
	[ ${#CELLS[@]} -gt 0 ] ||
		usage_die "bench: no such cell: ${PATTERNS[*]} (--list)"
}

# What makes sense: small buffers hold one ordinary frame, XDP a page; with
# big packets there is no XDP
bench_all() {
	local ring dma
	for ring in split packed; do
		for dma in plain premapped; do
			bench_tests "small/$dma/$ring" "xdp_drop xdp_pass xdp_tx" \
				"64 256 1500"
			bench_tests "small/$dma/$ring" "stack held1024 held8192" \
				"64 256 1500"
			bench_tests "mergeable/$dma/$ring" \
				"xdp_drop xdp_pass xdp_tx" "64 256 1500"
			bench_tests "mergeable/$dma/$ring" \
				"stack held1024 held8192" \
				"64 256 1500 9000 15000 65536"
			bench_tests "big/$dma/$ring" "stack held1024 held8192" \
				"64 256 1500 9000 15000 65536"
		done
	done
	twocore_cells
	limit_cells
	published_cells
}

bench_tests() {
	local test size
	for test in $2; do
		for size in $3; do
			echo "$1/$test/$size"
		done
	done
}

# --- measuring --------------------------------------------------------------

bench_measure() {
	local all=("${CELLS[@]}") CELLS modes='@(small|mergeable|big)'
	BENCH_KERNELS=()
	: >"$BENCH_TMP/cells"
	! bench_wants native "$modes" || bench_native
	! bench_wants instructions "$modes" || bench_instructions
	! bench_wants two-core two-core || bench_twocore
	! bench_wants limit limit || bench_limit
	! bench_wants published published || bench_published
	[ -s "$BENCH_TMP/cells" ] ||
		usage_die "bench: --only $ONLY has none of these cells"
}

# bench_wants KIND FIRST: fills CELLS with those that begin with FIRST, if
# figures of this kind are wanted of any
bench_wants() {
	local cell
	[[ -z $ONLY || $ONLY == "$1" ]] || return
	CELLS=()
	for cell in "${all[@]}"; do
		# shellcheck disable=SC2053 # a pattern it is
		[[ $cell != $2/* ]] || CELLS+=("$cell")
	done
	[ ${#CELLS[@]} -gt 0 ]
}

# bench_kernels FLAVOUR: fills BENCH_KERNELS with NAME=DIR
bench_kernels() {
	local spec dir name
	BENCH_KERNELS=()
	for spec in ${KERNELS//,/ }; do
		into name bench_name "$spec"
		into dir bench_kernel "$1" "$spec"
		[[ " ${BENCH_KERNELS[*]-}" != *" $name="* ]] ||
			name+=-$((${#BENCH_KERNELS[@]} + 1))
		BENCH_KERNELS+=("$name=$dir")
	done
	[ ${#BENCH_KERNELS[@]} -gt 0 ] ||
		usage_die "bench: --kernels names none"
}

bench_native() {
	local rounds=101
	[ -z "$QUICK" ] || rounds=31
	bench_kernels bench
	[ "$EUID" -eq 0 ] || warn "not root: cannot keep others off the" \
		"processor, expect more spread"
	bench_compare "measure ${#CELLS[@]} cells" "$APPEND" \
		-c "${CPU:-$(($(nproc --all) - 1))}" -r "${ROUNDS:-$rounds}"
}

# Few rounds will do: what differs between them is what the kernel does besides
bench_instructions() {
	local boot
	need_pkgs "to count instructions" qemu-system-x86
	bench_kernels icount
	for boot in "" init_on_alloc=1 swiotlb=force; do
		bench_icount "${APPEND:+$APPEND }$boot"
	done
}

bench_icount() {
	local boot=$1 all=("${CELLS[@]}") CELLS
	mapfile -t CELLS < <(printf '%s\n' "${all[@]}" |
		bench_icount_cells "$boot")
	[ ${#CELLS[@]} -eq 0 ] ||
		bench_compare "count ${#CELLS[@]} cells${boot:+, $boot}" \
			"$boot" -q -r 15 -t 1000
}

# Without DMA there is no swiotlb
bench_icount_cells() {
	local wanted=.
	[[ $1 != *swiotlb=force* ]] || wanted=/premapped/
	grep "$wanted" | if [ -n "$QUICK" ]; then
		grep -E '/premapped/split/(xdp_drop|stack)/(64|1500)$'
	else
		cat
	fi
}

# bench_compare LABEL APPEND ARGS...
bench_compare() {
	local label=$1 append=$2
	shift 2
	run_step "$label" bench_program -l "$BENCH_TMP" \
		${append:+-a "$append"} "$@" \
		"${BENCH_KERNELS[@]}" -- "${CELLS[@]}" || bench_failed
}

bench_program() {
	"${BENCH_KERNELS[0]#*=}/compare" "$@" >>"$BENCH_TMP/cells"
}

bench_failed() {
	local log
	for log in "$BENCH_TMP"/*.log; do
		say "the end of ${log##*/}:"
		tail -n 15 "$log" | sed 's/^/  | /' >&2
	done
	die "the benchmark failed"
}

# --- results ----------------------------------------------------------------

bench_report() {
	mkdir -p "$VNRX_OUT" || die "cannot write to $VNRX_OUT"
	bench_host >"$BENCH_TMP/host"
	jq -s --slurpfile host "$BENCH_TMP/host" \
		'{host: $host[0], cells: .}' "$BENCH_TMP/cells" \
		>"$VNRX_OUT/bench.json" || die "disk full?"
	jq -r -f "$VNRX_ROOT/rig/bench-table.jq" "$VNRX_OUT/bench.json" |
		tee "$BENCH_TMP/table"
	bench_plots "$VNRX_OUT/bench.json" "$VNRX_OUT/bench-plots"
	[ -z "$KEEP" ] || bench_keep
	[ -z "$AGAINST" ] || bench_against || return
	! grep -q '^FAILED: ' "$BENCH_TMP/table"
}

bench_host() {
	local cpu kernel
	cpu=$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)
	for kernel in "${BENCH_KERNELS[@]}"; do
		jq -n --arg name "${kernel%%=*}" \
			--rawfile about "${kernel#*=}/about" \
			'{($name): ($about | rtrimstr("\n"))}'
	done | jq -s --arg cpu "$cpu" --arg cpus "$(nproc --all)" \
		--arg kernel "$(uname -sr)" --arg date "$(date -u +%FT%TZ)" \
		--arg compiler "$(gcc --version | head -n 1)" \
		--arg command "./vnrx bench ${COMMAND[*]}" \
		--argjson series "$(bench_series)" \
		--arg commit "$(results_commit)" \
		'{cpu: $cpu, cpus: ($cpus | tonumber), kernel: $kernel,
		  compiler: $compiler, date: $date, commit: $commit,
		  command: $command, kernels: add, series: $series,
		  spread: "10th and 90th percentile of the paired ratios"}'
}

# What the series was in the kernels that have it, for those who quote them
bench_series() {
	local spec name hash
	for spec in ${KERNELS//,/ }; do
		series_applies "${spec#*=}" || continue
		into hash series_hash "${spec#*=}"
		into name bench_name "$spec"
		jq -n --arg name "$name" --arg hash "$hash" '{($name): $hash}'
	done | jq -cs 'add // {}'
}

bench_keep() {
	local dir
	into dir results_dir
	cp "$VNRX_OUT/bench.json" "$dir/" || die "disk full?"
	cp -t "$dir" "$VNRX_OUT"/bench-plots/*
	bench_about >"$dir/README.md" || die "disk full?"
	say "kept in results/${dir##*/}"
}

bench_about() {
	echo '<!-- SPDX-License-Identifier: GPL-2.0 -->'
	jq -r '.host | "# \(.date)\n\n    \(.command)\n",
		"- machine: \(.cpu), \(.cpus) processors, \(.kernel)",
		"- \(.compiler), vnrx \(.commit)",
		(.kernels | to_entries[] | "- \(.key): \(.value)"),
		"- spread: \(.spread)", "", "```"' "$VNRX_OUT/bench.json"
	cat "$BENCH_TMP/table"
	echo '```'
}

bench_against() {
	local worse
	worse=$(jq -r --slurpfile old "$AGAINST" \
		-f "$VNRX_ROOT/rig/bench-against.jq" "$VNRX_OUT/bench.json") ||
		die "cannot compare with $AGAINST"
	[ -n "$worse" ] || return 0
	say "slower than in $AGAINST:"
	printf '%s\n' "$worse" >&2
	return 1
}
