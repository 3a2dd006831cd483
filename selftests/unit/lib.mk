# SPDX-License-Identifier: GPL-2.0-only
# libminivmm: what can be tested without a device.

lib_SRC := $(addprefix userspace/lib/,cpuid.c error.c irq.c stats.c system.c text.c vcpu.c vm.c)

TEST_GEN_PROGS += lib_cpuid lib_text lib_errors

lib_cpuid_SRC := $(lib_SRC)
lib_cpuid_CFLAGS := -I../../userspace/lib
lib_text_SRC := $(lib_SRC)
lib_text_CFLAGS := $(lib_cpuid_CFLAGS)
lib_errors_SRC := $(lib_SRC)
lib_errors_CFLAGS := $(lib_cpuid_CFLAGS)
