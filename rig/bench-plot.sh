# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Plots of out/bench.json: one for each kind of figure and ring, with the
# ratio of every cell, as SVG and PNG.

use deps

# bench_plots JSON DIR. One kernel alone has no ratios.
bench_plots() {
	local json=$1 dir=$2 tmp name title
	need_pkgs "for the benchmark's plots" gnuplot-nox
	new_tmp tmp
	rm -rf "$dir"
	mkdir -p "$dir" || die "cannot write to $dir"
	jq -e '.cells | map(.kernel) | unique | length > 1' "$json" \
		>/dev/null || return 0
	while IFS=$'\t' read -r name title; do
		jq -r --arg name "$name" -f "$VNRX_ROOT/rig/bench-plot.jq" \
			--arg what data "$json" >"$tmp/data"
		bench_plot "$tmp/data" "$dir/$name" "$title"
	done < <(jq -r --arg name "" --arg what names \
		-f "$VNRX_ROOT/rig/bench-plot.jq" "$json")
}

bench_plot() {
	local type
	for type in svg png; do
		gnuplot -e "data='$1'; out='$2.$type'; type='$type'" \
			-e "what='$3'" "$VNRX_ROOT/rig/bench-plot.gp" ||
			die "gnuplot failed for ${2##*/}.$type"
	done
}
