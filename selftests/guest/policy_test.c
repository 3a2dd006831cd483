// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUID and MSR policy: the guest sees the table it was given, the table offers
 * nothing that is not there, and what is listed to be saved can be restored.
 */
#include "mvm_harness.h"
#include "mvm_util.h"

#define MAX_ENTRIES 256
#define MSR_TSC	    0x10
#define MSR_TSC_ADJ 0x3b

GUEST_CODE(do_cpuid, 64, "1: cpuid; hlt; jmp 1b");
/* The TSC to 2^40, so IA32_TSC_ADJUST moves along; reports its high half. */
GUEST_CODE(set_tsc, 64,
	   "mov $0x10, %ecx; mov $0x100, %edx; xor %eax, %eax; wrmsr;"
	   "mov $0x3b, %ecx; rdmsr; mov %edx, %eax; out %eax, $0xf1;"
	   "mov $0x10, %ecx; rdmsr; mov %edx, %eax; out %eax, $0xf1; hlt");

struct cpuid_table {
	struct kvm_cpuid2 head;
	struct kvm_cpuid_entry2 entries[MAX_ENTRIES];
};

FIXTURE(policy) {
	struct tvm vm;
	struct tvcpu vcpu;
	struct cpuid_table table;
};

FIXTURE_SETUP(policy)
{
	TVM_CREATE_OR_SKIP(&self->vm, TVM_MEM_SIZE);
	ASSERT_EQ(0, tvcpu_create(&self->vm, &self->vcpu, 0));
	self->table.head.nent = MAX_ENTRIES;
	ASSERT_EQ(0, tvm_ioctl(self->vm.sys, KVM_GET_SUPPORTED_CPUID, &self->table));
}

FIXTURE_TEARDOWN(policy)
{
	tvcpu_destroy(&self->vcpu);
	tvm_destroy(&self->vm);
}

static struct kvm_cpuid_entry2 *find(struct cpuid_table *table, uint32_t function, uint32_t index)
{
	uint32_t i;

	for (i = 0; i < table->head.nent; i++) {
		if (table->entries[i].function == function && table->entries[i].index == index)
			return &table->entries[i];
	}
	return NULL;
}

/* Bits that follow the vCPU's state: OSXSAVE, OSPKE, the current XSAVE sizes, APIC. */
static void drop_dynamic(struct kvm_cpuid_entry2 *entry)
{
	if (entry->function == 1) {
		entry->ecx &= ~(1u << 27);
		entry->edx &= ~(1u << 9);
	}
	if (entry->function == 7 && !entry->index)
		entry->ecx &= ~(1u << 4);
	if (entry->function == 0xd && entry->index < 2)
		entry->ebx = 0;
}

static int guest_cpuid(struct tvcpu *vcpu, struct kvm_cpuid_entry2 *entry)
{
	struct kvm_regs regs;
	int ret;

	ret = tvm_ioctl(vcpu->fd, KVM_GET_REGS, &regs);
	if (ret)
		return ret;
	regs.rax = entry->function;
	regs.rcx = entry->index;
	ret = tvm_ioctl(vcpu->fd, KVM_SET_REGS, &regs);
	if (ret)
		return ret;
	ret = tvcpu_run_to(vcpu, KVM_EXIT_HLT);
	if (ret)
		return ret;
	ret = tvm_ioctl(vcpu->fd, KVM_GET_REGS, &regs);
	entry->eax = regs.rax;
	entry->ebx = regs.rbx;
	entry->ecx = regs.rcx;
	entry->edx = regs.rdx;
	return ret;
}

TEST_F(policy, the_guest_sees_its_table)
{
	struct kvm_cpuid_entry2 want, got;
	uint32_t i;

	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_LONG, do_cpuid, do_cpuid_end));
	for (i = 0; i < self->table.head.nent; i++) {
		want = self->table.entries[i];
		got = want;
		ASSERT_EQ(0, guest_cpuid(&self->vcpu, &got));
		drop_dynamic(&want);
		drop_dynamic(&got);
		EXPECT_EQ(0, memcmp(&want, &got, sizeof(want))) {
			TH_LOG("leaf %x.%x: %x %x %x %x, not %x %x %x %x", want.function,
			       want.index, got.eax, got.ebx, got.ecx, got.edx, want.eax,
			       want.ebx, want.ecx, want.edx);
		}
	}
}

TEST_F(policy, a_table_is_kept_after_the_first_run)
{
	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_LONG, do_cpuid, do_cpuid_end));
	ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_HLT));
	EXPECT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_SET_CPUID2, &self->table));
	find(&self->table, 1, 0)->eax ^= 1;
	EXPECT_EQ(-EINVAL, tvm_ioctl(self->vcpu.fd, KVM_SET_CPUID2, &self->table));
}

TEST_F(policy, offers_what_is_there)
{
	struct kvm_cpuid_entry2 *entry;

	if (tvm_is_kvm())
		SKIP(return, "about minivmm's policy");
	entry = find(&self->table, 1, 0);
	ASSERT_NE(NULL, entry);
	/* Hypervisor, TSC deadline, x2APIC; neither VMX, SMX, MONITOR nor OSXSAVE. */
	EXPECT_EQ(1u << 31 | 1u << 24 | 1u << 21, entry->ecx & (1u << 31 | 1u << 24 | 1u << 21));
	EXPECT_EQ(0, entry->ecx & (1u << 3 | 1u << 5 | 1u << 6 | 1u << 27));
	entry = find(&self->table, 0x80000001, 0);
	ASSERT_NE(NULL, entry);
	EXPECT_EQ(0, entry->ecx & 1u << 2); /* SVM */
	EXPECT_EQ(1u << 29, entry->edx & 1u << 29); /* long mode */
	entry = find(&self->table, 0x40000000, 0);
	ASSERT_NE(NULL, entry);
	EXPECT_EQ(0x40000001, entry->eax);
	EXPECT_EQ(0, memcmp(&entry->ebx, "KVMKVMKVM\0\0\0", 12));
	entry = find(&self->table, 0xd, 1);
	if (entry)
		EXPECT_EQ(0, entry->eax & 1u << 3); /* XSAVES */
	entry = find(&self->table, 0xa, 0);
	if (entry)
		EXPECT_EQ(0, entry->eax); /* no PMU */
}

TEST_F(policy, every_listed_msr_can_be_restored)
{
	struct {
		struct kvm_msr_list head;
		uint32_t indices[MAX_ENTRIES];
	} list = { .head.nmsrs = MAX_ENTRIES };
	uint64_t data;
	uint32_t i;

	if (tvm_is_kvm())
		SKIP(return, "KVM lists more than one buffer holds");
	ASSERT_EQ(0, tvcpu_set_cpuid(&self->vcpu));
	ASSERT_EQ(0, tvm_ioctl(self->vm.sys, KVM_GET_MSR_INDEX_LIST, &list));
	ASSERT_LT(0, list.head.nmsrs);
	for (i = 0; i < list.head.nmsrs; i++) {
		EXPECT_EQ(0, tvcpu_get_msr(&self->vcpu, list.indices[i], &data)) {
			TH_LOG("cannot read MSR %x", list.indices[i]);
		}
		EXPECT_EQ(0, tvcpu_set_msr(&self->vcpu, list.indices[i], data)) {
			TH_LOG("cannot write %llx back to MSR %x", (unsigned long long)data,
			       list.indices[i]);
		}
	}
	EXPECT_EQ(-EPERM, tvcpu_get_msr(&self->vcpu, 0x12345678, &data));
}

TEST_F(policy, the_guests_tsc_moves_its_adjustment)
{
	uint32_t value;

	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_LONG, set_tsc, set_tsc_end));
	/* 2^40 less what had passed before: one less in the high half, or not by a whisker. */
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	EXPECT_LE(0xf0, value);
	EXPECT_GE(0x100, value);
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	EXPECT_LE(0x100, value);
	EXPECT_GE(0x110, value);
}

MVM_HARNESS_MAIN
