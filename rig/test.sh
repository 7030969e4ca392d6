# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# vnrx test: runs groups of tests and reports them as TAP.
#
# A group is a function that runs in a job of its own and reports as many
# results as it likes; as many groups run at once as there are processors.
# What groups need that takes long (kernels, packages) is prepared before, in
# the main shell.

use deps static test-machines test-house test-dkms test-guest test-fuzz
use test-bench selftest

help_test() {
	cat <<-'EOF'
	  test [--only PATTERN] [--list] [--kernel KIND|IMAGE] [--accel kvm|tcg]
	      test the series and the scripts. TAP on stdout and in out/test.tap,
	      closing with "N passed, N failed, N skipped"; exit status 1 if a
	      test failed. Logs of failed tests stay in out/test/.
	        --only PATTERN  these groups only, e.g. 'static/*'; 'selftest/*',
	                'debug/*', 'rt/*', 'machines/*' and 'two-core/*' run
	                only if asked for
	        --list          name the groups, run none
	        --kernel KIND|IMAGE  boot this instead of patched: stock, driver,
	                mainline (./vnrx help build), or a bzImage
	EOF
}

cmd_test() {
	local ONLY='*' LIST=''
	# shellcheck disable=SC2034 # for the guests
	TEST_KERNEL=patched
	test_options "$@"
	GROUPS_ALL=()
	declare -gA GROUP_CMD=()
	static_groups
	house_groups
	dkms_groups
	guest_groups
	fuzz_groups
	bench_groups
	# what takes long, or a quiet machine, must be asked for
	[[ $ONLY != two-core* && -z $LIST ]] || twocore_groups
	[[ $ONLY != debug* && -z $LIST ]] || debug_groups
	[[ $ONLY != rt* && -z $LIST ]] || rt_groups
	[[ $ONLY != selftest* && -z $LIST ]] || selftest_groups
	[[ $ONLY != machines* && -z $LIST ]] || machines_groups
	test_select
	if [ -n "$LIST" ]; then
		printf '%s\n' "${SELECTED[@]}"
		return
	fi
	test_prepare
	test_run_all
	tap_end
}

test_options() {
	while [ $# -gt 0 ]; do
		case $1 in
		--list) LIST=1 ;;
		--only | --kernel | --accel)
			[ $# -gt 1 ] || usage_die "test: $1 needs a value"
			test_option "$1" "$2"
			shift
			;;
		*) usage_die "test: unknown option $1" ;;
		esac
		shift
	done
}

test_option() {
	case $1 in
	--only) ONLY=$2 ;;
	--kernel)
		# shellcheck disable=SC2034 # for the guests
		TEST_KERNEL=$2
		;;
	--accel)
		use accel
		accel_option "$2"
		;;
	esac
}

# --- groups -----------------------------------------------------------------

# group NAME CMD ARGS...
group() {
	local name=$1 quoted
	shift
	printf -v quoted '%q ' "$@"
	GROUPS_ALL+=("$name")
	GROUP_CMD[$name]=$quoted
}

test_select() {
	local name
	SELECTED=()
	for name in "${GROUPS_ALL[@]}"; do
		# shellcheck disable=SC2053 # a pattern
		[[ $name != $ONLY ]] || SELECTED+=("$name")
	done
	[ ${#SELECTED[@]} -gt 0 ] ||
		usage_die "test: no group is called $ONLY (--list names them)"
}

# selected PREFIX: is any group below PREFIX/ to be run?
selected() {
	local name
	for name in "${SELECTED[@]}"; do
		[[ $name != "$1"/* ]] || return 0
	done
	return 1
}

test_prepare() {
	new_tmp TEST_TMP
	rm -rf "$VNRX_OUT/test"
	mkdir -p "$VNRX_OUT/test" || die "cannot write to $VNRX_OUT"
	tap_begin
	if selected static || selected machines; then
		static_prepare
	fi
	! selected machines || machines_prepare
	! selected house || house_prepare
	! selected dkms || dkms_test_prepare
	if selected guest || selected selftest || selected debug ||
		selected rt; then
		guest_tests_prepare
	fi
	! selected debug || debug_prepare
	! selected rt || rt_prepare
	! selected fuzz || fuzz_test_prepare
	! selected bench || bench_test_prepare
	! selected two-core || twocore_test_prepare
	! selected selftest || selftest_prepare
}

# --- running them -----------------------------------------------------------

test_run_all() {
	declare -gA FINISHED=()
	NEXT_TO_REPORT=0
	jobs_each group_start group_ended "${SELECTED[@]}"
}

# The results of a group are in the directory UNIT
group_start() {
	local UNIT=$TEST_TMP/${1//\//.}
	mkdir -p "$UNIT"
	: >"$UNIT/results"
	say "$1 ..."
	echo "$SECONDS" >"$UNIT/start"
	job_start group_run "$1" </dev/null >"$UNIT/log" 2>&1
}

group_run() {
	eval "${GROUP_CMD[$1]}"
	result end
}

# Reports all that are complete in their order
group_ended() {
	local name
	group_finish "$1"
	while [ "$NEXT_TO_REPORT" -lt ${#SELECTED[@]} ]; do
		name=${SELECTED[NEXT_TO_REPORT]}
		[ -n "${FINISHED[$name]:-}" ] || return 0
		group_report "$name"
		NEXT_TO_REPORT=$((NEXT_TO_REPORT + 1))
	done
}

group_finish() {
	local UNIT=$TEST_TMP/${1//\//.} took
	took=$((SECONDS - $(cat "$UNIT/start")))
	FINISHED[$1]=1
	[ "$(tail -n 1 "$UNIT/results")" = end ] ||
		result fail "runs to its end" "$UNIT/log"
	sed -i '/^end/d' "$UNIT/results"
	say "$1: $(grep -c '^fail' "$UNIT/results") of" \
		"$(wc -l <"$UNIT/results") failed ($took s)"
}

# --- for the groups ---------------------------------------------------------

# result ok|fail|skip NAME [LOG|REASON]
result() {
	local IFS=$'\t'
	echo "$*" >>"$UNIT/results"
}

# check NAME CMD ARGS...: a test that CMD passes (0), skips (4) or fails; the
# last line of a skipping CMD is the reason
check() {
	local name=$1 log rc=0
	shift
	log=$(mktemp "$UNIT/XXXXXX.log")
	("$@") >"$log" 2>&1 || rc=$?
	case $rc in
	0) result ok "$name" ;;
	4) result skip "$name" "$(tail -n 1 "$log")" ;;
	*) result fail "$name" "$log" ;;
	esac
	return "$rc"
}

# check_once KEY NAME CMD ARGS...: not run again after it has passed for KEY
check_once() {
	local stamp=$VNRX_CACHE/passed/$1
	shift
	if [ -f "$stamp" ]; then
		result ok "$1"
		return
	fi
	check "$@" || return
	mkdir -p "${stamp%/*}"
	touch "$stamp"
}

# --- TAP --------------------------------------------------------------------

tap_begin() {
	TAP_PASSED=0
	TAP_FAILED=0
	TAP_SKIPPED=0
	TAP_ENDED=
	TAP_FILE=$VNRX_OUT/test.tap
	: >"$TAP_FILE" || die "cannot write $TAP_FILE"
	cleanup_push tap_bail
	tap "TAP version 13"
}

tap() { printf '%s\n' "$*" | tee -a "$TAP_FILE"; }

tap_number() { echo $((TAP_PASSED + TAP_FAILED + TAP_SKIPPED)); }

group_report() {
	local UNIT=$TEST_TMP/${1//\//.} status name detail
	while IFS=$'\t' read -r status name detail; do
		"tap_$status" "$1: ${name//\#/}" "$detail"
	done <"$UNIT/results"
}

tap_ok() {
	TAP_PASSED=$((TAP_PASSED + 1))
	tap "ok $(tap_number) - $1"
}

tap_skip() {
	TAP_SKIPPED=$((TAP_SKIPPED + 1))
	tap "ok $(tap_number) - $1 # SKIP $2"
}

tap_fail() {
	local keep=$VNRX_OUT/test/${1//[!A-Za-z0-9._-]/-}.log
	TAP_FAILED=$((TAP_FAILED + 1))
	tap "not ok $(tap_number) - $1"
	cp "$2" "$keep" || return 0
	tail -n 15 "$keep" | while IFS= read -r line; do
		tap "#   $line"
	done
	tap "# log: $keep"
}

# A run that dies on its way must not look like one that passed
tap_bail() {
	[ -z "$TAP_ENDED" ] || return 0
	tap "Bail out! the tests did not run to their end"
	tap_close $((TAP_FAILED + 1))
}

tap_end() {
	TAP_ENDED=1
	tap "1..$(tap_number)"
	tap_close "$TAP_FAILED"
	[ "$TAP_FAILED" -eq 0 ]
}

tap_close() { tap "$TAP_PASSED passed, $1 failed, $TAP_SKIPPED skipped"; }
