// SPDX-License-Identifier: GPL-2.0
/*
 * Traces: what the scheduler was asked, and what it answered. A line for each record,
 * as tracefs prints the events hvmm_sched and hvmm_sched_quota; other lines are
 * comments. A replay asks the same again, in the order of the records' numbers, and
 * compares the answers. It needs a trace from before the first VM on, of a host whose
 * pCPUs are one domain: what moves between domains is not recorded.
 */
#include <string.h>

#include "sim.h"

static const char * const ops[] = {
	[HVMM_OP_WAKE] = "wake", [HVMM_OP_HOLD] = "hold", [HVMM_OP_NEXT] = "next",
	[HVMM_OP_PUT] = "put", [HVMM_OP_ATTEND] = "attend", [HVMM_OP_TIMER] = "timer",
	[HVMM_OP_YIELD_TO] = "yield_to", [HVMM_OP_ONLINE] = "online",
	[HVMM_OP_QUOTA] = "quota", [HVMM_OP_EXIT] = "exit",
};

void sim_record(const struct hvmm_sched_record *rec)
{
	const struct hvmm_quota *q = rec->quota;

	fprintf(sim.trace, "hvmm_sched: op %s dom %u seq %llu now %llu ", ops[rec->op], rec->dom,
		(unsigned long long)rec->seq, (unsigned long long)rec->now);
	fprintf(sim.trace, "res %d vm %u vcpu %d host %llu arg %llu\n", rec->res, rec->group,
		rec->unit, (unsigned long long)rec->host_ns, (unsigned long long)rec->arg);
	if (!q)
		return;
	fprintf(sim.trace, "hvmm_sched_quota: dom %u seq %llu weight %u max %llu ", rec->dom,
		(unsigned long long)rec->seq, q->weight, (unsigned long long)q->max_ns);
	fprintf(sim.trace, "period %llu burst %llu min %u\n", (unsigned long long)q->period_ns,
		(unsigned long long)q->burst_ns, q->min_ppm);
}

struct line {
	struct hvmm_sched_record rec;
	struct hvmm_quota *quota;
};

struct group {
	struct hvmm_group *group;
	struct hvmm_unit *units;
	unsigned int nr_units;
};

#define MAX_GROUPS	65536

static struct line *lines;
static size_t nr_lines, max_lines;
static struct group groups[MAX_GROUPS];
static struct hvmm_resource *res;
static unsigned int nr_res;
static bool runs;
static const struct line *present;

static void differs(const char *what, long long was, long long is)
{
	const struct hvmm_sched_record *rec = &present->rec;

	printf("FAILED replay: record %llu, %s at %llu ns, pCPU %d, VM %u vCPU %d: ",
	       (unsigned long long)rec->seq, ops[rec->op], (unsigned long long)rec->now, rec->res,
	       rec->group, rec->unit);
	printf("%s was %lld, is %lld\n", what, was, is);
	exit(1);
}

static void same(const char *what, long long was, long long is)
{
	if (was != is)
		differs(what, was, is);
}

static void bad(const char *what)
{
	fprintf(stderr, "sim: the trace %s\n", what);
	exit(2);
}

static bool parse_sched(const char *s)
{
	unsigned long long seq, now, host, arg;
	struct line l = { };
	char op[16];
	unsigned int i;

	if (sscanf(s, "op %15s dom %u seq %llu now %llu res %d vm %u vcpu %d host %llu arg %llu",
		   op, &l.rec.dom, &seq, &now, &l.rec.res, &l.rec.group, &l.rec.unit, &host,
		   &arg) != 9)
		return false;
	l.rec.seq = seq;
	l.rec.now = now;
	l.rec.host_ns = host;
	l.rec.arg = arg;
	for (i = 0; i < ARRAY_SIZE(ops); i++)
		if (!strcmp(ops[i], op))
			break;
	if (i == ARRAY_SIZE(ops) || l.rec.group >= MAX_GROUPS)
		return false;
	l.rec.op = i;
	if (l.rec.dom)
		bad("is of more than one domain");
	if (nr_lines == max_lines) {
		max_lines = 2 * max_lines + 1024;
		lines = realloc(lines, max_lines * sizeof(*lines));
	}
	lines[nr_lines++] = l;
	return true;
}

/* Whichever pCPU it comes from, it follows the record of the same number. */
static bool parse_quota(const char *s)
{
	unsigned long long seq, max, period, burst;
	struct hvmm_quota q = { };
	unsigned int dom;
	size_t i;

	if (sscanf(s, "dom %u seq %llu weight %u max %llu period %llu burst %llu min %u", &dom,
		   &seq, &q.weight, &max, &period, &burst, &q.min_ppm) != 7)
		return false;
	q.max_ns = max;
	q.period_ns = period;
	q.burst_ns = burst;
	for (i = nr_lines; i-- && lines[i].rec.seq != seq;)
		;
	if (i == (size_t)-1)
		return false;
	q.affinity[0] = lines[i].rec.arg;
	lines[i].quota = malloc(sizeof(q));
	*lines[i].quota = q;
	return true;
}

static int by_seq(const void *a, const void *b)
{
	u64 x = ((const struct line *)a)->rec.seq, y = ((const struct line *)b)->rec.seq;

	return x < y ? -1 : x > y;
}

static void load(const char *file)
{
	char text[1024], *s;
	bool good = true;
	FILE *f = fopen(file, "r");
	size_t i;

	if (!f) {
		perror(file);
		exit(2);
	}
	while (good && fgets(text, sizeof(text), f)) {
		s = strstr(text, "hvmm_sched: ");
		if (s)
			good = parse_sched(s + strlen("hvmm_sched: "));
		s = strstr(text, "hvmm_sched_quota: ");
		if (s)
			good = parse_quota(s + strlen("hvmm_sched_quota: "));
		if (strstr(text, "LOST"))
			bad("has lost events");
	}
	fclose(f);
	if (!good)
		bad("has a line that is none");
	if (!nr_lines)
		bad("has no records");
	qsort(lines, nr_lines, sizeof(*lines), by_seq);
	for (i = 1; i < nr_lines; i++)
		if (lines[i].rec.seq != lines[i - 1].rec.seq + 1)
			bad("has a gap");
}

static bool replay_runnable(struct hvmm_unit *unit)
{
	return runs;
}

static void replay_changed(struct hvmm_unit *unit, enum hvmm_unit_state state, u64 now)
{
}

static void replay_kick(struct hvmm_resource *r)
{
}

static void replay_arm(unsigned int dom, u64 at)
{
}

static void replay_broken(unsigned int dom, const char *policy, const char *why)
{
	printf("# watchdog: %s %s\n", policy, why);
}

static const struct hvmm_sched_exec exec = {
	.runnable	= replay_runnable,
	.changed	= replay_changed,
	.kick		= replay_kick,
	.arm		= replay_arm,
	.broken		= replay_broken,
};

/* How many there are is not said for pCPUs and VMs that nothing is changed of. */
static void count(void)
{
	const struct hvmm_sched_record *rec;
	unsigned int units;
	size_t i;

	nr_res = max(opt.cpus, 1U);
	for (i = 0; i < nr_lines; i++) {
		rec = &lines[i].rec;
		units = rec->op == HVMM_OP_QUOTA || rec->op == HVMM_OP_EXIT ? rec->unit :
									      rec->unit + 1;
		nr_res = max(nr_res, (unsigned int)(rec->res + 1));
		groups[rec->group].nr_units = max(groups[rec->group].nr_units, units);
	}
	if (nr_res > HVMM_DOMAIN_RES_MAX)
		bad("is of too many pCPUs");
}

/* Whoever is not said to come was there. */
static void come_online(unsigned int nr)
{
	size_t i;

	for (i = 0; i < nr_lines; i++)
		if (lines[i].rec.res == (int)nr)
			break;
	if (i == nr_lines || lines[i].rec.op != HVMM_OP_ONLINE || !lines[i].rec.arg)
		hvmm_sched_set_online(&res[nr], true, lines[0].rec.now);
}

static struct hvmm_unit *unit_of(const struct hvmm_sched_record *rec)
{
	struct group *g = &groups[rec->group];
	unsigned int i;

	if (!rec->group)
		return NULL;
	if (!g->group) {
		g->group = calloc(1, hvmm_group_size());
		g->units = calloc(g->nr_units, sizeof(*g->units));
		hvmm_group_init(g->group, rec->group);
		for (i = 0; i < g->nr_units; i++)
			hvmm_unit_init(&g->units[i], g->group, i);
	}
	return &g->units[min_t(unsigned int, rec->unit, g->nr_units - 1)];
}

static void replay_quota(const struct line *l)
{
	struct hvmm_quota_change change = { groups[l->rec.group].group, l->quota };
	struct hvmm_quota_verdict verdict;

	if (!l->quota)
		bad("lacks a quota (event hvmm_sched_quota)");
	hvmm_sched_set_quota(&change, 1, l->rec.now, &verdict);
	same("error", 0, verdict.err);
}

static void replay_exit(struct group *g)
{
	hvmm_group_exit(g->group);
	free(g->group);
	free(g->units);
	g->group = NULL;
	g->units = NULL;
}

static void on_res(const struct hvmm_sched_record *rec, struct hvmm_resource *r,
		   struct hvmm_unit *unit)
{
	struct hvmm_unit *next;

	if (rec->op == HVMM_OP_ONLINE) {
		hvmm_sched_set_online(r, rec->arg, rec->now);
		return;
	}
	if (rec->op == HVMM_OP_NEXT) {
		same("pCPU is free", 1, !r->curr);
		next = hvmm_sched_next(r, rec->now);
		same("VM", rec->group, next ? next->group->id : 0);
		same("vCPU", rec->unit, next ? (int)next->index : -1);
		return;
	}
	same("something runs", 1, !!r->curr);
	if (rec->op != HVMM_OP_YIELD_TO)
		same("what runs", (long long)(size_t)unit, (long long)(size_t)r->curr);
	r->host_ns = rec->host_ns;
	switch (rec->op) {
	case HVMM_OP_PUT:
		runs = rec->arg != HVMM_UNIT_PARKED;
		hvmm_sched_put(r, rec->now);
		same("state", rec->arg, unit->state);
		break;
	case HVMM_OP_ATTEND:
		same("end", rec->arg, hvmm_sched_attend(r, rec->now));
		break;
	default:
		same("answer", rec->arg, hvmm_sched_yield_to(r, unit, rec->now));
	}
}

static void replay(const struct line *l)
{
	const struct hvmm_sched_record *rec = &l->rec;
	struct hvmm_unit *unit = unit_of(rec);

	present = l;
	switch (rec->op) {
	case HVMM_OP_WAKE:
		runs = true;
		same("queued", 1, hvmm_sched_wake(unit, rec->now));
		same("state", rec->arg, unit->state);
		break;
	case HVMM_OP_HOLD:
		runs = false;
		same("answer", rec->arg, hvmm_sched_hold(unit, rec->now));
		break;
	case HVMM_OP_TIMER:
		hvmm_sched_timer(0, rec->now);
		break;
	case HVMM_OP_QUOTA:
		replay_quota(l);
		break;
	case HVMM_OP_EXIT:
		replay_exit(&groups[rec->group]);
		break;
	default:
		if (rec->res < 0)
			bad("has a line that is none");
		on_res(rec, &res[rec->res], unit);
	}
}

int sim_replay(const char *file)
{
	static const unsigned int dom_of[HVMM_DOMAIN_RES_MAX];
	struct hvmm_sched_config config = { .dom_of = dom_of, .nr_dom = 1, .exec = &exec };
	unsigned long choices = 0, vcpus = 0;
	unsigned int i;
	size_t n;

	load(file);
	count();
	res = calloc(nr_res, sizeof(*res));
	config.res = res;
	config.nr_res = nr_res;
	config.dom = calloc(1, hvmm_domain_size());
	hvmm_sched_init(&config);
	for (i = 0; i < nr_res; i++)
		come_online(i);
	for (n = 0; n < nr_lines; n++) {
		replay(&lines[n]);
		choices += lines[n].rec.op == HVMM_OP_NEXT;
		vcpus += lines[n].rec.op == HVMM_OP_NEXT && lines[n].rec.group;
		free(lines[n].quota);
	}
	for (i = 0; i < MAX_GROUPS; i++) {
		free(groups[i].group);
		free(groups[i].units);
	}
	free(lines);
	free(res);
	free(config.dom);
	printf("ok - replay: %zu records, %lu choices of which %lu a vCPU, all the same\n",
	       nr_lines, choices, vcpus);
	return 0;
}
