/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's test harness with kselftest's exit codes.
 *
 * The harness of 6.1 ends with 0 when every test was skipped, which reads as
 * success. MVM_HARNESS_MAIN instead of TEST_HARNESS_MAIN ends with 4 (skip)
 * then, and with MINIVMM_REQUIRE_HW=1 in the environment a single skip is a
 * failure: for machines that are known to have what the tests need.
 */
#ifndef MVM_HARNESS_H
#define MVM_HARNESS_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"

/*
 * Skip from a FIXTURE_SETUP: there SKIP(return, ...) would let the test run
 * on a fixture that is not there, so the test's process ends here. The status
 * is the harness's own way of saying it. Inside of a TEST, SKIP() is right.
 */
#define MVM_SKIP(fmt, ...) \
	SKIP(fflush(NULL); _exit(255), fmt, ##__VA_ARGS__)

static inline bool mvm_require_hw(void)
{
	const char *value = getenv("MINIVMM_REQUIRE_HW");

	return value && !strcmp(value, "1");
}

/* Runs at exit, when the harness has printed its totals. */
static void mvm_harness_exit(void)
{
	bool all = ksft_cnt.ksft_xskip && !ksft_cnt.ksft_pass;

	if (!ksft_cnt.ksft_xskip || ksft_cnt.ksft_fail)
		return;
	if (mvm_require_hw()) {
		printf("# MINIVMM_REQUIRE_HW=1: a skipped test is a failure\n");
		fflush(stdout);
		_exit(KSFT_FAIL);
	}
	fflush(stdout);
	if (all)
		_exit(KSFT_SKIP);
}

/* MINIVMM_SLOW=10: a host that slow, say for what watches its kernel. */
static inline void mvm_harness_take_time(void)
{
	const char *value = getenv("MINIVMM_SLOW");
	struct __fixture_metadata *fixture;
	struct __test_metadata *test;

	for (fixture = __fixture_list; value && fixture; fixture = fixture->next)
		for (test = fixture->tests; test; test = test->next)
			test->timeout *= atoi(value);
}

#define MVM_HARNESS_MAIN						\
	int main(int argc, char **argv)					\
	{								\
		mvm_harness_take_time();				\
		setvbuf(stdout, NULL, _IOLBF, 0);			\
		atexit(mvm_harness_exit);				\
		return test_harness_run(argc, argv);			\
	}

#endif /* MVM_HARNESS_H */
