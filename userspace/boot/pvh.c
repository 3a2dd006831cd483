// SPDX-License-Identifier: GPL-2.0-only
/*
 * The start information of the PVH boot protocol: what a kernel entered
 * through its PVH note finds at EBX. Version 1 of the structure, with the
 * memory map; the initrd is the one module.
 */
#include <errno.h>
#include <string.h>

#include "loader.h"

#define PVH_MAGIC	0x336ec578u	/* "xEn3", the E with bit 7 set */
#define PVH_VERSION	1

struct pvh_start_info {
	uint32_t magic;
	uint32_t version;
	uint32_t flags;
	uint32_t nr_modules;
	uint64_t modlist_paddr;
	uint64_t cmdline_paddr;
	uint64_t rsdp_paddr;
	uint64_t memmap_paddr;
	uint32_t memmap_entries;
	uint32_t reserved;
};

struct pvh_module {
	uint64_t paddr;
	uint64_t size;
	uint64_t cmdline_paddr;
	uint64_t reserved;
};

struct pvh_memmap_entry {
	uint64_t addr;
	uint64_t size;
	uint32_t type;
	uint32_t reserved;
};

/* All of it in one page, so that one claim covers it. */
struct pvh_page {
	struct pvh_start_info info;
	struct pvh_module initrd;
	struct pvh_memmap_entry map[BOOT_E820_MAX];
};

_Static_assert(sizeof(struct pvh_start_info) == 56, "start info, version 1");
_Static_assert(sizeof(struct pvh_module) == 32, "module entry");
_Static_assert(sizeof(struct pvh_memmap_entry) == 24, "memory map entry");
_Static_assert(sizeof(struct pvh_page) <= BOOT_PAGE, "one page is claimed");

/**
 * boot_pvh_info() - write the start information at BOOT_PVH_INFO_ADDR
 * @ctx: the load in progress
 */
int boot_pvh_info(struct boot_ctx *ctx)
{
	struct pvh_page *page = boot_claimed_ptr(ctx, BOOT_PVH_INFO_ADDR,
						 sizeof(*page));
	struct boot_e820 map[BOOT_E820_MAX];
	unsigned int n = boot_e820_fill(ctx->mem, map);

	if (!page)
		return -EFAULT;
	memset(page, 0, sizeof(*page));
	page->info = (struct pvh_start_info){
		.magic = PVH_MAGIC,
		.version = PVH_VERSION,
		.cmdline_paddr = BOOT_CMDLINE_ADDR,
		.rsdp_paddr = ctx->rsdp,
		.memmap_paddr = BOOT_PVH_INFO_ADDR +
				offsetof(struct pvh_page, map),
		.memmap_entries = n,
	};
	if (ctx->initrd_addr) {
		page->info.nr_modules = 1;
		page->info.modlist_paddr = BOOT_PVH_INFO_ADDR +
					   offsetof(struct pvh_page, initrd);
		page->initrd.paddr = ctx->initrd_addr;
		page->initrd.size = ctx->img->initrd.size;
	}
	for (unsigned int i = 0; i < n; i++)
		page->map[i] = (struct pvh_memmap_entry){
			map[i].addr, map[i].size, map[i].type, 0
		};
	return 0;
}
