// SPDX-License-Identifier: GPL-2.0
/*
 * Who may ask, which VM a request means, and how a dump goes through the VMs.
 *
 * Rights: a change needs CAP_SYS_ADMIN in the initial user namespace, of the
 * sender and of who opened the socket. Reading needs nothing in the initial
 * network namespace, and the same capability in any other: a container does not
 * see the host's VMs. GENL_ADMIN_PERM is not used: it means CAP_NET_ADMIN, and
 * refuses without a word.
 *
 * Requests run in parallel (parallel_ops); core's locks keep changes apart.
 */
#include <net/net_namespace.h>

#include "ctl/ctl.h"
#include "ctl/nl.h"
#include "run/policy.h"

int hvmm_nl_need(struct genl_info *info, int attr, const char *name)
{
	if (!GENL_REQ_ATTR_CHECK(info, attr))
		return 0;

	NL_SET_ERR_MSG_FMT(info->extack, "attribute %s is missing", name);
	return -EINVAL;
}

int hvmm_nl_reply_u32(struct genl_info *info, int attr, u32 value)
{
	struct sk_buff *reply = genlmsg_new(nla_total_size(sizeof(value)), GFP_KERNEL);
	void *hdr;

	if (!reply)
		return -ENOMEM;
	hdr = genlmsg_iput(reply, info);
	if (!hdr || nla_put_u32(reply, attr, value)) {
		nlmsg_free(reply);
		return -EMSGSIZE;
	}
	genlmsg_end(reply, hdr);
	return genlmsg_reply(reply, info);
}

static int may_read(struct sk_buff *skb, const struct genl_info *info,
		    struct netlink_ext_ack *extack)
{
	if (net_eq(genl_info_net(info), &init_net) || netlink_capable(skb, CAP_SYS_ADMIN))
		return 0;

	NL_SET_ERR_MSG(extack,
		       "outside the host's network namespace CAP_SYS_ADMIN on the host is needed");
	return -EPERM;
}

static int may_change(struct sk_buff *skb, struct netlink_ext_ack *extack)
{
	if (netlink_capable(skb, CAP_SYS_ADMIN))
		return 0;

	NL_SET_ERR_MSG(extack, "CAP_SYS_ADMIN on the host is needed");
	return -EPERM;
}

struct hvmm_vm *hvmm_nl_find(struct nlattr **attrs, struct netlink_ext_ack *extack)
{
	struct nlattr *id = attrs[HVMM_A_VM_ID], *name = attrs[HVMM_A_VM_NAME];
	struct hvmm_vm *vm;

	static_assert(HVMM_A_VM_ID == (int)HVMM_A_STATS_VM);
	static_assert(HVMM_A_VM_ID == (int)HVMM_A_VCPU_VM);
	static_assert(HVMM_A_VM_NAME == (int)HVMM_A_STATS_VM_NAME);
	static_assert(HVMM_A_VM_NAME == (int)HVMM_A_VCPU_VM_NAME);

	if (id && name) {
		NL_SET_ERR_MSG_ATTR(extack, name, "give the VM's id or its name, not both");
		return ERR_PTR(-EINVAL);
	}
	if (id) {
		vm = hvmm_vm_by_id(nla_get_u32(id));
		if (vm)
			return vm;
		NL_SET_ERR_MSG_ATTR_FMT(extack, id, "no VM with id %u", nla_get_u32(id));
		return ERR_PTR(-ENOENT);
	}
	if (name) {
		vm = hvmm_vm_by_name(nla_data(name));
		if (vm)
			return vm;
		NL_SET_ERR_MSG_ATTR_FMT(extack, name, "no VM named '%s'",
					(const char *)nla_data(name));
		return ERR_PTR(-ENOENT);
	}
	return NULL;
}

static int find_one(struct genl_info *info)
{
	struct hvmm_vm *vm = hvmm_nl_find(info->attrs, info->extack);

	if (IS_ERR(vm))
		return PTR_ERR(vm);
	if (!vm) {
		NL_SET_ERR_ATTR_MISS(info->extack, NULL, HVMM_A_VM_ID);
		NL_SET_ERR_MSG(info->extack, "the VM's id or name is missing");
		return -EINVAL;
	}
	info->user_ptr[0] = vm;
	return 0;
}

int hvmm_nl_pre_get(const struct genl_split_ops *ops, struct sk_buff *skb,
		    struct genl_info *info)
{
	return may_read(skb, info, info->extack) ?: find_one(info);
}

/* An operation without a policy is not checked for attributes by the family's core. */
static int no_attrs(const struct nlmsghdr *nlh, struct netlink_ext_ack *extack)
{
	if (!nlmsg_attrlen(nlh, GENL_HDRLEN))
		return 0;
	NL_SET_ERR_MSG_ATTR(extack, nlmsg_attrdata(nlh, GENL_HDRLEN),
			    "this request takes no attributes");
	return -EINVAL;
}

int hvmm_nl_pre_host(const struct genl_split_ops *ops, struct sk_buff *skb,
		     struct genl_info *info)
{
	return may_read(skb, info, info->extack) ?: no_attrs(info->nlhdr, info->extack);
}

int hvmm_nl_pre_read(const struct genl_split_ops *ops, struct sk_buff *skb,
		     struct genl_info *info)
{
	return may_read(skb, info, info->extack);
}

int hvmm_nl_pre_change(const struct genl_split_ops *ops, struct sk_buff *skb,
		       struct genl_info *info)
{
	return may_change(skb, info->extack);
}

int hvmm_nl_pre_change_vm(const struct genl_split_ops *ops, struct sk_buff *skb,
			  struct genl_info *info)
{
	return may_change(skb, info->extack) ?: find_one(info);
}

void hvmm_nl_post(const struct genl_split_ops *ops, struct sk_buff *skb,
		  struct genl_info *info)
{
	if (hvmm_nl_vm(info))
		hvmm_vm_put(hvmm_nl_vm(info));
}

int hvmm_nl_start(struct netlink_callback *cb)
{
	return may_read(cb->skb, genl_info_dump(cb), cb->extack) ?:
	       no_attrs(cb->nlh, cb->extack);
}

int hvmm_nl_vcpu_start(struct netlink_callback *cb)
{
	struct hvmm_vm *vm;
	int err;

	err = may_read(cb->skb, genl_info_dump(cb), cb->extack);
	if (err)
		return err;
	vm = hvmm_nl_find(genl_info_dump(cb)->attrs, cb->extack);
	if (IS_ERR(vm))
		return PTR_ERR(vm);
	if (vm) {
		hvmm_nl_cursor(cb)->only = vm->id;
		hvmm_vm_put(vm);
	}
	return 0;
}

void *hvmm_nl_dump_begin(struct sk_buff *skb, struct netlink_callback *cb)
{
	void *hdr = __genlmsg_iput(skb, genl_info_dump(cb), NLM_F_MULTI);

	if (hdr) {
		cb->seq = hvmm_vm_generation();
		genl_dump_check_consistent(cb, hdr);
	}
	return hdr;
}

int hvmm_nl_dump(struct sk_buff *skb, struct netlink_callback *cb,
		 int (*fn)(struct sk_buff *skb, struct netlink_callback *cb,
			   struct hvmm_vm *vm))
{
	struct hvmm_nl_cursor *cursor = hvmm_nl_cursor(cb);
	struct hvmm_vm *vm;
	int err = 0;
	u32 id;

	/* A dump that finds nothing has a generation too. */
	if (!cb->prev_seq)
		cb->prev_seq = hvmm_vm_generation();

	for (;;) {
		id = max(cursor->vm, cursor->only);
		vm = hvmm_vm_next(&id);
		if (!vm)
			break;
		if (!cursor->only || cursor->only == id) {
			if (id != cursor->vm) {
				cursor->vm = id;
				cursor->vcpu = 0;
			}
			err = fn(skb, cb, vm);
		}
		hvmm_vm_put(vm);
		if (err)
			return err;
		if (cursor->only || id == U32_MAX)
			break;
		cursor->vm = id + 1;
		cursor->vcpu = 0;
	}

	/* For NLMSG_DONE: what changed after the last VM was put counts too. */
	cb->seq = hvmm_vm_generation();
	return 0;
}

int hvmm_ctl_init(void)
{
	int err;

	hvmm_vm_set_listener(hvmm_nl_notify);
	hvmm_policy_set_listener(hvmm_nl_notify_policy);
	err = genl_register_family(&hvmm_nl_family);
	if (err) {
		hvmm_policy_set_listener(NULL);
		hvmm_vm_set_listener(NULL);
	}
	return err;
}

void hvmm_ctl_exit(void)
{
	hvmm_policy_set_listener(NULL);
	genl_unregister_family(&hvmm_nl_family);
	hvmm_vm_set_listener(NULL);
}
