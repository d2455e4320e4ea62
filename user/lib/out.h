/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HV_OUT_H
#define HV_OUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/**
 * enum hv_out_as - how a number is shown to people; JSON always has the number itself
 * @HV_AS_NUMBER: as it is
 * @HV_AS_SIZE: bytes, see hv_format_size()
 * @HV_AS_EXACT_SIZE: bytes, see hv_format_exact_size()
 * @HV_AS_TIME: ns, see hv_format_time()
 * @HV_AS_SPAN: ns, see hv_format_span()
 * @HV_AS_CPU_SHARE: millionths of a pCPU, see hv_format_cpu_share()
 */
enum hv_out_as {
	HV_AS_NUMBER,
	HV_AS_SIZE,
	HV_AS_EXACT_SIZE,
	HV_AS_TIME,
	HV_AS_SPAN,
	HV_AS_CPU_SHARE,
};

struct hv_out;

/**
 * hv_out_open - begin to print, as text for people or as JSON
 * @file: where to
 * @json: which
 *
 * Everything is said once, in the terms of JSON: values with keys, in objects, in
 * lists. Text shows an object as lines "key value", and a list of objects that hold values
 * only as a table with the keys as its head.
 *
 * Return: the emitter. Running out of memory ends the program.
 */
struct hv_out *hv_out_open(FILE *file, bool json);

/* Whether it prints JSON: to say some things in another way. */
bool hv_out_is_json(const struct hv_out *out);

/* Whether a value becomes a cell of a table: all rows have to have the same. */
bool hv_out_in_table(const struct hv_out *out);

/* Prints what is open still, and a line break. */
void hv_out_close(struct hv_out *out);

/**
 * hv_out_compact - JSON on one line
 * @out: the emitter
 */
void hv_out_compact(struct hv_out *out);

/* @key is %NULL within a list, and for the outermost thing. */
void hv_out_object(struct hv_out *out, const char *key);
void hv_out_object_end(struct hv_out *out);
void hv_out_list(struct hv_out *out, const char *key);
void hv_out_list_end(struct hv_out *out);

/* In a list of JSON, @key is %NULL. */
void hv_out_number(struct hv_out *out, const char *key, uint64_t value, enum hv_out_as as);
void hv_out_text(struct hv_out *out, const char *key, const char *value);
/* true or false, "yes" or "no" */
void hv_out_bool(struct hv_out *out, const char *key, bool value);
/* A value that is not there: null, or "-". */
void hv_out_none(struct hv_out *out, const char *key);

#endif
