/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Control registers, EFER and MSRs: what may be written, and what each refuses. A
 * case writes a value and reads back. QEMU checks few of them: where it does not, the
 * case is for the Intel bed.
 */
#include "case.inc"

.macro CR name, nr, value, mode=LONG, ring=0, cr4=0, need=0, efer=0
CASE cr\nr-\name, mode=\mode, ring=\ring, cr4=(\cr4), need=\need, efer=(\efer)
	.if \mode == LONG || \mode == LA57
	mov %cr\nr, %rax
	mov %rax, %rsi
	movabs $\value, %rcx
	xor %rcx, %rax
	mov %rax, %cr\nr
	mov %cr\nr, %rdx
	mov %rsi, %cr\nr
	.else
	mov %cr\nr, %eax
	mov %eax, %esi
	xor $\value, %eax
	mov %eax, %cr\nr
	mov %cr\nr, %edx
	mov %esi, %cr\nr
	.endif
ENDC
.endm

/* The value is what changes. */
CR no-change, 0, 0
CR wp, 0, CR0_WP
CR am, 0, CR0_AM
CR ne, 0, CR0_NE
CR ts, 0, CR0_TS
CR em-mp, 0, (CR0_EM | CR0_MP)
CR nw-without-cd, 0, CR0_NW, LONG, 0, 0, NEED_INTEL
CR cd, 0, CR0_CD
CR pe-off-with-paging, 0, CR0_PE, LONG, 0, 0, NEED_INTEL
CR pg-off-in-64-bit-mode, 0, CR0_PG, LONG, 0, 0, NEED_INTEL
CR upper-half, 0, 0x100000000, LONG, 0, 0, NEED_INTEL
CR reserved-bits-ignored, 0, 0x40, LONG, 0, 0, NEED_INTEL
CR pg-without-pe, 0, CR0_PG, REAL, 0, 0, NEED_INTEL
CR pg-with-lme-without-pae, 0, CR0_PG, PM32, 0, 0, NEED_INTEL, EFER_LME
CR pg-and-back, 0, 0, P32
CR from-user, 0, 0, PM32, 3

CR no-change, 3, 0
CR pwt-pcd, 3, 0x18
CR low-bits-ignored, 3, 0x7
CR above-maxphyaddr, 3, 0x8000000000000, LONG, 0, 0, NEED_INTEL
CR reserved-upper, 3, 0x4000000000000000, LONG, 0, 0, NEED_INTEL
CR anything-without-paging, 3, 0x12345000, PM32
CR pae-low-bits, 3, 0x18, PAE

CR no-change, 4, 0
CR pae-off-in-long-mode, 4, CR4_PAE, LONG, 0, 0, NEED_INTEL
CR pae-toggle, 4, CR4_PAE, PM32
CR pse, 4, CR4_PSE
CR pge, 4, CR4_PGE
CR tsd-de, 4, (CR4_TSD | CR4_DE)
CR mce, 4, CR4_MCE
CR osfxsr, 4, CR4_SSE
CR vme-pvi, 4, (CR4_VME | CR4_PVI)
CR reserved-bit-15, 4, 0x8000, LONG, 0, 0, NEED_INTEL
CR reserved-bit-19, 4, 0x80000, LONG, 0, 0, NEED_INTEL
CR reserved-bit-31, 4, 0x80000000, LONG, 0, 0, NEED_INTEL
CR reserved-bit-63, 4, 0x8000000000000000, LONG, 0, 0, NEED_INTEL

CR smep, 4, 0, LONG, 0, 0, NEED_SMEP
CR smap, 4, CR4_SMAP, LONG, 0, 0, NEED_SMAP
CR fsgsbase, 4, CR4_FSGSBASE, LONG, 0, 0, NEED_FSGSBASE
CR osxsave, 4, CR4_OSXSAVE, LONG, 0, 0, NEED_AVX
CR pcide, 4, CR4_PCIDE, LONG, 0, 0, NEED_PCID
CR pcide-outside-long-mode, 4, CR4_PCIDE, PAE, 0, 0, NEED_PCID
CR umip, 4, CR4_UMIP, LONG, 0, 0, NEED_UMIP
CR pke, 4, CR4_PKE, LONG, 0, 0, NEED_PKU

CR priority, 8, 5
CR reserved, 8, 0x10, LONG, 0, 0, NEED_INTEL
CR upper, 8, 0x100000000, LONG, 0, 0, NEED_INTEL
CR user, 8, 0, LONG, 3

CASE cr4-pcide-with-low-cr3 need=NEED_PCID
	mov $PML4 + 0x18, %eax
	mov %rax, %cr3
	mov %cr4, %rcx
	or $CR4_PCIDE, %ecx
	mov %rcx, %cr4
ENDC
CASE cr3-pcid-no-flush-bit, need=NEED_PCID
	mov %cr4, %rax
	or $CR4_PCIDE, %eax
	mov %rax, %cr4
	movabs $0x8000000000000001 + PML4, %rax
	mov %rax, %cr3
	mov %cr3, %rcx
	mov $PML4, %eax
	mov %rax, %cr3
ENDC
CASE cr-upper-halves-in-32-bit-mode mode=PM32
	mov $-1, %eax
	mov %eax, %cr2
	mov %cr2, %ecx
ENDC
CASE cr2-any-value
	movabs $0x8000123456789abc, %rax
	mov %rax, %cr2
	mov %cr2, %rcx
ENDC
CASE lmsw-cannot-leave
	xor %eax, %eax
	lmsw %ax
	smsw %ecx
ENDC
CASE lmsw-low-bits-only
	mov $0xffff, %eax
	lmsw %ax
	smsw %ecx
	clts
	smsw %edx
ENDC
CASE lmsw-from-memory
	movw $0x3, DATA
	lmsw DATA
	smsw DATA + 8
ENDC
CASE lmsw-from-read-protected-page cr0=CR0_WP
	movl $0, PTE64(1)
	lmsw PAGE(1)
ENDC
/* A CR0 that a hypervisor may have to show other than it is. */
CASE smsw-with-caches-off
	mov %cr0, %rcx
	mov %rcx, %rdx
	or $CR0_CD, %ecx
	mov %rcx, %cr0
	smsw %eax
	smsw %bx
	smsw %rsi
	smsw DATA
	mov %cr0, %rdi
	mov %rdx, %cr0
ENDC
CASE lmsw-and-clts-with-caches-off
	mov %cr0, %rcx
	mov %rcx, %rdx
	or $CR0_CD, %ecx
	mov %rcx, %cr0
	mov $0xb, %eax
	lmsw %ax
	mov %cr0, %rsi
	clts
	mov %cr0, %rdi
	mov %rdx, %cr0
ENDC
CASE smsw-to-read-only-page-with-caches-off cr0=CR0_WP
	mov %cr0, %rcx
	or $CR0_CD, %ecx
	mov %rcx, %cr0
	movl $PAGE(1) + 1, PTE64(1)
	smsw PAGE(1)
ENDC
CASE lmsw-enters-protected-mode mode=REAL
	mov $1, %ax
	lmsw %ax
	smsw %ecx
	mov %cr0, %eax
	and $~1, %al
	mov %eax, %cr0
ENDC
CASE smsw-user-without-umip ring=3
	smsw %eax
	sgdt DATA
	sldt %ecx
	str %edx
ENDC
CASE umip-smsw ring=3, cr4=CR4_UMIP, need=NEED_UMIP
	smsw %eax
ENDC
CASE umip-sgdt ring=3, cr4=CR4_UMIP, need=NEED_UMIP
	sgdt DATA
ENDC
CASE umip-str ring=3, cr4=CR4_UMIP, need=NEED_UMIP
	str %eax
ENDC

/* ------------------------------------------------------------------------ MSRs */

.macro MSR_WRITE name, index, low, high=0, need=0, mode=LONG
CASE msr-\name, need=\need, mode=\mode
	mov $\index, %ecx
	rdmsr
	mov %eax, %esi
	mov %edx, %edi
	mov $\low, %eax
	mov $\high, %edx
	wrmsr
	rdmsr
	mov %eax, %ebx
	mov %edx, %ebp
	mov %esi, %eax
	mov %edi, %edx
	wrmsr
ENDC
.endm

MSR_WRITE star, 0xc0000081, 0x12345678, 0x9abcdef0
MSR_WRITE lstar, 0xc0000082, 0x12345678, 0xffff8000
MSR_WRITE cstar, 0xc0000083, 0x12345678, 0
MSR_WRITE sfmask, 0xc0000084, 0x12345678, 0
MSR_WRITE kernel-gs-base, 0xc0000102, 0x12345678, 0x00007fff
MSR_WRITE sysenter-cs, 0x174, 0x1234, 0
MSR_WRITE sysenter-esp, 0x175, 0x12345678, 0
MSR_WRITE sysenter-eip, 0x176, 0x12345678, 0
MSR_WRITE pat, 0x277, 0x00070406, 0x01040506
MSR_WRITE pat-reserved-type, 0x277, 0x02070406, 0x00070406, NEED_INTEL
MSR_WRITE tsc-aux, 0xc0000103, 0x12345678, 0, NEED_RDTSCP
MSR_WRITE lstar-non-canonical, 0xc0000082, 0, 0x00008000, NEED_INTEL
MSR_WRITE sysenter-eip-non-canonical, 0x176, 0, 0x00008000, NEED_INTEL
MSR_WRITE fs-base-non-canonical, 0xc0000100, 0, 0x00008000, NEED_INTEL
MSR_WRITE kernel-gs-base-non-canonical, 0xc0000102, 0, 0x00008000, NEED_INTEL
MSR_WRITE unknown, 0x12345, 0, 0, NEED_INTEL
MSR_WRITE unknown-above, 0xc0001234, 0, 0, NEED_INTEL
MSR_WRITE efer-sce-toggle, 0xc0000080, EFER_LME | EFER_LMA | EFER_SCE
MSR_WRITE efer-lme-off-with-paging, 0xc0000080, EFER_LMA, 0, NEED_INTEL
MSR_WRITE efer-reserved-bit-1, 0xc0000080, EFER_LME | EFER_LMA | 2, 0, NEED_INTEL
MSR_WRITE efer-reserved-upper, 0xc0000080, EFER_LME | EFER_LMA, 1, NEED_INTEL
MSR_WRITE efer-lma-is-not-written, 0xc0000080, EFER_LMA, 0, NEED_NOTHING, PM32
MSR_WRITE efer-nx, 0xc0000080, EFER_LME | EFER_LMA | EFER_NX, 0, NEED_NX
MSR_WRITE apic-base-reserved, 0x1b, 0xfee00901, 0, NEED_INTEL
MSR_WRITE apic-base-x2-without-enable, 0x1b, 0xfee00500, 0, NEED_INTEL

/* What firmware leaves in the MTRRs is not compared. */
.macro MTRR name, index, low, high
CASE msr-\name
	mov $\index, %ecx
	rdmsr
	mov %eax, %esi
	mov %edx, %edi
	mov $\low, %eax
	mov $\high, %edx
	wrmsr
	rdmsr
	mov %eax, %ebx
	mov %edx, %ebp
	mov %esi, %eax
	mov %edi, %edx
	wrmsr
	xor %eax, %eax
	xor %edx, %edx
	xor %esi, %esi
	xor %edi, %edi
ENDC
.endm

MTRR mtrr-phys-base, 0x200, 0x00000006, 0
CASE msr-mtrr-phys-base-reserved-type, need=NEED_INTEL
	mov $0x200, %ecx
	mov $2, %eax
	xor %edx, %edx
	wrmsr
ENDC
MTRR mtrr-fixed, 0x250, 0x06060606, 0x05050505

CASE msr-read-unknown need=NEED_INTEL
	mov $0x1234567, %ecx
	rdmsr
ENDC
CASE msr-upper-rcx-ignored
	movabs $0x55555555c0000080, %rcx
	rdmsr
ENDC
CASE msr-real-mode mode=REAL
	mov $0x174, %ecx
	rdmsr
ENDC
CASE msr-vm86 mode=VM86, fl=FL_IOPL
	mov $0x174, %ecx
	rdmsr
ENDC
CASE efer-nx-off-uses-reserved-bit efer=EFER_NX, need=NEED_NX
	mov $0xc0000080, %ecx
	rdmsr
	and $~EFER_NX, %eax
	wrmsr
	orl $0x80000000, PTE64(1) + 4
	mov PAGE(1), %eax
ENDC

	.section .note.GNU-stack, "", @progbits
