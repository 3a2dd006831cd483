/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the manuals leave undefined after an instruction, so that it is not
 * compared: by the "Flags Affected" section of each instruction in the Intel
 * SDM, volume 2, and the same in the AMD APM, volume 3.
 */
#ifndef INSN_UNDEFINED_H
#define INSN_UNDEFINED_H

#include "insn/decode.h"

#define FL_CF		0x001UL
#define FL_PF		0x004UL
#define FL_AF		0x010UL
#define FL_ZF		0x040UL
#define FL_SF		0x080UL
#define FL_OF		0x800UL
#define ARITH		(FL_CF | FL_PF | FL_AF | FL_ZF | FL_SF | FL_OF)
#define FLAG_DF_BIT	0x400UL
#define FLAG_AC_BIT	0x40000UL

static const struct { u8 op; u64 flags; const char *section; } insn_undefined[] = {
	{ MVM_OP_AND, FL_AF, "AND" }, { MVM_OP_OR, FL_AF, "OR" }, { MVM_OP_XOR, FL_AF, "XOR" },
	{ MVM_OP_TEST, FL_AF, "TEST" },
	{ MVM_OP_MUL, FL_SF | FL_ZF | FL_AF | FL_PF, "MUL" },
	{ MVM_OP_IMUL, FL_SF | FL_ZF | FL_AF | FL_PF, "IMUL" },
	{ MVM_OP_DIV, ARITH, "DIV" }, { MVM_OP_IDIV, ARITH, "IDIV" },
	{ MVM_OP_BT, FL_OF | FL_SF | FL_AF | FL_PF, "BT" },
	{ MVM_OP_BTS, FL_OF | FL_SF | FL_AF | FL_PF, "BTS" },
	{ MVM_OP_BTR, FL_OF | FL_SF | FL_AF | FL_PF, "BTR" },
	{ MVM_OP_BTC, FL_OF | FL_SF | FL_AF | FL_PF, "BTC" },
	{ MVM_OP_BSF, ARITH & ~FL_ZF, "BSF" }, { MVM_OP_BSR, ARITH & ~FL_ZF, "BSR" },
	{ MVM_OP_TZCNT, ARITH & ~(FL_ZF | FL_CF), "TZCNT" },
	{ MVM_OP_LZCNT, ARITH & ~(FL_ZF | FL_CF), "LZCNT" },
};

/* Shifts and rotates: by the count, masked as the processor does. */
static inline u64 insn_undefined_shift(u8 op, unsigned int count, unsigned int size)
{
	u64 flags = count == 1 ? 0 : FL_OF;

	if (!count)
		return 0;
	if (op >= MVM_OP_ROL && op <= MVM_OP_RCR)
		return flags;
	flags |= FL_AF;
	if (op != MVM_OP_SAR && count >= 8 * size)
		flags |= FL_CF;
	return flags;
}

static inline bool insn_is_double_shift(const struct mvm_insn *insn)
{
	return insn->op == MVM_OP_SHLD || insn->op == MVM_OP_SHRD;
}

/* The count of a shift or rotate; @rcx is what CL was. */
static inline unsigned int insn_shift_count(const struct mvm_insn *insn, u64 rcx)
{
	const struct mvm_opnd *o = &insn->opnd[insn_is_double_shift(insn) ? 2 : 1];
	unsigned int count = o->kind == MVM_OPND_REG ? (u8)rcx : (u8)insn->imm;

	return count & (insn->opnd[0].size == 8 ? 63 : 31);
}

/* The flags that are undefined after @insn. */
static inline u64 insn_undefined_flags(const struct mvm_insn *insn, u64 rcx)
{
	unsigned int i;

	if (insn->op >= MVM_OP_ROL && insn->op <= MVM_OP_SHRD)
		return insn_undefined_shift(insn->op, insn_shift_count(insn, rcx),
					    insn->opnd[0].size);
	for (i = 0; i < ARRAY_SIZE(insn_undefined); i++)
		if (insn_undefined[i].op == insn->op)
			return insn_undefined[i].flags;
	return 0;
}

/* SHLD and SHRD by more bits than there are leave an undefined destination. */
static inline bool insn_undefined_result(const struct mvm_insn *insn, u64 rcx)
{
	return insn_is_double_shift(insn) &&
	       insn_shift_count(insn, rcx) > 8U * insn->opnd[0].size;
}

#endif
