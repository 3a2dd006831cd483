// SPDX-License-Identifier: GPL-2.0-only
/*
 * The bzImage loader: where things go, what the zero page says, the entry
 * state, and every refusal.
 */
#include <errno.h>

#include "boot_util.h"

FIXTURE(bzimage) {
	struct load l;
	uint8_t image[BZ_SIZE];
};

FIXTURE_SETUP(bzimage)
{
	ASSERT_TRUE(load_init(&self->l, 64 * MIB));
	make_bzimage(self->image);
}

FIXTURE_TEARDOWN(bzimage)
{
	load_fini(&self->l);
}

TEST_F(bzimage, kernel_goes_to_its_preferred_address)
{
	const uint8_t *kernel;

	ASSERT_EQ(0, load_image(&self->l, self->image, BZ_SIZE));
	kernel = load_ptr(&self->l, BZ_PREF, BZ_KERNEL);
	EXPECT_EQ(BOOT_KIND_BZIMAGE, self->l.out.kind);
	EXPECT_EQ(0, memcmp(kernel, self->image + BZ_SETUP, BZ_KERNEL));
	EXPECT_EQ(BZ_PREF + 0x200, self->l.out.regs.rip);
}

TEST_F(bzimage, relocatable_kernel_goes_lower_in_small_memory)
{
	bz_header(self->image)->pref_address = 63 * MIB;
	ASSERT_EQ(0, load_image(&self->l, self->image, BZ_SIZE));
	EXPECT_EQ(0x200200, self->l.out.regs.rip);

	bz_header(self->image)->relocatable_kernel = 0;
	load_image(&self->l, self->image, BZ_SIZE);
	EXPECT_TRUE(refused(&self->l, ENOSPC, "64 MiB"));
}

TEST_F(bzimage, zero_page_describes_the_machine)
{
	const struct boot_params *bp;

	self->l.in.cmdline = "console=ttyS0 quiet";
	ASSERT_EQ(0, load_image(&self->l, self->image, BZ_SIZE));
	bp = load_ptr(&self->l, self->l.out.regs.rsi, sizeof(*bp));
	ASSERT_NE(NULL, bp);
	EXPECT_EQ(0x53726448, bp->hdr.header);
	EXPECT_EQ(0xff, bp->hdr.type_of_loader);
	EXPECT_EQ(0, bp->hdr.ramdisk_size);
	EXPECT_EQ(0, bp->sentinel);
	EXPECT_STREQ("console=ttyS0 quiet",
		     load_ptr(&self->l, bp->hdr.cmd_line_ptr, 20));
	EXPECT_EQ(0, memcmp("RSD PTR ", load_ptr(&self->l, bp->acpi_rsdp_addr, 8), 8));
	EXPECT_EQ(3, bp->e820_entries);
	EXPECT_EQ(0x9fc00, bp->e820_table[0].size);
	EXPECT_EQ(2, bp->e820_table[1].type);
	EXPECT_EQ(64 * MIB, bp->e820_table[2].addr + bp->e820_table[2].size);
}

TEST(memory_above_3_gib_continues_at_4_gib)
{
	const struct guest_mem mem = { .size = 5 * 1024 * MIB };
	struct boot_e820 map[BOOT_E820_MAX];

	ASSERT_EQ(4, boot_e820_fill(&mem, map));
	EXPECT_EQ(3 * 1024 * MIB, map[2].addr + map[2].size);
	EXPECT_EQ(4 * 1024 * MIB, map[3].addr);
	EXPECT_EQ(2 * 1024 * MIB, map[3].size);
	EXPECT_EQ(1, map[3].type);
}

TEST_F(bzimage, entry_state_is_long_mode_identity_mapped)
{
	const struct kvm_sregs *s = &self->l.out.sregs;
	const uint64_t *pml4, *pdpt, *pd, *gdt;

	ASSERT_EQ(0, load_image(&self->l, self->image, BZ_SIZE));
	EXPECT_EQ(0x80000031, s->cr0);
	EXPECT_EQ(0x20, s->cr4);
	EXPECT_EQ(0x500, s->efer);
	EXPECT_EQ(2, self->l.out.regs.rflags);
	EXPECT_EQ(0x10, s->cs.selector);
	EXPECT_EQ(1, s->cs.l);
	EXPECT_EQ(0, s->cs.db);
	EXPECT_EQ(0x18, s->ds.selector);
	EXPECT_EQ(0x18, s->ss.selector);
	EXPECT_EQ(0xfee00900, s->apic_base);

	gdt = load_ptr(&self->l, s->gdt.base, s->gdt.limit + 1);
	EXPECT_EQ(0x00af9b000000ffff, gdt[2]);
	EXPECT_EQ(0x00cf93000000ffff, gdt[3]);

	pml4 = load_ptr(&self->l, s->cr3, 4096);
	pdpt = load_ptr(&self->l, pml4[0] & ~0xfffull, 4096);
	for (uint64_t gpa = 0; gpa < 4096 * MIB; gpa += 2 * MIB) {
		pd = load_ptr(&self->l, pdpt[gpa >> 30] & ~0xfffull, 4096);
		ASSERT_EQ(gpa | 0x83, pd[gpa >> 21 & 511]);
	}
}

TEST_F(bzimage, truncated_images_are_refused)
{
	for (size_t size = 0x207; size < BZ_SIZE - 15; size++) {
		load_image(&self->l, self->image, size);
		ASSERT_TRUE(refused(&self->l, EINVAL, "truncated")) {
			TH_LOG("%zu bytes", size);
		}
	}
}

TEST_F(bzimage, old_and_32_bit_kernels_are_refused)
{
	bz_header(self->image)->version = 0x020b;
	load_image(&self->l, self->image, BZ_SIZE);
	EXPECT_TRUE(refused(&self->l, EOPNOTSUPP, "boot protocol 2.11"));

	make_bzimage(self->image);
	bz_header(self->image)->xloadflags = 0;
	load_image(&self->l, self->image, BZ_SIZE);
	EXPECT_TRUE(refused(&self->l, EOPNOTSUPP, "64-bit entry"));

	make_bzimage(self->image);
	bz_header(self->image)->loadflags = 0;
	load_image(&self->l, self->image, BZ_SIZE);
	EXPECT_TRUE(refused(&self->l, EOPNOTSUPP, "zImage"));
}

TEST_F(bzimage, hostile_headers_are_refused)
{
	struct setup_header *hdr = bz_header(self->image);

	hdr->init_size = 0xffffffff;
	load_image(&self->l, self->image, BZ_SIZE);
	EXPECT_TRUE(refused(&self->l, ENOSPC, "more memory"));

	make_bzimage(self->image);
	hdr->pref_address = UINT64_MAX;
	hdr->kernel_alignment = 3;
	load_image(&self->l, self->image, BZ_SIZE);
	EXPECT_TRUE(refused(&self->l, ENOSPC, "more memory"));

	make_bzimage(self->image);
	hdr->syssize = 0xffffffff;
	load_image(&self->l, self->image, BZ_SIZE);
	EXPECT_TRUE(refused(&self->l, EINVAL, "truncated"));

	make_bzimage(self->image);
	hdr->syssize = 0;
	load_image(&self->l, self->image, BZ_SIZE);
	EXPECT_TRUE(refused(&self->l, EINVAL, "bad header"));
}

TEST_F(bzimage, command_line_limit_is_the_kernels)
{
	char cmdline[2049];

	memset(cmdline, 'x', sizeof(cmdline));
	cmdline[2047] = 0;
	self->l.in.cmdline = cmdline;
	EXPECT_EQ(0, load_image(&self->l, self->image, BZ_SIZE));

	cmdline[2047] = 'x';
	cmdline[2048] = 0;
	load_image(&self->l, self->image, BZ_SIZE);
	EXPECT_TRUE(refused(&self->l, E2BIG, "2048 characters"));
}

TEST_F(bzimage, cpu_counts_out_of_range_are_refused)
{
	self->l.in.nr_cpus = 0;
	load_image(&self->l, self->image, BZ_SIZE);
	EXPECT_TRUE(refused(&self->l, EINVAL, "0 CPUs"));
	self->l.in.nr_cpus = BOOT_MAX_CPUS + 1;
	load_image(&self->l, self->image, BZ_SIZE);
	EXPECT_TRUE(refused(&self->l, EINVAL, "1025 CPUs"));
	self->l.in.nr_cpus = BOOT_MAX_CPUS;
	EXPECT_EQ(0, load_image(&self->l, self->image, BZ_SIZE));
}

MVM_HARNESS_MAIN
