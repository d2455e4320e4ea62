// SPDX-License-Identifier: GPL-2.0
/* Traces: what the scheduler was asked, and what it answered. */
#include "sim.h"

static const char * const ops[] = {
	[HVMM_OP_WAKE] = "wake", [HVMM_OP_HOLD] = "hold", [HVMM_OP_NEXT] = "next",
	[HVMM_OP_PUT] = "put", [HVMM_OP_ATTEND] = "attend", [HVMM_OP_TIMER] = "timer",
	[HVMM_OP_YIELD_TO] = "yield_to", [HVMM_OP_ONLINE] = "online",
	[HVMM_OP_QUOTA] = "quota",
};

void sim_record(const struct hvmm_sched_record *rec)
{
	fprintf(sim.trace,
		"hvmm_sched: op %s dom %u seq %llu now %llu res %d vm %u vcpu %d host %llu arg %llu\n",
		ops[rec->op], rec->dom, (unsigned long long)rec->seq,
		(unsigned long long)rec->now, rec->res, rec->group, rec->unit,
		(unsigned long long)rec->host_ns, (unsigned long long)rec->arg);
}
int sim_replay(const char*f){return 2;}
