// SPDX-License-Identifier: GPL-2.0-only
/*
 * Turning virtualization off when the kernel crashes, so that kdump's kernel can
 * start: VMX blocks INIT, and a running crash kernel must find VMX and SVM off.
 *
 * The kernel has one slot for such a callback and warns about a second user. KVM's
 * vendor modules take it when they come; so minivmm takes it only while none is
 * loaded, and a module notifier hands it over when one comes or goes. KVM's
 * callback leaves VMX operation whoever entered it.
 */
#include <linux/kobject.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <asm/reboot.h>

#include "hw.h"

static const struct mvm_backend *crash_backend;
static DEFINE_MUTEX(crash_lock); /* the three below; inside hw_lock */
static bool crash_wanted; /* virtualization is on */
static bool crash_armed; /* the slot is ours */
static bool crash_kvm_coming; /* one is being loaded: not in /sys/module yet */

static const char *const kvm_modules[] = { "kvm_intel", "kvm_amd" };

static void crash_disable(void)
{
	crash_backend->emergency_disable();
}

/* Is there a /sys/module entry of that name, beside our own? Loaded or built in. */
static bool module_present(const char *name)
{
	struct kobject *kobj = kset_find_obj(THIS_MODULE->mkobj.kobj.kset, name);
	bool found = kobj;

	kobject_put(kobj);
	return found;
}

/* crash_lock held. */
static bool kvm_present(void)
{
	size_t i;

	if (crash_kvm_coming)
		return true;
	for (i = 0; i < ARRAY_SIZE(kvm_modules); i++)
		if (module_present(kvm_modules[i]))
			return true;
	return false;
}

/* crash_lock held. */
static void crash_update(bool kvm)
{
	bool arm = crash_wanted && !kvm;

	if (arm == crash_armed)
		return;
	if (arm)
		cpu_emergency_register_virt_callback(crash_disable);
	else
		cpu_emergency_unregister_virt_callback(crash_disable);
	crash_armed = arm;
}

/**
 * mvm_crash_arm() - virtualization is on: take the kernel's slot, unless a KVM module is there
 *
 * Taken again when KVM's module goes. Context: may sleep; inside hw_lock.
 */
void mvm_crash_arm(void)
{
	mutex_lock(&crash_lock);
	crash_wanted = true;
	crash_update(kvm_present());
	mutex_unlock(&crash_lock);
}

/**
 * mvm_crash_disarm() - virtualization is off: give the slot back
 *
 * Context: may sleep, for the callback's readers, too; inside hw_lock.
 */
void mvm_crash_disarm(void)
{
	mutex_lock(&crash_lock);
	crash_wanted = false;
	crash_update(false);
	mutex_unlock(&crash_lock);
}

static bool is_kvm(const char *name)
{
	return match_string(kvm_modules, ARRAY_SIZE(kvm_modules), name) >= 0;
}

/* COMING runs before the module's own init, GOING after its exit (or failed init). */
static int crash_module_event(struct notifier_block *nb, unsigned long event, void *data)
{
	struct module *mod = data;

	if (!is_kvm(mod->name) || (event != MODULE_STATE_COMING && event != MODULE_STATE_GOING))
		return NOTIFY_DONE;
	mutex_lock(&crash_lock);
	crash_kvm_coming = event == MODULE_STATE_COMING;
	crash_update(crash_kvm_coming);
	mutex_unlock(&crash_lock);
	return NOTIFY_OK;
}

static struct notifier_block crash_nb = {
	.notifier_call = crash_module_event,
};

/**
 * mvm_crash_init() - watch KVM's modules come and go
 * @backend: its emergency_disable() is the callback
 *
 * Context: module load; may sleep.
 * Return: 0 or -errno.
 */
int mvm_crash_init(const struct mvm_backend *backend)
{
	crash_backend = backend;
	return register_module_notifier(&crash_nb);
}

/**
 * mvm_crash_exit() - reverse of mvm_crash_init(), disarmed before
 *
 * Context: module unload; may sleep.
 */
void mvm_crash_exit(void)
{
	unregister_module_notifier(&crash_nb);
}
