# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The programs of bench/ that measure in guests and on the host.

use deps

# shellcheck disable=SC2034 # for the verbs
PROGRAMS_PKGS=(gcc libc6-dev make clang libbpf-dev)

# Built once for each state of their source: leaves their directory in REPLY
programs_get() {
	local key
	key=$(
		{
			hash_files "$VNRX_ROOT"/bench/{*.[ch],Makefile}
			gcc --version
		} | hash_stdin)
	REPLY=$VNRX_CACHE/bench/$key
	with_lock "bench-$key" build_once "$REPLY" "the measuring programs" \
		programs_make
}

programs_make() { make -C "$VNRX_ROOT/bench" "O=$1"; }
