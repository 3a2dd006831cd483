// SPDX-License-Identifier: GPL-2.0-only
/*
 * State saved from one vCPU and loaded into another of a fresh VM gives the same
 * machine: a guest that is moved after each of its instructions, or out of HLT with its
 * timer running, ends as one that was left alone. Loading is done in the order
 * of QEMU and in that of Firecracker.
 */
#include <signal.h>
#include <sys/time.h>

#include "mvm_harness.h"
#include "mvm_util.h"

#define MAX_MSRS  256
#define MAX_MOVES 400
#define RESULT	  0x11000 /* 64 bytes of results */

/* All that userspace saves of a machine. */
struct machine {
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	struct kvm_xsave xsave;
	struct kvm_xcrs xcrs;
	struct kvm_debugregs debugregs;
	struct kvm_vcpu_events events;
	struct kvm_mp_state mp_state;
	struct kvm_lapic_state lapic;
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry[MAX_MSRS];
	} msrs;
	struct kvm_irqchip chips[3];
	struct kvm_pit_state2 pit;
	struct kvm_clock_data clock;
};

enum order { QEMU, FIRECRACKER };

/* A string move, BCD and shifts through carry, x87 in real mode: results at RESULT. */
GUEST_CODE(code16, 16,
	   "mov $0x1100, %ax; mov %ax, %es; mov %ax, %ds; xor %di, %di; mov $5, %cx;"
	   "mov $0x5a, %al; rep stosb; xor %si, %si; mov $8, %di; mov $5, %cx; rep movsb;"
	   "stc; mov $0x1234, %ax; rcl $3, %ax; pushf; pop %bx; mov %ax, 16; mov %bx, 18;"
	   "fninit; fld1; fldpi; faddp; fstpl 24; mov $0x77, %al; out %al, $0xf1; hlt");
GUEST_CODE(code32, 32,
	   "mov $0x11000, %edi; mov $5, %ecx; mov $0x5a, %al; rep stosb; mov $0x11000, %esi;"
	   "mov $0x11008, %edi; mov $5, %ecx; rep movsb; mov $0xc0000081, %ecx; mov $9, %eax;"
	   "mov $7, %edx; wrmsr; stc; mov $0x12345678, %eax; rcl $3, %eax; pushf; pop %ebx;"
	   "mov %eax, 0x11010; mov %ebx, 0x11014; fninit; fld1; fldpi; faddp; fstpl 0x11018;"
	   "xor %eax, %eax; xor %edx, %edx; rdmsr; mov %eax, 0x11020; mov %edx, 0x11024;"
	   "mov $0x1235, %eax; mov %eax, %dr1; xor %eax, %eax; mov %dr1, %eax; mov %eax, 0x11028;"
	   "mov $0x77, %al; out %al, $0xf1; hlt");
GUEST_CODE(code64, 64,
	   "mov %cr4, %rax; or $0x600, %eax; mov %rax, %cr4;"
	   "mov $0x11000, %edi; mov $5, %ecx; mov $0x5a, %al; rep stosb; mov $0x11000, %esi;"
	   "mov $0x11008, %edi; mov $5, %ecx; rep movsb; mov $0xc0000082, %ecx; mov $9, %eax;"
	   "mov $7, %edx; wrmsr; mov $0x123456789abcdef0, %r15; movq %r15, %xmm3;"
	   "punpcklqdq %xmm3, %xmm3; stc; rcl $3, %r15; pushf; pop %rbx; mov %r15, 0x11010;"
	   "mov %ebx, 0x11018; xor %eax, %eax; xor %edx, %edx; rdmsr; mov %eax, 0x11020;"
	   "mov %edx, 0x11024; mov $0x1235, %eax; mov %rax, %dr1; xor %eax, %eax; mov %dr1, %rax;"
	   "mov %eax, 0x11028; mov $5, %eax; mov %rax, %cr8; xor %eax, %eax; mov %cr8, %rax;"
	   "mov %eax, 0x1102c; movdqu %xmm3, 0x11030;"
	   "mov $0x77, %al; out %al, $0xf1; hlt");

/* The local APIC's timer, one-shot, vector 0x40; it ends a HLT and reports. */
GUEST_CODE(timer, 64,
	   "mov $0xfee00000, %ebx; movl $0x1ff, 0xf0(%rbx); movl $0xb, 0x3e0(%rbx);"
	   "movl $0x40, 0x320(%rbx); movl $400000000, 0x380(%rbx); sti; hlt;"
	   "mov $0x79, %al; out %al, $0xf1; hlt;"
	   ".org timer + 128; push %rax; mov $0x78, %al; out %al, $0xf1;"
	   "movl $0, 0xb0(%rbx); pop %rax; iretq");

GUEST_CODE(nmi, 64,
	   "nop; nop; mov $0x79, %al; out %al, $0xf1; hlt;"
	   ".org nmi + 128; push %rax; mov $0x78, %al; out %al, $0xf1; pop %rax; iretq");

FIXTURE(transfer) {
	struct tvm vm;
	struct tvcpu vcpu;
	enum order order;
	bool irqchip;
};

FIXTURE_VARIANT(transfer) {
	enum order order;
};

FIXTURE_VARIANT_ADD(transfer, as_qemu) { QEMU };
FIXTURE_VARIANT_ADD(transfer, as_firecracker) { FIRECRACKER };

FIXTURE_SETUP(transfer)
{
	self->order = variant->order;
}

FIXTURE_TEARDOWN(transfer)
{
	tvcpu_destroy(&self->vcpu);
	tvm_destroy(&self->vm);
}

static int build(struct tvm *vm, struct tvcpu *vcpu, bool irqchip)
{
	int ret = tvm_create(vm, TVM_MEM_SIZE);

	if (!ret && irqchip)
		ret = tvm_create_irqchip(vm, true);
	return ret ? ret : tvcpu_create(vm, vcpu, 0);
}

/* The MSRs worth saving: the list, once. */
static int list_msrs(struct tvm *vm, struct machine *m)
{
	struct {
		struct kvm_msr_list head;
		uint32_t index[MAX_MSRS];
	} list = { .head.nmsrs = MAX_MSRS };
	int ret = tvm_ioctl(vm->sys, KVM_GET_MSR_INDEX_LIST, &list);
	uint32_t i;

	m->msrs.head.nmsrs = list.head.nmsrs;
	for (i = 0; !ret && i < list.head.nmsrs; i++)
		m->msrs.entry[i].index = list.index[i];
	return ret;
}

#define TRY(fd, request, arg) do {					\
	int try_ = tvm_ioctl((fd), (request), (arg));			\
									\
	if (try_ < 0) {							\
		printf("# %s: %d\n", #request, try_);			\
		return try_;						\
	}								\
} while (0)

static int save(struct tvm *vm, struct tvcpu *vcpu, bool irqchip, struct machine *m)
{
	int i, ret = list_msrs(vm, m);

	if (ret)
		return ret;
	TRY(vcpu->fd, KVM_GET_MP_STATE, &m->mp_state);
	TRY(vcpu->fd, KVM_GET_REGS, &m->regs);
	TRY(vcpu->fd, KVM_GET_SREGS, &m->sregs);
	TRY(vcpu->fd, KVM_GET_XSAVE, &m->xsave);
	TRY(vcpu->fd, KVM_GET_XCRS, &m->xcrs);
	TRY(vcpu->fd, KVM_GET_DEBUGREGS, &m->debugregs);
	TRY(vcpu->fd, KVM_GET_VCPU_EVENTS, &m->events);
	ret = tvm_ioctl(vcpu->fd, KVM_GET_MSRS, &m->msrs);
	if (!tvm_is_kvm() && ret != (int)m->msrs.head.nmsrs)
		return -EPROTO;
	m->msrs.head.nmsrs = ret;
	TRY(vm->fd, KVM_GET_CLOCK, &m->clock);
	m->clock.flags = 0;
	if (!irqchip)
		return 0;
	TRY(vcpu->fd, KVM_GET_LAPIC, &m->lapic);
	for (i = 0; i < 3; i++) {
		m->chips[i].chip_id = i;
		TRY(vm->fd, KVM_GET_IRQCHIP, &m->chips[i]);
	}
	TRY(vm->fd, KVM_GET_PIT2, &m->pit);
	return 0;
}

static int load_vm(struct tvm *vm, bool irqchip, struct machine *m)
{
	int i;

	TRY(vm->fd, KVM_SET_CLOCK, &m->clock);
	if (!irqchip)
		return 0;
	for (i = 0; i < 3; i++)
		TRY(vm->fd, KVM_SET_IRQCHIP, &m->chips[i]);
	TRY(vm->fd, KVM_SET_PIT2, &m->pit);
	return 0;
}

static int load_qemu(struct tvcpu *vcpu, bool irqchip, struct machine *m)
{
	if (irqchip)
		TRY(vcpu->fd, KVM_SET_LAPIC, &m->lapic);
	TRY(vcpu->fd, KVM_SET_SREGS, &m->sregs);
	TRY(vcpu->fd, KVM_SET_REGS, &m->regs);
	TRY(vcpu->fd, KVM_SET_XSAVE, &m->xsave);
	if (m->xcrs.nr_xcrs)
		TRY(vcpu->fd, KVM_SET_XCRS, &m->xcrs);
	TRY(vcpu->fd, KVM_SET_MSRS, &m->msrs);
	TRY(vcpu->fd, KVM_SET_VCPU_EVENTS, &m->events);
	TRY(vcpu->fd, KVM_SET_MP_STATE, &m->mp_state);
	TRY(vcpu->fd, KVM_SET_DEBUGREGS, &m->debugregs);
	return 0;
}

static int load_firecracker(struct tvcpu *vcpu, bool irqchip, struct machine *m)
{
	TRY(vcpu->fd, KVM_SET_MP_STATE, &m->mp_state);
	TRY(vcpu->fd, KVM_SET_REGS, &m->regs);
	TRY(vcpu->fd, KVM_SET_SREGS, &m->sregs);
	TRY(vcpu->fd, KVM_SET_XSAVE, &m->xsave);
	if (m->xcrs.nr_xcrs)
		TRY(vcpu->fd, KVM_SET_XCRS, &m->xcrs);
	TRY(vcpu->fd, KVM_SET_DEBUGREGS, &m->debugregs);
	if (irqchip)
		TRY(vcpu->fd, KVM_SET_LAPIC, &m->lapic);
	TRY(vcpu->fd, KVM_SET_MSRS, &m->msrs);
	TRY(vcpu->fd, KVM_SET_VCPU_EVENTS, &m->events);
	return 0;
}

/* Save the machine, build another, load it there, and forget the first. */
static int move(struct tvm *vm, struct tvcpu *vcpu, bool irqchip, enum order order)
{
	static struct machine m;
	static struct tvm new_vm;
	static struct tvcpu new_vcpu;
	int ret = save(vm, vcpu, irqchip, &m);

	if (!ret)
		ret = build(&new_vm, &new_vcpu, irqchip);
	if (!ret)
		ret = tvcpu_set_cpuid(&new_vcpu);
	if (ret)
		return ret;
	/* Without a local APIC in the kernel each KVM_RUN takes CR8 from here. */
	new_vcpu.run->cr8 = m.sregs.cr8;
	memcpy(new_vm.mem, vm->mem, TVM_STACK + 0x10000);
	ret = load_vm(&new_vm, irqchip, &m);
	if (!ret && order == QEMU)
		ret = load_qemu(&new_vcpu, irqchip, &m);
	else if (!ret)
		ret = load_firecracker(&new_vcpu, irqchip, &m);
	tvcpu_destroy(vcpu);
	tvm_destroy(vm);
	*vm = new_vm;
	*vcpu = new_vcpu;
	vcpu->vm = vm;
	return ret;
}

static int step(struct tvcpu *vcpu)
{
	struct kvm_guest_debug dbg = {
		.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP,
	};

	return tvm_ioctl(vcpu->fd, KVM_SET_GUEST_DEBUG, &dbg);
}

/* Each instruction and each iteration of the strings in another machine. */
static void moved_run(struct __test_metadata *_metadata, FIXTURE_DATA(transfer) *self,
		      enum tvm_mode mode, const uint8_t *start, const uint8_t *end)
{
	uint8_t alone[64];
	uint32_t value;
	int moves;

	ASSERT_EQ(0, build(&self->vm, &self->vcpu, false));
	ASSERT_EQ(0, tvcpu_start(&self->vcpu, mode, start, end));
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	EXPECT_EQ(0x77, value);
	memcpy(alone, self->vm.mem + RESULT, sizeof(alone));
	EXPECT_EQ(0x5a, alone[12]);
	tvcpu_destroy(&self->vcpu);
	tvm_destroy(&self->vm);

	ASSERT_EQ(0, build(&self->vm, &self->vcpu, false));
	ASSERT_EQ(0, tvcpu_start(&self->vcpu, mode, start, end));
	for (moves = 0; moves < MAX_MOVES; moves++) {
		ASSERT_EQ(0, step(&self->vcpu));
		ASSERT_EQ(0, tvcpu_run(&self->vcpu));
		if (self->vcpu.run->exit_reason != KVM_EXIT_DEBUG)
			break;
		ASSERT_EQ(0, move(&self->vm, &self->vcpu, false, self->order));
	}
	EXPECT_EQ(KVM_EXIT_IO, self->vcpu.run->exit_reason) tvcpu_show(&self->vcpu);
	EXPECT_LT(20, moves);
	EXPECT_EQ(0, memcmp(alone, self->vm.mem + RESULT, sizeof(alone)));
}

static bool nothing_to_test(struct tvm *vm)
{
	return tvm_create(vm, TVM_MEM_SIZE) == -ENODEV;
}

#define NEED_DEVICE(vm) do {						\
	if (nothing_to_test(vm))					\
		SKIP(return, "%s", (vm)->why);				\
	tvm_destroy(vm);						\
} while (0)

TEST_F(transfer, after_each_instruction_in_real_mode)
{
	NEED_DEVICE(&self->vm);
	moved_run(_metadata, self, TVM_REAL, code16, code16_end);
}

TEST_F(transfer, after_each_instruction_in_protected_mode)
{
	NEED_DEVICE(&self->vm);
	moved_run(_metadata, self, TVM_PROTECTED, code32, code32_end);
}

TEST_F(transfer, after_each_instruction_in_pae_paging)
{
	NEED_DEVICE(&self->vm);
	moved_run(_metadata, self, TVM_PAE, code32, code32_end);
}

TEST_F(transfer, after_each_instruction_in_long_mode)
{
	NEED_DEVICE(&self->vm);
	moved_run(_metadata, self, TVM_LONG, code64, code64_end);
}

static void ring(int sig)
{
	(void)sig;
}

TEST_F(transfer, out_of_hlt_with_the_timer_running)
{
	const struct itimerval soon = { .it_value.tv_usec = 20000 };
	struct sigaction action = { .sa_handler = ring };
	struct kvm_mp_state state = {};
	uint32_t value;
	int i, halts = 0;

	NEED_DEVICE(&self->vm);
	ASSERT_EQ(0, build(&self->vm, &self->vcpu, true));
	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_LONG, timer, timer_end));
	tvcpu_set_gate(&self->vcpu, TVM_LONG, 0x40, TVM_CODE + 128);
	sigaction(SIGALRM, &action, NULL);
	for (i = 0; i < 3; i++) {
		setitimer(ITIMER_REAL, &soon, NULL);
		ASSERT_EQ(-EINTR, tvm_ioctl(self->vcpu.fd, KVM_RUN, NULL)) tvcpu_show(&self->vcpu);
		ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_GET_MP_STATE, &state));
		halts += state.mp_state == KVM_MP_STATE_HALTED;
		ASSERT_EQ(0, move(&self->vm, &self->vcpu, true, self->order));
	}
	EXPECT_LT(0, halts);
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	EXPECT_EQ(0x78, value & 0xff);
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	EXPECT_EQ(0x79, value & 0xff);
}

TEST_F(transfer, with_an_nmi_pending)
{
	uint32_t value;

	NEED_DEVICE(&self->vm);
	ASSERT_EQ(0, build(&self->vm, &self->vcpu, false));
	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_LONG, nmi, nmi_end));
	tvcpu_set_gate(&self->vcpu, TVM_LONG, 2, TVM_CODE + 128);
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_NMI, NULL));
	ASSERT_EQ(0, move(&self->vm, &self->vcpu, false, self->order));
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	EXPECT_EQ(0x78, value & 0xff);
	/* In its handler, NMIs masked: another waits for the IRET. */
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_NMI, NULL));
	self->vcpu.run->immediate_exit = 1;
	EXPECT_EQ(-EINTR, tvm_ioctl(self->vcpu.fd, KVM_RUN, NULL));
	ASSERT_EQ(0, move(&self->vm, &self->vcpu, false, self->order));
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	EXPECT_EQ(0x78, value & 0xff);
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	EXPECT_EQ(0x79, value & 0xff);
}

TEST_F(transfer, with_an_exception_to_deliver)
{
	struct kvm_vcpu_events events;
	uint32_t value;

	NEED_DEVICE(&self->vm);
	ASSERT_EQ(0, build(&self->vm, &self->vcpu, false));
	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_LONG, nmi, nmi_end));
	tvcpu_set_gate(&self->vcpu, TVM_LONG, 6, TVM_CODE + 128);
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_GET_VCPU_EVENTS, &events));
	events.exception.injected = 1;
	events.exception.nr = 6;
	events.interrupt.shadow = KVM_X86_SHADOW_INT_STI;
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_SET_VCPU_EVENTS, &events));
	ASSERT_EQ(0, move(&self->vm, &self->vcpu, false, self->order));
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_GET_VCPU_EVENTS, &events));
	EXPECT_EQ(1, events.exception.injected);
	EXPECT_EQ(6, events.exception.nr);
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	EXPECT_EQ(0x78, value & 0xff);
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	EXPECT_EQ(0x79, value & 0xff);
}

MVM_HARNESS_MAIN
