// SPDX-License-Identifier: GPL-2.0-only
/*
 * libminivmm on a device: what each call gives, and the sentence behind each
 * failure. The ioctls themselves have tests of their own beside this one.
 */
#include <errno.h>
#include <sys/ioctl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "../../userspace/lib/libminivmm.h"
#include "minivmm.h"
#include "mvm_harness.h"
#include "mvm_util.h"

#define RAM_SIZE 0x10000
#define MSR_NO_SUCH 0xdeadbeef
#define VM_TYPE_NO_SUCH (MINIVMM_CAP_BASE + 0xfffe)

FIXTURE(lib) {
	struct minivmm *m;
	struct minivmm_vm *vm;
	struct minivmm_vcpu *vcpu;
	uint8_t *ram;
};

FIXTURE_SETUP(lib)
{
	self->m = minivmm_new();
	ASSERT_NE(NULL, self->m);
	if (minivmm_open(self->m, tvm_device()))
		MVM_SKIP("%s", minivmm_error(self->m));
	if (minivmm_vm_create(self->m, 0, &self->vm))
		MVM_SKIP("%s", minivmm_error(self->m));
	self->ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	ASSERT_NE(MAP_FAILED, self->ram);
	ASSERT_EQ(0, minivmm_vm_set_memory(self->vm, 0, 0, 0, RAM_SIZE, self->ram));
}

FIXTURE_TEARDOWN(lib)
{
	/* In this order on purpose: each handle outlives the one it came from. */
	minivmm_free(self->m);
	minivmm_vm_free(self->vm);
	minivmm_vcpu_free(self->vcpu);
}

/* Where segment 100h begins. */
static void put_code(uint8_t *ram, const char *code, size_t len)
{
	memcpy(ram + 0x1000, code, len);
}

TEST_F(lib, the_devices_own_reason_is_the_sentence)
{
	struct minivmm_reason reason = { "" };
	struct minivmm_vm *vm = NULL;

	if (minivmm_check(self->m, MINIVMM_CAP_GET_REASON) <= 0)
		SKIP(return, "%s gives no reasons", tvm_device());
	EXPECT_GT(0, minivmm_vm_create(self->m, VM_TYPE_NO_SUCH, &vm));
	EXPECT_EQ(NULL, vm);
	ASSERT_EQ(0, ioctl(minivmm_fd(self->m), MINIVMM_GET_REASON, &reason));
	EXPECT_NE('\0', reason.text[0]);
	EXPECT_NE(NULL, strstr(minivmm_error(self->m), reason.text));
}

TEST_F(lib, offers_cpus_and_cpuid)
{
	struct kvm_cpuid2 *cpuid = NULL;

	EXPECT_GE(minivmm_max_vcpus(self->m), 1);
	EXPECT_EQ(1, minivmm_check(self->m, KVM_CAP_USER_MEMORY));
	EXPECT_EQ(0, minivmm_check(self->m, 0x7fffffff));
	ASSERT_EQ(0, minivmm_supported_cpuid(self->m, &cpuid));
	EXPECT_GT(cpuid->nent, 3);
	free(cpuid);
}

TEST_F(lib, a_refused_slot_is_a_sentence_that_names_it)
{
	EXPECT_EQ(-EINVAL, minivmm_vm_set_memory(self->vm, 7, 0, 1, 4096, self->ram));
	EXPECT_NE(NULL, strstr(minivmm_vm_error(self->vm), "slot 7"));
}

TEST_F(lib, a_second_vcpu_of_one_id_is_refused_in_words)
{
	struct minivmm_vcpu *again = NULL;

	ASSERT_EQ(0, minivmm_vcpu_create(self->vm, 0, &self->vcpu));
	EXPECT_GT(0, minivmm_vcpu_create(self->vm, 0, &again));
	EXPECT_EQ(NULL, again);
	EXPECT_NE(NULL, strstr(minivmm_vm_error(self->vm), "create vCPU 0"));
}

TEST_F(lib, eventfds_stand_for_lines_and_writes)
{
	struct kvm_irq_routing_entry route = {
		.gsi = 40, .type = KVM_IRQ_ROUTING_MSI,
		.u.msi = { .address_lo = 0xfee00000, .data = 0x41 },
	};
	struct kvm_ioeventfd doorbell = {
		.addr = 0x600, .len = 2, .flags = KVM_IOEVENTFD_FLAG_PIO,
	};
	int fd = eventfd(0, EFD_NONBLOCK);

	ASSERT_LE(0, fd);
	doorbell.fd = fd;
	EXPECT_GT(0, minivmm_vm_set_routes(self->vm, &route, 1));
	EXPECT_NE('\0', minivmm_vm_error(self->vm)[0]);
	ASSERT_EQ(0, minivmm_vm_create_split_irqchip(self->vm, 24));
	EXPECT_EQ(-EEXIST, minivmm_vm_create_split_irqchip(self->vm, 24));
	EXPECT_EQ(0, minivmm_vm_set_routes(self->vm, &route, 1));
	EXPECT_EQ(0, minivmm_vm_set_routes(self->vm, NULL, 0));
	EXPECT_EQ(0, minivmm_vm_send_msi(self->vm, 0xfee00000, 0x41)); /* nobody is there */
	EXPECT_EQ(0, minivmm_vm_add_irqfd(self->vm, fd, 40, -1));
	EXPECT_EQ(-EBUSY, minivmm_vm_add_irqfd(self->vm, fd, 41, -1));
	EXPECT_NE(NULL, strstr(minivmm_vm_error(self->vm), "line 41"));
	EXPECT_EQ(0, minivmm_vm_remove_irqfd(self->vm, fd, 40));
	EXPECT_EQ(0, minivmm_vm_add_ioeventfd(self->vm, &doorbell));
	EXPECT_EQ(-EEXIST, minivmm_vm_add_ioeventfd(self->vm, &doorbell));
	EXPECT_NE(NULL, strstr(minivmm_vm_error(self->vm), "port 0x600"));
	EXPECT_EQ(0, minivmm_vm_remove_ioeventfd(self->vm, &doorbell));
	EXPECT_EQ(-ENOENT, minivmm_vm_remove_ioeventfd(self->vm, &doorbell));
	close(fd);
}

TEST_F(lib, runs_real_mode_code_to_a_port_and_a_halt)
{
	struct kvm_regs regs;
	uint8_t *data;

	ASSERT_EQ(0, minivmm_vcpu_create(self->vm, 0, &self->vcpu));
	/* mov $'k',%al; out %al,$0xe9; in $0x10,%ax; hlt */
	put_code(self->ram, "\xb0k\xe6\xe9\xe5\x10\xf4", 7);
	ASSERT_EQ(0, minivmm_vcpu_set_real_mode(self->vcpu, 0x100, 0));

	ASSERT_EQ(0, minivmm_vcpu_run(self->vcpu));
	ASSERT_EQ(KVM_EXIT_IO, minivmm_vcpu_run_page(self->vcpu)->exit_reason);
	data = minivmm_vcpu_io_data(self->vcpu);
	ASSERT_NE(NULL, data);
	EXPECT_EQ('k', *data);

	ASSERT_EQ(0, minivmm_vcpu_run(self->vcpu));
	data = minivmm_vcpu_io_data(self->vcpu);
	ASSERT_NE(NULL, data);
	memcpy(data, "\x34\x12", 2);
	ASSERT_EQ(0, minivmm_vcpu_run(self->vcpu));
	EXPECT_EQ(KVM_EXIT_HLT, minivmm_vcpu_run_page(self->vcpu)->exit_reason);
	EXPECT_EQ(NULL, minivmm_vcpu_io_data(self->vcpu));
	ASSERT_EQ(0, minivmm_vcpu_get_regs(self->vcpu, &regs));
	EXPECT_EQ(0x1234, regs.rax & 0xffff);
	EXPECT_EQ(7, regs.rip);
}

TEST_F(lib, stop_holds_until_resume)
{
	ASSERT_EQ(0, minivmm_vcpu_create(self->vm, 0, &self->vcpu));
	put_code(self->ram, "\xf4", 1);
	ASSERT_EQ(0, minivmm_vcpu_set_real_mode(self->vcpu, 0x100, 0));
	minivmm_vcpu_stop(self->vcpu);
	EXPECT_EQ(-EINTR, minivmm_vcpu_run(self->vcpu));
	EXPECT_EQ(-EINTR, minivmm_vcpu_run(self->vcpu));
	minivmm_vcpu_resume(self->vcpu);
	ASSERT_EQ(0, minivmm_vcpu_run(self->vcpu));
	EXPECT_EQ(KVM_EXIT_HLT, minivmm_vcpu_run_page(self->vcpu)->exit_reason);
}

TEST_F(lib, registers_come_back_as_they_were_set)
{
	struct kvm_regs in = { .rax = 1, .r15 = ~0ull, .rip = 0x1234, .rflags = 2 }, out;
	struct kvm_fpu fpu = { .fcw = 0x27f, .mxcsr = 0x1f80 }, back;

	ASSERT_EQ(0, minivmm_vcpu_create(self->vm, 0, &self->vcpu));
	ASSERT_EQ(0, minivmm_vcpu_set_regs(self->vcpu, &in));
	ASSERT_EQ(0, minivmm_vcpu_get_regs(self->vcpu, &out));
	EXPECT_EQ(0, memcmp(&in, &out, sizeof(in)));
	ASSERT_EQ(0, minivmm_vcpu_set_fpu(self->vcpu, &fpu));
	ASSERT_EQ(0, minivmm_vcpu_get_fpu(self->vcpu, &back));
	EXPECT_EQ(0x27f, back.fcw);
}

TEST_F(lib, an_unknown_msr_is_refused_by_number)
{
	uint64_t value = 1;

	ASSERT_EQ(0, minivmm_vcpu_create(self->vm, 0, &self->vcpu));
	EXPECT_EQ(-EPERM, minivmm_vcpu_get_msr(self->vcpu, MSR_NO_SUCH, &value));
	EXPECT_NE(NULL, strstr(minivmm_vcpu_error(self->vcpu), "0xdeadbeef"));
	EXPECT_EQ(1, value);
	EXPECT_EQ(-EPERM, minivmm_vcpu_set_msr(self->vcpu, MSR_NO_SUCH, 0));
}

TEST_F(lib, irqchip_comes_before_vcpus_and_has_lines)
{
	ASSERT_EQ(0, minivmm_vm_create_irqchip(self->vm));
	ASSERT_EQ(0, minivmm_vcpu_create(self->vm, 0, &self->vcpu));
	EXPECT_EQ(0, minivmm_vcpu_setup_lapic(self->vcpu));
	EXPECT_EQ(0, minivmm_vm_irq_line(self->vm, 4, 1));
	EXPECT_EQ(0, minivmm_vm_irq_line(self->vm, 4, 0));
	EXPECT_GT(0, minivmm_vm_create_irqchip(self->vm));
	EXPECT_NE('\0', minivmm_vm_error(self->vm)[0]);
}

TEST_F(lib, counters_are_minivmms_own)
{
	struct minivmm_stats stats;
	char name[32];

	ASSERT_EQ(0, minivmm_vcpu_create(self->vm, 0, &self->vcpu));
	put_code(self->ram, "\xf4", 1);
	ASSERT_EQ(0, minivmm_vcpu_set_real_mode(self->vcpu, 0x100, 0));
	ASSERT_EQ(0, minivmm_vcpu_run(self->vcpu));
	if (minivmm_check(self->m, MINIVMM_CAP_STATS) <= 0) {
		EXPECT_GT(0, minivmm_vcpu_get_stats(self->vcpu, &stats));
		return;
	}
	ASSERT_EQ(0, minivmm_vcpu_get_stats(self->vcpu, &stats));
	EXPECT_GE(stats.entries, 1);
	EXPECT_GE(stats.to_user, 1);
	ASSERT_GT(stats.nr, 0);
	EXPECT_EQ(0, minivmm_stat_name(self->m, stats.nr - 1, name, sizeof(name)));
	EXPECT_EQ(-EINVAL, minivmm_stat_name(self->m, stats.nr, name, sizeof(name)));
}

MVM_HARNESS_MAIN
