# SPDX-License-Identifier: GPL-2.0
# Places, a line each: function, file, line, reached, source, reason

def places:
	split("\n") | map(select(length > 0) | split("\t") |
		{function: .[0], file: .[1], line: (.[2] | tonumber? // 0),
		 hit: (.[3] == "1"), source: .[4], reason: (.[5] // "")});

places as $all | {
	hit: ($all | map(select(.hit)) | length),
	total: ($all | length),
	unexplained: ($all | map(select((.hit | not) and .reason == "")) |
		length),
	functions: ($all | group_by(.function) | map({
		function: .[0].function,
		hit: (map(select(.hit)) | length),
		total: length,
		uncovered: map(select(.hit | not) |
			{file, line, source, reason})}))
}
