// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest RAM: mapping it, and the checked accessors. The mapping is plain
 * private anonymous memory, so that the kernel's overcommit policy has its
 * say about sizes the host cannot hold, and pages appear when they are used.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "guest_mem.h"

#define HUGE_PAGE_SIZE 0x200000ull

/*
 * Map @size bytes at a multiple of 2 MiB: guest and host addresses then agree
 * modulo the huge page size, without which no huge page can be used.
 */
static void *map_aligned(uint64_t size)
{
	uint64_t skip, rest;
	uint8_t *p;

	/* Reserve more than is needed, unmap what is not. */
	p = mmap(NULL, size + HUGE_PAGE_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	skip = -(uintptr_t)p & (HUGE_PAGE_SIZE - 1);
	rest = HUGE_PAGE_SIZE - skip;
	if (skip)
		munmap(p, skip);
	p += skip;
	if (rest)
		munmap(p + size, rest);

	/* Only now is the memory asked for, and the overcommit policy with it. */
	if (mprotect(p, size, PROT_READ | PROT_WRITE)) {
		rest = errno;
		munmap(p, size);
		errno = rest;
		return NULL;
	}
	/* Huge pages are a wish: a kernel without them says EINVAL. */
	madvise(p, size, MADV_HUGEPAGE);
	return p;
}

static int add_region(struct guest_mem *mem, uint64_t gpa, uint64_t size)
{
	struct guest_mem_region *r = &mem->region[mem->nr_regions];
	void *p = map_aligned(size);

	if (!p)
		return -errno;

	r->gpa = gpa;
	r->size = size;
	r->host = p;
	mem->nr_regions++;
	mem->size += size;
	return 0;
}

int guest_mem_create(struct guest_mem *mem, uint64_t size, char *err, size_t errlen)
{
	uint64_t low = size < GUEST_MEM_HOLE_START ? size : GUEST_MEM_HOLE_START;
	int ret;

	memset(mem, 0, sizeof(*mem));
	if (size < GUEST_MEM_MIN_SIZE || size > GUEST_MEM_MAX_SIZE || size & 4095) {
		snprintf(err, errlen,
			 "cannot give the guest %llu bytes of memory: the size must be a multiple of 4 KiB between 2 MiB and 1 TiB; choose another with -m",
			 (unsigned long long)size);
		return -EINVAL;
	}

	ret = add_region(mem, 0, low);
	if (!ret && size > low)
		ret = add_region(mem, GUEST_MEM_HIGH_START, size - low);
	if (ret) {
		snprintf(err, errlen,
			 "cannot map %llu MiB of memory for the guest: %s; choose less with -m",
			 (unsigned long long)(size >> 20), strerror(-ret));
		guest_mem_destroy(mem);
	}
	return ret;
}

void guest_mem_destroy(struct guest_mem *mem)
{
	unsigned int i;

	for (i = 0; i < mem->nr_regions; i++)
		munmap(mem->region[i].host, mem->region[i].size);
	memset(mem, 0, sizeof(*mem));
}

void *guest_mem_ptr(const struct guest_mem *mem, uint64_t gpa, uint64_t len)
{
	unsigned int i;

	for (i = 0; i < mem->nr_regions; i++) {
		const struct guest_mem_region *r = &mem->region[i];
		uint64_t off;

		if (gpa < r->gpa)
			continue;
		off = gpa - r->gpa;
		/* Subtract, never add: gpa + len may wrap. */
		if (off < r->size && len <= r->size - off)
			return r->host + off;
	}
	return NULL;
}

int guest_mem_write(const struct guest_mem *mem, uint64_t gpa, const void *src, uint64_t len)
{
	void *p = guest_mem_ptr(mem, gpa, len);

	if (!p)
		return -EFAULT;
	memcpy(p, src, len);
	return 0;
}

int guest_mem_read(const struct guest_mem *mem, uint64_t gpa, void *dst, uint64_t len)
{
	const void *p = guest_mem_ptr(mem, gpa, len);

	if (!p)
		return -EFAULT;
	memcpy(dst, p, len);
	return 0;
}

int guest_mem_zero(const struct guest_mem *mem, uint64_t gpa, uint64_t len)
{
	void *p = guest_mem_ptr(mem, gpa, len);

	if (!p)
		return -EFAULT;
	memset(p, 0, len);
	return 0;
}
