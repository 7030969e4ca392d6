# SPDX-License-Identifier: GPL-2.0
#
# What the guests said, and the floods, to the rows of out/demo.json.
# Input: one object for each boot. Wants $host and $accel.

def page_size: 4096;
# nine digits would claim more than was measured
def digits(n): if . == null then null
	else . * pow(10; n) | round / pow(10; n) end;
def ratio(a; b): if a == null or b == null or b == 0 then null
	else a / b | digits(4) end;
def per_second(n; ns): if ns == null or ns == 0 then null
	else n * 1000000000 / ns | round end;

def event(boot; name): boot.lines[] | select(.event == name);
def result(boot; test): first(event(boot; "result") | select(.test == test))
	// null;
def iperf(boot; way): first(event(boot; "iperf") | select(.way == way))
	// null;
def has_pool(boot): first(event(boot; "up") | .fill.fresh > 0) // false;

# Of the bytes given to the device, those that no page fetched meanwhile
# accounts for. null without a pool, or without probes.
def recycled(boot; count):
	if (has_pool(boot) | not) or count.fresh_pages == null or
	   count.posted_bytes == null or count.posted_bytes == 0 then null
	else [0, 1 - count.fresh_pages * page_size / count.posted_bytes]
		| max | digits(4) end;

def costs(boot; count): {
	page_allocs_per_packet: ratio(count.pgalloc; count.rx_packets),
	dma_maps_per_packet: ratio(count.dma_maps; count.rx_packets),
	recycled_share: recycled(boot; count)
};

# On the wire a flood's frame has 64 bytes
def flood_figures(boot; test): result(boot; test) as $r
	| per_second($r.rate.seen; $r.rate.ns) as $pps
	| {
		bits_per_second: (if $pps then $pps * 64 * 8 else null end),
		packets_per_second: $pps
	} + costs(boot; $r.count) + {
		drops: (boot.floods[test].sent - $r.good)
	};

# The best interval counts, as with the floods; iperf3 has no packets, so the
# device's are spread over the intervals as the bytes are.
def tcp_figures(boot): iperf(boot; "in") as $in
	| ([$in.report.intervals[].sum.bits_per_second] | max) as $best
	| $in.report.end.sum_received as $sum
	| {
		bits_per_second: ($best | round),
		packets_per_second:
			($in.packets * $best / 8 / $sum.bytes | round)
	} + costs(boot; result(boot; "tcp").count) + {
		drops: null,
		bits_per_second_sent: (iperf(boot; "out")
			| .report.end.sum_received.bits_per_second | round)
	};

def flood_faults(boot; test): result(boot; test) as $r
	| boot.floods[test] as $f
	| if $f == null then "the flood did not end"
	  elif $r.rate.seen == 0 then "nothing arrived in the time measured"
	  else ($f.sent - $f.tap_dropped - $r.good - $r.bad - $r.overflow)
		| select(. != 0) | "\(.) of \($f.sent) frames unaccounted for" end;

def tcp_faults(boot): ("in", "out")
	| . as $way | iperf(boot; $way)
	| select((.report.end.sum_received.bits_per_second // 0) == 0)
	| "iperf3 moved nothing \($way)";

# Everything that is wrong with a row, the first cause first
def faults(boot; test): result(boot; test) as $r | [
	(event(boot; "failed") | select(.test == test) | .reason),
	(event(boot; "fatal") | .reason),
	(if boot.fatal != "" then boot.fatal else empty end),
	(event(boot; "sick") | "kernel: \(.reason)"),
	(if $r == null then "no result"
	 else (if $r.bad > 0 then "\($r.bad) with wrong content" else empty end),
	      (if $r.misordered > 0 then "\($r.misordered) out of order"
	       else empty end),
	      (if test == "tcp" then tcp_faults(boot)
	       else flood_faults(boot; test) end)
	 end)
];

def no_figures: {
	bits_per_second: null, packets_per_second: null,
	page_allocs_per_packet: null, dma_maps_per_packet: null,
	recycled_share: null, drops: null
};

def figures(boot; test):
	if test == "tcp" then tcp_figures(boot)
	else flood_figures(boot; test) end;

def note(boot; test): result(boot; test).note
	| if . == "" then null else . end;

def row(boot; test): faults(boot; test) as $faults
	| (boot | {kernel, mode, dma}) + {test: test, ok: ($faults == [])}
	+ (if $faults == [] then figures(boot; test) else no_figures end)
	+ {
		reason: ($faults[0] // note(boot; test)),
		driver_version: (first(event(boot; "driver") | .version)
			// null),
		command: boot.command
	};

def rank(list): . as $x | list | index($x);

{
	host: ($host + {guest_kernel: (first(.[] | event(.; "boot") | .release)
		// null)}),
	accel: $accel,
	rows: [
		.[] as $boot | ("tcp", "xdp_drop", "udp") as $test
		| row($boot; $test)
	] | sort_by((.test | rank(["tcp", "xdp_drop", "udp"])), .mode,
		    (.dma | rank(["premapped", "plain"])),
		    (.kernel | rank(["stock", "patched"])))
}
