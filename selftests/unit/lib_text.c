// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exits and registers in words, also into buffers that are too small.
 */
#include "libminivmm.h"
#include "mvm_harness.h"

TEST(exit_reasons_have_names)
{
	EXPECT_STREQ("io", minivmm_exit_name(KVM_EXIT_IO));
	EXPECT_STREQ("shutdown", minivmm_exit_name(KVM_EXIT_SHUTDOWN));
	EXPECT_STREQ("unknown", minivmm_exit_name(13));
	EXPECT_STREQ("unknown", minivmm_exit_name(0xffffffff));
}

TEST(exits_are_described)
{
	struct kvm_run run = { .exit_reason = KVM_EXIT_IO };
	char buf[256];

	run.io.direction = KVM_EXIT_IO_OUT;
	run.io.port = 0xe9;
	run.io.size = 1;
	run.io.count = 3;
	minivmm_describe_exit(&run, buf, sizeof(buf));
	EXPECT_STREQ("write to port 0xe9, 3 x 1 bytes", buf);

	memset(&run, 0, sizeof(run));
	run.exit_reason = KVM_EXIT_FAIL_ENTRY;
	run.fail_entry.hardware_entry_failure_reason = 0x80000021;
	minivmm_describe_exit(&run, buf, sizeof(buf));
	EXPECT_NE(NULL, strstr(buf, "0x80000021"));

	run.exit_reason = 1000;
	minivmm_describe_exit(&run, buf, sizeof(buf));
	EXPECT_NE(NULL, strstr(buf, "1000"));
}

TEST(a_lying_count_of_internal_data_is_bounded)
{
	struct kvm_run run = { .exit_reason = KVM_EXIT_INTERNAL_ERROR };
	char buf[1024];

	run.internal.suberror = KVM_INTERNAL_ERROR_EMULATION;
	run.internal.ndata = 0xffffffff;
	minivmm_describe_exit(&run, buf, sizeof(buf));
	EXPECT_NE(NULL, strstr(buf, "emulated"));
	EXPECT_LT(strlen(buf), 200);
}

TEST(registers_are_told_and_small_buffers_respected)
{
	struct kvm_regs regs = { .rip = 0xfff0, .r15 = 0xabcdef };
	struct kvm_sregs sregs = { .cr0 = 0x60000010 };
	char *full = malloc(8192), *small;
	int len, size;

	len = minivmm_describe_regs(&regs, &sregs, full, 8192);
	EXPECT_EQ(len, strlen(full));
	EXPECT_NE(NULL, strstr(full, "rip 000000000000fff0"));
	EXPECT_NE(NULL, strstr(full, "r15 0000000000abcdef"));
	EXPECT_NE(NULL, strstr(full, "cr0 0000000060000010"));
	for (size = 1; size <= len + 1; size++) {
		/* Exactly sized, so that ASan sees one byte too many. */
		small = malloc(size);
		ASSERT_EQ(len, minivmm_describe_regs(&regs, &sregs, small, size));
		ASSERT_EQ(size - 1, strlen(small));
		ASSERT_EQ(0, memcmp(full, small, size - 1));
		free(small);
	}
	EXPECT_EQ(len, minivmm_describe_regs(&regs, &sregs, NULL, 0));
	free(full);
}

MVM_HARNESS_MAIN
