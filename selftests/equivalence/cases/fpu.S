/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * x87 and SSE: results, exceptions, the saved images, \
	and that state comes through exits. What an image leaves undefined is not stored.
 */
#include "fpu.inc"

FPU x87-arithmetic
	fninit
	fldl 9f(%rip)
	faddl 9f+8(%rip)
	fmull 9f+40(%rip)
	fstpt DATA
	fldpi
	fsqrt
	fstpt DATA + 0x10
	fnstsw %ax
END_NUMBERS
FPU x87-environment
	fninit
	fld1
	fldz
	fnstcw DATA
	fnstsw DATA + 4
	fnstenv DATA + 0x20
	movl $0, DATA + 0x2c
	movq $0, DATA + 0x30
	movl $0, DATA + 0x38
ENDC
FPU x87-stack-fault-masked
	fninit
	fstpl DATA
	fnstsw %ax
ENDC
FPU x87-stack-fault-raised cr0=CR0_NE
	fninit
	movw $0x37e, DATA + 0x10
	fldcw DATA + 0x10
	fstpl DATA
	fnstsw %ax
	fwait
ENDC
FPU x87-divide-by-zero cr0=CR0_NE
	fninit
	movw $0x37b, DATA + 0x10
	fldcw DATA + 0x10
	fld1
	fldz
	fdivrp
	fnstsw %ax
	fwait
ENDC
FPU x87-precision-and-rounding
	fninit
	movw $0x0c7f, DATA + 0x10
	fldcw DATA + 0x10
	fld1
	fldl 9f+40(%rip)
	fdivrp
	fstpt DATA
	fldl 9f+8(%rip)
	fistl DATA + 0x20
END_NUMBERS
FPU x87-signalling-nan
	fninit
	fldl 9f+48(%rip)
	fstpt DATA
	fnstsw %ax
END_NUMBERS
FPU x87-denormal
	fninit
	fldl 9f+56(%rip)
	fstpt DATA
	fnstsw %ax
END_NUMBERS
FPU x87-compare
	fninit
	fldl 9f(%rip)
	fldl 9f+8(%rip)
	fcomip
	pushfq
	pop %rax
END_NUMBERS
FPU x87-fsave-frstor
	fninit
	fldl 9f(%rip)
	fldl 9f+8(%rip)
	fnsave DATA + 0x100
	fninit
	frstor DATA + 0x100
	fstpl DATA
	movq $0, DATA + 0x10c
	movq $0, DATA + 0x114
END_NUMBERS
FPU x87-survives-exits
	fninit
	fldl 9f(%rip)
	HIDDEN_CPUID
	in $0x21, %al
	fstpl DATA
END_NUMBERS
FPU mmx
	mov $0x1234, %eax
	movd %eax, %mm0
	punpcklwd %mm0, %mm0
	paddb %mm0, %mm0
	movq %mm0, DATA
	fnstsw %ax
	emms
ENDC
FPU sse-arithmetic
	movupd 9f(%rip), %xmm0
	movupd 9f+40(%rip), %xmm1
	movapd %xmm0, %xmm2
	addsd %xmm1, %xmm2
	mulpd %xmm0, %xmm0
	sqrtsd %xmm2, %xmm3
	movups %xmm0, DATA
	movups %xmm2, DATA + 0x10
	movups %xmm3, DATA + 0x20
	cvttsd2si %xmm2, %rax
	stmxcsr DATA + 0x40
END_NUMBERS
FPU sse-divide-by-zero-masked
	movsd 9f(%rip), %xmm0
	divsd 9f+16(%rip), %xmm0
	movsd %xmm0, DATA
	stmxcsr DATA + 0x40
END_NUMBERS
FPU sse-divide-by-zero-raised
	movl $0x1d80, DATA
	ldmxcsr DATA
	movsd 9f(%rip), %xmm0
	divsd 9f+16(%rip), %xmm0
	nop
END_NUMBERS
FPU sse-raised-without-osxmmexcpt cr4=CR4_OSFXSR
	movl $0x1d80, DATA
	ldmxcsr DATA
	movsd 9f(%rip), %xmm0
	divsd 9f+16(%rip), %xmm0
	nop
END_NUMBERS
FPU sse-overflow-and-flush
	movl $0x9fc0, DATA
	ldmxcsr DATA
	movsd 9f+24(%rip), %xmm0
	mulsd %xmm0, %xmm0
	movsd %xmm0, DATA + 0x10
	movsd 9f+32(%rip), %xmm0
	mulsd %xmm0, %xmm0
	movsd %xmm0, DATA + 0x20
	stmxcsr DATA
END_NUMBERS
FPU sse-compare
	movsd 9f(%rip), %xmm0
	comisd 9f+8(%rip), %xmm0
	pushfq
	pop %rax
	ucomisd 9f+48(%rip), %xmm0
	pushfq
	pop %rcx
	stmxcsr DATA
END_NUMBERS
FPU sse-mxcsr-reserved
	movl $0x10000, DATA
	ldmxcsr DATA
ENDC
FPU sse-mxcsr-reset
	movl $0x1f80, DATA
	ldmxcsr DATA
	stmxcsr DATA + 8
ENDC
FPU fxsave-image
	fninit
	fld1
	movl $0x1f80, DATA
	ldmxcsr DATA
	movups 9f(%rip), %xmm0
	movaps %xmm0, %xmm15
	fxsave64 DATA + 0x100
	movq $0, DATA + 0x108
	movq $0, DATA + 0x110
	movl $0, DATA + 0x11c
	pxor %xmm0, %xmm0
	fxrstor64 DATA + 0x100
	movups %xmm0, DATA
END_NUMBERS
FPU fxsave-misaligned
	fxsave64 DATA + 8
ENDC
FPU fxrstor-bad-mxcsr
	fxsave64 DATA + 0x100
	movl $0x10000, DATA + 0x118
	fxrstor64 DATA + 0x100
ENDC
FPU xmm-survives-exits
	movups 9f(%rip), %xmm0
	movaps %xmm0, %xmm8
	HIDDEN_CPUID
	in $0x21, %al
	mov %cr0, %rax
	mov %rax, %cr0
	movups %xmm8, DATA
END_NUMBERS
FPU movntdq-and-movnti
	movups 9f(%rip), %xmm0
	movntdq %xmm0, DATA
	mov $0x12345678, %eax
	movnti %eax, DATA + 0x20
	sfence
END_NUMBERS

	.section .note.GNU-stack, "", @progbits
