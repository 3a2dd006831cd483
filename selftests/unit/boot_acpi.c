// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ACPI tables: found by the scan a guest does, checksums right, N CPUs
 * described; and iasl, the referee, disassembles and recompiles each of them
 * without an error or a warning.
 */
#include <errno.h>
#include <sys/wait.h>

#include "boot_util.h"
#include "userspace/boot/acpi.h"

FIXTURE(acpi) {
	struct load l;
	const uint8_t *rsdp;
};

FIXTURE_VARIANT(acpi) {
	unsigned int cpus;
};

FIXTURE_VARIANT_ADD(acpi, cpus_1) { 1 };
FIXTURE_VARIANT_ADD(acpi, cpus_4) { 4 };
FIXTURE_VARIANT_ADD(acpi, cpus_300) { 300 };
FIXTURE_VARIANT_ADD(acpi, cpus_max) { BOOT_MAX_CPUS };

static uint8_t sum(const uint8_t *p, size_t len)
{
	uint8_t s = 0;

	while (len--)
		s += *p++;
	return s;
}

static uint64_t get(const uint8_t *p, unsigned int size)
{
	uint64_t v = 0;

	memcpy(&v, p, size);
	return v;
}

FIXTURE_SETUP(acpi)
{
	uint64_t gpa;

	ASSERT_TRUE(load_init(&self->l, 4 * MIB));
	gpa = boot_acpi_write(&self->l.mem, variant->cpus);
	ASSERT_GE(gpa, 0xe0000);
	ASSERT_LT(gpa, 0x100000);
	ASSERT_EQ(0, gpa % 16);
	self->rsdp = load_ptr(&self->l, gpa, 36);
}

FIXTURE_TEARDOWN(acpi)
{
	load_fini(&self->l);
}

/* Table number @i of the XSDT, or with -1 the XSDT, NULL where there is none. */
static const struct acpi_header *table(struct load *l, const uint8_t *rsdp, int i)
{
	uint64_t gpa = get(rsdp + 24, 8);
	const struct acpi_header *h = load_ptr(l, gpa, sizeof(*h));

	if (i >= 0 && h) {
		if (sizeof(*h) + 8 * i >= h->length)
			return NULL;
		gpa = get((const uint8_t *)(h + 1) + 8 * i, 8);
		h = load_ptr(l, gpa, sizeof(*h));
	}
	return h ? load_ptr(l, gpa, h->length) : NULL;
}

static const struct acpi_header *find(struct load *l, const uint8_t *rsdp,
				      const char *signature)
{
	const struct acpi_header *h;

	for (int i = 0; (h = table(l, rsdp, i)); i++)
		if (!memcmp(h->signature, signature, 4))
			return h;
	return NULL;
}

static const struct acpi_header *find_dsdt(struct load *l, const uint8_t *rsdp)
{
	const uint8_t *fadt = (const void *)find(l, rsdp, "FACP");
	const struct acpi_header *h = load_ptr(l, get(fadt + 140, 8), sizeof(*h));

	return h ? load_ptr(l, get(fadt + 140, 8), h->length) : NULL;
}

TEST_F(acpi, checksums_are_right)
{
	const struct acpi_header *h;

	EXPECT_EQ(0, memcmp(self->rsdp, "RSD PTR ", 8));
	EXPECT_EQ(0, sum(self->rsdp, 20));
	EXPECT_EQ(0, sum(self->rsdp, 36));
	for (int i = -1; (h = table(&self->l, self->rsdp, i)); i++)
		EXPECT_EQ(0, sum((const uint8_t *)h, h->length));
	h = find_dsdt(&self->l, self->rsdp);
	ASSERT_NE(NULL, h);
	EXPECT_EQ(0, sum((const uint8_t *)h, h->length));
}

TEST_F(acpi, madt_lists_each_cpu_once)
{
	const struct acpi_header *h = find(&self->l, self->rsdp, "APIC");
	const uint8_t *p = (const uint8_t *)h + 44, *end = (const uint8_t *)h + h->length;
	unsigned int cpus = 0, ioapics = 0;

	EXPECT_EQ(0xfee00000, get((const uint8_t *)h + 36, 4));
	for (; p < end; p += p[1]) {
		ASSERT_GE(p[1], 2);
		if (p[0] == 0)
			EXPECT_EQ(cpus++, p[3]);
		if (p[0] == 9)
			EXPECT_EQ(cpus++, get(p + 4, 4));
		if (p[0] == 1) {
			EXPECT_EQ(0xfec00000, get(p + 4, 4));
			ioapics++;
		}
		if (p[0] == 2)
			EXPECT_EQ(9, p[3]);
	}
	EXPECT_EQ(end, p);
	EXPECT_EQ(variant->cpus, cpus);
	EXPECT_EQ(1, ioapics);
}

TEST_F(acpi, fadt_names_the_ports_the_devices_decode)
{
	const uint8_t *f = (const void *)find(&self->l, self->rsdp, "FACP");

	EXPECT_EQ(PLATFORM_SCI_IRQ, get(f + 46, 2));
	EXPECT_EQ(PLATFORM_PM1A_EVT_PORT, get(f + 56, 4));
	EXPECT_EQ(PLATFORM_PM1A_CNT_PORT, get(f + 64, 4));
	EXPECT_EQ(0, get(f + 76, 4));	/* no PM timer */
	EXPECT_EQ(0, get(f + 48, 4));	/* no SMI port: ACPI is on */
	EXPECT_EQ(PLATFORM_RESET_PORT, get(f + 120, 8));
	EXPECT_EQ(PLATFORM_RESET_VALUE, f[128]);
	EXPECT_TRUE(get(f + 112, 4) & 1 << 10);
	EXPECT_EQ(0, get(f + 36, 4) % 64);	/* the FACS is aligned */
}

static int run(const char *dir, char *const argv[])
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		char log[64];

		snprintf(log, sizeof(log), "%s/log", dir);
		if (chdir(dir) || !freopen(log, "a", stdout) ||
		    dup2(fileno(stdout), 2) < 0)
			_exit(126);
		execvp(argv[0], argv);
		_exit(127);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ?
		WEXITSTATUS(status) : -1;
}

static bool dump(const char *dir, const char *name, const struct acpi_header *h)
{
	char path[64];
	FILE *f;
	bool ok;

	snprintf(path, sizeof(path), "%s/%s.aml", dir, name);
	f = fopen(path, "w");
	if (!f)
		return false;
	ok = fwrite(h, 1, h->length, f) == h->length;
	return !fclose(f) && ok;
}

/* What iasl said, shown when it was not content. */
static void show(const char *path)
{
	FILE *f = fopen(path, "r");
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		printf("# %s", line);
	if (f)
		fclose(f);
}

/* Warnings are as bad as errors: -we. Resource names iasl is told to expect. */
static bool iasl_is_content(const char *dir, const char *name)
{
	char aml[16], dsl[16], log[64];
	char *const disassemble[] = { "iasl", "-d", aml, NULL };
	char *const compile[] = { "iasl", "-we", "-tc", dsl, NULL };
	bool ok;

	snprintf(aml, sizeof(aml), "%s.aml", name);
	snprintf(dsl, sizeof(dsl), "%s.dsl", name);
	snprintf(log, sizeof(log), "%s/log", dir);
	ok = !run(dir, disassemble) && !run(dir, compile);
	if (!ok)
		show(log);
	return ok;
}

TEST_F(acpi, iasl_finds_nothing_to_complain_about)
{
	static const char *const names[] = { "FACP", "APIC", "DSDT", "XSDT" };
	char dir[] = "/tmp/boot_acpi.XXXXXX";
	char *const version[] = { "iasl", "-v", NULL };
	char *const clean[] = { "rm", "-rf", dir, NULL };

	ASSERT_NE(NULL, mkdtemp(dir));
	if (run(dir, version)) {
		run("/", clean);
		SKIP(return, "iasl is not installed: scripts/deps test");
	}
	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
		const struct acpi_header *h = i == 2 ?
			find_dsdt(&self->l, self->rsdp) : i == 3 ?
			table(&self->l, self->rsdp, -1) :
			find(&self->l, self->rsdp, names[i]);

		ASSERT_NE(NULL, h);
		ASSERT_TRUE(dump(dir, names[i], h));
		EXPECT_TRUE(iasl_is_content(dir, names[i]));
	}
	run("/tmp", clean);
}

TEST(no_tables_without_memory_or_cpus)
{
	struct load l;

	ASSERT_TRUE(load_init(&l, 2 * MIB));
	EXPECT_EQ(0, boot_acpi_write(&l.mem, 0));
	EXPECT_EQ(0, boot_acpi_write(&l.mem, BOOT_MAX_CPUS + 1));
	l.mem.region[0].size = 512 << 10;
	EXPECT_EQ(0, boot_acpi_write(&l.mem, 1));
	l.mem.region[0].size = 2 * MIB;
	load_fini(&l);
}

MVM_HARNESS_MAIN
