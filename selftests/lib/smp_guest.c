// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's half of mvm_smp.h: the processors' way from real mode to 64 bits,
 * the interrupt stubs, the loop that runs one call after the other, and small
 * functions that many tests call. All of it is copied into guest memory.
 */
#include "mvm_smp.h"
#include "smp_guest.h"

#define STR_(x) #x
#define STR(x)	STR_(x)

/* GDT, page tables and IDT are vCPU 0's, made by mode.c. */
asm(".pushsection .rodata\n"
	".globl smp_trampoline, smp_trampoline_end\n"
	".code16\n"
	"smp_trampoline:\n"
	"	cli\n"
	"	lgdtl	%cs:(smp_gdtr - smp_trampoline)\n"
	"	mov	$0x20, %eax\n"			/* CR4.PAE */
	"	mov	%eax, %cr4\n"
	"	mov	$" STR(TVM_PML4) ", %eax\n"
	"	mov	%eax, %cr3\n"
	"	mov	$0xc0000080, %ecx\n"		/* EFER.LME */
	"	rdmsr\n"
	"	or	$0x100, %eax\n"
	"	wrmsr\n"
	"	mov	$0x80000031, %eax\n"		/* CR0.PG, NE, ET, PE */
	"	mov	%eax, %cr0\n"
	"	ljmpl	$" STR(TVM_CS) ", $" STR(SMP_TRAMPOLINE) " + smp_long - smp_trampoline\n"
	"smp_gdtr:\n"
	"	.word	63\n"
	"	.long	" STR(TVM_GDT) "\n"
	".code64\n"
	"smp_long:\n"
	"	mov	$" STR(TVM_DS) ", %eax\n"
	"	mov	%eax, %ds\n"
	"	mov	%eax, %es\n"
	"	mov	%eax, %ss\n"
	"	mov	$1, %eax\n"
	"	cpuid\n"
	"	shr	$24, %ebx\n"			/* the APIC id */
	"	inc	%ebx\n"
	"	imul	$" STR(SMP_AREA_SIZE) ", %ebx, %ebx\n"
	"	lea	" STR(SMP_AREAS) "(%rbx), %rsp\n"
	"	mov	" STR(SMP_MAIN) ", %eax\n"
	"	jmp	*%rax\n"
	"smp_trampoline_end:\n"
	".popsection");

/* One stub a vector, 16 bytes apart. No error code is expected: exceptions do not return. */
asm(".pushsection guest_text, \"ax\"\n"
	".globl smp_stubs, smp_entry\n"
	"smp_entry:\n"
	"	call	g_main\n"
	"	.balign	16\n"
	"smp_stubs:\n"
	"	vector = 0\n"
	"	.rept	256\n"
	"	.balign	16\n"
	"	push	$vector\n"
	"	jmp	smp_common\n"
	"	vector = vector + 1\n"
	"	.endr\n"
	"smp_common:\n"
	"	push	%rax\n	push	%rcx\n	push	%rdx\n	push	%rsi\n	push	%rdi\n"
	"	push	%r8\n	push	%r9\n	push	%r10\n	push	%r11\n"
	"	mov	72(%rsp), %rdi\n"
	"	lea	80(%rsp), %rsi\n"
	"	cld\n"
	"	call	g_interrupt\n"
	"	pop	%r11\n	pop	%r10\n	pop	%r9\n	pop	%r8\n"
	"	pop	%rdi\n	pop	%rsi\n	pop	%rdx\n	pop	%rcx\n	pop	%rax\n"
	"	add	$8, %rsp\n"
	"	iretq\n"
	".popsection");

GUEST_INLINE void g_out(uint16_t port, uint32_t val)
{
	asm volatile("outl %0, %1" : : "a"(val), "Nd"(port) : "memory");
}

/* @frame: RIP, CS, RFLAGS, RSP, SS; before them an error code where the vector has one. */
GUEST void g_interrupt(uint64_t vector, const uint64_t *frame)
{
	struct smp_area *area = g_area();

	if (vector < 32 && vector != 2) {
		area->fault_vector = vector;
		area->fault_error = frame[0];
		area->fault_rip = vector == 8 || (vector >= 10 && vector <= 14) ? frame[1] :
										 frame[0];
		for (;;)
			g_out(SMP_FAULT_PORT, area->id);
	}
	area->count[vector]++;
	if (vector != 2)
		g_apic_write(APIC_EOI, 0);
}

GUEST void g_main(void)
{
	struct smp_area *area = g_area();
	struct __attribute__((packed)) {
		uint16_t limit;
		uint64_t base;
	} idtr = { 256 * 16 - 1, TVM_IDT };

	asm volatile("lidt %0" : : "m"(idtr));
	for (;;) {
		g_out(TVM_PORT, area->id);
		area->ret = ((guest_fn)area->fn)(area->arg[0], area->arg[1], area->arg[2]);
	}
}

GUEST uint64_t g_apic_on(uint64_t x2apic, uint64_t b, uint64_t c)
{
	uint64_t base = g_rdmsr(MSR_APIC_BASE);

	if (x2apic)
		g_wrmsr(MSR_APIC_BASE, base | 0xc00);
	g_area()->x2apic = x2apic;
	g_apic_write(APIC_SVR, 0x1ff);
	return base;
}

GUEST uint64_t g_ipi(uint64_t icr, uint64_t dest, uint64_t c)
{
	g_send(icr, dest);
	return 0;
}

GUEST uint64_t g_apic_put(uint64_t reg, uint64_t val, uint64_t c)
{
	g_apic_write(reg, val);
	return 0;
}

GUEST uint64_t g_apic_get(uint64_t reg, uint64_t b, uint64_t c)
{
	return g_apic_read(reg);
}

GUEST uint64_t g_msr_put(uint64_t msr, uint64_t val, uint64_t c)
{
	g_wrmsr(msr, val);
	return 0;
}

GUEST uint64_t g_msr_get(uint64_t msr, uint64_t b, uint64_t c)
{
	return g_rdmsr(msr);
}

GUEST uint64_t g_open(uint64_t a, uint64_t b, uint64_t c)
{
	asm volatile("sti; nop; nop; cli" : : : "memory");
	return 0;
}

GUEST uint64_t g_halt_for(uint64_t vector, uint64_t times, uint64_t c)
{
	volatile uint32_t *count = &g_area()->count[vector];
	uint32_t want = *count + times;

	asm volatile("cli");
	while ((int32_t)(*count - want) < 0)
		asm volatile("sti; hlt; cli" : : : "memory");
	return *count;
}

GUEST uint64_t g_spin_for(uint64_t vector, uint64_t times, uint64_t c)
{
	volatile uint32_t *count = &g_area()->count[vector];
	uint32_t want = *count + times;

	asm volatile("sti");
	while ((int32_t)(*count - want) < 0)
		g_pause();
	asm volatile("cli");
	return *count;
}
