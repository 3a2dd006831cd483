/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interrupts and NMIs: where they come in, in which order, and what holds them back.
 * A self IPI is pending when the write of the ICR is done, so the place is exact.
 */
#include "case.inc"

#define ICR 0x300(%rbx)
#define SELF (0x40000 | VEC_IRQ)
/* The jump is for QEMU, which looks for an NMI only between its blocks of code. */
#define SEND_NMI movl $0, 0x310(%rbx); movl $0x4400, ICR; .byte 0xeb, 0

.macro IRQ name, mode=LONG, ring=0, fl=0, need=0, cr4=0, send=SELF, cr0=0
CASE irq-\name, mode=\mode, ring=\ring, onhi=ON_IRQ, fl=(\fl), need=\need, cr4=(\cr4), cr0=(\cr0)
	mov $LAPIC, %ebx
	.ifc \mode, LONG
	movl $\send, ICR
	.else
	movl $\send, LAPIC + 0x300
	.endif
.endm

/* STI lets one more instruction go by; whatever that one does. */
.macro STI_THEN name, code:req
IRQ sti-then-\name
	mov $0x400, %edx
	mov %cr0, %rax
	sti
	\code
	nop
	nop
	cli
ENDC
.endm

STI_THEN nop, RUN(nop)
STI_THEN mmio, RUN(mov 0x380(%rbx), %ecx)
STI_THEN mov-cr, RUN(mov %rax, %cr0)
STI_THEN mov-dr, RUN(mov %rdx, %dr7)
STI_THEN in, RUN(in $0x21, %al)
STI_THEN out, RUN(out %al, $0x80)
STI_THEN cpuid, RUN(cpuid; xor %eax, %eax; xor %edx, %edx; xor %ecx, %ecx)
STI_THEN wrmsr, RUN(nop; xor %edx, %edx; mov $0x174, %ecx; xor %eax, %eax; wrmsr)
STI_THEN cli, RUN(cli)
STI_THEN sti, RUN(sti)
STI_THEN pushf, RUN(pushfq; pop %rcx)
STI_THEN int, RUN(int3)
STI_THEN mov-ss, RUN(mov %ss, %ecx; mov %ecx, %ss)

/* QEMU 7.2 forgets the shadow at VMRUN: there a wake-up before HLT would be lost. */
IRQ sti-then-hlt, need=NEED_INTEL
	sti
	hlt
	cli
ENDC
IRQ sti-when-open, fl=FL_IF
	sti
	nop
	nop
ENDC
IRQ popf-has-no-shadow
	pushq $FL_IF
	popfq
	nop
	cli
ENDC
IRQ iret-has-no-shadow
	mov %rsp, %rcx
	pushq $SEL_DATA
	push %rcx
	pushq $FL_IF
	pushq $SEL_CODE64
	pushq $A(1f)
	iretq
1:	nop
	cli
ENDC
IRQ into-user
	mov %rsp, %rcx
	pushq $SEL_UDATA
	push %rcx
	pushq $FL_IF
	pushq $SEL_UCODE64
	pushq $A(1f)
	iretq
1:	nop
ENDC
IRQ open-from-the-start, fl=FL_IF
	nop
ENDC
IRQ pending-never-opened
	nop
ENDC
IRQ two-by-priority
	movl $SELF + 3, ICR
	movl $SELF + 1, ICR
	sti
	nop
	nop
	cli
ENDC
/*
 * QEMU 7.2 stops itself at MOV to CR8 in a guest whose interrupt waits.
 * The TPR first: raising it over a pending interrupt may give a spurious one.
 */
CASE irq-held-by-tpr, onhi=ON_IRQ, need=NEED_INTEL
	mov $LAPIC, %ebx
	mov $3, %eax
	mov %rax, %cr8
	movl $SELF, ICR
	sti
	nop
	mov $2, %eax
	mov %rax, %cr8
	nop
	cli
	xor %eax, %eax
	mov %rax, %cr8
ENDC
CASE irq-held-by-mmio-tpr, onhi=ON_IRQ
	mov $LAPIC, %ebx
	movl $0x3f, 0x80(%rbx)
	movl $SELF, ICR
	mov %cr8, %rcx
	sti
	nop
	movl $0x20, 0x80(%rbx)
	.byte 0xeb, 0 /* see SEND_NMI */
	nop
	cli
	movl $0, 0x80(%rbx)
ENDC
IRQ pm32, mode=PM32
	sti
	nop
	nop
	cli
ENDC
IRQ p32, mode=P32
	sti
	in $0x21, %al
	nop
	cli
ENDC
IRQ compat, mode=COMPAT
	sti
	nop
	cli
ENDC
IRQ between-repetitions
	mov $DATA, %edi
	mov $3, %ecx
	sti
	rep stosb
	cli
ENDC
IRQ with-single-step
	pushq $FL_TF | FL_IF
	popfq
	nop
	nop
ENDC
CASE irq-single-step-and-sti, fl=FL_TF, on=ON(1), onhi=ON_IRQ
	mov $LAPIC, %ebx
	movl $SELF, ICR
	sti
	nop
	nop
	cli
ENDC
CASE irq-behind-divide-error, on=ON(0), onhi=ON_IRQ
	mov $LAPIC, %ebx
	movl $SELF, ICR
	mov $A(1f), %ebp
	xor %ecx, %ecx
	sti
	div %ecx
1:	nop
	cli
ENDC
CASE irq-irr-and-isr
	mov $LAPIC, %ebx
	movl $0x30, 0x80(%rbx)
	mov 0xa0(%rbx), %edi
	movl $SELF, ICR
	mov 0x210(%rbx), %ecx
	mov 0x110(%rbx), %edx
	movl $0, 0x80(%rbx)
	mov 0xa0(%rbx), %esi
ENDC

/* ----------------------------------------------------------------------- NMI */

/* IDT64's gate 2 leads to label 9 of the case. */
.macro OWN_NMI_HANDLER
	mov $A(9f), %eax
	mov %ax, IDT64 + 2 * 16
	shr $16, %eax
	mov %ax, IDT64 + 2 * 16 + 6
	xor %r8d, %r8d
	xor %r9d, %r9d
	mov $LAPIC, %ebx
.endm

.macro NMI name, mode=LONG, fl=0, on=ON(2), ring=0, need=0
CASE nmi-\name, mode=\mode, fl=(\fl), on=(\on), ring=\ring, need=\need
	mov $LAPIC, %ebx
.endm

NMI at-once
	SEND_NMI
	nop
ENDC
NMI with-interrupts-open, fl=FL_IF
	SEND_NMI
	nop
ENDC
CASE nmi-before-interrupt, on=ON(2), onhi=ON_IRQ
	mov $LAPIC, %ebx
	movl $SELF, ICR
	SEND_NMI
	sti
	nop
	nop
	cli
ENDC
NMI with-single-step, on=(ON(2)|ON(1)), fl=FL_TF, need=NEED_INTEL
	SEND_NMI
	nop
	nop
ENDC
NMI blocked-until-iret
	OWN_NMI_HANDLER
	SEND_NMI
	nop
	int $VEC_DONE
9:	inc %r8
	cmp $2, %r8
	je 1f
	SEND_NMI
	mov $0x21, %dx
	in %dx, %al
	nop
	mov %r8, %r9
	iretq
1:	nop
ENDC
NMI blocking-ends-with-any-iret
	OWN_NMI_HANDLER
	SEND_NMI
	nop
	int $VEC_DONE
9:	inc %r8
	cmp $2, %r8
	je 1f
	SEND_NMI
	mov %rsp, %rcx
	pushq $SEL_DATA
	push %rcx
	pushq $2
	pushq $SEL_CODE64
	pushq $A(2f)
	iretq
2:	mov %r8, %r9
	iretq
1:	nop
ENDC
NMI blocking-ends-with-trap-handlers-iret, on=ON(3)
	OWN_NMI_HANDLER
	SEND_NMI
	nop
	int $VEC_DONE
9:	inc %r8
	cmp $2, %r8
	je 1f
	SEND_NMI
	int3
	mov %r8, %r9
	iretq
1:	nop
ENDC
NMI two-while-blocked-are-one
	OWN_NMI_HANDLER
	SEND_NMI
	nop
	nop
	mov %r8, %r10
	int $VEC_DONE
9:	inc %r8
	cmp $1, %r8
	jne 1f
	SEND_NMI
	SEND_NMI
	SEND_NMI
1:	iretq
ENDC

	.section .note.GNU-stack, "", @progbits
