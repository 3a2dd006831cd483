/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Arithmetic and its flags, in registers. One case an operation and a width, over the
 * operands where signs, carries and overflows meet; flags and results go to DATA.
 */
#include "case.inc"

.macro record reg
	pushfq
	pop %rax
	mov %eax, (%rdi)
	mov \reg, 8(%rdi)
	add $16, %rdi
.endm

.macro two_operands op, width, b, c, z:vararg
CASE alu-\op-\width
	mov $DATA, %edi
	.irp a, 0, 1, 0x7f, 0x80, 0xff
	.irp d, 0, 1, 0x80, 0xff
	mov $\a, %ebx
	mov $\d, %ecx
	shl $\width - 8, %rbx
	shl $\width - 8, %rcx
	stc
	\op \c, \b
	record %rbx
	.endr
	.endr
ENDC
.endm

.irp op, add, adc, sub, sbb, cmp, and, or, xor, test
	two_operands \op, 8, %bl, %cl
	two_operands \op, 16, %bx, %cx
	two_operands \op, 32, %ebx, %ecx
	two_operands \op, 64, %rbx, %rcx
.endr

.macro one_operand op, flags=~0
CASE alu-\op-all, mask=\flags
	mov $DATA, %edi
	.irp a, 0, 1, 0x7f, 0x80, 0xff
	.irp r, %bl, %bx, %ebx, %rbx
	mov $\a, %ebx
	imul $0x01010101, %rbx, %rbx
	stc
	\op \r
	record %rbx
	.endr
	.endr
ENDC
.endm

.irp op, inc, dec, neg, not
	one_operand \op
.endr

.macro shifts op
CASE shift-\op
	mov $DATA, %edi
	.irp n, 0, 1, 7, 8, 31, 32, 63, 64
	.irp r, %bl, %bx, %ebx, %rbx
	movabs $0x8123456789abcde7, %rbx
	mov $\n, %cl
	stc
	\op %cl, \r
	record %rbx
	.endr
	.endr
ENDC
.endm

.irp op, shl, shr, sar, rol, ror, rcl, rcr
	shifts \op
.endr

.macro double_shifts op
CASE shift-\op
	mov $DATA, %edi
	movabs $0xfedcba9876543210, %rdx
	.irp n, 0, 1, 15, 31, 33, 63
	.irp r, x, e, r
	movabs $0x8123456789abcde7, %rbx
	mov $\n, %cl
	.ifc \r, x
	\op %cl, %dx, %bx
	.endif
	.ifc \r, e
	\op %cl, %edx, %ebx
	.endif
	.ifc \r, r
	\op %cl, %rdx, %rbx
	.endif
	record %rbx
	.endr
	.endr
ENDC
.endm

double_shifts shld
double_shifts shrd

.macro multiply op
CASE alu-\op
	mov $DATA + 0x100, %esi
	.irp a, 0, 1, 0x7f, 0x80, 0xff
	.irp r, %bl, %bx, %ebx, %rbx
	mov $\a, %eax
	imul $0x01010101, %rax, %rax
	mov %rax, %rbx
	\op \r
	pushfq
	mov %rax, (%rsi)
	mov %rdx, 8(%rsi)
	popq 16(%rsi)
	add $24, %rsi
	.endr
	.endr
ENDC
.endm

multiply mul
multiply imul

.macro divide op
CASE alu-\op
	mov $DATA + 0x100, %esi
	.irp a, 3, 0x7f, 0x83
	.irp r, %bl, %bx, %ebx, %rbx
	mov $0x17, %eax
	mov $1, %edx
	mov $\a, %ebx
	\op \r
	mov %rax, (%rsi)
	mov %rdx, 8(%rsi)
	add $16, %rsi
	.endr
	.endr
ENDC
.endm

divide div
divide idiv

.macro bits op
CASE bit-\op
	mov $DATA + 0x100, %esi
	mov $DATA, %edi
	.irp n, 0, 31, 32, 63, 100, -9
	mov $\n, %rcx
	movabs $0x8123456789abcde7, %rbx
	\op %rcx, %rbx
	record %rbx
	\op %rcx, (%rsi)
	record %rcx
	.endr
ENDC
.endm

.irp op, bt, bts, btr, btc
	bits \op
.endr

CASE bit-scan
	mov $DATA, %edi
	.irp op, bsf, bsr
	.irp a, 1, 0x80000000, 0x123450
	mov $\a, %rcx
	\op %rcx, %rbx
	record %rbx
	.endr
	.endr
	xor %ecx, %ecx
	bsf %ecx, %ebx
	record %rbx
ENDC

CASE bcd, mode=PM32
	mov $DATA, %edi
	.irp op, daa, das, aaa, aas, aam, aad
	.irp a, 0x00, 0x9b, 0x3a, 0x0f, 0x99
	mov $0x100 + \a, %eax
	stc
	\op
	stosl
	pushf
	pop %eax
	stosl
	.endr
	.endr
ENDC

CASE xadd-and-cmpxchg
	mov $DATA, %edi
	.irp r, %bl, %bx, %ebx, %rbx
	mov $0x8123, %ebx
	xadd \r, 0x100(%rdi)
	record %rbx
	cmpxchg \r, 0x100(%rdi)
	record %rbx
	.endr
ENDC

CASE cmpxchg16b
	mov $DATA, %edi
	mov (%rdi), %rax
	mov 8(%rdi), %rdx
	lock cmpxchg16b (%rdi)
	pushfq
	pop %r8
	lock cmpxchg16b (%rdi)
ENDC

CASE cmpxchg16b-misaligned
	mov $DATA + 8, %edi
	cmpxchg16b (%rdi)
ENDC

CASE cmpxchg8b, mode=PM32
	mov $DATA + 4, %edi
	cmpxchg8b (%edi)
	pushf
	cmpxchg8b (%edi)
	pop %esi
ENDC

CASE partial-registers
	mov $-1, %rax
	mov $0, %al
	mov $0, %ah
	mov $-1, %rbx
	mov $0, %bx
	mov $-1, %rcx
	xor %ecx, %ecx
	movsx %al, %rdx
	movzbl %bl, %esi
	cmovc %ebx, %edi
ENDC

CASE movbe, need=NEED_MOVBE
	mov $DATA, %esi
	movbe (%rsi), %rax
	movbe %eax, 8(%rsi)
	bswap %rax
	bswap %ebx
ENDC

CASE sse4-crc-popcnt, need=NEED_SSE4
	mov $DATA, %esi
	crc32q (%rsi), %rax
	crc32b 9(%rsi), %ebx
	popcnt (%rsi), %rcx
ENDC

CASE bmi, need=NEED_BMI
	mov $0x12345678, %eax
	mov $0x0f0f0f0f, %ebx
	pext %ebx, %eax, %ecx
	pdep %ebx, %eax, %edx
	rorx $7, %rax, %rsi
	mulx %rbx, %r8, %r9
	bzhi %eax, %ebx, %edi
ENDC

	.section .note.GNU-stack, "", @progbits
