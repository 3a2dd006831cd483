/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hardware task switches, for processors that leave them to the hypervisor: the
 * interface. "Task Management" of the manuals is the rule.
 *
 * The processor has checked the privileges and task gates before it gave up;
 * what other vCPUs could have changed since is checked again here. Up to the
 * commit point a fault is the old task's and nothing has happened. Then the new
 * task's registers are in place, and whatever is wrong with them is its own.
 *
 * Pure code: no vCPU, no kernel; module/task_switch.c is the glue.
 */
#ifndef MVM_INSN_TASK_H
#define MVM_INSN_TASK_H

#include "../types.h"

/* What began the switch; the values are those of VT-x's exit qualification. */
enum mvm_task_source { MVM_TASK_CALL, MVM_TASK_IRET, MVM_TASK_JMP, MVM_TASK_GATE };

enum mvm_task_result {
	MVM_TASK_DONE,
	MVM_TASK_FAULT, /* mvm_task.fault is to be raised with the registers as they are now */
	MVM_TASK_FAIL, /* cannot be done: a table is where no memory is */
};

/**
 * struct mvm_task_ops - the machine around the switch
 * @probe: is the range there, with these MVM_ACCESS_* rights? 0; 1 with @fault filled;
 *	-errno
 * @read: bytes at a linear address. Return as @probe
 * @write: likewise
 * @set_cr3: the address space of the new task: 0, or -EINVAL for #GP
 */
struct mvm_task_ops {
	int (*probe)(void *priv, gva_t la, unsigned int len, u32 access,
		     struct mvm_fault *fault);
	int (*read)(void *priv, gva_t la, void *buf, unsigned int len, u32 access,
		    struct mvm_fault *fault);
	int (*write)(void *priv, gva_t la, const void *buf, unsigned int len, u32 access,
		     struct mvm_fault *fault);
	int (*set_cr3)(void *priv, u32 cr3);
};

/**
 * struct mvm_task_seg - a segment register
 * @selector: visible part
 * @desc: the descriptor behind it, as in memory; 0 = unusable
 */
struct mvm_task_seg {
	u16 selector;
	u64 desc;
};

/* Fields of a descriptor. */
#define MVM_DESC_TYPE(desc)	((u8)((desc) >> 40) & 15)
#define MVM_DESC_S(desc)	((desc) >> 44 & 1)
#define MVM_DESC_DPL(desc)	((u8)((desc) >> 45) & 3)
#define MVM_DESC_P(desc)	((desc) >> 47 & 1)
#define MVM_DESC_DB(desc)	((desc) >> 54 & 1)

static inline u32 mvm_desc_base(u64 desc)
{
	return (desc >> 16 & 0xffffff) | (desc >> 56 << 24);
}

static inline u32 mvm_desc_limit(u64 desc)
{
	u32 limit = (desc & 0xffff) | (desc >> 32 & 0xf0000);

	return desc >> 55 & 1 ? limit << 12 | 0xfff : limit;
}

/**
 * struct mvm_task - one switch
 * @ops: callbacks
 * @priv: their first argument
 * @source: what began it
 * @selector: of the new task's TSS
 * @external: neither an instruction nor INT n: error codes get their EXT bit
 * @has_error: the handler wants @error on its stack
 * @error: error code of the exception
 * @gdt_base: linear address
 * @gdt_limit: in bytes, inclusive
 * @paging: CR0.PG: the new task brings its CR3
 * @next_ip: where the old task goes on
 * @gpr: the registers, changed in place
 * @rflags: likewise
 * @ip: likewise
 * @old_base: where TR says that the old task's TSS is
 * @old_limit: in bytes, inclusive
 * @old_type: descriptor type in TR
 * @seg: by enum mvm_segreg: the selectors of the old task, then the new one's segments.
 *	TR's descriptor is set as soon as TR has changed, the others' by the commit point.
 * @cpl: of the new task
 * @committed: the new task is the current one: set CR0.TS, clear DR7's local bits
 * @trap: its TSS asks for a debug exception (DR6.BT) before its first instruction
 * @fault: what MVM_TASK_FAULT raises
 */
struct mvm_task {
	const struct mvm_task_ops *ops;
	void *priv;
	enum mvm_task_source source;
	u16 selector;
	bool external;
	bool has_error;
	u32 error;
	gva_t gdt_base;
	u32 gdt_limit;
	bool paging;
	u32 next_ip;
	u64 *gpr;
	u64 *rflags;
	u64 ip;
	u32 old_base;
	u32 old_limit;
	u8 old_type;
	struct mvm_task_seg seg[MVM_NR_SEGS];
	u8 cpl;
	bool committed;
	bool trap;
	struct mvm_fault fault;
};

enum mvm_task_result mvm_task_switch(struct mvm_task *t);

/* Between the two files. 0; 1 with t->fault filled; -errno. */
int mvm_task_raise(struct mvm_task *t, u8 vector, u16 selector);
/* The descriptor and its address. @vector: raised where there is none. */
int mvm_task_descriptor(struct mvm_task *t, u16 selector, u8 vector, u64 *desc, gva_t *at);
/* LDTR, then the other segment registers: @selector[] by enum mvm_segreg. */
int mvm_task_load_segments(struct mvm_task *t, const u16 selector[MVM_SEG_TR]);
/* The error code, on the new task's stack. */
int mvm_task_push_error(struct mvm_task *t, unsigned int size);

#define TASK_VECTOR_TS	10
#define TASK_VECTOR_NP	11
#define TASK_VECTOR_SS	12
#define TASK_VECTOR_GP	13

#define TASK_FLAG_NT	BIT(14)
#define TASK_FLAG_VM	BIT(17)

#endif
