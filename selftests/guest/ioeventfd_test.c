// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_IOEVENTFD: what is refused, which writes of a guest match, by length, value and
 * instruction, that the others leave to userspace as before, and changes under a
 * guest that writes.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <time.h>

#include "irq_util.h"
#include "mvm_harness.h"

#define BAD_PTR ((void *)0x8)
#define PORT 0x510
#define MMIO 0xd0000000ull
#define PIO KVM_IOEVENTFD_FLAG_PIO
#define MATCH KVM_IOEVENTFD_FLAG_DATAMATCH
#define ROUNDS 4
#define DEASSIGN KVM_IOEVENTFD_FLAG_DEASSIGN

/* Writes to MMIO, each followed by a report of its number. */
#define WRITE(insn, n) insn "; mov $" #n ", %eax; out %eax, $0xf1;"
GUEST_CODE(writes, 64,
	   "mov $0xd0000000, %ebx; mov $0x55667788, %ecx;"
	   WRITE("mov %cl, (%rbx)", 1)
	   WRITE("mov %cx, (%rbx)", 2)
	   WRITE("mov %ecx, (%rbx)", 3)
	   WRITE("mov %rcx, (%rbx)", 4)
	   WRITE("movl $0x1234, (%rbx)", 5)
	   WRITE("movl $0x1234, 4(%rbx)", 6)
	   WRITE("mov %rbx, %rdi; mov %ecx, %eax; stosl", 7)
	   WRITE("mov %rbx, %rdi; mov $0x10100, %esi; movsl", 8)
	   "hlt");

GUEST_CODE(ports, 64,
	   "mov $0x510, %edx; mov $0x55667788, %eax;"
	   "out %al, %dx; mov $1, %eax; out %eax, $0xf1; mov $0x55667788, %eax;"
	   "out %ax, %dx; mov $2, %eax; out %eax, $0xf1; mov $0x55667788, %eax;"
	   "out %eax, %dx; mov $3, %eax; out %eax, $0xf1;"
	   "mov $0x10100, %esi; mov $5, %ecx; rep outsb; mov $4, %eax; out %eax, $0xf1;"
	   "mov $0x10100, %esi; mov $5, %ecx; rep outsl; mov $5, %eax; out %eax, $0xf1;"
	   "hlt");

/* 1,000 doorbells of 4 bytes with the value 7, then a report. */
GUEST_CODE(doorbells, 64,
	   "1: mov $0xd0000000, %ebx; mov $1000, %ecx;"
	   "2: movl $7, (%rbx); add $4, %ebx; dec %ecx; jnz 2b;"
	   "mov $1, %eax; out %eax, $0xf1; jmp 1b");

/* Crosses a page: two writes of two bytes for a device. */
GUEST_CODE(crossing, 64,
	   "mov $0xd0000ffe, %ebx; movl $7, (%rbx); mov $1, %eax; out %eax, $0xf1; hlt");

/* A doorbell, then a report of 3; the interrupt it comes back as reports 1. */
#define RING_VECTOR 0x50
GUEST_CODE(ring, 64,
	   "mov $0xfee00000, %ebx; movl $0x1ff, 0xf0(%rbx); mov $0x510, %edx;"
	   "1: sti; nop; out %eax, %dx; mov $3, %eax; out %eax, $0xf1;"
	   "cli; out %eax, %dx; mov $4, %eax; out %eax, $0xf1; jmp 1b;"
	   ".org ring + 128; push %rax; mov $1, %eax; out %eax, $0xf1;"
	   "movl $0, 0xb0(%rbx); pop %rax; iretq");

FIXTURE(ioeventfd) {
	struct tvm vm;
	struct tvcpu vcpu;
	int efd;
};

FIXTURE_SETUP(ioeventfd)
{
	TVM_CREATE_OR_SKIP(&self->vm, TVM_MEM_SIZE);
	ASSERT_EQ(0, tvcpu_create(&self->vm, &self->vcpu, 0));
	self->efd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	ASSERT_LE(0, self->efd);
}

FIXTURE_TEARDOWN(ioeventfd)
{
	close(self->efd);
	tvcpu_destroy(&self->vcpu);
	tvm_destroy(&self->vm);
}

static int set(struct tvm *vm, int fd, uint64_t addr, uint32_t len, uint32_t flags,
	       uint64_t match)
{
	struct kvm_ioeventfd args = {
		.fd = fd, .addr = addr, .len = len, .flags = flags, .datamatch = match,
	};

	return tvm_ioctl(vm->fd, KVM_IOEVENTFD, &args);
}

/* How often it was signalled since the last time. */
static int told(int fd)
{
	eventfd_t count;

	return eventfd_read(fd, &count) ? 0 : count;
}

static int64_t next(struct tvcpu *vcpu)
{
	uint32_t value;
	int ret = tvcpu_run_out(vcpu, &value);

	return ret ? ret : value;
}

/* ------------------------------------------------------------------ errors */

TEST_F(ioeventfd, arguments_are_checked)
{
	int null = open("/dev/null", O_RDWR);
	const struct {
		const char *what;
		uint64_t addr;
		uint32_t len, flags;
		int fd, want;
	} cases[] = {
		{ "3 bytes", MMIO, 3, 0, self->efd, -EINVAL },
		{ "16 bytes", MMIO, 16, 0, self->efd, -EINVAL },
		{ "many bytes", MMIO, 1u << 31, 0, self->efd, -EINVAL },
		{ "wraps", ~0ull, 2, 0, self->efd, -EINVAL },
		{ "unknown flag", MMIO, 4, 1 << 5, self->efd, -EINVAL },
		{ "unknown flag", MMIO, 4, 1u << 31, self->efd, -EINVAL },
		{ "any length of one value", MMIO, 0, MATCH, self->efd, -EINVAL },
		{ "no file", MMIO, 4, 0, -1, -EBADF },
		{ "no eventfd", MMIO, 4, 0, null, -EINVAL },
		{ "deassign: no file", MMIO, 4, DEASSIGN, -1, -EBADF },
		{ "deassign: no eventfd", MMIO, 4, DEASSIGN, null, -EINVAL },
		{ "deassign: not there", MMIO, 4, DEASSIGN, self->efd, -ENOENT },
		{ "deassign: a length nothing has", MMIO, 3, DEASSIGN, self->efd, -ENOENT },
		{ "the last byte", ~0ull, 0, 0, self->efd, 0 },
		{ "a port that no guest has", 0x123456, 4, PIO, self->efd, 0 },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		EXPECT_EQ(cases[i].want, set(&self->vm, cases[i].fd, cases[i].addr, cases[i].len,
					     cases[i].flags, 0)) {
			TH_LOG("%s", cases[i].what);
		}
	}
	EXPECT_EQ(-EFAULT, tvm_ioctl(self->vm.fd, KVM_IOEVENTFD, BAD_PTR));
	EXPECT_EQ(1, tvm_ioctl(self->vm.fd, KVM_CHECK_EXTENSION, (void *)KVM_CAP_IOEVENTFD));
	EXPECT_EQ(1, tvm_ioctl(self->vm.fd, KVM_CHECK_EXTENSION,
			       (void *)KVM_CAP_IOEVENTFD_ANY_LENGTH));
	close(null);
}

TEST_F(ioeventfd, no_two_match_the_same_write)
{
	struct tvm *vm = &self->vm;
	int fd = self->efd;

	ASSERT_EQ(0, set(vm, fd, MMIO, 4, MATCH, 1));
	EXPECT_EQ(-EEXIST, set(vm, fd, MMIO, 4, MATCH, 1));
	EXPECT_EQ(-EEXIST, set(vm, fd, MMIO, 4, 0, 0));
	EXPECT_EQ(-EEXIST, set(vm, fd, MMIO, 0, 0, 0));
	EXPECT_EQ(0, set(vm, fd, MMIO, 4, MATCH, 2));
	EXPECT_EQ(0, set(vm, fd, MMIO, 2, 0, 0));
	EXPECT_EQ(-EEXIST, set(vm, fd, MMIO, 2, MATCH, 1));
	EXPECT_EQ(0, set(vm, fd, MMIO, 4, PIO | MATCH, 1));
	EXPECT_EQ(0, set(vm, fd, MMIO + 1, 0, 0, 0));
	EXPECT_EQ(-EEXIST, set(vm, fd, MMIO + 1, 8, MATCH, 1));
}

TEST_F(ioeventfd, only_the_very_same_is_deassigned)
{
	struct tvm *vm = &self->vm;
	int other = eventfd(0, 0);

	ASSERT_EQ(0, set(vm, self->efd, MMIO, 4, MATCH, 1));
	EXPECT_EQ(-ENOENT, set(vm, other, MMIO, 4, DEASSIGN | MATCH, 1));
	EXPECT_EQ(-ENOENT, set(vm, self->efd, MMIO, 4, DEASSIGN | MATCH, 2));
	EXPECT_EQ(-ENOENT, set(vm, self->efd, MMIO, 4, DEASSIGN, 0));
	EXPECT_EQ(-ENOENT, set(vm, self->efd, MMIO, 0, DEASSIGN, 0));
	EXPECT_EQ(-ENOENT, set(vm, self->efd, MMIO, 4, DEASSIGN | MATCH | PIO, 1));
	EXPECT_EQ(-ENOENT, set(vm, self->efd, MMIO + 4, 4, DEASSIGN | MATCH, 1));
	EXPECT_EQ(0, set(vm, self->efd, MMIO, 4, DEASSIGN | MATCH, 1));
	EXPECT_EQ(-ENOENT, set(vm, self->efd, MMIO, 4, DEASSIGN | MATCH, 1));
	EXPECT_EQ(0, set(vm, self->efd, MMIO, 0, 0, 0));
	close(other);
}

/* ---------------------------------------------------------------- matching */

/*
 * Run the guest of @end reports; bit n of the result: write n was signalled and did not
 * leave. Bit 31: one did both or neither.
 */
static uint32_t run(struct tvcpu *vcpu, int fd, int end)
{
	uint32_t seen = 0;
	int n;

	for (n = 1; n <= end; n++) {
		int left = 0;

		for (;;) {
			struct kvm_run *run = vcpu->run;

			if (tvcpu_run(vcpu))
				return 1u << 31;
			if (run->exit_reason == KVM_EXIT_IO && run->io.port == TVM_PORT)
				break;
			left++;
		}
		if (told(fd)) {
			seen |= 1u << n;
			if (left)
				seen |= 1u << 31;
		} else if (!left) {
			seen |= 1u << 31;
		}
	}
	return seen;
}

static uint32_t run_writes(struct tvcpu *vcpu, int fd)
{
	/* What MOVS reads. */
	*(uint32_t *)(vcpu->vm->mem + 0x10100) = 0x1234;
	if (tvcpu_start(vcpu, TVM_LONG, writes, writes_end))
		return 1u << 31;
	*(uint32_t *)(vcpu->vm->mem + 0x10100) = 0x1234;
	return run(vcpu, fd, 8);
}

#define ALL4 (1u << 3 | 1u << 5 | 1u << 7 | 1u << 8)

TEST_F(ioeventfd, memory_writes_match_by_length_and_value)
{
	const struct {
		uint32_t len, flags;
		uint64_t match;
		uint32_t want;
	} cases[] = {
		{ 0, 0, 0, 1u << 1 | 1u << 2 | 1u << 4 | ALL4 },
		{ 1, 0, 0, 1u << 1 },
		{ 2, 0, 0, 1u << 2 },
		{ 4, 0, 0, ALL4 },
		{ 8, 0, 0, 1u << 4 },
		{ 1, MATCH, 0x88, 1u << 1 },
		{ 1, MATCH, 0x188, 0 },
		{ 2, MATCH, 0x7788, 1u << 2 },
		{ 4, MATCH, 0x55667788, 1u << 3 | 1u << 7 },
		{ 4, MATCH, 0x1234, 1u << 5 | 1u << 8 },
		{ 4, MATCH, 0x1235, 0 },
		{ 8, MATCH, 0x55667788, 1u << 4 },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ASSERT_EQ(0, set(&self->vm, self->efd, MMIO, cases[i].len, cases[i].flags,
				 cases[i].match));
		EXPECT_EQ(cases[i].want, run_writes(&self->vcpu, self->efd)) {
			TH_LOG("length %u flags %u value 0x%llx", cases[i].len, cases[i].flags,
			       (unsigned long long)cases[i].match);
		}
		ASSERT_EQ(0, set(&self->vm, self->efd, MMIO, cases[i].len,
				 cases[i].flags | DEASSIGN, cases[i].match));
	}
	EXPECT_EQ(0, run_writes(&self->vcpu, self->efd));
}

TEST_F(ioeventfd, port_writes_match_and_strings_count_by_element)
{
	const struct {
		uint32_t len, flags;
		uint64_t match;
		uint32_t want;
	} cases[] = {
		{ 0, 0, 0, 0x3e },
		{ 1, 0, 0, 1u << 1 | 1u << 4 },
		{ 2, 0, 0, 1u << 2 },
		{ 4, 0, 0, 1u << 3 | 1u << 5 },
		{ 4, MATCH, 0x55667788, 1u << 3 },
		{ 4, MATCH, 0x55667789, 0 },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_LONG, ports, ports_end));
		memset(self->vm.mem + 0x10100, 0x33, 64);
		ASSERT_EQ(0, set(&self->vm, self->efd, PORT, cases[i].len, PIO | cases[i].flags,
				 cases[i].match));
		EXPECT_EQ(cases[i].want, run(&self->vcpu, self->efd, 5)) {
			TH_LOG("length %u", cases[i].len);
		}
		ASSERT_EQ(0, set(&self->vm, self->efd, PORT, cases[i].len,
				 PIO | DEASSIGN | cases[i].flags, cases[i].match));
	}
}

TEST_F(ioeventfd, each_element_of_a_string_signals)
{
	int n;

	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_LONG, ports, ports_end));
	ASSERT_EQ(0, set(&self->vm, self->efd, PORT, 0, PIO, 0));
	for (n = 1; n <= 5; n++) {
		ASSERT_EQ(n, next(&self->vcpu));
		EXPECT_EQ(n < 4 ? 1 : 5, told(self->efd));
	}
}

TEST_F(ioeventfd, a_write_across_pages_is_two)
{
	struct kvm_run *run = self->vcpu.run;

	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_LONG, crossing, crossing_end));
	ASSERT_EQ(0, set(&self->vm, self->efd, MMIO + 0xffe, 4, 0, 0));
	ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_MMIO));
	EXPECT_EQ(MMIO + 0xffe, run->mmio.phys_addr);
	EXPECT_EQ(2, run->mmio.len);
	ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_MMIO));
	EXPECT_EQ(MMIO + 0x1000, run->mmio.phys_addr);
	ASSERT_EQ(1, next(&self->vcpu));
	EXPECT_EQ(0, told(self->efd));
}

TEST_F(ioeventfd, memory_hides_it)
{
	ASSERT_EQ(0, tvm_set_slot(&self->vm, 1, 0, MMIO, 0x1000, self->vm.mem + 0x100000));
	ASSERT_EQ(0, set(&self->vm, self->efd, MMIO, 0, 0, 0));
	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_LONG, writes, writes_end));
	ASSERT_EQ(1, next(&self->vcpu));
	EXPECT_EQ(0, told(self->efd));
	EXPECT_EQ(0x88, self->vm.mem[0x100000]);
}

/* ------------------------------------------------------------ many, changes */

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* Whoever rings may be who is called: at once, or when he listens again. */
TEST(a_doorbell_interrupts_its_ringer)
{
	static const int want[] = { 1, 3, 4 };
	struct kvm_irq_routing_entry route = tirq_msi(5, RING_VECTOR);
	int efd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), i;
	struct tvcpu vcpu;
	struct tvm vm;

	TVM_CREATE_OR_SKIP(&vm, TVM_MEM_SIZE);
	ASSERT_EQ(0, tvm_create_irqchip(&vm, false));
	ASSERT_EQ(0, tvcpu_create(&vm, &vcpu, 0));
	ASSERT_EQ(0, tirq_route(&vm, &route, 1));
	ASSERT_EQ(0, tirq_irqfd(&vm, efd, 5, 0, 0));
	ASSERT_EQ(0, set(&vm, efd, PORT, 4, PIO, 0));
	ASSERT_EQ(0, tvcpu_start(&vcpu, TVM_LONG, ring, ring_end));
	tvcpu_set_gate(&vcpu, TVM_LONG, RING_VECTOR, TVM_CODE + 128);
	for (i = 0; i < 30; i++) {
		/* What was rung with interrupts off comes behind STI, before the next bell. */
		if (i && !(i % 3))
			ASSERT_EQ(1, next(&vcpu));
		ASSERT_EQ(want[i % 3], next(&vcpu)) {
			TH_LOG("round %d", i / 3);
		}
	}
	tvcpu_destroy(&vcpu);
	tvm_destroy(&vm);
	close(efd);
}

TEST_F(ioeventfd, a_thousand_doorbells)
{
	double start = seconds(), assigned, rung;
	uint32_t i, n;

	/* In an order that is neither up nor down. */
	for (i = 0; i < 1000; i++) {
		n = i * 617 % 1000;
		ASSERT_EQ(0, set(&self->vm, self->efd, MMIO + n * 4, 4, MATCH, 7));
		ASSERT_EQ(0, set(&self->vm, self->efd, MMIO + n * 4, 4, MATCH, 8));
	}
	assigned = seconds();
	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_LONG, doorbells, doorbells_end));
	ASSERT_EQ(1, next(&self->vcpu));
	EXPECT_EQ(1000, told(self->efd));
	rung = seconds();
	for (i = 0; i < 1000; i += 10)
		ASSERT_EQ(0, set(&self->vm, self->efd, MMIO + i * 4, 4, MATCH | DEASSIGN, 8));
	TH_LOG("2,000 assigned in %.2f s, 1,000 rung in %.2f s, 100 taken away in %.2f s",
	       assigned - start, rung - assigned, seconds() - rung);
	ASSERT_EQ(1, next(&self->vcpu));
	EXPECT_EQ(1000, told(self->efd));
}

struct changer {
	struct tvm *vm;
	int efd;
	bool stop;
	unsigned long n;
};

/* One doorbell comes and goes, its neighbours too. */
static void *change(void *arg)
{
	struct changer *c = arg;

	while (!__atomic_load_n(&c->stop, __ATOMIC_RELAXED)) {
		if (set(c->vm, c->efd, MMIO + 400, 4, 0, 0) ||
		    set(c->vm, c->efd, MMIO + 404, 4, MATCH, 7) ||
		    set(c->vm, c->efd, MMIO + 400, 4, DEASSIGN, 0) ||
		    set(c->vm, c->efd, MMIO + 404, 4, DEASSIGN | MATCH, 7))
			break;
		c->n++;
	}
	return NULL;
}

TEST_F(ioeventfd, changed_under_a_guest_that_writes)
{
	struct changer c = { .vm = &self->vm, .efd = self->efd };
	int i, signalled = 0, left = 0, rounds = 0;
	struct kvm_run *run = self->vcpu.run;
	pthread_t thread;

	for (i = 0; i < 1000; i++)
		if (i != 100 && i != 101)
			ASSERT_EQ(0, set(&self->vm, self->efd, MMIO + i * 4, 4, 0, 0));
	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_LONG, doorbells, doorbells_end));
	ASSERT_EQ(0, pthread_create(&thread, NULL, change, &c));
	while (rounds < ROUNDS) {
		ASSERT_EQ(0, tvcpu_run(&self->vcpu));
		if (run->exit_reason == KVM_EXIT_MMIO) {
			ASSERT_EQ(4, run->mmio.len);
			left++;
			continue;
		}
		ASSERT_EQ(KVM_EXIT_IO, run->exit_reason);
		rounds++;
	}
	__atomic_store_n(&c.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	signalled = told(self->efd);
	/* Each write did one thing or the other. */
	EXPECT_EQ(1000 * ROUNDS, signalled + left);
	EXPECT_LT(0, c.n);
}

MVM_HARNESS_MAIN
