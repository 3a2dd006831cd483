// SPDX-License-Identifier: GPL-2.0-only
/*
 * The instruction decoder against Zydis, an independent decoder.
 *
 * Every opcode of every map with every ModRM byte behind each prefix, every SIB
 * byte, and random strings, in the four modes, ten million strings at least: where
 * Zydis finds an instruction, the length must be the same, and where the decoder
 * names an operation, operation and operands too. Where Zydis finds none, the
 * decoder must not name one: may_be_refused() has the exceptions. No row of the
 * opcode tables may go without a string that was compared.
 *
 * MVM_INSN_STRINGS sets the number of random strings for each mode,
 * MVM_INSN_SEED the seed.
 *
 * Known differences from Zydis, all in this file:
 *  - Instructions of Knights Corner (MVEX, JKZD) are not counted: is_knc().
 *  - CET is off, so that 3E in front of CALL and JMP is a segment prefix.
 *  - MOVSXD with 66h: Zydis reads 4 bytes of memory, the SDM says 2.
 *  - MOV with segment, control and debug registers, and LSL's source with
 *    REX.W: register sizes differ.
 *  - The segment of an address that is only computed (LEA) is not compared.
 *  - ENTER's second immediate, MONITOR's, MWAIT's and UD0's operands are not
 *    operands here: excused().
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <Zydis/Zydis.h>

#include "kselftest.h"
#include "insn_rows.h"

#define STRINGS		400000
#define MIN_TOTAL	10000000
#define MAX_REPORTS	20
#define FIRST_VECTOR	16	/* index of the first vector prefix in test_all_opcodes() */

struct mode {
	const char *name;
	enum mvm_insn_mode mode;
	ZydisMachineMode machine;
	ZydisStackWidth stack;
};

static ZydisDecoder decoders[MVM_INSN_64 + 1];

static struct mode modes[] = {
	{ "real", MVM_INSN_REAL, ZYDIS_MACHINE_MODE_REAL_16, ZYDIS_STACK_WIDTH_16 },
	{ "16-bit", MVM_INSN_16, ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16 },
	{ "32-bit", MVM_INSN_32, ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32 },
	{ "64-bit", MVM_INSN_64, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64 },
};

struct stats {
	unsigned long strings, valid, named, errors;
};

static u64 rng_state;
static unsigned long total;

/* What has been compared of each row. */
#define SEEN_LEGACY	1
#define SEEN_VEX	2
#define SEEN_REFUSED	4
static u8 seen[3 * 256 + MVM_NR_GROUPS * 8 + MVM_NR_PREFIXED * 4 + 1];

static unsigned int row_index(const struct mvm_opcode *row)
{
	unsigned int base = 0, i;
	const struct {
		const struct mvm_opcode *rows;
		unsigned int nr;
	} tables[] = {
		{ mvm_insn_one, 256 }, { mvm_insn_0f, 256 }, { mvm_insn_0f38, 256 },
		{ mvm_insn_groups[0], MVM_NR_GROUPS * 8 },
		{ mvm_insn_prefixed[0], MVM_NR_PREFIXED * 4 },
	};

	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		if (row >= tables[i].rows && row < tables[i].rows + tables[i].nr)
			return base + (row - tables[i].rows);
		base += tables[i].nr;
	}
	return base;
}

static void mark(const struct mvm_insn *insn, u8 what)
{
	u16 flags;

	if (insn->enc <= MVM_ENC_VEX && insn->map != MVM_MAP_EXT && insn->map != MVM_MAP_0F3A)
		seen[row_index(mvm_insn_row(insn, &flags))] |= what;
}

static u64 rng(void)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return rng_state;
}

static void report(struct stats *st, const struct mode *m, const u8 *bytes,
		   const char *what, const char *zydis)
{
	char hex[3 * MVM_INSN_MAX + 1];
	int i;

	if (st->errors++ >= MAX_REPORTS)
		return;
	for (i = 0; i < MVM_INSN_MAX; i++)
		sprintf(hex + 3 * i, "%02x ", bytes[i]);
	ksft_print_msg("%s: %s: %s (Zydis: %s)\n", m->name, hex, what, zydis);
}

/* Zydis' name for what the decoder calls @op, up to the width suffix. */
static bool same_op(const struct mvm_insn *insn, const ZydisDecodedInstruction *z,
		    const char *name)
{
	bool far = z->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR;
	char mine[32];
	const char *n = mvm_insn_op_name(insn->op);
	int i;

	for (i = 0; n[i] && i < 31; i++)
		mine[i] = tolower(n[i]);
	mine[i] = 0;
	if (insn->enc == MVM_ENC_VEX)
		return name[0] == 'v' && !strcmp(name + 1, mine);

	switch (insn->op) {
	case MVM_OP_JCC:
		return z->meta.category == ZYDIS_CATEGORY_COND_BR && name[0] == 'j';
	case MVM_OP_LOOP:
		return !strncmp(name, "loop", 4) || strstr(name, "cxz");
	case MVM_OP_CMOV:
		return z->meta.category == ZYDIS_CATEGORY_CMOV;
	case MVM_OP_SETCC:
		return z->meta.category == ZYDIS_CATEGORY_SETCC;
	case MVM_OP_CALLF:
		return far && !strcmp(name, "call");
	case MVM_OP_JMPF:
		return far && !strcmp(name, "jmp");
	case MVM_OP_RETF:
		return far && !strcmp(name, "ret");
	case MVM_OP_CALL: case MVM_OP_JMP: case MVM_OP_RET:
		return !far && !strcmp(name, mine);
	case MVM_OP_INS: case MVM_OP_OUTS:
	case MVM_OP_MOVS: case MVM_OP_CMPS: case MVM_OP_STOS: case MVM_OP_LODS:
	case MVM_OP_SCAS:
		return !strncmp(name, mine, strlen(mine)) &&
		       strlen(name) == strlen(mine) + 1 &&
		       (z->meta.category == ZYDIS_CATEGORY_STRINGOP ||
			z->meta.category == ZYDIS_CATEGORY_IOSTRINGOP);
	case MVM_OP_PUSHA: case MVM_OP_POPA: case MVM_OP_PUSHF: case MVM_OP_POPF:
	case MVM_OP_IRET:
		return !strncmp(name, mine, strlen(mine));
	case MVM_OP_UD:
		return !strncmp(name, "ud", 2);
	case MVM_OP_WBINVD:
		return !strcmp(name, "wbinvd") || !strcmp(name, "wbnoinvd");
	default:
		return !strcmp(name, mine);
	}
}

/* Does the decoder have an operation of this name, which it then should use? */
static bool has_op(const char *name)
{
	char upper[32];
	unsigned int op;
	int i;

	for (i = 0; name[i] && i < 31; i++)
		upper[i] = toupper(name[i]);
	upper[i] = 0;
	for (op = MVM_OP_OTHER + 1; op < MVM_NR_OPS; op++)
		if (!strcmp(mvm_insn_op_name(op), upper))
			return true;
	return false;
}

static u8 reg_number(ZydisRegister reg)
{
	if (reg == ZYDIS_REGISTER_NONE)
		return MVM_REG_NONE;
	if (reg == ZYDIS_REGISTER_RIP || reg == ZYDIS_REGISTER_EIP)
		return MVM_REG_IP;
	if (ZydisRegisterGetClass(reg) >= ZYDIS_REGCLASS_GPR8 &&
	    ZydisRegisterGetClass(reg) <= ZYDIS_REGCLASS_GPR64)
		reg = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);
	return ZydisRegisterGetId(reg);
}

static const char *cmp_reg(const struct mvm_opnd *o, ZydisRegister reg)
{
	ZydisRegisterClass class = ZydisRegisterGetClass(reg);
	u8 kind = class == ZYDIS_REGCLASS_SEGMENT ? MVM_OPND_SEG :
		  class == ZYDIS_REGCLASS_XMM ? MVM_OPND_VEC :
		  class == ZYDIS_REGCLASS_YMM ? MVM_OPND_VEC :
		  class == ZYDIS_REGCLASS_MMX ? MVM_OPND_MMX :
		  class == ZYDIS_REGCLASS_CONTROL ? MVM_OPND_CR :
		  class == ZYDIS_REGCLASS_DEBUG ? MVM_OPND_DR : MVM_OPND_REG;

	if (o->kind != kind)
		return "kind of register";
	if (o->reg != reg_number(reg))
		return "register number";
	if (o->high != (reg >= ZYDIS_REGISTER_AH && reg <= ZYDIS_REGISTER_BH))
		return "high byte";
	return NULL;
}

static const char *cmp_mem(const struct mvm_insn *insn, const ZydisDecodedOperand *z)
{
	const struct mvm_mem *mem = &insn->mem;
	s64 disp = z->mem.disp.has_displacement ? z->mem.disp.value : 0;
	u64 mask = insn->adsize == 8 ? ~0ULL : (1ULL << (8 * insn->adsize)) - 1;

	/* LEA and the like make an address without a segment. */
	if (z->mem.type != ZYDIS_MEMOP_TYPE_AGEN &&
	    mem->seg != ZydisRegisterGetId(z->mem.segment))
		return "segment";
	if (mem->base != reg_number(z->mem.base))
		return "base";
	if (mem->index != reg_number(z->mem.index))
		return "index";
	if (mem->index != MVM_REG_NONE && 1 << mem->scale != z->mem.scale &&
	    insn->adsize != 2)
		return "scale";
	if ((disp ^ mem->disp) & mask)
		return "displacement";
	return NULL;
}

static const char *cmp_opnd(const struct mvm_insn *insn, const struct mvm_opnd *o,
			    const ZydisDecodedOperand *z)
{
	u64 mask = o->size >= 8 ? ~0ULL : (1ULL << (8 * o->size)) - 1;

	switch (z->type) {
	case ZYDIS_OPERAND_TYPE_REGISTER:
		if (o->kind == MVM_OPND_VEC || o->kind == MVM_OPND_MMX) {
			/* Zydis gives the size of the part that is used. */
			if (o->size * 8 != ZydisRegisterGetWidth(ZYDIS_MACHINE_MODE_LONG_64,
								 z->reg.value))
				return "vector register size";
		} else if (o->size * 8 != z->size && o->kind != MVM_OPND_SEG &&
		    insn->op != MVM_OP_MOV && insn->op != MVM_OP_LSL)
			return "register size";
		return cmp_reg(o, z->reg.value);
	case ZYDIS_OPERAND_TYPE_MEMORY:
		if (z->mem.segment == ZYDIS_REGISTER_NONE)
			return "memory without segment";
		if (o->size && o->size * 8 != z->size &&
		    !(insn->op == MVM_OP_MOVSXD && o->size == 2))
			return "memory size";
		if (o->kind == MVM_OPND_SRC)
			return insn->mem.seg == ZydisRegisterGetId(z->mem.segment) ?
			       NULL : "segment of the string source";
		if (o->kind == MVM_OPND_DST)
			return z->mem.segment == ZYDIS_REGISTER_ES ?
			       NULL : "segment of the string destination";
		return o->kind == MVM_OPND_MEM ? cmp_mem(insn, z) : "not memory";
	case ZYDIS_OPERAND_TYPE_IMMEDIATE:
		if (o->kind != (z->imm.is_relative ? MVM_OPND_REL : MVM_OPND_IMM))
			return "not an immediate";
		return ((u64)insn->imm ^ z->imm.value.u) & mask ? "immediate" : NULL;
	case ZYDIS_OPERAND_TYPE_POINTER:
		if (insn->imm2 != z->ptr.segment)
			return "selector";
		return ((u64)insn->imm ^ z->ptr.offset) & mask ? "far offset" : NULL;
	default:
		return "operand type";
	}
}

static bool excused(const struct mvm_insn *insn)
{
	switch (insn->op) {
	/* Their hidden operands are listed in another order or not at all. */
	case MVM_OP_ENTER:
	case MVM_OP_MONITOR: case MVM_OP_MWAIT:
	case MVM_OP_UD:
		return true;
	default:
		return false;
	}
}

static const char *cmp_opnds(const struct mvm_insn *insn,
			     const ZydisDecodedInstruction *z,
			     const ZydisDecodedOperand *zo)
{
	const struct mvm_opnd *o = insn->opnd;
	const char *err;
	int i;

	if (excused(insn))
		return NULL;
	for (i = 0; i < z->operand_count && o < insn->opnd + MVM_INSN_OPNDS; i++) {
		if (zo[i].visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN &&
		    !(insn->string && o->kind))
			continue;
		if (o->kind == MVM_OPND_NONE)
			return insn->string ? NULL : "too few operands";
		err = cmp_opnd(insn, o, &zo[i]);
		if (err)
			return err;
		o++;
	}
	if (o < insn->opnd + MVM_INSN_OPNDS && o->kind != MVM_OPND_NONE)
		return "too many operands";
	return NULL;
}

/* Instructions of the Knights Corner coprocessor, which no host of ours has. */
static bool is_knc(const ZydisDecodedInstruction *z)
{
	return z->encoding == ZYDIS_INSTRUCTION_ENCODING_MVEX ||
	       z->meta.isa_set == ZYDIS_ISA_SET_KNCE ||
	       z->meta.isa_set == ZYDIS_ISA_SET_KNCV ||
	       z->meta.isa_set == ZYDIS_ISA_SET_KNC_MISC ||
	       z->meta.isa_set == ZYDIS_ISA_SET_KNCSTREAM ||
	       z->meta.isa_set == ZYDIS_ISA_SET_KNCJKBR;
}

/*
 * What Zydis refuses and the decoder takes, because the reason is not in the
 * decoder's tables: a LOCK that is not allowed is the emulator's to refuse; the
 * rest the processor has refused already, before anything is emulated.
 */
static bool may_be_refused(const struct mvm_insn *insn)
{
	unsigned int i;

	if (insn->op == MVM_OP_OTHER || insn->lock)
		return true;
	/* Registers that do not exist. */
	for (i = 0; i < MVM_INSN_OPNDS; i++)
		if (insn->opnd[i].kind == MVM_OPND_SEG || insn->opnd[i].kind == MVM_OPND_CR ||
		    insn->opnd[i].kind == MVM_OPND_DR)
			return true;
	switch (insn->op) {
	/* Not in real and virtual-8086 mode, or not in compatibility mode. */
	case MVM_OP_ARPL: case MVM_OP_LAR: case MVM_OP_LSL: case MVM_OP_LLDT: case MVM_OP_LTR:
	case MVM_OP_SLDT: case MVM_OP_STR: case MVM_OP_VERR: case MVM_OP_VERW:
	case MVM_OP_SYSRET: case MVM_OP_SYSENTER: case MVM_OP_SYSEXIT:
		return insn->mode == MVM_INSN_REAL;
	case MVM_OP_SWAPGS:
		return insn->mode != MVM_INSN_64;
	default:
		return false;
	}
}

static void check(struct stats *st, struct mode *m, const u8 *bytes)
{
	ZydisDecodedOperand zo[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction z;
	struct mvm_insn insn, part;
	enum mvm_insn_status status;
	const char *name, *err;

	st->strings++;
	status = mvm_insn_decode(&insn, bytes, MVM_INSN_MAX, m->mode);
	if (status == MVM_INSN_MORE)
		report(st, m, bytes, "wants more than 15 bytes", "-");
	if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoders[m->mode], bytes, MVM_INSN_MAX,
						 &z, zo))) {
		if (status == MVM_INSN_OK && !may_be_refused(&insn))
			report(st, m, bytes, mvm_insn_op_name(insn.op), "refused");
		if (status == MVM_INSN_UD)
			mark(&insn, SEEN_REFUSED);
		return;
	}
	if (is_knc(&z))
		return;
	st->valid++;
	name = ZydisMnemonicGetString(z.mnemonic);
	if (status != MVM_INSN_OK) {
		report(st, m, bytes, "refused", name);
		return;
	}
	if (insn.len != z.length) {
		report(st, m, bytes, "length", name);
		return;
	}
	if (memcmp(insn.bytes, bytes, insn.len))
		report(st, m, bytes, "bytes not kept", name);
	if (mvm_insn_decode(&part, bytes, rng() % insn.len, m->mode) != MVM_INSN_MORE)
		report(st, m, bytes, "decoded without its last bytes", name);
	if (insn.op == MVM_OP_OTHER) {
		if (insn.enc == MVM_ENC_VEX && name[0] == 'v' && has_op(name + 1))
			report(st, m, bytes, "operation not named", name);
		/* 0F 18 to 1F are hints and NOPs by many names. */
		if (has_op(name) && strcmp(name, "nop"))
			report(st, m, bytes, "operation not named", name);
		return;
	}
	st->named++;
	mark(&insn, insn.enc == MVM_ENC_VEX ? SEEN_VEX : SEEN_LEGACY);
	if (!same_op(&insn, &z, name)) {
		report(st, m, bytes, mvm_insn_op_name(insn.op), name);
		return;
	}
	if (insn.opnd[0].kind == MVM_OPND_MEM || insn.opnd[1].kind == MVM_OPND_MEM)
		if (insn.adsize * 8 != z.address_width)
			report(st, m, bytes, "address size", name);
	err = cmp_opnds(&insn, &z, zo);
	if (err)
		report(st, m, bytes, err, name);
}

static void finish(const struct stats *st, const char *what, const char *mode)
{
	total += st->strings;
	ksft_print_msg("%s, %s: %lu strings, %lu valid, %lu with operands, %lu errors\n",
		       what, mode, st->strings, st->valid, st->named, st->errors);
	ksft_test_result(st->valid > 1000 && st->named > 1000 && !st->errors,
			 "%s, %s\n", what, mode);
}

static void fill_random(u8 *bytes)
{
	int i;

	for (i = 0; i < MVM_INSN_MAX; i++)
		bytes[i] = rng();
}

static void test_all_opcodes(struct mode *m)
{
	static const struct { u8 len, bytes[4]; } lead[] = {
		{ 0, { 0 } }, { 1, { 0x66 } }, { 1, { 0x67 } }, { 1, { 0xf2 } },
		{ 1, { 0xf3 } }, { 1, { 0x2e } }, { 1, { 0x64 } }, { 1, { 0xf0 } },
		{ 1, { 0x48 } }, { 1, { 0x41 } }, { 1, { 0x44 } }, { 1, { 0x40 } },
		{ 2, { 0x66, 0x48 } }, { 2, { 0x48, 0x66 } }, { 2, { 0x66, 0x67 } },
		{ 2, { 0xf3, 0x4f } },
		[FIRST_VECTOR] = { 2, { 0xc5, 0xf8 } }, { 2, { 0xc5, 0xfe } },
		{ 2, { 0xc5, 0xff } }, { 2, { 0xc5, 0xfa } }, { 3, { 0xc4, 0xe1, 0x79 } },
		{ 3, { 0xc4, 0xe2, 0x79 } }, { 3, { 0xc4, 0xe3, 0x79 } },
		{ 4, { 0x62, 0xf1, 0x7c, 0x48 } }, { 4, { 0x62, 0xf2, 0x7d, 0x48 } },
		{ 3, { 0x8f, 0xe8, 0x78 } }, { 3, { 0x8f, 0xe9, 0x78 } },
	};
	static const struct { u8 len, bytes[2]; } map[] = {
		{ 0, { 0 } }, { 1, { 0x0f } }, { 2, { 0x0f, 0x38 } }, { 2, { 0x0f, 0x3a } },
	};
	struct stats st = { 0 };
	unsigned int l, p, op, modrm;
	u8 bytes[MVM_INSN_MAX];

	for (l = 0; l < ARRAY_SIZE(lead); l++)
		/* A vector prefix has the map in itself. */
		for (p = 0; p < (l < FIRST_VECTOR ? ARRAY_SIZE(map) : 1); p++)
			for (op = 0; op < 256; op++)
				for (modrm = 0; modrm < 256; modrm++) {
					u8 *b = bytes;

					fill_random(bytes);
					memcpy(b, lead[l].bytes, lead[l].len);
					b += lead[l].len;
					memcpy(b, map[p].bytes, map[p].len);
					b += map[p].len;
					b[0] = op;
					b[1] = modrm;
					check(&st, m, bytes);
				}
	finish(&st, "all opcodes", m->name);
}

/* All SIB bytes with all ModRM bytes that have one. */
static void test_all_sib(struct mode *m)
{
	static const struct { u8 len, bytes[4]; } lead[] = {
		{ 1, { 0x8b } }, { 2, { 0x67, 0x89 } }, { 2, { 0x41, 0x8b } },
		{ 2, { 0x42, 0x8b } }, { 2, { 0x47, 0x01 } }, { 2, { 0x0f, 0x10 } },
		{ 2, { 0x64, 0x88 } }, { 2, { 0x36, 0xff } }, { 3, { 0xc5, 0xf8, 0x10 } },
		{ 4, { 0xc4, 0x81, 0x78, 0x11 } },
	};
	struct stats st = { 0 };
	unsigned int l, modrm, sib;
	u8 bytes[MVM_INSN_MAX];

	for (l = 0; l < ARRAY_SIZE(lead); l++)
		for (modrm = 4; modrm < 0xc0; modrm += 8)
			for (sib = 0; sib < 256; sib++) {
				fill_random(bytes);
				memcpy(bytes, lead[l].bytes, lead[l].len);
				bytes[lead[l].len] = modrm;
				bytes[lead[l].len + 1] = sib;
				check(&st, m, bytes);
			}
	finish(&st, "all SIB bytes", m->name);
}

/* Random bytes, half of them with a random run of prefixes in front. */
static void test_random(struct mode *m, unsigned long count)
{
	static const u8 prefixes[] = {
		0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3,
		0x40, 0x48, 0x4f, 0x0f, 0xc4, 0xc5, 0x62, 0x8f,
	};
	struct stats st = { 0 };
	u8 bytes[MVM_INSN_MAX];
	unsigned int i, n;

	while (count--) {
		fill_random(bytes);
		n = rng() & 1 ? 0 : rng() % 6;
		for (i = 0; i < n; i++)
			bytes[i] = prefixes[rng() % ARRAY_SIZE(prefixes)];
		check(&st, m, bytes);
	}
	finish(&st, "random strings", m->name);
}

static void test_limits(void)
{
	u8 bytes[16] = { 0 };
	struct mvm_insn insn;
	unsigned int n;

	memset(bytes, 0x66, sizeof(bytes));
	bytes[14] = 0x90;
	ksft_test_result(mvm_insn_decode(&insn, bytes, 16, MVM_INSN_64) == MVM_INSN_OK &&
			 insn.len == 15, "15 bytes are an instruction\n");
	memset(bytes, 0x66, sizeof(bytes));
	bytes[15] = 0x90;
	ksft_test_result(mvm_insn_decode(&insn, bytes, 16, MVM_INSN_64) ==
			 MVM_INSN_TOO_LONG, "16 bytes are too long\n");
	for (n = 0; n < 15; n++)
		if (mvm_insn_decode(&insn, bytes, n, MVM_INSN_32) != MVM_INSN_MORE)
			break;
	ksft_test_result(n == 15, "prefixes alone want more bytes\n");
}

/* Rows that only Zydis or only the decoder knows are none. */
static void test_coverage(void)
{
	struct insn_forms *forms = calloc(1, sizeof(*forms));
	unsigned int i, missing = 0;

	insn_all_forms(forms);
	for (i = 0; i < forms->nr; i++) {
		const struct insn_form *f = &forms->form[i];
		u8 want = f->flags & F_UD ? SEEN_REFUSED : f->vex ? SEEN_VEX : SEEN_LEGACY;

		/* Of the others only the length is known. */
		if (f->row->op == MVM_OP_OTHER && !(f->flags & F_UD))
			continue;
		if (!(seen[row_index(f->row)] & want)) {
			ksft_print_msg("%s has not been compared\n", insn_form_name(f));
			missing++;
		}
	}
	ksft_test_result(!missing, "every row of the opcode tables was compared\n");
	ksft_test_result(total >= MIN_TOTAL, "%lu strings, at least %d\n", total, MIN_TOTAL);
	free(forms);
}

static unsigned long env_number(const char *name, unsigned long def)
{
	const char *val = getenv(name);

	return val ? strtoul(val, NULL, 0) : def;
}

int main(void)
{
	unsigned long count = env_number("MVM_INSN_STRINGS", STRINGS);
	unsigned int i;

	rng_state = env_number("MVM_INSN_SEED", 0x9e3779b97f4a7c15UL) | 1;
	ksft_print_header();
	ksft_set_plan(5 + 3 * ARRAY_SIZE(modes));
	test_limits();
	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		ZydisDecoderInit(&decoders[modes[i].mode], modes[i].machine, modes[i].stack);
		/* Without CET, 3E in front of CALL and JMP is a segment prefix. */
		ZydisDecoderEnableMode(&decoders[modes[i].mode], ZYDIS_DECODER_MODE_CET,
				       ZYAN_FALSE);
		test_all_opcodes(&modes[i]);
		test_all_sib(&modes[i]);
		test_random(&modes[i], count);
	}
	test_coverage();
	ksft_finished();
}
