// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VM of the memory tests; see mvm_memory.h.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* gettid() */
#endif
#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>

#include "mvm_memory.h"

#define BAD_PORT 0xf2
#define PATIENCE 60 /* seconds */

/* RCX: 0 reads, 1 writes RBX. Answers what is there then. */
GUEST_CODE(tmem_poke, 64,
	   "test %ecx, %ecx; jz 1f; mov %ebx, (%rax);"
	   "1: mov (%rax), %eax; out %eax, $0xf1; hlt");

/* RAX: first page, RCX: how many, RBX: what is in each. RDI stays at a wrong one. */
GUEST_CODE(tmem_round, 64,
	   "0: mov %rax, %rdi; mov %ecx, %edx; lea 1(%rbx), %esi;"
	   "1: cmp %ebx, (%rdi); jne 2f; mov %esi, (%rdi);"
	   "add $4096, %rdi; dec %edx; jnz 1b;"
	   "mov %esi, %ebx; out %eax, $0xf1; jmp 0b;"
	   "2: mov (%rdi), %edx; out %eax, $0xf2; hlt");

void *tmem_map(size_t size, size_t align)
{
	uint8_t *p = mmap(NULL, size + align, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint8_t *start;

	if (p == MAP_FAILED)
		return NULL;
	start = (uint8_t *)(((uintptr_t)p + align - 1) & ~(align - 1));
	if (start > p)
		munmap(p, start - p);
	munmap(start + size, p + align - start);
	return start;
}

/* The tables of TVM_LONG map the first 4 GiB. */
int tmem_create(struct tmem *t, void *mem, size_t size, uint32_t flags)
{
	int ret;

	memset(t, 0, sizeof(*t));
	t->vcpu.fd = -1;
	t->mem = mem;
	t->size = size;
	ret = tvm_create(&t->vm, TVM_MEM_SIZE);
	if (ret)
		return ret;
	ret = tvcpu_create(&t->vm, &t->vcpu, 0);
	if (!ret)
		ret = tvcpu_start(&t->vcpu, TVM_LONG, tmem_poke, tmem_poke_end);
	if (!ret && size)
		ret = tvm_set_slot(&t->vm, TMEM_SLOT, flags, TMEM_GPA, size, mem);
	if (ret)
		tmem_destroy(t);
	return ret;
}

void tmem_destroy(struct tmem *t)
{
	tvcpu_destroy(&t->vcpu);
	tvm_destroy(&t->vm);
}

static int set_code(struct tmem *t, const uint8_t *code, const uint8_t *end, uint64_t rax,
		    uint64_t rbx, uint64_t rcx)
{
	struct kvm_regs regs;
	int ret = tvm_ioctl(t->vcpu.fd, KVM_GET_REGS, &regs);

	if (ret)
		return ret;
	memcpy(t->vm.mem + TVM_CODE, code, end - code);
	regs.rip = TVM_CODE;
	regs.rax = rax;
	regs.rbx = rbx;
	regs.rcx = rcx;
	return tvm_ioctl(t->vcpu.fd, KVM_SET_REGS, &regs);
}

int tmem_prepare(struct tmem *t, uint64_t gpa, bool write, uint32_t value)
{
	return set_code(t, tmem_poke, tmem_poke_end, gpa, value, write);
}

static int64_t poke(struct tmem *t, uint64_t offset, bool write, uint32_t value)
{
	uint32_t result = 0;
	int ret = tmem_prepare(t, TMEM_GPA + offset, write, value);

	if (!ret)
		ret = tvcpu_run(&t->vcpu);
	if (!ret) {
		if (t->vcpu.run->exit_reason != KVM_EXIT_IO) {
			tvcpu_show(&t->vcpu);
			return -EPROTO;
		}
		memcpy(&result, (uint8_t *)t->vcpu.run + t->vcpu.run->io.data_offset, 4);
	}
	return ret ? ret : (int64_t)result;
}

int64_t tmem_read(struct tmem *t, uint64_t offset)
{
	return poke(t, offset, false, 0);
}

int64_t tmem_write(struct tmem *t, uint64_t offset, uint32_t value)
{
	return poke(t, offset, true, value);
}

/* ------------------------------------------------------------ going round */

static void say_wrong_page(struct tmem *t)
{
	struct kvm_regs regs = { 0 };

	tvm_ioctl(t->vcpu.fd, KVM_GET_REGS, &regs);
	printf("# the guest found %#llx, not %#llx, at offset %#llx in round %lu\n", regs.rdx,
	       regs.rbx, regs.rdi - TMEM_GPA, t->passes);
}

static void *run_rounds(void *arg)
{
	struct tmem *t = arg;
	const struct kvm_run *run = t->vcpu.run;

	t->tid = gettid();
	while (!t->error) {
		int ret = tvcpu_run(&t->vcpu);

		if (ret == -EFAULT) {
			t->refused++;
			if (t->stop)
				t->error = ret;
			usleep(100);
		} else if (ret) {
			t->error = ret;
		} else if (run->exit_reason != KVM_EXIT_IO || run->io.port == BAD_PORT) {
			if (run->exit_reason == KVM_EXIT_IO)
				say_wrong_page(t);
			else
				tvcpu_show(&t->vcpu);
			t->error = 1;
		} else {
			t->passes++;
			t->value++;
			if (t->stop)
				break;
		}
	}
	return NULL;
}

int tmem_start(struct tmem *t)
{
	int ret = set_code(t, tmem_round, tmem_round_end, TMEM_GPA, t->value,
			   t->size / TMEM_PAGE);

	if (ret)
		return ret;
	t->stop = false;
	t->error = 0;
	return -pthread_create(&t->thread, NULL, run_rounds, t);
}

int tmem_stop(struct tmem *t)
{
	t->stop = true;
	pthread_join(t->thread, NULL);
	return t->error;
}

bool tmem_rounds(struct tmem *t, unsigned long n)
{
	const unsigned long until = t->passes + n;
	time_t end = time(NULL) + PATIENCE;

	while (t->passes < until && !t->error && time(NULL) < end)
		usleep(1000);
	return t->passes >= until;
}

int tmem_wrong(struct tmem *t)
{
	size_t at;
	int n = 0;

	for (at = 0; at < t->size; at += TMEM_PAGE)
		n += *(volatile uint32_t *)(t->mem + at) != t->value;
	return n;
}

/* ------------------------------------------------------------------- the rest */

long tmem_major_faults(struct tmem *t)
{
	char path[64];
	long faults = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", t->tid);
	file = fopen(path, "re");
	if (!file)
		return -1;
	if (fscanf(file, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %ld", &faults) != 1)
		faults = -1;
	fclose(file);
	return faults;
}

uint64_t tmem_exits(struct tmem *t, const char *name)
{
	struct minivmm_stat_name row = { 0 };
	struct minivmm_stats stats;

	if (tvm_ioctl(t->vcpu.fd, MINIVMM_GET_STATS, &stats))
		return 0;
	for (row.index = 0; row.index < stats.nr; row.index++) {
		if (!tvm_ioctl(t->vm.sys, MINIVMM_GET_STAT_NAME, &row) && !strcmp(row.name, name))
			return stats.exits[row.index];
	}
	return 0;
}

bool tmem_echo(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done;

	if (fd < 0)
		return false;
	done = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return done;
}

long tmem_number(const char *path)
{
	FILE *file = fopen(path, "re");
	long n = -1;

	if (!file)
		return -1;
	if (fscanf(file, "%ld", &n) != 1)
		n = -1;
	fclose(file);
	return n;
}

bool tmem_long(void)
{
	const char *value = getenv("MINIVMM_LONG");

	return value && !strcmp(value, "1");
}
