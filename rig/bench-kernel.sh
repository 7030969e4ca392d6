# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Kernels for ./vnrx bench, each with the bench module built for it, in a
# directory of its own:
#   linux, root/      native: a UML kernel and its root file system
#   bzImage, initrd   instructions: a kernel for QEMU
# "root" and "initrd" hold the agent as init, the module, and empty places to
# mount things. What a function's FLAVOUR is, is the name of a configuration.

use deps fetch series build initramfs

BENCH_SRC=$VNRX_ROOT/bench/vnbench

bench_packages() {
	need_pkgs "to build the benchmark's kernels" gcc libc6-dev make \
		bison flex bc libelf-dev ccache lz4 xz-utils git jq cpio
}

# bench_kernel FLAVOUR SPEC: leaves the directory in REPLY
bench_kernel() {
	local spec=${2#*=}
	if is_kind "$spec"; then
		bench_built "$1" "$spec"
	elif [[ $spec == tree:* ]]; then
		bench_tree "$1" "${spec#tree:}"
	else
		bench_given "$1" "$spec"
	fi
}

# A directory made here before, or a source tree
bench_given() {
	[ -d "$2" ] || usage_die "bench: no kernel $2: stock, patched, driver," \
		"mainline, tree:DIR with a kernel's source, or what was built" \
		"of one"
	if [ -x "$2/compare" ]; then
		REPLY=$(readlink -f "$2")
	else
		bench_tree "$1" "$2"
	fi
}

# NAME=SPEC, or the last word of SPEC
bench_name() {
	local name=${1%%=*}
	name=${name#tree:}
	name=${name%/}
	REPLY=${name##*/}
}

# --- ours -------------------------------------------------------------------

bench_built() {
	local flavour=$1 kind=$2 src dir files
	kernel_source "$kind" src
	mapfile -t files < <(bench_sources)
	into dir image_dir "$flavour" "$kind" "${src##*/}" "${files[@]}"
	[ -d "$dir" ] || with_lock "bench-${src##*/}" \
		bench_build "$flavour" "$kind" "$src" "$dir"
	touch "$dir"
	REPLY=$dir
}

bench_sources() {
	find "$BENCH_SRC" "$VNRX_ROOT"/bench/{iface,util}.h \
		"$VNRX_ROOT/rig/bench-kernel.sh" -type f | sort
}

# In a work tree apart from that of ./vnrx build, so that neither waits for the
# other
bench_build() {
	local flavour=$1 kind=$2 work=$VNRX_CACHE/work/${3##*/}-bench dir=$4
	local obj=$work/$flavour fragments
	[ ! -d "$dir" ] || return 0
	work_source "$kind" "$3" "$work/source"
	bench_compile "$flavour" "$work/source" "$obj" "$kind"
	mapfile -t fragments < <(build_fragments "$flavour" "$kind")
	config_check "$obj/.config" "${fragments[@]}"
	series_about "$kind"
	bench_store "$flavour" "$obj" "$dir" "$REPLY"
}

# --- a source tree under work -----------------------------------------------

# Objects are kept apart for each tree, and make finds out what has changed
bench_tree() {
	local flavour=$1 src key
	src=$(readlink -f "$2")
	[[ -f $src/Makefile && -d $src/drivers/net ]] ||
		usage_die "bench: $2 is no source tree of a kernel"
	key=$flavour-tree-$(hash_stdin <<<"$src")
	with_lock "$key" bench_tree_build "$flavour" "$src" "$key"
	REPLY=$VNRX_CACHE/images/$key
}

bench_tree_build() {
	local obj=$VNRX_CACHE/work/$3 commit
	bench_compile "$1" "$2" "$obj" "${2##*/}"
	commit=$(git_plain -C "$2" describe --always --dirty 2>/dev/null)
	bench_store "$1" "$obj" "$VNRX_CACHE/images/$3" \
		"source ${commit:-not in git}"
}

# --- compiling --------------------------------------------------------------

bench_compile() {
	local flavour=$1 src=$2 obj=$3 label="$4 kernel ($1)"
	need_space "$VNRX_CACHE/work" 2000
	mkdir -p "$obj" || die "cannot write to $VNRX_CACHE"
	bench_flags "$flavour" "$src" "$obj"
	bench_configure "$flavour" "$src" "$obj" "$label"
	run_step "build the $label" "${MAKE[@]}" "${KERNEL_FLAGS[@]}" all ||
		die "the $label does not build"
	bench_module "$obj" "$label"
}

# UML is compiled for addresses of 64 bits, a call through a register each; its
# kernel is linked into the lowest 2 GiB and does not need that, modules do.
# The search path puts our asm/alternative.h first. x86 has NET_IP_ALIGN 0.
bench_flags() {
	build_make_args "$@"
	KERNEL_FLAGS=()
	MODULE_FLAGS=()
	[ "$1" = bench ] || return 0
	# ccache would not notice that a header of ours comes before the kernel's
	export CCACHE_NODIRECT=1
	MAKE+=("NOSTDINC_FLAGS=-nostdinc -I$BENCH_SRC/uml")
	KERNEL_FLAGS=("KCFLAGS=-DNET_IP_ALIGN=0 -mcmodel=small")
	MODULE_FLAGS=("KCFLAGS=-DNET_IP_ALIGN=0")
}

# Nothing to do for a configuration that was made of the same fragments
bench_configure() {
	local src=$2 obj=$3 fragments
	mapfile -t fragments < <(build_fragments "$1" "${4%% *}")
	[ ! -f "$obj/.config" ] ||
		! cat "$src/kernel/configs/tiny.config" "${fragments[@]}" |
		cmp -s - "$obj/vnrx.config" || return 0
	run_step "configure the $4" \
		config_make "$src" "$obj" "${fragments[@]}" ||
		die "cannot configure the $4"
}

bench_module() {
	rm -rf "$1/vnbench"
	mkdir "$1/vnbench"
	cp "$BENCH_SRC"/*.[ch] "$BENCH_SRC/Kbuild" "$1/vnbench/"
	run_step "build the bench module for the $2" "${MAKE[@]}" \
		"${MODULE_FLAGS[@]}" "M=$1/vnbench" modules ||
		die "the bench module does not build for the $2"
	run_step "build the bench's programs" \
		make -C "$BENCH_SRC/user" "O=$1/vnbench" CC=gcc all ||
		die "the bench's programs do not build"
}

# --- the result -------------------------------------------------------------

bench_store() {
	local flavour=$1 obj=$2 dir=$3 about=$4
	need_space "$VNRX_CACHE/images" 200
	rm -rf "$dir.new"
	mkdir -p "$dir.new"/root/{dev,proc,sys}
	bench_copy "$flavour" "$obj" "$dir.new" || die "disk full?"
	echo "Linux $(cat "$obj/include/config/kernel.release"), $about" \
		>"$dir.new/about"
	[ "$flavour" = bench ] || initramfs_pack "$dir.new/root" "$dir.new/initrd"
	rm -rf "$dir"
	mv "$dir.new" "$dir"
}

bench_copy() {
	local image=arch/x86/boot/bzImage
	[ "$1" = icount ] || image=linux
	cp "$2/$image" "$2/.config" "$2/vnbench/compare" "$3/" &&
		cp "$2/vnbench/agent" "$3/root/init" &&
		cp "$2/vnbench/vnbench.ko" "$3/root/"
}
