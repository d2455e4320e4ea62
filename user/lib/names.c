// SPDX-License-Identifier: GPL-2.0
/* Names of what the netlink family carries; the spec is Documentation/netlink/specs/hvmm.yaml. */
#include <linux/hvmm.h>
#include <stddef.h>

#include "names.h"
#include "util.h"

#define COUNT(a) ((int)ARRAY_SIZE(a))

static const char *const vm[] = {
	[HVMM_A_VM_ID] = "id",
	[HVMM_A_VM_NAME] = "name",
	[HVMM_A_VM_VCPUS] = "vcpus",
	[HVMM_A_VM_MEMORY] = "memory",
	[HVMM_A_VM_RAM_FD] = "ram-fd",
	[HVMM_A_VM_CONFIG] = "config",
	[HVMM_A_VM_STATE] = "state",
	[HVMM_A_VM_REASON] = "reason",
	[HVMM_A_VM_ERROR] = "error",
	[HVMM_A_VM_CONSOLE] = "console",
	[HVMM_A_VM_AGE] = "age",
	[HVMM_A_VM_UPTIME] = "uptime",
	[HVMM_A_VM_BOOT] = "boot",
	[HVMM_A_VM_CPU_WEIGHT] = "cpu-weight",
	[HVMM_A_VM_CPU_MAX] = "cpu-max",
	[HVMM_A_VM_CPU_PERIOD] = "cpu-period",
	[HVMM_A_VM_CPU_BURST] = "cpu-burst",
	[HVMM_A_VM_CPU_MIN] = "cpu-min",
	[HVMM_A_VM_CPU_AFFINITY] = "cpu-affinity",
	[HVMM_A_VM_MEM_MAX] = "mem-max",
	[HVMM_A_VM_MEM_HIGH] = "mem-high",
	[HVMM_A_VM_MEM_MIN] = "mem-min",
	[HVMM_A_VM_MEM_HELD] = "mem-held",
	[HVMM_A_VM_RECLAIM] = "reclaim",
	[HVMM_A_VM_RECLAIMED] = "reclaimed",
	[HVMM_A_VM_CPU_STALL] = "cpu-stall",
	[HVMM_A_VM_GENERATION] = "generation",
	[HVMM_A_VM_CHANGE] = "change",
};

_Static_assert(COUNT(vm) == HVMM_A_VM_MAX + 1, "as in the spec");

const struct hv_names hv_vm_names = { COUNT(vm), vm };

static const char *const boot[] = {
	[HVMM_A_BOOT_MODE] = "mode",
	[HVMM_A_BOOT_RIP] = "rip",
	[HVMM_A_BOOT_RSP] = "rsp",
	[HVMM_A_BOOT_RAX] = "rax",
	[HVMM_A_BOOT_RBX] = "rbx",
	[HVMM_A_BOOT_RSI] = "rsi",
	[HVMM_A_BOOT_CR3] = "cr3",
	[HVMM_A_BOOT_GDT_BASE] = "gdt-base",
	[HVMM_A_BOOT_GDT_LIMIT] = "gdt-limit",
};

_Static_assert(COUNT(boot) == HVMM_A_BOOT_MAX + 1, "as in the spec");

const struct hv_names hv_boot_names = { COUNT(boot), boot };

static const char *const ledger[] = {
	[HVMM_A_LEDGER_RUN] = "run",	     [HVMM_A_LEDGER_READY] = "ready",
	[HVMM_A_LEDGER_CAPPED] = "capped",   [HVMM_A_LEDGER_HALTED] = "halted",
	[HVMM_A_LEDGER_IO] = "io",	     [HVMM_A_LEDGER_MEM] = "mem",
	[HVMM_A_LEDGER_PAUSED] = "paused",   [HVMM_A_LEDGER_HOST] = "host",
	[HVMM_A_LEDGER_OFFLINE] = "offline",
};

_Static_assert(COUNT(ledger) == HVMM_A_LEDGER_MAX + 1, "as in the spec");

const struct hv_names hv_ledger_names = { COUNT(ledger), ledger };

static const char *const exits[] = {
	[HVMM_A_EXITS_CPUID] = "cpuid",
	[HVMM_A_EXITS_MSR_READ] = "msr-read",
	[HVMM_A_EXITS_MSR_WRITE] = "msr-write",
	[HVMM_A_EXITS_PIO] = "pio",
	[HVMM_A_EXITS_PIO_USER] = "pio-user",
	[HVMM_A_EXITS_MMIO] = "mmio",
	[HVMM_A_EXITS_MMIO_USER] = "mmio-user",
	[HVMM_A_EXITS_FAULT] = "fault",
	[HVMM_A_EXITS_HLT] = "hlt",
	[HVMM_A_EXITS_HYPERCALL] = "hypercall",
	[HVMM_A_EXITS_INTERRUPT] = "interrupt",
	[HVMM_A_EXITS_NMI] = "nmi",
	[HVMM_A_EXITS_IRQ_WINDOW] = "irq-window",
	[HVMM_A_EXITS_NMI_WINDOW] = "nmi-window",
	[HVMM_A_EXITS_CR] = "cr",
	[HVMM_A_EXITS_DR] = "dr",
	[HVMM_A_EXITS_EXCEPTION] = "exception",
	[HVMM_A_EXITS_PAUSE] = "pause",
	[HVMM_A_EXITS_XSETBV] = "xsetbv",
	[HVMM_A_EXITS_CACHE] = "cache",
	[HVMM_A_EXITS_REFUSED] = "refused",
	[HVMM_A_EXITS_SHUTDOWN] = "shutdown",
	[HVMM_A_EXITS_OTHER] = "other",
};

_Static_assert(COUNT(exits) == HVMM_A_EXITS_MAX + 1, "as in the spec");

const struct hv_names hv_exit_names = { COUNT(exits), exits };

static const char *const counters[] = {
	[HVMM_A_COUNTERS_ENTRIES] = "entries",
	[HVMM_A_COUNTERS_IRQ_INJECTED] = "irq-injected",
	[HVMM_A_COUNTERS_NMI_INJECTED] = "nmi-injected",
	[HVMM_A_COUNTERS_EXC_INJECTED] = "exc-injected",
	[HVMM_A_COUNTERS_REINJECTED] = "reinjected",
	[HVMM_A_COUNTERS_HALT_WAKES] = "halt-wakes",
	[HVMM_A_COUNTERS_TLB_FLUSHES] = "tlb-flushes",
	[HVMM_A_COUNTERS_EMULATED] = "emulated",
	[HVMM_A_COUNTERS_KICKS] = "kicks",
	[HVMM_A_COUNTERS_YIELDS] = "yields",
	[HVMM_A_COUNTERS_POLLS_HIT] = "polls-hit",
	[HVMM_A_COUNTERS_POLLS_MISSED] = "polls-missed",
	[HVMM_A_COUNTERS_LENT] = "lent",
};

_Static_assert(COUNT(counters) == HVMM_A_COUNTERS_MAX + 1, "as in the spec");

const struct hv_names hv_counter_names = { COUNT(counters), counters };

static const char *const memory[] = {
	[HVMM_A_MEMORY_RAM] = "ram",
	[HVMM_A_MEMORY_HELD] = "held",
	[HVMM_A_MEMORY_MAPPED] = "mapped",
	[HVMM_A_MEMORY_LARGE_PAGES] = "large-pages",
	[HVMM_A_MEMORY_TABLE_BYTES] = "table-bytes",
	[HVMM_A_MEMORY_KERNEL_BYTES] = "kernel-bytes",
	[HVMM_A_MEMORY_RESIDENT] = "resident",
	[HVMM_A_MEMORY_SWAPPED] = "swapped",
	[HVMM_A_MEMORY_VCPU_BYTES] = "vcpu-bytes",
	[HVMM_A_MEMORY_DEVICE_BYTES] = "device-bytes",
	[HVMM_A_MEMORY_GROUP_BYTES] = "group-bytes",
	[HVMM_A_MEMORY_VM_BYTES] = "vm-bytes",
	[HVMM_A_MEMORY_TOTAL] = "total",
	[HVMM_A_MEMORY_WAITING] = "waiting",
	[HVMM_A_MEMORY_WORKING_SET] = "working-set",
	[HVMM_A_MEMORY_WINDOW] = "window",
	[HVMM_A_MEMORY_IDLE] = "idle",
	[HVMM_A_MEMORY_CLEARED] = "cleared",
	[HVMM_A_MEMORY_SWAPPED_OUT] = "swapped-out",
};

_Static_assert(COUNT(memory) == HVMM_A_MEMORY_MAX + 1, "as in the spec");

const struct hv_names hv_memory_names = { COUNT(memory), memory };

static const char *const stats[] = {
	[HVMM_A_STATS_VM] = "vm",
	[HVMM_A_STATS_VM_NAME] = "vm-name",
	[HVMM_A_STATS_STATE] = "state",
	[HVMM_A_STATS_VCPUS] = "vcpus",
	[HVMM_A_STATS_MEMORY] = "memory",
	[HVMM_A_STATS_WALL] = "wall",
	[HVMM_A_STATS_LEDGER] = "ledger",
	[HVMM_A_STATS_EXITS] = "exits",
	[HVMM_A_STATS_COUNTERS] = "counters",
};

_Static_assert(COUNT(stats) == HVMM_A_STATS_MAX + 1, "as in the spec");

const struct hv_names hv_stats_names = { COUNT(stats), stats };

static const char *const waits[] = {
	[HVMM_A_WAITS_READY] = "ready",
	[HVMM_A_WAITS_CAPPED] = "capped",
	[HVMM_A_WAITS_HOST] = "host",
	[HVMM_A_WAITS_IO] = "io",
	[HVMM_A_WAITS_MEM] = "mem",
	[HVMM_A_WAITS_WAKE] = "wake",
	[HVMM_A_WAITS_WAKE_CAPPED] = "wake-capped",
};

_Static_assert(COUNT(waits) == HVMM_A_WAITS_MAX + 1, "as in the spec");

const struct hv_names hv_wait_names = { COUNT(waits), waits };

static const char *const vcpu[] = {
	[HVMM_A_VCPU_VM] = "vm",
	[HVMM_A_VCPU_VM_NAME] = "vm-name",
	[HVMM_A_VCPU_INDEX] = "index",
	[HVMM_A_VCPU_STATE] = "state",
	[HVMM_A_VCPU_PCPU] = "pcpu",
	[HVMM_A_VCPU_WALL] = "wall",
	[HVMM_A_VCPU_LEDGER] = "ledger",
	[HVMM_A_VCPU_EXITS] = "exits",
	[HVMM_A_VCPU_COUNTERS] = "counters",
	[HVMM_A_VCPU_SINCE] = "since",
	[HVMM_A_VCPU_WAITS] = "waits",
};

_Static_assert(COUNT(vcpu) == HVMM_A_VCPU_MAX + 1, "as in the spec");

const struct hv_names hv_vcpu_names = { COUNT(vcpu), vcpu };

static const char *const host[] = {
	[HVMM_A_HOST_VERSION] = "version",	 [HVMM_A_HOST_VENDOR] = "vendor",
	[HVMM_A_HOST_PCPUS] = "pcpus",		 [HVMM_A_HOST_VMS] = "vms",
	[HVMM_A_HOST_VCPUS] = "vcpus",		 [HVMM_A_HOST_VM_OBJECTS] = "vm-objects",
	[HVMM_A_HOST_RAM_PAGES] = "ram-pages",	 [HVMM_A_HOST_TABLE_PAGES] = "table-pages",
	[HVMM_A_HOST_HOST_SHARE] = "host-share", [HVMM_A_HOST_CPU_RESERVED] = "cpu-reserved",
	[HVMM_A_HOST_CPU_FREE] = "cpu-free",	 [HVMM_A_HOST_GENERATION] = "generation",
	[HVMM_A_HOST_SCAN_TIME] = "scan-time",	 [HVMM_A_HOST_UPTIME] = "uptime",
};

_Static_assert(COUNT(host) == HVMM_A_HOST_MAX + 1, "as in the spec");

const struct hv_names hv_host_names = { COUNT(host), host };

static const char *const pcpu[] = {
	[HVMM_A_PCPU_ID] = "id",
	[HVMM_A_PCPU_ONLINE] = "online",
	[HVMM_A_PCPU_USED] = "used",
	[HVMM_A_PCPU_DOMAIN] = "domain",
	[HVMM_A_PCPU_WALL] = "wall",
	[HVMM_A_PCPU_RUN] = "run",
	[HVMM_A_PCPU_HOST] = "host",
	[HVMM_A_PCPU_IDLE] = "idle",
	[HVMM_A_PCPU_WAITING] = "waiting",
	[HVMM_A_PCPU_VM] = "vm",
	[HVMM_A_PCPU_VCPU] = "vcpu",
	[HVMM_A_PCPU_USE] = "use",
	[HVMM_A_PCPU_HOST_SHARE] = "host-share",
	[HVMM_A_PCPU_GENERATION] = "generation",
	[HVMM_A_PCPU_POLICIES] = "policies",
	[HVMM_A_PCPU_POLICY] = "policy",
	[HVMM_A_PCPU_WHY] = "why",
};

_Static_assert(COUNT(pcpu) == HVMM_A_PCPU_MAX + 1, "as in the spec");

const struct hv_names hv_pcpu_names = { COUNT(pcpu), pcpu };

static const char *const state[] = {
	[HVMM_STATE_STOPPED] = "stopped",
	[HVMM_STATE_RUNNING] = "running",
	[HVMM_STATE_PAUSED] = "paused",
};

static const char *const state_reason[] = {
	[HVMM_STATE_REASON_NONE] = "none",   [HVMM_STATE_REASON_REQUEST] = "request",
	[HVMM_STATE_REASON_RESET] = "reset", [HVMM_STATE_REASON_POWEROFF] = "poweroff",
	[HVMM_STATE_REASON_ERROR] = "error",
};

static const char *const cpu_state[] = {
	[HVMM_CPU_STATE_RUN] = "run",	      [HVMM_CPU_STATE_READY] = "ready",
	[HVMM_CPU_STATE_CAPPED] = "capped",   [HVMM_CPU_STATE_HALTED] = "halted",
	[HVMM_CPU_STATE_IO] = "io",	      [HVMM_CPU_STATE_MEM] = "mem",
	[HVMM_CPU_STATE_PAUSED] = "paused",   [HVMM_CPU_STATE_HOST] = "host",
	[HVMM_CPU_STATE_OFFLINE] = "offline",
};

const struct hv_names *hv_names_of_command(uint8_t cmd)
{
	switch (cmd) {
	case HVMM_CMD_STATS_GET:
		return &hv_stats_names;
	case HVMM_CMD_VCPU_GET:
		return &hv_vcpu_names;
	case HVMM_CMD_HOST_GET:
		return &hv_host_names;
	case HVMM_CMD_PCPU_GET:
	case HVMM_CMD_PCPU_SET:
		return &hv_pcpu_names;
	default:
		return &hv_vm_names;
	}
}

const struct hv_names *hv_names_of_nest(const struct hv_names *set, int attr)
{
	if (set != &hv_vm_names)
		return NULL;
	switch (attr) {
	case HVMM_A_VM_BOOT:
		return &hv_boot_names;
	case HVMM_A_VM_CHANGE:
		return &hv_vm_names;
	default:
		return NULL;
	}
}

const char *hv_attr_name(const struct hv_names *set, int attr)
{
	if (!set || attr <= 0 || attr >= set->count || !set->name[attr])
		return "?";
	return set->name[attr];
}

static const char *choose(const char *const *names, int count, uint32_t value)
{
	return value < (uint32_t)count ? names[value] : "?";
}

const char *hv_state_name(uint32_t value)
{
	return choose(state, COUNT(state), value);
}

const char *hv_reason_name(uint32_t value)
{
	return choose(state_reason, COUNT(state_reason), value);
}

const char *hv_cpu_state_name(uint32_t value)
{
	return choose(cpu_state, COUNT(cpu_state), value);
}
