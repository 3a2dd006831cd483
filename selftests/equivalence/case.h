/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a case may ask for, by the names of the manuals, and its row as C sees it. The
 * macros that write cases are in case.inc.
 */
#ifndef CASE_H
#define CASE_H

#include "layout.h"

#define REAL	0
#define VM86	1
#define PM16	2
#define PM32	3 /* without paging */
#define P32	4 /* two levels */
#define PAE	5
#define LONG	6
#define LA57	7
#define COMPAT	8

/* What the processor has to have: rows of needs[] in main.c. */
#define NEED_NOTHING	0
#define NEED_LA57	1
#define NEED_SMEP	2
#define NEED_SMAP	3
#define NEED_AVX	4
#define NEED_FSGSBASE	5
#define NEED_RDTSCP	6
#define NEED_UMIP	7
#define NEED_PKU	8
#define NEED_NX		9
#define NEED_PCID	10
#define NEED_GBPAGES	11
#define NEED_SSE4	12
#define NEED_MOVBE	13
#define NEED_INTEL	14
#define NEED_AMD	15
#define NEED_BMI	16
#define NEED_INVPCID	17

#define FL_CF	0x1
#define FL_PF	0x4
#define FL_AF	0x10
#define FL_ZF	0x40
#define FL_SF	0x80
#define FL_TF	0x100
#define FL_IF	0x200
#define FL_DF	0x400
#define FL_OF	0x800
#define FL_IOPL	0x3000
#define FL_NT	0x4000
#define FL_RF	0x10000
#define FL_VM	0x20000
#define FL_AC	0x40000
#define FL_VIF	0x80000
#define FL_VIP	0x100000

#define CR0_PE	0x1
#define CR0_MP	0x2
#define CR0_EM	0x4
#define CR0_TS	0x8
#define CR0_NE	0x20
#define CR0_WP	0x10000
#define CR0_AM	0x40000
#define CR0_NW	0x20000000
#define CR0_CD	0x40000000
#define CR0_PG	0x80000000

#define CR4_VME	0x1
#define CR4_PVI	0x2
#define CR4_TSD	0x4
#define CR4_DE	0x8
#define CR4_PSE	0x10
#define CR4_PAE	0x20
#define CR4_MCE	0x40
#define CR4_PGE	0x80
#define CR4_PCE	0x100
#define CR4_OSFXSR 0x200
#define CR4_OSXMM 0x400
#define CR4_SSE	0x600
#define CR4_UMIP 0x800
#define CR4_LA57 0x1000
#define CR4_FSGSBASE 0x10000
#define CR4_PCIDE 0x20000
#define CR4_OSXSAVE 0x40000
#define CR4_SMEP 0x100000
#define CR4_SMAP 0x200000
#define CR4_PKE	0x400000

#define EFER_SCE 0x1
#define EFER_LME 0x100
#define EFER_LMA 0x400
#define EFER_NX	0x800
#define EFER_FFXSR 0x4000

#define PTE_P	0x1
#define PTE_W	0x2
#define PTE_U	0x4
#define PTE_A	0x20
#define PTE_D	0x40
#define PTE_PS	0x80
#define PTE_G	0x100

#ifndef __ASSEMBLER__

struct test_case {
	const char *name;
	const unsigned char *start, *end;
	unsigned int mode, ring;
	unsigned int on[2];
	unsigned int flags, cr0, cr4, efer;
	unsigned int flags_mask;
	unsigned int need;
	unsigned int pre;
};

#endif

#endif /* CASE_H */
