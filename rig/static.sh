# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2153 # names set through "into" and the like
#
# Static tests of the series: form, checkpatch, kernel-doc, and each commit
# compiled by itself.

use deps fetch series tree build

STATIC_MAX_PATCHES=15
STATIC_PREFIXES='virtio_net|virtio_ring|selftests|tools/virtio|docs'

# checkpatch types which the kernel's networking CI does not count either:
# COMMIT_LOG_LONG_LINE: logs and tables in a message are as long as they are
# GIT_COMMIT_ID, UNKNOWN_COMMIT_ID: there is no history here to look them up
# FILE_PATH_CHANGES: new files of a driver need no line in MAINTAINERS
# MACRO_ARG_REUSE, ALLOC_SIZEOF_STRUCT, CAMELCASE, NO_AUTHOR_SIGN_OFF: noise
STATIC_IGNORE=COMMIT_LOG_LONG_LINE,GIT_COMMIT_ID,UNKNOWN_COMMIT_ID
STATIC_IGNORE+=,FILE_PATH_CHANGES,MACRO_ARG_REUSE,ALLOC_SIZEOF_STRUCT
STATIC_IGNORE+=,CAMELCASE,NO_AUTHOR_SIGN_OFF

static_groups() {
	local config
	# the longest first: they decide when all is done
	for config in full minimal; do
		group "static/gcc-$config" static_build gcc "$config"
		group "static/clang-$config" static_build clang "$config"
	done
	group static/kunit static_kunit
	group static/tools-virtio static_tools_virtio
	group static/round-trip static_round_trip
	group static/checkpatch static_checkpatch
	group static/form static_form
	group static/kernel-doc static_kernel_doc
	group static/docs static_docs
}

# Leaves the source, the repository and the commits of the series behind
static_prepare() {
	need_pkgs "for the static tests" gcc clang sparse make flex bison bc \
		libelf-dev git perl codespell python3 python3-sphinx
	linux_source STATIC_SRC
	base_repo "$STATIC_SRC" STATIC_GIT
	STATIC_TIP=
	into STATIC_TIP with_lock "git-${STATIC_GIT##*/}" \
		series_commit "$STATIC_GIT" vnrx-base
	mapfile -t COMMITS < <(static_git rev-list --reverse \
		"vnrx-base..$STATIC_TIP")
	mapfile -t TOUCHED < <(static_git diff --no-renames --name-only \
		vnrx-base "$STATIC_TIP")
	STATIC_CACHE=$VNRX_CACHE/static/${STATIC_SRC##*/}
	mkdir -p "$STATIC_CACHE" || die "cannot write to $VNRX_CACHE"
	need_space "$STATIC_CACHE" 2500
	# not in /tmp, which may be memory
	STATIC_TMP=$(mktemp -d "$VNRX_CACHE/static/XXXXXX")
	cleanup_push rm -rf "$STATIC_TMP"
}

static_git() { git_plain --git-dir="$STATIC_GIT" "$@"; }

# each_commit FUNC ARGS...: a test per commit, FUNC ARGS... COMMIT PATCH-FILE
each_commit() {
	local i
	for i in "${!COMMITS[@]}"; do
		check "${PATCHES[i]}" "$@" "${COMMITS[i]}" \
			"$SERIES/${PATCHES[i]}"
	done
}

# --- form -------------------------------------------------------------------

static_form() {
	check "1 to $STATIC_MAX_PATCHES patches of the kernel" form_count
	check "Kconfig selects PAGE_POOL" form_kconfig
	each_commit form_commit
}

# Each series by itself: fixes, those for a device that is resumed, the driver's,
# and the one that begins with the ring
form_count() {
	local commit ring fixes resume n=0 max=0
	ring=$(series_ring_begins static_git "vnrx-base..$STATIC_TIP")
	into fixes series_fixes
	into resume series_resume
	for commit in "${COMMITS[@]}"; do
		case $commit in
		"$ring" | "${COMMITS[fixes]-}" | "${COMMITS[resume]-}") n=0 ;;
		esac
		! of_kernel "$commit" || n=$((n + 1))
		[ $n -le $max ] || max=$n
	done
	echo "$max patches of the kernel in a series, ${#COMMITS[@]} in all"
	[ $max -ge 1 ] && [ $max -le $STATIC_MAX_PATCHES ]
}

# Tests and documents are another series, which compiles nothing of the kernel
of_kernel() {
	static_git diff-tree -r --no-commit-id --name-only "$1" |
		grep -qvE '^(tools|Documentation)/|^MAINTAINERS$'
}

form_kconfig() {
	static_git show "$STATIC_TIP:drivers/net/Kconfig" | awk '
		$1 == "config" { in_virtio = $2 == "VIRTIO_NET" }
		in_virtio && $1 == "select" && $2 == "PAGE_POOL" { found = 1 }
		END { exit !found }'
}

# form_commit COMMIT PATCH: fails after having named all that is wrong
form_commit() {
	local bad=0
	form_subject "$1" || bad=1
	form_identity "$2" || bad=1
	form_words "$1" || bad=1
	return "$bad"
}

form_subject() {
	local subject
	subject=$(static_git log -1 --format=%s "$1")
	echo "subject (${#subject} characters): $subject"
	[[ $subject =~ ^($STATIC_PREFIXES)[a-z0-9_:/\ -]*:\ .*[^.]$ ]] &&
		[ ${#subject} -le 75 ]
}

# The sender's name and sign-off are put in when the series is mailed
form_identity() {
	grep -qx "From: $SERIES_NAME <$SERIES_MAIL>" "$1" || {
		echo "the author is not $SERIES_NAME <$SERIES_MAIL>"
		return 1
	}
	! sed '/^---$/q' "$1" | grep -E '^(Signed-off|Co-developed)-by:'
}

# What no patch may add: crashes on purpose, knobs, and inline in a .c file
form_words() {
	local bad
	bad=$(
		form_added "$1" '*.c' '*.h' |
			grep -E '\<(BUG|BUG_ON|module_param[a-z_]*)\('
		form_added "$1" '*.c' | grep -w inline
	)
	[ -z "$bad" ] || echo "not wanted: $bad"
	[ -z "$bad" ]
}

form_added() {
	local commit=$1
	shift
	static_git diff-tree -p --no-commit-id --no-renames "$commit" -- "$@" |
		sed -n 's/^+\([^+]\)/\1/p'
}

# --- checkpatch -------------------------------------------------------------

static_checkpatch() {
	local dictionary=$UNIT/dictionary
	# "inflight" is how netlink spells it
	dpkg -L codespell | grep '/dictionary\.txt$' | xargs cat |
		sed '/^inflight->/d' >"$dictionary"
	each_commit checkpatch_commit "$dictionary"
}

# checkpatch_commit DICTIONARY COMMIT PATCH: with the sign-off that the sender
# will put in, and the new files, which are not in PATCH
checkpatch_commit() {
	local mail=$UNIT/$2.mail
	GIT_COMMITTER_NAME=$SERIES_NAME GIT_COMMITTER_EMAIL=$SERIES_MAIL \
		static_git format-patch -1 --signoff --stdout "$2" >"$mail" ||
		return
	# it leaves a cache behind where it runs
	(cd "$UNIT" &&
		perl "$STATIC_SRC/scripts/checkpatch.pl" --root="$STATIC_SRC" \
			--strict --codespell --codespellfile="$1" \
			--max-line-length=80 --ignore "$STATIC_IGNORE" \
			--show-types --quiet --no-summary --color=never "$mail")
}

# --- kernel-doc -------------------------------------------------------------

static_kernel_doc() {
	local file
	mkdir "$UNIT/base" "$UNIT/tip"
	for file in "${TOUCHED[@]}"; do
		[[ $file != *.[ch] ]] || check "$file" kernel_doc_file "$file"
	done
}

# kernel_doc_file PATH: no warning that the unmodified file does not have
kernel_doc_file() {
	local name=${1//\//-} side
	static_git show "vnrx-base:$1" >"$UNIT/base/$name" 2>/dev/null
	static_git show "$STATIC_TIP:$1" >"$UNIT/tip/$name" 2>/dev/null
	for side in base tip; do
		(cd "$UNIT/$side" && perl "$STATIC_SRC/scripts/kernel-doc" \
			-Wall -none "$name" >"$name.out" 2>&1)
	done
	new_warnings "$UNIT/base/$name.out" "$UNIT/tip/$name.out"
}

# --- documents --------------------------------------------------------------

static_docs() {
	local file
	for file in "${TOUCHED[@]}"; do
		[[ $file == Documentation/*.rst && $file != */index.rst ]] ||
			continue
		check "$file: no warnings of Sphinx" docs_build "$file"
		check "$file: is in its index.rst" docs_indexed "$file"
		check "$file: what it refers to is there" docs_refer "$file"
	done
}

# One document takes Sphinx a second, all of networking over a minute. What was
# there before the series may have warnings of its own.
docs_build() {
	local dir=$UNIT/docs/${1##*/}
	mkdir -p "$dir"
	docs_sphinx vnrx-base "$1" "$dir/base"
	docs_sphinx "$STATIC_TIP" "$1" "$dir/tip" || return
	new_warnings "$dir/base.log" "$dir/tip.log"
}

# docs_sphinx COMMIT FILE DIR: warnings in DIR.log. Comments that a document takes
# from the code are tested where the code is.
docs_sphinx() {
	local name=${2##*/}
	mkdir -p "$3"
	: >"$3.log"
	static_git show "$1:$2" >"$3/$name" 2>/dev/null || return
	cat >"$3/conf.py" <<-EOF
		from docutils.parsers.rst import Directive, directives
		master_doc = '${name%.rst}'
		class KernelDoc(Directive):
		    required_arguments = 1
		    option_spec = dict.fromkeys(('identifiers', 'export',
		        'internal', 'doc', 'functions'), directives.unchanged)
		    def run(self):
		        return []
		def setup(app):
		    app.add_directive('kernel-doc', KernelDoc)
	EOF
	sphinx-build -q -n -b html "$3" "$3/html" 2>&1 |
		sed "s|$3/||" >"$3.log"
}

docs_indexed() {
	static_git show "$STATIC_TIP:${1%/*}/index.rst" |
		grep -qx "   $(basename "$1" .rst)"
}

docs_refer() {
	local path bad=0
	while IFS= read -r path; do
		static_git cat-file -e "$STATIC_TIP:${path%/}" && continue
		bad=1
	done < <(static_git show "$STATIC_TIP:$1" |
		grep -oP '(?<![=/\w])(Documentation|drivers|tools)/[\w./-]+' |
		sed 's/\.$//')
	return "$bad"
}

# new_warnings BASE LOG: prints the warnings of LOG that BASE has not, or has
# not as often, wherever in the file they are; fails if there are any
new_warnings() {
	awk '
	!/([Ww]arning|[Ee]rror|WARNING|ERROR|SEVERE|CRITICAL):/ { next }
	{
		text = $0
		gsub(/:[0-9]+:([0-9]+:)?/, ":", text)
		gsub(/(\.\.\/)+/, "", text)
	}
	FILENAME == ARGV[1] { known[text]++; next }
	known[text]-- <= 0 { print; bad = 1 }
	END { exit bad }' "$1" "$2"
}

# --- there and back ---------------------------------------------------------

static_round_trip() {
	local key
	key=$({
		echo "${STATIC_SRC##*/} $STATIC_TIP"
		cat "$VNRX_ROOT"/vnrx "$VNRX_ROOT"/rig/{tree,series,fetch}.sh
		series_hash
		echo "$REPLY"
	} | hash_stdin)
	check_once "round-trip-$key" "tree, then export, changes nothing" \
		round_trip
}

# In a copy of this repository: export writes to its own
round_trip() {
	local copy=$UNIT/repo
	mkdir "$copy"
	tar -c -C "$VNRX_ROOT" --exclude=./out --exclude=./.git . |
		tar -x -C "$copy" || return
	"$copy/vnrx" --cache "$VNRX_CACHE" tree "$STATIC_TMP/linux" &&
		"$copy/vnrx" --cache "$VNRX_CACHE" export "$STATIC_TMP/linux" &&
		diff -r -x out -x .git "$VNRX_ROOT" "$copy"
}

# --- each commit compiled ---------------------------------------------------

# static_build COMPILER CONFIG: one tree of hard links and one build directory
# for each pair, which the commits pass through one after the other
static_build() {
	DIR=$STATIC_CACHE/$1-$2
	mkdir -p "$DIR"
	with_lock "static-$1-$2" static_build_locked "$1" "$2"
}

static_build_locked() {
	local i parent=vnrx-base label="$1 W=1" trees
	static_make_args "$1" "$2"
	[ "$1" = clang ] || label+=", sparse"
	for i in "${!COMMITS[@]}"; do
		of_kernel "${COMMITS[i]}" || continue
		trees=$(static_git rev-parse vnrx-base "$parent^{tree}" \
			"${COMMITS[i]}^{tree}" | hash_stdin)
		check_once "compile-$STATIC_KEY-$trees" \
			"${PATCHES[i]} ($label)" \
			static_commit "$parent" "${COMMITS[i]}"
		parent=${COMMITS[i]}
	done
}

static_make_args() {
	CONFIG=$VNRX_ROOT/configs/static-$2.config
	MAKE=(make -s -C "$DIR/tree" "O=$DIR/obj" W=1 "CC=$1")
	[ "$1" = clang ] || MAKE+=(C=1 "CHECK=$DIR/sparse")
	[ "$2" != minimal ] || MAKE+=(ARCH=i386)
	# what a result depends on besides the commits
	STATIC_KEY=$1-$2-$({
		"$1" --version
		sparse --version
		cat "$CONFIG" "$VNRX_ROOT/rig/static.sh"
	} 2>&1 | hash_stdin)
}

# static_commit PARENT COMMIT: all objects that COMMIT changes
static_commit() {
	local objects
	mapfile -t objects < <(static_objects "$1" "$2")
	static_tree
	static_baseline "${objects[@]}"
	mapfile -t objects < <(static_possible "${objects[@]}")
	(static_compile "$2" "${objects[@]}") >"$DIR/now" 2>&1 || {
		cat "$DIR/now"
		return 1
	}
	new_warnings "$DIR/base" "$DIR/now"
}

# The driver itself always: what else changed may concern it. A "?" before those
# that are compiled only if the configuration has what they need.
static_objects() {
	{
		echo drivers/net/virtio_net.o
		static_git diff --no-renames --name-only --diff-filter=d \
			"$1" "$2" | while IFS= read -r file; do
			objects_of "$2" "$file"
		done
	} | sort -u
}

objects_of() {
	case $2 in
	Documentation/* | samples/* | scripts/* | tools/*) ;;
	*.c) echo "${2%.c}.o" ;;
	*.h) includers "$1" "$2" | sed 's/^/?/; s/\.c$/.o/' ;;
	esac
}

# Those that a network driver's header can have
includers() {
	static_git grep -lE "^#include [<\"](.*/)?${2##*/}[>\"]" "$1" -- \
		':(glob)drivers/net/*.c' ':(glob)drivers/virtio/*.c' \
		':(glob)net/core/*.c' | cut -d: -f2
}

# The tree must not be what it was made from: files are replaced, not written
static_tree() {
	[ ! -d "$DIR/tree" ] || return 0
	rm -rf "$DIR/tree.new"
	cp -al "$STATIC_SRC" "$DIR/tree.new" || die "cannot make $DIR/tree"
	mkdir -p "$DIR/obj"
	printf '#!/bin/sh\nsparse "$@" 2>&1 | sed "s/^/sparse: /"\n' \
		>"$DIR/sparse"
	chmod +x "$DIR/sparse"
	mv "$DIR/tree.new" "$DIR/tree"
}

# The warnings of the unmodified files are not ours
static_baseline() {
	local key old=() object
	for object in "$@"; do
		object=${object#\?}
		! static_git cat-file -e "vnrx-base:${object%.o}.c" \
			2>/dev/null || old+=("$object")
	done
	key="$STATIC_KEY ${old[*]}"
	[ "$(cat "$DIR/base.key" 2>/dev/null)" != "$key" ] || return 0
	(static_compile vnrx-base -k "${old[@]}") >"$DIR/base" 2>&1
	static_built "${old[@]}" >"$DIR/base.built"
	grep -qx drivers/net/virtio_net.o "$DIR/base.built" ||
		die "the unmodified files do not compile: $(tail "$DIR/base")"
	echo "$key" >"$DIR/base.key"
}

static_built() {
	local object
	for object in "$@"; do
		[ ! -f "$DIR/obj/$object" ] || echo "$object"
	done
}

# static_possible OBJECT...: without those "?" that the unmodified kernel does
# not have in this configuration
static_possible() {
	local object
	for object in "$@"; do
		[[ $object != \?* ]] ||
			grep -qxF "${object#\?}" "$DIR/base.built" || continue
		echo "${object#\?}"
	done | sort -u
}

# static_compile COMMIT [-k] OBJECT...
static_compile() {
	local object
	static_checkout "$1" || return
	static_configure || return
	shift
	for object in "$@"; do
		rm -f -- "$DIR/obj/$object"
	done
	"${MAKE[@]}" "$@"
}

# What this or an earlier series touches, as it is in the commit
static_checkout() {
	local file new=$DIR/new
	printf '%s\n' "${TOUCHED[@]}" >>"$DIR/files"
	sort -u -o "$DIR/files" "$DIR/files"
	while IFS= read -r file; do
		if static_git show "$1:$file" >"$new" 2>/dev/null; then
			static_replace "$file"
		else
			rm -f "$DIR/tree/$file"
		fi
	done <"$DIR/files"
}

static_replace() {
	! cmp -s "$DIR/new" "$DIR/tree/$1" || return 0
	[[ $1 != *Kconfig* ]] || rm -f "$DIR/obj/.config"
	mkdir -p "$DIR/tree/${1%/*}"
	mv "$DIR/new" "$DIR/tree/$1"
}

# Removed by a change of Kconfig; the fragment may have changed as well
static_configure() {
	local obj=$DIR/obj
	[ ! -f "$obj/.config" ] || [ "$obj/.config" -ot "$CONFIG" ] || return 0
	config_make "$DIR/tree" "$obj" "$CONFIG" || return
	mv "$obj/.config" "$obj/.config.new"
	config_check "$obj/.config.new" "$CONFIG"
	mv "$obj/.config.new" "$obj/.config"
}

# --- unit tests -------------------------------------------------------------

# The user-space test of the ring's calls, with what looks for stray accesses
static_tools_virtio() {
	local tree=$UNIT/tools-virtio
	mkdir "$tree"
	check "the tests of the ring compile" tools_virtio_build "$tree" &&
		check "the tests of the ring pass" \
			timeout 300 "$tree/tools/virtio/virtqueue_bufs_test"
}

tools_virtio_build() {
	static_git archive "$STATIC_TIP" tools/virtio tools/include \
		drivers/virtio include/linux include/uapi |
		tar -x -C "$1" &&
		make -s -C "$1/tools/virtio" virtqueue_bufs_test \
			CC="gcc -fsanitize=address,undefined \
			-fno-sanitize-recover=all"
}

# The series' own unit tests, in user-mode Linux
static_kunit() {
	local key
	DIR=$STATIC_CACHE/kunit
	CONFIG=$VNRX_ROOT/configs/static-kunit.config
	MAKE=(make -s -C "$DIR/tree" "O=$DIR/obj" ARCH=um "-j$(nproc)")
	key=$({
		static_git rev-parse "$STATIC_TIP^{tree}"
		gcc --version
		cat "$CONFIG" "$VNRX_ROOT/rig/static.sh"
	} | hash_stdin)
	mkdir -p "$DIR"
	with_lock static-kunit check_once "kunit-$key" "unit tests pass" \
		kunit_run
}

kunit_run() {
	static_tree
	static_checkout "$STATIC_TIP" && static_configure || return
	"${MAKE[@]}" linux || return
	timeout 120 "$DIR/obj/linux" mem=256M kunit.filter_glob='virtio_net*' \
		kunit.enable=1 kunit_shutdown=halt >"$UNIT/kunit" 2>&1 </dev/null
	cat "$UNIT/kunit"
	kunit_passed "$UNIT/kunit"
}

# The console of a kernel with our suites only. It may begin its lines with the
# time, and all suites that the plan has must have come to their end.
kunit_passed() {
	local planned passed
	sed -E 's/\r$//; s/^\[[^]]*\] //' "$1" >"$1.ktap"
	planned=$(sed -n 's/^1\.\.//p' "$1.ktap")
	passed=$(grep -c '^ok .*virtio_net' "$1.ktap")
	[ "$passed" -gt 0 ] && [ "$passed" = "$planned" ] &&
		! grep -E '^ *not ok|Bail out|BUG:' "$1.ktap"
}
