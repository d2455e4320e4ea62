// SPDX-License-Identifier: GPL-2.0
/*
 * Which pCPUs have virtualization switched on: all that are online, except
 * while the system sleeps, reboots or starts another kernel.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/notifier.h>
#include <linux/printk.h>
#include <linux/reboot.h>
#include <linux/smp.h>
#include <linux/suspend.h>

#include "run/pcpu.h"
#include "run/runner.h"
#include "x86/vendor.h"

static enum cpuhp_state hotplug_state;
/* Guarded by cpus_read_lock() against hotplug, and by the PM core against itself. */
static bool suspended;

static void enable(void *err)
{
	int ret = hvmm_arch->enable_cpu();

	if (ret)
		*(int *)err = ret;
}

static void disable(void *unused)
{
	hvmm_arch->disable_cpu();
}

static int pcpu_online(unsigned int cpu)
{
	int ret = 0;

	if (suspended)
		return 0;
	smp_call_function_single(cpu, enable, &ret, true);
	if (ret == -EBUSY)
		pr_err("CPU %u: %s is in use already, by KVM or another hypervisor: unload kvm_amd or kvm_intel (modprobe -r) first\n",
		       cpu, hvmm_arch->name);
	if (!ret)
		hvmm_runner_set_online(cpu, true);
	return ret;
}

static int pcpu_offline(unsigned int cpu)
{
	hvmm_runner_set_online(cpu, false);
	smp_call_function_single(cpu, disable, NULL, true);
	return 0;
}

static void stop_all(void)
{
	unsigned int cpu;

	cpus_read_lock();
	suspended = true;
	for_each_online_cpu(cpu)
		pcpu_offline(cpu);
	cpus_read_unlock();
}

static void start_all(void)
{
	unsigned int cpu;

	cpus_read_lock();
	suspended = false;
	for_each_online_cpu(cpu)
		pcpu_online(cpu);
	cpus_read_unlock();
}

static int pm_event(struct notifier_block *nb, unsigned long event, void *unused)
{
	switch (event) {
	case PM_SUSPEND_PREPARE:
	case PM_HIBERNATION_PREPARE:
		stop_all();
		break;
	case PM_POST_SUSPEND:
	case PM_POST_HIBERNATION:
		start_all();
		break;
	}
	return NOTIFY_OK;
}

static int reboot_event(struct notifier_block *nb, unsigned long event, void *unused)
{
	/* Firmware and the next kernel expect the extension off. */
	stop_all();
	return NOTIFY_OK;
}

static struct notifier_block pm_notifier = { .notifier_call = pm_event };
static struct notifier_block reboot_notifier = { .notifier_call = reboot_event };

int hvmm_pcpu_init(void)
{
	int ret;

	ret = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "hvmm:online", pcpu_online, pcpu_offline);
	if (ret < 0)
		return ret;
	hotplug_state = ret;
	ret = register_pm_notifier(&pm_notifier);
	if (ret)
		goto err_hotplug;
	ret = register_reboot_notifier(&reboot_notifier);
	if (ret)
		goto err_pm;
	return 0;
err_pm:
	unregister_pm_notifier(&pm_notifier);
err_hotplug:
	cpuhp_remove_state(hotplug_state);
	return ret;
}

void hvmm_pcpu_exit(void)
{
	unregister_reboot_notifier(&reboot_notifier);
	unregister_pm_notifier(&pm_notifier);
	cpuhp_remove_state(hotplug_state);
}
