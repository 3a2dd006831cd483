# SPDX-License-Identifier: GPL-2.0-only
# The image loaders and the ACPI tables.

boot_SRC := $(addprefix userspace/boot/,image.c source.c place.c bzimage.c elf.c flat.c pvh.c \
	zero_page.c cpu_state.c acpi.c aml.c decompress.c) userspace/launcher/guest_mem.c
boot_LIBS := -lelf -lz -lzstd -llzma -llz4

TEST_GEN_PROGS += boot_bzimage boot_elf boot_files boot_compressed boot_acpi boot_fuzz

boot_bzimage_SRC := $(boot_SRC)
boot_bzimage_LIBS := $(boot_LIBS)
boot_elf_SRC := $(boot_SRC)
boot_elf_LIBS := $(boot_LIBS)
boot_files_SRC := $(boot_SRC)
boot_files_LIBS := $(boot_LIBS)
boot_compressed_SRC := $(boot_SRC)
boot_compressed_LIBS := $(boot_LIBS)
boot_acpi_SRC := $(boot_SRC)
boot_acpi_LIBS := $(boot_LIBS)
boot_fuzz_SRC := $(boot_SRC)
boot_fuzz_LIBS := $(boot_LIBS)
