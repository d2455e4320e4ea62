// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "usage.h"

typedef unsigned __int128 u128;

const char *const hv_usage_key_names[HV_USAGE_KEYS] = {
	[HV_USAGE_RUN] = "run",	  [HV_USAGE_READY] = "ready", [HV_USAGE_CAPPED] = "capped",
	[HV_USAGE_HOST] = "host", [HV_USAGE_EXITS] = "exits", [HV_USAGE_MEMORY] = "memory",
	[HV_USAGE_NAME] = "name",
};

/* In the same order; "ready" waits. */
static const char letters[] = "rwchemn";

enum hv_usage_key hv_usage_key(const char *text)
{
	int i;

	for (i = 0; i < HV_USAGE_KEYS; i++)
		if (!strcmp(text, hv_usage_key_names[i]) || (text[0] == letters[i] && !text[1]))
			break;
	return (enum hv_usage_key)i;
}

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static uint64_t exits(const struct hv_stats *s)
{
	uint64_t sum = 0;
	int i;

	for (i = 1; i <= HVMM_A_EXITS_MAX; i++)
		sum += s->figures.exits[i];
	return sum;
}

static const struct hv_stats *find(const struct hv_stats *stats, size_t nr, uint32_t id)
{
	static const struct hv_stats none;
	size_t i;

	for (i = 0; i < nr; i++)
		if (stats[i].id == id)
			return &stats[i];
	return &none;
}

void hv_usage_diff(const struct hv_stats *before, size_t nr_before, const struct hv_stats *after,
		   size_t nr, struct hv_usage *usage)
{
	size_t i, at = 0;
	int s;

	for (i = 0; i < nr; i++) {
		const struct hv_stats *b = &after[i], *a;
		struct hv_usage *u = &usage[i];

		/* Dumps are in the order of numbers. */
		while (at < nr_before && before[at].id < b->id)
			at++;
		a = find(before + at, nr_before - at, b->id);

		memset(u, 0, sizeof(*u));
		u->id = b->id;
		memcpy(u->name, b->name, sizeof(u->name));
		u->state = b->state;
		u->vcpus = b->vcpus;
		u->window = less(b->figures.wall, a->figures.wall) / (b->vcpus ? b->vcpus : 1);
		for (s = 1; s <= HVMM_A_LEDGER_MAX; s++)
			u->ns[s] = less(b->figures.ledger[s], a->figures.ledger[s]);
		u->exits = less(exits(b), exits(a));
		u->held = b->memory[HVMM_A_MEMORY_TOTAL];
	}
}

/* Per second, in millionths: windows of VMs differ a little, and one may be young. */
static uint64_t rate(uint64_t n, uint64_t window)
{
	return window ? (uint64_t)((u128)n * 1000000 / window) : 0;
}

static enum hv_usage_key sort_key;

static uint64_t value(const struct hv_usage *u)
{
	switch (sort_key) {
	case HV_USAGE_READY:
		return rate(u->ns[HVMM_A_LEDGER_READY], u->window);
	case HV_USAGE_CAPPED:
		return rate(u->ns[HVMM_A_LEDGER_CAPPED], u->window);
	case HV_USAGE_HOST:
		return rate(u->ns[HVMM_A_LEDGER_HOST], u->window);
	case HV_USAGE_EXITS:
		return rate(u->exits * 1000000000, u->window);
	case HV_USAGE_MEMORY:
		return u->held;
	default:
		return rate(u->ns[HVMM_A_LEDGER_RUN], u->window);
	}
}

static int compare(const void *a, const void *b)
{
	const struct hv_usage *x = a, *y = b;
	uint64_t v = value(x), w = value(y);

	if (sort_key != HV_USAGE_NAME && v != w)
		return v < w ? 1 : -1;
	if (sort_key == HV_USAGE_NAME && strcmp(x->name, y->name))
		return strcmp(x->name, y->name);
	return x->id < y->id ? -1 : x->id > y->id;
}

void hv_usage_sort(struct hv_usage *usage, size_t nr, enum hv_usage_key key)
{
	sort_key = key;
	qsort(usage, nr, sizeof(*usage), compare);
}
