/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Debug registers: breakpoints on code, data and ports, what DR6 says, GD, DR4 and DR5.
 * QEMU 7.2 arms no breakpoint at VMRUN, and keeps what is written to reserved bits: what
 * hits, or looks there, is for the Intel bed.
 */
#include "case.inc"

#define DR7_FIXED 0x400
#define ON_DB ON(1)
/* Breakpoint n: enabled globally, of this kind and length. */
#define EXEC	0
#define WRITE	1
#define PORT	2
#define ACCESS	3
#define BP(n, kind, \
	len) ((2 << 2 * (n)) | ((kind) << (16 + 4 * (n))) | ((((len) - 1) & 3) << (18 + 4 * (n))))

.macro ARM n, address, dr7
	mov $\address, %eax
	mov %rax, %dr\n
	mov $(DR7_FIXED | \dr7), %eax
	mov %rax, %dr7
.endm

.macro HIT name, need=NEED_INTEL, fl=0, on=ON_DB, cr4=0
CASE debug-\name, need=\need, on=(\on), fl=(\fl), cr4=(\cr4)
.endm

HIT code
	ARM 0, A(1f), BP(0, EXEC, 1)
	nop
1:	nop
	nop
ENDC
HIT code-twice-without-rf
	ARM 1, A(1f), BP(1, EXEC, 1)
	mov $2, %ecx
1:	loop 1b
	nop
ENDC
HIT data-write
	ARM 0, DATA + 4, BP(0, WRITE, 4)
	mov DATA + 4, %ecx
	mov %ecx, DATA + 4
	nop
ENDC
HIT data-access
	ARM 2, DATA + 4, BP(2, ACCESS, 4)
	mov DATA + 4, %ecx
	mov %ecx, DATA + 6
	mov %ecx, DATA + 8
ENDC
HIT data-partial-overlap
	ARM 3, DATA + 4, BP(3, WRITE, 2)
	movl $0, DATA + 1
	movl $0, DATA + 2
	movl $0, DATA + 6
ENDC
HIT data-eight-bytes
	ARM 0, DATA + 8, (0x2 | (WRITE << 16) | (2 << 18))
	movb $0, DATA + 15
	movb $0, DATA + 16
ENDC
HIT data-rep-movs
	mov $DATA, %esi
	mov $DATA + 0x40, %edi
	mov $6, %ecx
	ARM 0, DATA + 0x42, BP(0, WRITE, 1)
	rep movsb
	nop
ENDC
HIT data-on-device
	mov $LAPIC, %ebx
	ARM 0, 0xfee00380, BP(0, WRITE, 4)
	movl $0, 0x380(%rbx)
	mov 0x380(%rbx), %ecx
	nop
ENDC
HIT data-push
	lea -8(%rsp), %rax
	mov %rax, %dr1
	mov $DR7_FIXED | BP(1, WRITE, 4), %eax
	mov %rax, %dr7
	push %rax
	nop
ENDC
HIT port cr4=CR4_DE
	ARM 0, 0x3ff, BP(0, PORT, 1)
	mov $0x3ff, %edx
	in %dx, %al
	xor %eax, %eax
	out %al, %dx
	in $0x21, %al
ENDC
HIT both-code-and-step fl=FL_TF
	ARM 0, A(1f), BP(0, EXEC, 1)
	nop
1:	nop
	nop
ENDC
HIT data-and-step fl=FL_TF
	ARM 0, DATA, BP(0, WRITE, 4)
	movl $0, DATA
	nop
ENDC
HIT step-across-exit-with-breakpoint-behind fl=FL_TF
	ARM 0, A(1f), BP(0, EXEC, 1)
	HIDDEN_CPUID
1:	nop
ENDC
HIT code-behind-exit
	ARM 0, A(1f), BP(0, EXEC, 1)
	mov %cr0, %rcx
	mov %rcx, %cr0
1:	nop
ENDC
HIT disabled-reports-too
	mov $DATA, %eax
	mov %rax, %dr0
	mov %rax, %dr1
	mov $DR7_FIXED | BP(0, WRITE, 4) | (WRITE << 20) | (3 << 22), %eax
	mov %rax, %dr7
	movl $0, DATA
	nop
ENDC
HIT rf-skips-code-breakpoint
	ARM 0, A(1f), BP(0, EXEC, 1)
	mov %rsp, %rcx
	pushq $SEL_DATA
	push %rcx
	pushq $FL_RF + 2
	pushq $SEL_CODE64
	pushq $A(1f)
	iretq
1:	nop
ENDC
HIT rf-ends-with-exit
	ARM 0, A(2f), BP(0, EXEC, 1)
	mov %rsp, %rcx
	pushq $SEL_DATA
	push %rcx
	pushq $FL_RF + 2
	pushq $SEL_CODE64
	pushq $A(1f)
	iretq
1:	HIDDEN_CPUID
2:	nop
ENDC
HIT gd-write
	mov $DR7_FIXED | 0x2000, %eax
	mov %rax, %dr7
	mov %rax, %dr0
	mov %dr7, %rcx
ENDC
CASE debug-gd-read, need=NEED_INTEL
	mov $DR7_FIXED | 0x2000, %eax
	mov %rax, %dr7
	mov %dr6, %rcx
ENDC
CASE debug-gd-user-is-gp, ring=3
	mov %dr6, %rcx
ENDC

CASE debug-dr6-write-and-read, need=NEED_INTEL
	mov $0xffffffff, %eax
	mov %rax, %dr6
	mov %dr6, %rcx
	xor %eax, %eax
	mov %rax, %dr6
	mov %dr6, %rdx
ENDC
CASE debug-dr7-write-and-read, need=NEED_INTEL
	mov $0x33330000, %eax
	mov %rax, %dr7
	mov %dr7, %rcx
	mov $0x0000d700, %eax
	mov %rax, %dr7
	mov %dr7, %rdx
	mov $0x400, %eax
	mov %rax, %dr7
ENDC
CASE debug-dr6-upper-half, need=NEED_INTEL
	movabs $0x100000000, %rax
	mov %rax, %dr6
ENDC
CASE debug-dr7-upper-half, need=NEED_INTEL
	movabs $0x100000400, %rax
	mov %rax, %dr7
ENDC
CASE debug-dr0-any-value
	movabs $0x8000123456789abc, %rax
	mov %rax, %dr0
	mov %rax, %dr3
	mov %dr0, %rcx
	mov %dr3, %rdx
ENDC
CASE debug-dr4-is-dr6
	mov %dr4, %rax
	mov %dr5, %rcx
ENDC
CASE debug-dr4-with-de, cr4=CR4_DE
	mov %dr4, %rax
ENDC
CASE debug-dr5-write-with-de, cr4=CR4_DE
	mov %rax, %dr5
ENDC
CASE debug-dr6-sticks, need=NEED_INTEL
	mov $0xffff0ff1, %eax
	mov %rax, %dr6
	mov $DATA, %eax
	mov %rax, %dr2
	mov $DR7_FIXED | BP(2, WRITE, 4), %eax
	mov %rax, %dr7
	movl $0, DATA
	nop
ENDC
CASE debug-pm32-moves mode=PM32
	mov $0x12345678, %eax
	mov %eax, %dr0
	mov %dr0, %ecx
	mov %dr6, %edx
	mov %dr7, %ebx
ENDC
CASE debug-real-mode-moves mode=REAL
	mov $0x12345678, %eax
	mov %eax, %dr1
	mov %dr1, %ecx
	mov %dr6, %edx
ENDC
CASE debug-vm86-refused mode=VM86, fl=FL_IOPL
	mov %dr0, %eax
ENDC
CASE debug-local-enables-survive
	mov $0x755, %eax
	mov %rax, %dr7
	mov %dr7, %rcx
	mov $0x400, %eax
	mov %rax, %dr7
ENDC

	.section .note.GNU-stack, "", @progbits
