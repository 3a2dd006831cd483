// SPDX-License-Identifier: GPL-2.0-only
/*
 * See look.h.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <sys/syscall.h>

#include "look.h"

#define CR4_OSFXSR (1 << 9)
#define DATA	   0x200000
#define PAGES	   8
/* Words of struct kvm_xsave. */
#define XSAVE_XMM3	(160 / 4 + 3 * 4)
#define XSAVE_XSTATE_BV (512 / 4)

/*
 * EBX is the guest's pattern, everywhere. What differs is reported by its number. The
 * memory is on several pages, so that wrong translations of other pages show as well.
 * R9 is the last TSC.
 */
GUEST_CODE(look, 64,
	   "1: mov $64, %r8d;"
	   "2: mov $1, %esi; mov $0xc0000082, %ecx; rdmsr; cmp %ebx, %eax; jne 9f;"
	   "mov $2, %esi; mov $0xc0000081, %ecx; rdmsr; cmp %ebx, %edx; jne 9f;"
	   "mov $3, %esi; mov $0xc0000084, %ecx; rdmsr; mov %ebx, %edx; and $0xff00, %edx;"
	   "cmp %edx, %eax; jne 9f;"
	   "mov $4, %esi; rdtscp; cmp %ebx, %ecx; jne 9f;"
	   "mov $5, %esi; movd %xmm3, %eax; cmp %ebx, %eax; jne 9f;"
	   "mov $6, %esi; mov %dr0, %rax; cmp %rbx, %rax; jne 9f;"
	   "mov $7, %esi; mov %dr3, %rax; cmp %rbx, %rax; jne 9f;"
	   "mov $8, %esi; xor %edi, %edi;"
	   "3: cmp %ebx, 0x200000(%rdi); jne 9f; mov %ebx, 0x200800(%rdi);"
	   "add $0x1000, %edi; cmp $0x8000, %edi; jne 3b;"
	   "mov $9, %esi; rdtsc; shl $32, %rdx; or %rdx, %rax;"
	   "mov %rax, %rdx; sub %r9, %rdx; js 9f; mov %rax, %r9;"
	   "dec %r8d; jnz 2b; xor %eax, %eax; out %eax, $0xf1; jmp 1b;"
	   "9: mov %esi, %eax; out %eax, $0xf1; jmp 1b");

static int set_msrs(struct tvcpu *vcpu, uint32_t pattern)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry rows[4];
	} msrs = {
		.head.nmsrs = 4,
		.rows = {
			{ .index = MSR_LSTAR, .data = pattern },
			{ .index = MSR_STAR, .data = (uint64_t)pattern << 32 },
			{ .index = MSR_SFMASK, .data = pattern & 0xff00 },
			{ .index = MSR_TSC_AUX, .data = pattern },
		},
	};

	return tvm_ioctl(vcpu->fd, KVM_SET_MSRS, &msrs) == 4 ? 0 : -1;
}

static int set_registers(struct tvcpu *vcpu, uint32_t pattern)
{
	/* Enabled, where nothing is ever executed: the registers must then be the guest's. */
	struct kvm_debugregs debug = { .db = { pattern, pattern, pattern, pattern },
				       .dr6 = 0xffff0ff0, .dr7 = 0x401 };
	struct kvm_sregs sregs;
	struct kvm_regs regs;
	struct kvm_xsave fpu;

	if (tvm_ioctl(vcpu->fd, KVM_GET_REGS, &regs) ||
	    tvm_ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) || tvm_ioctl(vcpu->fd, KVM_GET_XSAVE, &fpu))
		return -1;
	regs.rbx = pattern;
	sregs.cr4 |= CR4_OSFXSR;
	fpu.region[XSAVE_XMM3] = pattern;
	/* KVM_SET_FPU leaves this to KVM, which forgets it where the host has XSAVE. */
	fpu.region[XSAVE_XSTATE_BV] |= 3;
	return tvm_ioctl(vcpu->fd, KVM_SET_REGS, &regs) ||
	       tvm_ioctl(vcpu->fd, KVM_SET_SREGS, &sregs) ||
	       tvm_ioctl(vcpu->fd, KVM_SET_XSAVE, &fpu) ||
	       tvm_ioctl(vcpu->fd, KVM_SET_DEBUGREGS, &debug);
}

/* KVM_RUN with a pattern in XMM7 that must be there afterwards, and this CPU's TSC_AUX. */
static int run_and_look(struct runner *runner)
{
	uint64_t pattern = 0x1122334455667788 ^ (uintptr_t)runner, after;
	unsigned int cpu, aux, low, high;
	long ret;

	asm volatile("movq %2, %%xmm7; syscall; movq %%xmm7, %1"
		     : "=a" (ret), "=r" (after)
		     : "r" (pattern), "a" ((long)SYS_ioctl), "D" ((long)runner->vcpu.fd),
		       "S" (KVM_RUN), "d" (0L)
		     : "rcx", "r11", "memory", "xmm7");
	if (after != pattern)
		return 101;
	if (getcpu(&cpu, NULL) == 0) {
		asm volatile("rdtscp" : "=a" (low), "=d" (high), "=c" (aux));
		/* The low bits are the CPU; the thread is bound to it. */
		if ((aux & 0xfff) != cpu)
			return 102;
	}
	return ret;
}

int look_create(struct runner *runner, const char *device, uint32_t pattern)
{
	int i, ret;

	if (device)
		setenv("MINIVMM_DEV", device, 1);
	ret = tvm_create(&runner->vm, TVM_MEM_SIZE);
	unsetenv("MINIVMM_DEV");
	if (ret)
		return ret;
	for (i = 0; i < PAGES; i++)
		memcpy(runner->vm.mem + DATA + i * 0x1000, &pattern, sizeof(pattern));
	runner->run = run_and_look;
	return tvcpu_create(&runner->vm, &runner->vcpu, 0) ||
	       tvcpu_start(&runner->vcpu, TVM_LONG, look, look_end) ||
	       set_msrs(&runner->vcpu, pattern) || set_registers(&runner->vcpu, pattern);
}

bool look_memory_is(struct runner *runner, uint32_t pattern)
{
	uint32_t value;
	int i;

	for (i = 0; i < PAGES; i++) {
		memcpy(&value, runner->vm.mem + DATA + i * 0x1000 + 0x800, sizeof(value));
		if (value != pattern)
			return false;
	}
	return true;
}
