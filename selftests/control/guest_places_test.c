// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guests that keep their tables, stack and code where no memory is: device memory,
 * the local APIC, memory that the launcher has not mapped, readonly memory, nowhere.
 * Each ends with an exit that has a name, and at once.
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>

#include "mvm_harness.h"
#include "mvm_random.h"
#include "mvm_util.h"
#include "mvm_watch.h"

#define RAM		0x400000u
#define HOLE		0x10000000u	/* no slot: device memory */
#define APIC		0xfee00000u
#define UNMAPPED	0x20000000u	/* a slot without host memory behind it */
#define READONLY	0x21000000u	/* a slot that may not be written */
#define SIZE		0x10000u
#define TICK_US		20000

/* Everything that is reached by one of these is elsewhere by then. */
GUEST_CODE(reach, 64,
	   "push %rax; pop %rbx; int $0x40; mov %rax, %fs; lgdt (%rdi); ltr %cx; lldt %cx;"
	   "lea 1f(%rip), %rsi; movb $0xf4, (%rdi); rep movsb; fxsave (%rdi); fxrstor (%rdi);"
	   "lock cmpxchg %rbx, (%rdi); 1: hlt");
GUEST_CODE(reach32, 32,
	   "push %eax; pop %ebx; int $0x40; mov %eax, %fs; lgdt (%edi); ltr %cx; lldt %cx;"
	   "movb $0xf4, (%edi); rep movsb; fxsave (%edi); fxrstor (%edi);"
	   "lock cmpxchg %ebx, (%edi); hlt");

enum what { CR3, GDT, IDT, TSS, STACK, CODE, DATA, NR_WHATS };

static const char *const names[NR_WHATS] = { "page tables", "GDT", "IDT", "TSS", "stack", "code",
					     "data" };
static const uint64_t places[] = { HOLE, APIC, UNMAPPED, READONLY, RAM - 8, 0xfffff000,
				   1ull << 45, 0xffffff000ull };

FIXTURE(places) {
	struct host_watch watch;
	struct tvm vm;
	struct tvcpu vcpu;
	void *unmapped, *readonly;
};

FIXTURE_VARIANT(places) {
	bool irqchip;
};

FIXTURE_VARIANT_ADD(places, without_irqchip) {
	.irqchip = false,
};

FIXTURE_VARIANT_ADD(places, with_irqchip) {
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

static void *memory(int prot)
{
	return mmap(NULL, SIZE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

FIXTURE_SETUP(places)
{
	watch_begin(&self->watch);
	TVM_CREATE_OR_SKIP(&self->vm, TVM_MEM_SIZE);
	if (variant->irqchip)
		ASSERT_EQ(0, tvm_create_irqchip(&self->vm, false));
	self->unmapped = memory(PROT_NONE);
	self->readonly = memory(PROT_READ | PROT_WRITE);
	ASSERT_NE(MAP_FAILED, self->unmapped);
	ASSERT_NE(MAP_FAILED, self->readonly);
	ASSERT_EQ(0, tvm_set_slot(&self->vm, 1, 0, UNMAPPED, SIZE, self->unmapped));
	ASSERT_EQ(0, tvm_set_slot(&self->vm, 2, KVM_MEM_READONLY, READONLY, SIZE, self->readonly));
	ASSERT_EQ(0, tvcpu_create(&self->vm, &self->vcpu, 0));
	set_tick(TICK_US);
}

FIXTURE_TEARDOWN(places)
{
	set_tick(0);
	tvcpu_destroy(&self->vcpu);
	tvm_destroy(&self->vm);
	munmap(self->unmapped, SIZE);
	munmap(self->readonly, SIZE);
	EXPECT_TRUE(watch_end(&self->watch));
}

/* The readonly slot holds good tables, which have accessed and busy bits to be set. */
static void fill_readonly(struct tvm *vm, void *readonly, enum what what)
{
	static const uint32_t from[NR_WHATS] = { [CR3] = TVM_PML4, [GDT] = TVM_GDT,
						 [IDT] = TVM_IDT, [TSS] = TVM_TSS,
						 [CODE] = TVM_CODE };

	memcpy(readonly, vm->mem + from[what], 0x1000);
}

static void put(enum what what, uint64_t where, struct kvm_sregs *s, struct kvm_regs *r)
{
	switch (what) {
	case CR3:
		s->cr3 = where & ~0xfffull;
		break;
	case GDT:
		s->gdt.base = where;
		break;
	case IDT:
		s->idt.base = where;
		break;
	case TSS:
		s->tr.base = where;
		break;
	case STACK:
		r->rsp = where;
		break;
	case CODE:
		r->rip = where;
		break;
	default:
		r->rdi = where;
		r->rcx = TVM_TR;
		break;
	}
}

/* Those that only the clock ended: faults on the way to handlers may go round for ever. */
static unsigned int by_the_clock;

/* 0, or what is not an end that such a guest may have. */
static int run_to_its_end(struct tvcpu *vcpu)
{
	int i, ret, ticks = 0;

	/* Device memory is answered with zeros, a while. */
	for (i = 0; i < 200; i++) {
		ret = tvm_ioctl(vcpu->fd, KVM_RUN, NULL);
		/* One tick is nothing on a busy machine. */
		if (ret == -EINTR && ++ticks < 5)
			continue;
		by_the_clock += ret == -EINTR;
		if (ret == -EINTR || ret == -EFAULT)
			return 0;
		if (ret)
			return ret;
		switch (vcpu->run->exit_reason) {
		case KVM_EXIT_MMIO:
			memset(vcpu->run->mmio.data, 0, 8);
			continue;
		case KVM_EXIT_HLT:
		case KVM_EXIT_SHUTDOWN:
		case KVM_EXIT_FAIL_ENTRY:
			return 0;
		case KVM_EXIT_INTERNAL_ERROR:
			return vcpu->run->internal.suberror ==
					       KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON ?
				       -EPROTO :
				       0;
		default:
			return -EPROTO;
		}
	}
	return 0;
}

static int try_place(struct tvm *vm, struct tvcpu *vcpu, enum tvm_mode mode, enum what what,
		     uint64_t where, void *readonly)
{
	const bool wide = mode == TVM_LONG;
	struct kvm_vcpu_events events = { 0 };
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	int ret;

	/* What the last one left half done, and half delivered, is void. */
	vcpu->run->immediate_exit = 1;
	tvm_ioctl(vcpu->fd, KVM_RUN, NULL);
	vcpu->run->immediate_exit = 0;
	tvm_ioctl(vcpu->fd, KVM_SET_VCPU_EVENTS, &events);
	memset(vm->mem, 0, TVM_CODE);
	ret = tvcpu_start(vcpu, mode, wide ? reach : reach32, wide ? reach_end : reach32_end);
	tvcpu_set_gate(vcpu, mode, 0x40, TVM_CODE + 3);
	if (!ret)
		ret = tvm_ioctl(vcpu->fd, KVM_GET_SREGS, &sregs);
	if (!ret)
		ret = tvm_ioctl(vcpu->fd, KVM_GET_REGS, &regs);
	if (ret)
		return ret;
	regs.rdi = 0x30000;
	regs.rax = TVM_DS;
	fill_readonly(vm, readonly, what);
	put(what, where, &sregs, &regs);
	/* An address that is none is refused, and then there is nothing to run. */
	ret = tvm_ioctl(vcpu->fd, KVM_SET_SREGS, &sregs);
	if (ret)
		return ret == -EINVAL ? 0 : ret;
	ret = tvm_ioctl(vcpu->fd, KVM_SET_REGS, &regs);
	return ret ? ret : run_to_its_end(vcpu);
}

TEST_F_TIMEOUT(places, what_is_needed_is_where_no_memory_is, 250)
{
	static const enum tvm_mode modes[] = { TVM_LONG, TVM_PROTECTED, TVM_PAGED32, TVM_PAE };
	struct kvm_mp_state runnable = { KVM_MP_STATE_RUNNABLE };
	unsigned int m, what, p;

	by_the_clock = 0;
	for (m = 0; m < 4; m++) {
		for (what = 0; what < NR_WHATS; what++) {
			for (p = 0; p < sizeof(places) / sizeof(places[0]); p++) {
				tvm_ioctl(self->vcpu.fd, KVM_SET_MP_STATE, &runnable);
				EXPECT_EQ(0, try_place(&self->vm, &self->vcpu, modes[m], what,
						       places[p], self->readonly)) {
					TH_LOG("mode %d, %s at %llx", modes[m], names[what],
					       (unsigned long long)places[p]);
					tvcpu_show(&self->vcpu);
				}
			}
		}
	}
	printf("# %u of %u were ended by the clock\n", by_the_clock, m * what * p);
	EXPECT_GT(m * what * p / 8, by_the_clock);
}

/* The processor gives up, the launcher starts it anew, a thousand times over. */
TEST_F_TIMEOUT(places, triple_faults_without_end, 250)
{
	GUEST_CODE(fault, 64, "lidt 1f(%rip); int3; 1: .quad 0, 0");
	unsigned int i, times = on_bed("intel") && !long_run() ? 200 : 1000;
	struct kvm_regs regs;
	struct kvm_sregs sregs;

	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_LONG, fault, fault_end));
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_GET_SREGS, &sregs));
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_GET_REGS, &regs));
	for (i = 0; i < times; i++) {
		ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_SET_SREGS, &sregs));
		ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_SET_REGS, &regs));
		ASSERT_EQ(0, tvcpu_run_to(&self->vcpu, KVM_EXIT_SHUTDOWN));
	}
}

MVM_HARNESS_MAIN
