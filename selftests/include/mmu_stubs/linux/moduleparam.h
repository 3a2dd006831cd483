/* SPDX-License-Identifier: GPL-2.0-only */
/* Stands in for the kernel header of this name: mmu_world.h has what is needed. */
