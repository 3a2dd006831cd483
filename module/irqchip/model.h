/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The interrupt controllers and the timer chip as pure models.
 *
 * A model holds no lock, reads no clock and starts no timer: its caller passes
 * the time in nanoseconds (@now, any monotonic clock) and arms a timer for the
 * moment the model names next. So the same files build in userspace, where
 * selftests/unit/irq_*.c drive them. Locks, timers and kicks are in
 * lapic_vcpu.c, lapic_access.c, line.c, route.c, pit.c and irqchip.c.
 */
#ifndef MVM_IRQCHIP_MODEL_H
#define MVM_IRQCHIP_MODEL_H

#include <linux/kvm.h>

#include "../types.h"

#define MVM_NSEC_PER_SEC 1000000000ULL

/* --------------------------------------------------------- APIC messages */

/* Delivery modes, as encoded in the ICR, an LVT entry and a redirection entry. */
enum mvm_apic_delivery {
	MVM_APIC_FIXED = 0,
	MVM_APIC_LOWEST = 1,
	MVM_APIC_SMI = 2,
	MVM_APIC_NMI = 4,
	MVM_APIC_INIT = 5,
	MVM_APIC_SIPI = 6,
	MVM_APIC_EXTINT = 7,
};

/* Destination shorthands, as encoded in the ICR. */
enum mvm_apic_shorthand {
	MVM_APIC_DEST = 0,
	MVM_APIC_SELF = 1,
	MVM_APIC_ALL = 2,
	MVM_APIC_OTHERS = 3,
};

/**
 * struct mvm_apic_msg - one interrupt message between APICs
 * @dest: destination, 8 bits, or 32 with @wide
 * @vector: interrupt vector, or start-up page
 * @mode: enum mvm_apic_delivery
 * @shorthand: enum mvm_apic_shorthand
 * @logical: @dest is a logical destination
 * @level: level-triggered
 * @assert: not an INIT level de-assert
 * @wide: from an x2APIC's ICR
 */
struct mvm_apic_msg {
	u32 dest;
	u8 vector;
	u8 mode;
	u8 shorthand;
	bool logical;
	bool level;
	bool assert;
	bool wide;
};

/* msi.c */
bool mvm_msi_decode(u32 addr, u32 addr_high, u32 data, bool wide, struct mvm_apic_msg *msg);

/* ------------------------------------------------------------ local APIC */

/* Register numbers: the xAPIC offset divided by 16, the x2APIC MSR minus 800h. */
enum mvm_apic_reg {
	MVM_APIC_ID = 0x02,
	MVM_APIC_VERSION = 0x03,
	MVM_APIC_TPR = 0x08,
	MVM_APIC_APR = 0x09,
	MVM_APIC_PPR = 0x0a,
	MVM_APIC_EOI = 0x0b,
	MVM_APIC_RRD = 0x0c,
	MVM_APIC_LDR = 0x0d,
	MVM_APIC_DFR = 0x0e,
	MVM_APIC_SVR = 0x0f,
	MVM_APIC_ISR = 0x10, /* eight registers each */
	MVM_APIC_TMR = 0x18,
	MVM_APIC_IRR = 0x20,
	MVM_APIC_ESR = 0x28,
	MVM_APIC_ICR = 0x30,
	MVM_APIC_ICR2 = 0x31,
	MVM_APIC_LVTT = 0x32,
	MVM_APIC_LVT_THERMAL = 0x33,
	MVM_APIC_LVT_PMC = 0x34,
	MVM_APIC_LVT_LINT0 = 0x35,
	MVM_APIC_LVT_LINT1 = 0x36,
	MVM_APIC_LVT_ERROR = 0x37,
	MVM_APIC_TMICT = 0x38,
	MVM_APIC_TMCCT = 0x39,
	MVM_APIC_TDCR = 0x3e,
	MVM_APIC_SELF_IPI = 0x3f,
	MVM_APIC_NR_REGS = 0x40,
};

#define MVM_APIC_PAGE_SIZE 4096

#define MVM_APIC_BASE_BSP    BIT(8)
#define MVM_APIC_BASE_X2APIC BIT(10)
#define MVM_APIC_BASE_ENABLE BIT(11)
#define MVM_APIC_BASE_ADDR   (~(u64)0xfff)
#define MVM_APIC_DEFAULT_PHYS 0xfee00000ULL

#define MVM_APIC_LVT_MASKED BIT(16)

/* Bits of the error status register. */
#define MVM_APIC_ESR_SEND_VECTOR BIT(5)
#define MVM_APIC_ESR_RECV_VECTOR BIT(6)
#define MVM_APIC_ESR_REGISTER	 BIT(7)

/**
 * struct mvm_apic - one local APIC
 * @regs: the register page; register n is at regs[n * 4]
 * @base: IA32_APIC_BASE
 * @id: the initial APIC id (the vCPU's id)
 * @esr_pending: errors since the last write to the ESR
 * @turns: lowest-priority interrupts taken so far, to share them out
 * @irr_words: which of the eight IRR registers are not zero
 * @isr_words: likewise of the ISR
 * @eoi_vector: with MVM_APIC_FX_EOI, the vector that ended
 * @eoi_level: and whether it was level-triggered
 * @tsc_deadline: IA32_TSC_DEADLINE, in guest TSC; 0 = not armed
 * @expiry: when the count reaches zero; MVM_NEVER = stopped
 * @period: nanoseconds from the initial count to zero
 */
struct mvm_apic {
	u32 *regs;
	u64 base;
	u32 id;
	u32 esr_pending;
	u32 turns;
	u8 irr_words;
	u8 isr_words;
	u8 eoi_vector;
	bool eoi_level;
	u64 tsc_deadline;
	u64 expiry;
	u64 period;
};

/* What the caller has to do after a register write. */
#define MVM_APIC_FX_EVENT BIT(0) /* what is deliverable may have changed */
#define MVM_APIC_FX_TIMER BIT(1) /* arm the timer anew */
#define MVM_APIC_FX_IPI	  BIT(2) /* send what mvm_apic_icr_msg() gives */
#define MVM_APIC_FX_SELF  BIT(3) /* SELF IPI: the written value is the vector */
#define MVM_APIC_FX_EOI	  BIT(4) /* tell the other chips that eoi_vector ended */
#define MVM_APIC_FX_BAD	  BIT(5) /* no such register, or read-only: #GP in x2APIC mode */

static inline u32 mvm_apic_reg(const struct mvm_apic *apic, unsigned int nr)
{
	return apic->regs[nr * 4];
}

static inline void mvm_apic_set_reg(struct mvm_apic *apic, unsigned int nr, u32 val)
{
	apic->regs[nr * 4] = val;
}

static inline bool mvm_apic_enabled(const struct mvm_apic *apic)
{
	return apic->base & MVM_APIC_BASE_ENABLE;
}

static inline bool mvm_apic_is_x2apic(const struct mvm_apic *apic)
{
	return apic->base & MVM_APIC_BASE_X2APIC;
}

#define MVM_APIC_SVR_ENABLE	 BIT(8)
#define MVM_APIC_ICR_BUSY	 BIT(12)
#define MVM_APIC_ICR_X2_RESERVED 0xfff32000 /* #GP in x2APIC mode; an xAPIC keeps them */

/* "Software enabled": takes new interrupts. */
static inline bool mvm_apic_sw_enabled(const struct mvm_apic *apic)
{
	return mvm_apic_reg(apic, MVM_APIC_SVR) & MVM_APIC_SVR_ENABLE;
}

/**
 * mvm_apic_write_icr() - write an x2APIC's ICR: 64 bits, in one go
 * @apic: the local APIC
 * @icr: the value; ICR2 keeps the upper half, the destination
 *
 * Return: false: a reserved bit is set (#GP), nothing has changed. True: send what
 * mvm_apic_icr_msg() gives.
 */
static inline bool mvm_apic_write_icr(struct mvm_apic *apic, u64 icr)
{
	if (icr & MVM_APIC_ICR_X2_RESERVED)
		return false;
	mvm_apic_set_reg(apic, MVM_APIC_ICR, icr & ~MVM_APIC_ICR_BUSY);
	mvm_apic_set_reg(apic, MVM_APIC_ICR2, icr >> 32);
	return true;
}

void mvm_apic_regs_replaced(struct mvm_apic *apic);
void mvm_apic_reset(struct mvm_apic *apic, bool init_event, bool bsp);
int mvm_apic_set_base(struct mvm_apic *apic, u64 base, bool host);
int mvm_apic_read(struct mvm_apic *apic, unsigned int nr, u64 now, u32 *val);
/* Does an access need the time? */
static inline bool mvm_apic_reg_has_time(unsigned int nr)
{
	return nr == MVM_APIC_LVTT || nr == MVM_APIC_TMICT || nr == MVM_APIC_TDCR ||
	       nr == MVM_APIC_TMCCT;
}

u32 mvm_apic_write(struct mvm_apic *apic, unsigned int nr, u32 val, u64 now);
void mvm_apic_error(struct mvm_apic *apic, u32 esr_bit);
void mvm_apic_get_state(struct mvm_apic *apic, struct kvm_lapic_state *state, u64 now);
int mvm_apic_set_state(struct mvm_apic *apic, const struct kvm_lapic_state *state, u64 now);

/* lapic_irq.c: priorities, acceptance, destinations */
u8 mvm_apic_ppr(const struct mvm_apic *apic);
int mvm_apic_pending(const struct mvm_apic *apic);
void mvm_apic_accept(struct mvm_apic *apic, u8 vector);
int mvm_apic_post(struct mvm_apic *apic, u8 vector, bool level);
int mvm_apic_eoi(struct mvm_apic *apic);
bool mvm_apic_eoi_is_silent(const struct mvm_apic *apic);
bool mvm_apic_takes_extint(const struct mvm_apic *apic);
bool mvm_apic_match(const struct mvm_apic *apic, const struct mvm_apic_msg *msg);
void mvm_apic_icr_msg(const struct mvm_apic *apic, struct mvm_apic_msg *msg);

/* lapic_timer.c */
enum mvm_apic_timer_mode { MVM_APIC_ONESHOT, MVM_APIC_PERIODIC, MVM_APIC_TSC_DEADLINE };
static inline enum mvm_apic_timer_mode mvm_apic_timer_mode(const struct mvm_apic *apic)
{
	switch ((mvm_apic_reg(apic, MVM_APIC_LVTT) >> 17) & 3) {
	case 1:
		return MVM_APIC_PERIODIC;
	case 2:
		return MVM_APIC_TSC_DEADLINE;
	default:
		return MVM_APIC_ONESHOT;
	}
}

void mvm_apic_timer_start(struct mvm_apic *apic, u32 count, u64 now);
void mvm_apic_timer_stop(struct mvm_apic *apic);
void mvm_apic_timer_set_lvt(struct mvm_apic *apic, u32 lvt);
void mvm_apic_timer_set_divide(struct mvm_apic *apic, u32 tdcr, u64 now);
u32 mvm_apic_timer_count(const struct mvm_apic *apic, u64 now);
u64 mvm_apic_timer_deadline(const struct mvm_apic *apic);
u64 mvm_apic_timer_next(const struct mvm_apic *apic, u64 now, u64 tsc, u32 tsc_khz);
bool mvm_apic_timer_fire(struct mvm_apic *apic, u64 now, u64 tsc);

/* --------------------------------------------------------------- I/O APIC */

#define MVM_IOAPIC_BASE 0xfec00000ULL
#define MVM_IOAPIC_SIZE 0x100
#define MVM_IOAPIC_PINS KVM_IOAPIC_NUM_PINS

/**
 * struct mvm_ioapic - the I/O APIC
 * @rte: redirection entries, in the hardware's format
 * @line: input levels by pin
 * @sel: the register selected for IOWIN
 * @id: bits 24-27 of the ID register, moved down
 * @send: deliver a message: how many took it
 * @ctx: for @send
 */
struct mvm_ioapic {
	u64 rte[MVM_IOAPIC_PINS];
	u32 line;
	u8 sel;
	u8 id;
	int (*send)(void *ctx, const struct mvm_apic_msg *msg);
	void *ctx;
};

void mvm_ioapic_reset(struct mvm_ioapic *io);
int mvm_ioapic_set_line(struct mvm_ioapic *io, unsigned int pin, bool level);
u32 mvm_ioapic_pins(const struct mvm_ioapic *io, u8 vector);
u32 mvm_ioapic_masked(const struct mvm_ioapic *io);
void mvm_ioapic_eoi(struct mvm_ioapic *io, u8 vector);
u32 mvm_ioapic_read(const struct mvm_ioapic *io, u32 offset);
void mvm_ioapic_write(struct mvm_ioapic *io, u32 offset, u32 val);
void mvm_ioapic_get_state(const struct mvm_ioapic *io, struct kvm_ioapic_state *state);
int mvm_ioapic_set_state(struct mvm_ioapic *io, const struct kvm_ioapic_state *state);

/* --------------------------------------------------------------- 8259 pair */

/**
 * struct mvm_i8259 - master and slave; KVM's state structure is the register file
 * @chip: [0] master, [1] slave on its input 2. last_irr holds the input levels
 * @output: the master's INT pin
 * @acked: inputs whose interrupt has ended since the caller last cleared this; 8 and up the
 *	slave's
 */
struct mvm_i8259 {
	struct kvm_pic_state chip[2];
	bool output;
	u16 acked;
};

void mvm_i8259_reset(struct mvm_i8259 *pic);
int mvm_i8259_set_line(struct mvm_i8259 *pic, unsigned int irq, bool level);
int mvm_i8259_peek(const struct mvm_i8259 *pic);
u8 mvm_i8259_ack(struct mvm_i8259 *pic);
bool mvm_i8259_owns(u16 port);
u8 mvm_i8259_read(struct mvm_i8259 *pic, u16 port);
void mvm_i8259_write(struct mvm_i8259 *pic, u16 port, u8 val);
void mvm_i8259_set_state(struct mvm_i8259 *pic, unsigned int nr, const struct kvm_pic_state *s);

/* -------------------------------------------------------------------- 8254 */

#define MVM_PIT_HZ 1193182
#define MVM_PIT_PORT 0x40
#define MVM_SPEAKER_PORT 0x61

/**
 * struct mvm_i8254 - the timer chip; KVM's state structure is the register file
 * @s: channels and flags. count is 1..65536, or 0 while none has been written
 *	since the control word; mode is 0..5, or 0xff before the first control word
 * @held: nanoseconds a channel had counted when its gate went low
 */
struct mvm_i8254 {
	struct kvm_pit_state2 s;
	u64 held[3];
};

void mvm_i8254_reset(struct mvm_i8254 *pit);
u8 mvm_i8254_read(struct mvm_i8254 *pit, u16 port, u64 now);
void mvm_i8254_write(struct mvm_i8254 *pit, u16 port, u8 val, u64 now);
u8 mvm_i8254_speaker_read(const struct mvm_i8254 *pit, u64 now);
void mvm_i8254_speaker_write(struct mvm_i8254 *pit, u8 val, u64 now);
bool mvm_i8254_out(const struct mvm_i8254 *pit, unsigned int nr, u64 now);
u64 mvm_i8254_next_irq(const struct mvm_i8254 *pit, u64 after);
int mvm_i8254_set_state(struct mvm_i8254 *pit, const struct kvm_pit_state2 *s, u64 now);

#endif
