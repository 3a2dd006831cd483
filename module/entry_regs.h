/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's general registers at an entry and an exit, for the backends' entry.S.
 *
 * vcpu->gpr[] is in the encoding order of the manuals. RSP is never here: the
 * hardware's structure has it. RAX is each backend's own business.
 */
#ifndef MVM_ENTRY_REGS_H
#define MVM_ENTRY_REGS_H

#define GPR(n)	((n) * 8)
#define GPR_RAX	GPR(0)
#define GPR_RCX	GPR(1)
#define GPR_RDX	GPR(2)
#define GPR_RBX	GPR(3)
#define GPR_RBP	GPR(5)
#define GPR_RSI	GPR(6)
#define GPR_RDI	GPR(7)

/* From vcpu->gpr at %rdi, which goes last. Touches no flag. */
.macro MVM_LOAD_GPRS
	mov	GPR_RCX(%rdi), %rcx
	mov	GPR_RDX(%rdi), %rdx
	mov	GPR_RBX(%rdi), %rbx
	mov	GPR_RBP(%rdi), %rbp
	mov	GPR_RSI(%rdi), %rsi
	mov	GPR(8)(%rdi), %r8
	mov	GPR(9)(%rdi), %r9
	mov	GPR(10)(%rdi), %r10
	mov	GPR(11)(%rdi), %r11
	mov	GPR(12)(%rdi), %r12
	mov	GPR(13)(%rdi), %r13
	mov	GPR(14)(%rdi), %r14
	mov	GPR(15)(%rdi), %r15
	mov	GPR_RDI(%rdi), %rdi
.endm

/* To vcpu->gpr at %rax. */
.macro MVM_STORE_GPRS
	mov	%rcx, GPR_RCX(%rax)
	mov	%rdx, GPR_RDX(%rax)
	mov	%rbx, GPR_RBX(%rax)
	mov	%rbp, GPR_RBP(%rax)
	mov	%rsi, GPR_RSI(%rax)
	mov	%rdi, GPR_RDI(%rax)
	mov	%r8, GPR(8)(%rax)
	mov	%r9, GPR(9)(%rax)
	mov	%r10, GPR(10)(%rax)
	mov	%r11, GPR(11)(%rax)
	mov	%r12, GPR(12)(%rax)
	mov	%r13, GPR(13)(%rax)
	mov	%r14, GPR(14)(%rax)
	mov	%r15, GPR(15)(%rax)
.endm

/* No guest value survives in a register: nothing to speculate with. Clobbers flags. */
.macro MVM_CLEAR_GPRS
	xor	%ecx, %ecx
	xor	%edx, %edx
	xor	%ebx, %ebx
	xor	%ebp, %ebp
	xor	%esi, %esi
	xor	%edi, %edi
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	xor	%r10d, %r10d
	xor	%r11d, %r11d
	xor	%r12d, %r12d
	xor	%r13d, %r13d
	xor	%r14d, %r14d
	xor	%r15d, %r15d
.endm

#endif
