/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of ctl/ share; nl-gen.h is the generated part. */
#ifndef HVMM_CTL_NL_H
#define HVMM_CTL_NL_H

#include "core/quota.h"
#include "core/vm.h"
#include "ctl/nl-gen.h"

/* Where a request's VM is between pre_doit, doit and post_doit. */
static inline struct hvmm_vm *hvmm_nl_vm(const struct genl_info *info)
{
	return info->user_ptr[0];
}

/**
 * struct hvmm_nl_cursor - how far a dump has come, in &netlink_callback.ctx
 * @only: id of the one VM that is wanted, 0 for all
 * @vm: lowest VM id not yet done
 * @vcpu: lowest vCPU of that VM not yet done
 */
struct hvmm_nl_cursor {
	u32 only;
	u32 vm;
	u32 vcpu;
};

static inline struct hvmm_nl_cursor *hvmm_nl_cursor(struct netlink_callback *cb)
{
	static_assert(sizeof(struct hvmm_nl_cursor) <= sizeof(cb->ctx));

	return (struct hvmm_nl_cursor *)cb->ctx;
}

/**
 * hvmm_nl_need - refuse a request that lacks an attribute
 * @info: the request
 * @attr: number of the attribute, from the top level
 * @name: its name, for people
 *
 * Return: 0, or -EINVAL with the extended ack filled.
 */
int hvmm_nl_need(struct genl_info *info, int attr, const char *name);

/**
 * hvmm_nl_find - the VM that attributes name
 * @attrs: attributes of a set that has id and name as the first two
 * @extack: the reason of a refusal
 *
 * Context: may sleep.
 * Return: the VM with a reference, %NULL if neither attribute is there, or an ERR_PTR:
 * -EINVAL (both), -ENOENT.
 */
struct hvmm_vm *hvmm_nl_find(struct nlattr **attrs, struct netlink_ext_ack *extack);

/**
 * hvmm_nl_put_vm - the attributes of a VM
 * @skb: message
 * @vm: the VM
 * @config: whether the config goes with them
 *
 * Context: &hvmm_vm.lock held; may sleep.
 * Return: 0 or -EMSGSIZE.
 */
int hvmm_nl_put_vm(struct sk_buff *skb, struct hvmm_vm *vm, bool config);

/**
 * hvmm_nl_dump_begin - begin a message of a dump
 * @skb: messages
 * @cb: the dump
 *
 * Marks the message if the set of VMs has changed since the dump began.
 *
 * Return: the message's header, or %NULL if there is no room.
 */
void *hvmm_nl_dump_begin(struct sk_buff *skb, struct netlink_callback *cb);

/**
 * hvmm_nl_dump - call a function for each VM that a dump has not yet done
 * @skb: messages
 * @cb: the dump
 * @fn: adds messages about a VM; any error ends this round, and the VM comes
 *      again in the next
 *
 * Context: may sleep.
 * Return: 0 when all are done, or @fn's error.
 */
int hvmm_nl_dump(struct sk_buff *skb, struct netlink_callback *cb,
		 int (*fn)(struct sk_buff *skb, struct netlink_callback *cb,
			   struct hvmm_vm *vm));

/**
 * hvmm_nl_notify - tell listeners of an event of a VM
 * @vm: the VM
 * @event: the event
 *
 * Context: process; &hvmm_vm.lock held; may sleep.
 */
void hvmm_nl_notify(struct hvmm_vm *vm, enum hvmm_vm_event event);

/**
 * hvmm_nl_notify_pcpus - tell listeners that hvmm uses the pCPUs in another way
 *
 * Context: process; may sleep.
 */
void hvmm_nl_notify_pcpus(void);

/**
 * hvmm_nl_notify_policy - tell listeners that a scheduling policy was taken out
 * @dom: the domain
 * @policy: its name
 * @why: what it did
 *
 * Context: may sleep.
 */
void hvmm_nl_notify_policy(unsigned int dom, const char *policy, const char *why);

/**
 * hvmm_nl_put_host - the attributes of the module as a whole
 * @skb: message
 *
 * Context: may sleep.
 * Return: 0 or -EMSGSIZE.
 */
int hvmm_nl_put_host(struct sk_buff *skb);

/**
 * hvmm_nl_get_mask - a set of pCPUs
 * @attr: the attribute
 * @mask: filled, %HVMM_RES_MAX bits; of an empty attribute all
 * @extack: the reason of a refusal
 *
 * Return: 0 or -EINVAL.
 */
int hvmm_nl_get_mask(const struct nlattr *attr, unsigned long *mask,
		     struct netlink_ext_ack *extack);

/* quota.c: what vm.c needs of it */
int hvmm_nl_get_quota(struct nlattr **attrs, struct hvmm_quota_edit *edit,
		      struct netlink_ext_ack *extack);
void hvmm_nl_blame_quota(struct nlattr **attrs, const struct hvmm_quota_verdict *verdict,
			 const struct hvmm_quota_edit *edit, struct netlink_ext_ack *extack);
int hvmm_nl_put_quota(struct sk_buff *skb, struct hvmm_vm *vm);

/**
 * hvmm_nl_reply_u32 - answer with a single number
 * @info: the request
 * @attr: attribute
 * @value: its value
 *
 * Return: 0 or -errno.
 */
int hvmm_nl_reply_u32(struct genl_info *info, int attr, u32 value);

#endif
