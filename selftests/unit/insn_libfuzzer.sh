#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Decoder and emulator under libFuzzer: a number of inputs, always the same ones.
# MVM_FUZZ_RUNS sets the number, MVM_FUZZ_SEED the seed.
fuzzer=$(dirname "$0")/insn_libfuzzer
runs=${MVM_FUZZ_RUNS:-300000}
seed=${MVM_FUZZ_SEED:-1}
[ -z "$MINIVMM_LONG" ] || runs=$((runs * 20))

if [ ! -x "$fuzzer" ]; then
	echo "1..0 # SKIP clang or libclang-rt-14-dev is missing; run: sudo scripts/deps test"
	exit 4
fi
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
echo "TAP version 13"
echo "1..1"
if "$fuzzer" -runs="$runs" -seed="$seed" -max_len=30 -verbosity=0 -print_final_stats=1 \
	-artifact_prefix="$work/" "$work" >"$work/log" 2>&1; then
	sed -n 's/^stat::/# /p' "$work/log"
	echo "ok 1 $runs inputs of libFuzzer, seed $seed"
else
	sed 's/^/# /' "$work/log" | tail -60
	for crash in "$work"/crash-* "$work"/timeout-* "$work"/leak-*; do
		[ ! -e "$crash" ] || od -A n -t x1 "$crash" | sed 's/^/# input:/'
	done
	echo "not ok 1 $runs inputs of libFuzzer, seed $seed"
	exit 1
fi
