// SPDX-License-Identifier: GPL-2.0-only
/*
 * A QEMU plugin that counts what a processor executes, address by address,
 * between two markers: NOPs with a magic displacement, in whatever code, host
 * or guest. where-do-they-go builds and reads it.
 *
 * Nothing is counted before the first marker, so that a host boots at full
 * speed; then all is translated again with a counter in each instruction. An
 * interval becomes lines "ADDRESS COUNT BYTES" and "interval TOTAL" in the file
 * that out= names, and the marker of a new row the line "row". One processor
 * only: a second one's work would count, too.
 *
 * Debian packages no header of QEMU's. The declarations are those of version 1
 * of the documented plugin interface (QEMU 7.2).
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum { CB_NO_REGS };
enum { INLINE_ADD_U64 };

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id,
					   void (*cb)(uint64_t id, struct qemu_plugin_tb *tb));
void qemu_plugin_reset(uint64_t id, void (*cb)(uint64_t id));
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    void (*cb)(unsigned int cpu, void *arg),
					    int flags, void *arg);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn, int op,
						void *counter, uint64_t add);
int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv);

#define EXPORT __attribute__((visibility("default")))

EXPORT int qemu_plugin_version = 1;

/* "xchg %bx,%bx", which stops Bochs, comes before the marker proper. */
static const uint8_t magic[] = { 0x66, 0x87, 0xdb };

/* nopl DISP32(%rax,%rax), without its displacement; see selftests/bench/layout.h. */
static const uint8_t marker[] = { 0x0f, 0x1f, 0x84, 0x00 };

#define MAX_INSN	15
#define NR_BUCKETS	65536u

/* Of the intervals of a row, all of the first few are kept, and then one in so many. */
#define KEPT		8

/* One address. The translated code adds to @count: a counter never moves. */
struct counter {
	uint64_t count;
	uint64_t address;
	struct counter *next;
	uint8_t size;
	uint8_t bytes[MAX_INSN];
};

static struct counter *buckets[NR_BUCKETS];
static uint64_t plugin;
static FILE *out;
static unsigned int nr_intervals;	/* of this row */
static bool armed;
static bool counting;

static struct counter *counter_of(uint64_t address)
{
	struct counter **bucket = &buckets[(address ^ address >> 16) % NR_BUCKETS];
	struct counter *c;

	for (c = *bucket; c; c = c->next)
		if (c->address == address)
			return c;
	c = calloc(1, sizeof(*c));
	if (!c)
		abort();
	c->address = address;
	c->next = *bucket;
	*bucket = c;
	return c;
}

static void translate(uint64_t id, struct qemu_plugin_tb *tb);

static void count_from_here(uint64_t id)
{
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
}

static void row(unsigned int cpu, void *arg)
{
	nr_intervals = 0;
	fputs("row\n", out);
}

static void begin(unsigned int cpu, void *arg)
{
	unsigned int i;
	struct counter *c;

	if (!armed) {
		armed = true;
		qemu_plugin_reset(plugin, count_from_here);
		return;
	}
	counting = nr_intervals < KEPT || nr_intervals % KEPT == 0;
	nr_intervals++;
	for (i = 0; counting && i < NR_BUCKETS; i++)
		for (c = buckets[i]; c; c = c->next)
			c->count = 0;
}

static uint64_t print_counter(const struct counter *c)
{
	unsigned int i;

	if (!c->count)
		return 0;
	fprintf(out, "%016" PRIx64 " %" PRIu64 " ", c->address, c->count);
	for (i = 0; i < c->size; i++)
		fprintf(out, "%02x", c->bytes[i]);
	fputc('\n', out);
	return c->count;
}

static void end(unsigned int cpu, void *arg)
{
	uint64_t total = 0;
	unsigned int i;
	struct counter *c;

	if (!counting)
		return;
	counting = false;
	for (i = 0; i < NR_BUCKETS; i++)
		for (c = buckets[i]; c; c = c->next)
			total += print_counter(c);
	fprintf(out, "interval %" PRIu64 "\n", total);
}

/* What the last byte of a marker asks for. */
static void (*const actions[256])(unsigned int cpu, void *arg) = {
	['B'] = begin, ['E'] = end, ['R'] = row,
};

/* Is it part of a marker? These are not counted. */
static bool translate_marker(struct qemu_plugin_insn *insn, const uint8_t *bytes, size_t size)
{
	if (size == sizeof(magic) && !memcmp(bytes, magic, sizeof(magic)))
		return true;
	if (size != sizeof(marker) + 4 || memcmp(bytes, marker, sizeof(marker)) ||
	    memcmp(bytes + sizeof(marker), "MVM", 3) || !actions[bytes[size - 1]])
		return false;
	qemu_plugin_register_vcpu_insn_exec_cb(insn, actions[bytes[size - 1]], CB_NO_REGS, NULL);
	return true;
}

static void translate(uint64_t id, struct qemu_plugin_tb *tb)
{
	size_t i, size, n = qemu_plugin_tb_n_insns(tb);
	struct qemu_plugin_insn *insn;
	const uint8_t *bytes;
	struct counter *c;

	for (i = 0; i < n; i++) {
		insn = qemu_plugin_tb_get_insn(tb, i);
		bytes = qemu_plugin_insn_data(insn);
		size = qemu_plugin_insn_size(insn);
		if (translate_marker(insn, bytes, size) || !armed)
			continue;
		c = counter_of(qemu_plugin_insn_vaddr(insn));
		c->size = size < MAX_INSN ? size : MAX_INSN;
		memcpy(c->bytes, bytes, c->size);
		qemu_plugin_register_vcpu_insn_exec_inline(insn, INLINE_ADD_U64, &c->count, 1);
	}
}

EXPORT int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	if (argc != 1 || strncmp(argv[0], "out=", 4)) {
		fprintf(stderr, "count: give out=FILE\n");
		return 1;
	}
	out = fopen(argv[0] + 4, "w");
	if (!out) {
		perror(argv[0] + 4);
		return 1;
	}
	plugin = id;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
	return 0;
}
