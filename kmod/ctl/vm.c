// SPDX-License-Identifier: GPL-2.0
/*
 * The verbs of a VM's life. The policy tables have checked types, lengths and
 * ranges of single attributes; here is what concerns characters and several
 * attributes of one request. What concerns other VMs or the host is refused by
 * core/, whose words are passed on.
 */
#include <linux/ctype.h>
#include <linux/file.h>
#include <linux/slab.h>

#include "ctl/nl.h"
#include "dev/tty.h"

static_assert(HVMM_NAME_MAX == HVMM_VM_NAME_MAX);
static_assert(HVMM_CONFIG_MAX == HVMM_VM_CONFIG_MAX);
static_assert(HVMM_MEMORY_MIN == HVMM_VM_RAM_MIN);
static_assert(HVMM_MEMORY_MAX == HVMM_VM_RAM_MAX);

static_assert(HVMM_STATE_STOPPED == (int)HVMM_VM_STOPPED);
static_assert(HVMM_STATE_RUNNING == (int)HVMM_VM_RUNNING);
static_assert(HVMM_STATE_PAUSED == (int)HVMM_VM_PAUSED);
static_assert(HVMM_STATE_REASON_NONE == (int)HVMM_REASON_NONE);
static_assert(HVMM_STATE_REASON_REQUEST == (int)HVMM_REASON_REQUEST);
static_assert(HVMM_STATE_REASON_RESET == (int)HVMM_REASON_RESET);
static_assert(HVMM_STATE_REASON_POWEROFF == (int)HVMM_REASON_POWEROFF);
static_assert(HVMM_STATE_REASON_ERROR == (int)HVMM_REASON_ERROR);
static_assert(HVMM_START_MODE_RESET == (int)HVMM_BOOT_RESET);
static_assert(HVMM_START_MODE_PM32 == (int)HVMM_BOOT_PM32);
static_assert(HVMM_START_MODE_LONG64 == (int)HVMM_BOOT_LONG64);

int hvmm_nl_put_vm(struct sk_buff *skb, struct hvmm_vm *vm, bool config)
{
	enum hvmm_vm_state state = READ_ONCE(vm->state);
	u64 now = ktime_get_ns();

	if (nla_put_u32(skb, HVMM_A_VM_ID, vm->id) ||
	    nla_put_string(skb, HVMM_A_VM_NAME, vm->name) ||
	    nla_put_u32(skb, HVMM_A_VM_VCPUS, vm->nr_vcpus) ||
	    nla_put_uint(skb, HVMM_A_VM_MEMORY, vm->mem.ram.size) ||
	    nla_put_u32(skb, HVMM_A_VM_STATE, state) ||
	    nla_put_u32(skb, HVMM_A_VM_REASON, vm->reason) ||
	    nla_put_uint(skb, HVMM_A_VM_AGE, now - vm->created_at))
		return -EMSGSIZE;

	if (vm->reason == HVMM_REASON_ERROR && nla_put_string(skb, HVMM_A_VM_ERROR, vm->error))
		return -EMSGSIZE;
	if (state != HVMM_VM_STOPPED &&
	    nla_put_uint(skb, HVMM_A_VM_UPTIME, now - vm->started_at))
		return -EMSGSIZE;
	if (nla_put_u32(skb, HVMM_A_VM_CONSOLE, hvmm_console_line(vm->console)))
		return -EMSGSIZE;
	if (config && vm->config_len &&
	    nla_put(skb, HVMM_A_VM_CONFIG, vm->config_len, vm->config))
		return -EMSGSIZE;
	return hvmm_nl_put_quota(skb, vm);
}

static struct sk_buff *reply_alloc(size_t config_len)
{
	return genlmsg_new(GENLMSG_DEFAULT_SIZE + nla_total_size(config_len), GFP_KERNEL);
}

/* Consumes @reply. */
static int reply_send(struct sk_buff *reply, struct genl_info *info, struct hvmm_vm *vm,
		      bool config)
{
	void *hdr = genlmsg_iput(reply, info);
	int err = -EMSGSIZE;

	if (hdr) {
		mutex_lock(&vm->lock);
		err = hvmm_nl_put_vm(reply, vm, config);
		mutex_unlock(&vm->lock);
	}
	if (err) {
		nlmsg_free(reply);
		return err;
	}
	genlmsg_end(reply, hdr);
	return genlmsg_reply(reply, info);
}

int hvmm_nl_vm_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct hvmm_vm *vm = hvmm_nl_vm(info);
	/* It is not for everybody: what userspace keeps there is its own affair. */
	bool config = netlink_capable(skb, CAP_SYS_ADMIN);
	struct sk_buff *reply = reply_alloc(config ? vm->config_len : 0);

	if (!reply)
		return -ENOMEM;
	return reply_send(reply, info, vm, config);
}

static int dump_vm(struct sk_buff *skb, struct netlink_callback *cb, struct hvmm_vm *vm)
{
	void *hdr = hvmm_nl_dump_begin(skb, cb);
	int err;

	if (!hdr)
		return -EMSGSIZE;

	mutex_lock(&vm->lock);
	err = hvmm_nl_put_vm(skb, vm, false);
	mutex_unlock(&vm->lock);

	if (err)
		genlmsg_cancel(skb, hdr);
	else
		genlmsg_end(skb, hdr);
	return err;
}

int hvmm_nl_vm_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return hvmm_nl_dump(skb, cb, dump_vm);
}

static int check_name(struct nlattr *attr, struct netlink_ext_ack *extack)
{
	const char *name = nla_data(attr), *p;

	if (!*name) {
		NL_SET_ERR_MSG_ATTR(extack, attr, "the name is empty");
		return -EINVAL;
	}
	if (*name == '.' || *name == '-') {
		NL_SET_ERR_MSG_ATTR(extack, attr, "a name begins with neither '.' nor '-'");
		return -EINVAL;
	}
	for (p = name; *p; p++) {
		if (isascii(*p) && (isalnum(*p) || *p == '_' || *p == '.' || *p == '-'))
			continue;
		NL_SET_ERR_MSG_ATTR(extack, attr,
				    "a name has only A-Z, a-z, 0-9, '_', '.' and '-'");
		return -EINVAL;
	}
	return 0;
}

/* Core's words are passed on; which attribute they are about it does not know. */
static void blame(struct genl_info *info, int err)
{
	int attr = 0;

	if (!info->extack || info->extack->bad_attr)
		return;

	switch (err) {
	case -EEXIST:
		attr = HVMM_A_VM_NAME;
		break;
	case -E2BIG:
		attr = HVMM_A_VM_VCPUS;
		break;
	case -EINVAL:
	case -EPERM:
		/* Name, vcpus, memory and config have been found valid in themselves. */
		attr = HVMM_A_VM_RAM_FD;
		break;
	case -ENOSPC:
		/* Refused quotas have been blamed already. */
		NL_SET_ERR_MSG_FMT(info->extack,
				   "no console is left, the parameter consoles is %u",
				   hvmm_tty_lines());
		break;
	case -ENOMEM:
		NL_SET_ERR_MSG(info->extack, "the host has not enough memory for it");
		break;
	}
	if (attr)
		NL_SET_BAD_ATTR(info->extack, info->attrs[attr]);
}

int hvmm_nl_vm_new_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct nlattr **attrs = info->attrs, *config = attrs[HVMM_A_VM_CONFIG];
	struct hvmm_quota_verdict verdict = {};
	struct hvmm_vm_params params = {};
	struct hvmm_quota_edit *quota;
	struct sk_buff *reply = NULL;
	struct hvmm_vm *vm;
	int err;

	err = hvmm_nl_need(info, HVMM_A_VM_NAME, "name") ?:
	      hvmm_nl_need(info, HVMM_A_VM_VCPUS, "vcpus") ?:
	      hvmm_nl_need(info, HVMM_A_VM_MEMORY, "memory") ?:
	      hvmm_nl_need(info, HVMM_A_VM_RAM_FD, "ram-fd") ?:
	      check_name(attrs[HVMM_A_VM_NAME], info->extack);
	if (err)
		return err;

	params.name = nla_data(attrs[HVMM_A_VM_NAME]);
	params.nr_vcpus = nla_get_u32(attrs[HVMM_A_VM_VCPUS]);
	params.ram_size = nla_get_uint(attrs[HVMM_A_VM_MEMORY]);
	if (params.ram_size % SZ_4K) {
		NL_SET_ERR_MSG_ATTR(info->extack, attrs[HVMM_A_VM_MEMORY],
				    "not a multiple of 4096 bytes");
		return -EINVAL;
	}
	if (config) {
		params.config = nla_data(config);
		params.config_len = nla_len(config);
		if (params.config_len > HVMM_CONFIG_MAX) {
			NL_SET_ERR_MSG_ATTR_FMT(info->extack, config, "longer than %u bytes",
						HVMM_CONFIG_MAX);
			return -EMSGSIZE;
		}
	}

	quota = kmalloc(sizeof(*quota), GFP_KERNEL);
	if (!quota)
		return -ENOMEM;
	params.quota = quota;
	params.verdict = &verdict;
	err = hvmm_nl_get_quota(attrs, quota, info->extack);
	if (err)
		goto free;

	err = -ENOMEM;
	reply = reply_alloc(params.config_len);
	if (!reply)
		goto free;

	/* Requests are served in the sender's context, so these are its files. */
	params.ram_file = fget(nla_get_s32(attrs[HVMM_A_VM_RAM_FD]));
	if (!params.ram_file) {
		NL_SET_ERR_MSG_ATTR(info->extack, attrs[HVMM_A_VM_RAM_FD],
				    "not an open file descriptor");
		err = -EBADF;
		goto free;
	}
	vm = hvmm_vm_create(&params, info->extack);
	fput(params.ram_file);
	if (IS_ERR(vm)) {
		err = PTR_ERR(vm);
		hvmm_nl_blame_quota(attrs, &verdict, quota, info->extack);
		blame(info, err);
		goto free;
	}
	kfree(quota);
	info->user_ptr[0] = vm;
	err = reply_send(reply, info, vm, true);
	/* Whoever asked does not know its id, and takes the request for failed. */
	if (err)
		hvmm_vm_destroy(vm);
	return err;

free:
	nlmsg_free(reply);
	kfree(quota);
	return err;
}

/* It was found, and destroyed by somebody else before its turn came. */
static int changed(struct genl_info *info, int err)
{
	if (err != -ENODEV)
		return err;
	NL_SET_ERR_MSG(info->extack, "the VM has been destroyed");
	return -ENOENT;
}

int hvmm_nl_vm_del_doit(struct sk_buff *skb, struct genl_info *info)
{
	return changed(info, hvmm_vm_destroy(hvmm_nl_vm(info)));
}

int hvmm_nl_vm_stop_doit(struct sk_buff *skb, struct genl_info *info)
{
	return changed(info, hvmm_vm_stop(hvmm_nl_vm(info), info->extack));
}

int hvmm_nl_vm_pause_doit(struct sk_buff *skb, struct genl_info *info)
{
	return changed(info, hvmm_vm_pause(hvmm_nl_vm(info), info->extack));
}

int hvmm_nl_vm_resume_doit(struct sk_buff *skb, struct genl_info *info)
{
	return changed(info, hvmm_vm_resume(hvmm_nl_vm(info), info->extack));
}

static u64 get_reg(struct nlattr **tb, int attr)
{
	return tb[attr] ? nla_get_uint(tb[attr]) : 0;
}

static int boot_refuse(struct netlink_ext_ack *extack, const struct nlattr *attr,
		       const char *why)
{
	NL_SET_ERR_MSG_ATTR_FMT(extack, attr, "%s", why);
	return -EINVAL;
}

static bool canonical(u64 addr)
{
	return (u64)((s64)(addr << 16) >> 16) == addr;
}

/* What no CPU could be in, or what would be silently dropped. */
static int boot_check(struct nlattr **tb, const struct nlattr *nest,
		      const struct hvmm_boot *boot, struct netlink_ext_ack *extack)
{
	unsigned int i;

	switch (boot->mode) {
	case HVMM_BOOT_RESET:
		for (i = HVMM_A_BOOT_RIP; i <= HVMM_A_BOOT_MAX; i++)
			if (tb[i])
				return boot_refuse(extack, tb[i],
						   "mode reset sets all registers itself");
		return 0;
	case HVMM_BOOT_PM32:
		for (i = HVMM_A_BOOT_RIP; i <= HVMM_A_BOOT_GDT_BASE; i++)
			if (get_reg(tb, i) > U32_MAX)
				return boot_refuse(extack, tb[i],
						   "more than 32 bits in mode pm32");
		if (tb[HVMM_A_BOOT_CR3])
			return boot_refuse(extack, tb[HVMM_A_BOOT_CR3],
					   "mode pm32 has paging off");
		break;
	case HVMM_BOOT_LONG64:
		if (!tb[HVMM_A_BOOT_CR3]) {
			NL_SET_ERR_ATTR_MISS(extack, nest, HVMM_A_BOOT_CR3);
			NL_SET_ERR_MSG(extack, "attribute cr3 is missing in mode long64");
			return -EINVAL;
		}
		if (boot->cr3 % SZ_4K || boot->cr3 >> 52)
			return boot_refuse(extack, tb[HVMM_A_BOOT_CR3],
					   "not the address of a page");
		if (!canonical(boot->rip))
			return boot_refuse(extack, tb[HVMM_A_BOOT_RIP],
					   "not a canonical address");
		if (!canonical(boot->gdt_base))
			return boot_refuse(extack, tb[HVMM_A_BOOT_GDT_BASE],
					   "not a canonical address");
		break;
	}
	if (tb[HVMM_A_BOOT_GDT_LIMIT] && !tb[HVMM_A_BOOT_GDT_BASE])
		return boot_refuse(extack, tb[HVMM_A_BOOT_GDT_LIMIT],
				   "a limit without gdt-base");
	return 0;
}

static int boot_parse(struct genl_info *info, struct hvmm_boot *boot)
{
	struct nlattr *tb[HVMM_A_BOOT_MAX + 1], *nest;
	struct netlink_ext_ack *extack = info->extack;
	int err;

	err = hvmm_nl_need(info, HVMM_A_VM_BOOT, "boot");
	if (err)
		return err;
	nest = info->attrs[HVMM_A_VM_BOOT];
	err = nla_parse_nested(tb, HVMM_A_BOOT_MAX, nest, hvmm_boot_nl_policy, extack);
	if (err)
		return err;
	if (!tb[HVMM_A_BOOT_MODE]) {
		NL_SET_ERR_ATTR_MISS(extack, nest, HVMM_A_BOOT_MODE);
		NL_SET_ERR_MSG(extack, "attribute mode is missing in boot");
		return -EINVAL;
	}

	*boot = (struct hvmm_boot) {
		.mode = nla_get_u32(tb[HVMM_A_BOOT_MODE]),
		.rip = get_reg(tb, HVMM_A_BOOT_RIP),
		.rsp = get_reg(tb, HVMM_A_BOOT_RSP),
		.rax = get_reg(tb, HVMM_A_BOOT_RAX),
		.rbx = get_reg(tb, HVMM_A_BOOT_RBX),
		.rsi = get_reg(tb, HVMM_A_BOOT_RSI),
		.cr3 = get_reg(tb, HVMM_A_BOOT_CR3),
		.gdt_base = get_reg(tb, HVMM_A_BOOT_GDT_BASE),
	};
	if (tb[HVMM_A_BOOT_GDT_LIMIT])
		boot->gdt_limit = nla_get_u16(tb[HVMM_A_BOOT_GDT_LIMIT]);
	return boot_check(tb, nest, boot, extack);
}

static int started(struct genl_info *info, int err)
{
	if (err == -EINVAL && info->extack && !info->extack->bad_attr)
		NL_SET_BAD_ATTR(info->extack, info->attrs[HVMM_A_VM_BOOT]);
	return changed(info, err);
}

int hvmm_nl_vm_start_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct hvmm_boot boot;
	int err;

	err = boot_parse(info, &boot);
	if (err)
		return err;
	return started(info, hvmm_vm_start(hvmm_nl_vm(info), &boot, info->extack));
}

int hvmm_nl_vm_reset_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct hvmm_boot boot;
	int err;

	err = boot_parse(info, &boot);
	if (err)
		return err;

	return started(info, hvmm_vm_reset(hvmm_nl_vm(info), &boot, info->extack));
}
