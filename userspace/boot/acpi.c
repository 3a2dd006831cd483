// SPDX-License-Identifier: GPL-2.0-only
/*
 * ACPI tables: RSDP, XSDT, FADT, FACS, MADT, DSDT, built by hand.
 *
 * They describe a small machine without SMM, PCI, PM timer or keyboard
 * controller: power-off through PM1a_CNT, reset through the reset register,
 * N CPUs, one IOAPIC whose pins 0 to 15 are the ISA interrupts one to one
 * (KVM's default routing, hence no override for the timer), a UART and an
 * RTC. The DSDT is in aml.c. Field names are those of the ACPI specification.
 */
#include <string.h>

#include "acpi.h"
#include "loader.h"

#define FACS_ALIGN		64
#define TABLE_ALIGN		16

#define GAS_SYSTEM_IO		1
#define GAS_BYTE		1
#define GAS_WORD		2

#define FADT_WBINVD		(1u << 0)
#define FADT_PROC_C1		(1u << 2)
#define FADT_NO_POWER_BUTTON	(1u << 4)	/* none of the fixed kind */
#define FADT_NO_SLEEP_BUTTON	(1u << 5)
#define FADT_RESET_REG_SUP	(1u << 10)
#define FADT_NO_C2		101	/* a latency that says: not supported */
#define FADT_NO_C3		1001

#define BOOT_ARCH_LEGACY_DEVICES	(1u << 0)
#define BOOT_ARCH_NO_VGA		(1u << 2)

#define MADT_PCAT_COMPAT	1	/* there is an 8259 pair too */
#define MADT_ENABLED		1
#define MADT_ACTIVE_HIGH_LEVEL	0xd
#define MADT_ALL_PROCESSORS	0xff
#define MADT_NMI_LINT		1
#define MADT_MAX_XAPIC_ID	254	/* 255 is the broadcast */

struct rsdp {
	char signature[8];
	uint8_t checksum;
	char oem_id[6];
	uint8_t revision;
	uint32_t rsdt_address;
	uint32_t length;
	uint64_t xsdt_address;
	uint8_t extended_checksum;
	uint8_t reserved[3];
} __attribute__((packed));

struct gas {
	uint8_t space_id;
	uint8_t bit_width;
	uint8_t bit_offset;
	uint8_t access_size;
	uint64_t address;
} __attribute__((packed));

struct fadt {
	struct acpi_header h;
	uint32_t firmware_ctrl;
	uint32_t dsdt;
	uint8_t reserved0;
	uint8_t preferred_pm_profile;
	uint16_t sci_int;
	uint32_t smi_cmd;
	uint8_t acpi_enable, acpi_disable, s4bios_req, pstate_cnt;
	uint32_t pm1a_evt_blk, pm1b_evt_blk, pm1a_cnt_blk, pm1b_cnt_blk;
	uint32_t pm2_cnt_blk, pm_tmr_blk, gpe0_blk, gpe1_blk;
	uint8_t pm1_evt_len, pm1_cnt_len, pm2_cnt_len, pm_tmr_len;
	uint8_t gpe0_blk_len, gpe1_blk_len, gpe1_base, cst_cnt;
	uint16_t p_lvl2_lat, p_lvl3_lat, flush_size, flush_stride;
	uint8_t duty_offset, duty_width, day_alrm, mon_alrm, century;
	uint16_t iapc_boot_arch;
	uint8_t reserved1;
	uint32_t flags;
	struct gas reset_reg;
	uint8_t reset_value;
	uint16_t arm_boot_arch;
	uint8_t minor_version;
	uint64_t x_firmware_ctrl, x_dsdt;
	struct gas x_pm1a_evt_blk, x_pm1b_evt_blk, x_pm1a_cnt_blk;
	struct gas x_pm1b_cnt_blk, x_pm2_cnt_blk, x_pm_tmr_blk;
	struct gas x_gpe0_blk, x_gpe1_blk, sleep_control_reg, sleep_status_reg;
	uint64_t hypervisor_vendor;
} __attribute__((packed));

struct facs {
	char signature[4];
	uint32_t length;
	uint32_t hardware_signature;
	uint32_t waking_vector;
	uint32_t global_lock;
	uint32_t flags;
	uint64_t x_waking_vector;
	uint8_t version;
	uint8_t reserved[31];
} __attribute__((packed));

struct madt {
	struct acpi_header h;
	uint32_t lapic_address;
	uint32_t flags;
} __attribute__((packed));

struct madt_lapic {
	uint8_t type, length, uid, apic_id;
	uint32_t flags;
} __attribute__((packed));

struct madt_x2apic {
	uint8_t type, length;
	uint16_t reserved;
	uint32_t apic_id, flags, uid;
} __attribute__((packed));

struct madt_ioapic {
	uint8_t type, length, id, reserved;
	uint32_t address, gsi_base;
} __attribute__((packed));

struct madt_override {
	uint8_t type, length, bus, source;
	uint32_t gsi;
	uint16_t flags;
} __attribute__((packed));

struct madt_lapic_nmi {
	uint8_t type, length, uid;
	uint16_t flags;
	uint8_t lint;
} __attribute__((packed));

_Static_assert(sizeof(struct rsdp) == 36, "RSDP, revision 2");
_Static_assert(sizeof(struct fadt) == 276, "FADT, revision 6");
_Static_assert(sizeof(struct facs) == 64, "FACS");
_Static_assert(sizeof(struct madt) == 44, "MADT header");

enum madt_type {
	MADT_LAPIC = 0,
	MADT_IOAPIC = 1,
	MADT_OVERRIDE = 2,
	MADT_LAPIC_NMI = 4,
	MADT_X2APIC = 9,
};

/* The area being filled, and how much of it is used. */
struct area {
	uint8_t *base;
	size_t used;
};

static void *area_take(struct area *a, size_t len, size_t align)
{
	size_t start = (a->used + align - 1) & ~(align - 1);

	if (start > BOOT_ACPI_SIZE || len > BOOT_ACPI_SIZE - start)
		return NULL;
	a->used = start + len;
	return memset(a->base + start, 0, len);
}

static uint64_t area_gpa(const struct area *a, const void *p)
{
	return BOOT_ACPI_ADDR + ((const uint8_t *)p - a->base);
}

static uint8_t checksum(const void *p, size_t len)
{
	const uint8_t *b = p;
	uint8_t sum = 0;

	while (len--)
		sum += *b++;
	return -sum;
}

void acpi_header_fill(struct acpi_header *h, const char *signature,
		      uint8_t revision)
{
	memcpy(h->signature, signature, 4);
	h->revision = revision;
	memcpy(h->oem_id, "MINIVM", 6);
	memcpy(h->oem_table_id, "MINIVMM ", 8);
	h->oem_revision = 1;
	memcpy(h->creator_id, "MVMM", 4);
	h->creator_revision = 1;
}

void acpi_header_close(struct acpi_header *h, size_t len)
{
	h->length = len;
	h->checksum = 0;
	h->checksum = checksum(h, len);
}

static struct gas io_register(uint16_t port, uint8_t bits, uint8_t access)
{
	return (struct gas){
		.space_id = GAS_SYSTEM_IO,
		.bit_width = bits,
		.access_size = access,
		.address = port,
	};
}

static struct facs *build_facs(struct area *a)
{
	struct facs *facs = area_take(a, sizeof(*facs), FACS_ALIGN);

	if (!facs)
		return NULL;
	memcpy(facs->signature, "FACS", 4);
	facs->length = sizeof(*facs);
	facs->version = 2;
	return facs;
}

static struct acpi_header *build_dsdt(struct area *a)
{
	uint8_t buf[ACPI_DSDT_MAX];
	size_t len = acpi_dsdt(buf, sizeof(buf));
	void *dsdt = len ? area_take(a, len, TABLE_ALIGN) : NULL;

	return dsdt ? memcpy(dsdt, buf, len) : NULL;
}

static struct fadt *build_fadt(struct area *a, uint64_t facs, uint64_t dsdt)
{
	struct fadt *f = area_take(a, sizeof(*f), TABLE_ALIGN);

	if (!f)
		return NULL;
	acpi_header_fill(&f->h, "FACP", 6);
	f->minor_version = 3;
	f->firmware_ctrl = facs;
	f->dsdt = dsdt;
	f->x_dsdt = dsdt;
	f->sci_int = PLATFORM_SCI_IRQ;
	f->pm1a_evt_blk = PLATFORM_PM1A_EVT_PORT;
	f->pm1a_cnt_blk = PLATFORM_PM1A_CNT_PORT;
	f->pm1_evt_len = 4;
	f->pm1_cnt_len = 2;
	f->x_pm1a_evt_blk = io_register(PLATFORM_PM1A_EVT_PORT, 32, GAS_WORD);
	f->x_pm1a_cnt_blk = io_register(PLATFORM_PM1A_CNT_PORT, 16, GAS_WORD);
	f->p_lvl2_lat = FADT_NO_C2;
	f->p_lvl3_lat = FADT_NO_C3;
	f->iapc_boot_arch = BOOT_ARCH_LEGACY_DEVICES | BOOT_ARCH_NO_VGA;
	f->flags = FADT_WBINVD | FADT_PROC_C1 | FADT_NO_POWER_BUTTON |
		   FADT_NO_SLEEP_BUTTON | FADT_RESET_REG_SUP;
	f->reset_reg = io_register(PLATFORM_RESET_PORT, 8, GAS_BYTE);
	f->reset_value = PLATFORM_RESET_VALUE;
	memcpy(&f->hypervisor_vendor, "MINIVMM", 8);
	acpi_header_close(&f->h, sizeof(*f));
	return f;
}

/* Copy an entry, whose first two bytes are always its type and its length. */
static bool madt_add(struct area *a, const void *entry)
{
	size_t len = ((const uint8_t *)entry)[1];
	void *p = area_take(a, len, 1);

	if (p)
		memcpy(p, entry, len);
	return p;
}

static bool madt_add_cpus(struct area *a, unsigned int nr_cpus)
{
	bool ok = true;

	for (unsigned int id = 0; id < nr_cpus && ok; id++) {
		const struct madt_lapic lapic = {
			.type = MADT_LAPIC, .length = sizeof(lapic),
			.uid = id, .apic_id = id, .flags = MADT_ENABLED,
		};
		const struct madt_x2apic x2apic = {
			.type = MADT_X2APIC, .length = sizeof(x2apic),
			.uid = id, .apic_id = id, .flags = MADT_ENABLED,
		};

		if (id <= MADT_MAX_XAPIC_ID)
			ok = madt_add(a, &lapic);
		else
			ok = madt_add(a, &x2apic);
	}
	return ok;
}

static bool madt_add_interrupts(struct area *a)
{
	const struct madt_ioapic ioapic = {
		.type = MADT_IOAPIC, .length = sizeof(ioapic),
		.address = PLATFORM_IOAPIC_ADDR,
	};
	const struct madt_override sci = {
		.type = MADT_OVERRIDE, .length = sizeof(sci),
		.source = PLATFORM_SCI_IRQ, .gsi = PLATFORM_SCI_IRQ,
		.flags = MADT_ACTIVE_HIGH_LEVEL,
	};
	const struct madt_lapic_nmi nmi = {
		.type = MADT_LAPIC_NMI, .length = sizeof(nmi),
		.uid = MADT_ALL_PROCESSORS, .lint = MADT_NMI_LINT,
	};

	return madt_add(a, &ioapic) && madt_add(a, &sci) && madt_add(a, &nmi);
}

static struct madt *build_madt(struct area *a, unsigned int nr_cpus)
{
	struct madt *m = area_take(a, sizeof(*m), TABLE_ALIGN);

	if (!m || !madt_add_cpus(a, nr_cpus) || !madt_add_interrupts(a))
		return NULL;
	acpi_header_fill(&m->h, "APIC", 4);
	m->lapic_address = PLATFORM_LAPIC_ADDR;
	m->flags = MADT_PCAT_COMPAT;
	acpi_header_close(&m->h, a->base + a->used - (uint8_t *)m);
	return m;
}

static struct acpi_header *build_xsdt(struct area *a, uint64_t fadt,
				      uint64_t madt)
{
	const uint64_t tables[] = { fadt, madt };
	struct acpi_header *h = area_take(a, sizeof(*h) + sizeof(tables),
					  TABLE_ALIGN);

	if (!h)
		return NULL;
	acpi_header_fill(h, "XSDT", 1);
	memcpy(h + 1, tables, sizeof(tables));
	acpi_header_close(h, sizeof(*h) + sizeof(tables));
	return h;
}

uint64_t boot_acpi_write(struct guest_mem *mem, unsigned int nr_cpus)
{
	struct area a = {
		.base = guest_mem_ptr(mem, BOOT_ACPI_ADDR, BOOT_ACPI_SIZE),
	};
	struct acpi_header *dsdt, *xsdt;
	struct rsdp *rsdp;
	struct facs *facs;
	struct fadt *fadt;
	struct madt *madt;

	if (!a.base || !nr_cpus || nr_cpus > BOOT_MAX_CPUS)
		return 0;
	rsdp = area_take(&a, sizeof(*rsdp), TABLE_ALIGN);
	facs = build_facs(&a);
	dsdt = build_dsdt(&a);
	if (!rsdp || !facs || !dsdt)
		return 0;
	fadt = build_fadt(&a, area_gpa(&a, facs), area_gpa(&a, dsdt));
	madt = build_madt(&a, nr_cpus);
	if (!fadt || !madt)
		return 0;
	xsdt = build_xsdt(&a, area_gpa(&a, fadt), area_gpa(&a, madt));
	if (!xsdt)
		return 0;

	memcpy(rsdp->signature, "RSD PTR ", 8);
	memcpy(rsdp->oem_id, "MINIVM", 6);
	rsdp->revision = 2;
	rsdp->length = sizeof(*rsdp);
	rsdp->xsdt_address = area_gpa(&a, xsdt);
	rsdp->checksum = checksum(rsdp, 20);	/* the part of revision 0 */
	rsdp->extended_checksum = checksum(rsdp, sizeof(*rsdp));
	return area_gpa(&a, rsdp);
}
