/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Paging in all its kinds: permissions and error codes, accessed and dirty bits, large
 * pages, reserved bits, addresses that straddle pages.
 */
#include "case.inc"

/* The entry of test page 1 replaced, then one access by the given ring. */
.macro PAGE32 name, entry, ring=0, cr0=0, cr4=0, code:req
PRE mode=P32
	movl $\entry, PTE32(1)
ENDC
CASE p32-\name, mode=P32, ring=\ring, cr0=(\cr0), cr4=(\cr4)
	\code
ENDC
.endm

.macro PAGE64 name, entry, ring=0, cr0=0, cr4=0, efer=0, need=0, mode=LONG, high=0, code:req
PRE mode=\mode need=\need
	movl $\entry, PTE64(1)
	movl $\high, PTE64(1) + 4
ENDC
CASE \name, mode=\mode, ring=\ring, cr0=(\cr0), cr4=(\cr4), efer=(\efer), need=\need
	mov $PAGE(1), %ebx
	\code
ENDC
.endm

#define RW (PAGE(1) + 7)
#define RO (PAGE(1) + 5)
#define KRW (PAGE(1) + 3)
#define KRO (PAGE(1) + 1)
#define NX_HIGH 0x80000000

PAGE32 read-sets-accessed, RW, code=RUN(mov PAGE(1), %eax)
PAGE32 write-sets-dirty, RW, code=RUN(mov %eax, PAGE(1))
PAGE32 absent, 0, code=RUN(mov PAGE(1), %eax)
PAGE32 absent-write-user, 0, ring=3, code=RUN(mov %eax, PAGE(1))
PAGE32 kernel-page-from-user, KRW, ring=3, code=RUN(mov PAGE(1), %eax)
PAGE32 read-only-from-user, RO, ring=3, code=RUN(mov %eax, PAGE(1))
PAGE32 read-only-without-wp, RO, code=RUN(mov %eax, PAGE(1))
PAGE32 read-only-with-wp, RO, cr0=CR0_WP, code=RUN(mov %eax, PAGE(1))
PAGE32 execute-absent, 0, code=RUN(mov $PAGE(1), %ebx; jmp *%ebx)
PAGE32 lock-cmpxchg-that-fails, RW, code=RUN(lock cmpxchg %ecx, PAGE(1))
PAGE32 cmpxchg-read-only-with-wp, RO, cr0=CR0_WP, code=RUN(cmpxchg %ecx, PAGE(1))
PAGE32 straddling-write, 0, cr0=CR0_WP, code=RUN(mov %eax, PAGE(1) - 2)
PAGE32 straddling-write-out, RW, code=RUN(movl $PAGE(2), PTE32(2); mov %eax, PAGE(2) - 1)
PAGE32 straddling-read, 0, code=RUN(mov PAGE(1) - 1, %eax)
PAGE32 large-page, RW, code=RUN(mov LARGE + 8, %eax; mov %eax, LARGE + 16)

PRE mode=P32
	andl $~PTE_U, PD32
ENDC
CASE p32-supervisor-directory-kernel, mode=P32
	mov PAGE(1), %eax
ENDC
PRE mode=P32
	orl $0x2000, PD32 + (LARGE >> 20)
ENDC
CASE p32-pse36-reserved-bit-21, mode=P32
	movl $LARGE | 0x200000 | 0x87, PD32 + (LARGE >> 20)
	mov %cr3, %eax
	mov %eax, %cr3
	mov LARGE, %eax
ENDC
CASE p32-without-pse, mode=P32, cr4=CR4_PSE
	mov PAGE(2), %eax
ENDC
CASE p32-cr2-after-two-faults, mode=P32, on=ON(14)
	movl $0, PTE32(3)
	mov $A(1f), %ebp
	mov PAGE(3) + 4, %eax
1:	mov %cr2, %ecx
	mov $A(2f), %ebp
	mov %eax, PAGE(3) + 8
2:	mov %cr2, %edx
ENDC

PAGE64 pae-read-and-write, RW, mode=PAE, code=RUN(mov (%ebx), %eax; mov %eax, 0x1000(%ebx))
PAGE64 pae-absent-user, 0, ring=3, mode=PAE, code=RUN(mov (%ebx), %eax)
PAGE64 pae-nx, RW, efer=EFER_NX, need=NEED_NX, high=NX_HIGH, mode=PAE, code=RUN(movb $0xc3, \
	(%ebx); call *%ebx)
PAGE64 pae-nx-not-enabled, RW, high=NX_HIGH, mode=PAE, code=RUN(mov (%ebx), %eax)
PAGE64 pae-reserved-bit-52, RW, high=0x100000, mode=PAE, code=RUN(mov (%ebx), %eax)
PAGE64 pae-large-page, RW, mode=PAE, code=RUN(mov %eax, LARGE + 8)
CASE pae-absent-pdpte, mode=PAE
	mov 0x40000000, %eax
ENDC
CASE pae-reserved-pdpte, mode=PAE
	movl $PD0 | 0x21, PDPT_PAE + 8
	mov %cr3, %eax
	mov %eax, %cr3
ENDC
CASE pae-pdpte-loaded-by-cr3-only, mode=PAE
	movl $PD0 | 1, PDPT_PAE + 8
	mov $A(1f), %ebp
	mov %cr3, %eax
	mov %eax, %cr3
	mov 0x40000000 + DATA, %eax
1:	nop
ENDC
/* Intel loads the four entries with CR3; AMD may look at memory each time. */
CASE pae-pdpte-change-without-cr3, mode=PAE, need=NEED_INTEL
	movl $PD0 | 1, PDPT_PAE + 8
	mov 0x40000000 + DATA, %eax
ENDC

PAGE64 long-read-and-write, RW, code=RUN(mov (%rbx), %rax; mov %rax, 0x1000(%rbx))
PAGE64 long-absent, 0, code=RUN(mov (%rbx), %eax)
PAGE64 long-absent-write-user, 0, ring=3, code=RUN(mov %eax, (%rbx))
PAGE64 long-kernel-page-from-user, KRW, ring=3, code=RUN(mov (%rbx), %eax)
PAGE64 long-read-only-with-wp, RO, cr0=CR0_WP, code=RUN(mov %eax, (%rbx))
PAGE64 long-read-only-without-wp, KRO, code=RUN(mov %eax, (%rbx))
PAGE64 long-nx, RW, efer=EFER_NX, need=NEED_NX, high=NX_HIGH, code=RUN(call *%rbx)
PAGE64 long-nx-data-is-fine, RW, efer=EFER_NX, need=NEED_NX, high=NX_HIGH, \
	code=RUN(mov %eax, (%rbx))
PAGE64 long-nx-not-enabled, RW, need=NEED_NX, high=NX_HIGH, code=RUN(mov (%rbx), %eax)
PAGE64 long-execute-absent-user, 0, ring=3, efer=EFER_NX, need=NEED_NX, code=RUN(jmp *%rbx)
PAGE64 long-execute-absent-without-nx, 0, ring=3, code=RUN(jmp *%rbx)
PAGE64 smep, RW, cr4=CR4_SMEP, need=NEED_SMEP, code=RUN(movb $0xc3, (%rbx); call *%rbx)
PAGE64 smap-read, RW, cr4=CR4_SMAP, need=NEED_SMAP, code=RUN(mov (%rbx), %eax)
PAGE64 smap-with-ac, RW, cr4=CR4_SMAP, need=NEED_SMAP, code=RUN(stac; mov (%rbx), %eax; \
	clac; mov %eax, (%rbx))
PAGE64 straddling-both-absent, 0, code=RUN(movl $0, PTE64(0); movl $0, PTE64(2); \
	mov 0xffe(%rbx), %eax)
PAGE64 straddling-write-second-absent, RW, code=RUN(movl $0, PTE64(2); mov %rax, 0xffc(%rbx))
PAGE64 straddling-lock, RW, code=RUN(movl $0, PTE64(2); lock add %rax, 0xffc(%rbx))
PAGE64 push-to-absent, 0, code=RUN(lea 8(%rbx), %rsp; push %rax; push %rax)
PAGE64 pop-into-absent, 0, code=RUN(popq (%rbx))
PAGE64 call-pushes-to-absent, 0, code=RUN(mov %rbx, %rsp; call 1f; 1: nop)
PAGE64 cmpxchg16b-absent, 0, code=RUN(lock cmpxchg16b 0x10(%rbx))
PAGE64 cmov-reads-anyway, 0, code=RUN(cmp %eax, %eax; cmovne (%rbx), %ecx)
PAGE64 fxsave-to-absent, 0, code=RUN(fxsave64 (%rbx))

CASE long-accessed-of-all-levels
	andb $~PTE_A, PML4
	andb $~PTE_A, PDPT
	andb $~PTE_A, PD0
	mov %cr3, %rax
	mov %rax, %cr3
	mov PAGE(1), %ecx
ENDC
CASE long-large-page
	mov LARGE + 8, %eax
	mov %eax, LARGE + 0x10
ENDC
CASE long-large-page-reserved-bit-13
	orl $0x2000, PD0 + (LARGE >> 18)
	mov LARGE, %eax
ENDC
CASE long-ps-in-pml4-reserved
	orl $PTE_PS, PML4 + 8
	orl $1, PML4 + 8
	movabs $0x8000000000, %rbx
	mov (%rbx), %eax
ENDC
CASE long-gigabyte-page, need=NEED_GBPAGES
	movl $0x83, PDPT + 8
	mov $0x40000000 + DATA, %ebx
	mov (%rbx), %eax
	mov %eax, 8(%rbx)
ENDC
CASE long-gigabyte-page-reserved-bit-13, need=NEED_GBPAGES
	movl $0x2083, PDPT + 8
	mov $0x40000000 + DATA, %ebx
	mov (%rbx), %eax
ENDC
CASE long-high-half
	movl $PDPT | 7, PML4 + 511 * 8
	movabs $0xffffff8000000000 + DATA, %rbx
	mov (%rbx), %rax
	mov %rax, 8(%rbx)
ENDC
CASE long-global-survives-cr3, cr4=CR4_PGE
	movl $PAGE(1) + 7 + PTE_G, PTE64(1)
	mov PAGE(1), %eax
	mov %cr3, %rcx
	mov %rcx, %cr3
	invlpg PAGE(1)
	mov PAGE(1), %eax
ENDC
CASE long-invlpg-after-change
	mov PAGE(1), %eax
	movl $PAGE(2) + 7, PTE64(1)
	movl $0x12345678, PAGE(2)
	invlpg PAGE(1)
	mov PAGE(1), %ecx
ENDC
CASE long-cr3-after-change
	mov PAGE(1), %eax
	movl $PAGE(2) + 7, PTE64(1)
	movl $0x12345678, PAGE(2)
	mov %cr3, %rcx
	mov %rcx, %cr3
	mov PAGE(1), %ecx
ENDC
CASE long-dirty-again-after-it-was-cleared
	mov %eax, PAGE(1)
	andb $~PTE_D, PTE64(1)
	invlpg PAGE(1)
	mov %ecx, PAGE(1)
ENDC
CASE long-pcid-switch, need=NEED_PCID
	mov %cr4, %rax
	or $CR4_PCIDE, %eax
	mov %rax, %cr4
	mov $PML4 + 1, %eax
	mov %rax, %cr3
	mov PAGE(1), %ecx
	mov %cr3, %rdx
	mov $PML4, %eax
	mov %rax, %cr3
ENDC
CASE long-invpcid, need=NEED_INVPCID
	movq $0, DATA
	movq $PAGE(1), DATA + 8
	xor %eax, %eax
	mov PAGE(1), %ecx
	movl $PAGE(2) + 7, PTE64(1)
	invpcid DATA, %rax
	mov PAGE(1), %edx
	mov $9, %eax
	invpcid DATA, %rax
ENDC
CASE la57-read-and-write, mode=LA57, need=NEED_LA57
	mov PAGE(1), %eax
	mov %eax, PAGE(2)
ENDC
CASE la57-high-address, mode=LA57, need=NEED_LA57
	movl $PML4 | 7, PML5 + 8
	movabs $0x1000000000000 + DATA, %rbx
	mov (%rbx), %rax
ENDC
CASE la57-not-canonical, mode=LA57, need=NEED_LA57
	movabs $0x100000000000000, %rbx
	mov (%rbx), %rax
ENDC
CASE la57-absent, mode=LA57, need=NEED_LA57
	movabs $0x2000000000000, %rbx
	mov (%rbx), %rax
ENDC
CASE la57-cannot-be-left, mode=LA57, need=NEED_LA57
	mov %cr4, %rax
	btr $12, %rax
	mov %rax, %cr4
ENDC
CASE la57-cannot-be-entered-with-paging, need=NEED_LA57
	mov %cr4, %rax
	bts $12, %rax
	mov %rax, %cr4
ENDC

	.section .note.GNU-stack, "", @progbits
