// SPDX-License-Identifier: GPL-2.0

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bitops.h>
#include <linux/moduleparam.h>
#include <linux/printk.h>
#include <linux/string.h>

#include "x86/broken.h"

static bool try_broken;
module_param(try_broken, bool, 0444);
MODULE_PARM_DESC(try_broken, "try states that VM entries must refuse, once");

static unsigned long tried;

bool hvmm_broken_begin(void)
{
	return unlikely(try_broken) && !test_and_set_bit(0, &tried);
}

bool hvmm_broken_is_sound(const char *why)
{
	if (why)
		pr_err("broken states: the sound one is not: %s\n", why);
	return !why;
}

bool hvmm_broken_agree(const char *want, const char *why, bool refused)
{
	bool found = why && !strcmp(why, want);

	if (!found)
		pr_err("broken states: \"%s\" is found to be \"%s\"\n", want, why ?: "sound");
	if (!refused)
		pr_err("broken states: \"%s\" is entered\n", want);
	return refused && found;
}

void hvmm_broken_end(unsigned int agreed, unsigned int all)
{
	pr_info("broken states: %u of %u are refused by checker and processor\n", agreed,
		all);
}
