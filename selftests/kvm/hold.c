// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keeps a VM of KVM's alive in each state for which KVM patches the kernel's text, so
 * that the tests beside it do not have it patched with every VM they make.
 *
 * KVM counts in static keys whether there is a VM at all (preempt_notifier_key, in the
 * scheduler), a vCPU without LAPIC (kvm_has_noapic_vcpu), and one whose LAPIC is off
 * (apic_hw_disabled, apic_sw_disabled). QEMU 7.2 with a thread for each processor can
 * keep a translation of the INT3 that was there for a moment only: processors that
 * meet it take #BP after #BP for ever with interrupts off, or the kernel dies of
 * "int3". QEMU 8.1 locks the page while it translates.
 */
#include <err.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int check(int result, const char *what)
{
	if (result < 0)
		err(1, "%s", what);
	return result;
}

static int vcpu_of_new_vm(int kvm, bool irqchip)
{
	int vm = check(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");

	if (irqchip)
		check(ioctl(vm, KVM_CREATE_IRQCHIP, 0), "KVM_CREATE_IRQCHIP");
	return check(ioctl(vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
}

int main(void)
{
	int kvm = check(open("/dev/kvm", O_RDWR), "/dev/kvm");
	struct kvm_sregs sregs;
	int lapic;

	vcpu_of_new_vm(kvm, false);
	vcpu_of_new_vm(kvm, true); /* its LAPIC is off by SPIV, as after a reset */
	lapic = vcpu_of_new_vm(kvm, true);
	check(ioctl(lapic, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
	sregs.apic_base = 0;
	check(ioctl(lapic, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");

	pause();
	return 0;
}
