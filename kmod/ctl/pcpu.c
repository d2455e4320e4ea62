// SPDX-License-Identifier: GPL-2.0
/* What hvmm uses of the host's pCPUs, and what it does there. */
#include <linux/cpumask.h>
#include <linux/nospec.h>
#include <linux/slab.h>

#include "ctl/nl.h"
#include "run/pcpu.h"
#include "run/runner.h"

static int put_policies(struct sk_buff *skb, unsigned int cpu)
{
	char names[64] = "";
	const char *name;
	unsigned int i;

	for (i = 0; i < HVMM_SCHED_CLASSES; i++) {
		name = hvmm_sched_policy(hvmm_runner_resource(cpu), i);
		if (!name)
			continue;
		if (*names)
			strlcat(names, ",", sizeof(names));
		strlcat(names, name, sizeof(names));
	}
	return nla_put_string(skb, HVMM_A_PCPU_POLICIES, names);
}

static int put_pcpu(struct sk_buff *skb, unsigned int cpu)
{
	struct hvmm_load_sample load;
	unsigned int dom, nr_waiting;

	hvmm_runner_load(cpu, &load);
	dom = hvmm_runner_domain(cpu, &nr_waiting);
	if (nla_put_u32(skb, HVMM_A_PCPU_ID, cpu) ||
	    nla_put_u32(skb, HVMM_A_PCPU_ONLINE, cpu_online(cpu)) ||
	    nla_put_u32(skb, HVMM_A_PCPU_USED, hvmm_pcpu_used(cpu)) ||
	    nla_put_u32(skb, HVMM_A_PCPU_DOMAIN, dom) ||
	    nla_put_uint(skb, HVMM_A_PCPU_WALL, load.wall) ||
	    nla_put_uint(skb, HVMM_A_PCPU_RUN, load.ns[HVMM_LOAD_RUN]) ||
	    nla_put_uint(skb, HVMM_A_PCPU_HOST, load.ns[HVMM_LOAD_HOST]) ||
	    nla_put_uint(skb, HVMM_A_PCPU_IDLE, load.ns[HVMM_LOAD_IDLE]) ||
	    nla_put_u32(skb, HVMM_A_PCPU_WAITING, nr_waiting))
		return -EMSGSIZE;
	if (put_policies(skb, cpu))
		return -EMSGSIZE;
	if (load.vm && (nla_put_u32(skb, HVMM_A_PCPU_VM, load.vm) ||
			nla_put_u32(skb, HVMM_A_PCPU_VCPU, load.vcpu)))
		return -EMSGSIZE;
	return 0;
}

int hvmm_nl_pcpu_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct sk_buff *reply;
	unsigned int cpu;
	void *hdr;
	int err;

	err = hvmm_nl_need(info, HVMM_A_PCPU_ID, "id");
	if (err)
		return err;
	cpu = nla_get_u32(info->attrs[HVMM_A_PCPU_ID]);
	if (cpu >= nr_cpu_ids || !cpu_possible(cpu)) {
		NL_SET_ERR_MSG_ATTR_FMT(info->extack, info->attrs[HVMM_A_PCPU_ID],
					"there is no pCPU %u, the last is %u", cpu,
					nr_cpu_ids - 1);
		return -ENOENT;
	}
	cpu = array_index_nospec(cpu, nr_cpu_ids);

	reply = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!reply)
		return -ENOMEM;
	hdr = genlmsg_iput(reply, info);
	err = hdr ? put_pcpu(reply, cpu) : -EMSGSIZE;
	if (err) {
		nlmsg_free(reply);
		return err;
	}
	genlmsg_end(reply, hdr);
	return genlmsg_reply(reply, info);
}

int hvmm_nl_pcpu_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct hvmm_nl_cursor *cursor = hvmm_nl_cursor(cb);
	unsigned int cpu;
	void *hdr;
	int err;

	for (cpu = cursor->vcpu; cpu < nr_cpu_ids; cpu++) {
		if (!cpu_possible(cpu))
			continue;
		cursor->vcpu = cpu;
		hdr = __genlmsg_iput(skb, genl_info_dump(cb), NLM_F_MULTI);
		err = hdr ? put_pcpu(skb, cpu) : -EMSGSIZE;
		if (err) {
			genlmsg_cancel(skb, hdr);
			return err;
		}
		genlmsg_end(skb, hdr);
	}
	cursor->vcpu = nr_cpu_ids;
	return 0;
}

int hvmm_nl_pcpu_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *use = info->attrs[HVMM_A_PCPU_USE];
	struct nlattr *share = info->attrs[HVMM_A_PCPU_HOST_SHARE];
	struct nlattr *attr = info->attrs[HVMM_A_PCPU_GENERATION];
	struct hvmm_pcpu_choice choice = {};
	u32 expected, generation;
	unsigned long *mask;
	cpumask_var_t cpus;
	int err;

	if (!use && !share) {
		NL_SET_ERR_ATTR_MISS(info->extack, NULL, HVMM_A_PCPU_USE);
		NL_SET_ERR_MSG(info->extack, "neither use nor host-share is given");
		return -EINVAL;
	}
	mask = bitmap_zalloc(HVMM_RES_MAX, GFP_KERNEL);
	if (!mask)
		return -ENOMEM;
	if (!zalloc_cpumask_var(&cpus, GFP_KERNEL)) {
		bitmap_free(mask);
		return -ENOMEM;
	}
	if (use) {
		err = hvmm_nl_get_mask(use, mask, info->extack);
		if (err)
			goto free;
		/* Not more than HVMM_RES_MAX: the runners saw to that. */
		bitmap_copy(cpumask_bits(cpus), mask, nr_cpu_ids);
		choice.use = cpus;
	}
	if (share)
		choice.host_share = nla_get_u32(share);
	if (attr) {
		expected = nla_get_u32(attr);
		choice.expected = &expected;
	}
	err = hvmm_pcpu_choose(&choice, &generation, info->extack);
	if (err == -ESTALE)
		NL_SET_BAD_ATTR(info->extack, attr);
	else if (err)
		NL_SET_BAD_ATTR(info->extack, choice.use_refused ? use : share);
	else
		hvmm_nl_notify_pcpus();
free:
	free_cpumask_var(cpus);
	bitmap_free(mask);
	return err ?: hvmm_nl_reply_u32(info, HVMM_A_PCPU_GENERATION, generation);
}
