// SPDX-License-Identifier: GPL-2.0
/*
 * Events. They go to the initial network namespace only, as reading is free there and
 * nowhere else.
 *
 * What a guest can cause is limited: it stops, then somebody must ask to start it again;
 * it waits for memory, which core/ tells of once in a second. All others are caused by
 * requests.
 */
#include <net/net_namespace.h>

#include "ctl/nl.h"

static const struct {
	u8 cmd;
	u8 group;
} events[] = {
	[HVMM_VM_EVENT_CREATED]		= { HVMM_CMD_VM_NEW_NTF, HVMM_NLGRP_LIFECYCLE },
	[HVMM_VM_EVENT_STATE]		= { HVMM_CMD_VM_STATE_NTF, HVMM_NLGRP_LIFECYCLE },
	[HVMM_VM_EVENT_DESTROYED]	= { HVMM_CMD_VM_DEL_NTF, HVMM_NLGRP_LIFECYCLE },
	[HVMM_VM_EVENT_QUOTA]		= { HVMM_CMD_VM_SET_NTF, HVMM_NLGRP_QUOTA },
	[HVMM_VM_EVENT_MEMORY]		= { HVMM_CMD_VM_MEMORY_NTF, HVMM_NLGRP_QUOTA },
};

/* About @vm, or about the host. */
static struct sk_buff *message(struct hvmm_vm *vm, u8 cmd)
{
	struct sk_buff *skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	void *hdr;

	if (!skb)
		return NULL;
	hdr = genlmsg_put(skb, 0, 0, &hvmm_nl_family, 0, cmd);
	if (!hdr || (vm ? hvmm_nl_put_vm(skb, vm, false) : hvmm_nl_put_host(skb))) {
		nlmsg_free(skb);
		return NULL;
	}
	genlmsg_end(skb, hdr);
	return skb;
}

static void tell(struct hvmm_vm *vm, u8 cmd, u8 group)
{
	struct sk_buff *skb;

	if (!genl_has_listeners(&hvmm_nl_family, &init_net, group))
		return;

	skb = message(vm, cmd);
	if (skb)
		genlmsg_multicast_netns(&hvmm_nl_family, &init_net, skb, 0, group, GFP_KERNEL);
	else
		/* Listeners learn that they missed something: recv() gives ENOBUFS. */
		genl_set_err(&hvmm_nl_family, &init_net, 0, group, -ENOBUFS);
}

void hvmm_nl_notify(struct hvmm_vm *vm, enum hvmm_vm_event event)
{
	if (event < ARRAY_SIZE(events))
		tell(vm, events[event].cmd, events[event].group);
}

void hvmm_nl_notify_pcpus(void)
{
	tell(NULL, HVMM_CMD_PCPU_SET_NTF, HVMM_NLGRP_QUOTA);
}

void hvmm_nl_notify_policy(unsigned int dom, const char *policy, const char *why)
{
	struct sk_buff *skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	void *hdr;

	if (!skb)
		goto missed;
	hdr = genlmsg_put(skb, 0, 0, &hvmm_nl_family, 0, HVMM_CMD_PCPU_POLICY_NTF);
	if (!hdr || nla_put_u32(skb, HVMM_A_PCPU_DOMAIN, dom) ||
	    nla_put_string(skb, HVMM_A_PCPU_POLICY, policy) ||
	    nla_put_string(skb, HVMM_A_PCPU_WHY, why)) {
		nlmsg_free(skb);
		goto missed;
	}
	genlmsg_end(skb, hdr);
	genlmsg_multicast_netns(&hvmm_nl_family, &init_net, skb, 0, HVMM_NLGRP_QUOTA, GFP_KERNEL);
	return;

missed:
	genl_set_err(&hvmm_nl_family, &init_net, 0, HVMM_NLGRP_QUOTA, -ENOBUFS);
}
