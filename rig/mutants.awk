# SPDX-License-Identifier: GPL-2.0
#
# Applies the mutation NAME of the list (the first file) to a source file (the
# second), by the text of its lines: where in the file they are, and how they
# are indented, does not matter. Fails unless they are there exactly once.

function trim(s)
{
	gsub(/^[ \t]+|[ \t]+$/, "", s)
	return s
}

# Lines of the function, or of the file: sets from and to
function find_function(  i)
{
	from = 1
	to = lines
	if (func_name == "")
		return 1
	for (i = 1; i <= lines; i++)
		if (line[i] ~ ("(^|[ *])" func_name "\\(") &&
		    line[i] !~ /^[ \t]/ && line[i] !~ /;$/ && body(i))
			return 1
	return 0
}

# A definition goes on to a line of "{" before one that ends with ";"
function body(i,  j)
{
	for (j = i; j <= lines && line[j] != "{"; j++)
		if (line[j] ~ /;$/)
			return 0
	from = j
	while (j <= lines && line[j] != "}")
		j++
	to = j
	return 1
}

function matches(at,  k)
{
	for (k = 1; k <= olds; k++)
		if (trim(line[at + k - 1]) != old[k])
			return 0
	return 1
}

FNR == NR {
	if ($1 == "mutant")
		mine = $2 == name
	else if (mine && $1 == "in")
		func_name = $3
	else if (mine && /^-/)
		old[++olds] = trim(substr($0, 2))
	else if (mine && /^\+/)
		new[++news] = substr($0, 2)
	next
}

{ line[++lines] = $0 }

END {
	if (!olds || !find_function()) {
		print "no function " func_name >"/dev/stderr"
		exit 1
	}
	for (i = from; i <= to; i++)
		if (matches(i)) {
			found++
			at = i
		}
	if (found != 1) {
		print found + 0 " places match, not 1" >"/dev/stderr"
		exit 1
	}
	for (i = 1; i < at; i++)
		print line[i]
	for (k = 1; k <= news; k++)
		print new[k]
	for (i = at + olds; i <= lines; i++)
		print line[i]
}
