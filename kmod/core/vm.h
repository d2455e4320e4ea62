/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_CORE_VM_H
#define HVMM_CORE_VM_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rcuwait.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include "core/bus.h"
#include "core/vcpu.h"
#include "dev/ioapic.h"
#include "dev/irq.h"
#include "dev/tty.h"
#include "mem/mem.h"

struct netlink_ext_ack;
struct hvmm_channel;
struct hvmm_quota_edit;
struct hvmm_platform;

#define HVMM_VM_NAME_MAX	63
#define HVMM_VM_CONFIG_MAX	8192
#define HVMM_VM_RAM_MIN		BIT_ULL(20)
#define HVMM_VM_RAM_MAX		BIT_ULL(40)
#define HVMM_VCPUS_MAX		4096

/**
 * enum hvmm_vm_state - life cycle of a VM (values are ABI)
 * @HVMM_VM_STOPPED: created, or stopped; no vCPU runs, registers are undefined
 * @HVMM_VM_RUNNING: vCPUs may run
 * @HVMM_VM_PAUSED: vCPUs are held, state is kept
 */
enum hvmm_vm_state {
	HVMM_VM_STOPPED,
	HVMM_VM_RUNNING,
	HVMM_VM_PAUSED,
};

/**
 * enum hvmm_vm_reason - why a VM is in its state (values are ABI)
 * @HVMM_REASON_NONE: never started
 * @HVMM_REASON_REQUEST: the administrator asked for it
 * @HVMM_REASON_RESET: the guest asked for a reset, or ended in a triple fault
 * @HVMM_REASON_POWEROFF: the guest switched itself off
 * @HVMM_REASON_ERROR: an exit that hvmm cannot handle; see the event's text
 */
enum hvmm_vm_reason {
	HVMM_REASON_NONE,
	HVMM_REASON_REQUEST,
	HVMM_REASON_RESET,
	HVMM_REASON_POWEROFF,
	HVMM_REASON_ERROR,
};

/**
 * enum hvmm_boot_mode - state in which vCPU 0 starts (values are ABI)
 * @HVMM_BOOT_RESET: as after power-on: real mode, CS base 0xffff0000, IP 0xfff0
 * @HVMM_BOOT_PM32: 32-bit flat protected mode, paging off (PVH, multiboot)
 * @HVMM_BOOT_LONG64: 64-bit mode with the paging root in cr3 (Linux 64-bit boot protocol)
 */
enum hvmm_boot_mode {
	HVMM_BOOT_RESET,
	HVMM_BOOT_PM32,
	HVMM_BOOT_LONG64,
};

/**
 * struct hvmm_boot - how vCPU 0 starts
 * @mode: enum hvmm_boot_mode
 * @rip: first instruction
 * @rsp: stack pointer
 * @rax: RAX (multiboot magic)
 * @rbx: RBX (PVH start info, multiboot info)
 * @rsi: RSI (Linux zero page)
 * @cr3: paging root, %HVMM_BOOT_LONG64 only
 * @gdt_base: GDT to be loaded, 0 for none; selectors are 0x10 (CS) and 0x18 (data)
 * @gdt_limit: its limit
 */
struct hvmm_boot {
	enum hvmm_boot_mode mode;
	u64 rip, rsp, rax, rbx, rsi, cr3;
	u64 gdt_base;
	u16 gdt_limit;
};

/**
 * struct hvmm_vm_params - what a VM is created from
 * @name: unique name; 1..63 of [A-Za-z0-9_.-], not beginning with '-' or '.'
 * @nr_vcpus: 1..number of pCPUs
 * @ram_size: bytes, a multiple of 4 KiB
 * @ram_file: sealed memfd of at least @ram_size bytes; the VM takes its own reference
 * @config: opaque bytes kept for userspace, may be %NULL
 * @config_len: length of @config, at most %HVMM_VM_CONFIG_MAX
 * @quota: what differs from the default quota, without its VM, or %NULL
 * @verdict: filled if @quota is refused
 */
struct hvmm_vm_params {
	const char *name;
	u32 nr_vcpus;
	u64 ram_size;
	struct file *ram_file;
	const void *config;
	u32 config_len;
	struct hvmm_quota_edit *quota;
	struct hvmm_quota_verdict *verdict;
};

/**
 * struct hvmm_vm - a virtual machine
 * @ref: holders; the last hvmm_vm_put() frees
 * @rcu: defers that
 * @id: from 1; not given to another VM until all others have been used
 * @name: unique among living VMs
 * @lock: serialises life-cycle changes; may be held over sleeps
 * @state: written under @lock by hvmm_vm_*(); read by anyone
 * @reason: why
 * @error: text for %HVMM_REASON_ERROR
 * @hold: vCPUs must not run; written under @lock, or by a runner that stops the VM
 * @dead: destroyed; only references keep it
 * @started_at: ktime_get_ns() of the latest start
 * @created_at: ktime_get_ns() of creation
 * @config: opaque bytes from userspace; constant
 * @config_len: their number
 * @parked: whoever waits, under @lock, for all vCPUs to be parked; woken whenever one is
 *	    while @hold is set
 * @stop_work: finishes what a runner began with hvmm_vm_stop_async()
 * @stop_reason: for @stop_work
 * @starve_work: tells listeners that a vCPU waits for quota
 * @starved_at: jiffies when it last did
 * @mem: RAM and nested page table
 * @pio: port I/O devices
 * @mmio: memory-mapped devices
 * @ioapic: its IOAPIC
 * @console: its serial console
 * @channel: device channel, see io/channel.h
 * @tsc_offset: guest TSC minus host TSC
 * @clock_offset: ns to be added to ktime_get_ns() to get kvmclock's system time
 * @platform: buses' in-kernel devices, see x86/platform.c
 * @irq: routes messages to the vCPUs' LAPICs, by index
 * @spin_next: the vCPU that one which spins looks at first; a matter of fairness only
 * @group: what its vCPUs may have of the pCPUs
 * @nr_vcpus: number of vCPUs; constant
 * @vcpus: the vCPUs; constant
 */
struct hvmm_vm {
	struct kref ref;
	struct rcu_head rcu;
	u32 id;
	char name[HVMM_VM_NAME_MAX + 1];
	struct mutex lock; /* life-cycle changes */
	enum hvmm_vm_state state;
	enum hvmm_vm_reason reason;
	char error[128];
	bool hold;
	bool dead;
	u64 started_at;
	u64 created_at;
	void *config;
	u32 config_len;
	struct rcuwait parked;
	struct work_struct stop_work;
	enum hvmm_vm_reason stop_reason;
	struct delayed_work starve_work;
	unsigned long starved_at;
	struct hvmm_mem mem;
	struct hvmm_bus pio;
	struct hvmm_bus mmio;
	struct hvmm_ioapic ioapic;
	struct hvmm_console *console;
	struct hvmm_channel *channel;
	u64 tsc_offset;
	u64 clock_offset;
	struct hvmm_platform *platform;
	struct hvmm_irq_router irq;
	u32 spin_next;
	struct hvmm_group *group;
	u32 nr_vcpus;
	struct hvmm_vcpu *vcpus[] __counted_by(nr_vcpus);
};

/**
 * enum hvmm_vm_event - what listeners are told
 * @HVMM_VM_EVENT_CREATED: a VM was created
 * @HVMM_VM_EVENT_STATE: its state changed
 * @HVMM_VM_EVENT_DESTROYED: it was destroyed
 * @HVMM_VM_EVENT_QUOTA: its quota was changed
 * @HVMM_VM_EVENT_MEMORY: a vCPU waits for memory that its quota does not allow
 */
enum hvmm_vm_event {
	HVMM_VM_EVENT_CREATED,
	HVMM_VM_EVENT_STATE,
	HVMM_VM_EVENT_DESTROYED,
	HVMM_VM_EVENT_QUOTA,
	HVMM_VM_EVENT_MEMORY,
};

/**
 * hvmm_vm_set_listener - set the function that is told of life-cycle events
 * @fn: called in process context, the VM's lock held; %NULL for none
 *
 * Context: module init and exit only.
 */
void hvmm_vm_set_listener(void (*fn)(struct hvmm_vm *vm, enum hvmm_vm_event event));

/**
 * hvmm_vm_create - create a VM, in state stopped
 * @params: what from; cross-field checks are done here
 * @extack: the reason of a refusal, may be %NULL
 *
 * Context: may sleep.
 * Return: the VM with a reference for the caller, or an ERR_PTR: -EINVAL,
 * -EEXIST (name), -E2BIG (more vCPUs than pCPUs), -EPERM (sealed RAM file), -ENOSPC (no
 * console is left), -ENOMEM; what hvmm_quota_first() says of the quota.
 */
struct hvmm_vm *hvmm_vm_create(const struct hvmm_vm_params *params,
			       struct netlink_ext_ack *extack);

/**
 * hvmm_vm_start - start a stopped VM
 * @vm: the VM
 * @boot: vCPU 0's first state
 * @extack: the reason of a refusal
 *
 * Devices, LAPICs and registers are reset first; RAM is left as it is.
 *
 * Context: may sleep; takes &hvmm_vm.lock.
 * Return: 0, -EINVAL (boot state), -EBUSY (not stopped), -ENODEV (destroyed).
 */
int hvmm_vm_start(struct hvmm_vm *vm, const struct hvmm_boot *boot,
		  struct netlink_ext_ack *extack);

/**
 * hvmm_vm_reset - stop a VM if it is not, and start it
 * @vm: the VM
 * @boot: vCPU 0's first state
 * @extack: the reason of a refusal
 *
 * Context: may sleep; takes &hvmm_vm.lock.
 * Return: 0, -EINVAL (boot state; nothing has changed), -ENODEV (destroyed).
 */
int hvmm_vm_reset(struct hvmm_vm *vm, const struct hvmm_boot *boot,
		  struct netlink_ext_ack *extack);

/**
 * hvmm_vm_stop - stop a running or paused VM; its vCPUs' state is lost, RAM stays
 * @vm: the VM
 * @extack: the reason of a refusal
 *
 * Context: may sleep; takes &hvmm_vm.lock. On return no vCPU of it runs.
 * Return: 0, -EALREADY (stopped), -ENODEV (destroyed).
 */
int hvmm_vm_stop(struct hvmm_vm *vm, struct netlink_ext_ack *extack);

/**
 * hvmm_vm_pause - hold all vCPUs
 * @vm: the VM
 * @extack: the reason of a refusal
 *
 * Context: may sleep; takes &hvmm_vm.lock. On return no vCPU of it runs.
 * Return: 0, -EBUSY (not running), -ENODEV (destroyed).
 */
int hvmm_vm_pause(struct hvmm_vm *vm, struct netlink_ext_ack *extack);

/**
 * hvmm_vm_resume - let a paused VM go on
 * @vm: the VM
 * @extack: the reason of a refusal
 *
 * Context: may sleep; takes &hvmm_vm.lock.
 * Return: 0, -EBUSY (not paused), -ENODEV (destroyed).
 */
int hvmm_vm_resume(struct hvmm_vm *vm, struct netlink_ext_ack *extack);

/**
 * hvmm_vm_destroy - stop a VM and take it out of the list
 * @vm: the VM; the caller keeps its own reference
 *
 * Context: may sleep; takes &hvmm_vm.lock.
 * Return: 0, or -ENODEV if it was destroyed already.
 */
int hvmm_vm_destroy(struct hvmm_vm *vm);

/**
 * hvmm_vm_stop_async - stop a VM from a runner (triple fault, impossible exit)
 * @vm: the VM
 * @reason: why
 * @error: text for %HVMM_REASON_ERROR, or %NULL
 *
 * Sets &hvmm_vm.hold at once; the rest follows in process context. The first
 * caller's reason stays.
 *
 * Context: any but NMI.
 */
void hvmm_vm_stop_async(struct hvmm_vm *vm, enum hvmm_vm_reason reason, const char *error);

/**
 * hvmm_vm_starves - a vCPU waits for memory that the VM's quota does not allow
 * @vm: the VM; it is not stopped
 *
 * Listeners are told, at most once in a second.
 *
 * Context: process.
 */
void hvmm_vm_starves(struct hvmm_vm *vm);

/**
 * hvmm_vm_flush_tlbs - make stale nested translations unused on every vCPU
 * @vm: the VM
 *
 * On return every vCPU that is in the guest has entered it after the call began.
 *
 * Context: may sleep.
 */
void hvmm_vm_flush_tlbs(struct hvmm_vm *vm);

/**
 * hvmm_vm_by_id - find a VM
 * @id: its id
 *
 * Context: any.
 * Return: the VM with a reference, or %NULL.
 */
struct hvmm_vm *hvmm_vm_by_id(u32 id);

/**
 * hvmm_vm_by_name - find a VM
 * @name: its name
 *
 * Context: may sleep.
 * Return: the VM with a reference, or %NULL.
 */
struct hvmm_vm *hvmm_vm_by_name(const char *name);

/**
 * hvmm_vm_next - iterate over VMs in order of id
 * @id: in: lowest id wanted; out: id of the VM returned
 *
 * Context: any.
 * Return: the VM with a reference, or %NULL at the end.
 */
struct hvmm_vm *hvmm_vm_next(u32 *id);

/**
 * hvmm_vm_next_alive - iterate over VMs that are not being destroyed
 * @id: in: lowest id wanted; out: id of the VM returned
 *
 * Such a VM gives its quotas back before it goes: it stays until hvmm_quota_end().
 *
 * Context: between hvmm_quota_begin() and hvmm_quota_end().
 * Return: the VM, without a reference, or %NULL at the end.
 */
struct hvmm_vm *hvmm_vm_next_alive(u32 *id);

/**
 * hvmm_vm_generation - changes whenever a VM is created or destroyed
 *
 * Context: any.
 * Return: the generation, never 0.
 */
u32 hvmm_vm_generation(void);

/**
 * hvmm_vm_objects - number of VMs that take memory
 *
 * Context: any.
 * Return: those that exist, and those that were destroyed but are still referenced.
 */
u32 hvmm_vm_objects(void);

void hvmm_vm_get(struct hvmm_vm *vm);
void hvmm_vm_put(struct hvmm_vm *vm);

/**
 * struct hvmm_vm_usage - what a VM holds on the host, bytes
 * @held: RAM that its file holds: @resident and @swapped
 * @resident: pages of the file in the page cache
 * @swapped: pages of the file in swap
 * @tables: nested page tables
 * @vcpus: vCPU state
 * @devices: console, channel, machine
 * @group: its part of the scheduler
 * @vm: the VM itself, its config, the bitmap of dirty pages
 * @kernel: sum of all but RAM
 * @total: @resident and @kernel, what it has of the host's memory; what its quota limits
 */
struct hvmm_vm_usage {
	u64 held;
	u64 resident;
	u64 swapped;
	u64 tables;
	u64 vcpus;
	u64 devices;
	u64 group;
	u64 vm;
	u64 kernel;
	u64 total;
};

/**
 * hvmm_vm_usage - what a VM holds
 * @vm: the VM
 * @usage: filled
 *
 * Context: any but interrupts.
 */
void hvmm_vm_usage(struct hvmm_vm *vm, struct hvmm_vm_usage *usage);

#endif
