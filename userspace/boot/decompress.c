// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unpacking of compressed kernels: gzip, zstd, xz and both forms of lz4.
 *
 * The format is told by its magic number. Input is hostile: output grows as
 * the data asks for it, up to a maximum, and the libraries do the
 * checking. One stream is unpacked and what follows it is ignored, because
 * the payload of a bzImage has its unpacked size appended. The files that
 * hold an image read and the tools that extract one call this.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <lz4.h>
#include <lz4frame.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "decompress.h"

#define LZ4_LEGACY_BLOCK	(8u << 20)	/* unpacked, at most */
#define XZ_MEMORY_MAX		(512ull << 20)
#define FIRST_GUESS		(1u << 20)

/* Each unpacker: 0, -EINVAL damaged, -ENODATA truncated, -EFBIG, -ENOMEM. */
struct unpacker {
	const char *name;
	const char *magic;
	size_t magic_len;
	int (*unpack)(const struct boot_blob *in, struct boot_blob *out,
		      size_t max);
};

/*
 * Make room for more output and say how much; *room 0 never happens. There is
 * a byte beyond the maximum, so that a stream that fills it to the last byte
 * still gets to say that it has ended.
 */
static int out_room(struct boot_blob *out, size_t max, size_t *cap,
		    size_t *room)
{
	if (out->size == *cap) {
		size_t want = *cap ? *cap * 2 : FIRST_GUESS;
		uint8_t *data;

		if (want > max + 1)
			want = max + 1;
		if (out->size == want)
			return -EFBIG;
		data = realloc(out->data, want);
		if (!data)
			return -ENOMEM;
		out->data = data;
		*cap = want;
	}
	*room = *cap - out->size;
	return 0;
}

static int unpack_gzip(const struct boot_blob *in, struct boot_blob *out,
		       size_t max)
{
	z_stream zs = {
		.next_in = in->data,
		.avail_in = in->size,
	};
	size_t cap = 0, room;
	int ret, z;

	/* 16 on top of the window bits: a gzip header is expected. */
	if (inflateInit2(&zs, 16 + MAX_WBITS) != Z_OK)
		return -ENOMEM;
	do {
		ret = out_room(out, max, &cap, &room);
		if (ret)
			break;
		zs.next_out = out->data + out->size;
		zs.avail_out = room;
		z = inflate(&zs, Z_NO_FLUSH);
		out->size += room - zs.avail_out;
		if (z == Z_BUF_ERROR || (z == Z_OK && !zs.avail_in && zs.avail_out))
			ret = -ENODATA;
		else if (z != Z_OK && z != Z_STREAM_END)
			ret = z == Z_MEM_ERROR ? -ENOMEM : -EINVAL;
	} while (!ret && z != Z_STREAM_END);
	inflateEnd(&zs);
	return ret;
}

static int unpack_zstd(const struct boot_blob *in, struct boot_blob *out,
		       size_t max)
{
	ZSTD_DStream *ds = ZSTD_createDStream();
	ZSTD_inBuffer src = { in->data, in->size, 0 };
	size_t cap = 0, room, left = 1;
	int ret = 0;

	if (!ds)
		return -ENOMEM;
	while (!ret && left) {
		ZSTD_outBuffer dst;

		ret = out_room(out, max, &cap, &room);
		if (ret)
			break;
		dst = (ZSTD_outBuffer){ out->data + out->size, room, 0 };
		left = ZSTD_decompressStream(ds, &dst, &src);
		out->size += ZSTD_isError(left) ? 0 : dst.pos;
		if (ZSTD_isError(left))
			ret = -EINVAL;
		else if (left && src.pos == src.size && dst.pos < dst.size)
			ret = -ENODATA;
	}
	ZSTD_freeDStream(ds);
	return ret;
}

static int unpack_xz(const struct boot_blob *in, struct boot_blob *out,
		     size_t max)
{
	lzma_stream ls = LZMA_STREAM_INIT;
	size_t cap = 0, room;
	lzma_ret lz;
	int ret;

	if (lzma_stream_decoder(&ls, XZ_MEMORY_MAX, 0) != LZMA_OK)
		return -ENOMEM;
	ls.next_in = in->data;
	ls.avail_in = in->size;
	do {
		ret = out_room(out, max, &cap, &room);
		if (ret)
			break;
		ls.next_out = out->data + out->size;
		ls.avail_out = room;
		lz = lzma_code(&ls, LZMA_RUN);
		out->size += room - ls.avail_out;
		if (lz == LZMA_BUF_ERROR ||
		    (lz == LZMA_OK && !ls.avail_in && ls.avail_out))
			ret = -ENODATA;
		else if (lz == LZMA_MEM_ERROR || lz == LZMA_MEMLIMIT_ERROR)
			ret = -ENOMEM;
		else if (lz != LZMA_OK && lz != LZMA_STREAM_END)
			ret = -EINVAL;
	} while (!ret && lz != LZMA_STREAM_END);
	lzma_end(&ls);
	return ret;
}

static int unpack_lz4_frame(const struct boot_blob *in, struct boot_blob *out,
			    size_t max)
{
	size_t cap = 0, room, pos = 0, hint = 1;
	LZ4F_dctx *dctx;
	int ret = 0;

	if (LZ4F_isError(LZ4F_createDecompressionContext(&dctx, LZ4F_VERSION)))
		return -ENOMEM;
	while (!ret && hint) {
		size_t src_len = in->size - pos;

		ret = out_room(out, max, &cap, &room);
		if (ret)
			break;
		hint = LZ4F_decompress(dctx, out->data + out->size, &room,
				       in->data + pos, &src_len, NULL);
		if (LZ4F_isError(hint)) {
			ret = -EINVAL;
			break;
		}
		out->size += room;
		pos += src_len;
		if (hint && !room && !src_len)
			ret = -ENODATA;
	}
	LZ4F_freeDecompressionContext(dctx);
	return ret;
}

static uint32_t get_le32(const uint8_t *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

/*
 * The legacy form, which kernels are packed in: after the magic number, blocks
 * of a 32-bit packed size and the data, each at most 8 MiB unpacked, with
 * nothing to mark the end but the end of the file. A last word that no data
 * follows is the unpacked size a bzImage appends.
 */
static int unpack_lz4_legacy(const struct boot_blob *in, struct boot_blob *out,
			     size_t max)
{
	size_t pos = 4, cap = 0;

	while (in->size - pos > 4) {
		uint32_t len = get_le32(in->data + pos);
		uint8_t *data;
		int n;

		pos += 4;
		if (len > (uint32_t)LZ4_compressBound(LZ4_LEGACY_BLOCK))
			return -EINVAL;
		if (len > in->size - pos)
			return -ENODATA;
		if (out->size + LZ4_LEGACY_BLOCK > cap) {
			cap = (out->size + LZ4_LEGACY_BLOCK) * 2;
			data = realloc(out->data, cap);
			if (!data)
				return -ENOMEM;
			out->data = data;
		}
		n = LZ4_decompress_safe((const char *)in->data + pos,
					(char *)out->data + out->size,
					len, LZ4_LEGACY_BLOCK);
		if (n < 0)
			return -EINVAL;
		if ((size_t)n > max - out->size)
			return -EFBIG;
		out->size += n;
		pos += len;
	}
	return 0;
}

static const struct unpacker unpackers[] = {
	{ "gzip", "\x1f\x8b", 2, unpack_gzip },
	{ "zstd", "\x28\xb5\x2f\xfd", 4, unpack_zstd },
	{ "xz", "\3757zXZ\0", 6, unpack_xz },
	{ "lz4", "\x04\x22\x4d\x18", 4, unpack_lz4_frame },
	{ "lz4", "\x02\x21\x4c\x18", 4, unpack_lz4_legacy },
	{ "bzip2", "BZh", 3, NULL },
	{ "lzma", "\x5d\0\0", 3, NULL },
	{ "lzop", "\x89LZO", 4, NULL },
};

static const struct unpacker *find_unpacker(const struct boot_blob *in)
{
	for (size_t i = 0; i < sizeof(unpackers) / sizeof(unpackers[0]); i++) {
		const struct unpacker *u = &unpackers[i];

		if (in->size >= u->magic_len &&
		    !memcmp(in->data, u->magic, u->magic_len))
			return u;
	}
	return NULL;
}

const char *boot_compression(const struct boot_blob *in)
{
	const struct unpacker *u = find_unpacker(in);

	return u ? u->name : NULL;
}

int boot_decompress(const struct boot_blob *in, struct boot_blob *out,
		    size_t max)
{
	const struct unpacker *u = find_unpacker(in);
	int ret;

	*out = (struct boot_blob){ 0 };
	if (!u || !u->unpack)
		return -EOPNOTSUPP;
	ret = u->unpack(in, out, max);
	if (!ret && out->size > max)
		ret = -EFBIG;
	if (ret) {
		free(out->data);
		*out = (struct boot_blob){ 0 };
	}
	return ret;
}
