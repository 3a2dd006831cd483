/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one way into a guest and out of it on VT-x.
 *
 * The order is the host's safety. In: nothing after the guest's registers are
 * loaded may return or branch indirectly, and VERW is the last instruction that
 * touches flags. Out: guest values leave the registers first, then the return
 * buffer is refilled, before the first RET.
 *
 * SPEC_CTRL is not swapped: a guest never has it (CPUID hides it, the MSR exits),
 * so the host's value is in force throughout.
 */
#include <linux/linkage.h>

#include <asm/asm.h>
#include <asm/msr-index.h>
#include <asm/nospec-branch.h>
#include <asm/unwind_hints.h>

#include "../entry_regs.h"

#define VMCS_HOST_RSP 0x6c14

.section .noinstr.text, "ax"

/**
 * mvm_vmx_enter - enter the guest of the current VMCS once
 * @gprs:	%rdi: u64[16], the guest's registers; RSP is the VMCS's
 * @host_rsp:	%rsi: what the VMCS has for HOST_RSP; kept up to date
 * @resume:	%edx: VMRESUME instead of VMLAUNCH
 * @spec_ctrl:	%rcx: the host's IA32_SPEC_CTRL
 *
 * Interrupts off in and out. Returns 0 after an exit (@gprs stored), 1 when the
 * instruction was refused, 2 when it faulted (@gprs untouched).
 */
SYM_FUNC_START(mvm_vmx_enter)
	push	%rbp
	push	%r15
	push	%r14
	push	%r13
	push	%r12
	push	%rbx
	push	%rcx
	push	%rdi

	cmp	%rsp, (%rsi)
	je	.Lhost_rsp_set
	mov	$VMCS_HOST_RSP, %eax
.Lwrite_host_rsp:
	vmwrite	%rsp, %rax
	jna	.Lrefused
	mov	%rsp, (%rsi)
.Lhost_rsp_set:
	/* CF says VMRESUME: MOV leaves it alone, and so does VERW (ZF only). */
	bt	$0, %edx

	mov	GPR_RAX(%rdi), %rax
	MVM_LOAD_GPRS

	CLEAR_CPU_BUFFERS

	jnc	.Llaunch

	/* The exit comes in with this stack: tell the unwinder. */
	UNWIND_HINT_SAVE
.Lresume:
	vmresume
	jmp	.Lrefused
.Llaunch:
	vmlaunch
	jmp	.Lrefused

SYM_INNER_LABEL_ALIGN(mvm_vmx_exit_point, SYM_L_GLOBAL)
	UNWIND_HINT_RESTORE
	ENDBR

	push	%rax
	mov	8(%rsp), %rax
	pop	GPR_RAX(%rax)
	MVM_STORE_GPRS
	xor	%eax, %eax

.Lclear:
	/* No guest value is left for speculation to use; %eax is the answer. */
	MVM_CLEAR_GPRS

	FILL_RETURN_BUFFER %rcx, RSB_CLEAR_LOOPS, X86_FEATURE_RSB_VMEXIT, \
			   X86_FEATURE_RSB_VMEXIT_LITE

	/* Legacy IBRS restricts only predictions made after it is written again. */
	mov	%eax, %ebx
	ALTERNATIVE "jmp .Lspec_ctrl_done", "", X86_FEATURE_KERNEL_IBRS
	mov	8(%rsp), %rax
	mov	%rax, %rdx
	shr	$32, %rdx
	mov	$MSR_IA32_SPEC_CTRL, %ecx
	wrmsr
.Lspec_ctrl_done:
	CLEAR_BRANCH_HISTORY_VMEXIT
	/* The checks above must have retired before the guest's values are used. */
	lfence

	mov	%ebx, %eax
	add	$16, %rsp
	pop	%rbx
	pop	%r12
	pop	%r13
	pop	%r14
	pop	%r15
	pop	%rbp
	RET

.Lrefused:
	mov	$1, %eax
	jmp	.Lclear
.Lfault:
	mov	$2, %eax
	jmp	.Lclear

	_ASM_EXTABLE(.Lwrite_host_rsp, .Lfault)
	_ASM_EXTABLE(.Lresume, .Lfault)
	_ASM_EXTABLE(.Llaunch, .Lfault)
SYM_FUNC_END(mvm_vmx_enter)
