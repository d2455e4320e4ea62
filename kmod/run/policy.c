// SPDX-License-Identifier: GPL-2.0
/* What is made of a scheduling policy that misbehaved: a line in the log, and an event. */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/atomic.h>
#include <linux/irq_work.h>
#include <linux/llist.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "run/policy.h"
#include "run/runner.h"

/**
 * struct notice - a policy that was taken out of a domain
 * @node: in the list of those that nobody was told of yet
 * @dom: the domain
 * @policy: its name
 * @why: what it did
 */
struct notice {
	struct llist_node node;
	unsigned int dom;
	const char *policy;
	const char *why;
};

static void tell(struct work_struct *work);
static void tell_soon(struct irq_work *work);

/* One for each policy and domain, since a policy is taken out once. */
static struct notice *notices;
static unsigned int nr_notices;
static atomic_t taken;
static LLIST_HEAD(untold);
static DECLARE_WORK(tell_work, tell);
static DEFINE_IRQ_WORK(tell_irq_work, tell_soon);
static DEFINE_MUTEX(listener_lock);
static void (*listener)(unsigned int dom, const char *policy, const char *why);

static void tell(struct work_struct *work)
{
	struct notice *notice;

	mutex_lock(&listener_lock);
	llist_for_each_entry(notice, llist_reverse_order(llist_del_all(&untold)), node)
		if (listener)
			listener(notice->dom, notice->policy, notice->why);
	mutex_unlock(&listener_lock);
}

static void tell_soon(struct irq_work *work)
{
	schedule_work(&tell_work);
}

void hvmm_policy_broken(unsigned int dom, const char *policy, const char *why)
{
	unsigned int i = atomic_inc_return(&taken) - 1;

	/* Said once and for all: a policy is not given a second chance. */
	pr_err("domain %u: scheduling policy %s %s: taken out\n", dom, policy, why);
	if (WARN_ON_ONCE(i >= nr_notices))
		return;
	notices[i].dom = dom;
	notices[i].policy = policy;
	notices[i].why = why;
	llist_add(&notices[i].node, &untold);
	/* A work item's locks are not for a section in which a domain's lock is held. */
	irq_work_queue(&tell_irq_work);
}

void hvmm_policy_set_listener(void (*fn)(unsigned int dom, const char *policy, const char *why))
{
	mutex_lock(&listener_lock);
	listener = fn;
	mutex_unlock(&listener_lock);
}

int hvmm_policies_init(unsigned int nr_domains)
{
	nr_notices = nr_domains * (HVMM_SCHED_CLASSES - 1);
	notices = kcalloc(nr_notices, sizeof(*notices), GFP_KERNEL);
	return notices ? 0 : -ENOMEM;
}

void hvmm_policies_exit(void)
{
	irq_work_sync(&tell_irq_work);
	cancel_work_sync(&tell_work);
	kfree(notices);
	notices = NULL;
}

#ifdef HVMM_DEBUG
/* echo fair >/sys/module/hvmm/parameters/condemn: on all pCPUs, as if it had misbehaved. */
static int condemn_set(const char *val, const struct kernel_param *kp)
{
	char policy[16];
	unsigned int cpu;
	int err = -ENOENT;

	/* Not at load, when there is nothing to be taken out of. */
	if (!notices)
		return -EBUSY;
	if (strscpy(policy, val, sizeof(policy)) < 0)
		return -EINVAL;
	for_each_possible_cpu(cpu) {
		err = hvmm_sched_condemn(hvmm_runner_resource(cpu), strim(policy),
					 "was condemned by hand");
		if (err && err != -EALREADY)
			return err;
	}
	return 0;
}

static const struct kernel_param_ops condemn_ops = { .set = condemn_set };
module_param_cb(condemn, &condemn_ops, NULL, 0200);
MODULE_PARM_DESC(condemn, "take a scheduling policy out, to see what comes after");
#endif
