# SPDX-License-Identifier: GPL-2.0
#
# out/bench.json for gnuplot. $what "names": a line for each plot, its name
# and title; "data": the plot $name, a line for each cell, three columns for
# each kernel but the first: ratio, lowest, highest

def load: if .load then " " + .load else "" end;
def plot: "\(.bench)\(load)\(if .boot == "" then "" else "-" + .boot end)-\(.ring)"
	| gsub("[^a-z0-9-]"; "-");
def title: "\(.unit)\(load)\(if .boot == "" then "" else ", " + .boot end), "
	+ "\(.ring) ring";
def cell: "\(.mode) \(.test) \(.size)"
	+ if .queues then " \(.queues)q" else "" end;
def series: "\(.kernel), \(.dma)";
# each once, as they came
def in_order: reduce .[] as $x ([]; if index([$x]) then . else . + [$x] end);

if $what == "names" then
	[.cells[] | select(.ratio_to_stock) | {name: plot, title: title}] | unique[]
	| [.name, .title] | @tsv
else
	.cells[0].kernel as $first
	| [.cells[] | select(plot == $name and .kernel != $first)]
	| . as $all
	| [map(.kernel) | in_order[] as $k
		| $all | map(select(.kernel == $k) | series) | unique[]] as $series
	| (map(cell) | in_order) as $cells
	| (map({key: (cell + series), value: .}) | from_entries) as $at
	| (["cell"] + ($series | map(., "low", "high")) | map(tojson) | join(" ")),
	  ($cells[] as $c | [$c] + ($series | map($at[$c + .] as $v
		| if $v.ratio_to_stock then $v.ratio_to_stock, $v.spread[]
		  else "?", "?", "?" end)) | map(tojson) | join(" "))
end
