/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The first process of the Linux that boot.c starts: tells the debug console the guest's clock
 * in 16 hexadecimal digits and a newline, by one instruction, and ends the machine.
 */
#include <asm/unistd.h>

#define DEBUG_CONSOLE	0xe9
#define DEBUG_EXIT	0xf4

	.globl _start
_start:
	rdtsc
	shl	$32, %rdx
	or	%rax, %rdx
	mov	%rdx, %rbx
	mov	$__NR_iopl, %eax
	mov	$3, %edi
	syscall
	lea	line(%rip), %rdi
	mov	$16, %ecx
1:	rol	$4, %rbx
	mov	%ebx, %eax
	and	$15, %eax
	lea	digits(%rip), %rsi
	mov	(%rsi, %rax), %al
	stosb
	loop	1b
	lea	line(%rip), %rsi
	mov	$17, %ecx
	mov	$DEBUG_CONSOLE, %edx
	rep outsb
	xor	%eax, %eax
	out	%al, $DEBUG_EXIT
2:	jmp	2b

	.section .rodata
digits:	.ascii	"0123456789abcdef"

	.data
line:	.ascii	"................\n"

	.section .note.GNU-stack, "", @progbits
