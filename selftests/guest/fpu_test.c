// SPDX-License-Identifier: GPL-2.0-only
/*
 * FPU, vector and protection-key state is kept apart: between two VMs, between
 * a VM and the process that runs it; and the ioctls that set it refuse what the
 * processor would refuse.
 */
#include <cpuid.h>

#include <asm/processor-flags.h>

#include "mvm_harness.h"
#include "mvm_util.h"

#define XSTATE_BV   512 /* offsets in an XSAVE image */
#define XCOMP_BV    520
#define XSAVE_RSVD  528
#define FX_MXCSR    24
#define FX_XMM	    160
#define MXCSR_RESET 0x1f80

#define XF_FP  1
#define XF_SSE 2
#define XF_YMM 4

/* Report XMM3's low word, then set all four to EAX; x87: push EAX, keep it. */
GUEST_CODE(vectors, 64,
	   "0: mov %eax, %ebx; movd %xmm3, %eax; out %eax, $0xf1;"
	   "movd %ebx, %xmm3; pshufd $0, %xmm3, %xmm3; movdqa %xmm3, %xmm15;"
	   "mov $0x11111111, %eax; out %eax, $0xf1; jmp 0b");

/* XCR0 = x87, SSE and AVX; then the same with all of YMM3. */
GUEST_CODE(avx, 64,
	   "mov %eax, %ebx; mov $7, %eax; xor %edx, %edx; xor %ecx, %ecx; xsetbv;"
	   "vmovd %ebx, %xmm3; vpshufd $0, %xmm3, %xmm3; vinsertf128 $1, %xmm3, %ymm3, %ymm3;"
	   "0: out %eax, $0xf1; vextractf128 $1, %ymm3, %xmm4; vmovd %xmm4, %eax; jmp 0b");

/* PKRU = EAX; report what it is. */
GUEST_CODE(pkru, 64,
	   "xor %ecx, %ecx; xor %edx, %edx; wrpkru; mov $1, %eax; out %eax, $0xf1;"
	   "xor %ecx, %ecx; rdpkru; out %eax, $0xf1; hlt");

FIXTURE(fpu)
{
	struct tvm vm;
	struct tvcpu vcpu;
	bool has_xsave;
	struct kvm_xsave xsave;
};

static int set_cr4(struct tvcpu *vcpu, uint64_t bits)
{
	struct kvm_sregs sregs;
	int ret = tvm_ioctl(vcpu->fd, KVM_GET_SREGS, &sregs);

	if (ret)
		return ret;
	sregs.cr0 &= ~(X86_CR0_EM | X86_CR0_TS);
	sregs.cr0 |= X86_CR0_MP;
	sregs.cr4 |= X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT | bits;
	return tvm_ioctl(vcpu->fd, KVM_SET_SREGS, &sregs);
}

static int set_rax(struct tvcpu *vcpu, uint64_t rax)
{
	struct kvm_regs regs;
	int ret = tvm_ioctl(vcpu->fd, KVM_GET_REGS, &regs);

	regs.rax = rax;
	return ret ? ret : tvm_ioctl(vcpu->fd, KVM_SET_REGS, &regs);
}

static uint8_t *bytes(struct kvm_xsave *xsave)
{
	return (uint8_t *)xsave->region;
}

static void put64(struct kvm_xsave *xsave, size_t offset, uint64_t value)
{
	memcpy(bytes(xsave) + offset, &value, sizeof(value));
}

static uint64_t get64(struct kvm_xsave *xsave, size_t offset)
{
	uint64_t value;

	memcpy(&value, bytes(xsave) + offset, sizeof(value));
	return value;
}

FIXTURE_SETUP(fpu)
{
	struct kvm_xcrs xcrs;

	TVM_CREATE_OR_SKIP(&self->vm, TVM_MEM_SIZE);
	ASSERT_EQ(0, tvcpu_create(&self->vm, &self->vcpu, 0));
	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_LONG, vectors, vectors_end));
	ASSERT_EQ(0, set_cr4(&self->vcpu, 0));
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_GET_XCRS, &xcrs));
	self->has_xsave = xcrs.nr_xcrs == 1;
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_GET_XSAVE, &self->xsave));
}

FIXTURE_TEARDOWN(fpu)
{
	tvcpu_destroy(&self->vcpu);
	tvm_destroy(&self->vm);
}

static int set_xsave(struct tvcpu *vcpu, struct kvm_xsave *xsave)
{
	return tvm_ioctl(vcpu->fd, KVM_SET_XSAVE, xsave);
}

TEST_F(fpu, reset_state)
{
	struct kvm_fpu fpu;

	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_GET_FPU, &fpu));
	EXPECT_EQ(MXCSR_RESET, fpu.mxcsr);
	EXPECT_EQ(0, fpu.ftwx);
	EXPECT_EQ(0, fpu.xmm[3][0]);
}

TEST_F(fpu, registers_by_each_interface)
{
	struct kvm_fpu fpu;
	uint32_t value;

	/* In by KVM_SET_FPU, seen by the guest ... */
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_GET_FPU, &fpu));
	memset(fpu.xmm[3], 0x5a, sizeof(fpu.xmm[3]));
	fpu.fcw = 0x27f;
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_SET_FPU, &fpu));
	ASSERT_EQ(0, set_rax(&self->vcpu, 0x12345678));
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	EXPECT_EQ(0x5a5a5a5a, value);
	/* ... changed by it, out by both. */
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_GET_FPU, &fpu));
	EXPECT_EQ(0x78, fpu.xmm[15][0]);
	EXPECT_EQ(0x27f, fpu.fcw);
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_GET_XSAVE, &self->xsave));
	EXPECT_EQ(0x1234567812345678, get64(&self->xsave, FX_XMM + 15 * 16 + 8));
	/* In by KVM_SET_XSAVE. */
	put64(&self->xsave, FX_XMM + 3 * 16, 0xcafe);
	put64(&self->xsave, XSTATE_BV, get64(&self->xsave, XSTATE_BV) | XF_SSE);
	ASSERT_EQ(0, set_xsave(&self->vcpu, &self->xsave));
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	EXPECT_EQ(0xcafe, value);
}

TEST_F(fpu, two_vms_and_the_host_keep_theirs)
{
	static const uint8_t pattern[16] __attribute__((aligned(16))) = "0123456789abcde";
	struct tvm vm2;
	struct tvcpu vcpu2;
	uint8_t after[16] __attribute__((aligned(16)));
	uint32_t value;
	int i;

	ASSERT_EQ(0, tvm_create(&vm2, TVM_MEM_SIZE));
	ASSERT_EQ(0, tvcpu_create(&vm2, &vcpu2, 0));
	ASSERT_EQ(0, tvcpu_start(&vcpu2, TVM_LONG, vectors, vectors_end));
	ASSERT_EQ(0, set_cr4(&vcpu2, 0));
	for (i = 0; i < 20; i++) {
		struct tvcpu *vcpu = i & 1 ? &vcpu2 : &self->vcpu;
		long ret;

		ASSERT_EQ(0, set_rax(vcpu, 0x100 + i));
		/* The first report is what this VM put there two rounds ago. */
		ASSERT_EQ(0, tvcpu_run_out(vcpu, &value));
		EXPECT_EQ(i < 2 ? 0 : 0x100 + i - 2, value);
		/* The second entry by hand, so that no library code uses XMM3 meanwhile. */
		asm volatile("movdqa %3, %%xmm3; syscall; movdqa %%xmm3, %1"
			     : "=a" (ret), "=m" (after)
			     : "a" (16L), "m" (pattern), "D" ((long)vcpu->fd), "S" (KVM_RUN),
			       "d" (0L) : "rcx", "r11", "memory", "xmm3");
		ASSERT_EQ(0, ret);
		EXPECT_EQ(0, memcmp(pattern, after, sizeof(pattern)));
	}
	tvcpu_destroy(&vcpu2);
	tvm_destroy(&vm2);
}

TEST_F(fpu, avx_registers_survive)
{
	struct kvm_xcrs xcrs;
	unsigned int a, b, c, d;
	uint32_t value;
	int i;

	__cpuid(1, a, b, c, d);
	if (!self->has_xsave || !(c & bit_AVX))
		MVM_SKIP("the host has no AVX");
	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_LONG, avx, avx_end));
	ASSERT_EQ(0, set_cr4(&self->vcpu, X86_CR4_OSXSAVE));
	ASSERT_EQ(0, set_rax(&self->vcpu, 0xabcdef));
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	for (i = 0; i < 3; i++) {
		asm volatile("vpcmpeqd %%xmm3, %%xmm3, %%xmm3;"
			     "vinsertf128 $1, %%xmm3, %%ymm3, %%ymm3"
			     : : : "xmm3");
		ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
		EXPECT_EQ(0xabcdef, value);
	}
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_GET_XCRS, &xcrs));
	EXPECT_EQ(7, xcrs.xcrs[0].value);
	/* An image without AVX puts its registers into their initial state. */
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_GET_XSAVE, &self->xsave));
	EXPECT_EQ(XF_YMM, get64(&self->xsave, XSTATE_BV) & XF_YMM);
	put64(&self->xsave, XSTATE_BV, XF_FP | XF_SSE);
	ASSERT_EQ(0, set_xsave(&self->vcpu, &self->xsave));
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	EXPECT_EQ(0, value);
}

static uint32_t host_pkru(void)
{
	uint32_t eax, edx;

	asm volatile("rdpkru" : "=a" (eax), "=d" (edx) : "c" (0));
	return eax;
}

TEST_F(fpu, protection_keys_are_the_owners)
{
	unsigned int a, b, c, d;
	uint32_t before, value;

	__cpuid_count(7, 0, a, b, c, d);
	if (!(c & bit_OSPKE))
		MVM_SKIP("the host has no protection keys");
	ASSERT_EQ(0, tvcpu_start(&self->vcpu, TVM_LONG, pkru, pkru_end));
	if (set_cr4(&self->vcpu, X86_CR4_PKE))
		MVM_SKIP("the guest has no protection keys");
	before = host_pkru();
	ASSERT_EQ(0, set_rax(&self->vcpu, 0xaaaaaaa8));
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	EXPECT_EQ(before, host_pkru());
	ASSERT_EQ(0, tvcpu_run_out(&self->vcpu, &value));
	EXPECT_EQ(0xaaaaaaa8, value);
	EXPECT_EQ(before, host_pkru());
}

TEST_F(fpu, set_xsave_refuses_what_the_processor_would)
{
	struct kvm_xsave bad;
	unsigned int bit;

	EXPECT_EQ(0, set_xsave(&self->vcpu, &self->xsave));
	/* PT, PASID, CET, AMX and everything unknown. */
	for (bit = 10; bit < 64; bit++) {
		bad = self->xsave;
		put64(&bad, XSTATE_BV, 1ULL << bit);
		EXPECT_EQ(-EINVAL, set_xsave(&self->vcpu, &bad));
	}
	bad = self->xsave;
	put64(&bad, XCOMP_BV, 1ULL << 63);
	EXPECT_EQ(-EINVAL, set_xsave(&self->vcpu, &bad));
	for (bit = XSAVE_RSVD; bit < 576; bit++) {
		bad = self->xsave;
		bytes(&bad)[bit] = 1;
		EXPECT_EQ(-EINVAL, set_xsave(&self->vcpu, &bad));
	}
	bad = self->xsave;
	put64(&bad, XSTATE_BV, XF_FP | XF_SSE);
	put64(&bad, FX_MXCSR, 0xffff0000);
	EXPECT_EQ(-EINVAL, set_xsave(&self->vcpu, &bad));
	EXPECT_EQ(0, set_xsave(&self->vcpu, &self->xsave));
}

/* A processor without XSAVE's components, PKRU among them: what GET gives SET takes. */
TEST_F(fpu, xsave_goes_round_without_components)
{
	struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 leaf;
	} table = { .head.nent = 1 };

	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_SET_CPUID2, &table));
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_GET_XSAVE, &self->xsave));
	EXPECT_EQ(0, get64(&self->xsave, XSTATE_BV) & ~(uint64_t)(XF_FP | XF_SSE));
	EXPECT_EQ(0, set_xsave(&self->vcpu, &self->xsave));
}

TEST_F(fpu, set_fpu_refuses_bad_mxcsr)
{
	struct kvm_fpu fpu;

	if (tvm_is_kvm())
		MVM_SKIP("KVM ignores mxcsr here");
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_GET_FPU, &fpu));
	EXPECT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_SET_FPU, &fpu));
	fpu.mxcsr = 0x10000;
	EXPECT_EQ(-EINVAL, tvm_ioctl(self->vcpu.fd, KVM_SET_FPU, &fpu));
}

static int set_xcr0(struct tvcpu *vcpu, uint64_t value)
{
	struct kvm_xcrs xcrs = { .nr_xcrs = 1, .xcrs[0].value = value };

	return tvm_ioctl(vcpu->fd, KVM_SET_XCRS, &xcrs);
}

TEST_F(fpu, set_xcrs_refuses_what_xsetbv_would)
{
	struct kvm_xcrs xcrs = { .nr_xcrs = KVM_MAX_XCRS + 1 };
	unsigned int bit;

	if (!self->has_xsave)
		MVM_SKIP("the host runs without XSAVE");
	EXPECT_EQ(0, set_xcr0(&self->vcpu, XF_FP | XF_SSE));
	EXPECT_EQ(-EINVAL, set_xcr0(&self->vcpu, 0));
	EXPECT_EQ(-EINVAL, set_xcr0(&self->vcpu, XF_SSE));
	EXPECT_EQ(-EINVAL, set_xcr0(&self->vcpu, XF_FP | XF_YMM));
	EXPECT_EQ(-EINVAL, set_xcr0(&self->vcpu, XF_FP | XF_SSE | XF_YMM | 1 << 5));
	for (bit = 10; bit < 64; bit++)
		EXPECT_EQ(-EINVAL, set_xcr0(&self->vcpu, XF_FP | 1ULL << bit));
	EXPECT_EQ(-EINVAL, tvm_ioctl(self->vcpu.fd, KVM_SET_XCRS, &xcrs));
	xcrs.nr_xcrs = 1;
	xcrs.flags = 1;
	EXPECT_EQ(-EINVAL, tvm_ioctl(self->vcpu.fd, KVM_SET_XCRS, &xcrs));
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_GET_XCRS, &xcrs));
	EXPECT_EQ(XF_FP | XF_SSE, xcrs.xcrs[0].value);
}

MVM_HARNESS_MAIN
