/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_CORE_QUOTA_H
#define HVMM_CORE_QUOTA_H

#include "core/limits.h"
#include "mem/quota.h"
#include "sched/sched.h"

struct hvmm_vm;
struct netlink_ext_ack;

/* What of a quota is given in a request. */
#define HVMM_GIVEN_WEIGHT	BIT(0)
#define HVMM_GIVEN_MAX		BIT(1)
#define HVMM_GIVEN_PERIOD	BIT(2)
#define HVMM_GIVEN_BURST	BIT(3)
#define HVMM_GIVEN_MIN		BIT(4)
#define HVMM_GIVEN_AFFINITY	BIT(5)
#define HVMM_GIVEN_MEM_MAX	BIT(6)
#define HVMM_GIVEN_MEM_HIGH	BIT(7)
#define HVMM_GIVEN_MEM_MIN	BIT(8)
#define HVMM_GIVEN_MEM		(HVMM_GIVEN_MEM_MAX | HVMM_GIVEN_MEM_HIGH | HVMM_GIVEN_MEM_MIN)

/**
 * struct hvmm_quota_edit - what to change of a VM's quota
 * @vm: the VM, with a reference of the caller's
 * @given: HVMM_GIVEN_* bits: what of @quota and @mem is asked for
 * @quota: the values; what is not given is filled in by hvmm_quota_set()
 * @mem: what it may hold, likewise
 * @limits_err: what is wrong with @mem, if the request is refused for that
 */
struct hvmm_quota_edit {
	struct hvmm_vm *vm;
	unsigned long given;
	struct hvmm_quota quota;
	struct hvmm_mem_limits mem;
	enum hvmm_limits_error limits_err;
};

/* Room for a list of pCPUs in words. */
#define HVMM_QUOTA_PCPUS	32

/**
 * hvmm_quota_pcpus - a list of pCPUs, for words of a refusal
 * @text: filled: as "0-3,8", with "..." in the end where it is longer than fits
 * @mask: the pCPUs
 * @nr: number of bits
 *
 * Return: @text.
 */
const char *hvmm_quota_pcpus(char text[HVMM_QUOTA_PCPUS], const unsigned long *mask,
			     unsigned int nr);

/**
 * hvmm_quota_begin - begin a change of what quotas depend on, as the only one
 * @expected: number that the generation must have, or %NULL
 * @extack: the reason of a refusal
 *
 * Context: may sleep. hvmm_quota_end() has to follow if it succeeds.
 * Return: 0, or -ESTALE if the generation is another.
 */
int hvmm_quota_begin(const u32 *expected, struct netlink_ext_ack *extack);

/**
 * hvmm_quota_end - end what hvmm_quota_begin() has begun
 * @changed: whether something was changed: a new generation begins
 *
 * Return: the generation.
 */
u32 hvmm_quota_end(bool changed);

/**
 * hvmm_quota_set - change quotas of VMs, all or nothing
 * @edits: the changes, each VM at most once
 * @nr: their number, 1 to %HVMM_QUOTA_BATCH_MAX
 * @expected: number that the generation must have, or %NULL
 * @generation: filled with the generation after the change
 * @verdict: filled; err is %HVMM_QUOTA_OK if it was not a quota of pCPUs that was refused; the
 *	     index is that of the change
 * @extack: the reason of a refusal
 *
 * Context: may sleep.
 * Return: 0; -ESTALE (generation), -ENODEV (a VM was destroyed; its index in @verdict),
 * -ERANGE, -EINVAL (a value that cannot be), -ENOSPC (not admitted), -ENOMEM.
 * Limits of memory below what is held take effect for what is asked for from now on;
 * hvmm_mem_reclaim() does the rest.
 */
int hvmm_quota_set(struct hvmm_quota_edit *edits, unsigned int nr, const u32 *expected,
		   u32 *generation, struct hvmm_quota_verdict *verdict,
		   struct netlink_ext_ack *extack);

/**
 * hvmm_quota_first - give a VM that nobody can see yet its first quota
 * @edit: the quota; what is not given is the default
 * @verdict: filled as by hvmm_quota_set()
 * @extack: the reason of a refusal
 *
 * The generation stays: hvmm_quota_touch() when the VM is visible.
 *
 * Context: may sleep.
 * Return: as hvmm_quota_set().
 */
int hvmm_quota_first(struct hvmm_quota_edit *edit, struct hvmm_quota_verdict *verdict,
		     struct netlink_ext_ack *extack);

/**
 * hvmm_quota_touch - begin a new generation: there is another VM
 *
 * Context: may sleep.
 */
void hvmm_quota_touch(void);

/**
 * hvmm_quota_drop - give back what a VM that was just marked dead has reserved
 * @vm: the VM; its quota does not change any more
 *
 * Context: may sleep.
 */
void hvmm_quota_drop(struct hvmm_vm *vm);

/**
 * hvmm_quota_undo - give back what hvmm_quota_first() has granted
 * @vm: the VM, which has not become visible
 *
 * Context: may sleep.
 */
void hvmm_quota_undo(struct hvmm_vm *vm);

/**
 * hvmm_quota_read - present quota of a VM
 * @vm: the VM
 * @quota: filled
 *
 * Context: may sleep.
 * Return: the generation that it belongs to.
 */
u32 hvmm_quota_read(struct hvmm_vm *vm, struct hvmm_quota *quota);

/**
 * hvmm_quota_generation - changes whenever a quota, or what quotas depend on, does
 *
 * Context: any.
 * Return: the generation, never 0.
 */
u32 hvmm_quota_generation(void);

#endif
