# SPDX-License-Identifier: GPL-2.0-only
#
# Builds, installs and checks minivmm. "make help" explains the targets.
#
# The module is kbuild's work, from the Kbuild file beside this one; userspace
# and selftests have Makefiles of their own. V=1, W=1, C=1 and -j are passed on.

KVER ?= $(shell uname -r)
PREFIX ?= /usr/local
DESTDIR ?=
UDEVDIR ?= /usr/lib/udev/rules.d
SYSUSERSDIR ?= /usr/lib/sysusers.d
MODDIR ?= /lib/modules

# A container or a cloud VM runs a kernel it has no headers for: take the
# newest that are installed, and say so.
ifndef KDIR
  KDIR := /lib/modules/$(KVER)/build
  ifeq ($(wildcard $(KDIR)/Makefile),)
    newest := $(lastword $(shell ls -d /lib/modules/*/build/Makefile 2>/dev/null | sort -V))
    ifneq ($(newest),)
      KDIR := $(patsubst %/Makefile,%,$(newest))
      fallback := 1
    endif
  endif
endif

kbuild = $(MAKE) -C $(KDIR) M=$(CURDIR)
built_for = $(firstword $(shell modinfo -F vermagic ./minivmm.ko))

all: module userspace selftests

help:
	@echo 'Targets:'
	@echo '  all (default)  module, userspace and selftests'
	@echo '  module         minivmm.ko, for the kernel whose build tree is KDIR'
	@echo '  userspace      the launcher userspace/minivmm and libminivmm'
	@echo '  selftests      the tests; "make -C selftests run_tests" runs them'
	@echo '  install        module, launcher, library, header, udev rule and group'
	@echo '  uninstall      removes what install put there'
	@echo '  demo           boots a Linux on minivmm here or in an emulated host'
	@echo '  check          builds for every kernel, lints, and runs every test'
	@echo '  bench          compares what KVM and minivmm cost in the emulated hosts'
	@echo '  clean          removes what was built'
	@echo '  distclean      removes also what was downloaded into .cache'
	@echo 'Variables:'
	@echo '  KDIR=DIR       kernel build tree   (now $(KDIR))'
	@echo '  KVER=VERSION   kernel whose installed headers are taken   (now $(KVER))'
	@echo '  PREFIX=DIR DESTDIR=DIR   where install puts things   (now $(PREFIX), $(if $(DESTDIR),$(DESTDIR),/))'
	@echo '  V=1 W=1 C=1    verbose, more warnings, sparse'

module: kernel-headers
	+$(kbuild) modules

kernel-headers:
	@test -e $(KDIR)/Makefile || { echo 'No kernel headers in $(KDIR): run "sudo scripts/deps build" or give KDIR=.' >&2; exit 1; }
	$(if $(fallback),@echo 'No headers for the running kernel $(KVER): building for $(KDIR) instead.')

userspace:
	$(MAKE) -C userspace

selftests: userspace
	$(MAKE) -C selftests

install: install-module install-files
	$(MAKE) -C userspace install DESTDIR=$(abspath_destdir) PREFIX=$(PREFIX)

# The sub-makes run elsewhere, so a relative DESTDIR is made absolute.
abspath_destdir = $(if $(DESTDIR),$(abspath $(DESTDIR)))

install-module:
	@test -e minivmm.ko || { echo 'minivmm.ko is not built: run "make" first.' >&2; exit 1; }
	@test -n '$(built_for)' || { echo 'minivmm.ko does not say which kernel it is for.' >&2; exit 1; }
	install -D -m 644 minivmm.ko $(DESTDIR)$(MODDIR)/$(built_for)/updates/minivmm.ko
	$(if $(DESTDIR),@echo 'DESTDIR is set: depmod is left to whoever installs the result.',depmod -a $(built_for))

install-files:
	install -D -m 644 scripts/install/70-minivmm.rules $(DESTDIR)$(UDEVDIR)/70-minivmm.rules
	install -D -m 644 scripts/install/minivmm.conf $(DESTDIR)$(SYSUSERSDIR)/minivmm.conf
	$(if $(DESTDIR),,scripts/install/activate)

uninstall:
	$(MAKE) -C userspace uninstall DESTDIR=$(abspath_destdir) PREFIX=$(PREFIX)
	rm -f $(DESTDIR)$(UDEVDIR)/70-minivmm.rules $(DESTDIR)$(SYSUSERSDIR)/minivmm.conf
	for ko in $(DESTDIR)$(MODDIR)/*/updates/minivmm.ko; do \
		test -e "$$ko" || continue; \
		rm -f "$$ko"; dir=$${ko%/updates/minivmm.ko}; \
		rmdir "$$dir/updates" 2>/dev/null || :; \
		test -n '$(DESTDIR)' || depmod -a "$$(basename "$$dir")"; \
	done

demo:
	scripts/demo

check:
	scripts/check

bench:
	scripts/bench

clean:
	-$(MAKE) -C userspace clean
	-$(MAKE) -C selftests clean
	+$(if $(wildcard $(KDIR)/Makefile),$(kbuild) clean)
	rm -rf .cache/build .cache/check .cache/bench
	find . -name ".checkpatch-camelcase.*" -not -path "./.cache/*" -delete

distclean: clean
	rm -rf .cache

.PHONY: all help module kernel-headers userspace selftests demo check bench clean distclean
.PHONY: install install-module install-files uninstall
