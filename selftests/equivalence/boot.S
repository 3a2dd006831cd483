/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How the image is started: by a PVH note (the launcher, QEMU) or a multiboot
 * header (QEMU, mboot.c32), both in flat 32-bit protected mode without paging.
 */
#include "layout.h"

#define MULTIBOOT_MAGIC	0x1badb002
#define MULTIBOOT_STARTED 0x2badb002 /* then EAX says so */
#define MULTIBOOT_CMDLINE 16
#define PVH_CMDLINE	24

	.section .multiboot, "a"
	.balign 4
	.long MULTIBOOT_MAGIC, 0, -MULTIBOOT_MAGIC

	.section .note.pvh, "a", @note
	.balign 4
	.long 2f - 1f, 4, 18 /* XEN_ELFNOTE_PHYS32_ENTRY */
1:	.asciz "Xen"
2:	.balign 4
	.long start

	.text
	.globl start
start:
	cli
	cld
	mov $monitor_stack, %esp
	mov PVH_CMDLINE(%ebx), %esi
	cmp $MULTIBOOT_STARTED, %eax
	jne 1f
	mov MULTIBOOT_CMDLINE(%ebx), %esi
1:	lgdt boot_gdtr
	ljmp $SEL_CODE32, $1f
1:	mov $SEL_DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %ss
	xor %eax, %eax
	mov %eax, %fs
	mov %eax, %gs
	push $0
	popf
	push %esi
	call monitor
1:	hlt
	jmp 1b

	.section .rodata
	.balign 8
boot_gdt:
	.quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff
boot_gdtr:
	.word . - boot_gdt - 1
	.long boot_gdt

	.bss
	.balign 16
	.skip 0x4000
monitor_stack:

	.section .note.GNU-stack, "", @progbits
