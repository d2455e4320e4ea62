// SPDX-License-Identifier: GPL-2.0
/* Quotas in requests and answers. */
#include <string.h>

#include "quota.h"

static uint64_t number(const struct nlattr *attr)
{
	return attr ? hv_nl_uint(attr) : 0;
}

void hv_quota_parse(struct nlattr *const *tb, struct hv_quota *quota)
{
	const struct nlattr *affinity = tb[HVMM_A_VM_CPU_AFFINITY];

	memset(quota, 0, sizeof(*quota));
	quota->weight = (uint32_t)number(tb[HVMM_A_VM_CPU_WEIGHT]);
	quota->max = number(tb[HVMM_A_VM_CPU_MAX]);
	quota->period = number(tb[HVMM_A_VM_CPU_PERIOD]);
	quota->burst = number(tb[HVMM_A_VM_CPU_BURST]);
	quota->min = (uint32_t)number(tb[HVMM_A_VM_CPU_MIN]);
	quota->mem_max = number(tb[HVMM_A_VM_MEM_MAX]);
	quota->mem_high = number(tb[HVMM_A_VM_MEM_HIGH]);
	quota->mem_min = number(tb[HVMM_A_VM_MEM_MIN]);
	quota->mem_held = number(tb[HVMM_A_VM_MEM_HELD]);
	quota->stall = number(tb[HVMM_A_VM_CPU_STALL]);
	quota->generation = (uint32_t)number(tb[HVMM_A_VM_GENERATION]);
	if (affinity && nla_len(affinity) <= (int)sizeof(quota->affinity.bits)) {
		quota->affinity.len = (size_t)nla_len(affinity);
		memcpy(quota->affinity.bits, nla_data(affinity), quota->affinity.len);
	}
}

void hv_quota_put(struct nl_msg *msg, const struct hv_quota *quota)
{
	if (hv_quota_has(quota, HVMM_A_VM_CPU_WEIGHT))
		hv_nl_put_u32(msg, HVMM_A_VM_CPU_WEIGHT, quota->weight);
	if (hv_quota_has(quota, HVMM_A_VM_CPU_MAX))
		hv_nl_put_uint(msg, HVMM_A_VM_CPU_MAX, quota->max);
	if (hv_quota_has(quota, HVMM_A_VM_CPU_PERIOD))
		hv_nl_put_uint(msg, HVMM_A_VM_CPU_PERIOD, quota->period);
	if (hv_quota_has(quota, HVMM_A_VM_CPU_BURST))
		hv_nl_put_uint(msg, HVMM_A_VM_CPU_BURST, quota->burst);
	if (hv_quota_has(quota, HVMM_A_VM_CPU_MIN))
		hv_nl_put_u32(msg, HVMM_A_VM_CPU_MIN, quota->min);
	if (hv_quota_has(quota, HVMM_A_VM_CPU_AFFINITY))
		hv_nl_put(msg, HVMM_A_VM_CPU_AFFINITY, quota->affinity.bits, quota->affinity.len);
	if (hv_quota_has(quota, HVMM_A_VM_MEM_MAX))
		hv_nl_put_uint(msg, HVMM_A_VM_MEM_MAX, quota->mem_max);
	if (hv_quota_has(quota, HVMM_A_VM_MEM_HIGH))
		hv_nl_put_uint(msg, HVMM_A_VM_MEM_HIGH, quota->mem_high);
	if (hv_quota_has(quota, HVMM_A_VM_MEM_MIN))
		hv_nl_put_uint(msg, HVMM_A_VM_MEM_MIN, quota->mem_min);
}

/* What was given back, and what is still held. */
struct outcome {
	uint64_t reclaimed;
	uint64_t held;
};

static int take_outcome(const struct nlmsghdr *nlh, void *arg, struct hv_error *err)
{
	struct nlattr *tb[HVMM_A_VM_MAX + 1];
	struct outcome *o = arg;

	if (nlmsg_parse((struct nlmsghdr *)nlh, GENL_HDRLEN, tb, HVMM_A_VM_MAX, NULL))
		return hv_fail(err, "the kernel's answer is not what was expected");
	o->reclaimed = number(tb[HVMM_A_VM_RECLAIMED]);
	o->held = number(tb[HVMM_A_VM_MEM_HELD]);
	return 0;
}

int hv_quota_set(struct hv_nl *nl, char *const *names, int count, const struct hv_quota *quota,
		 const uint32_t *generation, uint64_t *reclaimed, struct hv_error *err)
{
	struct outcome o = { 0, 0 };
	struct nl_msg *msg;
	struct nlattr *nest;
	int i, ret;

	if (count > HVMM_CHANGES_MAX)
		return hv_fail(err, "more than %u VMs in one change", HVMM_CHANGES_MAX);
	msg = hv_nl_message_of(nl, HVMM_CMD_VM_SET, 0,
			       (size_t)count * (HVMM_NAME_MAX + HVMM_CPU_MASK_MAX + 128));
	if (generation)
		hv_nl_put_u32(msg, HVMM_A_VM_GENERATION, *generation);
	for (i = 0; i < count; i++) {
		if (strlen(names[i]) > HVMM_NAME_MAX) {
			nlmsg_free(msg);
			return hv_fail_code(err, HV_EXIT_NO_VM, "no VM has a name as long as '%s'",
					    names[i]);
		}
		nest = nla_nest_start(msg, HVMM_A_VM_CHANGE | NLA_F_NESTED);
		hv_nl_put_string(msg, HVMM_A_VM_NAME, names[i]);
		hv_quota_put(msg, quota);
		nla_nest_end(msg, nest);
	}
	ret = hv_nl_request(nl, msg, take_outcome, &o, NULL, err);
	*reclaimed = o.reclaimed;
	return ret;
}

int hv_reclaim(struct hv_nl *nl, const char *name, uint64_t bytes, uint64_t *reclaimed,
	       uint64_t *held, struct hv_error *err)
{
	struct outcome o = { 0, 0 };
	struct nl_msg *msg;
	int ret;

	if (strlen(name) > HVMM_NAME_MAX)
		return hv_fail_code(err, HV_EXIT_NO_VM, "no VM has a name as long as '%s'", name);
	msg = hv_nl_message(nl, HVMM_CMD_VM_RECLAIM, 0);
	hv_nl_put_string(msg, HVMM_A_VM_NAME, name);
	hv_nl_put_uint(msg, HVMM_A_VM_RECLAIM, bytes);
	ret = hv_nl_request(nl, msg, take_outcome, &o, NULL, err);
	*reclaimed = o.reclaimed;
	*held = o.held;
	return ret;
}

int hv_pcpu_set(struct hv_nl *nl, const struct hv_cpus *use, uint32_t host_share,
		const uint32_t *generation, struct hv_error *err)
{
	struct nl_msg *msg = hv_nl_message(nl, HVMM_CMD_PCPU_SET, 0);

	if (use)
		hv_nl_put(msg, HVMM_A_PCPU_USE, use->bits, use->len);
	if (host_share)
		hv_nl_put_u32(msg, HVMM_A_PCPU_HOST_SHARE, host_share);
	if (generation)
		hv_nl_put_u32(msg, HVMM_A_PCPU_GENERATION, *generation);
	return hv_nl_request(nl, msg, NULL, NULL, NULL, err);
}
