/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HV_USAGE_H
#define HV_USAGE_H

#include <stddef.h>
#include <stdint.h>

#include "vm.h"

/**
 * enum hv_usage_key - what to sort by; the greatest comes first, but names from A
 * @HV_USAGE_RUN: time that it ran
 * @HV_USAGE_READY: time that it waited for a pCPU
 * @HV_USAGE_CAPPED: time that its cap held it back
 * @HV_USAGE_HOST: time that the host took its pCPU
 * @HV_USAGE_EXITS: exits
 * @HV_USAGE_MEMORY: memory
 * @HV_USAGE_NAME: name
 */
enum hv_usage_key {
	HV_USAGE_RUN,
	HV_USAGE_READY,
	HV_USAGE_CAPPED,
	HV_USAGE_HOST,
	HV_USAGE_EXITS,
	HV_USAGE_MEMORY,
	HV_USAGE_NAME,
	HV_USAGE_KEYS
};

/**
 * struct hv_usage - what a VM used between two samples, summed over its vCPUs
 * @id: its number
 * @name: its name
 * @state: enum hvmm_state
 * @vcpus: number of vCPUs
 * @window: ns between the samples
 * @ns: ns by HVMM_A_LEDGER_...; over @window it is a share of one pCPU
 * @exits: exits
 * @held: bytes of memory that the VM holds on the host
 */
struct hv_usage {
	uint32_t id;
	char name[HVMM_NAME_MAX + 1];
	uint32_t state;
	uint32_t vcpus;
	uint64_t window;
	uint64_t ns[HVMM_A_LEDGER_MAX + 1];
	uint64_t exits;
	uint64_t held;
};

/* Letter and word of a key, from either; %HV_USAGE_KEYS if there is none. */
enum hv_usage_key hv_usage_key(const char *text);
extern const char *const hv_usage_key_names[HV_USAGE_KEYS];

/**
 * hv_usage_diff - what VMs used between two samples
 * @before: first sample
 * @nr_before: VMs in it
 * @after: second sample
 * @nr: VMs in it
 * @usage: filled for each VM of the second; one that the first does not have is counted from
 *         its creation
 */
void hv_usage_diff(const struct hv_stats *before, size_t nr_before, const struct hv_stats *after,
		   size_t nr, struct hv_usage *usage);

void hv_usage_sort(struct hv_usage *usage, size_t nr, enum hv_usage_key key);

#endif
