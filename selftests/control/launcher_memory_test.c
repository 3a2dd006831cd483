// SPDX-License-Identifier: GPL-2.0-only
/*
 * Launchers that run out of something: address space, files, memory of their control
 * group, and, where the kernel can inject faults, each single allocation. Each is
 * told so, or killed, and leaves nothing behind.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "mvm_harness.h"
#include "mvm_host.h"
#include "mvm_random.h"
#include "mvm_util.h"
#include "mvm_watch.h"

#define GROUPS	"/tmp/mvm-groups"
#define GROUP	GROUPS "/launcher"
#define RAM	(16u << 20)
#define MAX_NTH	4000

/* How a launcher ended. */
enum { LIVED, WAS_REFUSED, WENT_WRONG };

/* Touches all of its memory, a byte in four pages: emulated hosts are slow. */
GUEST_CODE(toucher, 64,
	   "mov $0x100000, %edi; 1: movb $1, (%rdi); add $0x4000, %edi; cmp $0x1000000, %edi;"
	   "jb 1b; out %eax, $0xf1; hlt");

FIXTURE(memory) {
	struct host_watch watch;
};

FIXTURE_SETUP(memory)
{
	struct tvm vm;

	watch_begin(&self->watch);
	TVM_CREATE_OR_SKIP(&vm, TVM_MEM_SIZE);
	tvm_destroy(&vm);
}

FIXTURE_TEARDOWN(memory)
{
	EXPECT_TRUE(watch_end(&self->watch));
}

/* What a launcher may be told when there is not enough. */
static bool is_refusal(int ret)
{
	return ret == -ENOMEM || ret == -EMFILE || ret == -ENFILE || ret == -EFAULT ||
	       ret == -EINTR || ret == -EAGAIN;
}

static int judge(int ret)
{
	if (!ret)
		return LIVED;
	if (is_refusal(ret))
		return WAS_REFUSED;
	printf("# error %d\n", ret);
	return WENT_WRONG;
}

/* The chips, and an interrupt of each kind that has files and tables of its own. */
static int use_chips(struct tvm *vm, int event)
{
	struct kvm_ioeventfd port = { .addr = 0x500, .len = 2, .fd = event,
				      .flags = KVM_IOEVENTFD_FLAG_PIO };
	struct kvm_irqfd irqfd = { .fd = event, .gsi = 5 };
	struct {
		struct kvm_irq_routing head;
		struct kvm_irq_routing_entry entry;
	} routes = {
		.head.nr = 1,
		.entry = { .gsi = 5, .type = KVM_IRQ_ROUTING_IRQCHIP,
			   .u.irqchip = { KVM_IRQCHIP_IOAPIC, 5 } },
	};
	int ret = tvm_create_irqchip(vm, true);

	if (!ret)
		ret = tvm_ioctl(vm->fd, KVM_SET_GSI_ROUTING, &routes);
	if (!ret)
		ret = tvm_ioctl(vm->fd, KVM_IRQFD, &irqfd);
	return ret ? ret : tvm_ioctl(vm->fd, KVM_IOEVENTFD, &port);
}

/* A whole life: device, VM, memory, chips, vCPUs, a run, the logs, the end. */
static int live(unsigned int ram)
{
	struct kvm_mp_state runnable = { KVM_MP_STATE_RUNNABLE };
	struct tvcpu vcpu[2] = { { .fd = -1 }, { .fd = -1 } };
	struct tvm vm;
	uint32_t value;
	int i, ret, event;

	ret = tvm_create(&vm, ram);
	if (ret)
		return ret;
	event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	ret = event < 0 ? -errno : use_chips(&vm, event);
	for (i = 0; i < 2 && !ret; i++)
		ret = tvcpu_create(&vm, &vcpu[i], i);
	if (!ret)
		ret = tvcpu_start(&vcpu[0], TVM_LONG, toucher, toucher_end);
	if (!ret)
		ret = tvm_ioctl(vcpu[0].fd, KVM_SET_MP_STATE, &runnable);
	if (!ret)
		ret = tvm_set_slot(&vm, 0, KVM_MEM_LOG_DIRTY_PAGES, 0, ram, vm.mem);
	if (!ret)
		ret = tvcpu_run_out(&vcpu[0], &value);
	for (i = 0; i < 2; i++)
		if (vcpu[i].fd >= 0)
			tvcpu_destroy(&vcpu[i]);
	tvm_destroy(&vm);
	if (event >= 0)
		close(event);
	return ret;
}

/* In a child, whose end is all that matters. @limit prepares it. */
static int in_child(int (*limit)(unsigned long), unsigned long arg, unsigned int ram, int *killed)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		status = limit(arg);
		status = status ? WENT_WRONG : judge(live(ram));
		fflush(NULL);
		_exit(status);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return WENT_WRONG;
	*killed = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	return *killed ? WAS_REFUSED : WEXITSTATUS(status);
}

/* From nothing to enough, in steps: first it is refused, then it lives, and never else. */
static bool from_nothing_to_enough(int (*limit)(unsigned long), unsigned long first,
				   unsigned long step, unsigned int n, unsigned int ram)
{
	unsigned int i, lived = 0, refused = 0;
	int killed, ret;

	for (i = 0; i < n; i++) {
		ret = in_child(limit, first + i * step, ram, &killed);
		if (ret == WENT_WRONG || (killed && killed != SIGKILL)) {
			printf("# at %lu: signal %d\n", first + i * step, killed);
			return false;
		}
		lived += ret == LIVED;
		refused += ret == WAS_REFUSED;
	}
	printf("# refused %u times, lived %u times\n", refused, lived);
	return lived && refused;
}

static int limit_files(unsigned long n)
{
	struct rlimit limit = { n, n };

	return setrlimit(RLIMIT_NOFILE, &limit);
}

static int limit_space(unsigned long bytes)
{
	struct rlimit limit = { bytes, bytes };

	return setrlimit(RLIMIT_AS, &limit);
}

static int limit_locked(unsigned long bytes)
{
	struct rlimit limit = { bytes, bytes };

	return setrlimit(RLIMIT_MEMLOCK, &limit);
}

static unsigned int steps(unsigned int brief)
{
	return long_run() ? brief * 8 : on_bed("intel") ? brief / 2 : brief;
}

TEST_F_TIMEOUT(memory, too_few_files, 600)
{
	EXPECT_TRUE(from_nothing_to_enough(limit_files, 3, 1, 14, RAM));
}

TEST_F_TIMEOUT(memory, too_little_address_space, 600)
{
	unsigned int n = steps(40);

	EXPECT_TRUE(from_nothing_to_enough(limit_space, 1 << 20, (64ul << 20) / n & ~0xffful, n,
					   RAM));
}

/* Nothing of a guest's is locked: this limit is none. */
TEST_F_TIMEOUT(memory, no_locked_memory, 250)
{
	int killed;

	EXPECT_EQ(LIVED, in_child(limit_locked, 0, RAM, &killed));
}

/* -------------------------------------------------------------- control groups */

static int limit_group(unsigned long bytes)
{
	char text[32];
	int ret;

	snprintf(text, sizeof(text), "%lu", bytes);
	ret = write_file(GROUP "/memory.max", text);
	return ret ? ret : write_file(GROUP "/cgroup.procs", "0");
}

static int make_group(void)
{
	mkdir("/tmp", 0755);
	if (mkdir(GROUPS, 0755) && errno != EEXIST)
		return -errno;
	if (mount("none", GROUPS, "cgroup2", 0, NULL))
		return -errno;
	if (write_file(GROUPS "/cgroup.subtree_control", "+memory") || mkdir(GROUP, 0755)) {
		umount(GROUPS);
		return -EINVAL;
	}
	return 0;
}

/* Killed by the kernel, or told ENOMEM: the group's limit holds for what the module takes. */
TEST_F_TIMEOUT(memory, too_little_in_the_control_group, 3600)
{
	unsigned int n = steps(24);

	if (make_group())
		SKIP(return, "no memory control group here");
	EXPECT_TRUE(from_nothing_to_enough(limit_group, 64 << 10, (16ul << 20) / n & ~0xffful, n,
					   RAM));
	EXPECT_EQ(0, rmdir(GROUP));
	EXPECT_EQ(0, umount(GROUPS));
}

/* -------------------------------------------------------------- fault injection */

static int set_nth(unsigned long nth)
{
	char text[32];

	snprintf(text, sizeof(text), "%lu", nth);
	return write_file("/proc/self/fail-nth", text);
}

static int never_fails(unsigned long nth)
{
	write_file("/sys/kernel/debug/failslab/ignore-gfp-wait", "N");
	write_file("/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N");
	write_file("/sys/kernel/debug/fail_page_alloc/min-order", "0");
	return set_nth(nth);
}

/* Has the fault been used up? What is left of the count says so. */
static bool was_injected(void)
{
	char text[32] = "";
	int fd = open("/proc/self/fail-nth", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '1';
	close(fd);
	return strtol(text, NULL, 10) == 0;
}

/* One life in which the n-th allocation fails. In a child: what is left over goes with it. */
static int live_with_fault(unsigned long nth, bool *injected)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		status = never_fails(nth) ? WENT_WRONG : judge(live(RAM));
		status |= was_injected() ? 8 : 0;
		set_nth(0);
		fflush(NULL);
		_exit(status);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status)) {
		printf("# status %x\n", status);
		return WENT_WRONG;
	}
	*injected = WEXITSTATUS(status) & 8;
	return WEXITSTATUS(status) & 7;
}

TEST_F_TIMEOUT(memory, each_allocation_fails_once, 3600)
{
	unsigned long nth, lived = 0, refused = 0;
	bool injected = true;
	int ret;

	if (access("/proc/self/fail-nth", W_OK))
		SKIP(return, "this kernel injects no faults");
	mount("none", "/sys/kernel/debug", "debugfs", 0, NULL);
	for (nth = 1; injected && nth < MAX_NTH; nth++) {
		ret = live_with_fault(nth, &injected);
		lived += ret == LIVED;
		refused += ret == WAS_REFUSED;
		EXPECT_NE(WENT_WRONG, ret) {
			TH_LOG("allocation %lu", nth);
		}
	}
	printf("# %lu allocations failed: %lu refusals, %lu lives went on\n", nth - 2, refused,
	       lived);
	EXPECT_FALSE(injected);
	EXPECT_LT(20, refused);
}

MVM_HARNESS_MAIN
