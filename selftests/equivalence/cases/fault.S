/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Each exception: its error code, CR2, the registers it leaves alone, and what comes of
 * an exception in the delivery of another.
 */
#include "case.inc"

.macro F name, mode=LONG, ring=0, fl=0, cr0=0, cr4=0, code:req
CASE fault-\name, mode=\mode, ring=\ring, fl=(\fl), cr0=(\cr0), cr4=(\cr4)
	\code
ENDC
.endm

F divide-by-zero code=RUN(xor %ecx, %ecx; div %ecx)
F divide-overflow code=RUN(mov $1, %edx; mov $1, %ecx; div %ecx)
F idiv-minimum code=RUN(movabs $0x8000000000000000, %rax; cqo; mov $-1, %rcx; idiv %rcx)
F aam-zero mode=PM32 code=RUN(aam $0)
F breakpoint code=RUN(int3)
F breakpoint-user ring=3 code=RUN(int3)
F breakpoint-vm86 mode=VM86 fl=FL_IOPL code=RUN(int3)
F breakpoint-vm86-iopl0 mode=VM86 code=RUN(int3)
F into-taken mode=PM32 ring=3 fl=FL_OF code=RUN(into)
F into-not-taken mode=PM32 ring=3 code=RUN(into)
F into-long-mode code=RUN(.byte 0xce)
F bound-inside mode=PM32 code=RUN(movl $5, DATA; movl $9, DATA + 4; mov $9, %eax; bound %eax, DATA)
F bound-outside mode=PM32 code=RUN(movl $5, DATA; movl $9, DATA + 4; mov $10, %eax; \
	bound %eax, DATA)
F bound-16 mode=PM16 code=RUN(movw $-5, 0; movw $9, 2; mov $-6, %ax; bound %ax, 0)
F bound-register mode=PM32 code=RUN(.byte 0x62, 0xc0)
F undefined code=RUN(ud2)
F undefined-ud1 code=RUN(ud1 %eax, %ecx)
F undefined-user ring=3 code=RUN(ud2)
F undefined-push-cs code=RUN(.byte 0x0e)
F undefined-mov-to-cs code=RUN(.byte 0x8e, 0xc8)
F undefined-mov-cr1 code=RUN(.byte 0x0f, 0x20, 0xc8)
F undefined-mov-cr5 code=RUN(.byte 0x0f, 0x22, 0xe8)
F undefined-lea-register code=RUN(.byte 0x8d, 0xc0)
F undefined-too-long code=RUN(.rept 15; .byte 0x66; .endr; nop)
F lock-nop code=RUN(.byte 0xf0, 0x90)
F lock-add-register code=RUN(.byte 0xf0, 0x01, 0xc8)
F lock-mov-memory code=RUN(.byte 0xf0, 0x89, 0x07)
F lock-bt code=RUN(.byte 0xf0, 0x0f, 0xa3, 0x07)
F lock-cmp code=RUN(.byte 0xf0, 0x39, 0x07)
F lock-split-line code=RUN(mov $DATA + 61, %edi; lock addl $5, (%rdi))
F lock-split-page code=RUN(mov $PAGE(1) - 2, %edi; lock addq $5, (%rdi))
F no-math-ts cr0=CR0_TS code=RUN(fld1)
F no-math-em cr0=CR0_EM code=RUN(fld1)
F wait-ts-without-mp cr0=CR0_TS code=RUN(fwait)
F wait-ts-with-mp cr0=CR0_TS|CR0_MP code=RUN(fwait)
F sse-ts cr0=CR0_TS cr4=CR4_SSE code=RUN(movaps %xmm0, %xmm1)
F sse-em cr0=CR0_EM cr4=CR4_SSE code=RUN(movaps %xmm0, %xmm1)
F sse-without-osfxsr code=RUN(movaps %xmm0, %xmm1)
F sse-misaligned cr4=CR4_SSE code=RUN(mov $DATA + 8, %edi; movaps %xmm0, (%rdi))
F sse-unaligned-move cr4=CR4_SSE code=RUN(mov $DATA + 8, %edi; movups (%rdi), %xmm0; \
	movups %xmm0, 1(%rdi))
F math-error cr0=CR0_NE code=RUN(fldz; fld1; fldcw DATA + 2; fdivp; fwait)
F cli-user ring=3 code=RUN(cli)
F cli-user-iopl3 ring=3 fl=FL_IOPL code=RUN(cli)
F hlt-user ring=3 code=RUN(hlt)
F in-user ring=3 code=RUN(in $0x21, %al)
F in-user-iopl3 ring=3 fl=FL_IOPL code=RUN(mov $0x3ff, %edx; in %dx, %al; xor %eax, %eax)
F in-user-above-bitmap ring=3 code=RUN(mov $0x410, %edx; in %dx, %al)
F in-user-word-at-bitmaps-end ring=3 code=RUN(mov $0x3ff, %edx; in %dx, %ax)
F int-dpl0-user ring=3 code=RUN(int $VEC_DPL0)
F int-absent code=RUN(int $VEC_ABSENT)
F int-absent-user ring=3 code=RUN(int $VEC_ABSENT)
F int-null-cs code=RUN(int $VEC_NULL_CS)
F int-beyond-idt code=RUN(int $0x50)
F int-beyond-idt-pm32 mode=PM32 ring=3 code=RUN(int $0x50)
F int-dpl0-user-pm32 mode=PM32 ring=3 code=RUN(int $VEC_DPL0)
F int-absent-pm32 mode=PM32 ring=3 code=RUN(int $VEC_ABSENT)
F non-canonical-load code=RUN(movabs $0x800000000000, %rbx; mov (%rbx), %eax)
F non-canonical-jump code=RUN(movabs $0x800000000000, %rbx; jmp *%rbx)
F non-canonical-call code=RUN(movabs $0x800000000000, %rbx; call *%rbx)
F non-canonical-ret code=RUN(movabs $0x800000000000, %rbx; push %rbx; ret)
F rdmsr-user ring=3 code=RUN(mov $0x1b, %ecx; rdmsr)
F wrmsr-user ring=3 code=RUN(mov $0x1b, %ecx; wrmsr)
F mov-cr-user ring=3 code=RUN(mov %cr0, %rax)
F mov-dr-user ring=3 code=RUN(mov %dr0, %rax)
F invlpg-user ring=3 code=RUN(invlpg DATA)
F wbinvd-user ring=3 code=RUN(wbinvd)
F lgdt-user ring=3 code=RUN(lgdt DATA)
F rdtsc-tsd-user ring=3 cr4=CR4_TSD code=RUN(rdtsc)
F rdtsc-tsd-kernel cr4=CR4_TSD code=RUN(rdtsc; xor %eax, %eax; xor %edx, %edx)
F rdpmc-user ring=3 code=RUN(rdpmc)
F clts-user ring=3 code=RUN(clts)
F alignment ring=3 fl=FL_AC cr0=CR0_AM code=RUN(mov DATA + 1, %eax)
F alignment-word ring=3 fl=FL_AC cr0=CR0_AM code=RUN(mov DATA + 3, %ax)
F alignment-byte ring=3 fl=FL_AC cr0=CR0_AM code=RUN(mov DATA + 3, %al)
F alignment-without-am ring=3 fl=FL_AC code=RUN(mov DATA + 1, %eax)
F alignment-without-ac ring=3 cr0=CR0_AM code=RUN(mov DATA + 1, %eax)
F alignment-kernel fl=FL_AC cr0=CR0_AM code=RUN(mov DATA + 1, %eax)
F alignment-push ring=3 fl=FL_AC cr0=CR0_AM code=RUN(sub $1, %rsp; push %rax)
F alignment-pm32 mode=PM32 ring=3 fl=FL_AC cr0=CR0_AM code=RUN(mov DATA + 2, %eax)
F alignment-vm86 mode=VM86 fl=FL_AC|FL_IOPL cr0=CR0_AM code=RUN(mov 1, %eax)

/* Delivery that faults itself. Vectors from 9 on are beyond this IDT. */
.macro SHORT_IDT mode, entry, base
	sub $16, %\entry
	movw $\base * 9 - 1, (%\entry)
	.if \base == 8
	movl $IDT32, 2(%\entry)
	.else
	movq $IDT64, 2(%\entry)
	.endif
	lidt (%\entry)
	add $16, %\entry
.endm

CASE double-fault-by-short-idt
	SHORT_IDT LONG, rsp, 16
	mov $SEL_BEYOND, %ecx
	mov %ecx, %fs
ENDC
CASE double-fault-by-short-idt-pm32, mode=PM32
	SHORT_IDT PM32, esp, 8
	mov $SEL_BEYOND, %eax
	mov %eax, %fs
ENDC
CASE double-fault-page-fault-absent-gate
	andb $0x7f, IDT64 + 14 * 16 + 5
	mov $0x40000000, %ebx
	mov (%rbx), %eax
ENDC
CASE benign-then-contributory
	andb $0x7f, IDT64 + 6 * 16 + 5
	ud2
ENDC
CASE divide-then-absent-gate
	andb $0x7f, IDT64 + 5
	xor %ecx, %ecx
	div %ecx
ENDC
CASE gate-with-bad-selector
	movw $SEL_BEYOND, IDT64 + 6 * 16 + 2
	ud2
ENDC
CASE gate-to-data-segment
	movw $SEL_DATA, IDT64 + 6 * 16 + 2
	ud2
ENDC
CASE gate-to-32-bit-code-in-long-mode
	movw $SEL_CODE32, IDT64 + 6 * 16 + 2
	ud2
ENDC
CASE gate-of-bad-type-in-long-mode
	movb $0x85, IDT64 + 6 * 16 + 5
	ud2
ENDC
CASE mmio-access-by-fault-behind-it, on=ON(13)
	mov $A(1f), %ebp
	mov $LAPIC, %ebx
	movabs $0x800000000000, %rsi
	push (%rsi)
1:	mov 0x380(%rbx), %eax
ENDC

	.section .note.GNU-stack, "", @progbits
