# SPDX-License-Identifier: GPL-2.0
#
# out/bench.json as a table for people

def spaces(n): if n > 0 then [range(n)] | map(" ") | add else "" end;
def left(n): . + spaces(n - length);
def right(n): spaces(n - length) + .;
# a number with that many digits behind the point
def fixed(n): (. * pow(10; n) | round | tostring) as $d
	| (spaces(n + 1 - ($d | length)) | gsub(" "; "0")) + $d
	| .[:-n] + "." + .[-n:];
def name: [.mode, .dma, .ring, .test, .size, .load // empty,
	(.queues // empty | "\(.)q")] | join(" ");

def first(n): .[0] | name | left(n);
# millions of packets per second have no use for a digit behind the point
def figure: if . < 100000 then fixed(1) else round | tostring end;
def cost: if .value then .value | figure else "FAILED" end | right(9);
def against: cost + if .ratio_to_stock
	then (.ratio_to_stock | fixed(2) | right(7))
	+ ("  \(.spread[0] | fixed(2))-\(.spread[1] | fixed(2))" | left(12))
	else "" | left(19) end;
def row(n): first(n) + (.[0] | cost) + (.[1:] | map(against) | add // "");

def unit: "\(.unit)\(if .boot == "" then "" else ", " + .boot end)";

def table: (reduce .[].kernel as $k ([]; if index($k) then . else . + [$k] end))
	as $kernels
| ($kernels | length) as $n
| ([40, (.[] | name | length + 1)] | max) as $width
| . as $c
| "",
  (($c[0] | unit | left($width)) + ($kernels[0] | right(9))
   + ($kernels[1:] | map(right(9) + "  ratio  spread   ") | add // "")),
  (range(0; length; $n) | $c[.:. + $n] | row($width));

. as {$host, $cells}
| ([$cells[] | unit] | reduce .[] as $u ([]; if index($u) then . else . + [$u] end)
	| .[] as $u | [$cells[] | select(unit == $u)] | table),
"",
($cells[] | select(.error) | "FAILED: \(name), \(.kernel): \(.error)"), "",
"Ratio: how many times as fast as the first kernel, the median of pairs",
"(spread: \($host.spread))."
