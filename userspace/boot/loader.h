/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of userspace/boot/ share: the image in memory, one load in
 * progress, where the loader's own structures live, and the CPU states.
 *
 * The loader's structures sit in one block below 640 KiB and the ACPI tables
 * in the BIOS area; images that want these addresses are refused by
 * boot_claim(), through which every placement in guest memory goes.
 */
#ifndef MVM_BOOT_LOADER_H
#define MVM_BOOT_LOADER_H

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "../launcher/guest_mem.h"
#include "../launcher/platform.h"
#include "boot.h"
#include "decompress.h"

/* The boot block: one page each, page tables six, the rest is stack. */
#define BOOT_BLOCK_START	0x80000u
#define BOOT_GDT_ADDR		0x80000u
#define BOOT_PAGE_TABLES_ADDR	0x81000u
#define BOOT_ZERO_PAGE_ADDR	0x87000u
#define BOOT_CMDLINE_ADDR	0x88000u
#define BOOT_PVH_INFO_ADDR	0x89000u
#define BOOT_STACK_TOP		0x9f000u
#define BOOT_BLOCK_END		0x9f000u

#define BOOT_LOW_RAM_END	0x9fc00u	/* below it RAM, above it EBDA */
#define BOOT_ACPI_ADDR		0xe0000u	/* scanned for the RSDP by guests */
#define BOOT_ACPI_SIZE		0x20000u
#define BOOT_HIGH_RAM_START	0x100000u
#define BOOT_FLAT_ADDR		0x7c00u

#define BOOT_CMDLINE_MAX	2047u	/* x86 Linux takes this many characters */
#define BOOT_PAGE		4096u

/* Selectors of the flat GDT: those the Linux boot protocol prescribes. */
#define BOOT_SEL_CODE		0x10
#define BOOT_SEL_DATA		0x18
#define BOOT_SEL_TSS		0x20

#define BOOT_MAX_CLAIMS		72	/* 64 ELF segments and our own */

/**
 * struct boot_source - an image's bytes, see source.c
 * @fd: of the file they are in, or -1
 * @heap: they themselves, where @fd is -1
 * @size: how many
 * @mtime: when the file was last written to, as it was opened
 */
struct boot_source {
	int fd;
	uint8_t *heap;
	size_t size;
	struct timespec mtime;
};

#define BOOT_HEAD_MAX		1024u	/* where every format tells what it is */

struct boot_image {
	char *name;
	char *initrd_name;
	struct boot_source data;
	struct boot_source initrd;
	uint8_t head[BOOT_HEAD_MAX];	/* how data begins; zeroes behind its end */
};

struct boot_claim {
	uint64_t start;
	uint64_t end;
	const char *what;
};

/* One boot_load() in progress. */
struct boot_ctx {
	const struct boot_image *img;
	const struct boot_params_in *in;
	struct guest_mem *mem;
	struct boot_entry *out;
	char *err;
	size_t errlen;
	unsigned int nr_claims;
	struct boot_claim claim[BOOT_MAX_CLAIMS];
	uint64_t rsdp;
	uint64_t initrd_addr;	/* 0 when there is none */
};

/* Where a range of RAM or reserved addresses starts, its size, its E820 type. */
struct boot_e820 {
	uint64_t addr;
	uint64_t size;
	uint32_t type;
};

#define BOOT_E820_RAM		1
#define BOOT_E820_RESERVED	2
#define BOOT_E820_MAX		4

/* image.c: put the sentence into err; the return value is -errnum. */
int boot_verr(char *err, size_t errlen, int errnum, const char *fmt, va_list ap);
int boot_err(char *err, size_t errlen, int errnum, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
int boot_fail(struct boot_ctx *ctx, int errnum, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* source.c */
int boot_source_open(struct boot_source *src, const char *what, const char *path, char *err,
		     size_t errlen);
void boot_source_close(struct boot_source *src);
int boot_source_read(const struct boot_source *src, uint64_t off, void *dst, size_t len);

/* place.c: who gets which guest addresses, and copying there. */
uint64_t boot_low_ram_top(const struct guest_mem *mem);
int boot_claim(struct boot_ctx *ctx, uint64_t start, uint64_t len,
	       const char *what);
void *boot_claimed_ptr(struct boot_ctx *ctx, uint64_t start, uint64_t len);
int boot_copy(struct boot_ctx *ctx, const char *name, const struct boot_source *src, uint64_t off,
	      uint64_t gpa, uint64_t len);
int boot_place_tables(struct boot_ctx *ctx);
int boot_place_cmdline(struct boot_ctx *ctx, uint32_t max);
int boot_place_initrd(struct boot_ctx *ctx, uint64_t max_addr);
unsigned int boot_e820_fill(const struct guest_mem *mem,
			    struct boot_e820 table[BOOT_E820_MAX]);

/* cpu_state.c: first states; the flat ones need the boot block claimed. */
void boot_state_real(struct boot_entry *out, uint16_t ip);
int boot_state_protected(struct boot_ctx *ctx, uint32_t eip);
int boot_state_long(struct boot_ctx *ctx, uint64_t rip);

/* One per image type. */
int boot_load_bzimage(struct boot_ctx *ctx);
int boot_load_elf(struct boot_ctx *ctx);
int boot_load_flat(struct boot_ctx *ctx);

/* zero_page.c, pvh.c: what Linux is told; the latter yields an address. */
int boot_zero_page(struct boot_ctx *ctx, const uint8_t *setup_header,
		   size_t len);
int boot_pvh_info(struct boot_ctx *ctx);

/* Is it one, by its magic numbers? */
bool boot_is_bzimage(const uint8_t head[BOOT_HEAD_MAX]);
bool boot_is_elf(const uint8_t head[BOOT_HEAD_MAX]);

#endif /* MVM_BOOT_LOADER_H */
