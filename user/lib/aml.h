/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HV_AML_H
#define HV_AML_H

#include <stdbool.h>
#include <stdint.h>

#define HV_AML_MAX   4096
#define HV_AML_DEPTH 8

/**
 * struct hv_aml - AML code being written (ACPI specification, chapter 20)
 * @code: the code
 * @len: its length
 * @open: where the lengths of the open blocks are to be written
 * @depth: how many are open
 * @resources: where the open resource buffer begins
 * @bad: something did not fit
 */
struct hv_aml {
	uint8_t code[HV_AML_MAX];
	uint32_t len;
	uint32_t open[HV_AML_DEPTH];
	unsigned int depth;
	uint32_t resources;
	bool bad;
};

void hv_aml_init(struct hv_aml *aml);

/* Whether all that was written fitted, and every block was ended. */
bool hv_aml_ok(const struct hv_aml *aml);

/* Name (SEG, <the next object>); SEG has four characters. */
void hv_aml_name(struct hv_aml *aml, const char *seg);
void hv_aml_integer(struct hv_aml *aml, uint32_t value);
void hv_aml_eisa_id(struct hv_aml *aml, const char *id);

/* Blocks; hv_aml_end() ends the innermost. */
void hv_aml_package_begin(struct hv_aml *aml, uint8_t elements);
void hv_aml_scope_begin(struct hv_aml *aml, const char *path);
void hv_aml_device_begin(struct hv_aml *aml, const char *seg);
void hv_aml_end(struct hv_aml *aml);

/* A resource template, 6.4. */
void hv_aml_resources_begin(struct hv_aml *aml);
void hv_aml_resource_io(struct hv_aml *aml, uint16_t port, uint8_t count);
void hv_aml_resource_irq(struct hv_aml *aml, uint32_t gsi, bool edge);
void hv_aml_resources_end(struct hv_aml *aml);

#endif
