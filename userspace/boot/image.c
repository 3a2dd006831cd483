// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading of image files, and the choice of the loader by what is in them.
 *
 * boot_load() at the end is the one to read first. Files are read whole, once,
 * into the heap: nothing that happens to a file later reaches a running guest,
 * and a reset loads the same bytes again.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader.h"

#define READ_CHUNK	(1u << 20)

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

/* Read to the end of file, at most BOOT_FILE_MAX. */
static int read_all(int fd, size_t guess, struct boot_blob *out)
{
	size_t cap = guess + 1;

	*out = (struct boot_blob){ .data = malloc(cap) };
	while (out->data) {
		ssize_t n;

		if (out->size == cap) {
			uint8_t *data;

			if (cap > BOOT_FILE_MAX)
				return -EFBIG;
			cap += cap < READ_CHUNK ? READ_CHUNK : cap;
			data = realloc(out->data, cap);
			if (!data)
				break;
			out->data = data;
		}
		n = read(fd, out->data + out->size, cap - out->size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return out->size > BOOT_FILE_MAX ? -EFBIG : 0;
		out->size += n;
	}
	return -ENOMEM;
}

static int read_file(const char *what, const char *path, struct boot_blob *out,
		     char *err, size_t errlen)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;
	int ret;

	if (fd < 0)
		return boot_err(err, errlen, errno,
				"cannot open the %s %s: %s; check the path and its permissions",
				what, path, strerror(errno));
	if (fstat(fd, &st) < 0) {
		ret = -errno;
		goto out_close;
	}
	ret = S_ISDIR(st.st_mode) ? -EISDIR : 0;
	if (!ret && !S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode))
		ret = -EINVAL;
	if (!ret && S_ISREG(st.st_mode) && (uint64_t)st.st_size > BOOT_FILE_MAX)
		ret = -EFBIG;
	if (!ret)
		ret = read_all(fd, S_ISREG(st.st_mode) ? st.st_size : 0, out);
	if (!ret && !out->size)
		ret = -ENODATA;
out_close:
	close(fd);
	switch (ret) {
	case 0:
		return 0;
	case -EISDIR:
		return boot_err(err, errlen, EISDIR,
				"the %s %s is a directory; name a file in it",
				what, path);
	case -EINVAL:
		return boot_err(err, errlen, EINVAL,
				"the %s %s is neither a file nor a pipe; name one of these",
				what, path);
	case -EFBIG:
		return boot_err(err, errlen, EFBIG,
				"the %s %s is larger than %llu MiB, the most that is loaded; use a smaller one",
				what, path, BOOT_FILE_MAX >> 20);
	case -ENODATA:
		return boot_err(err, errlen, ENODATA,
				"the %s %s is empty; build or download it again",
				what, path);
	default:
		return boot_err(err, errlen, -ret,
				"cannot read the %s %s: %s; check the file and its disk",
				what, path, strerror(-ret));
	}
}

/* Replace a compressed kernel by what is in it. */
static int unpack_image(struct boot_image *img, char *err, size_t errlen)
{
	const char *format = boot_compression(&img->data);
	struct boot_blob plain;
	int ret;

	if (!format)
		return 0;
	ret = boot_decompress(&img->data, &plain, BOOT_FILE_MAX);
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
	if (!boot_is_elf(&plain) && !boot_is_bzimage(&plain)) {
		free(plain.data);
		return boot_err(err, errlen, EINVAL,
				"what is inside of %s is neither an ELF file nor a bzImage; an initrd goes with -i",
				img->name);
	}
	free(img->data.data);
	img->data = plain;
	return 0;
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
	ret = read_file("image", image, &img->data, err, errlen);
	if (!ret)
		ret = unpack_image(img, err, errlen);
	if (!ret && initrd) {
		img->initrd_name = strdup(initrd);
		ret = read_file("initrd", initrd, &img->initrd, err, errlen);
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
	img->data.data = malloc(size);
	if (!img->data.data) {
		ret = boot_err(err, errlen, ENOMEM,
			       "no memory to load %s; free some and try again",
			       name);
	} else {
		memcpy(img->data.data, image, size);
		img->data.size = size;
		ret = unpack_image(img, err, errlen);
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
	free(img->initrd.data);
	free(img->data.data);
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
	if (boot_is_bzimage(&img->data))
		return boot_load_bzimage(&ctx);
	if (boot_is_elf(&img->data))
		return boot_load_elf(&ctx);
	return boot_load_flat(&ctx);
}
