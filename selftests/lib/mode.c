// SPDX-License-Identifier: GPL-2.0-only
/*
 * Puts a test vCPU into a CPU mode: GDT, IDT, page tables, registers. All of
 * memory below 4 GiB is identity-mapped in the modes that have paging.
 */
#include "mvm_util.h"

#define CR0_PE		0x1u
#define CR0_ET		0x10u
#define CR0_NE		0x20u
#define CR0_PG		0x80000000u
#define CR4_PSE		0x10u
#define CR4_PAE		0x20u
#define EFER_LME	0x100u
#define EFER_LMA	0x400u

#define PTE_P_W		0x3u
#define PTE_PS		0x80u

#define TYPE_CODE	0xb	/* readable, accessed */
#define TYPE_DATA	0x3	/* writable, accessed */
#define TYPE_TSS_BUSY	0xb
#define TYPE_LDT	0x2
#define TYPE_GATE	0xe	/* interrupt gate, 32 or 64 bit */

#define GDT_ENTRIES	8

static struct kvm_segment flat(uint16_t selector, uint8_t type)
{
	return (struct kvm_segment){
		.limit = 0xffffffff, .selector = selector, .type = type,
		.present = 1, .db = 1, .s = 1, .g = 1, .dpl = selector & 3,
	};
}

static uint64_t descriptor(const struct kvm_segment *s)
{
	uint64_t limit = s->g ? s->limit >> 12 : s->limit;

	return (limit & 0xffff) | (s->base & 0xffffff) << 16 |
	       (uint64_t)s->type << 40 | (uint64_t)s->s << 44 |
	       (uint64_t)s->dpl << 45 | (uint64_t)s->present << 47 |
	       (limit >> 16 & 0xf) << 48 | (uint64_t)s->l << 53 |
	       (uint64_t)s->db << 54 | (uint64_t)s->g << 55 |
	       (s->base >> 24 & 0xff) << 56;
}

static void set_segments(struct tvm *vm, struct kvm_sregs *s, bool long_mode)
{
	uint64_t *gdt = (uint64_t *)(vm->mem + TVM_GDT);
	struct kvm_segment data = flat(TVM_DS, TYPE_DATA);
	struct kvm_segment user_code = flat(TVM_USER_CS, TYPE_CODE);
	struct kvm_segment user_data = flat(TVM_USER_DS, TYPE_DATA);

	s->cs = flat(TVM_CS, TYPE_CODE);
	s->cs.l = long_mode;
	s->cs.db = !long_mode;
	user_code.l = s->cs.l;
	user_code.db = s->cs.db;
	s->ds = data;
	s->es = data;
	s->fs = data;
	s->gs = data;
	s->ss = data;
	s->tr = (struct kvm_segment){
		.base = TVM_TSS, .limit = 0x67, .selector = TVM_TR,
		.type = TYPE_TSS_BUSY, .present = 1,
	};
	s->ldt = (struct kvm_segment){ .type = TYPE_LDT, .unusable = 1 };

	gdt[TVM_CS / 8] = descriptor(&s->cs);
	gdt[TVM_DS / 8] = descriptor(&s->ds);
	gdt[TVM_TR / 8] = descriptor(&s->tr);
	gdt[TVM_USER_CS / 8] = descriptor(&user_code);
	gdt[TVM_USER_DS / 8] = descriptor(&user_data);
	s->gdt.base = TVM_GDT;
	s->gdt.limit = GDT_ENTRIES * 8 - 1;
	s->idt.base = TVM_IDT;
	s->idt.limit = 256 * (long_mode ? 16 : 8) - 1;
}

static void set_real(struct kvm_sregs *s)
{
	struct kvm_segment seg = {
		.limit = 0xffff, .type = TYPE_DATA, .present = 1, .s = 1,
	};

	s->ds = seg;
	s->es = seg;
	s->fs = seg;
	s->gs = seg;
	s->ss = seg;
	seg.type = TYPE_CODE;
	s->cs = seg;
	/* CS:IP of TVM_CODE does not fit into 16 bits with a base of 0. */
	s->cs.base = TVM_CODE;
	s->cs.selector = TVM_CODE >> 4;
	s->gdt.limit = 0xffff;
	s->idt.base = 0;
	s->idt.limit = 0x3ff;
}

static void set_paging(struct tvm *vm, struct kvm_sregs *s, enum tvm_mode mode)
{
	uint64_t *pml4 = (uint64_t *)(vm->mem + TVM_PML4);
	uint64_t *pdpt = (uint64_t *)(vm->mem + TVM_PDPT);
	uint64_t *pd = (uint64_t *)(vm->mem + TVM_PD);
	uint64_t *pae = (uint64_t *)(vm->mem + TVM_PDPT_PAE);
	uint32_t *pd32 = (uint32_t *)(vm->mem + TVM_PD32);

	pml4[0] = TVM_PDPT | PTE_P_W;
	for (unsigned int i = 0; i < 4; i++) {
		pdpt[i] = (TVM_PD + i * 4096) | PTE_P_W;
		pae[i] = (TVM_PD + i * 4096) | 1;
	}
	for (uint64_t i = 0; i < 4 * 512; i++)
		pd[i] = i << 21 | PTE_P_W | PTE_PS;
	for (uint32_t i = 0; i < 1024; i++)
		pd32[i] = i << 22 | PTE_P_W | PTE_PS;

	s->cr0 |= CR0_PG;
	s->cr3 = mode == TVM_LONG ? TVM_PML4 :
		 mode == TVM_PAE ? TVM_PDPT_PAE : TVM_PD32;
	s->cr4 |= mode == TVM_PAGED32 ? CR4_PSE : CR4_PAE;
	if (mode == TVM_LONG)
		s->efer |= EFER_LME | EFER_LMA;
}

int tvcpu_set_mode(struct tvcpu *vcpu, enum tvm_mode mode)
{
	struct kvm_regs regs = { .rflags = 2, .rip = TVM_CODE, .rsp = TVM_STACK };
	struct kvm_sregs s;
	int ret;

	ret = tvcpu_set_cpuid(vcpu);
	if (!ret)
		ret = tvm_ioctl(vcpu->fd, KVM_GET_SREGS, &s);
	if (ret)
		return ret;
	s.cr0 = CR0_ET;
	s.cr3 = 0;
	s.cr4 = 0;
	s.efer = 0;
	if (mode == TVM_REAL) {
		regs.rip = 0;
		regs.rsp = TVM_STACK - 16;
		set_real(&s);
	} else {
		s.cr0 |= CR0_PE | CR0_NE;
		set_segments(vcpu->vm, &s, mode == TVM_LONG);
	}
	if (mode >= TVM_PAGED32)
		set_paging(vcpu->vm, &s, mode);
	ret = tvm_ioctl(vcpu->fd, KVM_SET_SREGS, &s);
	return ret ? ret : tvm_ioctl(vcpu->fd, KVM_SET_REGS, &regs);
}

void tvcpu_set_gate(struct tvcpu *vcpu, enum tvm_mode mode, uint8_t vector,
		    uint64_t handler)
{
	uint8_t *mem = vcpu->vm->mem;
	uint64_t gate = (handler & 0xffff) | (uint64_t)TVM_CS << 16 |
			(uint64_t)(0x80 | TYPE_GATE) << 40 |
			(handler >> 16 & 0xffff) << 48;

	switch (mode) {
	case TVM_REAL:
		/* Handlers share the code's segment, whose base is TVM_CODE. */
		((uint16_t *)mem)[vector * 2] = handler - TVM_CODE;
		((uint16_t *)mem)[vector * 2 + 1] = TVM_CODE >> 4;
		break;
	case TVM_LONG:
		((uint64_t *)(mem + TVM_IDT))[vector * 2] = gate;
		((uint64_t *)(mem + TVM_IDT))[vector * 2 + 1] = handler >> 32;
		break;
	default:
		((uint64_t *)(mem + TVM_IDT))[vector] = gate;
		break;
	}
}
