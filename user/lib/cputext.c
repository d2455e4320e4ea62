// SPDX-License-Identifier: GPL-2.0
/* What people call caps, shares and sets of pCPUs. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cputext.h"
#include "error.h"

/* Whether a number that was read as nothing was meant to be nothing. */
static bool says_zero(const char *text)
{
	return !text[strcspn(text, "123456789")];
}

bool hv_parse_cpu_max(const char *text, uint64_t *max, uint64_t *period)
{
	static const struct hv_unit units[] = { { "%", HV_CPU_PERIOD / 100 },
						{ "", HV_CPU_PERIOD },
						{ NULL, 0 } };
	const char *slash = strchr(text, '/');
	char left[HV_CPU_TEXT];

	if (!strcmp(text, "max")) {
		*max = 0;
		*period = 0;
		return true;
	}
	if (!slash) {
		*period = HV_CPU_PERIOD;
		return hv_parse_scaled(text, units, max) && *max;
	}
	if ((size_t)(slash - text) >= sizeof(left))
		return false;
	memcpy(left, text, (size_t)(slash - text));
	left[slash - text] = 0;
	return hv_parse_time(left, max) && *max && hv_parse_time(slash + 1, period) && *period;
}

/* A number of hundredths of a percent and less: @scale of them are one percent. */
static const char *format_percent(char *buf, uint64_t value, uint64_t scale)
{
	uint64_t whole = value / scale, rest = value % scale;
	char digits[24] = "", *p = digits;

	if (rest)
		*p++ = '.';
	while (rest) {
		rest *= 10;
		*p++ = (char)('0' + rest / scale);
		rest %= scale;
	}
	*p = 0;
	snprintf(buf, HV_CPU_TEXT, "%" PRIu64 "%s%%", whole, digits);
	return buf;
}

const char *hv_format_cpu_max(char *buf, uint64_t max, uint64_t period)
{
	char time[HV_UNIT_TEXT], of[HV_UNIT_TEXT];

	if (!max)
		snprintf(buf, HV_CPU_TEXT, "max");
	else if (period == HV_CPU_PERIOD)
		format_percent(buf, max, HV_CPU_PERIOD / 100);
	else
		snprintf(buf, HV_CPU_TEXT, "%s/%s", hv_format_span(time, max),
			 hv_format_span(of, period));
	return buf;
}

bool hv_parse_cpu_share(const char *text, uint32_t *ppm)
{
	static const struct hv_unit units[] = { { "%", 10000 }, { "", 1000000 }, { NULL, 0 } };
	uint64_t v;

	if (!hv_parse_scaled(text, units, &v) || v > UINT32_MAX || (!v && !says_zero(text)))
		return false;
	*ppm = (uint32_t)v;
	return true;
}

const char *hv_format_cpu_share(char *buf, uint64_t ppm)
{
	return format_percent(buf, ppm, 10000);
}

/* A number of a pCPU, up to what cannot be one. */
static bool parse_cpu(const char **text, unsigned int *cpu)
{
	const char *p = *text;

	*cpu = 0;
	if (!isdigit((unsigned char)*p))
		return false;
	for (; isdigit((unsigned char)*p); p++) {
		*cpu = *cpu * 10 + (unsigned int)(*p - '0');
		if (*cpu >= HV_CPUS_MAX)
			return false;
	}
	*text = p;
	return true;
}

bool hv_parse_cpus(const char *text, struct hv_cpus *cpus)
{
	unsigned int first, last;

	memset(cpus, 0, sizeof(*cpus));
	if (!strcmp(text, "all"))
		return true;
	for (;;) {
		if (!parse_cpu(&text, &first))
			return false;
		last = first;
		if (*text == '-') {
			text++;
			if (!parse_cpu(&text, &last) || last < first)
				return false;
		}
		if (last / 8 >= cpus->len)
			cpus->len = last / 8 + 1;
		for (; first <= last; first++)
			cpus->bits[first / 8] |= (uint8_t)(1 << first % 8);
		if (!*text)
			return true;
		if (*text++ != ',')
			return false;
	}
}

char *hv_format_cpus(const struct hv_cpus *cpus)
{
	unsigned int cpu, first;
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	if (!file)
		goto fail;
	if (!cpus->len)
		fputs("all", file);
	for (cpu = 0; cpu < cpus->len * 8; cpu++) {
		if (!hv_cpus_has(cpus, cpu))
			continue;
		for (first = cpu; hv_cpus_has(cpus, cpu + 1); cpu++)
			;
		fprintf(file, "%s%u", ftell(file) ? "," : "", first);
		if (cpu > first)
			fprintf(file, "-%u", cpu);
	}
	if (fclose(file) || !text)
		goto fail;
	return text;
fail:
	fputs("out of memory\n", stderr);
	exit(HV_EXIT_USAGE);
}
