// SPDX-License-Identifier: GPL-2.0
/*
 * Which pCPUs have virtualization switched on: all that are online, except
 * while the system sleeps, reboots or starts another kernel. On which of them
 * vCPUs may run, and what of those is the host's, is the administrator's choice.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/mutex.h>
#include <linux/netlink.h>
#include <linux/notifier.h>
#include <linux/printk.h>
#include <linux/reboot.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/suspend.h>

#include "core/quota.h"
#include "core/vm.h"
#include "run/pcpu.h"
#include "run/runner.h"
#include "run/share.h"
#include "x86/vendor.h"

static enum cpuhp_state hotplug_state;
/*
 * Changes to what follows; inside cpus_read_lock(). Hotplug itself excludes all that
 * hold that.
 */
static DEFINE_MUTEX(choice_lock);
static bool suspended;
static struct cpumask used;
static u32 host_share = HVMM_HOST_SHARE_DEFAULT;

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
	if (ret)
		return ret;
	hvmm_runner_set_nice(cpu, hvmm_share_nice(host_share));
	if (cpumask_test_cpu(cpu, &used))
		hvmm_runner_set_online(cpu, true);
	return 0;
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
	mutex_lock(&choice_lock);
	suspended = true;
	for_each_online_cpu(cpu)
		pcpu_offline(cpu);
	mutex_unlock(&choice_lock);
	cpus_read_unlock();
}

static void start_all(void)
{
	unsigned int cpu;

	cpus_read_lock();
	mutex_lock(&choice_lock);
	suspended = false;
	for_each_online_cpu(cpu)
		pcpu_online(cpu);
	mutex_unlock(&choice_lock);
	cpus_read_unlock();
}

bool hvmm_pcpu_used(unsigned int cpu)
{
	return cpumask_test_cpu(cpu, &used);
}

u32 hvmm_pcpu_host_share(void)
{
	return READ_ONCE(host_share);
}

/* Whether each VM can run somewhere. Quotas do not change meanwhile. */
static int check_vms(const struct cpumask *use, struct netlink_ext_ack *extack)
{
	char pcpus[HVMM_QUOTA_PCPUS];
	struct hvmm_quota *quota;
	struct hvmm_vm *vm;
	bool left = true;
	u32 id = 0;

	quota = kmalloc(sizeof(*quota), GFP_KERNEL);
	if (!quota)
		return -ENOMEM;
	/* Without references: to drop a last one, and free all of a VM, is not for in here. */
	while (left && (vm = hvmm_vm_next_alive(&id))) {
		hvmm_group_quota(vm->group, quota);
		left = bitmap_intersects(quota->affinity, cpumask_bits(use), nr_cpu_ids);
		if (!left)
			NL_SET_ERR_MSG_FMT(extack, "use: VM %u may run on pCPUs %s only", vm->id,
					   hvmm_quota_pcpus(pcpus, quota->affinity, nr_cpu_ids));
		id++;
	}
	kfree(quota);
	return left ? 0 : -EBUSY;
}

/*
 * Whether what VMs have reserved is left. What is not online now does not count: it
 * was taken away without asking.
 */
static int check_reserved(const struct cpumask *use, u32 share, const char *refused,
			  struct netlink_ext_ack *extack)
{
	u64 reserved, unused, left;
	unsigned int cpu, nr = 0;

	for_each_cpu_and(cpu, use, cpu_online_mask)
		nr++;
	left = (u64)nr * (HVMM_PPM - share);
	hvmm_sched_reserved(&reserved, &unused);
	if (reserved <= left)
		return 0;
	NL_SET_ERR_MSG_FMT(extack, "%s: %llu ppm are reserved by VMs, %llu ppm would be left",
			   refused, reserved, left);
	return -EBUSY;
}

static int check(struct hvmm_pcpu_choice *choice, struct netlink_ext_ack *extack)
{
	const struct cpumask *use = choice->use ?: &used;
	u32 share = choice->host_share ?: host_share;
	bool less = choice->use && !cpumask_subset(&used, use);
	char pcpus[HVMM_QUOTA_PCPUS];
	int err;

	choice->use_refused = choice->use;
	if (choice->use && !cpumask_intersects(use, cpu_online_mask)) {
		NL_SET_ERR_MSG_FMT(extack, "use: pCPUs %s are online, none of these",
				   hvmm_quota_pcpus(pcpus, cpumask_bits(cpu_online_mask),
						    nr_cpu_ids));
		return -EINVAL;
	}
	err = less ? check_vms(use, extack) : 0;
	if (!err && share > host_share)
		choice->use_refused = less;
	if (!err && (less || share > host_share))
		err = check_reserved(use, share, choice->use_refused ? "use" : "host-share",
				     extack);
	return err;
}

static void apply(const struct hvmm_pcpu_choice *choice)
{
	unsigned int cpu;

	if (choice->host_share) {
		WRITE_ONCE(host_share, choice->host_share);
		hvmm_sched_set_capacity(HVMM_PPM - host_share);
		for_each_online_cpu(cpu)
			hvmm_runner_set_nice(cpu, hvmm_share_nice(host_share));
	}
	if (!choice->use)
		return;
	/* First what comes, then what goes: there is always one. */
	if (!suspended)
		for_each_cpu_and(cpu, choice->use, cpu_online_mask)
			if (!cpumask_test_cpu(cpu, &used))
				hvmm_runner_set_online(cpu, true);
	for_each_cpu_andnot(cpu, &used, choice->use)
		if (cpu_online(cpu))
			hvmm_runner_set_online(cpu, false);
	cpumask_copy(&used, choice->use);
}

int hvmm_pcpu_choose(struct hvmm_pcpu_choice *choice, u32 *generation,
		     struct netlink_ext_ack *extack)
{
	int err;

	choice->use_refused = false;
	err = hvmm_quota_begin(choice->expected, extack);
	if (err)
		return err;
	cpus_read_lock();
	mutex_lock(&choice_lock);
	err = check(choice, extack);
	if (!err)
		apply(choice);
	mutex_unlock(&choice_lock);
	cpus_read_unlock();
	*generation = hvmm_quota_end(!err);
	return err;
}

static int pm_event(struct notifier_block *nb, unsigned long event, void *unused)
{
	switch (event) {
	case PM_SUSPEND_PREPARE:
	case PM_HIBERNATION_PREPARE:
	case PM_RESTORE_PREPARE:
		stop_all();
		break;
	case PM_POST_SUSPEND:
	case PM_POST_HIBERNATION:
	case PM_POST_RESTORE:
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

	cpumask_setall(&used);
	hvmm_sched_set_capacity(HVMM_PPM - host_share);
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
