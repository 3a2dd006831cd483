// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ELF vmlinux inside of a bzImage: the setup header says where the packed
 * kernel starts, its magic number says how it is packed.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <asm/bootparam.h>

#include "payload.h"
#include "userspace/boot/boot.h"

#define SECTOR		512u

static int read_file(const char *path, struct boot_blob *file)
{
	FILE *f = fopen(path, "re");
	long size = -1;

	if (!f)
		return -errno;
	if (!fseek(f, 0, SEEK_END))
		size = ftell(f);
	rewind(f);
	file->data = size > 0 ? malloc(size) : NULL;
	file->size = file->data ? fread(file->data, 1, size, f) : 0;
	fclose(f);
	return file->size ? 0 : -EIO;
}

int payload_extract(const char *path, struct boot_blob *vmlinux)
{
	struct boot_blob file = { 0 }, packed;
	struct setup_header hdr;
	uint64_t start;
	int ret;

	ret = read_file(path, &file);
	if (ret)
		goto out;
	ret = -EINVAL;
	if (file.size < offsetof(struct boot_params, hdr) + sizeof(hdr))
		goto out;
	memcpy(&hdr, file.data + offsetof(struct boot_params, hdr), sizeof(hdr));
	start = (uint64_t)(hdr.setup_sects + 1) * SECTOR + hdr.payload_offset;
	if (start > file.size || hdr.payload_length > file.size - start)
		goto out;
	packed = (struct boot_blob){ file.data + start, hdr.payload_length };
	ret = boot_decompress(&packed, vmlinux, BOOT_FILE_MAX);
out:
	free(file.data);
	return ret;
}
