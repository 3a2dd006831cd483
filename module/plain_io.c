// SPDX-License-Identifier: GPL-2.0-only
/*
 * Plain I/O, for which nobody needs an emulator: IN and OUT, of which the exit tells
 * everything, and moves between a register and a device, of which it tells where the
 * operand is. Both are done from the inner loop, and leave to userspace from there.
 *
 * A store is done when userspace is told of it: it may be posted. IN and a load are
 * finished in the next KVM_RUN.
 */
#include <linux/bitops.h>
#include <linux/mm.h>

#include "emul.h"
#include "exit.h"
#include "irqchip/irqchip.h"
#include "vcpu.h"

/* At most eight bytes. */
static u64 value_of(const void *buf, unsigned int len)
{
	u64 val = 0;

	memcpy(&val, buf, len);
	return val;
}

/**
 * mvm_kernel_pio() - offer a port access to the in-kernel devices and the eventfds
 * @vcpu: who makes it
 * @port: its port
 * @buf: the data; filled by a read that is done
 * @size: 1, 2 or 4 bytes
 * @write: OUT
 *
 * Context: the vCPU's thread, interrupts on; does not sleep.
 * Return: true: done; false: nobody's in the kernel.
 */
bool mvm_kernel_pio(struct mvm_vcpu *vcpu, u16 port, void *buf, unsigned int size, bool write)
{
	return mvm_irqchip_pio(vcpu, port, size, buf, write) ||
	       (write && mvm_ioeventfd_any(vcpu->vm, MVM_BUS_PORT) &&
		mvm_ioeventfd_signal(vcpu->vm, MVM_BUS_PORT, port, size, value_of(buf, size)));
}

/**
 * mvm_kernel_mmio() - the same for an access to memory that no slot has
 * @vcpu: who makes it
 * @gpa: its guest physical address
 * @buf: the data; filled by a read that is done
 * @len: at most 8 bytes
 * @write: a store
 *
 * Context: the vCPU's thread, interrupts on; does not sleep.
 * Return: true: done; false: nobody's in the kernel.
 */
bool mvm_kernel_mmio(struct mvm_vcpu *vcpu, gpa_t gpa, void *buf, unsigned int len, bool write)
{
	return mvm_irqchip_mmio(vcpu, gpa, len, buf, write) ||
	       (write && mvm_ioeventfd_any(vcpu->vm, MVM_BUS_MEMORY) &&
		mvm_ioeventfd_signal(vcpu->vm, MVM_BUS_MEMORY, gpa, len, value_of(buf, len)));
}

/**
 * mvm_mmio_to_user() - fill kvm_run with KVM_EXIT_MMIO
 * @run: the vCPU's
 * @a: the access
 */
void mvm_mmio_to_user(struct kvm_run *run, const struct mvm_emul_access *a)
{
	run->exit_reason = KVM_EXIT_MMIO;
	run->mmio.phys_addr = a->gpa;
	run->mmio.len = a->len;
	run->mmio.is_write = a->write;
	memset(run->mmio.data, 0, sizeof(run->mmio.data));
	if (a->write)
		memcpy(run->mmio.data, a->data, a->len);
}

/* -------------------------------------------------------------- IN and OUT */

/* Input goes into AL, AX or EAX; the last clears the upper half. */
static void io_set_rax(struct mvm_vcpu *vcpu, u32 val, u8 size)
{
	u64 mask = GENMASK_ULL(8 * size - 1, 0);

	if (size == 4)
		vcpu->gpr[MVM_RAX] = val;
	else
		vcpu->gpr[MVM_RAX] = (vcpu->gpr[MVM_RAX] & ~mask) | (val & mask);
}

static int io_complete(struct mvm_vcpu *vcpu)
{
	const struct mvm_exit *exit = &vcpu->exit;
	u32 val = 0;

	if (mvm_emul_abandoned(vcpu))
		return MVM_RESUME;
	if (exit->u.io.in) {
		memcpy(&val, vcpu->pio_page, exit->u.io.size);
		io_set_rax(vcpu, val, exit->u.io.size);
	}
	return mvm_skip_and_resume(vcpu);
}

/**
 * mvm_emulate_io() - a plain IN or OUT: vcpu->exit.u.io
 * @vcpu: whose exit
 *
 * In-kernel device or KVM_EXIT_IO. Context: the vCPU's thread; does not sleep where the
 * instruction's length is known.
 * Return: MVM_RESUME: done; MVM_TO_USER; else as mvm_skip_insn().
 */
int mvm_emulate_io(struct mvm_vcpu *vcpu)
{
	const struct mvm_exit *exit = &vcpu->exit;
	struct kvm_run *run = vcpu->run;
	u8 size = exit->u.io.size;
	u32 val = exit->u.io.in ? 0 : vcpu->gpr[MVM_RAX];

	if (mvm_kernel_pio(vcpu, exit->u.io.port, &val, size, !exit->u.io.in)) {
		if (exit->u.io.in)
			io_set_rax(vcpu, val, size);
		return mvm_skip_and_resume(vcpu);
	}

	run->exit_reason = KVM_EXIT_IO;
	run->io.direction = exit->u.io.in ? KVM_EXIT_IO_IN : KVM_EXIT_IO_OUT;
	run->io.size = size;
	run->io.port = exit->u.io.port;
	run->io.count = 1;
	run->io.data_offset = KVM_PIO_PAGE_OFFSET * PAGE_SIZE;
	memcpy(vcpu->pio_page, &val, size);
	mvm_emul_note_rip(vcpu->emul, vcpu->rip, exit->u.io.linear_rip);
	vcpu->complete = io_complete;
	return MVM_TO_USER;
}

/* ------------------------------------------------------------------- moves */

static bool is_register(const struct mvm_opnd *o)
{
	return o->kind == MVM_OPND_REG;
}

static bool is_store(const struct mvm_insn *insn)
{
	return insn->op == MVM_OP_MOV && insn->opnd[0].kind == MVM_OPND_MEM &&
	       (is_register(&insn->opnd[1]) || insn->opnd[1].kind == MVM_OPND_IMM);
}

static bool is_load(const struct mvm_insn *insn)
{
	return insn->op >= MVM_OP_MOV && insn->op <= MVM_OP_MOVSXD &&
	       insn->opnd[1].kind == MVM_OPND_MEM && is_register(&insn->opnd[0]);
}

/*
 * Is the operand what the exit was about? It made one access, the processor has checked it,
 * and pages keep their offsets. A misaligned one may be two accesses, or #AC.
 */
static bool is_exits_operand(struct mvm_vcpu *vcpu, const struct mvm_insn *insn,
			     unsigned int size)
{
	gva_t la = mvm_insn_ea(insn, vcpu->gpr, vcpu->rip);
	const u8 seg = insn->mem.seg;

	if (insn->mode != MVM_INSN_64 || seg == MVM_SEG_FS || seg == MVM_SEG_GS) {
		mvm_state_get(vcpu, MVM_STATE_CS | MVM_STATE_SEG);
		la += vcpu->seg[seg].base;
	}
	return !(la & (size - 1)) && offset_in_page(la) == offset_in_page(vcpu->exit.u.mem.gpa);
}

static int store(struct mvm_vcpu *vcpu, const struct mvm_insn *insn)
{
	const struct mvm_opnd *from = &insn->opnd[1];
	struct mvm_emul_access a = {
		.gpa = vcpu->exit.u.mem.gpa, .len = insn->opnd[0].size, .write = true,
	};
	bool done;
	u64 data;

	data = is_register(from) ? mvm_opnd_get_reg(from, vcpu->gpr) : insn->imm;
	memcpy(a.data, &data, sizeof(data));
	done = mvm_kernel_mmio(vcpu, a.gpa, a.data, a.len, true);
	mvm_skip_insn_len(vcpu, insn->len);
	if (done)
		return MVM_RESUME;
	mvm_mmio_to_user(vcpu->run, &a);
	return MVM_TO_USER;
}

static int load_data(struct mvm_vcpu *vcpu, const struct mvm_insn *insn, const void *data)
{
	const unsigned int size = insn->opnd[1].size;
	u64 val = 0;

	memcpy(&val, data, size);
	if (insn->op == MVM_OP_MOVSX || insn->op == MVM_OP_MOVSXD)
		val = sign_extend64(val, 8 * size - 1);
	mvm_opnd_set_reg(&insn->opnd[0], vcpu->gpr, val);
	mvm_skip_insn_len(vcpu, insn->len);
	return MVM_RESUME;
}

static int load_complete(struct mvm_vcpu *vcpu)
{
	u8 data[sizeof(vcpu->run->mmio.data)];

	if (mvm_emul_abandoned(vcpu))
		return MVM_RESUME;
	memcpy(data, vcpu->run->mmio.data, sizeof(data));
	return load_data(vcpu, &vcpu->emul->insn, data);
}

static int load(struct mvm_vcpu *vcpu, const struct mvm_insn *insn)
{
	struct mvm_emul_access a = { .gpa = vcpu->exit.u.mem.gpa, .len = insn->opnd[1].size };

	if (mvm_kernel_mmio(vcpu, a.gpa, a.data, a.len, false))
		return load_data(vcpu, insn, a.data);
	vcpu->emul->insn = *insn;
	mvm_emul_note_rip(vcpu->emul, vcpu->rip,
			  insn->mode == MVM_INSN_64 ? vcpu->rip : mvm_linear_rip(vcpu));
	mvm_mmio_to_user(vcpu->run, &a);
	vcpu->complete = load_complete;
	return MVM_TO_USER;
}

/**
 * mvm_plain_move() - a plain move that touched exit.u.mem.gpa outside memory, without the emulator
 * @vcpu: whose exit
 *
 * A store may be posted: its instruction is done when userspace is told.
 * Context: the inner loop; does not sleep.
 * Return: MVM_RESUME: done; MVM_TO_USER: KVM_EXIT_MMIO; MVM_SLEEP: nothing has happened, the
 * instruction is not present or not so plain.
 */
int mvm_plain_move(struct mvm_vcpu *vcpu)
{
	const bool write = vcpu->exit.u.mem.access & MVM_ACCESS_WRITE;
	const struct mvm_insn *insn = mvm_emul_peek_insn(vcpu);

	/* With LOCK it is #UD, which the emulator raises. */
	if (!insn || insn->lock || !(write ? is_store(insn) : is_load(insn)))
		return MVM_SLEEP;
	if (!is_exits_operand(vcpu, insn, insn->opnd[write ? 0 : 1].size))
		return MVM_SLEEP;
	return write ? store(vcpu, insn) : load(vcpu, insn);
}
