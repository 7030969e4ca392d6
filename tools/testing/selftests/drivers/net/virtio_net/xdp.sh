#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Native XDP: every action and every way to change a frame, with programs for
# one buffer and for several, attached, replaced and detached under traffic.
# Each frame that the peer sends is accounted for and verified where it comes
# out.

# shellcheck source-path=SCRIPTDIR source=vnet_lib.sh
source "$(dirname "$0")/vnet_lib.sh"

FRAMES=${VNET_XDP_FRAMES:-1200}
MTU_JUMBO=9000

# xdp OPTIONS... ACTION CHANGE
xdp()
{
	local options=()

	while [[ $1 == -* ]]; do
		options+=("$1")
		[[ $1 != -[nve] ]] || {
			options+=("$2")
			shift
		}
		shift
	done
	timeout 60 "$VNET_LIB_DIR/xdp" -d "$VNET_LIB_DIR" "${options[@]}" \
		"$VNET_DEV" "$VNET_NS" "$VNET_PEER" "$FRAMES" "$1" "$2"
}

# As many as the kernel has queues of XDP for, on line or not
cpus_possible()
{
	echo $(($(sed 's/.*[-,]//' /sys/devices/system/cpu/possible) + 1))
}

# Half of the queues, if that leaves one for each CPU to send from
own_queues()
{
	local max

	need ethtool
	max=$(channels_max)
	[ $((max / 2)) -ge "$(cpus_possible)" ] || skip "too few queues"
	ethtool -L "$VNET_DEV" combined $((max / 2))
}

xdp_own_queues()
{
	own_queues
	xdp "$@"
}

# With none left for XDP, which must share them
xdp_all_queues()
{
	need ethtool
	[ "$(channels_max)" -eq "$(channels_now)" ] ||
		ethtool -L "$VNET_DEV" combined "$(channels_max)"
	xdp "$@"
}

xdp_veth()
{
	ip link add vnetx0 type veth peer name vnetx1
	ip link set vnetx0 up
	ip link set vnetx1 up
	trap 'ip link delete vnetx0' EXIT
	xdp -v vnetx0 -e vnetx1 "$@"
}

jumbo()
{
	trap jumbo_end EXIT
	jumbo_set || skip "no frames of $MTU_JUMBO bytes on this wire"
}

jumbo_set()
{
	ip link set "$VNET_DEV" mtu $MTU_JUMBO 2>/dev/null || return
	in_peer ip link set "$VNET_PEER" mtu $MTU_JUMBO 2>/dev/null || return
	ping -q -c 1 -W 1 -M "do" -s $((MTU_JUMBO - 28)) $VNET_THERE >/dev/null
}

jumbo_end()
{
	ip link set "$VNET_DEV" mtu $VNET_MTU
	in_peer ip link set "$VNET_PEER" mtu $VNET_MTU
	ip link delete vnetx0 2>/dev/null || true
}

frags()
{
	jumbo
	"$@"
}

frags_veth()
{
	jumbo
	ip link add vnetx0 mtu $MTU_JUMBO type veth peer name vnetx1 \
		mtu $MTU_JUMBO
	ip link set vnetx0 up
	ip link set vnetx1 up
	xdp -f -v vnetx0 -e vnetx1 "$@"
}

# Not for any other reason
xdp_refused()
{
	local said

	said=$(xdp drop none 2>&1) && return 1
	echo "$said"
	[[ $said == *"no native XDP"* ]]
}

# A program for one buffer must not be let onto frames of several
frags_refused()
{
	jumbo
	xdp_refused
	both
}

# mtu_takes_single MTU: is a one-buffer program let on? If it is, it must be
# given every frame.
mtu_takes_single()
{
	local said

	ip link set "$VNET_DEV" mtu "$1"
	in_peer ip link set "$VNET_PEER" mtu "$1"
	said=$(xdp pass none 2>&1) && return
	echo "MTU $1: $said"
	[[ $said == *"no native XDP"* ]] || exit 1
	return 1
}

# The largest MTU at which one is let on, and those that a search for it tries
mtu_limit()
{
	local good=$VNET_MTU bad=$MTU_JUMBO mtu

	jumbo
	FRAMES=200
	while [ $((bad - good)) -gt 1 ]; do
		mtu=$(((good + bad) / 2))
		if mtu_takes_single $mtu; then
			good=$mtu
		else
			bad=$mtu
		fi
	done
	echo "up to an MTU of $good"
}

toggle_tcp()
{
	tcp_start $((2 * VNET_TCP_BYTES))
	FRAMES=400
	xdp -t pass none
	tcp_wait
	both
}

flood_through()
{
	flood_start 700
	xdp "$@"
	flood_stop
}

rx_queues_beyond()
{
	[ "$(find "/sys/class/net/$VNET_DEV/queues" -name 'rx-*' | wc -l)" \
		-gt "$1" ]
}

# The device goes with a program that has queues of its own: those go as well
removed_attached()
{
	local program unbind

	own_queues
	FRAMES=10000000
	xdp drop none >"$VNET_TMP/removed" 2>&1 &
	program=$!
	vnet_background $program
	wait_for 10 rx_queues_beyond "$(channels_now)"
	vnet_unbind &
	unbind=$!
	wait_for 20 vnet_has_ended $unbind
	wait_for 30 vnet_has_ended $program
	pools_gone
	vnet_bind
	both
}

while_down()
{
	ip link set "$VNET_DEV" down
	ip link set "$VNET_DEV" up
	wait_for 5 vnet_connected
	xdp "$@"
}

# The MTU that the device comes up with
vnet_max_mtu()
{
	ip -d link show "$VNET_DEV" | grep -o 'maxmtu [0-9]*' | cut -d ' ' -f 2
}

# The driver must refuse XDP where it cannot do it, and go on as before
refused()
{
	[ "$(vnet_max_mtu)" -gt $VNET_MTU ] || [ "$VNET_MODE" != big-mtu ] ||
		skip "the device has no MTU beyond $VNET_MTU"
	xdp_refused
	both
}

single_tests()
{
	vnet_add "XDP_DROP, counted" xdp -n xdp_drops drop none
	vnet_add "XDP_PASS" xdp pass none
	vnet_add "XDP_ABORTED" xdp aborted none
	vnet_add "an unknown action" xdp invalid none
	vnet_add "XDP_TX, counted" xdp -n xdp_tx tx none
	vnet_add "XDP_REDIRECT to a veth, counted" xdp_veth -n xdp_redirects \
		veth none
	vnet_add "XDP_TX from queues of its own" xdp_own_queues tx none
	vnet_add "XDP_REDIRECT back out" xdp back none
	vnet_add "XDP_REDIRECT to a CPU" xdp cpumap none
	vnet_add "XDP_PASS, head moved" xdp pass shift
	vnet_add "XDP_PASS, tail grown" xdp pass grow
	vnet_add "XDP_TX, tail cut" xdp tx cut
	vnet_add "XDP_PASS, tail cut" xdp pass cut
	vnet_add "XDP_REDIRECT to a CPU, tail grown" xdp cpumap grow
	vnet_add "XDP_REDIRECT to a CPU, head moved" xdp cpumap shift
	vnet_add "XDP_DROP under a flood" flood_through drop none
	vnet_add "programs replaced under traffic" xdp -r pass none
	vnet_add "programs replaced under XDP_TX" xdp -r tx none
	vnet_add "attached and detached under traffic" xdp -t pass none
	vnet_add "attached and detached under TCP" toggle_tcp
	vnet_add "XDP_DROP after down and up" while_down drop none
	vnet_add "TCP and UDP afterwards" both
	vnet_add "nothing is left after unbind" leaves_nothing
}

frags_tests()
{
	vnet_add "one-buffer program refused at MTU $MTU_JUMBO" frags_refused
	vnet_add "one-buffer program, up to the largest MTU" mtu_limit
	vnet_add "frags: XDP_DROP" frags xdp -f drop none
	vnet_add "frags: XDP_PASS" frags xdp -f pass none
	vnet_add "frags: XDP_ABORTED" frags xdp -f aborted none
	vnet_add "frags: XDP_TX" frags xdp -f tx none
	vnet_add "frags: XDP_REDIRECT to a veth" frags_veth veth none
	vnet_add "frags: XDP_REDIRECT back out" frags xdp -f back none
	vnet_add "frags: XDP_REDIRECT to a CPU" frags xdp -f cpumap none
	vnet_add "frags: XDP_PASS, tail cut" frags xdp -f pass cut
	vnet_add "frags: XDP_TX, tail cut" frags xdp -f tx cut
	vnet_add "frags: XDP_REDIRECT to a CPU, tail cut" frags xdp -f \
		cpumap cut
	vnet_add "frags: XDP_PASS, tail grown" frags xdp -f pass grow
	vnet_add "frags: XDP_PASS, head moved" frags xdp -f pass shift
	vnet_add "frags: programs replaced under traffic" frags xdp -f -r \
		pass none
	vnet_add "frags: attached and detached under traffic" frags xdp -f \
		-t -l pass none
	vnet_add "frags: TCP and UDP afterwards" both
	vnet_add "frags: nothing is left after unbind" leaves_nothing
}

# The last, as some kernels do not survive it
shared_tests()
{
	vnet_add "XDP_TX with all queues in use" xdp_all_queues tx none
	vnet_add "XDP_REDIRECT back out, all queues in use" xdp_all_queues \
		back none
	vnet_add "removed with a program attached" removed_attached
}

refused_tests() { vnet_add "XDP is refused" refused; }

vnet_need_xdp
vnet_add_modes mergeable mergeable-nogso small -- single_tests
vnet_add_modes mergeable mergeable-nogso -- frags_tests
vnet_add_modes mergeable-fixed big big-mtu -- refused_tests
vnet_add_modes mergeable small -- shared_tests
vnet_run "$@"
