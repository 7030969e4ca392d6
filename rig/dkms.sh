# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# ./vnrx dkms: a Debian package that builds the driver of the series against
# the 6.12 kernels that are installed. What is in it is in pkg/dkms/.

use deps module

DKMS_NAME=vnrx-virtio-net
DKMS_PKG=$DKMS_NAME-dkms

help_dkms() {
	cat <<-'EOF'
	  dkms [--maintainer 'Name <mail>'] [DIR]
	      a Debian package in DIR (default out/dkms) that has DKMS build our
	      virtio_net for Debian's 6.12 kernels, and gives them their own
	      driver back when it is removed. Installs nothing.
	        --maintainer  who answers for the package (default: the
	                      environment's DEBFULLNAME and DEBEMAIL)
	EOF
}

cmd_dkms() {
	local DIR=$VNRX_OUT/dkms MAINTAINER='' deb
	dkms_options "$@"
	into deb dkms_package "$DIR"
	say "$deb"
	say "install: sudo apt install $deb"
	say "remove:  sudo apt remove $DKMS_PKG"
	say "then reboot. Secure Boot: /usr/share/doc/$DKMS_PKG/README.Debian"
}

dkms_options() {
	while [ $# -gt 0 ]; do
		case $1 in
		--maintainer)
			[ $# -gt 1 ] || usage_die "dkms: $1 needs a value"
			[[ $2 =~ ^[^\<\>@]+\ \<[^\<\>@\ ]+@[^\<\>@\ ]+\>$ ]] ||
				usage_die "dkms: --maintainer is" \
					"'Name <mail>', not '$2'"
			MAINTAINER=$2
			shift
			;;
		-*) usage_die "dkms: unknown option $1" ;;
		*) DIR=$(readlink -m "$1") ;;
		esac
		shift
	done
}

# dkms_package DIR: leaves the package's file in REPLY
dkms_package() {
	local tmp version deb
	need_pkgs "to make the package" build-essential debhelper dh-dkms dkms
	new_tmp tmp
	into version dkms_version
	dkms_source "$tmp/source" "$version"
	run_step "build $DKMS_PKG $version" dkms_build "$tmp/source" ||
		die "the package does not build"
	deb=${DKMS_PKG}_${version}_all.deb
	[ "$1" != "$VNRX_OUT/dkms" ] || rm -rf "$1"
	mkdir -p "$1" || die "cannot write to $1"
	cp "$tmp/$deb" "$1/" || die "cannot write to $1"
	REPLY=$1/$deb
}

# CHANGELOG.md's last version, and which state of the driver it is
dkms_version() {
	local version hash
	version=$(sed -n 's/^## \([0-9.]*\) .*/\1/p' "$VNRX_ROOT/CHANGELOG.md" |
		head -n 1)
	[ -n "$version" ] || die "CHANGELOG.md names no version"
	into hash series_hash driver
	REPLY=$version+${hash:0:8}
}

# dkms_source DIR VERSION: a Debian source tree
dkms_source() {
	local who=${MAINTAINER:-}
	[ -n "$who" ] || who="${DEBFULLNAME:-vnrx} <${DEBEMAIL:-vnrx@vnrx.invalid}>"
	module_source "$1"
	cp -r "$VNRX_ROOT/pkg/dkms/debian" "$1/" || die "disk full?"
	mkdir -p "$1/debian/source"
	echo "3.0 (native)" >"$1/debian/source/format"
	sed -i "s|@MAINTAINER@|$who|" "$1/debian/control"
	dkms_changelog "$2" "$who" >"$1/debian/changelog"
	dkms_version_header "$2" >"$1/version.h"
}

dkms_version_header() {
	printf '/* %s */\n' "SPDX-License-Identifier: GPL-2.0-or-later"
	printf '#include <linux/module.h>\nMODULE_VERSION("%s");\n' "$1"
}

dkms_changelog() {
	local date
	date=$(sed -n 's/^## [0-9.]* - \([0-9-]*\)$/\1/p' \
		"$VNRX_ROOT/CHANGELOG.md" | head -n 1)
	printf '%s (%s) unstable; urgency=medium\n\n' "$DKMS_NAME" "$1"
	printf '  * State %s of the series.\n\n' "${1#*+}"
	printf ' -- %s  %s\n' "$2" "$(date -u -R -d "$date")"
}

dkms_build() { (cd "$1" && dpkg-buildpackage -b -us -uc); }
