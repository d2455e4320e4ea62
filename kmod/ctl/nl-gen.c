// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/hvmm.yaml */
/* YNL-GEN kernel source */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "nl-gen.h"

#include <uapi/linux/hvmm.h>

/* Integer value ranges */
static const struct netlink_range_validation hvmm_a_vm_memory_range = {
	.min	= HVMM_MEMORY_MIN,
	.max	= HVMM_MEMORY_MAX,
};

static const struct netlink_range_validation hvmm_a_vm_cpu_max_range = {
	.max	= HVMM_CPU_MAX_MAX,
};

static const struct netlink_range_validation hvmm_a_vm_cpu_period_range = {
	.min	= HVMM_CPU_PERIOD_MIN,
	.max	= HVMM_CPU_PERIOD_MAX,
};

static const struct netlink_range_validation hvmm_a_vm_cpu_burst_range = {
	.max	= HVMM_CPU_BURST_MAX,
};

static const struct netlink_range_validation hvmm_a_vm_cpu_min_range = {
	.max	= HVMM_CPU_MIN_MAX,
};

static const struct netlink_range_validation hvmm_a_pcpu_host_share_range = {
	.min	= HVMM_HOST_SHARE_MIN,
	.max	= HVMM_HOST_SHARE_MAX,
};

/* Common nested types */
const struct nla_policy hvmm_boot_nl_policy[HVMM_A_BOOT_GDT_LIMIT + 1] = {
	[HVMM_A_BOOT_MODE] = NLA_POLICY_MAX(NLA_U32, 2),
	[HVMM_A_BOOT_RIP] = { .type = NLA_UINT, },
	[HVMM_A_BOOT_RSP] = { .type = NLA_UINT, },
	[HVMM_A_BOOT_RAX] = { .type = NLA_UINT, },
	[HVMM_A_BOOT_RBX] = { .type = NLA_UINT, },
	[HVMM_A_BOOT_RSI] = { .type = NLA_UINT, },
	[HVMM_A_BOOT_CR3] = { .type = NLA_UINT, },
	[HVMM_A_BOOT_GDT_BASE] = { .type = NLA_UINT, },
	[HVMM_A_BOOT_GDT_LIMIT] = { .type = NLA_U16, },
};

const struct nla_policy hvmm_vm_change_nl_policy[HVMM_A_VM_MEM_MIN + 1] = {
	[HVMM_A_VM_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[HVMM_A_VM_NAME] = { .type = NLA_NUL_STRING, .len = HVMM_NAME_MAX, },
	[HVMM_A_VM_CPU_WEIGHT] = NLA_POLICY_RANGE(NLA_U32, 1, HVMM_CPU_WEIGHT_MAX),
	[HVMM_A_VM_CPU_MAX] = NLA_POLICY_FULL_RANGE(NLA_UINT, &hvmm_a_vm_cpu_max_range),
	[HVMM_A_VM_CPU_PERIOD] = NLA_POLICY_FULL_RANGE(NLA_UINT, &hvmm_a_vm_cpu_period_range),
	[HVMM_A_VM_CPU_BURST] = NLA_POLICY_FULL_RANGE(NLA_UINT, &hvmm_a_vm_cpu_burst_range),
	[HVMM_A_VM_CPU_MIN] = NLA_POLICY_FULL_RANGE(NLA_U32, &hvmm_a_vm_cpu_min_range),
	[HVMM_A_VM_CPU_AFFINITY] = { .type = NLA_BINARY, },
	[HVMM_A_VM_MEM_MAX] = { .type = NLA_UINT, },
	[HVMM_A_VM_MEM_HIGH] = { .type = NLA_UINT, },
	[HVMM_A_VM_MEM_MIN] = { .type = NLA_UINT, },
};

/* HVMM_CMD_VM_GET - do */
static const struct nla_policy hvmm_vm_get_nl_policy[HVMM_A_VM_NAME + 1] = {
	[HVMM_A_VM_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[HVMM_A_VM_NAME] = { .type = NLA_NUL_STRING, .len = HVMM_NAME_MAX, },
};

/* HVMM_CMD_VM_NEW - do */
static const struct nla_policy hvmm_vm_new_nl_policy[HVMM_A_VM_MEM_MIN + 1] = {
	[HVMM_A_VM_NAME] = { .type = NLA_NUL_STRING, .len = HVMM_NAME_MAX, },
	[HVMM_A_VM_VCPUS] = NLA_POLICY_RANGE(NLA_U32, 1, HVMM_VCPUS_MAX),
	[HVMM_A_VM_MEMORY] = NLA_POLICY_FULL_RANGE(NLA_UINT, &hvmm_a_vm_memory_range),
	[HVMM_A_VM_RAM_FD] = NLA_POLICY_MIN(NLA_S32, 0),
	[HVMM_A_VM_CONFIG] = { .type = NLA_BINARY, },
	[HVMM_A_VM_CPU_WEIGHT] = NLA_POLICY_RANGE(NLA_U32, 1, HVMM_CPU_WEIGHT_MAX),
	[HVMM_A_VM_CPU_MAX] = NLA_POLICY_FULL_RANGE(NLA_UINT, &hvmm_a_vm_cpu_max_range),
	[HVMM_A_VM_CPU_PERIOD] = NLA_POLICY_FULL_RANGE(NLA_UINT, &hvmm_a_vm_cpu_period_range),
	[HVMM_A_VM_CPU_BURST] = NLA_POLICY_FULL_RANGE(NLA_UINT, &hvmm_a_vm_cpu_burst_range),
	[HVMM_A_VM_CPU_MIN] = NLA_POLICY_FULL_RANGE(NLA_U32, &hvmm_a_vm_cpu_min_range),
	[HVMM_A_VM_CPU_AFFINITY] = { .type = NLA_BINARY, },
	[HVMM_A_VM_MEM_MAX] = { .type = NLA_UINT, },
	[HVMM_A_VM_MEM_HIGH] = { .type = NLA_UINT, },
	[HVMM_A_VM_MEM_MIN] = { .type = NLA_UINT, },
};

/* HVMM_CMD_VM_DEL - do */
static const struct nla_policy hvmm_vm_del_nl_policy[HVMM_A_VM_NAME + 1] = {
	[HVMM_A_VM_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[HVMM_A_VM_NAME] = { .type = NLA_NUL_STRING, .len = HVMM_NAME_MAX, },
};

/* HVMM_CMD_VM_START - do */
static const struct nla_policy hvmm_vm_start_nl_policy[HVMM_A_VM_BOOT + 1] = {
	[HVMM_A_VM_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[HVMM_A_VM_NAME] = { .type = NLA_NUL_STRING, .len = HVMM_NAME_MAX, },
	[HVMM_A_VM_BOOT] = NLA_POLICY_NESTED(hvmm_boot_nl_policy),
};

/* HVMM_CMD_VM_STOP - do */
static const struct nla_policy hvmm_vm_stop_nl_policy[HVMM_A_VM_NAME + 1] = {
	[HVMM_A_VM_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[HVMM_A_VM_NAME] = { .type = NLA_NUL_STRING, .len = HVMM_NAME_MAX, },
};

/* HVMM_CMD_VM_PAUSE - do */
static const struct nla_policy hvmm_vm_pause_nl_policy[HVMM_A_VM_NAME + 1] = {
	[HVMM_A_VM_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[HVMM_A_VM_NAME] = { .type = NLA_NUL_STRING, .len = HVMM_NAME_MAX, },
};

/* HVMM_CMD_VM_RESUME - do */
static const struct nla_policy hvmm_vm_resume_nl_policy[HVMM_A_VM_NAME + 1] = {
	[HVMM_A_VM_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[HVMM_A_VM_NAME] = { .type = NLA_NUL_STRING, .len = HVMM_NAME_MAX, },
};

/* HVMM_CMD_VM_RESET - do */
static const struct nla_policy hvmm_vm_reset_nl_policy[HVMM_A_VM_BOOT + 1] = {
	[HVMM_A_VM_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[HVMM_A_VM_NAME] = { .type = NLA_NUL_STRING, .len = HVMM_NAME_MAX, },
	[HVMM_A_VM_BOOT] = NLA_POLICY_NESTED(hvmm_boot_nl_policy),
};

/* HVMM_CMD_STATS_GET - do */
static const struct nla_policy hvmm_stats_get_nl_policy[HVMM_A_STATS_VM_NAME + 1] = {
	[HVMM_A_STATS_VM] = NLA_POLICY_MIN(NLA_U32, 1),
	[HVMM_A_STATS_VM_NAME] = { .type = NLA_NUL_STRING, .len = HVMM_NAME_MAX, },
};

/* HVMM_CMD_VCPU_GET - do */
static const struct nla_policy hvmm_vcpu_get_do_nl_policy[HVMM_A_VCPU_INDEX + 1] = {
	[HVMM_A_VCPU_VM] = NLA_POLICY_MIN(NLA_U32, 1),
	[HVMM_A_VCPU_VM_NAME] = { .type = NLA_NUL_STRING, .len = HVMM_NAME_MAX, },
	[HVMM_A_VCPU_INDEX] = NLA_POLICY_MAX(NLA_U32, 4095),
};

/* HVMM_CMD_VCPU_GET - dump */
static const struct nla_policy hvmm_vcpu_get_dump_nl_policy[HVMM_A_VCPU_VM_NAME + 1] = {
	[HVMM_A_VCPU_VM] = NLA_POLICY_MIN(NLA_U32, 1),
	[HVMM_A_VCPU_VM_NAME] = { .type = NLA_NUL_STRING, .len = HVMM_NAME_MAX, },
};

/* HVMM_CMD_VM_SET - do */
static const struct nla_policy hvmm_vm_set_nl_policy[HVMM_A_VM_CHANGE + 1] = {
	[HVMM_A_VM_GENERATION] = { .type = NLA_U32, },
	[HVMM_A_VM_CHANGE] = NLA_POLICY_NESTED(hvmm_vm_change_nl_policy),
};

/* HVMM_CMD_PCPU_GET - do */
static const struct nla_policy hvmm_pcpu_get_nl_policy[HVMM_A_PCPU_ID + 1] = {
	[HVMM_A_PCPU_ID] = { .type = NLA_U32, },
};

/* HVMM_CMD_PCPU_SET - do */
static const struct nla_policy hvmm_pcpu_set_nl_policy[HVMM_A_PCPU_GENERATION + 1] = {
	[HVMM_A_PCPU_USE] = { .type = NLA_BINARY, },
	[HVMM_A_PCPU_HOST_SHARE] = NLA_POLICY_FULL_RANGE(NLA_U32, &hvmm_a_pcpu_host_share_range),
	[HVMM_A_PCPU_GENERATION] = { .type = NLA_U32, },
};

/* HVMM_CMD_VM_RECLAIM - do */
static const struct nla_policy hvmm_vm_reclaim_nl_policy[HVMM_A_VM_RECLAIM + 1] = {
	[HVMM_A_VM_ID] = NLA_POLICY_MIN(NLA_U32, 1),
	[HVMM_A_VM_NAME] = { .type = NLA_NUL_STRING, .len = HVMM_NAME_MAX, },
	[HVMM_A_VM_RECLAIM] = NLA_POLICY_MIN(NLA_UINT, 1),
};

/* Ops table for hvmm */
static const struct genl_split_ops hvmm_nl_ops[] = {
	{
		.cmd		= HVMM_CMD_VM_GET,
		.pre_doit	= hvmm_nl_pre_get,
		.doit		= hvmm_nl_vm_get_doit,
		.post_doit	= hvmm_nl_post,
		.policy		= hvmm_vm_get_nl_policy,
		.maxattr	= HVMM_A_VM_NAME,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= HVMM_CMD_VM_GET,
		.start	= hvmm_nl_start,
		.dumpit	= hvmm_nl_vm_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= HVMM_CMD_VM_NEW,
		.pre_doit	= hvmm_nl_pre_change,
		.doit		= hvmm_nl_vm_new_doit,
		.post_doit	= hvmm_nl_post,
		.policy		= hvmm_vm_new_nl_policy,
		.maxattr	= HVMM_A_VM_MEM_MIN,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= HVMM_CMD_VM_DEL,
		.pre_doit	= hvmm_nl_pre_change_vm,
		.doit		= hvmm_nl_vm_del_doit,
		.post_doit	= hvmm_nl_post,
		.policy		= hvmm_vm_del_nl_policy,
		.maxattr	= HVMM_A_VM_NAME,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= HVMM_CMD_VM_START,
		.pre_doit	= hvmm_nl_pre_change_vm,
		.doit		= hvmm_nl_vm_start_doit,
		.post_doit	= hvmm_nl_post,
		.policy		= hvmm_vm_start_nl_policy,
		.maxattr	= HVMM_A_VM_BOOT,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= HVMM_CMD_VM_STOP,
		.pre_doit	= hvmm_nl_pre_change_vm,
		.doit		= hvmm_nl_vm_stop_doit,
		.post_doit	= hvmm_nl_post,
		.policy		= hvmm_vm_stop_nl_policy,
		.maxattr	= HVMM_A_VM_NAME,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= HVMM_CMD_VM_PAUSE,
		.pre_doit	= hvmm_nl_pre_change_vm,
		.doit		= hvmm_nl_vm_pause_doit,
		.post_doit	= hvmm_nl_post,
		.policy		= hvmm_vm_pause_nl_policy,
		.maxattr	= HVMM_A_VM_NAME,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= HVMM_CMD_VM_RESUME,
		.pre_doit	= hvmm_nl_pre_change_vm,
		.doit		= hvmm_nl_vm_resume_doit,
		.post_doit	= hvmm_nl_post,
		.policy		= hvmm_vm_resume_nl_policy,
		.maxattr	= HVMM_A_VM_NAME,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= HVMM_CMD_VM_RESET,
		.pre_doit	= hvmm_nl_pre_change_vm,
		.doit		= hvmm_nl_vm_reset_doit,
		.post_doit	= hvmm_nl_post,
		.policy		= hvmm_vm_reset_nl_policy,
		.maxattr	= HVMM_A_VM_BOOT,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= HVMM_CMD_STATS_GET,
		.pre_doit	= hvmm_nl_pre_get,
		.doit		= hvmm_nl_stats_get_doit,
		.post_doit	= hvmm_nl_post,
		.policy		= hvmm_stats_get_nl_policy,
		.maxattr	= HVMM_A_STATS_VM_NAME,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= HVMM_CMD_STATS_GET,
		.start	= hvmm_nl_start,
		.dumpit	= hvmm_nl_stats_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= HVMM_CMD_VCPU_GET,
		.pre_doit	= hvmm_nl_pre_get,
		.doit		= hvmm_nl_vcpu_get_doit,
		.post_doit	= hvmm_nl_post,
		.policy		= hvmm_vcpu_get_do_nl_policy,
		.maxattr	= HVMM_A_VCPU_INDEX,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= HVMM_CMD_VCPU_GET,
		.start		= hvmm_nl_vcpu_start,
		.dumpit		= hvmm_nl_vcpu_get_dumpit,
		.policy		= hvmm_vcpu_get_dump_nl_policy,
		.maxattr	= HVMM_A_VCPU_VM_NAME,
		.flags		= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= HVMM_CMD_HOST_GET,
		.pre_doit	= hvmm_nl_pre_host,
		.doit		= hvmm_nl_host_get_doit,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= HVMM_CMD_VM_SET,
		.pre_doit	= hvmm_nl_pre_change,
		.doit		= hvmm_nl_vm_set_doit,
		.policy		= hvmm_vm_set_nl_policy,
		.maxattr	= HVMM_A_VM_CHANGE,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= HVMM_CMD_PCPU_GET,
		.pre_doit	= hvmm_nl_pre_read,
		.doit		= hvmm_nl_pcpu_get_doit,
		.policy		= hvmm_pcpu_get_nl_policy,
		.maxattr	= HVMM_A_PCPU_ID,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= HVMM_CMD_PCPU_GET,
		.start	= hvmm_nl_start,
		.dumpit	= hvmm_nl_pcpu_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= HVMM_CMD_PCPU_SET,
		.pre_doit	= hvmm_nl_pre_change,
		.doit		= hvmm_nl_pcpu_set_doit,
		.policy		= hvmm_pcpu_set_nl_policy,
		.maxattr	= HVMM_A_PCPU_GENERATION,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= HVMM_CMD_VM_RECLAIM,
		.pre_doit	= hvmm_nl_pre_change_vm,
		.doit		= hvmm_nl_vm_reclaim_doit,
		.post_doit	= hvmm_nl_post,
		.policy		= hvmm_vm_reclaim_nl_policy,
		.maxattr	= HVMM_A_VM_RECLAIM,
		.flags		= GENL_CMD_CAP_DO,
	},
};

static const struct genl_multicast_group hvmm_nl_mcgrps[] = {
	[HVMM_NLGRP_LIFECYCLE] = { "lifecycle", },
	[HVMM_NLGRP_QUOTA] = { "quota", },
};

struct genl_family hvmm_nl_family __ro_after_init = {
	.name		= HVMM_FAMILY_NAME,
	.version	= HVMM_FAMILY_VERSION,
	.netnsok	= true,
	.parallel_ops	= true,
	.module		= THIS_MODULE,
	.split_ops	= hvmm_nl_ops,
	.n_split_ops	= ARRAY_SIZE(hvmm_nl_ops),
	.mcgrps		= hvmm_nl_mcgrps,
	.n_mcgrps	= ARRAY_SIZE(hvmm_nl_mcgrps),
};
