// SPDX-License-Identifier: GPL-2.0-only
/*
 * bzImage: a Linux kernel with its decompressor, started by the 64-bit entry
 * of the Linux/x86 boot protocol (2.12 and newer). The real-mode part of the
 * file is not run; its setup header says how to place the rest.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <asm/bootparam.h>

#include "loader.h"

#define HEADER_OFFSET		0x1f1
#define HEADER_JUMP_END		0x202	/* the header's length counts from here */
#define MAGIC_OFFSET		0x202
#define MAGIC			"HdrS"
#define SECTOR			512u
#define DEFAULT_SETUP_SECTS	4	/* what a count of 0 means */
#define PROTOCOL_2_12		0x020c
#define ENTRY64_OFFSET		0x200
#define SYSSIZE_UNIT		16u

_Static_assert(offsetof(struct boot_params, hdr) == HEADER_OFFSET,
	       "the setup header's place in the zero page and in the file");

/* What the header says, checked against the file. */
struct bzimage {
	struct setup_header hdr;
	size_t hdr_len;
	uint64_t kernel_off;	/* the protected-mode part, in the file */
	uint64_t kernel_len;
	uint64_t init_size;	/* memory it needs from its load address on */
};

_Static_assert(HEADER_OFFSET + sizeof(struct setup_header) <= BOOT_HEAD_MAX,
	       "the setup header is in the image's head");

bool boot_is_bzimage(const uint8_t head[BOOT_HEAD_MAX])
{
	return !memcmp(head + MAGIC_OFFSET, MAGIC, 4) && head[0x1fe] == 0x55 &&
	       head[0x1ff] == 0xaa;
}

static int parse(struct boot_ctx *ctx, struct bzimage *bz)
{
	const struct boot_source *data = &ctx->img->data;
	uint64_t setup, jump_end;

	if (data->size < HEADER_OFFSET + sizeof(bz->hdr))
		goto truncated;
	memcpy(&bz->hdr, ctx->img->head + HEADER_OFFSET, sizeof(bz->hdr));

	/* The second byte of the jump tells where this version's header ends. */
	jump_end = HEADER_JUMP_END + (bz->hdr.jump >> 8);
	bz->hdr_len = jump_end - HEADER_OFFSET;
	if (bz->hdr_len > sizeof(bz->hdr))
		bz->hdr_len = sizeof(bz->hdr);

	if (bz->hdr.version < PROTOCOL_2_12 ||
	    bz->hdr_len < offsetof(struct setup_header, handover_offset) ||
	    !(bz->hdr.xloadflags & XLF_KERNEL_64))
		return boot_fail(ctx, EOPNOTSUPP,
				 "%s has no 64-bit entry (boot protocol %u.%02u); use a 64-bit kernel of Linux 3.8 or newer",
				 ctx->img->name, bz->hdr.version >> 8,
				 bz->hdr.version & 0xff);
	if (!(bz->hdr.loadflags & LOADED_HIGH))
		return boot_fail(ctx, EOPNOTSUPP,
				 "%s is a zImage, loaded low; use a bzImage",
				 ctx->img->name);

	setup = bz->hdr.setup_sects ? bz->hdr.setup_sects : DEFAULT_SETUP_SECTS;
	setup = (setup + 1) * SECTOR;
	bz->kernel_len = (uint64_t)bz->hdr.syssize * SYSSIZE_UNIT;
	if (!bz->kernel_len || bz->kernel_len <= ENTRY64_OFFSET)
		return boot_fail(ctx, EINVAL,
				 "%s has a bad header: its kernel is %llu bytes long; rebuild or download it again",
				 ctx->img->name,
				 (unsigned long long)bz->kernel_len);
	/* The size is rounded up to 16 bytes and may pass the end that much. */
	if (data->size < setup || data->size - setup + SYSSIZE_UNIT <= bz->kernel_len)
		goto truncated;
	if (bz->kernel_len > data->size - setup)
		bz->kernel_len = data->size - setup;
	bz->kernel_off = setup;
	bz->init_size = bz->hdr.init_size > bz->kernel_len ?
			bz->hdr.init_size : bz->kernel_len;
	return 0;

truncated:
	return boot_fail(ctx, EINVAL,
			 "%s is truncated: its header promises more than the %zu bytes it has; copy or download it again",
			 ctx->img->name, data->size);
}

/* The preferred address if it fits, else the lowest one allowed. */
static int choose_address(struct boot_ctx *ctx, const struct bzimage *bz,
			  uint64_t *addr)
{
	uint64_t top = boot_low_ram_top(ctx->mem);
	uint64_t align = bz->hdr.kernel_alignment;

	*addr = bz->hdr.pref_address;
	if (*addr >= BOOT_HIGH_RAM_START && *addr <= top &&
	    top - *addr >= bz->init_size)
		return 0;
	if (bz->hdr.relocatable_kernel && align && !(align & (align - 1))) {
		*addr = (BOOT_HIGH_RAM_START + align - 1) & ~(align - 1);
		if (*addr <= top && top - *addr >= bz->init_size)
			return 0;
	}
	return boot_fail(ctx, ENOSPC,
			 "%s needs %llu MiB from 0x%llx on and the guest has %llu MiB in all; give it more memory with -m",
			 ctx->img->name,
			 (unsigned long long)(bz->init_size + 0xfffff) >> 20,
			 (unsigned long long)*addr,
			 (unsigned long long)ctx->mem->size >> 20);
}

int boot_load_bzimage(struct boot_ctx *ctx)
{
	struct bzimage bz = { 0 };
	uint64_t addr;
	int ret;

	ret = parse(ctx, &bz);
	if (!ret)
		ret = choose_address(ctx, &bz, &addr);
	if (!ret)
		ret = boot_claim(ctx, addr, bz.init_size, "the kernel");
	if (!ret)
		ret = boot_place_tables(ctx);
	if (!ret)
		ret = boot_place_cmdline(ctx, bz.hdr.cmdline_size);
	if (!ret)
		ret = boot_place_initrd(ctx, bz.hdr.initrd_addr_max);
	if (!ret)
		ret = boot_copy(ctx, ctx->img->name, &ctx->img->data, bz.kernel_off, addr,
				bz.kernel_len);
	if (!ret)
		ret = boot_zero_page(ctx, (const uint8_t *)&bz.hdr, bz.hdr_len);
	if (ret)
		return ret;

	ctx->out->kind = BOOT_KIND_BZIMAGE;
	ret = boot_state_long(ctx, addr + ENTRY64_OFFSET);
	ctx->out->regs.rsi = BOOT_ZERO_PAGE_ADDR;
	return ret;
}
