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

/* Byte offsets in vcpu->gpr: the encoding order of the manuals. */
#define GPR(n)	((n) * 8)
#define GPR_RAX	GPR(0)
#define GPR_RCX	GPR(1)
#define GPR_RDX	GPR(2)
#define GPR_RBX	GPR(3)
#define GPR_RBP	GPR(5)
#define GPR_RSI	GPR(6)
#define GPR_RDI	GPR(7)

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
	xor	%eax, %eax

.Lclear:
	/* No guest value is left for speculation to use; %eax is the answer. */
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
