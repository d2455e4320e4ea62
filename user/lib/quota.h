/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HV_QUOTA_H
#define HV_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/hvmm.h>

#include "cputext.h"
#include "nl.h"

/**
 * struct hv_quota - what a VM may have of the pCPUs
 * @given: what of it is given, a bit for each HVMM_A_VM_...
 * @weight: share relative to other VMs
 * @max: cap, ns in each @period; 0 for none
 * @period: ns
 * @burst: unused ns of the cap that can be saved up
 * @min: reservation, millionths of a pCPU
 * @affinity: pCPUs that it may use
 * @mem_max: bytes that it may hold of the host's memory; 0 for no limit
 * @mem_high: bytes above which what it does not use is taken from it; 0 for no limit
 * @mem_min: bytes that reclaim leaves it
 * @mem_held: bytes that it holds of what these are about; answers only
 * @stall: longest time for which the cap alone stops a vCPU, ns; answers only
 * @generation: number of all quotas' state; answers only
 */
struct hv_quota {
	uint32_t given;
	uint32_t weight;
	uint64_t max;
	uint64_t period;
	uint64_t burst;
	uint32_t min;
	struct hv_cpus affinity;
	uint64_t mem_max;
	uint64_t mem_high;
	uint64_t mem_min;
	uint64_t mem_held;
	uint64_t stall;
	uint32_t generation;
};

static inline bool hv_quota_has(const struct hv_quota *quota, int attr)
{
	return quota->given & 1U << attr;
}

/* From the attributes of a VM, by HVMM_A_VM_... */
void hv_quota_parse(struct nlattr *const *tb, struct hv_quota *quota);

/* Add what is given. */
void hv_quota_put(struct nl_msg *msg, const struct hv_quota *quota);

/**
 * hv_quota_set - give several VMs a quota, all of them or none
 * @nl: connection
 * @names: of the VMs
 * @count: their number, at most %HVMM_CHANGES_MAX
 * @quota: what is to change
 * @generation: do it only if this is the number of quotas' state; %NULL for always
 * @reclaimed: filled with what the VMs have given back, bytes
 * @err: filled on failure
 *
 * Return: 0 or -1.
 */
int hv_quota_set(struct hv_nl *nl, char *const *names, int count, const struct hv_quota *quota,
		 const uint32_t *generation, uint64_t *reclaimed, struct hv_error *err);

/**
 * hv_reclaim - let a VM give back memory
 * @nl: connection
 * @name: of the VM
 * @bytes: how much
 * @reclaimed: filled with how much it was
 * @held: filled with what the VM holds now
 * @err: filled on failure
 *
 * Return: 0 or -1.
 */
int hv_reclaim(struct hv_nl *nl, const char *name, uint64_t bytes, uint64_t *reclaimed,
	       uint64_t *held, struct hv_error *err);

/**
 * hv_pcpu_set - choose what hvmm uses of the pCPUs, all of it or nothing
 * @nl: connection
 * @use: which pCPUs, or %NULL to leave that
 * @host_share: millionths that are the host's, or 0 to leave that
 * @generation: do it only if this is the number of quotas' state; %NULL for always
 * @err: filled on failure
 *
 * Return: 0 or -1.
 */
int hv_pcpu_set(struct hv_nl *nl, const struct hv_cpus *use, uint32_t host_share,
		const uint32_t *generation, struct hv_error *err);

#endif
