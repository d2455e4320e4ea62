// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ram.h"
#include "units.h"

/* Numbers from here on are shown in the next unit. */
#define READABLE 100000

typedef unsigned __int128 u128;

/*
 * A decimal number with an optional fraction times a factor, without floating point: what
 * is printed exactly must be read back exactly. Digits beyond the factor's precision are cut.
 */
bool hv_parse_scaled(const char *text, const struct hv_unit *units, uint64_t *value)
{
	uint64_t whole = 0, fraction = 0, divisor = 1, factor = 0;
	const char *p = text;
	u128 total;
	int digits = 0;

	for (; isdigit((unsigned char)*p); p++, digits++)
		if (__builtin_mul_overflow(whole, 10, &whole) ||
		    __builtin_add_overflow(whole, (uint64_t)(*p - '0'), &whole))
			return false;
	if (!digits)
		return false;
	if (*p == '.') {
		p++;
		if (!isdigit((unsigned char)*p))
			return false;
		for (; isdigit((unsigned char)*p); p++) {
			if (divisor >= 1000000000000ULL)
				continue;
			divisor *= 10;
			fraction = fraction * 10 + (uint64_t)(*p - '0');
		}
	}
	for (; units->name; units++) {
		if (!strcasecmp(p, units->name)) {
			factor = units->factor;
			break;
		}
	}
	if (!factor)
		return false;
	/* "1.5" of a unit that cannot be divided is a mistake, not a rounding. */
	if (divisor > 1 && factor == 1)
		return false;
	total = (u128)whole * factor + (u128)fraction * factor / divisor;
	if (total > UINT64_MAX)
		return false;
	*value = (uint64_t)total;
	return true;
}

bool hv_parse_size(const char *text, uint64_t *bytes)
{
	static const struct hv_unit units[] = { { "", 1 },	     { "B", 1 },
						{ "K", 1ULL << 10 }, { "KiB", 1ULL << 10 },
						{ "M", 1ULL << 20 }, { "MiB", 1ULL << 20 },
						{ "G", 1ULL << 30 }, { "GiB", 1ULL << 30 },
						{ "T", 1ULL << 40 }, { "TiB", 1ULL << 40 },
						{ NULL, 0 } };

	if (!hv_parse_scaled(text, units, bytes))
		return false;
	/* "1.3G" is meant to be memory, which comes in pages. */
	if (strchr(text, '.') && *bytes > HV_PAGE)
		*bytes -= *bytes % HV_PAGE;
	return true;
}

bool hv_parse_time(const char *text, uint64_t *ns)
{
	static const struct hv_unit units[] = { { "", 1000000000 }, { "s", 1000000000 },
						{ "ms", 1000000 },  { "us", 1000 },
						{ "ns", 1 },	    { NULL, 0 } };

	return hv_parse_scaled(text, units, ns);
}

bool hv_parse_u32(const char *text, uint32_t min, uint32_t max, uint32_t *value)
{
	static const struct hv_unit units[] = { { "", 1 }, { NULL, 0 } };
	uint64_t v;

	if (!hv_parse_scaled(text, units, &v) || v < min || v > max)
		return false;
	*value = (uint32_t)v;
	return true;
}

static const char size_names[] = "KMGT";

/* The greatest unit of which it is a whole number, -1 for bytes. */
static int whole_unit(uint64_t bytes, uint64_t *factor)
{
	int unit = -1;

	*factor = 1;
	while (unit < 3 && bytes && bytes % (*factor << 10) == 0) {
		*factor <<= 10;
		unit++;
	}
	return unit;
}

const char *hv_format_exact_size(char *buf, uint64_t bytes)
{
	uint64_t factor;
	int unit = whole_unit(bytes, &factor);

	if (unit < 0)
		snprintf(buf, HV_UNIT_TEXT, "%" PRIu64, bytes);
	else
		snprintf(buf, HV_UNIT_TEXT, "%" PRIu64 "%c", bytes / factor, size_names[unit]);
	return buf;
}

const char *hv_format_size(char *buf, uint64_t bytes)
{
	uint64_t factor;
	int unit = whole_unit(bytes, &factor);

	/* If that is readable. */
	if (bytes / factor >= READABLE) {
		while (unit < 3 && bytes / factor >= READABLE) {
			factor <<= 10;
			unit++;
		}
		snprintf(buf, HV_UNIT_TEXT, "%" PRIu64 ".%" PRIu64 "%c", bytes / factor,
			 (uint64_t)((u128)(bytes % factor) * 10 / factor), size_names[unit]);
		return buf;
	}
	return hv_format_exact_size(buf, bytes);
}

const char *hv_format_time(char *buf, uint64_t ns)
{
	snprintf(buf, HV_UNIT_TEXT, "%" PRIu64 ".%09" PRIu64 "s", ns / 1000000000, ns % 1000000000);
	return buf;
}

const char *hv_format_span(char *buf, uint64_t ns)
{
	static const struct hv_unit units[] = {
		{ "s", 1000000000 }, { "ms", 1000000 }, { "us", 1000 }, { "ns", 1 }
	};
	const struct hv_unit *unit = units;

	while (ns % unit->factor)
		unit++;
	snprintf(buf, HV_UNIT_TEXT, "%" PRIu64 "%s", ns / unit->factor, unit->name);
	return buf;
}
