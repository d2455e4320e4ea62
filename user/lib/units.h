/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HV_UNITS_H
#define HV_UNITS_H

#include <stdbool.h>
#include <stdint.h>

#define HV_UNIT_TEXT 32

/**
 * struct hv_unit - what may follow a number
 * @name: the unit's name, "" for none; %NULL ends a list
 * @factor: what one of it is worth
 */
struct hv_unit {
	const char *name;
	uint64_t factor;
};

/**
 * hv_parse_scaled - read a decimal number and its unit, without floating point
 * @text: the text, up to its end
 * @units: the units that are possible
 * @value: filled; digits beyond its precision are cut
 *
 * Return: whether it is a number that fits.
 */
bool hv_parse_scaled(const char *text, const struct hv_unit *units, uint64_t *value);

/**
 * hv_parse_size - read a size: "4096", "512M", "1.5G", "64KiB"
 * @text: the text; units are powers of 1024, a plain number is bytes; one with a fraction is cut to
 *        whole pages, if it is more than one
 * @bytes: filled
 *
 * Return: whether it is a size that fits.
 */
bool hv_parse_size(const char *text, uint64_t *bytes);

/**
 * hv_parse_time - read a duration: "10ms", "1.5s", "250us", "17ns", "2" (seconds)
 * @text: the text
 * @ns: filled
 *
 * Return: whether it is a duration that fits.
 */
bool hv_parse_time(const char *text, uint64_t *ns);

/**
 * hv_parse_u32 - read a plain number
 * @text: the text, decimal
 * @min: least value allowed
 * @max: greatest value allowed
 * @value: filled
 *
 * Return: whether it is such a number.
 */
bool hv_parse_u32(const char *text, uint32_t min, uint32_t max, uint32_t *value);

/**
 * hv_format_exact_size - write a size so that hv_parse_size() reads the same
 * @buf: at least %HV_UNIT_TEXT bytes
 * @bytes: the size
 *
 * Return: @buf.
 */
const char *hv_format_exact_size(char *buf, uint64_t bytes);

/**
 * hv_format_size - write a size for people; hv_parse_size() reads it
 * @buf: at least %HV_UNIT_TEXT bytes
 * @bytes: the size
 *
 * Exact where it is a whole number of units, else one digit after the point.
 *
 * Return: @buf.
 */
const char *hv_format_size(char *buf, uint64_t bytes);

/**
 * hv_format_time - write a duration for people; hv_parse_time() reads it
 * @buf: at least %HV_UNIT_TEXT bytes
 * @ns: the duration
 *
 * Return: @buf: seconds with nine digits after the point, exact.
 */
const char *hv_format_time(char *buf, uint64_t ns);

/**
 * hv_format_span - write a short duration for people; hv_parse_time() reads it
 * @buf: at least %HV_UNIT_TEXT bytes
 * @ns: the duration
 *
 * Return: @buf: a whole number of the greatest unit of which it is one, exact.
 */
const char *hv_format_span(char *buf, uint64_t ns);

#endif
