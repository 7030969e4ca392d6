# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2153 # names set through "into" and the like
#
# The kernel's own tests in guests: those of the series, and others that apply
# to a pair of virtio NICs. Each program is a group, one boot of the patched
# kernel; its KTAP becomes results.

use deps fetch series tree

SELFTEST_OWN=(data xdp buffers reconfig lifecycle faults leaks xsk netpoll)
SELFTEST_DIR=tools/testing/selftests/drivers/net
# What the tests, libbpf and the netlink library in Python are built from
SELFTEST_PARTS=(tools/arch tools/build tools/include tools/lib tools/net
	tools/scripts tools/testing/selftests Documentation/netlink
	include/uapi scripts)

selftest_groups() {
	local name
	for name in "${SELFTEST_OWN[@]}"; do
		group "selftest/$name" selftest_own "$name" plain
	done
	# what differs where the device wants DMA addresses
	for name in data xdp buffers faults lifecycle reconfig xsk; do
		group "selftest/$name-iommu" selftest_own "$name" iommu
	done
	for name in ping.py queues.py stats.py hw/csum.py; do
		group "selftest/$name" selftest_other "$name"
	done
}

selftest_prepare() {
	need_pkgs "for the kernel's own tests" gcc clang make git libelf-dev \
		zlib1g-dev rsync ethtool iproute2 iputils-ping jq procps \
		python3 python3-yaml python3-jsonschema socat
	into SELFTEST_TREE selftest_tree
}

# selftest_tree: a directory with the series' tests, built
selftest_tree() {
	local src git tip key
	linux_source src
	base_repo "$src" git
	into tip with_lock "git-${git##*/}" series_commit "$git" vnrx-base
	key=$(git_plain --git-dir="$git" rev-parse "$tip:tools" | hash_stdin)
	REPLY=$VNRX_CACHE/selftest/$key
	with_lock "selftest-$key" build_once "$REPLY" \
		"the kernel's own tests" selftest_make "$git" "$tip"
}

# libbpf is found from where it was built: build in the place it stays at
selftest_make() {
	git_plain --git-dir="$1" archive "$2" "${SELFTEST_PARTS[@]}" |
		tar -x -C "$3" || return
	make -s -C "$3/$SELFTEST_DIR/virtio_net" || return
	make -s -C "$3/tools/testing/selftests/net/lib" || true
}

# --- our own ----------------------------------------------------------------

# selftest_own NAME plain|iommu: a device that has it all
selftest_own() {
	local args=(--queues 4 --mtu 9000)
	[ "$2" = plain ] || args+=(--iommu on --packed on)
	guest_vnrx "${args[@]}" -- bash "$VNRX_ROOT/rig/guest/test-selftest.sh" \
		"$SELFTEST_TREE/$SELFTEST_DIR/virtio_net" "$1.sh" \
		>"$UNIT/said" 2>"$UNIT/console"
	selftest_results
}

# KTAP: the lines "# ..." before a result are about it
selftest_results() {
	local log=$UNIT/detail line planned=0 seen=0
	: >"$log"
	while IFS= read -r line; do
		case $line in
		1..*) planned=${line#1..} ;;
		"ok "* | "not ok "*)
			seen=$((seen + 1))
			selftest_result "$line"
			;;
		*) echo "$line" >>"$log" ;;
		esac
	done <"$UNIT/said"
	[[ $seen -gt 0 && $seen -eq ${planned%% *} ]] || selftest_short
}

selftest_short() {
	cat "$UNIT/said" "$UNIT/console" >"$UNIT/detail"
	result fail "all planned tests are run" "$UNIT/detail"
}

selftest_result() {
	local keep name=$1 reason
	name=${name#not }
	name=${name#ok * }
	case $1 in
	*"# SKIP"* | *"# XFAIL"*)
		reason=$(grep '^# ' "$UNIT/detail" | grep -v ': [0-9]* s$' |
			tail -n 1)
		reason=${reason#\# }
		result skip "${name%% \# *}" "${reason#SKIP: }"
		;;
	ok\ *) result ok "$name" ;;
	*)
		keep=$(mktemp "$UNIT/XXXXXX.log")
		cp "$UNIT/detail" "$keep"
		result fail "$name" "$keep"
		;;
	esac
	: >"$UNIT/detail"
}

# --- other people's ---------------------------------------------------------

selftest_other() {
	guest_vnrx --queues 2 -- bash "$VNRX_ROOT/rig/guest/test-drivers-net.sh" \
		"$SELFTEST_TREE/$SELFTEST_DIR" "$1" \
		>"$UNIT/said" 2>"$UNIT/console"
	cat "$UNIT/console" >>"$UNIT/said"
	selftest_results
}
