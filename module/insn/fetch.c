// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where an instruction's bytes come from: the processor may have handed some over with
 * the exit (AMD's decode assists), else guest memory has them.
 *
 * What was handed over is the instruction as the processor saw it, and may end early:
 * at a page that was not there, or for a processor without the feature before it
 * begins. Then all of it is read from memory.
 */
#include "fetch.h"
#include "internal.h"

/*
 * Decode as far as it goes, a page at a time: the second page is not touched, and does
 * not fault, unless it is needed.
 */
static int read_pages(const struct mvm_insn_source *src, struct mvm_insn_read *out)
{
	gva_t la = src->la;
	unsigned int part;
	int ret;

	out->n = 0;
	out->status = MVM_INSN_MORE;
	while (out->status == MVM_INSN_MORE && out->n < src->limit) {
		part = min_t(unsigned int, src->limit - out->n,
			     EMUL_PAGE_SIZE - (la & (EMUL_PAGE_SIZE - 1)));
		ret = src->read(src->priv, la, out->bytes + out->n, part, &out->fault);
		if (ret)
			return ret;
		out->n += part;
		la += part;
		out->status = mvm_insn_decode(&out->insn, out->bytes, out->n, src->mode);
	}
	return 0;
}

/**
 * mvm_insn_read() - get an instruction and decode it
 * @src: where it is
 * @out: gets it; where memory failed, @out->n bytes had been read
 *
 * Return: 0, with the decoder's verdict in @out->status; 1 with @out->fault filled; -errno.
 */
int mvm_insn_read(const struct mvm_insn_source *src, struct mvm_insn_read *out)
{
	unsigned int given = min_t(unsigned int, src->nr_given, MVM_INSN_MAX);

	if (given) {
		out->status = mvm_insn_decode(&out->insn, src->given, given, src->mode);
		if (out->status == MVM_INSN_OK) {
			out->n = given;
			memcpy(out->bytes, src->given, given);
			return 0;
		}
	}
	return read_pages(src, out);
}

/* All the bytes of both, in two overlapping pieces. */
static bool are_same(const u8 *a, const u8 *b)
{
	const unsigned int rest = MVM_INSN_MAX - sizeof(u64);
	u64 a0, a1, b0, b1;

	memcpy(&a0, a, sizeof(a0));
	memcpy(&a1, a + rest, sizeof(a1));
	memcpy(&b0, b, sizeof(b0));
	memcpy(&b1, b + rest, sizeof(b1));
	return a0 == b0 && a1 == b1;
}

/* Is what @out has the instruction that begins @bytes, of which there are enough for any? */
static bool is_known(const struct mvm_insn_source *src, const struct mvm_insn_read *out,
		     const u8 *bytes)
{
	return out->n == MVM_INSN_MAX && out->status == MVM_INSN_OK &&
	       out->insn.mode == src->mode && are_same(out->bytes, bytes);
}

/**
 * mvm_insn_reread() - as mvm_insn_read(), where @out may have the same instruction already
 * @src: where it is
 * @out: what an earlier call has left, from there or from elsewhere; or zeroes
 *
 * The bytes are read in any case. The same ones in the same mode are not decoded again.
 */
int mvm_insn_reread(const struct mvm_insn_source *src, struct mvm_insn_read *out)
{
	const unsigned int offset = src->la & (EMUL_PAGE_SIZE - 1);
	u8 bytes[MVM_INSN_MAX];
	int ret;

	if (src->nr_given)
		return src->nr_given >= MVM_INSN_MAX && is_known(src, out, src->given) ?
			       0 :
			       mvm_insn_read(src, out);
	if (src->limit < MVM_INSN_MAX || offset > EMUL_PAGE_SIZE - MVM_INSN_MAX)
		return mvm_insn_read(src, out);

	ret = src->read(src->priv, src->la, bytes, sizeof(bytes), &out->fault);
	if (ret) {
		out->n = 0;
		return ret;
	}
	if (is_known(src, out, bytes))
		return 0;
	out->n = sizeof(bytes);
	memcpy(out->bytes, bytes, sizeof(bytes));
	out->status = mvm_insn_decode(&out->insn, out->bytes, out->n, src->mode);
	return 0;
}
