/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Image loading: from an image file to guest memory and a first vCPU state.
 *
 * boot_image_open() opens the files (and unpacks what is packed) once; boot_load() may
 * then be called any number of times, once per reset of the guest, and writes
 * nothing outside of what the guest_mem accessor hands out. Every failure is
 * a negative errno and one sentence in err: what, to what, what to do next.
 * Nothing here prints, exits, or keeps state outside of struct boot_image.
 */
#ifndef MVM_BOOT_H
#define MVM_BOOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/kvm.h>

struct guest_mem;
struct boot_image;

#define BOOT_MAX_CPUS		1024	/* whom the ACPI area has room for */
#define BOOT_FILE_MAX		(1ull << 30)	/* image or initrd, unpacked */
#define BOOT_ERR_MAX		512	/* room that holds every sentence */

/* What kind of image it is, and so how the guest starts. */
enum boot_kind {
	BOOT_KIND_BZIMAGE,	/* Linux, 64-bit boot protocol */
	BOOT_KIND_PVH,		/* ELF with a PVH note, 32-bit entry */
	BOOT_KIND_ELF64,	/* ELF64 at its entry, long mode */
	BOOT_KIND_ELF32,	/* ELF32 at its entry, protected mode */
	BOOT_KIND_FLAT,		/* anything else: real mode at 0000:7C00 */
};

/**
 * struct boot_params_in - what the user asked for
 * @cmdline: kernel command line, NULL for none
 * @nr_cpus: how many CPUs the tables describe, at least 1
 * @no_pvh: start an ELF at its ELF entry even where it has a PVH note
 */
struct boot_params_in {
	const char *cmdline;
	unsigned int nr_cpus;
	bool no_pvh;
};

/**
 * struct boot_entry - how the boot processor starts; every field is set
 * @kind: which way of starting was chosen
 * @regs: for KVM_SET_REGS
 * @sregs: for KVM_SET_SREGS; apic_base is that of an enabled boot processor
 */
struct boot_entry {
	enum boot_kind kind;
	struct kvm_regs regs;
	struct kvm_sregs sregs;
};

/**
 * boot_image_open() - open an image and, if given, an initrd
 * @out: the image, to be closed with boot_image_close()
 * @image: path of the image, a regular file or a pipe
 * @initrd: path of the initrd, or NULL
 * @err: receives a sentence on failure
 * @errlen: size of @err, BOOT_ERR_MAX holds all of them
 *
 * Return: 0, or a negative errno with @err filled and @out untouched.
 */
int boot_image_open(struct boot_image **out, const char *image,
		    const char *initrd, char *err, size_t errlen);

/**
 * boot_image_from_memory() - as boot_image_open(), from bytes in memory
 * @out: the image
 * @name: what to call it in sentences
 * @image: its bytes, copied
 * @size: their number
 * @err: receives a sentence on failure
 * @errlen: size of @err
 *
 * Return: 0, or a negative errno with @err filled and @out untouched.
 */
int boot_image_from_memory(struct boot_image **out, const char *name,
			   const void *image, size_t size,
			   char *err, size_t errlen);

/**
 * boot_image_close() - free an image; NULL is fine
 * @img: the image
 */
void boot_image_close(struct boot_image *img);

/**
 * boot_load() - put the image into guest memory and say how to start it
 * @img: what to load
 * @in: command line, number of CPUs
 * @mem: guest memory, zeroed by the caller
 * @out: the state of the boot processor
 * @err: receives a sentence on failure
 * @errlen: size of @err
 *
 * Return: 0, or a negative errno with @err filled; guest memory may then
 * hold a part of the image. -ESTALE where a file was written to since it was opened.
 */
int boot_load(const struct boot_image *img, const struct boot_params_in *in,
	      struct guest_mem *mem, struct boot_entry *out,
	      char *err, size_t errlen);

/**
 * boot_kind_name() - a kind of image in words, for messages
 * @kind: the kind
 */
const char *boot_kind_name(enum boot_kind kind);

/**
 * boot_acpi_write() - write the ACPI tables to guest memory
 * @mem: guest memory, at least 1 MiB
 * @nr_cpus: CPUs to describe, 1 to BOOT_MAX_CPUS
 *
 * Return: the guest address of the RSDP, 0 if there is no room.
 */
uint64_t boot_acpi_write(struct guest_mem *mem, unsigned int nr_cpus);

#endif /* MVM_BOOT_H */
