/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HV_VM_H
#define HV_VM_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/hvmm.h>

#include "config.h"
#include "load.h"
#include "nl.h"
#include "quota.h"

/**
 * struct hv_vm - a VM as the kernel tells it
 * @id: its number
 * @name: its name
 * @vcpus: number of vCPUs
 * @memory: RAM in bytes
 * @state: enum hvmm_state
 * @reason: enum hvmm_state_reason
 * @error: text, with reason error
 * @console: number of its tty, -1 if none
 * @age: ns since creation
 * @uptime: ns since start, 0 while stopped
 * @config: what is kept for userspace; answers about one VM only
 * @config_len: its length
 * @quota: what it may have of the pCPUs
 */
struct hv_vm {
	uint32_t id;
	char name[HVMM_NAME_MAX + 1];
	uint32_t vcpus;
	uint64_t memory;
	uint32_t state;
	uint32_t reason;
	char error[256];
	int console;
	uint64_t age;
	uint64_t uptime;
	char config[HVMM_CONFIG_MAX];
	uint32_t config_len;
	struct hv_quota quota;
};

/**
 * struct hv_figures - time and exits of a vCPU, or their sums over a VM
 * @wall: ns
 * @ledger: ns by HVMM_A_LEDGER_...
 * @exits: by HVMM_A_EXITS_...
 * @counters: by HVMM_A_COUNTERS_...
 */
struct hv_figures {
	uint64_t wall;
	uint64_t ledger[HVMM_A_LEDGER_MAX + 1];
	uint64_t exits[HVMM_A_EXITS_MAX + 1];
	uint64_t counters[HVMM_A_COUNTERS_MAX + 1];
};

struct hv_stats {
	uint32_t id;
	char name[HVMM_NAME_MAX + 1];
	uint32_t state;
	uint32_t vcpus;
	uint64_t memory[HVMM_A_MEMORY_MAX + 1];
	struct hv_figures figures;
};

/**
 * struct hv_wait - single waits of a kind that have ended; the spec has the set "wait"
 * @count: how many
 * @longest: the longest, ns
 * @longest_end: when it ended, ns since the vCPU was created
 * @bucket: how many by length
 */
struct hv_wait {
	uint64_t count;
	uint64_t longest;
	uint64_t longest_end;
	uint32_t bucket[HVMM_WAIT_BUCKETS];
};

/**
 * struct hv_vcpu - a vCPU as the kernel tells it
 * @index: its number
 * @state: enum hvmm_cpu_state
 * @pcpu: where it is, or was last, -1 if nowhere yet
 * @since: ns that it has been in @state
 * @figures: its figures
 * @waits: by HVMM_A_WAITS_...
 */
struct hv_vcpu {
	uint32_t index;
	uint32_t state;
	int pcpu;
	uint64_t since;
	struct hv_figures figures;
	struct hv_wait waits[HVMM_A_WAITS_MAX + 1];
};

/**
 * struct hv_host - what concerns the module as a whole
 * @version: of the module
 * @vendor: svm or vmx
 * @counts: by HVMM_A_HOST_...
 */
struct hv_host {
	char version[64];
	char vendor[16];
	uint64_t counts[HVMM_A_HOST_MAX + 1];
};

/* Fill from a message; for events. */
int hv_vm_parse(const struct nlmsghdr *nlh, struct hv_vm *vm, struct hv_error *err);

int hv_vm_get(struct hv_nl *nl, const char *name, struct hv_vm *vm, struct hv_error *err);
int hv_vm_get_id(struct hv_nl *nl, uint32_t id, struct hv_vm *vm, struct hv_error *err);

/* All VMs as of one instant; @vms is to be freed. */
int hv_vm_list(struct hv_nl *nl, struct hv_vm **vms, size_t *count, struct hv_error *err);

/**
 * hv_vm_new - create a VM
 * @nl: connection
 * @name: its name
 * @vcpus: number of vCPUs
 * @memory: RAM in bytes
 * @prealloc: take all of the RAM from the host now, charged to the caller's memory cgroup
 * @config: what it boots
 * @quota: its quota, as far as that is given
 * @vm: filled with the new VM
 * @err: filled on failure
 *
 * Return: 0 or -1.
 */
int hv_vm_new(struct hv_nl *nl, const char *name, uint32_t vcpus, uint64_t memory, bool prealloc,
	      const struct hv_config *config, const struct hv_quota *quota, struct hv_vm *vm,
	      struct hv_error *err);

/* HVMM_CMD_VM_DEL, STOP, PAUSE or RESUME */
int hv_vm_simple(struct hv_nl *nl, uint8_t cmd, uint32_t id, struct hv_error *err);
int hv_vm_start(struct hv_nl *nl, uint32_t id, const struct hv_boot *boot, struct hv_error *err);

/* Whether a VM can be started: RAM must not be loaded under a running guest. */
int hv_vm_check_stopped(const struct hv_vm *vm, struct hv_error *err);

/**
 * enum hv_vm_boot - why a VM is to be started
 * @HV_VM_START: it is told to
 * @HV_VM_RESTART: it has reset itself, and nobody has stopped it since
 */
enum hv_vm_boot {
	HV_VM_START,
	HV_VM_RESTART,
};

/**
 * hv_vm_boot - load a stopped VM's images and start it
 * @nl: connection
 * @id: the VM
 * @config: its configuration
 * @why: why it is to be started
 * @err: filled on failure
 *
 * One at a time: who comes second finds it running.
 *
 * Return: 0, 1 if a restart is not wanted any more, or -1.
 */
int hv_vm_boot(struct hv_nl *nl, uint32_t id, const struct hv_config *config, enum hv_vm_boot why,
	       struct hv_error *err);

int hv_stats_get(struct hv_nl *nl, uint32_t id, struct hv_stats *stats, struct hv_error *err);
/* One for each VM; @stats is to be freed. */
int hv_stats_list(struct hv_nl *nl, struct hv_stats **stats, size_t *count, struct hv_error *err);
/* One for each vCPU; @vcpus is to be freed. */
int hv_vcpus_get(struct hv_nl *nl, uint32_t id, struct hv_vcpu **vcpus, size_t *count,
		 struct hv_error *err);
int hv_host_get(struct hv_nl *nl, struct hv_host *host, struct hv_error *err);
/* Fill from a message; for events. */
int hv_host_parse(const struct nlmsghdr *nlh, struct hv_host *host, struct hv_error *err);

/* Room for what is said of scheduling policies */
#define HV_POLICY_TEXT 128

/**
 * struct hv_pcpu - a pCPU
 * @values: by HVMM_A_PCPU_...
 * @busy: whether a vCPU is there: attributes vm and vcpu are given
 * @policies: names of the policies that decide there, with a comma between
 */
struct hv_pcpu {
	uint64_t values[HVMM_A_PCPU_MAX + 1];
	bool busy;
	char policies[HV_POLICY_TEXT];
};

/**
 * struct hv_policy - a scheduling policy that was taken out
 * @domain: number of the domain
 * @name: of the policy
 * @why: what it did
 */
struct hv_policy {
	unsigned int domain;
	char name[HV_POLICY_TEXT], why[HV_POLICY_TEXT];
};

/* Fill from a message of pcpu-policy-ntf. */
int hv_policy_parse(const struct nlmsghdr *nlh, struct hv_policy *policy, struct hv_error *err);

/* All that there may be; @pcpus is to be freed. */
int hv_pcpus_get(struct hv_nl *nl, struct hv_pcpu **pcpus, size_t *count, struct hv_error *err);

#endif
