/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The handlers of all 64 vectors in 64-bit and 32-bit mode: they log one event
 * in the shared block, then go on with the case or leave it.
 *
 * A case goes on after the vectors in SH_ON: behind a trap or an interrupt where
 * it was, behind a fault where its RBP says, so that a case can look at several.
 */
#include "layout.h"

#define ERROR_VECTORS	((1 << 8) | (0x1f << 10) | (1 << 17) | (1 << 21))
/* #DB, NMI, #BP, #OF and whatever is no exception return where they came from. */
#define TRAP_VECTORS	0x1e
#define DR6_FIXED	0xffff0ff0

	.text
	.code64
common64:
	push %rax
	push %rcx
	push %rdx
	push %rbx
	push %rdi
	/* rdi rbx rdx rcx rax, vector, error, rip, cs, rflags, rsp, ss */
	mov SH_NR, %edi
	shl $8, %edi
	add $LOG, %edi
	incl SH_NR
	mov %rax, 0 * 8(%rdi)
	mov %rcx, 1 * 8(%rdi)
	mov %rdx, 2 * 8(%rdi)
	mov %rbx, 3 * 8(%rdi)
	mov %rbp, 5 * 8(%rdi)
	mov %rsi, 6 * 8(%rdi)
	mov (%rsp), %rax
	mov %rax, 7 * 8(%rdi)
	mov %r8, 8 * 8(%rdi)
	mov %r9, 9 * 8(%rdi)
	mov %r10, 10 * 8(%rdi)
	mov %r11, 11 * 8(%rdi)
	mov %r12, 12 * 8(%rdi)
	mov %r13, 13 * 8(%rdi)
	mov %r14, 14 * 8(%rdi)
	mov %r15, 15 * 8(%rdi)
	mov 5 * 8(%rsp), %rcx
	mov %ecx, EV_VECTOR(%rdi)
	mov 6 * 8(%rsp), %rax
	mov %rax, EV_ERROR(%rdi)
	mov 7 * 8(%rsp), %rax
	mov %rax, EV_RIP(%rdi)
	mov 8 * 8(%rsp), %rax
	mov %eax, EV_CS(%rdi)
	mov 9 * 8(%rsp), %rax
	mov %rax, EV_FLAGS(%rdi)
	mov 10 * 8(%rsp), %rax
	mov %rax, 4 * 8(%rdi)
	mov 11 * 8(%rsp), %rax
	mov %eax, EV_SS(%rdi)
	mov %ds, EV_DS(%rdi)
	mov %es, EV_ES(%rdi)
	mov %fs, EV_FS(%rdi)
	mov %gs, EV_GS(%rdi)
	movl $64, EV_BITS(%rdi)
	pushfq
	pop %rax
	mov %eax, EV_HFLAGS(%rdi)
	cmp $14, %ecx
	jne 1f
	mov %cr2, %rax
	mov %rax, EV_CR2(%rdi)
1:	cmp $1, %ecx
	jne 2f
	mov %dr6, %rax
	mov %rax, EV_DR6(%rdi)
	mov $DR6_FIXED, %eax
	mov %rax, %dr6
2:	cmp $VEC_IRQ, %ecx
	jb 3f
	mov $LAPIC, %eax
	movl $0, 0xb0(%rax)
3:	mov SH_ON, %rax
	bt %rcx, %rax
	jnc leave64
	cmpl $LOG_EVENTS, SH_NR
	jae leave64
	cmp $32, %ecx
	jae 4f
	mov $TRAP_VECTORS, %eax
	bt %ecx, %eax
	jc 4f
	mov %rbp, 7 * 8(%rsp)
4:	pop %rdi
	pop %rbx
	pop %rdx
	pop %rcx
	pop %rax
	add $16, %rsp
	iretq

	.code32
common32:
	pushal
	push %ds
	push %es
	mov $SEL_DATA, %eax
	mov %eax, %ds
	/* es, ds, edi esi ebp esp ebx edx ecx eax, vector, error, eip, cs, eflags, ... */
	mov SH_NR, %edi
	shl $8, %edi
	add $LOG, %edi
	incl SH_NR
	mov 9 * 4(%esp), %eax
	mov %eax, 0 * 8(%edi)
	mov 8 * 4(%esp), %eax
	mov %eax, 1 * 8(%edi)
	mov %edx, 2 * 8(%edi)
	mov %ebx, 3 * 8(%edi)
	mov %ebp, 5 * 8(%edi)
	mov %esi, 6 * 8(%edi)
	mov 2 * 4(%esp), %eax
	mov %eax, 7 * 8(%edi)
	mov 10 * 4(%esp), %ecx
	mov %ecx, EV_VECTOR(%edi)
	mov 11 * 4(%esp), %eax
	mov %eax, EV_ERROR(%edi)
	mov 12 * 4(%esp), %eax
	mov %eax, EV_RIP(%edi)
	mov 13 * 4(%esp), %eax
	mov %eax, EV_CS(%edi)
	mov 0 * 4(%esp), %eax
	mov %eax, EV_ES(%edi)
	mov 1 * 4(%esp), %eax
	mov %eax, EV_DS(%edi)
	mov %fs, EV_FS(%edi)
	mov %gs, EV_GS(%edi)
	movl $32, EV_BITS(%edi)
	pushfl
	popl %eax
	mov %eax, EV_HFLAGS(%edi)
	mov 14 * 4(%esp), %eax
	mov %eax, EV_FLAGS(%edi)
	test $0x20000, %eax
	jnz from_vm86
	testb $3, EV_CS(%edi)
	jnz from_outside
	/* No stack switch. */
	lea 15 * 4(%esp), %eax
	mov %eax, 4 * 8(%edi)
	mov %ss, EV_SS(%edi)
	jmp 1f
from_vm86:
	mov 17 * 4(%esp), %eax
	mov %eax, EV_ES(%edi)
	mov 18 * 4(%esp), %eax
	mov %eax, EV_DS(%edi)
	mov 19 * 4(%esp), %eax
	mov %eax, EV_FS(%edi)
	mov 20 * 4(%esp), %eax
	mov %eax, EV_GS(%edi)
from_outside:
	mov 15 * 4(%esp), %eax
	mov %eax, 4 * 8(%edi)
	mov 16 * 4(%esp), %eax
	mov %eax, EV_SS(%edi)
1:	cmp $14, %ecx
	jne 2f
	mov %cr2, %eax
	mov %eax, EV_CR2(%edi)
2:	cmp $1, %ecx
	jne 3f
	mov %dr6, %eax
	mov %eax, EV_DR6(%edi)
	mov $DR6_FIXED, %eax
	mov %eax, %dr6
3:	cmp $VEC_IRQ, %ecx
	jb 4f
	movl $0, LAPIC + 0xb0
4:	bt %ecx, SH_ON
	jnc leave32
	cmpl $LOG_EVENTS, SH_NR
	jae leave32
	cmp $32, %ecx
	jae 5f
	mov $TRAP_VECTORS, %eax
	bt %ecx, %eax
	jc 5f
	mov %ebp, 12 * 4(%esp)
5:	pop %es
	pop %ds
	popal
	add $8, %esp
	iret

.macro stubs bits, word
	.code\bits
	.globl stubs\bits
	.balign 16
stubs\bits:
	.set vector, 0
	.rept NR_VECTORS
	.balign 16
	.if !(vector < 32 && ((ERROR_VECTORS >> (vector & 31)) & 1))
	push\word $0
	.endif
	push\word $vector
	jmp common\bits
	.set vector, vector + 1
	.endr
.endm

	stubs 64, q
	stubs 32, l

	.section .note.GNU-stack, "", @progbits
