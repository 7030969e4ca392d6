# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# ./vnrx hostile --keep: what one kernel survived, and a table of all kernels of
# that day.

use series results

# hostile_keep KERNEL IMAGE
hostile_keep() {
	local dir about name=${1##*/}
	into dir results_dir
	into about hostile_about "$1" "$2"
	jq --arg kernel "$name" --arg about "$about" \
		--arg date "$(date -u +%F)" --arg commit "$(results_commit)" \
		-f "$VNRX_ROOT/rig/hostile-keep.jq" "$VNRX_OUT/hostile.json" \
		>"$dir/hostile-$name.json" || die "disk full?"
	jq -rs -f "$VNRX_ROOT/rig/hostile-table.jq" "$dir"/hostile-*.json \
		>"$dir/hostile.md" || die "disk full?"
	say "kept in results/${dir##*/}"
}

# hostile_about KERNEL IMAGE: its release, and which series it has
hostile_about() {
	local release
	release=$(strings -n 8 "$2" | sed -n 's/^Linux version \([^ ]*\).*/\1/p' |
		head -n 1)
	series_about "$1"
	REPLY="Linux ${release:-of unknown release}, $REPLY"
}
