// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arguments of "minivmm run": sizes and times as people write them, every
 * option stored, and each mistake named in a sentence.
 */
#include <errno.h>

#include "mvm_harness.h"
#include "userspace/launcher/options.h"

#define MIB (1ull << 20)

TEST(sizes_take_suffixes_and_default_to_mib)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = {
		{ "300", 300 * MIB }, { "4096B", 4096 }, { "64k", 65536 }, { "512M", 512 * MIB },
		{ "2g", 2048 * MIB }, { "1T", 1ull << 40 }, { "0", 0 },
	};
	static const char * const bad[] = {
		"", "M", "-1", "+1", " 1", "1 ", "1MB", "1x", "0x10", "1.5G",
	};
	uint64_t bytes;
	size_t i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		EXPECT_EQ(0, parse_size(good[i].text, &bytes));
		EXPECT_EQ(good[i].bytes, bytes);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_EQ(-EINVAL, parse_size(bad[i], &bytes))
			TH_LOG("text %zu of the bad ones was taken", i);
	EXPECT_EQ(-ERANGE, parse_size("99999999999999999999", &bytes));
	EXPECT_EQ(-ERANGE, parse_size("16777216T", &bytes));
	EXPECT_EQ(0, parse_size("16777215T", &bytes));
}

TEST(times_take_suffixes_and_are_never_zero)
{
	static const char * const bad[] = {
		"", "0", "0s", "-1", "inf", "nan", "0x10", "1d", "1ss", "s",
	};
	uint64_t ns;
	size_t i;

	EXPECT_EQ(0, parse_duration("1.5", &ns));
	EXPECT_EQ(1500000000, ns);
	EXPECT_EQ(0, parse_duration("2m", &ns));
	EXPECT_EQ(120000000000, ns);
	EXPECT_EQ(0, parse_duration("1h", &ns));
	EXPECT_EQ(3600000000000, ns);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_EQ(-EINVAL, parse_duration(bad[i], &ns))
			TH_LOG("text %zu of the bad ones was taken", i);
	EXPECT_EQ(-ERANGE, parse_duration("1e300", &ns));
}

static int parse(struct run_options *opt, char *err, size_t errlen, const char *line)
{
	static char copy[256];
	char *argv[32] = { "run" };
	int argc = 1;
	char *word;

	snprintf(copy, sizeof(copy), "%s", line);
	for (word = strtok(copy, " "); word && argc < 31; word = strtok(NULL, " "))
		argv[argc++] = word;
	return options_parse_run(opt, argc, argv, err, errlen);
}

TEST(options_are_stored)
{
	struct run_options opt;
	char err[256];

	ASSERT_EQ(0, parse(&opt, err, sizeof(err),
			   "-i rd --params quiet -m 1G -c 3 img --timeout 7 -n vm --no-reboot"));
	EXPECT_STREQ("img", opt.image);
	EXPECT_STREQ("rd", opt.initrd);
	EXPECT_STREQ("quiet", opt.cmdline);
	EXPECT_STREQ("vm", opt.name);
	EXPECT_EQ(1024 * MIB, opt.mem_size);
	EXPECT_EQ(3, opt.cpus);
	EXPECT_EQ(7000000000, opt.timeout_ns);
	EXPECT_TRUE(opt.no_reboot);

	ASSERT_EQ(0, parse(&opt, err, sizeof(err), "--stats --no-pvh --device /dev/kvm img"));
	EXPECT_TRUE(opt.stats && opt.no_pvh);
	EXPECT_STREQ("/dev/kvm", opt.device);
}

TEST(defaults_are_those_of_the_help_text)
{
	struct run_options opt;
	char err[256];

	ASSERT_EQ(0, parse(&opt, err, sizeof(err), "img"));
	EXPECT_EQ(256 * MIB, opt.mem_size);
	EXPECT_EQ(1, opt.cpus);
	EXPECT_EQ(0, opt.timeout_ns);
	EXPECT_STREQ("/dev/minivmm", opt.device);
	EXPECT_STREQ("console=ttyS0", opt.cmdline);
	EXPECT_FALSE(opt.no_reboot || opt.stats || opt.no_pvh || opt.help);
	EXPECT_NE(NULL, strstr(options_run_help, "256M"));
}

TEST(mistakes_are_named)
{
	static const struct {
		const char *line, *names;
	} bad[] = {
		{ "", "no image" }, { "a b", "\"b\"" }, { "-m 1x a", "\"1x\"" },
		{ "-c 0 a", "\"0\"" }, { "-c two a", "\"two\"" }, { "-c 70000 a", "\"70000\"" },
		{ "--timeout 0 a", "\"0\"" },
		{ "-z a", "\"-z\"" }, { "-hz a", "\"-z\"" }, { "--frob a", "\"--frob\"" },
		{ "a -m", "\"-m\"" },
	};
	struct run_options opt;
	char err[256];
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err[0] = '\0';
		EXPECT_EQ(-EINVAL, parse(&opt, err, sizeof(err), bad[i].line));
		EXPECT_NE(NULL, strstr(err, bad[i].names))
			TH_LOG("%s: %s", bad[i].line, err);
		EXPECT_NE(NULL, strstr(err, "--help"));
	}
}

MVM_HARNESS_MAIN
