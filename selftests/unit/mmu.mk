# SPDX-License-Identifier: GPL-2.0-only
# Memory slots' arithmetic and the guest's page-table walk.

TEST_GEN_PROGS += mmu_slot mmu_walk

mmu_slot_SRC := module/mmu/slot.c
mmu_walk_SRC := module/mmu/walk.c
