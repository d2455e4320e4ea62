/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HV_WHY_H
#define HV_WHY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "vm.h"

/*
 * Why the vCPUs of a VM waited, from two samples. Arithmetic, advice and words only:
 * no kernel, no clock.
 */

/**
 * enum hv_why_where - where another VM may run, seen from the VM in question
 * @HV_WHY_WITHIN: only on pCPUs that the VM may use
 * @HV_WHY_PARTLY: on those and others: what it took from them is at most what it ran
 * @HV_WHY_APART: only on others
 */
enum hv_why_where {
	HV_WHY_WITHIN,
	HV_WHY_PARTLY,
	HV_WHY_APART,
};

/**
 * struct hv_why_vm - a VM at the time of a sample, summed over its vCPUs
 * @id: its number
 * @name: its name
 * @vcpus: number of vCPUs
 * @weight: its weight, 0 if that is not known
 * @where: where it may run
 * @wall: ns since the vCPUs were created
 * @run: ns in state run
 * @host: ns in state host
 */
struct hv_why_vm {
	uint32_t id;
	char name[HVMM_NAME_MAX + 1];
	uint32_t vcpus;
	uint32_t weight;
	enum hv_why_where where;
	uint64_t wall;
	uint64_t run;
	uint64_t host;
};

/**
 * struct hv_why_sample - what was seen at a time
 * @vcpus: the VM's vCPUs
 * @nr_vcpus: their number
 * @vms: all VMs, this one too
 * @nr_vms: their number
 * @idle: ns that the pCPUs which the VM may use were idle, since some time
 * @idle_known: whether @idle is
 */
struct hv_why_sample {
	const struct hv_vcpu *vcpus;
	size_t nr_vcpus;
	const struct hv_why_vm *vms;
	size_t nr_vms;
	uint64_t idle;
	bool idle_known;
};

/**
 * struct hv_why_limits - what the VM was allowed
 * @id: its number
 * @name: its name
 * @pcpus: number of pCPUs that it may use
 * @all_pcpus: number of pCPUs that run vCPUs at all
 * @weight: its weight, 0 if that is not known
 * @max_ns: its cap: ns of running in each @period_ns, 0 for none
 * @period_ns: see @max_ns
 * @min_ppm: its reservation, millionths of a pCPU
 */
struct hv_why_limits {
	uint32_t id;
	const char *name;
	uint32_t pcpus;
	uint32_t all_pcpus;
	uint32_t weight;
	uint64_t max_ns;
	uint64_t period_ns;
	uint32_t min_ppm;
};

/**
 * enum hv_why_how - how well the longest wait of a window is known
 * @HV_WHY_NONE: there was none
 * @HV_WHY_EXACT: exactly
 * @HV_WHY_AT_MOST: it was not longer than that, and at least half as long
 * @HV_WHY_STILL: it goes on; it has lasted that long
 */
enum hv_why_how {
	HV_WHY_NONE,
	HV_WHY_EXACT,
	HV_WHY_AT_MOST,
	HV_WHY_STILL,
};

/**
 * struct hv_why_wait - waits of a kind that ended within the window
 * @count: how many
 * @longest: the longest, ns
 * @how: how well @longest is known
 * @bucket: how many by length
 * @lost: the buckets have wrapped and say nothing
 * @p50: half of them were shorter than this, ns
 * @p99: 99 of 100 were shorter than this, ns
 */
struct hv_why_wait {
	uint64_t count;
	uint64_t longest;
	enum hv_why_how how;
	uint32_t bucket[HVMM_WAIT_BUCKETS];
	bool lost;
	uint64_t p50;
	uint64_t p99;
};

/**
 * struct hv_why_vcpu - a vCPU in the window
 * @index: its number
 * @state: enum hvmm_cpu_state at its end
 * @window: its length, ns
 * @wanted: ns that it ran or would have liked to
 * @ledger: ns by HVMM_A_LEDGER_...; the states add up to @window exactly
 * @cause: what it spent most of its waiting on, or else of its time: HVMM_A_LEDGER_...
 * @waits: by HVMM_A_WAITS_...
 * @longest: its longest single wait
 * @longest_cause: HVMM_A_LEDGER_... of that
 * @longest_how: how well that is known
 */
struct hv_why_vcpu {
	uint32_t index;
	uint32_t state;
	uint64_t window;
	uint64_t wanted;
	uint64_t ledger[HVMM_A_LEDGER_MAX + 1];
	int cause;
	struct hv_why_wait waits[HVMM_A_WAITS_MAX + 1];
	uint64_t longest;
	int longest_cause;
	enum hv_why_how longest_how;
};

/**
 * struct hv_why_other - a VM that ran meanwhile
 * @id: its number
 * @name: its name
 * @weight: its weight, 0 if that is not known
 * @self: it is the VM in question
 * @at_most: some of it was on other pCPUs
 * @run: ns, scaled to the window
 */
struct hv_why_other {
	uint32_t id;
	char name[HVMM_NAME_MAX + 1];
	uint32_t weight;
	bool self;
	bool at_most;
	uint64_t run;
};

/**
 * enum hv_why_advice - what could be done
 * @HV_ADVICE_RAISE_CAP: its cap holds it back
 * @HV_ADVICE_RAISE_SHARE: other VMs had the pCPUs
 * @HV_ADVICE_WIDEN: it may use only some of the pCPUs, and waits for them
 * @HV_ADVICE_FEWER_VCPUS: it has more busy vCPUs than pCPUs
 * @HV_ADVICE_HOST: the host took the pCPUs
 * @HV_ADVICE_DEVICE: it waits for the device process
 * @HV_ADVICE_MEMORY: it waits for memory
 * @HV_ADVICE_WAKES: it sleeps mostly, but waits long when it wakes up
 * @HV_ADVICE_PAUSED: it is paused or stopped
 * @HV_ADVICE_SLEEPS: nothing: it sleeps most of the time
 * @HV_ADVICE_RUNS: nothing: it runs as much as it wants to
 */
enum hv_why_advice {
	HV_ADVICE_RAISE_CAP,
	HV_ADVICE_RAISE_SHARE,
	HV_ADVICE_WIDEN,
	HV_ADVICE_FEWER_VCPUS,
	HV_ADVICE_HOST,
	HV_ADVICE_DEVICE,
	HV_ADVICE_MEMORY,
	HV_ADVICE_WAKES,
	HV_ADVICE_PAUSED,
	HV_ADVICE_SLEEPS,
	HV_ADVICE_RUNS,
	HV_ADVICE_NR
};

/**
 * struct hv_why - the answer
 * @limits: what the VM was allowed
 * @since_start: the window is all of the VM's life
 * @window: its length, ns
 * @vcpus: the VM's vCPUs
 * @nr_vcpus: their number
 * @others: VMs that ran on the VM's pCPUs, the busiest first
 * @nr_others: their number
 * @capacity: ns that its pCPUs had
 * @host: ns of that which the host took
 * @idle: ns of that which nobody used; with @idle_known unset, or the host
 * @idle_known: whether @idle and @host can be told apart
 * @sum: over the vCPUs, by HVMM_A_LEDGER_...
 * @wall: sum of the vCPUs' windows
 * @wanted: sum over the vCPUs
 * @cause: as of a vCPU, of the sums
 * @advice: by enum hv_why_advice
 */
struct hv_why {
	struct hv_why_limits limits;
	bool since_start;
	uint64_t window;
	struct hv_why_vcpu *vcpus;
	size_t nr_vcpus;
	struct hv_why_other *others;
	size_t nr_others;
	uint64_t capacity;
	uint64_t host;
	uint64_t idle;
	bool idle_known;
	uint64_t sum[HVMM_A_LEDGER_MAX + 1];
	uint64_t wall;
	uint64_t wanted;
	int cause;
	bool advice[HV_ADVICE_NR];
};

/**
 * hv_why_work_out - the answer from two samples
 * @why: filled; hv_why_free() when done
 * @limits: what the VM was allowed; its name must outlive @why
 * @before: first sample, or %NULL for the beginning of the VM's life
 * @after: second sample
 *
 * Running out of memory ends the program.
 */
void hv_why_work_out(struct hv_why *why, const struct hv_why_limits *limits,
		     const struct hv_why_sample *before, const struct hv_why_sample *after);

void hv_why_free(struct hv_why *why);

/* Greatest length of a wait in a bucket, plus one: ns; 0 for the last, which has none. */
uint64_t hv_why_bucket_end(unsigned int bucket);

/* Words: key of an advice in JSON, and the sentence; @buf has %HV_WHY_TEXT bytes. */
#define HV_WHY_TEXT 512
const char *hv_why_advice_key(enum hv_why_advice advice);
const char *hv_why_advice_text(const struct hv_why *why, enum hv_why_advice advice, char *buf);
const char *hv_why_how_key(enum hv_why_how how);

/* The whole answer, for a person. */
void hv_why_print(FILE *file, const struct hv_why *why);

#endif
