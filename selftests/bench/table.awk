# SPDX-License-Identifier: GPL-2.0-only
#
# usage: awk -f table.awk targets results
#
# The results of scripts/bench as a table for each bed: KVM, minivmm, their ratio, what the
# ratio must be, and whether it is. Where there is a borrowed run, its figure, too.

/^#/ || NF == 0 { next }
FNR == NR { must["amd", $1] = $2; must["intel", $1] = $3; next }
{
	value[$1, $2, $3] = $4
	if (!(($1, $3) in unit)) {
		unit[$1, $3] = $5
		order[$1, ++n[$1]] = $3
	}
	if ($2 == "borrowed")
		borrowed[$1] = 1
}

function ratio_of(bed, metric) {
	if (!((bed, "kvm", metric) in value) || !((bed, "minivmm", metric) in value))
		return ""
	if (value[bed, "kvm", metric] == 0)
		return ""
	return value[bed, "minivmm", metric] / value[bed, "kvm", metric]
}

# A whole number in groups of three digits.
function number(v,    s, out) {
	if (v == "")
		return "-"
	if (v != int(v))
		return sprintf("%.2f", v)
	s = sprintf("%.0f", v < 0 ? -v : v)
	while (length(s) > 3) {
		out = "," substr(s, length(s) - 2) out
		s = substr(s, 1, length(s) - 3)
	}
	return (v < 0 ? "-" : "") s out
}

function verdict(bed, metric, r,    most) {
	if (!((bed, metric) in must) || must[bed, metric] == "-")
		return ""
	most = must[bed, metric]
	if (sub(/^<=/, "", most))
		r = ((bed, "minivmm", metric) in value) ? value[bed, "minivmm", metric] : ""
	if (r == "")
		return ""
	counted[bed]++
	if (r <= most + 0) {
		met[bed]++
		return "met"
	}
	return "missed"
}

function show(bed,    i, m, r, line) {
	printf "%s\n", bed == "amd" ? "AMD bed (QEMU, icount)" : "Intel bed (Bochs)"
	printf "%-32s %13s %13s %7s %12s %-6s", "metric", "KVM", "minivmm", "ratio", "must", ""
	printf borrowed[bed] ? " %13s\n" : "\n", "borrowed"
	for (i = 1; i <= n[bed]; i++) {
		m = order[bed, i]
		r = ratio_of(bed, m)
		line = sprintf("%-32s %13s %13s %7s %12s %-6s", m (unit[bed, m] == "ticks" ? "" : ", " unit[bed, m]),
			       number(value[bed, "kvm", m]), number(value[bed, "minivmm", m]),
			       r == "" ? "-" : sprintf("%.3f", r),
			       ((bed, m) in must) ? must[bed, m] : "", verdict(bed, m, r))
		if (borrowed[bed] && (bed, "borrowed", m) in value)
			line = line sprintf(" %13s", number(value[bed, "borrowed", m]))
		sub(/ +$/, "", line)
		print line
	}
	printf "%d of %d targets met on this bed\n\n", met[bed], counted[bed]
}

END {
	if (n["amd"])
		show("amd")
	if (n["intel"])
		show("intel")
	print "Ticks are instructions: path lengths, not hardware speed."
}
