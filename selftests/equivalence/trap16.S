/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Real mode: the way into it and its interrupt handlers. All of this is copied to
 * LOW, where a 16-bit segment reaches it and the shared block.
 */
#include "layout.h"

#define SH(x) %cs:((x) - LOW)
#define DR6_FIXED 0xffff0ff0

	.section .low, "ax"
	.globl low_code, low_end, stubs16
low_code:
	.code16
	mov %cr0, %eax
	and $~1, %al
	mov %eax, %cr0
	ljmp $LOW_SEG, $(1f - low_code)
1:	movw SH(SH_SS), %ss
	movl SH(SH_REGS + 4 * 8), %esp
	pushw SH(SH_FLAGS)
	pushw SH(SH_CS)
	pushw SH(SH_RIP)
	movl SH(SH_REGS + 0 * 8), %eax
	movl SH(SH_REGS + 1 * 8), %ecx
	movl SH(SH_REGS + 2 * 8), %edx
	movl SH(SH_REGS + 3 * 8), %ebx
	movl SH(SH_REGS + 5 * 8), %ebp
	movl SH(SH_REGS + 6 * 8), %esi
	movl SH(SH_REGS + 7 * 8), %edi
	movw SH(SH_FS), %fs
	movw SH(SH_FS), %gs
	movw SH(SH_DS), %es
	movw SH(SH_DS), %ds
	iretw

common16:
	pushal
	/* edi esi ebp esp ebx edx ecx eax, vector, ip, cs, flags */
	movl %esp, %ebp
	movl SH(SH_NR), %edi
	shll $8, %edi
	addl $(LOG - LOW), %edi
	incl SH(SH_NR)
	movl 28(%bp), %eax
	movl %eax, %cs:0 * 8(%di)
	movl %ecx, %cs:1 * 8(%di)
	movl %edx, %cs:2 * 8(%di)
	movl %ebx, %cs:3 * 8(%di)
	leal 40(%ebp), %eax
	movl %eax, %cs:4 * 8(%di)
	movl 8(%bp), %eax
	movl %eax, %cs:5 * 8(%di)
	movl %esi, %cs:6 * 8(%di)
	movl 0(%bp), %eax
	movl %eax, %cs:7 * 8(%di)
	movzwl 32(%bp), %ecx
	movl %ecx, %cs:EV_VECTOR(%di)
	movzwl 34(%bp), %eax
	movl %eax, %cs:EV_RIP(%di)
	movw 36(%bp), %ax
	movw %ax, %cs:EV_CS(%di)
	movzwl 38(%bp), %eax
	movl %eax, %cs:EV_FLAGS(%di)
	movw %ss, %cs:EV_SS(%di)
	movw %ds, %cs:EV_DS(%di)
	movw %es, %cs:EV_ES(%di)
	movw %fs, %cs:EV_FS(%di)
	movw %gs, %cs:EV_GS(%di)
	movl $16, %cs:EV_BITS(%di)
	pushfl
	popl %eax
	movl %eax, %cs:EV_HFLAGS(%di)
	cmpw $1, %cx
	jne 1f
	movl %dr6, %eax
	movl %eax, %cs:EV_DR6(%di)
	movl $DR6_FIXED, %eax
	movl %eax, %dr6
1:	btl %ecx, SH(SH_ON)
	jnc leave16
	cmpl $LOG_EVENTS, SH(SH_NR)
	jae leave16
	cmpw $5, %cx
	jb 2f
	cmpw $32, %cx
	jae 2f
	movl %cs:5 * 8(%di), %eax
	movw %ax, 34(%bp)
2:	popal
	addw $2, %sp
	iretw

leave16:
	movl %cr0, %eax
	orb $1, %al
	movl %eax, %cr0
	lgdtl SH(low_gdtr - low_code + LOW)
	ljmpl $SEL_CODE32, $leave32

low_gdtr:
	.word GDT_SIZE - 1
	.long GDT

	.balign 16
stubs16:
	.set vector, 0
	.rept NR_VECTORS
	.balign 16
	pushw $vector
	jmp common16
	.set vector, vector + 1
	.endr
low_end:

	.section .note.GNU-stack, "", @progbits
