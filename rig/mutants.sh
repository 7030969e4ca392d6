# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2153 # names set through "into" and the like
#
# vnrx mutants: do the tests notice mistakes? Each mutation of rig/mutants.list
# is built as a module, and the tests that should fail with it are run in a
# guest of its own. The same tests must pass with the driver as it is.

use deps fetch series tree build run selftest test-guest

MUTANTS=$VNRX_ROOT/rig/mutants.list
MUTANTS_NET=drivers/net
MUTANTS_SECONDS=240
# some steps of the guest tests make hundreds of attempts
MUTANTS_STEPS_SECONDS=600

help_mutants() {
	cat <<-'EOF'
	  mutants [--only PATTERN] [--list] [--no-controls] [--accel kvm|tcg]
	      break the driver in one way after the other (rig/mutants.list) and
	      see whether the tests notice, as many at once as there are
	      processors and memory for. Prints who was killed by what and who
	      survived, and writes out/mutants.json. Exit status 1 if one
	      survived without a reason being known.
	        --only PATTERN  these mutants only, e.g. 'xdp-*'
	        --list          name the mutants, run none
	        --no-controls   take it that the tests pass with the driver as it
	                        is, which is tried before otherwise
	EOF
}

cmd_mutants() {
	local ONLY='*' LIST='' CONTROL=1
	mutants_options "$@"
	mutants_select
	if [ -n "$LIST" ]; then
		printf '%s\n' "${SELECTED[@]}"
		return
	fi
	mutants_prepare
	[ -z "$CONTROL" ] || mutants_controls
	mutants_run
	mutants_report
}

mutants_options() {
	while [ $# -gt 0 ]; do
		case $1 in
		--list) LIST=1 ;;
		--no-controls) CONTROL= ;;
		--only | --accel)
			[ $# -gt 1 ] || usage_die "mutants: $1 needs a value"
			if [ "$1" = --only ]; then
				ONLY=$2
			else
				use accel
				accel_option "$2"
			fi
			shift
			;;
		*) usage_die "mutants: unknown option $1" ;;
		esac
		shift
	done
}

mutants_select() {
	local name
	SELECTED=()
	while read -r name; do
		# shellcheck disable=SC2053 # a pattern
		[[ $name != $ONLY ]] || SELECTED+=("$name")
	done < <(awk '$1 == "mutant" { print $2 }' "$MUTANTS")
	[ ${#SELECTED[@]} -gt 0 ] ||
		usage_die "mutants: none is called $ONLY (--list names them)"
}

# mutant_field NAME FIELD: the rest of its line
mutant_field() {
	awk -v name="$1" -v field="$2" '
		$1 == "mutant" { mine = $2 == name }
		mine && $1 == field {
			sub(/^[a-z]+[ \t]+/, "")
			print
			exit
		}' "$MUTANTS"
}

# --- what all of them need --------------------------------------------------

mutants_prepare() {
	need_pkgs "for mutants" jq
	root_ready "tests in guests"
	guest_defaults
	# its own driver is a module and not used
	kernel_image mutants stock MUTANTS_IMAGE
	# shellcheck disable=SC2034 # read by guest_prepare
	GUEST["kernel"]=$MUTANTS_IMAGE
	guest_prepare
	selftest_prepare
	into MUTANTS_BIN test_programs
	linux_source MUTANTS_SRC
	new_tmp MUTANTS_TMP
	mkdir "$MUTANTS_TMP/source"
	series_files "$MUTANTS_SRC" "$MUTANTS_TMP/source" driver
	mkdir -p "$VNRX_OUT/mutants" || die "cannot write to $VNRX_OUT"
	: >"$MUTANTS_TMP/results"
}

# mutant_build DIR: the driver and its unit tests in DIR, as modules
mutant_build() {
	local obj=$VNRX_CACHE/work/${MUTANTS_SRC##*/}/mutants
	printf 'obj-m := virtio_net.o virtio_net_rxbuf_test.o\n' >"$1/Kbuild"
	build_make_args mutants "$MUTANTS_SRC" "$obj"
	"${MAKE[@]}" M="$1" modules
}

# mutant_source NAME DIR: the driver with the mutation, or without any
mutant_source() {
	local file mistake
	mkdir -p "$2"
	cp "$MUTANTS_TMP/source/$MUTANTS_NET/"virtio_net* "$2/" || return
	[ "$1" != none ] || return 0
	mistake=$(mutant_field "$1" like)
	mistake=${mistake:-$1}
	read -r file _ < <(mutant_field "$mistake" in)
	awk -v name="$mistake" -f "$VNRX_ROOT/rig/mutants.awk" "$MUTANTS" \
		"$MUTANTS_TMP/source/$file" >"$2/${file##*/}"
}

# --- guests -----------------------------------------------------------------

# mutant_guest DIR BOOT SECONDS TEST: the test in a guest with the module of DIR.
# Succeeds if it passes; what it said is in DIR/said. SECONDS may be "".
mutant_guest() {
	local dir=$1 boot=$2 seconds=$3 args=()
	shift 3
	mutant_guest_args "$boot" "$seconds" "$1"
	"$VNRX_ROOT/vnrx" --cache "$VNRX_CACHE" run --kernel "$MUTANTS_IMAGE" \
		--accel "$GUEST_ACCEL" --net pair "${args[@]}" -- \
		bash "$VNRX_ROOT/rig/guest/test-mutant.sh" "$dir" \
		"$(mutant_guest_programs "$1")" "$@" "$(mutant_iommu "$boot")" \
		"${MUTANTS_IMAGE%/*}" "$(mutant_buffers "$boot")" \
		>"$dir/said" 2>"$dir/console"
}

# mutant_guest_args BOOT SECONDS TEST: sets args
mutant_guest_args() {
	local append=kunit.enable=1
	[[ $1 != swiotlb* ]] || append+=" swiotlb=force"
	args=(--queues 4 --iommu "$(mutant_iommu "$1")" --append "$append")
	[ "$(mutant_buffers "$1")" = mergeable ] || args+=(--mrg_rxbuf off)
	if [[ $3 = steps\ * ]]; then
		args+=(--timeout "${2:-$MUTANTS_STEPS_SECONDS}")
	else
		args+=(--timeout "${2:-$MUTANTS_SECONDS}" --mtu 9000)
	fi
}

mutant_iommu() { [ "$1" = plain ] && echo off || echo on; }

mutant_buffers() { [[ $1 = *-big ]] && echo big || echo mergeable; }

# The directory that the programs of a test are in
mutant_guest_programs() {
	if [[ $1 = steps\ * ]]; then
		echo "$MUTANTS_BIN"
	else
		echo "$SELFTEST_TREE/$SELFTEST_DIR/virtio_net"
	fi
}

# Each test that kills must pass without a mutation
mutants_controls() {
	local name key seconds
	declare -gA CONTROLS=()
	for name in "${SELECTED[@]}"; do
		seconds=$(mutant_field "$name" seconds)
		key=$(mutant_boot "$name")${seconds:+,$seconds}
		key+=" $(mutant_field "$name" test)"
		CONTROLS[$key]=1
	done
	mutant_source none "$MUTANTS_TMP/none" || die "no driver"
	run_step "build without a mutation" mutant_build "$MUTANTS_TMP/none" ||
		die "the driver does not build as a module"
	jobs_each control_start control_ended "${!CONTROLS[@]}"
}

# What the outcome of a test depends on, besides the driver
mutants_tests() {
	local dir=$SELFTEST_TREE/$SELFTEST_DIR/virtio_net
	case $1 in
	kunit) return ;;
	steps\ *)
		cat "$VNRX_ROOT/rig/guest/test-nics.sh"
		echo "$MUTANTS_BIN"
		return
		;;
	esac
	cat "$dir/${1%% *}" "$dir/vnet_lib.sh" "$dir/"*.[ch]
}

control_stamp() {
	echo "$VNRX_CACHE/passed/control-$(hash_stdin < <(
		echo "$1 $MUTANTS_IMAGE"
		mutants_tests "${1#* }"
		cat "$MUTANTS_TMP/none/"*.[ch]
	))"
}

control_dir() { echo "$MUTANTS_TMP/control-$(hash_stdin <<<"$1")"; }

# control_start "BOOT[,SECONDS] TEST"
control_start() {
	local dir
	dir=$(control_dir "$1")
	mkdir -p "$dir"
	job_start mutants_control "$dir" "$1" </dev/null >"$dir/log" 2>&1
}

# Not again for the same driver and tests
mutants_control() {
	local stamp boot=${2%% *} seconds
	seconds=${boot#"${boot%%,*}"}
	stamp=$(control_stamp "$2")
	[ ! -f "$stamp" ] || return 0
	cp "$MUTANTS_TMP/none/"*.ko "$1/" || return
	if mutant_guest "$1" "${boot%%,*}" "${seconds#,}" "${2#* }" &&
		grep '^ok' "$1/said" | grep -qv '# SKIP'; then
		mkdir -p "${stamp%/*}"
		touch "$stamp"
	fi
}

control_ended() {
	local dir
	dir=$(control_dir "$1")
	[ -f "$(control_stamp "$1")" ] ||
		die "$1 fails without a mutation:" \
			"$(tail -n 20 "$dir/log" "$dir/said")"
	say "without a mutation: $1: passes"
	rm -rf "$dir"
}

mutant_boot() {
	local boot
	boot=$(mutant_field "$1" boot)
	echo "${boot:-plain}"
}

# --- the mutants ------------------------------------------------------------

mutants_run() {
	local MUTANTS_ENDED=0
	say "${#SELECTED[@]} mutants, $(jobs_fit) at once ..."
	jobs_each mutant_start mutant_ended "${SELECTED[@]}"
}

mutant_start() {
	mkdir -p "$MUTANTS_TMP/$1"
	job_start mutant_one "$1" </dev/null >"$VNRX_OUT/mutants/$1.log" 2>&1
}

# One that was stopped from outside has no result
mutant_ended() {
	grep -q "^$1"$'\t' "$MUTANTS_TMP/results" ||
		mutant_result "$1" broken "its test was not run to the end"
	MUTANTS_ENDED=$((MUTANTS_ENDED + 1))
	printf '%3d/%d ' "$MUTANTS_ENDED" "${#SELECTED[@]}"
	grep "^$1"$'\t' "$MUTANTS_TMP/results" | mutants_print
	mutants_write
}

# What a run that is cut short has found so far is worth having
mutants_print() {
	local name state text kills more
	while IFS=$'\t' read -r name state text kills; do
		more=${kills//[!|]/}
		printf '%-28s %-9s %s%s\n' "$name" "$state" "$text" \
			"${more:+, and ${#more} more}"
	done
}

mutant_one() {
	local name=$1 dir=$MUTANTS_TMP/$1 rc=0
	if ! mutant_source "$name" "$dir" ||
		! with_lock mutants-build mutant_build "$dir"; then
		mutant_result "$name" broken "it cannot be applied or built"
		return 1
	fi
	mutant_guest "$dir" "$(mutant_boot "$name")" \
		"$(mutant_field "$name" seconds)" \
		"$(mutant_field "$name" test)" || rc=$?
	mutant_judge "$name" "$dir" "$rc"
	rm -rf "${MUTANTS_TMP:?}/$name"
}

# Killed by a test that fails, or by a guest that does not come to its end
mutant_judge() {
	local by test kills
	cat "$2/said" "$2/console"
	if [ "$3" -eq 0 ]; then
		mutant_result "$1" survived "$(mutant_field "$1" lives)"
		return
	fi
	by=$(sed -n 's/^not ok [0-9]* //p' "$2/said" | head -n 1)
	test=$(mutant_field "$1" test)
	kills=$(sed -n "s/^not ok [0-9]*/${test%% *}/p" "$2/said" |
		paste -sd '|')
	mutant_result "$1" killed "${by:-$(mutant_end "$2")}" "$kills"
}

mutant_end() {
	local why
	why=$(grep -m 1 -oE 'kernel panicked|stopped after [0-9]* s' "$1/console")
	echo "$(mutant_field "${1##*/}" test) (${why:-no end})"
}

# mutant_result NAME killed|survived|broken TEXT [TESTS]: all that failed, each
# behind its program, with "|" between them
mutant_result() {
	local IFS=$'\t'
	echo "$*" >>"$MUTANTS_TMP/results"
}

mutants_report() {
	local state text bad=0
	while IFS=$'\t' read -r _ state text _; do
		[[ $state = killed || ($state = survived && -n $text) ]] ||
			bad=$((bad + 1))
	done <"$MUTANTS_TMP/results"
	say "$(grep -c $'\tkilled\t' "$MUTANTS_TMP/results") of" \
		"${#SELECTED[@]} mutants killed, $bad survived without a reason"
	mutants_unkilling
	[ "$bad" -eq 0 ]
}

# --- what no mutant has made fail -------------------------------------------

# Of all that is known, not only of this run; a run of few may not know much
mutants_unkilling() {
	if [ "$ONLY" != '*' ]; then
		say "$(jq '[.tests[] | select(.killed_by != [])] | length' \
			"$VNRX_OUT/mutants.json") of" \
			"$(jq '.tests | length' "$VNRX_OUT/mutants.json")" \
			"tests have been made to fail so far"
		return
	fi
	jq -r '.tests[] | select(.killed_by == [] and .reason == null) |
		"no mutant has made it fail: \(.name)"' \
		"$VNRX_OUT/mutants.json" | while read -r line; do
		say "$line"
	done
}

# All tests of the suite: PROGRAM and title, with "*" for what differs; and
# those of the list that are excepted, with the reason
mutants_tests_list() {
	local dir=$VNRX_ROOT/$SELFTEST_DIR/virtio_net file
	for file in "$dir/"*.sh; do
		sed -n "s|.*vnet_add \"\([^\"]*\)\".*|${file##*/} \1|p" "$file"
	done | sed 's/\$[A-Z_]*/*/'
	sed -n 's/.*KUNIT_CASE(\(.*\)).*/kunit \1/p' \
		"$MUTANTS_TMP/source/$MUTANTS_NET/virtio_net_rxbuf_test.c"
}

mutants_excepted() { grep '^except' "$MUTANTS" | sed 's/^except[ \t]*//'; }

# What other runs have found of mutants that this one leaves out stays
mutants_write() {
	local out=$VNRX_OUT/mutants.json old=/dev/null
	[ ! -s "$out" ] || old=$out
	mutants_json | jq -s --slurpfile old "$old" \
		--rawfile tests <(mutants_tests_list) \
		--rawfile excepted <(mutants_excepted) \
		-f "$VNRX_ROOT/rig/mutants.jq" >"$MUTANTS_TMP/json" &&
		cp "$MUTANTS_TMP/json" "$out"
}

# The mutants of this run
mutants_json() {
	jq -R -s '{mutants: [split("\n")[] | select(length > 0) | split("\t") |
		{name: .[0],
		 killed_by: (if .[1] == "killed" then .[2] else null end),
		 kills: ((.[3] // "") | split("|")),
		 reason: (if .[1] == "killed" then null
			  elif .[1] == "broken" then .[2]
			  else (.[2] // "") end)}]}' "$MUTANTS_TMP/results"
}
