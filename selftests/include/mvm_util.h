/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VMs and vCPUs for the tests, through the raw ABI: the library is not used,
 * so that what is tested is the module.
 *
 * A test VM has RAM from 0 up, as slot 0. The helpers own its first 64 KiB
 * (tables and stack, below); guest code goes to TVM_CODE. Functions return 0
 * or -errno. A guest reports by OUT to TVM_PORT, see tvcpu_run_out(). Tests
 * include mvm_harness.h as well.
 *
 *	GUEST_CODE(answer, 16, "mov $42, %al; out %al, $0xf1; hlt");
 *
 *	TVM_CREATE_OR_SKIP(&vm, TVM_MEM_SIZE);
 *	ASSERT_EQ(0, tvcpu_create(&vm, &vcpu, 0));
 *	ASSERT_EQ(0, tvcpu_start(&vcpu, TVM_REAL, answer, answer_end));
 *	ASSERT_EQ(0, tvcpu_run_out(&vcpu, &value));
 *	EXPECT_EQ(42, value);
 */
#ifndef MVM_UTIL_H
#define MVM_UTIL_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/kvm.h>

#include "minivmm.h"

#define TVM_MEM_SIZE	(4u << 20)	/* enough for most guests */
#define TVM_PORT	0xf1		/* a guest's OUT here is a report */

/* Guest physical layout. */
#define TVM_GDT		0x1000
#define TVM_IDT		0x2000
#define TVM_TSS		0x3000
#define TVM_PML4	0x4000		/* PML4, PDPT, four page directories */
#define TVM_PDPT	0x5000
#define TVM_PD		0x6000
#define TVM_PD32	0xa000		/* 32-bit paging, 4 MiB pages */
#define TVM_PDPT_PAE	0xb000		/* points at the same four directories */
#define TVM_STACK	0x10000		/* top */
#define TVM_CODE	0x10000

/* Selectors in the GDT of all modes but real mode. */
#define TVM_CS		0x10
#define TVM_DS		0x18
#define TVM_TR		0x20
#define TVM_USER_CS	0x33
#define TVM_USER_DS	0x3b

enum tvm_mode {
	TVM_REAL,		/* 16-bit, CS base TVM_CODE and IP 0, data base 0 */
	TVM_PROTECTED,		/* 32-bit, flat, no paging */
	TVM_PAGED32,		/* 32-bit paging: 4 GiB identity-mapped */
	TVM_PAE,		/* PAE paging: the same */
	TVM_LONG,		/* 64-bit: the same */
	TVM_NR_MODES,
};

struct tvm {
	int sys;		/* the open device */
	int fd;
	uint8_t *mem;		/* guest address 0 */
	size_t mem_size;
	char why[300];		/* why creating failed */
};

struct tvcpu {
	struct tvm *vm;
	int fd;
	unsigned int id;
	struct kvm_run *run;
	size_t run_size;
};

/* Code for a guest as bytes NAME to NAME_end; it must not depend on its place. */
#define GUEST_CODE(name, bits, text)					\
	extern const uint8_t name[], name##_end[];			\
	asm(".pushsection .rodata\n"					\
	    ".code" #bits "\n" #name ":\n" text "\n" #name "_end:\n"	\
	    ".code64\n.popsection\n")

/* The device under test: MINIVMM_DEV or /dev/minivmm. */
const char *tvm_device(void);

/* Is it the real KVM, as a reference? */
bool tvm_is_kvm(void);

/* Open it: a file descriptor or -errno. */
int tvm_open(void);

/* The sentence behind the last failure on @fd; strerror where there is none. */
void tvm_reason(int fd, int error, char *buf, size_t size);

/*
 * Create a VM with @mem_size bytes of zeroed RAM. -ENODEV: no device, no
 * permission for it, or no hardware behind it: vm->why says which.
 */
int tvm_create(struct tvm *vm, size_t mem_size);
void tvm_destroy(struct tvm *vm);

/* In a TEST or FIXTURE_SETUP: create, skip when nothing is there to test. */
#define TVM_CREATE_OR_SKIP(vm, size) do {				\
	int tvm_ret_ = tvm_create((vm), (size));			\
									\
	if (tvm_ret_ == -ENODEV)					\
		MVM_SKIP("%s", (vm)->why);				\
	ASSERT_EQ(0, tvm_ret_) {					\
		TH_LOG("%s", (vm)->why);				\
	}								\
} while (0)

/* KVM_SET_USER_MEMORY_REGION; a @size of 0 deletes the slot. */
int tvm_set_slot(struct tvm *vm, uint32_t slot, uint32_t flags, uint64_t gpa,
		 uint64_t size, void *hva);

/* KVM_CREATE_IRQCHIP and, with @pit, KVM_CREATE_PIT2: before any vCPU. */
int tvm_create_irqchip(struct tvm *vm, bool pit);

/* An interrupt gate for @vector in the IDT that tvcpu_set_mode() sets up. */
void tvcpu_set_gate(struct tvcpu *vcpu, enum tvm_mode mode, uint8_t vector,
		    uint64_t handler);

int tvcpu_create(struct tvm *vm, struct tvcpu *vcpu, unsigned int id);
void tvcpu_destroy(struct tvcpu *vcpu);

/* KVM_SET_CPUID2 with all that the device supports, and the vCPU's own APIC id. */
int tvcpu_set_cpuid(struct tvcpu *vcpu);

/* The local APIC timer's TSC-deadline mode: a capability, no part of the supported CPUID. */
int tvcpu_offer_deadline(struct tvcpu *vcpu);

/* One MSR. 0, -errno, or -EPERM where the vCPU refuses it. */
int tvcpu_get_msr(struct tvcpu *vcpu, uint32_t index, uint64_t *data);
int tvcpu_set_msr(struct tvcpu *vcpu, uint32_t index, uint64_t data);

/* CPUID, GDT, page tables and registers for @mode; RIP at TVM_CODE. */
int tvcpu_set_mode(struct tvcpu *vcpu, enum tvm_mode mode);

/* tvcpu_set_mode() and the code from @start to @end at TVM_CODE. */
int tvcpu_start(struct tvcpu *vcpu, enum tvm_mode mode, const uint8_t *start,
		const uint8_t *end);

/* One KVM_RUN, repeated after a signal. */
int tvcpu_run(struct tvcpu *vcpu);

/* Run to an exit of this reason; any other is shown and gives -EPROTO. */
int tvcpu_run_to(struct tvcpu *vcpu, uint32_t exit_reason);

/* Run to the guest's next OUT to TVM_PORT and fetch what it wrote. */
int tvcpu_run_out(struct tvcpu *vcpu, uint32_t *value);

/* An exit in words, and the registers, as comments on stdout. */
void tvcpu_show(struct tvcpu *vcpu);

/* -errno instead of -1. */
int tvm_ioctl(int fd, unsigned long request, void *arg);

#endif /* MVM_UTIL_H */
