# SPDX-License-Identifier: GPL-2.0-only
#
# Compares the suite's three outputs: files in the order excuses, bare, minivmm, KVM. KVM's
# is that of several runs: the first that says the same as minivmm counts, or else the last.
# A case is ok when all three say the same, or when the one that its excuse names
# differs and the other two agree. An excuse that excuses nothing is a failure.

BEGIN {
	least = 300
	here["any"]
	here[bed]
	here[bed "-" series]
}

FNR == 1 { file++ }

# excuses: BED CASE WHO REASON...; several cases of one kind may end in *, and WHO in ? where
# it takes a tick of the host's at the wrong moment
file == 1 {
	if ($0 ~ /^#/ || NF < 4 || !($1 in here))
		next
	if (sub(/\?$/, "", $3))
		at_times[$2]
	excuse[$2] = $3
	reason[$2] = $0
	sub(/^[^ \t]+[ \t]+[^ \t]+[ \t]+[^ \t]+[ \t]+/, "", reason[$2])
	next
}

# The bare machine's lines give the cases and their order.
file == 2 && /^[a-z0-9-]+: / {
	name = $1
	sub(/:$/, "", name)
	if (name == "equivalence") {
		count = $2
		next
	}
	if (name in bare)
		twice[name]
	names[++n] = name
	bare[name] = $0
	next
}

file > 2 && /^([a-z0-9-]+|\?): / {
	name = $1
	sub(/:$/, "", name)
	place[file]++
	if (name == "?")
		name = names[place[file]]
	if (name == "equivalence")
		place[file] = 0
	else if (file == 3 || !((file, name) in vm) || vm[file, name] != vm[3, name])
		vm[file, name] = $0
}

function result(good, text) {
	total++
	failed += !good
	printf "%sok %d - %s\n", good ? "" : "not ", total, text
}

# Who of the three stands alone: "", or a name, or "all".
function odd(b, m, k) {
	if (b == m && m == k)
		return ""
	if (m == k)
		return "bare"
	if (b == k)
		return "minivmm"
	return b == m ? "kvm" : "all"
}

function excused(name, pattern) {
	if (name in excuse)
		return name
	for (pattern in excuse)
		if (pattern ~ /\*$/ && index(name, substr(pattern, 1, length(pattern) - 1)) == 1)
			return pattern
	return ""
}

function compare(name, b, m, k, who, key) {
	b = bare[name]
	m = vm[3, name]
	k = vm[4, name]
	who = odd(b, m, k)
	key = excused(name)
	if (who == "" || (key != "" && who == excuse[key] && m != "" && k != "")) {
		if (who != "")
			used[key]
		result(1, name (b ~ /: not here: / ? " # SKIP " substr(b, index(b, "not here: ") + 10) : "") \
			(who == "" ? "" : " (but for " who ": " reason[key] ")"))
		return
	}
	printf "# bare:    %s\n# minivmm: %s\n# kvm:     %s\n", b, m, k
	result(0, name)
}

END {
	print "TAP version 13"
	for (i = 1; i <= n; i++)
		compare(names[i])
	for (name in twice)
		result(0, "only one case is called " name)
	for (key in excuse)
		if (!(key in used) && !(key in at_times))
			result(0, "the excuse of " key " is needed")
	result(n == count && n >= least, bed " " series ": all " count " cases printed their line, " least " or more")
	print "1.." total
	exit failed != 0
}
