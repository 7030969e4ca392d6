# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154 # options, guest: hostile_device
#
# vnrx fuzz: made up faults against the driver, guided by where they take it.
# The device (device/fuzz.c) makes them up; here is which devices it is in turn,
# and what came of it.

use deps fetch build hostile cover

# A guest for less than this has hardly begun
FUZZ_SLICE=10

help_fuzz() {
	cat <<-'EOF'
	  fuzz [options]
	      a device that makes its lies up: fault scripts as hostile has
	      them, changed at random, and kept if they take the driver where it
	      has not been. All kinds of devices in turn. What the driver does
	      not survive is in out/fuzz/crashes as a script, made as short as
	      can be, and told with the command that repeats it; exit status 1.
	      All figures, and which lines that receive were not reached, are in
	      out/fuzz.json.
	        --seconds N       all together (default: 120)
	        --kernel KIND|IMAGE  stock, patched (default), driver, mainline
	                          (./vnrx help build), or a user-mode Linux,
	                          best of ./vnrx build umlfuzz
	        --config PATTERN  e.g. mergeable/plain/split/xdp-off, 'big/*'
	        --corpus DIR      scripts that have shown something: taken from
	                          there and kept there
	                          (default: fuzz/corpus in the cache)
	        --seed N          what chance begins with (default: the time)
	        --replay NAME|FILE
	                          only repeat what was found, and see whether
	                          the driver survives it now
	EOF
}

cmd_fuzz() {
	local FUZZ_SECONDS=120 FUZZ_KERNEL=patched FUZZ_CONFIG='*' image
	local FUZZ_CORPUS=$VNRX_CACHE/fuzz/corpus FUZZ_SEED='' FUZZ_REPLAY=''
	fuzz_options "$@"
	: "${FUZZ_SEED:=$(date +%s)}"
	[ -z "$FUZZ_REPLAY" ] || fuzz_replay_file
	# shellcheck disable=SC2034 # coverage is that of user-mode Linux
	HOSTILE_DMAS=(plain premapped)
	hostile_configs fuzz "$FUZZ_CONFIG"
	hostile_kernel "$FUZZ_KERNEL" umlfuzz image
	hostile_programs
	fuzz_prepare
	if [ -n "$FUZZ_REPLAY" ]; then
		fuzz_replay "$image"
		return
	fi
	fuzz_all "$image"
	fuzz_report "${image%/*}/points"
}

fuzz_options() {
	while [ $# -gt 0 ]; do
		case $1 in
		--seconds | --kernel | --config | --corpus | --seed | --replay)
			[ $# -gt 1 ] || usage_die "fuzz: $1 needs a value"
			fuzz_option "$1" "$2"
			shift
			;;
		*) usage_die "fuzz: unknown option $1" ;;
		esac
		shift
	done
}

fuzz_option() {
	case $1 in
	--seconds) fuzz_number "$1" "$2" && FUZZ_SECONDS=$2 ;;
	--seed) fuzz_number "$1" "$2" && FUZZ_SEED=$2 ;;
	--kernel) FUZZ_KERNEL=$2 ;;
	--config) FUZZ_CONFIG=$2 ;;
	--corpus) FUZZ_CORPUS=$(readlink -m "$2") ;;
	--replay) FUZZ_REPLAY=$2 ;;
	esac
}

fuzz_number() {
	[[ $2 =~ ^[1-9][0-9]{0,8}$ ]] ||
		usage_die "fuzz: $1 is a number from 1 on, not '$2'"
}

fuzz_prepare() {
	FUZZ_CRASHES=$VNRX_OUT/fuzz/crashes
	mkdir -p "$FUZZ_CRASHES" || die "cannot write to $VNRX_OUT"
	mkdir -p "$FUZZ_CORPUS" || die "cannot write to $FUZZ_CORPUS"
	rm -f "$VNRX_OUT/fuzz"/*.log
	: >"$HOSTILE_TMP/results"
	: >"$HOSTILE_TMP/reached"
}

# --- fuzzing ----------------------------------------------------------------

# What is left of the time is divided among the devices that are left. Where it
# is not enough for all, chance decides which is the first.
fuzz_all() {
	local image=$1 config n end=$((SECONDS + FUZZ_SECONDS)) left i
	local nr=${#CONFIGS[@]} scripts=()
	mapfile -t scripts < <(fuzz_scripts)
	n=$((FUZZ_SECONDS / FUZZ_SLICE))
	[ "$n" -gt 0 ] || n=1
	[ "$n" -le "$nr" ] || n=$nr
	say "seed $FUZZ_SEED, $n of $nr devices, corpus in $FUZZ_CORPUS"
	cleanup_push fuzz_saved "$FUZZ_CORPUS" "$FUZZ_CRASHES"
	for ((i = 0; i < n; i++)); do
		config=${CONFIGS[(FUZZ_SEED + i * (nr / n)) % nr]}
		left=$(((end - SECONDS) / (n - i)))
		[ "$left" -gt 0 ] || left=1
		guard fuzz_device "$config" "$left" || exit 1
	done
}

# The scripts that need no guest of their own
fuzz_scripts() {
	local script
	for script in "$VNRX_ROOT"/device/scripts/*.fault; do
		hostile_is_alone "$script" || echo "$script"
	done
}

fuzz_device() {
	local config=$1 seconds=$2 options guest rc=0
	local dir=$FUZZ_CORPUS/${1//\//-}
	fuzz_device_options "$config" "$image"
	timeout --foreground $((seconds + 120)) "$HOSTILE_TMP/vndev" \
		"${options[@]}" --fuzz "$dir" --findings "$FUZZ_CRASHES" \
		--seconds "$seconds" \
		--known "$VNRX_ROOT/device/known.list" --seed "$FUZZ_SEED" \
		--cover "$HOSTILE_TMP/reached" --xdp "${XDPS[$config]}" \
		--log "$(fuzz_log "$config")" "${scripts[@]}" -- \
		"${guest[@]}" </dev/null || rc=$?
	[ "$rc" -le 1 ] || die "the device for $config ended with $rc," \
		"the guest's console is $(fuzz_log "$config")"
}

# Half of the devices have a longer header
fuzz_device_options() {
	hostile_device "$1" "$FUZZ_KERNEL" "$2"
	[[ $1 != */packed ]] || options+=(--more rss --more hash_report)
}

fuzz_log() { echo "$VNRX_OUT/fuzz/${1//\//-}.log"; }

# fuzz_saved CORPUS CRASHES: also after Ctrl-C
fuzz_saved() {
	say "$(fuzz_new "$1") new scripts in $1"
	[ "$(fuzz_new "$2")" -eq 0 ] || say "$(fuzz_new "$2") findings in $2"
}

fuzz_new() {
	find "$1" -name '*.fault' -newer "$HOSTILE_TMP/vndev" | wc -l
}

# --- repeating --------------------------------------------------------------

# The file says which device it was, unless --config does
fuzz_replay_file() {
	local file
	for file in "$FUZZ_REPLAY" \
		"$VNRX_OUT/fuzz/crashes/$FUZZ_REPLAY.fault"; do
		[ -f "$file" ] || continue
		FUZZ_REPLAY=$(readlink -f "$file")
		[ "$FUZZ_CONFIG" != '*' ] ||
			FUZZ_CONFIG=$(sed -n 's/^# config //p' "$file")
		: "${FUZZ_CONFIG:=mergeable/plain/split/xdp-off}"
		return
	done
	usage_die "fuzz: nothing that was found is called $FUZZ_REPLAY"
}

fuzz_replay() {
	local image=$1 config=${CONFIGS[0]} options guest
	fuzz_device_options "$config" "$image"
	guard timeout --foreground 300 "$HOSTILE_TMP/vndev" "${options[@]}" \
		--replay --xdp "${XDPS[$config]%%,*}" \
		--log "$(fuzz_log "$config")" \
		"$FUZZ_REPLAY" -- "${guest[@]}"
}

# --- what came of it --------------------------------------------------------

fuzz_report() {
	local points=$1 out=$VNRX_OUT/fuzz.json
	sort -u "$HOSTILE_TMP/reached" -o "$HOSTILE_TMP/reached"
	if [ -s "$points" ]; then
		cover_json "$points" "$HOSTILE_TMP/reached"
	else
		echo null
	fi >"$HOSTILE_TMP/cover"
	fuzz_json >"$out" || die "cannot write $out"
	[ ! -s "$points" ] || cover_print "$out"
	jq -r '.findings[] | "FOUND \(.why)\n  ./vnrx fuzz --kernel " +
		"\(.kernel) --replay \(.finding)"' "$out"
	jq -r '"\(.inputs) inputs, \(.lies) hostile completions in " +
		"\(.seconds) s (\(.lies_per_minute) a minute), " +
		"\(.findings | length) findings, \(.known) known"' "$out"
	[ "$(jq '.findings | length' "$out")" -eq 0 ]
}

fuzz_json() {
	jq -s --slurpfile cover "$HOSTILE_TMP/cover" --arg seed "$FUZZ_SEED" \
		--arg kernel "$FUZZ_KERNEL" '
		map(select(has("inputs"))) as $devices |
		($devices | map(.seconds) | add // 0) as $seconds |
		($devices | map(.lies) | add // 0) as $lies | {
			kernel: $kernel, seed: ($seed | tonumber),
			seconds: ($seconds | round),
			inputs: ($devices | map(.inputs) | add // 0),
			lies: $lies,
			lies_per_minute: (if $seconds > 0 then
				$lies * 60 / $seconds | floor else 0 end),
			known: ($devices | map(.known) | add // 0),
			devices: $devices,
			findings: map(select(has("finding")) +
				{kernel: $kernel}),
			coverage: $cover[0]
		}' "$HOSTILE_TMP/results"
}
