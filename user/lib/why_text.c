// SPDX-License-Identifier: GPL-2.0
/* The answer in words. */
#include <inttypes.h>
#include <string.h>

#include "util.h"
#include "why.h"

#define SHORT  32
#define OTHERS 8

/* Three digits and a unit: what a person compares. */
static const char *short_time(char *buf, uint64_t ns)
{
	static const struct {
		uint64_t factor;
		const char *name;
	} unit[] = { { 1000000000, "s" }, { 1000000, "ms" }, { 1000, "us" }, { 1, "ns" } };
	size_t i = 0;
	double v;

	while (i < ARRAY_SIZE(unit) - 1 && ns < unit[i].factor)
		i++;
	v = (double)ns / (double)unit[i].factor;
	if (unit[i].factor == 1)
		snprintf(buf, SHORT, "%" PRIu64 " ns", ns);
	else
		snprintf(buf, SHORT, "%.*f %s", v < 10 ? 2 : v < 100 ? 1 : 0, v, unit[i].name);
	return buf;
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? (double)part * 100 / (double)whole : 0;
}

static bool visible(uint64_t part, uint64_t whole)
{
	return percent(part, whole) >= 0.05;
}

const char *hv_why_advice_key(enum hv_why_advice advice)
{
	static const char *const keys[] = {
		[HV_ADVICE_RAISE_CAP] = "raise-cpu-max",
		[HV_ADVICE_RAISE_SHARE] = "raise-cpu-weight-or-cpu-min",
		[HV_ADVICE_WIDEN] = "allow-more-pcpus",
		[HV_ADVICE_FEWER_VCPUS] = "fewer-vcpus",
		[HV_ADVICE_HOST] = "look-at-host-tasks",
		[HV_ADVICE_DEVICE] = "look-at-hvdm",
		[HV_ADVICE_MEMORY] = "look-at-memory",
		[HV_ADVICE_WAKES] = "raise-cpu-min",
		[HV_ADVICE_PAUSED] = "resume-or-start",
		[HV_ADVICE_SLEEPS] = "nothing-it-sleeps",
		[HV_ADVICE_RUNS] = "nothing-it-runs",
	};

	_Static_assert(ARRAY_SIZE(keys) == HV_ADVICE_NR, "all of them");
	return advice < HV_ADVICE_NR ? keys[advice] : "?";
}

const char *hv_why_how_key(enum hv_why_how how)
{
	switch (how) {
	case HV_WHY_EXACT:
		return "exact";
	case HV_WHY_AT_MOST:
		return "at-most";
	case HV_WHY_STILL:
		return "still";
	default:
		return "none";
	}
}

/* "50 %" of a pCPU; empty if there is no cap. */
static const char *cap_text(const struct hv_why *why, char *buf)
{
	buf[0] = 0;
	if (why->limits.max_ns && why->limits.period_ns)
		snprintf(buf, SHORT, " of %.4g %%",
			 percent(why->limits.max_ns, why->limits.period_ns));
	return buf;
}

/* The busiest of the others, by name. */
static const char *culprits(const struct hv_why *why, char *buf, size_t size)
{
	size_t i, n = 0, len = 0;

	buf[0] = 0;
	for (i = 0; i < why->nr_others && n < 3; i++) {
		const struct hv_why_other *o = &why->others[i];

		/* Who took little is not to blame. */
		if (o->self || o->run < why->capacity / 20)
			continue;
		len += (size_t)snprintf(buf + len, size - len, "%s'%s'", n++ ? ", " : "", o->name);
		if (len >= size)
			break;
	}
	return buf;
}

const char *hv_why_advice_text(const struct hv_why *why, enum hv_why_advice advice, char *buf)
{
	const char *name = why->limits.name;
	char who[3 * HVMM_NAME_MAX + 16], cap[SHORT];

	switch (advice) {
	case HV_ADVICE_RAISE_CAP:
		snprintf(buf, HV_WHY_TEXT,
			 "Raise --cpu-max: its own cap%s held it back; it wanted %.0f %% of a pCPU "
			 "(hvadm set %s --cpu-max ...).",
			 cap_text(why, cap), percent(why->wanted, why->window), name);
		break;
	case HV_ADVICE_RAISE_SHARE:
		snprintf(
			buf, HV_WHY_TEXT,
			"Raise --cpu-weight, or reserve a share with --cpu-min: it waited while %s "
			"ran (hvadm set %s --cpu-weight ...).",
			culprits(why, who, sizeof(who))[0] ? who : "other VMs", name);
		break;
	case HV_ADVICE_WIDEN:
		snprintf(buf, HV_WHY_TEXT,
			 "Let it use more pCPUs: it may use %" PRIu32 " of %" PRIu32
			 " (hvadm set %s --cpu-affinity ...).",
			 why->limits.pcpus, why->limits.all_pcpus, name);
		break;
	case HV_ADVICE_FEWER_VCPUS:
		snprintf(buf, HV_WHY_TEXT,
			 "Give it fewer vCPUs or more pCPUs: its own %zu vCPUs share %" PRIu32
			 " pCPUs.",
			 why->nr_vcpus, why->limits.pcpus);
		break;
	case HV_ADVICE_HOST:
		snprintf(buf, HV_WHY_TEXT,
			 "Host tasks took %.1f %% of its pCPUs: see hvadm pcpu --host-share.",
			 percent(why->host, why->capacity));
		break;
	case HV_ADVICE_DEVICE:
		snprintf(buf, HV_WHY_TEXT,
			 "It waits for a device: is its hvdm alive, and the storage behind it fast "
			 "enough?");
		break;
	case HV_ADVICE_MEMORY:
		snprintf(buf, HV_WHY_TEXT,
			 "It waits for memory: does the host swap, or is its own limit reached "
			 "(hvadm set %s --mem-max ...)?",
			 name);
		break;
	case HV_ADVICE_WAKES:
		snprintf(buf, HV_WHY_TEXT,
			 "It wants little but gets it late: reserve a small share with --cpu-min "
			 "(hvadm set %s --cpu-min ...).",
			 name);
		break;
	case HV_ADVICE_PAUSED:
		snprintf(buf, HV_WHY_TEXT,
			 "It was paused or stopped: hvadm resume %s, or hvadm start %s.", name,
			 name);
		break;
	case HV_ADVICE_SLEEPS:
		snprintf(buf, HV_WHY_TEXT, "Nothing to do: it sleeps most of the time.");
		break;
	case HV_ADVICE_RUNS:
		snprintf(buf, HV_WHY_TEXT, "Nothing to do: it runs as much as it wants to.");
		break;
	default:
		buf[0] = 0;
	}
	return buf;
}

struct phrase {
	int state;
	const char *text;
};

/* Parts of a sentence, those that are too small to see left out. Return: how many. */
static int parts(FILE *file, const struct hv_why_vcpu *v, const struct phrase *phrase, size_t count,
		 const char *lead)
{
	size_t i;
	int n = 0;

	for (i = 0; i < count; i++) {
		uint64_t ns = v->ledger[phrase[i].state];

		if (!visible(ns, v->window))
			continue;
		fprintf(file, "%s%.1f %% %s", n++ ? ", " : lead, percent(ns, v->window),
			phrase[i].text);
	}
	return n;
}

static void print_vcpu(FILE *file, const struct hv_why *why, const struct hv_why_vcpu *v)
{
	static const struct phrase rest[] = {
		{ HVMM_A_LEDGER_HALTED, "of the time it slept" },
		{ HVMM_A_LEDGER_PAUSED, "it was paused or stopped" },
		{ HVMM_A_LEDGER_OFFLINE, "it was not started by its guest" },
	};
	char a[SHORT], b[SHORT], cap[SHORT], capped[128];
	struct phrase waits[] = {
		{ HVMM_A_LEDGER_CAPPED, capped },
		{ HVMM_A_LEDGER_READY, "for a pCPU while others had them" },
		{ HVMM_A_LEDGER_HOST, "because the host took its pCPU" },
		{ HVMM_A_LEDGER_IO, "for a device" },
		{ HVMM_A_LEDGER_MEM, "for memory" },
	};

	snprintf(capped, sizeof(capped), "because its own cap%s was used up", cap_text(why, cap));
	if (!visible(v->wanted, v->window)) {
		fprintf(file, "vCPU %" PRIu32 " did not want to run in %s", v->index,
			short_time(a, v->window));
	} else {
		fprintf(file, "vCPU %" PRIu32 " wanted to run for %s of %s: it ran %.1f %%",
			v->index, short_time(a, v->wanted), short_time(b, v->window),
			percent(v->ledger[HVMM_A_LEDGER_RUN], v->window));
		if (!parts(file, v, waits, ARRAY_SIZE(waits), ", waited "))
			fputs(", waited for nothing", file);
	}
	parts(file, v, rest, ARRAY_SIZE(rest), "; ");
	fputs(".\n", file);
}

static const char *cause_text(int state)
{
	switch (state) {
	case HVMM_A_LEDGER_READY:
		return "for a pCPU";
	case HVMM_A_LEDGER_CAPPED:
		return "held back by its own cap";
	case HVMM_A_LEDGER_HOST:
		return "the host had its pCPU";
	case HVMM_A_LEDGER_IO:
		return "for a device";
	case HVMM_A_LEDGER_MEM:
		return "for memory";
	default:
		return "?";
	}
}

static const char *at_most(enum hv_why_how how)
{
	return how == HV_WHY_AT_MOST ? "at most " : "";
}

static void print_waits(FILE *file, const struct hv_why_vcpu *v)
{
	const struct hv_why_wait *w = &v->waits[HVMM_A_WAITS_WAKE];
	const struct hv_why_wait *capped = &v->waits[HVMM_A_WAITS_WAKE_CAPPED];
	char a[SHORT], b[SHORT], c[SHORT];

	if (v->longest_how != HV_WHY_NONE)
		fprintf(file, "  Longest single wait: %s%s, %s%s.\n", at_most(v->longest_how),
			short_time(a, v->longest), cause_text(v->longest_cause),
			v->longest_how == HV_WHY_STILL ? "; it still goes on" : "");
	if (!w->count)
		return;
	fprintf(file, "  From waking up to running, %" PRIu64 " times: ", w->count);
	if (!w->lost)
		fprintf(file, "half under %s, 99 %% under %s, ", short_time(a, w->p50),
			short_time(b, w->p99));
	fprintf(file, "the longest %s%s", at_most(w->how), short_time(c, w->longest));
	if (capped->count)
		fprintf(file, "; %" PRIu64 " of them held back by the cap, for %s%s", capped->count,
			capped->how == HV_WHY_EXACT ? "up to " : at_most(capped->how),
			short_time(a, capped->longest));
	fputs(".\n", file);
}

static void print_others(FILE *file, const struct hv_why *why)
{
	uint64_t more = 0;
	size_t i, shown = 0, hidden = 0;
	char a[SHORT];

	fprintf(file, "\nMeanwhile on the %" PRIu32 " pCPU%s that it may use, of %s in all:\n",
		why->limits.pcpus, why->limits.pcpus == 1 ? "" : "s", short_time(a, why->capacity));
	for (i = 0; i < why->nr_others; i++) {
		const struct hv_why_other *o = &why->others[i];

		if (!o->self && (shown >= OTHERS || !visible(o->run, why->capacity))) {
			hidden++;
			more += o->run;
			continue;
		}
		shown++;
		fprintf(file, "  %5.1f %%  VM %s", percent(o->run, why->capacity), o->name);
		if (o->self)
			fputs(" itself", file);
		if (o->weight)
			fprintf(file, ", weight %" PRIu32, o->weight);
		if (o->at_most)
			fputs(" (some of it on other pCPUs)", file);
		putc('\n', file);
	}
	if (hidden)
		fprintf(file, "  %5.1f %%  %zu more VMs\n", percent(more, why->capacity), hidden);
	if (why->idle_known) {
		fprintf(file, "  %5.1f %%  the host\n", percent(why->host, why->capacity));
		fprintf(file, "  %5.1f %%  idle\n", percent(why->idle, why->capacity));
	} else {
		fprintf(file, "  %5.1f %%  the host, while a vCPU was there\n",
			percent(why->host, why->capacity));
		fprintf(file, "  %5.1f %%  no VM\n", percent(why->idle, why->capacity));
	}
}

void hv_why_print(FILE *file, const struct hv_why *why)
{
	char text[HV_WHY_TEXT];
	size_t i;

	for (i = 0; i < why->nr_vcpus; i++) {
		print_vcpu(file, why, &why->vcpus[i]);
		print_waits(file, &why->vcpus[i]);
	}
	print_others(file, why);
	putc('\n', file);
	for (i = 0; i < HV_ADVICE_NR; i++)
		if (why->advice[i])
			fprintf(file, "%s\n", hv_why_advice_text(why, (enum hv_why_advice)i, text));
}
