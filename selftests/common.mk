# SPDX-License-Identifier: GPL-2.0-only
#
# What the Makefiles of all targets share: includes the kernel's lib.mk, which
# has the rules, and adjusts what assumes a place inside of a kernel tree.
# Set TEST_GEN_PROGS and the like first, then include this.

TOP := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))..)

ifeq ($(origin OUTPUT),undefined)
OUTPUT := $(CURDIR)
endif

# To clean, nothing needs to be unpacked.
ifneq ($(MAKECMDGOALS),clean)
KSFT := $(shell $(TOP)/scripts/linux-source)/tools/testing/selftests
ifeq ($(wildcard $(KSFT)/lib.mk),)
$(error the kernel's selftest files are missing; run: sudo $(TOP)/scripts/deps test)
endif
endif

ifeq ($(V),)
quiet = @printf '  %-7s %s\n' '$(1)' '$(patsubst $(OUTPUT)/%,%,$@)';
endif

# The harness's macros compare whatever they are given, signed or not, and give
# every test parameters that few use.
CFLAGS += -std=gnu11 -O2 -g -Wall -Wextra -Wshadow -Wno-sign-compare -Wno-unused-parameter
CPPFLAGS += -iquote $(TOP)/selftests/include -I$(KSFT) -I$(TOP)/uapi

# No kernel headers are installed beside lib.mk; the system's are used.
KHDR_INCLUDES := -I$(TOP)/uapi

ifneq ($(MAKECMDGOALS),clean)
include $(KSFT)/lib.mk

# The tests and their settings files are here, not where lib.mk is.
define RUN_TESTS
	BASE_DIR="$(TOP)/selftests"; . $(KSFT)/kselftest/runner.sh; run_many $(1)
endef

# As in lib.mk, but without rsync, which is not on every machine.
define INSTALL_SINGLE_RULE
	$(if $(INSTALL_LIST),@mkdir -p $(INSTALL_PATH) && cp -aL $(INSTALL_LIST) $(INSTALL_PATH)/)
endef
else
clean:
	$(RM) -r $(addprefix $(OUTPUT)/,$(TEST_GEN_PROGS) $(TEST_GEN_PROGS_EXTENDED) \
		$(TEST_GEN_FILES)) $(EXTRA_CLEAN)
endif
