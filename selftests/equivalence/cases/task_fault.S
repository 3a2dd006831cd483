/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Task switches that fault: before they happened, in the old task, and after, in the new
 * one; and those between address spaces.
 */
#include "task.inc"

/* ------------------------------------------------------ faults in the old task */

.macro REFUSED name, sel=SEL_TSS_OTHER, mode=PM32, ring=0, fl=0, insn=, pre=
PRE mode=\mode
	TASK_OF \mode
	TASK_VECTOR VEC_TASK
	\pre
ENDC
CASE task-\name, mode=\mode, ring=\ring, fl=(\fl)
	.ifb \insn
	ljmp $\sel, $0
	.else
	\insn
	.endif
	nop
TARGET
	xor %eax, %eax
	str %ax
ENDC
.endm

#define TYPE_OF(sel) GDT + (sel) + 5
#define ITS_TYPE TYPE_OF(SEL_TSS_OTHER)
#define ITS_LIMIT GDT + SEL_TSS_OTHER
#define GATE GDT + (SEL_TASK_GATE & ~7)
#define IRET_TO(sel) movw $sel, TSS32; iret

REFUSED absent, pre=RUN(movb $0x09, ITS_TYPE)
REFUSED absent-by-gate, SEL_TASK_GATE, ring=3, pre=RUN(movb $0x09, ITS_TYPE)
REFUSED absent-by-int, insn=RUN(int $VEC_TASK), pre=RUN(movb $0x09, ITS_TYPE)
REFUSED busy, pre=RUN(movb $0x8b, ITS_TYPE)
REFUSED busy-by-call, insn=RUN(lcall $SEL_TSS_OTHER, $0), pre=RUN(movb $0x8b, ITS_TYPE)
REFUSED busy-by-int, insn=RUN(int $VEC_TASK), pre=RUN(movb $0x8b, ITS_TYPE)
REFUSED busy-by-exception, insn=RUN(ud2), \
	pre=RUN(movb $0x8b, ITS_TYPE; TASK_VECTOR 6)
REFUSED jmp-to-itself, SEL_TSS32
REFUSED limit-too-small, pre=RUN(movb $0x66, ITS_LIMIT)
REFUSED limit-too-small-by-int, insn=RUN(int $VEC_TASK), pre=RUN(movb $0x66, ITS_LIMIT)
REFUSED limit-too-small-by-exception, insn=RUN(ud2), \
	pre=RUN(movb $0x66, ITS_LIMIT; TASK_VECTOR 6)
REFUSED limit-too-small-16, SEL_TSS_16, pre=RUN(movb $0x2a, GDT + SEL_TSS_16)
REFUSED limit-just-enough, pre=RUN(movb $0x67, ITS_LIMIT)
REFUSED gate-absent, SEL_TASK_GATE, pre=RUN(andb $0x7f, GATE + 5)
REFUSED gate-dpl, SEL_TASK_GATE, ring=3, pre=RUN(movb $0x85, GATE + 5)
REFUSED gate-rpl, SEL_TASK_GATE, pre=RUN(movb $0x85, GATE + 5)
REFUSED gate-to-null, SEL_TASK_GATE, pre=RUN(movw $0, GATE + 2)
REFUSED gate-to-ldt, SEL_TASK_GATE, pre=RUN(movw $0x0c, GATE + 2)
REFUSED gate-beyond, SEL_TASK_GATE, pre=RUN(movw $SEL_BEYOND, GATE + 2)
REFUSED gate-to-data, SEL_TASK_GATE, pre=RUN(movw $SEL_DATA, GATE + 2)
REFUSED gate-to-gate, SEL_TASK_GATE, pre=RUN(movw $SEL_TASK_GATE, GATE + 2)
REFUSED int-dpl, ring=3, insn=RUN(int $VEC_TASK), pre=RUN(TASK_VECTOR VEC_TASK dpl=0)
REFUSED int-gate-absent, insn=RUN(int $VEC_TASK), pre=RUN(andb $0x7f, IDT32 + 8 * VEC_TASK + 5)
REFUSED int-to-null, insn=RUN(int $VEC_TASK), pre=RUN(TASK_VECTOR VEC_TASK sel=0)
REFUSED int-to-ldt, insn=RUN(int $VEC_TASK), pre=RUN(TASK_VECTOR VEC_TASK sel=0x0c)
REFUSED exception-to-data, insn=RUN(ud2), pre=RUN(TASK_VECTOR 6 sel=SEL_DATA)
REFUSED return-to-available, fl=FL_NT, insn=RUN(IRET_TO(SEL_TSS_OTHER))
REFUSED return-to-null, fl=FL_NT, insn=RUN(iret)
REFUSED return-to-ldt, fl=FL_NT, insn=RUN(IRET_TO(0x0c))
REFUSED return-to-absent, fl=FL_NT, insn=RUN(IRET_TO(SEL_TSS_OTHER)), \
	pre=RUN(movb $0x0b, ITS_TYPE)
REFUSED return-to-too-small, fl=FL_NT, insn=RUN(IRET_TO(SEL_TSS_OTHER)), \
	pre=RUN(movb $0x8b, ITS_TYPE; movb $0x50, ITS_LIMIT)
REFUSED return-to-busy, fl=FL_NT, insn=RUN(IRET_TO(SEL_TSS_OTHER)), pre=RUN(movb $0x8b, ITS_TYPE)
REFUSED return-from-user, ring=3, fl=FL_NT, insn=RUN(IRET_TO(SEL_TSS_OTHER)), \
	pre=RUN(movb $0x8b, ITS_TYPE)
REFUSED compat, mode=COMPAT
REFUSED compat-by-gate, SEL_TASK_GATE, mode=COMPAT

/* ------------------------------------------------------ faults in the new task */

/*
 * In ring 3, so that its faults have a stack. QEMU delivers a fault of LDTR, CS or SS
 * with whatever its hidden registers are at the moment.
 */
.macro SPOILT name, field, val, ring=3, need=0, pre=
PRE mode=PM32
	.if \ring == 3
	IS_TASK cs=SEL_UCODE32, ss=SEL_UDATA, ds=SEL_UDATA, esp=STACK3
	.else
	IS_TASK
	.endif
	movl $\val, TSS(\field)
	\pre
ENDC
CASE task-spoilt-\name, mode=PM32, need=\need
	ljmp $SEL_TSS_OTHER, $0
	nop
TARGET
	nop
ENDC
.endm

SPOILT ldt-of-data TSS_LDT SEL_DATA need=NEED_INTEL
SPOILT ldt-in-ldt TSS_LDT 0x0c need=NEED_INTEL
SPOILT ldt-beyond TSS_LDT SEL_BEYOND need=NEED_INTEL
SPOILT ldt-absent TSS_LDT SEL_LDT need=NEED_INTEL, pre=RUN(movb $0x02, GDT + SEL_LDT + 5)
SPOILT ldt-null-with-rpl TSS_LDT 3
SPOILT cs-absent TSS_CS SEL_UCODE_ABSENT need=NEED_INTEL
SPOILT ss-absent TSS_SS SEL_ABSENT need=NEED_INTEL
SPOILT ss-null TSS_SS 0 need=NEED_INTEL
SPOILT ss-read-only TSS_SS SEL_READ_ONLY need=NEED_INTEL
SPOILT ss-of-ring0 TSS_SS SEL_DATA need=NEED_INTEL
SPOILT ss-with-other-rpl TSS_SS SEL_UDATA&~3 need=NEED_INTEL
SPOILT ss-in-no-ldt TSS_SS 0x17 need=NEED_INTEL
SPOILT ds-absent TSS_DS SEL_ABSENT
SPOILT ds-of-ring0 TSS_DS SEL_DATA
SPOILT ds-exec-only TSS_DS SEL_EXEC_ONLY
SPOILT ds-conforming TSS_DS SEL_CONFORMING
SPOILT ds-null TSS_DS 3
SPOILT es-beyond TSS_ES SEL_BEYOND
SPOILT fs-of-tss TSS_FS SEL_TSS32
SPOILT gs-absent TSS_GS SEL_ABSENT
SPOILT gs-in-no-ldt TSS_GS 0x0c
SPOILT ds-absent-in-ring0 TSS_DS SEL_ABSENT ring=0
SPOILT cs-absent-in-ring0 TSS_CS SEL_UCODE_ABSENT&~3 need=NEED_INTEL ring=0, \
	pre=RUN(movb $0x1b, TYPE_OF((SEL_UCODE_ABSENT & ~7)))
SPOILT eip-beyond-limit TSS_EIP 0x10000, pre=RUN(movl $SEL_UCODE16, TSS(TSS_CS))

/* ------------------------------------------------------------- address spaces */

/* The other task's tables are copies in the test pages, without the large page. */
.macro OWN_SPACE mode, cr3, from, words
PRE mode=\mode
	IS_TASK cr3=\cr3
	movl $PAGE(0), TSS(TSS_CR3)
	mov $\from, %esi
	mov $PAGE(0), %edi
	mov $\words, %ecx
	rep movsl
	.if \mode == PAE
	mov $PD0, %esi
	mov $PAGE(1), %edi
	mov $1024, %ecx
	rep movsl
	movl $PAGE(1) | PTE_P, PAGE(0)
	movl $0, PAGE(1) + (LARGE >> 21) * 8
	.else
	movl $0, PAGE(0) + (LARGE >> 22) * 4
	.endif
ENDC
.endm

OWN_SPACE P32, PD32, PD32, 1024
CASE task-own-space-p32, mode=P32
	ljmp $SEL_TSS_OTHER, $0
TARGET
	mov %cr3, %eax
	mov LARGE, %ecx
ENDC
OWN_SPACE P32, PD32, PD32, 1024
CASE task-own-space-p32-and-back, mode=P32
	mov LARGE, %edx
	lcall $SEL_TSS_OTHER, $0
	mov LARGE, %edx
	mov %cr3, %eax
	int $VEC_DONE
TARGET
	mov %cr3, %eax
	mov %eax, DATA
	iret
ENDC
OWN_SPACE PAE, PDPT_PAE, PDPT_PAE, 8
CASE task-own-space-pae, mode=PAE
	mov LARGE, %edx
	ljmp $SEL_TSS_OTHER, $0
TARGET
	mov %cr3, %eax
	mov LARGE, %ecx
ENDC
OWN_SPACE PAE, PDPT_PAE, PDPT_PAE, 8
CASE task-own-space-pae-and-back, mode=PAE
	lcall $SEL_TSS_OTHER, $0
	mov LARGE, %edx
	mov %cr3, %eax
	int $VEC_DONE
TARGET
	mov %cr3, %eax
	mov %eax, DATA
	iret
ENDC

/* The TSS is on a page of its own. */
.macro PAGED_TASK name, bits, mode=P32, insn=RUN(ljmp $SEL_TSS_OTHER, $0)
PRE mode=\mode
	TASK_OF \mode
	TASK_VECTOR VEC_TASK
	mov $TSS_OTHER, %esi
	mov $PAGE(1), %edi
	mov $0x1a, %ecx
	rep movsl
	movb $PAGE(1) >> 16, GDT + SEL_TSS_OTHER + 4
	movw $PAGE(1) & 0xffff, GDT + SEL_TSS_OTHER + 2
	.if \mode == P32
	movl $PAGE(1) + \bits, PTE32(1)
	.else
	movl $PAGE(1) + \bits, PTE64(1)
	.endif
	mov %cr3, %eax
	mov %eax, %cr3
ENDC
CASE task-page-\name, mode=\mode
	\insn
	nop
TARGET
	xor %eax, %eax
	str %ax
ENDC
.endm

PAGED_TASK not-there, 0
PAGED_TASK not-there-by-call, 0, insn=RUN(lcall $SEL_TSS_OTHER, $0)
PAGED_TASK not-there-by-int, 0, mode=PAE, insn=RUN(int $VEC_TASK)
PAGED_TASK read-only, PTE_P
PAGED_TASK accessed-by-jmp, PTE_P|PTE_W
PAGED_TASK accessed-by-call, PTE_P|PTE_W, insn=RUN(lcall $SEL_TSS_OTHER, $0)
PAGED_TASK accessed-by-int, PTE_P|PTE_W, mode=PAE, insn=RUN(int $VEC_TASK)
