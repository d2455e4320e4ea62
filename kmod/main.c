// SPDX-License-Identifier: GPL-2.0
/* Init and exit of the hvmm module, and nothing else. */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/init.h>
#include <linux/module.h>

#include "core/life.h"
#include "core/pressure.h"
#include "core/vm.h"
#include "ctl/ctl.h"
#include "ctl/vmfd.h"
#include "dev/tty.h"
#include "host/fpu.h"
#include "host/irq.h"
#include "host/quirks.h"
#include "run/pcpu.h"
#include "run/runner.h"
#include "x86/cpuid.h"
#include "x86/vendor.h"

static int __init hvmm_init(void)
{
	const struct hvmm_tdp_format *format;
	const char *why = NULL;
	int ret, levels;

	ret = hvmm_arch_choose(&why);
	if (ret) {
		pr_err("cannot run virtual machines here: %s\n", why);
		return ret;
	}
	hvmm_quirks_init();
	hvmm_irq_init();
	ret = hvmm_cpuid_setup();
	if (ret)
		return ret;
	format = hvmm_arch->tdp(&levels);
	hvmm_tdp_set_format(format, levels);
	ret = hvmm_fpu_setup(hvmm_guest_xcr0());
	if (ret)
		return ret;
	ret = hvmm_life_init();
	if (ret)
		goto err_fpu;
	ret = hvmm_pressure_init();
	if (ret)
		goto err_vm;
	ret = hvmm_arch->setup();
	if (ret)
		goto err_pressure;
	ret = hvmm_runners_init();
	if (ret)
		goto err_arch;
	ret = hvmm_pcpu_init();
	if (ret)
		goto err_runners;
	ret = hvmm_tty_init();
	if (ret)
		goto err_pcpu;
	ret = hvmm_vmfd_init();
	if (ret)
		goto err_tty;
	ret = hvmm_ctl_init();
	if (ret)
		goto err_vmfd;
	pr_info("ready: %s, %u pCPUs\n", hvmm_arch->name, hvmm_sched_nr_online());
	return 0;

err_vmfd:
	hvmm_vmfd_exit();
err_tty:
	hvmm_tty_exit();
err_pcpu:
	hvmm_pcpu_exit();
err_runners:
	hvmm_runners_exit();
err_arch:
	hvmm_arch->teardown();
err_pressure:
	hvmm_pressure_exit();
err_vm:
	hvmm_life_exit();
err_fpu:
	hvmm_fpu_teardown();
	return ret;
}
module_init(hvmm_init);

static void __exit hvmm_exit(void)
{
	hvmm_ctl_exit();
	hvmm_vmfd_exit();
	hvmm_pressure_exit();
	/* Before what a VM's last item still needs goes away. */
	hvmm_life_exit();
	hvmm_tty_exit();
	hvmm_pcpu_exit();
	hvmm_runners_exit();
	hvmm_arch->teardown();
	hvmm_fpu_teardown();
	/* Freed VMs may still be on their way through RCU. */
	rcu_barrier();
}
module_exit(hvmm_exit);

MODULE_VERSION("0.1");
MODULE_DESCRIPTION("Virtual machine monitor with a scheduler of its own");
MODULE_LICENSE("GPL");
