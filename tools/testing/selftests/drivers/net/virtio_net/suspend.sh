#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The devices go through suspend and resume, as pm_test makes them, under
# traffic. All devices of the machine do: it is skipped where one of them is
# known not to survive that.

# shellcheck source-path=SCRIPTDIR source=vnet_lib.sh
source "$(dirname "$0")/vnet_lib.sh"

PM=/sys/power

# virtio's 9P transport has no way to suspend: a root on it would be lost
root_may_suspend()
{
	case $(stat -f -c %T /) in
	v9fs | fuseblk | fuse) return 1 ;;
	overlayfs) ! grep -qE ' (9p|virtiofs) ' /proc/mounts ;;
	esac
}

cycle()
{
	[ -w $PM/pm_test ] || skip "no pm_test (CONFIG_PM_SLEEP_DEBUG)"
	grep -q freeze $PM/state || skip "no suspend to idle"
	root_may_suspend || skip "the root file system would not survive"
	pools_here pools | wc -l >"$VNET_TMP/before" || true
	flood_start 700
	vnet_rx_wait 50
	trap 'echo none >$PM/pm_test' EXIT
	echo devices >$PM/pm_test
	echo freeze >$PM/state
	echo none >$PM/pm_test
	flood_stop
	wait_for 10 vnet_connected
	both
	{ pools_here pools || true; } | wc -l | diff "$VNET_TMP/before" -
	wait_for $VNET_POOL_SECONDS pools_none_detached
}

tests()
{
	vnet_add "suspend and resume under a flood" cycle
	vnet_add "and again" cycle
}

vnet_add_modes mergeable small big -- tests
vnet_run "$@"
