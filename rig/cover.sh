# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Coverage of the driver: how a kernel is built that notes it, where in the
# driver it can be noted, and what was reached.

# What such a kernel depends on, the first being what is compiled into it
COVER_FILES=("$VNRX_ROOT"/device/cover_{guest.c,map.h}
	"$VNRX_ROOT/rig/cover.sh")

# Functions that receive, besides all of virtio_net_rxbuf.h
COVER_RX='receive|recv|refill|_rxb?_|rxq|page_to_skb|mergeable|xdp|_skb|pools'
COVER_RX+='|^virtnet_(poll|copy|alloc|build|skb|buf)|queue_(mem|start|stop)'
# and are none of it, though they are called so
COVER_NOT='xmit|_tx|tx_|xsk|rxfh|rss|rx_(mode|dim|resize)|coal|ethtool|stats'
COVER_NOT+='|notf|cqe|hash|vlan|^virtnet_alloc_queues'

# The driver and the ring call a function at each branch, which comes with the
# core of virtio. Not through a register nor by a jump, or the calls could not
# be found in the image.
cover_make_args() {
	local flags="-g -mcmodel=small -fno-optimize-sibling-calls"
	flags+=" -fsanitize-coverage=trace-pc"
	MAKE+=("CFLAGS_virtio_net.o=$flags" "CFLAGS_virtio_ring.o=$flags"
		"CFLAGS_virtio.o=-include ${COVER_FILES[0]}"
		KASAN_SANITIZE_virtio.o=n UBSAN_SANITIZE_virtio.o=n)
}

# cover_points VMLINUX: a line for each call, as long as the source is there:
# the address noted, function, file, line, and what the line says
cover_points() {
	local calls
	new_tmp calls
	objdump -d "$1" | awk '
		/call.*<__sanitizer_cov_trace_pc>/ { call = $1; next }
		call { print call, $1; call = "" }' | tr -d : >"$calls/at"
	cut -d' ' -f1 "$calls/at" | addr2line -a -f -i -e "$1" | cover_inner |
		paste -d'\t' <(cut -d' ' -f2 "$calls/at") - | cover_source
}

# Of functions that were inlined, the innermost: what was written there
cover_inner() {
	awk -v OFS='\t' '
		/^0x/ { nr = NR; next }
		NR == nr + 1 { name = $1 }
		NR == nr + 2 {
			sub(/ \(discriminator.*/, "")
			match($0, /:[0-9?]+$/)
			print name, substr($0, 1, RSTART - 1),
				substr($0, RSTART + 1)
		}'
}

cover_source() {
	awk -F'\t' -v OFS='\t' '
	function load(file,    nr) {
		loaded[file] = 1
		while ((getline line < file) > 0)
			text[file, ++nr] = line
		close(file)
	}
	{
		if (!($3 in loaded))
			load($3)
		line = text[$3, $4]
		gsub(/[ \t]+/, " ", line)
		file = $3
		sub(/.*\//, "", file)
		print $1, $2, file, $4, line
	}'
}

# cover_functions POINTS REACHED: a line for each place in a function that
# receives: function, file, line, 1 or 0 for reached, what the line says
cover_functions() {
	awk -F'\t' -v OFS='\t' -v rx="$COVER_RX" -v no="$COVER_NOT" '
		NR == FNR { reached[$1] = 1; next }
		$3 == "virtio_net_rxbuf.h" ||
		($3 == "virtio_net.c" && $2 ~ rx && $2 !~ no) {
			at = $2 OFS $3 OFS $4
			text[at] = $5
			hit[at] = hit[at] || ($1 in reached)
		}
		END {
			for (at in text)
				print at, hit[at] + 0, text[at]
		}' "$2" "$1" | sort -t$'\t' -k2,2 -k3,3n
}

# cover_json POINTS REACHED: as JSON, with the reasons of device/uncovered.list
cover_json() {
	cover_functions "$1" "$2" |
		awk -F'\t' -v OFS='\t' \
			-v list="$VNRX_ROOT/device/uncovered.list" '
		BEGIN {
			while ((getline line < list) > 0) {
				if (line ~ /^(#|$)/)
					continue
				split(line, part, /\t+/)
				nr++
				name[nr] = "^(" part[1] ")$"
				text[nr] = part[2]
				reason[nr] = part[3]
			}
		}
		{
			why = ""
			for (i = 1; i <= nr && why == ""; i++)
				if ($1 ~ name[i] &&
				    (text[i] == "*" || index($5, text[i])))
					why = reason[i]
			print $0, why
		}' | jq -R -s -f "$VNRX_ROOT/rig/cover.jq"
}

# cover_print JSON: the functions of which something was not reached, and what
cover_print() {
	jq -r '.coverage | "\(.hit) of \(.total) places in functions that " +
		"receive were reached. Not reached:", (.functions[] |
		select(.hit < .total) | "  \(.function): \(.hit)/\(.total)",
		(.uncovered[] | "    \(.file):\(.line):\(.source)" +
			(if .reason == "" then "" else
			 "\n        \(.reason)" end)))' "$1"
}
