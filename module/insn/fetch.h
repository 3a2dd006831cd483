/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Getting at an instruction's bytes (fetch.c).
 */
#ifndef MVM_INSN_FETCH_H
#define MVM_INSN_FETCH_H

#include "decode.h"

/**
 * struct mvm_insn_source - where an instruction is
 * @read: guest memory at a linear address, within a page: 0; 1 with @fault filled; -errno
 * @priv: its first argument
 * @la: linear address
 * @limit: how many bytes the code segment lets it have
 * @mode: how to decode it
 * @given: bytes that came with the exit
 * @nr_given: how many, 0 = none
 */
struct mvm_insn_source {
	int (*read)(void *priv, gva_t la, void *buf, unsigned int len, struct mvm_fault *fault);
	void *priv;
	gva_t la;
	unsigned int limit;
	enum mvm_insn_mode mode;
	const u8 *given;
	unsigned int nr_given;
};

/* What was found there. */
struct mvm_insn_read {
	struct mvm_insn insn;
	enum mvm_insn_status status;
	u8 bytes[MVM_INSN_MAX];
	unsigned int n;
	struct mvm_fault fault;
};

int mvm_insn_read(const struct mvm_insn_source *src, struct mvm_insn_read *out);
int mvm_insn_reread(const struct mvm_insn_source *src, struct mvm_insn_read *out);

#endif
