# SPDX-License-Identifier: GPL-2.0-only
#
# usage: awk -f picture.awk targets results >picture.svg
#
# One picture of the metrics that have a target: minivmm's cost as a part of KVM's, a bar for
# each bed on a logarithmic axis, and a line where the target is.

/^#/ || NF == 0 { next }
FNR == NR && $2 ~ /^<=/ { next }
FNR == NR {
	order[++n] = $1
	must["amd", $1] = $2
	must["intel", $1] = $3
	next
}
{ value[$1, $2, $3] = $4 }

function ratio_of(bed, m) {
	if (!((bed, "kvm", m) in value) || !((bed, "minivmm", m) in value) || value[bed, "kvm", m] == 0)
		return ""
	return value[bed, "minivmm", m] / value[bed, "kvm", m]
}

# From a ratio to the picture's x: 1/1000 to 4.
function x(r) {
	r = r < LOW ? LOW : r > HIGH ? HIGH : r
	return LEFT + WIDTH * (log(r) - log(LOW)) / (log(HIGH) - log(LOW))
}

function text(px, py, anchor, s) {
	printf "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>\n", px, py, anchor, s
}

function line(px, top, bottom, class) {
	printf "<line class=\"%s\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%.1f\" y2=\"%.1f\"/>\n", class, px, px, top, bottom
}

function bar(bed, m, top,    r, goal) {
	r = ratio_of(bed, m)
	if (r == "")
		return
	goal = must[bed, m]
	printf "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\"/>\n",
	       bed, LEFT, top, x(r) - LEFT, BAR
	if (goal != "-" && goal > 0)
		line(x(goal), top - 1, top + BAR + 1, "must")
	text(x(r) + 4, top + BAR - 1, "start", sprintf(r < 0.1 ? "%.3f" : "%.2f", r))
}

END {
	LOW = 0.001; HIGH = 4; LEFT = 220; WIDTH = 520; BAR = 8; ROW = 24; TOP = 50
	for (i = 1; i <= n; i++)
		if (ratio_of("amd", order[i]) != "" || ratio_of("intel", order[i]) != "")
			shown[++rows] = order[i]
	height = TOP + rows * ROW + 10
	printf "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 800 %d\" font-family=\"sans-serif\" font-size=\"10\">\n", height
	print "<style>.amd{fill:#c8552b}.intel{fill:#2b6cc8}.must{stroke:#000;stroke-width:2}"
	print ".grid{stroke:#ccc}.one{stroke:#888}</style>"
	printf "<rect width=\"800\" height=\"%d\" fill=\"#fff\"/>\n", height
	text(10, 16, "start", "minivmm's path length as a part of KVM's (1 = KVM; shorter is better). Instructions on emulated hosts, not hardware speed.")
	printf "<rect class=\"amd\" x=\"10\" y=\"24\" width=\"8\" height=\"8\"/>\n<rect class=\"intel\" x=\"90\" y=\"24\" width=\"8\" height=\"8\"/>\n"
	text(22, 32, "start", "AMD bed")
	text(102, 32, "start", "Intel bed")
	text(172, 32, "start", "| target")
	for (r = LOW; r < HIGH; r *= 10) {
		line(x(r), TOP - 8, height - 6, r > 0.5 ? "one" : "grid")
		text(x(r), TOP - 10, "middle", r)
	}
	for (i = 1; i <= rows; i++) {
		top = TOP + (i - 1) * ROW
		text(LEFT - 6, top + 12, "end", shown[i])
		bar("amd", shown[i], top)
		bar("intel", shown[i], top + BAR + 2)
	}
	print "</svg>"
}
