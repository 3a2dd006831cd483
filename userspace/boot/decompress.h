/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Unpacking of compressed images; see decompress.c.
 */
#ifndef MVM_BOOT_DECOMPRESS_H
#define MVM_BOOT_DECOMPRESS_H

#include <stddef.h>
#include <stdint.h>

/* Bytes on the heap; data may be NULL when size is 0. */
struct boot_blob {
	uint8_t *data;
	size_t size;
};

/**
 * boot_compression() - name the compression of some bytes
 * @in: the bytes
 *
 * Return: its name, also of a format that cannot be unpacked; NULL for none.
 */
const char *boot_compression(const struct boot_blob *in);

/**
 * boot_decompress() - unpack one stream
 * @in: what boot_compression() has a name for
 * @out: receives the result, to be freed by the caller
 * @max: the most bytes to unpack
 *
 * Return: 0; -EOPNOTSUPP unknown format, -EINVAL damaged, -ENODATA truncated,
 * -EFBIG more than @max unpacked, -ENOMEM.
 */
int boot_decompress(const struct boot_blob *in, struct boot_blob *out,
		    size_t max);

#endif /* MVM_BOOT_DECOMPRESS_H */
