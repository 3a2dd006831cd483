/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Segment loads, what they check, and limits. QEMU looks at no limit: what would run or
 * write beyond one is for the Intel bed.
 */
#include "case.inc"

.macro LOAD name, sel, reg=ds, mode=PM32, ring=3
CASE load-\reg-\name, mode=\mode, ring=\ring
	mov $\sel, %eax
	mov %eax, %\reg
	mov %\reg, %ecx
ENDC
.endm

LOAD null, 0
LOAD null-with-rpl, 3
LOAD beyond-gdt, SEL_BEYOND
LOAD absent, SEL_ABSENT
LOAD kernel-data-from-user, SEL_DATA
LOAD read-only, SEL_READ_ONLY
LOAD exec-only, SEL_EXEC_ONLY
LOAD readable-code, SEL_UCODE32
LOAD conforming-code, SEL_CONFORMING
LOAD tss, SEL_TSS32
LOAD call-gate, SEL_GATE32
LOAD invalid-type, SEL_INVALID
LOAD ldt-without-ldtr, 0x17
LOAD dpl1-from-ring2, SEL_DATA_R1, es, PM32, 2
LOAD dpl2-from-ring1, SEL_DATA_R2, es, PM32, 1
LOAD rpl-weakens, 0x13, es, PM32, 0
LOAD null, 0, ss, PM32, 0
LOAD null-user, 3, ss, PM32, 3
LOAD absent, SEL_ABSENT, ss
LOAD wrong-rpl, 0x20, ss
LOAD read-only, SEL_READ_ONLY, ss
LOAD code, SEL_UCODE32, ss
LOAD kernel-data, SEL_DATA, ss
LOAD beyond-gdt, SEL_BEYOND, ss, PM32, 0
LOAD expand-down, SEL_EXPAND_DOWN, ss
LOAD null-long, 0, ss, LONG, 0
LOAD null-rpl1, 1, ss, LONG, 0
LOAD null-rpl3, 3, ss, LONG, 3
LOAD null-rpl0, 0, ss, LONG, 3
LOAD null-long, 0, ds, LONG, 3
LOAD exec-only-long, SEL_EXEC_ONLY, ds, LONG, 3
LOAD absent, SEL_ABSENT, gs, LONG, 3
LOAD null, 0, es, COMPAT, 3
LOAD accessed-bit, SEL_FRESH_DATA, fs, PM32, 0
LOAD accessed-bit-of-code, SEL_FRESH_CODE, fs, PM32, 0
LOAD accessed-bit, SEL_FRESH_DATA, gs, LONG, 0

.macro LIMIT name, sel, mode=PM32, ring=3, code:req
CASE limit-\name, mode=\mode, ring=\ring
	mov $\sel, %eax
	mov %eax, %fs
	\code
ENDC
.endm

LIMIT last-byte SEL_SMALL code=RUN(mov %fs:0xfff, %al)
LIMIT beyond SEL_SMALL code=RUN(mov %fs:0x1000, %al)
LIMIT straddled SEL_SMALL code=RUN(mov %fs:0xffd, %eax)
LIMIT write-straddled SEL_SMALL code=RUN(movl $0, %fs:0xffe)
LIMIT wraps-4g SEL_SMALL code=RUN(mov %fs:0xffffffff, %ax)
LIMIT based-wraps SEL_BASED code=RUN(mov %fs:0xfffe0000 + 0x20010, %eax)
LIMIT read-only-write SEL_READ_ONLY code=RUN(movl $0, %fs:DATA)
LIMIT code-write SEL_UCODE32 code=RUN(movl $0, %fs:DATA)
LIMIT code-read SEL_UCODE32 code=RUN(mov %fs:DATA, %eax)
LIMIT null-use 0 code=RUN(mov %fs:DATA, %eax)
LIMIT expand-down-below SEL_EXPAND_DOWN code=RUN(mov %fs:0x20fff, %al)
LIMIT expand-down-straddled SEL_EXPAND_DOWN code=RUN(mov %fs:0x20ffd, %eax)
LIMIT expand-down-above SEL_EXPAND_DOWN code=RUN(mov %fs:0x21000, %eax)
LIMIT expand-down-16-above SEL_DOWN16 code=RUN(mov %fs:0x1000, %eax)
LIMIT expand-down-16-end SEL_DOWN16 code=RUN(mov %fs:0xfffd, %eax)
LIMIT expand-down-16-below SEL_DOWN16 code=RUN(mov %fs:0xfff, %eax)
LIMIT zero-limit SEL_LIMIT0 ring=0 code=RUN(mov %fs:0, %al)
LIMIT zero-limit-word SEL_LIMIT0 ring=0 code=RUN(mov %fs:0, %ax)
LIMIT ignored-in-long-mode SEL_SMALL mode=LONG code=RUN(mov %fs:0x1000, %eax)
LIMIT kept-in-compat SEL_SMALL mode=COMPAT code=RUN(mov %fs:0x1000, %eax)
LIMIT write-to-read-only-in-long-mode SEL_READ_ONLY mode=LONG code=RUN(movl $0, %fs:DATA)
LIMIT read-through-exec-only-in-long-mode 0 mode=LONG code=RUN(mov %cs:DATA, %eax)

CASE limit-cs-jump, mode=PM16, need=NEED_INTEL
	jmp 1f
	.org 8882b + 0x200, 0xcc
1:	mov $0x10000, %eax
	addr32 jmp *%eax
ENDC
CASE limit-exec-only-read, mode=PM32, ring=3
	ljmp $SEL_EXEC_ONLY, $A(1f)
1:	mov %cs:DATA, %eax
ENDC
CASE limit-stack-push, mode=PM32, ring=3
	mov $SEL_SMALL, %eax
	mov %eax, %ss
	mov $0x1002, %esp
	push %eax
ENDC
CASE limit-stack-pop, mode=PM32, ring=3
	mov $SEL_SMALL, %eax
	mov %eax, %ss
	mov $0xffe, %esp
	pop %ecx
ENDC
CASE limit-stack-expand-down, mode=PM32, ring=3
	mov $SEL_EXPAND_DOWN, %eax
	mov %eax, %ss
	mov $0x21004, %esp
	push %eax
	push %eax
ENDC
CASE limit-stack-16-wraps, mode=PM16, ring=3, need=NEED_INTEL
	mov $2, %esp
	push %eax
ENDC
CASE limit-stack-16-ignores-esp, mode=PM16, ring=3
	mov $0x5000c000, %esp
	push %eax
	pop %ecx
	mov %esp, %edx
	mov $0xbf00, %esp
ENDC
CASE ldt-segments, mode=PM32
	mov $SEL_LDT, %eax
	lldt %ax
	mov $0x0c, %eax
	mov %eax, %fs
	mov $0x17, %eax
	mov %eax, %gs
	sldt %ecx
	mov %fs:DATA, %edx
	mov $0x1f, %eax
	mov %eax, %es
ENDC
CASE ldt-beyond, mode=PM32
	mov $SEL_LDT, %eax
	lldt %ax
	mov $0x24, %eax
	mov %eax, %es
ENDC
CASE lds-les, mode=PM32
	movl $0x1234, DATA
	movw $SEL_UDATA, DATA + 4
	les DATA, %ebx
	lfs DATA, %ecx
	lgs DATA, %edx
	lds DATA, %esi
ENDC
CASE lss-loads-both, mode=PM32
	movl $STACK_IST, DATA
	movw $SEL_DATA, DATA + 4
	lss DATA, %esp
	push %eax
ENDC
CASE les-faults-changes-nothing, mode=PM32
	movl $0x1234, DATA
	movw $SEL_ABSENT, DATA + 4
	les DATA, %ebx
ENDC
CASE push-pop-segments, mode=PM32
	push %ds
	push %fs
	mov $SEL_BASED, %eax
	push %eax
	pop %fs
	pop %gs
	pop %es
ENDC
CASE push-segment-upper-half, mode=PM32
	pushl $-1
	pop %eax
	push %ds
	mov (%esp), %ecx
	pop %es
ENDC
CASE mov-from-segment-to-memory, mode=PM32
	movl $-1, DATA
	mov %ds, DATA
	mov %cs, %ecx
ENDC
CASE far-jump-null, mode=PM32
	ljmp $0, $0
ENDC
CASE far-jump-data, mode=PM32
	ljmp $SEL_DATA, $0
ENDC
CASE far-jump-beyond, mode=PM32
	ljmp $SEL_BEYOND, $0
ENDC
CASE far-jump-other-ring, mode=PM32, ring=3
	ljmp $SEL_CODE32, $0
ENDC
CASE far-jump-conforming, mode=PM32, ring=3
	ljmp $SEL_CONFORMING, $A(1f)
1:	mov %cs, %eax
ENDC
CASE far-jump-conforming-inner, mode=PM32
	ljmp $SEL_CONFORMING3, $A(1f)
1:	mov %cs, %eax
ENDC
CASE far-jump-absent, mode=PM32, ring=3
	ljmp $SEL_UCODE_ABSENT, $0
ENDC
/* QEMU jumps there, and its VMRUN does not go on from there after an exit. */
CASE far-jump-l-and-d, mode=LONG, need=NEED_INTEL
	movl $A(1f), DATA
	movl $SEL_L_AND_D, DATA + 4
	ljmpl *DATA
1:	nop
ENDC
CASE far-jump-to-16-bit, mode=PM32
	ljmp $SEL_CODE16, $O(1f)
	.code16
1:	mov $0x1234, %ax
	ljmpl $SEL_CODE32, $A(2f)
	.code32
2:	mov %cs, %ecx
ENDC
CASE far-jump-accessed-bit-of-code, mode=PM32
	ljmp $SEL_FRESH_CODE, $A(1f)
1:	mov %cs, %ecx
ENDC
CASE far-jump-long-to-compat-and-back, mode=LONG
	movl $A(1f), DATA
	movl $SEL_CODE32, DATA + 4
	ljmpl *DATA
	.code32
1:	mov %cs, %ecx
	dec %eax
	ljmp $SEL_CODE64, $A(2f)
	.code64
2:	mov %cs, %edx
ENDC

	.section .note.GNU-stack, "", @progbits
