# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# vnrx build: kernels from configs/*.config on top of tinyconfig.
#
# A finished image is kept under the hash of all that went into it. They are
# built in one work directory per source, in turn: a change of the series, or
# from stock to patched, compiles the files that differ and no more.

use deps fetch series cover

help_build() {
	cat <<-'EOF'
	  build [test|debug|rt|uml|umlkasan|umlfuzz] [--kernel KIND]
	        [--source PATH]
	      build kernels (default: test, both stock and patched)
	        test           small and fast, boots in vng, our tests run on it
	        debug          the same with KASAN, lockdep, DMA_API_DEBUG,
	                       kmemleak, page poisoning, UBSAN
	        rt             the same as test with PREEMPT_RT and lockdep
	        uml            user-mode Linux, for benchmarks and KUnit
	        umlkasan       the same with KASAN, lockdep, DMA_API_DEBUG,
	                       for vnrx hostile
	        umlfuzz        the same, and it notes which ways the driver has
	                       gone, for vnrx fuzz
	        --kernel KIND  stock, or
	          patched      with our patches
	          driver       without those of the ring: what a module of ours
	                       is made of
	          mainline     the newest kernel source of Debian's sid, as it
	                       is, to compare with
	        --source PATH  any 6.12.y tree (default: Debian's linux-source)
	EOF
}

cmd_build() {
	local flavour='' kinds=(stock patched) kind image
	BUILD_SOURCE=
	while [ $# -gt 0 ]; do
		case $1 in
		--kernel)
			is_kind "${2:-}" || usage_die "--kernel is stock," \
				"patched, driver or mainline, not '${2:-}'"
			kinds=("$2")
			shift
			;;
		--source)
			[ $# -gt 1 ] || usage_die "--source needs a path"
			BUILD_SOURCE=$2
			shift
			;;
		-*) usage_die "build: unknown option $1" ;;
		*)
			[ -z "$flavour" ] || usage_die "build: one flavour only"
			build_flavour "$1"
			flavour=$1
			;;
		esac
		shift
	done
	for kind in "${kinds[@]}"; do
		kernel_image "${flavour:-test}" "$kind" image
		echo "$image"
	done
}

build_flavour() {
	[[ $1 == @(test|debug|rt|uml|umlkasan|umlfuzz) ]] || usage_die \
		"build test, debug, rt, uml, umlkasan or umlfuzz, not '$1'"
}

# kernel_image FLAVOUR KIND VAR: the path of the image; beside it are
# vmlinux, System.map and .config. BUILD_SOURCE may name another source tree.
kernel_image() { into "$3" image_get "$1" "$2"; }

image_get() {
	local flavour=$1 kind=$2 src dir modules=()
	need_pkgs "to build kernels" gcc libc6-dev make bison flex bc \
		libelf-dev ccache lz4 xz-utils git
	kernel_source "$kind" src
	[ "$flavour" = uml ] || modules=("$VNRX_ROOT"/test/kmod/*)
	[ "$flavour" != umlfuzz ] || modules+=("${COVER_FILES[@]}")
	into dir image_dir "$flavour" "$kind" "${src##*/}" "${modules[@]}"
	[ -d "$dir" ] || with_lock "build-${src##*/}" \
		image_build "$flavour" "$kind" "$src" "$dir" || return
	touch "$dir"
	REPLY=$dir/$(image_name "$flavour")
}

# kernel_source KIND VAR_DIR
kernel_source() {
	if [ "$1" = mainline ]; then
		[ -z "${BUILD_SOURCE:-}" ] ||
			usage_die "--source does not go with mainline"
		mainline_source "$2"
	else
		source_tree "${BUILD_SOURCE:-}" "$2"
	fi
}

image_name() {
	if [[ $1 == uml* ]]; then
		echo linux
	else
		echo bzImage
	fi
}

# image_dir FLAVOUR KIND SOURCE [FILE...]: named by source, configuration,
# compiler, series, and the FILEs that go with the kernel
image_dir() {
	local name=$1-$2 key
	REPLY=
	! series_applies "$2" || series_hash "$2"
	key=$(
		echo "$1 $3 $REPLY"
		gcc --version
		ld --version
		build_fragments "$1" "$2" | xargs cat
		shift 3
		[ $# -eq 0 ] || cat "$@"
	)
	REPLY=$VNRX_CACHE/images/$name-$(hash_stdin <<<"$key")
}

# build_fragments FLAVOUR KIND: the last one to speak of a symbol counts
build_fragments() {
	[[ $1 != @(debug|rt|mutants) ]] || echo "$VNRX_ROOT/configs/test.config"
	[[ $1 != @(umlkasan|umlfuzz|bench) ]] ||
		echo "$VNRX_ROOT/configs/uml.config"
	[ "$1" != umlfuzz ] || echo "$VNRX_ROOT/configs/umlkasan.config"
	echo "$VNRX_ROOT/configs/$1.config"
	[[ $2 != mainline || $1 == uml* || $1 == bench ]] ||
		echo "$VNRX_ROOT/configs/mainline.config"
}

image_build() {
	local flavour=$1 kind=$2 dir=$4 work=$VNRX_CACHE/work/${3##*/}
	local src=$work/source obj=$work/$flavour
	[ ! -d "$dir" ] || return 0
	need_space "$VNRX_CACHE/work" 3000
	mkdir -p "$obj"
	work_source "$kind" "$3" "$src"
	build_make_args "$flavour" "$src" "$obj"
	build_config "$flavour" "$src" "$obj" "$kind"
	run_step "build $flavour kernel, $kind" "${MAKE[@]}" all ||
		die "the $flavour $kind kernel does not build"
	[ "$flavour" = uml ] || image_modules "$obj"
	image_store "$flavour" "$obj" "$dir"
}

# Without time and place in it, ccache finds it again
build_make_args() {
	MAKE=(make -s -C "$2" "O=$3" "-j$(nproc)" "CC=ccache gcc"
		"KBUILD_BUILD_TIMESTAMP=$SERIES_DATE"
		"KBUILD_BUILD_USER=$SERIES_NAME" KBUILD_BUILD_HOST=localhost)
	[[ $1 != uml* && $1 != bench ]] || MAKE+=(ARCH=um)
	# what receives takes the ways that it takes on x86
	[[ $1 != @(umlkasan|umlfuzz) ]] || MAKE+=(KCFLAGS=-DNET_IP_ALIGN=0)
	[ "$1" != umlfuzz ] || cover_make_args
	export CCACHE_DIR=$VNRX_CACHE/ccache CCACHE_BASEDIR=$VNRX_CACHE
	export CCACHE_MAXSIZE=5G CCACHE_DEPEND=1
}

# --- the source that is compiled --------------------------------------------

# work_source KIND SRC DIR: DIR becomes a second source tree of hard links, in
# which the files of the series are replaced. Files whose contents stay the same
# keep their time, so make skips them.
work_source() {
	local tmp
	mkdir -p "${3%/*}" || die "cannot write to $VNRX_CACHE"
	[ -d "$3" ] || work_link "$2" "$3"
	new_tmp tmp
	mkdir "$tmp/tree"
	! series_applies "$1" || series_files "$2" "$tmp/tree" "$1"
	work_update "$2" "$3" "$tmp/tree"
}

work_link() {
	rm -rf "$2.new"
	run_step "work tree of ${1##*/}" cp -al "$1" "$2.new" ||
		die "cannot link $1 to $2"
	mv "$2.new" "$2"
}

# DIR.files lists what may differ from SRC, also if this is interrupted
work_update() {
	local src=$1 dir=$2 want=$3 file
	(cd "$want" && find . -type f -printf '%P\n') >"$want.files"
	touch "$dir.files"
	sort -u "$dir.files" "$want.files" >"$dir.files.new"
	mv "$dir.files.new" "$dir.files"
	while IFS= read -r file; do
		if [ -f "$want/$file" ]; then
			work_file "$want/$file" "$dir/$file"
		elif [ -f "$src/$file" ]; then
			work_file "$src/$file" "$dir/$file"
		else
			rm -f "$dir/$file"
		fi
	done <"$dir.files"
	mv "$want.files" "$dir.files"
}

# Never write through a hard link: it is the pristine source
work_file() {
	cmp -s "$1" "$2" && return
	mkdir -p "$(dirname "$2")"
	cp "$1" "$2.new" || die "disk full?"
	mv "$2.new" "$2"
}

# --- configuration ----------------------------------------------------------

build_config() {
	local fragments
	mapfile -t fragments < <(build_fragments "$1" "$4")
	run_step "configure $1 kernel" \
		config_make "$2" "$3" "${fragments[@]}" ||
		die "cannot configure the $1 kernel"
	config_check "$3/.config" "${fragments[@]}"
}

# As tinyconfig is made: allnoconfig, with its fragments and then ours in the
# place of the user's answers. What nobody asked for stays out.
config_make() {
	local src=$1 obj=$2
	shift 2
	cat "$src/kernel/configs/tiny.config" "$@" >"$obj/vnrx.config"
	"${MAKE[@]}" KCONFIG_ALLCONFIG="$obj/vnrx.config" allnoconfig
}

# config_check CONFIG FRAGMENT...: Kconfig drops silently what it cannot have
config_check() {
	local config=$1 lost
	shift
	lost=$(cat "$@" | config_lost "$config")
	[ -z "$lost" ] ||
		die "the kernel's Kconfig does not accept: ${lost//$'\n'/ }"
}

# Of the wanted symbols on stdin, the last word on each, those CONFIG has not
config_lost() {
	awk -v config="$1" '
	function value(line) {
		if (line ~ /^# CONFIG_[A-Z0-9_]+ is not set$/) {
			split(line, part, " ")
			name = part[2]
			return "n"
		}
		if (line !~ /^CONFIG_/)
			return ""
		name = substr(line, 1, index(line, "=") - 1)
		return substr(line, index(line, "=") + 1)
	}
	BEGIN {
		while ((getline line < config) > 0) {
			v = value(line)
			if (v != "")
				have[name] = v
		}
	}
	{
		v = value($0)
		if (v != "")
			want[name] = v
	}
	END {
		for (name in want) {
			if (!(name in have))
				have[name] = "n"
			if (have[name] != want[name])
				print name "=" want[name]
		}
	}' | sort
}

# --- the result -------------------------------------------------------------

# Modules of the guest tests, built for this very kernel
image_modules() {
	rm -rf "$1/kmod"
	cp -r "$VNRX_ROOT/test/kmod" "$1/kmod"
	run_step "build the modules of the tests" \
		"${MAKE[@]}" "M=$1/kmod" modules ||
		die "the modules of the tests do not build"
}

image_store() {
	local flavour=$1 obj=$2 dir=$3 file
	need_space "$VNRX_CACHE/images" 500
	rm -rf "$dir.new"
	mkdir -p "$dir.new"
	for file in $(image_files "$flavour"); do
		cp "$obj/$file" "$dir.new/" || die "disk full?"
	done
	[ "$flavour" != umlfuzz ] ||
		cover_points "$obj/vmlinux" >"$dir.new/points" ||
		die "cannot see where the $flavour kernel notes coverage"
	mv "$dir.new" "$dir"
	# a series under work leaves one behind with every change
	find "$VNRX_CACHE/images" -mindepth 1 -maxdepth 1 -mtime +14 \
		-exec rm -rf {} +
}

image_files() {
	echo vmlinux System.map .config
	if [[ $1 == uml* ]]; then
		echo linux
	else
		echo arch/x86/boot/bzImage kmod/vnrx_restart.ko
	fi
}
