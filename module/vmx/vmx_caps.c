// SPDX-License-Identifier: GPL-2.0-only
/*
 * What this processor's VT-x has, and whether it is enough.
 *
 * Each VMCS control word has a table of the bits minivmm has an opinion about,
 * with the reason; negotiate() walks it against the capability MSR. A bit that
 * is not in a table stays as the processor wants it by default. Whoever refuses
 * says why in one sentence. Nothing is enabled here.
 */
#include <linux/cpu.h>
#include <linux/module.h>

#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/perf_event.h>
#include <asm/processor.h>
#include <asm/tsc.h>

#include "vmx.h"

struct vmx_config mvm_vmx_config;

static unsigned int max_guest_us;
module_param(max_guest_us, uint, 0444);
MODULE_PARM_DESC(max_guest_us,
		 "VT-x: longest time in us that a guest runs without an exit, 0 = no limit (default: 0)");

enum vmx_wish {
	WANT_ONE, /* always set; refused without */
	WANT_ZERO, /* never set; refused where the processor insists */
	WANT_BOTH, /* switched at run time: clear in the base value */
	WANT_IF_THERE, /* set where the processor can */
};

struct vmx_want {
	u32 bit;
	enum vmx_wish wish;
	const char *what; /* "the processor's VT-x ..." */
};

struct vmx_control {
	u32 msr;
	u32 true_msr; /* has the real must-be-one bits; 0 = there is none */
	const struct vmx_want *wants;
	size_t nr_wants;
	u32 *result;
};

static const struct vmx_want pin_wants[] = {
	{ PIN_BASED_EXT_INTR_MASK, WANT_ONE, "cannot exit on external interrupts" },
	{ PIN_BASED_NMI_EXITING, WANT_ONE, "cannot exit on NMIs" },
	{ PIN_BASED_VIRTUAL_NMIS, WANT_ONE, "has no virtual NMIs" },
	/* probe_preemption_timer() turns it on where it can. */
	{ PIN_BASED_VMX_PREEMPTION_TIMER, WANT_ZERO, "insists on the preemption timer" },
	{ PIN_BASED_POSTED_INTR, WANT_ZERO, "insists on posted interrupts" },
};

static const struct vmx_want proc_wants[] = {
	{ CPU_BASED_INTR_WINDOW_EXITING, WANT_BOTH, "has no interrupt-window exiting" },
	{ CPU_BASED_NMI_WINDOW_EXITING, WANT_BOTH, "has no NMI-window exiting" },
	{ CPU_BASED_USE_TSC_OFFSETTING, WANT_ONE, "has no TSC offsetting" },
	{ CPU_BASED_HLT_EXITING, WANT_ONE, "cannot exit on HLT" },
	{ CPU_BASED_INVLPG_EXITING, WANT_ZERO, "insists on exits by INVLPG" },
	{ CPU_BASED_MWAIT_EXITING, WANT_ONE, "cannot exit on MWAIT" },
	{ CPU_BASED_MONITOR_EXITING, WANT_ONE, "cannot exit on MONITOR" },
	{ CPU_BASED_RDPMC_EXITING, WANT_ONE, "cannot exit on RDPMC" },
	{ CPU_BASED_RDTSC_EXITING, WANT_ZERO, "insists on exits by RDTSC" },
	{ CPU_BASED_CR3_LOAD_EXITING, WANT_ZERO, "insists on exits by CR3 writes" },
	{ CPU_BASED_CR3_STORE_EXITING, WANT_ZERO, "insists on exits by CR3 reads" },
	{ CPU_BASED_CR8_LOAD_EXITING, WANT_ONE, "cannot exit on CR8 writes" },
	{ CPU_BASED_CR8_STORE_EXITING, WANT_ONE, "cannot exit on CR8 reads" },
	{ CPU_BASED_TPR_SHADOW, WANT_ZERO, "insists on the TPR shadow" },
	{ CPU_BASED_MOV_DR_EXITING, WANT_ONE, "cannot exit on MOV DR" },
	{ CPU_BASED_UNCOND_IO_EXITING, WANT_ONE, "cannot exit on I/O instructions" },
	{ CPU_BASED_USE_IO_BITMAPS, WANT_ZERO, "insists on I/O bitmaps" },
	{ CPU_BASED_MONITOR_TRAP_FLAG, WANT_ZERO, "insists on the monitor trap flag" },
	{ CPU_BASED_USE_MSR_BITMAPS, WANT_ONE, "has no MSR bitmaps" },
	{ CPU_BASED_PAUSE_EXITING, WANT_ZERO, "insists on exits by PAUSE" },
	{ CPU_BASED_ACTIVATE_SECONDARY_CONTROLS, WANT_ONE, "has no secondary controls" },
};

static const struct vmx_want proc2_wants[] = {
	{ SECONDARY_EXEC_ENABLE_EPT, WANT_ONE, "has no nested paging (EPT)" },
	{ SECONDARY_EXEC_UNRESTRICTED_GUEST, WANT_ONE, "has no unrestricted guest mode" },
	{ SECONDARY_EXEC_WBINVD_EXITING, WANT_ONE, "cannot exit on WBINVD" },
	{ SECONDARY_EXEC_ENABLE_VPID, WANT_IF_THERE, NULL },
	/* A vCPU that spins long gives way to another one (mvm_vcpu_on_spin()). */
	{ SECONDARY_EXEC_PAUSE_LOOP_EXITING, WANT_IF_THERE, NULL },
	/* Without the control the guest takes #UD; both follow its CPUID. */
	{ SECONDARY_EXEC_ENABLE_RDTSCP, WANT_IF_THERE, NULL },
	{ SECONDARY_EXEC_ENABLE_INVPCID, WANT_IF_THERE, NULL },
	/* Guests have no SGX: every ENCLS leaf exits where there is SGX at all. */
	{ SECONDARY_EXEC_ENCLS_EXITING, WANT_IF_THERE, NULL },
};

static const struct vmx_want exit_wants[] = {
	{ VM_EXIT_HOST_ADDR_SPACE_SIZE, WANT_ONE, "cannot exit to a 64-bit host" },
	{ VM_EXIT_ACK_INTR_ON_EXIT, WANT_ZERO, "insists on acknowledging interrupts" },
	{ VM_EXIT_LOAD_IA32_PAT, WANT_ONE, "cannot load IA32_PAT at exits" },
	{ VM_EXIT_LOAD_IA32_EFER, WANT_ONE, "cannot load IA32_EFER at exits" },
	{ VM_EXIT_LOAD_IA32_PERF_GLOBAL_CTRL, WANT_IF_THERE, NULL },
};

static const struct vmx_want entry_wants[] = {
	{ VM_ENTRY_LOAD_DEBUG_CONTROLS, WANT_ONE, "cannot load debug controls at entries" },
	{ VM_ENTRY_IA32E_MODE, WANT_BOTH, "cannot enter guests of both word sizes" },
	{ VM_ENTRY_SMM, WANT_ZERO, "insists on entries to SMM" },
	{ VM_ENTRY_DEACT_DUAL_MONITOR, WANT_ZERO, "insists on the dual-monitor treatment" },
	{ VM_ENTRY_LOAD_IA32_PAT, WANT_ONE, "cannot load IA32_PAT at entries" },
	{ VM_ENTRY_LOAD_IA32_EFER, WANT_ONE, "cannot load IA32_EFER at entries" },
	{ VM_ENTRY_LOAD_IA32_PERF_GLOBAL_CTRL, WANT_IF_THERE, NULL },
};

static const struct vmx_control controls[] = {
	{ MSR_IA32_VMX_PINBASED_CTLS, MSR_IA32_VMX_TRUE_PINBASED_CTLS,
	  pin_wants, ARRAY_SIZE(pin_wants), &mvm_vmx_config.pin },
	{ MSR_IA32_VMX_PROCBASED_CTLS, MSR_IA32_VMX_TRUE_PROCBASED_CTLS,
	  proc_wants, ARRAY_SIZE(proc_wants), &mvm_vmx_config.proc },
	{ MSR_IA32_VMX_PROCBASED_CTLS2, 0,
	  proc2_wants, ARRAY_SIZE(proc2_wants), &mvm_vmx_config.proc2 },
	{ MSR_IA32_VMX_EXIT_CTLS, MSR_IA32_VMX_TRUE_EXIT_CTLS,
	  exit_wants, ARRAY_SIZE(exit_wants), &mvm_vmx_config.exit },
	{ MSR_IA32_VMX_ENTRY_CTLS, MSR_IA32_VMX_TRUE_ENTRY_CTLS,
	  entry_wants, ARRAY_SIZE(entry_wants), &mvm_vmx_config.entry },
};

static int negotiate(const struct vmx_control *ctl, bool have_true, struct mvm_reason *reason)
{
	u32 must, may, value;
	size_t i;

	if (rdmsr_safe(have_true && ctl->true_msr ? ctl->true_msr : ctl->msr, &must, &may))
		return mvm_fail(reason, -EOPNOTSUPP,
				"the VT-x capability MSR %#x cannot be read", ctl->msr);
	value = must;
	for (i = 0; i < ctl->nr_wants; i++) {
		const struct vmx_want *want = &ctl->wants[i];
		bool can_set = may & want->bit;
		bool can_clear = !(must & want->bit);

		if ((want->wish == WANT_ONE && !can_set) ||
		    (want->wish == WANT_ZERO && !can_clear) ||
		    (want->wish == WANT_BOTH && !(can_set && can_clear)))
			return mvm_fail(reason, -EOPNOTSUPP, "the processor's VT-x %s",
					want->what);
		if (can_set && (want->wish == WANT_ONE || want->wish == WANT_IF_THERE))
			value |= want->bit;
	}
	*ctl->result = value;
	return 0;
}

/* The firmware decides, per CPU, whether VMXON is allowed outside SMX. */
static int check_feature_control(struct mvm_reason *reason)
{
	u64 feat;

	if (rdmsrl_safe(MSR_IA32_FEAT_CTL, &feat))
		return mvm_fail(reason, -EOPNOTSUPP,
				"IA32_FEATURE_CONTROL cannot be read: VT-x is incomplete here");
	if (!(feat & FEAT_CTL_LOCKED))
		return mvm_fail(reason, -EOPNOTSUPP,
				"VT-x is disabled by the firmware, but not for good: enable it in the firmware's setup");
	if (!(feat & FEAT_CTL_VMX_ENABLED_OUTSIDE_SMX))
		return mvm_fail(reason, -EOPNOTSUPP,
				"VT-x is disabled by the firmware: enable it in its setup");
	return 0;
}

/**
 * mvm_vmx_cpu_check() - may VMXON be executed on this CPU, as far as firmware and host go?
 * @reason: on failure, the sentence
 *
 * Reads CR4 and IA32_FEATURE_CONTROL; turns nothing on. Context: any.
 * Return: 0 or -EOPNOTSUPP.
 */
int mvm_vmx_cpu_check(struct mvm_reason *reason)
{
	if (native_read_cr4() & CR4_FRED)
		return mvm_fail(reason, -EOPNOTSUPP,
				"the host uses FRED, where NMIs cannot be handed on yet; boot with fred=off");
	return check_feature_control(reason);
}

static int probe_basic(struct mvm_reason *reason, bool *have_true)
{
	u64 basic, fixed0;

	if (rdmsrl_safe(MSR_IA32_VMX_BASIC, &basic))
		return mvm_fail(reason, -EOPNOTSUPP, "IA32_VMX_BASIC cannot be read");
	if (((basic >> IA32_VMX_BASIC_MEM_TYPE_SHIFT) & IA32_VMX_BASIC_MEM_TYPE_MASK) !=
	    IA32_VMX_BASIC_MEM_TYPE_WB)
		return mvm_fail(reason, -EOPNOTSUPP,
				"the processor's VT-x wants a VMCS outside write-back memory");
	mvm_vmx_config.revision = basic & GENMASK(30, 0);
	mvm_vmx_config.any_error_code = basic & IA32_VMX_BASIC_ANY_ERROR_CODE;
	*have_true = basic & IA32_VMX_BASIC_TRUE_CONTROLS;

	rdmsrl(MSR_IA32_VMX_CR4_FIXED1, mvm_vmx_config.cr4_fixed1);
	rdmsrl(MSR_IA32_VMX_CR0_FIXED0, fixed0);
	if (fixed0 & ~(u64)(X86_CR0_PE | X86_CR0_NE | X86_CR0_PG))
		return mvm_fail(reason, -EOPNOTSUPP,
				"the processor's VT-x fixes unknown CR0 bits (%#llx)", fixed0);
	rdmsrl(MSR_IA32_VMX_CR4_FIXED0, fixed0);
	if (fixed0 & ~(u64)X86_CR4_VMXE)
		return mvm_fail(reason, -EOPNOTSUPP,
				"the processor's VT-x fixes unknown CR4 bits (%#llx)", fixed0);
	return 0;
}

static int probe_ept(struct mvm_reason *reason, struct mvm_npt_format *npt)
{
	u64 cap;
	u32 vpid;

	rdmsrl(MSR_IA32_VMX_EPT_VPID_CAP, cap);
	if (!(cap & VMX_EPT_PAGE_WALK_4_BIT) || !(cap & VMX_EPTP_WB_BIT) ||
	    !(cap & VMX_EPT_2MB_PAGE_BIT))
		return mvm_fail(reason, -EOPNOTSUPP,
				"the processor's EPT lacks four levels, write-back tables or 2 MiB pages");
	if (!(cap & VMX_EPT_INVEPT_BIT) ||
	    !(cap & (VMX_EPT_EXTENT_CONTEXT_BIT | VMX_EPT_EXTENT_GLOBAL_BIT)))
		return mvm_fail(reason, -EOPNOTSUPP, "the processor's EPT cannot be flushed");
	mvm_vmx_config.invept_context = cap & VMX_EPT_EXTENT_CONTEXT_BIT;
	mvm_vmx_config.ept_ad = cap & VMX_EPT_AD_BIT;

	vpid = cap >> 32;
	mvm_vmx_config.vpid = (mvm_vmx_config.proc2 & SECONDARY_EXEC_ENABLE_VPID) &&
			      (vpid & VMX_VPID_INVVPID_BIT) &&
			      (vpid & VMX_VPID_EXTENT_SINGLE_CONTEXT_BIT);
	if (!mvm_vmx_config.vpid)
		mvm_vmx_config.proc2 &= ~SECONDARY_EXEC_ENABLE_VPID;

	*npt = (struct mvm_npt_format){
		.levels = 4,
		.table = VMX_EPT_RWX_MASK,
		/* No device is passed through: pages are write-back, whatever the guest's PAT. */
		.leaf = (VMX_EPTP_MT_WB << VMX_EPT_MT_EPTE_SHIFT) | VMX_EPT_IPAT_BIT,
		.read = VMX_EPT_READABLE_MASK,
		.write = VMX_EPT_WRITABLE_MASK,
		.exec = VMX_EPT_EXECUTABLE_MASK,
		.large = BIT_ULL(7),
		.accessed = mvm_vmx_config.ept_ad ? VMX_EPT_ACCESS_BIT : 0,
		.dirty = mvm_vmx_config.ept_ad ? VMX_EPT_DIRTY_BIT : 0,
		/* The kernel keeps memory out of the upper half of what L1D can tag. */
		.nonpresent = boot_cpu_has_bug(X86_BUG_L1TF) ?
			      BIT_ULL(boot_cpu_data.x86_cache_bits - 1) : 0,
		.has_1g = cap & VMX_EPT_1GB_PAGE_BIT,
	};
	return 0;
}

/*
 * Processors whose VMX-preemption timer does not count at the rate that IA32_VMX_MISC tells:
 * CPUID.1:EAX, from their specification updates (Nehalem, Westmere, and one Ivy Bridge).
 */
static const u32 bad_timers[] = {
	0x000106a0, 0x000106a1, 0x000106a4, 0x000106a5, 0x000106e5,
	0x00020652, 0x00020655, 0x000206e6, 0x000306a8,
};

static bool has_preemption_timer(void)
{
	const u32 signature = cpuid_eax(1);
	u32 must, may;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad_timers); i++)
		if (signature == bad_timers[i])
			return false;
	return !rdmsr_safe(MSR_IA32_VMX_PINBASED_CTLS, &must, &may) &&
	       (may & PIN_BASED_VMX_PREEMPTION_TIMER);
}

/*
 * The VMX-preemption timer leaves the guest at a TSC deadline. It may also bound each stay,
 * for emulators: on real processors the host's interrupts end the guest.
 */
static int probe_preemption_timer(struct mvm_reason *reason, struct mvm_backend_caps *caps)
{
	u64 misc, max = U32_MAX;

	if (!has_preemption_timer())
		return !max_guest_us ? 0 :
			mvm_fail(reason, -EOPNOTSUPP,
				 "max_guest_us needs the VMX-preemption timer, which this processor lacks");
	rdmsrl(MSR_IA32_VMX_MISC, misc);
	mvm_vmx_config.timer_rate = misc & VMX_MISC_TIMER_RATE;
	if (max_guest_us)
		max = mul_u64_u32_div(max_guest_us, tsc_khz, USEC_PER_MSEC) >>
		      mvm_vmx_config.timer_rate;
	mvm_vmx_config.timer_max = clamp_t(u64, max, 1, U32_MAX);
	mvm_vmx_config.pin |= PIN_BASED_VMX_PREEMPTION_TIMER;
	caps->deadline = true;
	return 0;
}

/* Host facilities that an entry and exit would disturb. */
static void probe_host(void)
{
	u64 val;

	mvm_vmx_config.tsc_aux = (boot_cpu_has(X86_FEATURE_RDTSCP) ||
				  boot_cpu_has(X86_FEATURE_RDPID)) &&
				 !rdmsrl_safe(MSR_TSC_AUX, &val);
	mvm_vmx_config.flush_l1d = boot_cpu_has_bug(X86_BUG_L1TF) &&
				   boot_cpu_has(X86_FEATURE_FLUSH_L1D) &&
				   !cpu_mitigations_off();
	mvm_vmx_config.perf_global_ctrl =
		(mvm_vmx_config.exit & VM_EXIT_LOAD_IA32_PERF_GLOBAL_CTRL) &&
		(mvm_vmx_config.entry & VM_ENTRY_LOAD_IA32_PERF_GLOBAL_CTRL) &&
		boot_cpu_has(X86_FEATURE_ARCH_PERFMON) && (cpuid_eax(10) & 0xff) >= 2 &&
		!rdmsrl_safe(MSR_CORE_PERF_GLOBAL_CTRL, &val);
	if (!mvm_vmx_config.perf_global_ctrl) {
		mvm_vmx_config.exit &= ~VM_EXIT_LOAD_IA32_PERF_GLOBAL_CTRL;
		mvm_vmx_config.entry &= ~VM_ENTRY_LOAD_IA32_PERF_GLOBAL_CTRL;
	}
}

/**
 * mvm_vmx_probe() - what this processor's VT-x has: fills mvm_vmx_config
 * @reason: on failure, the sentence
 * @caps: filled: entry format of the EPT, features, whether a stay can end at a TSC deadline
 *
 * Reads capability MSRs, allocates nothing. Context: module load.
 * Return: 0, or -EOPNOTSUPP: something necessary is missing.
 */
int mvm_vmx_probe(struct mvm_reason *reason, struct mvm_backend_caps *caps)
{
	bool have_true;
	size_t i;
	int err;

	if (!(cpuid_ecx(1) & BIT(X86_FEATURE_VMX & 31)))
		return mvm_fail(reason, -EOPNOTSUPP, "no VT-x: the processor, or a hypervisor below, does not offer it");
	err = mvm_vmx_cpu_check(reason);
	if (err)
		return err;
	if (!boot_cpu_has(X86_FEATURE_VMX))
		return mvm_fail(reason, -EOPNOTSUPP, "no VT-x: the kernel has disabled it");
	if (!boot_cpu_has(X86_FEATURE_NX) || !boot_cpu_has(X86_FEATURE_SYSCALL))
		return mvm_fail(reason, -EOPNOTSUPP, "the host runs without NX or SYSCALL");

	err = probe_basic(reason, &have_true);
	for (i = 0; !err && i < ARRAY_SIZE(controls); i++)
		err = negotiate(&controls[i], have_true, reason);
	if (!err)
		err = probe_ept(reason, &caps->npt);
	if (!err)
		err = probe_preemption_timer(reason, caps);
	if (err)
		return err;
	probe_host();
	caps->has_pdptrs = true;
	snprintf(caps->features, sizeof(caps->features), "ept unrestricted%s%s%s%s%s%s",
		 mvm_vmx_config.vpid ? " vpid" : "",
		 mvm_vmx_config.ept_ad ? " ept_ad" : "",
		 caps->npt.has_1g ? " ept_1g" : "",
		 mvm_vmx_config.proc2 & SECONDARY_EXEC_PAUSE_LOOP_EXITING ? " ple" : "",
		 caps->deadline ? " preemption_timer" : "",
		 max_guest_us ? " max_guest_us" : "");
	return 0;
}
