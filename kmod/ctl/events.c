// SPDX-License-Identifier: GPL-2.0
/*
 * Life-cycle events. They go to the initial network namespace only, as reading
 * is free there and nowhere else.
 *
 * No rate limit is needed: a guest can cause one event (it stops), then somebody
 * must ask to start it again.
 */
#include <net/net_namespace.h>

#include "ctl/nl.h"

static const u8 commands[] = {
	[HVMM_VM_EVENT_CREATED]		= HVMM_CMD_VM_NEW_NTF,
	[HVMM_VM_EVENT_STATE]		= HVMM_CMD_VM_STATE_NTF,
	[HVMM_VM_EVENT_DESTROYED]	= HVMM_CMD_VM_DEL_NTF,
};

static struct sk_buff *message(struct hvmm_vm *vm, u8 cmd)
{
	struct sk_buff *skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	void *hdr;

	if (!skb)
		return NULL;
	hdr = genlmsg_put(skb, 0, 0, &hvmm_nl_family, 0, cmd);
	if (!hdr || hvmm_nl_put_vm(skb, vm, false)) {
		nlmsg_free(skb);
		return NULL;
	}
	genlmsg_end(skb, hdr);
	return skb;
}

void hvmm_nl_notify(struct hvmm_vm *vm, enum hvmm_vm_event event)
{
	struct sk_buff *skb;

	if (event >= ARRAY_SIZE(commands) ||
	    !genl_has_listeners(&hvmm_nl_family, &init_net, HVMM_NLGRP_LIFECYCLE))
		return;

	skb = message(vm, commands[event]);
	if (skb)
		genlmsg_multicast_netns(&hvmm_nl_family, &init_net, skb, 0,
					HVMM_NLGRP_LIFECYCLE, GFP_KERNEL);
	else
		/* Listeners learn that they missed something: recv() gives ENOBUFS. */
		genl_set_err(&hvmm_nl_family, &init_net, 0, HVMM_NLGRP_LIFECYCLE, -ENOBUFS);
}
