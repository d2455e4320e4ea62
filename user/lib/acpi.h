/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HV_ACPI_H
#define HV_ACPI_H

#include <stdint.h>

#include "ram.h"

/* Ports through which the tables let a guest end: served by the kernel module. */
#define HV_PORT_RESET	      0xcf9
#define HV_PORT_RESET_VALUE   0x06
#define HV_PORT_SLEEP_CONTROL 0x600
#define HV_PORT_SLEEP_STATUS  0x601
#define HV_SLEEP_TYPE_OFF     5

/* Where a BIOS has its entry after a reset; tables end below. */
#define HV_RESET_VECTOR 0xffff0ULL

#define HV_IOAPIC_BASE 0xfec00000U
#define HV_LAPIC_BASE  0xfee00000U
#define HV_COM1_PORT   0x3f8
#define HV_COM1_IRQ    4

/**
 * hv_acpi_build - write the ACPI tables into the firmware's area
 * @ram: the guest's RAM
 * @vcpus: number of vCPUs; their APIC ids count from 0
 * @rsdp: filled with the address of the root pointer
 * @err: filled on failure
 *
 * Return: 0, or -1 (too many vCPUs for the area).
 */
int hv_acpi_build(struct hv_ram *ram, uint32_t vcpus, uint64_t *rsdp, struct hv_error *err);

#endif
