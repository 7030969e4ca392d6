# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# UML kernels for ./vnrx bench, each with the bench module built for it, in a
# directory that has
#   linux             the kernel
#   root/init         the agent
#   root/vnbench.ko   the module, and empty places to mount things

use deps fetch series build

BENCH_SRC=$VNRX_ROOT/bench/vnbench

bench_packages() {
	need_pkgs "to build the benchmark's kernels" gcc libc6-dev make \
		bison flex bc libelf-dev ccache xz-utils git jq
}

# bench_kernel SPEC: leaves the directory in REPLY
bench_kernel() {
	case $1 in
	stock | patched) bench_built "$1" ;;
	tree:*) bench_tree "${1#tree:}" ;;
	*) bench_given "$1" ;;
	esac
}

# A directory made here before, or a source tree
bench_given() {
	[ -d "$1" ] || usage_die "bench: no kernel $1: stock, patched," \
		"tree:DIR with a kernel's source, or what was built of one"
	if [[ -x $1/linux && -f $1/root/vnbench.ko ]]; then
		REPLY=$(readlink -f "$1")
	else
		bench_tree "$1"
	fi
}

bench_name() {
	local name=${1#tree:}
	name=${name%/}
	REPLY=${name##*/}
}

# --- ours -------------------------------------------------------------------

bench_built() {
	local kind=$1 src dir
	source_tree "" src
	into dir bench_dir "$kind" "${src##*/}"
	[ -d "$dir" ] || with_lock "build-${src##*/}" \
		bench_build "$kind" "$src" "$dir"
	touch "$dir"
	REPLY=$dir
}

# Named by all that goes into it
bench_dir() {
	local key
	REPLY=
	[ "$1" = stock ] || series_hash
	key=$(
		echo "$2 $REPLY"
		gcc --version
		ld --version
		build_fragments bench | xargs cat
		bench_sources | xargs cat
		cat "$VNRX_ROOT/rig/bench-kernel.sh"
	)
	REPLY=$VNRX_CACHE/images/bench-$1-$(hash_stdin <<<"$key")
}

bench_sources() {
	find "$BENCH_SRC" "$VNRX_ROOT/bench/util.h" -type f | sort
}

bench_build() {
	local kind=$1 src=$2 dir=$3 obj=$VNRX_CACHE/work/${2##*/}/bench
	[ ! -d "$dir" ] || return 0
	into src work_source "$src" "$kind"
	bench_compile "$src" "$obj" "$kind"
	config_check "$obj/.config" "$VNRX_ROOT"/configs/{uml,bench}.config
	bench_store "$obj" "$dir"
}

# --- a source tree under work -----------------------------------------------

# Objects are kept apart for each tree, and make finds out what has changed
bench_tree() {
	local src dir obj
	src=$(readlink -f "$1")
	[[ -f $src/Makefile && -d $src/drivers/net ]] ||
		usage_die "bench: $1 is no source tree of a kernel"
	obj=$VNRX_CACHE/work/tree-$(hash_stdin <<<"$src")
	dir=$VNRX_CACHE/images/bench-tree-$(hash_stdin <<<"$src")
	with_lock "${obj##*/}" bench_tree_build "$src" "$obj" "$dir"
	REPLY=$dir
}

bench_tree_build() {
	bench_compile "$1" "$2" "${1##*/}"
	bench_store "$2" "$3"
}

# --- compiling --------------------------------------------------------------

# UML is compiled for addresses of 64 bits, a call through a register each; its
# kernel is linked into the lowest 2 GiB and does not need that, modules do.
# The search path puts our asm/alternative.h first. x86 has NET_IP_ALIGN 0.
bench_compile() {
	local src=$1 obj=$2 label=$3 fragments
	need_space "$VNRX_CACHE/work" 2000
	mkdir -p "$obj" || die "cannot write to $VNRX_CACHE"
	build_make_args bench "$src" "$obj"
	MAKE+=("NOSTDINC_FLAGS=-nostdinc -I$BENCH_SRC/uml")
	mapfile -t fragments < <(build_fragments bench)
	bench_configured "$src" "$obj" "${fragments[@]}" ||
		run_step "configure $label kernel for the bench" \
			config_make "$src" "$obj" "${fragments[@]}" ||
		die "cannot configure the $label kernel"
	run_step "build $label kernel for the bench" "${MAKE[@]}" \
		"KCFLAGS=-DNET_IP_ALIGN=0 -mcmodel=small" all ||
		die "the $label kernel does not build"
	bench_module "$obj" "$label"
}

# Nothing to do for a configuration that was made of the same fragments
bench_configured() {
	local src=$1 obj=$2
	shift 2
	[ -f "$obj/.config" ] &&
		cat "$src/kernel/configs/tiny.config" "$@" |
		cmp -s - "$obj/vnrx.config"
}

bench_module() {
	rm -rf "$1/vnbench"
	mkdir "$1/vnbench"
	cp "$BENCH_SRC"/*.[ch] "$BENCH_SRC/Kbuild" "$1/vnbench/"
	run_step "build the bench module for $2" "${MAKE[@]}" \
		"KCFLAGS=-DNET_IP_ALIGN=0" "M=$1/vnbench" modules ||
		die "the bench module does not build for the $2 kernel"
	run_step "build the bench agent" bench_agent "$1" ||
		die "the bench's agent does not build"
}

bench_agent() { make -C "$BENCH_SRC/user" "O=$1/vnbench" CC=gcc all; }

bench_store() {
	local obj=$1 dir=$2
	rm -rf "$dir.new"
	mkdir -p "$dir.new"/root/{dev,proc,sys}
	bench_copy "$obj" "$dir.new" || die "disk full?"
	rm -rf "$dir"
	mv "$dir.new" "$dir"
}

bench_copy() {
	cp "$1/linux" "$1/.config" "$1/vnbench/compare" "$2/" &&
		cp "$1/vnbench/agent" "$2/root/init" &&
		cp "$1/vnbench/vnbench.ko" "$2/root/"
}
