// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who gets which guest addresses: claims, and the pieces every kernel needs
 * (ACPI tables, command line, initrd, the memory map).
 *
 * Guest memory is written only after boot_claim() has found the range inside
 * of RAM and free; boot_claimed_ptr() then yields the pointer, through the
 * checked accessor of guest_mem.h.
 */
#include <errno.h>
#include <string.h>

#include "loader.h"

/**
 * boot_low_ram_top() - end of the RAM that starts at 0
 * @mem: guest memory
 */
uint64_t boot_low_ram_top(const struct guest_mem *mem)
{
	return mem->size < GUEST_MEM_HOLE_START ? mem->size :
						  GUEST_MEM_HOLE_START;
}

/**
 * boot_claim() - reserve a range of guest memory
 * @ctx: the load in progress
 * @start: first guest address
 * @len: bytes, not 0
 * @what: what goes there, in words that stay valid during the load
 *
 * Return: 0, or -errno with a sentence when it is outside of RAM or taken.
 */
int boot_claim(struct boot_ctx *ctx, uint64_t start, uint64_t len,
	       const char *what)
{
	uint64_t end = start + len;
	struct boot_claim *c;

	if (!len || end < start || !guest_mem_ptr(ctx->mem, start, len))
		return boot_fail(ctx, EFAULT,
				 "%s: %s needs guest addresses 0x%llx to 0x%llx, which are not all RAM with %llu MiB; give the guest more memory with -m or check the image",
				 ctx->img->name, what, (unsigned long long)start,
				 (unsigned long long)(end - 1),
				 (unsigned long long)ctx->mem->size >> 20);
	for (unsigned int i = 0; i < ctx->nr_claims; i++) {
		c = &ctx->claim[i];
		if (start < c->end && c->start < end)
			return boot_fail(ctx, EEXIST,
					 "%s: %s at 0x%llx to 0x%llx overlaps %s at 0x%llx to 0x%llx; link the image to other addresses",
					 ctx->img->name, what,
					 (unsigned long long)start,
					 (unsigned long long)(end - 1), c->what,
					 (unsigned long long)c->start,
					 (unsigned long long)(c->end - 1));
	}
	if (ctx->nr_claims == BOOT_MAX_CLAIMS)
		return boot_fail(ctx, E2BIG,
				 "%s has too many segments; link it with fewer",
				 ctx->img->name);
	ctx->claim[ctx->nr_claims++] = (struct boot_claim){ start, end, what };
	return 0;
}

/**
 * boot_claimed_ptr() - pointer to memory inside of a claimed range
 * @ctx: the load in progress
 * @start: first guest address
 * @len: bytes
 *
 * Return: the pointer, NULL when the range is not part of one claim.
 */
void *boot_claimed_ptr(struct boot_ctx *ctx, uint64_t start, uint64_t len)
{
	for (unsigned int i = 0; i < ctx->nr_claims; i++) {
		const struct boot_claim *c = &ctx->claim[i];

		if (start >= c->start && start <= c->end && len <= c->end - start)
			return guest_mem_ptr(ctx->mem, start, len);
	}
	return NULL;
}

/**
 * boot_copy() - copy a part of an image into a claimed range
 * @ctx: the load in progress
 * @name: the image's, for sentences
 * @src: the image
 * @off: where the part starts in it
 * @gpa: where it goes
 * @len: bytes
 *
 * Return: 0, or -errno with a sentence.
 */
int boot_copy(struct boot_ctx *ctx, const char *name, const struct boot_source *src, uint64_t off,
	      uint64_t gpa, uint64_t len)
{
	void *dst = boot_claimed_ptr(ctx, gpa, len);
	int ret = dst ? boot_source_read(src, off, dst, len) : -EFAULT;

	switch (ret) {
	case 0:
		return 0;
	case -ENODATA:
		return boot_fail(ctx, EINVAL,
				 "%s is truncated: a part of it ends at byte %llu of %zu; copy or build it again",
				 name, (unsigned long long)(off + len), src->size);
	case -ESTALE:
		return boot_fail(ctx, ESTALE,
				 "%s was written to since it was opened; start minivmm again for the new one",
				 name);
	default:
		return boot_fail(ctx, -ret, "cannot read %s: %s; check the file and its disk", name,
				 strerror(-ret));
	}
}

/**
 * boot_place_tables() - claim the boot block, write the ACPI tables
 * @ctx: the load in progress
 */
int boot_place_tables(struct boot_ctx *ctx)
{
	int ret;

	ret = boot_claim(ctx, BOOT_BLOCK_START,
			 BOOT_BLOCK_END - BOOT_BLOCK_START,
			 "the loader's own block");
	if (!ret)
		ret = boot_claim(ctx, BOOT_ACPI_ADDR, BOOT_ACPI_SIZE,
				 "the area of the ACPI tables");
	if (ret)
		return ret;
	ctx->rsdp = boot_acpi_write(ctx->mem, ctx->in->nr_cpus);
	if (!ctx->rsdp)
		return boot_fail(ctx, ENOSPC,
				 "the ACPI tables for %u CPUs do not fit; ask for fewer",
				 ctx->in->nr_cpus);
	return 0;
}

/**
 * boot_place_cmdline() - write the command line into its page
 * @ctx: the load in progress
 * @max: characters the kernel takes
 */
int boot_place_cmdline(struct boot_ctx *ctx, uint32_t max)
{
	const char *cmdline = ctx->in->cmdline ? ctx->in->cmdline : "";
	size_t len = strlen(cmdline);
	char *dst;

	if (max > BOOT_PAGE - 1)
		max = BOOT_PAGE - 1;
	if (len > max)
		return boot_fail(ctx, E2BIG,
				 "the command line has %zu characters and %s takes %u; shorten it",
				 len, ctx->img->name, max);
	dst = boot_claimed_ptr(ctx, BOOT_CMDLINE_ADDR, BOOT_PAGE);
	if (!dst)
		return -EFAULT;
	memcpy(dst, cmdline, len + 1);
	return 0;
}

/* The highest free, page-aligned start for @len bytes that end by @top; or 0. */
static uint64_t find_below(const struct boot_ctx *ctx, uint64_t top, uint64_t len)
{
	unsigned int i = 0;

	while (i < ctx->nr_claims) {
		const struct boot_claim *c = &ctx->claim[i];
		uint64_t start;

		if (top < len + BOOT_HIGH_RAM_START)
			return 0;
		start = (top - len) & ~(uint64_t)(BOOT_PAGE - 1);
		if (start < c->end && c->start < start + len) {
			top = c->start;
			i = 0;
		} else {
			i++;
		}
	}
	return top < len + BOOT_HIGH_RAM_START ? 0 :
		(top - len) & ~(uint64_t)(BOOT_PAGE - 1);
}

/**
 * boot_place_initrd() - copy the initrd as high as it may go
 * @ctx: the load in progress; the kernel has its claims already
 * @max_addr: the last address the kernel accepts
 */
int boot_place_initrd(struct boot_ctx *ctx, uint64_t max_addr)
{
	const struct boot_source *initrd = &ctx->img->initrd;
	uint64_t top = boot_low_ram_top(ctx->mem);
	uint64_t addr;
	int ret;

	if (!initrd->size)
		return 0;
	if (max_addr < top)
		top = max_addr + 1;
	addr = find_below(ctx, top, initrd->size);
	if (!addr)
		return boot_fail(ctx, ENOSPC,
				 "the initrd %s (%zu KiB) does not fit beside the kernel in %llu MiB; give the guest more memory with -m",
				 ctx->img->initrd_name, initrd->size >> 10,
				 (unsigned long long)ctx->mem->size >> 20);
	ret = boot_claim(ctx, addr, initrd->size, "the initrd");
	if (!ret)
		ret = boot_copy(ctx, ctx->img->initrd_name, initrd, 0, addr, initrd->size);
	if (!ret)
		ctx->initrd_addr = addr;
	return ret;
}

/**
 * boot_e820_fill() - the memory map
 * @mem: guest memory
 * @table: receives it, in order of address
 *
 * Return: the number of entries.
 */
unsigned int boot_e820_fill(const struct guest_mem *mem,
			    struct boot_e820 table[BOOT_E820_MAX])
{
	uint64_t top = boot_low_ram_top(mem);
	unsigned int n = 0;

	table[n++] = (struct boot_e820){ 0, BOOT_LOW_RAM_END, BOOT_E820_RAM };
	table[n++] = (struct boot_e820){
		BOOT_LOW_RAM_END, BOOT_HIGH_RAM_START - BOOT_LOW_RAM_END,
		BOOT_E820_RESERVED
	};
	if (top > BOOT_HIGH_RAM_START)
		table[n++] = (struct boot_e820){
			BOOT_HIGH_RAM_START, top - BOOT_HIGH_RAM_START,
			BOOT_E820_RAM
		};
	if (mem->size > top)
		table[n++] = (struct boot_e820){
			GUEST_MEM_HIGH_START, mem->size - top, BOOT_E820_RAM
		};
	return n;
}
