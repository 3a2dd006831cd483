// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Exits and registers in words, for error messages and dumps. Pure: the
 * caller's structures in, text into the caller's buffer.
 */
#include <stdarg.h>
#include <stdio.h>

#include "internal.h"

static const char * const exit_names[] = {
	[KVM_EXIT_UNKNOWN] = "unknown",
	[KVM_EXIT_EXCEPTION] = "exception",
	[KVM_EXIT_IO] = "io",
	[KVM_EXIT_HYPERCALL] = "hypercall",
	[KVM_EXIT_DEBUG] = "debug",
	[KVM_EXIT_HLT] = "hlt",
	[KVM_EXIT_MMIO] = "mmio",
	[KVM_EXIT_IRQ_WINDOW_OPEN] = "irq-window",
	[KVM_EXIT_SHUTDOWN] = "shutdown",
	[KVM_EXIT_FAIL_ENTRY] = "fail-entry",
	[KVM_EXIT_INTR] = "intr",
	[KVM_EXIT_SET_TPR] = "set-tpr",
	[KVM_EXIT_TPR_ACCESS] = "tpr-access",
	[KVM_EXIT_NMI] = "nmi",
	[KVM_EXIT_INTERNAL_ERROR] = "internal-error",
	[KVM_EXIT_SYSTEM_EVENT] = "system-event",
	[KVM_EXIT_IOAPIC_EOI] = "ioapic-eoi",
	[KVM_EXIT_HYPERV] = "hyperv",
	[KVM_EXIT_X86_RDMSR] = "rdmsr",
	[KVM_EXIT_X86_WRMSR] = "wrmsr",
	[KVM_EXIT_DIRTY_RING_FULL] = "dirty-ring-full",
	[KVM_EXIT_X86_BUS_LOCK] = "bus-lock",
	[KVM_EXIT_XEN] = "xen",
	[KVM_EXIT_NOTIFY] = "notify",
};

MVM_API const char *minivmm_exit_name(uint32_t exit_reason)
{
	if (exit_reason >= sizeof(exit_names) / sizeof(exit_names[0]) ||
	    !exit_names[exit_reason])
		return "unknown";
	return exit_names[exit_reason];
}

/* Grows as snprintf() counts: .len may pass .size, nothing is written there. */
struct text {
	char *buf;
	size_t size;
	size_t len;
};

static void add(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(struct text *t, const char *fmt, ...)
{
	size_t room = t->len < t->size ? t->size - t->len : 0;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(room ? t->buf + t->len : NULL, room, fmt, ap);
	va_end(ap);
	if (n > 0)
		t->len += n;
}

static void add_internal_error(struct text *t, const struct kvm_run *run)
{
	uint32_t i, n = run->internal.ndata;

	add(t, "internal error, suberror %u", run->internal.suberror);
	if (run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION)
		add(t, " (an instruction that cannot be emulated)");
	if (n > sizeof(run->internal.data) / sizeof(run->internal.data[0]))
		n = sizeof(run->internal.data) / sizeof(run->internal.data[0]);
	for (i = 0; i < n; i++)
		add(t, "%s%#llx", i ? " " : ", data ", run->internal.data[i]);
}

MVM_API int minivmm_describe_exit(const struct kvm_run *run, char *buf, size_t size)
{
	struct text t = { .buf = buf, .size = size };

	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		add(&t, "%s port %#x, %u x %u bytes",
		    run->io.direction == KVM_EXIT_IO_OUT ? "write to" : "read from",
		    run->io.port, run->io.count, run->io.size);
		break;
	case KVM_EXIT_MMIO:
		add(&t, "%s address %#llx, %u bytes",
		    run->mmio.is_write ? "write to" : "read from", run->mmio.phys_addr,
		    run->mmio.len);
		break;
	case KVM_EXIT_SHUTDOWN:
		add(&t, "triple fault");
		break;
	case KVM_EXIT_FAIL_ENTRY:
		add(&t, "the processor refused to enter the guest, hardware reason %#llx on CPU %u",
		    run->fail_entry.hardware_entry_failure_reason, run->fail_entry.cpu);
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		add_internal_error(&t, run);
		break;
	case KVM_EXIT_UNKNOWN:
		add(&t, "an exit that the device does not know, hardware reason %#llx",
		    run->hw.hardware_exit_reason);
		break;
	default:
		add(&t, "exit reason %u (%s)", run->exit_reason,
		    minivmm_exit_name(run->exit_reason));
	}
	return t.len;
}

static void add_segment(struct text *t, const char *name, const struct kvm_segment *s)
{
	add(t, "%-4s %04x base %016llx limit %08x type %x s %u dpl %u p %u l %u db %u g %u%s\n",
	    name, s->selector, s->base, s->limit, s->type, s->s, s->dpl, s->present, s->l,
	    s->db, s->g, s->unusable ? " unusable" : "");
}

static void add_system(struct text *t, const struct kvm_sregs *s)
{
	add(t, "cr0 %016llx cr2 %016llx cr3 %016llx\n", s->cr0, s->cr2, s->cr3);
	add(t, "cr4 %016llx cr8 %016llx efer %016llx apic_base %016llx\n", s->cr4, s->cr8,
	    s->efer, s->apic_base);
	add_segment(t, "cs", &s->cs);
	add_segment(t, "ds", &s->ds);
	add_segment(t, "es", &s->es);
	add_segment(t, "fs", &s->fs);
	add_segment(t, "gs", &s->gs);
	add_segment(t, "ss", &s->ss);
	add_segment(t, "tr", &s->tr);
	add_segment(t, "ldtr", &s->ldt);
	add(t, "gdt  base %016llx limit %04x\n", s->gdt.base, s->gdt.limit);
	add(t, "idt  base %016llx limit %04x", s->idt.base, s->idt.limit);
}

MVM_API int minivmm_describe_regs(const struct kvm_regs *r, const struct kvm_sregs *s,
				  char *buf, size_t size)
{
	struct text t = { .buf = buf, .size = size };

	add(&t, "rip %016llx rflags %016llx\n", r->rip, r->rflags);
	add(&t, "rax %016llx rbx %016llx rcx %016llx rdx %016llx\n", r->rax, r->rbx, r->rcx,
	    r->rdx);
	add(&t, "rsi %016llx rdi %016llx rbp %016llx rsp %016llx\n", r->rsi, r->rdi, r->rbp,
	    r->rsp);
	add(&t, "r8  %016llx r9  %016llx r10 %016llx r11 %016llx\n", r->r8, r->r9, r->r10,
	    r->r11);
	add(&t, "r12 %016llx r13 %016llx r14 %016llx r15 %016llx\n", r->r12, r->r13, r->r14,
	    r->r15);
	add_system(&t, s);
	return t.len;
}
