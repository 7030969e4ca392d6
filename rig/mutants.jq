# SPDX-License-Identifier: GPL-2.0
#
# Input: the mutants of a run, with $old, what earlier runs have found, $tests,
# a line for each test of the suite, and $excepted, "TEST: REASON" for those
# that no mutant can make fail. In both "*" is anything.

def lines: split("\n") | map(select(length > 0));

def is_like($pattern):
	. as $s | ($pattern | split("*")) as $parts |
	if ($parts | length) == 1 then $s == $pattern
	else ($s | startswith($parts[0])) and ($s | endswith($parts[-1])) end;

# "xdp.sh mergeable: XDP_PASS" is the test "xdp.sh XDP_PASS"
def without_mode: sub("^(?<program>[a-z]+\\.sh) [a-z-]+: "; "\(.program) ");

def reason_of($test):
	first(($excepted | lines[] | capture("^(?<test>[^:]*): (?<reason>.*)") |
	       select(.test as $t | $test | is_like($t)) | .reason), null);

def test($mutants):
	. as $test |
	{name: $test,
	 killed_by: [$mutants[] |
		select(any(.kills[]?; without_mode | is_like($test))) | .name],
	 reason: reason_of($test)};

(map(.mutants) | add) as $new |
($new | map(.name)) as $names |
([$old[].mutants[]? | select(.name as $n | $names | index($n) | not)] + $new)
	as $mutants |
{mutants: $mutants, tests: ($tests | lines | map(test($mutants)))}
