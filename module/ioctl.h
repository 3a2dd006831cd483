/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ioctl tables: one row an ioctl, one table a kind of file.
 *
 * main.c has the system file's, vm.c the VM's, vcpu.c the vCPU's. Dispatch walks
 * them, and selftests/unit checks uapi/API.md against the rows. Commands are
 * matched as full 32-bit numbers: KVM's ABI uses several numbers twice with
 * other directions and sizes.
 */
#ifndef MVM_IOCTL_H
#define MVM_IOCTL_H

#include <linux/types.h>

struct mvm_backend;
struct mvm_vm;
struct mvm_vcpu;
struct mvm_reason;

/**
 * struct mvm_ioctl - one ioctl of a file
 * @cmd: command
 * @name: its name in the header
 * @fn: handler; @obj is the file's object, @arg the third argument as it came
 * @data_fn: the handler instead where the argument points at one structure; @data is
 *	the kernel's copy, zeroed unless @in
 * @size: of that structure
 * @in: it is copied in before
 * @out: it is copied out after a success
 */
struct mvm_ioctl {
	unsigned int cmd;
	bool in, out;
	u16 size;
	const char *name;
	long (*fn)(void *obj, unsigned long arg);
	long (*data_fn)(void *obj, void *data);
};

#define MVM_IOCTL(command, handler) { .cmd = (command), .name = #command, .fn = (handler) }
#define MVM_IOCTL_DATA(command, type, handler, copy_in, copy_out)                           \
	{ .cmd = (command), .name = #command, .data_fn = (handler), .size = sizeof(type), \
	  .in = (copy_in), .out = (copy_out) }
#define MVM_IOCTL_IN(command, type, handler) MVM_IOCTL_DATA(command, type, handler, true, false)
#define MVM_IOCTL_OUT(command, type, handler) MVM_IOCTL_DATA(command, type, handler, false, true)
#define MVM_IOCTL_INOUT(command, type, handler) MVM_IOCTL_DATA(command, type, handler, true, true)

/* main.c */
long mvm_ioctl_dispatch(const struct mvm_ioctl *table, size_t n, void *obj, unsigned int cmd,
			unsigned long arg);

/* The VM file's rows for interrupts (vm_irq.c), beside vm.c's own. */
extern const struct mvm_ioctl mvm_vm_irq_ioctls[];
extern const size_t mvm_nr_vm_irq_ioctls;

/* main.c, vm.c, vcpu.c */
long mvm_ioctl_get_reason(struct mvm_reason *reason, unsigned long arg);
long mvm_vm_get_reason(struct mvm_vm *vm, unsigned long arg);
long mvm_check_extension(unsigned long cap);
long mvm_vm_create(const struct mvm_backend *backend, struct mvm_reason *reason);
long mvm_vcpu_create(struct mvm_vm *vm, u32 id);
void mvm_vcpu_destroy(struct mvm_vcpu *vcpu);
void mvm_vm_get(struct mvm_vm *vm);
void mvm_vm_put(struct mvm_vm *vm);

/* Bytes a vCPU file can map: the run page and the port data page. */
#define MVM_VCPU_MMAP_SIZE (2 * PAGE_SIZE)

#endif
