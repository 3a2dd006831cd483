# SPDX-License-Identifier: GPL-2.0-only
# The instruction decoder and emulator.

INSN_SRC := $(addprefix module/insn/,decode.c tables.c emulate.c access.c alu.c string.c)

TEST_GEN_PROGS += insn_decode insn_emulate insn_native

insn_decode_SRC := module/insn/decode.c module/insn/tables.c
insn_decode_LIBS := -lZydis
insn_emulate_SRC := $(INSN_SRC)
# The harness compares what has different signs.
insn_emulate_CFLAGS := -Wno-sign-compare
insn_native_SRC := $(INSN_SRC)
