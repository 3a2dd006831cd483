// SPDX-License-Identifier: GPL-2.0-only
/*
 * An interrupt that arrives inside of a REP string instruction which is emulated: it is
 * taken between two iterations, with RIP at the instruction and the count and the
 * pointers where they are then, and afterwards the instruction goes on; no element
 * is lost or moved twice.
 *
 * The device is the test: it raises the interrupt while it answers an access.
 */
#include "irq_util.h"
#include "mvm_harness.h"

#define PORT	0x3f8
#define DONE	0xf1
#define HANDLED	0xf2
#define VECTOR	0x41
#define BUF	0x20ff0		/* 16 bytes before the end of a page */
#define DEV	0x10000000	/* no memory there */
#define EOI	0xfee000b0
#define HANDLER	128
#define COUNT	100

/* The string instruction is at START; the handler has nothing to save. */
#define BODY(regs, insn, eoi, iret)						\
	"cld; " regs " sti; jmp 1f; .org 64b + 48; 1: " insn "; cli; out %al, $0xf1; hlt;" \
	".org 64b + 128; out %al, $0xf2; " eoi iret
#define START	48

#define CODE16(name, insn)							\
	GUEST_CODE(name##16, 16, "64:" BODY("mov $0x2000, %ax; mov %ax, %ds; mov %ax, %es;" \
		   "mov $0xff0, %si; mov $0xff0, %di; mov $100, %cx; mov $0x3f8, %dx;"	\
		   "mov $0x5a, %al;", insn, "", "iret"))
#define CODE32(name, si, di, insn)						\
	GUEST_CODE(name##32, 32, "64:" BODY("mov $" si ", %esi; mov $" di ", %edi;"	\
		   "mov $100, %ecx; mov $0x3f8, %edx; mov $0x5a, %al;", insn,	\
		   "movl $0, 0xfee000b0;", "iret"))
#define CODE64(name, si, di, insn)						\
	GUEST_CODE(name##64, 64, "64:" BODY("mov $" si ", %esi; mov $" di ", %edi;"	\
		   "mov $100, %ecx; mov $0x3f8, %edx; mov $0x5a, %al;", insn, \
		   "mov $0xfee000b0, %ebx; movl $0, (%rbx);", "iretq"))
#define MEM_AT "0x20ff0"
#define DEV_AT "0x10000000"

CODE16(ins, "rep insb");
CODE16(outs, "rep outsb");
CODE32(ins, MEM_AT, MEM_AT, "rep insb");
CODE64(ins, MEM_AT, MEM_AT, "rep insb");
CODE32(outs, MEM_AT, MEM_AT, "rep outsb");
CODE64(outs, MEM_AT, MEM_AT, "rep outsb");
CODE32(stos, MEM_AT, DEV_AT, "rep stosb");
CODE64(stos, MEM_AT, DEV_AT, "rep stosb");
CODE32(movs_out, MEM_AT, DEV_AT, "rep movsb");
CODE64(movs_out, MEM_AT, DEV_AT, "rep movsb");
CODE32(movs_in, DEV_AT, MEM_AT, "rep movsb");
CODE64(movs_in, DEV_AT, MEM_AT, "rep movsb");

struct guest {
	struct tvm vm;
	struct tvcpu vcpu;
	unsigned int raised;	/* how many had been, 0 = not yet */
	unsigned int moved, handled;
	struct kvm_regs in_handler;
	uint64_t saved_rip;
	uint8_t out[2 * COUNT];
};

FIXTURE(rep) {
	struct guest w;
};

enum insn { INS, OUTS, STOS, MOVS_OUT, MOVS_IN, NR_INSNS };

struct code {
	const uint8_t *start, *end;
};

FIXTURE_VARIANT(rep) {
	enum tvm_mode mode;
	bool irqchip;
	struct code code[NR_INSNS];
};

#define ALL(bits) {								\
	[INS] = { ins##bits, ins##bits##_end },					\
	[OUTS] = { outs##bits, outs##bits##_end },				\
	[STOS] = { stos##bits, stos##bits##_end },				\
	[MOVS_OUT] = { movs_out##bits, movs_out##bits##_end },			\
	[MOVS_IN] = { movs_in##bits, movs_in##bits##_end } }
#define PORTS(bits) {								\
	[INS] = { ins##bits, ins##bits##_end },					\
	[OUTS] = { outs##bits, outs##bits##_end } }

FIXTURE_VARIANT_ADD(rep, real) { TVM_REAL, false, PORTS(16) };
FIXTURE_VARIANT_ADD(rep, protected) { TVM_PROTECTED, false, ALL(32) };
FIXTURE_VARIANT_ADD(rep, protected_irqchip) { TVM_PROTECTED, true, ALL(32) };
FIXTURE_VARIANT_ADD(rep, long) { TVM_LONG, false, ALL(64) };
FIXTURE_VARIANT_ADD(rep, long_irqchip) { TVM_LONG, true, ALL(64) };

FIXTURE_SETUP(rep)
{
	if (tvm_is_kvm())
		MVM_SKIP("KVM's emulator takes no interrupt before it has done 1024 iterations");
	TVM_CREATE_OR_SKIP(&self->w.vm, TVM_MEM_SIZE);
	if (variant->irqchip)
		ASSERT_EQ(0, tvm_create_irqchip(&self->w.vm, false));
	ASSERT_EQ(0, tvcpu_create(&self->w.vm, &self->w.vcpu, 0));
	if (variant->irqchip)
		ASSERT_EQ(0, tlapic_enable(&self->w.vcpu));
}

FIXTURE_TEARDOWN(rep)
{
	tvcpu_destroy(&self->w.vcpu);
	tvm_destroy(&self->w.vm);
}

static int raise_irq(struct guest *w, bool irqchip)
{
	struct kvm_msi msi = { .address_lo = TIRQ_MSI_ADDR, .data = VECTOR };
	struct kvm_interrupt irq = { .irq = VECTOR };
	int ret;

	w->raised = w->moved;
	if (!irqchip)
		return tvm_ioctl(w->vcpu.fd, KVM_INTERRUPT, &irq);
	ret = tvm_ioctl(w->vm.fd, KVM_SIGNAL_MSI, &msi);
	return ret == 1 ? 0 : -EIO;
}

/* Element @i of what the device has. */
static uint8_t element(unsigned int i)
{
	return 3 * i + 1;
}

/* @n elements go to the device, or come from it. */
static int move(struct guest *w, uint8_t *data, unsigned int n, bool to_device)
{
	unsigned int i;

	for (i = 0; i < n; i++, w->moved++) {
		if (w->moved >= sizeof(w->out))
			return -EOVERFLOW;
		if (to_device)
			w->out[w->moved] = data[i];
		else
			data[i] = element(w->moved);
	}
	return 0;
}

/* The handler has reported: where was the instruction then? */
static int note_handler(struct guest *w, enum tvm_mode mode)
{
	unsigned int size = mode == TVM_REAL ? 2 : mode == TVM_LONG ? 8 : 4;
	int ret = tvm_ioctl(w->vcpu.fd, KVM_GET_REGS, &w->in_handler);

	w->handled++;
	if (ret)
		return ret;
	w->saved_rip = 0;
	memcpy(&w->saved_rip, w->vm.mem + w->in_handler.rsp, size);
	if (mode == TVM_REAL)
		w->saved_rip += TVM_CODE;
	return 0;
}

/* One exit. 1 at the guest's end, 0 or -errno. */
static int serve(struct guest *w, enum tvm_mode mode)
{
	struct kvm_run *run = w->vcpu.run;

	if (run->exit_reason == KVM_EXIT_MMIO) {
		if (run->mmio.phys_addr == EOI)
			return 0;
		if (run->mmio.len != 1 || run->mmio.phys_addr != DEV + w->moved)
			return -EPROTO;
		return move(w, run->mmio.data, 1, run->mmio.is_write);
	}
	if (run->exit_reason != KVM_EXIT_IO)
		return -EPROTO;
	switch (run->io.port) {
	case PORT:
		return move(w, (uint8_t *)run + run->io.data_offset, run->io.count,
			    run->io.direction == KVM_EXIT_IO_OUT);
	case HANDLED:
		return note_handler(w, mode);
	default:
		return run->io.port == DONE ? 1 : -EPROTO;
	}
}

static void set_handler(struct guest *w, enum tvm_mode mode)
{
	uint16_t ivt[2] = { HANDLER, TVM_CODE >> 4 };

	if (mode == TVM_REAL)
		memcpy(w->vm.mem + 4 * VECTOR, ivt, sizeof(ivt));
	else
		tvcpu_set_gate(&w->vcpu, mode, VECTOR, TVM_CODE + HANDLER);
}

/* The whole guest, with the interrupt at @raise_at. 0 or -errno. */
static int run(struct guest *w, enum tvm_mode mode, bool irqchip,
	       const struct code *code, unsigned int raise_at)
{
	struct kvm_regs regs;
	unsigned int i;
	int ret = tvcpu_start(&w->vcpu, mode, code->start, code->end);

	if (ret)
		return ret;
	set_handler(w, mode);
	ret = tvm_ioctl(w->vcpu.fd, KVM_GET_REGS, &regs);
	regs.rsp = mode == TVM_REAL ? 0x8000 : TVM_STACK;
	if (!ret)
		ret = tvm_ioctl(w->vcpu.fd, KVM_SET_REGS, &regs);
	for (i = 0; i < 4 * COUNT; i++)
		w->vm.mem[BUF - COUNT + i] = element(i - COUNT);
	w->raised = 0;
	w->moved = 0;
	w->handled = 0;
	while (!ret) {
		ret = tvcpu_run(&w->vcpu);
		if (!ret)
			ret = serve(w, mode);
		if (!ret && !w->raised && w->moved >= raise_at)
			ret = raise_irq(w, irqchip);
	}
	if (ret < 0)
		tvcpu_show(&w->vcpu);
	return ret < 0 ? ret : 0;
}

/* What was moved, exactly once: 0, or the first element that is wrong plus one. */
static unsigned int first_wrong(struct guest *w, enum insn insn)
{
	bool in = insn == INS || insn == MOVS_IN;
	unsigned int i;

	for (i = 0; i < COUNT; i++) {
		uint8_t got = in ? w->vm.mem[BUF + i] : w->out[i];

		if (got != (insn == STOS ? 0x5a : element(i)))
			return i + 1;
	}
	return 0;
}

/* Is the saved state that between two iterations, or behind the last one? */
static bool between(struct guest *w, enum tvm_mode mode, enum insn insn)
{
	const struct kvm_regs *regs = &w->in_handler;
	uint64_t start = insn == MOVS_IN ? DEV : mode == TVM_REAL ? BUF & 0xffff : BUF;
	uint64_t at = insn == STOS ? regs->rdi - DEV : insn == INS ? regs->rdi - start :
						       regs->rsi - start;
	uint64_t rip = w->saved_rip - TVM_CODE;

	if (regs->rcx != COUNT - w->raised || at != w->raised)
		return false;
	return regs->rcx ? rip == START : rip == START + 2;
}

TEST_F(rep, goes_on_behind_an_interrupt)
{
	static const unsigned int at[] = { 1, 2, 7, 50, COUNT - 1, COUNT };
	unsigned int i, insn;

	for (i = 0; i < NR_INSNS * ARRAY_SIZE(at); i++) {
		insn = i / ARRAY_SIZE(at);
		if (!variant->code[insn].start)
			continue;
		ASSERT_EQ(0, run(&self->w, variant->mode, variant->irqchip, &variant->code[insn],
				 at[i % ARRAY_SIZE(at)]));
		EXPECT_EQ(COUNT, self->w.moved);
		EXPECT_EQ(0, first_wrong(&self->w, insn));
		EXPECT_EQ(1, self->w.handled);
		EXPECT_TRUE(between(&self->w, variant->mode, insn)) {
			TH_LOG("instruction %u, interrupt after %u: at %#llx, RCX %llu", insn,
			       self->w.raised, (unsigned long long)self->w.saved_rip,
			       (unsigned long long)self->w.in_handler.rcx);
		}
	}
}

/* The other elements of a block are not waited for: it is as long as its page. */
TEST_F(rep, port_blocks_end_with_the_page)
{
	ASSERT_EQ(0, run(&self->w, variant->mode, variant->irqchip, &variant->code[OUTS], 1));
	EXPECT_EQ(16, self->w.raised);
	ASSERT_EQ(0, run(&self->w, variant->mode, variant->irqchip, &variant->code[INS], 1));
	EXPECT_EQ(16, self->w.raised);
}

MVM_HARNESS_MAIN
