/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The instruction decoder's interface: bytes in, one struct mvm_insn out.
 *
 * The decoder knows no vCPU and no memory. It tells the length of every
 * instruction of the one-byte, 0F, 0F38 and 0F3A maps (VEX, EVEX and XOP too),
 * and, for rows of the opcode tables that name an operation, what the
 * instruction is and what its operands are. Emulation is emulate.h.
 */
#ifndef MVM_INSN_DECODE_H
#define MVM_INSN_DECODE_H

#include "types.h"

#define MVM_INSN_MAX	15

/* How CS, EFER and CR0 make the CPU read the bytes. */
enum mvm_insn_mode {
	MVM_INSN_REAL,		/* real or virtual-8086 mode: 16 bits, no VEX */
	MVM_INSN_16,		/* 16-bit protected or compatibility mode */
	MVM_INSN_32,		/* 32-bit protected or compatibility mode */
	MVM_INSN_64,		/* 64-bit mode */
};

/* Results of mvm_insn_decode(). */
enum mvm_insn_status {
	MVM_INSN_OK,
	MVM_INSN_MORE,		/* the bytes given end inside the instruction */
	MVM_INSN_TOO_LONG,	/* more than 15 bytes: #GP */
	MVM_INSN_UD,		/* no such instruction: #UD */
};

/*
 * Operations, by the mnemonic that the manuals use. OTHER is any instruction
 * of which only the length is known.
 */
#define MVM_INSN_OPS(X) \
	X(OTHER) \
	/* arithmetic and logic; the first eight in the order of group 1 */ \
	X(ADD) X(OR) X(ADC) X(SBB) X(AND) X(SUB) X(XOR) X(CMP) \
	X(TEST) X(NOT) X(NEG) X(INC) X(DEC) X(MUL) X(IMUL) X(DIV) X(IDIV) \
	X(ROL) X(ROR) X(RCL) X(RCR) X(SHL) X(SHR) X(SAR) X(SHLD) X(SHRD) \
	X(BT) X(BTS) X(BTR) X(BTC) X(BSF) X(BSR) X(TZCNT) X(LZCNT) X(POPCNT) X(BSWAP) \
	X(XCHG) X(XADD) X(CMPXCHG) X(CMPXCHG8B) X(CMPXCHG16B) \
	/* moves */ \
	X(MOV) X(MOVZX) X(MOVSX) X(MOVSXD) X(MOVBE) X(MOVNTI) X(LEA) \
	X(CMOV) X(SETCC) \
	X(PUSH) X(POP) X(PUSHA) X(POPA) X(PUSHF) X(POPF) X(ENTER) X(LEAVE) \
	/* strings; the order is that of the opcodes */ \
	X(INS) X(OUTS) X(MOVS) X(CMPS) X(STOS) X(LODS) X(SCAS) \
	X(IN) X(OUT) \
	/* SSE, AVX and MMX moves; VEX forms have the name without V */ \
	X(MOVD) X(MOVQ) X(MOVSS) X(MOVSD) X(MOVLPS) X(MOVLPD) X(MOVHPS) X(MOVHPD) \
	X(MOVHLPS) X(MOVLHPS) X(MOVUPS) X(MOVUPD) X(MOVDQU) X(LDDQU) \
	X(MOVAPS) X(MOVAPD) X(MOVDQA) X(MOVNTPS) X(MOVNTPD) X(MOVNTDQ) X(MOVNTDQA) X(MOVNTQ) \
	/* control flow */ \
	X(CALL) X(JMP) X(RET) X(JCC) X(LOOP) X(CALLF) X(JMPF) X(RETF) \
	X(INT) X(INT1) X(INT3) X(INTO) X(IRET) X(SYSCALL) X(SYSRET) \
	X(SYSENTER) X(SYSEXIT) X(UD) \
	/* flags and others without operands */ \
	X(NOP) X(PAUSE) X(HLT) X(CMC) X(CLC) X(STC) X(CLI) X(STI) X(CLD) X(STD) \
	X(SAHF) X(LAHF) X(CPUID) X(RDTSC) X(RDTSCP) X(RDPMC) X(RDMSR) X(WRMSR) \
	X(CLTS) X(INVD) X(WBINVD) X(RSM) X(SWAPGS) X(MONITOR) X(MWAIT) \
	X(XGETBV) X(XSETBV) X(VMCALL) X(VMMCALL) X(CLAC) X(STAC) \
	/* system instructions with a memory or register operand */ \
	X(SGDT) X(SIDT) X(LGDT) X(LIDT) X(SMSW) X(LMSW) X(INVLPG) \
	X(SLDT) X(STR) X(LLDT) X(LTR) X(VERR) X(VERW) X(LAR) X(LSL) X(ARPL)

#define MVM_INSN_ENUM(name)	MVM_OP_##name,
enum mvm_insn_op {
	MVM_INSN_OPS(MVM_INSN_ENUM)
	MVM_NR_OPS
};

#undef MVM_INSN_ENUM

enum mvm_insn_map {
	MVM_MAP_ONE, MVM_MAP_0F, MVM_MAP_0F38, MVM_MAP_0F3A,
	MVM_MAP_EXT,		/* EVEX maps 5 and 6, XOP maps */
};

enum mvm_insn_encoding {
	MVM_ENC_LEGACY, MVM_ENC_VEX, MVM_ENC_EVEX, MVM_ENC_XOP,
};

#define MVM_REG_NONE	0xff
#define MVM_REG_IP	0x10	/* base of a RIP-relative address */

enum mvm_opnd_kind {
	MVM_OPND_NONE,
	MVM_OPND_REG,		/* general register; .high: AH, CH, DH, BH */
	MVM_OPND_MEM,		/* memory at mvm_insn.mem */
	MVM_OPND_IMM,		/* mvm_insn.imm */
	MVM_OPND_REL,		/* mvm_insn.imm, relative to the next instruction */
	MVM_OPND_SEG,		/* segment register */
	MVM_OPND_CR,
	MVM_OPND_DR,
	MVM_OPND_SRC,		/* memory at the string source, mem.seg:rSI */
	MVM_OPND_DST,		/* memory at the string destination, ES:rDI */
	MVM_OPND_VEC,		/* XMM or, with a size of 32, YMM register */
	MVM_OPND_MMX,
};

/**
 * struct mvm_opnd - one explicit or implied operand
 * @kind:	an enum mvm_opnd_kind
 * @reg:	register number where the kind is a register
 * @size:	bytes
 * @high:	bits 15:8 of the register @reg
 */
struct mvm_opnd {
	u8 kind;
	u8 reg;
	u8 size;
	u8 high;
};

/**
 * struct mvm_mem - how the address of the memory operand is made
 * @disp:	displacement, sign-extended; the whole offset for moffs
 * @base:	register number, MVM_REG_IP or MVM_REG_NONE
 * @index:	register number or MVM_REG_NONE
 * @scale:	log2 of what multiplies @index
 * @seg:	the segment after defaults and overrides
 */
struct mvm_mem {
	s64 disp;
	u8 base;
	u8 index;
	u8 scale;
	u8 seg;
};

#define MVM_INSN_OPNDS	3

/**
 * struct mvm_insn - one decoded instruction
 * @bytes:	the bytes, @len of them
 * @len:	length
 * @mode:	the enum mvm_insn_mode it was decoded for
 * @map:	an enum mvm_insn_map
 * @enc:	an enum mvm_insn_encoding
 * @opcode:	the last opcode byte
 * @op:		an enum mvm_insn_op
 * @cc:		condition code of CMOV, SETCC and JCC
 * @opsize:	operand size in bytes, 2, 4 or 8; what counts is an operand's own size
 * @adsize:	address size in bytes: 2, 4 or 8
 * @rex:	REX byte, or 0
 * @rep:	0xf2, 0xf3 or 0: the last of the two prefixes
 * @opsize_prefix: prefix 66h present
 * @lock:	prefix F0h present
 * @vl:		VEX.L: vectors are of 32 bytes
 * @vvvv:	the register VEX.vvvv names
 * @pp:		the mandatory prefix: 0 none, 1 66h, 2 F3h, 3 F2h
 * @lockable:	LOCK is allowed with a memory destination
 * @string:	a string instruction: @rep repeats it
 * @has_modrm:	@modrm is valid
 * @modrm:	the ModRM byte
 * @opnd:	operands in the manual's order
 * @mem:	the address, where an operand is MVM_OPND_MEM
 * @imm:	immediate, sign-extended
 * @imm2:	second immediate: selector of a far pointer, level of ENTER
 */
struct mvm_insn {
	u8 bytes[MVM_INSN_MAX];
	u8 len;
	u8 mode;
	u8 map;
	u8 enc;
	u8 opcode;
	u8 op;
	u8 cc;
	u8 opsize;
	u8 adsize;
	u8 rex;
	u8 rep;
	u8 vl;
	u8 vvvv;
	u8 pp;
	bool opsize_prefix;
	bool lock;
	bool lockable;
	bool string;
	bool has_modrm;
	u8 modrm;
	struct mvm_opnd opnd[MVM_INSN_OPNDS];
	struct mvm_mem mem;
	s64 imm;
	u16 imm2;
};

enum mvm_insn_status mvm_insn_decode(struct mvm_insn *insn, const u8 *bytes,
				     unsigned int nbytes, enum mvm_insn_mode mode);
const char *mvm_insn_op_name(unsigned int op);

#endif
