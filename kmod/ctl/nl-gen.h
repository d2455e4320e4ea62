/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/hvmm.yaml */
/* YNL-GEN kernel header */

#ifndef _LINUX_HVMM_GEN_H
#define _LINUX_HVMM_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/hvmm.h>

/* Common nested types */
extern const struct nla_policy hvmm_boot_nl_policy[HVMM_A_BOOT_GDT_LIMIT + 1];
extern const struct nla_policy hvmm_vm_change_nl_policy[HVMM_A_VM_MEM_MIN + 1];

int hvmm_nl_pre_get(const struct genl_split_ops *ops, struct sk_buff *skb,
		    struct genl_info *info);
int hvmm_nl_pre_change(const struct genl_split_ops *ops, struct sk_buff *skb,
		       struct genl_info *info);
int hvmm_nl_pre_change_vm(const struct genl_split_ops *ops,
			  struct sk_buff *skb, struct genl_info *info);
int hvmm_nl_pre_host(const struct genl_split_ops *ops, struct sk_buff *skb,
		     struct genl_info *info);
int hvmm_nl_pre_read(const struct genl_split_ops *ops, struct sk_buff *skb,
		     struct genl_info *info);
void
hvmm_nl_post(const struct genl_split_ops *ops, struct sk_buff *skb,
	     struct genl_info *info);
int hvmm_nl_start(struct netlink_callback *cb);
int hvmm_nl_vcpu_start(struct netlink_callback *cb);

int hvmm_nl_vm_get_doit(struct sk_buff *skb, struct genl_info *info);
int hvmm_nl_vm_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int hvmm_nl_vm_new_doit(struct sk_buff *skb, struct genl_info *info);
int hvmm_nl_vm_del_doit(struct sk_buff *skb, struct genl_info *info);
int hvmm_nl_vm_start_doit(struct sk_buff *skb, struct genl_info *info);
int hvmm_nl_vm_stop_doit(struct sk_buff *skb, struct genl_info *info);
int hvmm_nl_vm_pause_doit(struct sk_buff *skb, struct genl_info *info);
int hvmm_nl_vm_resume_doit(struct sk_buff *skb, struct genl_info *info);
int hvmm_nl_vm_reset_doit(struct sk_buff *skb, struct genl_info *info);
int hvmm_nl_stats_get_doit(struct sk_buff *skb, struct genl_info *info);
int hvmm_nl_stats_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int hvmm_nl_vcpu_get_doit(struct sk_buff *skb, struct genl_info *info);
int hvmm_nl_vcpu_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int hvmm_nl_host_get_doit(struct sk_buff *skb, struct genl_info *info);
int hvmm_nl_vm_set_doit(struct sk_buff *skb, struct genl_info *info);
int hvmm_nl_pcpu_get_doit(struct sk_buff *skb, struct genl_info *info);
int hvmm_nl_pcpu_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int hvmm_nl_pcpu_set_doit(struct sk_buff *skb, struct genl_info *info);
int hvmm_nl_vm_reclaim_doit(struct sk_buff *skb, struct genl_info *info);

enum {
	HVMM_NLGRP_LIFECYCLE,
	HVMM_NLGRP_QUOTA,
};

extern struct genl_family hvmm_nl_family;

#endif /* _LINUX_HVMM_GEN_H */
