# SPDX-License-Identifier: GPL-2.0-only
#
# Turns Bochs' trace into what scripts/lab/count.c writes: for each stretch
# between two markers that was traced from begin to end the lines
# "ADDRESS COUNT BYTES" and "interval TOTAL"; at a new row's marker "row".
#
# A traced line is "(0).[TICK] [0xPHYSICAL] SELECTOR:ADDRESS (...): TEXT ; BYTES",
# a stop's the same without the tick. REP takes a tick an iteration, but its line is
# printed once: an instruction has the ticks up to the next one's line.

function interval_ends(   address) {
	for (address in count) print address, count[address], bytes[address]
	if (total) print "interval", total
	split("", count)
	total = counting = 0
	last = ""
}

# The halves of a marker do not count, nor does the time in HLT.
function charge(tick) {
	if (last == "") return
	count[last] += last_bytes == "f4" ? 1 : tick - last_tick
	total += last_bytes == "f4" ? 1 : tick - last_tick
	last = ""
}

$1 !~ /^\(0\)/ || $2 !~ /^\[0x/ { next }

$1 == "(0)" {
	if ($NF == "0f1f84004d564d52") print "row"
	if ($NF == "0f1f84004d564d45" && counting) interval_ends()
	next
}

{
	tick = $1
	gsub(/^\(0\)\.\[|\]$/, "", tick)
	if (counting) charge(tick)
}

$NF == "0f1f84004d564d42" { counting = 1; split("", count); total = 0; next }
$NF == "0f1f84004d564d45" { if (counting) interval_ends(); next }

counting && $NF != "6687db" {
	last = substr($3, index($3, ":") + 1)
	last_tick = tick
	last_bytes = $NF
	bytes[last] = $NF
}
