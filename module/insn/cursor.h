/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bytes of an instruction as the decoder's two files read them: decode.c
 * (prefixes, opcode, address) and operand.c (operands). A cursor keeps the first
 * thing that went wrong; what is read after that is zero.
 */
#ifndef MVM_INSN_CURSOR_H
#define MVM_INSN_CURSOR_H

#include "decode.h"
#include "table.h"

#define REX_W	0x08
#define REX_R	0x04
#define REX_X	0x02
#define REX_B	0x01

struct cursor {
	struct mvm_insn *insn;
	const u8 *bytes;
	unsigned int nbytes;
	enum mvm_insn_status status;
};

static inline u8 next_byte(struct cursor *c)
{
	struct mvm_insn *insn = c->insn;
	u8 byte;

	if (c->status != MVM_INSN_OK)
		return 0;
	if (insn->len == MVM_INSN_MAX)
		c->status = MVM_INSN_TOO_LONG;
	else if (insn->len >= c->nbytes)
		c->status = MVM_INSN_MORE;
	if (c->status != MVM_INSN_OK)
		return 0;
	byte = c->bytes[insn->len];
	insn->bytes[insn->len++] = byte;
	return byte;
}

/* A little-endian value of @size bytes, sign-extended. */
static inline s64 next_value(struct cursor *c, unsigned int size)
{
	u64 val = 0;
	unsigned int i;

	for (i = 0; i < size; i++)
		val |= (u64)next_byte(c) << (8 * i);
	if (size && size < 8) {
		u64 sign = 1ULL << (8 * size - 1);

		val = (val ^ sign) - sign;
	}
	return (s64)val;
}

static inline bool is_64(const struct mvm_insn *insn)
{
	return insn->mode == MVM_INSN_64;
}

static inline void cursor_fail(struct cursor *c, enum mvm_insn_status status)
{
	if (c->status == MVM_INSN_OK)
		c->status = status;
}

/* operand.c */
bool mvm_insn_opnd_in_modrm(u8 code);
bool mvm_insn_opnd_absent(const struct mvm_insn *insn, u8 code);
void mvm_insn_decode_opnd(struct cursor *c, struct mvm_opnd *opnd, u8 code, bool rm_is_reg);

#endif
