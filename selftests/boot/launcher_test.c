// SPDX-License-Identifier: GPL-2.0-only
/*
 * How the launcher starts an image of each kind and how it ends: small guests
 * that say what they found, and the exit statuses that users rely on.
 */
#include <sys/mman.h>

#include "launch.h"
#include "mvm_harness.h"
#include "mvm_util.h"
#include "selftests/unit/boot_util.h"

GUEST_CODE(exit_42, 16, "mov $42, %al; out %al, $0xf4; hlt");

GUEST_CODE(exit_0, 16, "xor %ax, %ax; out %al, $0xf4; hlt");

/* Real mode at 0000:7C00, all of it: CS, IP, SS, and the byte at 7C00. */
GUEST_CODE(flat_state, 16,
	   "call 1f; 1: pop %bx; mov %cs, %ax; or %ax, %bx; mov %ss, %ax;"
	   "or %ax, %bx; cmp $0x7c03, %bx; jne 2f; cmpb $0xe8, 0x7c00; jne 2f;"
	   "mov $43, %al; out %al, $0xf4; 2: mov $1, %al; out %al, $0xf4; hlt");

GUEST_CODE(uart_hello, 16,
	   "mov $0x3f8, %dx; mov $'h', %al; out %al, %dx; mov $'i', %al;"
	   "out %al, %dx; mov $'!', %al; out %al, $0xe9;"
	   "xor %ax, %ax; out %al, $0xf4; hlt");

GUEST_CODE(triple_fault, 16,
	   "lidt 1f - triple_fault + 0x7c00; int3; 1: .word 0; .long 0");

GUEST_CODE(power_off, 16, "mov $0x604, %dx; mov $0x2000, %ax; out %ax, %dx; hlt");

/* Says R, then resets; the wait keeps the number of resets low. */
GUEST_CODE(reset_cf9, 16,
	   "mov $'R', %al; out %al, $0xe9;"
	   "mov $6, %al; mov $0xcf9, %dx; out %al, %dx; hlt");

GUEST_CODE(reset_i8042, 16,
	   "mov $'R', %al; out %al, $0xe9; mov $0xfe, %al; out %al, $0x64; hlt");

GUEST_CODE(halt, 16, "1: hlt; jmp 1b");

/* The start information is at EBX, and says so. */
GUEST_CODE(pvh_state, 32,
	   "cmpl $0x336ec578, (%ebx); jne 1f; mov $44, %al; out %al, $0xf4;"
	   "1: mov $1, %al; out %al, $0xf4; hlt");

/* The last page below 4 GiB is mapped, RSI points at a zero page. */
GUEST_CODE(long_state, 64,
	   "push %rsi; pop %rbx; cmpl $0x53726448, 0x202(%rbx); jne 1f;"
	   "mov $0xfee00030, %eax; mov (%rax), %ecx; test %ecx, %ecx; jz 1f;"
	   "mov $45, %al; out %al, $0xf4; 1: mov $1, %al; out %al, $0xf4; hlt");

GUEST_CODE(protected_state, 32,
	   "push $46; pop %eax; out %al, $0xf4; hlt");

/*
 * Starts all other processors, by INIT and SIPI, at 8000h: STI and PAUSE for ever.
 * Gives them time to get there.
 */
#define START_OTHERS								\
	"movl $0xeb90f3fb, 0x8000; movb $0xfc, 0x8004;"				\
	"movl $0x1ff, 0xfee000f0; movl $0xc4500, 0xfee00300;"			\
	"movl $0xc4608, 0xfee00300; mov $300000, %ecx; 1: pause; loop 1b;"

GUEST_CODE(four_exit, 32, START_OTHERS "mov $47, %al; out %al, $0xf4; hlt");

GUEST_CODE(four_crash, 32, START_OTHERS "push $0; push $0; lidt (%esp); int3");

GUEST_CODE(four_wait, 32, START_OTHERS "1: hlt; jmp 1b");

GUEST_CODE(four_reset, 32,
	   START_OTHERS "mov $'R', %al; out %al, $0xe9; mov $6, %al; mov $0xcf9, %dx; out %al, %dx; hlt");

FIXTURE(launcher) {
	struct launch *l;
	char *path;
};

FIXTURE_SETUP(launcher)
{
	char why[128];

	if (!launch_path(why, sizeof(why)))
		MVM_SKIP("%s", why);
	self->l = calloc(1, sizeof(*self->l));
	ASSERT_NE(NULL, self->l);
}

FIXTURE_TEARDOWN(launcher)
{
	if (self->path)
		unlink(self->path);
	free(self->path);
	free(self->l);
}

/* Put these bytes into a file and run it; true for the wanted status. */
static bool run_image(struct launch *l, char **path, int status,
		      const void *image, size_t size, const char *option)
{
	const char *const args[] = {
		"--timeout", "100", "-m", "16M", option ?: "--stats",
		*path = launch_file(image, size), NULL,
	};

	if (!*path || launch_run(l, NULL, args))
		return false;
	if (l->status == status)
		return true;
	launch_show(l);
	return false;
}

/* The same, in a test of the fixture. */
#define ENDS(status, image, size, option) \
	run_image(self->l, &self->path, status, image, size, option)
#define FLAT_ENDS(status, code, option) \
	ENDS(status, code, code##_end - code, option)

TEST_F(launcher, debug_exit_byte_is_the_status)
{
	EXPECT_TRUE(FLAT_ENDS(42, exit_42, NULL));
}

TEST_F(launcher, debug_exit_byte_0_is_0)
{
	EXPECT_TRUE(FLAT_ENDS(0, exit_0, NULL));
}

TEST_F(launcher, flat_binary_starts_in_real_mode)
{
	EXPECT_TRUE(FLAT_ENDS(43, flat_state, NULL));
}

TEST_F(launcher, serial_and_debug_console_are_stdout)
{
	ASSERT_TRUE(FLAT_ENDS(0, uart_hello, NULL));
	EXPECT_NE(NULL, strstr(self->l->out, "hi"));
	EXPECT_NE(NULL, strchr(self->l->out, '!'));
	EXPECT_EQ(3, strlen(self->l->out));
}

TEST_F(launcher, triple_fault_is_125_with_registers)
{
	ASSERT_TRUE(FLAT_ENDS(125, triple_fault, NULL));
	EXPECT_NE(NULL, strcasestr(self->l->err, "rip"));
	EXPECT_NE(NULL, strcasestr(self->l->err, "cr0"));
}

TEST_F(launcher, power_off_is_0)
{
	EXPECT_TRUE(FLAT_ENDS(0, power_off, NULL));
}

TEST_F(launcher, reset_register_ends_with_no_reboot)
{
	ASSERT_TRUE(FLAT_ENDS(0, reset_cf9, "--no-reboot"));
	EXPECT_EQ(1, launch_count(self->l, "R"));
}

TEST_F(launcher, keyboard_controller_resets_too)
{
	ASSERT_TRUE(FLAT_ENDS(0, reset_i8042, "--no-reboot"));
	EXPECT_EQ(1, launch_count(self->l, "R"));
}

TEST_F(launcher, reset_restarts_the_image)
{
	EXPECT_TRUE(FLAT_ENDS(124, reset_cf9, "--timeout=4"));
	EXPECT_GE(launch_count(self->l, "R"), 2);
}

TEST_F(launcher, timeout_is_124)
{
	EXPECT_TRUE(FLAT_ENDS(124, halt, "--timeout=1"));
}

TEST_F(launcher, pvh_elf_finds_its_start_info)
{
	uint8_t image[ELF_SIZE];

	make_elf64(image);
	memcpy(image + ELF_CODE, pvh_state, pvh_state_end - pvh_state);
	EXPECT_TRUE(ENDS(44, image, ELF_SIZE, NULL));
}

TEST_F(launcher, elf64_starts_in_long_mode)
{
	uint8_t image[ELF_SIZE];

	make_elf64(image);
	memcpy(image + ELF_CODE + 0x10, long_state, long_state_end - long_state);
	EXPECT_TRUE(ENDS(45, image, ELF_SIZE, "--no-pvh"));
}

TEST_F(launcher, elf32_starts_in_protected_mode)
{
	uint8_t image[ELF_SIZE];

	make_elf32(image);
	memcpy(image + ELF_CODE + 0x20, protected_state,
	       protected_state_end - protected_state);
	EXPECT_TRUE(ENDS(46, image, ELF_SIZE, NULL));
}

/* Whatever ends one processor ends all, running and waiting ones. */
TEST_F(launcher, four_cpus_end_together)
{
	const struct {
		const uint8_t *code, *end;
		int status;
		const char *option;
	} rows[] = {
		{ four_exit, four_exit_end, 47, NULL },
		{ four_crash, four_crash_end, 125, NULL },
		{ four_wait, four_wait_end, 124, "--timeout=3" },
		{ four_reset, four_reset_end, 0, "--no-reboot" },
	};
	uint8_t image[ELF_SIZE];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		make_elf32(image);
		memcpy(image + ELF_CODE + 0x20, rows[i].code, rows[i].end - rows[i].code);
		self->path = launch_file(image, ELF_SIZE);
		ASSERT_NE(NULL, self->path);

		const char *const args[] = {
			"--timeout", "100", "-m", "16M", "--cpus=4", rows[i].option ?: "--stats",
			self->path, NULL,
		};

		ASSERT_EQ(0, launch_run(self->l, NULL, args));
		EXPECT_EQ(rows[i].status, self->l->status) {
			TH_LOG("row %u", i);
			launch_show(self->l);
		}
		unlink(self->path);
		free(self->path);
		self->path = NULL;
	}
	/* The other three were not even started. */
	EXPECT_TRUE(FLAT_ENDS(42, exit_42, "--cpus=4"));
}

TEST_F(launcher, images_that_cannot_run_are_125_with_a_sentence)
{
	const struct {
		const char *path, *words;
	} rows[] = {
		{ "/nonexistent/kernel", "No such file" },
		{ "/tmp", "is a directory" },
		{ "/dev/null", "neither a file nor a pipe" },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *const args[] = {
			"--timeout", "100", rows[i].path, NULL,
		};

		ASSERT_EQ(0, launch_run(self->l, NULL, args));
		EXPECT_EQ(125, self->l->status);
		EXPECT_NE(NULL, strstr(self->l->err, rows[i].words)) {
			launch_show(self->l);
		}
		EXPECT_NE(NULL, strstr(self->l->err, rows[i].path));
		EXPECT_STREQ("", self->l->out);
	}
	EXPECT_TRUE(ENDS(125, "", 0, NULL));
	EXPECT_NE(NULL, strstr(self->l->err, "is empty"));
}

TEST_F(launcher, missing_device_is_125_with_a_sentence)
{
	const char *const args[] = { "--device", "/dev/nonexistent", "/bin/sh", NULL };

	ASSERT_EQ(0, launch_run(self->l, NULL, args));
	EXPECT_EQ(125, self->l->status);
	EXPECT_NE(NULL, strstr(self->l->err, "/dev/nonexistent"));
}

MVM_HARNESS_MAIN
