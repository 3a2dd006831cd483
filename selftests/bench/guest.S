/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The benchmark's guests, copied to TVM_CODE in one piece. 64-bit, position independent.
 *
 * A stub takes
 *	r8	rounds
 *	rdi	where the samples go
 *	r9, r10, r11	its operands
 * and leaves one sample a round: the ticks from one RDTSC to the other. What stands between
 * them counts, the operands' loads too, as code that uses the instruction needs them; what an
 * empty stub measures is taken off by the host side. At the end it writes to BENCH_DONE, and begins
 * anew if it is run again.
 */
#include "layout.h"

	.section .rodata
	.code64
	.globl bench_guest, bench_guest_end
bench_guest:

/* Around what is measured; the sample's low half is enough. */
.macro measure_begin
	MARK_BEGIN
	rdtsc
	mov	%eax, %esi
.endm

.macro measure_end
	rdtsc
	sub	%esi, %eax
	MARK_END
	mov	%rax, (%rdi)
	add	$8, %rdi
.endm

.macro stub name insns
	.balign	16
	.globl	guest_\name
guest_\name:
	mov	%r8d, %ebp
	mov	%rdi, %r15
1:	measure_begin
	\insns
	measure_end
	dec	%ebp
	jnz	1b
	out	%al, $BENCH_DONE
	mov	%r15, %rdi
	jmp	guest_\name
.endm

	stub	empty
	stub	cpuid, "mov %r9d, %eax; xor %ecx, %ecx; cpuid"
	stub	vmcall, "mov %r9d, %eax; vmcall"
	stub	vmmcall, "mov %r9d, %eax; vmmcall"
	stub	rdmsr, "mov %r9d, %ecx; rdmsr"
	stub	wrmsr, "mov %r9d, %ecx; mov %r10d, %eax; mov %r11d, %edx; wrmsr"
	stub	out, "mov %r9d, %edx; out %al, %dx"
	stub	in, "mov %r9d, %edx; in %dx, %al"
	stub	store, "mov %eax, (%r9)"
	stub	load, "mov (%r9), %eax"
	/* CR0.WP off and on again. */
	stub	cr0, "mov %cr0, %rax; xor $0x10000, %rax; mov %rax, %cr0"
	/* CR4.OSXMMEXCPT. */
	stub	cr4, "mov %cr4, %rax; xor $0x400, %rax; mov %rax, %cr4"

/* Touches r8 pages r10 bytes apart from r9 on; the time for all goes to SHARED_TOTAL. */
	.balign	16
	.globl	guest_touch
guest_touch:
	mov	%r8d, %ebp
	mov	%r9, %rbx
	rdtsc
	shl	$32, %rdx
	or	%rax, %rdx
	mov	%rdx, %r12
1:	measure_begin
	movb	$1, (%rbx)
	measure_end
	add	%r10, %rbx
	dec	%ebp
	jnz	1b
	rdtsc
	shl	$32, %rdx
	or	%rdx, %rax
	sub	%r12, %rax
	mov	%rax, BENCH_SHARED + SHARED_TOTAL
	out	%al, $BENCH_DONE
	hlt

/* Writes, without looking at the clock, r8 pages r10 bytes apart from r9 on. */
	.balign	16
	.globl	guest_fill
guest_fill:
	movb	$1, (%r9)
	add	%r10, %r9
	dec	%r8d
	jnz	guest_fill
	out	%al, $BENCH_DONE
	hlt

#include "guest_irq.inc"

bench_guest_end:
	.section .note.GNU-stack, "", @progbits
