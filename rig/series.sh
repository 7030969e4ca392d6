# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The patch series: reading it, and applying it to scratch files or to git.
#
# patches/6.12/series has one commit per line:
#   NNNN-name.patch [new/file ...]
# The patch is in git-format-patch form; its diff may be empty. The new files
# are taken from the same path of this repository.

use deps fetch

SERIES=$VNRX_ROOT/patches/6.12
# one identity and one date for all commits: the same input, the same hashes
SERIES_NAME=vnrx
SERIES_MAIL=vnrx@localhost
SERIES_DATE="2026-01-01T00:00:00+0000"

# git as far as possible independent of the user's configuration
git_plain() {
	GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null \
		git -c "safe.directory=*" -c commit.gpgSign=false \
		-c core.hooksPath=/dev/null -c gc.auto=0 \
		-c advice.detachedHead=false "$@"
}

# Reads the series into PATCHES and, at the same index, NEWFILES
series_read() {
	local patch new
	PATCHES=()
	NEWFILES=()
	need_pkgs "for the patch series" git
	[ -f "$SERIES/series" ] || return 0
	while read -r patch new; do
		[[ $patch && $patch != \#* ]] || continue
		[ -f "$SERIES/$patch" ] ||
			die "patches/6.12/series names $patch, which is not there"
		series_check_new "$new"
		PATCHES+=("$patch")
		NEWFILES+=("$new")
	done <"$SERIES/series"
}

# What a module cannot bring along: with the first change of this begins a
# series of its own, which needs a kernel of its own
SERIES_RING=(drivers/virtio include/linux/virtio.h)

# series_ring_begins GIT RANGE: the commit where it does, or nothing; GIT is a
# function that runs git
series_ring_begins() {
	"$1" rev-list --reverse --topo-order "$2" -- "${SERIES_RING[@]}" |
		head -n 1
}

# Leaves in REPLY how many patches in front mend what was there before
series_fixes() {
	REPLY=0
	while [ "$REPLY" -lt ${#PATCHES[@]} ] &&
		grep -q '^Fixes: ' "$SERIES/${PATCHES[REPLY]}"; do
		REPLY=$((REPLY + 1))
	done
}

# The fixes are two series, of which the second begins with this one: netdev
# takes 15 patches at once
SERIES_RESUME='????-virtio_net-keep-the-XDP-program-over-suspend.patch'

# Leaves in REPLY how many fixes are in front of that
series_resume() {
	local fixes
	into fixes series_fixes
	REPLY=0
	# shellcheck disable=SC2053 # a pattern
	while [[ $REPLY -lt $fixes && ${PATCHES[REPLY]} != $SERIES_RESUME ]]; do
		REPLY=$((REPLY + 1))
	done
}

# Leaves the patches that are of use for a virtio_net module by itself
series_module_only() {
	local i paths
	paths=$(IFS='|' && echo "${SERIES_RING[*]}")
	for i in "${!PATCHES[@]}"; do
		grep -qE "^\+\+\+ b/($paths)(/|\$)" \
			"$SERIES/${PATCHES[i]}" || continue
		PATCHES=("${PATCHES[@]:0:i}")
		NEWFILES=("${NEWFILES[@]:0:i}")
		return
	done
}

series_check_new() {
	local file
	for file in $1; do
		[[ /$file/ != *//* && /$file/ != */../* ]] ||
			die "patches/6.12/series: bad path $file"
		[ -f "$VNRX_ROOT/$file" ] ||
			die "patches/6.12/series names $file, which is not there"
	done
}

# Tests and documents make no difference to an image
series_is_kernel() { [[ $1 != ????-@(selftests|docs|tools)-* ]]; }

# series_hash [patched|driver]: of all that the series consists of, or of what
# makes that kind of kernel, which messages do not
series_hash() {
	local i
	series_read
	[ "${1:-}" != driver ] || series_module_only
	REPLY=$(for i in "${!PATCHES[@]}"; do
		if [ -z "${1:-}" ]; then
			cat "$SERIES/${PATCHES[i]}"
		elif series_is_kernel "${PATCHES[i]}"; then
			sed -n '/^diff --git /,$p' "$SERIES/${PATCHES[i]}"
		else
			continue
		fi
		series_new_contents "${NEWFILES[i]}"
	done | hash_stdin)
}

# Of the mode what git knows of it: the rest is the umask's
series_new_contents() {
	local file
	for file in $1; do
		echo "$file"
		[ -x "$VNRX_ROOT/$file" ] && echo 755 || echo 644
		cat "$VNRX_ROOT/$file"
	done
}

# The files of the kernel that the patches touch, whether they exist or not
series_touched() {
	local patch
	for patch in "${PATCHES[@]}"; do
		git_plain apply --numstat --allow-empty "$SERIES/$patch" ||
			die "$patch is not a patch"
	done | cut -f3 | sort -u
}

# What KIND of kernel: stock, as Debian's source has it; patched, with all of the
# series; driver, with what of it a module can bring along; mainline, the newest
# source of Debian's sid as it is
is_kind() { [[ $1 == stock || $1 == mainline ]] || series_applies "$1"; }

series_applies() { [[ $1 == patched || $1 == driver ]]; }

# series_about KIND: which series such a kernel has, in words
series_about() {
	if series_applies "$1"; then
		series_hash "$1"
		REPLY="with series $REPLY"
	else
		REPLY=unmodified
	fi
}

# series_files SRC DIR KIND: the files that the series touches or adds, as they
# are in such a kernel, below the empty DIR. SRC is a source tree; without one,
# Debian's source is read for as many files as it takes.
series_files() {
	local src=$1 dir=$2 touched i
	series_read
	[ "$3" != driver ] || series_module_only
	mapfile -t touched < <(series_touched)
	if [ -z "$src" ]; then
		linux_source_files "$dir" "${touched[@]}" Makefile Kbuild
	else
		series_copy "$src" "$dir" "${touched[@]}" Makefile Kbuild
	fi
	into SERIES_ON source_version "$dir"
	for i in "${!PATCHES[@]}"; do
		series_patch "${PATCHES[i]}" "$dir"
		series_add_new "$dir" "${NEWFILES[i]}"
	done
}

series_copy() {
	local src=$1 dir=$2 file
	shift 2
	for file in "$@"; do
		[ ! -f "$src/$file" ] || (cd "$src" && cp --parents "$file" "$dir")
	done
}

series_patch() {
	apply_in "$2" --whitespace=nowarn --allow-empty "$SERIES/$1" \
		2>/dev/null || series_blame "$1" "$2"
}

# The ceiling keeps git from taking DIR for a part of a repository around it
apply_in() {
	local dir=$1
	shift
	(cd "$dir" && GIT_CEILING_DIRECTORIES=${dir%/*} git_plain apply "$@")
}

series_add_new() {
	local file
	for file in $2; do
		(cd "$VNRX_ROOT" && cp --parents -p "$file" "$1") ||
			die "cannot copy $file to $1"
	done
}

# series_blame PATCH DIR: which hunk of which file, and what to do
series_blame() {
	local rejects=$VNRX_OUT/rejects file
	apply_in "$2" --reject --verbose "$SERIES/$1" 2>&1 |
		rejected_hunks | while read -r file; do
		say "$1: $file does not apply on Linux $SERIES_ON"
	done
	rm -rf "$rejects"
	mkdir -p "$rejects"
	(cd "$2" && find . -name '*.rej' -exec cp --parents {} "$rejects" \;)
	say "the rejected hunks are in $rejects; to mend the series, make a tree"
	die "of a 6.12.y it fits (./vnrx tree), rebase there, ./vnrx export"
}

# From git apply's report: "hunk N of FILE (line L)", or the file that is not
# there at all
rejected_hunks() {
	awk '/^error: patch failed: / {
		colon = match($4, /:[0-9]+$/)
		name = substr($4, 1, colon - 1)
		failed[name]++
		at[name, failed[name]] = substr($4, colon + 1)
	}
	/^error: .*: No such file/ {
		sub(/:$/, "", $2)
		print $2 ", which is not there,"
	}
	/^Applying patch / { file = $3 }
	/^Rejected hunk #/ {
		hunk = substr($3, 2)
		sub(/\.$/, "", hunk)
		seen[file]++
		print "hunk " hunk " of " file " (line " at[file, seen[file]] ")"
	}'
}

# --- as commits -------------------------------------------------------------

# series_commit GITDIR BASE: the series as commits upon BASE, made without a
# work tree; leaves the last commit in REPLY and in refs/series/
series_commit() {
	local git=$1 tip=$2 i index
	series_read
	new_tmp index
	export GIT_INDEX_FILE=$index/index
	git_plain --git-dir="$git" read-tree "$tip" || die "no $tip in $git"
	for i in "${!PATCHES[@]}"; do
		commit_one "$git" "$tip" "${PATCHES[i]}" "${NEWFILES[i]}"
		tip=$REPLY
	done
	unset GIT_INDEX_FILE
	tip=$(git_plain --git-dir="$git" rev-parse "$tip^{commit}")
	git_plain --git-dir="$git" update-ref "refs/series/$tip" "$tip"
	REPLY=$tip
}

commit_one() {
	local git=$1 parent=$2 patch=$3 file tree msg
	git_plain --git-dir="$git" apply --cached --whitespace=nowarn \
		--allow-empty "$SERIES/$patch" 2>/dev/null ||
		index_blame "$git" "$patch"
	for file in $4; do
		index_add "$git" "$file"
	done
	tree=$(git_plain --git-dir="$git" write-tree) || die "disk full?"
	into msg patch_message "$patch"
	REPLY=$(commit_tree "$git" "$tree" -p "$parent" <<<"$msg")
}

commit_tree() {
	local git=$1
	shift
	GIT_AUTHOR_NAME=$SERIES_NAME GIT_AUTHOR_EMAIL=$SERIES_MAIL \
		GIT_AUTHOR_DATE=$SERIES_DATE GIT_COMMITTER_NAME=$SERIES_NAME \
		GIT_COMMITTER_EMAIL=$SERIES_MAIL \
		GIT_COMMITTER_DATE=$SERIES_DATE \
		git_plain --git-dir="$git" commit-tree "$@"
}

index_add() {
	local mode=100644 blob
	[ ! -x "$VNRX_ROOT/$2" ] || mode=100755
	blob=$(git_plain --git-dir="$1" hash-object -w --no-filters \
		"$VNRX_ROOT/$2") || die "cannot store $2"
	git_plain --git-dir="$1" update-index --add \
		--cacheinfo "$mode,$blob,$2"
}

# Puts the files as they stand in the index where series_blame can try them
index_blame() {
	local tmp file
	new_tmp tmp
	git_plain apply --numstat --allow-empty "$SERIES/$2" | cut -f3 |
		while read -r file; do
			git_plain --git-dir="$1" --work-tree="$tmp" \
				checkout-index -q --prefix="$tmp/" "$file"
		done
	into SERIES_ON git_version "$1"
	series_blame "$2" "$tmp"
}

git_version() {
	REPLY=$(git_plain --git-dir="$1" log -1 --format=%s vnrx-base)
	REPLY=${REPLY#Linux }
}

# patch_message PATCH: subject and body
patch_message() {
	local tmp
	new_tmp tmp
	git_plain mailinfo "$tmp/body" /dev/null <"$SERIES/$1" \
		>"$tmp/info" || die "$1 is not in git-format-patch form"
	REPLY=$(sed -n 's/^Subject: //p' "$tmp/info" && echo && cat "$tmp/body")
}
