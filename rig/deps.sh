# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The Debian packages a verb needs on the host.

# need_pkgs WHY PKG...: installs those which are missing and says why
need_pkgs() {
	local why=$1 pkg missing=()
	shift
	for pkg in "$@"; do
		pkg_installed "$pkg" || missing+=("$pkg")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	[ -z "$VNRX_NO_INSTALL" ] || pkgs_refuse "$why" "${missing[@]}"
	say "installing ${missing[*]} ($why)"
	root_ready "installing packages"
	with_lock apt run_step "apt-get install" pkgs_install "${missing[@]}" ||
		die "cannot install: check the network and apt's sources, or" \
			"install ${missing[*]} by hand"
}

pkg_installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = \
		installed ]
}

pkgs_refuse() {
	say "missing packages ($1); as root, type:"
	say "  apt-get install --no-install-recommends ${*:2}"
	exit 1
}

# Package lists may be absent on a fresh machine, or name files that have been
# superseded: both are cured by an update and a second try.
pkgs_install() {
	apt_install "$@" && return
	as_root apt-get update
	apt_install "$@"
}

apt_install() {
	as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get install -y --no-install-recommends \
		-o DPkg::Lock::Timeout=300 "$@"
}
