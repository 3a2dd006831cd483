// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts for the tests; see irq_util.h.
 */
#include "irq_util.h"

#define LAPIC_SVR	0xf0
#define LAPIC_IRR	0x200
#define SVR_ENABLED	0x1ff

int tirq_status(struct tvm *vm, uint32_t gsi, int level)
{
	struct kvm_irq_level line = { .irq = gsi, .level = level };
	int ret = tvm_ioctl(vm->fd, KVM_IRQ_LINE_STATUS, &line);

	return ret ? ret : line.status;
}

struct kvm_irq_routing_entry tirq_msi(uint32_t gsi, uint32_t data)
{
	return (struct kvm_irq_routing_entry){
		.gsi = gsi, .type = KVM_IRQ_ROUTING_MSI,
		.u.msi = { .address_lo = TIRQ_MSI_ADDR, .data = data },
	};
}

struct kvm_irq_routing_entry tirq_pin(uint32_t gsi, uint32_t chip, uint32_t pin)
{
	return (struct kvm_irq_routing_entry){
		.gsi = gsi, .type = KVM_IRQ_ROUTING_IRQCHIP,
		.u.irqchip = { .irqchip = chip, .pin = pin },
	};
}

int tirq_route(struct tvm *vm, const struct kvm_irq_routing_entry *entries, uint32_t n)
{
	struct kvm_irq_routing *routing;
	int ret;

	routing = calloc(1, sizeof(*routing) + n * sizeof(*entries));
	if (!routing)
		return -ENOMEM;
	routing->nr = n;
	if (n)
		memcpy(routing->entries, entries, n * sizeof(*entries));
	ret = tvm_ioctl(vm->fd, KVM_SET_GSI_ROUTING, routing);
	free(routing);
	return ret;
}

int tirq_irqfd(struct tvm *vm, int fd, uint32_t gsi, uint32_t flags, int resample)
{
	struct kvm_irqfd irqfd = { .fd = fd, .gsi = gsi, .flags = flags, .resamplefd = resample };

	return tvm_ioctl(vm->fd, KVM_IRQFD, &irqfd);
}

int tlapic_get(struct tvcpu *vcpu, uint32_t offset, uint32_t *val)
{
	struct kvm_lapic_state s;
	int ret = tvm_ioctl(vcpu->fd, KVM_GET_LAPIC, &s);

	if (!ret)
		memcpy(val, s.regs + offset, sizeof(*val));
	return ret;
}

int tlapic_set(struct tvcpu *vcpu, uint32_t offset, uint32_t val)
{
	struct kvm_lapic_state s;
	int ret = tvm_ioctl(vcpu->fd, KVM_GET_LAPIC, &s);

	if (ret)
		return ret;
	memcpy(s.regs + offset, &val, sizeof(val));
	return tvm_ioctl(vcpu->fd, KVM_SET_LAPIC, &s);
}

int tlapic_enable(struct tvcpu *vcpu)
{
	return tlapic_set(vcpu, LAPIC_SVR, SVR_ENABLED);
}

int tlapic_requested(struct tvcpu *vcpu, uint8_t vector, bool clear)
{
	uint32_t offset = LAPIC_IRR + vector / 32 * 16, bit = 1u << vector % 32, val;
	int ret = tlapic_get(vcpu, offset, &val);

	if (ret)
		return ret;
	if ((val & bit) && clear)
		ret = tlapic_set(vcpu, offset, val & ~bit);
	return ret ? ret : !!(val & bit);
}

static int ioapic_state(struct tvm *vm, struct kvm_irqchip *chip)
{
	memset(chip, 0, sizeof(*chip));
	chip->chip_id = KVM_IRQCHIP_IOAPIC;
	return tvm_ioctl(vm->fd, KVM_GET_IRQCHIP, chip);
}

int tioapic_set(struct tvm *vm, unsigned int pin, uint64_t entry)
{
	struct kvm_irqchip chip;
	int ret = ioapic_state(vm, &chip);

	if (ret)
		return ret;
	chip.chip.ioapic.redirtbl[pin].bits = entry;
	return tvm_ioctl(vm->fd, KVM_SET_IRQCHIP, &chip);
}

int tioapic_get(struct tvm *vm, unsigned int pin, uint64_t *entry)
{
	struct kvm_irqchip chip;
	int ret = ioapic_state(vm, &chip);

	if (!ret)
		*entry = chip.chip.ioapic.redirtbl[pin].bits;
	return ret;
}
