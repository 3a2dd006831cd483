// SPDX-License-Identifier: GPL-2.0-only
/*
 * The emulator against the processor this test runs on: random operands, the
 * same instruction executed natively and emulated, with its memory operand in
 * guest memory and in a device; registers, flags and memory must be the same.
 *
 * MVM_INSN_ROUNDS sets how often each form is tried, MVM_INSN_SEED the seed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "kselftest.h"
#include "insn_world.h"

#define ROUNDS		2000
#define BUF		0x8000		/* the memory operand's page, and the next */
#define ARITH		0x8d5UL		/* CF PF AF ZF SF OF */
#define DF		0x400UL
#define MAX_REPORTS	10

/* Layout known to the stub: 16 registers, then flags. RSP is not exchanged. */
struct regs {
	u64 gpr[16];
	u64 rflags;
};

typedef void (*stub_fn)(struct regs *regs);

static u8 *code;
static u8 *native_mem;		/* at the same addresses as the world's memory */
static unsigned int slot;	/* where in the stub the instruction goes */

static u64 rng_state;

static u64 rng(void)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return rng_state;
}

static void emit(u8 **p, unsigned int n, const u8 *bytes)
{
	memcpy(*p, bytes, n);
	*p += n;
}

#define EMIT(p, ...) do { \
	static const u8 emit_bytes[] = { __VA_ARGS__ }; \
	emit(p, sizeof(emit_bytes), emit_bytes); \
} while (0)

/* mov reg, [base + 8 * reg] or the reverse, for base = RDI or RSP-relative pointer */
static void emit_moves(u8 **p, u8 opcode, u8 skip, u8 base)
{
	unsigned int r;

	for (r = 0; r < 16; r++) {
		u8 insn[] = { 0x48 | (r >= 8 ? 4 : 0) | (base >= 8 ? 1 : 0), opcode,
			      0x80 | (r & 7) << 3 | (base & 7), 0, 0, 0, 0 };

		if (r == 4 || r == skip)
			continue;
		insn[3] = 8 * r;
		emit(p, sizeof(insn), insn);
	}
}

/*
 * Save the callee-saved registers and the pointer, load all but RSP, execute,
 * store all. RDI is loaded last, and saved on the stack to free a pointer.
 */
static void build_stub(void)
{
	u8 *p = code;

	EMIT(&p, 0x53, 0x55, 0x41, 0x54, 0x41, 0x55, 0x41, 0x56, 0x41, 0x57);
	EMIT(&p, 0x57);					/* push rdi */
	EMIT(&p, 0xff, 0xb7, 0x80, 0, 0, 0, 0x9d);	/* push [rdi + 128]; popf */
	emit_moves(&p, 0x8b, 7, 7);
	EMIT(&p, 0x48, 0x8b, 0x7f, 0x38);		/* mov rdi, [rdi + 56] */
	slot = p - code;
	memset(p, 0x90, 16);
	p += 16;
	EMIT(&p, 0x9c, 0x57);				/* pushf; push rdi */
	EMIT(&p, 0x48, 0x8b, 0x7c, 0x24, 0x10);		/* mov rdi, [rsp + 16] */
	emit_moves(&p, 0x89, 7, 7);
	EMIT(&p, 0x58, 0x48, 0x89, 0x47, 0x38);		/* pop rax; mov [rdi + 56], rax */
	EMIT(&p, 0x58, 0x48, 0x89, 0x87, 0x80, 0, 0, 0);	/* pop rax; mov [rdi + 128], rax */
	EMIT(&p, 0xfc, 0x5f);				/* cld; pop rdi */
	EMIT(&p, 0x41, 0x5f, 0x41, 0x5e, 0x41, 0x5d, 0x41, 0x5c, 0x5d, 0x5b, 0xc3);
}

/* One instruction form; modrm -1: none. Memory is [RBX] or the string registers. */
struct form {
	const char *name;
	u8 nbytes;
	u8 bytes[4];
	bool modrm;
	u8 reg;			/* 0xff: any but RBX, RSP */
	u8 imm;			/* 1: a byte; 4: by operand size */
	bool byte;
	bool no_lock;		/* may not be locked */
	bool rep;		/* string: try the three prefixes */
	bool needs_movbe;
};

#define FORM(n, len, ...)	.name = n, .nbytes = len, .bytes = { __VA_ARGS__ }
#define RM(n, op, ...)		{ FORM(n, 1, op), .modrm = true, .reg = 0xff, __VA_ARGS__ }
#define RM2(n, op, ...)		{ FORM(n, 2, 0x0f, op), .modrm = true, .reg = 0xff, __VA_ARGS__ }
#define RM3(n, op, ...) \
	{ FORM(n, 3, 0x0f, 0x38, op), .modrm = true, .reg = 0xff, __VA_ARGS__ }
#define GR(n, op, r, i, ...) \
	{ FORM(n, 1, op), .modrm = true, .reg = r, .imm = i, __VA_ARGS__ }
#define GR2(n, op, r, i, ...) \
	{ FORM(n, 2, 0x0f, op), .modrm = true, .reg = r, .imm = i, __VA_ARGS__ }
#define STR(n, op, ...)		{ FORM(n, 1, op), .rep = true, .no_lock = true, __VA_ARGS__ }
#define ALU(n, op) \
	RM(n, op, .byte = true), RM(n, (op) + 1), \
	RM(n, (op) + 2, .byte = true, .no_lock = true), RM(n, (op) + 3, .no_lock = true), \
	GR(n, 0x80, (op) / 8, 1, .byte = true), GR(n, 0x81, (op) / 8, 4), \
	GR(n, 0x83, (op) / 8, 1)
#define NOLOCK .no_lock = true

static const struct form forms[] = {
	ALU("add", 0x00), ALU("or", 0x08), ALU("adc", 0x10), ALU("sbb", 0x18),
	ALU("and", 0x20), ALU("sub", 0x28), ALU("xor", 0x30),
	RM("cmp", 0x38, .byte = true, NOLOCK), RM("cmp", 0x39, NOLOCK),
	RM("cmp", 0x3a, .byte = true, NOLOCK), RM("cmp", 0x3b, NOLOCK),
	GR("cmp", 0x80, 7, 1, .byte = true, NOLOCK), GR("cmp", 0x81, 7, 4, NOLOCK),
	GR("cmp", 0x83, 7, 1, NOLOCK),
	RM("test", 0x84, .byte = true, NOLOCK), RM("test", 0x85, NOLOCK),
	GR("test", 0xf6, 0, 1, .byte = true, NOLOCK), GR("test", 0xf7, 0, 4, NOLOCK),
	GR("test", 0xf7, 1, 4, NOLOCK),
	GR("not", 0xf6, 2, 0, .byte = true), GR("not", 0xf7, 2, 0),
	GR("neg", 0xf6, 3, 0, .byte = true), GR("neg", 0xf7, 3, 0),
	GR("inc", 0xfe, 0, 0, .byte = true), GR("inc", 0xff, 0, 0),
	GR("dec", 0xfe, 1, 0, .byte = true), GR("dec", 0xff, 1, 0),
	RM("xchg", 0x86, .byte = true), RM("xchg", 0x87),
	RM2("xadd", 0xc0, .byte = true), RM2("xadd", 0xc1),
	RM2("cmpxchg", 0xb0, .byte = true), RM2("cmpxchg", 0xb1),
	GR2("cmpxchg8b", 0xc7, 1, 0, .byte = true),
	RM("mov", 0x88, .byte = true, NOLOCK), RM("mov", 0x89, NOLOCK),
	RM("mov", 0x8a, .byte = true, NOLOCK), RM("mov", 0x8b, NOLOCK),
	GR("mov", 0xc6, 0, 1, .byte = true, NOLOCK), GR("mov", 0xc7, 0, 4, NOLOCK),
	RM2("movzx", 0xb6, NOLOCK), RM2("movzx", 0xb7, NOLOCK),
	RM2("movsx", 0xbe, NOLOCK), RM2("movsx", 0xbf, NOLOCK),
	RM("movsxd", 0x63, NOLOCK),
	RM3("movbe", 0xf0, NOLOCK, .needs_movbe = true),
	RM3("movbe", 0xf1, NOLOCK, .needs_movbe = true),
	RM2("bt", 0xa3, NOLOCK), RM2("bts", 0xab), RM2("btr", 0xb3), RM2("btc", 0xbb),
	GR2("bt", 0xba, 4, 1, NOLOCK), GR2("bts", 0xba, 5, 1),
	GR2("btr", 0xba, 6, 1), GR2("btc", 0xba, 7, 1),
	RM2("cmovo", 0x40, NOLOCK), RM2("cmovno", 0x41, NOLOCK), RM2("cmovb", 0x42, NOLOCK),
	RM2("cmovnb", 0x43, NOLOCK), RM2("cmovz", 0x44, NOLOCK), RM2("cmovnz", 0x45, NOLOCK),
	RM2("cmovbe", 0x46, NOLOCK), RM2("cmovnbe", 0x47, NOLOCK), RM2("cmovs", 0x48, NOLOCK),
	RM2("cmovns", 0x49, NOLOCK), RM2("cmovp", 0x4a, NOLOCK), RM2("cmovnp", 0x4b, NOLOCK),
	RM2("cmovl", 0x4c, NOLOCK), RM2("cmovnl", 0x4d, NOLOCK), RM2("cmovle", 0x4e, NOLOCK),
	RM2("cmovnle", 0x4f, NOLOCK), RM2("setl", 0x9c, .byte = true, NOLOCK),
	RM2("setbe", 0x96, .byte = true, NOLOCK),
	STR("movsb", 0xa4, .byte = true), STR("movs", 0xa5),
	STR("cmpsb", 0xa6, .byte = true), STR("cmps", 0xa7),
	STR("stosb", 0xaa, .byte = true), STR("stos", 0xab),
	STR("lodsb", 0xac, .byte = true), STR("lods", 0xad),
	STR("scasb", 0xae, .byte = true), STR("scas", 0xaf),
};

/* Random bytes of an instruction of this form; returns the length. */
static unsigned int build_insn(const struct form *f, u8 *out)
{
	u8 *p = out, rex = 0x40 | (rng() & 4), reg = f->reg;
	bool lock = !f->no_lock && rng() % 4 == 0, word = false;
	unsigned int i;

	if (lock)
		*p++ = 0xf0;
	if (f->rep && rng() % 3)
		*p++ = rng() & 1 ? 0xf2 : 0xf3;
	if (!f->byte && rng() % 4 == 0) {
		*p++ = 0x66;
		word = true;
	} else if (!f->byte && rng() & 1) {
		rex |= 8;
	}
	if (f->reg != 0xff || f->rep)
		rex &= ~4;
	if (rex & 8 || rng() & 1)
		*p++ = rex;
	else
		rex = 0;
	for (i = 0; i < f->nbytes; i++)
		*p++ = f->bytes[i];
	if (f->modrm) {
		/* Not RSP, and neither RBX nor BL, BH: that is the address. */
		while (reg == 0xff || (f->reg == 0xff && ((!(rex & 4) && reg == 4) ||
							  (!(rex & 4) && reg == 3) || reg == 7)))
			reg = rng() & 7;
		*p++ = reg << 3 | 3;
	}
	for (i = f->imm == 4 && word ? 2 : f->imm; i; i--)
		*p++ = rng();
	return p - out;
}

static void random_state(const struct form *f, struct regs *regs)
{
	bool is_bt = f->nbytes == 2 && (f->bytes[1] & 0xe7) == 0xa3;
	unsigned int i;

	for (i = 0; i < 16; i++)
		regs->gpr[i] = rng() >> (rng() & 63);
	regs->rflags = 0x202 | (rng() & ARITH);
	if (f->rep)
		regs->rflags |= rng() & DF;
	/* Bit offsets reach as far as the memory does. */
	for (i = 0; i < 16 && is_bt; i++)
		regs->gpr[i] = (s64)(rng() & 0x3fff) - 0x2000;
	regs->gpr[MVM_RBX] = (u64)native_mem + BUF + 0x1000 - 16 + rng() % 32;
	if (f->rep) {
		regs->gpr[MVM_RSI] = (u64)native_mem + BUF + 0x1000 + rng() % 256 - 128;
		regs->gpr[MVM_RDI] = (u64)native_mem + BUF + 0x1000 + rng() % 256 - 128;
		regs->gpr[MVM_RCX] = rng() % 20;
	}
	/* Make equal values likely. */
	if (!is_bt && rng() & 1)
		memcpy(&regs->gpr[MVM_RAX], (void *)(regs->gpr[MVM_RBX]), 8);
}

static void fill_memory(struct world *w)
{
	unsigned int i;
	u64 pattern = rng() & 1 ? rng() : 0;

	for (i = 0; i < 0x2000; i += 8) {
		u64 val = rng() % 3 ? pattern : rng();

		memcpy(native_mem + BUF + i, &val, 8);
	}
	memcpy(w->mem + BUF - 0x1000, native_mem + BUF - 0x1000, 0x4000);
}

static int compare(const struct world *w, const struct regs *native)
{
	unsigned int i;

	for (i = 0; i < 16; i++)
		if (i != MVM_RSP && w->gpr[i] != native->gpr[i])
			return 1 + i;
	if ((w->rflags ^ native->rflags) & ARITH)
		return 17;
	return memcmp(w->mem + BUF - 0x1000, native_mem + BUF - 0x1000, 0x4000) ? 18 : 0;
}

static void report(const char *name, const u8 *insn, unsigned int len,
		   const struct world *w, const struct regs *native, int diff)
{
	char hex[64] = "";
	unsigned int i;

	for (i = 0; i < len; i++)
		sprintf(hex + 3 * i, "%02x ", insn[i]);
	ksft_print_msg("%s: %s: differs at %d, flags %lx natively, %lx emulated\n", name, hex,
		       diff, (unsigned long)native->rflags & ARITH,
		       (unsigned long)w->rflags & ARITH);
	if (diff && diff < 17)
		ksft_print_msg("  register %d: %lx natively, %lx emulated\n", diff - 1,
			       (unsigned long)native->gpr[diff - 1],
			       (unsigned long)w->gpr[diff - 1]);
}

/* One random instruction of the form: 0, or 1 where the two differ. */
static int try_form(const struct form *f, struct world *w, enum page_kind kind)
{
	struct regs native, before;
	enum mvm_emul_result res;
	unsigned int len, i;
	u8 insn[16];
	int diff;

	world_init(w);
	for (i = 0; i < WORLD_PAGES; i++)
		w->kind[i] = kind;
	fill_memory(w);
	random_state(f, &before);
	memset(insn, 0x90, sizeof(insn));
	len = build_insn(f, insn);

	native = before;
	memcpy(code + slot, insn, sizeof(insn));
	((stub_fn)(void *)code)(&native);

	memcpy(w->gpr, before.gpr, sizeof(w->gpr));
	w->rflags = before.rflags;
	do {
		res = world_run(w, insn, len, MVM_INSN_64);
	} while (res == MVM_EMUL_AGAIN);
	/* Atomic accesses of memory are not the emulator's. */
	if (res == MVM_EMUL_RETRY && kind == PAGE_RAM && (insn[0] == 0xf0 || f->name[0] == 'x'))
		return 0;
	diff = res == MVM_EMUL_DONE ? compare(w, &native) : 19 + (int)res;
	if (diff)
		report(f->name, insn, len, w, &native, diff);
	return diff != 0;
}

static void test_form(const struct form *f, struct world *w, unsigned long rounds)
{
	unsigned int errors = 0;
	unsigned long i;

	if (f->needs_movbe && !__builtin_cpu_supports("movbe")) {
		ksft_test_result_skip("%s: the processor has none\n", f->name);
		return;
	}
	for (i = 0; i < rounds && errors < MAX_REPORTS; i++)
		errors += try_form(f, w, i & 1 ? PAGE_USER_MMIO : PAGE_RAM);
	ksft_test_result(!errors, "%s (%02x %02x)\n", f->name, f->bytes[0], f->bytes[1]);
}

static unsigned long env_number(const char *name, unsigned long def)
{
	const char *val = getenv(name);

	return val ? strtoul(val, NULL, 0) : def;
}

int main(void)
{
	unsigned long rounds = env_number("MVM_INSN_ROUNDS", ROUNDS);
	struct world *w = calloc(1, sizeof(*w));
	unsigned int i;

	rng_state = env_number("MVM_INSN_SEED", 0x9e3779b97f4a7c15UL) | 1;
	ksft_print_header();
	code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	/* The world takes addresses modulo its size. */
	native_mem = mmap((void *)0x10000000, WORLD_SIZE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (!w || code == MAP_FAILED || native_mem != (u8 *)0x10000000)
		ksft_exit_skip("no memory that is writable and executable\n");
	build_stub();
	ksft_set_plan(ARRAY_SIZE(forms));
	for (i = 0; i < ARRAY_SIZE(forms); i++)
		test_form(&forms[i], w, rounds);
	free(w);
	ksft_finished();
}
