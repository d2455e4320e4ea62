/* SPDX-License-Identifier: GPL-2.0 */
/* Limits of what VMs may hold of the host's memory; a part of core/quota.c's transactions. */
#ifndef HVMM_CORE_LIMITS_H
#define HVMM_CORE_LIMITS_H

#include <linux/types.h>

struct hvmm_quota_edit;
struct hvmm_vm;
struct netlink_ext_ack;

/**
 * enum hvmm_limits_error - what is wrong with limits
 * @HVMM_LIMITS_OK: nothing
 * @HVMM_LIMITS_MAX_HOST: mem-max is more than the host has
 * @HVMM_LIMITS_HIGH_MAX: mem-high is more than mem-max
 * @HVMM_LIMITS_MIN_MAX: mem-min is more than mem-max
 * @HVMM_LIMITS_MIN_HIGH: mem-min is more than mem-high
 * @HVMM_LIMITS_MIN_HOST: mem-min, of this VM or of all, is more than the host has
 */
enum hvmm_limits_error {
	HVMM_LIMITS_OK,
	HVMM_LIMITS_MAX_HOST,
	HVMM_LIMITS_HIGH_MAX,
	HVMM_LIMITS_MIN_MAX,
	HVMM_LIMITS_MIN_HIGH,
	HVMM_LIMITS_MIN_HOST,
};

/**
 * hvmm_limits_check - whether limits can be what a request asks for
 * @edits: the changes; what is not given is filled in, @limits_err of the one refused, too
 * @nr: their number
 * @index: filled with the number of the one refused
 * @extack: the reason
 *
 * Context: quotas' lock held.
 * Return: 0, -EINVAL (limits contradict each other), -ERANGE (more than the host has), -ENOSPC
 * (mem-min, with what other VMs have been promised).
 */
int hvmm_limits_check(struct hvmm_quota_edit *edits, unsigned int nr, unsigned int *index,
		      struct netlink_ext_ack *extack);

/**
 * hvmm_limits_set - make them so
 * @edit: a change that was found to be possible
 *
 * Context: quotas' lock held.
 */
void hvmm_limits_set(const struct hvmm_quota_edit *edit);

/**
 * hvmm_limits_drop - the VM's memory is promised to nobody any more
 * @vm: the VM, destroyed or never visible
 *
 * Context: quotas' lock held.
 */
void hvmm_limits_drop(struct hvmm_vm *vm);

#endif
