# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# ./vnrx series: the patches as mail, signed off by who sends them. Five series,
# because netdev takes 15 patches at once, and fixes by themselves: those in two,
# then the driver, then tests and documents, then batched calls of the ring and
# the driver on top of them.

use deps fetch series tree

MAIL_MAX=15
MAIL_PARTS=(fixes resume driver tests ring)

help_series() {
	cat <<-'EOF'
	  series --from 'Name <mail>' [--tree 6.12.y|net-next] [--results FILE]
	         [--version N --changes FILE] [DIR]
	      the series as mail for git send-email, in DIR (default out/mail):
	      DIR/fixes, resume, driver, tests and ring, each with a cover letter,
	      recipients and your sign-off. The figures in the letter are those
	      that ./vnrx bench --keep has kept. Refuses if they were measured
	      with another state of the driver, or if a static test fails. Sends
	      nothing.
	        --from          who sends it
	        --tree          for the subject (default: 6.12.y)
	        --results FILE  a bench.json (default: the last in results/)
	        --version N     number of the version, from 2 on with
	                        --changes FILE: what has changed since the last
	EOF
}

cmd_series() {
	local FROM='' NAME='' MAIL='' SUBJECT_TREE=6.12.y RESULTS='' VERSION=1
	local CHANGES='' DIR='' OURS DRIVER GIT TIP
	mail_options "$@"
	mail_may_write
	need_pkgs "for the series as mail" git git-email libmailtools-perl \
		jq perl
	mail_results
	mail_checks
	mail_commits
	mail_write
	mail_try
	mail_say
}

mail_options() {
	while [ $# -gt 0 ]; do
		case $1 in
		--from | --tree | --results | --version | --changes)
			[ $# -gt 1 ] || usage_die "series: $1 needs a value"
			mail_option "$1" "$2"
			shift
			;;
		-*) usage_die "series: unknown option $1" ;;
		*)
			[ -z "$DIR" ] || usage_die "series: one DIR only"
			DIR=$(readlink -m "$1")
			;;
		esac
		shift
	done
	[ -n "$FROM" ] ||
		usage_die "series: say who sends it: --from 'Name <mail>'"
	[ "$VERSION" -eq 1 ] || [ -n "$CHANGES" ] ||
		usage_die "series: what has changed? --changes FILE"
}

mail_option() {
	case $1 in
	--from)
		[[ $2 =~ ^([^\<\>@\"]+)\ \<([^\<\>@\ ]+@[^\<\>@\ ]+)\>$ ]] ||
			usage_die "series: --from is 'Name <mail>', not '$2'"
		FROM=$2
		NAME=${BASH_REMATCH[1]}
		MAIL=${BASH_REMATCH[2]}
		;;
	--tree)
		[[ $2 == 6.12.y || $2 == net-next ]] ||
			usage_die "series: --tree 6.12.y or net-next, not '$2'"
		SUBJECT_TREE=$2
		;;
	--results) RESULTS=$2 ;;
	--version)
		[[ $2 =~ ^[1-9][0-9]?$ ]] ||
			usage_die "series: --version is from 1 to 99, not '$2'"
		VERSION=$2
		;;
	--changes)
		[ -s "$2" ] || usage_die "series: nothing in --changes $2"
		CHANGES=$2
		;;
	esac
}

# Only what stands where nothing is asked for may be written over
mail_may_write() {
	if [ -z "$DIR" ]; then
		DIR=$VNRX_OUT/mail
		rm -rf "$DIR"
	fi
	[ ! -e "$DIR" ] || [ -z "$(ls -A "$DIR" 2>&1)" ] ||
		die "$DIR is there already: remove it, or name another DIR"
}

# --- what it must not be mailed without --------------------------------------

# Leaves the file in RESULTS, and the names that our kernels have there in OURS,
# with all of the series, and DRIVER, without the ring's part
mail_results() {
	local kept
	if [ -z "$RESULTS" ]; then
		kept=("$VNRX_ROOT"/results/*/bench.json)
		RESULTS=${kept[-1]}
		[ -f "$RESULTS" ] ||
			die "no figures are kept: ./vnrx bench --keep makes some"
	fi
	jq -es '.[0].cells[0].kernel' "$RESULTS" >/dev/null 2>&1 ||
		die "$RESULTS is no bench.json"
	into OURS mail_results_name patched
	into DRIVER mail_results_name driver
	jq -e 'all(.cells[]; .error | not)' "$RESULTS" >/dev/null ||
		die "$RESULTS has cells that failed: ./vnrx bench --keep"
	[ -n "$(mail_jq table "$OURS")" ] ||
		die "$RESULTS has no cell of the cover letter's table:" \
			"./vnrx bench --quick --kernels stock,driver,patched" \
			"--keep measures them"
}

# mail_results_name KIND: what such a kernel, as it is now, is called there
mail_results_name() {
	local now
	into now series_hash "$1"
	REPLY=$(jq -r --arg now "$now" '(.host.series // {}) | to_entries[]
		| select(.value == $now) | .key' "$RESULTS" | head -n 1)
	[ -n "$REPLY" ] && return
	say "$RESULTS was not measured with the driver as it is now: it says" \
		"$(jq -c '.host.series // "nothing"' "$RESULTS")," \
		"now $1 is $now."
	die "Measure it: ./vnrx bench --kernels stock,driver,patched --keep"
}

# mail_jq table|slower OURS [BETWEEN]
mail_jq() {
	jq -r --arg what "$1" --arg ours "$2" --arg between "${3:-}" \
		-f "$VNRX_ROOT/rig/mail-table.jq" "$RESULTS"
}

# The static tests, once for each state of the series; the quick ones first
mail_checks() {
	local key pattern
	into key mail_checks_key
	[ ! -f "$VNRX_CACHE/passed/mail-$key" ] || return 0
	for pattern in 'static/@(form|docs|kernel-doc)' 'static/*'; do
		run_step "static tests ($pattern)" mail_check "$pattern" ||
			die "the static tests fail: see" \
				"./vnrx test --only '$pattern'"
	done
	mkdir -p "$VNRX_CACHE/passed"
	touch "$VNRX_CACHE/passed/mail-$key"
}

mail_checks_key() {
	local key src
	into key series_hash
	linux_source src
	REPLY=$({
		echo "$key ${src##*/}"
		cat "$VNRX_ROOT/rig/static.sh"
	} | hash_stdin)
}

mail_check() {
	local out rc=0
	out=$("$VNRX_ROOT/vnrx" --cache "$VNRX_CACHE" \
		${VNRX_NO_INSTALL:+--no-install} test --only "$1" 2>&1) || rc=$?
	printf '%s\n' "$out" | grep -vE '^(ok |TAP|1\.\.)'
	return "$rc"
}

# --- patches ----------------------------------------------------------------

# Leaves the repository in GIT and the last commit, the sender's, in TIP
mail_commits() {
	local src now
	now=$(date -u +%FT%T)+0000
	# shellcheck disable=SC2034 # for series_commit
	local SERIES_NAME=$NAME SERIES_MAIL=$MAIL SERIES_DATE=$now
	linux_source src
	base_repo "$src" GIT
	into TIP with_lock "git-${GIT##*/}" series_commit "$GIT" vnrx-base
	cleanup_push mail_forget "$GIT" "$TIP"
}

mail_forget() { git_plain --git-dir="$1" update-ref -d "refs/series/$2"; }

mail_git() {
	GIT_COMMITTER_NAME=$NAME GIT_COMMITTER_EMAIL=$MAIL GIT_DIR=$GIT \
		git_plain "$@"
}

# mail_end FROM PATTERN: how many patches there are up to the first one behind
# FROM whose name is not like PATTERN
mail_end() {
	REPLY=$1
	# shellcheck disable=SC2053 # a pattern
	while [[ $REPLY -lt ${#PATCHES[@]} && ${PATCHES[REPLY]} == $2 ]]; do
		REPLY=$((REPLY + 1))
	done
}

# Fixes come first, then the driver's patches, then tests and documents, then the
# ring's
mail_write() {
	local resume fixes driver tests all
	series_read
	all=${#PATCHES[@]}
	into resume series_resume
	into fixes series_fixes
	into driver mail_end "$fixes" '????-virtio_net-*'
	into tests mail_end "$driver" '????-@(selftests|docs)-*'
	mail_part fixes vnrx-base "$TIP~$((all - resume))"
	mail_part resume "$TIP~$((all - resume))" "$TIP~$((all - fixes))"
	mail_part driver "$TIP~$((all - fixes))" "$TIP~$((all - driver))"
	mail_part tests "$TIP~$((all - driver))" "$TIP~$((all - tests))"
	mail_part ring "$TIP~$((all - tests))" "$TIP"
}

# mail_part PART FROM TO
mail_part() {
	local out=$DIR/$1 nr header=() prefix="PATCH $SUBJECT_TREE"
	[[ $1 != @(fixes|resume) || $SUBJECT_TREE != net-next ]] ||
		prefix="PATCH net"
	nr=$(mail_git rev-list --count "$2..$3")
	[ "$nr" -gt 0 ] || return 0
	[[ $SUBJECT_TREE != net-next || $nr -le $MAIL_MAX ]] ||
		die "$nr patches in one series: netdev takes $MAIL_MAX"
	mkdir -p "$out" || die "cannot write to $DIR"
	mapfile -t header < <(mail_recipients "$2" "$3")
	[ ${#header[@]} -gt 0 ] || die "get_maintainer.pl names nobody"
	[ "$VERSION" -eq 1 ] || prefix+=" v$VERSION"
	mail_git format-patch -q --signoff --cover-letter --from="$FROM" \
		--subject-prefix="$prefix" --stat=72 --no-renames --abbrev=12 \
		--no-signature -o "$out" "${header[@]}" "$2..$3" ||
		die "cannot write the patches to $out"
	mail_cover "$1" "$out/0000-cover-letter.patch"
}

# To the lists, with copies to the people that the kernel with the series names
mail_recipients() {
	local tmp
	new_tmp tmp
	mail_git show "$TIP:MAINTAINERS" >"$tmp/MAINTAINERS"
	mail_git format-patch -q -o "$tmp/patches" "$1..$2"
	mail_ask "$tmp" --no-m --no-r | sed 's/^/--to=/'
	mail_ask "$tmp" --no-l | sed 's/^/--cc=/'
}

# mail_ask DIR OPTION...: it runs at the top of a kernel source only
mail_ask() {
	local tmp=$1
	shift
	source_dir
	(cd "$REPLY" && perl scripts/get_maintainer.pl \
		--mpath "$tmp/MAINTAINERS" --nogit --nogit-fallback \
		--norolestats --nokeywords "$@" "$tmp"/patches/*.patch)
}

# --- cover letter -----------------------------------------------------------

# git leaves a line each where subject and text are to stand
mail_cover() {
	local cover=$2 text=$SERIES/0000-cover-$1.txt tmp
	new_tmp tmp
	grep -v '^#' "$text" >"$tmp/text" || die "no $text"
	mail_words "$1" "$tmp" >"$tmp/filled"
	! grep -o '@[A-Z]\+@' "$tmp/filled" ||
		die "${text##*/} has a word that nothing stands for"
	{
		sed "/^Subject: /s|\*\*\* SUBJECT HERE \*\*\*|$(sed 1q "$tmp/text")|
			/^\*\*\* BLURB HERE/,\$d" "$cover"
		sed 1,2d "$tmp/filled"
		[ -z "$CHANGES" ] || mail_changes
		echo
		sed '1,/^\*\*\* BLURB HERE/d' "$cover" | sed '1{/^$/d}'
	} >"$tmp/cover"
	mv "$tmp/cover" "$cover"
}

mail_changes() {
	printf '\nChanges in v%s:\n\n' "$VERSION"
	cat "$CHANGES"
}

# mail_words PART DIR: DIR/text with its @WORDS@ replaced; a word that stands
# alone may become many lines
mail_words() {
	local base ours=$OURS between=$DRIVER
	if [ "$1" = driver ]; then
		ours=$DRIVER
		between=
	fi
	shift
	base=$(mail_git log -1 --format=%s vnrx-base)
	mail_jq table "$ours" "$between" >"$1/TABLE"
	mail_jq slower "$ours" | fold -s -w 75 >"$1/SLOWER"
	jq -r '.host | "MACHINE=\(.cpu), \(.cpus) processors, \(.kernel), \(
		.compiler)", "COMMAND=\(.command)", "DATE=\(.date)"' \
		"$RESULTS" >"$1/words"
	echo "BASE=$base" >>"$1/words"
	printf '%s\n' "OURS=$ours" "DRIVER=$DRIVER" >>"$1/words"
	awk -v dir="$1" '
	NR == FNR { at = index($0, "=")
		word[substr($0, 1, at - 1)] = substr($0, at + 1); next }
	/^@(TABLE|SLOWER)@$/ { file = dir "/" substr($0, 2, length - 2)
		while ((getline line < file) > 0) print line
		next }
	{
		rest = $0; out = ""
		while (match(rest, /@[A-Z]+@/)) {
			name = substr(rest, RSTART + 1, RLENGTH - 2)
			out = out substr(rest, 1, RSTART - 1) \
				(name in word ? word[name] : "@" name "@")
			rest = substr(rest, RSTART + RLENGTH)
		}
		print out rest
	}' "$1/words" "$1/text"
}

# --- last words -------------------------------------------------------------

# Asks nothing and sends nothing; what is wrong with a mail it would refuse
mail_try() {
	local part
	for part in "${MAIL_PARTS[@]}"; do
		[ -d "$DIR/$part" ] || continue
		run_step "git send-email --dry-run ($part)" \
			mail_dry "$DIR/$part" ||
			die "git send-email does not take $DIR/$part"
	done
}

mail_dry() {
	(cd "$1" && GIT_AUTHOR_NAME=$NAME GIT_AUTHOR_EMAIL=$MAIL mail_git \
		send-email --dry-run --quiet --confirm=never \
		--from="$FROM" --smtp-server=/bin/false ./*.patch </dev/null)
}

mail_say() {
	local part
	say "in $DIR; read the cover letters, then"
	for part in "${MAIL_PARTS[@]}"; do
		[ ! -d "$DIR/$part" ] ||
			say "  git send-email --confirm=always $DIR/$part/*.patch"
	done
	[ "$SUBJECT_TREE" != net-next ] || warn "these patches are for" \
		"$(git_plain --git-dir="$GIT" log -1 --format=%s vnrx-base):" \
		"rebase them before you mail them for net-next"
}
