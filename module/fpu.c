// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's FPU and extended state, and its exchange with the host's.
 *
 * kernel_fpu_begin_mask() saves the user's registers and makes the return to
 * userspace reload them, so that only the guest's side is done here. The image
 * is restored under the host's XCR0 and for every component the host has: what
 * the guest lacks is put into its initial state. XCR0 and PKRU concern the
 * kernel itself and are exchanged with interrupts off, around each entry.
 */
#include <linux/log2.h>
#include <linux/slab.h>

#include <asm/asm.h>
#include <asm/cpufeature.h>
#include <asm/fpu/api.h>
#include <asm/fpu/types.h>
#include <asm/fpu/xcr.h>
#include <asm/processor.h>
#include <asm/special_insns.h>

#include "fpu.h"

#define CPUID_XSTATE 0xd

/* What processors without the field mean by a zero MXCSR_MASK. */
#define MXCSR_MASK_DEFAULT 0xffbf
#define FCW_RESET	   0x37f

/* Components that a guest may have, where the host has them. */
#define GUEST_XFEATURES (XFEATURE_MASK_FPSSE | XFEATURE_MASK_YMM | XFEATURE_MASK_OPMASK | \
			 XFEATURE_MASK_ZMM_Hi256 | XFEATURE_MASK_Hi16_ZMM | XFEATURE_MASK_PKRU)

/* The image ends with XSAVE's legacy area and header where there is nothing more. */
#define XSAVE_MIN_SIZE (sizeof(struct fxregs_state) + sizeof(struct xstate_header))

struct mvm_fpu_state {
	u32 host_pkru; /* while the guest's is loaded */
	u8 image[] __aligned(64); /* struct xregs_state and what follows it */
};

/* Facts about the host, found at load. */
static struct {
	u64 xcr0; /* 0: no XSAVE */
	u64 guest_xcr0; /* mvm_fpu_supported_xcr0() */
	u64 restore_mask; /* all of the host's, but PKRU, which is not exchanged lazily */
	u64 save_mask; /* all a guest may have, but PKRU */
	u32 image_size;
	u32 mxcsr_mask;
	bool has_pkru;
	u64 xss; /* MSR_IA32_XSS, which guests have as 0 */
	struct kmem_cache *cache; /* of struct mvm_fpu_state with an image */
	struct { u32 offset, size; } part[XFEATURE_MAX]; /* of guest_xcr0, from bit 2 on */
} host __ro_after_init;

static struct xregs_state *image_of(struct mvm_vcpu *vcpu)
{
	return (struct xregs_state *)vcpu->fpu->image;
}

static bool is_extended(u64 mask, int bit)
{
	return bit > XFEATURE_SSE && (mask & BIT_ULL(bit));
}

static u32 __init find_mxcsr_mask(void)
{
	struct fxregs_state *image = kzalloc(sizeof(*image), GFP_KERNEL);
	u32 mask;

	if (!image)
		return 0;
	kernel_fpu_begin_mask(0);
	asm volatile("fxsave64 %0" : "+m" (*image));
	kernel_fpu_end();
	mask = image->mxcsr_mask;
	kfree(image);
	return mask ?: MXCSR_MASK_DEFAULT;
}

static void __init find_parts(void)
{
	u32 eax, ebx, ecx, edx;
	int i;

	for (i = 0; i < XFEATURE_MAX; i++) {
		if (!is_extended(host.guest_xcr0, i))
			continue;
		cpuid_count(CPUID_XSTATE, i, &eax, &ebx, &ecx, &edx);
		host.part[i].size = eax;
		host.part[i].offset = ebx;
		/* An image must fit into struct kvm_xsave. */
		if (ebx < XSAVE_MIN_SIZE || (u64)eax + ebx > sizeof(struct kvm_xsave))
			host.guest_xcr0 &= ~BIT_ULL(i);
	}
}

/* A cache of its own: the image's size is just above what kmalloc() has a size for. */
static struct kmem_cache *__init create_cache(void)
{
	const size_t size = sizeof(struct mvm_fpu_state) + host.image_size;

	return kmem_cache_create("minivmm_fpu", size, __alignof__(struct mvm_fpu_state),
				 SLAB_ACCOUNT, NULL);
}

/**
 * mvm_fpu_module_init() - find the host's components and the size of an image
 *
 * Context: module load, before anything else here; may sleep.
 * Return: 0; -ENOMEM.
 */
int __init mvm_fpu_module_init(void)
{
	host.mxcsr_mask = find_mxcsr_mask();
	if (!host.mxcsr_mask)
		return -ENOMEM;
	host.has_pkru = boot_cpu_has(X86_FEATURE_OSPKE);
	if (boot_cpu_has(X86_FEATURE_XSAVE)) {
		host.xcr0 = xgetbv(XCR_XFEATURE_ENABLED_MASK);
		host.guest_xcr0 = host.xcr0 & GUEST_XFEATURES;
		if (!host.has_pkru)
			host.guest_xcr0 &= ~XFEATURE_MASK_PKRU;
		find_parts();
	}
	if (boot_cpu_has(X86_FEATURE_XSAVES))
		rdmsrl(MSR_IA32_XSS, host.xss);
	host.restore_mask = host.xcr0 & ~XFEATURE_MASK_PKRU;
	host.save_mask = host.guest_xcr0 & ~XFEATURE_MASK_PKRU;
	host.image_size = mvm_fpu_xsave_size(host.guest_xcr0);
	host.cache = create_cache();
	return host.cache ? 0 : -ENOMEM;
}

/**
 * mvm_fpu_module_exit() - reverse of mvm_fpu_module_init()
 *
 * Context: module unload, no vCPU is left.
 */
void mvm_fpu_module_exit(void)
{
	kmem_cache_destroy(host.cache);
}

/**
 * mvm_fpu_supported_xcr0() - XCR0 bits that a guest may have on this host
 *
 * Context: any, after the module's load.
 * Return: the bits; 0: the host runs without XSAVE.
 */
u64 mvm_fpu_supported_xcr0(void)
{
	return host.guest_xcr0;
}

/**
 * mvm_fpu_xsave_size() - size of an image in XSAVE's standard format
 * @xcr0: the components in it; those that no guest may have do not count
 *
 * Return: bytes, at least those of the legacy area and the header.
 */
u32 mvm_fpu_xsave_size(u64 xcr0)
{
	u32 size = XSAVE_MIN_SIZE;
	int i;

	for (i = 0; i < XFEATURE_MAX; i++) {
		if (is_extended(xcr0 & host.guest_xcr0, i))
			size = max(size, host.part[i].offset + host.part[i].size);
	}
	return size;
}

/* ----------------------------------------------------------------- registers */

static int restore_image(const struct xregs_state *image)
{
	const u32 low = host.restore_mask, high = host.restore_mask >> 32;

	if (!host.xcr0) {
		asm goto("1: fxrstor64 %[image]\n" _ASM_EXTABLE(1b, %l[fault])
			 : : [image] "m" (*image) : "memory" : fault);
		return 0;
	}
	asm goto("1: xrstor64 %[image]\n" _ASM_EXTABLE(1b, %l[fault])
		 : : [image] "m" (*image), "a" (low), "d" (high) : "memory" : fault);
	return 0;
fault:
	return -EINVAL;
}

static void save_image(struct xregs_state *image)
{
	const u32 low = host.save_mask, high = host.save_mask >> 32;

	if (host.xcr0)
		asm volatile("xsave64 %0" : "+m" (*image) : "a" (low), "d" (high) : "memory");
	else
		asm volatile("fxsave64 %0" : "+m" (*image) : : "memory");
}

/* Where XRSTOR leaves the x87 pointers alone they would tell of another's code. */
static void clear_x87_pointers(void)
{
	static const int zero;

	if (boot_cpu_has_bug(X86_BUG_FXSAVE_LEAK))
		asm volatile("fnclex\n\temms\n\tfildl %0" : : "m" (zero));
}

static int write_xcr0(u64 xcr0)
{
	asm goto("1: xsetbv\n" _ASM_EXTABLE(1b, %l[fault])
		 : : "c" (XCR_XFEATURE_ENABLED_MASK), "a" ((u32)xcr0), "d" ((u32)(xcr0 >> 32))
		 : "memory" : fault);
	return 0;
fault:
	return -EINVAL;
}

/* The state of a processor after reset, where all is zero. */
static void init_zeroed_image(struct xregs_state *image)
{
	image->i387.cwd = FCW_RESET;
	image->i387.mxcsr = MXCSR_DEFAULT;
	image->header.xfeatures = XFEATURE_MASK_FPSSE;
}

static void init_image(struct xregs_state *image)
{
	memset(image, 0, host.image_size);
	init_zeroed_image(image);
}

/**
 * mvm_fpu_create() - allocate a vCPU's state: a reset processor's, and PKRU 0
 * @vcpu: the vCPU
 *
 * Context: its creation; may sleep.
 * Return: 0; -ENOMEM.
 */
int mvm_fpu_create(struct mvm_vcpu *vcpu)
{
	vcpu->fpu = kmem_cache_zalloc(host.cache, GFP_KERNEL_ACCOUNT);
	if (!vcpu->fpu)
		return -ENOMEM;
	init_zeroed_image(image_of(vcpu));
	vcpu->guest_pkru = 0;
	return 0;
}

/**
 * mvm_fpu_destroy() - wipe the state and free it
 * @vcpu: the vCPU, which runs nowhere
 */
void mvm_fpu_destroy(struct mvm_vcpu *vcpu)
{
	memzero_explicit(image_of(vcpu), host.image_size);
	kmem_cache_free(host.cache, vcpu->fpu);
	vcpu->fpu = NULL;
}

/**
 * mvm_fpu_enter() - load the guest's state; the user's is saved by the kernel
 * @vcpu: the vCPU
 *
 * Preemption is off until mvm_fpu_leave(). An image that the processor refuses kills the VM, and a
 * reset processor's is loaded. Context: the vCPU's thread, preemption and interrupts on.
 */
void mvm_fpu_enter(struct mvm_vcpu *vcpu)
{
	kernel_fpu_begin_mask(0);
	clear_x87_pointers();
	if (likely(!restore_image(image_of(vcpu))))
		return;
	/* Everything that gets into an image is checked: this cannot be. */
	mvm_vm_kill(vcpu->vm, "the processor refused a guest's FPU image");
	init_image(image_of(vcpu));
	restore_image(image_of(vcpu));
}

/**
 * mvm_fpu_leave() - save the guest's state; preemption is on again
 * @vcpu: the vCPU of mvm_fpu_enter()
 *
 * Context: the vCPU's thread.
 */
void mvm_fpu_leave(struct mvm_vcpu *vcpu)
{
	save_image(image_of(vcpu));
	kernel_fpu_end();
}

/**
 * mvm_fpu_swap_in() - give the CPU the guest's XCR0 and PKRU, and IA32_XSS as 0
 * @vcpu: the vCPU
 *
 * An XCR0 that the processor refuses kills the VM. Context: the inner loop, interrupts off until
 * after mvm_fpu_swap_out().
 */
void mvm_fpu_swap_in(struct mvm_vcpu *vcpu)
{
	if (host.xcr0 && vcpu->xcr0 != host.xcr0 && write_xcr0(vcpu->xcr0))
		mvm_vm_kill(vcpu->vm, "the processor refused a guest's XCR0");
	/* AMD-V cannot intercept XSAVES: it must not reach the host's supervisor state. */
	if (host.xss)
		wrmsrl(MSR_IA32_XSS, 0);
	if (!host.has_pkru)
		return;
	vcpu->fpu->host_pkru = rdpkru();
	if (vcpu->guest_pkru != vcpu->fpu->host_pkru)
		wrpkru(vcpu->guest_pkru);
}

/*
 * Believes the register and not vcpu->xcr0: QEMU's TCG lets the guest's XSETBV
 * through although it is intercepted. What the guest may have is adopted.
 */
static void swap_out_xcr0(struct mvm_vcpu *vcpu)
{
	const u64 xcr0 = xgetbv(XCR_XFEATURE_ENABLED_MASK);

	if (unlikely(xcr0 != vcpu->xcr0) && !(xcr0 & ~vcpu->guest_xcr0_allowed))
		vcpu->xcr0 = xcr0;
	if (xcr0 != host.xcr0)
		write_xcr0(host.xcr0);
}

/**
 * mvm_fpu_swap_out() - save the guest's XCR0 and PKRU; the CPU has the host's, and its IA32_XSS
 * @vcpu: the vCPU of mvm_fpu_swap_in()
 *
 * Context: the inner loop, interrupts off.
 */
void mvm_fpu_swap_out(struct mvm_vcpu *vcpu)
{
	if (host.has_pkru) {
		vcpu->guest_pkru = rdpkru();
		if (vcpu->guest_pkru != vcpu->fpu->host_pkru)
			wrpkru(vcpu->fpu->host_pkru);
	}
	if (host.xss)
		wrmsrl(MSR_IA32_XSS, host.xss);
	if (host.xcr0)
		swap_out_xcr0(vcpu);
}

/* ---------------------------------------------------------- single registers */

#define XMM_SIZE  16
#define ZMM_UPPER 32 /* bytes of a ZMM register above its YMM part */

#define FSW_ES	      BIT(7)
#define FSW_TOP_SHIFT 11
#define FSW_TOP	      (7 << FSW_TOP_SHIFT)
#define ST_SIZE	      16 /* of a slot in the image; 10 bytes are the register */

/* Where a component keeps register @reg of @size bytes; NULL: no such component. */
static u8 *part_of(struct mvm_vcpu *vcpu, int feature, u8 reg, u32 size)
{
	if (!(host.guest_xcr0 & BIT_ULL(feature)) || (reg + 1) * size > host.part[feature].size)
		return NULL;
	return (u8 *)image_of(vcpu) + host.part[feature].offset + reg * size;
}

static u8 *xmm_of(struct mvm_vcpu *vcpu, u8 reg)
{
	return (u8 *)image_of(vcpu)->i387.xmm_space + reg * XMM_SIZE;
}

/**
 * mvm_fpu_read_vec() - read a vector register, for the emulator
 * @vcpu: the vCPU; its state is not loaded
 * @reg: number, modulo 16
 * @buf: 32 bytes: XMM, then what AVX adds, 0 where the host has no AVX
 *
 * Context: the vCPU's thread.
 */
void mvm_fpu_read_vec(struct mvm_vcpu *vcpu, u8 reg, u8 *buf)
{
	const u8 *upper = part_of(vcpu, XFEATURE_YMM, reg & 15, XMM_SIZE);

	memcpy(buf, xmm_of(vcpu, reg & 15), XMM_SIZE);
	if (upper)
		memcpy(buf + XMM_SIZE, upper, XMM_SIZE);
	else
		memset(buf + XMM_SIZE, 0, XMM_SIZE);
}

/**
 * mvm_fpu_write_vec() - write a vector register, for the emulator
 * @vcpu: the vCPU; its state is not loaded
 * @reg: number, modulo 16
 * @buf: 16 bytes, or 32 with @vex
 * @vex: by a VEX-encoded instruction, which clears what is above the 32 bytes
 *
 * Context: the vCPU's thread.
 */
void mvm_fpu_write_vec(struct mvm_vcpu *vcpu, u8 reg, const u8 *buf, bool vex)
{
	u8 *upper = part_of(vcpu, XFEATURE_YMM, reg & 15, XMM_SIZE);
	u8 *zmm = part_of(vcpu, XFEATURE_ZMM_Hi256, reg & 15, ZMM_UPPER);

	memcpy(xmm_of(vcpu, reg & 15), buf, XMM_SIZE);
	image_of(vcpu)->header.xfeatures |= XFEATURE_MASK_SSE;
	if (!vex)
		return;
	if (upper) {
		memcpy(upper, buf + XMM_SIZE, XMM_SIZE);
		image_of(vcpu)->header.xfeatures |= XFEATURE_MASK_YMM;
	}
	if (zmm)
		memset(zmm, 0, ZMM_UPPER);
}

/* The image has the x87 registers from the top of the stack on, MMX ones are counted by place. */
static u8 *mmx_of(struct mvm_vcpu *vcpu, u8 reg)
{
	struct fxregs_state *fx = &image_of(vcpu)->i387;
	u8 top = (fx->swd & FSW_TOP) >> FSW_TOP_SHIFT;

	return (u8 *)fx->st_space + ((reg - top) & 7) * ST_SIZE;
}

/**
 * mvm_fpu_read_mmx() - read an MMX register, for the emulator
 * @vcpu: the vCPU; its state is not loaded
 * @reg: number, modulo 8
 * @buf: 8 bytes
 *
 * Context: the vCPU's thread.
 */
void mvm_fpu_read_mmx(struct mvm_vcpu *vcpu, u8 reg, u8 *buf)
{
	memcpy(buf, mmx_of(vcpu, reg), 8);
}

/**
 * mvm_fpu_write_mmx() - write an MMX register, for the emulator
 * @vcpu: the vCPU; its state is not loaded
 * @reg: number, modulo 8
 * @buf: 8 bytes; NULL: only turn the x87 stack into MMX registers, as each use of one does
 *
 * Context: the vCPU's thread.
 */
void mvm_fpu_write_mmx(struct mvm_vcpu *vcpu, u8 reg, const u8 *buf)
{
	struct fxregs_state *fx = &image_of(vcpu)->i387;
	u8 regs[8][ST_SIZE];
	int i;

	for (i = 0; i < 8; i++)
		memcpy(regs[i], mmx_of(vcpu, i), ST_SIZE);
	if (buf) {
		memcpy(regs[reg & 7], buf, 8);
		memset(regs[reg & 7] + 8, 0xff, 2);
	}
	memcpy(fx->st_space, regs, sizeof(regs));
	fx->swd &= ~FSW_TOP;
	fx->twd = 0xff; /* abridged: all in use */
	image_of(vcpu)->header.xfeatures |= XFEATURE_MASK_FP;
}

/**
 * mvm_fpu_exception_waits() - does an unmasked x87 exception wait?
 * @vcpu: the vCPU; its state is not loaded
 *
 * Return: true: x87 and MMX instructions raise #MF first.
 */
bool mvm_fpu_exception_waits(struct mvm_vcpu *vcpu)
{
	return image_of(vcpu)->i387.swd & FSW_ES;
}

/* -------------------------------------------------------------------- ioctls */

/**
 * mvm_fpu_get_fpu() - KVM_GET_FPU
 * @vcpu: the vCPU; vcpu->lock held, the state is not loaded
 * @fpu: filled: x87, XMM, MXCSR
 */
void mvm_fpu_get_fpu(struct mvm_vcpu *vcpu, struct kvm_fpu *fpu)
{
	const struct fxregs_state *fx = &image_of(vcpu)->i387;

	memset(fpu, 0, sizeof(*fpu));
	memcpy(fpu->fpr, fx->st_space, sizeof(fpu->fpr));
	fpu->fcw = fx->cwd;
	fpu->fsw = fx->swd;
	fpu->ftwx = fx->twd;
	fpu->last_opcode = fx->fop;
	fpu->last_ip = fx->rip;
	fpu->last_dp = fx->rdp;
	memcpy(fpu->xmm, fx->xmm_space, sizeof(fpu->xmm));
	fpu->mxcsr = fx->mxcsr;
}

static int check_mxcsr(struct mvm_vcpu *vcpu, u32 mxcsr)
{
	if (mxcsr & ~host.mxcsr_mask)
		return mvm_fail(&vcpu->reason, -EINVAL,
				"MXCSR %#x has bits beyond the processor's %#x", mxcsr,
				host.mxcsr_mask);
	return 0;
}

/**
 * mvm_fpu_set_fpu() - KVM_SET_FPU
 * @vcpu: the vCPU; vcpu->lock held, the state is not loaded
 * @fpu: x87, XMM, MXCSR; the other components stay
 *
 * Return: 0; -EINVAL: a bit of MXCSR that the processor has not; nothing has changed then.
 */
int mvm_fpu_set_fpu(struct mvm_vcpu *vcpu, const struct kvm_fpu *fpu)
{
	struct xregs_state *image = image_of(vcpu);
	struct fxregs_state *fx = &image->i387;
	int ret = check_mxcsr(vcpu, fpu->mxcsr);

	if (ret)
		return ret;
	memcpy(fx->st_space, fpu->fpr, sizeof(fpu->fpr));
	fx->cwd = fpu->fcw;
	fx->swd = fpu->fsw;
	fx->twd = fpu->ftwx;
	fx->fop = fpu->last_opcode;
	fx->rip = fpu->last_ip;
	fx->rdp = fpu->last_dp;
	memcpy(fx->xmm_space, fpu->xmm, sizeof(fpu->xmm));
	fx->mxcsr = fpu->mxcsr;
	image->header.xfeatures |= XFEATURE_MASK_FPSSE;
	return 0;
}

/**
 * mvm_fpu_get_xsave() - KVM_GET_XSAVE
 * @vcpu: the vCPU; vcpu->lock held, the state is not loaded
 * @xsave: filled, in XSAVE's standard format; PKRU where the guest has it
 */
void mvm_fpu_get_xsave(struct mvm_vcpu *vcpu, struct kvm_xsave *xsave)
{
	const struct xregs_state *image = image_of(vcpu);
	struct xregs_state *out = (void *)xsave->region;

	memset(xsave, 0, sizeof(*xsave));
	memcpy(out, image, host.image_size);
	memset(out->i387.sw_reserved, 0, sizeof(out->i387.sw_reserved));
	out->i387.mxcsr_mask = host.mxcsr_mask;
	if (!host.xcr0) {
		out->header.xfeatures = XFEATURE_MASK_FPSSE;
	} else if (vcpu->guest_xcr0_allowed & XFEATURE_MASK_PKRU) {
		out->header.xfeatures |= XFEATURE_MASK_PKRU;
		memcpy((u8 *)out + host.part[XFEATURE_PKRU].offset, &vcpu->guest_pkru,
		       sizeof(vcpu->guest_pkru));
	}
}

static int check_xsave(struct mvm_vcpu *vcpu, const struct xregs_state *in)
{
	const u64 allowed = (vcpu->guest_xcr0_allowed & host.guest_xcr0) | XFEATURE_MASK_FPSSE;
	const struct xstate_header *header = &in->header;

	if (header->xfeatures & ~allowed)
		return mvm_fail(&vcpu->reason, -EINVAL,
				"XSTATE_BV %#llx has components beyond the guest's %#llx",
				header->xfeatures, allowed);
	if (header->xcomp_bv || memchr_inv(header->reserved, 0, sizeof(header->reserved)))
		return mvm_fail(&vcpu->reason, -EINVAL,
				"the XSAVE header is not the standard format's");
	/* Without XSAVE the legacy area is taken whatever the header says. */
	if (host.xcr0 && !(header->xfeatures & (XFEATURE_MASK_FPSSE | XFEATURE_MASK_YMM)))
		return 0;
	return check_mxcsr(vcpu, in->i387.mxcsr);
}

static void load_fp(struct fxregs_state *fx, const struct fxregs_state *in)
{
	memcpy(fx, in, offsetof(struct fxregs_state, mxcsr));
	memcpy(fx->st_space, in->st_space, sizeof(fx->st_space));
}

/**
 * mvm_fpu_set_xsave() - KVM_SET_XSAVE
 * @vcpu: the vCPU; vcpu->lock held, the state is not loaded
 * @xsave: the state; components that XSTATE_BV does not name get their initial one, but PKRU stays
 *
 * Return: 0; -EINVAL: a component that the guest has not, another format than the standard one, or
 * a bit of MXCSR that the processor has not; nothing has changed then.
 */
int mvm_fpu_set_xsave(struct mvm_vcpu *vcpu, const struct kvm_xsave *xsave)
{
	const struct xregs_state *in = (const void *)xsave->region;
	struct xregs_state *image = image_of(vcpu);
	u64 parts = in->header.xfeatures;
	int i, ret = check_xsave(vcpu, in);

	if (ret)
		return ret;
	if (!host.xcr0)
		parts = XFEATURE_MASK_FPSSE;

	init_image(image);
	if (parts & XFEATURE_MASK_FP)
		load_fp(&image->i387, &in->i387);
	if (parts & XFEATURE_MASK_SSE)
		memcpy(image->i387.xmm_space, in->i387.xmm_space, sizeof(in->i387.xmm_space));
	if (parts & (XFEATURE_MASK_FPSSE | XFEATURE_MASK_YMM))
		image->i387.mxcsr = in->i387.mxcsr;
	for (i = 0; i < XFEATURE_MAX; i++) {
		const u32 offset = host.part[i].offset;

		if (is_extended(parts & host.save_mask, i))
			memcpy((u8 *)image + offset, (const u8 *)in + offset, host.part[i].size);
	}
	image->header.xfeatures |= parts & host.save_mask;
	if (parts & XFEATURE_MASK_PKRU)
		memcpy(&vcpu->guest_pkru, (const u8 *)in + host.part[XFEATURE_PKRU].offset,
		       sizeof(vcpu->guest_pkru));
	return 0;
}

/**
 * mvm_fpu_get_xcrs() - KVM_GET_XCRS
 * @vcpu: the vCPU; vcpu->lock held
 * @xcrs: filled: XCR0, or none where the host runs without XSAVE
 *
 * Return: 0.
 */
int mvm_fpu_get_xcrs(struct mvm_vcpu *vcpu, struct kvm_xcrs *xcrs)
{
	memset(xcrs, 0, sizeof(*xcrs));
	if (!host.xcr0)
		return 0;
	xcrs->nr_xcrs = 1;
	xcrs->xcrs[0].xcr = XCR_XFEATURE_ENABLED_MASK;
	xcrs->xcrs[0].value = vcpu->xcr0;
	return 0;
}

/**
 * mvm_fpu_set_xcrs() - KVM_SET_XCRS
 * @vcpu: the vCPU; vcpu->lock held
 * @xcrs: the registers; all but XCR0 are passed over
 *
 * Return: 0; -EINVAL: no XSAVE in the host, too many, a flag, or what mvm_set_xcr0() refuses.
 */
int mvm_fpu_set_xcrs(struct mvm_vcpu *vcpu, const struct kvm_xcrs *xcrs)
{
	int i;

	if (!host.xcr0)
		return mvm_fail(&vcpu->reason, -EINVAL, "the host runs without XSAVE");
	if (xcrs->nr_xcrs > KVM_MAX_XCRS || xcrs->flags)
		return mvm_fail(&vcpu->reason, -EINVAL,
				"more than %d XCRs, or a flag bit is set", KVM_MAX_XCRS);

	/* XCR0 is the only one there is; others are passed over, as KVM does. */
	for (i = 0; i < xcrs->nr_xcrs; i++) {
		if (xcrs->xcrs[i].xcr == XCR_XFEATURE_ENABLED_MASK)
			return mvm_set_xcr0(vcpu, xcrs->xcrs[i].value);
	}
	return 0;
}
