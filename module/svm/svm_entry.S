/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One VMRUN: the only assembly of the AMD-V backend.
 *
 * Interrupts are off in the caller's view. Inside, GIF is cleared first and IF
 * set after, because with V_INTR_MASKING the host's IF at VMRUN decides whether
 * a physical interrupt ends the guest's run; VMLOAD stands between STI and VMRUN
 * so that STI's shadow ends before the guest begins. Interrupts and NMIs that
 * end the run stay pending until STGI; the caller's window takes the interrupts.
 */
#include <linux/linkage.h>

#include <asm/asm.h>
#include <asm/asm-offsets.h>
#include <asm/nospec-branch.h>
#include <asm/percpu.h>

/* vcpu->gpr[] is in the manual's encoding order; svm_caps.c asserts it. */
#define GPR(n) (8 * (n))
#define GPR_RCX GPR(1)
#define GPR_RDX GPR(2)
#define GPR_RBX GPR(3)
#define GPR_RBP GPR(5)
#define GPR_RSI GPR(6)
#define GPR_RDI GPR(7)

.section .noinstr.text, "ax"

/**
 * mvm_svm_enter - enter the guest once and come back at its exit
 * @gprs:	%rdi: u64 gpr[16]; RAX and RSP live in the VMCB instead
 * @vmcb_pa:	%rsi: physical address of the guest's VMCB
 * @host_pa:	%rdx: physical address of a page for the host's VMSAVE state
 *
 * In and out: interrupts off, GIF set, host GS. Clobbers what the C ABI lets a
 * function clobber. Where SVM was switched off meanwhile (a crash, a reboot),
 * CLGI takes #UD and the guest is not entered: the VMCB's exit code is then
 * still what the caller put there.
 *
 * SPEC_CTRL is not switched: guests are not given it, so the host's value, which
 * restricts at least as much, stays in force.
 */
SYM_FUNC_START(mvm_svm_enter)
	push	%rbp
	push	%r15
	push	%r14
	push	%r13
	push	%r12
	push	%rbx

	push	%rdi
	push	%rdx
	push	%rsi

	/* Host FS, GS, TR, LDTR, KERNEL_GS_BASE, STAR.. as they are right now. */
	mov	%rdx, %rax
1:	vmsave	%rax

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
	pop	%rax

2:	clgi
	sti
	/* From here to the host's VMLOAD: GIF clear, the guest's GS, no per-CPU data. */
3:	vmload	%rax
	VM_CLEAR_CPU_BUFFERS
4:	vmrun	%rax
5:	vmsave	%rax

50:	pop	%rax
6:	vmload	%rax
60:	pop	%rax
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

	/* No guest value survives in a register: nothing to speculate with. */
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

	/* RET is not safe before this point: the return predictors are the guest's. */
	FILL_RETURN_BUFFER %rax, RSB_CLEAR_LOOPS, X86_FEATURE_RSB_VMEXIT
	UNTRAIN_RET
	ALTERNATIVE "", "call entry_ibpb", X86_FEATURE_IBPB_ON_VMEXIT

	cli
7:	stgi

.Lout:
	pop	%rbx
	pop	%r12
	pop	%r13
	pop	%r14
	pop	%r15
	pop	%rbp
	RET

	/* SVM is off: nothing was loaded, GIF does not exist. */
.Loff_at_clgi:
	add	$16, %rsp
	jmp	.Lout
.Loff_at_vmsave:
	add	$24, %rsp
	jmp	.Lout

	_ASM_EXTABLE(1b, .Loff_at_vmsave)
	_ASM_EXTABLE(2b, .Loff_at_clgi)
	/*
	 * SVME cannot go away while GIF is clear: a fault in one of these is a
	 * broken invariant. Go on to the host's VMLOAD; the exit code tells.
	 */
	_ASM_EXTABLE(3b, 4b)
	_ASM_EXTABLE(4b, 5b)
	_ASM_EXTABLE(5b, 50b)
	_ASM_EXTABLE(6b, 60b)
	_ASM_EXTABLE(7b, .Lout)
SYM_FUNC_END(mvm_svm_enter)
