/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SYSCALL, SYSRET, SYSENTER and SYSEXIT: selectors, masks, and who refuses what where.
 * The MSRs are set before each case; the target is GATE_TARGET.
 */
#include "case.inc"

#define STAR	0xc0000081
#define LSTAR	0xc0000082
#define CSTAR	0xc0000083
#define SFMASK	0xc0000084

.macro WRITE msr, low, high=0
	mov $\msr, %ecx
	mov $\low, %eax
	mov $\high, %edx
	wrmsr
.endm

.macro SYSCALL_CASE name, mode=LONG, ring=3, sfmask=0, efer=EFER_SCE, fl=FL_IOPL|FL_IF, on=0
PRE mode=\mode
	WRITE STAR, (CODE + GATE_TARGET), (SEL_CODE64 | (SEL_UCODE32 << 16))
	WRITE LSTAR, (CODE + GATE_TARGET)
	WRITE CSTAR, (CODE + GATE_TARGET)
	WRITE SFMASK, (\sfmask)
ENDC
CASE syscall-\name, mode=\mode, ring=\ring, efer=(\efer), fl=(\fl), on=(\on)
.endm

.macro TARGET
	.org 8882b + GATE_TARGET, 0xcc
.endm

SYSCALL_CASE long
	syscall
TARGET
	mov %cs, %eax
	mov %ss, %edx
ENDC
SYSCALL_CASE masks-flags sfmask=FL_IF|FL_IOPL|FL_AC, fl=FL_IF|FL_IOPL|FL_AC|FL_NT
	syscall
TARGET
	pushfq
	pop %rax
ENDC
SYSCALL_CASE without-sce, efer=0
	syscall
TARGET
	nop
ENDC
SYSCALL_CASE from-kernel, ring=0
	syscall
TARGET
	mov %cs, %eax
ENDC
SYSCALL_CASE from-compat, mode=COMPAT
	syscall
TARGET
	.code64
	mov %cs, %eax
	.code32
ENDC
SYSCALL_CASE from-pm32, mode=PM32
	syscall
TARGET
	nop
ENDC
SYSCALL_CASE and-sysretq
	syscall
	mov %cs, %eax
	mov %ss, %edx
	int $VEC_DONE
TARGET
	sysretq
ENDC
SYSCALL_CASE and-sysretl
	syscall
	.code32
	mov %cs, %eax
	mov %ss, %edx
	int $VEC_DONE
TARGET
	.code64
	sysretl
ENDC
SYSCALL_CASE sysret-flags, ring=0
	mov $A(1f), %ecx
	mov $0x244ed7, %r11d
	sysretq
1:	nop
ENDC
SYSCALL_CASE sysret-from-user
	sysretq
ENDC
SYSCALL_CASE sysret-without-sce, ring=0, efer=0
	mov $A(1f), %ecx
	sysretq
1:	nop
ENDC
SYSCALL_CASE steps, fl=FL_TF|FL_IOPL, on=ON(1)
	nop
	syscall
	nop
	int $VEC_DONE
TARGET
	nop
	sysretq
ENDC
SYSCALL_CASE masks-tf sfmask=FL_TF, fl=FL_TF|FL_IOPL, on=ON(1)
	nop
	syscall
	nop
	int $VEC_DONE
TARGET
	nop
	sysretq
ENDC

.macro SYSENTER_CASE name, mode=PM32, ring=3, cs=SEL_CODE32, fl=FL_IF|FL_IOPL, on=0, need=0
PRE mode=\mode
	WRITE 0x174, (\cs)
	WRITE 0x175, (STACK0 - 0x40)
	WRITE 0x176, (CODE + GATE_TARGET)
ENDC
CASE sysenter-\name, mode=\mode, ring=\ring, fl=(\fl), on=(\on), need=\need
.endm

SYSENTER_CASE pm32
	sysenter
TARGET
	mov %cs, %eax
	mov %ss, %ecx
ENDC
SYSENTER_CASE null-cs cs=0
	sysenter
TARGET
	nop
ENDC
SYSENTER_CASE real-mode, mode=REAL, ring=0
	sysenter
TARGET
	nop
ENDC
SYSENTER_CASE vm86, mode=VM86
	sysenter
TARGET
	.code32
	mov %cs, %eax
	.code16
ENDC
SYSENTER_CASE long, mode=LONG
	sysenter
TARGET
	mov %cs, %eax
	mov %ss, %ecx
ENDC
/* AMD has none in long mode. QEMU has, and sets both L and D: see far-jump-l-and-d. */
SYSENTER_CASE compat, mode=COMPAT, need=NEED_INTEL
	sysenter
TARGET
	.code64
	mov %cs, %eax
	mov %ss, %ecx
	.code32
ENDC
SYSENTER_CASE and-sysexit
	mov $A(1f), %edx
	mov $STACK3 - 0x80, %ecx
	sysenter
1:	mov %cs, %eax
	mov %ss, %ebx
	int $VEC_DONE
TARGET
	sysexit
ENDC
SYSENTER_CASE sysexit-from-user
	sysexit
ENDC
SYSENTER_CASE sysexit-null-cs, ring=0 cs=3
	mov $A(1f), %edx
	mov $STACK3 - 0x80, %ecx
	sysexit
1:	nop
ENDC
SYSENTER_CASE sysexit-to-64, mode=LONG, ring=0
	mov $A(1f), %edx
	mov $STACK3 - 0x80, %ecx
	sysexitq
1:	mov %cs, %eax
	mov %ss, %ebx
ENDC
SYSENTER_CASE sysexit-to-compat, mode=LONG, ring=0
	mov $A(1f), %edx
	mov $STACK3 - 0x80, %ecx
	sysexitl
	.code32
1:	mov %cs, %eax
	mov %ss, %ebx
ENDC
SYSENTER_CASE steps, fl=FL_TF|FL_IOPL, on=ON(1)
	mov $A(1f), %edx
	mov $STACK3 - 0x80, %ecx
	sysenter
1:	nop
	int $VEC_DONE
TARGET
	nop
	sysexit
ENDC

	.section .note.GNU-stack, "", @progbits
