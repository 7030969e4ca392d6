# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Downloads: .deb files that are unpacked into the cache and never installed,
# and what is made of them (kernel source, Debian's own cloud kernel).

use deps

LINUX_PKG=linux-source-6.12

# --- .deb files -------------------------------------------------------------

# fetch_deb PKG VAR: the file of apt's candidate, in the cache
fetch_deb() {
	apt_lists_ready "$1"
	into "$2" with_lock debs deb_get "$1" ""
}

# fetch_deb_from SUITE PKG VAR: the same, of another Debian suite
fetch_deb_from() {
	with_lock "suite-$1" suite_refresh "$1"
	into "$3" with_lock debs deb_get "$2" "$1"
}

# unpack_deb DEB DIR
unpack_deb() {
	mkdir -p "$2" || die "cannot write to $2"
	dpkg-deb -x "$1" "$2" || die "cannot unpack $1 to $2"
}

# apt's own state, or that of one suite which is kept apart from the host's
apt_options() {
	local dir=$VNRX_CACHE/apt/$1
	APT=()
	[ -n "$1" ] || return 0
	APT=(-o "Dir::State=$dir/state" -o "Dir::Cache=$dir/cache"
		-o "Dir::State::status=$dir/status"
		-o "Dir::Etc::sourcelist=$dir/sources.list"
		-o "Dir::Etc::sourceparts=$dir/none"
		-o "Dir::Etc::preferences=$dir/none"
		-o "Dir::Etc::preferencesparts=$dir/none"
		-o "APT::Sandbox::User=root")
}

# deb_version PKG: of apt's candidate, empty if there is none
deb_version() {
	apt-cache policy "$1" 2>/dev/null |
		awk '$1 == "Candidate:" && $2 != "(none)" { print $2 }'
}

# A fresh machine may never have seen "apt-get update"
apt_lists_ready() {
	[ -z "$(deb_version "$1")" ] || return 0
	[ -z "$VNRX_NO_INSTALL" ] ||
		die "apt does not know $1: run apt-get update as root"
	root_ready "apt-get update"
	with_lock apt run_step "apt-get update" as_root apt-get update
	[ -n "$(deb_version "$1")" ] ||
		die "apt does not know $1: check the network and apt's sources"
}

# The mirror is the one this host uses for Debian itself
suite_mirror() {
	# shellcheck disable=SC2016 # apt-get fills these in, not the shell
	REPLY=$(apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' \
		'MetaKey: main/binary-amd64/Packages' |
		awk '$1 == "Debian" && !/-security/ { print $2; exit }')
	[ -n "$REPLY" ] ||
		die "apt's sources name no Debian mirror to fetch $1 from"
}

suite_refresh() {
	local dir=$VNRX_CACHE/apt/$1 mirror APT
	local stamp=$dir/updated
	[ -z "$(find "$stamp" -mtime -1 2>/dev/null)" ] || return 0
	into mirror suite_mirror "$1"
	mkdir -p "$dir/state/lists/partial" "$dir/cache/archives/partial"
	: >>"$dir/status"
	printf 'deb [signed-by=%s] %s %s main\n' \
		/usr/share/keyrings/debian-archive-keyring.gpg \
		"$mirror" "$1" >"$dir/sources.list"
	apt_options "$1"
	run_step "package list of $1" \
		apt-get "${APT[@]}" update --error-on=any && touch "$stamp"
	return 0
}

# deb_get PKG SUITE
deb_get() {
	local uri file hash line APT
	apt_options "$2"
	line=$(apt-get "${APT[@]}" download --print-uris "$1" 2>/dev/null |
		tail -n 1)
	read -r uri file _ hash <<<"$line"
	if [ -z "$uri" ]; then
		deb_by_hand "$1" "$2"
		return
	fi
	REPLY=$VNRX_CACHE/debs/$file
	deb_intact "$REPLY" "$hash" && return
	need_space "$VNRX_CACHE/debs" 200
	mkdir -p "$VNRX_CACHE/debs/new"
	deb_download "$1" || deb_missing "$file" "$uri"
	deb_intact "$VNRX_CACHE/debs/new/$file" "$hash" ||
		die "$VNRX_CACHE/debs/new/$file is not what apt promised"
	mv "$VNRX_CACHE/debs/new/$file" "$REPLY"
}

# Without package lists: what somebody has put there
deb_by_hand() {
	REPLY=$(find "$VNRX_CACHE/debs" -maxdepth 1 -name "$1_*.deb" \
		2>/dev/null | sort -V | tail -n 1)
	[ -n "$REPLY" ] && return
	say "apt knows no package $1; no network? Fetch $1_*.deb elsewhere from"
	die "Debian${2:+ $2} and put it into $VNRX_CACHE/debs/"
}

deb_download() {
	run_step "download $1" env -C "$VNRX_CACHE/debs/new" \
		apt-get "${APT[@]}" -o APT::Sandbox::User=root download "$1"
}

# deb_intact FILE SHA256:... (apt has signed off on that hash)
deb_intact() {
	[ -f "$1" ] || return
	[ "SHA256:$(sha256sum "$1" | cut -d' ' -f1)" = "$2" ]
}

deb_missing() {
	say "cannot download $1; no network? Fetch it elsewhere from"
	say "  ${2//\'/}"
	die "and put it into $VNRX_CACHE/debs/"
}

# --- kernel source ----------------------------------------------------------

# linux_source VAR_DIR: apt's candidate, unpacked. For reading only.
linux_source() { into "$1" source_get; }

source_get() {
	local deb
	apt_lists_ready "$LINUX_PKG"
	source_dir
	[ ! -d "$REPLY" ] || return 0
	fetch_deb "$LINUX_PKG" deb
	with_lock source source_unpack "$deb"
}

source_dir() { REPLY=$VNRX_CACHE/source/$(deb_version "$LINUX_PKG"); }

source_unpack() {
	source_dir
	[ ! -d "$REPLY" ] || return 0
	need_pkgs "to unpack the kernel source" xz-utils
	need_space "$VNRX_CACHE/source" 2500
	run_step "unpack ${1##*/}" source_extract "$1" "$REPLY" ||
		die "cannot unpack $1 to $VNRX_CACHE/source"
}

source_extract() {
	rm -rf "$2.new"
	mkdir -p "$2.new" || return
	source_tar "$1" | tar -x -C "$2.new" --strip-components=1 || return
	mv "$2.new" "$2"
}

source_tar() {
	dpkg-deb --fsys-tarfile "$1" |
		tar -xO "./usr/src/$LINUX_PKG.tar.xz" | xz -dcq -T0
}

# mainline_source VAR_DIR: the newest kernel source that Debian has, of sid, to
# compare with. For reading only.
mainline_source() { into "$1" mainline_get; }

mainline_get() {
	local LINUX_PKG deb
	with_lock suite-sid suite_refresh sid
	into LINUX_PKG mainline_package
	fetch_deb_from sid "$LINUX_PKG" deb
	REPLY=${deb##*/"${LINUX_PKG}"_}
	REPLY=$VNRX_CACHE/source/${REPLY%_all.deb}
	[ -d "$REPLY" ] || with_lock source mainline_unpack "$deb" "$REPLY"
}

# Without package lists, of those that somebody has put there
mainline_package() {
	local APT
	apt_options sid
	REPLY=$({
		apt-cache "${APT[@]}" pkgnames linux-source- 2>/dev/null
		(cd "$VNRX_CACHE/debs" 2>/dev/null && printf '%s\n' linux-source-*)
	} | sed -nE 's/^(linux-source-[0-9.]+)(_.*\.deb)?$/\1/p' |
		sort -V | tail -n 1)
	[[ $REPLY == linux-source-[7-9]* ]] ||
		die "sid has no kernel source from 7.0 on: no network?"
}

mainline_unpack() {
	REPLY=$2
	[ ! -d "$2" ] || return 0
	need_pkgs "to unpack the kernel source" xz-utils
	need_space "$VNRX_CACHE/source" 2500
	run_step "unpack ${1##*/}" source_extract "$1" "$2" ||
		die "cannot unpack $1 to $VNRX_CACHE/source"
	REPLY=$2
}

# source_version DIR: the "6.12.117" of its Makefile; only 6.12.y will do
source_version() {
	local makefile=$1/Makefile
	[[ -f $makefile && -f $1/Kbuild ]] ||
		die "$1 is not a kernel source tree"
	REPLY=$(awk -F' *= *' '$1 == "VERSION" { v = $2 }
		$1 == "PATCHLEVEL" { v = v "." $2 }
		$1 == "SUBLEVEL" { print v "." $2; exit }' "$makefile")
	[[ $REPLY == 6.12.* ]] ||
		die "$1 is Linux ${REPLY:-of unknown version}: the series is for 6.12.y"
}

# source_tree PATH VAR_DIR: a clean source in the cache, for reading only:
# a copy of the tree in PATH, or Debian's if PATH is empty
source_tree() {
	if [ -z "$1" ]; then
		linux_source "$2"
	else
		into "$2" source_import "$1"
	fi
}

source_import() {
	local path key
	[ -d "$1" ] || die "--source: no directory $1"
	path=$(readlink -f "$1")
	into key source_version "$path"
	key+=-$(source_list "$path" | source_stat "$path" | hash_stdin)
	REPLY=$VNRX_CACHE/source/$key
	[ -d "$REPLY" ] || with_lock source source_copy "$path" "$REPLY"
}

# What belongs to the source: what git tracks, else all but build products
source_list() {
	if [ -e "$1/.git" ]; then
		git -c "safe.directory=*" -C "$1" ls-files -z
	else
		(cd "$1" && find . \( -name .git -o -path ./include/config -o \
			-path ./include/generated -o \
			-path './arch/*/include/generated' \) -prune -o \
			\( -type f -o -type l \) ! -name '*.o' ! -name '*.a' \
			! -name '*.ko' ! -name '.*.cmd' ! -name '.config*' \
			! -name vmlinux -printf '%P\0' | sort -z)
	fi
}

# Names, sizes and times stand for the contents: reading it all takes minutes
source_stat() {
	(cd "$1" && xargs -0 stat -c '%n %s %Y' 2>/dev/null)
}

source_copy() {
	local new=$2.new
	[ ! -d "$2" ] || return 0
	need_space "$VNRX_CACHE/source" 2500
	rm -rf "$new"
	mkdir -p "$new"
	run_step "copy $1" source_copy_files "$1" "$new" ||
		die "cannot copy $1 to $VNRX_CACHE/source"
	mv "$new" "$2"
	REPLY=$2
}

# A file that git tracks and the tree has lost is left out
source_copy_files() {
	source_list "$1" | (cd "$1" && xargs -0 ls -d 2>/dev/null) |
		tar -c -C "$1" -T - | tar -x -C "$2"
}

# linux_source_files DIR PATH...: these files, at their paths below DIR,
# without unpacking the whole tree
linux_source_files() {
	local deb dir=$1
	shift
	apt_lists_ready "$LINUX_PKG"
	source_dir
	if [ -d "$REPLY" ]; then
		(cd "$REPLY" && cp --parents -t "$dir" "$@") ||
			die "not in $LINUX_PKG: one of $*"
		return
	fi
	fetch_deb "$LINUX_PKG" deb
	need_pkgs "to unpack the kernel source" xz-utils
	run_step "files of ${deb##*/}" source_pick "$deb" "$dir" "$@" ||
		die "not in $LINUX_PKG: one of $*"
}

# tar stops reading at the last file wanted, and its feeders then die of
# SIGPIPE: tar's own status is the one that counts.
source_pick() {
	local deb=$1 dir=$2
	shift 2
	source_tar "$deb" | tar -x -C "$dir" --strip-components=1 \
		--occurrence=1 "${@/#/$LINUX_PKG/}"
	[ "${PIPESTATUS[1]}" -eq 0 ]
}

# linux_source_file PATH OUT
linux_source_file() {
	local tmp
	new_tmp tmp
	linux_source_files "$tmp" "$1"
	cp "$tmp/$1" "$2"
}

# --- Debian's cloud kernel --------------------------------------------------

# cloud_kernel VAR_DIR: image, modules, config and headers of the cloud
# kernel that was built from linux_source's candidate:
#   DIR/vmlinuz DIR/config DIR/release DIR/lib/modules/... DIR/usr/src/...
cloud_kernel() { into "$1" cloud_get; }

cloud_get() {
	local rel
	apt_lists_ready "$LINUX_PKG"
	into rel cloud_release
	with_lock "cloud-$rel" cloud_unpack "$rel"
}

# The release name of the image package with the same version as the source;
# the signed package sorts first.
cloud_release() {
	local version pkg names
	version=$(deb_version "$LINUX_PKG")
	mapfile -t names < <(apt-cache pkgnames linux-image-6.12 |
		grep -E -- '-cloud-amd64(-unsigned)?$')
	pkg=$(apt-cache madison "${names[@]}" | sort |
		awk -v want="$version" '$3 == want { print $1 }' |
		grep -v '^linux-image-6.12-cloud' | head -n 1)
	[ -n "$pkg" ] || die "apt has no cloud image of version $version"
	REPLY=${pkg#linux-image-}
}

cloud_unpack() {
	local rel=${1%-unsigned} dir pkg deb
	dir=$VNRX_CACHE/cloud/${rel}_$(deb_version "$LINUX_PKG")
	REPLY=$dir
	[ ! -d "$dir" ] || return 0
	need_space "$VNRX_CACHE/cloud" 700
	rm -rf "$dir.new"
	for pkg in "linux-image-$1" "linux-headers-$rel" \
		"linux-headers-${rel%-cloud-amd64}-common" \
		"linux-kbuild-${rel%-cloud-amd64}"; do
		fetch_deb "$pkg" deb
		run_step "unpack $pkg" unpack_deb "$deb" "$dir.new" ||
			die "cannot unpack $deb"
	done
	cloud_arrange "$dir.new" "$rel"
	mv "$dir.new" "$dir"
	REPLY=$dir
}

# Headers point at each other with absolute paths: make them ours
cloud_arrange() {
	ln -s "boot/vmlinuz-$2" "$1/vmlinuz"
	ln -s "boot/config-$2" "$1/config"
	echo "$2" >"$1/release"
	rm -f "$1/lib/modules/$2/build" "$1/lib/modules/$2/source"
	ln -s "../../../usr/src/linux-headers-$2" "$1/lib/modules/$2/build"
}
