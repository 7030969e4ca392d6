# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What is kept: results/DATE/, made by a state of this repository.

use series

# results_dir: leaves the directory of today in REPLY
results_dir() {
	REPLY=$VNRX_ROOT/results/$(date -u +%F)
	mkdir -p "$REPLY" || die "cannot write to $REPLY"
}

results_commit() {
	git_plain -C "$VNRX_ROOT" describe --always --dirty 2>/dev/null ||
		echo unknown
}
