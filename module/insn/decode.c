// SPDX-License-Identifier: GPL-2.0-only
/*
 * The instruction decoder: prefixes, opcode, ModRM, displacement, immediates.
 *
 * Pure code, driven by tables.c; it reads nothing but the bytes it was given
 * and builds in userspace too. mvm_insn_decode() at the end is its only entry.
 * The bytes come from a guest, so every index into a table is bounded by its
 * own width. What the CPU would refuse for reasons of privilege, mode bits or
 * CPUID is not refused here: the CPU has already judged it.
 */
#include "cursor.h"

static const char *const op_names[MVM_NR_OPS] = {
#define MVM_INSN_NAME(name)	[MVM_OP_##name] = #name,
	MVM_INSN_OPS(MVM_INSN_NAME)
#undef MVM_INSN_NAME
};

/* Takes the prefixes; the return value is the first byte that is none. */
static u8 decode_prefixes(struct cursor *c, bool *adsize_prefix)
{
	struct mvm_insn *insn = c->insn;
	u8 byte;

	for (;;) {
		byte = next_byte(c);
		switch (byte) {
		case 0x26: case 0x2e: case 0x36: case 0x3e:
			/* Null prefixes in 64-bit mode: an FS or GS stays. */
			if (!is_64(insn))
				insn->mem.seg = (byte >> 3) & 3;
			break;
		case 0x64: case 0x65:
			insn->mem.seg = byte & 7;
			break;
		case 0x66:
			insn->opsize_prefix = true;
			break;
		case 0x67:
			*adsize_prefix = true;
			break;
		case 0xf0:
			insn->lock = true;
			break;
		case 0xf2: case 0xf3:
			insn->rep = byte;
			break;
		default:
			if (!is_64(insn) || (byte & 0xf0) != 0x40)
				return byte;
			insn->rex = byte;
			continue;
		}
		if (c->status != MVM_INSN_OK)
			return 0;
		/* A REX that is not the last prefix has no effect. */
		insn->rex = 0;
	}
}

/* The last byte of VEX: W vvvv L pp, vvvv inverted. */
static void decode_vex_fields(struct mvm_insn *insn, u8 byte)
{
	insn->vvvv = ~(byte >> 3) & (is_64(insn) ? 15 : 7);
	insn->vl = (byte >> 2) & 1;
	insn->pp = byte & 3;
}

/* VEX, EVEX and XOP: the payload, then the opcode. */
static void decode_vector_prefix(struct cursor *c, u8 escape)
{
	struct mvm_insn *insn = c->insn;
	u8 p0 = next_byte(c), map = 1, w = 0;
	u8 inverted = p0;

	if (insn->opsize_prefix || insn->rep || insn->lock || insn->rex)
		cursor_fail(c, MVM_INSN_UD);

	insn->enc = escape == 0x62 ? MVM_ENC_EVEX :
		    escape == 0x8f ? MVM_ENC_XOP : MVM_ENC_VEX;
	if (escape == 0xc5) {
		inverted |= 0x60;
		decode_vex_fields(insn, p0);
	} else {
		map = escape == 0x62 ? p0 & 0x0f : p0 & 0x1f;
		w = next_byte(c);
		decode_vex_fields(insn, w);
		if (escape == 0x62) {
			if (!(w & 0x04))
				cursor_fail(c, MVM_INSN_UD);
			next_byte(c);
		}
	}
	if (is_64(insn))
		insn->rex = 0x40 | ((u8)~inverted >> 5) | (w & 0x80 ? REX_W : 0);

	if (insn->enc == MVM_ENC_XOP ? map >= 8 && map <= 10 :
	    insn->enc == MVM_ENC_EVEX ? map == 5 || map == 6 : false)
		insn->map = MVM_MAP_EXT;
	else if (map >= 1 && map <= 3)
		insn->map = map;
	else
		cursor_fail(c, MVM_INSN_UD);
	insn->imm2 = map;
	insn->opcode = next_byte(c);
}

/* Are these bytes a vector prefix here, or LES, LDS, BOUND, POP? */
static bool is_vector_prefix(const struct cursor *c, u8 byte)
{
	const struct mvm_insn *insn = c->insn;
	u8 next;

	if (byte != 0xc4 && byte != 0xc5 && byte != 0x62 && byte != 0x8f)
		return false;
	if (insn->mode == MVM_INSN_REAL || insn->len >= c->nbytes)
		return false;
	next = c->bytes[insn->len];
	if (byte == 0x8f)
		return (next & 0x1f) >= 8;
	return is_64(insn) || (next & 0xc0) == 0xc0;
}

static void decode_opcode(struct cursor *c)
{
	struct mvm_insn *insn = c->insn;
	bool adsize_prefix = false;
	u8 byte = decode_prefixes(c, &adsize_prefix);

	if (is_64(insn))
		insn->adsize = adsize_prefix ? 4 : 8;
	else
		insn->adsize = (insn->mode == MVM_INSN_32) != adsize_prefix ? 4 : 2;

	if (is_vector_prefix(c, byte)) {
		decode_vector_prefix(c, byte);
		return;
	}
	if (byte == 0x0f) {
		insn->map = MVM_MAP_0F;
		byte = next_byte(c);
		if (byte == 0x38 || byte == 0x3a) {
			insn->map = byte == 0x38 ? MVM_MAP_0F38 : MVM_MAP_0F3A;
			byte = next_byte(c);
		}
	}
	insn->opcode = byte;
}

/* 16-bit addressing: pairs of BX, BP, SI, DI. */
static void decode_mem16(struct cursor *c, u8 mod, u8 rm)
{
	static const u8 base[8] = {
		MVM_RBX, MVM_RBX, MVM_RBP, MVM_RBP,
		MVM_RSI, MVM_RDI, MVM_RBP, MVM_RBX,
	};
	static const u8 index[8] = {
		MVM_RSI, MVM_RDI, MVM_RSI, MVM_RDI,
		MVM_REG_NONE, MVM_REG_NONE, MVM_REG_NONE, MVM_REG_NONE,
	};
	struct mvm_mem *mem = &c->insn->mem;

	if (mod == 0 && rm == 6) {
		mem->disp = next_value(c, 2);
		return;
	}
	mem->base = base[rm];
	mem->index = index[rm];
	mem->disp = next_value(c, mod);
}

/* 32-bit and 64-bit addressing, with a SIB byte where r/m says so. */
static void decode_mem32(struct cursor *c, u8 mod, u8 rm)
{
	struct mvm_insn *insn = c->insn;
	struct mvm_mem *mem = &insn->mem;
	unsigned int disp = mod == 1 ? 1 : mod == 2 ? 4 : 0;

	if (rm == 4) {
		u8 sib = next_byte(c);
		u8 index = ((sib >> 3) & 7) | (insn->rex & REX_X ? 8 : 0);

		mem->scale = sib >> 6;
		if (index != 4)
			mem->index = index;
		rm = sib & 7;
		if (rm == 5 && mod == 0) {
			mem->disp = next_value(c, 4);
			return;
		}
	} else if (rm == 5 && mod == 0) {
		if (is_64(insn))
			mem->base = MVM_REG_IP;
		mem->disp = next_value(c, 4);
		return;
	}
	mem->base = rm | (insn->rex & REX_B ? 8 : 0);
	mem->disp = next_value(c, disp);
}

static void decode_modrm(struct cursor *c, bool rm_is_reg)
{
	struct mvm_insn *insn = c->insn;
	u8 mod, rm;

	insn->modrm = next_byte(c);
	insn->has_modrm = true;
	mod = insn->modrm >> 6;
	rm = insn->modrm & 7;
	if (mod == 3 || rm_is_reg)
		return;
	if (insn->adsize == 2)
		decode_mem16(c, mod, rm);
	else
		decode_mem32(c, mod, rm);
}

static void set_opsize(struct mvm_insn *insn, u16 flags)
{
	bool w = insn->rex & REX_W;

	if (!is_64(insn))
		insn->opsize = (insn->mode == MVM_INSN_32) != insn->opsize_prefix ? 4 : 2;
	else if (w || (flags & F_F64))
		insn->opsize = 8;
	else if (insn->opsize_prefix)
		insn->opsize = 2;
	else
		insn->opsize = flags & F_D64 ? 8 : 4;
}

static bool row_has_modrm(const struct mvm_insn *insn, const struct mvm_opcode *row)
{
	unsigned int i;

	if (row->flags & (F_M | F_NM))
		return row->flags & F_M;
	if (!row->opnd[0])
		return insn->map != MVM_MAP_ONE;
	for (i = 0; i < MVM_INSN_OPNDS; i++)
		if (mvm_insn_opnd_in_modrm(row->opnd[i]))
			return true;
	return false;
}

/* An entry may be selected further by ModRM.reg or by the prefix. */
static const struct mvm_opcode *select_row(const struct mvm_insn *insn,
					   const struct mvm_opcode *row)
{
	if (row->flags & F_PFX)
		return &mvm_insn_prefixed[row->op][insn->pp & 3];
	if (row->flags & F_GRP)
		return &mvm_insn_groups[row->op][(insn->modrm >> 3) & 7];
	return row;
}

static const struct mvm_opcode *find_row(const struct mvm_insn *insn)
{
	switch (insn->map) {
	case MVM_MAP_0F:
		return &mvm_insn_0f[insn->opcode];
	case MVM_MAP_0F38:
		return &mvm_insn_0f38[insn->opcode];
	case MVM_MAP_0F3A:
		return &mvm_insn_0f3a;
	default:
		if (insn->opcode == 0x63 && is_64(insn))
			return &mvm_insn_movsxd;
		return &mvm_insn_one[insn->opcode];
	}
}

/**
 * mvm_insn_row() - the row that describes an instruction
 * @insn: prefixes, map, opcode and ModRM are known
 * @flags: gets the flags of the row and of what led to it
 */
const struct mvm_opcode *mvm_insn_row(const struct mvm_insn *insn, u16 *flags)
{
	const struct mvm_opcode *entry = find_row(insn), *row = select_row(insn, entry);

	*flags = entry->flags | row->flags;
	return row;
}

/* With mod = 3 the whole ModRM byte is the opcode, but for SMSW and LMSW. */
static void refine_0f01(struct mvm_insn *insn)
{
	const struct mvm_modrm_op *m;

	if (insn->op == MVM_OP_SMSW || insn->op == MVM_OP_LMSW)
		return;
	insn->op = MVM_OP_OTHER;
	insn->opnd[0].kind = MVM_OPND_NONE;
	for (m = mvm_insn_0f01; m->modrm; m++)
		if (m->modrm == insn->modrm && !(m->no_prefix && insn->pp))
			insn->op = m->op;
}

/* The few instructions whose operation depends on more than row and group. */
static void refine_op(struct mvm_insn *insn)
{
	bool is_reg = insn->has_modrm && insn->modrm >= 0xc0;

	if (insn->map == MVM_MAP_ONE && insn->opcode == 0x90 &&
	    (insn->rep == 0xf3 || !(insn->rex & REX_B))) {
		insn->op = insn->rep == 0xf3 ? MVM_OP_PAUSE : MVM_OP_NOP;
		insn->opnd[0].kind = MVM_OPND_NONE;
		insn->opnd[1].kind = MVM_OPND_NONE;
	} else if (insn->op == MVM_OP_CMPXCHG8B && insn->opsize == 8) {
		insn->op = MVM_OP_CMPXCHG16B;
		insn->opnd[0].size = 16;
	} else if (insn->op == MVM_OP_MOVD && insn->opsize == 8) {
		insn->op = MVM_OP_MOVQ;
	} else if (insn->op == MVM_OP_MOVLPS && is_reg) {
		insn->op = MVM_OP_MOVHLPS;
	} else if (insn->op == MVM_OP_MOVHPS && is_reg) {
		insn->op = MVM_OP_MOVLHPS;
	} else if (insn->map == MVM_MAP_0F && insn->opcode == 0x01 && is_reg) {
		refine_0f01(insn);
	}
}

/* Operation and operands by the row; @flags from mvm_insn_row(). */
static void decode_row(struct cursor *c, const struct mvm_opcode *row, u16 flags)
{
	struct mvm_insn *insn = c->insn;
	unsigned int i, n = 0;

	if ((flags & F_UD) || ((flags & F_I64) && is_64(insn)))
		cursor_fail(c, MVM_INSN_UD);
	set_opsize(insn, flags);

	insn->op = row->op;
	insn->lockable = flags & F_LOCK;
	insn->string = flags & F_STR;
	if (flags & F_CC)
		insn->cc = insn->opcode & 15;
	for (i = 0; i < MVM_INSN_OPNDS && row->opnd[i]; i++)
		if (!mvm_insn_opnd_absent(insn, row->opnd[i]))
			mvm_insn_decode_opnd(c, &insn->opnd[n++], row->opnd[i], flags & F_RM);
	refine_op(insn);
	if ((flags & F_MEM) && insn->modrm >= 0xc0 && insn->op != MVM_OP_OTHER &&
	    insn->opcode != 0x01)
		cursor_fail(c, MVM_INSN_UD);
}

static void decode_legacy(struct cursor *c)
{
	struct mvm_insn *insn = c->insn;
	const struct mvm_opcode *row = find_row(insn);
	u16 flags;

	insn->pp = insn->rep == 0xf2 ? 3 : insn->rep == 0xf3 ? 2 : insn->opsize_prefix;
	if (row_has_modrm(insn, row))
		decode_modrm(c, row->flags & F_RM);
	row = mvm_insn_row(insn, &flags);
	decode_row(c, row, flags);
}

/* vvvv must be 1111b, 0 here, where it names no operand. */
static bool vex_is_legal(const struct mvm_insn *insn, const struct mvm_opcode *row, u16 flags)
{
	unsigned int i;

	if ((flags & F_L0) && insn->vl)
		return false;
	for (i = 0; i < MVM_INSN_OPNDS; i++)
		if ((row->opnd[i] == Ho || row->opnd[i] == Hr) &&
		    !mvm_insn_opnd_absent(insn, row->opnd[i]))
			return true;
	return !insn->vvvv;
}

/* Of most vector instructions only the length is known. */
static void decode_vector(struct cursor *c)
{
	struct mvm_insn *insn = c->insn;
	u8 map = insn->imm2, op = insn->opcode;
	const struct mvm_opcode *row;
	u16 flags;

	insn->imm2 = 0;
	set_opsize(insn, 0);
	if (insn->enc == MVM_ENC_VEX && map == 1 && op == 0x77)
		return;
	decode_modrm(c, false);
	row = mvm_insn_row(insn, &flags);
	if (insn->enc == MVM_ENC_VEX && (flags & F_VEX)) {
		if (!vex_is_legal(insn, row, flags))
			cursor_fail(c, MVM_INSN_UD);
		decode_row(c, row, flags);
	} else if (insn->enc == MVM_ENC_XOP) {
		insn->imm = next_value(c, map == 8 ? 1 : map == 10 ? 4 : 0);
	} else if (map == 3 || (map == 1 && ((op >= 0x70 && op <= 0x73) || op == 0xc2 ||
					     (op >= 0xc4 && op <= 0xc6)))) {
		insn->imm = next_value(c, 1);
	}
}

/* SS is the default where the base is the stack or frame pointer. */
static void default_segment(struct mvm_insn *insn)
{
	struct mvm_mem *mem = &insn->mem;

	if (mem->seg != MVM_REG_NONE)
		return;
	mem->seg = mem->base == MVM_RSP || mem->base == MVM_RBP ?
		   MVM_SEG_SS : MVM_SEG_DS;
}

/**
 * mvm_insn_decode() - decode one instruction
 * @insn: filled in; where the result is not MVM_INSN_OK, only bytes and len
 *	(what was looked at) mean something
 * @bytes: the instruction's bytes, as far as they could be fetched
 * @nbytes: how many there are; more than 15 are not looked at
 * @mode: how the CPU would read them
 *
 * Context: any; reads only its arguments.
 * Return: MVM_INSN_OK, or why not.
 */
enum mvm_insn_status mvm_insn_decode(struct mvm_insn *insn, const u8 *bytes,
				     unsigned int nbytes, enum mvm_insn_mode mode)
{
	struct cursor c = { .insn = insn, .bytes = bytes, .nbytes = nbytes };

	memset(insn, 0, sizeof(*insn));
	insn->mode = mode;
	insn->mem.seg = MVM_REG_NONE;
	insn->mem.base = MVM_REG_NONE;
	insn->mem.index = MVM_REG_NONE;

	decode_opcode(&c);
	if (c.status == MVM_INSN_OK) {
		if (insn->enc == MVM_ENC_LEGACY)
			decode_legacy(&c);
		else
			decode_vector(&c);
		default_segment(insn);
	}
	return c.status;
}

/**
 * mvm_insn_op_name() - the mnemonic of an operation, in capitals
 * @op: an enum mvm_insn_op
 */
const char *mvm_insn_op_name(unsigned int op)
{
	return op < MVM_NR_OPS ? op_names[op] : "?";
}
