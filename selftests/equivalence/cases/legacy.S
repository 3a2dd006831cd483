/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Real mode and virtual-8086 mode. QEMU looks at no limit: what would run or write
 * beyond one is for the Intel bed.
 */
#include "case.inc"

.macro R name, fl=0, mode=REAL, cr4=0, need=0, code:req
CASE \name mode=\mode, fl=(\fl), cr4=(\cr4), need=\need
	\code
ENDC
.endm

R real-segment-arithmetic, code=RUN(mov $0x2001, %ax; mov %ax, %es; mov %es:0, %cx)
R real-offset-wraps, code=RUN(mov $0xffff, %si; mov (%si), %al; mov 1(%si), %cl)
R real-word-at-the-end, code=RUN(mov $0xffff, %si; mov (%si), %ax)
R real-above-1m, code=RUN(mov $0xffff, %ax; mov %ax, %es; mov %es:0x10, %cx; xor %cx, %cx)
R real-32-bit-operands, code=RUN(mov $0x12345678, %eax; add $0x1, %eax; push %eax; pop %ecx)
R real-limit-of-32-bit-address, code=RUN(mov $0x10000, %ebx; mov (%ebx), %al)
R real-push-pop-segments, code=RUN(push %ss; pop %fs; mov %fs, %ax)
R real-int-and-iret, fl=FL_IF, code=RUN(int $VEC_TRAP_GATE)
R real-divide-error, code=RUN(xor %cx, %cx; div %cx)
R real-into, fl=FL_OF, code=RUN(into)
R real-int3, code=RUN(int3)
R real-bound, code=RUN(movw $1, 0; movw $2, 2; mov $3, %ax; bound %ax, 0)
R real-undefined, code=RUN(ud2)
R real-stack-wraps, code=RUN(mov $2, %sp; push %ax; push %cx; pop %dx; mov $0x7f00, %sp)
R real-popf-changes-all, code=RUN(push $0x7ed7; popf; pushf; pop %ax)
R real-pushfd, code=RUN(pushfl; pop %eax)
R real-cli-sti, fl=FL_IF, code=RUN(cli; pushf; pop %ax; sti; pushf; pop %cx)
R real-lds, code=RUN(movw $0x1234, 0; movw $0x2345, 2; les 0, %bx; mov %es, %ax)
R real-far-call, code=RUN(push %cs; call 1f; jmp 2f; 1: lretw; 2: mov %cs, %ax)
R real-far-jump-other-segment, code=RUN(ljmp $(CODE >> 4) - 1, $0x10 + O(1f); 1: mov %cs, %ax)
R real-loop-uses-cx, code=RUN(mov $0x10002, %ecx; 1: inc %ax; loop 1b)
R real-jcxz, code=RUN(mov $0x10000, %ecx; jcxz 1f; inc %ax; 1: nop)
R real-idt-limit, code=RUN(sidt 0; movw $0x80, 0; lidt 0; int $0x30)
R real-string-io, code=RUN(mov $0x3ff, %dx; mov $5, %si; mov $0x80, %di; outsb; insb)
R real-cpuid, code=RUN(HIDDEN_CPUID)
R real-smsw-sgdt, code=RUN(smsw %ax; sgdt 0)
R real-lgdt-and-back, code=RUN(sgdt 0; lgdtl 0)
R real-ljmp32-beyond-64k, need=NEED_INTEL, code=RUN(ljmpl $CODE >> 4, $0x10000)

CASE real-unreal-segment mode=REAL
	cli
	mov %cr0, %eax
	mov %eax, %edx
	or $1, %al
	mov %eax, %cr0
	mov $SEL_DATA, %bx
	mov %bx, %fs
	mov %edx, %cr0
	mov $DATA, %ebx
	mov %fs:(%ebx), %eax
	mov %eax, %fs:0x100(%ebx)
	mov $LAPIC, %ebx
	mov %fs:0x380(%ebx), %ecx
	mov %fs, %dx
ENDC
CASE real-through-protected-16 mode=REAL
	mov %cr0, %eax
	or $1, %al
	mov %eax, %cr0
	ljmp $SEL_CODE16, $O(1f)
1:	mov %cs, %cx
	and $~1, %al
	mov %eax, %cr0
	ljmp $CODE >> 4, $O(2f)
2:	mov %cs, %dx
ENDC

R vm86-segment-arithmetic, mode=VM86, fl=FL_IOPL, code=RUN(mov $0x2001, %ax; mov %ax, %es; \
	mov %es:0, %cx)
R vm86-word-at-the-end, mode=VM86, fl=FL_IOPL, code=RUN(mov $0xffff, %si; mov (%si), %ax)
R vm86-cli-iopl0, mode=VM86, code=RUN(cli)
R vm86-cli-iopl3, mode=VM86, fl=FL_IOPL|FL_IF, code=RUN(cli; nop)
R vm86-sti-iopl0, mode=VM86, code=RUN(sti)
R vm86-pushf-iopl0, mode=VM86, code=RUN(pushf)
R vm86-popf-iopl0, mode=VM86, code=RUN(popf)
R vm86-popf-iopl3, mode=VM86, fl=FL_IOPL, code=RUN(push $0x4fd7 - 0x100; popf; pushf; pop %ax)
R vm86-iret-iopl0, mode=VM86, code=RUN(iret)
R vm86-int-iopl0, mode=VM86, code=RUN(int $VEC_TRAP_GATE)
R vm86-hlt, mode=VM86, fl=FL_IOPL, code=RUN(hlt)
R vm86-mov-cr, mode=VM86, fl=FL_IOPL, code=RUN(mov %cr0, %eax)
R vm86-smsw, mode=VM86, fl=FL_IOPL, code=RUN(smsw %ax)
R vm86-lmsw, mode=VM86, fl=FL_IOPL, code=RUN(lmsw %ax)
R vm86-cpuid, mode=VM86, fl=FL_IOPL, code=RUN(HIDDEN_CPUID)
R vm86-in-denied-by-bitmap, mode=VM86, fl=FL_IOPL, code=RUN(in $0x21, %al)
R vm86-divide-error, mode=VM86, code=RUN(xor %cx, %cx; div %cx)
R vm86-page-limit, mode=VM86, code=RUN(mov $0x10000, %ebx; mov (%ebx), %al)
R vm86-sldt, mode=VM86, code=RUN(sldt %ax)
R vm86-vme-cli-sets-vif, mode=VM86, cr4=CR4_VME, code=RUN(sti; cli; sti; nop)
R vm86-vme-pushf, mode=VM86, cr4=CR4_VME, fl=FL_VIF, code=RUN(pushf; pop %ax)
R vm86-vme-sti-with-vip, mode=VM86, cr4=CR4_VME, fl=FL_VIP, code=RUN(sti)
R vm86-vme-popf-if-with-vip, mode=VM86, cr4=CR4_VME, fl=FL_VIP, code=RUN(push $0x200; popf)

PRE mode=PM32
	andb $0xfd, TSS32 + TSS_BITMAP + 4 /* port 21h */
ENDC
CASE vm86-in-allowed-by-bitmap mode=VM86
	in $0x21, %al
ENDC
PRE mode=PM32
	andb $0xfd, TSS32 + TSS_BITMAP + 4
ENDC
CASE user-in-allowed-by-bitmap mode=PM32, ring=3
	in $0x21, %al
ENDC
PRE mode=PM32
	andb $0xfd, TSS32 + TSS_BITMAP + 4
ENDC
CASE user-in-word-half-denied mode=PM32, ring=3
	in $0x21, %ax
ENDC
PRE
	andb $0xfd, TSS64 + TSS_BITMAP + 4
ENDC
CASE user-in-allowed-by-bitmap-long ring=3
	in $0x21, %al
ENDC
PRE
	movw $0xffff, TSS64 + 0x66
ENDC
CASE user-in-without-bitmap ring=3
	in $0x21, %al
ENDC
CASE pvi-sti-sets-vif mode=PM32, ring=3, cr4=CR4_PVI
	sti
	cli
	sti
ENDC
CASE pvi-sti-with-vip mode=PM32, ring=3, cr4=CR4_PVI, fl=FL_VIP
	sti
ENDC

	.section .note.GNU-stack, "", @progbits
