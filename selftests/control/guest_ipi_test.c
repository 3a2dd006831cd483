// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest that sends every IPI: all delivery modes, vectors, shorthands, levels and
 * destinations, in xAPIC and x2APIC mode. After each the other vCPUs' APICs, MP states
 * and NMIs are what the manuals make of it, bit for bit, and a neighbour's VM has not
 * noticed. Then noise, to vCPUs that run, beside a neighbour that has to get on.
 */
#include <pthread.h>
#include <signal.h>

#include "mvm_harness.h"
#include "mvm_random.h"
#include "mvm_smp.h"
#include "mvm_watch.h"

#define VCPUS	 3
#define SENT	 1	/* what the sender reports: it was taken */
#define REFUSED	 2	/* #GP */
#define GP	 13
#define NMI	 2
#define HANDLERS 64
#define MSR_ICR	 0x830
#define KICK	 SIGUSR1

GUEST_CODE(send_page, 64,
	   "mov %ebx, 16(%rdi); mov %eax, (%rdi); mov $1, %eax; out %eax, $0xf1;"
	   ".org send_page + 64; mov $2, %eax; out %eax, $0xf1; .org send_page + 80; iretq");
GUEST_CODE(send_msr, 64,
	   "wrmsr; mov $1, %eax; out %eax, $0xf1;"
	   ".org send_msr + 64; mov $2, %eax; out %eax, $0xf1; .org send_msr + 80; iretq");

/* What a vCPU shows of what it was sent. */
struct seen {
	struct kvm_lapic_state lapic;
	struct kvm_mp_state mp;
	struct kvm_vcpu_events events;
};

FIXTURE(ipis) {
	struct host_watch watch;
	struct tvm vm, neighbour;
	struct tvcpu vcpu[VCPUS], bystander;
	struct seen before[VCPUS], bystander_before;
	struct kvm_sregs sender;
	unsigned long sent, refused;
};

FIXTURE_VARIANT(ipis) {
	bool x2apic;
};

FIXTURE_VARIANT_ADD(ipis, xapic) {
	.x2apic = false,
};

FIXTURE_VARIANT_ADD(ipis, x2apic) {
	.x2apic = true,
};

static int look(struct tvcpu *vcpu, struct seen *seen)
{
	int ret = tvm_ioctl(vcpu->fd, KVM_GET_LAPIC, &seen->lapic);

	if (!ret)
		ret = tvm_ioctl(vcpu->fd, KVM_GET_MP_STATE, &seen->mp);
	return ret ? ret : tvm_ioctl(vcpu->fd, KVM_GET_VCPU_EVENTS, &seen->events);
}

static int put_back(struct tvcpu *vcpu, const struct seen *seen)
{
	int ret = tvm_ioctl(vcpu->fd, KVM_SET_MP_STATE, (void *)&seen->mp);

	if (!ret)
		ret = tvm_ioctl(vcpu->fd, KVM_SET_LAPIC, (void *)&seen->lapic);
	return ret ? ret : tvm_ioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, (void *)&seen->events);
}

static uint32_t *apic_reg(struct kvm_lapic_state *lapic, unsigned int reg)
{
	return (uint32_t *)(lapic->regs + reg * 16);
}

/* The APIC on, in its mode, with a logical id of its own; 64-bit code with handlers. */
static int prepare(struct tvcpu *vcpu, unsigned int id, bool x2apic, struct seen *seen)
{
	struct kvm_mp_state runnable = { KVM_MP_STATE_RUNNABLE };
	struct kvm_sregs sregs;
	int ret;

	ret = tvcpu_start(vcpu, TVM_LONG, x2apic ? send_msr : send_page,
			  x2apic ? send_msr_end : send_page_end);
	tvcpu_set_gate(vcpu, TVM_LONG, GP, TVM_CODE + HANDLERS);
	tvcpu_set_gate(vcpu, TVM_LONG, NMI, TVM_CODE + HANDLERS + 16);
	if (!ret)
		ret = tvm_ioctl(vcpu->fd, KVM_GET_SREGS, &sregs);
	sregs.apic_base |= x2apic ? 0xc00 : 0x800;
	if (!ret)
		ret = tvm_ioctl(vcpu->fd, KVM_SET_SREGS, &sregs);
	if (!ret)
		ret = tvm_ioctl(vcpu->fd, KVM_GET_LAPIC, &seen->lapic);
	*apic_reg(&seen->lapic, APIC_SVR) = 0x1ff;
	if (!x2apic)
		*apic_reg(&seen->lapic, APIC_LDR) = 1u << (24 + id);
	if (!ret)
		ret = tvm_ioctl(vcpu->fd, KVM_SET_LAPIC, &seen->lapic);
	if (!ret)
		ret = tvm_ioctl(vcpu->fd, KVM_SET_MP_STATE, &runnable);
	return ret ? ret : look(vcpu, seen);
}

FIXTURE_SETUP(ipis)
{
	unsigned int i;

	watch_begin(&self->watch);
	TVM_CREATE_OR_SKIP(&self->vm, TVM_MEM_SIZE);
	ASSERT_EQ(0, tvm_create_irqchip(&self->vm, false));
	for (i = 0; i < VCPUS; i++) {
		ASSERT_EQ(0, tvcpu_create(&self->vm, &self->vcpu[i], i));
		ASSERT_EQ(0, prepare(&self->vcpu[i], i, variant->x2apic, &self->before[i]));
	}
	ASSERT_EQ(0, tvm_ioctl(self->vcpu[0].fd, KVM_GET_SREGS, &self->sender));
	ASSERT_EQ(0, tvm_create(&self->neighbour, TVM_MEM_SIZE));
	ASSERT_EQ(0, tvm_create_irqchip(&self->neighbour, false));
	ASSERT_EQ(0, tvcpu_create(&self->neighbour, &self->bystander, 1));
	ASSERT_EQ(0, prepare(&self->bystander, 1, variant->x2apic, &self->bystander_before));
	self->sent = 0;
	self->refused = 0;
}

FIXTURE_TEARDOWN(ipis)
{
	unsigned int i;

	for (i = 0; i < VCPUS; i++)
		tvcpu_destroy(&self->vcpu[i]);
	tvm_destroy(&self->vm);
	tvcpu_destroy(&self->bystander);
	tvm_destroy(&self->neighbour);
	EXPECT_TRUE(watch_end(&self->watch));
}

/* -------------------------------------------------------- what should happen */

struct ipi {
	uint32_t icr, dest;
	bool x2apic;
};

static unsigned int mode_of(const struct ipi *ipi)
{
	return ipi->icr & 0x700;
}

static uint8_t vector_of(const struct ipi *ipi)
{
	return ipi->icr;
}

/* The vCPUs that the destination names, as bits. */
static unsigned int targets(const struct ipi *ipi)
{
	const uint32_t all = (1u << VCPUS) - 1;

	switch (ipi->icr & ICR_OTHERS) {
	case ICR_SELF:
		return 1;
	case ICR_ALL:
		return all;
	case ICR_OTHERS:
		return all & ~1u;
	}
	if (ipi->dest == (ipi->x2apic ? 0xffffffff : 0xff))
		return all;
	if (!(ipi->icr & ICR_LOGICAL))
		return ipi->dest < VCPUS ? 1u << ipi->dest : 0;
	/* Flat: a bit each. Clusters: the upper half names the first one. */
	return ipi->x2apic && ipi->dest >> 16 ? 0 : ipi->dest & all;
}

/*
 * Combinations that the manuals leave open: a level that is taken back, and the sender
 * alone as the target of what only others are sent.
 */
static bool is_open(const struct ipi *ipi)
{
	if ((ipi->icr & ICR_LEVEL) && !(ipi->icr & ICR_ASSERT))
		return true;
	return (ipi->icr & ICR_OTHERS) == ICR_SELF && mode_of(ipi) != ICR_FIXED;
}

/* Which vCPUs were interrupted by @vector, as bits; any other interrupt is bit 31. */
static unsigned int interrupted(struct seen *after, struct seen *before, uint8_t vector)
{
	unsigned int i, word, got = 0;
	uint32_t more;

	for (i = 0; i < VCPUS; i++) {
		for (word = 0; word < 8; word++) {
			more = *apic_reg(&after[i].lapic, APIC_IRR + word) ^
			       *apic_reg(&before[i].lapic, APIC_IRR + word);
			if (!more)
				continue;
			if (word == vector / 32 && more == 1u << vector % 32)
				got |= 1u << i;
			else
				got |= 1u << 31;
		}
	}
	return got;
}

static bool interrupts_are_right(const struct ipi *ipi, unsigned int got)
{
	unsigned int mode = mode_of(ipi), want = targets(ipi);

	if ((mode != ICR_FIXED && mode != ICR_LOWEST) || vector_of(ipi) < 16)
		return !got;
	if (is_open(ipi))
		return !(got & ~want);
	if (mode == ICR_FIXED)
		return got == want;
	/* One of them, whichever. */
	return want ? got && !(got & ~want) && !(got & (got - 1)) : !got;
}

/* NMI and INIT show at the others; the sender takes its own at once. */
static bool signals_are_right(const struct ipi *ipi, const struct seen *after)
{
	unsigned int i, hit, want = targets(ipi);
	bool nmi, init;

	for (i = 1; i < VCPUS; i++) {
		hit = want >> i & 1;
		nmi = after[i].events.nmi.pending;
		init = after[i].mp.mp_state != KVM_MP_STATE_RUNNABLE;
		if (nmi && !(hit && mode_of(ipi) == ICR_NMI))
			return false;
		if (init && !(hit && mode_of(ipi) == ICR_INIT))
			return false;
		if (hit && !is_open(ipi) && mode_of(ipi) == ICR_NMI && !nmi)
			return false;
		if (hit && !is_open(ipi) && mode_of(ipi) == ICR_INIT && !init)
			return false;
	}
	return true;
}

/* ------------------------------------------------------------------- sending */

/* The sender in its place again, whatever it has sent itself. */
static int load_sender(struct tvcpu *vcpu, const struct kvm_sregs *sregs, const struct ipi *ipi)
{
	struct kvm_regs regs = {
		.rip = TVM_CODE, .rsp = TVM_STACK - 0x100, .rflags = 2, .rax = ipi->icr,
		.rbx = ipi->dest << 24, .rcx = MSR_ICR, .rdx = ipi->dest,
		.rdi = APIC_PAGE + APIC_ICR * 16,
	};
	int ret = tvm_ioctl(vcpu->fd, KVM_SET_SREGS, (void *)sregs);

	return ret ? ret : tvm_ioctl(vcpu->fd, KVM_SET_REGS, &regs);
}

static bool hits_itself(const struct ipi *ipi)
{
	return mode_of(ipi) == ICR_INIT && (targets(ipi) & 1);
}

/* SENT, REFUSED, or an error. A sender that resets itself finds nothing to execute. */
static int send(struct tvcpu *vcpu, const struct ipi *ipi)
{
	uint32_t value = 0;
	int ret = tvcpu_run(vcpu);

	if (ret)
		return ret;
	if (hits_itself(ipi) && vcpu->run->exit_reason == KVM_EXIT_INTERNAL_ERROR)
		return SENT;
	if (vcpu->run->exit_reason != KVM_EXIT_IO || vcpu->run->io.port != TVM_PORT) {
		tvcpu_show(vcpu);
		return -EPROTO;
	}
	memcpy(&value, (uint8_t *)vcpu->run + vcpu->run->io.data_offset, sizeof(value));
	/* The OUT is done before the registers are set anew. */
	vcpu->run->immediate_exit = 1;
	tvm_ioctl(vcpu->fd, KVM_RUN, NULL);
	vcpu->run->immediate_exit = 0;
	return value;
}

static bool try_ipi(struct tvcpu *vcpus, struct seen *before, const struct kvm_sregs *sregs,
		    const struct ipi *ipi, int *result)
{
	struct seen after[VCPUS];
	unsigned int i, got;
	bool right;

	*result = load_sender(&vcpus[0], sregs, ipi);
	if (!*result)
		*result = send(&vcpus[0], ipi);
	if (*result != SENT && *result != REFUSED)
		return false;
	for (i = 0; i < VCPUS; i++)
		if (look(&vcpus[i], &after[i]))
			return false;
	got = hits_itself(ipi) ? 0 : interrupted(after, before, vector_of(ipi));
	if (*result == REFUSED)
		right = !got;
	else
		right = interrupts_are_right(ipi, got) && signals_are_right(ipi, after);
	if (!right)
		printf("# interrupted: %x; MP states %u %u, NMIs %u %u\n", got,
		       after[1].mp.mp_state, after[2].mp.mp_state, after[1].events.nmi.pending,
		       after[2].events.nmi.pending);
	for (i = 0; i < VCPUS; i++)
		if (memcmp(&after[i], &before[i], sizeof(after[i])) &&
		    put_back(&vcpus[i], &before[i]))
			return false;
	return right;
}

/* The n-th of all combinations; false behind the last one. */
static bool combination(unsigned long n, bool x2apic, bool full, struct ipi *ipi)
{
	static const uint8_t vectors[] = { 0, 1, 15, 16, 31, 32, 0x83, 0xff };
	static const uint32_t dests[] = { 0, 1, 2, 3, 6, 0x80, 0xff, 0xffff, 0x10001, 0x80000000,
					  0xffffffff };
	static const uint32_t shorthands[] = { 0, ICR_SELF, ICR_ALL, ICR_OTHERS };
	unsigned int nr_vectors = full ? 256 : sizeof(vectors);
	unsigned int nr_dests = x2apic ? 11 : 7;
	unsigned int v;

	*ipi = (struct ipi){ .x2apic = x2apic };
	v = n % nr_vectors;
	n /= nr_vectors;
	ipi->icr = full ? v : vectors[v];
	ipi->icr |= (n % 8) << 8;
	n /= 8;
	ipi->icr |= n & 1 ? ICR_LOGICAL : 0;
	ipi->icr |= n & 2 ? ICR_ASSERT : 0;
	ipi->icr |= n & 4 ? ICR_LEVEL : 0;
	n /= 8;
	/* Shorthands last: with them one destination is as good as another. */
	ipi->dest = dests[n < nr_dests ? n : 1];
	ipi->icr |= shorthands[n < nr_dests ? 0 : n - nr_dests + 1];
	return n < nr_dests + 3;
}

TEST_F_TIMEOUT(ipis, every_one_does_what_it_should_and_no_more, 1800)
{
	unsigned long n, step = long_run() ? 1 : on_bed("intel") ? 13 : 1;
	uint64_t seed = rng_seed("IPIs");
	struct seen after;
	struct ipi ipi;
	int result;

	for (n = seed % step; combination(n, variant->x2apic, long_run(), &ipi); n += step) {
		ASSERT_TRUE(try_ipi(self->vcpu, self->before, &self->sender, &ipi, &result)) {
			TH_LOG("ICR %x to %x: %d", ipi.icr, ipi.dest, result);
		}
		self->sent += result == SENT;
		self->refused += result == REFUSED;
	}
	printf("# %lu sent, %lu refused\n", self->sent, self->refused);
	EXPECT_LT(100, self->sent);
	ASSERT_EQ(0, look(&self->bystander, &after));
	EXPECT_EQ(0, memcmp(&after, &self->bystander_before, sizeof(after)));
}

/* Bits that no ICR has: ignored, or #GP, and nobody hears of it where it is #GP. */
TEST_F_TIMEOUT(ipis, reserved_bits_reach_nobody_wrong, 250)
{
	static const uint32_t reserved[] = { 1 << 12, 1 << 13, 1 << 16, 1 << 17, 1 << 20,
					     1u << 31 };
	struct ipi ipi = { .x2apic = variant->x2apic, .dest = 1 };
	unsigned int i;
	int result;

	for (i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		ipi.icr = 0x71 | ICR_ASSERT | reserved[i];
		EXPECT_TRUE(try_ipi(self->vcpu, self->before, &self->sender, &ipi, &result)) {
			TH_LOG("ICR %x: %d", ipi.icr, result);
		}
	}
}

/* --------------------------------------------------------------------- noise */

GUEST_CODE(noise_page, 64,
	   "1: imul $1664525, %r8d, %r8d; add $1013904223, %r8d; mov %r8d, %eax; shr $8, %eax;"
	   "mov %r8d, 16(%rdi); mov %eax, (%rdi); dec %r9d; jnz 1b; out %eax, $0xf1; jmp 1b");
GUEST_CODE(noise_msr, 64,
	   "1: imul $1664525, %r8d, %r8d; add $1013904223, %r8d; mov %r8d, %eax; shr $8, %eax;"
	   "and $0xccfff, %eax; mov %r8d, %edx; shr $30, %edx; wrmsr; dec %r9d; jnz 1b;"
	   "out %eax, $0xf1; jmp 1b");
GUEST_CODE(spin, 64, "sti; 1: pause; jmp 1b");
GUEST_CODE(count, 64, "1: incl 0x30000; mov $500, %ecx; 2: loop 2b; out %eax, $0xf1; jmp 1b");

struct victim {
	struct tvcpu *vcpu;
	const struct kvm_sregs *sregs;
	const struct seen *before;
	struct kvm_regs regs;
	volatile bool stop;
	unsigned long exits, revived;
};

static void on_kick(int sig)
{
}

/* Runs whatever the sender makes of it, and starts anew what has ended. */
static void *suffer(void *arg)
{
	struct victim *v = arg;
	int ret;

	while (!v->stop) {
		ret = tvm_ioctl(v->vcpu->fd, KVM_RUN, NULL);
		v->exits++;
		if (ret == -EINTR || ret == -EAGAIN ||
		    (!ret && v->vcpu->run->exit_reason == KVM_EXIT_IO))
			continue;
		v->revived++;
		tvm_ioctl(v->vcpu->fd, KVM_SET_SREGS, (void *)v->sregs);
		tvm_ioctl(v->vcpu->fd, KVM_SET_REGS, &v->regs);
		put_back(v->vcpu, v->before);
	}
	return NULL;
}

TEST_F_TIMEOUT(ipis, noise_to_those_that_run, 250)
{
	const uint32_t codes[VCPUS] = { 0x40000, 0x41000, 0x41000 };
	unsigned int i, ms = long_run() ? 20000 : on_bed("intel") ? 500 : 1500;
	const volatile uint32_t *counter = (uint32_t *)(self->neighbour.mem + 0x30000);
	struct sigaction action = { .sa_handler = on_kick };
	struct victim victims[VCPUS + 1];
	pthread_t threads[VCPUS + 1];
	uint64_t seed = rng_seed("noise");
	struct seen after;

	sigaction(KICK, &action, NULL);
	memcpy(self->vm.mem + 0x40000, variant->x2apic ? noise_msr : noise_page,
	       variant->x2apic ? noise_msr_end - noise_msr : noise_page_end - noise_page);
	memcpy(self->vm.mem + 0x41000, spin, spin_end - spin);
	memcpy(self->neighbour.mem + TVM_CODE, count, count_end - count);
	for (i = 0; i <= VCPUS; i++) {
		victims[i] = (struct victim){
			.vcpu = i < VCPUS ? &self->vcpu[i] : &self->bystander,
			.sregs = &self->sender, .before = &self->before[i % VCPUS],
			.regs = { .rip = i < VCPUS ? codes[i] : TVM_CODE, .rflags = 2,
				  .rsp = TVM_STACK - 0x100 * (i + 1), .r8 = seed + i,
				  .r9 = 1000, .rcx = MSR_ICR, .rdi = APIC_PAGE + APIC_ICR * 16 },
		};
		ASSERT_EQ(0, tvm_ioctl(victims[i].vcpu->fd, KVM_SET_REGS, &victims[i].regs));
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, suffer, &victims[i]));
	}
	usleep(ms * 1000);
	for (i = 0; i <= VCPUS; i++) {
		victims[i].stop = true;
		victims[i].vcpu->run->immediate_exit = 1;
		pthread_kill(threads[i], KICK);
		ASSERT_EQ(0, pthread_join(threads[i], NULL));
		victims[i].vcpu->run->immediate_exit = 0;
	}
	printf("# exits %lu %lu %lu, started anew %lu %lu %lu; the neighbour counted to %u\n",
	       victims[0].exits, victims[1].exits, victims[2].exits, victims[0].revived,
	       victims[1].revived, victims[2].revived, *counter);
	EXPECT_LT(10, victims[0].exits);
	EXPECT_LT(10, *counter);
	EXPECT_EQ(0, victims[VCPUS].revived);
	ASSERT_EQ(0, look(&self->bystander, &after));
	EXPECT_EQ(0, memcmp(&after.lapic, &self->bystander_before.lapic, sizeof(after.lapic)));
}

MVM_HARNESS_MAIN
