/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HV_NAMES_H
#define HV_NAMES_H

#include <stdint.h>

/**
 * struct hv_names - names of an attribute set, as in Documentation/netlink/specs/hvmm.yaml
 * @count: number of names, the unused one of attribute 0 included
 * @name: by attribute
 */
struct hv_names {
	int count;
	const char *const *name;
};

extern const struct hv_names hv_vm_names, hv_boot_names, hv_ledger_names, hv_exit_names,
	hv_counter_names, hv_memory_names, hv_stats_names, hv_vcpu_names, hv_host_names,
	hv_pcpu_names, hv_wait_names;

const struct hv_names *hv_names_of_command(uint8_t cmd);
const struct hv_names *hv_names_of_nest(const struct hv_names *set, int attr);

/* Never %NULL: an attribute that is not known is "?". */
const char *hv_attr_name(const struct hv_names *set, int attr);

const char *hv_state_name(uint32_t state);
const char *hv_reason_name(uint32_t reason);
const char *hv_cpu_state_name(uint32_t state);

#endif
