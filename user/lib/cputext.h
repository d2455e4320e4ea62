/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HV_CPUTEXT_H
#define HV_CPUTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "units.h"

#define HV_CPU_TEXT   64
#define HV_CPUS_MAX   4096
#define HV_CPUS_BYTES (HV_CPUS_MAX / 8)
/* Period of a cap that is given as a share. */
#define HV_CPU_PERIOD 10000000ULL

/**
 * struct hv_cpus - a set of pCPUs
 * @len: bytes of @bits that count; 0 for all pCPUs
 * @bits: number N is bit N % 8 of byte N / 8
 */
struct hv_cpus {
	size_t len;
	uint8_t bits[HV_CPUS_BYTES];
};

/**
 * hv_parse_cpu_max - read a cap: "50%", "1.5" (pCPUs), "15ms/10ms", "max"
 * @text: the text
 * @max: filled: ns in each period, 0 for no cap
 * @period: filled: ns; 0, to stay as it is, with no cap
 *
 * Return: whether it is a cap that fits; a share that is nothing is none.
 */
bool hv_parse_cpu_max(const char *text, uint64_t *max, uint64_t *period);

/**
 * hv_format_cpu_max - write a cap for people; hv_parse_cpu_max() reads it, exactly
 * @buf: at least %HV_CPU_TEXT bytes
 * @max: ns in each period, 0 for no cap
 * @period: ns
 *
 * Return: @buf.
 */
const char *hv_format_cpu_max(char *buf, uint64_t max, uint64_t period);

/**
 * hv_parse_cpu_share - read a share of a pCPU: "30%", "0.3", "0"
 * @text: the text
 * @ppm: filled, millionths of a pCPU
 *
 * Return: whether it is a share that fits; one that is more than nothing, but less than a
 * millionth, is none.
 */
bool hv_parse_cpu_share(const char *text, uint32_t *ppm);

/**
 * hv_format_cpu_share - write a share for people; hv_parse_cpu_share() reads it, exactly
 * @buf: at least %HV_CPU_TEXT bytes
 * @ppm: millionths of a pCPU
 *
 * Return: @buf.
 */
const char *hv_format_cpu_share(char *buf, uint64_t ppm);

/**
 * hv_parse_cpus - read a set of pCPUs: "0-3,8", "all"
 * @text: the text
 * @cpus: filled
 *
 * Return: whether it is such a set.
 */
bool hv_parse_cpus(const char *text, struct hv_cpus *cpus);

/**
 * hv_format_cpus - write a set of pCPUs; hv_parse_cpus() reads it, exactly
 * @cpus: the set
 *
 * Return: the text, to be freed. Running out of memory ends the program.
 */
char *hv_format_cpus(const struct hv_cpus *cpus);

static inline bool hv_cpus_has(const struct hv_cpus *cpus, unsigned int cpu)
{
	return cpu / 8 < cpus->len && cpus->bits[cpu / 8] >> cpu % 8 & 1;
}

#endif
