# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# vnrx tree: the kernel source as a git tree with the series as commits.
# vnrx export: such a tree's commits back to patches/6.12/ and new files.

use deps fetch series

help_tree() {
	cat <<-'EOF'
	  tree [DIR] [--source PATH]
	      make DIR (default out/linux), a git tree of Linux 6.12.y with the
	      series as commits on branch vnrx, upon the tag vnrx-base. Edit,
	      commit, rebase there, then ./vnrx export. A DIR that exists is
	      brought up to date; work in it that was not exported is kept,
	      and the command refuses.
	        --source PATH  any 6.12.y tree (default: Debian's linux-source)
	EOF
}

help_export() {
	cat <<-'EOF'
	  export [DIR] [--force]
	      write the commits of DIR (default out/linux) since vnrx-base to
	      patches/6.12/ and the new files to their path in this repository
	        --force  even if the series here has changed since DIR was made
	EOF
}

cmd_tree() {
	local dir='' source='' src base tip
	while [ $# -gt 0 ]; do
		case $1 in
		--source)
			[ $# -gt 1 ] || usage_die "--source needs a path"
			source=$2
			shift
			;;
		-*) usage_die "tree: unknown option $1" ;;
		*)
			[ -z "$dir" ] || usage_die "tree: one DIR only"
			dir=$1
			;;
		esac
		shift
	done
	dir=$(readlink -m "${dir:-$VNRX_OUT/linux}")
	need_pkgs "for the kernel tree" git
	tree_may_change "$dir"
	source_tree "$source" src
	base_repo "$src" base
	into tip with_lock "git-${base##*/}" series_commit "$base" vnrx-base
	tree_update "$dir" "$base" "$tip"
}

# --- the base ---------------------------------------------------------------

# base_repo SRC VAR: a bare repository with SRC as its one commit, vnrx-base
base_repo() { into "$2" base_get "$1"; }

base_get() {
	local repo=$VNRX_CACHE/git/${1##*/}.git
	with_lock "git-${repo##*/}" base_make "$1" "$repo"
	REPLY=$repo
}

base_make() {
	[ ! -d "$2" ] || return 0
	need_space "$VNRX_CACHE/git" 1000
	rm -rf "$2.new"
	mkdir -p "$VNRX_CACHE/git"
	run_step "git tree of ${1##*/} (once per source)" \
		base_commit "$1" "$2.new" || die "cannot make $2"
	mv "$2.new" "$2"
}

# Taking every file for a big one makes git write one pack instead of 85000
# loose objects, which is faster to make and to clone.
base_commit() {
	local tree commit version
	source_version "$1"
	version=$REPLY
	git_plain init -q --bare "$2" || return
	git_plain --git-dir="$2" --work-tree="$1" -c core.compression=1 \
		-c core.bigFileThreshold=1 add -A -f || return
	base_gitignore "$1" "$2" || return
	tree=$(git_plain --git-dir="$2" write-tree) || return
	commit=$(echo "Linux $version" | commit_tree "$2" "$tree") || return
	git_plain --git-dir="$2" update-ref refs/heads/base "$commit"
	git_plain --git-dir="$2" symbolic-ref HEAD refs/heads/base
	git_plain --git-dir="$2" tag vnrx-base "$commit"
}

# Debian's source ignores everything at its top, which would hide every new
# file from "git add".
base_gitignore() {
	local blob
	grep -qx '/\*' "$1/.gitignore" || return 0
	blob=$(sed -e '\:^/\*$:d' -e '\:^!/debian/$:d' "$1/.gitignore" |
		git_plain --git-dir="$2" hash-object -w --stdin) || return
	git_plain --git-dir="$2" update-index \
		--cacheinfo "100644,$blob,.gitignore"
}

# --- the tree ---------------------------------------------------------------

tree_git() { git_plain -C "$TREE" "$@"; }

# Refuses what would lose somebody's work
tree_may_change() {
	TREE=$1
	[ -e "$TREE" ] || return 0
	[ -d "$TREE" ] || die "$TREE is not a directory"
	[ -n "$(ls -A "$TREE")" ] || return 0
	tree_is_ours
	[ "$(tree_git symbolic-ref -q HEAD)" = refs/heads/vnrx ] ||
		die "$TREE is not on branch vnrx: finish the work there first" \
			"(git checkout vnrx)"
	tree_clean
	[ "$(tree_git rev-parse HEAD)" = \
		"$(tree_git rev-parse refs/vnrx/exported)" ] ||
		die "$TREE has commits that were not exported:" \
			"./vnrx export $TREE, or keep them on another branch"
}

tree_is_ours() {
	[ -d "$TREE/.git" ] || die "$TREE was not made by ./vnrx tree"
	tree_git rev-parse -q --verify vnrx-base >/dev/null ||
		die "$TREE has no tag vnrx-base: not made by ./vnrx tree"
}

tree_clean() {
	[ -z "$(tree_git status --porcelain | head -n 1)" ] ||
		die "$TREE has uncommitted changes: commit or stash them first"
}

tree_update() {
	local dir=$1 base=$2 tip=$3
	TREE=$dir
	if [ ! -d "$dir/.git" ]; then
		need_space "$dir" 2500
		mkdir -p "$dir"
		cleanup_push tree_unfinished "$dir"
		run_step "git tree in $dir" tree_new "$base" "$tip" ||
			die "cannot make $dir"
	else
		run_step "update $dir" tree_move "$base" "$tip" ||
			die "cannot update $dir"
	fi
	series_hash
	tree_git config vnrx.series "$REPLY"
	tree_git update-ref refs/vnrx/exported "$tip"
	say "$dir: branch vnrx, $(tree_git rev-list --count vnrx-base..HEAD)" \
		"commits upon $(tree_git log -1 --format=%s vnrx-base)"
}

# An interrupted checkout would look like uncommitted changes ever after
tree_unfinished() {
	[ -e "$1/.git/refs/vnrx/exported" ] || rm -rf "$1"
}

# Objects are hard links to the cache or copies: they outlive vnrx clean
tree_new() {
	git_plain clone -q --local --no-checkout "$1" "$TREE" || return
	tree_git remote remove origin
	tree_fetch "$1" "$2" &&
		tree_git -c checkout.workers=0 checkout -q -B vnrx "$2"
}

tree_fetch() {
	tree_git fetch -q --no-tags "$1" "refs/series/$2" \
		+refs/tags/vnrx-base:refs/tags/vnrx-base
}

tree_move() {
	tree_fetch "$1" "$2" && tree_git reset -q --hard "$2"
}

# --- export -----------------------------------------------------------------

cmd_export() {
	local force='' dir='' staged
	while [ $# -gt 0 ]; do
		case $1 in
		--force) force=1 ;;
		-*) usage_die "export: unknown option $1" ;;
		*)
			[ -z "$dir" ] || usage_die "export: one DIR only"
			dir=$1
			;;
		esac
		shift
	done
	TREE=$(readlink -m "${dir:-$VNRX_OUT/linux}")
	need_pkgs "for the kernel tree" git
	[ -d "$TREE" ] || die "no tree in $TREE: make one with ./vnrx tree"
	tree_is_ours
	tree_clean
	[ -n "$force" ] || export_may
	new_tmp staged
	export_find_split
	export_stage "$staged"
	with_lock export export_swap "$staged"
}

# Somebody else may have changed the series since the tree was made
export_may() {
	series_hash
	[ "$REPLY" = "$(tree_git config vnrx.series)" ] ||
		die "the series here has changed since $TREE was made; commit" \
			"it, then ./vnrx export --force and compare"
}

# export_stage DIR: the new series below DIR, as it would be in this
# repository, and proof that it makes the same tree
export_stage() {
	local commit
	[ -z "$(tree_git rev-list --merges vnrx-base..HEAD)" ] ||
		die "$TREE has a merge since vnrx-base: rebase it away"
	mkdir -p "$1/patches/6.12"
	export_new_files "$1"
	series_comment >"$1/patches/6.12/series"
	EXPORT_NR=0
	while read -r commit; do
		export_commit "$1" "$commit"
	done < <(tree_git rev-list --reverse --topo-order vnrx-base..HEAD)
	export_verify "$1"
	say "exported $EXPORT_NR commits"
}

# SPLIT, the first commit that needs more than a new virtio_net module, and LATE,
# that one and all after it; both empty if there is none. The new files are to
# stay what a module for an unmodified kernel is built of: what a late commit
# changes in a file that was there before is in its patch.
export_find_split() {
	SPLIT=$(series_ring_begins tree_git vnrx-base..HEAD)
	LATE=()
	[ -z "$SPLIT" ] || mapfile -t LATE < <(echo "$SPLIT"
		tree_git rev-list "$SPLIT..HEAD")
}

# New files, which stay out of the patches: EARLY ones with the contents that
# they have before SPLIT, others with their final contents
export_new_files() {
	local file
	NEW=()
	EARLY=()
	OWNED=()
	while IFS= read -r -d '' file; do
		NEW+=("$file")
		if [ -n "$SPLIT" ] &&
			tree_git cat-file -e "$SPLIT^:$file" 2>/dev/null; then
			EARLY+=("$file")
		else
			(cd "$TREE" && cp --parents -p "$file" "$1") ||
				die "cannot copy $file"
		fi
	done < <(tree_git diff -z --no-renames --name-only --diff-filter=A \
		vnrx-base HEAD)
	[ ${#EARLY[@]} -eq 0 ] ||
		tree_git archive "$SPLIT^" -- "${EARLY[@]}" | tar -x -C "$1" ||
		die "cannot copy the new files"
}

# The new files that are not in the patch of COMMIT
export_left_out() {
	local file
	for file in "${NEW[@]}"; do
		in_list "$1" "${LATE[@]}" && in_list "$file" "${EARLY[@]}" ||
			printf '%s\n' "$file"
	done
}

# The comment that opens the present series file
series_comment() {
	if [ -f "$SERIES/series" ]; then
		awk '!/^#/ { exit } { print }' "$SERIES/series"
		return
	fi
	printf '# %s\n' "SPDX-License-Identifier: GPL-2.0" \
		"One commit per line: NNNN-name.patch [new/file ...]"
}

export_commit() {
	local out=$1/patches/6.12 commit=$2 name mine
	EXPORT_NR=$((EXPORT_NR + 1))
	name=$(export_name "$commit")
	into mine export_claim "$commit"
	echo "$name$mine" >>"$out/series"
	export_patch "$commit" >"$out/$name" || die "cannot export $commit"
}

# As git format-patch names it: at most 64 bytes in all
export_name() {
	local slug
	slug=$(tree_git log -1 --format=%f "$1")
	printf '%04d-%.52s.patch\n' "$EXPORT_NR" "$slug"
}

# The new files that this commit is the first to touch: " FILE FILE..."
export_claim() {
	local commit=$1 file mine=
	while IFS= read -r file; do
		in_list "$file" "${NEW[@]}" || continue
		if in_list "$commit" "${LATE[@]}" &&
			in_list "$file" "${EARLY[@]}"; then
			continue
		fi
		if in_list "$file" "${OWNED[@]}"; then
			say "$file: what $(tree_git log -1 --format=%h "$commit")" \
				"changes is folded into the commit that adds it"
			continue
		fi
		OWNED+=("$file")
		mine+=" $file"
	done < <(tree_git diff-tree -r --no-commit-id --no-renames \
		--name-only "$commit")
	REPLY=$mine
}

in_list() {
	local want=$1 item
	shift
	for item in "$@"; do
		[ "$item" != "$want" ] || return 0
	done
	return 1
}

# The form of git format-patch, with nothing in it that depends on the time,
# the sender or the version of git
export_patch() {
	local out
	mapfile -t out < <(export_left_out "$1")
	printf 'From %040d Mon Sep 17 00:00:00 2001\n' 0
	printf 'From: %s <%s>\n' "$SERIES_NAME" "$SERIES_MAIL"
	printf 'Date: %s\n' "$(date -u -R -d "$SERIES_DATE")"
	tree_git log -1 --format='Subject: [PATCH] %s%n' "$1"
	export_body "$1"
	echo ---
	tree_git diff-tree -p --stat=72 --summary --no-commit-id --no-renames \
		--no-ext-diff --no-color --abbrev=12 -U3 \
		--diff-algorithm=myers "$1" -- . "${out[@]/#/:(exclude)}"
}

# Sign-offs are the sender's, put in when the series is mailed
export_body() {
	local body
	body=$(tree_git log -1 --format=%b "$1" | grep -v '^Signed-off-by: ')
	[ -z "$body" ] || printf '%s\n' "$body"
}

# The staged series must make the very tree that it was taken from
export_verify() {
	local tip
	into tip export_again "$1"
	[ "$(tree_git rev-parse "$tip^{tree}")" = \
		"$(tree_git rev-parse "HEAD^{tree}")" ] ||
		die "the exported series does not make the tree of $TREE:" \
			"nothing was changed here"
	[ "$(export_subjects "$tip")" = "$(export_subjects HEAD)" ] ||
		die "a commit message does not survive a patch file" \
			"(a line of ---?): nothing was changed here"
}

export_again() {
	local VNRX_ROOT=$1 SERIES=$1/patches/6.12
	series_commit "$TREE/.git" vnrx-base
}

export_subjects() {
	tree_git log --format='%s%n%b' "vnrx-base..$1" |
		grep -v -e '^Signed-off-by: ' -e '^$'
}

# --- into this repository ---------------------------------------------------

# export_swap STAGED: the new patches beside the old, then in their place
export_swap() {
	local next=$SERIES.next last=$SERIES.last file
	rm -rf "$next" "$last"
	mkdir -p "$SERIES"
	cp -a "$SERIES" "$next" || die "disk full?"
	find "$next" -maxdepth 1 -name '[0-9][0-9][0-9][0-9]-*.patch' \
		! -name '0000-*' -delete
	cp "$1/patches/6.12/"* "$next/" || die "disk full?"
	export_stale
	for file in "${NEW[@]}"; do
		export_file "$1" "$file"
	done
	mv "$SERIES" "$last" && mv "$next" "$SERIES" && rm -rf "$last"
	series_hash
	tree_git config vnrx.series "$REPLY"
	tree_git update-ref refs/vnrx/exported HEAD
}

export_file() {
	cmp -s "$1/$2" "$VNRX_ROOT/$2" && return
	mkdir -p "$(dirname "$VNRX_ROOT/$2")"
	cp -p "$1/$2" "$VNRX_ROOT/$2" || die "cannot write $2"
}

# New files of the old series that the new one has no more
export_stale() {
	local files file
	[ -f "$SERIES/series" ] || return 0
	series_read
	for files in "${NEWFILES[@]}"; do
		for file in $files; do
			in_list "$file" "${NEW[@]}" || rm -f "$VNRX_ROOT/$file"
		done
	done
}
