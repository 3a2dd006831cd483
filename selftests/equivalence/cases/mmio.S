/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Instructions with an operand in device memory: in a VM the hypervisor's emulator runs
 * them, on the machine the processor does. The device is the local APIC, whose timer's
 * initial count (its interrupt is masked) holds any 32 bits. Flags that the manuals
 * leave undefined are masked.
 */
#include "case.inc"

#define TICR 0x380(%rbx)
#define ICR2 0x310(%rbx)
#define UNDEFINED_SHIFT	~(FL_AF | FL_OF)
#define UNDEFINED_LOGIC	~FL_AF
#define UNDEFINED_BITS	~(FL_AF | FL_OF | FL_SF | FL_PF)

.macro MMIO name, value=0x80000001, mask=~0
CASE mmio-\name, mask=\mask
	mov $LAPIC, %ebx
	movl $\value, TICR
	stc
.endm

/* The register as it is now goes to DATA. */
.macro END_MMIO
	pushfq
	mov TICR, %eax
	mov %eax, DATA
	popfq
ENDC
.endm

.irp op, add, adc, sub, sbb, cmp
MMIO \op-register-to-memory
	mov $0x7fffffff, %ecx
	\op %ecx, TICR
END_MMIO
MMIO \op-memory-to-register
	mov $0x7fffffff, %ecx
	\op TICR, %ecx
END_MMIO
MMIO \op-immediate
	\op\()l $-1, TICR
END_MMIO
.endr

.irp op, and, or, xor
MMIO \op-register-to-memory mask=UNDEFINED_LOGIC
	mov $0x7fff0001, %ecx
	\op %ecx, TICR
END_MMIO
MMIO \op-memory-to-register mask=UNDEFINED_LOGIC
	mov $0x7fff0001, %ecx
	\op TICR, %ecx
END_MMIO
.endr

.irp op, inc, dec, neg, not
MMIO \op
	\op\()l TICR
END_MMIO
.endr

.irp op, shl, shr, sar, rol, ror, rcl, rcr
MMIO \op-by-one mask=~FL_AF
	\op\()l $1, TICR
END_MMIO
MMIO \op-by-cl mask=UNDEFINED_SHIFT
	mov $5, %cl
	\op\()l %cl, TICR
END_MMIO
.endr

.irp op, bt, bts, btr, btc
MMIO \op-immediate mask=UNDEFINED_BITS
	\op\()l $31, TICR
END_MMIO
.endr

MMIO test mask=UNDEFINED_LOGIC
	mov $0x80000000, %ecx
	test %ecx, TICR
END_MMIO
MMIO xchg
	mov $0x12345678, %ecx
	xchg %ecx, TICR
END_MMIO
MMIO xadd
	mov $0x12345678, %ecx
	lock xadd %ecx, TICR
END_MMIO
MMIO cmpxchg-equal
	mov $0x80000001, %eax
	mov $0x12345678, %ecx
	lock cmpxchg %ecx, TICR
END_MMIO
MMIO cmpxchg-different
	mov $0x12345678, %ecx
	cmpxchg %ecx, TICR
	mov %rax, %r8
END_MMIO
MMIO moves
	mov TICR, %ecx
	mov %ecx, ICR2
	movslq TICR, %rdx
	mov TICR, %r9d
	movl $0x77, TICR
END_MMIO
MMIO moffs
	movabs LAPIC + 0x380, %eax
	mov %rax, %rcx
	inc %eax
	movabs %eax, LAPIC + 0x380
END_MMIO
MMIO cmov-moves-nothing
	mov $0x1122334455667788, %rcx
	cmovnc TICR, %ecx
END_MMIO
MMIO push-and-pop
	mov %rsp, %r12
	mov $DATA + 0x100, %esp
	mov TICR, %edx
	push %rdx
	mov %r12, %rsp
END_MMIO
MMIO movs-to-device
	mov $DATA, %esi
	lea TICR, %rdi
	movsl
END_MMIO
MMIO movs-from-device
	lea TICR, %rsi
	mov $DATA + 0x20, %edi
	movsl
END_MMIO
MMIO movs-backward-with-count
	std
	mov $1, %ecx
	lea TICR, %rsi
	mov $DATA + 0x20, %edi
	rep movsl
	cld
END_MMIO
MMIO stos
	lea TICR, %rdi
	mov $0x9abcdef0, %eax
	stosl
END_MMIO
MMIO lods
	lea TICR, %rsi
	lodsl
	mov %rax, %r8
END_MMIO
MMIO scas
	lea TICR, %rdi
	mov $0x7fffffff, %eax
	scasl
	mov %rax, %r8
END_MMIO
MMIO cmps
	mov $DATA, %esi
	lea TICR, %rdi
	cmpsl
END_MMIO
MMIO jump-through value=CODE+0x200
	mov TICR, %ecx
	jmp *%rcx
	.org 8882b + 0x200, 0xcc
	mov $1, %edx
END_MMIO
MMIO lock-or mask=UNDEFINED_LOGIC
	lock orl $0x100, TICR
END_MMIO

/* Faults in the middle of an emulated instruction: nothing is half done. */
CASE mmio-movs-to-absent-page
	movl $0, PTE64(1)
	invlpg PAGE(1)
	mov $LAPIC, %ebx
	movl $5, TICR
	lea TICR, %rsi
	mov $PAGE(1) + 8, %edi
	movsl
ENDC
CASE mmio-movs-to-readonly-page, cr0=CR0_WP
	movl $PAGE(1) + PTE_P, PTE64(1)
	invlpg PAGE(1)
	mov $LAPIC, %ebx
	movl $5, TICR
	lea TICR, %rsi
	mov $PAGE(1) + 8, %edi
	movsl
ENDC
CASE mmio-movs-from-absent-page
	movl $0, PTE64(1)
	invlpg PAGE(1)
	mov $LAPIC, %ebx
	movl $5, TICR
	lea TICR, %rdi
	mov $PAGE(1) + 8, %esi
	movsl
ENDC
CASE mmio-dirty-and-accessed
	mov $LAPIC, %ebx
	movl $5, TICR
	lea TICR, %rsi
	mov $PAGE(1) + 8, %edi
	movsl
	lea TICR, %rdi
	mov $PAGE(2) + 8, %esi
	movsl
ENDC
PRE
	orb $PTE_U, PD3 + (LAPIC >> 18 & 0xff8)
ENDC
CASE mmio-movs-user-to-supervisor-page, ring=3
	mov $LAPIC, %ebx
	lea TICR, %rsi
	mov $STACKS, %edi
	movsl
ENDC
CASE mmio-from-user-refused, ring=3
	mov $LAPIC, %ebx
	mov TICR, %eax
ENDC
CASE mmio-readonly-mapping, cr0=CR0_WP
	andb $~PTE_W, PD3 + (LAPIC >> 18 & 0xff8)
	mov $LAPIC, %ebx
	invlpg (%rbx)
	incl TICR
ENDC
CASE mmio-limit-pm32, mode=PM32, ring=3
	mov $SEL_SMALL, %eax
	mov %eax, %es
	mov $LAPIC + 0x380, %esi
	mov $0xffe, %edi
	movsl
ENDC
CASE mmio-based-segment-pm32, mode=PM32
	mov $SEL_BASED, %eax
	mov %eax, %fs
	movl $0x1234, %fs:LAPIC + 0x380 - DATA
	mov %fs:LAPIC + 0x380 - DATA, %eax
ENDC
CASE mmio-p32, mode=P32
	movl $0x5678, LAPIC + 0x380
	addl $8, LAPIC + 0x380
	mov LAPIC + 0x380, %eax
ENDC
CASE mmio-pae, mode=PAE
	movl $0x5678, LAPIC + 0x380
	addl $8, LAPIC + 0x380
	mov LAPIC + 0x380, %eax
ENDC
CASE mmio-compat, mode=COMPAT
	movl $0x5678, LAPIC + 0x380
	addl $8, LAPIC + 0x380
	mov LAPIC + 0x380, %eax
ENDC
CASE mmio-pm16, mode=PM16
	mov $SEL_BASED, %ax
	mov %ax, %fs
	mov $LAPIC + 0x380 - DATA, %ebx
	movl $0x5678, %fs:(%ebx)
	addl $8, %fs:(%ebx)
	mov %fs:(%ebx), %eax
ENDC
CASE mmio-lock-mov
	mov $LAPIC, %ebx
	lock
	mov TICR, %eax
ENDC

	.section .note.GNU-stack, "", @progbits
