// SPDX-License-Identifier: GPL-2.0-only
/*
 * The zero page (struct boot_params) of the Linux/x86 boot protocol: what the
 * 64-bit entry of a kernel finds at RSI. Command line, initrd and ACPI tables
 * are in guest memory before this is called.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <asm/bootparam.h>

#include "loader.h"

#define LOADER_UNDEFINED	0xff	/* type_of_loader without an assigned id */
#define PROTOCOL_2_15		0x020f
#define HDRS_MAGIC		0x53726448	/* "HdrS" */
#define BOOT_FLAG		0xaa55
#define VGA_NORMAL		0xffff

_Static_assert(sizeof(struct boot_params) == BOOT_PAGE,
	       "the zero page is one page");

/* A vmlinux has no setup header: tell the kernel what its loader would. */
static void default_header(struct setup_header *hdr)
{
	hdr->boot_flag = BOOT_FLAG;
	hdr->header = HDRS_MAGIC;
	hdr->version = PROTOCOL_2_15;
	hdr->loadflags = LOADED_HIGH;
	hdr->initrd_addr_max = 0x7fffffff;
	hdr->kernel_alignment = 0x200000;
	hdr->cmdline_size = BOOT_CMDLINE_MAX;
}

/**
 * boot_zero_page() - write the zero page
 * @ctx: the load in progress
 * @setup_header: the image's own header from 0x1f1 on, or NULL
 * @len: its length, at most sizeof(struct setup_header)
 */
int boot_zero_page(struct boot_ctx *ctx, const uint8_t *setup_header,
		   size_t len)
{
	struct boot_params *bp = boot_claimed_ptr(ctx, BOOT_ZERO_PAGE_ADDR,
						  sizeof(*bp));
	struct boot_e820 map[BOOT_E820_MAX];
	unsigned int n = boot_e820_fill(ctx->mem, map);

	if (!bp)
		return -EFAULT;
	memset(bp, 0, sizeof(*bp));
	if (setup_header && len <= sizeof(bp->hdr))
		memcpy(&bp->hdr, setup_header, len);
	else
		default_header(&bp->hdr);

	bp->hdr.vid_mode = VGA_NORMAL;
	bp->hdr.type_of_loader = LOADER_UNDEFINED;
	bp->hdr.loadflags &= ~(CAN_USE_HEAP | KASLR_FLAG);
	bp->hdr.setup_data = 0;
	bp->hdr.hardware_subarch = 0;
	bp->hdr.cmd_line_ptr = BOOT_CMDLINE_ADDR;
	bp->hdr.ramdisk_image = ctx->initrd_addr;
	bp->hdr.ramdisk_size = ctx->initrd_addr ? ctx->img->initrd.size : 0;
	bp->acpi_rsdp_addr = ctx->rsdp;
	for (unsigned int i = 0; i < n; i++) {
		bp->e820_table[i].addr = map[i].addr;
		bp->e820_table[i].size = map[i].size;
		bp->e820_table[i].type = map[i].type;
	}
	bp->e820_entries = n;
	return 0;
}
