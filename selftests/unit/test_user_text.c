// SPDX-License-Identifier: GPL-2.0
/* Units, the boot configuration's text, and what hvadm prints: user/lib. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "cputext.h"
#include "out.h"
#include "tap.h"
#include "units.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static void sizes(void)
{
	static const struct {
		const char *text;
		bool ok;
		uint64_t value;
	} t[] = {
		{ "0", true, 0 },
		{ "4096", true, 4096 },
		{ "512M", true, 512ULL << 20 },
		{ "512m", true, 512ULL << 20 },
		{ "1.5G", true, 3ULL << 29 },
		{ "0.5K", true, 512 },
		{ "1.3G", true, 1395863552 },
		{ "390.6M", true, 409571328 },
		{ "64KiB", true, 65536 },
		{ "1T", true, 1ULL << 40 },
		{ "18446744073709551615", true, UINT64_MAX },
		{ "16777215T", true, 16777215ULL << 40 },
		{ "18446744073709551616", false, 0 },
		{ "16777216T", false, 0 },
		{ "99999999999999999999999999", false, 0 },
		{ "", false, 0 },
		{ "M", false, 0 },
		{ "-1", false, 0 },
		{ "+1", false, 0 },
		{ " 1", false, 0 },
		{ "1 ", false, 0 },
		{ "1.", false, 0 },
		{ ".5G", false, 0 },
		{ "1.5", false, 0 },
		{ "1.5.5M", false, 0 },
		{ "0x10", false, 0 },
		{ "1Q", false, 0 },
		{ "1MM", false, 0 },
	};
	uint64_t v;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		bool ok = hv_parse_size(t[i].text, &v);

		tap_ok(ok == t[i].ok && (!ok || v == t[i].value), "size '%s'", t[i].text);
	}
}

static void times(void)
{
	static const struct {
		const char *text;
		bool ok;
		uint64_t value;
	} t[] = {
		{ "1", true, 1000000000 },    { "1.5s", true, 1500000000 },
		{ "10ms", true, 10000000 },   { "2.5us", true, 2500 },
		{ "17ns", true, 17 },	      { "0.000000001s", true, 1 },
		{ "1.5ns", false, 0 },	      { "20000000000s", false, 0 },
		{ "1h", false, 0 },	      { "ms", false, 0 },
		{ "1.000000001", true, 1000000001 },
	};
	uint64_t v;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		bool ok = hv_parse_time(t[i].text, &v);

		tap_ok(ok == t[i].ok && (!ok || v == t[i].value), "time '%s'", t[i].text);
	}
}

/* What is printed is read back: times exactly, sizes to a tenth of their unit or a page. */
static void round_trips(void)
{
	char buf[HV_UNIT_TEXT];
	uint64_t v, w, x = 88172645463325252ULL;
	bool exact = true, close_enough = true, sized = true, whole = true;
	int i;

	for (i = 0; i < 200000; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		v = x >> (x & 63);
		hv_format_time(buf, v);
		exact = exact && hv_parse_time(buf, &w) && w == v;
		hv_format_size(buf, v);
		close_enough = close_enough && hv_parse_size(buf, &w) && w <= v &&
			       v - w <= v / 900 + (strchr(buf, '.') ? 4096 : 1);
		hv_format_exact_size(buf, v);
		whole = whole && hv_parse_size(buf, &w) && w == v;
		v = (v & 1023) << (10 * (x % 4));
		hv_format_size(buf, v);
		sized = sized && hv_parse_size(buf, &w) && w == v;
	}
	tap_ok(exact, "printed times are read back exactly");
	tap_ok(close_enough, "printed sizes are read back to their last digit");
	tap_ok(whole, "sizes printed exactly are read back exactly");
	tap_ok(sized, "printed sizes that are whole units are read back exactly");
}

static void caps(void)
{
	static const struct {
		const char *text;
		bool ok;
		uint64_t max, period;
	} t[] = {
		{ "max", true, 0, 0 },
		{ "50%", true, 5000000, 10000000 },
		{ "150%", true, 15000000, 10000000 },
		{ "1.5", true, 15000000, 10000000 },
		{ "0.05", true, 500000, 10000000 },
		{ "33.33333%", true, 3333333, 10000000 },
		{ "15ms/10ms", true, 15000000, 10000000 },
		{ "1.5ms/0.1s", true, 1500000, 100000000 },
		{ "500us/1", true, 500000, 1000000000 },
		{ "18446744073709551615ns/1ns", true, UINT64_MAX, 1 },
		{ "0", false, 0, 0 },
		{ "0%", false, 0, 0 },
		{ "0.000000001%", false, 0, 0 },
		{ "0ms/10ms", false, 0, 0 },
		{ "10ms/0", false, 0, 0 },
		{ "", false, 0, 0 },
		{ "%", false, 0, 0 },
		{ "/", false, 0, 0 },
		{ "10ms/", false, 0, 0 },
		{ "/10ms", false, 0, 0 },
		{ "-50%", false, 0, 0 },
		{ "+50%", false, 0, 0 },
		{ "50%%", false, 0, 0 },
		{ "50 %", false, 0, 0 },
		{ "50%/10ms", false, 0, 0 },
		{ "10ms/20ms/30ms", false, 0, 0 },
		{ "maximum", false, 0, 0 },
		{ "1e3", false, 0, 0 },
		{ "nan", false, 0, 0 },
		{ "1844674407371", false, 0, 0 },
		{ "99999999999999999999999%", false, 0, 0 },
		{ "1111111111111111111111111111111111111111111111111111111111111111s/1s",
		  false, 0, 0 },
	};
	uint64_t max, period;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		bool ok = hv_parse_cpu_max(t[i].text, &max, &period);

		tap_ok(ok == t[i].ok && (!ok || (max == t[i].max && period == t[i].period)),
		       "cap '%s'", t[i].text);
	}
}

static void shares(void)
{
	static const struct {
		const char *text;
		bool ok;
		uint32_t value;
	} t[] = {
		{ "0", true, 0 },	     { "0%", true, 0 },
		{ "0.000", true, 0 },	     { "30%", true, 300000 },
		{ "0.3", true, 300000 },     { "150%", true, 1500000 },
		{ "2", true, 2000000 },	     { "0.0001%", true, 1 },
		{ "12.3456%", true, 123456 }, { "4294.967295", true, UINT32_MAX },
		{ "4294.967296", false, 0 }, { "0.00001%", false, 0 },
		{ "0.0000001", false, 0 },   { "", false, 0 },
		{ "%", false, 0 },	     { "-1", false, 0 },
		{ "30 %", false, 0 },	     { "30%x", false, 0 },
		{ "30ms", false, 0 },	     { "all", false, 0 },
		{ "1.%", false, 0 },	     { "0x1", false, 0 },
	};
	uint32_t v;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		bool ok = hv_parse_cpu_share(t[i].text, &v);

		tap_ok(ok == t[i].ok && (!ok || v == t[i].value), "share '%s'", t[i].text);
	}
}

static void cpu_lists(void)
{
	static const struct {
		const char *text, *canonical; /* NULL: refused */
	} t[] = {
		{ "all", "all" },
		{ "0", "0" },
		{ "0-3,8", "0-3,8" },
		{ "8,0-3", "0-3,8" },
		{ "3,2,1,1,0", "0-3" },
		{ "0-2,1-5", "0-5" },
		{ "7-7", "7" },
		{ "0,2,4", "0,2,4" },
		{ "4095", "4095" },
		{ "0-4095", "0-4095" },
		{ "007", "7" },
		{ "4096", NULL },
		{ "0-4096", NULL },
		{ "99999999999999999999", NULL },
		{ "3-2", NULL },
		{ "", NULL },
		{ ",", NULL },
		{ "1,", NULL },
		{ ",1", NULL },
		{ "1,,2", NULL },
		{ "1-", NULL },
		{ "-1", NULL },
		{ "1-2-3", NULL },
		{ "1 ,2", NULL },
		{ " 1", NULL },
		{ "0x1", NULL },
		{ "all,1", NULL },
		{ "none", NULL },
		{ "0-3:2", NULL },
	};
	struct hv_cpus cpus;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		bool ok = hv_parse_cpus(t[i].text, &cpus);
		char *text = ok ? hv_format_cpus(&cpus) : NULL;

		tap_ok(t[i].canonical ? text && !strcmp(text, t[i].canonical) : !ok,
		       "pCPUs '%s'", t[i].text);
		free(text);
	}
	hv_parse_cpus("1-2,17", &cpus);
	tap_ok(cpus.len == 3 && cpus.bits[0] == 6 && !cpus.bits[1] && cpus.bits[2] == 2,
	       "pCPUs are bits");
}

/* What is printed of quotas is read back exactly. */
static void quota_round_trips(void)
{
	uint64_t v, w, period, p, x = 88172645463325252ULL;
	bool cap = true, share = true, span = true, list = true;
	char buf[HV_CPU_TEXT], *text;
	struct hv_cpus cpus, again;
	uint32_t ppm;
	int i, k;

	for (i = 0; i < 100000; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		v = (x >> (x & 63)) % 4096000000000ULL + 1;
		period = i & 1 ? HV_CPU_PERIOD : 1000000 + x % 999000001;
		hv_format_cpu_max(buf, v, period);
		cap = cap && hv_parse_cpu_max(buf, &w, &p) && w == v && p == period;
		hv_format_cpu_share(buf, (uint32_t)x);
		share = share && hv_parse_cpu_share(buf, &ppm) && ppm == (uint32_t)x;
		hv_format_span(buf, v);
		span = span && hv_parse_time(buf, &w) && w == v;
		if (i % 100)
			continue;
		memset(&cpus, 0, sizeof(cpus));
		cpus.len = x % HV_CPUS_BYTES + 1;
		for (k = 0; k < (int)cpus.len; k++)
			cpus.bits[k] = (uint8_t)(x >> k % 57);
		cpus.bits[cpus.len - 1] |= 1;
		text = hv_format_cpus(&cpus);
		list = list && hv_parse_cpus(text, &again) && !memcmp(&cpus, &again, sizeof(cpus));
		free(text);
	}
	tap_ok(cap, "printed caps are read back exactly");
	tap_ok(share, "printed shares are read back exactly");
	tap_ok(span, "printed spans are read back exactly");
	tap_ok(list, "printed sets of pCPUs are read back exactly");
	tap_ok(!strcmp(hv_format_cpu_max(buf, 0, 10000000), "max") &&
	       !strcmp(hv_format_cpu_max(buf, 5000000, 10000000), "50%") &&
	       !strcmp(hv_format_cpu_max(buf, 3333333, 10000000), "33.33333%") &&
	       !strcmp(hv_format_cpu_max(buf, 15000000, 20000000), "15ms/20ms") &&
	       !strcmp(hv_format_cpu_share(buf, 300000), "30%") &&
	       !strcmp(hv_format_cpu_share(buf, 100), "0.01%") &&
	       !strcmp(hv_format_span(buf, 0), "0s") &&
	       !strcmp(hv_format_span(buf, 1500000), "1500us"),
	       "they are short");
}

static void configs(void)
{
	static const char *const bad[] = {
		"", "hvmm-boot 1", "hvmm-boot 2\n", "kernel=/x\n", "hvmm-boot 1\nkernel",
		"hvmm-boot 1\nkernel=/x", "hvmm-boot 1\nfuture=1\n", "hvmm-boot 1\n\n=\n",
		"hvmm-boot 1\nmodule-args=x\n", "hvmm-boot 1\nformat=elf\n",
		"hvmm-boot 1\non-reset=maybe\n",
	};
	struct hv_config a = { 0 }, b;
	char text[HV_CONFIG_MAX], again[HV_CONFIG_MAX], line[9000];
	struct hv_error err;
	size_t len, len2, i;
	bool ok;

	ok = !hv_config_set_kernel(&a, "/proc/self/exe", &err) &&
	     !hv_config_add_initrd(&a, "/dev/null", &err) &&
	     !hv_config_add_initrd(&a, "/dev/zero", &err) &&
	     !hv_config_set_cmdline(&a, "console=ttyS0 a=b=c", &err) &&
	     !hv_config_add_module(&a, "/dev/null:with some: args", &err) &&
	     !hv_config_add_module(&a, "/dev/zero", &err) &&
	     !hv_config_set_on_reset(&a, "restart", &err) &&
	     !hv_config_set_format(&a, "pvh", &err);
	a.testdev = true;
	tap_ok(ok, "configuration is filled");
	ok = !hv_config_write(&a, text, &len, &err) && !hv_config_read(&b, text, len, &err);
	tap_ok(ok, "configuration is written and read");
	ok = !hv_config_write(&b, again, &len2, &err) && len == len2 && !memcmp(text, again, len);
	tap_ok(ok, "configuration is the same after reading");
	tap_ok(b.nr_modules == 2 && !strcmp(b.module[0].args, "with some: args") &&
	       !*b.module[1].args && b.nr_initrds == 2 && b.testdev &&
	       b.on_reset == HV_ON_RESET_RESTART && b.format == HV_FORMAT_PVH,
	       "configuration keeps its values");
	hv_config_free(&b);

	tap_ok(hv_config_set_cmdline(&a, "a\nkernel=/b", &err), "line breaks are refused");
	tap_ok(hv_config_add_initrd(&a, "/no/such/file", &err), "missing files are refused");
	tap_ok(hv_config_set_on_reset(&a, "x", &err), "unknown words are refused");
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = 0;
	tap_ok(!hv_config_set_cmdline(&a, line, &err) && hv_config_write(&a, text, &len, &err),
	       "more than the kernel keeps is refused");
	hv_config_free(&a);

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		tap_ok(hv_config_read(&b, bad[i], strlen(bad[i]), &err), "bad configuration %zu",
		       i);
		hv_config_free(&b);
	}
	tap_ok(hv_config_read(&b, "hvmm-boot 1\nkernel=\0\n", 21, &err), "NUL is refused");
	hv_config_free(&b);
	/* Every beginning of a good text, at the end of its allocation. */
	ok = true;
	for (i = 0; i < 40; i++) {
		char *copy = malloc(i + 1);

		memcpy(copy, "hvmm-boot 1\nkernel=/x\ncmdline=y\nmodule=z\n", i);
		hv_config_read(&b, copy, i, &err);
		hv_config_free(&b);
		free(copy);
	}
	tap_ok(ok, "truncated configurations do no harm");
}

static bool printed(const char *want, bool json)
{
	char *text = NULL;
	size_t len = 0;
	FILE *file = open_memstream(&text, &len);
	struct hv_out *out = hv_out_open(file, json);
	bool same;

	hv_out_object(out, NULL);
	hv_out_text(out, "name", "a\"b\\\n");
	hv_out_number(out, "memory", 512ULL << 20, HV_AS_SIZE);
	hv_out_list(out, "vcpu");
	hv_out_object(out, NULL);
	hv_out_number(out, "index", 0, HV_AS_NUMBER);
	if (hv_out_in_table(out) == json)
		hv_out_text(out, "wrong", "");
	hv_out_text(out, "state", "run");
	hv_out_number(out, "wall", 1500000000, HV_AS_TIME);
	hv_out_object_end(out);
	hv_out_object(out, NULL);
	hv_out_number(out, "index", 10, HV_AS_NUMBER);
	hv_out_text(out, "state", "halted");
	hv_out_none(out, "wall");
	hv_out_object_end(out);
	hv_out_list_end(out);
	hv_out_list(out, "none");
	hv_out_list_end(out);
	hv_out_object(out, "ram");
	hv_out_number(out, "held", 4096, HV_AS_SIZE);
	hv_out_object_end(out);
	hv_out_object_end(out);
	hv_out_close(out);
	fclose(file);
	same = !strcmp(text, want);
	if (!same)
		printf("# got:\n%s# wanted:\n%s", text, want);
	free(text);
	return same;
}

static void output(void)
{
	static const char json[] =
		"{\n"
		"  \"name\": \"a\\\"b\\\\\\u000a\",\n"
		"  \"memory\": 536870912,\n"
		"  \"vcpu\": [\n"
		"    {\n"
		"      \"index\": 0,\n"
		"      \"state\": \"run\",\n"
		"      \"wall\": 1500000000\n"
		"    },\n"
		"    {\n"
		"      \"index\": 10,\n"
		"      \"state\": \"halted\",\n"
		"      \"wall\": null\n"
		"    }\n"
		"  ],\n"
		"  \"none\": [],\n"
		"  \"ram\": {\n"
		"    \"held\": 4096\n"
		"  }\n"
		"}\n";
	static const char text[] =
		"name             a\"b\\\n\n"
		"memory           512M\n"
		"\n"
		"vcpu:\n"
		"INDEX  STATE           WALL\n"
		"    0  run     1.500000000s\n"
		"   10  halted             -\n"
		"\n"
		"none:\n"
		"\n"
		"ram:\n"
		"  held             4K\n";

	tap_ok(printed(json, true), "JSON");
	tap_ok(printed(text, false), "text");
}

int main(void)
{
	tap_plan(28 + 11 + 4 + 32 + 22 + 30 + 5 + 8 + 11 + 2 + 2);
	sizes();
	times();
	round_trips();
	caps();
	shares();
	cpu_lists();
	quota_round_trips();
	configs();
	output();
	return tap_done();
}
