# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# vnrx shell: an interactive guest for a developer.

use run

help_shell() {
	cat <<-'EOF'
	  shell [guest options as of run]
	      an interactive guest, by default with the patched kernel; leave
	      it with Ctrl-D, kill it with Ctrl-A X
	EOF
}

cmd_shell() {
	local dir
	guest_defaults
	GUEST["kernel"]=patched
	guest_options shell "$@"
	[ ${#GUEST_COMMAND[@]} -eq 0 ] ||
		usage_die "shell: takes no command, vnrx run does"
	[ "${GUEST[nested]}" = off ] || usage_die "shell: no --nested"
	[[ -t 0 && -t 1 ]] || die "shell needs a terminal"
	guest_prepare
	new_tmp dir
	guest_network
	guest_qemu_opts "$dir"
	guest_vng
	net_exec "${GUEST_CMD[@]}"
}
