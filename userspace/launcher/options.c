// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arguments of "minivmm run": the option table, its help text, and sizes and
 * durations in the forms people write. Prints nothing: a bad argument becomes
 * a sentence for the caller.
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libminivmm.h"
#include "options.h"

#define DEFAULT_MEM_SIZE (256ull << 20)
#define DEFAULT_CMDLINE "console=ttyS0"
#define MAX_SECONDS 1000000000ull	/* keeps nanoseconds within 64 bits */

enum {
	OPT_DEVICE = 256,
	OPT_TIMEOUT,
	OPT_NO_REBOOT,
	OPT_NO_PVH,
	OPT_STATS,
};

static const struct option long_options[] = {
	{ "initrd", required_argument, NULL, 'i' },
	{ "params", required_argument, NULL, 'p' },
	{ "mem", required_argument, NULL, 'm' },
	{ "cpus", required_argument, NULL, 'c' },
	{ "name", required_argument, NULL, 'n' },
	{ "help", no_argument, NULL, 'h' },
	{ "device", required_argument, NULL, OPT_DEVICE },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "no-reboot", no_argument, NULL, OPT_NO_REBOOT },
	{ "no-pvh", no_argument, NULL, OPT_NO_PVH },
	{ "stats", no_argument, NULL, OPT_STATS },
	{ NULL, 0, NULL, 0 },
};

const char options_run_help[] =
"Usage: minivmm run [OPTION]... IMAGE\n"
"Start a virtual machine from IMAGE: a Linux bzImage, an ELF file (vmlinux, or a\n"
"static program of its own, plain or compressed), or a flat binary that starts in\n"
"real mode at 0000:7C00. The guest's serial console is on stdin and stdout.\n"
"\n"
"  -i, --initrd FILE     initial RAM disk\n"
"  -p, --params TEXT     kernel command line (default: console=ttyS0)\n"
"  -m, --mem SIZE        memory, with a suffix K, M, G or T (default: 256M;\n"
"                        a bare number is MiB)\n"
"  -c, --cpus N          number of CPUs (default: 1)\n"
"  -n, --name NAME       name of the VM, shown as the process's name\n"
"      --device PATH     device to use (default: /dev/minivmm; /dev/kvm works too)\n"
"      --timeout TIME    stop the VM after TIME seconds (suffixes s, m, h)\n"
"      --no-reboot       end with status 0 when the guest resets itself\n"
"      --no-pvh          start an ELF file at its ELF entry, not its PVH entry\n"
"      --stats           at the end, say on stderr how often and why the guest exited\n"
"  -h, --help            this text\n"
"\n"
"On a terminal: Ctrl-a x ends the VM, Ctrl-a h shows help, Ctrl-a Ctrl-a types Ctrl-a.\n"
"\n"
"Exit status: the byte that the guest wrote to port 0xF4; 0 after a power-off;\n"
"124 after --timeout; 125 when the guest crashed or minivmm itself failed;\n"
"128+N when signal N ended it.\n";

int parse_size(const char *text, uint64_t *bytes)
{
	static const char suffixes[] = "BKMGT";
	unsigned int shift = 20;
	unsigned long long n;
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return -EINVAL;
	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno)
		return -ERANGE;
	if (*end) {
		const char *s = strchr(suffixes, toupper((unsigned char)*end));

		if (!s || end[1])
			return -EINVAL;
		shift = (s - suffixes) * 10;
	}
	if (n > UINT64_MAX >> shift)
		return -ERANGE;
	*bytes = n << shift;
	return 0;
}

int parse_duration(const char *text, uint64_t *ns)
{
	double seconds, unit = 1;
	char *end;

	/* strtod() would take signs, "inf", "nan" and hexadecimal too. */
	if (!isdigit((unsigned char)text[0]) || tolower((unsigned char)text[1]) == 'x')
		return -EINVAL;
	seconds = strtod(text, &end);
	if (*end) {
		if (end[1])
			return -EINVAL;
		if (*end == 'm')
			unit = 60;
		else if (*end == 'h')
			unit = 3600;
		else if (*end != 's')
			return -EINVAL;
	}
	seconds *= unit;
	if (seconds > MAX_SECONDS)
		return -ERANGE;
	*ns = seconds * 1e9;
	return *ns ? 0 : -EINVAL;
}

static int bad(char *err, size_t errlen, const char *what, const char *value, const char *hint)
{
	snprintf(err, errlen, "%s \"%s\" %s; see minivmm run --help", what, value, hint);
	return -EINVAL;
}

static int parse_cpus(const char *text, unsigned int *cpus)
{
	unsigned long n;
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return -EINVAL;
	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno || *end || !n || n > 65535)
		return -EINVAL;
	*cpus = n;
	return 0;
}

/* One option that is not a value to check: store it. */
static bool set_plain(struct run_options *opt, int c)
{
	switch (c) {
	case 'i':
		opt->initrd = optarg;
		return true;
	case 'p':
		opt->cmdline = optarg;
		return true;
	case 'n':
		opt->name = optarg;
		return true;
	case OPT_DEVICE:
		opt->device = optarg;
		return true;
	case 'h':
		opt->help = true;
		return true;
	case OPT_NO_REBOOT:
		opt->no_reboot = true;
		return true;
	case OPT_NO_PVH:
		opt->no_pvh = true;
		return true;
	case OPT_STATS:
		opt->stats = true;
		return true;
	}
	return false;
}

static int set_option(struct run_options *opt, int c, char **argv, char *err, size_t errlen)
{
	char name[64];

	if (set_plain(opt, c))
		return 0;
	switch (c) {
	case 'm':
		if (parse_size(optarg, &opt->mem_size))
			return bad(err, errlen, "memory size", optarg,
				   "is not a size such as 512M or 2G");
		return 0;
	case 'c':
		if (parse_cpus(optarg, &opt->cpus))
			return bad(err, errlen, "number of CPUs", optarg,
				   "is not a number from 1 to 65535");
		return 0;
	case OPT_TIMEOUT:
		if (parse_duration(optarg, &opt->timeout_ns))
			return bad(err, errlen, "timeout", optarg,
				   "is not a time such as 90, 1.5m or 2h");
		return 0;
	case ':':
		return bad(err, errlen, "option", argv[optind - 1], "needs a value");
	default:
		if (optopt > 0 && optopt < OPT_DEVICE)
			snprintf(name, sizeof(name), "-%c", optopt);
		else
			snprintf(name, sizeof(name), "%s", argv[optind - 1]);
		return bad(err, errlen, "option", name, "is not known");
	}
}

int options_parse_run(struct run_options *opt, int argc, char **argv, char *err, size_t errlen)
{
	int c, ret;

	*opt = (struct run_options){
		.mem_size = DEFAULT_MEM_SIZE,
		.cmdline = DEFAULT_CMDLINE,
		.device = MINIVMM_DEFAULT_DEVICE,
		.name = "minivmm",
		.cpus = 1,
	};

	optind = 0;	/* as glibc wants it, to start over */
	while ((c = getopt_long(argc, argv, ":i:p:m:c:n:h", long_options, NULL)) != -1) {
		ret = set_option(opt, c, argv, err, errlen);
		if (ret)
			return ret;
	}
	if (opt->help)
		return 0;
	if (optind == argc) {
		snprintf(err, errlen, "no image is named; say minivmm run IMAGE, or see minivmm run --help");
		return -EINVAL;
	}
	opt->image = argv[optind++];
	if (optind < argc)
		return bad(err, errlen, "argument", argv[optind], "is one too many: one image is run");
	return 0;
}
