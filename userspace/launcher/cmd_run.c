// SPDX-License-Identifier: GPL-2.0-only
/*
 * "minivmm run": read the arguments, open the device and the image, run, and
 * say how it ended. The only file of the launcher that writes messages once
 * a guest may have had the terminal; while it has it, session.c shows the keys.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "session.h"
#include "terminal.h"
#include "verbs.h"

static int fail(const char *sentence)
{
	fprintf(stderr, "minivmm: %s\n", sentence);
	return EXIT_OWN_FAILURE;
}

static int check_cpus(struct minivmm *sys, const struct run_options *opt, char *err,
		      size_t errlen)
{
	unsigned int max = minivmm_max_vcpus(sys);

	if (opt->cpus <= max)
		return 0;
	snprintf(err, errlen,
		 "cannot give the guest %u CPUs: %s serves at most %u in one VM; use -c %u or another device",
		 opt->cpus, opt->device, max, max);
	return -1;
}

static int run_image(struct minivmm *sys, const struct run_options *opt,
		     const struct boot_image *image)
{
	struct stats *stats = opt->stats ? calloc(1, sizeof(*stats)) : NULL;
	struct session_result *result = malloc(sizeof(*result));
	int status = EXIT_OWN_FAILURE;

	if (!result || (opt->stats && !stats)) {
		fail("cannot start: out of memory");
	} else {
		session_run(sys, opt, image, stats, result);
		status = result->status;
		if (result->text[0])
			fail(result->text);
		if (stats && stats->machines)
			stats_print(stats, opt, sys, stderr);
	}
	free(result);
	free(stats);
	return status;
}

static int open_and_run(const struct run_options *opt)
{
	struct minivmm *sys = minivmm_new();
	struct boot_image *image = NULL;
	char err[BOOT_ERR_MAX];
	int status;

	if (!sys)
		return fail("cannot start: out of memory");
	/* The image first: what is wrong with it is wrong on every machine. */
	if (boot_image_open(&image, opt->image, opt->initrd, err, sizeof(err)))
		status = fail(err);
	else if (minivmm_open(sys, opt->device))
		status = fail(minivmm_error(sys));
	else if (check_cpus(sys, opt, err, sizeof(err)))
		status = fail(err);
	else
		status = run_image(sys, opt, image);
	boot_image_close(image);
	minivmm_free(sys);
	return status;
}

int cmd_run(int argc, char **argv)
{
	struct run_options opt;
	char err[512];

	if (options_parse_run(&opt, argc, argv, err, sizeof(err)))
		return fail(err);
	if (opt.help) {
		fputs(options_run_help, stdout);
		return 0;
	}
	if (terminal_open_std())
		return fail("stdin, stdout or stderr is closed, and /dev/null cannot be opened in its place; keep them open, or mount /dev");
	prctl(PR_SET_NAME, opt.name);
	return open_and_run(&opt);
}
