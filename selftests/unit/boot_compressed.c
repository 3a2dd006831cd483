// SPDX-License-Identifier: GPL-2.0-only
/*
 * Compressed kernels: each format gives the kernel back, with the size word a
 * bzImage's payload carries as well; damage and truncation are refused.
 */
#include <errno.h>
#include <lz4.h>
#include <lz4frame.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "boot_util.h"

#define PACKED_MAX	8192

static size_t pack_gzip(const uint8_t *src, size_t len, uint8_t *dst)
{
	z_stream zs = {
		.next_in = (uint8_t *)src, .avail_in = len,
		.next_out = dst, .avail_out = PACKED_MAX,
	};

	if (deflateInit2(&zs, 9, Z_DEFLATED, 16 + MAX_WBITS, 8,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		return 0;
	deflate(&zs, Z_FINISH);
	deflateEnd(&zs);
	return zs.total_out;
}

static size_t pack_zstd(const uint8_t *src, size_t len, uint8_t *dst)
{
	return ZSTD_compress(dst, PACKED_MAX, src, len, 19);
}

static size_t pack_xz(const uint8_t *src, size_t len, uint8_t *dst)
{
	size_t pos = 0;

	if (lzma_easy_buffer_encode(6, LZMA_CHECK_CRC32, NULL, src, len, dst,
				    &pos, PACKED_MAX) != LZMA_OK)
		return 0;
	return pos;
}

static size_t pack_lz4_frame(const uint8_t *src, size_t len, uint8_t *dst)
{
	return LZ4F_compressFrame(dst, PACKED_MAX, src, len, NULL);
}

static size_t pack_lz4_legacy(const uint8_t *src, size_t len, uint8_t *dst)
{
	uint32_t n = LZ4_compress_default((const char *)src, (char *)dst + 8,
					  len, PACKED_MAX - 8);

	memcpy(dst, "\x02\x21\x4c\x18", 4);
	memcpy(dst + 4, &n, 4);
	return n + 8;
}

FIXTURE(packed) {
	struct load l;
	uint8_t image[ELF_SIZE];
	uint8_t packed[PACKED_MAX + 4];
	size_t len;
};

FIXTURE_VARIANT(packed) {
	size_t (*pack)(const uint8_t *src, size_t len, uint8_t *dst);
	const char *name;
};

FIXTURE_VARIANT_ADD(packed, gzip) { pack_gzip, "gzip" };
FIXTURE_VARIANT_ADD(packed, zstd) { pack_zstd, "zstd" };
FIXTURE_VARIANT_ADD(packed, xz) { pack_xz, "xz" };
FIXTURE_VARIANT_ADD(packed, lz4_frame) { pack_lz4_frame, "lz4" };
FIXTURE_VARIANT_ADD(packed, lz4_legacy) { pack_lz4_legacy, "lz4" };

FIXTURE_SETUP(packed)
{
	ASSERT_TRUE(load_init(&self->l, 16 * MIB));
	make_elf64(self->image);
	for (unsigned int i = ELF_CODE; i < ELF_SIZE; i++)
		self->image[i] = i * i >> 3;
	self->len = variant->pack(self->image, ELF_SIZE, self->packed);
	ASSERT_GT(self->len, 100);
	ASSERT_LT(self->len, PACKED_MAX);
}

FIXTURE_TEARDOWN(packed)
{
	load_fini(&self->l);
}

TEST_F(packed, gives_the_kernel_back)
{
	ASSERT_EQ(0, load_image(&self->l, self->packed, self->len));
	EXPECT_EQ(BOOT_KIND_PVH, self->l.out.kind);
	EXPECT_EQ(ELF_SIZE, self->l.img->data.size);
	EXPECT_EQ(0, memcmp(self->image, self->l.img->data.heap, ELF_SIZE));
}

TEST_F(packed, appended_size_is_ignored)
{
	struct boot_blob in = { self->packed, self->len + 4 }, out;
	const uint32_t size = ELF_SIZE;

	memcpy(self->packed + self->len, &size, 4);
	ASSERT_EQ(0, boot_decompress(&in, &out, ELF_SIZE));
	EXPECT_EQ(ELF_SIZE, out.size);
	free(out.data);
}

/* The limit holds to the byte, so that a bomb stays small. */
TEST_F(packed, more_than_the_limit_is_refused)
{
	struct boot_blob in = { self->packed, self->len }, out;

	EXPECT_EQ(-EFBIG, boot_decompress(&in, &out, ELF_SIZE - 1));
	EXPECT_EQ(NULL, out.data);
	EXPECT_EQ(-EFBIG, boot_decompress(&in, &out, 1));
	ASSERT_EQ(0, boot_decompress(&in, &out, ELF_SIZE));
	EXPECT_EQ(ELF_SIZE, out.size);
	free(out.data);
}

TEST_F(packed, truncation_is_refused)
{
	for (size_t len = 13; len < self->len; len++) {
		EXPECT_NE(0, load_image(&self->l, self->packed, len));
		ASSERT_NE(NULL, strstr(self->l.err, variant->name) ?:
				strstr(self->l.err, "neither an ELF"));
	}
	load_image(&self->l, self->packed, self->len / 2);
	EXPECT_TRUE(refused(&self->l, EINVAL, "ends in the middle"));
}

TEST_F(packed, damage_is_survived)
{
	for (size_t i = 0; i < self->len; i++) {
		self->packed[i] ^= 0x55;
		load_image(&self->l, self->packed, self->len);
		self->packed[i] ^= 0x55;
	}
	EXPECT_EQ(0, load_image(&self->l, self->packed, self->len));
}

TEST_F(packed, something_else_inside_is_refused)
{
	memset(self->image, 'a', ELF_SIZE);
	self->len = variant->pack(self->image, ELF_SIZE, self->packed);
	load_image(&self->l, self->packed, self->len);
	EXPECT_TRUE(refused(&self->l, EINVAL, "neither an ELF file nor a bzImage"));
}

TEST(unsupported_formats_are_named)
{
	struct load l;

	ASSERT_TRUE(load_init(&l, 2 * MIB));
	load_image(&l, "BZh91AY&SY......", 16);
	EXPECT_TRUE(refused(&l, EOPNOTSUPP, "bzip2"));
	load_image(&l, "\x5d\0\0\x80\0......", 11);
	EXPECT_TRUE(refused(&l, EOPNOTSUPP, "lzma"));
	load_fini(&l);
}

MVM_HARNESS_MAIN
