# SPDX-License-Identifier: GPL-2.0-only
# The interrupt controllers and the timer chip.

IRQ_LAPIC := $(addprefix module/irqchip/,lapic.c lapic_irq.c lapic_timer.c)

TEST_GEN_PROGS += irq_lapic irq_lapic_regs irq_lapic_dest irq_lapic_timer irq_ioapic \
	irq_i8259 irq_i8254 irq_i8254_gate irq_msi irq_gsi irq_fuzz

irq_lapic_SRC := $(IRQ_LAPIC)
irq_lapic_regs_SRC := $(IRQ_LAPIC)
irq_lapic_dest_SRC := $(IRQ_LAPIC)
irq_lapic_timer_SRC := $(IRQ_LAPIC)
irq_ioapic_SRC := module/irqchip/ioapic.c
irq_i8259_SRC := module/irqchip/i8259.c
irq_i8254_SRC := module/irqchip/i8254.c
irq_i8254_gate_SRC := module/irqchip/i8254.c
irq_msi_SRC := module/irqchip/msi.c
irq_gsi_SRC := $(addprefix module/irqchip/,gsi.c msi.c)
irq_fuzz_SRC := $(IRQ_LAPIC) $(addprefix module/irqchip/,ioapic.c i8259.c i8254.c)
