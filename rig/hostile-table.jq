# SPDX-License-Identifier: GPL-2.0
#
# Kept results of several kernels, slurped, as a table of Markdown: a row for
# each script that some kernel did not survive in all cases.

def row: "| " + join(" | ") + " |";
def told: if .survived == .cases then "all" else "\(.survived) of \(.cases)" end;
def where: gsub(".*/linux[^/ ]*/"; "") | gsub("\\|"; "/")
	| gsub(" at [^ ]*:[0-9]+ "; " at ") | gsub("\\+0x[0-9a-f]+/0x[0-9a-f]+"; "");

. as $kept
| ($kept | map({key: .kernel, value: (.scripts | map({key: .script, value: .})
	| from_entries)}) | from_entries) as $by
| ($kept | map(.kernel)) as $names
| ([$kept[].scripts[].script] | unique) as $all
| ($all | map(select(. as $s | any($names[]; $by[.][$s]
	| . and .survived < .cases)))) as $some
| "<!-- SPDX-License-Identifier: GPL-2.0 -->",
  "# Who survives a device that lies", "",
  ($kept[] | "- **\(.kernel)**: \(.about), \(.date), vnrx \(.commit): "
	+ "\([.scripts[].survived] | add) of \([.scripts[].cases] | add) cases"),
  "",
  "A case is one script of `device/scripts` in one configuration: small, mergeable,",
  "big; plain, premapped; split, packed; without XDP, with single-buffer and with",
  "multi-buffer programs. `./vnrx hostile --kernel KERNEL SCRIPT` repeats them.",
  "\($all | length) scripts, of which \(($all | length) - ($some | length)) are survived by all of these kernels in all",
  "configurations. The others, with what the first failed case said:", "",
  (["script"] + $names | row), (["---"] + ($names | map("---")) | row),
  ($some[] as $s | [$s] + [$names[] | $by[.][$s] // null
	| if . then told + (if .why == "" then "" else ": \(.why | where)" end)
	  else "not run" end] | row)
