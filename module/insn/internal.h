/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the emulator's files: access.c (addresses and memory), alu.c and
 * shift.c (arithmetic and flags), bits.c, exchange.c, muldiv.c, string.c, stack.c,
 * vector.c (classes of instructions), emulate.c (the rest).
 * Functions that may not succeed return an enum mvm_emul_result, 0 for success.
 */
#ifndef MVM_INSN_INTERNAL_H
#define MVM_INSN_INTERNAL_H

#include "emulate.h"

/* RFLAGS bits by the manual's names. */
#define FLAG_CF		BIT(0)
#define FLAG_PF		BIT(2)
#define FLAG_AF		BIT(4)
#define FLAG_ZF		BIT(6)
#define FLAG_SF		BIT(7)
#define FLAG_DF		BIT(10)
#define FLAG_OF		BIT(11)
#define FLAGS_ARITH	(FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF)

#define FLAG_RF		BIT(16)
#define FLAG_VM		BIT(17)

#define VECTOR_DE	0
#define VECTOR_UD	6
#define VECTOR_SS	12
#define VECTOR_GP	13
#define VECTOR_AC	17

#define EMUL_PAGE_SIZE	4096U

static inline u64 mvm_size_mask(unsigned int size)
{
	return size >= 8 ? ~0ULL : (1ULL << (8 * size)) - 1;
}

static inline u64 mvm_sign_extend(u64 val, unsigned int size)
{
	u64 sign = size >= 8 ? 0 : 1ULL << (8 * size - 1);

	return ((val & mvm_size_mask(size)) ^ sign) - sign;
}

/* access.c */
int mvm_emul_raise(struct mvm_emul *e, u8 vector);
u64 mvm_emul_ea(const struct mvm_emul *e);
bool mvm_emul_canonical(const struct mvm_emul *e, u64 la);
int mvm_emul_linear(struct mvm_emul *e, unsigned int seg, u64 ea, unsigned int size,
		    u32 access, gva_t *la);
int mvm_emul_probe(struct mvm_emul *e, unsigned int seg, u64 ea, unsigned int size,
		   u32 access, gva_t *la);
int mvm_emul_translate(struct mvm_emul *e, gva_t la, u32 access, gpa_t *gpa);
int mvm_emul_access(struct mvm_emul *e, unsigned int seg, u64 ea, void *buf,
		    unsigned int size, u32 access, bool write);
int mvm_emul_mem(struct mvm_emul *e, unsigned int seg, u64 ea, u64 *val,
		 unsigned int size, u32 access, bool write);
int mvm_emul_write_back(struct mvm_emul *e, u64 ea, const u64 *old, const u64 *new,
			unsigned int size);

/* alu.c */
u64 mvm_alu(unsigned int op, u64 a, u64 b, unsigned int size, u64 *flags);
u64 mvm_alu_szp(u64 res, unsigned int size);
bool mvm_alu_condition(unsigned int cc, u64 flags);

/* shift.c */
u64 mvm_shift(unsigned int op, u64 a, unsigned int count, unsigned int size, u64 *flags);
u64 mvm_shift_double(unsigned int op, u64 a, u64 b, unsigned int count, unsigned int size,
		     u64 *flags);

/* The classes of instructions. */
int mvm_emul_bits(struct mvm_emul *e);
int mvm_emul_exchange(struct mvm_emul *e);
int mvm_emul_muldiv(struct mvm_emul *e);
int mvm_emul_string(struct mvm_emul *e);
int mvm_emul_stack(struct mvm_emul *e);
int mvm_emul_vector(struct mvm_emul *e);

/* emulate.c */
u64 mvm_emul_reg(const struct mvm_emul *e, u8 reg, unsigned int size);
void mvm_emul_set_reg(struct mvm_emul *e, u8 reg, unsigned int size, u64 val);
int mvm_emul_read_opnd(struct mvm_emul *e, const struct mvm_opnd *o, u64 *val, bool rmw);
int mvm_emul_write_opnd(struct mvm_emul *e, const struct mvm_opnd *o, u64 val);
int mvm_emul_read_dst(struct mvm_emul *e, u64 *val);
int mvm_emul_write_dst(struct mvm_emul *e, u64 old, u64 new);

#endif
