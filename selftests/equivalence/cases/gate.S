/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Changes of privilege: call gates, interrupt and trap gates, far and interrupt
 * returns to each ring and to VM86. What a call gate leads to stands at GATE_TARGET.
 */
#include "case.inc"

.macro TARGET
	.org 8882b + GATE_TARGET, 0xcc
.endm

/* A far pointer in DATA. */
.macro FAR sel, offset=0
	movl $\offset, DATA
	movl $\sel, DATA + 4
.endm

.macro GATE name, sel, mode=PM32, ring=3
CASE call-gate-\name, mode=\mode, ring=\ring
	push $0x11
	push $0x22
	FAR \sel
	lcall *DATA
	nop
TARGET
	mov %cs, %eax
	mov %ss, %ecx
	mov (%esp), %edx
ENDC
.endm

GATE user-to-kernel SEL_GATE32
GATE two-parameters SEL_GATE32_2
GATE kernel-to-kernel SEL_GATE32 ring=0
GATE ring1-to-kernel SEL_GATE32 ring=1
GATE dpl-too-low SEL_GATE_DPL0
GATE absent SEL_GATE_ABSENT
GATE compat SEL_GATE64 mode=COMPAT
GATE gate32-in-long-mode SEL_GATE32 mode=COMPAT

CASE call-gate-16, mode=PM32, ring=3
	lcall $SEL_GATE16, $0
TARGET
	.code16
	mov %cs, %ax
	mov %sp, %cx
	ljmpl $SEL_CODE32, $A(1f)
	.code32
1:	nop
ENDC
CASE call-gate-64-from-user, ring=3
	FAR SEL_GATE64
	lcall *DATA
TARGET
	mov %cs, %eax
	mov %ss, %ecx
	mov (%rsp), %rdx
	mov 8(%rsp), %rsi
	mov 24(%rsp), %rdi
ENDC
CASE call-gate-64-and-back, ring=3
	FAR SEL_GATE64
	lcall *DATA
	mov %cs, %eax
	mov %ss, %ecx
	int $VEC_DONE
TARGET
	mov %cs, %edx
	lretq
ENDC
CASE call-gate-and-back, mode=PM32, ring=3
	push $0x11
	push $0x22
	lcall $SEL_GATE32_2, $0
	mov %cs, %eax
	int $VEC_DONE
TARGET
	mov 8(%esp), %ecx
	mov 12(%esp), %edx
	lret $8
ENDC
CASE call-gate-by-jump-to-inner-ring, mode=PM32, ring=3
	ljmp $SEL_GATE32, $0
ENDC
CASE call-gate-by-jump-same-ring, mode=PM32
	ljmp $SEL_GATE32, $0
TARGET
	mov %cs, %eax
ENDC
PRE mode=PM32
	movw $SEL_BEYOND, TSS32 + 16 /* ring 1 */
	movw $SEL_CODE_R1, GDT + (SEL_GATE32 & 0xf8) + 2
ENDC
CASE inner-stack-selector-beyond, mode=PM32, ring=3
	lcall $SEL_GATE32, $0
TARGET
	nop
ENDC
CASE far-call-conforming-keeps-ring, mode=PM32, ring=3
	lcall $SEL_CONFORMING, $A(1f)
1:	mov %cs, %eax
	pop %ecx
	pop %edx
ENDC
CASE far-call-and-return-16, mode=PM16
	lcall $SEL_CODE16, $O(1f)
	mov $2, %cx
	int $VEC_DONE
1:	mov $1, %dx
	lret
ENDC
CASE far-call-in-long-mode
	FAR SEL_CODE64, A(1f)
	lcall *DATA
1:	pop %rax
	pop %rcx
ENDC

.macro OUT name, cs, ss, mode=PM32
CASE far-return-to-\name, mode=\mode
	pushl $\ss
	pushl $STACK3 - 0x40
	pushl $\cs
	pushl $A(1f)
	lret
1:	mov %cs, %eax
	mov %ss, %ecx
ENDC
CASE iret-to-\name, mode=\mode
	pushl $\ss
	pushl $STACK3 - 0x40
	pushl $2 | FL_IOPL | FL_IF
	pushl $\cs
	pushl $A(1f)
	iret
1:	mov %cs, %eax
	mov %ss, %ecx
ENDC
.endm

OUT ring1 SEL_CODE_R1 SEL_DATA_R1
OUT ring2 SEL_CODE_R2 SEL_DATA_R2
OUT ring3 SEL_UCODE32 SEL_UDATA
OUT absent-code SEL_UCODE_ABSENT SEL_UDATA
OUT absent-stack SEL_UCODE32 SEL_ABSENT
OUT wrong-stack-ring SEL_UCODE32 SEL_DATA
OUT null-stack SEL_UCODE32 3
OUT null-code 0 SEL_UDATA
OUT data-as-code SEL_UDATA SEL_UDATA
OUT ring3-compat SEL_UCODE32 SEL_UDATA COMPAT

CASE far-return-clears-inner-data-segments, mode=PM32
	mov $SEL_DATA, %eax
	mov %eax, %fs
	mov $SEL_UDATA, %eax
	mov %eax, %gs
	pushl $SEL_UDATA
	pushl $STACK3 - 0x40
	pushl $SEL_UCODE32
	pushl $A(1f)
	lret
1:	nop
ENDC
CASE far-return-inward-refused, mode=PM32, ring=3
	pushl $SEL_CODE32
	pushl $A(1f)
	lret
1:	nop
ENDC

.macro OUT64 name, cs, ss, rip, need=0
CASE iretq-to-\name, need=\need
	pushq $\ss
	pushq $STACK3 - 0x40
	pushq $2 | FL_IOPL
	pushq $\cs
	movabs $\rip, %rax
	push %rax
	iretq
	.org 8882b + 0x200, 0xcc
	nop
ENDC
.endm

OUT64 ring3 SEL_UCODE64 SEL_UDATA CODE+0x200
OUT64 ring3-compat SEL_UCODE32 SEL_UDATA CODE+0x200
OUT64 ring3-null-stack SEL_UCODE64 3 CODE+0x200
OUT64 ring0-null-stack SEL_CODE64 0 CODE+0x200
OUT64 compat-null-stack SEL_CODE32 0 CODE+0x200
OUT64 non-canonical SEL_UCODE64 SEL_UDATA 0x800000000000
/* See far-jump-l-and-d. */
OUT64 both-l-and-d SEL_L_AND_D SEL_DATA CODE+0x200 NEED_INTEL

CASE iret-flags-of-user, ring=3
	mov %rsp, %rcx
	pushq $SEL_UDATA
	push %rcx
	pushq $FL_IOPL | FL_IF | FL_NT | FL_DF | 0x55
	pushq $SEL_UCODE64
	pushq $A(1f)
	iretq
1:	nop
ENDC
CASE iret-nested-task-in-long-mode, fl=FL_NT
	iretq
ENDC
CASE iret16-in-real-mode, mode=REAL
	pushf
	push %cs
	push $O(1f)
	iretw
1:	nop
ENDC

.macro VIA_INT name, vector, mode=PM32, ring=3, fl=FL_IF|FL_IOPL
CASE int-\name, mode=\mode, ring=\ring, fl=\fl
	int $\vector
	nop
ENDC
.endm

VIA_INT trap-gate-keeps-if VEC_TRAP_GATE
VIA_INT interrupt-gate-clears-if VEC_IST
VIA_INT conforming-gate-target VEC_CONFORMING
VIA_INT trap-gate-long VEC_TRAP_GATE LONG
VIA_INT ist VEC_IST LONG
VIA_INT ist-from-kernel VEC_IST LONG 0
VIA_INT from-compat VEC_TRAP_GATE COMPAT
VIA_INT from-ring1 VEC_TRAP_GATE PM32 1
VIA_INT clears-nt VEC_TRAP_GATE PM32 0 FL_NT
VIA_INT vm86 VEC_TRAP_GATE VM86 3
VIA_INT vm86-iopl0 VEC_TRAP_GATE VM86 3 0
VIA_INT real VEC_TRAP_GATE REAL 0 FL_IF

CASE int-gate16, mode=PM32
	int $VEC_GATE16
TARGET
	.code16
	ljmpl $SEL_CODE32, $A(1f)
	.code32
1:	nop
ENDC

	.section .note.GNU-stack, "", @progbits
