// SPDX-License-Identifier: GPL-2.0
/*
 * Changes of quotas, one transaction after another. The scheduler decides, for new
 * VMs and old ones alike; here its verdict is put into words.
 */
#include <linux/bitmap.h>
#include <linux/mutex.h>
#include <linux/netlink.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timekeeping.h>

#include "core/quota.h"
#include "core/vm.h"

/* Inside &hvmm_vm.lock, outside the scheduler's own. */
static DEFINE_MUTEX(quota_lock);
static u32 generation = 1;
/* Too large for a stack; guarded by quota_lock. */
static struct hvmm_quota scratch;

u32 hvmm_quota_generation(void)
{
	return READ_ONCE(generation);
}

int hvmm_quota_begin(const u32 *expected, struct netlink_ext_ack *extack)
{
	mutex_lock(&quota_lock);
	if (!expected || *expected == generation)
		return 0;
	NL_SET_ERR_MSG_FMT(extack, "generation: %u expected, but it is %u by now", *expected,
			   generation);
	mutex_unlock(&quota_lock);
	return -ESTALE;
}

u32 hvmm_quota_end(bool changed)
{
	u32 now;

	lockdep_assert_held(&quota_lock);
	if (changed)
		WRITE_ONCE(generation, generation + 1 ?: 1);
	now = generation;
	mutex_unlock(&quota_lock);
	return now;
}

void hvmm_quota_touch(void)
{
	mutex_lock(&quota_lock);
	hvmm_quota_end(true);
}

const char *hvmm_quota_pcpus(char text[HVMM_QUOTA_PCPUS], const unsigned long *mask,
			     unsigned int nr)
{
	if (snprintf(text, HVMM_QUOTA_PCPUS, "%*pbl", nr, mask) >= HVMM_QUOTA_PCPUS)
		strscpy(text + HVMM_QUOTA_PCPUS - 4, "...", 4);
	return text;
}

/* Not longer than an extended ack can be, which is 79 characters. */
static int refuse(const struct hvmm_quota_verdict *verdict, const struct hvmm_quota *quota,
		  struct netlink_ext_ack *extack)
{
	char pcpus[HVMM_QUOTA_PCPUS];
	u64 least;

	lockdep_assert_held(&quota_lock);
	switch (verdict->err) {
	case HVMM_QUOTA_OK:
		break;
	case HVMM_QUOTA_WEIGHT:
		NL_SET_ERR_MSG_FMT(extack, "cpu-weight: %u, possible are %u to %u", quota->weight,
				   HVMM_WEIGHT_MIN, HVMM_WEIGHT_MAX);
		return -ERANGE;
	case HVMM_QUOTA_MAX:
		least = DIV_ROUND_UP_ULL(quota->period_ns, HVMM_CAP_MIN_DIV);
		if (quota->max_ns < least)
			NL_SET_ERR_MSG_FMT(extack, "cpu-max: %llu ns of %llu, at least %llu needed",
					   quota->max_ns, quota->period_ns, least);
		else
			NL_SET_ERR_MSG_FMT(extack,
					   "cpu-max: %llu ns of %llu, at most %llu possible",
					   quota->max_ns, quota->period_ns,
					   quota->period_ns * HVMM_RES_MAX);
		return -ERANGE;
	case HVMM_QUOTA_PERIOD:
		NL_SET_ERR_MSG_FMT(extack, "cpu-period: %llu ns, possible are %llu to %llu",
				   quota->period_ns, HVMM_CAP_PERIOD_MIN, HVMM_CAP_PERIOD_MAX);
		return -ERANGE;
	case HVMM_QUOTA_BURST:
		NL_SET_ERR_MSG_FMT(extack, "cpu-burst: %llu ns asked, at most %llu is possible",
				   quota->burst_ns, HVMM_CAP_BURST_MAX);
		return -ERANGE;
	case HVMM_QUOTA_AFFINITY:
		hvmm_sched_online(scratch.affinity);
		NL_SET_ERR_MSG_FMT(extack, "cpu-affinity: hvmm uses pCPUs %s, none of these",
				   hvmm_quota_pcpus(pcpus, scratch.affinity, nr_cpu_ids));
		return -EINVAL;
	case HVMM_QUOTA_MIN_UNITS:
		NL_SET_ERR_MSG_FMT(extack, "cpu-min: %u ppm asked, its vCPUs can use %u ppm",
				   quota->min_ppm, verdict->bound);
		return -EINVAL;
	case HVMM_QUOTA_MIN_OVER_MAX:
		NL_SET_ERR_MSG_FMT(extack, "cpu-min: %u ppm asked, cpu-max is %llu ns of %llu",
				   quota->min_ppm, quota->max_ns, quota->period_ns);
		return -EINVAL;
	case HVMM_QUOTA_MIN_ADMIT:
		NL_SET_ERR_MSG_FMT(extack, "cpu-min: %u ppm asked, at most %u ppm can be reserved",
				   quota->min_ppm, verdict->bound);
		return -ENOSPC;
	}
	NL_SET_ERR_MSG(extack, "the scheduler refuses this quota");
	return -EINVAL;
}

/* What is not given stays as it is. */
static void fill_in(struct hvmm_quota_edit *edit)
{
	struct hvmm_quota *quota = &edit->quota, *now = &scratch;

	lockdep_assert_held(&quota_lock);
	hvmm_group_quota(edit->vm->group, now);
	if (!(edit->given & HVMM_GIVEN_WEIGHT))
		quota->weight = now->weight;
	if (!(edit->given & HVMM_GIVEN_MAX))
		quota->max_ns = now->max_ns;
	if (!(edit->given & HVMM_GIVEN_PERIOD))
		quota->period_ns = now->period_ns;
	if (!(edit->given & HVMM_GIVEN_BURST))
		quota->burst_ns = now->burst_ns;
	if (!(edit->given & HVMM_GIVEN_MIN))
		quota->min_ppm = now->min_ppm;
	if (!(edit->given & HVMM_GIVEN_AFFINITY))
		bitmap_copy(quota->affinity, now->affinity, HVMM_RES_MAX);
}

static bool only_memory(const struct hvmm_quota_edit *edits, unsigned int nr)
{
	while (nr--)
		if (edits[nr].given & ~(unsigned long)HVMM_GIVEN_MEM)
			return false;
	return true;
}

static int set_locked(struct hvmm_quota_edit *edits, unsigned int nr,
		      struct hvmm_quota_verdict *verdict, struct netlink_ext_ack *extack)
{
	struct hvmm_quota_change *changes;
	unsigned int i;
	int err = 0;

	lockdep_assert_held(&quota_lock);
	changes = kcalloc(nr, sizeof(*changes), GFP_KERNEL_ACCOUNT);
	if (!changes)
		return -ENOMEM;
	for (i = 0; i < nr; i++) {
		/* Once it is marked dead, hvmm_quota_drop() waits for the lock. */
		if (READ_ONCE(edits[i].vm->dead)) {
			NL_SET_ERR_MSG(extack, "the VM has been destroyed");
			verdict->index = i;
			err = -ENODEV;
			goto free;
		}
		fill_in(&edits[i]);
		changes[i].group = edits[i].vm->group;
		changes[i].quota = &edits[i].quota;
	}
	err = hvmm_limits_check(edits, nr, &verdict->index, extack);
	if (err)
		goto free;
	/* The scheduler has a say in what concerns it only. */
	if (!only_memory(edits, nr) &&
	    !hvmm_sched_set_quota(changes, nr, ktime_get_ns(), verdict))
		err = refuse(verdict, &edits[verdict->index].quota, extack);
	for (i = 0; i < nr && !err; i++)
		hvmm_limits_set(&edits[i]);
free:
	kfree(changes);
	return err;
}

int hvmm_quota_set(struct hvmm_quota_edit *edits, unsigned int nr, const u32 *expected,
		   u32 *now, struct hvmm_quota_verdict *verdict, struct netlink_ext_ack *extack)
{
	int err;

	*verdict = (struct hvmm_quota_verdict) { .err = HVMM_QUOTA_OK };
	err = hvmm_quota_begin(expected, extack);
	if (err)
		return err;
	err = set_locked(edits, nr, verdict, extack);
	*now = hvmm_quota_end(!err);
	return err;
}

int hvmm_quota_first(struct hvmm_quota_edit *edit, struct hvmm_quota_verdict *verdict,
		     struct netlink_ext_ack *extack)
{
	int err;

	*verdict = (struct hvmm_quota_verdict) { .err = HVMM_QUOTA_OK };
	if (!edit->given)
		return 0;
	mutex_lock(&quota_lock);
	err = set_locked(edit, 1, verdict, extack);
	hvmm_quota_end(false);
	return err;
}

void hvmm_quota_drop(struct hvmm_vm *vm)
{
	struct hvmm_quota_change change = { .group = vm->group, .quota = &scratch };
	struct hvmm_quota_verdict verdict;

	mutex_lock(&quota_lock);
	hvmm_quota_default(&scratch);
	/*
	 * This gives back only. It is refused only where hvmm has no pCPU just now; then the group
	 * takes with it what it has.
	 */
	hvmm_sched_set_quota(&change, 1, ktime_get_ns(), &verdict);
	hvmm_limits_drop(vm);
	hvmm_quota_end(true);
}

void hvmm_quota_undo(struct hvmm_vm *vm)
{
	mutex_lock(&quota_lock);
	/* The group takes what it has of the pCPUs with it. */
	hvmm_limits_drop(vm);
	hvmm_quota_end(false);
}

u32 hvmm_quota_read(struct hvmm_vm *vm, struct hvmm_quota *quota)
{
	mutex_lock(&quota_lock);
	hvmm_group_quota(vm->group, quota);
	return hvmm_quota_end(false);
}
