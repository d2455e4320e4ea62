// SPDX-License-Identifier: GPL-2.0
/*
 * Changes the quotas of running VMs over and over, several in one request, and looks whether
 * all of their vCPUs go on. Usage:
 *
 *	churn [--for TIME] [--rate N] [--seed N] [--affinity] NAME...
 *
 * Weights are from 50 to 200, caps from 20 % of a pCPU on, reservations up to 10 %. With
 * --affinity the pCPUs that they may use change too, of the first two. Fails when a vCPU has not
 * run in half a second, when a request is refused, or when they are too late to be what was
 * asked for. The VMs are left without quotas.
 */
#include <getopt.h>
#include <stdlib.h>

#include "clock.h"
#include "nl.h"
#include "units.h"

#define LOOK_NS (NS / 2)
#define VMS_MAX 16
#define VCPUS_MAX 64
#define MS 1000000ULL

struct vcpu {
	char vm[HVMM_NAME_MAX + 1];
	uint64_t index, run, seen;
	bool known;
};

static struct {
	uint64_t duration;
	uint32_t rate, seed;
	bool affinity;
	char **vm;
	int nr_vms;
} options = { .duration = 10 * NS, .rate = 1000, .seed = 1 };

static struct vcpu vcpus[VCPUS_MAX];
static int nr_vcpus;
static uint64_t rng, stuck, looks;

static void die(const char *what)
{
	fprintf(stderr, "churn: %s\n", what);
	exit(2);
}

static uint64_t rnd(uint64_t n)
{
	/* xorshift64* */
	rng ^= rng >> 12;
	rng ^= rng << 25;
	rng ^= rng >> 27;
	return (rng * 0x2545f4914f6cdd1dULL >> 16) % n;
}

static void parse(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "for", required_argument, NULL, 'f' },
		{ "rate", required_argument, NULL, 'r' },
		{ "seed", required_argument, NULL, 's' },
		{ "affinity", no_argument, NULL, 'a' },
		{ 0 }
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'f':
			if (!hv_parse_time(optarg, &options.duration))
				die("--for: a time like 60s is needed");
			break;
		case 'r':
			if (!hv_parse_u32(optarg, 1, 1000000, &options.rate))
				die("--rate: a number is needed");
			break;
		case 's':
			if (!hv_parse_u32(optarg, 1, UINT32_MAX, &options.seed))
				die("--seed: a number is needed");
			break;
		case 'a':
			options.affinity = true;
			break;
		default:
			exit(2);
		}
	}
	options.vm = argv + optind;
	options.nr_vms = argc - optind;
	if (options.nr_vms < 1 || options.nr_vms > VMS_MAX)
		die("1 to 16 names are needed");
}

static void put_change(struct nl_msg *msg, const char *name, bool reset)
{
	uint64_t cap = rnd(3) ? rnd(1800) + 200 : 0, period = 10 * MS;
	uint64_t min = rnd(3) ? 0 : rnd(100000);
	uint8_t pcpus = 1 + rnd(3);
	size_t nest = nl_nest(msg, HVMM_A_VM_CHANGE);

	nl_put_str(msg, HVMM_A_VM_NAME, name);
	nl_put_u32(msg, HVMM_A_VM_CPU_WEIGHT, reset ? 100 : 50 + rnd(151));
	nl_put_u64(msg, HVMM_A_VM_CPU_MAX, reset ? 0 : cap * period / 1000);
	nl_put_u64(msg, HVMM_A_VM_CPU_PERIOD, period);
	nl_put_u64(msg, HVMM_A_VM_CPU_BURST, reset ? 0 : rnd(2) * rnd(5 * MS));
	nl_put_u32(msg, HVMM_A_VM_CPU_MIN, reset ? 0 : min);
	if (options.affinity)
		nl_put(msg, HVMM_A_VM_CPU_AFFINITY, &pcpus, reset ? 0 : 1);
	nl_nest_end(msg, nest);
}

/* Return: 0 or an error. */
static int change(struct nl *nl, struct nl_msg *msg, bool reset)
{
	uint32_t who = reset ? ~0U : 1 + rnd((1U << options.nr_vms) - 1);
	int i;

	nl_begin(nl, msg, nl->family, 0, HVMM_CMD_VM_SET);
	for (i = 0; i < options.nr_vms; i++)
		if (who >> i & 1)
			put_change(msg, options.vm[i], reset);
	return nl_talk(nl, msg, NULL, NULL);
}

static bool ours(const char *name)
{
	int i;

	for (i = 0; i < options.nr_vms; i++)
		if (!strcmp(options.vm[i], name))
			return true;
	return false;
}

static void look_at(void *arg, uint8_t cmd, struct nlattr *attrs, int len)
{
	const char *name = nl_get_str(attrs, len, HVMM_A_VCPU_VM_NAME);
	struct nlattr *ledger = nl_find(attrs, len, HVMM_A_VCPU_LEDGER);
	uint64_t index = nl_get(attrs, len, HVMM_A_VCPU_INDEX), run;
	struct vcpu *v;

	if (!name || !ledger || !ours(name))
		return;
	run = nl_get(nl_data(ledger), nl_len(ledger), HVMM_A_LEDGER_RUN);
	for (v = vcpus; v < vcpus + nr_vcpus; v++)
		if (v->index == index && !strcmp(v->vm, name))
			break;
	if (v == vcpus + nr_vcpus) {
		if (nr_vcpus++ == VCPUS_MAX)
			die("too many vCPUs");
		snprintf(v->vm, sizeof(v->vm), "%s", name);
		v->index = index;
	} else if (run <= v->run) {
		printf("churn: %s vCPU %llu has not run, state %llu\n", name,
		       (unsigned long long)index,
		       (unsigned long long)nl_get(attrs, len, HVMM_A_VCPU_STATE));
		stuck++;
	}
	v->run = run;
	v->seen++;
}

static void look(struct nl *nl, struct nl_msg *msg)
{
	int ret;

	nl_begin(nl, msg, nl->family, NLM_F_DUMP, HVMM_CMD_VCPU_GET);
	ret = nl_talk(nl, msg, look_at, NULL);
	if (ret)
		die(strerror(-ret));
	looks++;
}

int main(int argc, char **argv)
{
	uint64_t start, end, next_look, changes = 0, refused = 0, took;
	static struct nl_msg msg;
	struct nl nl;
	int ret;

	parse(argc, argv);
	rng = options.seed * 0x9e3779b97f4a7c15ULL | 1;
	if (nl_open(&nl))
		die("no netlink family hvmm: is the module loaded?");
	start = now();
	end = start + options.duration;
	next_look = start;
	while (now() < end) {
		if (now() >= next_look) {
			look(&nl, &msg);
			next_look = now() + LOOK_NS;
		}
		ret = change(&nl, &msg, false);
		if (ret) {
			if (!refused++)
				printf("churn: refused: %s: %s\n", strerror(-ret), nl.text);
		}
		changes++;
		sleep_until(start + changes * NS / options.rate);
	}
	took = now() - start;
	ret = change(&nl, &msg, true);
	printf("churn: %llu changes in %llu ms, %llu refused\n", (unsigned long long)changes,
	       (unsigned long long)(took / MS), (unsigned long long)refused);
	printf("churn: %d vCPUs looked at %llu times, %llu times one had not run\n", nr_vcpus,
	       (unsigned long long)looks, (unsigned long long)stuck);
	if (ret)
		die("the quotas cannot be reset");
	return stuck || refused || !nr_vcpus ||
	       changes * 10 < options.duration / NS * options.rate * 9;
}
