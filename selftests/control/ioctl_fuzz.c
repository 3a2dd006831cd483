// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random calls of every ioctl; see ioctl_fuzz.h. An argument is a bad pointer, noise, a
 * few set fields in zeros, or what the matching GET returned with some of it changed.
 */
#include <sys/eventfd.h>
#include <sys/mman.h>

#include "ioctl_fuzz.h"

#define PAGE		0x1000
#define RAM_SIZE	0x200000
#define LIST_SIZE	512	/* room for what has no size of its own, or more than it says */
#define CR0_PG		0x80000000u
#define EFER_LME	0x100u

static const struct call {
	const char *name;
	unsigned long request;
	enum fuzz_file file;
} calls[] = {
#include "ioctls.h"
};

#define NR_CALLS (sizeof(calls) / sizeof(calls[0]))

static unsigned long successes[NR_CALLS];

size_t fuzz_nr_calls(void)
{
	return NR_CALLS;
}

const char *fuzz_name(size_t i)
{
	return calls[i].name;
}

unsigned long fuzz_successes(size_t i)
{
	return successes[i];
}

/* ------------------------------------------------------------------- target */

int fuzz_target_create(struct fuzz_target *target, struct rng *rng)
{
	int i, ret;

	*target = (struct fuzz_target){ .vm = { .sys = -1, .fd = -1 }, .event = -1 };
	for (i = 0; i < FUZZ_VCPUS; i++)
		target->vcpu[i].fd = -1;
	ret = tvm_create(&target->vm, RAM_SIZE);
	if (ret)
		return ret;
	memset(target->vm.mem, 0xf4, RAM_SIZE);
	target->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (rng_below(rng, 3))
		tvm_create_irqchip(&target->vm, rng_one_in(rng, 2));
	for (i = 0; i < FUZZ_VCPUS && !rng_one_in(rng, 8); i++) {
		ret = tvcpu_create(&target->vm, &target->vcpu[i], i);
		if (ret == -EINVAL && i)
			break;
		if (ret)
			return ret;
		if (rng_one_in(rng, 2))
			tvcpu_set_mode(&target->vcpu[i], rng_below(rng, TVM_NR_MODES));
	}
	return 0;
}

void fuzz_target_destroy(struct fuzz_target *target)
{
	int i;

	for (i = 0; i < FUZZ_VCPUS; i++)
		tvcpu_destroy(&target->vcpu[i]);
	tvm_destroy(&target->vm);
	if (target->event >= 0)
		close(target->event);
	target->event = -1;
}

int fuzz_caller_init(struct fuzz_caller *caller, struct fuzz_target *target, struct rng rng)
{
	uint8_t *arena = mmap(NULL, FUZZ_ARENA_SIZE + 2 * PAGE, PROT_NONE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	*caller = (struct fuzz_caller){ .target = target, .rng = rng };
	if (arena == MAP_FAILED)
		return -ENOMEM;
	caller->arena = arena + PAGE;
	return mprotect(caller->arena, FUZZ_ARENA_SIZE, PROT_READ | PROT_WRITE) ? -ENOMEM : 0;
}

void fuzz_caller_free(struct fuzz_caller *caller)
{
	if (caller->arena)
		munmap(caller->arena - PAGE, FUZZ_ARENA_SIZE + 2 * PAGE);
	caller->arena = NULL;
}

/* ---------------------------------------------------------------- arguments */

static struct tvcpu *some_vcpu(struct fuzz_caller *caller)
{
	return &caller->target->vcpu[rng_below(&caller->rng, FUZZ_VCPUS)];
}

static int file_of(struct fuzz_caller *caller, enum fuzz_file file)
{
	switch (file) {
	case FILE_SYSTEM:
		return caller->target->vm.sys;
	case FILE_VM:
		return caller->target->vm.fd;
	default:
		return some_vcpu(caller)->fd;
	}
}

static size_t size_of(const struct call *call)
{
	size_t size = _IOC_SIZE(call->request);

	return size > LIST_SIZE ? size : LIST_SIZE;
}

/* Numbers that mean something here: files, addresses, sizes, GSIs, ports. */
static uint64_t meaningful(struct fuzz_caller *caller)
{
	struct fuzz_target *t = caller->target;
	const uint64_t values[] = {
		t->event, t->vm.fd, t->vm.sys, t->vcpu[0].fd, 0, 1, 2, 3, 23, 24, 64,
		(uintptr_t)t->vm.mem, (uintptr_t)caller->arena, (uintptr_t)t->vcpu[0].run,
		PAGE, RAM_SIZE, RAM_SIZE * 2, 0xfee00000, 0xfec00000, 0x1000000, 0x20, 0x60, 0xf1,
	};

	return values[rng_below(&caller->rng, sizeof(values) / sizeof(values[0]))];
}

static void set_fields(struct fuzz_caller *caller, uint8_t *buf, size_t size)
{
	unsigned int n = 1 + rng_below(&caller->rng, 4);
	uint64_t value;
	size_t at, width;

	while (n--) {
		width = rng_one_in(&caller->rng, 2) ? 4 : 8;
		if (size < width)
			return;
		at = rng_below(&caller->rng, size / width) * width;
		value = rng_one_in(&caller->rng, 2) ? meaningful(caller) :
						      rng_edge(&caller->rng);
		memcpy(buf + at, &value, width);
	}
}

/* Slots are of this VM's memory: a guest must not write over the test itself. */
static void make_region(struct fuzz_caller *caller, void *buf)
{
	struct kvm_userspace_memory_region *r = buf;
	struct rng *rng = &caller->rng;

	r->slot = rng_below(rng, 4);
	r->flags = rng_one_in(rng, 4) ? rng_edge(rng) : rng_below(rng, 4);
	r->guest_phys_addr = rng_one_in(rng, 4) ? rng_edge(rng) : rng_below(rng, 16) * 0x100000ul;
	r->memory_size = rng_one_in(rng, 4) ? rng_edge(rng) & ~0xffful :
					      rng_below(rng, 5) * (RAM_SIZE / 4);
	r->userspace_addr = (uintptr_t)caller->target->vm.mem +
			    (rng_one_in(rng, 8) ? rng_edge(rng) << 40 : 0);
}

/* The call that reads what this one writes, NULL = there is none. */
static const struct call *counterpart(const struct call *call)
{
	const char *set = strstr(call->name, "_SET_");
	char name[64];
	size_t i;

	if (!set)
		return NULL;
	snprintf(name, sizeof(name), "%s", call->name);
	memcpy(name + (set - call->name), "_GET_", 5);
	for (i = 0; i < NR_CALLS; i++)
		if (calls[i].file == call->file && !strcmp(calls[i].name, name))
			return &calls[i];
	return NULL;
}

static bool sets_segments(const struct call *call)
{
	return strstr(call->name, "SREGS");
}

/* A count first, then as many entries as it says, more or fewer. */
static void make_list(struct fuzz_caller *caller, uint8_t *buf)
{
	rng_fill(&caller->rng, buf, LIST_SIZE);
	*(uint64_t *)buf = rng_one_in(&caller->rng, 3) ? rng_edge(&caller->rng) :
							  rng_below(&caller->rng, 20);
}

static void make_content(struct fuzz_caller *caller, int fd, const struct call *call, uint8_t *buf)
{
	const struct call *get = counterpart(call);
	struct rng *rng = &caller->rng;
	size_t size = size_of(call);

	memset(buf, 0, size + 16);
	if (call->request == KVM_SET_USER_MEMORY_REGION) {
		make_region(caller, buf);
		return;
	}
	if (get && rng_below(rng, 4)) {
		*(uint32_t *)buf = rng_below(rng, 3);	/* a chip's number, a count */
		ioctl(fd, get->request, buf);
		/* What would end the emulator is not for two threads to race for. */
		if (!(caller->shared && sets_segments(call)) && rng_below(rng, 4))
			rng_mutate(rng, buf, size);
		return;
	}
	if (caller->shared && sets_segments(call))
		return;
	switch (rng_below(rng, 4)) {
	case 0:
		rng_fill(rng, buf, size);
		break;
	case 1:
		make_list(caller, buf);
		break;
	default:
		set_fields(caller, buf, size);
		break;
	}
}

/* Where @size bytes are, or seem to be. */
static uint8_t *make_place(struct fuzz_caller *caller, size_t size)
{
	/* Lists may be longer than they say; the end of the arena stops them. */
	if (rng_one_in(&caller->rng, 4))
		return caller->arena + FUZZ_ARENA_SIZE - (size + 16);
	return caller->arena + rng_below(&caller->rng, 64) * 8;
}

static uint64_t bad_pointer(struct fuzz_caller *caller)
{
	switch (rng_below(&caller->rng, 4)) {
	case 0:
		return (uintptr_t)caller->arena - 8;
	case 1:
		return (uintptr_t)caller->arena + FUZZ_ARENA_SIZE - rng_below(&caller->rng, 16);
	case 2:
		return rng_edge(&caller->rng) | 1ull << 63;
	default:
		return rng_below(&caller->rng, 4096);
	}
}

static uint64_t make_argument(struct fuzz_caller *caller, int fd, const struct call *call)
{
	uint8_t *place;

	/* Commands without a size take a number, all the others a pointer. */
	if (!_IOC_SIZE(call->request) && rng_below(&caller->rng, 4))
		return rng_one_in(&caller->rng, 2) ? rng_edge(&caller->rng) >> 32 :
						     rng_below(&caller->rng, 8);
	if (rng_one_in(&caller->rng, 12))
		return bad_pointer(caller);
	place = make_place(caller, size_of(call));
	make_content(caller, fd, call, place);
	return (uintptr_t)place;
}

/* ------------------------------------------------------------------ running */

/*
 * QEMU dies of guests with a TR or an EFER.LME that it does not expect (spare_qemu() in
 * random_state.c), Bochs of one that spins with interrupts off: there the call enters
 * no guest, or one that is mended.
 */
static void spare_the_emulator(struct fuzz_caller *caller, struct tvcpu *vcpu)
{
	struct kvm_sregs sregs;

	/* A stranger enters no guest, and the page may be its parent's. */
	if (!vcpu->run || caller->target->stranger)
		return;
	if (on_bed("intel") && !guest_time_is_bounded())
		vcpu->run->immediate_exit = 1;
	if (!on_bed("amd") || tvm_ioctl(vcpu->fd, KVM_GET_SREGS, &sregs))
		return;
	vcpu->run->kvm_dirty_regs &= ~(uint64_t)KVM_SYNC_X86_SREGS;
	if ((sregs.efer & EFER_LME) && !(sregs.cr0 & CR0_PG))
		sregs.efer &= ~(uint64_t)EFER_LME;
	sregs.tr.type = 9;
	sregs.tr.present = 1;
	sregs.tr.unusable = 0;
	if (tvm_ioctl(vcpu->fd, KVM_SET_SREGS, &sregs))
		vcpu->run->immediate_exit = 1;
}

/* The page that userspace shares: noise wherever the kernel may look. */
static void scribble_run_page(struct fuzz_caller *caller, struct tvcpu *vcpu)
{
	if (!vcpu->run || caller->target->stranger)
		return;
	if (rng_one_in(&caller->rng, 2)) {
		rng_mutate(&caller->rng, vcpu->run, vcpu->run_size);
		rng_mutate(&caller->rng, vcpu->run, 64);
		return;
	}
	vcpu->run->immediate_exit = 0;
	vcpu->run->cr8 &= 15;
}

/* -EIO has two meanings: a stranger, which has to get it, and a dead VM. */
static bool fair_answer(struct fuzz_caller *caller, enum fuzz_file file,
			unsigned long request, int ret)
{
	/* Only these are for whoever holds the file. */
	bool anybodys = request == MINIVMM_GET_REASON || request == MINIVMM_GET_STATS;

	if (caller->target->stranger && file != FILE_SYSTEM)
		return ret == -EIO || ret == -EBADF || (anybodys && (!ret || ret == -EFAULT));
	switch (ret) {
	case -EINVAL: case -EFAULT: case -ENOTTY: case -E2BIG: case -EEXIST: case -ENOENT:
	case -ENXIO: case -ENOMEM: case -EINTR: case -EBUSY: case -EMFILE: case -EBADF:
	case -ENODEV: case -EPERM: case -EAGAIN: case -EOPNOTSUPP:
		return true;
	}
	return ret >= 0;
}

static bool is_maker(const struct call *call)
{
	return strstr(call->name, "_CREATE_") || strstr(call->name, "_FD");
}

bool fuzz_call(struct fuzz_caller *caller)
{
	size_t nr = rng_below(&caller->rng, NR_CALLS);
	const struct call *call = &calls[nr];
	enum fuzz_file file = rng_one_in(&caller->rng, 16) ? rng_below(&caller->rng, NR_FILES) :
							     call->file;
	unsigned long request = call->request;
	struct tvcpu *vcpu = NULL;
	uint64_t arg;
	int fd, ret;

	fd = file_of(caller, file);
	arg = make_argument(caller, fd, call);
	if (rng_one_in(&caller->rng, 32))
		request ^= 1ul << rng_below(&caller->rng, 32);
	if (request == KVM_RUN) {
		vcpu = some_vcpu(caller);
		file = FILE_VCPU;
		fd = vcpu->fd;
		arg = rng_one_in(&caller->rng, 16) ? arg : 0;
		scribble_run_page(caller, vcpu);
		spare_the_emulator(caller, vcpu);
	}
	ret = tvm_ioctl(fd, request, (void *)arg);
	caller->calls++;
	if (ret >= 0) {
		caller->succeeded++;
		__atomic_fetch_add(&successes[nr], 1, __ATOMIC_RELAXED);
	}
	if (ret > 2 && is_maker(call) && ret != caller->target->event)
		close(ret);
	if (fair_answer(caller, file, request, ret))
		return true;
	snprintf(caller->wrong, sizeof(caller->wrong), "%s (0x%lx) on file %d with 0x%llx: %d",
		 call->name, request, file, (unsigned long long)arg, ret);
	return false;
}
