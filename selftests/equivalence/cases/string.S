/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * String instructions: overlapping and wrapping operands, both directions, ends in the
 * middle of a repetition by flags, limits and page faults.
 */
#include "case.inc"

.macro overlap op, step
CASE movs-\op-forward-overlap
	mov $DATA, %esi
	mov $DATA + \step, %edi
	mov $10, %ecx
	rep \op
ENDC
CASE movs-\op-backward-overlap
	std
	mov $DATA + 0x80, %esi
	mov $DATA + 0x80 - \step, %edi
	mov $10, %ecx
	rep \op
ENDC
CASE movs-\op-misaligned-overlap
	mov $DATA + 3, %esi
	mov $DATA + 4, %edi
	mov $7, %ecx
	rep \op
ENDC
.endm

overlap movsb, 1
overlap movsw, 2
overlap movsl, 4
overlap movsq, 8

.macro wraps mode, name
CASE movs-wraps-\name, mode=\mode, fl=FL_IOPL
	mov $0xfffd, %si
	mov $0x10, %di
	mov $6, %cx
	rep movsb
ENDC
CASE stos-wraps-\name, mode=\mode, fl=FL_IOPL
	mov $0xfffe, %di
	mov $4, %cx
	mov $0xee, %al
	rep stosb
ENDC
CASE lods-backwards-wraps-\name, mode=\mode, fl=FL_IOPL|FL_DF
	mov $1, %si
	mov $4, %cx
	rep lodsb
ENDC
CASE movsw-across-the-end-\name, mode=\mode, fl=FL_IOPL
	mov $0xffff, %si
	mov $0x10, %di
	movsw
ENDC
CASE scas-counts-cx-\name, mode=\mode, fl=FL_IOPL
	mov $0x20003, %ecx
	xor %edi, %edi
	mov $0xfe, %al
	repne scasb
ENDC
CASE addr32-string-\name, mode=\mode, fl=FL_IOPL
	mov $0x10, %esi
	mov $0x20, %edi
	mov $5, %ecx
	addr32 rep movsb
ENDC
.endm

wraps REAL, real
wraps VM86, vm86
wraps PM16, pm16

CASE movs-zero-count
	xor %ecx, %ecx
	rep movsb
ENDC

CASE movs-addr32-clears-upper-halves
	movabs $0x100000000, %rcx
	movabs $0x5500000000 + DATA, %rsi
	movabs $0x6600000000 + DATA + 64, %rdi
	addr32 rep movsb
	mov $3, %cl
	addr32 rep movsb
ENDC

CASE movs-fs-override
	mov $SEL_BASED, %eax
	mov %eax, %fs
	mov $4, %esi
	mov $DATA + 0x40, %edi
	mov $4, %ecx
	rep movsb %fs:(%rsi), (%rdi)
ENDC

.macro compares prefix, name, mode
CASE cmps-\prefix-\name, mode=\mode
	mov $DATA, %esi
	mov $DATA + 0x100, %edi
	movl $0x99, 5(%edi)
	mov $16, %ecx
	push %esi
	push %edi
	mov %edi, %edx
	pop %edi
	pop %esi
	cmp %eax, %eax
	\prefix cmpsb
ENDC
CASE scas-\prefix-\name, mode=\mode
	mov $DATA, %edi
	mov $35, %al
	mov $16, %ecx
	cmp %eax, %eax
	\prefix scasb
ENDC
.endm

compares repe, pm32, PM32
compares repne, pm32, PM32

.macro compares64 op, width
CASE \op-repe-\width
	mov $DATA, %esi
	mov $DATA + 0x80, %edi
	movsq
	movsq
	mov $DATA, %esi
	mov $DATA + 0x80, %edi
	mov $16, %ecx
	mov (%rsi), %rax
	repe \op\width
ENDC
.endm

.irp width, b, w, l, q
	compares64 cmps, \width
	compares64 scas, \width
.endr

CASE movs-fault-in-source
	movl $0, PTE64(2)
	invlpg PAGE(2)
	mov $PAGE(2) - 5, %esi
	mov $DATA, %edi
	mov $12, %ecx
	rep movsb
ENDC

CASE movs-fault-in-destination
	movl $0, PTE64(2)
	invlpg PAGE(2)
	mov $DATA, %esi
	mov $PAGE(2) - 20, %edi
	mov $12, %ecx
	rep movsl
ENDC

CASE movs-fault-inside-of-an-element
	movl $0, PTE64(2)
	invlpg PAGE(2)
	mov $DATA, %esi
	mov $PAGE(2) - 12, %edi
	mov $12, %ecx
	rep movsq
ENDC

CASE movs-goes-on-after-the-fault, on=ON(14)
	movl $0, PTE64(2)
	invlpg PAGE(2)
	mov $DATA, %esi
	mov $PAGE(2) - 5, %edi
	mov $12, %ecx
	mov $A(1f), %ebp
	rep movsb
1:	movl $PAGE(2) | PTE_P | PTE_W, PTE64(2)
	rep movsb
ENDC

CASE stos-fault-backward
	std
	movl $PAGE(2) | PTE_P, PTE64(2)
	invlpg PAGE(2)
	mov %cr0, %rax
	or $CR0_WP, %eax
	mov %rax, %cr0
	mov $PAGE(3) + 8, %edi
	mov $12, %ecx
	rep stosl
ENDC

CASE stos-limit-in-the-middle, mode=PM32, ring=3
	mov $SEL_SMALL, %eax
	mov %eax, %es
	mov $0xff6, %edi
	mov $12, %ecx
	rep stosl
ENDC

CASE movs-limit-of-the-source, mode=PM32, ring=3
	mov $SEL_SMALL, %eax
	mov %eax, %ds
	mov $0xffb, %esi
	mov $DATA + 0x40, %edi
	mov $12, %ecx
	rep movsb
ENDC

CASE xlat-and-lods
	mov $DATA, %ebx
	mov $0x22, %al
	xlat
	mov $DATA + 0x30, %esi
	lodsw
	lodsl
	lodsq
ENDC

CASE enter-leave-nested
	mov %rsp, %rbp
	enter $0x20, $3
	leave
ENDC

	.section .note.GNU-stack, "", @progbits
