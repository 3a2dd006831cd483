// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ELF loader: PVH, 64-bit and 32-bit entries, and every refusal.
 */
#include <errno.h>

#include "boot_util.h"

/* The start information as the PVH protocol lays it out, by offset. */
#define PVH_MAGIC_OFF		0
#define PVH_VERSION_OFF		4
#define PVH_CMDLINE_OFF		24
#define PVH_RSDP_OFF		32
#define PVH_MEMMAP_OFF		40
#define PVH_ENTRIES_OFF		48

FIXTURE(elf) {
	struct load l;
	uint8_t image[ELF_SIZE];
	Elf64_Ehdr *eh;
};

FIXTURE_SETUP(elf)
{
	ASSERT_TRUE(load_init(&self->l, 16 * MIB));
	make_elf64(self->image);
	self->eh = (Elf64_Ehdr *)self->image;
}

FIXTURE_TEARDOWN(elf)
{
	load_fini(&self->l);
}

static uint64_t field(struct load *l, unsigned int off, unsigned int size)
{
	const uint8_t *info = load_ptr(l, l->out.regs.rbx, 56);
	uint64_t value = 0;

	memcpy(&value, info + off, size);
	return value;
}

TEST_F(elf, pvh_note_wins_and_start_info_is_complete)
{
	struct kvm_sregs *s = &self->l.out.sregs;

	self->l.in.cmdline = "quiet";
	ASSERT_EQ(0, load_image(&self->l, self->image, ELF_SIZE));
	EXPECT_EQ(BOOT_KIND_PVH, self->l.out.kind);
	EXPECT_EQ(ELF_PADDR, self->l.out.regs.rip);
	EXPECT_EQ(0x31, s->cr0);
	EXPECT_EQ(0, s->cr4);
	EXPECT_EQ(0, s->efer);
	EXPECT_EQ(1, s->cs.db);
	EXPECT_EQ(0xffffffff, s->cs.limit);
	EXPECT_EQ(0x67, s->tr.limit);

	EXPECT_EQ(0x336ec578, field(&self->l, PVH_MAGIC_OFF, 4));
	EXPECT_EQ(1, field(&self->l, PVH_VERSION_OFF, 4));
	EXPECT_STREQ("quiet", load_ptr(&self->l, field(&self->l, PVH_CMDLINE_OFF, 8), 6));
	EXPECT_EQ(0, memcmp("RSD PTR ",
			    load_ptr(&self->l, field(&self->l, PVH_RSDP_OFF, 8), 8), 8));
	EXPECT_EQ(3, field(&self->l, PVH_ENTRIES_OFF, 4));
	EXPECT_NE(NULL, load_ptr(&self->l, field(&self->l, PVH_MEMMAP_OFF, 8), 3 * 24));
}

TEST_F(elf, no_pvh_starts_in_long_mode)
{
	self->l.in.no_pvh = true;
	ASSERT_EQ(0, load_image(&self->l, self->image, ELF_SIZE));
	EXPECT_EQ(BOOT_KIND_ELF64, self->l.out.kind);
	EXPECT_EQ(ELF_PADDR + 0x10, self->l.out.regs.rip);
	EXPECT_EQ(0x500, self->l.out.sregs.efer);
	EXPECT_EQ(0x9f000, self->l.out.regs.rsp);
	EXPECT_EQ(0xf4, *(uint8_t *)load_ptr(&self->l, ELF_PADDR, 1));
}

TEST_F(elf, elf32_starts_in_protected_mode)
{
	make_elf32(self->image);
	ASSERT_EQ(0, load_image(&self->l, self->image, ELF_SIZE));
	EXPECT_EQ(BOOT_KIND_ELF32, self->l.out.kind);
	EXPECT_EQ(ELF_PADDR + 0x20, self->l.out.regs.rip);
	EXPECT_EQ(0x31, self->l.out.sregs.cr0);
}

TEST_F(elf, virtual_entry_becomes_physical)
{
	elf64_phdr(self->image, 0)->p_vaddr = 0xffffffff81000000;
	self->eh->e_entry = 0xffffffff81000123;
	self->l.in.no_pvh = true;
	ASSERT_EQ(0, load_image(&self->l, self->image, ELF_SIZE));
	EXPECT_EQ(ELF_PADDR + 0x123, self->l.out.regs.rip);
}

TEST_F(elf, entry_outside_of_all_segments_is_refused)
{
	self->eh->e_entry = ELF_PADDR + ELF_MEMSZ;
	self->l.in.no_pvh = true;
	load_image(&self->l, self->image, ELF_SIZE);
	EXPECT_TRUE(refused(&self->l, ENOEXEC, "entry at 0x102000"));
}

TEST_F(elf, wrong_headers_are_refused)
{
	const struct {
		size_t offset;
		uint16_t value;
		const char *words;
	} rows[] = {
		{ EI_DATA, ELFDATA2MSB | EV_CURRENT << 8, "big-endian" },
		{ EI_CLASS, ELFCLASSNONE | ELFDATA2LSB << 8, "damaged" },
		{ offsetof(Elf64_Ehdr, e_machine), EM_AARCH64, "architecture" },
		{ offsetof(Elf64_Ehdr, e_machine), EM_386, "architecture" },
		{ offsetof(Elf64_Ehdr, e_type), ET_DYN, "ET_EXEC" },
		{ offsetof(Elf64_Ehdr, e_type), ET_REL, "ET_EXEC" },
		{ offsetof(Elf64_Ehdr, e_phnum), 0, "no program headers" },
		{ offsetof(Elf64_Ehdr, e_phnum), 0xfffe, "program headers" },
		{ sizeof(Elf64_Ehdr), PT_INTERP, "dynamically linked" },
		{ sizeof(Elf64_Ehdr), PT_NULL, "no segment" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		make_elf64(self->image);
		memcpy(self->image + rows[i].offset, &rows[i].value, 2);
		load_image(&self->l, self->image, ELF_SIZE);
		EXPECT_TRUE(refused(&self->l, ENOEXEC, rows[i].words));
	}
}

TEST_F(elf, truncated_files_are_refused)
{
	for (size_t size = 5; size < ELF_SIZE; size++) {
		EXPECT_NE(0, load_image(&self->l, self->image, size));
		ASSERT_NE(NULL, strstr(self->l.err, "IMAGE"));
	}
}

TEST_F(elf, segments_outside_of_memory_are_refused)
{
	Elf64_Phdr *ph = elf64_phdr(self->image, 0);
	const struct {
		uint64_t paddr, memsz;
	} rows[] = {
		{ ELF_PADDR, 1ull << 32 },
		{ ELF_PADDR, UINT64_MAX },
		{ 16 * MIB - 0x1000, 0x1001 },
		{ 16 * MIB, 0x1000 },
		{ UINT64_MAX - 0xfff, 0x2000 },
		{ 0xfee00000, 0x1000 },
		{ 1ull << 52, 0x1000 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		ph->p_paddr = rows[i].paddr;
		ph->p_memsz = rows[i].memsz;
		load_image(&self->l, self->image, ELF_SIZE);
		EXPECT_TRUE(refused(&self->l, EFAULT, "not all RAM"));
	}
}

TEST_F(elf, overlapping_segments_are_refused)
{
	Elf64_Phdr *ph = elf64_phdr(self->image, 0);

	ph[1] = ph[0];
	ph[1].p_paddr += ELF_MEMSZ - 1;
	load_image(&self->l, self->image, ELF_SIZE);
	EXPECT_TRUE(refused(&self->l, EEXIST, "overlaps a segment"));

	ph[1].p_paddr++;
	EXPECT_EQ(0, load_image(&self->l, self->image, ELF_SIZE));

	ph[1].p_paddr = 0x81000;
	load_image(&self->l, self->image, ELF_SIZE);
	EXPECT_TRUE(refused(&self->l, EEXIST, "loader's own block"));

	ph[1].p_paddr = 0xf0000;
	load_image(&self->l, self->image, ELF_SIZE);
	EXPECT_TRUE(refused(&self->l, EEXIST, "ACPI tables"));
}

TEST_F(elf, segment_sizes_that_lie_are_refused)
{
	Elf64_Phdr *ph = elf64_phdr(self->image, 0);

	ph->p_filesz = ELF_MEMSZ + 1;
	load_image(&self->l, self->image, ELF_SIZE);
	EXPECT_TRUE(refused(&self->l, ENOEXEC, "larger in the file"));

	make_elf64(self->image);
	ph->p_offset = UINT64_MAX;
	load_image(&self->l, self->image, ELF_SIZE);
	EXPECT_TRUE(refused(&self->l, EINVAL, "truncated"));
}

TEST_F(elf, notes_that_lie_are_not_followed)
{
	Elf64_Nhdr *nh = (Elf64_Nhdr *)(self->image + ELF_NOTE);
	Elf64_Phdr *ph = elf64_phdr(self->image, 1);

	nh->n_descsz = 0xfffffff0;
	ASSERT_EQ(0, load_image(&self->l, self->image, ELF_SIZE));
	EXPECT_EQ(BOOT_KIND_ELF64, self->l.out.kind);

	make_elf64(self->image);
	ph->p_filesz = UINT64_MAX;
	ASSERT_EQ(0, load_image(&self->l, self->image, ELF_SIZE));
	EXPECT_EQ(BOOT_KIND_ELF64, self->l.out.kind);

	make_elf64(self->image);
	*(uint64_t *)(self->image + ELF_NOTE + 16) = 1ull << 40;
	load_image(&self->l, self->image, ELF_SIZE);
	EXPECT_TRUE(refused(&self->l, ENOEXEC, "entry at 0x10000000000"));
}

TEST_F(elf, a_load_can_be_repeated)
{
	struct boot_entry first;

	ASSERT_EQ(0, load_image(&self->l, self->image, ELF_SIZE));
	first = self->l.out;
	ASSERT_EQ(0, boot_load(self->l.img, &self->l.in, &self->l.mem,
			       &self->l.out, self->l.err, sizeof(self->l.err)));
	EXPECT_EQ(0, memcmp(&first, &self->l.out, sizeof(first)));
}

MVM_HARNESS_MAIN
