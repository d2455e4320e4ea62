// SPDX-License-Identifier: GPL-2.0
/*
 * Quotas in requests and answers, and the verb that changes them. The policy tables
 * have checked lengths and ranges of numbers; the rest is the scheduler's to judge,
 * through core/quota.c.
 */
#include <linux/bitmap.h>
#include <linux/slab.h>

#include "ctl/nl.h"

static_assert(HVMM_WEIGHT_MAX == HVMM_CPU_WEIGHT_MAX);
static_assert((u64)HVMM_CAP_PERIOD_MAX * HVMM_RES_MAX == HVMM_CPU_MAX_MAX);
static_assert(HVMM_CPU_PERIOD_MIN == HVMM_CAP_PERIOD_MIN);
static_assert(HVMM_CPU_PERIOD_MAX == HVMM_CAP_PERIOD_MAX);
static_assert(HVMM_CPU_BURST_MAX == HVMM_CAP_BURST_MAX);
static_assert((u64)HVMM_PPM * HVMM_RES_MAX == HVMM_CPU_MIN_MAX);
static_assert(BITS_TO_BYTES(HVMM_RES_MAX) == HVMM_CPU_MASK_MAX);
static_assert(HVMM_CHANGES_MAX == HVMM_QUOTA_BATCH_MAX);
static_assert(!HVMM_CAP_NONE);

int hvmm_nl_get_mask(const struct nlattr *attr, unsigned long *mask,
		     struct netlink_ext_ack *extack)
{
	const u8 *bytes = nla_data(attr);
	int len = nla_len(attr), i;
	unsigned long bit;

	if (!len) {
		bitmap_fill(mask, HVMM_RES_MAX);
		return 0;
	}
	if (len > HVMM_CPU_MASK_MAX) {
		NL_SET_ERR_MSG_ATTR_FMT(extack, attr, "longer than %u bytes", HVMM_CPU_MASK_MAX);
		return -EINVAL;
	}
	bitmap_zero(mask, HVMM_RES_MAX);
	for (i = 0; i < len; i++)
		bitmap_set_value8(mask, bytes[i], i * 8);
	if (bitmap_empty(mask, HVMM_RES_MAX)) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "no pCPU is in it");
		return -EINVAL;
	}
	bit = find_last_bit(mask, HVMM_RES_MAX);
	if (bit >= nr_cpu_ids) {
		NL_SET_ERR_MSG_ATTR_FMT(extack, attr, "there is no pCPU %lu, the last is %u", bit,
					nr_cpu_ids - 1);
		return -EINVAL;
	}
	return 0;
}

static int put_mask(struct sk_buff *skb, int attr, const unsigned long *mask)
{
	unsigned int i, len = DIV_ROUND_UP(nr_cpu_ids, 8);
	struct nlattr *nla;
	u8 *bytes;

	if (bitmap_full(mask, nr_cpu_ids))
		len = 0;
	nla = nla_reserve(skb, attr, len);
	if (!nla)
		return -EMSGSIZE;
	bytes = nla_data(nla);
	for (i = 0; i < len; i++)
		bytes[i] = bitmap_get_value8(mask, i * 8);
	return 0;
}

/* No limit is 0 for userspace. */
static u64 from_limit(u64 limit)
{
	return limit == HVMM_MEM_MAX_NONE ? 0 : limit;
}

static int get_limits(struct nlattr **attrs, struct hvmm_quota_edit *edit,
		      struct netlink_ext_ack *extack)
{
	const struct {
		int attr;
		unsigned long given;
		u64 *limit;
		bool none;
	} limits[] = {
		{ HVMM_A_VM_MEM_MAX, HVMM_GIVEN_MEM_MAX, &edit->mem.max, true },
		{ HVMM_A_VM_MEM_HIGH, HVMM_GIVEN_MEM_HIGH, &edit->mem.high, true },
		{ HVMM_A_VM_MEM_MIN, HVMM_GIVEN_MEM_MIN, &edit->mem.min, false },
	};
	unsigned int i;
	u64 value;

	for (i = 0; i < ARRAY_SIZE(limits); i++) {
		struct nlattr *attr = attrs[limits[i].attr];

		if (!attr)
			continue;
		value = nla_get_uint(attr);
		if (value % SZ_4K) {
			NL_SET_ERR_MSG_ATTR(extack, attr, "not a multiple of 4096 bytes");
			return -EINVAL;
		}
		edit->given |= limits[i].given;
		*limits[i].limit = !value && limits[i].none ? HVMM_MEM_MAX_NONE : value;
	}
	return 0;
}

int hvmm_nl_put_quota(struct sk_buff *skb, struct hvmm_vm *vm)
{
	struct hvmm_mem_limits mem;
	struct hvmm_quota quota;
	u32 generation = hvmm_quota_read(vm, &quota);

	hvmm_mem_quota_get(&vm->mem.quota, &mem);

	if (nla_put_u32(skb, HVMM_A_VM_CPU_WEIGHT, quota.weight) ||
	    nla_put_uint(skb, HVMM_A_VM_CPU_MAX, quota.max_ns) ||
	    nla_put_uint(skb, HVMM_A_VM_CPU_PERIOD, quota.period_ns) ||
	    nla_put_uint(skb, HVMM_A_VM_CPU_BURST, quota.burst_ns) ||
	    nla_put_u32(skb, HVMM_A_VM_CPU_MIN, quota.min_ppm) ||
	    put_mask(skb, HVMM_A_VM_CPU_AFFINITY, quota.affinity) ||
	    nla_put_uint(skb, HVMM_A_VM_CPU_STALL,
			 hvmm_sched_cap_stall(&quota, vm->nr_vcpus)) ||
	    nla_put_u32(skb, HVMM_A_VM_GENERATION, generation) ||
	    nla_put_uint(skb, HVMM_A_VM_MEM_MAX, from_limit(mem.max)) ||
	    nla_put_uint(skb, HVMM_A_VM_MEM_HIGH, from_limit(mem.high)) ||
	    nla_put_uint(skb, HVMM_A_VM_MEM_MIN, mem.min) ||
	    nla_put_uint(skb, HVMM_A_VM_MEM_HELD, hvmm_mem_quota_held(&vm->mem.quota)))
		return -EMSGSIZE;
	return 0;
}

/* Return: 0 or -EINVAL, with the attribute named. */
int hvmm_nl_get_quota(struct nlattr **attrs, struct hvmm_quota_edit *edit,
		      struct netlink_ext_ack *extack)
{
	struct hvmm_quota *quota = &edit->quota;
	int err;

	memset(edit, 0, sizeof(*edit));
	if (attrs[HVMM_A_VM_CPU_WEIGHT]) {
		edit->given |= HVMM_GIVEN_WEIGHT;
		quota->weight = nla_get_u32(attrs[HVMM_A_VM_CPU_WEIGHT]);
	}
	if (attrs[HVMM_A_VM_CPU_MAX]) {
		edit->given |= HVMM_GIVEN_MAX;
		quota->max_ns = nla_get_uint(attrs[HVMM_A_VM_CPU_MAX]);
	}
	if (attrs[HVMM_A_VM_CPU_PERIOD]) {
		edit->given |= HVMM_GIVEN_PERIOD;
		quota->period_ns = nla_get_uint(attrs[HVMM_A_VM_CPU_PERIOD]);
	}
	if (attrs[HVMM_A_VM_CPU_BURST]) {
		edit->given |= HVMM_GIVEN_BURST;
		quota->burst_ns = nla_get_uint(attrs[HVMM_A_VM_CPU_BURST]);
	}
	if (attrs[HVMM_A_VM_CPU_MIN]) {
		edit->given |= HVMM_GIVEN_MIN;
		quota->min_ppm = nla_get_u32(attrs[HVMM_A_VM_CPU_MIN]);
	}
	err = get_limits(attrs, edit, extack);
	if (err)
		return err;
	if (!attrs[HVMM_A_VM_CPU_AFFINITY])
		return 0;
	edit->given |= HVMM_GIVEN_AFFINITY;
	return hvmm_nl_get_mask(attrs[HVMM_A_VM_CPU_AFFINITY], quota->affinity, extack);
}

/* The first of up to three attributes that is given. */
static void blame_first(struct nlattr **attrs, const u8 *about, struct netlink_ext_ack *extack)
{
	unsigned int i;

	for (i = 0; i < 3; i++)
		if (about[i] && attrs[about[i]]) {
			NL_SET_BAD_ATTR(extack, attrs[about[i]]);
			return;
		}
}

/* Name the attribute that a verdict is about. */
void hvmm_nl_blame_quota(struct nlattr **attrs, const struct hvmm_quota_verdict *verdict,
			 const struct hvmm_quota_edit *edit, struct netlink_ext_ack *extack)
{
	static const u8 limits[][3] = {
		[HVMM_LIMITS_MAX_HOST]	  = { HVMM_A_VM_MEM_MAX },
		[HVMM_LIMITS_HIGH_MAX]	  = { HVMM_A_VM_MEM_HIGH, HVMM_A_VM_MEM_MAX },
		[HVMM_LIMITS_MIN_MAX]	  = { HVMM_A_VM_MEM_MIN, HVMM_A_VM_MEM_MAX },
		[HVMM_LIMITS_MIN_HIGH]	  = { HVMM_A_VM_MEM_MIN, HVMM_A_VM_MEM_HIGH },
		[HVMM_LIMITS_MIN_HOST]	  = { HVMM_A_VM_MEM_MIN },
	};
	static const u8 about[][3] = {
		[HVMM_QUOTA_WEIGHT]	  = { HVMM_A_VM_CPU_WEIGHT },
		[HVMM_QUOTA_MAX]	  = { HVMM_A_VM_CPU_MAX, HVMM_A_VM_CPU_PERIOD },
		[HVMM_QUOTA_PERIOD]	  = { HVMM_A_VM_CPU_PERIOD },
		[HVMM_QUOTA_BURST]	  = { HVMM_A_VM_CPU_BURST },
		[HVMM_QUOTA_AFFINITY]	  = { HVMM_A_VM_CPU_AFFINITY },
		[HVMM_QUOTA_MIN_UNITS]	  = { HVMM_A_VM_CPU_MIN, HVMM_A_VM_CPU_AFFINITY },
		[HVMM_QUOTA_MIN_OVER_MAX] = { HVMM_A_VM_CPU_MIN, HVMM_A_VM_CPU_MAX,
					      HVMM_A_VM_CPU_PERIOD },
		[HVMM_QUOTA_MIN_ADMIT]	  = { HVMM_A_VM_CPU_MIN, HVMM_A_VM_CPU_AFFINITY },
	};

	if (edit->limits_err)
		blame_first(attrs, limits[edit->limits_err], extack);
	else if (verdict->err < ARRAY_SIZE(about))
		blame_first(attrs, about[verdict->err], extack);
}

/* The change number @index of a request, which has been parsed once. */
static void blame(struct genl_info *info, const struct hvmm_quota_verdict *verdict,
		  const struct hvmm_quota_edit *edits)
{
	struct nlattr *tb[HVMM_A_VM_MEM_MIN + 1], *nest;
	unsigned int i = 0;
	int rem;

	nlmsg_for_each_attr(nest, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(nest) != HVMM_A_VM_CHANGE || i++ != verdict->index)
			continue;
		if (nla_parse_nested(tb, HVMM_A_VM_MEM_MIN, nest, hvmm_vm_change_nl_policy, NULL))
			return;
		hvmm_nl_blame_quota(tb, verdict, &edits[verdict->index], info->extack);
		if (info->extack && !info->extack->bad_attr)
			NL_SET_BAD_ATTR(info->extack, tb[HVMM_A_VM_ID] ?: tb[HVMM_A_VM_NAME]);
		return;
	}
}

/* A reference of the VM is in @edit as soon as it is known. */
static int get_change(struct nlattr *nest, struct hvmm_quota_edit *edit,
		      struct netlink_ext_ack *extack)
{
	struct nlattr *tb[HVMM_A_VM_MEM_MIN + 1];
	struct hvmm_vm *vm;
	int err;

	err = nla_parse_nested(tb, HVMM_A_VM_MEM_MIN, nest, hvmm_vm_change_nl_policy, extack);
	if (err)
		return err;
	err = hvmm_nl_get_quota(tb, edit, extack);
	if (err)
		return err;
	if (!edit->given) {
		NL_SET_ERR_MSG_ATTR(extack, nest, "nothing to change is given");
		return -EINVAL;
	}
	vm = hvmm_nl_find(tb, extack);
	if (IS_ERR(vm))
		return PTR_ERR(vm);
	if (!vm) {
		NL_SET_ERR_ATTR_MISS(extack, nest, HVMM_A_VM_ID);
		NL_SET_ERR_MSG(extack, "the VM's id or name is missing");
		return -EINVAL;
	}
	edit->vm = vm;
	return 0;
}

/* Fills @edits up to @nr. */
static int get_changes(struct genl_info *info, struct hvmm_quota_edit *edits)
{
	unsigned int i, nr = 0;
	struct nlattr *nest;
	int rem, err;

	nlmsg_for_each_attr(nest, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(nest) != HVMM_A_VM_CHANGE)
			continue;
		err = get_change(nest, &edits[nr], info->extack);
		if (err)
			return err;
		for (i = 0; i < nr; i++)
			if (edits[i].vm == edits[nr].vm) {
				NL_SET_ERR_MSG_ATTR(info->extack, nest,
						    "more than one change of the same VM");
				return -EINVAL;
			}
		nr++;
	}
	return 0;
}

static int nr_changes(struct genl_info *info)
{
	struct nlattr *nest;
	int rem, nr = 0;

	nlmsg_for_each_attr(nest, info->nlhdr, GENL_HDRLEN, rem) {
		if (nla_type(nest) != HVMM_A_VM_CHANGE)
			continue;
		if (nr == HVMM_CHANGES_MAX) {
			NL_SET_ERR_MSG_ATTR_FMT(info->extack, nest, "more than %u changes",
						HVMM_CHANGES_MAX);
			return -E2BIG;
		}
		nr++;
	}
	return nr;
}

static void tell(struct hvmm_vm *vm)
{
	mutex_lock(&vm->lock);
	if (!vm->dead)
		hvmm_nl_notify(vm, HVMM_VM_EVENT_QUOTA);
	mutex_unlock(&vm->lock);
}

/* Down to mem-max, with quotas' lock free again: it takes its time. Return: bytes. */
static u64 shrink(struct hvmm_vm *vm, struct netlink_ext_ack *extack)
{
	struct hvmm_mem_limits limits;
	u64 held, got = 0;

	hvmm_mem_quota_get(&vm->mem.quota, &limits);
	held = hvmm_mem_quota_held(&vm->mem.quota);
	if (held > limits.max)
		got = max(hvmm_mem_reclaim(&vm->mem, held - limits.max, limits.min,
					   HVMM_EFFORT_ALL), 0LL);
	held = hvmm_mem_quota_held(&vm->mem.quota);
	if (held > limits.max)
		NL_SET_ERR_MSG_FMT(extack, "mem-max: done, but VM %u holds %llu bytes", vm->id,
				   held);
	return got;
}

static int reply_set(struct genl_info *info, u32 generation, u64 reclaimed)
{
	struct sk_buff *reply = genlmsg_new(nla_total_size(sizeof(generation)) +
					    nla_total_size(sizeof(reclaimed)), GFP_KERNEL);
	void *hdr;

	if (!reply)
		return -ENOMEM;
	hdr = genlmsg_iput(reply, info);
	if (!hdr || nla_put_u32(reply, HVMM_A_VM_GENERATION, generation) ||
	    nla_put_uint(reply, HVMM_A_VM_RECLAIMED, reclaimed)) {
		nlmsg_free(reply);
		return -EMSGSIZE;
	}
	genlmsg_end(reply, hdr);
	return genlmsg_reply(reply, info);
}

int hvmm_nl_vm_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr *attr = info->attrs[HVMM_A_VM_GENERATION];
	struct hvmm_quota_verdict verdict = {};
	struct hvmm_quota_edit *edits;
	u32 expected, generation;
	u64 reclaimed = 0;
	int i, nr, err;

	err = hvmm_nl_need(info, HVMM_A_VM_CHANGE, "change");
	if (err)
		return err;
	nr = nr_changes(info);
	if (nr < 0)
		return nr;
	edits = kvcalloc(nr, sizeof(*edits), GFP_KERNEL_ACCOUNT);
	if (!edits)
		return -ENOMEM;
	err = get_changes(info, edits);
	if (err)
		goto put;

	expected = attr ? nla_get_u32(attr) : 0;
	err = hvmm_quota_set(edits, nr, attr ? &expected : NULL, &generation, &verdict,
			     info->extack);
	if (err == -ESTALE)
		NL_SET_BAD_ATTR(info->extack, attr);
	else if (err)
		blame(info, &verdict, edits);
	/* As for all that find a VM gone. */
	if (err == -ENODEV)
		err = -ENOENT;
	if (err)
		goto put;
	for (i = 0; i < nr; i++) {
		if (edits[i].given & HVMM_GIVEN_MEM_MAX)
			reclaimed += shrink(edits[i].vm, info->extack);
		/* With what it holds now. */
		tell(edits[i].vm);
	}
put:
	for (i = 0; i < nr; i++)
		if (edits[i].vm)
			hvmm_vm_put(edits[i].vm);
	kvfree(edits);
	return err ?: reply_set(info, generation, reclaimed);
}

int hvmm_nl_vm_reclaim_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct hvmm_vm *vm = hvmm_nl_vm(info);
	struct sk_buff *reply;
	void *hdr;
	s64 got;
	int err;

	err = hvmm_nl_need(info, HVMM_A_VM_RECLAIM, "reclaim");
	if (err)
		return err;
	reply = genlmsg_new(2 * nla_total_size(sizeof(u64)), GFP_KERNEL);
	if (!reply)
		return -ENOMEM;
	got = hvmm_mem_reclaim(&vm->mem, nla_get_uint(info->attrs[HVMM_A_VM_RECLAIM]),
			       READ_ONCE(vm->mem.quota.min), HVMM_EFFORT_ALL);
	hdr = genlmsg_iput(reply, info);
	if (got < 0) {
		err = got;
	} else if (!hdr || nla_put_uint(reply, HVMM_A_VM_RECLAIMED, got) ||
		   nla_put_uint(reply, HVMM_A_VM_MEM_HELD,
				hvmm_mem_quota_held(&vm->mem.quota))) {
		err = -EMSGSIZE;
	}
	if (err) {
		nlmsg_free(reply);
		return err;
	}
	genlmsg_end(reply, hdr);
	return genlmsg_reply(reply, info);
}
