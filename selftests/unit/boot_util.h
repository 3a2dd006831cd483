/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of the image loaders share: images made up in memory, and
 * loading one with the sentence kept. Every image here is small and valid;
 * a test spoils the one thing it is about.
 */
#ifndef BOOT_UTIL_H
#define BOOT_UTIL_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <asm/bootparam.h>

#include "mvm_harness.h"
#include "userspace/boot/loader.h"

#define MIB		(1ull << 20)
#define BZ_SETUP	1024	/* boot sector and one sector of setup */
#define BZ_KERNEL	4096
#define BZ_SIZE		(BZ_SETUP + BZ_KERNEL)
#define BZ_PREF		0x1000000
#define BZ_INIT		0x200000

#define ELF_CODE	0x400	/* file offset of the code */
#define ELF_NOTE	0x200	/* file offset of the PVH note */
#define ELF_SIZE	0x600
#define ELF_PADDR	0x100000
#define ELF_MEMSZ	0x2000

/* A load with all its parts. */
struct load {
	struct guest_mem mem;
	struct boot_image *img;
	struct boot_params_in in;
	struct boot_entry out;
	char err[BOOT_ERR_MAX];
	int ret;
};

/* A kernel of 0x90 bytes behind a setup header as Linux 6.1 has it. */
static inline void make_bzimage(uint8_t image[BZ_SIZE])
{
	struct setup_header hdr = {
		.setup_sects = 1,
		.syssize = BZ_KERNEL / 16,
		.boot_flag = 0xaa55,
		.jump = 0x6aeb,
		.header = 0x53726448,
		.version = 0x020f,
		.loadflags = LOADED_HIGH,
		.initrd_addr_max = 0x7fffffff,
		.kernel_alignment = 0x200000,
		.relocatable_kernel = 1,
		.xloadflags = XLF_KERNEL_64,
		.cmdline_size = 2047,
		.pref_address = BZ_PREF,
		.init_size = BZ_INIT,
	};

	memset(image, 0, BZ_SIZE);
	memcpy(image + offsetof(struct boot_params, hdr), &hdr, sizeof(hdr));
	memset(image + BZ_SETUP, 0x90, BZ_KERNEL);
}

static inline struct setup_header *bz_header(uint8_t *image)
{
	return (struct setup_header *)(image + offsetof(struct boot_params, hdr));
}

/* One segment of code and one note with a PVH entry at the segment's start. */
static inline void make_elf64(uint8_t image[ELF_SIZE])
{
	Elf64_Ehdr *eh = (Elf64_Ehdr *)image;
	Elf64_Phdr *ph = (Elf64_Phdr *)(image + sizeof(*eh));
	struct {
		Elf64_Nhdr h;
		char name[4];
		uint64_t entry;
	} note = { { 4, 8, 18 }, "Xen", ELF_PADDR };

	memset(image, 0, ELF_SIZE);
	memcpy(eh->e_ident, ELFMAG, SELFMAG);
	eh->e_ident[EI_CLASS] = ELFCLASS64;
	eh->e_ident[EI_DATA] = ELFDATA2LSB;
	eh->e_ident[EI_VERSION] = EV_CURRENT;
	eh->e_type = ET_EXEC;
	eh->e_machine = EM_X86_64;
	eh->e_version = EV_CURRENT;
	eh->e_entry = ELF_PADDR + 0x10;
	eh->e_phoff = sizeof(*eh);
	eh->e_ehsize = sizeof(*eh);
	eh->e_phentsize = sizeof(*ph);
	eh->e_phnum = 2;
	ph[0] = (Elf64_Phdr){
		.p_type = PT_LOAD, .p_offset = ELF_CODE, .p_vaddr = ELF_PADDR,
		.p_paddr = ELF_PADDR, .p_filesz = ELF_SIZE - ELF_CODE,
		.p_memsz = ELF_MEMSZ, .p_align = 1,
	};
	ph[1] = (Elf64_Phdr){
		.p_type = PT_NOTE, .p_offset = ELF_NOTE,
		.p_filesz = sizeof(note), .p_memsz = sizeof(note), .p_align = 4,
	};
	memcpy(image + ELF_NOTE, &note, sizeof(note));
	memset(image + ELF_CODE, 0xf4, ELF_SIZE - ELF_CODE);
}

static inline Elf64_Phdr *elf64_phdr(uint8_t *image, unsigned int i)
{
	return (Elf64_Phdr *)(image + sizeof(Elf64_Ehdr)) + i;
}

static inline void make_elf32(uint8_t image[ELF_SIZE])
{
	Elf32_Ehdr *eh = (Elf32_Ehdr *)image;
	Elf32_Phdr *ph = (Elf32_Phdr *)(image + sizeof(*eh));

	memset(image, 0, ELF_SIZE);
	memcpy(eh->e_ident, ELFMAG, SELFMAG);
	eh->e_ident[EI_CLASS] = ELFCLASS32;
	eh->e_ident[EI_DATA] = ELFDATA2LSB;
	eh->e_ident[EI_VERSION] = EV_CURRENT;
	eh->e_type = ET_EXEC;
	eh->e_machine = EM_386;
	eh->e_version = EV_CURRENT;
	eh->e_entry = ELF_PADDR + 0x20;
	eh->e_phoff = sizeof(*eh);
	eh->e_ehsize = sizeof(*eh);
	eh->e_phentsize = sizeof(*ph);
	eh->e_phnum = 1;
	ph[0] = (Elf32_Phdr){
		.p_type = PT_LOAD, .p_offset = ELF_CODE, .p_vaddr = ELF_PADDR,
		.p_paddr = ELF_PADDR, .p_filesz = ELF_SIZE - ELF_CODE,
		.p_memsz = ELF_MEMSZ, .p_align = 1,
	};
	memset(image + ELF_CODE, 0xf4, ELF_SIZE - ELF_CODE);
}

/* Guest memory for a load; false when the host has none to give. */
static inline bool load_init(struct load *l, uint64_t mem_size)
{
	memset(l, 0, sizeof(*l));
	l->in.nr_cpus = 1;
	return !guest_mem_create(&l->mem, mem_size, l->err, sizeof(l->err));
}

static inline int load_image(struct load *l, const void *image, size_t size)
{
	boot_image_close(l->img);
	l->img = NULL;
	l->err[0] = 0;
	l->ret = boot_image_from_memory(&l->img, "IMAGE", image, size, l->err,
					sizeof(l->err));
	if (!l->ret)
		l->ret = boot_load(l->img, &l->in, &l->mem, &l->out, l->err,
				   sizeof(l->err));
	return l->ret;
}

static inline void load_fini(struct load *l)
{
	boot_image_close(l->img);
	guest_mem_destroy(&l->mem);
}

static inline void *load_ptr(struct load *l, uint64_t gpa, uint64_t len)
{
	return guest_mem_ptr(&l->mem, gpa, len);
}

/* A refusal says what is wrong, about which image, and what to do next. */
static inline bool refused(const struct load *l, int errnum, const char *words)
{
	bool ok = l->ret == -errnum && strstr(l->err, words) &&
		  strchr(l->err, ';') && strlen(l->err) < BOOT_ERR_MAX - 1;

	if (!ok)
		printf("# got %d: %s\n", l->ret, l->err);
	return ok;
}

#endif /* BOOT_UTIL_H */
