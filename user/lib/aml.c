// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "aml.h"

/* 20.2 */
#define OP_NAME	    0x08
#define OP_BYTE	    0x0a
#define OP_DWORD    0x0c
#define OP_SCOPE    0x10
#define OP_BUFFER   0x11
#define OP_PACKAGE  0x12
#define OP_EXTENDED 0x5b
#define OP_DEVICE   0x82

void hv_aml_init(struct hv_aml *aml)
{
	memset(aml, 0, sizeof(*aml));
}

bool hv_aml_ok(const struct hv_aml *aml)
{
	return !aml->bad && !aml->depth;
}

static void put(struct hv_aml *aml, const void *data, uint32_t len)
{
	if (aml->bad || len > HV_AML_MAX - aml->len) {
		aml->bad = true;
		return;
	}
	memcpy(aml->code + aml->len, data, len);
	aml->len += len;
}

static void put8(struct hv_aml *aml, uint8_t byte)
{
	put(aml, &byte, 1);
}

/* 20.2.4: always the form of three bytes, which is long enough for any block here. */
static void begin(struct hv_aml *aml)
{
	static const uint8_t room[3];

	if (aml->depth == HV_AML_DEPTH) {
		aml->bad = true;
		return;
	}
	aml->open[aml->depth++] = aml->len;
	put(aml, room, sizeof(room));
}

void hv_aml_end(struct hv_aml *aml)
{
	uint32_t at, len;

	if (aml->bad || !aml->depth) {
		aml->bad = true;
		return;
	}
	at = aml->open[--aml->depth];
	len = aml->len - at;
	aml->code[at] = (uint8_t)(0x80 | (len & 0xf));
	aml->code[at + 1] = (uint8_t)(len >> 4);
	aml->code[at + 2] = (uint8_t)(len >> 12);
}

void hv_aml_name(struct hv_aml *aml, const char *seg)
{
	put8(aml, OP_NAME);
	put(aml, seg, 4);
}

void hv_aml_integer(struct hv_aml *aml, uint32_t value)
{
	if (value < 2) {
		put8(aml, (uint8_t)value);
	} else if (value < 256) {
		put8(aml, OP_BYTE);
		put8(aml, (uint8_t)value);
	} else {
		put8(aml, OP_DWORD);
		put(aml, &value, 4);
	}
}

static uint32_t hex(char c)
{
	return (uint32_t)(c >= 'A' ? c - 'A' + 10 : c - '0');
}

/* 19.3.4: three letters of five bits, four hexadecimal digits, big endian. */
void hv_aml_eisa_id(struct hv_aml *aml, const char *id)
{
	uint32_t v = 0, i;

	for (i = 0; i < 3; i++)
		v = v << 5 | (uint32_t)(id[i] - '@');
	for (; i < 7; i++)
		v = v << 4 | hex(id[i]);
	v = __builtin_bswap32(v);
	put8(aml, OP_DWORD);
	put(aml, &v, 4);
}

void hv_aml_package_begin(struct hv_aml *aml, uint8_t elements)
{
	put8(aml, OP_PACKAGE);
	begin(aml);
	put8(aml, elements);
}

void hv_aml_scope_begin(struct hv_aml *aml, const char *path)
{
	put8(aml, OP_SCOPE);
	begin(aml);
	put(aml, path, (uint32_t)strlen(path));
}

void hv_aml_device_begin(struct hv_aml *aml, const char *seg)
{
	put8(aml, OP_EXTENDED);
	put8(aml, OP_DEVICE);
	begin(aml);
	put(aml, seg, 4);
}

/* The buffer's size is written when it is known; a byte is enough. */
void hv_aml_resources_begin(struct hv_aml *aml)
{
	put8(aml, OP_BUFFER);
	begin(aml);
	put8(aml, OP_BYTE);
	put8(aml, 0);
	aml->resources = aml->len;
}

/* 6.4.2.5 */
void hv_aml_resource_io(struct hv_aml *aml, uint16_t port, uint8_t count)
{
	const uint8_t d[8] = { 0x47,
			       1,
			       (uint8_t)port,
			       (uint8_t)(port >> 8),
			       (uint8_t)port,
			       (uint8_t)(port >> 8),
			       1,
			       count };

	put(aml, d, sizeof(d));
}

/* 6.4.3.6: consumer, active high, exclusive */
void hv_aml_resource_irq(struct hv_aml *aml, uint32_t gsi, bool edge)
{
	const uint8_t d[5] = { 0x89, 6, 0, (uint8_t)(1 | edge << 1), 1 };

	put(aml, d, sizeof(d));
	put(aml, &gsi, 4);
}

void hv_aml_resources_end(struct hv_aml *aml)
{
	static const uint8_t end[2] = { 0x79, 0 };

	put(aml, end, sizeof(end));
	if (!aml->bad && aml->len - aml->resources > 255)
		aml->bad = true;
	if (!aml->bad)
		aml->code[aml->resources - 1] = (uint8_t)(aml->len - aml->resources);
	hv_aml_end(aml);
}
