# SPDX-License-Identifier: GPL-2.0-only
#
# usage: awk -v beds=" amd intel " -f budget.awk budget results
#
# TAP: each line of the budget ("BED METRIC TICKS", comments by #) of these beds against what
# minivmm took.

/^#/ || NF == 0 { next }
FNR == NR {
	if (index(beds, " " $1 " ")) {
		bed[++n] = $1
		metric[n] = $2
		ticks[n] = $3
	}
	next
}
$2 == "minivmm" { took[$1, $3] = $4 }

END {
	print "TAP version 13"
	for (i = 1; i <= n; i++) {
		now = took[bed[i], metric[i]]
		claim = sprintf("%s: %s takes %d ticks at most", bed[i], metric[i], ticks[i])
		if (now == "")
			printf "# it was not measured\nnot ok %d - %s\n", i, claim
		else if (now > ticks[i])
			printf "# %d, which is %d (%.1f %%) too many\nnot ok %d - %s\n", now, now - ticks[i],
			       100 * (now - ticks[i]) / ticks[i], i, claim
		else
			printf "ok %d - %s (%d)\n", i, claim, now
		bad += now == "" || now > ticks[i]
	}
	printf "1..%d\n", n
	exit bad > 0
}
