/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where everything is: the first megabyte, the selectors, the shared block that
 * assembly and C both know. Linear addresses are physical ones; only the page
 * tables of the paged modes add an alias.
 */
#ifndef LAYOUT_H
#define LAYOUT_H

#define GDT		0x1000
#define GDT_SIZE	0x200
#define LDT		0x1400
#define IDT32		0x2000
#define IDT64		0x2400
#define NR_VECTORS	64
#define TSS32		0x3000
#define TSS64		0x3400
#define TSS_OTHER	0x3800 /* of tasks that a case switches to, like TSS_16 */
#define TSS_16		0x3c00
#define TSS_16_SIZE	0x2c
#define TSS_BITMAP	0x68
#define TSS_PORTS	0x80 /* bytes of the I/O bitmap: ports below 400h */

#define LOW		0x8000 /* real-mode code and the shared block: one segment */
#define LOW_SEG		(LOW >> 4)
#define SHARED		0xa000
#define LOG		0xb000
#define LOG_EVENTS	64
#define EVENT_SIZE	256

#define CODE		0x10000 /* the case's own code, at offset 0 of a 16-bit segment too */
#define DATA		0x20000 /* two pages that are compared after a case */
#define DATA_SIZE	0x2000
#define STACKS		0x30000
#define STACK0		0x38000 /* ring 0; IST 1; ring 3 */
#define STACK_IST	0x3a000
#define STACK3		0x3c000
#define STACK1		0x3e000
#define GATE_TARGET	0x400 /* offset in CODE that call gates lead to */

#define PD32		0x40000
#define PT32		0x41000
#define PML5		0x42000
#define PML4		0x43000
#define PDPT		0x44000
#define PDPT_PAE	0x45000
#define PD0		0x46000
#define PD3		0x47000
#define PT0		0x48000
#define TEST_PAGES	0x50000 /* pages with clear accessed and dirty bits */
#define NR_TEST_PAGES	4
#define ALIAS		0x60000 /* a second address of CODE where there is paging */
#define LARGE_SHOWN	0x40
#define LARGE		0x400000 /* a large page, with clear accessed and dirty bits */

#define SCRATCH		0x3ff /* port, of the serial line: holds any byte */
#define LAPIC		0xfee00000
#define IOAPIC		0xfec00000

/* Selectors. The first eight stand as SYSENTER, SYSEXIT, SYSCALL and SYSRET want them. */
#define SEL_CODE32	0x08
#define SEL_DATA	0x10
#define SEL_UCODE32	0x1b
#define SEL_UDATA	0x23
#define SEL_UCODE64	0x2b
#define SEL_CODE64	0x30
#define SEL_DATA64	0x38
#define SEL_CODE16	0x40 /* base CODE */
#define SEL_DATA16	0x48 /* base DATA */
#define SEL_STACK16	0x50 /* base STACKS */
#define SEL_TSS32	0x58
#define SEL_TSS64	0x60
#define SEL_LDT		0x70
#define SEL_CONFORMING	0x80
#define SEL_EXEC_ONLY	0x8b
#define SEL_READ_ONLY	0x93
#define SEL_EXPAND_DOWN	0x9b /* valid above 20fffh */
#define SEL_SMALL	0xa3 /* base DATA, limit fffh */
#define SEL_ABSENT	0xab
#define SEL_UCODE_ABSENT 0xb3
#define SEL_CODE_R1	0xb9
#define SEL_DATA_R1	0xc1
#define SEL_CODE_R2	0xca
#define SEL_DATA_R2	0xd2
#define SEL_GATE32	0xdb
#define SEL_GATE32_2	0xe3 /* two parameters */
#define SEL_GATE16	0xeb
#define SEL_GATE_DPL0	0xf3
#define SEL_GATE_ABSENT	0xfb
#define SEL_TSS_OTHER	0x100
#define SEL_TSS_16	0x108
#define SEL_TASK_GATE	0x113
#define SEL_GATE64	0x11b
#define SEL_LIMIT0	0x128
#define SEL_INVALID	0x130
#define SEL_LOW16	0x138
#define SEL_FRESH_DATA	0x140 /* accessed bit clear */
#define SEL_FRESH_CODE	0x148
#define SEL_CONFORMING3	0x150
#define SEL_L_AND_D	0x158
#define SEL_DOWN16	0x163 /* expand down, 16-bit: valid from 1000h to ffffh */
#define SEL_UCODE16	0x173 /* base CODE */
#define SEL_UDATA16	0x17b
#define SEL_USTACK16	0x183 /* base STACKS */
#define SEL_BASED	0x18b /* base DATA, limit 4 GiB */
#define SEL_BEYOND	0x200 /* beyond the GDT's limit */

/* Software interrupts with gates of their own; 30h ends a case. */
#define VEC_DONE	0x30
#define VEC_DPL0	0x31
#define VEC_TRAP_GATE	0x32
#define VEC_ABSENT	0x33
#define VEC_NULL_CS	0x35
#define VEC_CONFORMING	0x36
#define VEC_GATE16	0x37
#define VEC_IRQ		0x38 /* to 3fh: self IPIs, given an EOI */
#define VEC_IST		0x2f /* long mode: by IST 1 */

/* The shared block: what enter.S is to start, and how traps are answered. */
#define SH_REGS		(SHARED + 0x00) /* 16 x 8: rax rcx rdx rbx rsp rbp rsi rdi r8-r15 */
#define SH_RIP		(SHARED + 0x80)
#define SH_FLAGS	(SHARED + 0x88)
#define SH_CS		(SHARED + 0x90)
#define SH_SS		(SHARED + 0x94)
#define SH_DS		(SHARED + 0x98)
#define SH_FS		(SHARED + 0x9c)
#define SH_CR0		(SHARED + 0xa0)
#define SH_CR3		(SHARED + 0xa4)
#define SH_CR4		(SHARED + 0xa8)
#define SH_EFER		(SHARED + 0xac)
#define SH_HOW		(SHARED + 0xb0) /* HOW_* */
#define SH_ON		(SHARED + 0xb8) /* bitmap of vectors after which a case goes on */
#define SH_NR		(SHARED + 0xc0) /* events logged */
#define SH_ESP		(SHARED + 0xc4) /* the monitor's stack */

#define HOW_PROTECTED	0
#define HOW_LONG	1
#define HOW_REAL	2
#define HOW_VM86	3

/* One event. Registers in the order of SH_REGS, then: */
#define EV_RIP		128
#define EV_FLAGS	136
#define EV_ERROR	144
#define EV_VECTOR	160
#define EV_CS		164
#define EV_SS		168
#define EV_DS		172
#define EV_ES		176
#define EV_FS		180
#define EV_GS		184
#define EV_BITS		188 /* of the handler: 16, 32, 64 */
#define EV_CR2		192
#define EV_DR6		200
#define EV_HFLAGS	208 /* flags inside of the handler */

#endif /* LAYOUT_H */
