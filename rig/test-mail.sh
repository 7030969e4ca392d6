# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Tests of ./vnrx series, with figures that are made up: it must refuse what
# must not be mailed, and what it writes must apply and be taken by git.

use series tree

mail_groups() {
	group house/series mail_test
}

mail_test_prepare() {
	need_pkgs "for tests of ./vnrx series" git git-email libmailtools-perl \
		jq perl
	linux_source MAIL_SRC
	base_repo "$MAIL_SRC" MAIL_GIT
}

mail_test() {
	local me="Ann Onymous <ann@example.org>" patched driver
	into patched series_hash patched
	into driver series_hash driver
	mail_figures "$UNIT/now.json" "$patched" "$driver"
	mail_figures "$UNIT/old.json" 0123456789abcdef "$driver"
	mail_figures "$UNIT/half.json" "$patched" 0123456789abcdef
	jq '.cells[1] |= del(.value) + {error: "lost"}' "$UNIT/now.json" \
		>"$UNIT/failed.json"
	touch "$UNIT/file"
	refuses 2 "say who sends it" series
	refuses 2 "not 'Ann'" series --from Ann
	refuses 2 "not 'linux'" series --from "$me" --tree linux
	refuses 2 "what has changed?" series --from "$me" --version 2
	refuses 1 "is there already" series --from "$me" "$UNIT"
	refuses 1 "is no bench.json" series --from "$me" \
		--results "$UNIT/file" "$UNIT/no"
	refuses 1 "not measured with the driver as it is now" series \
		--from "$me" --results "$UNIT/old.json" "$UNIT/no"
	refuses 1 "now driver is $driver" series \
		--from "$me" --results "$UNIT/half.json" "$UNIT/no"
	refuses 1 "has cells that failed" series \
		--from "$me" --results "$UNIT/failed.json" "$UNIT/no"
	check "refuses if no figures are kept" mail_no_figures
	check "refuses if a static test fails" mail_bad_series
	check "what it writes is taken by git send-email" mail_made || return
	check "cover letters have figures, machine and diffstat" mail_covered
	check "the mails apply to the base and make the series" mail_applied
	check "the form of the mails" mail_formed
}

# mail_figures FILE PATCHED DRIVER: a bench.json with a faster and a slower cell,
# and what the series was
mail_figures() {
	jq -n --arg patched "$2" --arg driver "$3" '
	def cell($kernel; $test; $value; $ratio): {bench: "native", mode: "small",
		dma: "plain", ring: "split", $test, size: 64, boot: "",
		unit: "ns/packet", $kernel, $value, ratio_to_stock: $ratio,
		spread: [$ratio - 0.01, $ratio + 0.01]};
	{host: {cpu: "Processor of the test", cpus: 2, kernel: "Linux",
		compiler: "gcc", date: "today", command: "./vnrx bench",
		series: {$patched, $driver}},
	 cells: [cell("stock"; "stack"; 80; 1),
		cell("driver"; "stack"; 64; 1.25),
		cell("patched"; "stack"; 40; 2),
		cell("stock"; "held8192"; 90; 1),
		cell("driver"; "held8192"; 100; 0.9),
		cell("patched"; "held8192"; 90; 1)]}' >"$1"
}

mail_no_figures() {
	local VNRX_ROOT=$VNRX_ROOT copy=$UNIT/nothing
	house_copy "$copy" || return
	VNRX_ROOT=$copy
	refusal 1 "no figures are kept" series --from "A <a@b.org>"
}

# The form of a patch that is not of the kernel, so that the figures are still
# good
mail_bad_series() {
	local VNRX_ROOT=$VNRX_ROOT copy=$UNIT/bad last
	house_copy "$copy" || return
	last=$(grep -e '-docs-' "$copy/patches/6.12/series" | tail -n 1)
	sed -i 's/^Subject: .*/&./' "$copy/patches/6.12/${last%% *}"
	VNRX_ROOT=$copy
	refusal 1 "static tests fail" series --from "A <a@b.org>" \
		--results "$UNIT/now.json"
}

# The whole command but for the static tests, which are other groups here
mail_made() {
	use mail
	# shellcheck disable=SC2317 # for cmd_series
	mail_checks() { :; }
	echo "Nothing else." >"$UNIT/changes"
	cmd_series --from "Ann Önymous <ann@example.org>" --version 2 \
		--changes "$UNIT/changes" --results "$UNIT/now.json" \
		"$UNIT/mail"
}

mail_covered() {
	local bad=0
	mail_says driver 'small plain stack 64  *80.0  *64.0  *1.25' \
		'Slower by more than 1 %, 1 of 2 cells' \
		'small plain split held8192 64: 0.90' \
		'Machine: Processor of the test' '^Nothing else' \
		'drivers/net/virtio_net_rxbuf.h  *| [1-9][0-9]* ++*$' \
		'^Based on Linux 6.12' || bad=1
	mail_says ring 'small plain stack 64  *80.0  *64.0  *40.0  *2.00' \
		'^None of the 2 cells' || bad=1
	! grep -rE '\*\*\* (SUBJECT|BLURB)|@[A-Z]+@' "$UNIT/mail" || bad=1
	return "$bad"
}

# mail_says PART TEXT...: in the cover letter
mail_says() {
	local cover=$UNIT/mail/$1/0000-cover-letter.patch text missing=0
	shift
	cat "$cover"
	for text in "$@"; do
		grep -q -- "$text" "$cover" && continue
		echo "not there: $text"
		missing=1
	done
	return "$missing"
}

# In a tree that has only the directories concerned on disk
mail_applied() {
	local tree=$UNIT/tree part mails tip
	git_plain clone -q --local --shared --no-checkout "$MAIL_GIT" "$tree" &&
		git_plain -C "$tree" sparse-checkout set --no-cone /MAINTAINERS \
			/drivers/net/ /drivers/virtio/ /include/linux/ \
			/Documentation/networking/ /tools/virtio/ \
			/tools/testing/selftests/drivers/net/ &&
		git_plain -C "$tree" checkout -q vnrx-base || return
	use mail
	for part in "${MAIL_PARTS[@]}"; do
		mails=("$UNIT/mail/$part"/*.patch)
		# the first is the cover letter
		GIT_COMMITTER_NAME=$SERIES_NAME \
			GIT_COMMITTER_EMAIL=$SERIES_MAIL git_plain -C "$tree" \
			am -q "${mails[@]:1}" || return
	done
	into tip with_lock "git-${MAIL_GIT##*/}" \
		series_commit "$MAIL_GIT" vnrx-base
	[ "$(git_plain -C "$tree" rev-parse "HEAD^{tree}")" = \
		"$(git_plain --git-dir="$MAIL_GIT" rev-parse "$tip^{tree}")" ]
}

mail_formed() {
	local tree=$UNIT/tree n bad=0 mail
	n=$(git_plain -C "$tree" rev-list --count vnrx-base..HEAD)
	[ "$(git_plain -C "$tree" log --format='%an <%ae>%n%b' vnrx-base.. |
		grep -cE '^(Signed-off-by: )?Ann Önymous <ann@example.org>$')" \
		-eq $((2 * n)) ] || {
		echo "author or sign-off is not the sender's in all of $n"
		bad=1
	}
	for mail in "$UNIT"/mail/*/*.patch; do
		grep -q '^Subject: \[PATCH 6.12.y v2 [0-9]*/[0-9]*\]' "$mail" &&
			grep -q '^To: .*@' "$mail" && continue
		head "$mail"
		bad=1
	done
	return "$bad"
}
