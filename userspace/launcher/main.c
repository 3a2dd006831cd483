// SPDX-License-Identifier: GPL-2.0-only
/*
 * minivmm: the launcher. This file knows the verbs and nothing of what they
 * do; each has a file of its own, cmd_VERB.c.
 */
#include <stdio.h>
#include <string.h>

#include "libminivmm.h"
#include "options.h"
#include "verbs.h"

#define EXIT_USAGE 125

static int cmd_help(int argc, char **argv);
static int cmd_version(int argc, char **argv);

static const struct verb {
	const char *name;
	const char *summary;
	int (*run)(int argc, char **argv);
} verbs[] = {
	{ "run", "start a virtual machine from an image", cmd_run },
	{ "help", "say what there is; \"help run\" tells all of run", cmd_help },
	{ "version", "print the version", cmd_version },
};

static void print_usage(FILE *to)
{
	size_t i;

	fputs("Usage: minivmm VERB [OPTION]...\n", to);
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		fprintf(to, "  %-9s %s\n", verbs[i].name, verbs[i].summary);
}

static const struct verb *find_verb(const char *name)
{
	size_t i;

	if (!strcmp(name, "--help") || !strcmp(name, "-h"))
		name = "help";
	if (!strcmp(name, "--version") || !strcmp(name, "-V"))
		name = "version";
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (!strcmp(name, verbs[i].name))
			return &verbs[i];
	return NULL;
}

static int unknown_verb(const char *name)
{
	fprintf(stderr, "minivmm: there is no verb \"%s\"; see minivmm help\n", name);
	return EXIT_USAGE;
}

static int cmd_help(int argc, char **argv)
{
	if (argc < 2) {
		print_usage(stdout);
		return 0;
	}
	if (!strcmp(argv[1], "run")) {
		fputs(options_run_help, stdout);
		return 0;
	}
	if (!find_verb(argv[1]))
		return unknown_verb(argv[1]);
	print_usage(stdout);
	return 0;
}

static int cmd_version(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	printf("minivmm %s\n", minivmm_version());
	return 0;
}

int main(int argc, char **argv)
{
	const struct verb *verb;

	if (argc < 2) {
		print_usage(stderr);
		return EXIT_USAGE;
	}
	verb = find_verb(argv[1]);
	if (!verb)
		return unknown_verb(argv[1]);
	return verb->run(argc - 1, argv + 1);
}
