// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioeventfd: a guest's write to a port or a device address that signals an eventfd
 * instead of leaving to userspace.
 *
 * The VM has one sorted array for ports and one for addresses. A change builds a new
 * array and waits until nobody reads the old one, so that a deassigned eventfd is not
 * signalled any more when the call returns; a write of the guest is one binary search
 * under vm->irq_srcu. No two entries may match the same write: that makes the search
 * exact, whatever mixture of lengths and values an address has.
 */
#include <linux/eventfd.h>
#include <linux/slab.h>

#include "mvm.h"

/* An eventfd may stand for any number of addresses: the array must end somewhere. */
#define MAX_ENTRIES 16384

/**
 * struct mvm_ioeventfd - one write that signals an eventfd
 * @addr: port, or guest physical address
 * @len: bytes written; 0 = any number of them
 * @any: whatever is written
 * @datamatch: else what must be
 * @eventfd: signalled
 */
struct mvm_ioeventfd {
	u64 addr;
	u32 len;
	bool any;
	u64 datamatch;
	struct eventfd_ctx *eventfd;
};

/* Sorted by address, length and value. NULL instead of an empty one. */
struct mvm_ioeventfds {
	u32 n;
	struct mvm_ioeventfd entry[];
};

/* By what a write must agree in; 0 where some write matches both. */
static __always_inline int compare(const struct mvm_ioeventfd *a, const struct mvm_ioeventfd *b)
{
	if (a->addr != b->addr)
		return a->addr < b->addr ? -1 : 1;
	if (!a->len || !b->len)
		return 0;
	if (a->len != b->len)
		return a->len < b->len ? -1 : 1;
	if (a->any || b->any || a->datamatch == b->datamatch)
		return 0;
	return a->datamatch < b->datamatch ? -1 : 1;
}

/* The index of the entry that matches @key, or the complement of where it would stand. */
static __always_inline int search(const struct mvm_ioeventfds *table,
				  const struct mvm_ioeventfd *key)
{
	u32 low = 0, high = table ? table->n : 0;

	while (low < high) {
		u32 mid = (low + high) / 2;
		int cmp = compare(key, &table->entry[mid]);

		if (!cmp)
			return mid;
		if (cmp < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return ~low;
}

/**
 * mvm_ioeventfd_signal() - the guest writes where no in-kernel device answered
 * @vm: the VM
 * @bus: port or memory; mvm_ioeventfd_any() has said that it is worth a look
 * @addr: port, or guest physical address
 * @len: bytes, at most 8
 * @val: what is written, zero-extended
 *
 * Context: may not sleep. Return: true: an eventfd was signalled, the write is done.
 */
bool mvm_ioeventfd_signal(struct mvm_vm *vm, enum mvm_bus bus, u64 addr, u32 len, u64 val)
{
	const struct mvm_ioeventfd key = { .addr = addr, .len = len, .datamatch = val };
	const struct mvm_ioeventfds *table;
	int i, idx;

	idx = srcu_read_lock(&vm->irq_srcu);
	table = srcu_dereference(vm->ioeventfds[bus], &vm->irq_srcu);
	i = search(table, &key);
	if (i >= 0)
		mvm_eventfd_signal(table->entry[i].eventfd);
	srcu_read_unlock(&vm->irq_srcu, idx);
	return i >= 0;
}

/* ------------------------------------------------------------------ changes */

static struct mvm_ioeventfds *table_alloc(u32 n)
{
	struct mvm_ioeventfds *table;

	table = kvmalloc(struct_size(table, entry, n), GFP_KERNEL_ACCOUNT);
	if (table)
		table->n = n;
	return table;
}

/* The table there is. vm->irq_setup_lock held, as in all that follows. */
static struct mvm_ioeventfds *present(struct mvm_vm *vm, enum mvm_bus bus)
{
	return rcu_dereference_protected(vm->ioeventfds[bus],
					 lockdep_is_held(&vm->irq_setup_lock));
}

/* Let @table take its place. */
static void replace(struct mvm_vm *vm, enum mvm_bus bus, struct mvm_ioeventfds *table)
{
	struct mvm_ioeventfds *old = present(vm, bus);

	rcu_assign_pointer(vm->ioeventfds[bus], table);
	synchronize_srcu_expedited(&vm->irq_srcu);
	kvfree(old);
}

static int insert(struct mvm_vm *vm, enum mvm_bus bus, const struct mvm_ioeventfd *entry)
{
	const struct mvm_ioeventfds *old = present(vm, bus);
	struct mvm_ioeventfds *table;
	int i = search(old, entry);
	u32 n;

	if (i >= 0)
		return -EEXIST;
	i = ~i;
	n = old ? old->n : 0;
	if (n >= MAX_ENTRIES)
		return mvm_fail(&vm->reason, -ENOSPC, "the limit of %u ioeventfds is reached",
				MAX_ENTRIES);
	table = table_alloc(n + 1);
	if (!table)
		return -ENOMEM;
	if (n) {
		memcpy(table->entry, old->entry, i * sizeof(*entry));
		memcpy(table->entry + i + 1, old->entry + i, (n - i) * sizeof(*entry));
	}
	table->entry[i] = *entry;
	replace(vm, bus, table);
	return 0;
}

/* The same eventfd for the same writes. */
static bool same(const struct mvm_ioeventfd *a, const struct mvm_ioeventfd *b)
{
	return a->eventfd == b->eventfd && a->addr == b->addr && a->len == b->len &&
	       a->any == b->any && (a->any || a->datamatch == b->datamatch);
}

static int take_out(struct mvm_vm *vm, enum mvm_bus bus, const struct mvm_ioeventfd *entry)
{
	const struct mvm_ioeventfds *old = present(vm, bus);
	struct mvm_ioeventfds *table = NULL;
	struct eventfd_ctx *eventfd;
	int i = search(old, entry);

	if (i < 0 || !same(&old->entry[i], entry))
		return -ENOENT;
	if (old->n > 1) {
		table = table_alloc(old->n - 1);
		if (!table)
			return -ENOMEM;
		memcpy(table->entry, old->entry, i * sizeof(*entry));
		memcpy(table->entry + i, old->entry + i + 1, (old->n - 1 - i) * sizeof(*entry));
	}
	eventfd = old->entry[i].eventfd;
	replace(vm, bus, table);
	eventfd_ctx_put(eventfd);
	return 0;
}

/**
 * mvm_ioeventfd_destroy() - at the VM's end: nobody writes any more
 * @vm: the VM
 *
 * Lets go of every eventfd. Context: may sleep.
 */
void mvm_ioeventfd_destroy(struct mvm_vm *vm)
{
	struct mvm_ioeventfds *table;
	int bus;
	u32 i;

	for (bus = 0; bus < MVM_NR_BUSES; bus++) {
		table = rcu_dereference_protected(vm->ioeventfds[bus], true);
		for (i = 0; table && i < table->n; i++)
			eventfd_ctx_put(table->entry[i].eventfd);
		kvfree(table);
	}
}

/* -------------------------------------------------------------------- ioctl */

#define KNOWN_FLAGS                                                                  \
	(KVM_IOEVENTFD_FLAG_DATAMATCH | KVM_IOEVENTFD_FLAG_PIO | KVM_IOEVENTFD_FLAG_DEASSIGN)

/* 0 or -EINVAL. */
static int check_args(const struct kvm_ioeventfd *args)
{
	if (args->flags & ~KNOWN_FLAGS)
		return -EINVAL;
	if (args->flags & KVM_IOEVENTFD_FLAG_DEASSIGN)
		return 0; /* what is not there is not found */
	if (args->len > 8 || (args->len & (args->len - 1)) || args->addr + args->len < args->addr)
		return -EINVAL;
	return !args->len && (args->flags & KVM_IOEVENTFD_FLAG_DATAMATCH) ? -EINVAL : 0;
}

/**
 * mvm_ioeventfd_set() - KVM_IOEVENTFD
 * @vm: the VM
 * @args: which write, which eventfd, flags
 *
 * Return: 0; -EINVAL: flags, length, range, not an eventfd; -EBADF; -EEXIST: there
 * is an entry for some write that this one matches, too; -ENOENT: nothing to
 * deassign; -ENOSPC: too many; -ENOMEM.
 */
int mvm_ioeventfd_set(struct mvm_vm *vm, const struct kvm_ioeventfd *args)
{
	enum mvm_bus bus = args->flags & KVM_IOEVENTFD_FLAG_PIO ? MVM_BUS_PORT : MVM_BUS_MEMORY;
	bool remove = args->flags & KVM_IOEVENTFD_FLAG_DEASSIGN;
	struct mvm_ioeventfd entry = {
		.addr = args->addr,
		.len = args->len,
		.any = !(args->flags & KVM_IOEVENTFD_FLAG_DATAMATCH),
		.datamatch = args->datamatch,
	};
	int err = check_args(args);

	if (err)
		return mvm_fail(&vm->reason, err,
				"KVM_IOEVENTFD: flags %#x, %u bytes at %#llx make no sense",
				args->flags, args->len, args->addr);
	entry.eventfd = eventfd_ctx_fdget(args->fd);
	if (IS_ERR(entry.eventfd))
		return PTR_ERR(entry.eventfd);
	mutex_lock(&vm->irq_setup_lock);
	err = remove ? take_out(vm, bus, &entry) : insert(vm, bus, &entry);
	mutex_unlock(&vm->irq_setup_lock);
	/* An entry keeps its reference. */
	if (err || remove)
		eventfd_ctx_put(entry.eventfd);
	return err;
}
