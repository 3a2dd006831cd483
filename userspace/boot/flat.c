// SPDX-License-Identifier: GPL-2.0-only
/*
 * Flat binaries: copied to 0000:7C00 and started there in real mode, as a
 * boot sector would be. No tables, no command line: a bare machine.
 */
#include <errno.h>

#include "loader.h"

int boot_load_flat(struct boot_ctx *ctx)
{
	const struct boot_source *data = &ctx->img->data;
	int ret;

	if (ctx->img->initrd.size)
		return boot_fail(ctx, EINVAL,
				 "%s is neither a bzImage nor an ELF file, and a flat binary takes no initrd; check the image or leave -i out",
				 ctx->img->name);
	if (data->size > BOOT_LOW_RAM_END - BOOT_FLAT_ADDR)
		return boot_fail(ctx, EFBIG,
				 "%s is neither a bzImage nor an ELF file, and its %zu KiB are too many for a flat binary (%u KiB); check that it is a kernel",
				 ctx->img->name, data->size >> 10,
				 (BOOT_LOW_RAM_END - BOOT_FLAT_ADDR) >> 10);
	ret = boot_claim(ctx, BOOT_FLAT_ADDR, data->size, "the binary");
	if (!ret)
		ret = boot_copy(ctx, ctx->img->name, data, 0, BOOT_FLAT_ADDR, data->size);
	if (ret)
		return ret;
	ctx->out->kind = BOOT_KIND_FLAT;
	boot_state_real(ctx->out, BOOT_FLAT_ADDR);
	return 0;
}
