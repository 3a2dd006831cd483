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
