# SPDX-License-Identifier: GPL-2.0-only
#
# Rules of the targets that need a device: each program is its own source, the
# library, and nothing dynamic. NAME.S beside NAME_test.c is linked in as well.

UTIL := $(sort $(wildcard $(TOP)/selftests/lib/*.c $(TOP)/selftests/lib/*.S))
HDRS := $(wildcard $(TOP)/selftests/include/*.h)

LDFLAGS += -static
LDLIBS += -lpthread

$(OUTPUT)/%_test: %_test.c $(UTIL) $(HDRS)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(filter %.c %.S,$^) $(wildcard $*.S) \
		$(LDFLAGS) $(LDLIBS) -o $@
