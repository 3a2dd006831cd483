# SPDX-License-Identifier: GPL-2.0-only
#
# Finds each row's median interval in what scripts/lab/count.c wrote: prints
# "ADDRESS count ROW COUNT BYTES" for its instructions, and "- total ROW TOTAL".
# Of as many intervals as are as long as the median, the average. Intervals of a
# few instructions are the benchmark's own calibration.

BEGIN {
	row = 1
	small = 16
}

# Shell sort: few intervals, and mawk has no asort().
function sort_numbers(a, n,   gap, i, j, v) {
	for (gap = int(n / 2); gap > 0; gap = int(gap / 2))
		for (i = gap + 1; i <= n; i++) {
			v = a[i]
			for (j = i; j > gap && a[j - gap] > v; j -= gap) a[j] = a[j - gap]
			a[j] = v
		}
}

function row_ends(   i, j, n, median, same, order, sum, part) {
	for (i = 1; i <= intervals; i++)
		if (total[i] > small) order[++n] = total[i]
	if (n) {
		sort_numbers(order, n)
		median = order[int((n + 1) / 2)]
		for (i = 1; i <= intervals; i++) {
			if (total[i] != median) continue
			same++
			for (j = first[i]; j < first[i + 1]; j++) {
				split(line[j], part)
				sum[part[1] " " part[3]] += part[2]
			}
		}
		for (i in sum) {
			split(i, part)
			printf "%s count %d %.4f %s\n", part[1], row, sum[i] / same, part[2]
		}
		printf "- total %d %d\n", row, median
	}
	intervals = lines = 0
	first[1] = 0
}

$1 == "row" {
	row_ends()
	row += started
	started = 1
	next
}

$1 == "interval" {
	total[++intervals] = $2
	first[intervals + 1] = lines
	next
}

{ line[lines++] = $0 }

END { row_ends() }
