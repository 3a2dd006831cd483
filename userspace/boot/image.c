// SPDX-License-Identifier: GPL-2.0-only
/*
 * An image and its initrd, and the choice of the loader by what is in them.
 *
 * boot_load() at the end is the one to read first. What is in files is copied to
 * guest memory by every load (source.c); only a packed image is unpacked into the
 * heap, once.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "loader.h"

int boot_verr(char *err, size_t errlen, int errnum, const char *fmt, va_list ap)
{
	if (err && errlen)
		vsnprintf(err, errlen, fmt, ap);
	return -errnum;
}

int boot_err(char *err, size_t errlen, int errnum, const char *fmt, ...)
{
	va_list ap;
	int ret;

	va_start(ap, fmt);
	ret = boot_verr(err, errlen, errnum, fmt, ap);
	va_end(ap);
	return ret;
}

int boot_fail(struct boot_ctx *ctx, int errnum, const char *fmt, ...)
{
	va_list ap;
	int ret;

	va_start(ap, fmt);
	ret = boot_verr(ctx->err, ctx->errlen, errnum, fmt, ap);
	va_end(ap);
	return ret;
}

/* The whole of a source, as what is to be unpacked has to be. */
static int unpack(const struct boot_source *src, struct boot_blob *plain)
{
	struct boot_blob packed = { malloc(src->size), src->size };
	int ret = packed.data ? boot_source_read(src, 0, packed.data, src->size) : -ENOMEM;

	if (!ret)
		ret = boot_decompress(&packed, plain, BOOT_FILE_MAX);
	free(packed.data);
	return ret;
}

static int read_head(struct boot_image *img)
{
	const size_t size = img->data.size;

	memset(img->head, 0, sizeof(img->head));
	return boot_source_read(&img->data, 0, img->head,
				size < sizeof(img->head) ? size : sizeof(img->head));
}

/* Replace a compressed kernel by what is in it. */
static int unpack_image(struct boot_image *img, char *err, size_t errlen)
{
	struct boot_blob plain = { img->head, sizeof(img->head) };
	const char *format = boot_compression(&plain);
	int ret;

	if (!format)
		return 0;
	ret = unpack(&img->data, &plain);
	switch (ret) {
	case 0:
		break;
	case -EOPNOTSUPP:
		return boot_err(err, errlen, EOPNOTSUPP,
				"%s is compressed with %s, which is not supported; recompress it with gzip, zstd, xz or lz4",
				img->name, format);
	case -ENODATA:
		return boot_err(err, errlen, EINVAL,
				"%s ends in the middle of its %s data; copy or download it again",
				img->name, format);
	case -EFBIG:
		return boot_err(err, errlen, EFBIG,
				"%s unpacks to more than %llu MiB, the most that is loaded; use a smaller image",
				img->name, BOOT_FILE_MAX >> 20);
	case -ENOMEM:
		return boot_err(err, errlen, ENOMEM,
				"no memory to unpack %s; free some and try again",
				img->name);
	default:
		return boot_err(err, errlen, EINVAL,
				"%s has damaged %s data; copy or download it again",
				img->name, format);
	}
	boot_source_close(&img->data);
	img->data.heap = plain.data;
	img->data.size = plain.size;
	ret = read_head(img);
	if (!ret && (boot_is_elf(img->head) || boot_is_bzimage(img->head)))
		return 0;
	return boot_err(err, errlen, EINVAL,
			"what is inside of %s is neither an ELF file nor a bzImage; an initrd goes with -i",
			img->name);
}

/* Its source is there: what kind of image is it? */
static int identify(struct boot_image *img, char *err, size_t errlen)
{
	int ret = read_head(img);

	if (ret)
		return boot_err(err, errlen, -ret,
				"cannot read the image %s: %s; check the file and its disk",
				img->name, strerror(-ret));
	return unpack_image(img, err, errlen);
}

static int image_new(struct boot_image **out, const char *name,
		     char *err, size_t errlen)
{
	struct boot_image *img = calloc(1, sizeof(*img));

	if (img)
		img->name = strdup(name);
	if (!img || !img->name) {
		free(img);
		return boot_err(err, errlen, ENOMEM,
				"no memory to load %s; free some and try again",
				name);
	}
	img->data.fd = -1;
	img->initrd.fd = -1;
	*out = img;
	return 0;
}

int boot_image_open(struct boot_image **out, const char *image,
		    const char *initrd, char *err, size_t errlen)
{
	struct boot_image *img;
	int ret;

	ret = image_new(&img, image, err, errlen);
	if (ret)
		return ret;
	ret = boot_source_open(&img->data, "image", image, err, errlen);
	if (!ret)
		ret = identify(img, err, errlen);
	if (!ret && initrd) {
		img->initrd_name = strdup(initrd);
		ret = boot_source_open(&img->initrd, "initrd", initrd, err, errlen);
	}
	if (ret) {
		boot_image_close(img);
		return ret;
	}
	*out = img;
	return 0;
}

int boot_image_from_memory(struct boot_image **out, const char *name,
			   const void *image, size_t size,
			   char *err, size_t errlen)
{
	struct boot_image *img;
	int ret;

	if (!size)
		return boot_err(err, errlen, ENODATA,
				"%s is empty; build or download it again", name);
	ret = image_new(&img, name, err, errlen);
	if (ret)
		return ret;
	img->data.heap = malloc(size);
	if (!img->data.heap) {
		ret = boot_err(err, errlen, ENOMEM,
			       "no memory to load %s; free some and try again",
			       name);
	} else {
		memcpy(img->data.heap, image, size);
		img->data.size = size;
		ret = identify(img, err, errlen);
	}
	if (ret) {
		boot_image_close(img);
		return ret;
	}
	*out = img;
	return 0;
}

void boot_image_close(struct boot_image *img)
{
	if (!img)
		return;
	boot_source_close(&img->initrd);
	boot_source_close(&img->data);
	free(img->initrd_name);
	free(img->name);
	free(img);
}

const char *boot_kind_name(enum boot_kind kind)
{
	static const char *const names[] = {
		[BOOT_KIND_BZIMAGE] = "bzImage, 64-bit boot protocol",
		[BOOT_KIND_PVH] = "ELF, PVH entry",
		[BOOT_KIND_ELF64] = "ELF64, long mode at its entry",
		[BOOT_KIND_ELF32] = "ELF32, protected mode at its entry",
		[BOOT_KIND_FLAT] = "flat binary, real mode at 0000:7C00",
	};

	return names[kind];
}

int boot_load(const struct boot_image *img, const struct boot_params_in *in,
	      struct guest_mem *mem, struct boot_entry *out,
	      char *err, size_t errlen)
{
	struct boot_ctx ctx = {
		.img = img,
		.in = in,
		.mem = mem,
		.out = out,
		.err = err,
		.errlen = errlen,
	};

	memset(out, 0, sizeof(*out));
	if (!in->nr_cpus || in->nr_cpus > BOOT_MAX_CPUS)
		return boot_fail(&ctx, EINVAL,
				 "%u CPUs cannot be described to a guest; ask for 1 to %u",
				 in->nr_cpus, BOOT_MAX_CPUS);
	if (boot_is_bzimage(img->head))
		return boot_load_bzimage(&ctx);
	if (boot_is_elf(img->head))
		return boot_load_elf(&ctx);
	return boot_load_flat(&ctx);
}
