// SPDX-License-Identifier: GPL-2.0-only
/*
 * The vCPU file's state ioctls: what goes in comes out, and each errno of
 * uapi/API.md. The guest does not run here.
 */
#include <sys/mman.h>

#include "mvm_harness.h"
#include "mvm_util.h"

#define BAD_PTR	     ((void *)0x8)
#define MSR_STAR     0xc0000081
#define MSR_LSTAR    0xc0000082
#define MSR_PAT	     0x277
#define MCG_CTL_P    (1ull << 8)
#define CR0_PE	     1ull
#define CR0_PG	     (1ull << 31)
#define CR4_PAE	     (1ull << 5)
#define EFER_LME     (1ull << 8)
#define EFER_LMA     (1ull << 10)

FIXTURE(vcpu) {
	struct tvm vm;
	struct tvcpu vcpu;
	int fd;
};

FIXTURE_SETUP(vcpu)
{
	TVM_CREATE_OR_SKIP(&self->vm, TVM_MEM_SIZE);
	ASSERT_EQ(0, tvm_create_irqchip(&self->vm, false));
	ASSERT_EQ(0, tvcpu_create(&self->vm, &self->vcpu, 0));
	ASSERT_EQ(0, tvcpu_set_cpuid(&self->vcpu));
	self->fd = self->vcpu.fd;
}

FIXTURE_TEARDOWN(vcpu)
{
	tvcpu_destroy(&self->vcpu);
	tvm_destroy(&self->vm);
}

TEST_F(vcpu, unknown_and_foreign_ioctls_are_refused)
{
	EXPECT_EQ(-ENOTTY, tvm_ioctl(self->fd, KVM_CREATE_VM, NULL));
	EXPECT_EQ(-ENOTTY, tvm_ioctl(self->fd, _IO(0x42, 0x80), NULL));
	EXPECT_GT(0, tvm_ioctl(self->fd, KVM_CREATE_VCPU, NULL));
	EXPECT_EQ(-EINVAL, tvm_ioctl(self->fd, KVM_RUN, (void *)1));
}

/* Every ioctl that copies refuses a bad pointer and changes nothing. */
TEST_F(vcpu, bad_pointers_are_efault)
{
	static const unsigned long requests[] = {
		KVM_GET_REGS, KVM_SET_REGS, KVM_GET_SREGS, KVM_SET_SREGS, KVM_GET_MSRS,
		KVM_SET_MSRS, KVM_GET_FPU, KVM_SET_FPU, KVM_GET_XSAVE, KVM_SET_XSAVE,
		KVM_GET_XCRS, KVM_SET_XCRS, KVM_SET_CPUID2, KVM_GET_CPUID2, KVM_GET_LAPIC,
		KVM_SET_LAPIC, KVM_GET_MP_STATE, KVM_SET_MP_STATE, KVM_GET_VCPU_EVENTS,
		KVM_SET_VCPU_EVENTS, KVM_GET_DEBUGREGS, KVM_SET_DEBUGREGS, KVM_INTERRUPT,
		KVM_SET_GUEST_DEBUG, KVM_X86_SETUP_MCE, KVM_X86_SET_MCE,
		KVM_SET_VAPIC_ADDR, KVM_SET_SIGNAL_MASK,
	};
	size_t i;

	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		int ret = tvm_ioctl(self->fd, requests[i], BAD_PTR);

		EXPECT_EQ(-EFAULT, ret) {
			TH_LOG("ioctl %#lx", requests[i]);
		}
	}
}

TEST_F(vcpu, registers_go_in_and_out)
{
	struct kvm_regs in, out;

	memset(&in, 0x5a, sizeof(in));
	in.rip = 0x1234;
	in.rflags = 0x202;
	EXPECT_EQ(0, tvm_ioctl(self->fd, KVM_SET_REGS, &in));
	EXPECT_EQ(0, tvm_ioctl(self->fd, KVM_GET_REGS, &out));
	EXPECT_EQ(0, memcmp(&in, &out, sizeof(in)));
}

TEST_F(vcpu, bit_1_of_rflags_is_always_set)
{
	struct kvm_regs regs = {};

	EXPECT_EQ(0, tvm_ioctl(self->fd, KVM_SET_REGS, &regs));
	EXPECT_EQ(0, tvm_ioctl(self->fd, KVM_GET_REGS, &regs));
	EXPECT_EQ(2, regs.rflags);
}

TEST_F(vcpu, starts_in_the_reset_state)
{
	struct kvm_sregs sregs;
	struct kvm_regs regs;

	EXPECT_EQ(0, tvm_ioctl(self->fd, KVM_GET_REGS, &regs));
	EXPECT_EQ(0, tvm_ioctl(self->fd, KVM_GET_SREGS, &sregs));
	EXPECT_EQ(0xfff0, regs.rip);
	EXPECT_EQ(2, regs.rflags);
	EXPECT_EQ(0xf000, sregs.cs.selector);
	EXPECT_EQ(0xffff0000, sregs.cs.base);
	EXPECT_EQ(0x60000010, sregs.cr0);
	EXPECT_EQ(0, sregs.cr4);
	EXPECT_EQ(0, sregs.efer);
	EXPECT_EQ(0xfee00900, sregs.apic_base);
	EXPECT_EQ(0xffff, sregs.idt.limit);
}

TEST_F(vcpu, segments_go_in_and_out)
{
	struct kvm_sregs in, out;

	ASSERT_EQ(0, tvm_ioctl(self->fd, KVM_GET_SREGS, &in));
	in.ds.selector = 0x18;
	in.ds.base = 0x12340000;
	in.ds.limit = 0xfffff;
	in.ds.type = 3;
	in.fs.base = 0x7fff12345678;
	in.gdt.base = 0x1000;
	in.gdt.limit = 0x7f;
	in.cr2 = 0xdeadbeef;
	in.cr8 = 5;
	EXPECT_EQ(0, tvm_ioctl(self->fd, KVM_SET_SREGS, &in));
	EXPECT_EQ(0, tvm_ioctl(self->fd, KVM_GET_SREGS, &out));
	EXPECT_EQ(0, memcmp(&in.ds, &out.ds, sizeof(in.ds)));
	EXPECT_EQ(in.fs.base, out.fs.base);
	EXPECT_EQ(in.gdt.base, out.gdt.base);
	EXPECT_EQ(in.gdt.limit, out.gdt.limit);
	EXPECT_EQ(in.cr2, out.cr2);
	EXPECT_EQ(5, out.cr8);
}

TEST_F(vcpu, impossible_sregs_are_refused_whole)
{
	static const struct {
		const char *what;
		uint64_t cr0, cr4, efer;
	} cases[] = {
		{ "paging without protection", CR0_PG, 0, 0 },
		{ "NW without CD", CR0_PE | 1 << 29, 0, 0 },
		{ "upper half of CR0", CR0_PE | 1ull << 32, 0, 0 },
		{ "long mode without PAE", CR0_PE | CR0_PG, 0, EFER_LME | EFER_LMA },
		{ "LME and paging without LMA", CR0_PE | CR0_PG, CR4_PAE, EFER_LME },
		{ "reserved bit of CR4", CR0_PE, 1ull << 63, 0 },
		{ "VMXE", CR0_PE, 1 << 13, 0 },
		{ "reserved bit of EFER", CR0_PE, 0, 1ull << 40 },
		{ "SVME", CR0_PE, 0, 1 << 12 },
	};
	struct kvm_sregs good, sregs;
	size_t i;

	ASSERT_EQ(0, tvm_ioctl(self->fd, KVM_GET_SREGS, &good));
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		/* Real KVM offers nested guests: SVME and VMXE are good there. */
		if (tvm_is_kvm() && strlen(cases[i].what) == 4)
			continue;
		sregs = good;
		sregs.cr0 = cases[i].cr0;
		sregs.cr4 = cases[i].cr4;
		sregs.efer = cases[i].efer;
		sregs.ds.base = 0x42000;
		EXPECT_EQ(-EINVAL, tvm_ioctl(self->fd, KVM_SET_SREGS, &sregs)) {
			TH_LOG("%s", cases[i].what);
		}
		EXPECT_EQ(0, tvm_ioctl(self->fd, KVM_GET_SREGS, &sregs));
		EXPECT_EQ(good.ds.base, sregs.ds.base);
		EXPECT_EQ(good.cr0, sregs.cr0);
	}
	sregs = good;
	sregs.cr8 = 16;
	EXPECT_EQ(-EINVAL, tvm_ioctl(self->fd, KVM_SET_SREGS, &sregs));
}

/* -------------------------------------------------------------------- MSRs */

struct msrs {
	struct kvm_msrs head;
	struct kvm_msr_entry row[4];
};

TEST_F(vcpu, msrs_are_counted_up_to_the_first_refused)
{
	struct msrs in = { .head = { .nmsrs = 3 },
			   .row = { { .index = MSR_STAR, .data = 0x23001000000000 },
				    { .index = 0x12345678, .data = 1 },
				    { .index = MSR_LSTAR, .data = 0xffffffff81000000 } } };
	struct msrs out = { .head = { .nmsrs = 2 },
			    .row = { { .index = MSR_STAR }, { .index = MSR_LSTAR } } };

	EXPECT_EQ(1, tvm_ioctl(self->fd, KVM_SET_MSRS, &in));
	EXPECT_EQ(2, tvm_ioctl(self->fd, KVM_GET_MSRS, &out));
	EXPECT_EQ(0x23001000000000, out.row[0].data);
	EXPECT_EQ(0, out.row[1].data);
}

TEST_F(vcpu, too_many_msrs_are_refused)
{
	struct kvm_msrs head = { .nmsrs = 100000 };

	EXPECT_EQ(-E2BIG, tvm_ioctl(self->fd, KVM_GET_MSRS, &head));
	EXPECT_EQ(-E2BIG, tvm_ioctl(self->fd, KVM_SET_MSRS, &head));
	head.nmsrs = 0;
	EXPECT_EQ(0, tvm_ioctl(self->fd, KVM_GET_MSRS, &head));
}

TEST_F(vcpu, illegal_values_are_refused)
{
	struct msrs pat = { .head = { .nmsrs = 1 },
			    .row = { { .index = MSR_PAT, .data = 0x0202020202020202 } } };
	struct msrs lstar = { .head = { .nmsrs = 1 },
			      .row = { { .index = MSR_LSTAR, .data = 1ull << 63 } } };

	EXPECT_EQ(0, tvm_ioctl(self->fd, KVM_SET_MSRS, &pat));
	EXPECT_EQ(0, tvm_ioctl(self->fd, KVM_SET_MSRS, &lstar));
}

TEST_F(vcpu, every_listed_msr_can_be_read_and_written_back)
{
	struct kvm_msr_list *list = calloc(1, sizeof(*list) + 4096);
	uint32_t i;

	/* With no room the count comes back. */
	EXPECT_EQ(-E2BIG, tvm_ioctl(self->vm.sys, KVM_GET_MSR_INDEX_LIST, list));
	ASSERT_LT(10, list->nmsrs);
	ASSERT_GT(257, list->nmsrs);
	ASSERT_EQ(0, tvm_ioctl(self->vm.sys, KVM_GET_MSR_INDEX_LIST, list));
	for (i = 0; i < list->nmsrs; i++) {
		struct msrs msr = { .head = { .nmsrs = 1 },
				    .row = { { .index = list->indices[i] } } };

		EXPECT_EQ(1, tvm_ioctl(self->fd, KVM_GET_MSRS, &msr)) {
			TH_LOG("reading MSR %#x", list->indices[i]);
		}
		EXPECT_EQ(1, tvm_ioctl(self->fd, KVM_SET_MSRS, &msr)) {
			TH_LOG("writing MSR %#x", list->indices[i]);
		}
	}
	EXPECT_EQ(-EFAULT, tvm_ioctl(self->vm.sys, KVM_GET_MSR_INDEX_LIST, BAD_PTR));
	free(list);
}

/* What QEMU and Firecracker save, load and insist on, without an effect of its own here. */
static const struct {
	uint32_t first, last, step;
	uint64_t data;
} stored[] = {
	{ 0x200, 0x20e, 2, 0xd0000006 }, /* the variable MTRRs' bases: write-back */
	{ 0x201, 0x20f, 2, 0xff0000800 }, /* their masks: valid */
	{ 0x250, 0x250, 1, 0x0606060606060606 },
	{ 0x258, 0x259, 1, 0x0505050505050505 },
	{ 0x268, 0x26f, 1, 0x0001040506000104 }, /* the fixed ones */
	{ 0x277, 0x277, 1, 0x0006040100060401 }, /* PAT */
	{ 0x2ff, 0x2ff, 1, 0xc06 }, /* MTRRdefType: all enabled, write-back */
	{ 0x17a, 0x17a, 1, 5 }, /* MCG_STATUS */
	{ 0x17b, 0x17b, 1, 0 }, /* MCG_CTL: all or nothing, and all after KVM_X86_SETUP_MCE */
	{ 0x400, 0x424, 4, 0 }, /* ten banks: MCi_CTL, likewise */
	{ 0x401, 0x425, 4, 0x9000000000000017 }, /* MCi_STATUS */
	{ 0x402, 0x426, 4, 0x123456789000 }, /* MCi_ADDR */
	{ 0x403, 0x427, 4, 0x8c }, /* MCi_MISC */
};

static bool msr_holds(struct tvcpu *vcpu, uint32_t index, uint64_t data)
{
	uint64_t before, after;

	return !tvcpu_get_msr(vcpu, index, &before) && before != data &&
	       !tvcpu_set_msr(vcpu, index, data) && !tvcpu_get_msr(vcpu, index, &after) &&
	       after == data;
}

TEST_F(vcpu, stored_msrs_hold_what_is_written)
{
	uint64_t banks = MCG_CTL_P | 10;
	uint32_t index;
	size_t i;

	ASSERT_EQ(0, tvm_ioctl(self->fd, KVM_X86_SETUP_MCE, &banks));
	for (i = 0; i < sizeof(stored) / sizeof(stored[0]); i++)
		for (index = stored[i].first; index <= stored[i].last; index += stored[i].step)
			EXPECT_TRUE(msr_holds(&self->vcpu, index, stored[i].data)) {
				TH_LOG("MSR %#x", index);
			}
}

/* ------------------------------------------------------------------- CPUID */

TEST_F(vcpu, cpuid_comes_back_as_set)
{
	struct kvm_cpuid2 *in = calloc(1, sizeof(*in) + 256 * sizeof(in->entries[0]));
	struct kvm_cpuid2 *out = calloc(1, sizeof(*out) + 256 * sizeof(out->entries[0]));

	in->nent = 1;
	EXPECT_EQ(-E2BIG, tvm_ioctl(self->vm.sys, KVM_GET_SUPPORTED_CPUID, in));
	in->nent = 256;
	ASSERT_EQ(0, tvm_ioctl(self->vm.sys, KVM_GET_SUPPORTED_CPUID, in));
	ASSERT_LT(10, in->nent);
	ASSERT_EQ(0, tvm_ioctl(self->fd, KVM_SET_CPUID2, in));
	out->nent = 1;
	EXPECT_EQ(-E2BIG, tvm_ioctl(self->fd, KVM_GET_CPUID2, out));
	out->nent = 256;
	EXPECT_EQ(0, tvm_ioctl(self->fd, KVM_GET_CPUID2, out));
	EXPECT_EQ(in->nent, out->nent);
	in->nent = 100000;
	EXPECT_EQ(-E2BIG, tvm_ioctl(self->fd, KVM_SET_CPUID2, in));
	free(in);
	free(out);
}

/* --------------------------------------------------------------- FPU, XSAVE */

TEST_F(vcpu, fpu_goes_in_and_out)
{
	struct kvm_fpu in = { .fcw = 0x27f, .mxcsr = 0x1f80 }, out;

	memset(in.xmm, 0x77, sizeof(in.xmm));
	in.fpr[3][1] = 0x42;
	EXPECT_EQ(0, tvm_ioctl(self->fd, KVM_SET_FPU, &in));
	EXPECT_EQ(0, tvm_ioctl(self->fd, KVM_GET_FPU, &out));
	EXPECT_EQ(in.fcw, out.fcw);
	EXPECT_EQ(0x42, out.fpr[3][1]);
	EXPECT_EQ(0, memcmp(in.xmm, out.xmm, sizeof(in.xmm)));
}

TEST_F(vcpu, hostile_xsave_images_are_refused)
{
	struct kvm_xsave good, bad;

	ASSERT_EQ(0, tvm_ioctl(self->fd, KVM_GET_XSAVE, &good));
	EXPECT_EQ(0, tvm_ioctl(self->fd, KVM_SET_XSAVE, &good));
	bad = good;
	bad.region[6] = 0xffffffff; /* MXCSR */
	EXPECT_EQ(-EINVAL, tvm_ioctl(self->fd, KVM_SET_XSAVE, &bad));
	bad = good;
	bad.region[512 / 4 + 1] = 0x80000000; /* XSTATE_BV, bit 63 */
	EXPECT_EQ(-EINVAL, tvm_ioctl(self->fd, KVM_SET_XSAVE, &bad));
}

TEST_F(vcpu, illegal_xcr0_is_refused)
{
	struct kvm_xcrs xcrs;

	ASSERT_EQ(0, tvm_ioctl(self->fd, KVM_GET_XCRS, &xcrs));
	if (!xcrs.nr_xcrs)
		SKIP(return, "the host runs without XSAVE");
	EXPECT_EQ(1, xcrs.nr_xcrs);
	EXPECT_EQ(0, tvm_ioctl(self->fd, KVM_SET_XCRS, &xcrs));
	xcrs.xcrs[0].value = 0;
	EXPECT_EQ(-EINVAL, tvm_ioctl(self->fd, KVM_SET_XCRS, &xcrs));
	xcrs.xcrs[0].value = 5; /* AVX without SSE */
	EXPECT_EQ(-EINVAL, tvm_ioctl(self->fd, KVM_SET_XCRS, &xcrs));
	xcrs.xcrs[0].value = 1ull << 62 | 1;
	EXPECT_EQ(-EINVAL, tvm_ioctl(self->fd, KVM_SET_XCRS, &xcrs));
}

/* ---------------------------------------------------- events, debug, MP state */

TEST_F(vcpu, events_are_checked)
{
	struct kvm_vcpu_events events;

	ASSERT_EQ(0, tvm_ioctl(self->fd, KVM_GET_VCPU_EVENTS, &events));
	EXPECT_EQ(0, tvm_ioctl(self->fd, KVM_SET_VCPU_EVENTS, &events));
	events.flags = 1u << 31;
	EXPECT_EQ(-EINVAL, tvm_ioctl(self->fd, KVM_SET_VCPU_EVENTS, &events));
	events.flags = 0;
	events.exception.injected = 1;
	events.exception.nr = 32;
	EXPECT_EQ(-EINVAL, tvm_ioctl(self->fd, KVM_SET_VCPU_EVENTS, &events));
	events.exception.nr = 2;
	EXPECT_EQ(-EINVAL, tvm_ioctl(self->fd, KVM_SET_VCPU_EVENTS, &events));
}

TEST_F(vcpu, pending_nmi_is_seen)
{
	struct kvm_vcpu_events events;

	EXPECT_EQ(0, tvm_ioctl(self->fd, KVM_NMI, NULL));
	ASSERT_EQ(0, tvm_ioctl(self->fd, KVM_GET_VCPU_EVENTS, &events));
	EXPECT_LE(1, events.nmi.pending);
}

TEST_F(vcpu, debug_registers_are_checked)
{
	struct kvm_debugregs dbg, got;

	ASSERT_EQ(0, tvm_ioctl(self->fd, KVM_GET_DEBUGREGS, &dbg));
	EXPECT_EQ(0x400, dbg.dr7);
	EXPECT_EQ(0xffff0ff0, dbg.dr6);
	dbg.db[0] = 0x1234;
	dbg.db[3] = 0xffff800000000000;
	dbg.dr7 = 0x403;
	EXPECT_EQ(0, tvm_ioctl(self->fd, KVM_SET_DEBUGREGS, &dbg));
	EXPECT_EQ(0, tvm_ioctl(self->fd, KVM_GET_DEBUGREGS, &got));
	EXPECT_EQ(0, memcmp(&dbg, &got, sizeof(dbg)));
	dbg.dr7 = 1ull << 32;
	EXPECT_EQ(-EINVAL, tvm_ioctl(self->fd, KVM_SET_DEBUGREGS, &dbg));
	dbg.dr7 = 0x400;
	dbg.dr6 = 1ull << 32;
	EXPECT_EQ(-EINVAL, tvm_ioctl(self->fd, KVM_SET_DEBUGREGS, &dbg));
	dbg.dr6 = 0xffff0ff0;
	dbg.flags = 1;
	EXPECT_EQ(-EINVAL, tvm_ioctl(self->fd, KVM_SET_DEBUGREGS, &dbg));
}

TEST_F(vcpu, mp_state_is_checked)
{
	struct kvm_mp_state state;

	ASSERT_EQ(0, tvm_ioctl(self->fd, KVM_GET_MP_STATE, &state));
	EXPECT_EQ(KVM_MP_STATE_RUNNABLE, state.mp_state);
	state.mp_state = KVM_MP_STATE_HALTED;
	EXPECT_EQ(0, tvm_ioctl(self->fd, KVM_SET_MP_STATE, &state));
	state.mp_state = 4711;
	EXPECT_EQ(-EINVAL, tvm_ioctl(self->fd, KVM_SET_MP_STATE, &state));
	EXPECT_EQ(0, tvm_ioctl(self->fd, KVM_GET_MP_STATE, &state));
	EXPECT_EQ(KVM_MP_STATE_HALTED, state.mp_state);
}

/* ------------------------------------------------------- interrupts and time */

TEST_F(vcpu, lapic_state_goes_in_and_out)
{
	struct kvm_lapic_state lapic;

	ASSERT_EQ(0, tvm_ioctl(self->fd, KVM_GET_LAPIC, &lapic));
	lapic.regs[0x80] = 0x30; /* TPR */
	EXPECT_EQ(0, tvm_ioctl(self->fd, KVM_SET_LAPIC, &lapic));
	lapic.regs[0x80] = 0;
	EXPECT_EQ(0, tvm_ioctl(self->fd, KVM_GET_LAPIC, &lapic));
	EXPECT_EQ(0x30, lapic.regs[0x80]);
}

TEST_F(vcpu, interrupt_belongs_to_the_kernel_irqchip)
{
	struct kvm_interrupt irq = { .irq = 32 };

	EXPECT_EQ(-ENXIO, tvm_ioctl(self->fd, KVM_INTERRUPT, &irq));
}

TEST_F(vcpu, without_irqchip_interrupts_queue_once)
{
	struct kvm_interrupt irq = { .irq = 256 };
	struct kvm_lapic_state lapic;
	struct tvm vm;
	struct tvcpu vcpu;

	ASSERT_EQ(0, tvm_create(&vm, TVM_MEM_SIZE));
	ASSERT_EQ(0, tvcpu_create(&vm, &vcpu, 0));
	EXPECT_EQ(-EINVAL, tvm_ioctl(vcpu.fd, KVM_INTERRUPT, &irq));
	EXPECT_EQ(-EINVAL, tvm_ioctl(vcpu.fd, KVM_GET_LAPIC, &lapic));
	irq.irq = 32;
	EXPECT_EQ(0, tvm_ioctl(vcpu.fd, KVM_INTERRUPT, &irq));
	if (!tvm_is_kvm())
		EXPECT_EQ(-EEXIST, tvm_ioctl(vcpu.fd, KVM_INTERRUPT, &irq));
	tvcpu_destroy(&vcpu);
	tvm_destroy(&vm);
}

TEST_F(vcpu, tsc_rate_is_the_hosts)
{
	long khz = tvm_ioctl(self->fd, KVM_GET_TSC_KHZ, NULL);

	EXPECT_LT(0, khz);
	EXPECT_EQ(0, tvm_ioctl(self->fd, KVM_SET_TSC_KHZ, (void *)khz));
	if (tvm_is_kvm())
		SKIP(return, "KVM emulates other rates");
	EXPECT_EQ(-EINVAL, tvm_ioctl(self->fd, KVM_SET_TSC_KHZ, (void *)(khz * 2)));
}

/* ---------------------------------------------------------------- the mapping */

TEST_F(vcpu, mapping_ends_where_it_says)
{
	size_t size = self->vcpu.run_size;

	EXPECT_EQ(MAP_FAILED, mmap(NULL, size, PROT_READ | PROT_EXEC, MAP_SHARED, self->fd, 0));
	if (tvm_is_kvm())
		SKIP(return, "KVM lets more be mapped and faults on access");
	EXPECT_EQ(MAP_FAILED, mmap(NULL, size + 4096, PROT_READ, MAP_SHARED, self->fd, 0));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, 4096, PROT_READ, MAP_SHARED, self->fd, size));
}

TEST_F(vcpu, statistics_have_names)
{
	struct minivmm_stats stats;
	struct minivmm_stat_name name = {};

	if (tvm_is_kvm())
		SKIP(return, "an extension of minivmm");
	ASSERT_EQ(0, tvm_ioctl(self->fd, MINIVMM_GET_STATS, &stats));
	ASSERT_LT(0, stats.nr);
	EXPECT_EQ(0, stats.entries);
	for (name.index = 0; name.index < stats.nr; name.index++) {
		EXPECT_EQ(0, tvm_ioctl(self->vm.sys, MINIVMM_GET_STAT_NAME, &name));
		EXPECT_NE(0, name.name[0]);
	}
	EXPECT_EQ(-EINVAL, tvm_ioctl(self->vm.sys, MINIVMM_GET_STAT_NAME, &name));
	name.index = 0;
	name.reserved = 1;
	EXPECT_EQ(-EINVAL, tvm_ioctl(self->vm.sys, MINIVMM_GET_STAT_NAME, &name));
	EXPECT_EQ(-EFAULT, tvm_ioctl(self->fd, MINIVMM_GET_STATS, BAD_PTR));
	EXPECT_EQ(-EFAULT, tvm_ioctl(self->vm.sys, MINIVMM_GET_STAT_NAME, BAD_PTR));
}

MVM_HARNESS_MAIN
