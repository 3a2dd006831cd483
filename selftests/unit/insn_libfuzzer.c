// SPDX-License-Identifier: GPL-2.0-only
/*
 * libFuzzer's way into decoder and emulator. The input: a byte for the mode, eight
 * that the world (registers, segments, pages, userspace) is made of, and the
 * instruction's bytes. Built by clang with its fuzzer, AddressSanitizer and UBSan;
 * insn_libfuzzer.sh runs it for a bounded number of inputs, "make fuzz" for a time.
 */
#include <stdio.h>

#include "insn_hostile.h"

#define HEADER 9

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void hostile_complain(const struct mvm_insn *insn, const char *what)
{
	fprintf(stderr, "%s: %s\n", mvm_insn_op_name(insn->op), what);
	abort();
}

/* The decoder alone: it keeps what it read, and the same bytes mean the same. */
static void check_decode(struct mvm_insn *insn, const u8 *bytes, unsigned int n,
			 enum mvm_insn_mode mode)
{
	enum mvm_insn_status status = mvm_insn_decode(insn, bytes, n, mode);
	struct mvm_insn again;

	if (insn->len > n || insn->len > MVM_INSN_MAX || memcmp(insn->bytes, bytes, insn->len))
		hostile_complain(insn, "bytes not kept");
	if (status == MVM_INSN_MORE && n >= MVM_INSN_MAX)
		hostile_complain(insn, "wants more than there may be");
	if (status != MVM_INSN_OK)
		return;
	if (mvm_insn_decode(&again, bytes, insn->len, mode) != MVM_INSN_OK ||
	    memcmp(insn, &again, sizeof(again)))
		hostile_complain(insn, "bytes after the instruction count");
	if (mvm_insn_decode(&again, bytes, insn->len - 1, mode) != MVM_INSN_MORE)
		hostile_complain(insn, "decoded without its last byte");
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static struct world *w;
	struct mvm_insn insn;
	unsigned int n;

	if (!w)
		w = calloc(1, sizeof(*w));
	if (!w || size <= HEADER)
		return 0;
	n = size - HEADER < 20 ? size - HEADER : 20;
	memcpy(&rng_state, data + 1, sizeof(rng_state));
	rng_state |= 1;
	check_decode(&insn, data + HEADER, n, data[0] & 3);
	random_world(w);
	if (mvm_insn_decode(&w->insn, data + HEADER, n, data[0] & 3) == MVM_INSN_OK)
		hostile_one(w);
	return 0;
}
