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

#include "../entry_regs.h"

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

	MVM_LOAD_GPRS
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
	MVM_STORE_GPRS

	/* No guest value survives in a register: nothing to speculate with. */
	MVM_CLEAR_GPRS

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
