// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin for QEMU's TCG: which instructions are executed, and how often, from one execution of
 * an instruction to a later one of the same. Arguments: out=FILE, from=ADDRESS, skip=N and
 * rounds=N: counts from the N-th execution on, for so many. FILE gets "ADDRESS COUNT" lines.
 * scripts/profile uses it.
 *
 * Debian has no package with qemu-plugin.h, so what is used of it is declared here.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct qemu_plugin_tb;
struct qemu_plugin_insn;

#define EXPORT	__attribute__((visibility("default")))

/* Registers of the guest are not looked at: QEMU_PLUGIN_CB_NO_REGS. */
enum { NO_REGS };

typedef void (*qemu_translated)(uint64_t id, struct qemu_plugin_tb *tb);
typedef void (*qemu_executed)(unsigned int cpu, void *arg);
typedef void (*qemu_finished)(uint64_t id, void *arg);

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, qemu_translated call);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, qemu_executed call,
					    int regs, void *arg);
void qemu_plugin_register_atexit_cb(uint64_t id, qemu_finished call, void *arg);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);

EXPORT extern const int qemu_plugin_version;
EXPORT int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv);

const int qemu_plugin_version = 4;

/* By address; what does not fit is not executed between two of the rounds. */
#define SLOTS	(1U << 20)

static struct slot {
	uint64_t addr, count;
} slots[SLOTS];

static const char *out;
static uint64_t from, skip, rounds, seen;
static bool counting;

static struct slot *slot_of(uint64_t addr)
{
	uint32_t i = addr * 0x9e3779b97f4a7c15ULL >> 44;

	while (slots[i].addr && slots[i].addr != addr)
		i = (i + 1) % SLOTS;
	slots[i].addr = addr;
	return &slots[i];
}

static void executed(unsigned int cpu, void *arg)
{
	uint64_t addr = (uintptr_t)arg;

	if (addr == from) {
		counting = seen >= skip && seen < skip + rounds;
		seen++;
	}
	if (counting)
		slot_of(addr)->count++;
}

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	size_t i, n = qemu_plugin_tb_n_insns(tb);

	for (i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uintptr_t addr = qemu_plugin_insn_vaddr(insn);

		qemu_plugin_register_vcpu_insn_exec_cb(insn, executed, NO_REGS, (void *)addr);
	}
}

static void finished(uint64_t id, void *unused)
{
	FILE *f = fopen(out, "w");
	uint32_t i;

	if (!f)
		return;
	/* Fewer than asked for would be taken for cheaper. */
	for (i = 0; i < SLOTS && seen > skip + rounds; i++)
		if (slots[i].count)
			fprintf(f, "%llx %llu\n", (unsigned long long)slots[i].addr,
				(unsigned long long)slots[i].count);
	fclose(f);
}

static uint64_t argument(const char *arg, const char *name, uint64_t value)
{
	size_t len = strlen(name);

	if (strncmp(arg, name, len) || arg[len] != '=')
		return value;
	return strtoull(arg + len + 1, NULL, 0);
}

int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	int i;

	for (i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "out=", 4))
			out = strdup(argv[i] + 4);
		from = argument(argv[i], "from", from);
		skip = argument(argv[i], "skip", skip);
		rounds = argument(argv[i], "rounds", rounds);
	}
	if (!out || !from || !rounds)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	qemu_plugin_register_atexit_cb(id, finished, NULL);
	return 0;
}
