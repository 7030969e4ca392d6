# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# ./vnrx bench: what one packet costs, in any number of kernels at once.

use deps bench-kernel

# the cells of the published table
BENCH_QUICK=('small/*/split/@(xdp_drop|stack|held1024|held8192)/@(64|1500)'
	'mergeable/*/split/@(xdp_drop|stack|held1024|held8192)/@(64|1500)'
	'mergeable/*/split/@(stack|held1024)/@(15000|65536)')

help_bench() {
	cat <<-'EOF'
	  bench [CELL...] [--kernels SPEC,SPEC...] [--quick] [--rounds N]
	        [--cpu N] [--append ARG] [--list]
	      What it costs virtio_net to receive a packet, in nanoseconds, in
	      UML kernels that take turns on one processor; ratios are to the
	      first of them. A table, and out/bench.json.
	        CELL            MODE/DMA/RING/TEST/SIZE, or a pattern of that:
	                        'mergeable/*/xdp_drop' (default: all cells)
	        --kernels       stock, patched, tree:DIR (source under work; built
	                        apart, only what changed), or a directory that
	                        was built before (default: stock,patched)
	        --quick         the most telling cells, about a minute
	        --rounds N      pairs of measurements in a cell (default: 101,
	                        quick: 31)
	        --cpu N         where to measure (default: the last one)
	        --append ARG    one more argument for the kernels
	        --list          names the cells
	EOF
}

cmd_bench() {
	local KERNELS=stock,patched QUICK='' ROUNDS='' CPU='' APPEND=''
	local LIST='' PATTERNS=() CELLS=()
	shopt -s extglob
	bench_options "$@"
	bench_cells
	if [ -n "$LIST" ]; then
		printf '%s\n' "${CELLS[@]}"
		return
	fi
	bench_packages
	bench_kernels
	bench_measure
	bench_report
}

bench_options() {
	while [ $# -gt 0 ]; do
		case $1 in
		--quick) QUICK=1 ;;
		--list) LIST=1 ;;
		--kernels | --rounds | --cpu | --append)
			[ $# -gt 1 ] || usage_die "bench: $1 needs a value"
			bench_option "$1" "$2"
			shift
			;;
		-*) usage_die "bench: unknown option $1" ;;
		*) PATTERNS+=("$1") ;;
		esac
		shift
	done
	[ ${#PATTERNS[@]} -eq 0 ] || [ -z "$QUICK" ] || : "${ROUNDS:=31}"
}

bench_option() {
	case $1 in
	--kernels) KERNELS=$2 ;;
	--append) APPEND=$2 ;;
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

# --- cells ------------------------------------------------------------------

# Fills CELLS with those that PATTERNS choose
bench_cells() {
	local cell pattern
	if [[ ${#PATTERNS[@]} -eq 0 && -n $QUICK ]]; then
		PATTERNS=("${BENCH_QUICK[@]}")
	fi
	[ ${#PATTERNS[@]} -gt 0 ] || PATTERNS=('*')
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

# Fills BENCH_DIRS and BENCH_NAMES
bench_kernels() {
	local spec dir name
	BENCH_DIRS=()
	BENCH_NAMES=()
	for spec in ${KERNELS//,/ }; do
		into dir bench_kernel "$spec"
		into name bench_name "$spec"
		[[ " ${BENCH_NAMES[*]-} " != *" $name "* ]] ||
			name+=-$((${#BENCH_NAMES[@]} + 1))
		BENCH_DIRS+=("$dir")
		BENCH_NAMES+=("$name")
	done
	[ ${#BENCH_DIRS[@]} -gt 0 ] || usage_die "bench: --kernels names none"
}

bench_measure() {
	local i kernels=() rounds=101
	[ -z "$QUICK" ] || rounds=31
	new_tmp BENCH_TMP
	for i in "${!BENCH_DIRS[@]}"; do
		kernels+=("${BENCH_NAMES[i]}=${BENCH_DIRS[i]}")
	done
	[ "$EUID" -eq 0 ] || warn "not root: cannot keep others off the" \
		"processor, expect more spread"
	run_step "measure ${#CELLS[@]} cells" bench_native \
		-c "${CPU:-$(($(nproc --all) - 1))}" -r "${ROUNDS:-$rounds}" \
		-l "$BENCH_TMP" ${APPEND:+-a "$APPEND"} \
		"${kernels[@]}" -- "${CELLS[@]}" || bench_failed
}

bench_native() { "${BENCH_DIRS[0]}/compare" "$@" >"$BENCH_TMP/cells"; }

bench_failed() {
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
	jq -r -f "$VNRX_ROOT/rig/bench-table.jq" "$VNRX_OUT/bench.json"
}

bench_host() {
	jq -n --arg cpu "$(sed -n 's/^model name.*: //p' /proc/cpuinfo |
		head -n 1)" --arg cpus "$(nproc --all)" \
		--arg kernel "$(uname -sr)" --arg compiler "$(gcc --version |
			head -n 1)" --arg date "$(date -u +%FT%TZ)" \
		--arg commit "$(git -C "$VNRX_ROOT" describe --always --dirty \
			2>/dev/null)" \
		'{cpu: $cpu, cpus: ($cpus | tonumber), kernel: $kernel,
		  compiler: $compiler, date: $date, commit: $commit,
		  spread: "10th and 90th percentile of the paired ratios"}'
}
