// SPDX-License-Identifier: GPL-2.0
/* Init and exit of the hvmm module. */

#include <linux/init.h>
#include <linux/module.h>

static int __init hvmm_init(void)
{
	pr_info("hvmm: loaded\n");
	return 0;
}
module_init(hvmm_init);

static void __exit hvmm_exit(void)
{
}
module_exit(hvmm_exit);

MODULE_DESCRIPTION("Virtual machine monitor with a scheduler of its own");
MODULE_LICENSE("GPL");
