/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * FS and GS bases: their MSRs, instructions and segment loads; SWAPGS; TSC_AUX.
 */
#include "case.inc"

#define FS_BASE 0xc0000100
#define GS_BASE 0xc0000101
#define KERNEL_GS_BASE 0xc0000102

.macro WRITE msr, low, high=0
	mov $\msr, %ecx
	mov $\low, %eax
	mov $\high, %edx
	wrmsr
.endm

CASE base-fs-by-msr
	WRITE FS_BASE, DATA
	mov %fs:8, %rbx
	rdmsr
ENDC
CASE base-gs-by-msr-high
	WRITE GS_BASE, 0x80000000, 0xffffffff
	mov $0x80000000 + DATA, %ebx
	mov %gs:(%rbx), %rcx
ENDC
CASE base-fs-wraps
	WRITE FS_BASE, 0xfffffff0, 0xffffffff
	mov %fs:DATA + 0x10, %rbx
ENDC
CASE base-non-canonical-sum
	WRITE FS_BASE, 0xffffffff, 0x00007fff
	mov %fs:DATA, %rbx
ENDC
CASE base-ignored-for-ds-ss
	mov $SEL_BASED, %eax
	mov %eax, %ds
	mov DATA, %ecx
ENDC
CASE base-fs-selector-sets-it
	mov $SEL_BASED, %eax
	mov %eax, %fs
	mov %fs:8, %rbx
	mov $FS_BASE, %ecx
	rdmsr
ENDC
CASE base-fs-selector-clears-upper-half
	WRITE FS_BASE, 0x12345678, 0x00001234
	mov $SEL_BASED, %eax
	mov %eax, %fs
	mov $FS_BASE, %ecx
	rdmsr
ENDC
CASE base-null-selector
	WRITE GS_BASE, DATA
	xor %eax, %eax
	mov %eax, %gs
	rdmsr
ENDC
CASE base-swapgs
	WRITE GS_BASE, DATA
	WRITE KERNEL_GS_BASE, DATA + 0x100
	swapgs
	mov %gs:0, %ebx
	rdmsr
	mov %eax, %esi
	swapgs
	mov %gs:0, %edi
ENDC
CASE base-swapgs-user, ring=3
	swapgs
ENDC
CASE base-swapgs-compat, mode=COMPAT
	.byte 0x0f, 0x01, 0xf8
ENDC
CASE base-wrfsbase, cr4=CR4_FSGSBASE, need=NEED_FSGSBASE
	mov $DATA, %eax
	wrfsbase %rax
	mov %fs:8, %rcx
	rdfsbase %rdx
	wrgsbase %eax
	rdgsbase %ebx
ENDC
CASE base-wrgsbase-user, ring=3, cr4=CR4_FSGSBASE, need=NEED_FSGSBASE
	mov $DATA, %eax
	wrgsbase %rax
	mov %gs:16, %rcx
ENDC
CASE base-rdfsbase-not-enabled, need=NEED_FSGSBASE
	rdfsbase %rax
ENDC
CASE base-wrfsbase-non-canonical, cr4=CR4_FSGSBASE, need=NEED_FSGSBASE
	movabs $0x800000000000, %rax
	wrfsbase %rax
ENDC
CASE base-rdfsbase-compat, mode=COMPAT, cr4=CR4_FSGSBASE, need=NEED_FSGSBASE
	.byte 0xf3, 0x0f, 0xae, 0xc0
ENDC
CASE base-rdtscp-aux, need=NEED_RDTSCP
	WRITE 0xc0000103, 0x77
	rdtscp
	xor %eax, %eax
	xor %edx, %edx
ENDC
CASE base-rdtscp-tsd-user, ring=3, cr4=CR4_TSD, need=NEED_RDTSCP
	rdtscp
ENDC
CASE base-fs-limit-ignored
	mov $SEL_SMALL, %eax
	mov %eax, %fs
	mov %fs:0x1ff8, %rbx
ENDC
/* QEMU ignores it. */
CASE base-tsc-write-and-read, need=NEED_INTEL
	mov $0x10, %ecx
	xor %eax, %eax
	mov $0x100000, %edx
	wrmsr
	rdtsc
	xor %eax, %eax
ENDC
CASE base-mmio-through-gs
	WRITE GS_BASE, 0xfee00000
	movl $0x4321, %gs:0x380
	mov %gs:0x380, %ebx
ENDC

	.section .note.GNU-stack, "", @progbits
