// SPDX-License-Identifier: GPL-2.0-only
/*
 * The vmlinux in a bzImage, on stdout: extract BZIMAGE
 */
#include <err.h>
#include <string.h>
#include <stdio.h>

#include "selftests/boot/payload.h"

int main(int argc, char **argv)
{
	struct boot_blob vmlinux;
	int ret;

	if (argc != 2)
		errx(2, "usage: extract BZIMAGE");
	ret = payload_extract(argv[1], &vmlinux);
	if (ret)
		errx(1, "cannot extract the kernel in %s: %s", argv[1], strerror(-ret));
	if (fwrite(vmlinux.data, 1, vmlinux.size, stdout) != vmlinux.size || fflush(stdout))
		err(1, "cannot write it");
	return 0;
}
