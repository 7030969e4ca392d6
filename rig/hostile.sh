# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# vnrx hostile: fault scripts against the driver, in user-mode Linux with
# KASAN. The device (device/) starts the guest, tells it what to do, and judges.

use deps fetch build hostile-keep hostile-qemu

HOSTILE_MODES=(small mergeable big)
HOSTILE_DMAS=(plain premapped swiotlb)
HOSTILE_RINGS=(split packed)
HOSTILE_XDPS=(off single multi)

help_hostile() {
	cat <<-'EOF'
	  hostile [options] [SCRIPT...]
	      a device that lies: the scripts of device/scripts, or those named,
	      for small, mergeable and big buffers, plain and premapped, split
	      and packed rings, without XDP and with it, in user-mode Linux
	      with KASAN; and in QEMU with swiotlb=force and a debug kernel,
	      those that can be. What failed is told with the command that
	      repeats it, all of it is in out/hostile.json; exit status 1 if
	      something failed.
	        --kernel KIND|IMAGE  stock, patched (default), driver, mainline
	                          (./vnrx help build), a user-mode Linux, or a
	                          bzImage for QEMU
	        --config PATTERN  e.g. mergeable/plain/split/xdp-off, 'big/*';
	                          */swiotlb/* is in QEMU
	        --list            name the scripts, run none
	        --keep            also keep what came of it in results/DATE/,
	                          with a table of all kernels kept there
	EOF
}

cmd_hostile() {
	local HOSTILE_KERNEL=patched HOSTILE_CONFIG='*' LIST='' KEEP=''
	local image='' HOSTILE_BZIMAGE=''
	HOSTILE_SCRIPTS=()
	hostile_options "$@"
	hostile_scripts
	if [ -n "$LIST" ]; then
		printf '%s\n' "${HOSTILE_SCRIPTS[@]##*/}" | sed 's/\.fault$//'
		return
	fi
	hostile_dmas "$HOSTILE_KERNEL"
	hostile_configs hostile "$HOSTILE_CONFIG"
	hostile_kernels
	hostile_programs
	hostile_prepare
	hostile_all "$image"
	[ -z "$KEEP" ] || hostile_keep "$HOSTILE_KERNEL" "$image"
	hostile_report
}

hostile_options() {
	while [ $# -gt 0 ]; do
		case $1 in
		--list) LIST=1 ;;
		--keep) KEEP=1 ;;
		--kernel | --config)
			[ $# -gt 1 ] || usage_die "hostile: $1 needs a value"
			case $1 in
			--kernel) HOSTILE_KERNEL=$2 ;;
			--config) HOSTILE_CONFIG=$2 ;;
			esac
			shift
			;;
		-*) usage_die "hostile: unknown option $1" ;;
		*) HOSTILE_SCRIPTS+=("$(hostile_script "$1")") || exit ;;
		esac
		shift
	done
}

# A file, or the name of one of ours
hostile_script() {
	local file
	for file in "$1" "$VNRX_ROOT/device/scripts/$1.fault"; do
		if [ -f "$file" ]; then
			readlink -f "$file"
			return
		fi
	done
	usage_die "hostile: no script is called $1 (--list names them)"
}

hostile_scripts() {
	[ ${#HOSTILE_SCRIPTS[@]} -eq 0 ] || return 0
	HOSTILE_SCRIPTS=("$VNRX_ROOT"/device/scripts/*.fault)
}

# An image that was not built here runs in QEMU, or as user-mode Linux
hostile_dmas() {
	if is_kind "$1"; then
		return
	elif is_bzimage "$1"; then
		HOSTILE_DMAS=(swiotlb)
	else
		HOSTILE_DMAS=(plain premapped)
	fi
}

# The kernels that the devices want. The one that is told of is left in image:
# if there are two, user-mode Linux.
hostile_kernels() {
	local config
	if [[ " ${CONFIGS[*]}" == */swiotlb/* ]]; then
		hostile_qemu_prepare "$HOSTILE_KERNEL"
		image=$HOSTILE_BZIMAGE
	fi
	for config in "${CONFIGS[@]}"; do
		is_hostile_qemu "$config" && continue
		hostile_kernel "$HOSTILE_KERNEL" umlkasan image
		return
	done
}

# hostile_kernel KERNEL FLAVOUR VAR
hostile_kernel() {
	if is_kind "$1"; then
		kernel_image "$2" "$1" "$3"
		return
	fi
	[ -x "$1" ] || usage_die "--kernel is stock, patched, driver," \
		"mainline or an image of user-mode Linux, not '$1'"
	printf -v "$3" %s "$(readlink -f "$1")"
}

# --- what runs --------------------------------------------------------------

# The guest's root is a directory of the host with next to nothing in it
hostile_programs() {
	local root
	need_pkgs "for the hostile device" gcc libc6-dev make busybox-static jq
	linux_source HOSTILE_SRC
	new_tmp HOSTILE_TMP
	run_step "build the device" hostile_make || exit
	root=$HOSTILE_TMP/root
	mkdir -p "$root"/{proc,sys,dev,bin}
	cp "$HOSTILE_TMP/vnguest" "$root/init"
	cp "$HOSTILE_TMP/netdev" "$root/bin/"
	cp "$(command -v busybox)" "$root/bin/sh"
}

hostile_prepare() {
	"$HOSTILE_TMP/vndev" --check "${HOSTILE_SCRIPTS[@]}" || exit 2
	[ -z "$HOSTILE_BZIMAGE" ] || hostile_qemu_initrd
	mkdir -p "$VNRX_OUT/hostile" || die "cannot write to $VNRX_OUT"
	rm -f "$VNRX_OUT/hostile"/*.log
	: >"$HOSTILE_TMP/results"
}

hostile_make() {
	make -s -C "$VNRX_ROOT/device" O="$HOSTILE_TMP" \
		"$HOSTILE_TMP/vndev" "$HOSTILE_TMP/vnguest" &&
		make -s -C "$VNRX_ROOT/test" O="$HOSTILE_TMP" \
			LINUX="$HOSTILE_SRC" CFLAGS='-O2 -static' \
			"$HOSTILE_TMP/netdev"
}

# Scripts that change the device for good have a guest of their own
hostile_is_alone() { grep -qE '^(feature|disconnect)\b' "$1"; }

# hostile_configs VERB PATTERN: sets CONFIGS, the devices that match, and the
# programs of each in XDPS, with commas
hostile_configs() {
	local mode dma ring
	CONFIGS=()
	declare -gA XDPS=()
	for mode in "${HOSTILE_MODES[@]}"; do
		for dma in "${HOSTILE_DMAS[@]}"; do
			for ring in "${HOSTILE_RINGS[@]}"; do
				hostile_xdps "$mode/$dma/$ring" "$2"
			done
		done
	done
	[ ${#CONFIGS[@]} -gt 0 ] || usage_die "$1: no device is called '$2'"
}

# hostile_xdps CONFIG PATTERN
hostile_xdps() {
	local xdp xdps=()
	for xdp in "${HOSTILE_XDPS[@]}"; do
		# shellcheck disable=SC2053 # a pattern
		[[ $1/xdp-$xdp != $2 ]] || xdps+=("$xdp")
	done
	[ ${#xdps[@]} -gt 0 ] || return 0
	CONFIGS+=("$1")
	XDPS[$1]=$(IFS=, && echo "${xdps[*]}")
}

hostile_all() {
	local image=$1 config script
	local together=() alone=()
	for script in "${HOSTILE_SCRIPTS[@]}"; do
		if hostile_is_alone "$script"; then
			alone+=("$script")
		else
			together+=("$script")
		fi
	done
	for config in "${CONFIGS[@]}"; do
		run_step "$config" hostile_guests "$config"
		# what there is, if the run is ended before its end
		hostile_json
	done
}

hostile_guests() {
	local config=$1 script xdp
	if is_hostile_qemu "$config"; then
		hostile_qemu_guests "$config"
		return
	fi
	if [ ${#together[@]} -gt 0 ]; then
		hostile_guest "$config" "${XDPS[$config]}" "${together[@]}"
	fi
	for script in "${alone[@]}"; do
		for xdp in ${XDPS[$config]//,/ }; do
			hostile_guest "$config" "$xdp" "$script"
		done
	done
	return 0
}

hostile_qemu_guests() {
	local scripts
	mapfile -t scripts < <(hostile_qemu_scripts "$1" \
		"${HOSTILE_SCRIPTS[@]}")
	[ ${#scripts[@]} -eq 0 ] ||
		hostile_guest "$1" "${XDPS[$1]}" "${scripts[@]}"
}

# After a guest that died or hung the next one goes on with the next case
hostile_guest() {
	local config=$1 programs=$2 from=0 next rc
	shift 2
	while :; do
		rc=0
		next=$(hostile_vndev "$config" "$programs" "$from" "$@") ||
			rc=$?
		case $rc in
		3) from=$next ;;
		0 | 1) return 0 ;;
		*)
			echo "vndev failed with $rc"
			return "$rc"
			;;
		esac
	done
}

hostile_vndev() {
	local config=$1 programs=$2 from=$3 options guest
	local log=$VNRX_OUT/hostile/${1//\//-}.log
	shift 3
	hostile_device "$config" "$HOSTILE_KERNEL" "$image"
	timeout --foreground 3600 "$HOSTILE_TMP/vndev" "${options[@]}" --guest \
		--xdp "$programs" --log "$log" --from "$from" "$@" -- \
		"${guest[@]}"
}

# hostile_device CONFIG KERNEL IMAGE: sets options and guest, for vndev
hostile_device() {
	local socket=$HOSTILE_TMP/socket
	options=(--mode "${1%%/*}" --pairs 2 --config "$1" --kernel "$2"
		--results "$HOSTILE_TMP/results")
	[[ $1 == */plain/* ]] || options+=(--access-platform)
	[[ $1 != */packed ]] || options+=(--packed)
	if is_hostile_qemu "$1"; then
		hostile_qemu_device "$1"
		return
	fi
	guest=("$socket" "$3" mem=512M root=/dev/root rootfstype=hostfs
		"rootflags=$HOSTILE_TMP/root" rw init=/init con=null
		'con0=null,fd:1' ssl0=fd:3 loglevel=8 panic=-1
		"virtio_uml.device=$socket:1")
}

# --- what came of it --------------------------------------------------------

hostile_json() {
	jq -s '{cases: .}' "$HOSTILE_TMP/results" >"$VNRX_OUT/hostile.json" ||
		die "cannot write $VNRX_OUT/hostile.json"
}

hostile_report() {
	local total failed
	total=$(jq '.cases | length' "$VNRX_OUT/hostile.json")
	[ "$total" -gt 0 ] || die "no case was run: the guest does not start"
	failed=$(jq '[.cases[] | select(.survived | not)] | length' \
		"$VNRX_OUT/hostile.json")
	jq -r '.cases[] | select(.survived | not) |
		"FAILED \(.script): \(.why)\n  ./vnrx hostile --kernel " +
		"\(.kernel) --config \(.config) \(.script)"' \
		"$VNRX_OUT/hostile.json"
	echo "$((total - failed)) survived, $failed failed"
	[ "$failed" -eq 0 ]
}
