// SPDX-License-Identifier: GPL-2.0
/*
 * Bugs outside of policies: in what the policies have in common, and in the host. The
 * linker leads calls from one file to another through here (--wrap).
 */
#include <string.h>

#include "sim.h"

enum bug {
	NONE,
	LOST_KICK,
	LOST_ARM,
	DEAD_ARM,
	NO_RECHECK,
	UNTOLD,
	LOST_TIME,
	HOST_COUNTED,
	HOST_CHARGED,
	GRANTS_TWICE,
	GRANTS_LONG,
	FREE_OVERRUN,
	NO_RELEASE,
	KEPT_CAPPED,
	BY_HALF,
	BATCH_UNCHECKED,
	NO_RENEW,
	STALE_IDLE,
	GONE_RUNS,
	NO_OFFER,
	NO_RELAY,
	NO_RESCUE,
};

static const char * const names[] = {
	/* The host's. */
	[LOST_KICK] = "lost-kick",
	[LOST_ARM] = "lost-arm",
	[DEAD_ARM] = "dead-arm",
	[NO_RECHECK] = "no-recheck",
	[UNTOLD] = "untold",
	[LOST_TIME] = "lost-time",
	[HOST_COUNTED] = "host-counted",
	/* The scheduler's. */
	[HOST_CHARGED] = "host-charged",
	[GRANTS_TWICE] = "grants-twice",
	[GRANTS_LONG] = "grants-long",
	[FREE_OVERRUN] = "free-overrun",
	[NO_RELEASE] = "no-release",
	[KEPT_CAPPED] = "kept-capped",
	[BY_HALF] = "by-half",
	[BATCH_UNCHECKED] = "batch-unchecked",
	[NO_RENEW] = "no-renew",
	[STALE_IDLE] = "stale-idle",
	[GONE_RUNS] = "gone-runs",
	[NO_OFFER] = "no-offer",
	[NO_RELAY] = "no-relay",
	[NO_RESCUE] = "no-rescue",
};

#define ONE_IN		16

static enum bug bug;
static const struct hvmm_sched_exec *good;

bool sim_break(const char *name)
{
	unsigned int i;

	for (i = NONE + 1; i < ARRAY_SIZE(names); i++)
		if (!strcmp(names[i], name))
			bug = i;
	return bug != NONE;
}

static void kick(struct hvmm_resource *res)
{
	if (bug != LOST_KICK || sim_rand(ONE_IN))
		good->kick(res);
}

static void arm(unsigned int dom, u64 at)
{
	if (bug == LOST_ARM && !sim_rand(ONE_IN))
		hvmm_domain_nr(dom)->armed = 0;
	else
		good->arm(dom, at);
}

/* Whoever has decided to sleep does. */
static bool runnable(struct hvmm_unit *unit)
{
	if (bug == NO_RECHECK && sim.in_put && sim_unit_of(unit)->dozes)
		return false;
	return good->runnable(unit);
}

static void changed(struct hvmm_unit *unit, enum hvmm_unit_state state, u64 now)
{
	if (bug == UNTOLD && !sim_rand(ONE_IN))
		return;
	good->changed(unit, state, now);
	if (bug == LOST_TIME)
		sim_unit_of(unit)->since++;
}

const struct hvmm_sched_exec *sim_break_exec(const struct hvmm_sched_exec *exec)
{
	static struct hvmm_sched_exec bad;

	if (bug == NONE)
		return exec;
	good = exec;
	bad = *exec;
	bad.kick = kick;
	bad.arm = arm;
	bad.runnable = runnable;
	bad.changed = changed;
	return &bad;
}

/* See "wrapped" in the Makefile. */
#define WRAP(ret, name, args)	\
	ret __real_##name args;	\
	ret __wrap_##name args;	\
	ret __wrap_##name args

WRAP(void, sim_cpu_account, (struct sim_cpu *cpu))
{
	u64 host = cpu->host_ns;

	__real_sim_cpu_account(cpu);
	if (bug != HOST_COUNTED)
		return;
	cpu->run_ns += cpu->host_ns - host;
	cpu->host_ns = host;
}

WRAP(void, hvmm_sched_host, (struct hvmm_resource *res, bool took, u64 now))
{
	if (bug != HOST_CHARGED)
		__real_hvmm_sched_host(res, took, now);
}

WRAP(u64, hvmm_cap_take, (struct hvmm_unit *unit, u64 now))
{
	u64 from, grants = 0;
	unsigned int i;

	if (bug == FREE_OVERRUN)
		unit->grant = 0;
	from = __real_hvmm_cap_take(unit, now);
	if (bug == GRANTS_TWICE)
		unit->grant *= 2;
	for (i = 0; bug == GRANTS_LONG && i < 7; i++) {
		grants += unit->grant;
		__real_hvmm_cap_take(unit, now);
	}
	unit->grant += grants;
	return from;
}

WRAP(void, hvmm_timer_set, (struct hvmm_domain *dom, struct hvmm_sched_timer *timer, u64 at))
{
	if (bug != NO_RELEASE || !timer->unit || sim_rand(ONE_IN))
		__real_hvmm_timer_set(dom, timer, at);
}

static bool changing;

WRAP(bool, hvmm_admit_unit, (struct hvmm_unit *unit, bool woke, u64 now))
{
	if (bug == KEPT_CAPPED && changing && unit->state == HVMM_UNIT_CAPPED)
		unit->release.at = now + 2 * MSEC;
	return __real_hvmm_admit_unit(unit, woke, now);
}

bool __real_hvmm_sched_set_quota(const struct hvmm_quota_change *changes, unsigned int nr,
				 u64 now, struct hvmm_quota_verdict *verdict);

static bool one_by_one(const struct hvmm_quota_change *changes, unsigned int nr, u64 now,
		       struct hvmm_quota_verdict *verdict)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (!__real_hvmm_sched_set_quota(&changes[i], 1, now, verdict)) {
			verdict->index = i;
			return false;
		}
	return true;
}

/* Several at once may have any weight. */
static bool any_weight(const struct hvmm_quota_change *changes, unsigned int nr, u64 now,
		       struct hvmm_quota_verdict *verdict)
{
	struct hvmm_quota_change lax[HVMM_QUOTA_BATCH_MAX];
	struct hvmm_quota quotas[HVMM_QUOTA_BATCH_MAX];
	unsigned int i;

	for (i = 0; i < nr; i++) {
		quotas[i] = *changes[i].quota;
		quotas[i].weight = clamp(quotas[i].weight, (u32)HVMM_WEIGHT_MIN,
					 (u32)HVMM_WEIGHT_MAX);
		lax[i] = (struct hvmm_quota_change){ changes[i].group, &quotas[i] };
	}
	return __real_hvmm_sched_set_quota(lax, nr, now, verdict);
}

WRAP(bool, hvmm_sched_set_quota, (const struct hvmm_quota_change *changes, unsigned int nr,
				  u64 now, struct hvmm_quota_verdict *verdict))
{
	bool ok;

	if (bug == BY_HALF)
		return one_by_one(changes, nr, now, verdict);
	if (bug == BATCH_UNCHECKED && nr > 1)
		return any_weight(changes, nr, now, verdict);
	changing = true;
	ok = __real_hvmm_sched_set_quota(changes, nr, now, verdict);
	changing = false;
	return ok;
}

WRAP(void, hvmm_queue_renew, (struct hvmm_share *share, u32 allowed, u64 now))
{
	__real_hvmm_queue_renew(share, bug == NO_RENEW ? share->allowed : allowed, now);
}

WRAP(void, hvmm_sched_set_online, (struct hvmm_resource *res, bool online, u64 now))
{
	__real_hvmm_sched_set_online(res, online, now);
	if (online)
		return;
	/* As if the timer were one of this pCPU. */
	if (bug == DEAD_ARM)
		sim.timer_gen[res->dom->id]++;
	if (bug == STALE_IDLE && !res->curr)
		res->dom->idle |= res->bit;
}

WRAP(struct hvmm_unit *, hvmm_sched_next, (struct hvmm_resource *res, u64 now))
{
	bool gone = bug == GONE_RUNS && !res->online;
	struct hvmm_unit *unit;

	res->online |= gone;
	unit = __real_hvmm_sched_next(res, now);
	res->online &= !gone;
	return unit;
}

WRAP(void, hvmm_balance_offer, (struct hvmm_domain *dom))
{
	if (bug != NO_OFFER)
		__real_hvmm_balance_offer(dom);
}

WRAP(void, hvmm_balance_relay, (const struct hvmm_domain *except))
{
	if (bug != NO_RELAY)
		__real_hvmm_balance_relay(except);
}

WRAP(void, hvmm_balance_rescue, (struct hvmm_domain *dom, u64 now))
{
	if (bug != NO_RESCUE)
		__real_hvmm_balance_rescue(dom, now);
}
