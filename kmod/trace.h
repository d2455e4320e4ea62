/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints, group "hvmm". Where nobody listens each costs a jump over it. Names
 * and fields are for people and tools such as perf and bpftrace, and may grow.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM hvmm

#if !defined(HVMM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define HVMM_TRACE_H

#include <linux/tracepoint.h>
#include <linux/types.h>

struct hvmm_sched_record;

TRACE_EVENT(hvmm_entry,
	TP_PROTO(u32 vm, u32 vcpu, u64 rip),
	TP_ARGS(vm, vcpu, rip),
	TP_STRUCT__entry(
		__field(u32, vm)
		__field(u32, vcpu)
		__field(u64, rip)
	),
	TP_fast_assign(
		__entry->vm = vm;
		__entry->vcpu = vcpu;
		__entry->rip = rip;
	),
	TP_printk("vm %u vcpu %u rip 0x%llx", __entry->vm, __entry->vcpu, __entry->rip)
);

/* The reason is the vendor's code; info1 and info2 are EXITINFO1 and 2 on SVM. */
TRACE_EVENT(hvmm_exit,
	TP_PROTO(u32 vm, u32 vcpu, u64 reason, u64 rip, u64 info1, u64 info2),
	TP_ARGS(vm, vcpu, reason, rip, info1, info2),
	TP_STRUCT__entry(
		__field(u32, vm)
		__field(u32, vcpu)
		__field(u64, reason)
		__field(u64, rip)
		__field(u64, info1)
		__field(u64, info2)
	),
	TP_fast_assign(
		__entry->vm = vm;
		__entry->vcpu = vcpu;
		__entry->reason = reason;
		__entry->rip = rip;
		__entry->info1 = info1;
		__entry->info2 = info2;
	),
	TP_printk("vm %u vcpu %u reason 0x%llx rip 0x%llx info1 0x%llx info2 0x%llx",
		  __entry->vm, __entry->vcpu, __entry->reason, __entry->rip,
		  __entry->info1, __entry->info2)
);

DECLARE_EVENT_CLASS(hvmm_vcpu,
	TP_PROTO(u32 vm, u32 vcpu),
	TP_ARGS(vm, vcpu),
	TP_STRUCT__entry(
		__field(u32, vm)
		__field(u32, vcpu)
	),
	TP_fast_assign(
		__entry->vm = vm;
		__entry->vcpu = vcpu;
	),
	TP_printk("vm %u vcpu %u", __entry->vm, __entry->vcpu)
);

/* A runner begins to run a vCPU. */
DEFINE_EVENT(hvmm_vcpu, hvmm_switch, TP_PROTO(u32 vm, u32 vcpu), TP_ARGS(vm, vcpu));

/* A parked vCPU has become ready. */
DEFINE_EVENT(hvmm_vcpu, hvmm_wake, TP_PROTO(u32 vm, u32 vcpu), TP_ARGS(vm, vcpu));

/* A vCPU could run, but its VM's cap is used up. */
DEFINE_EVENT(hvmm_vcpu, hvmm_throttle, TP_PROTO(u32 vm, u32 vcpu), TP_ARGS(vm, vcpu));

/* The cap no longer holds it back, after ns; it runs, waits for a pCPU or for something else. */
TRACE_EVENT(hvmm_unthrottle,
	TP_PROTO(u32 vm, u32 vcpu, u64 ns),
	TP_ARGS(vm, vcpu, ns),
	TP_STRUCT__entry(
		__field(u32, vm)
		__field(u32, vcpu)
		__field(u64, ns)
	),
	TP_fast_assign(
		__entry->vm = vm;
		__entry->vcpu = vcpu;
		__entry->ns = ns;
	),
	TP_printk("vm %u vcpu %u after %llu ns", __entry->vm, __entry->vcpu, __entry->ns)
);

/* A vCPU waits; the state is one of the ledger's. */
TRACE_EVENT(hvmm_park,
	TP_PROTO(u32 vm, u32 vcpu, const char *state),
	TP_ARGS(vm, vcpu, state),
	TP_STRUCT__entry(
		__field(u32, vm)
		__field(u32, vcpu)
		__array(char, state, 12)
	),
	TP_fast_assign(
		__entry->vm = vm;
		__entry->vcpu = vcpu;
		strscpy(__entry->state, state, sizeof(__entry->state));
	),
	TP_printk("vm %u vcpu %u %s", __entry->vm, __entry->vcpu, __entry->state)
);

/*
 * Calls of the scheduler, in order under each domain's lock, and what came of them: see
 * struct hvmm_sched_record. "selftests/sched/sim --replay" reads them.
 */
TRACE_EVENT(hvmm_sched,
	TP_PROTO(const struct hvmm_sched_record *rec),
	TP_ARGS(rec),
	TP_STRUCT__entry(
		__field(u32, op)
		__field(u32, dom)
		__field(u64, seq)
		__field(u64, now)
		__field(int, res)
		__field(u32, vm)
		__field(int, vcpu)
		__field(u64, host)
		__field(u64, arg)
	),
	TP_fast_assign(
		__entry->op = rec->op;
		__entry->dom = rec->dom;
		__entry->seq = rec->seq;
		__entry->now = rec->now;
		__entry->res = rec->res;
		__entry->vm = rec->group;
		__entry->vcpu = rec->unit;
		__entry->host = rec->host_ns;
		__entry->arg = rec->arg;
	),
	TP_printk("op %s dom %u seq %llu now %llu res %d vm %u vcpu %d host %llu arg %llu",
		  __print_symbolic(__entry->op, { 0, "wake" }, { 1, "hold" }, { 2, "next" },
				   { 3, "put" }, { 4, "attend" }, { 5, "timer" },
				   { 6, "yield_to" }, { 7, "online" }, { 8, "quota" },
				   { 9, "exit" }),
		  __entry->dom, __entry->seq, __entry->now, __entry->res, __entry->vm,
		  __entry->vcpu, __entry->host, __entry->arg)
);

/* The quota of the hvmm_sched event before it. */
TRACE_EVENT(hvmm_sched_quota,
	TP_PROTO(const struct hvmm_sched_record *rec),
	TP_ARGS(rec),
	TP_STRUCT__entry(
		__field(u32, dom)
		__field(u64, seq)
		__field(u32, weight)
		__field(u64, max)
		__field(u64, period)
		__field(u64, burst)
		__field(u32, min)
	),
	TP_fast_assign(
		__entry->dom = rec->dom;
		__entry->seq = rec->seq;
		__entry->weight = rec->quota->weight;
		__entry->max = rec->quota->max_ns;
		__entry->period = rec->quota->period_ns;
		__entry->burst = rec->quota->burst_ns;
		__entry->min = rec->quota->min_ppm;
	),
	TP_printk("dom %u seq %llu weight %u max %llu period %llu burst %llu min %u",
		  __entry->dom, __entry->seq, __entry->weight, __entry->max,
		  __entry->period, __entry->burst, __entry->min)
);

/* The type is that of EVENTINJ: 0 interrupt, 2 NMI, 3 exception. */
TRACE_EVENT(hvmm_inject,
	TP_PROTO(u32 vm, u32 vcpu, u8 type, u8 vector, bool has_error, u32 error),
	TP_ARGS(vm, vcpu, type, vector, has_error, error),
	TP_STRUCT__entry(
		__field(u32, vm)
		__field(u32, vcpu)
		__field(u8, type)
		__field(u8, vector)
		__field(bool, has_error)
		__field(u32, error)
	),
	TP_fast_assign(
		__entry->vm = vm;
		__entry->vcpu = vcpu;
		__entry->type = type;
		__entry->vector = vector;
		__entry->has_error = has_error;
		__entry->error = error;
	),
	TP_printk("vm %u vcpu %u type %u vector %u error %s0x%x", __entry->vm, __entry->vcpu,
		  __entry->type, __entry->vector, __entry->has_error ? "" : "none ",
		  __entry->error)
);

DECLARE_EVENT_CLASS(hvmm_io,
	TP_PROTO(u32 vm, u32 vcpu, bool write, u64 addr, unsigned int len, u64 val, bool user),
	TP_ARGS(vm, vcpu, write, addr, len, val, user),
	TP_STRUCT__entry(
		__field(u32, vm)
		__field(u32, vcpu)
		__field(u64, addr)
		__field(u64, val)
		__field(u8, len)
		__field(bool, write)
		__field(bool, user)
	),
	TP_fast_assign(
		__entry->vm = vm;
		__entry->vcpu = vcpu;
		__entry->addr = addr;
		__entry->val = val;
		__entry->len = len;
		__entry->write = write;
		__entry->user = user;
	),
	TP_printk("vm %u vcpu %u %s 0x%llx len %u val 0x%llx%s", __entry->vm, __entry->vcpu,
		  __entry->write ? "write" : "read", __entry->addr, __entry->len,
		  __entry->val, __entry->user ? " to the device process" : "")
);

DEFINE_EVENT(hvmm_io, hvmm_mmio,
	TP_PROTO(u32 vm, u32 vcpu, bool write, u64 addr, unsigned int len, u64 val, bool user),
	TP_ARGS(vm, vcpu, write, addr, len, val, user)
);

DEFINE_EVENT(hvmm_io, hvmm_pio,
	TP_PROTO(u32 vm, u32 vcpu, bool write, u64 addr, unsigned int len, u64 val, bool user),
	TP_ARGS(vm, vcpu, write, addr, len, val, user)
);

TRACE_EVENT(hvmm_msr,
	TP_PROTO(u32 vm, u32 vcpu, bool write, u32 msr, u64 val, bool refused),
	TP_ARGS(vm, vcpu, write, msr, val, refused),
	TP_STRUCT__entry(
		__field(u32, vm)
		__field(u32, vcpu)
		__field(u64, val)
		__field(u32, msr)
		__field(bool, write)
		__field(bool, refused)
	),
	TP_fast_assign(
		__entry->vm = vm;
		__entry->vcpu = vcpu;
		__entry->val = val;
		__entry->msr = msr;
		__entry->write = write;
		__entry->refused = refused;
	),
	TP_printk("vm %u vcpu %u %s 0x%x val 0x%llx%s", __entry->vm, __entry->vcpu,
		  __entry->write ? "write" : "read", __entry->msr, __entry->val,
		  __entry->refused ? " refused" : "")
);

/* A runner stops its VM. */
TRACE_EVENT(hvmm_stop,
	TP_PROTO(u32 vm, int reason, const char *text),
	TP_ARGS(vm, reason, text),
	TP_STRUCT__entry(
		__field(u32, vm)
		__field(int, reason)
		__array(char, text, 96)
	),
	TP_fast_assign(
		__entry->vm = vm;
		__entry->reason = reason;
		strscpy(__entry->text, text, sizeof(__entry->text));
	),
	TP_printk("vm %u reason %d %s", __entry->vm, __entry->reason, __entry->text)
);

/* State of a vCPU at a triple fault or an exit that hvmm cannot handle. */
TRACE_EVENT(hvmm_dump,
	TP_PROTO(u32 vm, u32 vcpu, u64 rip, u64 rflags, const u64 *gpr, const u64 *control,
		 const void *state, size_t len),
	TP_ARGS(vm, vcpu, rip, rflags, gpr, control, state, len),
	TP_STRUCT__entry(
		__field(u32, vm)
		__field(u32, vcpu)
		__field(u64, rip)
		__field(u64, rflags)
		__array(u64, gpr, 16)
		__array(u64, control, 6)
		__dynamic_array(u8, state, len)
	),
	TP_fast_assign(
		__entry->vm = vm;
		__entry->vcpu = vcpu;
		__entry->rip = rip;
		__entry->rflags = rflags;
		memcpy(__entry->gpr, gpr, sizeof(__entry->gpr));
		memcpy(__entry->control, control, sizeof(__entry->control));
		memcpy(__get_dynamic_array(state), state, len);
	),
	TP_printk("vm %u vcpu %u rip 0x%llx rflags 0x%llx cr %s gpr %s segments and state %s",
		  __entry->vm, __entry->vcpu, __entry->rip, __entry->rflags,
		  __print_array(__entry->control, 6, 8), __print_array(__entry->gpr, 16, 8),
		  __print_hex(__get_dynamic_array(state), __get_dynamic_array_len(state)))
);

#endif

/* Found through the include folder that kmod/Kbuild names. */
#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
