# SPDX-License-Identifier: GPL-2.0
#
# A kept bench.json for a cover letter. $what "table": the most telling cells,
# with the column of a kernel $between if that is not ""; "slower": those of all
# cells in which $ours is slower than the first kernel.

def spaces(n): if n > 0 then " " * n else "" end;
def left(n): . + spaces(n - length);
def right(n): spaces(n - length) + .;
# a number with that many digits behind the point
def fixed(n): (. * pow(10; n) | round | tostring)
	| if length <= n then "0" * (n + 1 - length) + . else . end
	| .[:-n] + "." + .[-n:];

def unit: "\(.unit)\(if .boot == "" then "" else ", " + .boot end)";
def cell: "\(.mode) \(.dma) \(.ring) \(.test) \(.size)";
def telling: .ring == "split" and .mode != "big"
	and ([.test] | inside(["xdp_drop", "stack", "held1024"]))
	and ([.size] | inside([64, 1500, 65536]))
	and (.bench == "native" or .dma == "premapped" and .test != "held1024");

# a cell of the first kernel and of ours
.cells[0].kernel as $first
| [.cells | group_by([unit, cell])[]
	| {first: (map(select(.kernel == $first))[0]),
	   between: (map(select(.kernel == $between))[0]),
	   ours: (map(select(.kernel == $ours))[0])}
	| select(.first.value and .ours.ratio_to_stock)] as $pairs
| ($pairs | map(select(.ours.ratio_to_stock < 0.99))
	| sort_by(.ours.ratio_to_stock)) as $slower
| def column(value): if $between == "" then "" else value | right(9) end;
# all of the table are of split rings
def short: "\(.mode) \(.dma) \(.test) \(.size)";
def row: "  \(.ours | short | left(36))\(.first.value | fixed(1) | right(9))"
	+ column(.between.value | if . then fixed(1) else "-" end)
	+ (.ours.value | fixed(1) | right(9))
	+ (.ours.ratio_to_stock | fixed(2) | right(7))
	+ "  \(.ours.spread[0] | fixed(2))-\(.ours.spread[1] | fixed(2))";
def heading: "  \(unit | left(36))\($first | right(9))"
	+ column($between) + ($ours | right(9))
	+ "  ratio  spread";
if $what == "table" then
	$pairs | map(select(.ours | telling)) | group_by(.ours | unit)
	| sort_by(.[0].ours | [.bench != "native", .boot])
	| map(([.[0].ours | heading] + map(row)) | join("\n")) | join("\n\n")
elif $slower == [] then
	"None of the \($pairs | length) cells measured was slower by more than 1 %."
else
	"Slower by more than 1 %, \($slower | length) of \($pairs | length) cells"
	+ (if ($slower | length) > 20 then ", the worst" else "" end) + ":\n\n"
	+ ($slower[:20] | map("  \(.ours | unit): \(.ours | cell):"
		+ " \(.ours.ratio_to_stock | fixed(2))") | join("\n"))
end
