// SPDX-License-Identifier: GPL-2.0-only
/*
 * The emulator on hostile input, by a generator that knows which opcodes have a
 * handler: what is done with each is in insn_hostile.h. insn_libfuzzer.c does the
 * same with the input that libFuzzer finds.
 *
 * MVM_INSN_STRINGS sets the number of instructions, MVM_INSN_SEED the seed.
 */
#include <stdio.h>

#include "kselftest.h"
#include "insn_hostile.h"

#define STRINGS		300000

static unsigned long errors;
static unsigned long results[MVM_EMUL_FAIL + 1];

/* Opcodes with a handler, one time in two; else anything. */
static void random_insn(u8 *bytes)
{
	static const u8 common[] = {
		0x00, 0x01, 0x03, 0x29, 0x30, 0x38, 0x80, 0x81, 0x83, 0x84, 0x86, 0x87, 0x88,
		0x89, 0x8a, 0x8b, 0x8c, 0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xaa,
		0xab, 0xac, 0xad, 0xae, 0xaf, 0x6c, 0x6d, 0x6e, 0x6f, 0xc6, 0xc7, 0xf6, 0xf7,
		0xfe, 0xff, 0xc0, 0xc1, 0xd1, 0xd3, 0x50, 0x58, 0x60, 0x61, 0x8f, 0x9c, 0xc2, 0xc3,
		0xc8, 0xc9, 0xe8, 0xc4, 0xc5,
	};
	static const u8 prefixes[] = { 0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x64, 0x36, 0x48 };
	unsigned int i;

	for (i = 0; i < MVM_INSN_MAX; i++)
		bytes[i] = rng();
	for (i = 0; i < 4 && rng() & 1; i++)
		bytes[i] = prefixes[rng() % ARRAY_SIZE(prefixes)];
	if (rng() & 1)
		bytes[i] = common[rng() % ARRAY_SIZE(common)];
	else if (rng() & 1)
		bytes[i] = 0x0f;
}

static void hostile_complain(const struct mvm_insn *insn, const char *what)
{
	char hex[3 * MVM_INSN_MAX + 1] = "";
	unsigned int i;

	if (errors++ >= 20)
		return;
	for (i = 0; i < insn->len; i++)
		sprintf(hex + 3 * i, "%02x ", insn->bytes[i]);
	ksft_print_msg("%s (%s): %s\n", mvm_insn_op_name(insn->op), hex, what);
}

static void one(struct world *w)
{
	u8 bytes[MVM_INSN_MAX];

	random_insn(bytes);
	random_world(w);
	if (mvm_insn_decode(&w->insn, bytes, sizeof(bytes), rng() & 3) == MVM_INSN_OK)
		results[hostile_one(w)]++;
}

static unsigned long env_number(const char *name, unsigned long def)
{
	const char *val = getenv(name);

	return val ? strtoul(val, NULL, 0) : def;
}

int main(void)
{
	static const char *const names[] = {
		"done", "again", "user", "fault", "retry", "fail",
	};
	unsigned long n = env_number("MVM_INSN_STRINGS", STRINGS), i;
	struct world *w = calloc(1, sizeof(*w));

	rng_state = env_number("MVM_INSN_SEED", 0x9e3779b97f4a7c15UL) | 1;
	ksft_print_header();
	ksft_set_plan(1 + ARRAY_SIZE(names));
	if (!w)
		ksft_exit_fail_msg("no memory\n");
	for (i = 0; i < n; i++)
		one(w);
	free(w);
	ksft_test_result(!errors, "%lu random instructions, %lu complaints\n", n, errors);
	/* All kinds of ends must have been seen, or the input is not as random as it should be. */
	for (i = 0; i < ARRAY_SIZE(names); i++)
		ksft_test_result(i == MVM_EMUL_USER ? !results[i] : results[i] > n / 10000,
				 "%lu ended in %s\n", results[i], names[i]);
	ksft_finished();
}
