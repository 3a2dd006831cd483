/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events that switch tasks: exceptions with and without error codes, interrupts, NMIs;
 * and what a switch does to debugging.
 */
#include "task.inc"

/* ------------------------------------------------ exceptions through task gates */

/*
 * The task takes the error code, shows it, lets the old task go on at its EBP (as the
 * handlers of trap.S do), returns.
 */
.macro HANDLED name, vector, mode=PM32, ring=0, fl=0, error=1, need=0, insn:req
PRE mode=\mode
	TASK_OF \mode
	TASK_VECTOR \vector dpl=0
ENDC
CASE task-for-\name, mode=\mode, ring=\ring, fl=(\fl), need=\need
	mov $A(1f), %ebp
	\insn
	nop
1:	nop
	int $VEC_DONE
TARGET
	.if \error
	popl DATA
	.endif
	mov TSS32 + TSS_EIP, %eax
	mov %eax, DATA + 8
	mov %cr2, %eax
	mov %eax, DATA + 12
	mov TSS32 + TSS_FLAGS, %eax
	and $~FL_RF, %eax
	mov %eax, DATA + 16
	mov %eax, TSS32 + TSS_FLAGS
	mov %esp, DATA + 20
	mov TSS32 + 0x3c, %eax
	mov %eax, TSS32 + TSS_EIP
	iret
ENDC
.endm

HANDLED ud, 6, error=0, insn=RUN(ud2)
HANDLED ud-from-user, 6, ring=3, error=0, insn=RUN(ud2)
HANDLED de, 0, error=0, insn=RUN(xor %ecx, %ecx; div %ecx)
HANDLED gp, 13, insn=RUN(mov $SEL_CODE32, %eax; mov %eax, %ss)
HANDLED gp-from-user, 13, ring=3, fl=FL_IF, insn=RUN(hlt)
HANDLED gp-of-msr, 13, need=NEED_INTEL, insn=RUN(mov $0x12345678, %ecx; rdmsr)
HANDLED np, 11, insn=RUN(mov $SEL_ABSENT, %eax; mov %eax, %ds)
/* QEMU looks at no segment limit. */
HANDLED ss, 12, ring=3, need=NEED_INTEL, insn=RUN(mov $SEL_SMALL, %eax; mov %eax, %ss; \
	push 0x2000(%esp))
HANDLED pf, 14, mode=P32, insn=RUN(mov 0x800000, %eax)
HANDLED pf-from-user, 14, mode=PAE, ring=3, insn=RUN(mov %eax, 0x12345678)
HANDLED pf-of-fetch, 14, mode=P32, insn=RUN(mov $0x800000, %eax; jmp *%eax)
/* Segment not present, while #GP is delivered. */
HANDLED df, 8, insn=RUN(andb $0x7f, IDT32 + 0x6d; mov $SEL_CODE32, %eax; mov %eax, %ss)
HANDLED df-of-a-bad-stack, 8, need=NEED_INTEL, insn=RUN(mov $SEL_LIMIT0, %eax; \
	mov %eax, %ss; push %eax)
HANDLED int-without-right, 13, ring=3, insn=RUN(int $VEC_DPL0)

/* Its error code has two bytes on the stack of a 16-bit task. */
PRE mode=PM32
	IS_TASK16
	TASK_VECTOR 13, SEL_TSS_16, 0
ENDC
CASE task16-for-gp, mode=PM32
	mov $SEL_CODE32, %eax
	mov %eax, %ss
TARGET
	.code16
	pop %ax
	mov %sp, %cx
	WIDEN
ENDC

/* ---------------------------------------------------- interrupts, NMIs, #DB */

PRE mode=PM32
	IS_TASK
	TASK_VECTOR VEC_IRQ
ENDC
CASE task-for-interrupt, mode=PM32
	movl $0x40000 | VEC_IRQ, LAPIC + 0x300
	sti
	nop
	nop
	cli
	str %ax
	int $VEC_DONE
TARGET
	movl $0, LAPIC + 0xb0
	mov TSS32 + TSS_EIP, %eax
	mov %eax, DATA
	mov TSS32 + TSS_FLAGS, %eax
	mov %eax, DATA + 4
	iret
ENDC
PRE mode=PM32
	IS_TASK fl=FL_IF|2
	TASK_VECTOR VEC_IRQ
ENDC
CASE task-for-two-interrupts, mode=PM32, onhi=ON_IRQ
	movl $0x40000 | VEC_IRQ, LAPIC + 0x300
	movl $0x40000 | VEC_IRQ + 3, LAPIC + 0x300
	sti
	nop
	nop
	cli
	int $VEC_DONE
TARGET
	incl DATA
	cli
	movl $0, LAPIC + 0xb0
	iret
ENDC
PRE mode=PM32
	IS_TASK
	TASK_VECTOR 2
ENDC
CASE task-for-nmi, mode=PM32
	movl $0, LAPIC + 0x310
	movl $0x4400, LAPIC + 0x300
	.byte 0xeb, 0
	nop
	str %ax
	/* QEMU takes an NMI at the end of a block of its own. */
	movl $0, TSS32 + TSS_EIP
	int $VEC_DONE
TARGET
	incl DATA
	iret
ENDC
/*
 * The second NMI waits for the first one's IRET, which is a task switch. Without virtual
 * NMIs hypervisors on AMD-V step over that IRET, and the step's TF is stored by it.
 */
PRE mode=PM32
	IS_TASK
	TASK_VECTOR 2
ENDC
CASE task-for-nmi-behind-nmi, mode=PM32, need=NEED_INTEL
	movl $0, DATA + 8
	movl $0, LAPIC + 0x310
	movl $0x4400, LAPIC + 0x300
	.byte 0xeb, 0
	nop
	mov DATA, %eax
	int $VEC_DONE
TARGET
1:	incl DATA
	cmpl $1, DATA + 8
	je 2f
	incl DATA + 8
	movl $0x4400, LAPIC + 0x300
	.byte 0xeb, 0
	nop
	incl DATA + 4
2:	iret
	jmp 1b
ENDC
PRE mode=PM32
	IS_TASK
	TASK_VECTOR 1
ENDC
CASE task-for-single-step, mode=PM32
	movl $0, DATA
	pushf
	orl $FL_TF, (%esp)
	popf
	nop
	inc %edx
	int $VEC_DONE
TARGET
1:	mov TSS32 + TSS_EIP, %eax
	mov DATA, %ecx
	mov %eax, DATA + 4(, %ecx, 4)
	incl DATA
	and $1, %ecx
	jz 2f
	andl $~FL_TF, TSS32 + TSS_FLAGS
2:	mov %dr6, %eax
	mov %eax, DATA + 0x40
	iret
	jmp 1b
ENDC

/* -------------------------------------------- what a switch does to debugging */

PRE mode=PM32
	IS_TASK
	movw $1, TSS(TSS_TRAP)
ENDC
CASE task-trap-bit, mode=PM32, on=ON(1), need=NEED_INTEL
	ljmp $SEL_TSS_OTHER, $0
TARGET
	nop
	mov %dr6, %eax
ENDC
PRE mode=PM32
	IS_TASK fl=FL_TF|2
ENDC
CASE task-begins-with-single-step, mode=PM32, on=ON(1)
	ljmp $SEL_TSS_OTHER, $0
TARGET
	nop
	nop
ENDC
OTHER_TASK
CASE task-jmp-with-single-step, mode=PM32, on=ON(1), fl=FL_TF
	nop
	ljmp $SEL_TSS_OTHER, $0
TARGET
	nop
	nop
ENDC
OTHER_TASK
CASE task-clears-local-breakpoints, mode=PM32
	mov $0x7ff, %eax
	mov %eax, %dr7
	ljmp $SEL_TSS_OTHER, $0
TARGET
	mov %dr7, %eax
ENDC
/* QEMU arms no breakpoints at VMRUN. */
OTHER_TASK
CASE task-breakpoint-at-its-start, mode=PM32, need=NEED_INTEL
	mov $CODE + GATE_TARGET, %eax
	mov %eax, %dr0
	mov $0x403, %eax
	mov %eax, %dr7
	ljmp $SEL_TSS_OTHER, $0
TARGET
	xor %eax, %eax
	mov %eax, %dr7
ENDC
OTHER_TASK
CASE task-ts-survives-exits, mode=PM32
	ljmp $SEL_TSS_OTHER, $0
TARGET
	mov %cr4, %eax
	xor $CR4_PSE, %eax
	mov %eax, %cr4
	smsw %ecx
	fnop
ENDC
