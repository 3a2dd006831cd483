/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Code that changes itself: on its own page, through another address, across pages,
 * from user mode, and by string instructions. IMM is the immediate of a MOV.
 */
#include "case.inc"

.macro SMC name, mode=LONG, ring=0
CASE smc-\name, mode=\mode, ring=\ring
.endm

SMC next-instruction
	movl $0x77, 1f + 1 - 8882b + CODE
1:	mov $0x11, %ecx
ENDC
SMC next-instruction-user, ring=3
	movl $0x77, 1f + 1 - 8882b + CODE
1:	mov $0x11, %ecx
ENDC
SMC through-alias
	movl $0x77, 1f + 1 - 8882b + ALIAS
1:	mov $0x11, %ecx
ENDC
SMC executed-before
	xor %edx, %edx
2:	mov $0x11, %ecx
	test %edx, %edx
	jnz 1f
	inc %edx
	movl $0x77, 2b + 1 - 8882b + CODE
	jmp 2b
1:	nop
ENDC
SMC executed-before-through-alias
	xor %edx, %edx
2:	mov $0x11, %ecx
	test %edx, %edx
	jnz 1f
	inc %edx
	movl $0x77, 2b + 1 - 8882b + ALIAS
	jmp 2b
1:	nop
ENDC
SMC runs-in-the-alias
	mov $1f - 8882b + ALIAS, %eax
	jmp *%rax
1:	movl $0x77, 2f + 1 - 8882b + CODE
2:	mov $0x11, %ecx
	lea (%rip), %rdx
ENDC
SMC by-rep-movs
	mov $A(3f), %esi
	mov $A(1f), %edi
	mov $5, %ecx
	rep movsb
1:	mov $0x11, %edx
	int $VEC_DONE
3:	mov $0x77, %edx
ENDC
SMC rep-stos-over-itself
	mov $A(1f), %edi
	mov $0x90, %al
	mov $8, %ecx
1:	rep stosb
	.rept 16
	nop
	.endr
ENDC
SMC writes-a-test-page-and-calls-it
	movl $0x77b8, PAGE(1)
	movl $0xc30000, PAGE(1) + 3
	mov $PAGE(1), %ebx
	call *%rbx
	movl $0x99b8, PAGE(1)
	movl $0xc30000, PAGE(1) + 3
	mov %eax, %ecx
	call *%rbx
ENDC
SMC instruction-across-pages
	movb $0xb8, PAGE(2) - 2
	movl $0x77, PAGE(2) - 1
	movb $0xc3, PAGE(2) + 3
	mov $PAGE(2) - 2, %ebx
	call *%rbx
	mov %eax, %ecx
	movb $0x55, PAGE(2) + 1
	call *%rbx
ENDC
SMC second-page-absent
	movb $0xb8, PAGE(2) - 2
	movl $0, PTE64(2)
	invlpg PAGE(2)
	mov $PAGE(2) - 2, %ebx
	call *%rbx
ENDC
SMC new-code-after-remap
	movl $0x77b8, PAGE(1)
	movl $0xc30000, PAGE(1) + 3
	movl $0x99b8, PAGE(2)
	movl $0xc30000, PAGE(2) + 3
	mov $PAGE(1), %ebx
	call *%rbx
	mov %eax, %ecx
	movl $PAGE(2) + 7, PTE64(1)
	invlpg (%rbx)
	call *%rbx
ENDC
SMC pm32, mode=PM32
	movl $0x77, 1f + 1 - 8882b + CODE
1:	mov $0x11, %ecx
ENDC
SMC p32-through-alias, mode=P32
	movl $0x77, 1f + 1 - 8882b + ALIAS
1:	mov $0x11, %ecx
ENDC
SMC real, mode=REAL
	mov %cs, %ax
	mov %ax, %ds
	movw $0x77, O(1f) + 1
1:	mov $0x11, %cx
ENDC
SMC locked-cmpxchg
	mov $0x11, %eax
	mov $0x77, %edx
	lock cmpxchg %edx, 1f + 1 - 8882b + CODE
1:	mov $0x11, %ecx
ENDC

	.section .note.GNU-stack, "", @progbits
