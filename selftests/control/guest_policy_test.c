// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guests that write everything there is to write: each MSR, each bit of the control
 * and debug registers, each port. What they must not have is #GP, which they step
 * over, and then they go on.
 */
#include <signal.h>
#include <sys/time.h>

#include "mvm_harness.h"
#include "mvm_random.h"
#include "mvm_util.h"
#include "mvm_watch.h"

#define HANDLER	 256	/* of #GP, behind the code */
#define TICK_US	 20000
#define ALL	 0x1111	/* what a guest reports at its end */

/* #GP: two bytes further on, and one more in R15. */
#define STEP_OVER(name)							\
	".org " #name " + 256; add $8, %rsp; addq $2, (%rsp); inc %r15; iretq"

/* MSRs RSI to RDI, RBP apart: each is written, with RBX, and read. */
GUEST_CODE(all_msrs, 64,
	   "1: mov %esi, %ecx; mov %ebx, %eax; mov %rbx, %rdx; shr $32, %rdx; wrmsr;"
	   "rdmsr; add %ebp, %esi; cmp %edi, %esi; jb 1b;"
	   "mov $0x1111, %eax; out %eax, $0xf1; hlt;"
	   STEP_OVER(all_msrs));

/* Ports SI to DI, RBP apart: every width, in and out, alone and as strings. */
GUEST_CODE(all_ports, 64,
	   "1: mov %esi, %edx; mov %ebx, %eax; outb %al, %dx; outw %ax, %dx; outl %eax, %dx;"
	   "inb %dx, %al; inw %dx, %ax; inl %dx, %eax;"
	   "mov %rsi, %r8; mov %rdi, %r9; mov $0x30000, %edi; mov $3, %ecx; rep insb;"
	   "mov $0x30000, %esi; mov $3, %ecx; rep outsw; mov %r8, %rsi; mov %r9, %rdi;"
	   "add %rbp, %rsi; cmp %edi, %esi; jb 1b;"
	   "mov $0x1111, %eax; movabs %eax, 0x10000000; hlt;"
	   STEP_OVER(all_ports));

/* One register each; three bytes, so padded: the handler's step lands on a NOP or in front. */
#define WRITES(name, insn) \
	GUEST_CODE(name, 64, insn "; .byte 0x90, 0x90; mov $0x1111, %eax; out %eax, $0xf1; hlt;" \
		   ".org " #name " + 256; add $8, %rsp; addq $5, (%rsp); iretq")

WRITES(cr0, "mov %rbx, %cr0");
WRITES(cr2, "mov %rbx, %cr2");
WRITES(cr3, "mov %rbx, %cr3");
WRITES(cr4, "mov %rbx, %cr4");
WRITES(dr0, "mov %rbx, %dr0");
WRITES(dr3, "mov %rbx, %dr3");
WRITES(dr6, "mov %rbx, %dr6");
WRITES(dr7, "mov %rbx, %dr7");
/* Bits of XCR0 by XSETBV, of EFER by WRMSR: ECX and EDX:EAX come with the guest. */
WRITES(xcr0, "xsetbv");
WRITES(efer, "wrmsr; nop");

FIXTURE(policy) {
	struct host_watch watch;
	struct tvm vm;
	struct tvcpu vcpu;
};

FIXTURE_VARIANT(policy) {
	bool irqchip;
};

FIXTURE_VARIANT_ADD(policy, without_irqchip) {
	.irqchip = false,
};

FIXTURE_VARIANT_ADD(policy, with_irqchip) {
	.irqchip = true,
};

static void on_tick(int sig)
{
}

static void set_tick(long us)
{
	struct sigaction action = { .sa_handler = on_tick };
	struct itimerval tick = { { 0, us }, { 0, us } };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &tick, NULL);
}

FIXTURE_SETUP(policy)
{
	watch_begin(&self->watch);
	TVM_CREATE_OR_SKIP(&self->vm, TVM_MEM_SIZE);
	if (variant->irqchip)
		ASSERT_EQ(0, tvm_create_irqchip(&self->vm, true));
	ASSERT_EQ(0, tvcpu_create(&self->vm, &self->vcpu, 0));
}

FIXTURE_TEARDOWN(policy)
{
	set_tick(0);
	tvcpu_destroy(&self->vcpu);
	tvm_destroy(&self->vm);
	EXPECT_TRUE(watch_end(&self->watch));
}

static int start(struct tvcpu *vcpu, const uint8_t *code, const uint8_t *end,
		 const struct kvm_regs *with)
{
	struct kvm_regs regs = *with;
	int ret = tvcpu_start(vcpu, TVM_LONG, code, end);

	tvcpu_set_gate(vcpu, TVM_LONG, 13, TVM_CODE + HANDLER);
	regs.rip = TVM_CODE;
	regs.rsp = TVM_STACK - 0x100;
	regs.rflags = 2;
	return ret ? ret : tvm_ioctl(vcpu->fd, KVM_SET_REGS, &regs);
}

/* What is asked is answered with noise, until the guest says that it is through. */
static int run_through(struct tvcpu *vcpu, unsigned long *exits)
{
	const struct kvm_run *run = vcpu->run;
	int ret;

	for (*exits = 0;; ++*exits) {
		ret = tvcpu_run(vcpu);
		if (ret)
			return ret;
		if (run->exit_reason == KVM_EXIT_MMIO && run->mmio.phys_addr == 0x10000000)
			return 0;
		if (run->exit_reason != KVM_EXIT_IO) {
			tvcpu_show(vcpu);
			return -EPROTO;
		}
		if (run->io.direction == KVM_EXIT_IO_OUT && run->io.port == TVM_PORT &&
		    *(uint32_t *)((uint8_t *)run + run->io.data_offset) == ALL)
			return 0;
	}
}

TEST_F_TIMEOUT(policy, every_msr, 1800)
{
	static const struct {
		uint32_t first, end;
		bool shares_pages;
	} ranges[] = {
		{ 0, 0x800, true }, { 0x840, 0x2000, false },
		{ 0x40000000, 0x40000200, false }, { 0x4b564d00, 0x4b564e00, true },
		{ 0xc0000000, 0xc0000080, false }, { 0xc0000081, 0xc0002000, false },
		{ 0xc0010000, 0xc0012000, false },
	};
	struct rng rng = rng_start(rng_seed("MSRs"), variant->irqchip);
	unsigned int v, r, nr_values = long_run() ? 8 : 1;
	struct kvm_regs regs = { 0 }, after;
	unsigned long exits;

	/* Each of them where there is an APIC, too; a sample without. */
	regs.rbp = variant->irqchip || long_run() ? 1 : 7;

	for (v = 0; v < nr_values; v++) {
		for (r = 0; r < sizeof(ranges) / sizeof(ranges[0]); r++) {
			regs.rsi = ranges[r].first;
			regs.rdi = ranges[r].end;
			regs.rbx = rng_edge(&rng);
			/* Pages that the host writes: none of the guest's own, or it is lost. */
			if (ranges[r].shares_pages)
				regs.rbx |= TVM_MEM_SIZE;
			ASSERT_EQ(0, start(&self->vcpu, all_msrs, all_msrs_end, &regs));
			ASSERT_EQ(0, run_through(&self->vcpu, &exits)) {
				TH_LOG("MSRs from %x with %llx", ranges[r].first, regs.rbx);
			}
			ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_GET_REGS, &after));
			/* Two accesses each; outside of the first range most are refused. */
			EXPECT_LT((r ? regs.rdi - regs.rsi : 256) / regs.rbp, after.r15);
		}
	}
}

TEST_F_TIMEOUT(policy, every_port, 1800)
{
	struct kvm_regs regs = { .rdi = 0x10000, .rbx = rng_seed("ports"), .rbp = 1 };
	unsigned long exits;

	/* A prime, so that each run of the page meets other ports. */
	if (!long_run())
		regs.rbp = 61;
	regs.rsi = regs.rbx % regs.rbp;
	ASSERT_EQ(0, start(&self->vcpu, all_ports, all_ports_end, &regs));
	ASSERT_EQ(0, run_through(&self->vcpu, &exits));
	EXPECT_LT(0x10000 / regs.rbp * 7, exits);
	/* The ports that the kernel has are all met. */
	regs.rsi = 0;
	regs.rdi = TVM_PORT;
	regs.rbp = 1;
	ASSERT_EQ(0, start(&self->vcpu, all_ports, all_ports_end, &regs));
	EXPECT_EQ(0, run_through(&self->vcpu, &exits));
}

/* May end in any way that has a name: many of these values are the guest's own end. */
static bool ends(struct tvcpu *vcpu)
{
	int ret = tvm_ioctl(vcpu->fd, KVM_RUN, NULL);

	if (ret == -EINTR)
		return true;
	switch (ret ? UINT32_MAX : vcpu->run->exit_reason) {
	case KVM_EXIT_IO:
	case KVM_EXIT_MMIO:
	case KVM_EXIT_HLT:
	case KVM_EXIT_SHUTDOWN:
	/* QEMU lets CR3's reserved bits in and refuses them at the next entry. */
	case KVM_EXIT_FAIL_ENTRY:
		return true;
	case KVM_EXIT_INTERNAL_ERROR:
		return vcpu->run->internal.suberror != KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON;
	}
	printf("# %d\n", ret);
	tvcpu_show(vcpu);
	return false;
}

static uint64_t now_in(struct tvcpu *vcpu, const uint8_t *code)
{
	struct kvm_sregs s;

	if (tvm_ioctl(vcpu->fd, KVM_GET_SREGS, &s))
		return 0;
	if (code == cr0)
		return s.cr0;
	if (code == cr3)
		return s.cr3;
	if (code == cr4)
		return s.cr4;
	if (code == efer)
		return s.efer;
	return code == xcr0 ? 7 : 0;
}

TEST_F_TIMEOUT(policy, every_bit_of_every_register, 250)
{
	static const struct {
		const char *name;
		const uint8_t *start, *end;
	} cases[] = {
		{ "CR0", cr0, cr0_end }, { "CR2", cr2, cr2_end }, { "CR3", cr3, cr3_end },
		{ "CR4", cr4, cr4_end }, { "DR0", dr0, dr0_end }, { "DR3", dr3, dr3_end },
		{ "DR6", dr6, dr6_end }, { "DR7", dr7, dr7_end }, { "XCR0", xcr0, xcr0_end },
		{ "EFER", efer, efer_end },
	};
	struct kvm_regs regs;
	unsigned int i, bit;

	set_tick(TICK_US);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (bit = 0; bit < 64; bit++) {
			regs = (struct kvm_regs){ 0 };
			ASSERT_EQ(0, start(&self->vcpu, cases[i].start, cases[i].end, &regs));
			regs.rbx = now_in(&self->vcpu, cases[i].start) ^ 1ull << bit;
			regs.rax = (uint32_t)regs.rbx;
			regs.rdx = regs.rbx >> 32;
			if (cases[i].start == efer)
				regs.rcx = 0xc0000080;
			ASSERT_EQ(0, start(&self->vcpu, cases[i].start, cases[i].end, &regs));
			EXPECT_TRUE(ends(&self->vcpu)) {
				TH_LOG("%s, bit %u", cases[i].name, bit);
			}
		}
	}
}

MVM_HARNESS_MAIN
