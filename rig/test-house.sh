# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Tests of this repository's own scripts and programs.

use deps fetch test-mail mutants

house_groups() {
	group house/shellcheck house_shellcheck
	group house/programs house_programs
	group house/files house_files
	group house/refusals house_refusals
	mail_groups
}

house_prepare() {
	need_pkgs "for tests of the scripts" shellcheck gcc clang make \
		pkg-config libbpf-dev libelf-dev zlib1g-dev
	linux_source HOUSE_SRC
	mail_test_prepare
}

# All files of this repository, in git or not, relative to its root
house_list() {
	(cd "$VNRX_ROOT" && find . \( -path ./.git -o -path ./out \) -prune -o \
		-type f -printf '%P\n' | sort)
}

# house_copy DIR: this repository without what was measured or made
house_copy() {
	mkdir "$1" && tar -c -C "$VNRX_ROOT" --exclude=./out --exclude=./.git \
		--exclude=./results . | tar -x -C "$1"
}

house_scripts() {
	house_list | while IFS= read -r file; do
		[[ $file != *.sh ]] &&
			! head -c 20 "$VNRX_ROOT/$file" | grep -q '^#!.*sh' ||
			echo "$file"
	done
}

house_shellcheck() {
	local file
	while IFS= read -r file; do
		check "$file" env -C "$VNRX_ROOT" shellcheck -x "$file"
	done < <(house_scripts)
}

# --- programs ---------------------------------------------------------------

house_programs() {
	local dir
	for dir in bench bench/twocore bench/vnbench/user test; do
		mkdir -p "$UNIT/$dir"
		check "$dir compiles, -Wall -Wextra -Werror" \
			make -C "$VNRX_ROOT/$dir" "O=$UNIT/$dir" \
			"LINUX=$HOUSE_SRC"
	done
}

# --- files ------------------------------------------------------------------

house_files() {
	check "each file names its licence" house_spdx
	check "no host or path of one machine" house_words
	check "all shell scripts are reachable by help" house_help
	check "figures of boots become cells" house_published
	check "loads that make no sense are refused" house_loads
	check "each mutation is of a line that is there" house_mutants
}

# What "vnrx mutants" would build; to run its tests takes an hour
house_mutants() {
	# shellcheck disable=SC2034 # for mutants_select
	local MUTANTS_TMP=$UNIT/mutants ONLY='*' name bad=0
	mkdir -p "$MUTANTS_TMP/source"
	series_files "$HOUSE_SRC" "$MUTANTS_TMP/source" driver
	mutants_select
	for name in "${SELECTED[@]}"; do
		mutant_source "$name" "$MUTANTS_TMP/$name" && continue
		echo "rig/mutants.list: $name changes nothing that is there"
		bad=1
	done
	return $bad
}

# Patches are in the form that git gives them
house_spdx() {
	local file bad=0
	while IFS= read -r file; do
		[[ $file != LICENSE && $file != *.patch && $file != *.json &&
			$file != results/*.svg && $file != results/*.png ]] ||
			continue
		head -n 3 "$VNRX_ROOT/$file" |
			grep -q 'SPDX-License-Identifier: GPL-2.0' && continue
		echo "$file"
		bad=1
	done < <(house_list)
	return "$bad"
}

# Mirrors come from apt's own configuration, places from the environment
house_words() {
	! house_list | (cd "$VNRX_ROOT" && xargs -d '\n' grep -nE \
		'[a-z]\.debian\.(org|net)|(^|[^A-Za-z}.])/(home|wor[k])/') | grep .
}

house_help() {
	local verb
	"$VNRX_ROOT/vnrx" help >"$UNIT/help" || return
	for verb in demo test hostile fuzz soak bench mutants tree export series dkms \
		build run shell clean; do
		grep -q "^  $verb\b" "$UNIT/help" || {
			echo "./vnrx help does not tell of $verb"
			return 1
		}
	done
}

# Two kernels, two runs of one test; the second kernel has no other result
house_published() {
	local line='{"test":"xdp_drop/64","packets":9,"dropped":9,"value":'
	local boot='"device":"small/2","tests":["xdp_drop/64","tcp_stream"]'
	local run
	for run in 0 1; do
		echo "{\"kernel\":\"a\",\"run\":$run,$boot,
			\"lines\":[$line 100},{\"test\":\"tcp_stream\",
			\"bytes\":9,\"value\":1}]}"
		echo "{\"kernel\":\"b\",\"run\":$run,$boot,
			\"lines\":[$line $((200 + 200 * run))}]}"
	done | jq -sc --argjson real true --arg first a \
		-f "$VNRX_ROOT/rig/bench-published.jq" |
		jq -se 'map([.test, .kernel, .ratio_to_stock, .error]) == [
			["xdp_drop", "a", 1, null], ["xdp_drop", "b", 3, null],
			["tcp_stream", "a", 1, null],
			["tcp_stream", "b", null, "no result"]]'
}

house_loads() {
	local load
	mkdir -p "$UNIT/twocore"
	make -s -C "$VNRX_ROOT/bench/twocore" "O=$UNIT/twocore" || return
	for load in 0k 100 100kx 100kx0 100kx64y 100kx9999 99999k maximum; do
		"$UNIT/twocore/twocore" -c 1 -d 0 a=/nonexistent -- \
			"small/plain/split/stack/64/$load" 2>"$UNIT/said" &&
			return 1
		cat "$UNIT/said"
		grep -q 'the load is max' "$UNIT/said" || return
	done
}

# --- refusals ---------------------------------------------------------------

house_refusals() {
	mkdir "$UNIT/old"
	printf 'VERSION = 5\nPATCHLEVEL = 10\nSUBLEVEL = 1\n' \
		>"$UNIT/old/Makefile"
	touch "$UNIT/old/Kbuild"
	refuses 2 "unknown verb: frobnicate" frobnicate
	refuses 2 "unknown option: --frobnicate" --frobnicate
	refuses 2 "unknown option --frobnicate" tree --frobnicate
	refuses 2 "unknown option --frobnicate" build --frobnicate
	refuses 2 "not 'frobnicate'" build --kernel frobnicate
	refuses 2 "does not go with mainline" build --kernel mainline \
		--source /nonexistent
	refuses 2 "unknown option --frobnicate" demo --frobnicate
	refuses 2 "goes with --kernel debian" demo --module x --kernel built
	refuses 1 "is no kernel module" demo --module /nonexistent
	refuses 2 "unknown option --frobnicate" dkms --frobnicate
	refuses 2 "not 'frobnicate'" dkms --maintainer frobnicate
	refuses 2 "unknown option --frobnicate" series --frobnicate
	refuses 2 "unknown option --frobnicate" test --frobnicate
	refuses 2 "unknown option --frobnicate" fuzz --frobnicate
	refuses 2 "not '0'" fuzz --seconds 0
	refuses 2 "no device is called 'frobnicate'" fuzz --config frobnicate
	refuses 2 "no device is called 'frobnicate'" \
		hostile --config frobnicate
	refuses 2 "nothing that was found is called frobnicate" \
		fuzz --replay frobnicate
	refuses 2 "an image of user-mode Linux" fuzz --kernel frobnicate
	refuses 2 "unknown option --frobnicate" soak --frobnicate 1
	refuses 2 "not '0'" soak --seconds 0
	refuses 2 "unknown option --frobnicate" run --frobnicate 1 -- true
	refuses 2 "unknown option --frobnicate" bench --frobnicate
	refuses 2 "no such cell: frobnicate" bench frobnicate
	refuses 2 "no kernel /nonexistent" bench --kernels /nonexistent
	refuses 2 "no source tree" bench --kernels "tree:$VNRX_ROOT"
	refuses 2 "not '0'" bench --rounds 0
	refuses 2 "not 'frobnicate'" bench --only frobnicate
	refuses 2 "takes stock, patched" bench published/small/1 \
		--kernels "tree:$VNRX_ROOT"
	refuses 1 "no such file" run --kernel /nonexistent -- true
	refuses 1 "not a bzImage" run --kernel "$VNRX_ROOT/vnrx" -- true
	refuses 1 "/nonexistent is no kernel image" demo --kernel /nonexistent
	refuses 1 "series is for 6.12.y" tree "$UNIT/t" --source "$UNIT/old"
	refuses 1 "no directory /nonexistent" tree "$UNIT/t" \
		--source /nonexistent
	refuses 1 "not made by ./vnrx tree" export "$VNRX_ROOT/rig"
}

# refuses STATUS WORDS ARGS...: vnrx ARGS ends with STATUS and says WORDS
refuses() {
	local status=$1 words=$2
	shift 2
	check "vnrx $*" refusal "$status" "$words" "$@"
}

refusal() {
	local rc=0 status=$1 words=$2
	shift 2
	timeout 60 "$VNRX_ROOT/vnrx" --cache "$VNRX_CACHE" "$@" \
		>"$UNIT/said" 2>&1 || rc=$?
	cat "$UNIT/said"
	echo "exit status $rc, wanted: $status and \"$words\""
	[ "$rc" -eq "$status" ] && grep -qF -- "$words" "$UNIT/said"
}
