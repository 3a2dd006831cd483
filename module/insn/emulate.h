/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The instruction emulator's interface: a decoded instruction, the registers it
 * works on and callbacks for everything else.
 *
 * The emulator executes one instruction, or a bounded number of iterations of
 * one REP string instruction, from its start. Memory and port accesses that
 * only userspace can answer break it off: it is called again, from the start,
 * once the answer is in the log. Registers and flags change only after an
 * instruction's or iteration's last access, so that a start over is harmless,
 * and every access that was made is in the log, so that it happens once.
 *
 * Pure code: no vCPU, no kernel; module/emul.c is the glue.
 */
#ifndef MVM_INSN_EMULATE_H
#define MVM_INSN_EMULATE_H

#include "decode.h"

enum mvm_emul_result {
	MVM_EMUL_DONE,		/* retired: RIP moves on */
	MVM_EMUL_AGAIN,		/* REP: some iterations retired, more to come; RIP stays */
	MVM_EMUL_USER,		/* an access for userspace: mvm_emul_log.pending */
	MVM_EMUL_FAULT,		/* mvm_emul.fault is to be raised; nothing retired */
	MVM_EMUL_RETRY,		/* not for the emulator: let the CPU execute it */
	MVM_EMUL_FAIL,		/* cannot be emulated */
};

/* What a locked write to guest memory came to: struct mvm_emul_ops.exchange. */
enum mvm_emul_atomic {
	MVM_ATOMIC_DONE,
	MVM_ATOMIC_LOST,	/* the memory had another value */
	MVM_ATOMIC_NONE,	/* no memory, or none that may be written */
	MVM_ATOMIC_CANNOT,	/* not with this size or alignment */
};

/* The register files of the vector moves, each with conditions of its own. */
enum mvm_emul_file { MVM_FILE_MMX, MVM_FILE_SSE, MVM_FILE_AVX };

#define MVM_EMUL_VEC_MAX	32
#define MVM_EMUL_NO_VECTOR	0xff

/* What memory operands need to know of a segment register. */
struct mvm_emul_seg {
	u64 base;
	u32 limit;		/* in bytes, inclusive */
	u16 selector;
	u8 type;		/* as in the descriptor */
	bool usable;
	bool db;
};

/**
 * struct mvm_emul_ops - the world around the instruction
 * @translate: linear to guest physical address with MVM_ACCESS_* rights (the
 *	callee adds MVM_ACCESS_USER by the CPL). 0; 1 with @fault filled;
 *	-errno where it cannot be told.
 * @ram: read or write guest memory within a page. False where there is none,
 *	or none that may be written.
 * @exchange: a locked compare-and-exchange of up to 8 bytes of guest memory within a page
 * @mmio: as @ram for a device inside the kernel, at most 8 bytes. False: userspace.
 * @post: userspace's turn to write to a device may come when the execution is over; the
 *	instruction goes on. NULL or false: it may not, and the access breaks it off.
 * @pio: one element for a port of a device inside the kernel. False: userspace.
 * @segment: a segment register, by enum mvm_segreg.
 * @vec_check: the exception that an instruction with these registers raises now
 *	(CR0, CR4, XCR0), or MVM_EMUL_NO_VECTOR.
 * @vec_read: an MMX (8 bytes) or vector register (32 bytes).
 * @vec_write: the same. SSE leaves what is above 16 bytes alone, AVX clears what is
 *	above 32. NULL: an MMX register was used without being written.
 * @should_stop: asked between REP iterations: is there something more urgent?
 */
struct mvm_emul_ops {
	int (*translate)(void *priv, gva_t la, u32 access, gpa_t *gpa,
			 struct mvm_fault *fault);
	bool (*ram)(void *priv, gpa_t gpa, void *buf, unsigned int len, bool write);
	enum mvm_emul_atomic (*exchange)(void *priv, gpa_t gpa, u64 old, u64 new,
					 unsigned int len);
	bool (*mmio)(void *priv, gpa_t gpa, void *buf, unsigned int len, bool write);
	bool (*post)(void *priv, gpa_t gpa, const void *buf, unsigned int len);
	bool (*pio)(void *priv, u16 port, void *buf, unsigned int size, bool write);
	void (*segment)(void *priv, unsigned int seg, struct mvm_emul_seg *out);
	u8 (*vec_check)(void *priv, enum mvm_emul_file file);
	void (*vec_read)(void *priv, enum mvm_emul_file file, u8 reg, u8 *buf);
	void (*vec_write)(void *priv, enum mvm_emul_file file, u8 reg, const u8 *buf);
	bool (*should_stop)(void *priv);
};

/* One access, at most 8 bytes within a page. */
struct mvm_emul_access {
	gpa_t gpa;
	u8 len;
	bool write;
	bool ram;
	u8 data[8];
};

#define MVM_EMUL_LOG_SIZE	16

enum mvm_emul_pending { MVM_PENDING_NONE, MVM_PENDING_MMIO, MVM_PENDING_PIO };

/**
 * struct mvm_emul_log - the accesses of the instruction (or iteration) under way
 * @pending: what userspace is asked for: access[nr], or pio
 * @nr: accesses made
 * @pos: how many of them this execution has passed
 * @access: the accesses in order
 * @pio: the block of elements that INS and OUTS move at a time; the data are in
 *	mvm_emul.io_buf, @pio.pos counts those that an INS has consumed
 */
struct mvm_emul_log {
	enum mvm_emul_pending pending;
	unsigned int nr;
	unsigned int pos;
	struct mvm_emul_access access[MVM_EMUL_LOG_SIZE];
	struct {
		bool answered;
		bool in;
		u16 port;
		u8 size;
		u32 count;
		u32 pos;
	} pio;
};

/**
 * struct mvm_emul - one execution
 * @ops: callbacks
 * @priv: their first argument
 * @insn: what to execute
 * @log: kept by the caller from the first execution to the last
 * @io_buf: data of string I/O, shared with userspace
 * @io_buf_size: its size, a power of two
 * @gpr: the 16 registers, changed in place
 * @rflags: likewise
 * @rip: of the instruction
 * @target: where it jumped to, with @jumped
 * @jumped: it was a taken branch
 * @protected: segments have types and limits by descriptor (not real, not VM86)
 * @align_check: #AC is on (CPL 3, CR0.AM, RFLAGS.AC)
 * @last_try: the CPU was told to execute this itself and keeps coming back:
 *	do without the atomicity that it alone could give
 * @has_tzcnt: the CPU takes F3 0F BC as TZCNT; else it is BSF
 * @has_lzcnt: likewise LZCNT and BSR
 * @io_checked: the CPU has checked the right to use port DX
 * @single_step: stop after each iteration
 * @la_bits: bits of a canonical linear address
 * @fault: what MVM_EMUL_FAULT raises
 * @tlb: the last two translations of this execution
 * @tlb_next: the one to be replaced
 */
struct mvm_emul {
	const struct mvm_emul_ops *ops;
	void *priv;
	const struct mvm_insn *insn;
	struct mvm_emul_log *log;
	void *io_buf;
	unsigned int io_buf_size;
	u64 *gpr;
	u64 *rflags;
	u64 rip;
	u64 target;
	bool jumped;
	bool last_try;
	bool has_tzcnt;
	bool has_lzcnt;
	bool protected;
	bool align_check;
	bool io_checked;
	bool single_step;
	u8 la_bits;
	struct mvm_fault fault;
	struct {
		gva_t page;
		gpa_t gpa;
		u32 access;	/* 0: unused */
	} tlb[2];
	unsigned int tlb_next;
};

enum mvm_emul_result mvm_emul_run(struct mvm_emul *e);
u64 mvm_insn_ea(const struct mvm_insn *insn, const u64 *gpr, u64 rip);
u64 mvm_opnd_get_reg(const struct mvm_opnd *o, const u64 *gpr);
void mvm_opnd_set_reg(const struct mvm_opnd *o, u64 *gpr, u64 val);
void mvm_emul_log_reset(struct mvm_emul_log *log);
void mvm_emul_log_answer(struct mvm_emul_log *log, const void *data);

#endif
