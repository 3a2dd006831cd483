// SPDX-License-Identifier: GPL-2.0-only
/*
 * Message-signalled interrupts: a write to FEExxxxxh by a device, as the manuals'
 * "Message Address Register Format" and "Message Data Register Format" have it.
 *
 * The address says where to (destination, its mode, the redirection hint), the
 * data say what (vector, delivery mode, trigger mode). Pure: see model.h.
 */
#include "model.h"

#define MSI_ADDR_LOGICAL  BIT(2)
#define MSI_ADDR_REDIRECT BIT(3)
#define MSI_DATA_LEVEL	  BIT(15)

/**
 * mvm_msi_decode() - the message that a device's write stands for
 * @addr: address, its low half
 * @addr_high: its high half
 * @data: what is written
 * @wide: bits 8-31 of @addr_high are those of the destination (KVM_CAP_X2APIC_API)
 * @msg: the message
 *
 * The redirection hint sends an ordinary interrupt to the processor with the lowest
 * priority. The level bit of the data counts for INIT alone, which is asserted here
 * as with KVM: there is no de-assertion. Return: false where @addr_high has bits
 * that mean nothing.
 */
bool mvm_msi_decode(u32 addr, u32 addr_high, u32 data, bool wide, struct mvm_apic_msg *msg)
{
	*msg = (struct mvm_apic_msg) {
		.dest = (addr >> 12) & 0xff,
		.vector = data & 0xff,
		.mode = (data >> 8) & 7,
		.logical = addr & MSI_ADDR_LOGICAL,
		.level = data & MSI_DATA_LEVEL,
		.assert = true,
		.wide = wide,
	};
	if ((addr & MSI_ADDR_REDIRECT) && msg->mode == MVM_APIC_FIXED)
		msg->mode = MVM_APIC_LOWEST;
	if (!wide)
		return true;
	msg->dest |= addr_high & 0xffffff00;
	return !(addr_high & 0xff);
}
