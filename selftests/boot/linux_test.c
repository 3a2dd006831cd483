// SPDX-License-Identifier: GPL-2.0-only
/*
 * Debian's stock kernel with a busybox initramfs to a shell, by each way of
 * starting it, and the ways it ends. Each boot goes the whole way: the kernel
 * finds its devices by the ACPI tables, the shell computes something.
 */
#include "launch.h"
#include "mvm_harness.h"
#include "mvm_host.h"
#include "mvm_util.h"
#include "payload.h"

#define KERNEL		"/guest/vmlinuz"
#define INITRD		"/guest/initrd"
#define GUEST_SECONDS	"900"	/* of the emulated host's own, slow, time */
#define TEST_SECONDS	1000
#define CMDLINE		"console=ttyS0 quiet panic=-1 "

/* The words as the guest has to make them: not as they are typed. */
#define SAY_PRODUCT	"echo product=$((6*7))"
#define PRODUCT		"product=42"

struct guest {
	struct launch *l;
	const char *kernel;
	const char *initrd;
	const char *mem;
	const char *cpus;
	char *vmlinux;		/* from the kernel, when a test asks for it */
};

FIXTURE(boot) {
	struct guest guest;
};

static const char *from_env(const char *name, const char *fallback)
{
	const char *value = getenv(name);

	return value && *value ? value : fallback;
}

FIXTURE_SETUP(boot)
{
	char why[128];

	self->guest.kernel = from_env("MINIVMM_GUEST_KERNEL", KERNEL);
	self->guest.initrd = from_env("MINIVMM_GUEST_INITRD", INITRD);
	self->guest.mem = "192M";
	self->guest.cpus = "1";
	if (!launch_path(why, sizeof(why)))
		MVM_SKIP("%s", why);
	if (access(self->guest.kernel, R_OK) || access(self->guest.initrd, R_OK))
		MVM_SKIP("no guest kernel %s or initramfs %s: run in the lab with --guest",
			 self->guest.kernel, self->guest.initrd);
	self->guest.l = calloc(1, sizeof(*self->guest.l));
	ASSERT_NE(NULL, self->guest.l);
}

FIXTURE_TEARDOWN(boot)
{
	if (self->guest.vmlinux)
		unlink(self->guest.vmlinux);
	free(self->guest.vmlinux);
	free(self->guest.l);
}

/* Boot with these words on the command line; true for the wanted status. */
static bool boots(struct guest *g, int status, const char *image,
		  const char *option, const char *words,
		  const struct launch_input *input)
{
	char cmdline[256];
	const char *const args[] = {
		"--timeout", GUEST_SECONDS, "-m", g->mem, "-c", g->cpus, "-i", g->initrd,
		"-p", cmdline, option ?: "--stats", image, NULL,
	};

	snprintf(cmdline, sizeof(cmdline), CMDLINE "%s", words);
	if (launch_run(g->l, input, args))
		return false;
	if (g->l->status == status)
		return true;
	launch_show(g->l);
	return false;
}

static bool extract(struct guest *g)
{
	struct boot_blob blob;

	if (payload_extract(g->kernel, &blob))
		return false;
	g->vmlinux = launch_file(blob.data, blob.size);
	free(blob.data);
	return g->vmlinux;
}

TEST_F_TIMEOUT(boot, bzimage_boots_to_a_shell_that_answers, TEST_SECONDS)
{
	const struct launch_input input = {
		"# ", SAY_PRODUCT "; cat /proc/cmdline /proc/interrupts;"
		      "cat /sys/bus/pnp/devices/*/id; exit\n",
	};

	ASSERT_TRUE(boots(&self->guest, 0, self->guest.kernel, NULL, "marker=b1",
			  &input));
	EXPECT_EQ(1, launch_count(self->guest.l, PRODUCT)) {
		launch_show(self->guest.l);
	}
	EXPECT_GE(launch_count(self->guest.l, "marker=b1"), 1);

	/* Found by the ACPI tables, the interrupts as these describe them. */
	EXPECT_EQ(1, launch_count(self->guest.l, "PNP0501"));
	EXPECT_EQ(1, launch_count(self->guest.l, "PNP0b00"));
	EXPECT_EQ(1, launch_count(self->guest.l, "9-fasteoi   acpi"));
	EXPECT_EQ(1, launch_count(self->guest.l, "4-edge      ttyS0")) {
		launch_show(self->guest.l);
	}
}

TEST_F_TIMEOUT(boot, vmlinux_boots_by_its_pvh_note, TEST_SECONDS)
{
	ASSERT_TRUE(extract(&self->guest));
	ASSERT_TRUE(boots(&self->guest, 0, self->guest.vmlinux, NULL,
			  "run=echo,product=$((6*7))", NULL));
	EXPECT_EQ(1, launch_count(self->guest.l, PRODUCT)) {
		launch_show(self->guest.l);
	}
}

/* Let the host promise more memory than it has; few pages will be touched. */
static bool allow_overcommit(const char *value)
{
	FILE *f = fopen("/proc/sys/vm/overcommit_memory", "we");
	bool ok;

	if (!f)
		return false;
	ok = fputs(value, f) >= 0;
	return !fclose(f) && ok;
}

TEST_F_TIMEOUT(boot, vmlinux_boots_by_its_64_bit_entry_above_4_gib_too, TEST_SECONDS)
{
	bool booted;

	if (!allow_overcommit("1"))
		SKIP(return, "cannot set vm.overcommit_memory: run as root");
	self->guest.mem = "3200M";
	booted = extract(&self->guest) &&
		 boots(&self->guest, 0, self->guest.vmlinux, "--no-pvh",
		       "run=echo,product=$((6*7))+cat,/proc/iomem", NULL);
	EXPECT_TRUE(allow_overcommit("0"));
	ASSERT_TRUE(booted);
	EXPECT_EQ(1, launch_count(self->guest.l, PRODUCT));
	EXPECT_EQ(1, launch_count(self->guest.l, "00100000-bfffffff : System RAM"));
	EXPECT_EQ(1, launch_count(self->guest.l, "100000000-107ffffff : System RAM")) {
		launch_show(self->guest.l);
	}
}

TEST_F_TIMEOUT(boot, reboot_resets_the_machine, TEST_SECONDS)
{
	ASSERT_TRUE(boots(&self->guest, 0, self->guest.kernel, "--no-reboot",
			  "run=echo,once=$((1*2))+reboot,-f+sleep,99", NULL));
	EXPECT_EQ(1, launch_count(self->guest.l, "once=2")) {
		launch_show(self->guest.l);
	}
}

TEST_F_TIMEOUT(boot, panic_with_panic_minus_1_resets_the_machine, TEST_SECONDS)
{
	ASSERT_TRUE(boots(&self->guest, 0, self->guest.kernel, "--no-reboot",
			  "rdinit=/nonexistent root=/dev/nonexistent", NULL));
	EXPECT_GE(launch_count(self->guest.l, "Kernel panic"), 1) {
		launch_show(self->guest.l);
	}
}

/*
 * All CPUs at once: processes that compute, pages that fault, pipes that wake their
 * readers. Each gets the same sum. Then the kernel's view of its CPUs, and which
 * paravirtual services it uses: it says so of these four, and polls before it halts,
 * which it may tell the host, once the driver is asked to.
 */
#define POLLING	"cpuidle_haltpoll.force=Y "

#define PV_WORDS								\
	"kvm-clock: using sched offset|setup PV IPIs|pv remote TLB flush|"	\
	"PV sched yield|PV spinlocks enabled"

#define LOAD									\
	"n=$(nproc); echo cpus=$n;"						\
	"for i in $(seq $((2 * n))); do"					\
	" (dd if=/dev/zero bs=64k count=24 2>/dev/null | md5sum) & done >/sums;"	\
	"wait; echo sums=$(sort -u /sums | wc -l) of=$(wc -l </sums);"		\
	"echo lockups=$(dmesg | grep -ciE 'lockup|rcu.*stall|hung');"		\
	"echo idle=$(cat /sys/devices/system/cpu/cpuidle/current_driver);"	\
	"echo pv=$(dmesg | grep -cE '" PV_WORDS "');"				\
	"read name a b c d e f g stolen rest </proc/stat;"			\
	"echo stolen=$((stolen > 0));"						\
	"grep -E 'RES|CAL' /proc/interrupts; exit\n"

static void boots_with_cpus(struct __test_metadata *_metadata, struct guest *g, unsigned int cpus)
{
	const struct launch_input input = { "# ", LOAD };
	char number[12], words[32];

	snprintf(number, sizeof(number), "%u", cpus);
	g->cpus = number;
	ASSERT_TRUE(boots(g, 0, g->kernel, NULL, POLLING, &input));
	EXPECT_EQ(1, launch_count(g->l, "pv=5"));
	/* More vCPUs than the host has processors waited for them, and heard of it. */
	if (cpus > 2)
		EXPECT_EQ(1, launch_count(g->l, "stolen=1"));
	EXPECT_EQ(1, launch_count(g->l, "idle=haltpoll"));
	snprintf(words, sizeof(words), "cpus=%u", cpus);
	EXPECT_EQ(1, launch_count(g->l, words));
	snprintf(words, sizeof(words), "sums=1 of=%u", 2 * cpus);
	EXPECT_EQ(1, launch_count(g->l, words));
	EXPECT_EQ(1, launch_count(g->l, "lockups=0")) {
		launch_show(g->l);
	}
	g->cpus = "1";
}

TEST_F_TIMEOUT(boot, two_cpus_share_the_work, TEST_SECONDS)
{
	boots_with_cpus(_metadata, &self->guest, 2);
}

TEST_F_TIMEOUT(boot, eight_cpus_share_the_work, TEST_SECONDS)
{
	const char *run_long = getenv("MINIVMM_LONG");

	/* Bochs makes one processor of all, and the host's work on top: slow enough with two. */
	if (host_is_intel() && !(run_long && *run_long))
		SKIP(return, "takes minutes on an emulated Intel host; in scripts/check --long");
	boots_with_cpus(_metadata, &self->guest, 8);
}

MVM_HARNESS_MAIN
