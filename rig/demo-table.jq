# SPDX-License-Identifier: GPL-2.0
#
# out/demo.json as a table for people

def spaces(n): if n > 0 then [range(n)] | map(" ") | add else "" end;
def left(n): . + spaces(n - length);
def right(n): spaces(n - length) + .;
# a number with that many digits behind the point
def fixed(n): if . == null then "-" else
	(. * pow(10; n) | round | tostring) as $d
	| if n == 0 then $d
	  else (spaces(n + 1 - ($d | length)) | gsub(" "; "0")) + $d
		| .[:-n] + "." + .[-n:] end end;
def scaled(by; n): if . == null then null else . / by end | fixed(n);

def line: .[:4] as [$test, $mode, $dma, $kernel]
	| ($test | left(10)) + ($mode | left(11)) + ($dma | left(11))
	+ ($kernel | left(9)) + (.[4:] | map(right(11)) | add);

def cells: if .ok then [
		(.bits_per_second | scaled(1000000; 1)),
		(.packets_per_second | scaled(1000; 1)),
		(.page_allocs_per_packet | fixed(3)),
		(.dma_maps_per_packet | fixed(3)),
		(if .recycled_share == null then "-"
		 else .recycled_share * 100 | fixed(1) + "%" end),
		(.drops | fixed(0))
	] else ["  FAILED: \(.reason)"] end;

(["test", "buffers", "dma", "driver", "Mbit/s", "1000 pkt/s", "pages/pkt",
  "maps/pkt", "recycled", "drops"] | line),
(.rows[] | [.test, .mode, .dma, .kernel] + cells | line),
"",
"Received by the guest (\(.host.guest_kernel // "which did not boot"), "
+ .accel + (if all(.rows[]; .ok) then "), every byte verified."
	    else ")." end),
"Rates are those of the best of several short stretches.",
"pages/pkt  pages the guest allocated for each packet that its device delivered",
"maps/pkt   mappings for DMA from the device; recycled  buffer space posted",
"           without a fresh page (- without a pool); drops  frames of the",
"           flood that found the socket's queue full",
"A packet of the tcp rows over mergeable buffers holds up to 64 KB.",
(.rows | map(select(.ok | not)) | length | select(. > 0)
 | "\(.) rows FAILED.")
