/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A local APIC for a test: registers on the heap, so that ASan sees their ends.
 */
#ifndef IRQ_LAPIC_H
#define IRQ_LAPIC_H

#include <stdlib.h>

#include "irqchip/model.h"

static inline void lapic_new(struct mvm_apic *apic, u32 id, bool bsp)
{
	memset(apic, 0, sizeof(*apic));
	apic->regs = calloc(1, MVM_APIC_PAGE_SIZE);
	apic->id = id;
	mvm_apic_reset(apic, false, bsp);
}

static inline void lapic_free(struct mvm_apic *apic)
{
	free(apic->regs);
}

/* Software-enabled, as an operating system leaves it. */
static inline void lapic_new_enabled(struct mvm_apic *apic, u32 id, bool bsp)
{
	lapic_new(apic, id, bsp);
	mvm_apic_write(apic, MVM_APIC_SVR, 0x1ff, 0);
}

static inline u32 lapic_get(struct mvm_apic *apic, unsigned int nr)
{
	u32 val;

	mvm_apic_read(apic, nr, 0, &val);
	return val;
}

static inline void lapic_to_x2apic(struct mvm_apic *apic)
{
	mvm_apic_set_base(apic, apic->base | MVM_APIC_BASE_X2APIC, false);
}

#endif
