// SPDX-License-Identifier: GPL-2.0-only
/*
 * Image and initrd files: what is read, what is refused and in which words,
 * where an initrd goes; and flat binaries, which is what all else is.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "boot_util.h"

#define INITRD_SIZE	(3 * MIB + 123)

FIXTURE(files) {
	struct load l;
	uint8_t image[BZ_SIZE];
	char dir[32];
	char path[64];
	char initrd[64];
};

static bool put_file(const char *path, const void *data, size_t size)
{
	FILE *f = fopen(path, "w");
	bool ok;

	if (!f)
		return false;
	ok = fwrite(data, 1, size, f) == size;
	return !fclose(f) && ok;
}

FIXTURE_SETUP(files)
{
	ASSERT_TRUE(load_init(&self->l, 64 * MIB));
	make_bzimage(self->image);
	strcpy(self->dir, "/tmp/boot_files.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->dir));
	sprintf(self->path, "%s/image", self->dir);
	sprintf(self->initrd, "%s/initrd", self->dir);
}

FIXTURE_TEARDOWN(files)
{
	load_fini(&self->l);
	unlink(self->path);
	unlink(self->initrd);
	rmdir(self->dir);
}

static int open_files(struct load *l, const char *path, const char *initrd)
{
	boot_image_close(l->img);
	l->img = NULL;
	l->ret = boot_image_open(&l->img, path, initrd, l->err, sizeof(l->err));
	return l->ret;
}

TEST_F(files, initrd_goes_as_high_as_it_may)
{
	uint8_t *initrd = malloc(INITRD_SIZE);
	const struct boot_params *bp;

	ASSERT_NE(NULL, initrd);
	for (size_t i = 0; i < INITRD_SIZE; i++)
		initrd[i] = i * 7 + (i >> 9);
	ASSERT_TRUE(put_file(self->path, self->image, BZ_SIZE));
	ASSERT_TRUE(put_file(self->initrd, initrd, INITRD_SIZE));
	ASSERT_EQ(0, open_files(&self->l, self->path, self->initrd));
	ASSERT_EQ(0, boot_load(self->l.img, &self->l.in, &self->l.mem,
			       &self->l.out, self->l.err, sizeof(self->l.err)));
	bp = load_ptr(&self->l, self->l.out.regs.rsi, sizeof(*bp));
	EXPECT_EQ((64 * MIB - INITRD_SIZE) & ~0xfffull, bp->hdr.ramdisk_image);
	ASSERT_EQ(INITRD_SIZE, bp->hdr.ramdisk_size);
	EXPECT_EQ(0, memcmp(initrd, load_ptr(&self->l, bp->hdr.ramdisk_image,
					     INITRD_SIZE), INITRD_SIZE));
	free(initrd);
}

TEST_F(files, initrd_keeps_off_the_kernel_and_its_limit)
{
	uint8_t initrd[100] = { 1 };
	const struct boot_params *bp;

	ASSERT_TRUE(put_file(self->initrd, initrd, sizeof(initrd)));

	/* The kernel has the last 2 MiB: the initrd ends where it starts. */
	bz_header(self->image)->pref_address = 62 * MIB;
	ASSERT_TRUE(put_file(self->path, self->image, BZ_SIZE));
	ASSERT_EQ(0, open_files(&self->l, self->path, self->initrd));
	ASSERT_EQ(0, boot_load(self->l.img, &self->l.in, &self->l.mem,
			       &self->l.out, self->l.err, sizeof(self->l.err)));
	bp = load_ptr(&self->l, self->l.out.regs.rsi, sizeof(*bp));
	EXPECT_EQ(62 * MIB - 4096, bp->hdr.ramdisk_image);

	bz_header(self->image)->initrd_addr_max = 0x1fffff;
	ASSERT_TRUE(put_file(self->path, self->image, BZ_SIZE));
	ASSERT_EQ(0, open_files(&self->l, self->path, self->initrd));
	ASSERT_EQ(0, boot_load(self->l.img, &self->l.in, &self->l.mem,
			       &self->l.out, self->l.err, sizeof(self->l.err)));
	EXPECT_EQ(0x1ff000, bp->hdr.ramdisk_image);

	bz_header(self->image)->initrd_addr_max = 0xfffff;
	ASSERT_TRUE(put_file(self->path, self->image, BZ_SIZE));
	ASSERT_EQ(0, open_files(&self->l, self->path, self->initrd));
	self->l.ret = boot_load(self->l.img, &self->l.in, &self->l.mem,
				&self->l.out, self->l.err, sizeof(self->l.err));
	EXPECT_TRUE(refused(&self->l, ENOSPC, "does not fit"));
}

static int load_again(struct load *l)
{
	guest_mem_destroy(&l->mem);
	if (guest_mem_create(&l->mem, 64 * MIB, l->err, sizeof(l->err)))
		return -ENOMEM;
	l->ret = boot_load(l->img, &l->in, &l->mem, &l->out, l->err, sizeof(l->err));
	return l->ret;
}

/* A reset loads what the start did, or says why not. */
TEST_F(files, replaced_files_are_loaded_as_they_were)
{
	uint8_t initrd[5000], other[5000];

	memset(initrd, 0xaa, sizeof(initrd));
	memset(other, 0xbb, sizeof(other));
	ASSERT_TRUE(put_file(self->path, self->image, BZ_SIZE));
	ASSERT_TRUE(put_file(self->initrd, initrd, sizeof(initrd)));
	ASSERT_EQ(0, open_files(&self->l, self->path, self->initrd));
	ASSERT_EQ(0, load_again(&self->l));
	ASSERT_EQ(0, unlink(self->initrd));
	ASSERT_TRUE(put_file(self->initrd, other, sizeof(other)));
	ASSERT_EQ(0, unlink(self->path));
	ASSERT_EQ(0, load_again(&self->l));
	EXPECT_EQ(0, memcmp(initrd, load_ptr(&self->l, (64 * MIB - sizeof(initrd)) & ~0xfffull,
					     sizeof(initrd)), sizeof(initrd)));
}

TEST_F(files, files_that_are_written_to_are_not_loaded_again)
{
	const struct timespec past[2] = { { 1000000000, 0 }, { 1000000000, 0 } };
	const char *const paths[] = { self->path, self->initrd };

	for (unsigned int i = 0; i < 2; i++) {
		ASSERT_TRUE(put_file(self->path, self->image, BZ_SIZE));
		ASSERT_TRUE(put_file(self->initrd, self->image, BZ_SIZE));
		ASSERT_EQ(0, utimensat(AT_FDCWD, paths[i], past, 0));
		ASSERT_EQ(0, open_files(&self->l, self->path, self->initrd));
		ASSERT_EQ(0, load_again(&self->l));
		ASSERT_TRUE(put_file(paths[i], self->image, BZ_SIZE));
		load_again(&self->l);
		EXPECT_TRUE(refused(&self->l, ESTALE, "was written to"));

		ASSERT_EQ(0, truncate(paths[i], BZ_SIZE - 100));
		load_again(&self->l);
		EXPECT_TRUE(refused(&self->l, ESTALE, "was written to"));
	}
}

TEST_F(files, missing_directory_empty_and_device_are_refused)
{
	open_files(&self->l, self->path, NULL);
	EXPECT_TRUE(refused(&self->l, ENOENT, "No such file"));
	open_files(&self->l, self->dir, NULL);
	EXPECT_TRUE(refused(&self->l, EISDIR, "is a directory"));
	open_files(&self->l, "/dev/zero", NULL);
	EXPECT_TRUE(refused(&self->l, EINVAL, "neither a file nor a pipe"));
	ASSERT_TRUE(put_file(self->path, "", 0));
	open_files(&self->l, self->path, NULL);
	EXPECT_TRUE(refused(&self->l, ENODATA, "is empty"));

	ASSERT_TRUE(put_file(self->path, self->image, BZ_SIZE));
	open_files(&self->l, self->path, self->dir);
	EXPECT_TRUE(refused(&self->l, EISDIR, "the initrd"));
	open_files(&self->l, self->path, self->initrd);
	EXPECT_TRUE(refused(&self->l, ENOENT, "the initrd"));
}

TEST_F(files, unreadable_files_are_refused)
{
	ASSERT_TRUE(put_file(self->path, self->image, BZ_SIZE));
	ASSERT_EQ(0, chmod(self->path, 0));
	if (!geteuid() && (chmod(self->dir, 0755) || seteuid(65534)))
		SKIP(return, "root cannot become another user here");
	open_files(&self->l, self->path, NULL);
	EXPECT_TRUE(refused(&self->l, EACCES, "Permission denied"));
	EXPECT_TRUE(!getuid() ? !seteuid(0) : true);
}

TEST_F(files, file_of_5_gib_is_refused_unread)
{
	int fd = open(self->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	ASSERT_GE(fd, 0);
	ASSERT_EQ(0, ftruncate(fd, 5ll << 30));
	close(fd);
	open_files(&self->l, self->path, NULL);
	EXPECT_TRUE(refused(&self->l, EFBIG, "larger than 1024 MiB"));
}

TEST_F(files, image_from_a_pipe_loads)
{
	ASSERT_EQ(0, mkfifo(self->path, 0600));
	if (!fork()) {
		setvbuf(stdout, NULL, _IONBF, 0);
		_exit(!put_file(self->path, self->image, BZ_SIZE));
	}
	ASSERT_EQ(0, open_files(&self->l, self->path, NULL));
	EXPECT_EQ(0, boot_load(self->l.img, &self->l.in, &self->l.mem,
			       &self->l.out, self->l.err, sizeof(self->l.err)));
}

TEST_F(files, flat_binary_starts_in_real_mode)
{
	const uint8_t code[] = { 0xb0, 0x2a, 0xe6, 0xf4 };
	const struct kvm_sregs *s = &self->l.out.sregs;

	ASSERT_EQ(0, load_image(&self->l, code, sizeof(code)));
	EXPECT_EQ(BOOT_KIND_FLAT, self->l.out.kind);
	EXPECT_EQ(0x7c00, self->l.out.regs.rip);
	EXPECT_EQ(0, s->cs.base);
	EXPECT_EQ(0, s->cs.selector);
	EXPECT_EQ(0xffff, s->cs.limit);
	EXPECT_EQ(0x10, s->cr0);
	EXPECT_EQ(0, memcmp(code, load_ptr(&self->l, 0x7c00, 4), 4));
}

TEST_F(files, flat_binary_limits)
{
	const size_t most = 0x9fc00 - 0x7c00;
	uint8_t *code = calloc(1, most + 1);

	ASSERT_NE(NULL, code);
	EXPECT_EQ(0, load_image(&self->l, code, most));
	load_image(&self->l, code, most + 1);
	EXPECT_TRUE(refused(&self->l, EFBIG, "too many for a flat binary"));
	ASSERT_TRUE(put_file(self->path, code, 512));
	ASSERT_TRUE(put_file(self->initrd, code, 512));
	ASSERT_EQ(0, open_files(&self->l, self->path, self->initrd));
	self->l.ret = boot_load(self->l.img, &self->l.in, &self->l.mem,
				&self->l.out, self->l.err, sizeof(self->l.err));
	EXPECT_TRUE(refused(&self->l, EINVAL, "takes no initrd"));
	free(code);
}

MVM_HARNESS_MAIN
