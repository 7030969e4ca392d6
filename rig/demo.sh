# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# ./vnrx demo: the unmodified driver and ours, side by side in real guests.
#
# One guest after the other, each with one network device on a tap in a
# namespace of ours. The guest's /init (rig/guest/demo-init.sh) leads; it
# reports JSON lines through a virtio port, and asks there for floods.

use deps fetch series module initramfs accel net programs

DEMO_MAC=52:54:00:76:6e:01
DEMO_TAP=tap0
# the longest silence of a guest that is alive, on a slow machine
DEMO_SILENCE=60
# a flood ends when the guest has seen enough, or at these bounds
DEMO_FLOOD_FRAMES=20000000
DEMO_FLOOD_MS=20000

help_demo() {
	cat <<-'EOF'
	  demo [--kernel debian|built|IMAGE [--modules DIR]] [--module FILE]
	       [--accel kvm|tcg] [--only KERNEL/MODE/DMA]
	      Boots the unmodified 6.12 driver and ours in guests, with mergeable
	      and small buffers, with and without DMA mapping; moves TCP, floods a
	      native XDP program and a UDP socket, verifies every byte and prints
	      what was measured. The same figures go to out/demo.json. Exit status
	      1 if anything failed.
	      --kernel debian  Debian's cloud kernel and ours as a module for it
	                       (the default; downloaded, not installed)
	      --kernel built   the stock and patched kernels of ./vnrx build test
	      --kernel IMAGE   any bzImage, with its drivers built in or as
	                       modules below the DIR of --modules
	      --module FILE    with Debian's kernel: this virtio_net.ko for ours
	      --only PATTERN   these boots only, e.g. 'patched/*/premapped'
	EOF
}

cmd_demo() {
	local KERNEL=debian MODULES='' MODULE='' ONLY='*' tmp
	demo_options "$@"
	demo_packages
	root_ready "the demo (network namespace, tap device)"
	mkdir -p "$VNRX_OUT" || die "cannot write to $VNRX_OUT"
	new_tmp tmp
	DEMO_TMP=$tmp
	into DEMO_BENCH programs_get
	demo_kernels
	demo_initramfs
	accel ACCEL "${IMAGES[0]}"
	demo_net_up
	demo_boots
	demo_report
}

demo_options() {
	while [ $# -gt 0 ]; do
		case $1 in
		--kernel | --modules | --module | --only | --accel)
			[ $# -gt 1 ] || usage_die "demo: $1 needs a value"
			demo_option "$1" "$2"
			shift
			;;
		*) usage_die "demo: unknown option $1" ;;
		esac
		shift
	done
	demo_options_check
}

demo_option() {
	case $1 in
	--kernel) KERNEL=$2 ;;
	--modules) MODULES=$2 ;;
	--module) MODULE=$2 ;;
	--only) ONLY=$2 ;;
	--accel) accel_option "$2" ;;
	esac
}

demo_options_check() {
	[ -z "$MODULE" ] || demo_module_check
	case $KERNEL in
	debian | built)
		[ -z "$MODULES" ] ||
			usage_die "demo: --modules goes with --kernel IMAGE"
		;;
	*)
		demo_is_bzimage "$KERNEL" ||
			die "$KERNEL is no kernel image (a bzImage is wanted)"
		[ -z "$MODULES" ] || demo_has_modules "$MODULES" ||
			die "no kernel modules below $MODULES"
		;;
	esac
}

demo_module_check() {
	[ "$KERNEL" = debian ] ||
		usage_die "demo: --module goes with --kernel debian"
	[[ $MODULE == *.ko* && -s $MODULE ]] ||
		die "$MODULE is no kernel module"
}

demo_is_bzimage() {
	[ -f "$1" ] &&
		[ "$(dd if="$1" bs=1 skip=514 count=4 2>/dev/null)" = HdrS ]
}

demo_has_modules() {
	[ -n "$(find "$1/" -name '*.ko*' -print -quit 2>/dev/null)" ]
}

demo_packages() {
	need_pkgs "for the demo: measuring programs, the module, guests" \
		"${PROGRAMS_PKGS[@]}" qemu-system-x86 iproute2 iperf3 jq git xz-utils \
		busybox-static cpio kmod zstd
}

# --- what goes into the guests ----------------------------------------------

# Fills NAMES, and at the same index IMAGES and INITRDS
demo_kernels() {
	NAMES=(stock patched)
	case $KERNEL in
	debian) demo_kernels_debian ;;
	built) demo_kernels_built ;;
	*)
		NAMES=("${KERNEL##*/}")
		IMAGES=("$KERNEL")
		;;
	esac
}

demo_kernels_debian() {
	local dir rel
	cloud_kernel dir
	rel=$(cat "$dir/release")
	IMAGES=("$dir/vmlinuz" "$dir/vmlinuz")
	MODULES=$dir/lib/modules/$rel
	DEMO_KO=$MODULE
	[ -n "$DEMO_KO" ] || into DEMO_KO module_for "$dir" "$rel"
}

demo_kernels_built() {
	local image
	use build
	IMAGES=()
	for name in "${NAMES[@]}"; do
		kernel_image test "$name" image
		IMAGES+=("$image")
	done
}

# One image for all guests: which module they load is for the command line
demo_initramfs() {
	local dir=$DEMO_TMP/root
	INITRD=$DEMO_TMP/initrd
	initramfs_new "$dir" "$VNRX_ROOT/rig/guest/demo-init.sh"
	initramfs_add_program "$dir" iperf3 "$DEMO_BENCH/sink"
	cp "$DEMO_BENCH"/{xdp,meter}.bpf.o "$dir/bench/" ||
		die "cannot write to $dir"
	[ -z "$MODULES" ] || demo_initramfs_modules "$dir"
	initramfs_pack "$dir" "$INITRD"
}

demo_initramfs_modules() {
	initramfs_add_modules "$1" "${NAMES[0]}" "$MODULES" \
		virtio_pci virtio_console virtio_net
	[ "$KERNEL" = debian ] || return 0
	initramfs_add_modules "$1" patched "$MODULES" virtio_pci virtio_console
	initramfs_add_module_file "$1" patched "$MODULES" "$DEMO_KO"
}

# --- the host's side --------------------------------------------------------

demo_net_up() {
	net_up
	net_tap "$DEMO_TAP"
	net_address "$DEMO_TAP"
	job_start net_exec iperf3 -s >/dev/null 2>&1
	job_start net_exec "$DEMO_BENCH/peer" 7003
}

flood_start() {
	local port=${1##*\"port\":}
	port=${port%%[!0-9]*}
	job_start net_exec "$DEMO_BENCH/flood" "$DEMO_TAP" "$NET_HOST4" \
		"$NET_GUEST4" "$DEMO_MAC" "$port" "$DEMO_FLOOD_FRAMES" \
		"$DEMO_FLOOD_MS" >"$BOOT/flood-$port.json"
	FLOOD=$REPLY
}

flood_stop() {
	[ -n "$FLOOD" ] || return 0
	job_signal TERM "$FLOOD"
	job_wait "$FLOOD"
	FLOOD=
}

# --- boots ------------------------------------------------------------------

demo_boots() {
	local i mode dma done=0
	for mode in mergeable small; do
		for dma in premapped plain; do
			for i in "${!NAMES[@]}"; do
				demo_wanted "${NAMES[i]}/$mode/$dma" || continue
				demo_boot "$i" "$mode" "$dma"
				done=$((done + 1))
			done
		done
	done
	[ "$done" -gt 0 ] || usage_die "demo: no boot is called $ONLY"
}

# shellcheck disable=SC2053 # a pattern
demo_wanted() { [[ $1 == $ONLY ]]; }

demo_boot() {
	local label=${NAMES[$1]}/$2/$3 start=$SECONDS FLOOD='' FATAL QEMU KEEPER
	BOOT=$DEMO_TMP/boots/${label//\//-}
	mkdir -p "$BOOT"
	say "guest $label ($ACCEL) ..."
	guest_start "$@"
	guest_watch
	flood_stop
	# nothing in it is worth an orderly end
	job_signal KILL "$QEMU"
	job_wait "$QEMU" 2>/dev/null
	job_kill "$KEEPER"
	demo_boot_save "${NAMES[$1]}" "$2" "$3"
	[ -z "$FATAL" ] || guest_blame "$label"
	say "guest $label: $((SECONDS - start)) s"
}

demo_cpu() { [ "$ACCEL" = kvm ] && echo host || echo max; }

demo_device() {
	REPLY=virtio-net-pci,netdev=net,mac=$DEMO_MAC,romfile=
	[ "$2" = plain ] || REPLY+=,iommu_platform=on,disable-legacy=on
	[ "$1" = small ] || return 0
	# with any of these the driver would use big packets
	REPLY+=,mrg_rxbuf=off,$DEMO_NO_GSO
}

guest_start() {
	local device
	mkfifo "$BOOT/port"
	: >"$BOOT/lines"
	: >"$BOOT/console"
	into DEMO_NO_GSO net_no_gso
	into device demo_device "$2" "$3"
	job_start net_exec qemu-system-x86_64 -M q35 \
		-accel "$ACCEL" -cpu "$(demo_cpu)" -m 512 -smp 1 -nodefaults -display none -no-reboot \
		-serial "file:$BOOT/console" \
		-kernel "${IMAGES[$1]}" -initrd "$INITRD" \
		-append "$(guest_cmdline "${NAMES[$1]}")" \
		-device virtio-serial -chardev "file,id=port,path=$BOOT/port" \
		-device virtserialport,chardev=port,name=vnrx \
		-netdev "tap,id=net,ifname=$DEMO_TAP,script=no,downscript=no" \
		-device "$device" >"$BOOT/qemu" 2>&1
	QEMU=$REPLY
	into KEEPER job_start guest_keeper
}

guest_cmdline() {
	echo "console=ttyS0 panic=-1 loglevel=4 vnrx_module=$1" \
		"vnrx_host=$NET_HOST4 vnrx_guest=$NET_GUEST4" \
		"vnrx_prefix=24"
}

# Follows the guest to its end and does what it asks for. FATAL: why it came
# to no good one. (Not with read -t: bash aborts when a trap exits from that.)
guest_watch() {
	local line port
	FATAL=ended
	exec {port}<"$BOOT/port"
	while IFS= read -r line <&"$port"; do
		printf '%s\n' "$line" >>"$BOOT/lines"
		case $line in
		'{"event":"flood"'*) flood_start "$line" ;;
		'{"event":"enough"'*) flood_stop ;;
		'{"event":"silent"'*) break ;;
		'{"event":"end"'*) FATAL='' && break ;;
		esac
	done
	exec {port}<&-
	[ -z "$FATAL" ] || FATAL=$(guest_fate)
}

guest_fate() {
	local words
	words=$(grep -oE '(kernel BUG|BUG:|Kernel panic|Oops:).*' \
		"$BOOT/console" | head -n 1 | tr -d '\r')
	if [ ! -s "$BOOT/console" ]; then
		echo "QEMU: $(tail -n 1 "$BOOT/qemu")"
	elif grep -q '"event":"silent"' "$BOOT/lines"; then
		echo "the guest was silent for $DEMO_SILENCE s${words:+: $words}"
	elif [ -n "$words" ]; then
		echo "the guest panicked: $words"
	else
		echo "the guest ended without a status"
	fi
}

# A job that keeps the port open until the guest is gone, and speaks up when
# the guest has been silent for too long
guest_keeper() {
	local port
	exec {port}>"$BOOT/port"
	while job_signal 0 "$QEMU"; do
		sleep 0.5
		guest_silent || continue
		echo '{"event":"silent"}' >&"$port"
		return
	done
}

guest_silent() {
	[ $(($(date +%s) - $(stat -c %Y "$BOOT/lines"))) -ge "$DEMO_SILENCE" ]
}

guest_blame() {
	local keep=$VNRX_OUT/demo-${1//\//-}.console
	say "guest $1: FAILED: $FATAL; its last words ($keep):"
	cat "$BOOT/qemu" "$BOOT/console" >"$keep"
	tail -n 20 "$keep" | sed 's/^/  | /' >&2
}

# --- report -----------------------------------------------------------------

demo_boot_save() {
	jq -n --arg kernel "$1" --arg mode "$2" --arg dma "$3" \
		--arg fatal "$FATAL" --arg command "$(demo_command "$1/$2/$3")" \
		--slurpfile lines "$BOOT/lines" \
		--slurpfile xdp <(cat "$BOOT/flood-7001.json" 2>/dev/null) \
		--slurpfile udp <(cat "$BOOT/flood-7002.json" 2>/dev/null) \
		'{$kernel, $mode, $dma, $fatal, $command, $lines,
		  floods: {xdp_drop: $xdp[0], udp: $udp[0]}}' >"$BOOT.json"
}

demo_command() {
	local text="./vnrx demo"
	[ "$KERNEL" = debian ] || text+=" --kernel $KERNEL"
	[ -z "$MODULES" ] || [ "$KERNEL" = debian ] ||
		text+=" --modules $MODULES"
	[ -z "$MODULE" ] || text+=" --module $MODULE"
	echo "$text --only '$1'"
}

demo_host() {
	jq -n --arg cpu "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo |
		head -n 1)" \
		--arg os "$(. /etc/os-release && echo "$PRETTY_NAME")" \
		--arg kernel "$(uname -r)" --argjson cpus "$(nproc)" \
		--arg qemu "$(qemu-system-x86_64 --version | head -n 1)" \
		--argjson memory_mib \
		"$(awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo)" \
		'{$os, $kernel, $cpu, $cpus, $memory_mib, $qemu}'
}

demo_report() {
	local out=$VNRX_OUT/demo.json
	jq -s -f "$VNRX_ROOT/rig/demo.jq" --arg accel "$ACCEL" \
		--argjson host "$(demo_host)" "$DEMO_TMP"/boots/*.json \
		>"$out.$$" || die "cannot write $out"
	mv "$out.$$" "$out"
	demo_table "$out"
	jq -e 'all(.rows[]; .ok)' "$out" >/dev/null || die "not all rows are ok"
}

demo_table() {
	echo
	jq -r -f "$VNRX_ROOT/rig/demo-table.jq" "$1"
}
