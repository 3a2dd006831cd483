/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libminivmm: virtual machines through /dev/minivmm, or through any device
 * that speaks the KVM ABI.
 *
 * Three opaque handles: the open device, a VM, a vCPU. Each is independent of
 * the one it came from, so they may be freed in any order. Functions return 0
 * or -errno (or a value where said); the sentence behind the last failure of
 * a handle comes from its _error() function and stays valid until the next
 * call on that handle. A failed create leaves its sentence on the parent.
 *
 * Threads: one thread at a time per handle; different handles are
 * independent. minivmm_vcpu_stop(), minivmm_vcpu_run_page() and the _fd()
 * functions may be called from any thread at any time.
 *
 * The library never prints, never exits, forks or touches signals.
 */
#ifndef LIBMINIVMM_H
#define LIBMINIVMM_H

#include <stddef.h>
#include <stdint.h>
#include <linux/kvm.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LIBMINIVMM_VERSION "0.1.0"
#define MINIVMM_DEFAULT_DEVICE "/dev/minivmm"

struct minivmm;
struct minivmm_vm;
struct minivmm_vcpu;
struct minivmm_stats;		/* uapi/minivmm.h */

/* The library's own version; the header's is LIBMINIVMM_VERSION. */
const char *minivmm_version(void);

/* ---- The device ---------------------------------------------------------- */

/* A handle with nothing open, or NULL when memory is out. */
struct minivmm *minivmm_new(void);

/* Close the device and free the handle; NULL is fine. VMs live on. */
void minivmm_free(struct minivmm *m);

/* Open @path (NULL: MINIVMM_DEFAULT_DEVICE) and check that it speaks the ABI. */
int minivmm_open(struct minivmm *m, const char *path);

const char *minivmm_error(const struct minivmm *m);
int minivmm_fd(const struct minivmm *m);

/* The value of a KVM_CAP_ number, 0 when the device does not know it. */
int minivmm_check(struct minivmm *m, unsigned long cap);

/* How many vCPUs one VM may have; at least 1. */
int minivmm_max_vcpus(struct minivmm *m);

/* The CPUID table that the device can give a guest; release with free(). */
int minivmm_supported_cpuid(struct minivmm *m, struct kvm_cpuid2 **cpuid);

/* ---- A VM ---------------------------------------------------------------- */

/* @type: 0, or a VM type that the device documents. */
int minivmm_vm_create(struct minivmm *m, unsigned long type, struct minivmm_vm **vm);

/* Close the VM; it ends when its vCPU handles are freed too. NULL is fine. */
void minivmm_vm_free(struct minivmm_vm *vm);

const char *minivmm_vm_error(const struct minivmm_vm *vm);
int minivmm_vm_fd(const struct minivmm_vm *vm);

/*
 * Back guest addresses [@gpa, @gpa + @size) by the caller's memory at @host;
 * a @size of 0 removes slot @slot. @flags: KVM_MEM_ bits. Page aligned.
 */
int minivmm_vm_set_memory(struct minivmm_vm *vm, uint32_t slot, uint32_t flags,
			  uint64_t gpa, uint64_t size, void *host);

/* The in-kernel APICs, 8259 pair and 8254. Call before any vCPU is made. */
int minivmm_vm_create_irqchip(struct minivmm_vm *vm);

/* Set the level of an interrupt line of the in-kernel irqchip. */
int minivmm_vm_irq_line(struct minivmm_vm *vm, uint32_t gsi, int level);

/*
 * Instead of minivmm_vm_create_irqchip(): the local APICs alone. The caller emulates the
 * other chips; its I/O APIC's inputs are the lines below @pins.
 */
int minivmm_vm_create_split_irqchip(struct minivmm_vm *vm, uint32_t pins);

/* The whole routing of the interrupt lines: what is not in it leads nowhere. */
int minivmm_vm_set_routes(struct minivmm_vm *vm, const struct kvm_irq_routing_entry *routes,
			  uint32_t n);

/* What a device's write of @data to @address would do. Returns how many vCPUs took it. */
int minivmm_vm_send_msi(struct minivmm_vm *vm, uint64_t address, uint32_t data);

/*
 * Let each signal of the eventfd @fd raise and drop line @gsi; or, with an eventfd in
 * @resample_fd (else -1), raise it until the guest ends the interrupt, which is told there.
 */
int minivmm_vm_add_irqfd(struct minivmm_vm *vm, int fd, uint32_t gsi, int resample_fd);
int minivmm_vm_remove_irqfd(struct minivmm_vm *vm, int fd, uint32_t gsi);

/* Let a guest's write signal an eventfd instead of ending the run. The same @args remove it. */
int minivmm_vm_add_ioeventfd(struct minivmm_vm *vm, const struct kvm_ioeventfd *args);
int minivmm_vm_remove_ioeventfd(struct minivmm_vm *vm, const struct kvm_ioeventfd *args);

/* ---- A vCPU -------------------------------------------------------------- */

int minivmm_vcpu_create(struct minivmm_vm *vm, uint32_t id, struct minivmm_vcpu **vcpu);
void minivmm_vcpu_free(struct minivmm_vcpu *vcpu);

const char *minivmm_vcpu_error(const struct minivmm_vcpu *vcpu);
int minivmm_vcpu_fd(const struct minivmm_vcpu *vcpu);

/* The page shared with the kernel: why the last run ended, and its data. */
struct kvm_run *minivmm_vcpu_run_page(const struct minivmm_vcpu *vcpu);

/* The data of a KVM_EXIT_IO exit, or NULL if the exit lies about its place. */
void *minivmm_vcpu_io_data(const struct minivmm_vcpu *vcpu);

/*
 * Run until an exit that is the caller's to handle. -EINTR: a signal or
 * minivmm_vcpu_stop() ended it early; -EAGAIN: try again.
 */
int minivmm_vcpu_run(struct minivmm_vcpu *vcpu);

/*
 * After an exit that ends a guest, the device's sentence about it, "" where it has none; it is
 * gone with the next call for this vCPU. Returns what snprintf() would.
 */
int minivmm_vcpu_reason(const struct minivmm_vcpu *vcpu, char *buf, size_t size);

/*
 * Make the next (or, with a signal sent to its thread after this call, the
 * present) minivmm_vcpu_run() return -EINTR; it stays so until resumed.
 */
void minivmm_vcpu_stop(struct minivmm_vcpu *vcpu);
void minivmm_vcpu_resume(struct minivmm_vcpu *vcpu);

int minivmm_vcpu_get_regs(struct minivmm_vcpu *vcpu, struct kvm_regs *regs);
int minivmm_vcpu_set_regs(struct minivmm_vcpu *vcpu, const struct kvm_regs *regs);
int minivmm_vcpu_get_sregs(struct minivmm_vcpu *vcpu, struct kvm_sregs *sregs);
int minivmm_vcpu_set_sregs(struct minivmm_vcpu *vcpu, const struct kvm_sregs *sregs);
int minivmm_vcpu_get_fpu(struct minivmm_vcpu *vcpu, struct kvm_fpu *fpu);
int minivmm_vcpu_set_fpu(struct minivmm_vcpu *vcpu, const struct kvm_fpu *fpu);
int minivmm_vcpu_set_cpuid(struct minivmm_vcpu *vcpu, const struct kvm_cpuid2 *cpuid);

/* One MSR. A refused index is -EPERM. */
int minivmm_vcpu_get_msr(struct minivmm_vcpu *vcpu, uint32_t index, uint64_t *value);
int minivmm_vcpu_set_msr(struct minivmm_vcpu *vcpu, uint32_t index, uint64_t value);

/*
 * How often the kernel entered the guest, and the exits by kind. The names of
 * the kinds belong to the device: index 0 to nr - 1.
 */
int minivmm_vcpu_get_stats(struct minivmm_vcpu *vcpu, struct minivmm_stats *stats);
int minivmm_stat_name(struct minivmm *m, uint32_t index, char *buf, size_t size);

/* ---- What most callers would write themselves ---------------------------- */

/* Real mode at @segment:@ip, every other register as after a reset. */
int minivmm_vcpu_set_real_mode(struct minivmm_vcpu *vcpu, uint16_t segment, uint16_t ip);

/* LINT0 takes the 8259's interrupts, LINT1 NMIs, as firmware leaves them. */
int minivmm_vcpu_setup_lapic(struct minivmm_vcpu *vcpu);

/*
 * A copy of @from for vCPU @id of @count: APIC ids and topology (one package,
 * one thread a core), the hypervisor bit, and @tsc_deadline as asked. Release
 * with free(). NULL when memory is out.
 */
struct kvm_cpuid2 *minivmm_cpuid_for_vcpu(const struct kvm_cpuid2 *from, uint32_t id,
					  uint32_t count, int tsc_deadline);

/* "io", "mmio", "shutdown": the name of a KVM_EXIT_ number, or "unknown". */
const char *minivmm_exit_name(uint32_t exit_reason);

/* One line about the exit in @run. Returns what snprintf() would. */
int minivmm_describe_exit(const struct kvm_run *run, char *buf, size_t size);

/* The general and system registers in text: lines, the last one without its end. */
int minivmm_describe_regs(const struct kvm_regs *regs, const struct kvm_sregs *sregs,
			  char *buf, size_t size);

#ifdef __cplusplus
}
#endif

#endif
