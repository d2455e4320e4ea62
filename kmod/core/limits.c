// SPDX-License-Identifier: GPL-2.0
#include <linux/mm.h>
#include <linux/netlink.h>

#include "core/limits.h"
#include "core/quota.h"
#include "core/vm.h"

/* Sum of all VMs' mem-min, bytes; guarded by quotas' lock. */
static u64 promised;

static u64 host_bytes(void)
{
	return (u64)totalram_pages() << PAGE_SHIFT;
}

static void fill_in(struct hvmm_quota_edit *edit)
{
	struct hvmm_mem_limits now;

	hvmm_mem_quota_get(&edit->vm->mem.quota, &now);
	if (!(edit->given & HVMM_GIVEN_MEM_MAX))
		edit->mem.max = now.max;
	if (!(edit->given & HVMM_GIVEN_MEM_HIGH))
		edit->mem.high = now.high;
	if (!(edit->given & HVMM_GIVEN_MEM_MIN))
		edit->mem.min = now.min;
}

/* Not longer than an extended ack can be, which is 79 characters. */
static int check_one(struct hvmm_quota_edit *edit, struct netlink_ext_ack *extack)
{
	const struct hvmm_mem_limits *mem = &edit->mem;
	u64 host = host_bytes();

	if (mem->max != HVMM_MEM_MAX_NONE && mem->max > host) {
		edit->limits_err = HVMM_LIMITS_MAX_HOST;
		NL_SET_ERR_MSG_FMT(extack, "mem-max: %llu bytes asked, the host has %llu",
				   mem->max, host);
		return -ERANGE;
	}
	if (mem->high != HVMM_MEM_MAX_NONE && mem->high > mem->max) {
		edit->limits_err = HVMM_LIMITS_HIGH_MAX;
		NL_SET_ERR_MSG_FMT(extack, "mem-high: %llu bytes, but mem-max is %llu",
				   mem->high, mem->max);
		return -EINVAL;
	}
	if (mem->min > mem->max) {
		edit->limits_err = HVMM_LIMITS_MIN_MAX;
		NL_SET_ERR_MSG_FMT(extack, "mem-min: %llu bytes, but mem-max is %llu",
				   mem->min, mem->max);
		return -EINVAL;
	}
	if (mem->min > mem->high) {
		edit->limits_err = HVMM_LIMITS_MIN_HIGH;
		NL_SET_ERR_MSG_FMT(extack, "mem-min: %llu bytes, but mem-high is %llu",
				   mem->min, mem->high);
		return -EINVAL;
	}
	if (mem->min > host) {
		edit->limits_err = HVMM_LIMITS_MIN_HOST;
		NL_SET_ERR_MSG_FMT(extack, "mem-min: %llu bytes asked, the host has %llu",
				   mem->min, host);
		return -ERANGE;
	}
	return 0;
}

int hvmm_limits_check(struct hvmm_quota_edit *edits, unsigned int nr, unsigned int *index,
		      struct netlink_ext_ack *extack)
{
	u64 host = host_bytes(), others = promised, sum;
	unsigned int i;
	int err;

	for (i = 0; i < nr; i++) {
		fill_in(&edits[i]);
		*index = i;
		err = check_one(&edits[i], extack);
		if (err)
			return err;
		others -= READ_ONCE(edits[i].vm->mem.quota.min);
	}
	/* Each is at most the host's memory, and there are not so many. */
	for (i = 0, sum = others; i < nr; i++) {
		sum += edits[i].mem.min;
		if (!(edits[i].given & HVMM_GIVEN_MEM_MIN) || sum <= host)
			continue;
		*index = i;
		edits[i].limits_err = HVMM_LIMITS_MIN_HOST;
		sum -= edits[i].mem.min;
		NL_SET_ERR_MSG_FMT(extack,
				   "mem-min: %llu bytes asked, at most %llu can be promised",
				   edits[i].mem.min, host - min(sum, host));
		return -ENOSPC;
	}
	return 0;
}

void hvmm_limits_set(const struct hvmm_quota_edit *edit)
{
	struct hvmm_mem *mem = &edit->vm->mem;

	promised += edit->mem.min - READ_ONCE(mem->quota.min);
	hvmm_mem_quota_set(&mem->quota, &edit->mem);
	hvmm_mem_reclaim_reset(mem);
	hvmm_mem_reclaim_check(mem);
}

void hvmm_limits_drop(struct hvmm_vm *vm)
{
	struct hvmm_mem_limits limits;

	hvmm_mem_quota_get(&vm->mem.quota, &limits);
	promised -= limits.min;
	limits.min = 0;
	hvmm_mem_quota_set(&vm->mem.quota, &limits);
}
