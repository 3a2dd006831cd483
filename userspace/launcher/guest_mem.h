/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's RAM as the launcher sees it, and the one checked way from a
 * guest physical address to a pointer.
 *
 * RAM is one region from 0 up to the 3 GiB hole and, beyond that size, a
 * second one from 4 GiB up. Every loader and device reaches guest memory
 * through guest_mem_ptr() or the copy helpers built on it; nothing else adds
 * a guest address to a host pointer.
 */
#ifndef LAUNCHER_GUEST_MEM_H
#define LAUNCHER_GUEST_MEM_H

#include <stddef.h>
#include <stdint.h>

#define GUEST_MEM_HOLE_START	0xc0000000ull	/* 3 GiB: RAM below ends here */
#define GUEST_MEM_HIGH_START	0x100000000ull	/* 4 GiB: RAM goes on here */
#define GUEST_MEM_MIN_SIZE	0x200000ull	/* room for tables and an image */
#define GUEST_MEM_MAX_SIZE	0x10000000000ull	/* 1 TiB */
#define GUEST_MEM_MAX_REGIONS	2

struct guest_mem_region {
	uint64_t gpa;
	uint64_t size;
	uint8_t *host;
};

struct guest_mem {
	uint64_t size;			/* sum over the regions */
	unsigned int nr_regions;
	struct guest_mem_region region[GUEST_MEM_MAX_REGIONS];
};

/**
 * guest_mem_create - map zeroed anonymous memory for a guest
 * @mem: filled in; all zero after a failure
 * @size: bytes of RAM, a multiple of 4096
 * @err: receives a sentence on failure
 * @errlen: its size
 *
 * Return: 0 or -errno.
 */
int guest_mem_create(struct guest_mem *mem, uint64_t size, char *err, size_t errlen);

/* Unmap it all; harmless on a struct that is all zero. */
void guest_mem_destroy(struct guest_mem *mem);

/**
 * guest_mem_ptr - host pointer to a range of guest RAM
 * @mem: the guest's memory
 * @gpa: first guest physical address
 * @len: bytes that the caller will touch
 *
 * Return: the pointer, or NULL unless all of [@gpa, @gpa + @len) lies inside
 * one RAM region. A length of 0 asks for a valid @gpa alone.
 */
void *guest_mem_ptr(const struct guest_mem *mem, uint64_t gpa, uint64_t len);

/* Copies and fill through guest_mem_ptr(); 0, or -EFAULT and nothing done. */
int guest_mem_write(const struct guest_mem *mem, uint64_t gpa, const void *src, uint64_t len);
int guest_mem_read(const struct guest_mem *mem, uint64_t gpa, void *dst, uint64_t len);
int guest_mem_zero(const struct guest_mem *mem, uint64_t gpa, uint64_t len);

#endif
