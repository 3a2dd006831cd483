// SPDX-License-Identifier: GPL-2.0-only
/*
 * Static ELF images, read with libelf: a vmlinux by its PVH note or its 64-bit
 * entry, any other ELF64 in long mode, an ELF32 in flat protected mode.
 *
 * Segments go to their physical addresses. An ELF entered in long mode finds
 * the zero page at RSI, in protected mode the PVH start information at EBX:
 * a Linux needs them, others may look. load_segments() trusts nothing that
 * libelf has read: sizes are checked against the file, places by boot_claim().
 */
#include <errno.h>
#include <string.h>

#include <gelf.h>

#include "loader.h"

#define XEN_NOTE_NAME		"Xen"
#define XEN_NOTE_PHYS32_ENTRY	18
#define LINUX_INITRD_MAX	0x7fffffff	/* what bzImages accept as well */

struct elf_image {
	Elf *elf;
	GElf_Ehdr ehdr;
	size_t nr_phdrs;
	uint64_t pvh_entry;
	bool has_pvh;
};

bool boot_is_elf(const uint8_t head[BOOT_HEAD_MAX])
{
	return !memcmp(head, ELFMAG, SELFMAG);
}

static int bad_elf(struct boot_ctx *ctx, const char *what)
{
	return boot_fail(ctx, ENOEXEC,
			 "%s %s; link it statically for x86 or use a vmlinux",
			 ctx->img->name, what);
}

static int check_header(struct boot_ctx *ctx, struct elf_image *ei)
{
	const struct boot_source *data = &ctx->img->data;
	const uint8_t *ident = ctx->img->head;
	bool is64;

	if (data->size < sizeof(Elf32_Ehdr))
		return bad_elf(ctx, "is an ELF file cut off in its header");
	if (ident[EI_DATA] != ELFDATA2LSB)
		return bad_elf(ctx, "is a big-endian ELF file");
	ei->elf = data->fd < 0 ? elf_memory((char *)data->heap, data->size) :
				 elf_begin(data->fd, ELF_C_READ, NULL);
	if (!ei->elf || elf_kind(ei->elf) != ELF_K_ELF ||
	    !gelf_getehdr(ei->elf, &ei->ehdr))
		return bad_elf(ctx, "is a damaged ELF file");
	is64 = ident[EI_CLASS] == ELFCLASS64;
	if (ei->ehdr.e_machine != (is64 ? EM_X86_64 : EM_386))
		return bad_elf(ctx, "is an ELF file of another architecture");
	if (ei->ehdr.e_type != ET_EXEC)
		return bad_elf(ctx, "is not an executable at fixed addresses (ET_EXEC)");
	if (elf_getphdrnum(ei->elf, &ei->nr_phdrs) || !ei->nr_phdrs)
		return bad_elf(ctx, "has no program headers to load");
	return 0;
}

static int load_segment(struct boot_ctx *ctx, const GElf_Phdr *ph)
{
	int ret;

	if (ph->p_filesz > ph->p_memsz)
		return bad_elf(ctx, "has a segment larger in the file than in memory");
	ret = boot_claim(ctx, ph->p_paddr, ph->p_memsz, "a segment");
	if (ret)
		return ret;
	return boot_copy(ctx, ctx->img->name, &ctx->img->data, ph->p_offset, ph->p_paddr,
			 ph->p_filesz);
}

/* The 32-bit entry in a PVH note, if this segment has one. */
static void read_notes(struct elf_image *ei, const GElf_Phdr *ph)
{
	size_t pos = 0, name, desc;
	Elf_Data *notes;
	GElf_Nhdr nh;

	notes = elf_getdata_rawchunk(ei->elf, ph->p_offset, ph->p_filesz,
				     ph->p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
	if (!notes)
		return;
	while ((pos = gelf_getnote(notes, pos, &nh, &name, &desc)) > 0) {
		const uint8_t *buf = notes->d_buf;
		uint32_t entry[2] = { 0 };

		if (nh.n_type != XEN_NOTE_PHYS32_ENTRY ||
		    nh.n_namesz != sizeof(XEN_NOTE_NAME) ||
		    memcmp(buf + name, XEN_NOTE_NAME, sizeof(XEN_NOTE_NAME)) ||
		    (nh.n_descsz != 4 && nh.n_descsz != 8))
			continue;
		memcpy(entry, buf + desc, nh.n_descsz);
		ei->pvh_entry = (uint64_t)entry[1] << 32 | entry[0];
		ei->has_pvh = true;
		return;
	}
}

static int load_segments(struct boot_ctx *ctx, struct elf_image *ei)
{
	unsigned int loaded = 0;

	for (size_t i = 0; i < ei->nr_phdrs; i++) {
		GElf_Phdr ph;
		int ret = 0;

		if (!gelf_getphdr(ei->elf, i, &ph))
			return bad_elf(ctx, "has damaged program headers");
		if (ph.p_type == PT_INTERP)
			return bad_elf(ctx, "is dynamically linked");
		if (ph.p_type == PT_NOTE)
			read_notes(ei, &ph);
		if (ph.p_type == PT_LOAD && ph.p_memsz) {
			ret = load_segment(ctx, &ph);
			loaded++;
		}
		if (ret)
			return ret;
	}
	return loaded ? 0 : bad_elf(ctx, "has no segment to load");
}

/*
 * Turn the ELF entry into a physical address: a vmlinux has one already,
 * others may be linked to run elsewhere than they are loaded.
 */
static int find_entry(struct boot_ctx *ctx, struct elf_image *ei,
		      uint64_t entry, uint64_t *phys)
{
	for (int by_vaddr = 0; by_vaddr < 2; by_vaddr++) {
		for (size_t i = 0; i < ei->nr_phdrs; i++) {
			uint64_t start;
			GElf_Phdr ph;

			if (!gelf_getphdr(ei->elf, i, &ph) || ph.p_type != PT_LOAD)
				continue;
			start = by_vaddr ? ph.p_vaddr : ph.p_paddr;
			if (entry < start || entry - start >= ph.p_memsz)
				continue;
			*phys = entry - start + ph.p_paddr;
			if (*phys <= 0xffffffffu)
				return 0;
		}
	}
	return boot_fail(ctx, ENOEXEC,
			 "%s has its entry at 0x%llx, in none of its segments below 4 GiB; check how it was linked",
			 ctx->img->name, (unsigned long long)entry);
}

static int start_pvh(struct boot_ctx *ctx, uint64_t entry)
{
	int ret = boot_pvh_info(ctx);

	if (!ret)
		ret = boot_state_protected(ctx, entry);
	ctx->out->regs.rbx = BOOT_PVH_INFO_ADDR;
	return ret;
}

static int load(struct boot_ctx *ctx, struct elf_image *ei)
{
	bool is64, pvh;
	uint64_t entry = 0;
	int ret;

	ret = check_header(ctx, ei);
	if (!ret)
		ret = boot_place_tables(ctx);
	if (!ret)
		ret = load_segments(ctx, ei);
	if (ret)
		return ret;
	is64 = gelf_getclass(ei->elf) == ELFCLASS64;
	pvh = ei->has_pvh && !ctx->in->no_pvh;
	ret = find_entry(ctx, ei, pvh ? ei->pvh_entry : ei->ehdr.e_entry, &entry);
	if (!ret)
		ret = boot_place_cmdline(ctx, BOOT_CMDLINE_MAX);
	if (!ret)
		ret = boot_place_initrd(ctx, LINUX_INITRD_MAX);
	if (ret)
		return ret;

	ctx->out->kind = pvh ? BOOT_KIND_PVH :
			 is64 ? BOOT_KIND_ELF64 : BOOT_KIND_ELF32;
	if (pvh || !is64)
		return start_pvh(ctx, entry);
	ret = boot_zero_page(ctx, NULL, 0);
	if (!ret)
		ret = boot_state_long(ctx, entry);
	ctx->out->regs.rsi = BOOT_ZERO_PAGE_ADDR;
	return ret;
}

int boot_load_elf(struct boot_ctx *ctx)
{
	struct elf_image ei = { 0 };
	int ret;

	if (elf_version(EV_CURRENT) == EV_NONE)
		return boot_fail(ctx, ENOSYS,
				 "libelf is older than its headers; install the matching libelf1");
	ret = load(ctx, &ei);
	elf_end(ei.elf);
	return ret;
}
