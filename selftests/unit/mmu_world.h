/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A world for module/mmu/ in userspace: the kernel's primitives by those of C
 * and pthreads, small versions of the module's objects, and a host mm whose
 * pages are never reused, so that the use of one that was taken back shows.
 *
 * Included before everything else (-include) in every file of the test. The
 * objects' fields have the names and meanings of mvm.h and backend.h, whose
 * guards are defined here; what is missing or renamed does not compile.
 */
#ifndef MMU_WORLD_H
#define MMU_WORLD_H

#define MVM_H
#define MVM_BACKEND_H

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <linux/kvm.h>

#include "mmu/inval.h"
#include "types.h"

/* ------------------------------------------------------------ the language */

#define __rcu
#define PAGE_SHIFT 12
#define PAGE_SIZE  4096UL

#define GENMASK_ULL(h, l)  ((~0ULL << (l)) & (~0ULL >> (63 - (h))))
#define round_down(x, y)   ((x) & ~((__typeof__(x))(y) - 1))
#define round_up(x, y)	   round_down((x) + (y) - 1, y)
#define container_of(p, type, member) ((type *)((char *)(p) - offsetof(type, member)))
#define struct_size(p, member, n) (sizeof(*(p)) + sizeof((p)->member[0]) * (n))

/* Now and then let another thread run: between any two steps that others can see. */
static inline void world_jitter(void)
{
	static __thread unsigned int state;

	if (!state)
		state = (unsigned long)&state >> 4;
	state = state * 1664525 + 1013904223;
	if (state >> 26 == 0)
		sched_yield();
}

#define READ_ONCE(x)	 (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) __atomic_store_n(&(x), v, __ATOMIC_RELAXED)
#define smp_wmb()	 __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define smp_rmb()	 __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define smp_mb()	 __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define smp_load_acquire(p) __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define smp_store_release(p, v) ({ world_jitter(); __atomic_store_n(p, v, __ATOMIC_RELEASE); })
#define xchg(p, v) ({ world_jitter(); __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST); })
#define try_cmpxchg64(p, old, new) ({					\
	world_jitter();							\
	__atomic_compare_exchange_n(p, old, new, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); })
#define cmpxchg64(p, old, new) ({ u64 was__ = (old); try_cmpxchg64(p, &was__, new); was__; })
#define clear_bit(n, p) __atomic_fetch_and(p, ~(1UL << (n)), __ATOMIC_SEQ_CST)
#define set_bit(n, p)	 ({ world_jitter(); \
	__atomic_fetch_or(&(p)[(n) / 64], 1UL << (n) % 64, __ATOMIC_SEQ_CST); })
#define test_bit(n, p)	 (__atomic_load_n(&(p)[(n) / 64], __ATOMIC_RELAXED) >> (n) % 64 & 1)
#define __ffs64(x)	__builtin_ctzll(x)

#define BITS_PER_BYTE	 8
#define BITS_PER_LONG	 64
#define BITS_TO_LONGS(n) (((n) + 63) / 64)
static inline void bitmap_set(unsigned long *p, unsigned long first, unsigned long n)
{
	while (n--)
		set_bit(first + n, p);
}

static inline unsigned int world_next_bit(const unsigned long *p, unsigned int n, unsigned int at,
					  bool want)
{
	while (at < n && test_bit(at, p) != want)
		at++;
	return at;
}

#define for_each_set_bitrange(b, e, p, n)					\
	for ((b) = world_next_bit(p, n, 0, true);				\
	     (b) < (n) && ((e) = world_next_bit(p, n, b, false));		\
	     (b) = world_next_bit(p, n, e, true))

#define rcu_assign_pointer(p, v) smp_store_release(&(p), v)
#define unlikely(x)		 (x)
#define module_param(n, t, m)	 struct mvm_vm
#define MODULE_PARM_DESC(n, t)	 struct mvm_vm
#define udelay(us)		 sched_yield()
#define copy_to_user(to, from, n)   (memcpy(to, from, n), 0)
#define copy_from_user(to, from, n) (memcpy(to, from, n), 0)
#define __user
#define RCU_INIT_POINTER(p, v)	 ((p) = (v))
#define rcu_dereference_protected(p, c) ((void)(c), (p))
#define srcu_dereference(p, s)	 smp_load_acquire(&(p))
#define lockdep_is_held(l)	 1
#define lockdep_assert_irqs_disabled() do { } while (0)
#define local_irq_save(f)	 ((f) = 0)
#define local_irq_restore(f)	 ((void)(f))
#define cond_resched()		 sched_yield()

#define IS_ERR(p)  ((unsigned long)(p) >= (unsigned long)-4095)
#define PTR_ERR(p) ((long)(p))
#define ERR_PTR(e) ((void *)(long)(e))

#define PTR_ERR_OR_ZERO(p) (IS_ERR(p) ? (int)PTR_ERR(p) : 0)

typedef struct { long n; } atomic_long_t;
#define atomic_long_fetch_andnot(m, a) __atomic_fetch_and(&(a)->n, ~(m), __ATOMIC_SEQ_CST)
#define atomic_long_or(m, a) __atomic_fetch_or(&(a)->n, m, __ATOMIC_SEQ_CST)
#define atomic_long_inc(a)  __atomic_add_fetch(&(a)->n, 1, __ATOMIC_SEQ_CST)
#define atomic_long_dec(a)  __atomic_sub_fetch(&(a)->n, 1, __ATOMIC_SEQ_CST)
#define atomic_long_read(a) __atomic_load_n(&(a)->n, __ATOMIC_SEQ_CST)

typedef struct { int n; } refcount_t;
#define refcount_set(r, v)	((r)->n = (v))
#define refcount_dec_and_test(r) (__atomic_sub_fetch(&(r)->n, 1, __ATOMIC_SEQ_CST) == 0)
static inline bool refcount_inc_not_zero(refcount_t *r)
{
	int n = __atomic_load_n(&r->n, __ATOMIC_SEQ_CST);

	while (n && !__atomic_compare_exchange_n(&r->n, &n, n + 1, 0, __ATOMIC_SEQ_CST,
						 __ATOMIC_SEQ_CST))
		;
	return n;
}

/* -------------------------------------------------------------------- locks */

typedef pthread_mutex_t spinlock_t;
#define spin_lock_init(l) pthread_mutex_init(l, NULL)
#define spin_lock(l)	  ({ pthread_mutex_lock(l); world_jitter(); })
#define spin_unlock(l)	  ({ pthread_mutex_unlock(l); world_jitter(); })

struct mutex { pthread_mutex_t m; };
#define mutex_init(l)	pthread_mutex_init(&(l)->m, NULL)
#define mutex_lock(l)	pthread_mutex_lock(&(l)->m)
#define mutex_unlock(l) pthread_mutex_unlock(&(l)->m)

struct srcu_struct { pthread_rwlock_t l; };
#define init_srcu_struct(s)    pthread_rwlock_init(&(s)->l, NULL)
#define cleanup_srcu_struct(s) pthread_rwlock_destroy(&(s)->l)
#define srcu_read_lock(s)      pthread_rwlock_rdlock(&(s)->l)
#define srcu_read_unlock(s, i) ((void)(i), pthread_rwlock_unlock(&(s)->l))
#define synchronize_srcu_expedited(s) ({ pthread_rwlock_wrlock(&(s)->l); \
					 pthread_rwlock_unlock(&(s)->l); })

struct completion { int done; };
#define init_completion(c) ((c)->done = 0)
#define complete(c)	   smp_store_release(&(c)->done, 1)
static inline void wait_for_completion(struct completion *c)
{
	while (!smp_load_acquire(&c->done))
		sched_yield();
}

/* ------------------------------------------------------------------- memory */

#define GFP_KERNEL_ACCOUNT 0
#define kzalloc(n, f)  calloc(1, n)
#define kvzalloc(n, f) calloc(1, n)
#define kvcalloc(n, s, f) calloc(n, s)
#define kfree(p)       free(p)
#define __GFP_ACCOUNT  0
#define __GFP_NOWARN   0
#define GFP_KERNEL     0
#define GFP_NOWAIT     0
#define __GFP_ZERO     1
typedef int gfp_t;
#define kvfree(p)      free(p)

struct list_head { struct list_head *next, *prev; };
#define INIT_LIST_HEAD(l) ((l)->next = (l)->prev = (l))
#define list_empty(l)	  ((l)->next == (l))
static inline void list_add(struct list_head *e, struct list_head *l)
{
	e->next = l->next;
	e->prev = l;
	l->next->prev = e;
	l->next = e;
}

static inline void list_del(struct list_head *e)
{
	e->prev->next = e->next;
	e->next->prev = e->prev;
}

#define list_for_each_entry_safe(pos, n, l, member)				\
	for (pos = container_of((l)->next, __typeof__(*pos), member);		\
	     n = container_of(pos->member.next, __typeof__(*pos), member),	\
	     &pos->member != (l); pos = n)

/* A table page, or the handle of a host page. */
struct page {
	struct list_head lru;
	unsigned long private;
	u64 pfn; /* host pages */
	hva_t hva;
};

/* A table page is followed by its struct page. What is not asked for as zeroes is not zero. */
static inline struct page *alloc_page(int gfp)
{
	char *block = aligned_alloc(PAGE_SIZE, 2 * PAGE_SIZE);

	if (!block)
		return NULL;
	memset(block, gfp & __GFP_ZERO ? 0 : 0xa5, PAGE_SIZE);
	return (struct page *)(block + PAGE_SIZE);
}

#define page_address(p)	       ((void *)((char *)(p) - PAGE_SIZE))
#define virt_to_page(v)	       ((struct page *)((char *)(v) + PAGE_SIZE))
#define page_to_phys(p)	       ((u64)page_address(p))
#define phys_to_virt(a)	       ((void *)(a))
#define __free_page(p)	       free(page_address(p))
#define free_page(v)	       free((void *)(v))
#define get_zeroed_page(f)     ((unsigned long)calloc(1, 2 * PAGE_SIZE))
#define page_private(p)	       ((p)->private)
#define set_page_private(p, v) ((p)->private = (v))
static inline void memset64(void *p, u64 v, size_t n)
{
	u64 *q = p;

	while (n--)
		*q++ = v;
}

/* ---------------------------------------------------------- the module's own */

enum mvm_request { MVM_REQ_TLB_FLUSH, MVM_REQ_DEAD };
enum mvm_vcpu_mode { MVM_OUTSIDE_GUEST, MVM_IN_GUEST };

struct mvm_npt_format {
	int levels;
	u64 table, leaf, read, write, exec, noexec, large, accessed, dirty, nonpresent, enc_mask;
	bool has_1g;
};

struct mvm_backend_caps { struct mvm_npt_format npt; };
struct mvm_backend { struct mvm_backend_caps *caps; };
struct mvm_reason { char text[1]; };

#define MVM_MAX_VCPUS	 8
#define MVM_MAX_MEMSLOTS 509
#define MVM_FOLL_INTERRUPTIBLE 0

struct mvm_vm;
struct mvm_vcpu {
	struct mvm_vm *vm;
	struct mvm_reason reason;
	spinlock_t fault_lock;
	unsigned long requests;
	int mode;
};

struct mvm_vm {
	const struct mvm_backend *backend;
	struct mm_struct *mm;
	struct mvm_reason reason;
	bool dead;
	struct mvm_vcpu *vcpus[MVM_MAX_VCPUS];
	int nr_vcpus;
	struct mutex slots_lock;
	struct srcu_struct srcu;
	struct mvm_memslots *slots;
	u64 dirty_manual;
	struct mvm_notifier *notifier;
	spinlock_t mmu_lock;
	hpa_t npt_root;
	void *npt_root_page;
	int npt_levels;
	struct mvm_inval inval;
	atomic_long_t nr_npt_pages;
};

#define mvm_for_each_vcpu(i, vcpu, vm) \
	for ((i) = 0; (i) < smp_load_acquire(&(vm)->nr_vcpus) && ((vcpu) = (vm)->vcpus[i]); (i)++)
int mvm_fail(struct mvm_reason *reason, int err, const char *fmt, ...);
void mvm_vm_request_sync(struct mvm_vm *vm, enum mvm_request req);

/* ----------------------------------------------------------- the host's memory */

struct mmu_notifier;
struct mmu_notifier_range { hva_t start, end; bool blockable; };
#define mmu_notifier_range_blockable(r) ((r)->blockable)

struct mmu_notifier_ops {
	void (*release)(struct mmu_notifier *mn, struct mm_struct *mm);
	int (*clear_flush_young)(struct mmu_notifier *mn, struct mm_struct *mm,
				 unsigned long start, unsigned long end);
	int (*clear_young)(struct mmu_notifier *mn, struct mm_struct *mm, unsigned long start,
			   unsigned long end);
	int (*test_young)(struct mmu_notifier *mn, struct mm_struct *mm, unsigned long address);
	int (*invalidate_range_start)(struct mmu_notifier *mn,
				      const struct mmu_notifier_range *range);
	void (*invalidate_range_end)(struct mmu_notifier *mn,
				     const struct mmu_notifier_range *range);
	void (*free_notifier)(struct mmu_notifier *mn);
};

struct mmu_notifier { const struct mmu_notifier_ops *ops; };
int mmu_notifier_register(struct mmu_notifier *mn, struct mm_struct *mm);
void mmu_notifier_put(struct mmu_notifier *mn);
#define mmu_notifier_synchronize() do { } while (0)

/* The upper levels of the host's tables are one entry each; struct mm_struct has the pmds. */
typedef struct { u64 v; } pgd_t, p4d_t, pud_t, pmd_t;
#define _PAGE_PRESENT 1ULL
#define _PAGE_PSE     0x80ULL
#define PMD_SHIFT     21
#define PMD_SIZE      (1ULL << PMD_SHIFT)
#define PMD_MASK      (~(PMD_SIZE - 1))
#define PUD_MASK      (~0ULL << 30)

#define HOST_REGIONS 4 /* of 2 MiB */
#define HOST_BASE    0x7f0000000000ULL
#define HOST_PAGES   (HOST_REGIONS * 512)

struct host_pte {
	u64 pfn; /* 0 = not present */
	bool writable;
};

struct mm_struct {
	pthread_mutex_t lock;
	struct mmu_notifier *notifier;
	pmd_t pmd[HOST_REGIONS]; /* a large leaf, or 0: small pages */
	struct host_pte pte[HOST_PAGES]; /* true for both */
};

#define pgd_offset(mm, hva)   ((pgd_t *)&(mm)->pmd[((hva) - HOST_BASE) >> PMD_SHIFT])
#define p4d_offset(pgd, hva)  ((p4d_t *)(pgd))
#define pud_offset(p4d, hva)  ((pud_t *)(p4d))
#define pmd_offset(pud, hva)  ((pmd_t *)(pud))
#define pgd_none(e)	      (!(e).v)
#define p4d_none(e)	      (!(e).v)
#define p4d_present(e)	      (!!(e).v)
#define pud_val(e)	      ((e).v)
/* Where not 0, one entry of 1 GiB maps all there is; this is its first frame. */
extern u64 world_pud;
#define pud_leaf(e)	      (world_pud != 0)
#define pud_pfn(e)	      (world_pud)
#define pmd_val(e)	      ((e).v)
#define pmd_leaf(e)	      ((e).v & _PAGE_PSE)
#define pmd_pfn(e)	      ((e).v >> PAGE_SHIFT)

#define FOLL_WRITE    1
#define FOLL_HWPOISON 2
long get_user_pages_fast_only(hva_t hva, long nr, unsigned int flags, struct page **page);
long get_user_pages_unlocked(hva_t hva, long nr, struct page **page, unsigned int flags);
void set_page_dirty(struct page *page);
#define put_page(p)    free(p)
#define page_to_pfn(p) ((p)->pfn)

struct task { struct mm_struct *mm; };
extern struct task *current;
extern struct cpuinfo { int x86_phys_bits; } boot_cpu_data;
extern bool world_multihit;
#define X86_BUG_ITLB_MULTIHIT	 0
#define boot_cpu_has_bug(bug)	 world_multihit
#define TASK_SIZE_MAX		 0x7ffffffff000ULL

/* -------------------------------------------------- the machine: mmu_world.c */

#define VCPUS	  3
#define FIRST_GFN 0x200ULL /* where the host's memory lies in the guest */

/* What a CPU has cached: leaves by frame, and the lowest table by 2 MiB. */
struct tlb {
	u64 leaf[HOST_PAGES]; /* 0 = none */
	u64 *table[HOST_REGIONS];
};

extern struct mm_struct host_mm;
extern struct mvm_backend_caps the_caps;
extern struct mvm_vm the_vm;
extern struct mvm_vcpu cpus[VCPUS];
extern struct tlb tlb[VCPUS];
/* How often something was used after its removal; the first is printed. */
extern int violations;
extern unsigned int host_lookups; /* how often a present page was asked for */
/* Slots that a completed KVM_SET_USER_MEMORY_REGION has taken away, by region. */
extern bool slot_gone[HOST_REGIONS];

void world_init(const struct mvm_npt_format *format);
void violation(const char *what, u64 where);

/* The host's side, by page number from HOST_BASE on; all notify the VM. */
void host_unmap(unsigned int first, unsigned int last);
void host_protect(unsigned int first, unsigned int last);
void host_collapse(unsigned int region);
/* Without notification: only where nothing is mapped. */
void set_pte(unsigned int page, u64 pfn, bool writable);
u64 new_frames(unsigned int n);

/* A CPU's side. An access is between enter and leave; false or 0 = nested page fault. */
void hw_enter(int cpu);
void hw_leave(int cpu);
bool hw_access(int cpu, gfn_t gfn, u32 access);
u64 hw_walk(int cpu, gfn_t gfn, u32 access);

#endif
