# SPDX-License-Identifier: GPL-2.0
#
# out/hostile.json as it is kept: for each script in how many of its cases the
# kernel survived, and one reason why it did not in others.

{kernel: $kernel, about: $about, date: $date, commit: $commit,
 scripts: [.cases | group_by(.script)[]
	| {script: .[0].script, cases: length,
	   survived: (map(select(.survived)) | length),
	   why: (map(select(.survived | not))[0].why // "")}]}
