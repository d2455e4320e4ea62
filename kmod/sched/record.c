// SPDX-License-Identifier: GPL-2.0
/* What was decided, for who replays it: selftests/sched compares policy's choices with these. */
#include "sched/domain.h"

static noinline void note(struct hvmm_domain *dom, enum hvmm_sched_op op,
			  const struct hvmm_unit *unit, const struct hvmm_resource *res, u64 now,
			  u64 arg, u64 seq)
{
	struct hvmm_sched_record rec = {
		.op = op, .dom = dom->id, .seq = seq, .now = now, .arg = arg,
		.res = res ? (int)res->id : -1,
		.group = unit ? unit->group->id : 0,
		.unit = unit ? (int)unit->index : -1,
		/* Of a resource that goes on- or offline it is not the caller's. */
		.host_ns = res ? READ_ONCE(res->host_ns) : 0,
	};

	hvmm_sched.exec->record(&rec);
}

void hvmm_note(struct hvmm_domain *dom, enum hvmm_sched_op op, const struct hvmm_unit *unit,
	       const struct hvmm_resource *res, u64 now, u64 arg)
{
	u64 seq = dom->seq++;

	lockdep_assert_held(&dom->lock);
	if (!hvmm_sched.exec->record ||
	    (hvmm_sched.exec->recording && !hvmm_sched.exec->recording()))
		return;
	note(dom, op, unit, res, now, arg, seq);
}

static void note_group(const struct hvmm_share *share, struct hvmm_sched_record *rec)
{
	struct hvmm_domain *dom = share->dom;

	lockdep_assert_held(&dom->lock);
	rec->dom = dom->id;
	rec->seq = dom->seq++;
	rec->res = -1;
	rec->group = share->group->id;
	rec->unit = share->group->nr_units;
	if (hvmm_sched.exec->record)
		hvmm_sched.exec->record(rec);
}

void hvmm_note_quota(const struct hvmm_share *share, u64 now)
{
	struct hvmm_sched_record rec = {
		.op = HVMM_OP_QUOTA, .now = now, .arg = share->allowed,
		.quota = &share->group->quota,
	};

	note_group(share, &rec);
}

void hvmm_note_exit(const struct hvmm_share *share)
{
	struct hvmm_sched_record rec = { .op = HVMM_OP_EXIT, .now = share->dom->now };

	note_group(share, &rec);
}
