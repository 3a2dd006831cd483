/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VM for the memory tests: one vCPU in long mode, and a slot of the test's own
 * memory at TMEM_GPA. Either the test makes single accesses, or a thread runs a
 * guest that goes round all of its pages, checks that each has what it wrote there
 * the last time, and writes the next number: whatever the host does to the pages
 * meanwhile, the guest must not notice. tvm_ and tvcpu_ are in mvm_util.h.
 */
#ifndef MVM_MEMORY_H
#define MVM_MEMORY_H

#include <pthread.h>

#include "mvm_util.h"

#define TMEM_PAGE  4096UL
#define TMEM_LARGE (2UL << 20)
#define TMEM_GPA   0x40000000UL /* 1 GiB: as aligned as any leaf wants it */
#define TMEM_SLOT  1

struct tmem {
	struct tvm vm;
	struct tvcpu vcpu;
	uint8_t *mem; /* the slot's memory */
	size_t size;
	pthread_t thread;
	volatile pid_t tid; /* the thread's */
	volatile bool stop;
	volatile unsigned long passes, refused; /* rounds done; runs that gave -EFAULT */
	volatile int error; /* -errno of KVM_RUN; or 1: a page had other bytes */
	uint32_t value; /* what every page's first word has, with the guest stopped */
};

/* A VM with @mem as its slot. As tvm_create(); the memory stays the caller's. */
int tmem_create(struct tmem *t, void *mem, size_t size, uint32_t flags);
void tmem_destroy(struct tmem *t);
/* As TVM_CREATE_OR_SKIP. */
#define TMEM_CREATE_OR_SKIP(t, mem, size, flags) do {			\
	struct tmem *tmem_ = (t);					\
	int tmem_ret_ = tmem_create(tmem_, (mem), (size), (flags));	\
									\
	if (tmem_ret_ == -ENODEV)					\
		MVM_SKIP("%s", tmem_->vm.why);				\
	ASSERT_EQ(0, tmem_ret_) {					\
		TH_LOG("%s", tmem_->vm.why);				\
	}								\
} while (0)

/* Anonymous private memory, aligned to @align; NULL where there is none. */
void *tmem_map(size_t size, size_t align);

/* One access of the guest at TMEM_GPA + @offset: what is there then, or -errno. */
int64_t tmem_read(struct tmem *t, uint64_t offset);
int64_t tmem_write(struct tmem *t, uint64_t offset, uint32_t value);
/* Only set it up: for those that end in another way than tvcpu_run_out(). */
int tmem_prepare(struct tmem *t, uint64_t gpa, bool write, uint32_t value);

/*
 * The guest that goes round, in a thread; all first words must be t->value. Stop:
 * 0, -errno, or 1 where a page was wrong (which one is printed). -EFAULT is
 * counted in t->refused and tried again.
 */
int tmem_start(struct tmem *t);
int tmem_stop(struct tmem *t);
/* Wait until it has done @n more rounds. False: it did not, within 60 s. */
bool tmem_rounds(struct tmem *t, unsigned long n);
/* How many pages have another first word than t->value, as the host sees it. */
int tmem_wrong(struct tmem *t);

/* How often the thread had to wait for a page that was not in memory. While it runs. */
long tmem_major_faults(struct tmem *t);
/* How many exits of this kind there were, or 0 (as on KVM). */
uint64_t tmem_exits(struct tmem *t, const char *name);

/* Write @text to a file of sysfs or procfs; read a number from one: -1 = cannot. */
bool tmem_echo(const char *path, const char *text);
long tmem_number(const char *path);
/* MINIVMM_LONG=1: the long form. */
bool tmem_long(void);

#endif /* MVM_MEMORY_H */
