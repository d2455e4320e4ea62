/* SPDX-License-Identifier: GPL-2.0 */
/* In place of kmod/x86/vcpu.h: what kmod/x86/{cpuid,msr,...}.c use of a vCPU and its VM. */
#ifndef HVMM_X86_VCPU_H
#define HVMM_X86_VCPU_H

#include "fake_kernel.h"

#include "dev/lapic.h"
#include "x86/regs.h"
#include "x86/walked.h"

#define HVMM_MTRR_VAR_NR	8
#define HVMM_RAM_LOW_MAX	(3ULL << 30)
#define HVMM_RAM_HIGH_BASE	(4ULL << 30)
#define HVMM_REQ_CLOCK		5
#define HVMM_VM_RAM		(1 << 20)

struct hvmm_tdp_format;

enum hvmm_event_type {
	HVMM_EVENT_INTR = 0, HVMM_EVENT_NMI = 2, HVMM_EVENT_EXCEPTION = 3, HVMM_EVENT_SOFT = 4,
};

struct hvmm_event {
	bool valid;
	u8 type;
	u8 vector;
	bool has_error;
	u32 error;
};

enum hvmm_exit_fate { HVMM_EXIT_RESUME, HVMM_EXIT_YIELD };
enum hvmm_unit_state { HVMM_UNIT_PARKED, HVMM_UNIT_QUEUED, HVMM_UNIT_RUNNING };

enum hvmm_vcpu_state {
	HVMM_VCPU_RUN, HVMM_VCPU_READY, HVMM_VCPU_CAPPED, HVMM_VCPU_HOST, HVMM_VCPU_STATE_NR
};

struct hvmm_ledger {
	u64 ns[HVMM_VCPU_STATE_NR];
};

struct hvmm_ledger_sample {
	u64 ns[HVMM_VCPU_STATE_NR];
};

static inline void hvmm_ledger_read(const struct hvmm_ledger *l, struct hvmm_ledger_sample *s)
{
	memcpy(s->ns, l->ns, sizeof(s->ns));
}

struct hvmm_tdp {
	int levels;
};

/*
 * @missing: a frame that is not mapped yet; ~0 for none: where one goes away @tlb_gen goes up.
 * @reads: calls of hvmm_mem_read(). @race: see guest_cpu.c. @until_miss: the access, counted
 * from 1, whose page is missing this once.
 */
struct hvmm_mem {
	struct { u64 size; } ram;
	struct hvmm_tdp tdp;
	atomic64_t tlb_gen;
	u8 *data;
	u64 missing;
	unsigned int reads;
	unsigned int until_miss;
	void (*race)(struct hvmm_mem *mem);
};

int hvmm_mem_read(struct hvmm_mem *mem, u64 gpa, void *buf, unsigned int len, u64 *missing);
int hvmm_mem_write(struct hvmm_mem *mem, u64 gpa, const void *buf, unsigned int len,
		   u64 *missing);
int hvmm_mem_cmpxchg(struct hvmm_mem *mem, u64 gpa, void *old, const void *new,
		     unsigned int len, u64 *missing);

void *hvmm_tdp_lookup(const struct hvmm_tdp *tdp, u64 gfn);

struct hvmm_vm {
	u32 id;
	u32 nr_vcpus;
	u64 tsc_offset;
	u64 clock_offset;
	struct hvmm_mem mem;
	struct hvmm_irq_router irq;
	u32 spin_next;
	struct hvmm_vcpu **vcpus;
};

struct hvmm_unit {
	int state;
};

struct hvmm_vcpu {
	struct hvmm_vm *vm;
	u32 index;
	unsigned long requests;
	bool spun;
	struct hvmm_unit unit;
	struct hvmm_ledger ledger;
	struct { u64 yields; } stats;
	struct hvmm_lapic lapic;
};

#define hvmm_stat_inc(vcpu, name)	((vcpu)->stats.name++)

static inline bool hvmm_vcpu_waits(const struct hvmm_vcpu *vcpu)
{
	return vcpu->unit.state == HVMM_UNIT_QUEUED;
}

void hvmm_vcpu_unhalt(struct hvmm_vcpu *vcpu);
bool hvmm_vcpu_yield_to(struct hvmm_vcpu *from, struct hvmm_vcpu *to);

struct hvmm_msr_state {
	u64 tsc_aux;
	u64 mtrr_def;
	u64 mtrr_fixed[11];
	u64 mtrr_var[HVMM_MTRR_VAR_NR][2];
	u64 hwcr;
	u64 tsc_adjust;
	u64 kvm_wall;
	u64 kvm_time;
	u64 kvm_steal;
	u64 kvm_eoi;
	u64 kvm_poll;
};

/* The registers from @cr on are what the vendor's control block holds. */
struct hvmm_x86_vcpu {
	struct hvmm_vcpu vcpu;
	struct hvmm_regs regs;
	u64 xcr0;
	struct hvmm_msr_state msr;
	const struct hvmm_msr_row *msr_row;
	u64 missing_gfn;
	bool missing_write;
	u32 time_version;
	u32 steal_version;
	u64 steal_base;
	bool preempted;
	bool eoi_armed;
	struct hvmm_event event;

	u64 cr[5];
	u64 efer;
	u64 pat;
	u64 lstar;
	u64 tsc_offset;
	int cpl;
	struct hvmm_seg cs;
	/* All but CS. */
	struct hvmm_seg seg[HVMM_SEG_TR + 1];
	u64 gdt_base;
	u32 gdt_limit;
	u64 dr[8];
	bool nmi_masked;
	unsigned int flushes;

	struct hvmm_walked code[HVMM_WALKED_PAGES];
	struct hvmm_walked data[HVMM_WALKED_PAGES];
};

static inline struct hvmm_walked *hvmm_code_slot(struct hvmm_x86_vcpu *x, u64 rip)
{
	return &x->code[(rip >> 12) % HVMM_WALKED_PAGES];
}

#endif
