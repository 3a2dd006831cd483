/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hardware task switches that succeed: by JMP, CALL, IRET and through task gates, in
 * the GDT and the IDT, between tasks of all kinds.
 */
#include "task.inc"

/* ------------------------------------------------------------ there, and back */

.macro GOES name, mode=PM32, ring=0, fl=0, insn:req
PRE mode=\mode
	TASK_OF \mode
ENDC
CASE task-\name, mode=\mode, ring=\ring, fl=(\fl)
	\insn
TARGET
	SHOW_TASK
ENDC
.endm

.macro RETURNS name, mode=PM32, ring=0, fl=0, insn:req
PRE mode=\mode
	TASK_OF \mode
	TASK_VECTOR VEC_TASK
	TASK_VECTOR 3
ENDC
CASE task-\name-and-back, mode=\mode, ring=\ring, fl=(\fl)
	\insn
	mov %ss, %edx
	.if \ring == 0
	xor %eax, %eax
	str %ax
	mov %cr0, %ecx
	.endif
	int $VEC_DONE
TARGET
	incl DATA
	iret
ENDC
.endm

GOES jmp insn=RUN(ljmp $SEL_TSS_OTHER, $0x1234)
GOES call insn=RUN(lcall $SEL_TSS_OTHER, $0x1234)
GOES jmp-by-gate insn=RUN(ljmp $SEL_TASK_GATE, $0)
GOES call-by-gate insn=RUN(lcall $SEL_TASK_GATE, $0)
GOES jmp-by-gate-from-user ring=3 insn=RUN(ljmp $SEL_TASK_GATE, $0)
GOES call-by-gate-from-user ring=3 fl=FL_IF insn=RUN(lcall $SEL_TASK_GATE, $0)
GOES jmp-from-user ring=3 insn=RUN(ljmp $SEL_TSS_OTHER, $0)
GOES call-by-gate-from-ring1 ring=1 insn=RUN(lcall $SEL_TASK_GATE, $0)
GOES jmp-with-nt fl=FL_NT|FL_IOPL insn=RUN(ljmp $SEL_TSS_OTHER, $0)
GOES call-with-flags fl=FL_CF|FL_ZF|FL_DF|FL_OF|FL_AC insn=RUN(lcall $SEL_TSS_OTHER, $0)
GOES jmp-p32 mode=P32 insn=RUN(ljmp $SEL_TSS_OTHER, $0)
GOES call-p32-from-user mode=P32 ring=3 insn=RUN(lcall $SEL_TASK_GATE, $0)
GOES jmp-pae mode=PAE insn=RUN(ljmp $SEL_TSS_OTHER, $0)
GOES call-with-shadow insn=RUN(sti; lcall $SEL_TSS_OTHER, $0)

OTHER_TASK
CASE task-loads-all-registers, mode=PM32
	.irp reg, 0, 1, 2, 3, 5, 6, 7
	movl $0xabcd0101 + 0x11 * \reg, TSS(TSS_EAX) + 4 * \reg
	.endr
	ljmp $SEL_TSS_OTHER, $0
TARGET
	nop
ENDC
RETURNS call insn=RUN(lcall $SEL_TSS_OTHER, $0)
RETURNS call-by-gate insn=RUN(lcall $SEL_TASK_GATE, $0)
RETURNS call-by-gate-from-user ring=3 insn=RUN(lcall $SEL_TASK_GATE, $0)
RETURNS call-p32 mode=P32 ring=3 insn=RUN(lcall $SEL_TASK_GATE, $0)
RETURNS call-pae mode=PAE insn=RUN(lcall $SEL_TSS_OTHER, $0)
RETURNS int insn=RUN(int $VEC_TASK)
RETURNS int-from-user ring=3 fl=FL_IF insn=RUN(int $VEC_TASK)
RETURNS int-p32 mode=P32 ring=3 insn=RUN(int $VEC_TASK)
RETURNS int-pae mode=PAE insn=RUN(int $VEC_TASK)
RETURNS int3 insn=RUN(int3)
RETURNS int3-from-user ring=3 insn=RUN(int3)
RETURNS call-with-nt fl=FL_NT|FL_CF insn=RUN(lcall $SEL_TSS_OTHER, $0)

OTHER_TASK
CASE task-called-twice, mode=PM32
	lcall $SEL_TSS_OTHER, $0
	lcall $SEL_TSS_OTHER, $0
	mov TSS(TSS_EIP), %eax
	mov GDT_OF(SEL_TSS_OTHER) + 4, %ecx
	int $VEC_DONE
TARGET
1:	incl DATA
	iret
	incl DATA + 4
	jmp 1b
ENDC
PRE mode=PM32
	IS_TASK
	IS_TASK16 cs=SEL_CODE16
	movw $GATE_TARGET + 0x80, T16(0x0e)
ENDC
CASE task-nested-three-deep, mode=PM32
	lcall $SEL_TSS_OTHER, $0
	mov GDT_OF(SEL_TSS_16) + 4, %eax
	int $VEC_DONE
TARGET
	incl DATA
	lcall $SEL_TSS_16, $0
	mov T16(0), %eax
	incl DATA + 4
	iret
	.org 8882b + GATE_TARGET + 0x80
	.code16
	incl %ds:(DATA & 0xf000)
	/* QEMU's IRET stores the flags as they were at the start of its block: a new block. */
	jmp 1f
1:	iret
	.code32
ENDC

/* --------------------------------------------------------------- kinds of tasks */

OTHER_TASK PM32, SEL_UCODE32, SEL_UDATA, SEL_UDATA, 0, 0, 0x3202, STACK3
CASE task-in-ring3, mode=PM32
	ljmp $SEL_TSS_OTHER, $0
TARGET
	mov %ss, %eax
	mov %ds, %ecx
	mov %cs, %edx
ENDC
OTHER_TASK PM32, SEL_CONFORMING | 3, SEL_UDATA, SEL_UDATA, 0, 0, 2, STACK3
/* QEMU takes the interrupt's ring from the code segment. */
CASE task-in-ring3-on-conforming-code, mode=PM32, need=NEED_INTEL
	ljmp $SEL_TSS_OTHER, $0
TARGET
	mov %cs, %eax
	mov %ss, %ecx
	cli
ENDC
OTHER_TASK PM32, SEL_CODE_R1, SEL_DATA_R1, SEL_DATA_R1, 0, 0, 0x1002, STACK1
CASE task-in-ring1, mode=PM32
	lcall $SEL_TSS_OTHER, $0
TARGET
	cli
	mov %cs, %eax
ENDC
OTHER_TASK PM32, SEL_CODE32, SEL_DATA, 0x0c, 0x17, SEL_LDT
CASE task-with-ldt, mode=PM32
	ljmp $SEL_TSS_OTHER, $0
TARGET
	sldt %ax
	mov %ds, %ecx
	mov %fs, %edx
	mov %gs:0, %bl
ENDC
OTHER_TASK PM32, SEL_CODE32, SEL_DATA, SEL_FRESH_DATA, 0, 0
CASE task-marks-segments-accessed, mode=PM32
	movl $SEL_FRESH_CODE, TSS(TSS_CS)
	ljmp $SEL_TSS_OTHER, $0
TARGET
	nop
ENDC
OTHER_TASK PM32, SEL_CODE32, SEL_DATA, SEL_DATA, 0, 0, 0xffd7ffff & ~0x20300
CASE task-flags-that-exist, mode=PM32
	ljmp $SEL_TSS_OTHER, $0
TARGET
	nop
ENDC
OTHER_TASK PM32, CODE >> 4, STACKS >> 4, DATA >> 4, 0x1234, 0, FL_VM | FL_IOPL | 2, 0xe000
CASE task-in-vm86, mode=PM32
	movl $GATE_TARGET, TSS(TSS_EIP)
	ljmp $SEL_TSS_OTHER, $0
TARGET
	.code16
	mov %cs, %ax
	mov %fs, %cx
	push %dx
	mov 0, %ebx
ENDC
PRE mode=PM32
	IS_TASK
	TASK_VECTOR VEC_TASK
ENDC
CASE task-int-from-vm86, mode=VM86, fl=FL_IOPL
	int $VEC_TASK
TARGET
	.code32
	SHOW_TASK
ENDC
PRE mode=PM32
	IS_TASK
	TASK_VECTOR VEC_TASK
ENDC
CASE task-int-from-vm86-and-back, mode=VM86, fl=FL_IOPL
	int $VEC_TASK
	mov %cs, %ax
	int $VEC_DONE
TARGET
	.code32
	mov %ds, %eax
	iret
ENDC
PRE mode=PM32
	IS_TASK
ENDC
CASE task-call-from-pm16, mode=PM16
	lcall $SEL_TSS_OTHER, $0
	mov %cs, %ax
	int $VEC_DONE
TARGET
	.code32
	incl DATA
	iret
ENDC

.macro SIXTEEN name, insn:req
PRE mode=PM32
	IS_TASK16
ENDC
CASE task16-\name, mode=PM32, mask=0xffff
	\insn
	movzwl %ax, %eax
	int $VEC_DONE
TARGET
	.code16
	str %dx
	mov %fs, %bx
	mov %ss, %si
	mov %sp, %bp
	WIDEN
.endm

SIXTEEN jmp RUN(ljmp $SEL_TSS_16, $0)
ENDC
SIXTEEN call RUN(lcall $SEL_TSS_16, $0)
ENDC
SIXTEEN call-and-back RUN(lcall $SEL_TSS_16, $0)
	iret
ENDC
OTHER_TASK
CASE task16-to-32, mode=PM32
	mov $SEL_TSS_16, %eax
	ltr %ax
	lcall $SEL_TSS_OTHER, $0
TARGET
	SHOW_TASK
ENDC
OTHER_TASK
CASE task16-to-32-and-back, mode=PM16, fl=FL_CF
	mov $SEL_TSS_16, %ax
	ltr %ax
	lcall $SEL_TSS_OTHER, $0
	WIDEN
	int $VEC_DONE
TARGET
	.code32
	incl DATA
	iret
ENDC
