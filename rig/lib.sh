# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Ground floor of vnrx: places, messages, locks, clean-up and long steps.
# Everything else sources this file, directly or through "use".
#
# A function that yields a value leaves it in REPLY; "into VAR func args"
# stores it. Run such functions in the main shell, never in $(...): what they
# register for clean-up would be forgotten with the subshell.

[ -z "${VNRX_LIB:-}" ] || return 0
VNRX_LIB=1
set -u -o pipefail

VNRX_ROOT=${VNRX_ROOT:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)}
VNRX_CACHE=${VNRX_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/vnrx}
# shellcheck disable=SC2034 # for the verbs
VNRX_OUT=$VNRX_ROOT/out
VNRX_NO_INSTALL=${VNRX_NO_INSTALL:-}

# sbin is not in an ordinary user's PATH on Debian, ip and modprobe are there
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL=C.UTF-8

ROOT_ASKED=
VNRX_TMP=
CLEANUP=()
declare -A JOBS=()
declare -A USED=()

say() { printf 'vnrx: %s\n' "$*" >&2; }
warn() { say "warning: $*"; }

die() {
	say "$*"
	exit 1
}

usage_die() {
	say "$* (see ./vnrx help)"
	exit 2
}

# use NAME...: sources rig/NAME.sh once
use() {
	local name
	for name in "$@"; do
		[ -z "${USED[$name]:-}" ] || continue
		USED[$name]=1
		# shellcheck source=/dev/null
		. "$VNRX_ROOT/rig/$name.sh"
	done
}

# into VAR func args...: runs func, stores the REPLY it leaves in VAR
into() {
	REPLY=
	"${@:2}" || return
	printf -v "$1" %s "$REPLY"
}

as_root() {
	if [ "$EUID" -eq 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# Asks for the password once, in the foreground: steps in the background
# have no terminal to ask on.
root_ready() {
	[ "$EUID" -ne 0 ] || return 0
	ROOT_ASKED=1
	command -v sudo >/dev/null ||
		die "$1 needs root: run as root, or install sudo"
	sudo -n true 2>/dev/null && return
	say "$1 needs root, asking sudo"
	sudo -v || die "$1 needs root, and sudo refused"
}

# --- clean-up ---------------------------------------------------------------

# cleanup_push CMD ARGS...: run when vnrx ends, last pushed first
cleanup_push() {
	local quoted
	printf -v quoted '%q ' "$@"
	CLEANUP+=("$quoted")
}

cleanup_run() {
	local pid
	# a second Ctrl-C must not leave half of it behind
	trap '' INT TERM HUP USR1
	trap - EXIT
	for pid in "${!JOBS[@]}"; do
		job_kill "$pid"
	done
	while [ ${#CLEANUP[@]} -gt 0 ]; do
		eval "${CLEANUP[-1]}"
		unset 'CLEANUP[-1]'
	done
}

cleanup_arm() {
	tmp_make
	trap cleanup_run EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT USR1
	trap 'exit 143' TERM
	env --default-signal=INT bash -c "$(int_watch)" vnrx-watch $$ &
	cleanup_push watch_end $!
}

watch_end() { kill "$1" 2>/dev/null; }

# bash forgets a Ctrl-C when the program it waits for happens to end normally
# at that moment. This one stands by, and passes it on as a signal that counts.
int_watch() {
	cat <<-'EOF'
	tail --pid="$1" -f /dev/null &
	trap 'kill $!; exit' TERM
	trap 'kill $!; kill -USR1 "$1"; exit' INT
	wait $!
	EOF
}

# new_tmp VAR: a temporary directory that goes away with us, also if a subshell
# has asked for it
new_tmp() {
	[ -n "$VNRX_TMP" ] || tmp_make
	printf -v "$1" %s "$(mktemp -d "$VNRX_TMP/XXXXXX")"
	[ -n "${!1}" ] || die "cannot make a temporary directory"
}

tmp_make() {
	VNRX_TMP=$(mktemp -d "${TMPDIR:-/tmp}/vnrx.XXXXXX") ||
		die "cannot make a temporary directory in ${TMPDIR:-/tmp}"
	cleanup_push rm -rf "$VNRX_TMP"
}

# --- jobs -------------------------------------------------------------------
# A job is a command in the background in a process group of its own, so that
# a signal to vnrx is acted on at once and takes the job with all its children.

# job_start CMD ARGS...: leaves the pid in REPLY
job_start() {
	set -m
	"$@" &
	REPLY=$!
	set +m
	JOBS[$REPLY]=1
}

# job_wait PID: its exit status
job_wait() {
	local rc=0
	wait "$1" || rc=$?
	unset "JOBS[$1]"
	return "$rc"
}

# A guest has 1 GiB, and QEMU and the page cache want some as well
jobs_fit() {
	awk -v cpus="$(nproc)" '/^MemAvailable:/ {
		fit = int($2 / (2 * 1024 * 1024))
		print fit < 1 ? 1 : fit < cpus ? fit : cpus
	}' /proc/meminfo
}

# jobs_each START ENDED ITEM...: "START ITEM" starts a job and leaves its pid in
# REPLY; as many at once as fit. "ENDED ITEM" after each, whatever its outcome.
jobs_each() {
	local start=$1 ended=$2 item pid jobs
	local -A item_of=()
	shift 2
	jobs=$(jobs_fit)
	for item; do
		[ ${#item_of[@]} -lt "$jobs" ] || jobs_reap
		into pid "$start" "$item"
		item_of[$pid]=$item
	done
	while [ ${#item_of[@]} -gt 0 ]; do
		jobs_reap
	done
}

# Waits for any of those that jobs_each has started
jobs_reap() {
	local pid item
	wait -n -p pid "${!item_of[@]}"
	item=${item_of[$pid]}
	unset "item_of[$pid]" "JOBS[$pid]"
	"$ended" "$item"
}

# Part of the group may be root's. The program "kill" may not be installed.
job_signal() {
	local rc=0
	kill "-$1" -- "-$2" 2>/dev/null || rc=1
	if [ -n "$ROOT_ASKED" ] && root_kill "$1" "-$2"; then
		rc=0
	fi
	return "$rc"
}

root_kill() {
	local signal=$1
	shift
	# shellcheck disable=SC2016 # for the other shell
	as_root sh -c 'kill "-$0" -- "$@"' "$signal" "$@" 2>/dev/null
}

# Time for the job to tidy up, then an end to whatever it has left running
job_kill() {
	local tries=150
	unset "JOBS[$1]"
	job_signal TERM "$1" || return 0
	while job_alive "$1" && [ $((tries--)) -gt 0 ]; do
		sleep 0.1
	done
	job_signal KILL "$1"
	wait "$1" 2>/dev/null
}

# Anybody in the group: a vnrx in it has its own jobs to end. What nobody has
# waited for yet still has its number.
job_alive() {
	local stat file
	for file in /proc/[0-9]*/stat; do
		read -r stat 2>/dev/null <"$file" || continue
		[[ ! $stat =~ ^.*\)\ [^Z]\ [0-9]+\ $1\  ]] || return 0
	done
	return 1
}

# guard CMD ARGS...: like CMD, but as a job. Inside a job there is one already.
guard() {
	local REPLY
	if [ "$BASHPID" -ne $$ ]; then
		"$@"
		return
	fi
	job_start "$@"
	job_wait "$REPLY"
}

# Shows that a step is alive; ends with its step, or when vnrx has died
ticker() {
	local label=$1 period=30 start=$SECONDS
	[ ! -t 2 ] || period=1
	while sleep "$period" && kill -0 $$ 2>/dev/null; do
		ticker_line "$label" $((SECONDS - start))
	done
}

ticker_line() {
	if [ -t 2 ]; then
		printf '\r\033[Kvnrx: %s ... %d s' "$1" "$2" >&2
	else
		say "$1 ... $2 s"
	fi
}

# run_step LABEL CMD ARGS...: CMD with its output in a log file. A shell
# function runs in a subshell: it cannot set variables of ours.
run_step() {
	local label=$1 log rc=0 start=$SECONDS tick REPLY
	shift
	if [ "$BASHPID" -ne $$ ]; then
		echo "--- $label"
		"$@"
		return
	fi
	mkdir -p "$VNRX_CACHE/logs" || die "cannot write to $VNRX_CACHE"
	log=$(mktemp "$VNRX_CACHE/logs/XXXXXX.log") || die "disk full?"
	step_begin "$label"
	into tick job_start ticker "$label"
	job_start "$@" </dev/null >"$log" 2>&1
	job_wait "$REPLY" || rc=$?
	job_kill "$tick"
	step_end "$label" "$rc" $((SECONDS - start)) "$log"
	return "$rc"
}

step_begin() {
	if [ -t 2 ]; then
		printf 'vnrx: %s ...' "$1" >&2
	else
		say "$1 ..."
	fi
}

step_end() {
	[ ! -t 2 ] || printf '\r\033[K' >&2
	if [ "$2" -eq 0 ]; then
		say "$1: done ($3 s)"
		rm -f "$4"
		return
	fi
	say "$1: FAILED (exit status $2, $3 s); the end of $4:"
	tail -n 20 "$4" | sed 's/^/  | /' >&2
}

# --- cache ------------------------------------------------------------------

hash_stdin() { sha256sum | cut -c1-16; }

# hash_files FILE...: depends on the contents and their order, not on names
hash_files() { sha256sum -- "$@" | cut -d' ' -f1 | hash_stdin; }

# with_lock NAME CMD ARGS...: CMD in this shell, alone among all vnrx
with_lock() {
	local name=$1 fd rc=0
	shift
	mkdir -p "$VNRX_CACHE/locks" || die "cannot write to $VNRX_CACHE"
	exec {fd}>"$VNRX_CACHE/locks/$name" ||
		die "cannot write to $VNRX_CACHE/locks"
	lock_take "$fd" "$name"
	"$@" || rc=$?
	# children may live on with a copy of fd: unlock, do not just close
	flock -u "$fd"
	exec {fd}>&-
	return "$rc"
}

lock_take() {
	flock -n "$1" && return
	say "waiting for another vnrx ($2)"
	guard flock "$1"
}

# build_once DIR WHAT CMD ARGS...: CMD ARGS... DIR.new fills what becomes DIR,
# which is named after all that goes into it; under a lock
build_once() {
	local dir=$1 what=$2
	shift 2
	[ ! -d "$dir" ] || return 0
	rm -rf "$dir.new"
	mkdir -p "$dir.new" || die "cannot write to $VNRX_CACHE"
	run_step "build $what" "$@" "$dir.new" || die "cannot build $what"
	mv "$dir.new" "$dir"
}

# need_space DIR MIB
need_space() {
	local dir=$1 free
	while [ ! -d "$dir" ]; do
		dir=$(dirname "$dir")
	done
	free=$(df -BM --output=avail "$dir" | tail -n 1 | tr -dc 0-9)
	[ "${free:-0}" -ge "$2" ] ||
		die "$1 needs $2 MiB and $dir has ${free:-0} MiB left:" \
			"free some, or choose another place with --cache DIR"
}
