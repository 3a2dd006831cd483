/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * AVX and XSAVE: results, the saved image, XCR0 and who may set what there.
 */
#include "fpu.inc"

#define AVX cr4=CR4_SSE|CR4_OSXSAVE, need=NEED_AVX

.macro XCR0 low
	xor %ecx, %ecx
	xor %edx, %edx
	mov $\low, %eax
	xsetbv
.endm

FPU avx-arithmetic, AVX
	XCR0 7
	vbroadcastsd 9f+8(%rip), %ymm1
	vmovupd 9f(%rip), %ymm0
	vaddpd %ymm1, %ymm0, %ymm2
	vmovupd %ymm2, DATA
	vzeroupper
	vmovupd %ymm2, DATA + 0x40
END_NUMBERS
FPU avx-survives-exits, AVX
	XCR0 7
	vmovupd 9f(%rip), %ymm9
	HIDDEN_CPUID
	in $0x21, %al
	mov %cr4, %rax
	mov %rax, %cr4
	vmovupd %ymm9, DATA
END_NUMBERS
FPU avx-sse-keeps-upper, AVX
	XCR0 7
	vmovupd 9f(%rip), %ymm0
	addpd %xmm0, %xmm0
	vmovupd %ymm0, DATA
	vaddpd %xmm0, %xmm0, %xmm0
	vmovupd %ymm0, DATA + 0x40
END_NUMBERS
FPU avx-without-xcr0, AVX
	vaddpd %ymm0, %ymm0, %ymm0
ENDC
FPU avx-without-osxsave, need=NEED_AVX
	vaddpd %ymm0, %ymm0, %ymm0
ENDC
FPU avx-ts, cr0=CR0_TS, AVX
	XCR0 7
	vaddpd %ymm0, %ymm0, %ymm0
ENDC
FPU xgetbv, AVX
	xor %ecx, %ecx
	xgetbv
ENDC
FPU xgetbv-bad-index, AVX
	mov $7, %ecx
	xgetbv
ENDC
FPU xgetbv-without-osxsave, need=NEED_AVX
	xor %ecx, %ecx
	xgetbv
ENDC
FPU xsave-and-xrstor, AVX
	XCR0 7
	fninit
	vmovupd 9f(%rip), %ymm3
	mov $DATA + 0x600, %edi
	mov $8, %ecx
	xor %eax, %eax
	rep stosq
	mov $7, %eax
	xor %edx, %edx
	xsave64 DATA + 0x400
	movq $0, DATA + 0x408
	movq $0, DATA + 0x410
	vpxor %xmm3, %xmm3, %xmm3
	mov $7, %eax
	xrstor64 DATA + 0x400
	vmovupd %ymm3, DATA
END_NUMBERS
FPU xsave-subset, AVX
	XCR0 7
	vmovupd 9f(%rip), %ymm3
	mov $DATA + 0x600, %edi
	mov $8, %ecx
	xor %eax, %eax
	rep stosq
	mov $4, %eax
	xor %edx, %edx
	xsave64 DATA + 0x400
END_NUMBERS
FPU xrstor-bad-header, AVX
	XCR0 7
	movq $0, DATA + 0x600
	movq $1, DATA + 0x610
	mov $7, %eax
	xor %edx, %edx
	xrstor64 DATA + 0x400
ENDC
FPU xsave-misaligned, AVX
	mov $1, %eax
	xor %edx, %edx
	xsave64 DATA + 0x408
ENDC

.macro BAD_XCR0 name, low, high=0, index=0, ring=0
FPU xsetbv-\name, ring=\ring, AVX
	mov $\index, %ecx
	mov $\low, %eax
	mov $\high, %edx
	xsetbv
ENDC
.endm

BAD_XCR0 without-x87, 6
BAD_XCR0 ymm-without-sse, 5
BAD_XCR0 reserved-bit, 0x80000001
BAD_XCR0 upper-half, 1, 1
BAD_XCR0 index, 1, 0, 1
BAD_XCR0 user, 1, 0, 0, 3

	.section .note.GNU-stack, "", @progbits
