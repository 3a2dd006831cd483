/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VMX instructions, one inline function each.
 *
 * Each carries an exception table entry: where VMX operation was turned off
 * behind minivmm's back (a lender left, a crash) the instruction takes #UD, and
 * the function answers as for a refused instruction instead of killing the host.
 *
 * VMREAD and VMWRITE come by the width of the field, which its encoding tells;
 * a constant field of another width does not compile.
 */
#ifndef MVM_VMX_INSN_H
#define MVM_VMX_INSN_H

#include <linux/build_bug.h>
#include <linux/types.h>

#include <asm/asm.h>
#include <asm/vmx.h>

#include "../mvm.h"

/* Bits 14:13 of a field's encoding. */
enum vmcs_width { VMCS_W16, VMCS_W64, VMCS_W32, VMCS_WNATURAL };

#define vmcs_width(field) (((field) >> 13) & 3)

/* Count a refused VMREAD or VMWRITE and say so once: a bug in this backend. */
void mvm_vmx_access_failed(unsigned long field);

/*
 * True when the field was read; *value is 0 else. CF is set beforehand, so that a
 * fault, which leaves the flags alone, looks like VMfailInvalid.
 */
static __always_inline bool vmx_read_raw(unsigned long field, unsigned long *value)
{
	unsigned long val = 0;
	bool failed;

	asm volatile("stc\n\t"
		     "1: vmread %[field], %[val]\n\t"
		     "2:\n\t"
		     _ASM_EXTABLE(1b, 2b)
		     : [val] "+r" (val), "=@ccna" (failed)
		     : [field] "r" (field));
	*value = val;
	return !failed;
}

static __always_inline unsigned long __vmx_read(unsigned long field)
{
	unsigned long val;

	if (unlikely(!vmx_read_raw(field, &val)))
		mvm_vmx_access_failed(field);
	return val;
}

static __always_inline void __vmx_write(unsigned long field, unsigned long val)
{
	asm goto("1: vmwrite %[val], %[field]\n\t"
		 "jna %l[failed]\n\t"
		 _ASM_EXTABLE(1b, %l[failed])
		 : : [val] "rm" (val), [field] "r" (field) : "cc" : failed);
	return;
failed:
	mvm_vmx_access_failed(field);
}

/*
 * For what is read at each exit: a constant field that every processor has, of the VMCS
 * that it has just left. Zero where VMX operation is gone, with the whole host.
 */
static __always_inline unsigned long vmx_read_quick(unsigned long field)
{
	unsigned long val = 0;

	asm volatile("1: vmread %[field], %[val]\n\t"
		     "2:\n\t"
		     _ASM_EXTABLE(1b, 2b)
		     : [val] "+r" (val)
		     : [field] "r" (field) : "cc");
	return val;
}

/* Did 64-bit code exit? Outside of long mode CS.L means nothing. */
static __always_inline bool vmx_in_64bit(const struct mvm_vcpu *vcpu)
{
	return (vcpu->efer & EFER_LMA) && (vmx_read_quick(GUEST_CS_AR_BYTES) & VMX_AR_L_MASK);
}

#define VMX_CHECK_WIDTH(field, width)                                     \
	BUILD_BUG_ON_MSG(!__builtin_constant_p(field) ||                  \
			 vmcs_width(field) != (width), "VMCS field of another width")

static __always_inline u16 vmx_read16(unsigned long field)
{
	VMX_CHECK_WIDTH(field, VMCS_W16);
	return __vmx_read(field);
}

static __always_inline u32 vmx_read32(unsigned long field)
{
	VMX_CHECK_WIDTH(field, VMCS_W32);
	return __vmx_read(field);
}

static __always_inline u64 vmx_read64(unsigned long field)
{
	VMX_CHECK_WIDTH(field, VMCS_W64);
	return __vmx_read(field);
}

static __always_inline unsigned long vmx_read(unsigned long field)
{
	VMX_CHECK_WIDTH(field, VMCS_WNATURAL);
	return __vmx_read(field);
}

static __always_inline void vmx_write16(unsigned long field, u16 val)
{
	VMX_CHECK_WIDTH(field, VMCS_W16);
	__vmx_write(field, val);
}

static __always_inline void vmx_write32(unsigned long field, u32 val)
{
	VMX_CHECK_WIDTH(field, VMCS_W32);
	__vmx_write(field, val);
}

static __always_inline void vmx_write64(unsigned long field, u64 val)
{
	VMX_CHECK_WIDTH(field, VMCS_W64);
	__vmx_write(field, val);
}

static __always_inline void vmx_write(unsigned long field, unsigned long val)
{
	VMX_CHECK_WIDTH(field, VMCS_WNATURAL);
	__vmx_write(field, val);
}

/* True where the instruction succeeded, here and below. */
static inline bool vmx_vmxon(hpa_t region)
{
	asm goto("1: vmxon %[mem]\n\t"
		 "jna %l[failed]\n\t"
		 _ASM_EXTABLE(1b, %l[failed])
		 : : [mem] "m" (region) : "cc", "memory" : failed);
	return true;
failed:
	return false;
}

static inline bool vmx_vmclear(hpa_t vmcs)
{
	asm goto("1: vmclear %[mem]\n\t"
		 "jna %l[failed]\n\t"
		 _ASM_EXTABLE(1b, %l[failed])
		 : : [mem] "m" (vmcs) : "cc", "memory" : failed);
	return true;
failed:
	return false;
}

static inline bool vmx_vmptrld(hpa_t vmcs)
{
	asm goto("1: vmptrld %[mem]\n\t"
		 "jna %l[failed]\n\t"
		 _ASM_EXTABLE(1b, %l[failed])
		 : : [mem] "m" (vmcs) : "cc", "memory" : failed);
	return true;
failed:
	return false;
}

/* True when the processor is in VMX operation; *vmcs is the current VMCS, ~0 for none. */
static inline bool vmx_vmptrst(hpa_t *vmcs)
{
	hpa_t val = ~0ULL;
	bool done = false;

	asm volatile("1: vmptrst %[val]\n\t"
		     "movb $1, %[done]\n\t"
		     "2:\n\t"
		     _ASM_EXTABLE(1b, 2b)
		     : [val] "+m" (val), [done] "+qm" (done)
		     : : "cc", "memory");
	*vmcs = val;
	return done;
}

static inline bool vmx_vmxoff(void)
{
	asm goto("1: vmxoff\n\t"
		 "jna %l[failed]\n\t"
		 _ASM_EXTABLE(1b, %l[failed])
		 : : : "cc", "memory" : failed);
	return true;
failed:
	return false;
}

struct vmx_inv_desc {
	u64 tag; /* EPT pointer, or VPID */
	u64 address;
};

static inline bool vmx_invept(unsigned long type, u64 eptp)
{
	struct vmx_inv_desc desc = { .tag = eptp };

	asm goto("1: invept %[desc], %[type]\n\t"
		 "jna %l[failed]\n\t"
		 _ASM_EXTABLE(1b, %l[failed])
		 : : [desc] "m" (desc), [type] "r" (type) : "cc", "memory" : failed);
	return true;
failed:
	return false;
}

static inline bool vmx_invvpid(unsigned long type, u16 vpid)
{
	struct vmx_inv_desc desc = { .tag = vpid };

	asm goto("1: invvpid %[desc], %[type]\n\t"
		 "jna %l[failed]\n\t"
		 _ASM_EXTABLE(1b, %l[failed])
		 : : [desc] "m" (desc), [type] "r" (type) : "cc", "memory" : failed);
	return true;
failed:
	return false;
}

#endif
