/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs one instruction on the processor: loads all registers, executes it, stores
 * them again. An exception of it is caught and reported. The code and the memory
 * that instructions may use lie at fixed addresses below 4 GiB.
 */
#ifndef INSN_STUB_H
#define INSN_STUB_H

#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "types.h"

#define INSN_STUB_MEM	0x10000000UL
#define INSN_STUB_CODE	0x10200000UL
#define INSN_STUB_DATA	(INSN_STUB_CODE + 0x1000)	/* the caller's RSP, the instruction's */
#define INSN_STUB_SLOT	16

/* The first five are known to the code: build_stub() has their offsets. */
struct insn_regs {
	u64 gpr[16];
	u64 rflags;
	u8 ymm[16][32];
	u64 mmx[8];
	u64 before_rcx;
	bool fault;
	int vector;
};

static u8 *stub_pos;
static u64 stub_slot, stub_landing;
static bool stub_avx;
static volatile sig_atomic_t stub_vector;

static inline u64 insn_stub_rip(void)
{
	return stub_slot;
}

static inline u64 insn_stub_landing(void)
{
	return stub_landing;
}

static inline bool insn_stub_has_avx(void)
{
	return stub_avx;
}

static void stub_emit(unsigned int n, const u8 *bytes)
{
	memcpy(stub_pos, bytes, n);
	stub_pos += n;
}

#define EMIT(...) do { \
	const u8 emit_bytes[] = { __VA_ARGS__ }; \
	stub_emit(sizeof(emit_bytes), emit_bytes); \
} while (0)

/* disp32 or an address relative to what follows it */
static void stub_emit32(u32 val)
{
	stub_emit(4, (u8 *)&val);
}

static void stub_emit_rel(u64 target)
{
	stub_emit32(target - ((u64)stub_pos + 4));
}

/* mov reg, [rdi + 8 * reg] (8b) or the reverse (89), for all but those in @skip */
static void stub_gprs(u8 opcode, unsigned int skip)
{
	unsigned int r;

	for (r = 0; r < 16; r++) {
		if (skip & (1U << r))
			continue;
		EMIT(0x48 | (r >= 8 ? 4 : 0), opcode, 0x87 | (r & 7) << 3);
		stub_emit32(8 * r);
	}
}

/* movdqu or movq between registers and their places; 6f loads, 7f stores */
static void stub_vectors(u8 opcode)
{
	unsigned int r;

	for (r = 0; r < 16; r++) {
		if (stub_avx)
			EMIT(0xc5, r < 8 ? 0xfe : 0x7e, opcode, 0x87 | (r & 7) << 3);
		else
			EMIT(0xf3, r < 8 ? 0x40 : 0x44, 0x0f, opcode, 0x87 | (r & 7) << 3);
		stub_emit32(offsetof(struct insn_regs, ymm) + 32 * r);
	}
	for (r = 0; r < 8; r++) {
		EMIT(0x0f, opcode, 0x87 | r << 3);
		stub_emit32(offsetof(struct insn_regs, mmx) + 8 * r);
	}
}

static void build_stub(void)
{
	stub_pos = (u8 *)INSN_STUB_CODE;
	EMIT(0x53, 0x55, 0x41, 0x54, 0x41, 0x55, 0x41, 0x56, 0x41, 0x57, 0x57);
	EMIT(0x48, 0x89, 0x25);			/* mov [data], rsp */
	stub_emit_rel(INSN_STUB_DATA);
	stub_vectors(0x6f);
	EMIT(0xff, 0xb7, 0x80, 0, 0, 0, 0x9d);	/* push [rdi + 128]; popf */
	stub_gprs(0x8b, 1 << 7);
	EMIT(0x48, 0x8b, 0x7f, 0x38);		/* mov rdi, [rdi + 56] */
	stub_slot = (u64)stub_pos;
	stub_pos += INSN_STUB_SLOT;
	stub_landing = (u64)stub_pos;
	EMIT(0x48, 0x89, 0x25);			/* mov [data + 8], rsp */
	stub_emit_rel(INSN_STUB_DATA + 8);
	EMIT(0x48, 0x8b, 0x25);			/* mov rsp, [data] */
	stub_emit_rel(INSN_STUB_DATA);
	EMIT(0x9c, 0x6a, 0x02, 0x9d, 0x57);	/* pushf; push 2; popf; push rdi */
	EMIT(0x48, 0x8b, 0x7c, 0x24, 0x10);	/* mov rdi, [rsp + 16] */
	stub_gprs(0x89, 1 << 7 | 1 << 4);
	EMIT(0x58, 0x48, 0x89, 0x47, 0x38);	/* pop rax; mov [rdi + 56], rax */
	EMIT(0x58, 0x48, 0x89, 0x87, 0x80, 0, 0, 0);	/* pop rax; mov [rdi + 128], rax */
	EMIT(0x48, 0x8b, 0x05);			/* mov rax, [data + 8]; mov [rdi + 32], rax */
	stub_emit_rel(INSN_STUB_DATA + 8);
	EMIT(0x48, 0x89, 0x47, 0x20);
	stub_vectors(0x7f);
	EMIT(0x0f, 0x77);			/* emms */
	EMIT(0x5f, 0x41, 0x5f, 0x41, 0x5e, 0x41, 0x5d, 0x41, 0x5c, 0x5d, 0x5b, 0xc3);
}

/* An exception of the instruction ends it; any other is this program's own. */
static void stub_signal(int sig, siginfo_t *info, void *context)
{
	greg_t *gregs = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)info;
	if ((u64)gregs[REG_RIP] != stub_slot) {
		signal(sig, SIG_DFL);
		return;
	}
	stub_vector = gregs[REG_TRAPNO];
	gregs[REG_RIP] = stub_landing;
}

static void *stub_map(u64 at, size_t size, int prot)
{
	void *p = mmap((void *)at, size, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE,
		       -1, 0);

	return p == (void *)at ? p : NULL;
}

/* The memory for instructions, or NULL where this system does not allow it. */
static inline u8 *insn_stub_init(size_t mem_size)
{
	static const int signals[] = { SIGFPE, SIGSEGV, SIGBUS, SIGILL };
	struct sigaction action = { .sa_sigaction = stub_signal,
				    .sa_flags = SA_SIGINFO | SA_ONSTACK };
	stack_t stack = { .ss_size = 65536 };
	unsigned int i;
	u8 *mem;

	stub_avx = __builtin_cpu_supports("avx2");
	mem = stub_map(INSN_STUB_MEM, mem_size, PROT_READ | PROT_WRITE);
	stack.ss_sp = stub_map(INSN_STUB_CODE + 0x10000, stack.ss_size, PROT_READ | PROT_WRITE);
	if (!mem || !stack.ss_sp ||
	    !stub_map(INSN_STUB_CODE, 0x2000, PROT_READ | PROT_WRITE | PROT_EXEC))
		return NULL;
	build_stub();
	sigaltstack(&stack, NULL);
	for (i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &action, NULL);
	return mem;
}

static inline u16 insn_stub_selector(unsigned int seg)
{
	u16 sel[6];

	asm("mov %%es, %0" : "=r" (sel[0]));
	asm("mov %%cs, %0" : "=r" (sel[1]));
	asm("mov %%ss, %0" : "=r" (sel[2]));
	asm("mov %%ds, %0" : "=r" (sel[3]));
	asm("mov %%fs, %0" : "=r" (sel[4]));
	asm("mov %%gs, %0" : "=r" (sel[5]));
	return sel[seg % 6];
}

static inline void insn_stub_run(struct insn_regs *regs, const u8 *insn, unsigned int len)
{
	memset((void *)stub_slot, 0x90, INSN_STUB_SLOT);
	memcpy((void *)stub_slot, insn, len);
	stub_vector = -1;
	((void (*)(struct insn_regs *))INSN_STUB_CODE)(regs);
	regs->fault = stub_vector >= 0;
	regs->vector = stub_vector;
}

#endif
