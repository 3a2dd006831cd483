// SPDX-License-Identifier: GPL-2.0-only
/*
 * Faults of instructions that are emulated: one operand is device memory, the
 * other faults in the emulator's own walk or segment checks. The guest gets the
 * right vector, error code and CR2, its registers are as before, and the device
 * has not been touched. Also: accessed and dirty bits, and 57-bit addresses.
 */
#include "mvm_harness.h"
#include "mvm_util.h"

#define DEV		0x600000	/* no memory; a page directory entry of its own */
#define BUF		0x200000	/* memory; likewise */
#define HANDLERS	(TVM_CODE + 0x400)
#define IST_STACK	0x18000
#define TVM_PML5	0xd000
#define GOOD		0x600d		/* no fault */

#define PTE_W		0x2u
#define PTE_U		0x4u
#define PTE_A		0x20u
#define PTE_D		0x40u
#define CR0_WP		(1u << 16)
#define CR0_AM		(1u << 18)
#define CR4_LA57	(1u << 12)
#define CR4_SMAP	(1u << 21)
#define FLAGS_IOPL	0x3000u
#define FLAGS_AC	0x40000u
#define CPUID7_EBX_SMAP	(1u << 20)
#define CPUID7_ECX_LA57	(1u << 16)

/* One entry of 8 bytes for each vector that matters; then the report. */
#define HANDLER_TEXT(ax, no_error)						\
	no_error "push $0; jmp 1f; .balign 8; push $12; jmp 1f; .balign 8;"	\
	"push $13; jmp 1f; .balign 8; push $14; jmp 1f; .balign 8;"		\
	"push $17; jmp 1f; .balign 8;"						\
	"1: pop %" ax "; out %eax, $0xf1; pop %" ax "; out %eax, $0xf1;"	\
	"mov %cr2, %" ax "; out %eax, $0xf1; hlt"
GUEST_CODE(handlers32, 32, HANDLER_TEXT("eax", "push $0;"));
GUEST_CODE(handlers64, 64, HANDLER_TEXT("rax", "push $0;"));
static const uint8_t vectors[] = { 0, 12, 13, 14, 17 };

#define FINE "mov $0x600d, %eax; out %eax, $0xf1; hlt"
GUEST_CODE(movsb, 64, "movsb;" FINE);
GUEST_CODE(movsl, 64, "movsl;" FINE);
GUEST_CODE(stosb, 64, "stosb;" FINE);
GUEST_CODE(pushq, 64, "pushq (%rsi);" FINE);
GUEST_CODE(divl, 64, "divl (%rsi);" FINE);
GUEST_CODE(movsb32, 32, "movsb;" FINE);

FIXTURE(fault) {
	struct tvm vm;
	struct tvcpu vcpu;
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	uint64_t *pd;
	unsigned int exits;
	uint32_t vector, error, cr2;
};

FIXTURE_SETUP(fault)
{
	TVM_CREATE_OR_SKIP(&self->vm, TVM_MEM_SIZE);
	ASSERT_EQ(0, tvcpu_create(&self->vm, &self->vcpu, 0));
	self->pd = (uint64_t *)(self->vm.mem + TVM_PD);
}

FIXTURE_TEARDOWN(fault)
{
	tvcpu_destroy(&self->vcpu);
	tvm_destroy(&self->vm);
}

/* Code and handlers in place; RSI at the device, RDI at memory. */
static int prepare(struct tvcpu *vcpu, enum tvm_mode mode, const uint8_t *code,
		   const uint8_t *end, struct kvm_regs *regs, struct kvm_sregs *sregs)
{
	bool is_long = mode == TVM_LONG;
	const uint8_t *from = is_long ? handlers64 : handlers32;
	uint8_t *mem = vcpu->vm->mem;
	uint64_t rsp0 = TVM_STACK, ist = IST_STACK;
	unsigned int i;
	int ret;

	ret = tvcpu_start(vcpu, mode, code, end);
	memcpy(mem + HANDLERS, from, (is_long ? handlers64_end : handlers32_end) - from);
	for (i = 0; i < sizeof(vectors); i++)
		tvcpu_set_gate(vcpu, mode, vectors[i], HANDLERS + 8 * i);
	memcpy(mem + TVM_TSS + 4, &rsp0, 8);
	memcpy(mem + TVM_TSS + 0x24, &ist, 8);
	if (!ret)
		ret = tvm_ioctl(vcpu->fd, KVM_GET_REGS, regs);
	if (!ret)
		ret = tvm_ioctl(vcpu->fd, KVM_GET_SREGS, sregs);
	regs->rsi = DEV + 8;
	regs->rdi = BUF + 0x10;
	return ret;
}

#define PREPARE(mode, code) \
	ASSERT_EQ(0, prepare(&self->vcpu, mode, code, code##_end, &self->regs, &self->sregs))

/* Where user code may go: the upper levels, the code, the device. */
static void let_user(struct kvm_sregs *sregs, struct kvm_regs *regs, uint8_t *mem)
{
	*(uint64_t *)(mem + TVM_PML4) |= PTE_U;
	*(uint64_t *)(mem + TVM_PDPT) |= PTE_U;
	((uint64_t *)(mem + TVM_PD))[0] |= PTE_U;
	((uint64_t *)(mem + TVM_PD))[DEV >> 21] |= PTE_U;
	sregs->cs.selector = TVM_USER_CS;
	sregs->cs.dpl = 3;
	sregs->ss.selector = TVM_USER_DS;
	sregs->ss.dpl = 3;
	regs->rflags |= FLAGS_IOPL;
}

/* Run to the report. @out: vector or GOOD, error code, CR2. 0 or -errno. */
static int run(struct tvcpu *vcpu, const struct kvm_regs *regs, const struct kvm_sregs *sregs,
	       uint32_t out[3], unsigned int *exits)
{
	struct kvm_run *run = vcpu->run;
	unsigned int n = 0;
	int ret;

	*exits = 0;
	ret = tvm_ioctl(vcpu->fd, KVM_SET_SREGS, (void *)sregs);
	if (!ret)
		ret = tvm_ioctl(vcpu->fd, KVM_SET_REGS, (void *)regs);
	while (!ret && n < 3) {
		ret = tvcpu_run(vcpu);
		if (!ret && run->exit_reason == KVM_EXIT_MMIO) {
			++*exits;
			memset(run->mmio.data, 0, sizeof(run->mmio.data));
		} else if (!ret && run->exit_reason == KVM_EXIT_IO && run->io.port == TVM_PORT) {
			memcpy(&out[n], (uint8_t *)run + run->io.data_offset, 4);
			if (out[n++] == GOOD && n == 1)
				break;
		} else if (!ret) {
			tvcpu_show(vcpu);
			ret = -EPROTO;
		}
	}
	return ret;
}

/* KVM reads the device before it looks at the other operand. */
#define EXPECT_FAULT(vec, err, addr, accesses) do {				\
	uint32_t out_[3] = { 0 };						\
	struct kvm_regs after_;							\
										\
	ASSERT_EQ(0, run(&self->vcpu, &self->regs, &self->sregs, out_, &self->exits)); \
	EXPECT_EQ(vec, out_[0]);						\
	if ((vec) != GOOD)							\
		EXPECT_EQ(err, out_[1]);					\
	if ((vec) == 14)							\
		EXPECT_EQ(addr, out_[2]);					\
	if (!tvm_is_kvm())							\
		EXPECT_EQ(accesses, self->exits);				\
	ASSERT_EQ(0, tvm_ioctl(self->vcpu.fd, KVM_GET_REGS, &after_));		\
	EXPECT_EQ(self->regs.rsi + ((vec) == GOOD), after_.rsi);		\
	EXPECT_EQ(self->regs.rdi + ((vec) == GOOD), after_.rdi);		\
} while (0)

TEST_F(fault, destination_not_present)
{
	PREPARE(TVM_LONG, movsb);
	self->pd[BUF >> 21] = 0;
	EXPECT_FAULT(14, 2, BUF + 0x10, 0);
}

TEST_F(fault, second_page_of_the_destination_not_present)
{
	PREPARE(TVM_LONG, movsl);
	self->pd[(BUF >> 21) + 1] = 0;
	self->regs.rdi = BUF + 0x200000 - 2;
	EXPECT_FAULT(14, 2, BUF + 0x200000, 0);
}

TEST_F(fault, readonly_destination)
{
	PREPARE(TVM_LONG, movsb);
	self->pd[BUF >> 21] &= ~(uint64_t)PTE_W;
	EXPECT_FAULT(GOOD, 0, 0, 1);
	PREPARE(TVM_LONG, movsb);
	self->pd[BUF >> 21] &= ~(uint64_t)PTE_W;
	self->sregs.cr0 |= CR0_WP;
	EXPECT_FAULT(14, 3, BUF + 0x10, 0);
}

TEST_F(fault, reserved_bit_in_the_destinations_entry)
{
	PREPARE(TVM_LONG, movsb);
	self->pd[BUF >> 21] |= 1 << 13;
	EXPECT_FAULT(14, 0xb, BUF + 0x10, 0);
}

static uint32_t cpuid7(int sys, bool ecx)
{
	struct kvm_cpuid2 *cpuid = calloc(1, sizeof(*cpuid) + 128 * sizeof(cpuid->entries[0]));
	uint32_t bits = 0;
	unsigned int i;

	cpuid->nent = 128;
	if (!tvm_ioctl(sys, KVM_GET_SUPPORTED_CPUID, cpuid))
		for (i = 0; i < cpuid->nent; i++)
			if (cpuid->entries[i].function == 7 && !cpuid->entries[i].index)
				bits = ecx ? cpuid->entries[i].ecx : cpuid->entries[i].ebx;
	free(cpuid);
	return bits;
}

TEST_F(fault, smap_unless_ac)
{
	if (!(cpuid7(self->vm.sys, false) & CPUID7_EBX_SMAP))
		SKIP(return, "no SMAP on this host");
	PREPARE(TVM_LONG, movsb);
	let_user(&self->sregs, &self->regs, self->vm.mem);
	self->pd[0] &= ~(uint64_t)PTE_U;
	self->pd[DEV >> 21] &= ~(uint64_t)PTE_U;
	self->pd[BUF >> 21] |= PTE_U;
	self->sregs.cs.selector = TVM_CS;
	self->sregs.cs.dpl = 0;
	self->sregs.ss.selector = TVM_DS;
	self->sregs.ss.dpl = 0;
	self->sregs.cr4 |= CR4_SMAP;
	EXPECT_FAULT(14, 3, BUF + 0x10, 0);
	self->regs.rflags |= FLAGS_AC;
	EXPECT_FAULT(GOOD, 0, 0, 1);
}

TEST_F(fault, supervisor_page_from_user_mode)
{
	PREPARE(TVM_LONG, movsb);
	let_user(&self->sregs, &self->regs, self->vm.mem);
	EXPECT_FAULT(14, 7, BUF + 0x10, 0);
	self->pd[BUF >> 21] |= PTE_U;
	EXPECT_FAULT(GOOD, 0, 0, 1);
}

/* The alignment of the memory operand that is not the device's. */
TEST_F(fault, alignment_check_in_user_mode)
{
	if (tvm_is_kvm())
		SKIP(return, "KVM's emulator has no alignment check");
	PREPARE(TVM_LONG, movsl);
	let_user(&self->sregs, &self->regs, self->vm.mem);
	self->pd[BUF >> 21] |= PTE_U;
	self->sregs.cr0 |= CR0_AM;
	self->regs.rflags |= FLAGS_AC;
	self->regs.rdi = BUF + 1;
	EXPECT_FAULT(17, 0, 0, 0);
}

TEST_F(fault, noncanonical_destination)
{
	PREPARE(TVM_LONG, movsb);
	self->regs.rdi = 1ull << 47;
	EXPECT_FAULT(13, 0, 0, 0);
}

TEST_F(fault, pushes_fault_before_the_device_is_read)
{
	uint64_t *idt = (uint64_t *)(self->vm.mem + TVM_IDT);

	PREPARE(TVM_LONG, pushq);
	idt[14 * 2] |= 1ull << 32;	/* IST 1 */
	self->pd[BUF >> 21] = 0;
	self->regs.rsp = BUF + 0x20;
	EXPECT_FAULT(14, 2, BUF + 0x18, 0);
	if (!strcmp(getenv("LAB_BED") ?: "", "amd") && tvm_is_kvm())
		return;
	idt[12 * 2] |= 1ull << 32;
	self->regs.rsp = 1ull << 47 | 8;
	EXPECT_FAULT(12, 0, 0, 0);
}

TEST_F(fault, division_by_what_the_device_says)
{
	PREPARE(TVM_LONG, divl);
	EXPECT_FAULT(0, 0, 0, 1);
}

TEST_F(fault, accessed_and_dirty_bits)
{
	PREPARE(TVM_LONG, movsb);
	EXPECT_FAULT(GOOD, 0, 0, 1);
	EXPECT_EQ(PTE_A, self->pd[DEV >> 21] & (PTE_A | PTE_D));
	EXPECT_EQ(PTE_A | PTE_D, self->pd[BUF >> 21] & (PTE_A | PTE_D));
}

TEST_F(fault, dirty_bit_of_a_devices_page)
{
	uint32_t out[3];

	PREPARE(TVM_LONG, stosb);
	self->regs.rdi = DEV;
	ASSERT_EQ(0, run(&self->vcpu, &self->regs, &self->sregs, out, &self->exits));
	EXPECT_EQ(GOOD, out[0]);
	EXPECT_EQ(PTE_A | PTE_D, self->pd[DEV >> 21] & (PTE_A | PTE_D));
}

TEST_F(fault, addresses_of_57_bits)
{
	uint64_t *pml5 = (uint64_t *)(self->vm.mem + TVM_PML5);

	if (!(cpuid7(self->vm.sys, true) & CPUID7_ECX_LA57))
		SKIP(return, "no 57-bit addresses on this host");
	PREPARE(TVM_LONG, movsb);
	pml5[0] = TVM_PML4 | 3;
	pml5[1] = TVM_PML4 | 3;
	self->sregs.cr3 = TVM_PML5;
	self->sregs.cr4 |= CR4_LA57;
	self->regs.rsi |= 1ull << 48;
	self->regs.rdi |= 1ull << 48;
	EXPECT_FAULT(GOOD, 0, 0, 1);
	EXPECT_EQ(PTE_A, pml5[1] & PTE_A);
	self->regs.rdi = 1ull << 56;
	EXPECT_FAULT(13, 0, 0, 0);
}

TEST_F(fault, segment_limit_and_type)
{
	PREPARE(TVM_PROTECTED, movsb32);
	self->sregs.es.limit = BUF + 0xfff;
	self->regs.rdi = BUF + 0x1000;
	EXPECT_FAULT(13, 0, 0, 0);
	PREPARE(TVM_PROTECTED, movsb32);
	self->sregs.es.limit = BUF + 0xfff;
	self->regs.rdi = BUF + 0xfff;
	EXPECT_FAULT(GOOD, 0, 0, 1);
	PREPARE(TVM_PROTECTED, movsb32);
	self->sregs.es.type = 1;	/* readonly */
	EXPECT_FAULT(13, 0, 0, 0);
	PREPARE(TVM_PROTECTED, movsb32);
	self->sregs.es.type = 7;	/* expand-down: up to the limit nothing */
	self->sregs.es.limit = BUF + 0xfff;
	EXPECT_FAULT(13, 0, 0, 0);
	PREPARE(TVM_PROTECTED, movsb32);
	self->sregs.es.unusable = 1;
	self->sregs.es.selector = 0;
	EXPECT_FAULT(13, 0, 0, 0);
}

MVM_HARNESS_MAIN
