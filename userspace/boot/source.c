// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where an image's bytes come from: a regular file, of which only what is asked for is read,
 * straight to where it goes; or the heap, for what came through a pipe or was packed.
 *
 * A file stays open, so that a reset loads the same one again whatever its name has become. One
 * that was written to meanwhile is another image, and refused.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "loader.h"

#define READ_CHUNK	(1u << 20)

/* At most BOOT_FILE_MAX. */
static int read_to_end(int fd, struct boot_blob *out)
{
	size_t cap = READ_CHUNK;

	*out = (struct boot_blob){ .data = malloc(cap) };
	while (out->data) {
		ssize_t n;

		if (out->size == cap) {
			uint8_t *data;

			if (cap > BOOT_FILE_MAX)
				return -EFBIG;
			cap *= 2;
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

static int fill(struct boot_source *src, int fd)
{
	struct boot_blob blob;
	struct stat st;
	int ret;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode))
		return -EINVAL;
	if (S_ISREG(st.st_mode) && (uint64_t)st.st_size > BOOT_FILE_MAX)
		return -EFBIG;
	if (S_ISREG(st.st_mode) && st.st_size) {
		*src = (struct boot_source){ .fd = fd, .size = st.st_size, .mtime = st.st_mtim };
		return 0;
	}
	/* A pipe, or a file of procfs, which has no size. */
	ret = read_to_end(fd, &blob);
	*src = (struct boot_source){ .fd = -1, .heap = blob.data, .size = blob.size };
	return ret ? ret : blob.size ? 0 : -ENODATA;
}

/**
 * boot_source_open() - open an image or initrd file
 * @src: receives it; boot_source_close() is right after a failure as well
 * @what: which of the two, for sentences
 * @path: a regular file, or a pipe, which is read to its end
 * @err: receives a sentence on failure
 * @errlen: size of @err
 *
 * Return: 0, or a negative errno.
 */
int boot_source_open(struct boot_source *src, const char *what, const char *path, char *err,
		     size_t errlen)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int ret;

	*src = (struct boot_source){ .fd = -1 };
	if (fd < 0)
		return boot_err(err, errlen, errno,
				"cannot open the %s %s: %s; check the path and its permissions",
				what, path, strerror(errno));
	ret = fill(src, fd);
	if (src->fd != fd)
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

/**
 * boot_source_close() - let go of it
 * @src: the source
 */
void boot_source_close(struct boot_source *src)
{
	if (src->fd >= 0)
		close(src->fd);
	free(src->heap);
	*src = (struct boot_source){ .fd = -1 };
}

/* Is it what it was when it was opened? */
static bool is_unchanged(const struct boot_source *src)
{
	struct stat st;

	return src->fd < 0 ||
	       (!fstat(src->fd, &st) && (uint64_t)st.st_size == src->size &&
		st.st_mtim.tv_sec == src->mtime.tv_sec && st.st_mtim.tv_nsec == src->mtime.tv_nsec);
}

/**
 * boot_source_read() - copy a part of it
 * @src: the source
 * @off: where the part starts
 * @dst: where it goes
 * @len: its length
 *
 * Return: 0; -ENODATA it ends before, -ESTALE the file was written to since it was opened, or what
 * reading it fails with.
 */
int boot_source_read(const struct boot_source *src, uint64_t off, void *dst, size_t len)
{
	uint8_t *to = dst;

	if (off > src->size || len > src->size - off)
		return -ENODATA;
	if (src->fd < 0) {
		memcpy(dst, src->heap + off, len);
		return 0;
	}
	while (len) {
		ssize_t n = pread(src->fd, to, len, off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			return -ESTALE;
		to += n;
		off += n;
		len -= n;
	}
	return is_unchanged(src) ? 0 : -ESTALE;
}
