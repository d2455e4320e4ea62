// SPDX-License-Identifier: GPL-2.0
/*
 * Where the time of all vCPUs goes, over a while. Usage:
 *
 *	ledger [--for TIME] [--every TIME] [--window TIME]
 *
 * takes samples of all ledgers, the first and the last --for apart (2s), in between one --every
 * so often (none), and prints for each vCPU what has come to each state, in ns:
 *
 *	vm=NAME vcpu=N wall=NS run=NS ready=NS capped=NS ... [least=NS most=NS]
 *	samples=N ledgers=N bad=N
 *
 * bad counts ledgers whose states do not add up to the time since the VM's creation. With
 * --window, least and most bound the least time that the vCPU ran in any --window of time that
 * begins at a sample: between samples it may have run at any time.
 */
#include <getopt.h>
#include <stdlib.h>

#include "clock.h"
#include "nl.h"
#include "units.h"

#define VCPUS_MAX 1024

/**
 * struct sample - a ledger at an instant
 * @wall: ns since the vCPU's creation
 * @state: by HVMM_A_LEDGER_...
 */
struct sample {
	uint64_t wall;
	uint64_t state[HVMM_A_LEDGER_MAX + 1];
};

/**
 * struct vcpu - a vCPU and its samples
 * @name: of its VM
 * @id: of its VM
 * @index: its number
 * @sample: one of each round
 * @nr: how many there are
 */
struct vcpu {
	char name[HVMM_NAME_MAX + 1];
	uint32_t id, index;
	struct sample *sample;
	uint32_t nr;
};

static struct {
	uint64_t duration, every, window;
} options = { .duration = 2 * NS };

static struct vcpu vcpus[VCPUS_MAX];
static uint32_t nr_vcpus, rounds;
static uint64_t nr_ledgers, nr_bad;

static void die(const char *what)
{
	fprintf(stderr, "ledger: %s\n", what);
	exit(2);
}

static uint64_t parse_time(const char *text)
{
	uint64_t ns;

	if (!hv_parse_time(text, &ns))
		die("a time like 100ms is needed");
	return ns;
}

static void parse(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "for", required_argument, NULL, 'f' },
		{ "every", required_argument, NULL, 'e' },
		{ "window", required_argument, NULL, 'w' },
		{ 0 }
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'f':
			options.duration = parse_time(optarg);
			break;
		case 'e':
			options.every = parse_time(optarg);
			break;
		case 'w':
			options.window = parse_time(optarg);
			break;
		default:
			exit(2);
		}
	}
	if (optind != argc)
		die("no arguments are taken");
	rounds = 2 + (options.every ? options.duration / options.every : 0);
}

static struct vcpu *find(uint32_t id, uint32_t index)
{
	struct vcpu *v;

	for (v = vcpus; v < vcpus + nr_vcpus; v++)
		if (v->id == id && v->index == index)
			return v;
	if (nr_vcpus == VCPUS_MAX)
		die("too many vCPUs");
	nr_vcpus++;
	v->id = id;
	v->index = index;
	v->sample = calloc(rounds, sizeof(*v->sample));
	if (!v->sample)
		die("out of memory");
	return v;
}

static void take(void *arg, uint8_t cmd, struct nlattr *attrs, int len)
{
	struct nlattr *ledger = nl_find(attrs, len, HVMM_A_VCPU_LEDGER);
	const char *name = nl_get_str(attrs, len, HVMM_A_VCPU_VM_NAME);
	struct sample *s;
	struct vcpu *v;
	uint64_t sum = 0, value;
	int i;

	if (!ledger || !name)
		die("a vCPU without a ledger");
	v = find(nl_get(attrs, len, HVMM_A_VCPU_VM), nl_get(attrs, len, HVMM_A_VCPU_INDEX));
	snprintf(v->name, sizeof(v->name), "%s", name);
	if (v->nr == rounds)
		die("a vCPU came twice");
	s = &v->sample[v->nr++];
	s->wall = nl_get(attrs, len, HVMM_A_VCPU_WALL);
	for (i = 1; i <= HVMM_A_LEDGER_MAX; i++) {
		value = nl_get(nl_data(ledger), nl_len(ledger), i);
		s->state[i] = value == UINT64_MAX ? 0 : value;
		sum += s->state[i];
	}
	nr_ledgers++;
	nr_bad += sum != s->wall;
}

static void sample_all(struct nl *nl, struct nl_msg *msg)
{
	int ret;

	nl_begin(nl, msg, nl->family, NLM_F_DUMP, HVMM_CMD_VCPU_GET);
	ret = nl_talk(nl, msg, take, NULL);
	if (ret)
		die(strerror(-ret));
}

static uint64_t min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/*
 * A vCPU runs for d at most in a time d, and not less than nothing: that bounds what it had run
 * at an instant between two samples.
 */
static void bound(const struct vcpu *v, uint64_t *least, uint64_t *most)
{
	uint32_t i, j = 0;

	*least = UINT64_MAX;
	*most = UINT64_MAX;
	for (i = 0; i < v->nr; i++) {
		const struct sample *from = &v->sample[i], *before, *after;
		uint64_t end = from->wall + options.window, low, high;

		while (j < v->nr && v->sample[j].wall < end)
			j++;
		if (j == v->nr)
			return;
		after = &v->sample[j];
		before = &v->sample[j - 1];
		low = before->state[HVMM_A_LEDGER_RUN];
		high = min(low + (end - before->wall), after->state[HVMM_A_LEDGER_RUN]);
		if (after->state[HVMM_A_LEDGER_RUN] > low + (after->wall - end))
			low = after->state[HVMM_A_LEDGER_RUN] - (after->wall - end);
		*least = min(*least, low - from->state[HVMM_A_LEDGER_RUN]);
		*most = min(*most, high - from->state[HVMM_A_LEDGER_RUN]);
	}
}

static void show(const struct vcpu *v)
{
	static const char *const names[] = {
		[HVMM_A_LEDGER_RUN] = "run",	   [HVMM_A_LEDGER_READY] = "ready",
		[HVMM_A_LEDGER_CAPPED] = "capped", [HVMM_A_LEDGER_HALTED] = "halted",
		[HVMM_A_LEDGER_IO] = "io",	   [HVMM_A_LEDGER_MEM] = "mem",
		[HVMM_A_LEDGER_PAUSED] = "paused", [HVMM_A_LEDGER_HOST] = "host",
		[HVMM_A_LEDGER_OFFLINE] = "offline",
	};
	const struct sample *a = &v->sample[0], *b = &v->sample[v->nr - 1];
	uint64_t least, most;
	int i;

	printf("vm=%s vcpu=%u wall=%llu", v->name, v->index,
	       (unsigned long long)(b->wall - a->wall));
	for (i = 1; i <= HVMM_A_LEDGER_MAX; i++)
		printf(" %s=%llu", names[i] ? names[i] : "other",
		       (unsigned long long)(b->state[i] - a->state[i]));
	if (options.window) {
		bound(v, &least, &most);
		if (least == UINT64_MAX)
			die("--window is longer than the time sampled");
		printf(" least=%llu most=%llu", (unsigned long long)least,
		       (unsigned long long)most);
	}
	printf("\n");
}

int main(int argc, char **argv)
{
	static struct nl_msg msg;
	uint64_t start, i;
	struct nl nl;
	int ret;

	parse(argc, argv);
	ret = nl_open(&nl);
	if (ret)
		die("no netlink family hvmm: is the module loaded?");
	start = now();
	sample_all(&nl, &msg);
	for (i = 1; options.every && i * options.every < options.duration; i++) {
		sleep_until(start + i * options.every);
		sample_all(&nl, &msg);
	}
	sleep_until(start + options.duration);
	sample_all(&nl, &msg);
	for (i = 0; i < nr_vcpus; i++)
		show(&vcpus[i]);
	printf("samples=%llu ledgers=%llu bad=%llu\n",
	       (unsigned long long)(nr_vcpus ? vcpus[0].nr : 0), (unsigned long long)nr_ledgers,
	       (unsigned long long)nr_bad);
	return 0;
}
