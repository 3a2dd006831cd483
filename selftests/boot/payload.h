/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ELF vmlinux inside of a bzImage.
 */
#ifndef PAYLOAD_H
#define PAYLOAD_H

#include "userspace/boot/decompress.h"

/* Unpack the payload of the bzImage at @path; 0 or -errno. */
int payload_extract(const char *path, struct boot_blob *vmlinux);

#endif /* PAYLOAD_H */
