# SPDX-License-Identifier: GPL-2.0-only
# The instruction decoder and emulator.

INSN_SRC := $(addprefix module/insn/,decode.c operand.c tables.c emulate.c access.c alu.c shift.c \
	bits.c exchange.c muldiv.c string.c stack.c vector.c)

TEST_GEN_PROGS += insn_emulate insn_fetch insn_fuzz insn_native insn_stack insn_task insn_task_fault
ifeq ($(wildcard /usr/include/Zydis/Zydis.h),)
TEST_PROGS += insn_no_zydis.sh
else
TEST_GEN_PROGS += insn_decode
endif

insn_decode_SRC := $(addprefix module/insn/,decode.c operand.c tables.c)
insn_decode_LIBS := -lZydis
insn_emulate_SRC := $(INSN_SRC)
insn_fetch_SRC := $(addprefix module/insn/,fetch.c decode.c operand.c tables.c)
insn_fuzz_SRC := $(INSN_SRC)
insn_native_SRC := $(INSN_SRC)
insn_stack_SRC := $(INSN_SRC)
insn_task_SRC := $(addprefix module/insn/,task.c task_segs.c)
insn_task_fault_SRC := $(insn_task_SRC)

# Built by the rule at the end of Makefile, where there is clang with its fuzzer.
TEST_PROGS += insn_libfuzzer.sh
ifneq ($(wildcard /usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-x86_64.a),)
TEST_GEN_FILES += insn_libfuzzer
endif
