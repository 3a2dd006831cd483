/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The objects: struct mvm_vm, struct mvm_vcpu and the neutral VM exit.
 *
 * Everything a backend, a service or the run loop shares is here; what only one
 * floor needs is in that floor's own header (mmu/mmu.h, irqchip/irqchip.h,
 * insn/, backend.h). Field tags:
 *
 *	[I] immutable after creation	[a] atomic
 *	[V] vm->lock			[v] vcpu->lock
 *	[o] the thread that runs the vCPU, inside KVM_RUN (holds vcpu->lock)
 *	[Q] vm->irq_lock			[S] vm->irq_setup_lock
 *
 * Lock order, outermost first:
 *
 *	vcpu->lock
 *	  vm->lock
 *	    vm->slots_lock
 *	      mmap_lock (get_user_pages, copy_from_user)
 *		vm->mmu_lock / vcpu->fault_lock (notifiers: under the host's page table locks)
 *	    vm->irq_setup_lock
 *	      an eventfd's wait queue (an irqfd is called with it held)
 *	  vm->irq_lock (raw, interrupts off; from any context)
 *	    lapic->lock (likewise; never two at once)
 */
#ifndef MVM_H
#define MVM_H

#include <linux/atomic.h>
#include <linux/hrtimer.h>
#include <linux/kvm.h>
#include <linux/mm_types.h>
#include <linux/mutex.h>
#include <linux/nospec.h>
#include <linux/percpu.h>
#include <linux/refcount.h>
#include <linux/signal_types.h>
#include <linux/spinlock.h>
#include <linux/srcu.h>
#include <linux/swait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include "compat.h"
#include "mmu/inval.h"
#include "types.h"

#define MVM_MAX_VCPUS	 64
#define MVM_MAX_VCPU_ID	 256 /* ids are below this: APIC ids */
#define MVM_MAX_MEMSLOTS 509
#define MVM_CPUID_RANGES 3 /* CPUID's basic leaves, the hypervisor's and the extended ones */
#define MVM_CPUID_LEAVES 40
#define MVM_MCE_BANKS	 10 /* what QEMU asks for at least */
#define MVM_MIN_MMU_PAGES 64 /* for KVM_SET_NR_MMU_PAGES, as KVM has it */

struct mvm_vm;
struct mvm_vcpu;
struct mvm_backend;
struct mvm_ioeventfds;
struct mvm_irqchip;
struct mvm_lapic;
struct mvm_pit;
struct mvm_memslots;
struct mvm_notifier;
struct mvm_insn;
struct mvm_fpu_state;

/*
 * Why the last ioctl failed, in words, or what KVM_RUN's exit means: one per file (system,
 * VM, vCPU), read by MINIVMM_GET_REASON. Each ioctl begins without one.
 */
struct mvm_reason {
	spinlock_t lock; /* text */
	char text[256];
};

/* main.c */
void mvm_reason_init(struct mvm_reason *reason);

static inline void mvm_reason_clear(struct mvm_reason *reason)
{
	WRITE_ONCE(reason->text[0], '\0');
}

__printf(3, 4) int mvm_fail(struct mvm_reason *reason, int err, const char *fmt, ...);

/* ------------------------------------------------------------------ exits */

/*
 * The neutral exits. A backend turns its hardware's exit into one of these
 * while its control structure is still loaded; everything above sees only this.
 */
enum mvm_exit_kind {
	MVM_EXIT_UNKNOWN, /* hw_reason tells; reported to userspace */
	MVM_EXIT_INTERRUPT, /* external: the host takes it in the run loop's window */
	MVM_EXIT_NMI, /* host NMI, already delivered by the backend */
	MVM_EXIT_MACHINE_CHECK, /* host #MC, already delivered by the backend */
	MVM_EXIT_EXCEPTION, /* intercepted guest exception: u.exc */
	MVM_EXIT_IO, /* u.io */
	MVM_EXIT_MEM_FAULT, /* nested page fault: u.mem */
	MVM_EXIT_CPUID,
	MVM_EXIT_RDMSR, /* RCX has the index */
	MVM_EXIT_WRMSR,
	MVM_EXIT_CR_ACCESS, /* u.cr */
	MVM_EXIT_DR_ACCESS, /* u.dr */
	MVM_EXIT_HLT,
	MVM_EXIT_HYPERCALL,
	MVM_EXIT_IRQ_WINDOW, /* the guest can take an interrupt now */
	MVM_EXIT_NMI_WINDOW, /* the guest can take an NMI now */
	MVM_EXIT_SHUTDOWN, /* triple fault */
	MVM_EXIT_ENTRY_FAILED, /* u.fail: the hardware refused the guest state or the controls */
	MVM_EXIT_XSETBV,
	MVM_EXIT_INVD, /* INVD and WBINVD: nothing to do but skip */
	MVM_EXIT_PAUSE,
	MVM_EXIT_MONITOR, /* MONITOR and MWAIT: treated as NOP or #UD by policy */
	MVM_EXIT_MWAIT,
	MVM_EXIT_RDPMC,
	MVM_EXIT_UNDEFINED, /* an instruction the guest does not have (VMX, SVM, ...): #UD */
	MVM_EXIT_TASK_SWITCH, /* hardware task switch: u.task */
	MVM_EXIT_PREEMPTED, /* vcpu->deadline, or the backend's time budget is used up */
	MVM_EXIT_STEP, /* a step for the debugger is done: @stepped says so; nothing else to do */
	MVM_EXIT_LOST, /* virtualization was turned off under a borrower: no entry took place */
	MVM_NR_EXITS
};

/* An event on its way into the guest. */
enum mvm_event_type {
	MVM_EVENT_NONE,
	MVM_EVENT_INTERRUPT, /* external interrupt */
	MVM_EVENT_NMI,
	MVM_EVENT_EXCEPTION, /* hardware exception */
	MVM_EVENT_SOFT_INT, /* INT n */
	MVM_EVENT_PRIV_SOFT_EXC, /* INT1 (ICEBP) */
	MVM_EVENT_SOFT_EXC, /* INT3, INTO */
};

/**
 * struct mvm_event - one event to deliver, or whose delivery an exit broke off
 * @type: what kind of event
 * @vector: IDT vector
 * @has_error: @error is pushed
 * @error: error code
 * @insn_len: length of the instruction behind a software event, else 0
 */
struct mvm_event {
	enum mvm_event_type type;
	u8 vector;
	bool has_error;
	u8 insn_len;
	u32 error;
};

#define MVM_MAX_INSN_LEN 15

/**
 * struct mvm_exit - everything about one exit, captured by the backend
 * @kind: neutral exit
 * @hw_reason: the hardware's own exit reason or code, for reports and traces
 * @insn_len: length of the instruction that exited, 0 where the hardware does
 *	not tell (then mvm_skip_insn() decodes it)
 * @vectoring: event whose delivery this exit interrupted (type NONE: none)
 * @insn_bytes: instruction bytes where the hardware gives them (AMD decode assists)
 * @nr_insn_bytes: how many of @insn_bytes are valid, 0 = none
 * @done: the backend has answered it (quick.h) and something else waits: not to be handled
 * @stepped: one instruction is done, or one event delivered, under mvm_is_stepped()
 * @pushed_flags: the step was done with a TF that is not the guest's: if it stored RFLAGS,
 *	the image shows it
 */
struct mvm_exit {
	enum mvm_exit_kind kind;
	u32 hw_reason;
	u8 insn_len;
	u8 nr_insn_bytes;
	bool done;
	bool stepped, pushed_flags;
	u8 insn_bytes[MVM_MAX_INSN_LEN];
	struct mvm_event vectoring;
	union {
		struct {
			u8 vector;
			bool has_error;
			u32 error;
			u64 payload; /* #PF: CR2. #DB: the bits to set in DR6 */
		} exc;
		struct {
			u16 port;
			u8 size; /* 1, 2, 4 */
			bool in;
			bool string; /* INS or OUTS: operands come from the decoder */
			bool rep;
			gva_t linear_rip;
		} io;
		struct {
			gpa_t gpa;
			bool in_walk; /* the fault hit a guest page table, not the final address */
			u32 access; /* MVM_ACCESS_* */
			bool in_64bit; /* by 64-bit code; false: the backend does not tell */
			u8 cpl; /* then */
		} mem;
		struct {
			u8 nr; /* 0, 3, 4, 8 */
			u8 gpr; /* enum mvm_gpr; 0xff = not told: decode */
			enum { MVM_CR_READ, MVM_CR_WRITE, MVM_CR_CLTS, MVM_CR_LMSW } op;
			u16 lmsw; /* source word of LMSW when told */
		} cr;
		struct {
			u8 nr;
			u8 gpr; /* 0xff = not told: decode */
			bool write;
		} dr;
		struct {
			u16 selector; /* of the new task's TSS */
			u8 source; /* enum mvm_task_source, insn/task.h */
		} task;
		struct {
			u64 reason; /* for KVM_EXIT_FAIL_ENTRY's hardware_entry_failure_reason */
			u64 detail; /* VM-instruction error, or qualification */
		} fail;
		struct {
			u64 info1; /* raw facts for MVM_EXIT_UNKNOWN */
			u64 info2;
		} raw;
	} u;
};

/* -------------------------------------------------------------- registers */

/*
 * Groups of guest state. The vCPU's own fields are canonical; a backend caches
 * from its control structure. vcpu->avail: the fields are current. vcpu->dirty:
 * the fields were changed and must be flushed before the next entry. GPRs
 * (without RSP) are always available: the entry code stores them. A backend
 * makes MVM_STATE_RIP available at every exit and drops every other group from
 * vcpu->avail that the guest could have changed; mvm_state_get() fetches it
 * when somebody asks.
 */
#define MVM_STATE_RIP  BIT(0) /* rip, gpr[MVM_RSP], rflags, int_shadow */
#define MVM_STATE_CS   BIT(1) /* seg[CS], seg[SS]: what the mode and the CPL need */
#define MVM_STATE_SEG  BIT(2) /* the other six segments */
#define MVM_STATE_DT   BIT(3) /* gdt, idt */
#define MVM_STATE_CR   BIT(4) /* cr0, cr3, cr4, efer */
#define MVM_STATE_PDPTR BIT(5) /* pdptr[]: matters in PAE paging on VT-x only */
#define MVM_STATE_MSR  BIT(6) /* msr: the ones the hardware swaps or passes through */
#define MVM_STATE_DR   BIT(7) /* dr7 (dr[0..3], dr6 are software's) */
#define MVM_STATE_TSC  BIT(8) /* tsc_offset; only ever dirty */
#define MVM_STATE_CR2  BIT(9) /* cr2 */
#define MVM_STATE_INTERCEPTS BIT(10) /* controls that follow from CPUID; only ever dirty */
#define MVM_STATE_TRAPS BIT(11) /* debug traps that hardware holds back; only ever dirty: void */
#define MVM_STATE_PAT  BIT(12) /* pat: no guest changes it without an exit */
#define MVM_STATE_ALL  (BIT(13) - 1)

#define MVM_INT_SHADOW_STI   BIT(0)
#define MVM_INT_SHADOW_MOVSS BIT(1)

/* Guest MSRs that live in hardware while the guest runs. */
struct mvm_hw_msrs {
	u64 star, lstar, cstar, sfmask, kernel_gs_base;
	u64 sysenter_cs, sysenter_esp, sysenter_eip;
	u64 tsc_aux;
};

/*
 * Requests: something for the vCPU thread to do before the next entry. Set the
 * bit, then mvm_vcpu_kick(). From any context.
 */
enum mvm_request {
	MVM_REQ_TLB_FLUSH, /* nested translations changed */
	MVM_REQ_TLB_FLUSH_GUEST, /* this vCPU's guest-virtual translations */
	MVM_REQ_EVENT, /* look at pending events again */
	MVM_REQ_CLOCK, /* refresh the paravirtual clock page */
	MVM_REQ_TRIPLE_FAULT,
	MVM_REQ_DEAD, /* the VM is dead (broken invariant, mm gone): -EIO */
	MVM_REQ_UNHALT, /* a paravirtual kick: the present HLT, or the next, ends at once */
	MVM_REQ_YIELD, /* give the CPU to the vCPU in pv.yield_to */
	MVM_REQ_INIT, /* INIT arrived (lapic) */
	MVM_REQ_STEPPED, /* a debugger's step is done: KVM_EXIT_DEBUG */
	MVM_REQ_SIPI, /* start-up IPI arrived; vector in vcpu->sipi_vector */
	MVM_REQ_IRQ_ACKED, /* an 8259 with automatic EOI: tell the irqfds */
	MVM_REQ_IOAPIC_EOI, /* tell userspace's I/O APIC: vector in vcpu->ioapic_eoi */
	MVM_REQ_TIMER, /* the local APIC's timer is held: let it go */
};

enum mvm_vcpu_mode {
	MVM_OUTSIDE_GUEST,
	MVM_IN_GUEST, /* interrupts off, about to enter, or entered: a kick needs an IPI */
	MVM_KICKED, /* the same, and the IPI is on its way */
};

/* Exceptions, NMIs and interrupts on their way (event.c). [o] */
struct mvm_events {
	struct {
		bool pending; /* raised, not yet given to the hardware */
		bool injected; /* given to the hardware, or broken off: give again */
		struct mvm_event ev;
		u64 payload; /* #PF: CR2; #DB: DR6 bits; written when it is first injected */
		bool has_payload;
	} exception;
	struct {
		bool injected;
		struct mvm_event ev;
	} interrupt;
	struct {
		u8 pending; /* 0..2, [a] additions come through vcpu->nmi_queued */
		bool injected;
		/* Blocked until IRET. The backend keeps it current, and loads it with STATE_RIP. */
		bool masked;
	} nmi;
	int user_irq; /* KVM_INTERRUPT: vector queued by userspace, -1 = none */
};

/**
 * struct mvm_pv - what the vCPU shares by KVM's paravirtual services (pv.c). [v]
 * @steal_msr: MSR_KVM_STEAL_TIME; 0 = off
 * @steal_seen: run delay of @steal_task that the guest has been told of
 * @steal_task: the thread it belongs to; only compared
 * @preempted: the page may carry the preemption hint
 * @eoi_msr: MSR_KVM_PV_EOI_EN; 0 = off
 * @eoi_offered: the guest may end its interrupt in memory
 * @host_polls: MSR_KVM_POLL_CONTROL
 * @yield_to: APIC id for MVM_REQ_YIELD
 */
struct mvm_pv {
	u64 steal_msr, steal_seen;
	const void *steal_task;
	u64 eoi_msr, host_polls, yield_to;
	bool preempted, eoi_offered;
};

/**
 * struct mvm_vcpu - one virtual CPU; a backend embeds it as its first member
 */
struct mvm_vcpu {
	struct mvm_vm *vm; /* [I] */
	u32 id; /* [I] KVM's vcpu_id: the APIC id */
	u32 index; /* [I] 0.. in creation order */
	struct mutex lock; /* serialises the vCPU's ioctls */
	spinlock_t fault_lock; /* held while a nested mapping is checked and installed (mmu/) */

	struct kvm_run *run; /* [I] page 0 of the mapping; shared with userspace: read once */
	void *pio_page; /* [I] page 1 */

	/* Registers. [v], and see MVM_STATE_* for avail and dirty */
	u64 gpr[MVM_NR_GPRS];
	u64 rip, rflags;
	u32 int_shadow; /* MVM_INT_SHADOW_* */
	struct kvm_segment seg[MVM_NR_SEGS]; /* by enum mvm_segreg */
	struct kvm_dtable gdt, idt;
	u64 cr0, cr2, cr3, cr4, efer; /* as the guest sees them */
	u64 cr8; /* without in-kernel LAPIC; with one its TPR is the truth: mvm_get_cr8() */
	u64 pdptr[4];
	u64 dr[4], dr6, dr7; /* the guest's; the hardware's: mvm_hw_dr(), mvm_hw_dr7() */
	u64 xcr0;
	u64 guest_xcr0_allowed; /* what SET_XCRS and XSETBV may set: CPUID 0Dh */
	u32 guest_pkru;
	struct mvm_hw_msrs msr;
	u64 pat;
	u64 tsc_offset;
	u64 deadline; /* guest TSC at which the guest is to be left, MVM_NEVER = none */
	u8 each_entry; /* MVM_EACH_*: what the backend does before each entry, quick ones too */
	struct { u64 tsc, ns; } put; /* guest TSC and boot time when it left its CPU (clock.c) */
	unsigned int nr_sleeps; /* of the host's that the vCPU's clocks have followed (hw.h) */
	u64 tsc_adjust, misc_enable;
	u32 exception_intercepts; /* bitmap of vectors the backend intercepts */
	u32 avail, dirty; /* MVM_STATE_* */

	/* Running */
	atomic_long_t requests; /* [a] enum mvm_request */
	int mode; /* [a] enum mvm_vcpu_mode; barriers: run.c, mvm_vcpu_kick() */
	unsigned long rcu_told; /* jiffies: mvm_guest_state_enter() */
	int cpu; /* CPU it runs on, or ran on last; -1 = never */
	struct swait_queue_head wq; /* a halted vCPU sleeps here */
	spinlock_t pid_lock; /* pid */
	struct pid *pid; /* of the thread that ran it last, referenced; NULL = none yet */
	u32 mp_state; /* KVM_MP_STATE_* */
	u8 sipi_vector;
	u8 ioapic_eoi; /* with MVM_REQ_IOAPIC_EOI */
	bool has_sigmask; /* KVM_SET_SIGNAL_MASK */
	sigset_t sigmask; /* what KVM_RUN blocks then */
	atomic_t nmi_queued; /* [a] NMIs from other contexts, moved into events by event.c */
	struct mvm_events events;
	struct mvm_exit exit; /* the last exit [o] */
	struct mvm_fpu_state *fpu; /* [I] */
	bool launched; /* has entered the guest at least once */

	/* Two-phase exits: what the next KVM_RUN must finish first (emul.c, exit.c). [o] */
	int (*complete)(struct mvm_vcpu *vcpu);
	struct mvm_emul_state *emul; /* [I] replay log and decoded instruction */

	/* KVM_SET_GUEST_DEBUG (debug.c). [v] */
	struct {
		u32 control; /* KVM_GUESTDBG_*, 0 = no debugger */
		u64 dr[4], dr7; /* the debugger's breakpoints */
		enum { MVM_STEP_PLAIN, MVM_STEP_STORES, MVM_STEP_LOADS } step; /* of RFLAGS */
		u64 step_rip; /* where the instruction is that @step is about */
		bool pushed_flags; /* of the step to be reported: exit.pushed_flags */
	} debug;

	/* Policy */
	struct kvm_cpuid_entry2 *cpuid; /* [v] sorted by function, index */
	int nr_cpuid;
	u16 cpuid_place[MVM_CPUID_RANGES * MVM_CPUID_LEAVES]; /* where a leaf begins there */
	u64 cr4_guest_rsvd; /* CR4 bits this guest may not set */
	u64 maxphyaddr_rsvd; /* physical address bits above the guest's MAXPHYADDR */
	struct mvm_msr_store *msr_store; /* [I] MTRR and other inert MSRs (msr.c) */
	struct mvm_mce *mce; /* [I] machine-check banks (mce.c) */

	struct mvm_lapic *lapic; /* [I], NULL without in-kernel irqchip */

	/* Paravirtual clock (clock.c) */
	u64 pvclock_msr; /* MSR_KVM_SYSTEM_TIME_NEW */
	bool pvclock_stopped; /* KVM_KVMCLOCK_CTRL: to be told with the next update */
	struct mvm_pv pv;
	u32 halt_poll_ns; /* how long to poll at HLT now (halt.c) */

	struct mvm_reason reason;
	u64 stat[MVM_NR_EXITS]; /* exits by kind, [o], read without a lock */
	u64 stat_to_user;
	u64 stat_entries;
};

/* Where a guest can write to a device. */
enum mvm_bus { MVM_BUS_PORT, MVM_BUS_MEMORY, MVM_NR_BUSES };

/**
 * struct mvm_vm - one virtual machine
 */
struct mvm_vm {
	refcount_t users; /* the VM fd and each vCPU fd */
	const struct mvm_backend *backend; /* [I] */
	struct mm_struct *mm; /* [I] the creator's; only this mm may use the VM (grabbed, mmgrab) */
	struct mutex lock; /* creation of vCPUs, irqchip, PIT */
	struct mvm_reason reason;
	bool dead; /* a broken invariant or a gone mm: everything answers -EIO */

	struct mvm_vcpu *vcpus[MVM_MAX_VCPUS]; /* [V] to write; publish with smp_store_release */
	int nr_vcpus; /* likewise */
	u8 index_by_id[MVM_MAX_VCPU_ID]; /* likewise: 1 + the index in vcpus, 0 = none */
	int last_boosted; /* index of the vCPU that was last given a spinner's CPU */
	bool apic_ids_moved; /* once a local APIC had another id than its vCPU's, for ever */

	/* Memory (mmu/) */
	struct mutex slots_lock;
	struct srcu_struct srcu; /* readers of slots */
	struct mvm_memslots __rcu *slots;
	u64 dirty_manual; /* KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2's flags [slots_lock] */
	u64 nr_mmu_pages; /* KVM_SET_NR_MMU_PAGES: kept, inert */
	struct mvm_notifier *notifier; /* [I] */
	spinlock_t mmu_lock; /* removal of nested entries and table pages */
	hpa_t npt_root; /* [I] root of the nested tables */
	void *npt_root_page; /* [I] its kernel address */
	int npt_levels; /* [I] 4 or 5 */
	struct mvm_inval inval; /* invalidations: see mmu/npt.h */
	atomic_long_t nr_npt_pages; /* [a] table pages, without the root */

	/* Interrupt controllers (irqchip/) */
	raw_spinlock_t irq_lock;
	struct mutex irq_setup_lock; /* changes of routing, irqfds, ioeventfds */
	struct srcu_struct irq_srcu; /* who follows them, in any context */
	struct mvm_irqchip *irqchip; /* [V] to create; NULL = none; published with release */
	bool irqchip_split; /* [I] from then on: no 8259, I/O APIC and 8254 in it */
	struct list_head irqfds; /* [S] */
	struct xarray resamplers; /* [S] by GSI; read under irq_srcu */
	struct work_struct irqfd_reaper; /* removes those whose eventfd was closed */
	struct mvm_ioeventfds __rcu *ioeventfds[MVM_NR_BUSES]; /* [S]; read under irq_srcu */
	struct mvm_pit *pit; /* [V], published with release; NULL without one */

	/* Clock (clock.c) */
	s64 kvmclock_offset; /* guest kvmclock = ns of its source + offset [V] */
	bool clock_by_tsc; /* [I] that source is the host's TSC, else the boot time */
	struct {
		u64 offset; /* that of vCPUs in step [V] to write */
		bool set; /* userspace has set one [V] */
	} tsc;
	u64 tsc_base; /* mvm_host_tsc() at creation: guest TSC starts at 0 */
	struct { u64 wall_clock_msr; } pv;

	u64 tss_addr, identity_map_addr; /* stored, inert */
	u32 bsp_id;
};

/* ----------------------------------------------------- the ground floor API */

static inline bool mvm_vcpu_test_request(struct mvm_vcpu *vcpu, enum mvm_request req)
{
	return atomic_long_read(&vcpu->requests) & BIT(req);
}

static inline bool mvm_vcpu_take_request(struct mvm_vcpu *vcpu, enum mvm_request req)
{
	if (!mvm_vcpu_test_request(vcpu, req))
		return false;
	return atomic_long_fetch_andnot(BIT(req), &vcpu->requests) & BIT(req);
}

void mvm_vcpu_request(struct mvm_vcpu *vcpu, enum mvm_request req);
/* The bit alone, for the vCPU's own thread. */
static inline void mvm_vcpu_set_request(struct mvm_vcpu *vcpu, enum mvm_request req)
{
	atomic_long_or(BIT(req), &vcpu->requests);
}

/* kick.c */
bool mvm_vcpu_yield_to(struct mvm_vcpu *target);
void mvm_vcpu_kick(struct mvm_vcpu *vcpu);
void mvm_vm_request_sync(struct mvm_vm *vm, enum mvm_request req);
void mvm_vm_kill(struct mvm_vm *vm, const char *why); /* vm.c */
void mvm_vcpu_init_signal(struct mvm_vcpu *vcpu);
void mvm_vcpu_startup_signal(struct mvm_vcpu *vcpu, u8 vector);

/* The published vCPU with that id, or NULL. Context: any. */
static inline struct mvm_vcpu *mvm_vcpu_by_id(struct mvm_vm *vm, u64 id)
{
	u8 n;

	if (id >= MVM_MAX_VCPU_ID)
		return NULL;
	id = array_index_nospec(id, MVM_MAX_VCPU_ID);
	n = smp_load_acquire(&vm->index_by_id[id]); /* pairs with mvm_vcpu_create() */
	return n ? vm->vcpus[n - 1] : NULL;
}

/* How many vCPUs are published. */
static inline int mvm_nr_vcpus(struct mvm_vm *vm)
{
	return smp_load_acquire(&vm->nr_vcpus); /* pairs with mvm_vcpu_create() */
}

#define mvm_for_each_vcpu(i, vcpu, vm)                                               \
	for ((i) = 0; (i) < mvm_nr_vcpus(vm) && ((vcpu) = (vm)->vcpus[(i)]); (i)++)

/* Is a debugger single-stepping this vCPU? */
static inline bool mvm_is_stepped(const struct mvm_vcpu *vcpu)
{
	return vcpu->debug.control & KVM_GUESTDBG_SINGLESTEP;
}

/* Has a stepped POPF or IRET loaded the guest's own TF? @trap: the step ended by #DB. */
static inline bool mvm_step_loaded_flags(const struct mvm_vcpu *vcpu, bool trap)
{
	return mvm_is_stepped(vcpu) && vcpu->debug.step == MVM_STEP_LOADS &&
	       (trap || vcpu->rip != vcpu->debug.step_rip);
}

/* DR7's L0 to L3 and LE: what a task switch clears. */
#define MVM_DR7_LOCAL 0x155

/* What the debug registers hold while the guest runs: a debugger's breakpoints come first. */
static inline const u64 *mvm_hw_dr(const struct mvm_vcpu *vcpu)
{
	return vcpu->debug.control & KVM_GUESTDBG_USE_HW_BP ? vcpu->debug.dr : vcpu->dr;
}

static inline u64 mvm_hw_dr7(const struct mvm_vcpu *vcpu)
{
	return vcpu->debug.control & KVM_GUESTDBG_USE_HW_BP ? vcpu->debug.dr7 : vcpu->dr7;
}

/* debug.c */
u64 mvm_debug_hits(const struct mvm_vcpu *vcpu, u64 dr6_bits);

/* Of vcpu->each_entry. */
#define MVM_EACH_DEADLINE BIT(0) /* vcpu->deadline is set, or was at the entry before */
#define MVM_EACH_OWN	  BIT(1) /* something of the backend's own */

/* vCPU state accessors (regs.c). Context: the vCPU's thread, vcpu->lock held. */

void __mvm_state_get(struct mvm_vcpu *vcpu, u32 missing);
/* Make the groups in @mask current. */
static inline void mvm_state_get(struct mvm_vcpu *vcpu, u32 mask)
{
	u32 missing = mask & ~vcpu->avail;

	if (unlikely(missing))
		__mvm_state_get(vcpu, missing);
}

/* The same, and they are about to be changed: flush them before the next entry. */
static inline void mvm_state_modify(struct mvm_vcpu *vcpu, u32 mask)
{
	mvm_state_get(vcpu, mask);
	vcpu->dirty |= mask;
}

/* How the guest executes now. */
enum mvm_cpu_mode { MVM_MODE_REAL, MVM_MODE_VM86, MVM_MODE_PROT16, MVM_MODE_PROT32, MVM_MODE_LONG };
enum mvm_cpu_mode mvm_cpu_mode(struct mvm_vcpu *vcpu);
int mvm_cpl(struct mvm_vcpu *vcpu);
bool mvm_is_long_mode(struct mvm_vcpu *vcpu);

/* CR, EFER and XCR0 writes as instructions do them (regs.c). */
int mvm_set_cr0(struct mvm_vcpu *vcpu, u64 val);
int mvm_set_cr3(struct mvm_vcpu *vcpu, u64 val);
int mvm_set_cr4(struct mvm_vcpu *vcpu, u64 val);
int mvm_set_efer(struct mvm_vcpu *vcpu, u64 val);
int mvm_set_xcr0(struct mvm_vcpu *vcpu, u64 val);

/* Events (event.c). Context: the vCPU's thread. */
void mvm_queue_exception(struct mvm_vcpu *vcpu, u8 vector);
void mvm_queue_exception_err(struct mvm_vcpu *vcpu, u8 vector, u32 error);
void mvm_queue_page_fault(struct mvm_vcpu *vcpu, gva_t cr2, u32 error);
void mvm_queue_debug(struct mvm_vcpu *vcpu, u64 dr6_bits);
void mvm_queue_fault(struct mvm_vcpu *vcpu, const struct mvm_fault *fault);
void mvm_queue_breakpoint(struct mvm_vcpu *vcpu);
void mvm_queue_nmi(struct mvm_vcpu *vcpu); /* any context */
bool mvm_interrupt_allowed(struct mvm_vcpu *vcpu);

/* Steps over the instruction that exited: exit.c, else event.c. */
int mvm_skip_insn(struct mvm_vcpu *vcpu);
void mvm_skip_insn_len(struct mvm_vcpu *vcpu, u8 len);
void mvm_insn_ended(struct mvm_vcpu *vcpu);

/* CPUID (cpuid.c) */
const struct kvm_cpuid_entry2 *mvm_cpuid_find(const struct mvm_vcpu *vcpu, u32 function, u32 index);
bool mvm_guest_has(const struct mvm_vcpu *vcpu, u32 x86_feature);

/* Are there writes that signal eventfds? (ioeventfd.c) */
static inline bool mvm_ioeventfd_any(struct mvm_vm *vm, enum mvm_bus bus)
{
	return rcu_access_pointer(vm->ioeventfds[bus]);
}

bool mvm_ioeventfd_signal(struct mvm_vm *vm, enum mvm_bus bus, u64 addr, u32 len, u64 val);
int mvm_ioeventfd_set(struct mvm_vm *vm, const struct kvm_ioeventfd *args);
void mvm_ioeventfd_destroy(struct mvm_vm *vm);

#endif
