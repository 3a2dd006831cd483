// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each class of instructions on device memory, in each CPU mode, compared with
 * the processor: the same code runs first with memory at DEV, where the processor
 * executes it, and then with nothing there, where every access is an exit that
 * this program answers from an array. Registers and contents must end the same.
 */
#include "mvm_harness.h"
#include "mvm_util.h"

#define MEM_SIZE	0x80000
#define DEV		0x90000		/* real mode: segment 0x9000 */
#define DEV_SIZE	0x2000
#define CPUID1_ECX_AVX	(1u << 28)

/* SSE on; device memory at bx: its first page is full of a pattern. */
#define START16 "mov $0x9000, %ax; mov %ax, %ds; mov %ax, %es; xor %bx, %bx; cld;"
#define START32 "mov $0x90000, %ebx; cld;"
#define SSE_ON(r) "mov %cr4, %" r "ax; or $0x600, %" r "ax; mov %" r "ax, %cr4;"

#define INSN_CLASS(name, text16, text32, text64)		\
	GUEST_CODE(name##16, 16, text16 "hlt");		\
	GUEST_CODE(name##32, 32, START32 text32 "hlt");	\
	GUEST_CODE(name##64, 64, START32 text64 "hlt")
#define CLASS_ALL(name, f) INSN_CLASS(name, START16 f("%bx"), f("%ebx"), f("%rbx"))

#define MOVES(b)							\
	"movb 1(" b "), %al; movb %al, 2(" b "); movw 4(" b "), %cx;"	\
	"movw %cx, 0xfff(" b "); movl 8(" b "), %edx; movl %edx, 0xffe(" b ");" \
	"movzbl 7(" b "), %esi; movzwl 5(" b "), %edi; movsbl 0x81(" b "), %ebp;" \
	"movsbw 0x91(" b "), %ax; movl $0x12345678, 0x20(" b "); movb $0x99, 0x24(" b ");" \
	"mov %ds, 0x30(" b "); movb %ah, 0x33(" b "); movb 0x83(" b "), %ch;" \
	"cmp %eax, %eax; cmovzl 0x40(" b "), %eax; cmovnz 0x44(" b "), %cx;"	\
	"setz 0x50(" b "); setnz 0x51(" b "); movnti %edx, 0x60(" b ");"

#define ARITHMETIC(b)							\
	"mov $0x7fffff01, %eax; add %eax, 0x10(" b "); adc %al, 0x14(" b ");"	\
	"sbbw %ax, 0x16(" b "); sbb 0x18(" b "), %eax; orb $0x81, 0x1c(" b ");"	\
	"andl $-16, 0x20(" b "); sub %eax, 0x24(" b "); xorw $0x5555, 0xfff(" b ");" \
	"cmp %eax, 0x30(" b "); setb 0x31(" b "); testb $0x10, 0x32(" b ");"	\
	"setz 0x33(" b "); incl 0x34(" b "); decw 0x38(" b "); notb 0x3a(" b ");" \
	"negl 0x3c(" b "); lock addl $5, 0x40(" b "); lock decl 0x44(" b ");"	\
	"lock orw $1, 0x48(" b ");"

#define MULTIPLY(b)							\
	"mov $0x1234567, %eax; mull 0x10(" b "); mov %edx, %esi; imull 0x14(" b ");" \
	"mov %edx, %edi; imul 0x18(" b "), %ecx; imul $-77, 0x1c(" b "), %ebp;"	\
	"movl $0x10003, 0x20(" b "); mov $5, %edx; divl 0x20(" b ");"	\
	"movb $-7, 0x24(" b "); mov $0x155, %ax; idivb 0x24(" b ");"

#define SHIFTS(b)							\
	"mov $0x6705, %ecx; mov $0x13579bdf, %edx; stc;"		\
	"roll $3, 0x10(" b "); rorb %cl, 0x14(" b "); rclw $9, 0x16(" b ");"	\
	"rcrl %cl, 0x18(" b "); shll $1, 0x1c(" b "); shrb %cl, 0x20(" b ");"	\
	"sarl $31, 0x24(" b "); sarw %cl, 0x28(" b "); shld $7, %edx, 0x2c(" b ");" \
	"shrd %cl, %edx, 0x30(" b "); shld %cl, %dx, 0x34(" b "); shll %cl, 0xffe(" b ");"

#define BITS(b)								\
	"btl $5, 0x10(" b "); setb 0x11(" b "); btsw $3, 0x14(" b ");"	\
	"mov $0x123, %eax; btsl %eax, 0x20(" b "); btrl %eax, 0x24(" b ");"	\
	"mov $-70, %eax; btcl %eax, 0x40(" b "); lock btsl $9, 0x50(" b ");"	\
	"mov $-9, %ax; btcw %ax, 0x60(" b "); bsf 0x70(" b "), %ecx; bsr 0x74(" b "), %edx;"

#define EXCHANGES(b)							\
	"mov $0x11223344, %eax; xchg %eax, 0x10(" b "); xchg %al, 0x15(" b ");"	\
	"mov %eax, %ecx; xadd %ecx, 0x18(" b "); lock xadd %cx, 0x1c(" b ");"	\
	"mov 0x20(" b "), %eax; mov $0x55, %edx; cmpxchg %edx, 0x20(" b ");"	\
	"cmpxchg %edx, 0x24(" b "); lock cmpxchg %dl, 0x28(" b ");"	\
	"mov 0x30(" b "), %eax; mov 0x34(" b "), %edx; mov $7, %ecx;"	\
	"lock cmpxchg8b 0x30(" b "); cmpxchg8b 0x38(" b ");"

/* Operands on the stack, the stack in ordinary memory; r: the size of a word of it. */
#define PUSHES(b, x)							\
	"push" x " 0x10(" b "); pop" x " 0xffe(" b "); push" x " 0x20(" b ");"	\
	"push" x " 0x28(" b "); pop" x " 0x30(" b "); pop" x " 0x38(" b ");"
#define JUMPS(b, ax, m)							\
	"call 1f; 1: pop %" ax "; add $(2f - 1b), %" ax "; mov %" ax ", 0x40(" b ");"	\
	"call *0x40(" b "); jmp 3f; 2: " m " 0x44(" b "); ret; 3:"		\
	"call 4f; 4: pop %" ax "; add $(5f - 4b), %" ax "; mov %" ax ", 0x48(" b ");"	\
	"jmp *0x48(" b "); hlt; 5:"

/* The stack itself in device memory. */
#define FRAMES(sp, bp, ax)						\
	"mov $0x1111, %" ax "; push %" ax "; push $-5; pushf; enter $0x20, $0;"	\
	"push %" ax "; mov %" sp ", %" bp "; leave; call 1f; 1: pop %" ax ";"	\
	"call 2f; pop %" ax "; jmp 3f; 2: ret; 3: enter $4, $1; leave;"

#define SSE(b)								\
	"movups 0x11(" b "), %xmm0; movaps 0x20(" b "), %xmm1; movdqa 0x30(" b "), %xmm2;" \
	"movdqu 0xff8(" b "), %xmm3; movaps %xmm0, 0x100(" b "); movups %xmm1, 0xff3(" b ");" \
	"movntps %xmm2, 0x110(" b "); movntdq %xmm3, 0x120(" b "); movdqu %xmm0, 0x131(" b ");"
#define SSE_MORE(b)							\
	"movd 0x10(" b "), %xmm0; movss 0x14(" b "), %xmm1; movsd 0x18(" b "), %xmm2;"	\
	"movlps 0x20(" b "), %xmm3; movhps 0x28(" b "), %xmm3; movlpd 0x30(" b "), %xmm4;" \
	"movhpd 0x38(" b "), %xmm4; movd %xmm1, 0x100(" b "); movss %xmm2, 0x104(" b ");" \
	"movsd %xmm3, 0x108(" b "); movlps %xmm4, 0x110(" b "); movhps %xmm4, 0x118(" b ");" \
	"lddqu 0x41(" b "), %xmm5; movntpd %xmm5, 0x120(" b "); movapd 0x50(" b "), %xmm6;" \
	"movupd %xmm6, 0x131(" b "); movq 0x40(" b "), %xmm4; movq %xmm4, 0x150(" b ");"
#define MMX(b)								\
	"movq 0x10(" b "), %mm1; movd 0x20(" b "), %mm2; movq %mm1, 0x100(" b ");"	\
	"movd %mm1, 0x108(" b "); movntq %mm2, 0x110(" b "); emms;"

/* XCR0 needs CR4.OSXSAVE. */
#define AVX_ON(r)							\
	"mov %cr4, %" r "ax; or $0x40600, %" r "ax; mov %" r "ax, %cr4;"	\
	"xor %ecx, %ecx; xor %edx, %edx; mov $7, %eax; xsetbv;"
#define AVX(b)								\
	"vmovups 0x11(" b "), %ymm0; vmovaps 0x20(" b "), %ymm1; vmovdqu 0xff8(" b "), %ymm2;" \
	"vmovdqa 0x40(" b "), %xmm2; vmovaps %ymm1, 0x100(" b "); vmovntps %ymm0, 0x120(" b ");" \
	"vmovdqu %ymm2, 0xff3(" b "); vmovd 0x14(" b "), %xmm3; vmovss 0x18(" b "), %xmm4;"	\
	"vmovhps 0x30(" b "), %xmm1, %xmm5; vmovlpd 0x38(" b "), %xmm5, %xmm6;"	\
	"vmovq %xmm6, 0x140(" b "); vmovups %ymm5, 0x160(" b ");"

CLASS_ALL(moves, MOVES);
CLASS_ALL(arithmetic, ARITHMETIC);
CLASS_ALL(multiply, MULTIPLY);
CLASS_ALL(shifts, SHIFTS);
CLASS_ALL(bitops, BITS);
CLASS_ALL(exchanges, EXCHANGES);
INSN_CLASS(pushes, START16 PUSHES("%bx", "w") JUMPS("%bx", "ax", "incw"),
	   PUSHES("%ebx", "l") JUMPS("%ebx", "eax", "incl"),
	   PUSHES("%rbx", "q") JUMPS("%rbx", "rax", "incl"));
INSN_CLASS(frames,
	   START16 "mov %ax, %ss; mov $0x1004, %sp; mov $0x800, %bp;" FRAMES("sp", "bp", "ax")
	   "pusha; add $16, %sp; pushal; popal;",
	   "mov $0x91006, %esp; mov $0x90800, %ebp;" FRAMES("esp", "ebp", "eax") "pusha; popa;",
	   "mov $0x91006, %esp; mov $0x90800, %ebp;" FRAMES("rsp", "rbp", "rax"));
#define STRING_OPS							\
	"rep movsw; mov $0x33, %al; mov $9, %cl; rep stosb; lodsl;"	\
	"mov $6, %cl; repe cmpsb; mov $6, %cl; repne scasb; std; mov $3, %cl; rep movsl;"	\
	"movsb; stosw; scasl; cmpsb; lodsb; cld;"
INSN_CLASS(strings,
	   START16 "mov $0x20, %si; mov $0xfff, %di; mov $5, %cx;" STRING_OPS,
	   "mov $0x90020, %esi; mov $0x90fff, %edi; mov $5, %ecx;" STRING_OPS,
	   "mov $0x90020, %esi; mov $0x90fff, %edi; mov $5, %ecx;" STRING_OPS);
INSN_CLASS(sse, SSE_ON("e") START16 SSE("%bx"), SSE_ON("e") SSE("%ebx"), SSE_ON("r") SSE("%rbx"));
INSN_CLASS(more, SSE_ON("e") START16 SSE_MORE("%bx"), SSE_ON("e") SSE_MORE("%ebx"),
	   SSE_ON("r") SSE_MORE("%rbx"));
INSN_CLASS(mmx, START16 MMX("%bx"), MMX("%ebx"), MMX("%rbx"));
INSN_CLASS(avx, "", AVX_ON("e") AVX("%ebx"), AVX_ON("r") AVX("%rbx"));
/* What only 64-bit mode has. */
#define LONG_ONLY(b)							\
	"mov 0x11(" b "), %rax; mov %rax, 0xffd(" b "); movslq 0x20(" b "), %rcx;"	\
	"addq $-3, 0x28(" b "); mov %r9b, 0x31(" b "); movabs 0x90040, %rax;"	\
	"movabs %al, 0x90048; mov 0x50(" b "), %rax; mov 0x58(" b "), %rdx;"	\
	"mov $9, %ecx; lock cmpxchg16b 0x50(" b "); cmpxchg16b 0x60(" b ");"	\
	"mulq 0x70(" b "); shlq $13, 0x78(" b "); btsq $40, 0x80(" b "); movzwl 0x91(" b "), %r8d;" \
	"movq 0x98(" b "), %xmm8; movq %xmm8, 0xa0(" b "); xaddq %rax, 0xa8(" b ");"
INSN_CLASS(only, "", "", SSE_ON("r") LONG_ONLY("%rbx"));

struct code {
	const uint8_t *start, *end;
};

#define CODE(name, bits) { name##bits, name##bits##_end }
#define CODES(bits)							\
	{ CODE(moves, bits), CODE(arithmetic, bits), CODE(multiply, bits),	\
	  CODE(shifts, bits), CODE(bitops, bits), CODE(exchanges, bits),		\
	  CODE(pushes, bits), CODE(frames, bits), CODE(strings, bits),		\
	  CODE(sse, bits), CODE(more, bits), CODE(mmx, bits), CODE(avx, bits),	\
	  CODE(only, bits) }

enum class { MOVES_, ARITHMETIC_, MULTIPLY_, SHIFTS_, BITS_, EXCHANGES_, PUSHES_, FRAMES_,
	     STRINGS_, SSE_, MORE_, MMX_, AVX_, ONLY_, NR_CLASSES };

/* How a run ended. */
struct outcome {
	struct kvm_regs regs;
	struct kvm_fpu fpu;
	uint8_t dev[DEV_SIZE];
	unsigned int exits;
};

FIXTURE(insn) {
	struct tvm vm;
	struct tvcpu vcpu;
	uint8_t *dev;
	struct outcome ram, mmio;
};

FIXTURE_VARIANT(insn) {
	enum tvm_mode mode;
	struct code code[NR_CLASSES];
};

FIXTURE_VARIANT_ADD(insn, real) { TVM_REAL, CODES(16) };
FIXTURE_VARIANT_ADD(insn, protected) { TVM_PROTECTED, CODES(32) };
FIXTURE_VARIANT_ADD(insn, paged32) { TVM_PAGED32, CODES(32) };
FIXTURE_VARIANT_ADD(insn, pae) { TVM_PAE, CODES(32) };
FIXTURE_VARIANT_ADD(insn, long) { TVM_LONG, CODES(64) };

FIXTURE_SETUP(insn)
{
	TVM_CREATE_OR_SKIP(&self->vm, MEM_SIZE);
	ASSERT_EQ(0, tvcpu_create(&self->vm, &self->vcpu, 0));
	self->dev = aligned_alloc(4096, DEV_SIZE);
	ASSERT_NE(NULL, self->dev);
}

FIXTURE_TEARDOWN(insn)
{
	tvcpu_destroy(&self->vcpu);
	tvm_destroy(&self->vm);
	free(self->dev);
}

static void fill(uint8_t *dev)
{
	unsigned int i;

	for (i = 0; i < DEV_SIZE; i++)
		dev[i] = 0x35 * i + (i >> 4);
}

/* The exit's access, out of @dev; false where it is none of ours. */
static bool serve(struct kvm_run *run, uint8_t *dev)
{
	uint64_t at = run->mmio.phys_addr - DEV;

	if (at >= DEV_SIZE || !run->mmio.len || run->mmio.len > 8 ||
	    (at & 4095) + run->mmio.len > 4096)
		return false;
	if (run->mmio.is_write)
		memcpy(dev + at, run->mmio.data, run->mmio.len);
	else
		memcpy(run->mmio.data, dev + at, run->mmio.len);
	return true;
}

static int run_class(struct tvcpu *vcpu, enum tvm_mode mode, const struct code *code,
		     uint8_t *dev, struct outcome *out)
{
	struct kvm_run *run = vcpu->run;
	int ret;

	memset(vcpu->vm->mem + TVM_STACK - 0x1000, 0, 0x1000);
	fill(dev);
	out->exits = 0;
	ret = tvcpu_start(vcpu, mode, code->start, code->end);
	while (!ret && !(ret = tvcpu_run(vcpu))) {
		if (run->exit_reason == KVM_EXIT_HLT)
			break;
		out->exits++;
		if (run->exit_reason != KVM_EXIT_MMIO || !serve(run, dev)) {
			tvcpu_show(vcpu);
			return -EPROTO;
		}
	}
	if (!ret)
		ret = tvm_ioctl(vcpu->fd, KVM_GET_REGS, &out->regs);
	if (!ret)
		ret = tvm_ioctl(vcpu->fd, KVM_GET_FPU, &out->fpu);
	memcpy(out->dev, dev, DEV_SIZE);
	return ret;
}

/* Both ways; registers as arrays, so that a difference shows where it is. */
#define BOTH(class, least) do {							\
	const struct code *code_ = &variant->code[class];			\
	uint64_t *r1_ = (uint64_t *)&self->ram.regs, *r2_ = (uint64_t *)&self->mmio.regs; \
	int i_;									\
										\
	ASSERT_EQ(0, tvm_set_slot(&self->vm, 1, 0, DEV, DEV_SIZE, self->dev));	\
	ASSERT_EQ(0, run_class(&self->vcpu, variant->mode, code_, self->dev, &self->ram)); \
	ASSERT_EQ(0, self->ram.exits);						\
	ASSERT_EQ(0, tvm_set_slot(&self->vm, 1, 0, DEV, 0, NULL));		\
	ASSERT_EQ(0, run_class(&self->vcpu, variant->mode, code_, self->dev, &self->mmio)); \
	EXPECT_LE(least, self->mmio.exits);					\
	for (i_ = 0; i_ < 17; i_++) { /* not the flags: some are undefined */	\
		EXPECT_EQ(r1_[i_], r2_[i_]) {					\
			TH_LOG("register %d", i_);				\
		}								\
	}									\
	for (i_ = 0; i_ < DEV_SIZE; i_++) {					\
		ASSERT_EQ(self->ram.dev[i_], self->mmio.dev[i_]) {		\
			TH_LOG("at %#x", i_);					\
		}								\
	}									\
	EXPECT_EQ(0, memcmp(self->ram.fpu.xmm, self->mmio.fpu.xmm,		\
			    sizeof(self->ram.fpu.xmm)));			\
} while (0)

TEST_F(insn, moves)
{
	BOTH(MOVES_, 22);
}

TEST_F(insn, arithmetic)
{
	BOTH(ARITHMETIC_, 30);
}

TEST_F(insn, multiplication_and_division)
{
	BOTH(MULTIPLY_, 8);
}

TEST_F(insn, shifts_and_rotates)
{
	BOTH(SHIFTS_, 24);
}

TEST_F(insn, bits_and_bit_strings)
{
	BOTH(BITS_, 16);
}

TEST_F(insn, exchanges)
{
	BOTH(EXCHANGES_, 18);
}

TEST_F(insn, pushes_pops_and_jumps_by_memory)
{
	BOTH(PUSHES_, 9);
}

TEST_F(insn, the_stack_itself)
{
	if (tvm_is_kvm())
		SKIP(return, "KVM does not emulate all of it");
	BOTH(FRAMES_, 15);
}

TEST_F(insn, strings)
{
	BOTH(STRINGS_, 30);
}

TEST_F(insn, sse_moves_of_16_bytes)
{
	BOTH(SSE_, 19);
}

TEST_F(insn, sse_moves_of_parts)
{
	if (tvm_is_kvm())
		SKIP(return, "KVM does not emulate them");
	BOTH(MORE_, 15);
}

TEST_F(insn, mmx_moves)
{
	if (tvm_is_kvm())
		SKIP(return, "KVM does not emulate all of them");
	BOTH(MMX_, 5);
}

static bool has_avx(int sys)
{
	struct kvm_cpuid2 *cpuid = calloc(1, sizeof(*cpuid) + 128 * sizeof(cpuid->entries[0]));
	bool has = false;
	unsigned int i;

	cpuid->nent = 128;
	if (!tvm_ioctl(sys, KVM_GET_SUPPORTED_CPUID, cpuid))
		for (i = 0; i < cpuid->nent; i++)
			if (cpuid->entries[i].function == 1)
				has = cpuid->entries[i].ecx & CPUID1_ECX_AVX;
	free(cpuid);
	return has;
}

TEST_F(insn, avx_moves)
{
	struct kvm_xsave xsave[2];

	if (variant->mode == TVM_REAL)
		return; /* no VEX there */
	if (tvm_is_kvm() || !has_avx(self->vm.sys)) {
		TH_LOG("not here: no AVX, or KVM, which does not emulate it");
		return;
	}
	BOTH(AVX_, 30);
	/* The upper halves: they are where CPUID says, 576 everywhere so far. */
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_GET_XSAVE, &xsave[1]));
	ASSERT_EQ(0, tvm_set_slot(&self->vm, 1, 0, DEV, DEV_SIZE, self->dev));
	ASSERT_EQ(0, run_class(&self->vcpu, variant->mode, &variant->code[AVX_], self->dev,
			       &self->ram));
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_GET_XSAVE, &xsave[0]));
	EXPECT_EQ(0, memcmp((char *)&xsave[0] + 576, (char *)&xsave[1] + 576, 256));
}

TEST_F(insn, what_only_64_bit_mode_has)
{
	if (variant->mode != TVM_LONG || tvm_is_kvm())
		return; /* KVM does not emulate CMPXCHG16B and MOVQ */
	BOTH(ONLY_, 29);
}

MVM_HARNESS_MAIN
