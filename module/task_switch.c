// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hardware task switch that exited: insn/task.c does it, here is its place in the
 * hypervisor.
 *
 * VT-x leaves every switch to us. AMD-V's processors do it themselves, and are let:
 * nothing in it is out of the guest's reach, CR3 included, with nested paging. An
 * event whose gate led here is delivered with the switch, or meets its faults like
 * any other.
 */
#include <asm/processor-flags.h>
#include <uapi/asm/debugreg.h>

#include "exit.h"
#include "insn/task.h"
#include "mmu/mmu.h"
#include "vcpu.h"

/* ------------------------------------------------------------------ callbacks */

static int task_probe(void *priv, gva_t la, unsigned int len, u32 access,
		      struct mvm_fault *fault)
{
	struct mvm_vcpu *vcpu = priv;
	struct mvm_walk walk;
	gva_t page;
	gpa_t gpa;
	int ret = 0;

	mvm_walk_init(vcpu, &walk);
	for (page = la; page < la + len && !ret; page = (page | ~PAGE_MASK) + 1)
		ret = mvm_walk_gva(vcpu->vm, &walk, (u32)page, access, &gpa, fault);
	return ret;
}

static int task_read(void *priv, gva_t la, void *buf, unsigned int len, u32 access,
		     struct mvm_fault *fault)
{
	return mvm_gva_read(priv, la, buf, len, access | MVM_ACCESS_READ, fault);
}

static int task_write(void *priv, gva_t la, const void *buf, unsigned int len, u32 access,
		      struct mvm_fault *fault)
{
	return mvm_gva_write(priv, la, buf, len, access, fault);
}

static int task_set_cr3(void *priv, u32 cr3)
{
	return mvm_set_cr3(priv, cr3);
}

static const struct mvm_task_ops task_ops = {
	.probe = task_probe,
	.read = task_read,
	.write = task_write,
	.set_cr3 = task_set_cr3,
};

/* ------------------------------------------------------------------- the switch */

static bool is_software(const struct mvm_event *ev)
{
	return ev->type == MVM_EVENT_SOFT_INT || ev->type == MVM_EVENT_SOFT_EXC;
}

static void task_setup(struct mvm_vcpu *vcpu, struct mvm_task *t)
{
	const struct mvm_exit *exit = &vcpu->exit;
	const struct kvm_segment *tr = &vcpu->seg[MVM_SEG_TR];
	bool gate = exit->u.task.source == MVM_TASK_GATE;
	int i;

	mvm_state_modify(vcpu, MVM_STATE_RIP | MVM_STATE_CS | MVM_STATE_SEG | MVM_STATE_CR |
				       MVM_STATE_DR);
	mvm_state_get(vcpu, MVM_STATE_DT);
	*t = (struct mvm_task){
		.ops = &task_ops,
		.priv = vcpu,
		.source = exit->u.task.source,
		.selector = exit->u.task.selector,
		.external = gate && !is_software(&exit->vectoring),
		.has_error = gate && exit->vectoring.has_error,
		.error = exit->vectoring.error,
		.gdt_base = vcpu->gdt.base,
		.gdt_limit = vcpu->gdt.limit,
		.paging = vcpu->cr0 & X86_CR0_PG,
		.next_ip = vcpu->rip + exit->insn_len,
		.gpr = vcpu->gpr,
		.rflags = &vcpu->rflags,
		.ip = vcpu->rip,
		.old_base = tr->base,
		.old_limit = tr->limit,
		.old_type = tr->type,
	};
	for (i = 0; i < MVM_NR_SEGS; i++)
		t->seg[i].selector = vcpu->seg[i].selector;
}

static struct kvm_segment to_segment(const struct mvm_task_seg *seg, u8 cpl)
{
	u64 desc = seg->desc;

	return (struct kvm_segment){
		.base = mvm_desc_base(desc),
		.limit = mvm_desc_limit(desc),
		.selector = seg->selector,
		.type = MVM_DESC_TYPE(desc),
		.s = MVM_DESC_S(desc),
		.dpl = desc ? MVM_DESC_DPL(desc) : cpl,
		.present = MVM_DESC_P(desc),
		.unusable = !desc,
		.avl = desc >> 52 & 1,
		.l = desc >> 53 & 1,
		.db = MVM_DESC_DB(desc),
		.g = desc >> 55 & 1,
	};
}

/* What has changed: TR alone where the new address space was refused. */
static void take_over(struct mvm_vcpu *vcpu, const struct mvm_task *t)
{
	int i;

	if (t->seg[MVM_SEG_TR].desc)
		vcpu->seg[MVM_SEG_TR] = to_segment(&t->seg[MVM_SEG_TR], 0);
	if (!t->committed)
		return;
	for (i = 0; i < MVM_SEG_TR; i++)
		vcpu->seg[i] = to_segment(&t->seg[i], t->cpl);
	/* The CPL is SS's, and a conforming code segment may have another. */
	vcpu->seg[MVM_SEG_SS].dpl = t->cpl;
	vcpu->rip = t->ip;
	vcpu->int_shadow = 0;
	vcpu->cr0 |= X86_CR0_TS;
	vcpu->dr7 &= ~(u64)MVM_DR7_LOCAL;
}

/**
 * mvm_exit_task_switch() - the guest wants another task
 * @vcpu: whose exit (vcpu->exit.u.task)
 *
 * Return: as all exit handlers. May sleep.
 */
int mvm_exit_task_switch(struct mvm_vcpu *vcpu)
{
	struct mvm_events *events = &vcpu->events;
	enum mvm_task_result result;
	struct mvm_task task;

	if (mvm_is_long_mode(vcpu) || !(vcpu->cr0 & X86_CR0_PE))
		return mvm_emulation_error(vcpu);
	task_setup(vcpu, &task);
	result = mvm_task_switch(&task);
	if (result == MVM_TASK_FAIL)
		return mvm_emulation_error(vcpu);
	take_over(vcpu, &task);

	if (task.source == MVM_TASK_IRET)
		events->nmi.masked = false;
	/* Delivered; or lost to a fault, as on a processor. Two faults make a double one. */
	events->nmi.injected = false;
	events->interrupt.injected = false;
	if (result == MVM_TASK_FAULT) {
		mvm_queue_fault(vcpu, &task.fault);
		return MVM_RESUME;
	}
	events->exception.injected = false;
	if (task.trap)
		mvm_queue_debug(vcpu, DR_SWITCH);
	if (mvm_is_stepped(vcpu))
		mvm_vcpu_set_request(vcpu, MVM_REQ_STEPPED);
	return MVM_RESUME;
}
