/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Descriptor tables and what is said about selectors: LGDT and its kin, LTR, LLDT,
 * LAR, LSL, VERR, VERW, ARPL.
 */
#include "case.inc"

/* Every selector of the GDT: the flags' ZF and the result. */
.macro ASK op, mode, ring, name
CASE \op-\name mode=\mode, ring=\ring
	mov $DATA, %edi
	xor %ebx, %ebx
1:	xor %eax, %eax
	.ifc \op, lar
	lar %ebx, %eax
	.endif
	.ifc \op, lsl
	lsl %ebx, %eax
	.endif
	.ifc \op, verr
	verr %bx
	.endif
	.ifc \op, verw
	verw %bx
	.endif
	setz %cl
	mov %eax, (%edi)
	mov %cl, 4(%edi)
	add $5, %edi
	add $8, %ebx
	cmp $0x208, %ebx
	jb 1b
ENDC
CASE \op-rpl3-\name mode=\mode, ring=\ring
	mov $DATA, %edi
	mov $3, %ebx
1:	xor %eax, %eax
	.ifc \op, lar
	lar %ebx, %eax
	.endif
	.ifc \op, lsl
	lsl %ebx, %eax
	.endif
	.ifc \op, verr
	verr %bx
	.endif
	.ifc \op, verw
	verw %bx
	.endif
	setz %cl
	mov %eax, (%edi)
	mov %cl, 4(%edi)
	add $5, %edi
	add $8, %ebx
	cmp $0x208, %ebx
	jb 1b
ENDC
.endm

.irp op, lar, lsl, verr, verw
	ASK \op, PM32, 0, pm32
	ASK \op, PM32, 3, pm32-user
	ASK \op, LONG, 0, long
	ASK \op, LONG, 3, long-user
.endr

CASE lar-real-mode mode=REAL
	lar %ax, %bx
ENDC
CASE lsl-vm86 mode=VM86, fl=FL_IOPL
	lsl %ax, %bx
ENDC
CASE verr-vm86 mode=VM86, fl=FL_IOPL
	verr %ax
ENDC
CASE arpl-raises mode=PM32
	mov $0x10, %eax
	mov $0x13, %ecx
	arpl %cx, %ax
ENDC
CASE arpl-leaves mode=PM32
	mov $0x12, %eax
	mov $0x11, %ecx
	arpl %cx, %ax
ENDC
CASE arpl-real-mode mode=REAL
	arpl %cx, %ax
ENDC

.macro TR name, sel, mode=PM32, ring=0
CASE ltr-\name mode=\mode, ring=\ring
	mov $\sel, %eax
	ltr %ax
	str %ecx
ENDC
.endm

TR null, 0
TR data, SEL_DATA
TR beyond, SEL_BEYOND
TR busy, SEL_TSS32
TR another, SEL_TSS_OTHER
TR sixteen-bit, SEL_TSS_16
TR user, SEL_TSS_OTHER, PM32, 3
TR long-32-bit-tss, SEL_TSS_16, LONG
TR long-busy, SEL_TSS64, LONG
TR real-mode, SEL_TSS_OTHER, REAL

.macro LD name, sel, mode=PM32, ring=0
CASE lldt-\name mode=\mode, ring=\ring
	mov $\sel, %eax
	lldt %ax
	sldt %ecx
ENDC
.endm

LD null, 0
LD null-rpl, 3
LD table, SEL_LDT
LD data, SEL_DATA
LD beyond, SEL_BEYOND
LD local-bit, 0xc
LD user, SEL_LDT, PM32, 3
LD long, SEL_LDT, LONG
LD real-mode, SEL_LDT, REAL
PRE mode=PM32
	andb $0x7f, GDT + SEL_LDT + 5
ENDC
LD absent, SEL_LDT
PRE mode=LONG
	movl $0x8000, GDT + SEL_LDT + 8
ENDC
LD long-non-canonical, SEL_LDT, LONG

CASE sgdt-sidt-pm32 mode=PM32
	sgdt DATA
	sidt DATA + 0x10
ENDC
CASE sgdt-sidt-pm16 mode=PM16
	sgdt 0
	sidt 0x10
ENDC
CASE sgdt-sidt-real mode=REAL
	sgdt 0
	sidt 0x10
ENDC
CASE lgdt-16-bit-base mode=PM16
	sgdt 0
	movb $0x12, 5
	lgdtw 0
	sgdt 0x10
ENDC
CASE lgdt-32-bit-base mode=PM32
	sgdt DATA
	mov $0x12, %al
	xchg %al, DATA + 5
	lgdt DATA
	sgdt DATA + 0x10
	xchg %al, DATA + 5
	lgdt DATA
ENDC
CASE lidt-16-bit-base mode=PM16
	sidt 0
	mov $0x12, %al
	xchg %al, 5
	lidtw 0
	sidt 0x10
	xchg %al, 5
	lidtl 0
ENDC
CASE lgdt-limit-takes-effect mode=PM32
	sgdt DATA
	movw $SEL_UDATA + 4, DATA
	lgdt DATA
	mov $SEL_UDATA, %eax
	mov %eax, %es
	mov $SEL_CONFORMING, %eax
	mov %eax, %es
ENDC
CASE lgdt-non-canonical need=NEED_INTEL
	sgdt DATA
	movl $0x8000, DATA + 6
	lgdt DATA
ENDC
CASE lidt-limit-takes-effect
	sidt DATA
	movw $VEC_DONE * 16 + 15, DATA
	lidt DATA
	int $VEC_DPL0
ENDC
CASE lgdt-operand-absent
	movl $0, PTE64(1)
	lgdt PAGE(1)
ENDC
CASE sgdt-operand-read-only cr0=CR0_WP
	movl $PAGE(1) + 1, PTE64(1)
	sgdt PAGE(1)
ENDC
CASE lgdt-register-is-undefined
	.byte 0x0f, 0x01, 0xd7
ENDC
CASE invlpg-non-canonical
	movabs $0x800000000000, %rax
	invlpg (%rax)
ENDC
CASE invlpg-register
	.byte 0x0f, 0x01, 0xff
	nop
ENDC

	.section .note.GNU-stack, "", @progbits
