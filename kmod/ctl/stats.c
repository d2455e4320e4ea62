// SPDX-License-Identifier: GPL-2.0
/*
 * Figures. A vCPU's are read as they are, without stopping it; its ledger is
 * read as of one instant, so that its states add up to wall time exactly.
 */
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/slab.h>

#include "core/pressure.h"
#include "ctl/nl.h"
#include "run/pcpu.h"
#include "x86/vendor.h"

/* The attributes of these sets are numbered from 1 in the order of core's lists. */
static_assert((int)HVMM_VCPU_STATE_NR == HVMM_A_LEDGER_MAX);
static_assert((int)HVMM_STAT_EXITS_NR == HVMM_A_EXITS_MAX);
static_assert(HVMM_STAT_NR - HVMM_STAT_EXITS_NR == (int)HVMM_A_COUNTERS_MAX);
static_assert((int)HVMM_WAITED_NR == HVMM_A_WAITS_MAX);
static_assert(HVMM_WAITED_WAKE_CAPPED + 1 == (int)HVMM_A_WAITS_WAKE_CAPPED);
static_assert(HVMM_CPU_STATE_OFFLINE == (int)HVMM_VCPU_OFFLINE);
static_assert(HVMM_STAT_other + 1 == (int)HVMM_A_EXITS_OTHER);
static_assert(HVMM_STAT_lent - HVMM_STAT_EXITS_NR + 1 == (int)HVMM_A_COUNTERS_LENT);

/**
 * struct figures - summed over several vCPUs
 * @wall: ns
 * @ns: ns per state
 * @n: counters
 */
struct figures {
	u64 wall;
	u64 ns[HVMM_VCPU_STATE_NR];
	u64 n[HVMM_STAT_NR];
};

/**
 * struct vcpu_figures - what is told of one vCPU
 * @sample: its time, and @waits as of the same instant
 * @waits: single waits by kind
 * @n: counters
 */
struct vcpu_figures {
	struct hvmm_ledger_sample sample;
	struct hvmm_wait_stat waits[HVMM_WAITED_NR];
	u64 n[HVMM_STAT_NR];
};

static void figures_add(struct figures *sum, const struct hvmm_vcpu *vcpu)
{
	struct hvmm_ledger_sample sample;
	unsigned int i;

	hvmm_ledger_read(&vcpu->ledger, &sample);
	sum->wall += sample.wall;
	for (i = 0; i < HVMM_VCPU_STATE_NR; i++)
		sum->ns[i] += sample.ns[i];
	for (i = 0; i < HVMM_STAT_NR; i++)
		sum->n[i] += READ_ONCE(vcpu->stats.n[i]);
}

static int put_array(struct sk_buff *skb, int attr, const u64 *values, unsigned int nr)
{
	struct nlattr *nest = nla_nest_start(skb, attr);
	unsigned int i;

	if (!nest)
		return -EMSGSIZE;
	for (i = 0; i < nr; i++)
		if (nla_put_uint(skb, i + 1, values[i]))
			return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_memory(struct sk_buff *skb, struct hvmm_vm *vm)
{
	struct nlattr *nest = nla_nest_start(skb, HVMM_A_STATS_MEMORY);
	struct hvmm_idle_figures idle;
	struct hvmm_vm_usage usage;

	if (!nest)
		return -EMSGSIZE;

	hvmm_vm_usage(vm, &usage);
	hvmm_mem_idle_read(&vm->mem, &idle);
	if (nla_put_uint(skb, HVMM_A_MEMORY_RAM, vm->mem.ram.size) ||
	    nla_put_uint(skb, HVMM_A_MEMORY_HELD, usage.held) ||
	    nla_put_uint(skb, HVMM_A_MEMORY_MAPPED, hvmm_mem_mapped_bytes(&vm->mem)) ||
	    nla_put_uint(skb, HVMM_A_MEMORY_LARGE_PAGES, atomic64_read(&vm->mem.tdp.large)) ||
	    nla_put_uint(skb, HVMM_A_MEMORY_TABLE_BYTES, usage.tables) ||
	    nla_put_uint(skb, HVMM_A_MEMORY_KERNEL_BYTES, usage.kernel) ||
	    nla_put_uint(skb, HVMM_A_MEMORY_RESIDENT, usage.resident) ||
	    nla_put_uint(skb, HVMM_A_MEMORY_SWAPPED, usage.swapped) ||
	    nla_put_uint(skb, HVMM_A_MEMORY_VCPU_BYTES, usage.vcpus) ||
	    nla_put_uint(skb, HVMM_A_MEMORY_DEVICE_BYTES, usage.devices) ||
	    nla_put_uint(skb, HVMM_A_MEMORY_GROUP_BYTES, usage.group) ||
	    nla_put_uint(skb, HVMM_A_MEMORY_VM_BYTES, usage.vm) ||
	    nla_put_uint(skb, HVMM_A_MEMORY_TOTAL, usage.total) ||
	    nla_put_uint(skb, HVMM_A_MEMORY_WAITING, READ_ONCE(vm->mem.quota.nr_waiting)) ||
	    nla_put_uint(skb, HVMM_A_MEMORY_WORKING_SET, idle.working_set) ||
	    nla_put_uint(skb, HVMM_A_MEMORY_WINDOW, idle.window) ||
	    nla_put_uint(skb, HVMM_A_MEMORY_IDLE, idle.idle) ||
	    nla_put_uint(skb, HVMM_A_MEMORY_CLEARED, READ_ONCE(vm->mem.reclaim.cleared)) ||
	    nla_put_uint(skb, HVMM_A_MEMORY_SWAPPED_OUT, READ_ONCE(vm->mem.reclaim.swapped)))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_stats(struct sk_buff *skb, struct hvmm_vm *vm)
{
	struct figures sum = {};
	u32 i;

	for (i = 0; i < vm->nr_vcpus; i++) {
		figures_add(&sum, vm->vcpus[i]);
		cond_resched();
	}

	if (nla_put_u32(skb, HVMM_A_STATS_VM, vm->id) ||
	    nla_put_string(skb, HVMM_A_STATS_VM_NAME, vm->name) ||
	    nla_put_u32(skb, HVMM_A_STATS_STATE, READ_ONCE(vm->state)) ||
	    nla_put_u32(skb, HVMM_A_STATS_VCPUS, vm->nr_vcpus) ||
	    nla_put_uint(skb, HVMM_A_STATS_WALL, sum.wall))
		return -EMSGSIZE;

	return put_memory(skb, vm) ?:
	       put_array(skb, HVMM_A_STATS_LEDGER, sum.ns, HVMM_VCPU_STATE_NR) ?:
	       put_array(skb, HVMM_A_STATS_EXITS, sum.n, HVMM_STAT_EXITS_NR) ?:
	       put_array(skb, HVMM_A_STATS_COUNTERS, sum.n + HVMM_STAT_EXITS_NR,
			 HVMM_STAT_NR - HVMM_STAT_EXITS_NR);
}

static int put_wait(struct sk_buff *skb, int attr, const struct hvmm_wait_stat *wait)
{
	struct nlattr *nest;

	if (!wait->count)
		return 0;

	nest = nla_nest_start(skb, attr);
	if (!nest ||
	    nla_put_uint(skb, HVMM_A_WAIT_COUNT, wait->count) ||
	    nla_put_uint(skb, HVMM_A_WAIT_LONGEST, wait->longest) ||
	    nla_put_uint(skb, HVMM_A_WAIT_LONGEST_END, wait->longest_end) ||
	    nla_put(skb, HVMM_A_WAIT_HISTOGRAM, sizeof(wait->bucket), wait->bucket))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_waits(struct sk_buff *skb, const struct hvmm_wait_stat *waits)
{
	struct nlattr *nest = nla_nest_start(skb, HVMM_A_VCPU_WAITS);
	unsigned int i;

	if (!nest)
		return -EMSGSIZE;
	for (i = 0; i < HVMM_WAITED_NR; i++)
		if (put_wait(skb, i + 1, &waits[i]))
			return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

static int put_vcpu_figures(struct sk_buff *skb, struct hvmm_vm *vm, const struct hvmm_vcpu *vcpu,
			    const struct vcpu_figures *f)
{
	const struct hvmm_resource *res = READ_ONCE(vcpu->unit.res);

	if (nla_put_u32(skb, HVMM_A_VCPU_VM, vm->id) ||
	    nla_put_string(skb, HVMM_A_VCPU_VM_NAME, vm->name) ||
	    nla_put_u32(skb, HVMM_A_VCPU_INDEX, vcpu->index) ||
	    nla_put_u32(skb, HVMM_A_VCPU_STATE, f->sample.state) ||
	    (res && nla_put_u32(skb, HVMM_A_VCPU_PCPU, res->id)) ||
	    nla_put_uint(skb, HVMM_A_VCPU_WALL, f->sample.wall) ||
	    nla_put_uint(skb, HVMM_A_VCPU_SINCE, f->sample.since))
		return -EMSGSIZE;

	return put_array(skb, HVMM_A_VCPU_LEDGER, f->sample.ns, HVMM_VCPU_STATE_NR) ?:
	       put_array(skb, HVMM_A_VCPU_EXITS, f->n, HVMM_STAT_EXITS_NR) ?:
	       put_array(skb, HVMM_A_VCPU_COUNTERS, f->n + HVMM_STAT_EXITS_NR,
			 HVMM_STAT_NR - HVMM_STAT_EXITS_NR) ?:
	       put_waits(skb, f->waits);
}

static int put_vcpu(struct sk_buff *skb, struct hvmm_vm *vm, const struct hvmm_vcpu *vcpu)
{
	/* Too big for the stack. */
	struct vcpu_figures *f = kmalloc(sizeof(*f), GFP_KERNEL);
	unsigned int i;
	int err;

	if (!f)
		return -ENOMEM;
	hvmm_ledger_read_waits(&vcpu->ledger, &f->sample, f->waits);
	for (i = 0; i < HVMM_STAT_NR; i++)
		f->n[i] = READ_ONCE(vcpu->stats.n[i]);
	err = put_vcpu_figures(skb, vm, vcpu, f);
	kfree(f);
	return err;
}

/* Consumes @reply; @err is what filling it came to. */
static int reply_send(struct sk_buff *reply, void *hdr, struct genl_info *info, int err)
{
	if (err) {
		nlmsg_free(reply);
		return err;
	}
	genlmsg_end(reply, hdr);
	return genlmsg_reply(reply, info);
}

int hvmm_nl_stats_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct sk_buff *reply = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	void *hdr;

	if (!reply)
		return -ENOMEM;
	hdr = genlmsg_iput(reply, info);
	return reply_send(reply, hdr, info,
			  hdr ? put_stats(reply, hvmm_nl_vm(info)) : -EMSGSIZE);
}

static int dump_stats(struct sk_buff *skb, struct netlink_callback *cb, struct hvmm_vm *vm)
{
	void *hdr = hvmm_nl_dump_begin(skb, cb);
	int err = hdr ? put_stats(skb, vm) : -EMSGSIZE;

	if (err)
		genlmsg_cancel(skb, hdr);
	else
		genlmsg_end(skb, hdr);
	return err;
}

int hvmm_nl_stats_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return hvmm_nl_dump(skb, cb, dump_stats);
}

int hvmm_nl_vcpu_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct hvmm_vm *vm = hvmm_nl_vm(info);
	struct sk_buff *reply;
	struct nlattr *attr;
	void *hdr;
	u32 index;
	int err;

	err = hvmm_nl_need(info, HVMM_A_VCPU_INDEX, "index");
	if (err)
		return err;
	attr = info->attrs[HVMM_A_VCPU_INDEX];
	index = nla_get_u32(attr);
	if (index >= vm->nr_vcpus) {
		NL_SET_ERR_MSG_ATTR_FMT(info->extack, attr, "the VM has %u vCPUs, from 0",
					vm->nr_vcpus);
		return -ENOENT;
	}
	index = array_index_nospec(index, vm->nr_vcpus);

	reply = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!reply)
		return -ENOMEM;
	hdr = genlmsg_iput(reply, info);
	return reply_send(reply, hdr, info,
			  hdr ? put_vcpu(reply, vm, vm->vcpus[index]) : -EMSGSIZE);
}

static int dump_vcpus(struct sk_buff *skb, struct netlink_callback *cb, struct hvmm_vm *vm)
{
	struct hvmm_nl_cursor *cursor = hvmm_nl_cursor(cb);
	void *hdr;
	int err;

	for (; cursor->vcpu < vm->nr_vcpus; cursor->vcpu++) {
		hdr = hvmm_nl_dump_begin(skb, cb);
		err = hdr ? put_vcpu(skb, vm, vm->vcpus[cursor->vcpu]) : -EMSGSIZE;
		if (err) {
			genlmsg_cancel(skb, hdr);
			return err;
		}
		genlmsg_end(skb, hdr);
		cond_resched();
	}
	return 0;
}

int hvmm_nl_vcpu_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return hvmm_nl_dump(skb, cb, dump_vcpus);
}

int hvmm_nl_put_host(struct sk_buff *skb)
{
	u64 ram_bytes = 0, table_bytes = 0, reserved = 0, provided, unused;
	u32 id = 0, vms = 0, vcpus = 0;
	struct hvmm_quota quota;
	struct hvmm_vm *vm;

	while ((vm = hvmm_vm_next(&id))) {
		vms++;
		vcpus += vm->nr_vcpus;
		ram_bytes += hvmm_mem_mapped_bytes(&vm->mem);
		table_bytes += hvmm_mem_table_bytes(&vm->mem);
		hvmm_group_quota(vm->group, &quota);
		reserved += quota.min_ppm;
		hvmm_vm_put(vm);
		if (id == U32_MAX)
			break;
		id++;
	}
	/* Keeping a reservation takes somewhat more than that. */
	hvmm_sched_reserved(&provided, &unused);

	if (nla_put_string(skb, HVMM_A_HOST_VERSION, THIS_MODULE->version ?: "unknown") ||
	    nla_put_string(skb, HVMM_A_HOST_VENDOR, hvmm_arch->name) ||
	    nla_put_u32(skb, HVMM_A_HOST_PCPUS, hvmm_sched_nr_online()) ||
	    nla_put_u32(skb, HVMM_A_HOST_VMS, vms) ||
	    nla_put_u32(skb, HVMM_A_HOST_VCPUS, vcpus) ||
	    nla_put_u32(skb, HVMM_A_HOST_VM_OBJECTS, hvmm_vm_objects()) ||
	    nla_put_uint(skb, HVMM_A_HOST_RAM_PAGES, ram_bytes / SZ_4K) ||
	    nla_put_uint(skb, HVMM_A_HOST_TABLE_PAGES, table_bytes / SZ_4K) ||
	    nla_put_u32(skb, HVMM_A_HOST_HOST_SHARE, hvmm_pcpu_host_share()) ||
	    nla_put_uint(skb, HVMM_A_HOST_CPU_RESERVED, reserved) ||
	    nla_put_uint(skb, HVMM_A_HOST_CPU_FREE, unused) ||
	    nla_put_u32(skb, HVMM_A_HOST_GENERATION, hvmm_quota_generation()) ||
	    nla_put_uint(skb, HVMM_A_HOST_SCAN_TIME, hvmm_pressure_scan_ns()) ||
	    nla_put_uint(skb, HVMM_A_HOST_UPTIME, hvmm_pressure_age_ns()))
		return -EMSGSIZE;
	return 0;
}

int hvmm_nl_host_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct sk_buff *reply = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	void *hdr;

	if (!reply)
		return -ENOMEM;
	hdr = genlmsg_iput(reply, info);
	return reply_send(reply, hdr, info, hdr ? hvmm_nl_put_host(reply) : -EMSGSIZE);
}
