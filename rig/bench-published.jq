# SPDX-License-Identifier: GPL-2.0
#
# Cells for bench.json of the boots of ./vnrx bench published/*: each has
# kernel, device, run, tests that were wanted, and lines that the guest wrote.
# $real: the times mean something. $first: the kernel to compare with.

def median: sort | if length % 2 == 1 then .[length / 2 | floor]
	else (.[length / 2 - 1] + .[length / 2]) / 2 end;

# What is wrong with a test's figures, or nothing
def wrong: if . == null then "no result" else
	if .packets == 0 or .bytes == 0 then "nothing received"
	elif .packets and .dropped < .packets * 0.9 then
		"\(.packets) packets, but \(.dropped) dropped"
	else empty end end;

# the runs of one test with one kernel, in their order
def runs($boots; $device; $test; $kernel):
	[$boots[] | select(.device == $device and .kernel == $kernel)
	| [.lines[] | select(.test == $test)][0]];

def ratios($runs; $base):
	[range($runs | length) | $runs[.].value / $base[.].value];

def cell($device; $test): {
	bench: "published", mode: ($device | split("/")[0]),
	dma: "plain", ring: "split",
	queues: ($device | split("/")[1] | tonumber),
	test: ($test | split("/")[0]),
	size: (($test | split("/")[1] // "65536") | tonumber), boot: ""};

def figures($runs; $base):
	{value: ($runs | map(.value) | median)}
	+ (if $real and [$base[] | wrong] == [] then
		ratios($runs; $base) as $r
		| {ratio_to_stock: ($r | median), spread: [($r | min, max)]}
	  else {ratio_to_stock: null, spread: null} end)
	+ ($runs[0] | with_entries(select(.key | IN("packets", "dropped",
		"bytes", "retransmits"))));

def unit_of: if startswith("xdp") then "packets/s" else "Mbit/s" end
	+ if $real then "" else ", emulated" end;

. as $boots
| (reduce .[] as $b ([]; . + [$b.device] | unique)) as $devices
| $devices[] as $device
| [$boots[] | select(.device == $device)] as $here
| $here[0].tests[] as $test
| runs($boots; $device; $test; $first) as $base
| (reduce $here[].kernel as $k ([]; if index($k) then . else . + [$k] end))[]
	as $kernel
| runs($boots; $device; $test; $kernel) as $runs
| cell($device; $test) + {kernel: $kernel, runs: ($runs | length),
		unit: ($test | unit_of)}
	+ if [$runs[] | wrong] == [] then figures($runs; $base)
	  else {value: null, ratio_to_stock: null,
		spread: null, error: [$runs[] | wrong][0]} end
