/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between smp.c and smp_guest.c: where the guest's code begins and what it is
 * told before it runs.
 */
#ifndef SMP_GUEST_H
#define SMP_GUEST_H

#define SMP_MAIN 0xcff8	/* guest address of the 32-bit address of smp_entry */

extern const uint8_t smp_trampoline[], smp_trampoline_end[];
extern const uint8_t smp_stubs[], smp_entry[];
extern const uint8_t __start_guest_text[], __stop_guest_text[];

#endif /* SMP_GUEST_H */
