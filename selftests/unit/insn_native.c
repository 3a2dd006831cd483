// SPDX-License-Identifier: GPL-2.0-only
/*
 * The emulator against the processor this test runs on. Every row of the opcode
 * tables that has a memory operand or uses the stack becomes random instructions
 * with random operands, flags and addresses; each is executed natively and
 * emulated, with its memory in RAM, in a device, and half in each. Registers,
 * vector registers, flags, memory, jumps and faults must be the same.
 *
 * What a row needs that cannot be had here is in lists with reasons below; a row
 * that is neither executed nor listed fails the test. Flags that the manuals
 * leave undefined are masked, by insn_undefined.h.
 *
 * MVM_INSN_ROUNDS sets how often each form is tried, MVM_INSN_SEED the seed.
 */
#include <stdlib.h>

#include "kselftest.h"
#include "insn_rows.h"
#include "insn_stub.h"
#include "insn_undefined.h"
#include "insn_world.h"

#define ROUNDS		800
#define BUF		0x8000		/* the memory operand's pages */
#define STACK		0x18000		/* the stack's */
#define AREA		0x4000		/* compared around each */
#define MAX_REPORTS	8

/* Not executed natively; the reason, and where the row is tested instead. */
static const struct { u8 op; const char *why; } elsewhere[] = {
	{ MVM_OP_INS, "privileged: insn_emulate" },
	{ MVM_OP_OUTS, "privileged: insn_emulate" },
};

/* Not emulated: the emulator must say so, whatever the operands. */
static const struct { u8 op; const char *why; } not_emulated[] = {
	{ MVM_OP_CALLF, "loads a segment register" },
	{ MVM_OP_JMPF, "loads a segment register" },
	{ MVM_OP_SGDT, "system instruction" }, { MVM_OP_SIDT, "system instruction" },
	{ MVM_OP_LGDT, "system instruction" }, { MVM_OP_LIDT, "system instruction" },
	{ MVM_OP_SMSW, "system instruction" }, { MVM_OP_LMSW, "system instruction" },
	{ MVM_OP_SLDT, "system instruction" }, { MVM_OP_STR, "system instruction" },
	{ MVM_OP_LLDT, "system instruction" }, { MVM_OP_LTR, "system instruction" },
	{ MVM_OP_VERR, "system instruction" }, { MVM_OP_VERW, "system instruction" },
	{ MVM_OP_LAR, "system instruction" }, { MVM_OP_LSL, "system instruction" },
	{ MVM_OP_INVLPG, "accesses no memory" }, { MVM_OP_LEA, "accesses no memory" },
	{ MVM_OP_NOP, "accesses no memory" }, { MVM_OP_UD, "accesses no memory" },
};

static u64 rng_state;
static u8 *native_mem;		/* at the same addresses as the world's memory, modulo its size */

static u64 rng(void)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return rng_state;
}

static const char *listed(const struct insn_form *f)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(elsewhere); i++)
		if (elsewhere[i].op == f->row->op)
			return elsewhere[i].why;
	if (f->flags & F_I64)
		return "not in 64-bit mode: insn_stack";
	if (f->row->op == MVM_OP_MOVBE && !__builtin_cpu_supports("movbe"))
		return "the processor has no MOVBE";
	if (f->vex && !insn_stub_has_avx())
		return "the processor has no AVX2";
	return NULL;
}

static const char *refused(const struct insn_form *f)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(not_emulated); i++)
		if (not_emulated[i].op == f->row->op)
			return not_emulated[i].why;
	if (insn_has_code(f->row, Sw) && f->row->opnd[0] == Sw)
		return "loads a segment register";
	if (f->row->op == MVM_OP_POP && f->row->opnd[0] == Ss)
		return "loads a segment register";
	return NULL;
}

static bool is_near_branch(u8 op)
{
	return op == MVM_OP_CALL || op == MVM_OP_JMP || op == MVM_OP_RET;
}

static bool is_bt(const struct insn_form *f)
{
	return f->row->op >= MVM_OP_BT && f->row->op <= MVM_OP_BTC;
}

/* ------------------------------------------------------------------- encoding */

/* How this instruction's memory operand is addressed. */
struct address {
	u8 mod, rm, sib;
	bool has_sib;
	u8 disp_size;
	s32 disp;
	u64 target;		/* linear address that is wanted */
	bool rip;
	bool short_address;	/* 67h */
};

struct built {
	u8 bytes[24];
	unsigned int len;
	struct address a;
	bool word;		/* 66h as an operand-size prefix */
	u8 rex;
	bool lock;
};

static void random_address(struct address *a, bool stack)
{
	*a = (struct address){
		.target = (u64)native_mem + BUF + 0x1000 - 32 + rng() % 64,
		.short_address = rng() % 5 == 0,
	};
	if (rng() & 1)
		a->target &= ~31ULL;
	switch (rng() % (stack ? 5 : 4)) {
	case 0:			/* [rbx] */
		a->rm = 3;
		break;
	case 1:			/* [rbx + disp8] */
		a->mod = 1;
		a->rm = 3;
		a->disp_size = 1;
		a->disp = (s8)rng();
		break;
	case 2:			/* [rbx + rsi * 2^n + disp32] */
		a->mod = 2;
		a->rm = 4;
		a->has_sib = true;
		a->sib = (rng() & 3) << 6 | 6 << 3 | 3;
		a->disp_size = 4;
		a->disp = (s32)(rng() & 0xffff) - 0x8000;
		break;
	case 3:			/* [rip + disp32] */
		a->rip = true;
		a->rm = 5;
		a->disp_size = 4;
		break;
	case 4:			/* [rsp + disp32] */
		a->mod = 2;
		a->rm = 4;
		a->has_sib = true;
		a->sib = 4 << 3 | 4;
		a->disp_size = 4;
		a->disp = (s32)(rng() % 64) - 32;
		break;
	}
}

static unsigned int imm_size(u8 code, bool word, u8 rex)
{
	switch (code) {
	case Ib: case Is: case Ie: case Jb:
		return 1;
	case Iw:
		return 2;
	case Iz: case Jz:
		return word ? 2 : 4;
	case Iv:
		return rex & 8 ? 8 : word ? 2 : 4;
	case Ob: case Ov:
		return 8;
	default:
		return 0;
	}
}

static u8 *put_imm(const struct insn_form *f, struct built *b, u8 *p, u8 code)
{
	unsigned int i, n = imm_size(code, b->word, b->rex);
	u64 val = rng();

	if (code == Ob || code == Ov) {
		val = b->a.target;
		n = b->a.short_address ? 4 : 8;
	} else if (code == Jz) {
		val = insn_stub_landing() - (insn_stub_rip() + (p - b->bytes) + 4);
	} else if (f->row->op == MVM_OP_ENTER) {
		val &= code == Ie ? 0xe1 : 0x3ff;
	} else if (f->row->op == MVM_OP_RET) {
		val &= 0x3ff;
	}
	for (i = 0; i < n; i++)
		*p++ = val >> (8 * i);
	return p;
}

static u8 *put_vex(const struct insn_form *f, struct built *b, u8 *p)
{
	bool has_vvvv = insn_has_code(f->row, Ho);
	u8 vvvv = has_vvvv ? rng() & 15 : 15;
	u8 low = vvvv << 3 | (f->flags & F_L0 ? 0 : (rng() & 1) << 2) | f->pp;
	u8 r = rng() & 0x80;

	b->rex = r ? 0 : 4;
	if (f->map == MVM_MAP_0F && rng() & 1) {
		*p++ = 0xc5;
		*p++ = r | low;
	} else {
		u8 w = rng() & 0x80;

		*p++ = 0xc4;
		*p++ = r | 0x60 | f->map;
		*p++ = w | low;
		b->rex |= w ? 8 : 0;
	}
	return p;
}

static u8 *put_prefixes(const struct insn_form *f, struct built *b, u8 *p)
{
	static const u8 mandatory[] = { 0, 0x66, 0xf3, 0xf2 };
	bool may_word = f->pp < 0 && !is_near_branch(f->row->op) && f->row->op != MVM_OP_ENTER;

	if (b->a.short_address)
		*p++ = 0x67;
	if (f->vex)
		return put_vex(f, b, p);
	b->lock = f->flags & F_LOCK && rng() % 3 == 0;
	if (b->lock)
		*p++ = 0xf0;
	if (f->flags & F_STR && rng() % 3)
		*p++ = rng() & 1 ? 0xf2 : 0xf3;
	if (f->pp > 0)
		*p++ = mandatory[f->pp];
	b->word = f->pp == 1 || (may_word && rng() % 3 == 0);
	if (b->word && f->pp != 1)
		*p++ = 0x66;
	b->rex = 0x40 | (rng() & 4) | (rng() & 1 ? 8 : 0);
	if (rng() & 1)
		b->rex = 0;
	else
		*p++ = b->rex;
	if (b->rex & 8)
		b->word = false;
	return p;
}

static u8 *put_modrm(const struct insn_form *f, struct built *b, u8 *p, u8 **disp)
{
	u8 reg = f->reg >= 0 ? f->reg : rng() & 7;

	/* A bit offset that is an address would reach far. */
	while (is_bt(f) && f->reg < 0 && reg == 3)
		reg = rng() & 7;
	*p++ = b->a.mod << 6 | reg << 3 | b->a.rm;
	if (b->a.has_sib)
		*p++ = b->a.sib;
	*disp = p;
	return p + b->a.disp_size;
}

static bool needs_modrm(const struct insn_form *f)
{
	unsigned int i;

	for (i = 0; i < MVM_INSN_OPNDS; i++)
		if (insn_code_is_rm(f->row->opnd[i]))
			return true;
	return false;
}

/* Random bytes of an instruction of this form. */
static void build_insn(const struct insn_form *f, struct built *b)
{
	u8 *p = b->bytes, *disp = NULL;
	unsigned int i;

	memset(b, 0, sizeof(*b));
	memset(b->bytes, 0x90, sizeof(b->bytes));
	random_address(&b->a, insn_form_has_stack(f));
	p = put_prefixes(f, b, p);
	if (!f->vex && f->map != MVM_MAP_ONE)
		*p++ = 0x0f;
	if (!f->vex && f->map == MVM_MAP_0F38)
		*p++ = 0x38;
	*p++ = f->opcode;
	if (needs_modrm(f))
		p = put_modrm(f, b, p, &disp);
	for (i = 0; i < MVM_INSN_OPNDS; i++)
		p = put_imm(f, b, p, f->row->opnd[i]);
	b->len = p - b->bytes;
	if (b->a.rip)
		b->a.disp = b->a.target - (insn_stub_rip() + b->len);
	if (disp)
		memcpy(disp, &b->a.disp, b->a.disp_size);
}

/* ------------------------------------------------------------------------ state */

/* Registers such that the operand is where b->a wants it. */
static void random_state(const struct insn_form *f, const struct built *b, struct insn_regs *regs)
{
	unsigned int i, scale = b->a.sib >> 6;

	for (i = 0; i < 16; i++)
		regs->gpr[i] = rng() >> (rng() & 63);
	for (i = 0; i < sizeof(regs->ymm); i++)
		((u8 *)regs->ymm)[i] = rng();
	for (i = 0; i < 8; i++)
		regs->mmx[i] = rng();
	regs->rflags = 0x202 | (rng() & ARITH);
	if (f->flags & F_STR)
		regs->rflags |= rng() & FLAG_DF_BIT;
	/* Bit offsets reach as far as the memory does. */
	for (i = 0; i < 16 && is_bt(f); i++)
		regs->gpr[i] = (s64)(rng() & 0x3fff) - 0x2000;
	if (f->flags & F_STR) {
		regs->gpr[MVM_RSI] = (u64)native_mem + BUF + 0x1000 + rng() % 256 - 128;
		regs->gpr[MVM_RDI] = (u64)native_mem + BUF + 0x1000 + rng() % 256 - 128;
		regs->gpr[MVM_RCX] = rng() % 20;
	} else if (b->a.has_sib && b->a.rm == 4 && b->a.sib != 0x24) {
		regs->gpr[MVM_RSI] = rng() & 0xfff;
		regs->gpr[MVM_RBX] = b->a.target - b->a.disp - (regs->gpr[MVM_RSI] << scale);
	} else {
		regs->gpr[MVM_RBX] = b->a.target - b->a.disp;
	}
	if (insn_form_has_stack(f)) {
		regs->gpr[MVM_RSP] = (u64)native_mem + STACK + 0x1000 - 32 + rng() % 64;
		regs->gpr[MVM_RBP] = (u64)native_mem + STACK + 0x1000 - 32 + rng() % 64;
	}
	/* Make equal values likely: an accumulator that is in memory, a small divisor. */
	if (!is_bt(f) && rng() & 1) {
		memcpy(&regs->gpr[MVM_RAX], (void *)b->a.target, 8);
		memcpy(&regs->gpr[MVM_RDX], (void *)(b->a.target + 8), 8);
	}
	if (rng() & 1)
		regs->gpr[MVM_RDX] = -(rng() & 1);
}

static void fill(u64 at, u64 pattern)
{
	unsigned int i;

	for (i = 0; i < AREA; i += 8) {
		u64 val = rng() % 3 ? pattern : rng();

		memcpy(native_mem + at - 0x1000 + i, &val, 8);
	}
}

/* A near branch finds its target in memory or on the stack. */
static void plant_target(const struct insn_form *f, const struct built *b,
			 const struct insn_regs *regs)
{
	u64 landing = insn_stub_landing();
	bool by_rsp = b->a.has_sib && b->a.sib == 0x24;

	if (!is_near_branch(f->row->op))
		return;
	if (f->row->op == MVM_OP_RET)
		memcpy((void *)regs->gpr[MVM_RSP], &landing, 8);
	else if (by_rsp)
		memcpy((void *)(regs->gpr[MVM_RSP] + b->a.disp), &landing, 8);
	else
		memcpy((void *)b->a.target, &landing, 8);
}

static void copy_to_world(struct world *w, const struct insn_regs *regs)
{
	static const u64 areas[] = { BUF, STACK };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(areas); i++)
		memcpy(w->mem + areas[i] - 0x1000, native_mem + areas[i] - 0x1000, AREA);
	memcpy(w->gpr, regs->gpr, sizeof(w->gpr));
	memcpy(w->ymm, regs->ymm, sizeof(w->ymm));
	memcpy(w->mmx, regs->mmx, sizeof(w->mmx));
	w->rflags = regs->rflags;
	w->e.rip = insn_stub_rip();
	for (i = 0; i <= MVM_SEG_GS; i++)
		w->seg[i].selector = insn_stub_selector(i);
}

/* The two pages of each area: memory, a device, or one of each. */
static void random_pages(struct world *w, unsigned int round)
{
	static const u8 kinds[][2] = {
		{ PAGE_RAM, PAGE_RAM }, { PAGE_USER_MMIO, PAGE_USER_MMIO },
		{ PAGE_RAM, PAGE_USER_MMIO }, { PAGE_KERNEL_MMIO, PAGE_RAM },
	};
	const u8 *kind = kinds[round % ARRAY_SIZE(kinds)];
	unsigned int i;

	for (i = 0; i < WORLD_PAGES; i++)
		w->kind[i] = kind[0];
	for (i = 1; i < 8; i++) {
		w->kind[(BUF >> 12) + i] = kind[1];
		w->kind[(STACK >> 12) + i] = kind[1];
	}
}

/* ---------------------------------------------------------------------- compare */

/*
 * A processor may push before it tries ENTER's last stack pointer; what is below the stack
 * pointer then is nobody's, and ENTER starts again. The emulator writes nothing.
 */
static bool stack_may_differ(const struct insn_form *f, const struct insn_regs *native)
{
	return f->row->op == MVM_OP_ENTER && native->fault;
}

static const char *compare(const struct insn_form *f, const struct built *b, const struct world *w,
			   const struct insn_regs *native)
{
	u64 undefined = insn_undefined_flags(&w->insn, native->before_rcx);
	unsigned int i;

	for (i = 0; i < 16; i++)
		if (w->gpr[i] != native->gpr[i])
			return "a general register";
	if ((w->rflags ^ native->rflags) & (ARITH | FLAG_DF_BIT) & ~undefined)
		return "flags";
	if (memcmp(w->ymm, native->ymm, insn_stub_has_avx() ? sizeof(w->ymm) : 0))
		return "a vector register";
	if (memcmp(w->mmx, native->mmx, sizeof(w->mmx)))
		return "an MMX register";
	if (memcmp(w->mem + BUF - 0x1000, native_mem + BUF - 0x1000, AREA))
		return "memory";
	if (!stack_may_differ(f, native) &&
	    memcmp(w->mem + STACK - 0x1000, native_mem + STACK - 0x1000, AREA))
		return "the stack";
	if (is_near_branch(f->row->op) && !native->fault &&
	    (!w->e.jumped || w->e.target != insn_stub_landing()))
		return "the target";
	return NULL;
}

static void report(const struct insn_form *f, const struct built *b, const struct world *w,
		   const struct insn_regs *native, const char *what)
{
	char hex[80] = "";
	unsigned int i;

	for (i = 0; i < b->len; i++)
		sprintf(hex + 3 * i, "%02x ", b->bytes[i]);
	ksft_print_msg("%s: %s: %s differs; flags %lx natively, %lx emulated; fault %d, %d\n",
		       insn_form_name(f), hex, what, (unsigned long)native->rflags & ARITH,
		       (unsigned long)w->rflags & ARITH, native->fault ? native->vector : -1,
		       w->e.fault.vector);
	for (i = 0; i < 16; i++)
		if (w->gpr[i] != native->gpr[i])
			ksft_print_msg("  register %u: %lx natively, %lx emulated\n", i,
				       (unsigned long)native->gpr[i], (unsigned long)w->gpr[i]);
}

/* A locked access that no exchange can make is left to the CPU. */
static bool may_be_left(const struct built *b, const struct world *w)
{
	return (b->lock || w->insn.op == MVM_OP_XCHG) && !w->e.last_try;
}

struct counts {
	unsigned int done, faults, left, failed, errors;
};

/* One random instruction of the form. */
static void try_form(const struct insn_form *f, struct world *w, unsigned int round,
		     struct counts *n)
{
	struct insn_regs native = { 0 };
	enum mvm_emul_result res;
	const char *diff = NULL;
	struct built b;

	world_init(w);
	random_pages(w, round);
	w->e.last_try = round & 8;
	build_insn(f, &b);
	fill(BUF, rng() & 1 ? rng() : rng() & 0xf);
	fill(STACK, rng());
	random_state(f, &b, &native);
	/* Of vectors the manuals leave it to the processor; of MOVSXD with 66h they disagree. */
	w->e.align_check = round % 16 == 5 && !insn_has_code(f->row, Vx) &&
			   f->row->op != MVM_OP_MOVSXD;
	native.rflags |= w->e.align_check ? FLAG_AC_BIT : 0;
	native.before_rcx = native.gpr[MVM_RCX];
	plant_target(f, &b, &native);
	copy_to_world(w, &native);

	do {
		res = world_run(w, b.bytes, b.len, MVM_INSN_64);
	} while (res == MVM_EMUL_AGAIN);
	if (res == MVM_EMUL_FAIL) {
		n->failed++;
		return;
	}
	if (res == MVM_EMUL_RETRY && may_be_left(&b, w)) {
		n->left++;
		return;
	}
	if (insn_undefined_result(&w->insn, native.before_rcx))
		return;
	insn_stub_run(&native, b.bytes, b.len);
	if (res == MVM_EMUL_FAULT) {
		n->faults++;
		if (!native.fault || native.vector != w->e.fault.vector)
			diff = "the fault";
	} else if (native.fault || res != MVM_EMUL_DONE) {
		diff = "the result";
	} else {
		n->done++;
	}
	if (!diff)
		diff = compare(f, &b, w, &native);
	if (diff && n->errors++ < MAX_REPORTS)
		report(f, &b, w, &native, diff);
}

static void test_form(const struct insn_form *f, struct world *w, unsigned long rounds)
{
	const char *why = listed(f), *no = refused(f);
	struct counts n = { 0 };
	unsigned long i;

	if (why) {
		ksft_test_result_skip("%s: %s\n", insn_form_name(f), why);
		return;
	}
	for (i = 0; i < (no ? 16 : rounds) && n.errors < MAX_REPORTS; i++)
		try_form(f, w, i, &n);
	if (no)
		ksft_test_result(n.failed == i, "%s is not emulated: %s\n", insn_form_name(f), no);
	else
		ksft_test_result(!n.errors && !n.failed && n.done > i / 8,
				 "%s: %u done, %u faults, %u left to the CPU\n", insn_form_name(f),
				 n.done, n.faults, n.left);
}

/* Is it a row of this test? */
static bool wanted(const struct insn_form *f)
{
	if (f->row->op == MVM_OP_OTHER || f->flags & F_UD)
		return false;
	if (f->opcode == 0x63 && f->map == MVM_MAP_ONE && f->row != &mvm_insn_movsxd)
		return false;
	return insn_form_has_memory(f) || insn_form_has_stack(f);
}

static unsigned long env_number(const char *name, unsigned long def)
{
	const char *val = getenv(name);

	return val ? strtoul(val, NULL, 0) : def;
}

int main(void)
{
	unsigned long rounds = env_number("MVM_INSN_ROUNDS", ROUNDS);
	struct insn_forms *forms = calloc(1, sizeof(*forms));
	struct world *w = calloc(1, sizeof(*w));
	unsigned int i, plan = 0;

	rng_state = env_number("MVM_INSN_SEED", 0x9e3779b97f4a7c15UL) | 1;
	ksft_print_header();
	native_mem = insn_stub_init(WORLD_SIZE);
	if (!w || !forms || !native_mem)
		ksft_exit_skip("no memory that is writable and executable\n");
	insn_all_forms(forms);
	for (i = 0; i < forms->nr; i++)
		plan += wanted(&forms->form[i]);
	ksft_set_plan(plan);
	for (i = 0; i < forms->nr; i++)
		if (wanted(&forms->form[i]))
			test_form(&forms->form[i], w, rounds);
	free(w);
	free(forms);
	ksft_finished();
}
