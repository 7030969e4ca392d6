# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# vnrx run: a command in a guest that vng boots on the host's file system.

use deps fetch build accel net

help_guest_options() {
	cat <<-'EOF'
	        --kernel KIND|IMAGE  what to boot: stock, patched, driver,
	                        mainline (./vnrx help build), or any bzImage
	        --flavour test|debug|rt  of those that we build (default: test)
	        --source PATH   build those from this 6.12.y tree
	        --cpus N        (default: 2; with --nested: 1)
	        --memory SIZE   (default: 1G; debug: 2G)
	        --timeout SEC   (default: 600; with --nested: 1800)
	        --accel kvm|tcg (default: kvm if a probe guest boots, else tcg)
	        --append ARGS   more kernel arguments, e.g. swiotlb=force
	        --net none|pair|host  (default: none)
	              pair  two NICs, eth0 and eth1, joined by a bridge
	              host  eth0, towards 10.77.0.1/24 in a private network
	                    namespace of the host; the guest is to use 10.77.0.2
	              interfaces are down and without addresses in the guest
	        --host-cmd CMD  with --net host: CMD on the host's side
	        --queues N      queue pairs per NIC (default: 1)
	        --mtu N         of the NICs
	        --mrg_rxbuf on|off  --packed on|off  --iommu on|off
	                        (iommu: iommu_platform=on,disable-legacy=on)
	        --nic PROPS     more properties of the NICs: guest_tso4=off,...
	        --boot vng|direct  with vng (default), or faster: QEMU at once,
	                        no udev, little of a Debian system's start
	        --vhost         NICs in vhost-net instead of QEMU
	        --nested        run the guest with its NICs in vhost-net inside
	                        another guest: needs no /dev/vhost-net here
	EOF
}

help_run() {
	cat <<-'EOF'
	  run --kernel KIND|IMAGE [guest options] -- COMMAND...
	      boot a guest, run COMMAND in it as root, return its exit status.
	      The guest sees the host's files read-only, with an overlay.
	      No status from the guest (panic, hang, timeout) is exit status 125
	      with the last console lines shown.
	EOF
	help_guest_options
}

cmd_run() {
	guest_defaults
	guest_options run "$@"
	[ ${#GUEST_COMMAND[@]} -gt 0 ] ||
		usage_die "run: no command: ./vnrx run --kernel stock -- COMMAND"
	[ -n "${GUEST[kernel]}" ] || usage_die "run: --kernel is missing"
	guest_prepare
	guest_run
}

# --- options ----------------------------------------------------------------

guest_defaults() {
	declare -gA GUEST=(
		[kernel]='' [flavour]=test [cpus]='' [memory]='' [timeout]=''
		[append]='' [net]=none [host-cmd]='' [queues]=1 [mtu]=''
		[mrg_rxbuf]='' [packed]='' [iommu]='' [nic]='' [vhost]=off
		[nested]=off [boot]=vng
	)
	GUEST_COMMAND=()
	VNG=
	BUILD_SOURCE=
}

# guest_options VERB ARGS...
guest_options() {
	local verb=$1
	shift
	while [ $# -gt 0 ]; do
		case $1 in
		--)
			GUEST_COMMAND=("${@:2}")
			return
			;;
		--vhost | --nested)
			GUEST[${1#--}]=on
			shift
			;;
		--*)
			[ $# -gt 1 ] || usage_die "$verb: $1 needs a value"
			guest_option "$verb" "${1#--}" "$2"
			shift 2
			;;
		*) usage_die "$verb: unexpected $1 (put -- before the command)" ;;
		esac
	done
}

guest_option() {
	local verb=$1 name=$2 value=$3
	case $name in
	kernel | memory | append | host-cmd | nic) ;;
	cpus | timeout | queues | mtu)
		[[ $value =~ ^[1-9][0-9]*$ ]] ||
			usage_die "$verb: --$name is a number, not '$value'"
		;;
	mrg_rxbuf | packed | iommu) option_one_of "$name" "$value" on off ;;
	net) option_one_of net "$value" none pair host ;;
	boot) option_one_of boot "$value" vng direct ;;
	flavour) option_one_of flavour "$value" test debug rt ;;
	accel)
		accel_option "$value"
		return
		;;
	source)
		# shellcheck disable=SC2034 # for image_get
		BUILD_SOURCE=$value
		return
		;;
	*) usage_die "$verb: unknown option --$name" ;;
	esac
	GUEST[$name]=$value
}

option_one_of() {
	local name=$1 value=$2 known
	shift 2
	for known in "$@"; do
		[ "$value" != "$known" ] || return 0
	done
	usage_die "--$name is one of: $*; not '$value'"
}

# --- what the guest needs ---------------------------------------------------

guest_prepare() {
	need_pkgs "to run guests" qemu-system-x86 udev kmod file iproute2 python3
	guest_check
	[ "${GUEST[boot]}" = direct ] || into VNG vng_get
	into GUEST_IMAGE guest_image "${GUEST[kernel]}"
	accel GUEST_ACCEL "$GUEST_IMAGE"
	guest_size
}

guest_size() {
	local cpus=2 memory=1G timeout=600
	[ "${GUEST[nested]}" = off ] || cpus=1 timeout=1800
	[ "${GUEST[flavour]}" = test ] || memory=2G
	GUEST[cpus]=${GUEST[cpus]:-$cpus}
	GUEST[memory]=${GUEST[memory]:-$memory}
	GUEST[timeout]=${GUEST[timeout]:-$timeout}
}

guest_check() {
	[ "$(uname -m)" = x86_64 ] || die "guests are x86_64, this host is not"
	[[ ${GUEST[net]} != none || ${GUEST[nested]} = off ]] ||
		usage_die "--nested is about NICs: add --net pair or --net host"
	[[ -z ${GUEST[host-cmd]} || ${GUEST[net]} = host ]] ||
		usage_die "--host-cmd needs --net host"
	[[ ${GUEST[vhost]} = off || ${GUEST[nested]} = on ]] ||
		vhost_works
}

vhost_here() {
	as_root test -c /dev/vhost-net || as_root modprobe vhost_net 2>/dev/null
	as_root sh -c 'test -c /dev/vhost-net && : <>/dev/vhost-net' \
		2>/dev/null
}

vhost_works() {
	vhost_here ||
		die "--vhost: no working /dev/vhost-net here; --nested has one"
}

guest_image() {
	REPLY=$1
	if is_kind "$1"; then
		image_get "${GUEST[flavour]}" "$1"
	else
		image_check "$1"
	fi
}

image_check() {
	[ -f "$1" ] || die "--kernel $1: no such file (or say stock or patched)"
	is_bzimage "$1" || die "--kernel $1: not a bzImage"
	REPLY=$(readlink -f "$1")
}

# The boot protocol's magic stands at 0x202 of every bzImage
is_bzimage() {
	[ "$(dd if="$1" bs=1 skip=514 count=4 2>/dev/null | tr -d '\0')" = HdrS ]
}

# vng of the distribution, else of the next one, unpacked and not installed.
# Leaves the directory of its programs, or nothing for an installed one.
vng_get() {
	local deb dir
	REPLY=
	[ -z "$(command -v vng)" ] || return 0
	if [ -n "$(deb_version virtme-ng)" ]; then
		need_pkgs "to boot guests" virtme-ng
		return
	fi
	need_pkgs "for vng" python3-argcomplete python3-pkg-resources \
		python3-requests
	fetch_deb_from trixie virtme-ng deb
	dir=$VNRX_CACHE/vng/$(basename "$deb" .deb)
	with_lock vng vng_unpack "$deb" "$dir"
	REPLY=$dir/usr/bin
}

vng_unpack() {
	[ ! -d "$2" ] || return 0
	rm -rf "$2.new"
	unpack_deb "$1" "$2.new"
	mv "$2.new" "$2"
}

# --- the guest --------------------------------------------------------------

# guest_run: GUEST_COMMAND in a guest. Its exit status; 125 if it gave none.
guest_run() {
	local dir
	new_tmp dir
	[ "${GUEST[nested]}" = off ] || guest_nest
	guest_script >"$dir/script"
	guest_network
	guest_qemu_opts "$dir"
	"guest_${GUEST[boot]}" "$dir"
	guest_start "$dir"
	guest_status "$dir"
}

# What the guest's shell runs. Its standard input is empty; a port can be
# open once, hence one for standard error and one for who opens /dev/stderr.
guest_script() {
	printf 'cd %q\n' "$PWD"
	echo 'export HOME=/root TERM=dumb LC_ALL=C.UTF-8'
	printf '. %q\n' "$VNRX_ROOT/rig/guest/nics.sh"
	echo 'ln -sf virtio-ports/vnrx.devstderr /dev/stderr'
	printf '%q ' "${GUEST_COMMAND[@]}"
	echo '</dev/null 2>/dev/virtio-ports/vnrx.stderr'
	# shellcheck disable=SC2016 # the guest's status
	echo 'echo $? >/dev/virtio-ports/vnrx.status'
}

guest_network() {
	net_up
	case ${GUEST[net]} in
	pair)
		net_tap vnrx0 "${GUEST[queues]}" "${GUEST[mtu]}"
		net_tap vnrx1 "${GUEST[queues]}" "${GUEST[mtu]}"
		net_bridge vnrxbr vnrx0 vnrx1
		;;
	host)
		net_tap vnrx0 "${GUEST[queues]}" "${GUEST[mtu]}"
		net_address vnrx0
		;;
	esac
	[ -z "${GUEST[host-cmd]}" ] ||
		job_start net_exec bash -c "${GUEST[host-cmd]}" </dev/null >&2
}

# Ports of our own: vng's standard error is the console's output too
guest_qemu_opts() {
	QEMU_OPTS=(-machine q35)
	guest_port status "$1/status"
	guest_port stderr "$1/err"
	guest_port devstderr "$1/err"
	# TCG keeps QEMU's plain CPU: one with "erms" makes the kernel copy
	# with rep movsb, which is emulated byte by byte
	[ "$GUEST_ACCEL" = tcg ] || QEMU_OPTS+=(-cpu host)
	case ${GUEST[net]} in
	pair) guest_nic 0 && guest_nic 1 ;;
	host) guest_nic 0 ;;
	esac
}

guest_port() {
	QEMU_OPTS+=(-chardev "file,id=vnrx-$1,path=$2"
		-device virtio-serial-pci
		-device "virtserialport,name=vnrx.$1,chardev=vnrx-$1")
}

guest_nic() {
	local tap dev queues=${GUEST[queues]} name
	tap="tap,id=vnrx$1,ifname=vnrx$1,script=no,downscript=no"
	tap+=",vhost=${GUEST[vhost]}"
	dev="virtio-net-pci,netdev=vnrx$1,mac=52:54:00:00:77:0$(($1 + 2))"
	dev+=",romfile="
	if [ "$queues" -gt 1 ]; then
		tap+=",queues=$queues"
		dev+=",mq=on,vectors=$((2 * queues + 2))"
	fi
	[ -z "${GUEST[mtu]}" ] || dev+=",host_mtu=${GUEST[mtu]}"
	for name in mrg_rxbuf packed; do
		[ -z "${GUEST[$name]}" ] || dev+=",$name=${GUEST[$name]}"
	done
	[ "${GUEST[iommu]}" != on ] ||
		dev+=",iommu_platform=on,disable-legacy=on"
	dev+="${GUEST[nic]:+,${GUEST[nic]}}"
	QEMU_OPTS+=(-netdev "$tap" -device "$dev")
}

# What changes on the host while a guest runs, it need not see: let it cache
GUEST_ROOTFLAGS=version=9p2000.L,trans=virtio,access=any,cache=loose,msize=262144

guest_append() {
	REPLY="loglevel=7 net.ifnames=0 dummy.numdummies=0 rootflags=$GUEST_ROOTFLAGS"
	REPLY+=" ${GUEST[append]}"
}

# guest_vng [DIR]: the command that boots the guest, for DIR/script or for a
# shell. QEMU's options pass through vng's shell.
guest_vng() {
	local append
	into append guest_append
	GUEST_CMD=(vng --run "$GUEST_IMAGE" --user root --skip-modules --force-9p
		--disable-microvm --cpus "${GUEST[cpus]}"
		--memory "${GUEST[memory]}" --append "$append"
		${1:+--verbose --exec "bash $1/script"}
		"--qemu-opts=$(printf '%q ' "${QEMU_OPTS[@]}")")
	[ "$GUEST_ACCEL" = kvm ] || GUEST_CMD+=(--disable-kvm)
	[ -z "$VNG" ] || GUEST_CMD=(env "PATH=$VNG:$PATH"
		"PYTHONPATH=${VNG%/bin}/lib/python3/dist-packages"
		"${GUEST_CMD[@]}")
}

# guest_direct DIR: QEMU at once and an init of our own, which does less than
# vng's. For the guest in a guest, where all is slow.
guest_direct() {
	local append root="local,id=root,path=/,security_model=none,readonly=on"
	into append guest_append
	append="console=ttyS0 panic=-1 rootfstype=9p ro $append"
	guest_port stdout "$1/out"
	guest_port devstdout "$1/out"
	GUEST_CMD=(qemu-system-x86_64 -accel "$GUEST_ACCEL" -nodefaults
		-display none -no-reboot -serial file:/proc/self/fd/2
		-smp "${GUEST[cpus]}" -m "${GUEST[memory]}" "${QEMU_OPTS[@]}"
		-fsdev "$root,multidevs=remap"
		-device "virtio-9p-pci,fsdev=root,mount_tag=/dev/root"
		-kernel "$GUEST_IMAGE"
		-append "$append init=$VNRX_ROOT/rig/guest/init.sh -- $1/script")
}

# vng and QEMU open their output by name, once for each port: that works with
# a pipe, not with a socket, and in a file they would overwrite each other.
# Standard error stays open (3) so that the pipe ends only with the guest.
guest_start() {
	local guest watch out err log
	touch "$1/status"
	mkfifo "$1/out" "$1/err" "$1/log"
	into out job_start cat "$1/out"
	into err job_start cat "$1/err" >&2
	into log job_start cat "$1/log" >"$1/console"
	job_start net_exec "${GUEST_CMD[@]}" \
		</dev/null >"$1/out" 2>"$1/log" 3>"$1/err"
	guest=$REPLY
	into watch job_start guest_deadline "$guest" "$1"
	job_wait "$guest"
	job_kill "$watch"
	job_wait "$out"
	job_wait "$err"
	job_wait "$log"
}

guest_deadline() {
	sleep "${GUEST[timeout]}"
	touch "$2/late"
	job_signal TERM "$1"
	sleep 2
	job_signal KILL "$1"
}

guest_status() {
	local status
	status=$(tr -dc 0-9 <"$1/status")
	[ -z "$status" ] || return "$status"
	if [ -e "$1/late" ]; then
		say "the guest was stopped after ${GUEST[timeout]} s (--timeout)"
	elif grep -q 'Kernel panic' "$1/console"; then
		say "the guest's kernel panicked"
	else
		say "the guest ended without a status"
	fi
	say "its last console lines:"
	tail -n 100 "$1/console" | tr -d '\r' | sed 's/^/  | /' >&2
	return 125
}

# --- a guest in a guest -----------------------------------------------------

# Makes the command a vnrx run of its own, in an outer guest without NICs
guest_nest() {
	local name inner=("$VNRX_ROOT/vnrx" --cache /tmp/vnrx-nested run
		--kernel "$GUEST_IMAGE" --accel tcg --vhost --boot direct)
	for name in cpus memory timeout net host-cmd queues mtu append \
		mrg_rxbuf packed iommu nic; do
		[ -z "${GUEST[$name]}" ] ||
			inner+=("--$name" "${GUEST[$name]}")
	done
	GUEST_COMMAND=("${inner[@]}" -- "${GUEST_COMMAND[@]}")
	GUEST[net]=none
	GUEST[host-cmd]=
	GUEST[append]=
	GUEST[cpus]=2
	GUEST[memory]=3G
	# the inner one is the first to give up, and says why
	GUEST[timeout]=$((GUEST[timeout] + 120))
}
