// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's ACPI tables; section numbers are those of the ACPI specification 6.5.
 *
 * The platform is hardware-reduced (3.11.1): there is no PM timer, no PM1 block and no SCI.
 * Linux then leaves the 8259 alone and does not look for a working timer interrupt behind the
 * IOAPIC, of which there is neither. The console's interrupt has to be told in the DSDT: with
 * no 8259 no ISA interrupt is there by itself.
 */
#include <stdlib.h>
#include <string.h>

#include "acpi.h"
#include "aml.h"

#define RSDP_ADDRESS 0xe0000ULL
#define TABLE_ALIGN  64

#define FADT_LENGTH	     276
#define FADT_REVISION	     6
#define FADT_MINOR	     5
#define FADT_NO_VGA	     (1U << 2)
#define FADT_NO_RTC	     (1U << 5)
#define FADT_WBINVD	     (1U << 0)
#define FADT_C1		     (1U << 2)
#define FADT_NO_POWER_BUTTON (1U << 4)
#define FADT_NO_SLEEP_BUTTON (1U << 5)
#define FADT_RESET	     (1U << 10)
#define FADT_REDUCED	     (1U << 20)

#define MADT_REVISION  6
#define MADT_LAPIC     0
#define MADT_IOAPIC    1
#define MADT_LAPIC_NMI 4
#define MADT_X2APIC    9
#define MADT_ENABLED   1U

struct acpi {
	struct hv_ram *ram;
	uint64_t next;
	uint8_t *table;
	uint32_t len;
};

static void put8(struct acpi *a, uint32_t at, uint8_t v)
{
	a->table[at] = v;
}

static void put16(struct acpi *a, uint32_t at, uint16_t v)
{
	memcpy(a->table + at, &v, sizeof(v));
}

static void put32(struct acpi *a, uint32_t at, uint32_t v)
{
	memcpy(a->table + at, &v, sizeof(v));
}

static void put64(struct acpi *a, uint32_t at, uint64_t v)
{
	memcpy(a->table + at, &v, sizeof(v));
}

static uint8_t checksum(const uint8_t *data, uint32_t len)
{
	uint8_t sum = 0;

	while (len--)
		sum += *data++;
	return (uint8_t)-sum;
}

/* 5.2.6: the header that all tables but the root pointer have. */
static int begin(struct acpi *a, const char *signature, uint8_t revision, uint32_t len,
		 struct hv_error *err)
{
	a->table = calloc(1, len);
	if (!a->table)
		return hv_fail(err, "out of memory");
	a->len = len;
	memcpy(a->table, signature, 4);
	put32(a, 4, len);
	put8(a, 8, revision);
	memcpy(a->table + 10, "HVMM  ", 6);
	memcpy(a->table + 16, "HVMMGUES", 8);
	put32(a, 24, 1);
	memcpy(a->table + 28, "HVMM", 4);
	put32(a, 32, 1);
	return 0;
}

static int finish(struct acpi *a, uint64_t *gpa, struct hv_error *err)
{
	int ret;

	put8(a, 9, checksum(a->table, a->len));
	*gpa = a->next;
	if (a->next > HV_RESET_VECTOR || a->len > HV_RESET_VECTOR - a->next)
		ret = hv_fail(err, "ACPI tables do not fit into the firmware's area");
	else
		ret = hv_ram_write(a->ram, *gpa, a->table, a->len, err);
	a->next += (a->len + TABLE_ALIGN - 1) / TABLE_ALIGN * TABLE_ALIGN;
	free(a->table);
	a->table = NULL;
	return ret;
}

/* 5.2.3.2: a generic address of one byte in I/O space. */
static void put_port(struct acpi *a, uint32_t at, uint16_t port)
{
	put8(a, at, 1);
	put8(a, at + 1, 8);
	put8(a, at + 3, 1);
	put64(a, at + 4, port);
}

/* 5.2.9 */
static int build_fadt(struct acpi *a, uint64_t dsdt, uint64_t *gpa, struct hv_error *err)
{
	if (begin(a, "FACP", FADT_REVISION, FADT_LENGTH, err))
		return -1;
	put32(a, 40, (uint32_t)dsdt);
	put16(a, 109, FADT_NO_VGA | FADT_NO_RTC);
	put32(a, 112,
	      FADT_WBINVD | FADT_C1 | FADT_NO_POWER_BUTTON | FADT_NO_SLEEP_BUTTON | FADT_RESET |
		      FADT_REDUCED);
	put_port(a, 116, HV_PORT_RESET);
	put8(a, 128, HV_PORT_RESET_VALUE);
	put8(a, 131, FADT_MINOR);
	put64(a, 140, dsdt);
	put_port(a, 244, HV_PORT_SLEEP_CONTROL);
	put_port(a, 256, HV_PORT_SLEEP_STATUS);
	memcpy(a->table + 268, "HVMM", 4);
	return finish(a, gpa, err);
}

/* 5.2.12; an APIC id from 255 on needs the longer entry of 5.2.12.12. */
static int build_madt(struct acpi *a, uint32_t vcpus, uint64_t *gpa, struct hv_error *err)
{
	uint32_t small = vcpus < 255 ? vcpus : 255, i, at = 44;

	if (begin(a, "APIC", MADT_REVISION, at + small * 8 + (vcpus - small) * 16 + 12 + 6, err))
		return -1;
	put32(a, 36, HV_LAPIC_BASE);
	for (i = 0; i < small; i++, at += 8) {
		put8(a, at, MADT_LAPIC);
		put8(a, at + 1, 8);
		put8(a, at + 2, (uint8_t)i);
		put8(a, at + 3, (uint8_t)i);
		put32(a, at + 4, MADT_ENABLED);
	}
	for (; i < vcpus; i++, at += 16) {
		put8(a, at, MADT_X2APIC);
		put8(a, at + 1, 16);
		put32(a, at + 4, i);
		put32(a, at + 8, MADT_ENABLED);
		put32(a, at + 12, i);
	}
	put8(a, at, MADT_IOAPIC);
	put8(a, at + 1, 12);
	put32(a, at + 4, HV_IOAPIC_BASE);
	at += 12;
	/* NMIs come in at LINT1 of all processors. */
	put8(a, at, MADT_LAPIC_NMI);
	put8(a, at + 1, 6);
	put8(a, at + 2, 0xff);
	put8(a, at + 5, 1);
	return finish(a, gpa, err);
}

static int build_dsdt(struct acpi *a, uint64_t *gpa, struct hv_error *err)
{
	struct hv_aml aml;

	hv_aml_init(&aml);
	/* 7.4.2.6: what to write to the sleep control register to switch off. */
	hv_aml_name(&aml, "_S5_");
	hv_aml_package_begin(&aml, 2);
	hv_aml_integer(&aml, HV_SLEEP_TYPE_OFF);
	hv_aml_integer(&aml, HV_SLEEP_TYPE_OFF);
	hv_aml_end(&aml);

	hv_aml_scope_begin(&aml, "\\_SB_");
	hv_aml_device_begin(&aml, "COM1");
	hv_aml_name(&aml, "_HID");
	hv_aml_eisa_id(&aml, "PNP0501");
	hv_aml_name(&aml, "_UID");
	hv_aml_integer(&aml, 0);
	hv_aml_name(&aml, "_CRS");
	hv_aml_resources_begin(&aml);
	hv_aml_resource_io(&aml, HV_COM1_PORT, 8);
	hv_aml_resource_irq(&aml, HV_COM1_IRQ, true);
	hv_aml_resources_end(&aml);
	hv_aml_end(&aml);
	hv_aml_end(&aml);

	if (!hv_aml_ok(&aml))
		return hv_fail(err, "DSDT is too big");
	if (begin(a, "DSDT", 2, 36 + aml.len, err))
		return -1;
	memcpy(a->table + 36, aml.code, aml.len);
	return finish(a, gpa, err);
}

int hv_acpi_build(struct hv_ram *ram, uint32_t vcpus, uint64_t *rsdp, struct hv_error *err)
{
	struct acpi a = { .ram = ram, .next = RSDP_ADDRESS + TABLE_ALIGN };
	uint64_t dsdt, fadt, madt, xsdt;
	uint8_t root[36] = "RSD PTR ";
	uint32_t len = sizeof(root);

	if (build_dsdt(&a, &dsdt, err) || build_fadt(&a, dsdt, &fadt, err) ||
	    build_madt(&a, vcpus, &madt, err))
		return -1;
	if (begin(&a, "XSDT", 1, 36 + 2 * 8, err))
		return -1;
	put64(&a, 36, fadt);
	put64(&a, 44, madt);
	if (finish(&a, &xsdt, err))
		return -1;

	/* 5.2.5.3; the first checksum is that of ACPI 1.0's twenty bytes. */
	memcpy(root + 9, "HVMM  ", 6);
	root[15] = 2;
	memcpy(root + 20, &len, sizeof(len));
	memcpy(root + 24, &xsdt, sizeof(xsdt));
	root[8] = checksum(root, 20);
	root[32] = checksum(root, sizeof(root));
	*rsdp = RSDP_ADDRESS;
	return hv_ram_write(ram, *rsdp, root, sizeof(root), err);
}
