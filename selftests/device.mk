# SPDX-License-Identifier: GPL-2.0-only
#
# Rules of the targets that need a device: each program is its own source, the
# helpers of ../lib, and nothing dynamic. NAME.S beside NAME_test.c is linked in
# as well. NAME_test_SRC and NAME_test_LIBS, if set, add sources and libraries.

UTIL := $(patsubst $(TOP)/selftests/lib/%.c,$(OUTPUT)/util/%.o,\
	$(sort $(wildcard $(TOP)/selftests/lib/*.c)))
HDRS := $(wildcard $(TOP)/selftests/include/*.h $(TOP)/selftests/lib/*.h) $(TOP)/uapi/minivmm.h

LDFLAGS += -static
# mvm_smp.h's guest functions are interrupted on their own stack.
CFLAGS += -mno-red-zone -fno-stack-protector
EXTRA_CLEAN += $(OUTPUT)/util

$(OUTPUT)/util/%.o: $(TOP)/selftests/lib/%.c $(HDRS)
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(CPPFLAGS) $(CFLAGS) -c $< -o $@

define device_rule
$(OUTPUT)/$(1): $(1).c $(wildcard $(patsubst %_test,%,$(1)).S) $$(UTIL) $$(HDRS) \
		$(addprefix $(TOP)/,$($(1)_SRC))
	$$(call quiet,CC)$$(CC) $$(CPPFLAGS) $$(CFLAGS) $$(filter %.c %.S %.o,$$^) $$(LDFLAGS) $($(1)_LIBS) \
		-lpthread -o $$@
endef
$(foreach t,$(notdir $(TEST_GEN_PROGS) $(TEST_GEN_FILES)),$(eval $(call device_rule,$(t))))
