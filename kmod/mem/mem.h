/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_MEM_MEM_H
#define HVMM_MEM_MEM_H

#include <linux/atomic.h>
#include <linux/mutex.h>
#include <linux/types.h>

#include "mem/idle.h"
#include "mem/quota.h"
#include "mem/ram.h"
#include "mem/reclaim.h"
#include "mem/tdp.h"

struct hvmm_mem;
struct netlink_ext_ack;

/* Longest write that hvmm_mem_write() takes. */
#define HVMM_MEM_WRITE_MAX	4096

/**
 * struct hvmm_mem_ops - what memory needs from the VM above it
 * @flush: on return no vCPU uses nested translations that were in place when
 *         the call began; may sleep
 * @flush_soon: no vCPU uses them after its next exit, for which nobody waits; any context
 * @overhead: kernel memory that the VM takes beside RAM and nested page tables, bytes;
 *            called with a spinlock held
 * @starves: somebody waits at mem-max, and nothing could be given back; may sleep
 */
struct hvmm_mem_ops {
	void (*flush)(struct hvmm_mem *mem);
	void (*flush_soon)(struct hvmm_mem *mem);
	u64 (*overhead)(struct hvmm_mem *mem);
	void (*starves)(struct hvmm_mem *mem);
};

/**
 * struct hvmm_mem - a VM's guest-physical memory
 * @ops: the VM's side
 * @ram: backing file and layout
 * @tdp: nested page table
 * @tlb_gen: goes up when a nested translation was removed or narrowed: what was remembered of
 *           the page there does not hold any more, see x86/walked.h
 * @quota: what the VM may hold
 * @discard: held while pages are being given back; one range at a time
 * @reclaim: see mem/reclaim.h
 * @idle: see mem/idle.h
 * @dirty_lock: held while tracking of dirty frames begins, ends, or frames are taken
 * @dirty_owner: who tracks dirty frames, see mem/dirty.c; or %NULL
 */
struct hvmm_mem {
	const struct hvmm_mem_ops *ops;
	struct hvmm_ram ram;
	struct hvmm_tdp tdp;
	atomic64_t tlb_gen;
	struct hvmm_mem_quota quota;
	struct mutex discard; /* one range at a time */
	struct hvmm_reclaim reclaim;
	struct hvmm_idle idle;
	struct mutex dirty_lock; /* dirty_owner, and its work */
	const void *dirty_owner;
};

/**
 * hvmm_mem_init - set up a VM's memory
 * @mem: the memory, zeroed
 * @ops: the VM's side
 * @file: sealed memfd; a reference is taken
 * @size: bytes of RAM, a multiple of 4 KiB
 * @extack: the reason of a refusal, may be %NULL
 *
 * Context: may sleep.
 * Return: 0, -EINVAL (not a memfd, not sealed against shrinking, too small), -EPERM
 * (sealed against writing), -ENOMEM.
 */
int hvmm_mem_init(struct hvmm_mem *mem, const struct hvmm_mem_ops *ops, struct file *file,
		  u64 size, struct netlink_ext_ack *extack);

/**
 * hvmm_mem_exit - give everything back; no vCPU runs any more
 * @mem: the memory
 *
 * Context: may sleep.
 */
void hvmm_mem_exit(struct hvmm_mem *mem);

/**
 * hvmm_mem_fault - map a page of RAM
 * @mem: the memory
 * @gfn: guest frame number
 * @write: the access is a write
 * @wait: whoever needs it, if sleeping for memory or I/O is allowed; else %NULL
 *
 * Maps 2 MiB where the file's folio allows it, else 4 KiB; see hvmm_tdp_map(). A page
 * that another vCPU has mapped meanwhile is no error.
 *
 * A page that the file does not hold, and nested page tables to be added, must fit into
 * the VM's quota: 2 MiB where the host may give a huge page. A page that is discarded while it
 * is read back from swap may be taken without having been counted; the quota is over by that
 * until the next fault.
 *
 * Context: preemption on, FPU section ended (shmem takes sleeping locks even
 * when they are free); sleeps for memory only with @wait.
 * Return: 0 (mapped), -EFAULT (no RAM there, or a page with a hardware memory error), -EAGAIN
 * (would block: call again with @wait; with it: call again), -EIO (swap device). Only with @wait,
 * which then waits: -EDQUOT (quota), -ENOMEM (host; call again after some time even if it is not
 * woken).
 */
int hvmm_mem_fault(struct hvmm_mem *mem, u64 gfn, bool write, struct hvmm_mem_wait *wait);

/**
 * hvmm_mem_fault_hole - map a page of RAM that the file does not have, most likely
 * @mem: the memory
 * @gfn: guest frame number
 * @write: the access is a write
 *
 * The shortest way to do what hvmm_mem_fault() does, if nothing has to be waited for.
 *
 * Context: as hvmm_mem_fault().
 * Return: whether a page that the file did not have is mapped now; if not, hvmm_mem_fault() must
 * see to it.
 */
bool hvmm_mem_fault_hole(struct hvmm_mem *mem, u64 gfn, bool write);

/**
 * hvmm_mem_fault_present - map a page of RAM that the host has in memory
 * @mem: the memory
 * @gfn: guest frame number
 * @write: whether the access was a write
 *
 * Context: preemption may be off; never sleeps.
 * Return: 0 if it is mapped now; -ENOENT (the file has no page there) or -EAGAIN if
 * hvmm_mem_fault() must see to it.
 */
int hvmm_mem_fault_present(struct hvmm_mem *mem, u64 gfn, bool write);

/**
 * hvmm_mem_unmap - remove nested mappings and wait until no vCPU uses them
 * @mem: the memory
 * @gfn: first frame
 * @nr: number of frames
 *
 * The pages stay in the file: the next access faults and finds the same data. A
 * 2 MiB mapping is removed as a whole, even if the range covers only a part of it.
 *
 * Context: may sleep.
 */
void hvmm_mem_unmap(struct hvmm_mem *mem, u64 gfn, u64 nr);

/**
 * hvmm_mem_flush - wait until nobody uses nested translations that have gone
 * @mem: the memory
 *
 * Neither a vCPU, nor the kernel's own copies; frees tables that have been replaced.
 *
 * Context: may sleep.
 */
void hvmm_mem_flush(struct hvmm_mem *mem);

/**
 * hvmm_mem_is_ram_range - whether frames are RAM, all in the same of its two parts
 * @mem: the memory
 * @gfn: first frame
 * @nr: number of frames
 *
 * Context: any.
 */
bool hvmm_mem_is_ram_range(const struct hvmm_mem *mem, u64 gfn, u64 nr);

/**
 * hvmm_mem_discard - give pages of RAM back to the host
 * @mem: the memory
 * @gfn: first frame
 * @nr: number of frames; all of them RAM
 *
 * On return they read as zeros unless somebody has written to them since the call
 * began; no vCPU uses a page that they had. A huge page that something else holds is
 * cleared, but not given back. Whoever waits for memory of this VM looks again.
 *
 * Context: may sleep. A long range is done in parts: a guest's access to the part in
 * progress waits for its end, no more.
 * Return: 0; -EFAULT (not RAM; nothing has been done), -EPERM (the file is sealed against
 * writing from now on); -EINTR (a signal; a part may have been done).
 */
int hvmm_mem_discard(struct hvmm_mem *mem, u64 gfn, u64 nr);

/**
 * hvmm_mem_read - copy from guest RAM
 * @mem: the memory
 * @gpa: guest physical address
 * @buf: destination
 * @len: bytes, may cross pages
 * @missing_gfn: set with -EAGAIN
 *
 * An aligned access of 1, 2, 4 or 8 bytes is a single one.
 *
 * Context: any; never sleeps.
 * Return: 0, -EFAULT (not RAM), -EAGAIN (a page is not mapped: bring it in with
 * hvmm_mem_fault() and do the whole again; *@missing_gfn names it).
 */
int hvmm_mem_read(struct hvmm_mem *mem, u64 gpa, void *buf, unsigned int len,
		  u64 *missing_gfn);

/**
 * hvmm_mem_write - copy to guest RAM
 * @mem: the memory
 * @gpa: guest physical address
 * @buf: source
 * @len: bytes, may cross pages, at most %HVMM_MEM_WRITE_MAX; either all or nothing is written
 * @missing_gfn: set with -EAGAIN
 *
 * An aligned access of 1, 2, 4 or 8 bytes is a single one.
 *
 * Context: any; never sleeps.
 * Return: as hvmm_mem_read(); -EINVAL if @len is too large.
 */
int hvmm_mem_write(struct hvmm_mem *mem, u64 gpa, const void *buf, unsigned int len,
		   u64 *missing_gfn);

/**
 * hvmm_mem_cmpxchg - compare and exchange in guest RAM, atomic towards other vCPUs
 * @mem: the memory
 * @gpa: guest physical address; the access does not cross a page
 * @old: expected value; receives the value found
 * @new: value to be stored
 * @len: 1, 2, 4, 8 (aligned or not; an unaligned one is still one locked access) or 16 (aligned)
 * @missing_gfn: set with -EAGAIN
 *
 * On a host that traps split locks an access that crosses a cache line is not
 * atomic: a locked access would be a fatal #AC in the kernel (SDM vol. 3, 9.1.2.3).
 *
 * Context: any; never sleeps.
 * Return: 0 (stored), 1 (differed, *@old updated), -EINVAL (@len, page crossed, 16 bytes
 * not aligned or no CMPXCHG16B), or as hvmm_mem_read().
 */
int hvmm_mem_cmpxchg(struct hvmm_mem *mem, u64 gpa, void *old, const void *new,
		     unsigned int len, u64 *missing_gfn);

/**
 * hvmm_mem_is_ram - whether a guest frame is RAM
 * @mem: the memory
 * @gfn: guest frame number
 *
 * Context: any.
 */
static inline bool hvmm_mem_is_ram(const struct hvmm_mem *mem, u64 gfn)
{
	return hvmm_ram_index(&mem->ram, gfn, NULL);
}

/**
 * hvmm_mem_table_bytes - kernel memory that nested page tables take
 * @mem: the memory
 *
 * Context: any.
 */
static inline u64 hvmm_mem_table_bytes(const struct hvmm_mem *mem)
{
	return (u64)atomic64_read(&mem->tdp.tables) << 12;
}

/**
 * hvmm_mem_mapped_bytes - RAM that is mapped in the nested page table
 * @mem: the memory
 *
 * What the host holds for the VM may be more: pages that only userspace touched
 * are in the file but not mapped.
 *
 * Context: any.
 */
static inline u64 hvmm_mem_mapped_bytes(const struct hvmm_mem *mem)
{
	return (u64)atomic64_read(&mem->tdp.mapped) << 12;
}

#endif
