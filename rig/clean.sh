# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# vnrx clean: what vnrx keeps on disk, by scope.

use tree

# By name, so that a --cache that is also somebody else's loses nothing
CLEAN_BUILDS=(work images bench module logs)
CLEAN_MADE=(source git cloud ccache vng accel fuzz)
CLEAN_DOWNLOADS=(debs apt locks .lock)

help_clean() {
	cat <<-'EOF'
	  clean [--builds|--all]
	      remove out/ and all of the cache but downloads; refuses while
	      another vnrx is at work, keeps a tree with work not exported
	        --builds  finished and unfinished builds only
	        --all     downloads too
	EOF
}

cmd_clean() {
	[ $# -le 1 ] || usage_die "clean: one scope only"
	case ${1:-} in
	--builds) clean_cache "${CLEAN_BUILDS[@]}" ;;
	--all)
		clean_out
		clean_cache "${CLEAN_BUILDS[@]}" "${CLEAN_MADE[@]}" \
			"${CLEAN_DOWNLOADS[@]}"
		rmdir "$VNRX_CACHE" 2>/dev/null
		;;
	'')
		clean_out
		clean_cache "${CLEAN_BUILDS[@]}" "${CLEAN_MADE[@]}"
		;;
	*) usage_die "clean: unknown option $1" ;;
	esac
	return 0
}

clean_cache() {
	local name
	for name in "$@"; do
		[ -e "$VNRX_CACHE/$name" ] || continue
		say "removing $VNRX_CACHE/$name"
		rm -rf "${VNRX_CACHE:?}/$name" ||
			die "cannot remove $VNRX_CACHE/$name"
	done
}

clean_out() {
	local entry
	for entry in "$VNRX_OUT"/*; do
		[ -e "$entry" ] || continue
		if [ -d "$entry/.git" ] && ! (tree_may_change "$entry"); then
			say "$entry is kept"
			continue
		fi
		say "removing $entry"
		rm -rf "$entry"
	done
	rmdir "$VNRX_OUT" 2>/dev/null
}
