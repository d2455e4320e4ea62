// SPDX-License-Identifier: GPL-2.0
/* ACPI tables: checksums and places; their contents are given to iasl where it is installed. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "acpi.h"
#include "tap.h"

#define RAM (2ULL << 20)

static uint8_t *ram_bytes;
static struct hv_ram ram;
static struct hv_error err;

static uint8_t sum(uint64_t at, uint32_t len)
{
	uint8_t s = 0;

	while (len--)
		s += ram_bytes[at++];
	return s;
}

static uint32_t get32(uint64_t at)
{
	uint32_t v;

	memcpy(&v, ram_bytes + at, 4);
	return v;
}

static uint64_t get64(uint64_t at)
{
	uint64_t v;

	memcpy(&v, ram_bytes + at, 8);
	return v;
}

static bool in_area(uint64_t at, uint32_t len)
{
	return at >= HV_FIRMWARE_START && len <= HV_FIRMWARE_END - at;
}

static bool table_ok(uint64_t at, const char *name)
{
	return in_area(at, 36) && !memcmp(ram_bytes + at, name, 4) && in_area(at, get32(at + 4)) &&
	       !sum(at, get32(at + 4));
}

/* The table of this signature, or 0. */
static uint64_t find(uint64_t xsdt, const char *name)
{
	uint32_t i, n = (get32(xsdt + 4) - 36) / 8;

	for (i = 0; i < n; i++)
		if (!memcmp(ram_bytes + get64(xsdt + 36 + 8 * i), name, 4))
			return get64(xsdt + 36 + 8 * i);
	return 0;
}

static void save(const char *folder, const char *name, uint64_t at)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.dat", folder, name);
	file = fopen(path, "w");
	if (!file || fwrite(ram_bytes + at, get32(at + 4), 1, file) != 1)
		tap_diag("cannot write %s", path);
	if (file)
		fclose(file);
}

/* Each table is taken apart, and the DSDT's source put together again. */
static bool iasl_accepts(uint64_t dsdt, uint64_t fadt, uint64_t madt)
{
	char folder[] = "/tmp/hvmm-acpi.XXXXXX", command[512];
	int status;

	if (!mkdtemp(folder))
		return false;
	save(folder, "dsdt", dsdt);
	save(folder, "facp", fadt);
	save(folder, "apic", madt);
	snprintf(command, sizeof(command),
		 "set -e; cd %s\n"
		 "for t in dsdt facp apic; do iasl -d $t.dat >$t.log 2>&1\n"
		 "! grep -iE 'error|warning|invalid|truncated|corrupt' $t.log $t.dsl; done\n"
		 "iasl -we -p again dsdt.dsl >again.log 2>&1\n"
		 "grep -q PNP0501 dsdt.dsl; grep -q 'Name (_S5' dsdt.dsl\n"
		 "grep -q 'Interrupt (ResourceConsumer, Edge, ActiveHigh, Exclusive' dsdt.dsl\n",
		 folder);
	status = system(command);
	if (status) {
		snprintf(command, sizeof(command), "sed 's/^/# /' %s/*.log %s/*.dsl", folder,
			 folder);
		if (system(command))
			tap_diag("no logs");
	}
	snprintf(command, sizeof(command), "rm -r %s", folder);
	if (system(command))
		tap_diag("cannot remove %s", folder);
	return !status;
}

static void tables(uint32_t vcpus)
{
	uint64_t rsdp, xsdt, fadt, madt, dsdt, at;
	uint32_t cpus = 0, ioapics = 0, odd = 0;

	memset(ram_bytes, 0, RAM);
	hv_ram_init(&ram, ram_bytes, RAM);
	if (hv_acpi_build(&ram, vcpus, &rsdp, &err)) {
		tap_ok(false, "%u vCPUs: %s", vcpus, err.text);
		return;
	}
	xsdt = get64(rsdp + 24);
	tap_ok(in_area(rsdp, 36) && rsdp % 16 == 0 && !memcmp(ram_bytes + rsdp, "RSD PTR ", 8) &&
	       !sum(rsdp, 20) && !sum(rsdp, 36),
	       "%u vCPUs: RSDP", vcpus);
	tap_ok(table_ok(xsdt, "XSDT"), "%u vCPUs: XSDT", vcpus);
	fadt = find(xsdt, "FACP");
	madt = find(xsdt, "APIC");
	dsdt = fadt ? get64(fadt + 140) : 0;
	tap_ok(table_ok(fadt, "FACP") && get32(fadt + 4) == 276 && get32(fadt + 112) >> 20 & 1,
	       "%u vCPUs: FADT, hardware-reduced", vcpus);
	tap_ok(table_ok(dsdt, "DSDT"), "%u vCPUs: DSDT", vcpus);
	tap_ok(table_ok(madt, "APIC"), "%u vCPUs: MADT", vcpus);
	for (at = madt + 44; at < madt + get32(madt + 4); at += ram_bytes[at + 1]) {
		if (ram_bytes[at] == 0)
			odd += ram_bytes[at + 3] != cpus++;
		else if (ram_bytes[at] == 9)
			odd += get32(at + 4) != cpus++ || cpus <= 255;
		else if (ram_bytes[at] == 1)
			ioapics += get32(at + 4) == 0xfec00000;
		if (!ram_bytes[at + 1])
			break;
	}
	tap_ok(at == madt + get32(madt + 4) && cpus == vcpus && ioapics == 1 && !odd,
	       "%u vCPUs: MADT lists them all and an IOAPIC", vcpus);
	if (system("command -v iasl >/dev/null 2>&1"))
		tap_ok(true, "%u vCPUs: iasl # SKIP no iasl (package acpica-tools)", vcpus);
	else
		tap_ok(iasl_accepts(dsdt, fadt, madt), "%u vCPUs: iasl", vcpus);
}

int main(void)
{
	static const uint32_t counts[] = { 1, 2, 254, 255, 256, 4096 };
	uint64_t rsdp;
	size_t i;

	ram_bytes = malloc(RAM);
	tap_plan(6 * 7 + 1);
	for (i = 0; i < 6; i++)
		tables(counts[i]);
	hv_ram_init(&ram, ram_bytes, RAM);
	tap_ok(hv_acpi_build(&ram, 100000, &rsdp, &err), "too many vCPUs are refused");
	free(ram_bytes);
	return tap_done();
}
