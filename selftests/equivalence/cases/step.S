/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Single step across each kind of exit: after every instruction one #DB with DR6.BS, at
 * the next instruction, whoever executed it. A case lists where its #DBs came.
 */
#include "case.inc"

.macro STEP name, mode=LONG, ring=0, on=0, cr4=0, efer=0, need=0, onhi=0
CASE step-\name, mode=\mode, ring=\ring, on=(ON(1)|\on), onhi=(\onhi), fl=(FL_TF|FL_IOPL), \
	cr4=(\cr4), efer=(\efer), need=\need
.endm

/* An instruction between two others. */
.macro step_one name, code:req
STEP \name
	mov $0, %eax
	\code
	mov $2, %edx
ENDC
.endm

step_one nop, RUN(nop)
step_one cpuid, RUN(HIDDEN_CPUID)
step_one pushf, RUN(pushfq)
step_one rdtsc-hides-value, RUN(rdtsc; xor %eax, %eax)
step_one wbinvd, RUN(wbinvd)
step_one pause, RUN(pause)
step_one clts, RUN(clts)
step_one smsw, RUN(smsw %ecx)
step_one mov-from-cr0, RUN(mov %cr0, %rcx)
step_one mov-from-cr3, RUN(mov %cr3, %rcx)
step_one mov-from-cr4, RUN(mov %cr4, %rcx)
step_one mov-from-cr8, RUN(mov %cr8, %rcx)
step_one mov-from-dr7, RUN(mov %dr7, %rcx)
step_one mov-from-dr6, RUN(mov %dr6, %rcx)
step_one mov-to-dr0, RUN(mov %rax, %dr0)
step_one sgdt, RUN(sgdt DATA)
step_one sidt, RUN(sidt DATA)
step_one sldt, RUN(sldt %ecx)
step_one str, RUN(str %ecx)
step_one lldt-null, RUN(lldt %ax)
step_one fninit, RUN(fninit)
step_one cli, RUN(cli)
step_one invlpg, RUN(invlpg PAGE(1))

.macro step_after name, setup, code:req
STEP \name
	\setup
	\code
	mov $2, %edx
ENDC
.endm

step_after mov-to-cr0, RUN(mov %cr0, %rcx), RUN(mov %rcx, %cr0)
step_after mov-to-cr3, RUN(mov %cr3, %rcx), RUN(mov %rcx, %cr3)
step_after mov-to-cr4, RUN(mov %cr4, %rcx), RUN(mov %rcx, %cr4)
step_after mov-to-cr8, RUN(mov $3, %ecx), RUN(mov %rcx, %cr8)
step_after lmsw, RUN(mov $0x3, %ecx), RUN(lmsw %cx)
step_after mov-to-dr7, RUN(mov $0x400, %ecx), RUN(mov %rcx, %dr7)
step_after lgdt, RUN(sgdt DATA), RUN(lgdt DATA)
step_after lidt, RUN(sidt DATA), RUN(lidt DATA)
step_after rdmsr-exits, RUN(mov $0x1b, %ecx), RUN(rdmsr)
step_after rdmsr-efer, RUN(mov $0xc0000080, %ecx), RUN(rdmsr)
step_after rdmsr-lstar, RUN(mov $0xc0000082, %ecx), RUN(rdmsr)
step_after in-al, RUN(mov $SCRATCH, %edx), RUN(in %dx, %al)
step_after out-al, RUN(mov $SCRATCH, %edx), RUN(out %al, %dx)
step_after in-8259, RUN(mov $0x21, %edx), RUN(in %dx, %al)
step_after mmio-read, RUN(mov $LAPIC, %ebx), RUN(mov 0x380(%rbx), %ecx)
step_after mmio-write, RUN(mov $LAPIC, %ebx), RUN(movl $0, 0x380(%rbx))
step_after mmio-add, RUN(mov $LAPIC, %ebx), RUN(addl $0, 0x380(%rbx))
step_after ram-touched-first, RUN(mov $0x800000 - 8, %ebx), RUN(mov %rbx, \
	LARGE + 0x1ff000 - 0x800000 + 8(%rbx))
step_after mov-ss, RUN(mov %ss, %ecx), RUN(mov %ecx, %ss)

STEP wrmsr-exits
	mov $0x174, %ecx
	xor %eax, %eax
	xor %edx, %edx
	wrmsr
	mov $1, %ecx
ENDC
STEP wrmsr-efer
	mov $0xc0000080, %ecx
	rdmsr
	wrmsr
	mov $1, %ecx
ENDC
STEP wrmsr-kernel-gs-base
	mov $0xc0000102, %ecx
	xor %eax, %eax
	xor %edx, %edx
	wrmsr
	mov $1, %ecx
ENDC
STEP rep-outsb
	mov $SCRATCH, %edx
	mov $3, %ecx
	mov $DATA, %esi
	rep outsb
	mov $1, %edx
ENDC
STEP rep-insb
	mov $SCRATCH, %edx
	mov $0x5a, %al
	out %al, %dx
	mov $3, %ecx
	mov $DATA, %edi
	rep insb
	mov $1, %edx
ENDC
STEP insb-outsb
	mov $SCRATCH, %edx
	mov $DATA + 7, %esi
	mov $DATA, %edi
	outsb
	insb
	mov $1, %edx
ENDC
STEP rep-movsb
	mov $3, %ecx
	mov $DATA, %esi
	mov $DATA + 0x40, %edi
	rep movsb
	mov $1, %edx
ENDC
STEP rep-movs-to-device
	mov $1, %ecx
	mov $DATA, %esi
	mov $LAPIC + 0x380, %edi
	rep movsl
	mov $1, %edx
ENDC
STEP rep-zero-count
	xor %ecx, %ecx
	rep movsb
	mov $1, %edx
ENDC
STEP repne-scasb
	mov $DATA, %edi
	mov $5, %ecx
	mov $14, %al
	repne scasb
	mov $1, %edx
ENDC
STEP popf-clears-tf
	pushq $2
	popfq
	nop
	nop
ENDC
CASE step-popf-sets-tf, on=ON(1)
	pushq $FL_TF + 2
	popfq
	HIDDEN_CPUID
	nop
ENDC
CASE step-iret-sets-tf, on=ON(1)
	mov %rsp, %rcx
	pushq $SEL_DATA
	push %rcx
	pushq $FL_TF
	pushq $SEL_CODE64
	pushq $A(1f)
	iretq
	nop
1:	cpuid
	nop
ENDC
STEP int-clears-tf, onhi=(1<<(VEC_TRAP_GATE-32))
	int $VEC_TRAP_GATE
	nop
	nop
ENDC
STEP int3-from-user, ring=3, on=ON(3)
	int3
	nop
	nop
ENDC
STEP pop-ss-pm32, mode=PM32
	push %ss
	pop %ss
	nop
	nop
ENDC
STEP mov-ss-then-exit
	mov %ss, %eax
	mov %eax, %ss
	HIDDEN_CPUID
	nop
ENDC
STEP sti-then-exit
	sti
	HIDDEN_CPUID
	cli
	nop
ENDC
STEP fault-is-no-trap, on=ON(13)
	mov $A(1f), %ebp
	mov $SEL_BEYOND, %ecx
	mov %ecx, %fs
	nop
1:	nop
	nop
ENDC
STEP undefined-is-no-trap, on=ON(6)
	mov $A(1f), %ebp
	ud2
1:	nop
	nop
ENDC
STEP page-fault-is-no-trap, on=ON(14)
	mov $A(1f), %ebp
	mov $0x40000000, %ebx
	mov (%rbx), %eax
1:	nop
	nop
ENDC
STEP user-code, ring=3
	nop
	HIDDEN_CPUID
	mov PAGE(1), %eax
ENDC
STEP call-and-ret
	call 1f
	nop
	jmp 2f
1:	ret
2:	nop
ENDC
STEP real-mode, mode=REAL
	mov $SCRATCH, %dx
	in %dx, %al
	HIDDEN_CPUID
	mov %cr0, %eax
	mov %eax, %cr0
	out %al, %dx
	nop
ENDC
STEP vm86, mode=VM86
	nop
	HIDDEN_CPUID
	pushf
	popf
	nop
ENDC
STEP pm32, mode=PM32
	HIDDEN_CPUID
	mov %cr0, %eax
	mov %eax, %cr0
	in $0x21, %al
	mov LAPIC + 0x380, %eax
	nop
ENDC
STEP compat, mode=COMPAT
	HIDDEN_CPUID
	mov %cr4, %eax
	in $0x21, %al
	mov LAPIC + 0x380, %eax
	nop
ENDC
STEP xsetbv, cr4=CR4_OSXSAVE, need=NEED_AVX
	xor %ecx, %ecx
	xgetbv
	xsetbv
	nop
ENDC

	.section .note.GNU-stack, "", @progbits
