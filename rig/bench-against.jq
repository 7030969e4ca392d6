# SPDX-License-Identifier: GPL-2.0
#
# A line for each cell of out/bench.json whose ratio of instructions to the
# first kernel's is more than 2 % below that in $old. Ratios, because another
# compiler changes both kernels alike; instructions, because time is noisy.

def cell: "\(.mode) \(.dma) \(.ring) \(.test) \(.size)"
	+ "\(if .boot == "" then "" else ", " + .boot end), \(.kernel)";
def ratios: [.cells[] | select(.bench == "instructions")
	| {key: cell, value: (.ratio_to_stock // 0)}] | from_entries;

($old[0] | ratios) as $was
| ratios as $is
| [$is | keys_unsorted[] | select($was[.])] as $both
| if $both == [] then "no cell in common" else
	$both[] | select($is[.] < $was[.] * 0.98)
	| "\(.): \($is[.]), was \($was[.])" end
