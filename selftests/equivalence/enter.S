/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Into a case and back. enter_case() loads what the shared block says and goes
 * there by an IRET of the case's mode; a trap (trap.S) that ends the case comes
 * back through leave32, leave64 or leave16, and enter_case() returns.
 */
#include "layout.h"

#define CR0_PE		1
#define CR4_PCIDE_BIT	17
#define MSR_EFER	0xc0000080

	.text
	.code32
	.globl enter_case
enter_case:
	pushal
	mov %esp, SH_ESP
	lgdt gdtr
	cmpl $HOW_REAL, SH_HOW
	je to_real

	mov SH_CR4, %eax
	mov %eax, %cr4
	mov SH_CR3, %eax
	mov %eax, %cr3
	mov $MSR_EFER, %ecx
	mov SH_EFER, %eax
	xor %edx, %edx
	test %eax, %eax
	jz 1f
	wrmsr
1:	mov SH_CR0, %eax
	mov %eax, %cr0
	cmpl $HOW_LONG, SH_HOW
	je to_long
	cmpl $HOW_VM86, SH_HOW
	je to_vm86

	lidt idtr32
	mov $SEL_TSS32, %eax
	ltr %ax
	mov SH_CS, %eax
	test $3, %al
	jnz 2f
	/* Ring 0 to ring 0: the new stack first, IRET takes three words from it. */
	mov SH_REGS + 4 * 8, %ecx
	mov SH_SS, %edx
	mov %edx, %ss
	mov %ecx, %esp
	jmp 3f
2:	pushl SH_SS
	pushl SH_REGS + 4 * 8
3:	pushl SH_FLAGS
	pushl SH_CS
	pushl SH_RIP
	mov SH_REGS + 1 * 8, %ecx
	mov SH_REGS + 2 * 8, %edx
	mov SH_REGS + 3 * 8, %ebx
	mov SH_REGS + 5 * 8, %ebp
	mov SH_REGS + 6 * 8, %esi
	mov SH_REGS + 7 * 8, %edi
	mov SH_FS, %eax
	mov %eax, %fs
	mov %eax, %gs
	mov SH_DS, %eax
	mov %eax, %es
	pushl SH_REGS
	mov %eax, %ds
	popl %eax
	iret

to_vm86:
	lidt idtr32
	mov $SEL_TSS32, %eax
	ltr %ax
	pushl $0
	pushl $0
	pushl SH_DS
	pushl SH_DS
	pushl SH_SS
	pushl SH_REGS + 4 * 8
	pushl SH_FLAGS
	pushl SH_CS
	pushl SH_RIP
	mov SH_REGS + 0 * 8, %eax
	mov SH_REGS + 1 * 8, %ecx
	mov SH_REGS + 2 * 8, %edx
	mov SH_REGS + 3 * 8, %ebx
	mov SH_REGS + 5 * 8, %ebp
	mov SH_REGS + 6 * 8, %esi
	mov SH_REGS + 7 * 8, %edi
	iret

to_long:
	lidt idtr64
	ljmp $SEL_CODE64, $1f
	.code64
1:	mov $SEL_TSS64, %eax
	ltr %ax
	mov SH_DS, %eax
	mov %eax, %ds
	mov %eax, %es
	mov SH_FS, %eax
	mov %eax, %fs
	mov %eax, %gs
	mov $SEL_DATA, %eax
	mov %eax, %ss
	mov SH_SS, %eax
	push %rax
	pushq SH_REGS + 4 * 8
	pushq SH_FLAGS
	mov SH_CS, %eax
	push %rax
	pushq SH_RIP
	mov SH_REGS + 0 * 8, %rax
	mov SH_REGS + 1 * 8, %rcx
	mov SH_REGS + 2 * 8, %rdx
	mov SH_REGS + 3 * 8, %rbx
	mov SH_REGS + 5 * 8, %rbp
	mov SH_REGS + 6 * 8, %rsi
	mov SH_REGS + 7 * 8, %rdi
	mov SH_REGS + 8 * 8, %r8
	mov SH_REGS + 9 * 8, %r9
	mov SH_REGS + 10 * 8, %r10
	mov SH_REGS + 11 * 8, %r11
	mov SH_REGS + 12 * 8, %r12
	mov SH_REGS + 13 * 8, %r13
	mov SH_REGS + 14 * 8, %r14
	mov SH_REGS + 15 * 8, %r15
	iretq

	.globl leave64
leave64:
	pushq $SEL_CODE32
	mov $leave32, %eax
	push %rax
	lretq

	/* Back in 32-bit code, perhaps with paging: everything as the monitor had it. */
	.code32
	.globl leave32
leave32:
	mov $SEL_DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	mov SH_ESP, %esp
	/* Long mode cannot be left with CR4.PCIDE set. */
	mov %cr4, %eax
	btr $CR4_PCIDE_BIT, %eax
	jnc 1f
	mov %eax, %cr4
1:	mov $CR0_PE, %eax
	mov %eax, %cr0
	mov $MSR_EFER, %ecx
	xor %eax, %eax
	xor %edx, %edx
	cmpl $0, SH_EFER
	je 1f
	wrmsr
1:	xor %eax, %eax
	mov %eax, %cr3
	mov %eax, %cr4
	mov %eax, %fs
	mov %eax, %gs
	lldt %ax
	/* Both TSS are to be available again. */
	andb $~2, GDT + SEL_TSS32 + 5
	andb $~2, GDT + SEL_TSS64 + 5
	pushl $0
	popfl
	lgdt gdtr
	lidt idtr32
	popal
	ret

to_real:
	lidt idtr16
	mov $SEL_DATA16, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %fs
	mov %eax, %gs
	mov %eax, %ss
	ljmp $SEL_LOW16, $0 /* low_code */

	.section .rodata
	.balign 8
	.globl gdtr
gdtr:	.word GDT_SIZE - 1
	.long GDT, 0
idtr32:	.word NR_VECTORS * 8 - 1
	.long IDT32
idtr64:	.word NR_VECTORS * 16 - 1
	.long IDT64, 0
idtr16:	.word 0x3ff
	.long 0

	.section .note.GNU-stack, "", @progbits
