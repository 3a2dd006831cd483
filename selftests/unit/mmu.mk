# SPDX-License-Identifier: GPL-2.0-only
# Memory slots' arithmetic, the guest's page-table walk, and the nested tables
# with faults and notifiers in a userspace world.

TEST_GEN_PROGS += mmu_slot mmu_walk mmu_npt mmu_dirty

mmu_slot_SRC := module/mmu/slot.c
mmu_walk_SRC := module/mmu/walk.c

mmu_npt_SRC := $(addprefix module/mmu/,slot.c memslot.c npt.c range.c dirty.c fault.c notifier.c) \
	selftests/unit/mmu_world.c
mmu_npt_CFLAGS := -I../include/mmu_stubs -include mmu_world.h -Wno-unused-parameter
mmu_npt_LIBS := -lpthread

mmu_dirty_SRC := $(mmu_npt_SRC)
mmu_dirty_CFLAGS := $(mmu_npt_CFLAGS)
mmu_dirty_LIBS := $(mmu_npt_LIBS)
