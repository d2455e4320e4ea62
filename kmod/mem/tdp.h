/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_MEM_TDP_H
#define HVMM_MEM_TDP_H

#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/bits.h>
#include <linux/cache.h>
#include <linux/gfp_types.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct folio;
struct mem_cgroup;
struct page;

/* 4 KiB pages under one 2 MiB leaf */
#define HVMM_TDP_LARGE_PAGES	512

/* Locks of a nested page table, a power of two. */
#define HVMM_TDP_LOCKS		16

/* Tables of level 2 that are found without a walk, a power of two. */
#define HVMM_TDP_RECENT		4

/* Tables that may wait for a flush at a time. */
#define HVMM_TDP_RETIRED	32

/* Bits of an entry that hold a physical address, in both vendors' formats. */
#define HVMM_TDP_ADDR		GENMASK_ULL(51, 12)

/**
 * hvmm_tdp_pages - 4 KiB pages that one entry of a level spans
 * @level: 1 is the lowest
 *
 * Context: any.
 */
static inline u64 hvmm_tdp_pages(int level)
{
	return 1ULL << (9 * (level - 1));
}

/**
 * hvmm_tdp_index - entry of a table that translates a guest frame
 * @gfn: guest frame number
 * @level: the table's level; 1 is the lowest
 *
 * Context: any.
 */
static inline unsigned int hvmm_tdp_index(u64 gfn, int level)
{
	return (gfn >> (9 * (level - 1))) & 511;
}

/**
 * hvmm_tdp_next - first guest frame behind the entry that translates another
 * @gfn: guest frame number
 * @level: the entry's level
 *
 * Context: any.
 */
static inline u64 hvmm_tdp_next(u64 gfn, int level)
{
	return (gfn | (hvmm_tdp_pages(level) - 1)) + 1;
}

/**
 * struct hvmm_tdp_format - how a vendor encodes nested page table entries
 * @table: bits of an entry that points to a table (present, writable, user...)
 * @leaf: bits of every leaf
 * @leaf_write: bits that make a leaf writable
 * @large: bit that makes a level 2 entry a 2 MiB leaf; 0 if there may be none
 * @present: mask, an entry with none of these bits is not present
 * @accessed: bit of a leaf that the processor sets on use; 0 if it does not
 */
struct hvmm_tdp_format {
	u64 table;
	u64 leaf;
	u64 leaf_write;
	u64 large;
	u64 present;
	u64 accessed;
};

/**
 * struct hvmm_tdp_lock - a lock, in a cache line of its own
 * @lock: entries of regions (see struct hvmm_tdp)
 */
struct hvmm_tdp_lock {
	spinlock_t lock; /* entries of level 2 and 1 of its regions */
} ____cacheline_aligned_in_smp;

/**
 * struct hvmm_tdp - a nested page table (two-dimensional paging)
 * @format: the vendor's entry format; constant
 * @levels: 4 or 5
 * @root: kernel address of the root table
 * @recent: where tables of level 2 are, see mem/tdp_priv.h
 * @memcg: charged for tables; belongs to the RAM that is mapped
 * @locks: changes of entries. A region is the 2 MiB that an entry of level 2 spans: that entry
 *         and the table behind it are guarded by one of the locks, which only one region in
 *         %HVMM_TDP_LOCKS has in common with it. Entries of higher levels are set once, by a
 *         compare-and-exchange, and their tables live until hvmm_tdp_exit(). Lookups are
 *         lock-free
 * @seq: goes up when a range is no longer frozen
 * @frozen: first frame of the range that must not be mapped
 * @frozen_end: first frame behind it; 0 if there is none
 * @dirty: a bit for each frame that may have been written, while that is tracked, else %NULL;
 *         changes are seen by all who take a lock of @locks, or enter an RCU section, later
 * @retire: the two below
 * @retired: tables that have been replaced by 2 MiB leaves, and may still be in use
 * @nr_retired: their number
 * @tables: table pages held, the root included
 * @mapped: 4 KiB pages of RAM mapped (a 2 MiB leaf counts 512)
 * @large: 2 MiB leaves among them
 */
struct hvmm_tdp {
	const struct hvmm_tdp_format *format;
	int levels;
	u64 *root;
	u64 recent[HVMM_TDP_RECENT];
	struct mem_cgroup *memcg;
	u64 seq;
	u64 frozen;
	u64 frozen_end;
	unsigned long *dirty;
	spinlock_t retire; /* retired tables */
	u64 *retired[HVMM_TDP_RETIRED];
	unsigned int nr_retired;
	atomic64_t tables;
	atomic64_t mapped;
	atomic64_t large;
	struct hvmm_tdp_lock locks[HVMM_TDP_LOCKS];
};

/**
 * hvmm_tdp_set_format - set the format that new tables use
 * @format: entry format, constant for the life of the module
 * @levels: 4 or 5
 *
 * Context: module init.
 */
void hvmm_tdp_set_format(const struct hvmm_tdp_format *format, int levels);

/* Nested paging of SVM: long-mode page tables, every access a user access (APM vol. 2, 15.25.5). */
extern const struct hvmm_tdp_format hvmm_tdp_npt;

/* Extended page tables (SDM vol. 3, 29.3.2). */
extern const struct hvmm_tdp_format hvmm_tdp_ept;

/**
 * hvmm_tdp_init - allocate an empty nested page table
 * @tdp: filled
 * @memcg: memory cgroup to charge tables to; the caller keeps the reference
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int hvmm_tdp_init(struct hvmm_tdp *tdp, struct mem_cgroup *memcg);

/**
 * hvmm_tdp_exit - drop all leaves and tables; no vCPU and no lookup uses them any more
 * @tdp: the table
 *
 * Context: may sleep.
 */
void hvmm_tdp_exit(struct hvmm_tdp *tdp);

/* Not to be called themselves. */
int hvmm_tdp_map_page(struct hvmm_tdp *tdp, u64 gfn, struct page *page, bool write, u64 seq,
		      gfp_t gfp);
int hvmm_tdp_map_huge(struct hvmm_tdp *tdp, u64 gfn, struct page *page, bool write, u64 seq,
		      gfp_t gfp);

/**
 * hvmm_tdp_map - map one leaf
 * @tdp: the table
 * @gfn: guest frame; a multiple of %HVMM_TDP_LARGE_PAGES with @large
 * @page: host page, the first one of a 2 MiB folio with @large
 * @large: 2 MiB rather than 4 KiB
 * @write: the access that faulted is a write
 * @seq: from hvmm_tdp_seq(), before @page was looked up
 * @gfp: for tables
 *
 * On success the leaf takes over the caller's reference on @page's folio. It is writable; while
 * dirty frames are tracked only with @write, which makes the frame dirty, and only 4 KiB are
 * mapped. A leaf that is there becomes writable with @write; one of 2 MiB is split for that
 * while dirty frames are tracked. A table that has only parts of the very folio is replaced by
 * a 2 MiB leaf.
 *
 * Context: preemption on; sleeps as @gfp says.
 * Return: 0, -EEXIST (a leaf is there already, and allows the access), -EISDIR (@large, and it
 * takes 4 KiB leaves), -ESTALE (@page may no longer be what belongs there), -ENOMEM.
 */
static inline int hvmm_tdp_map(struct hvmm_tdp *tdp, u64 gfn, struct page *page, bool large,
			       bool write, u64 seq, gfp_t gfp)
{
	return large ? hvmm_tdp_map_huge(tdp, gfn, page, write, seq, gfp) :
		       hvmm_tdp_map_page(tdp, gfn, page, write, seq, gfp);
}

/**
 * hvmm_tdp_seq - begin to look up a page that is to be mapped
 * @tdp: the table
 *
 * Context: any.
 * Return: for hvmm_tdp_map(), which fails if pages have been replaced since.
 */
static inline u64 hvmm_tdp_seq(const struct hvmm_tdp *tdp)
{
	/* Pairs with hvmm_tdp_thaw(): the page is looked up later. */
	return smp_load_acquire(&tdp->seq);
}

/**
 * hvmm_tdp_freeze - let nobody map a range of frames until hvmm_tdp_thaw()
 * @tdp: the table; no other range is frozen
 * @gfn: first frame
 * @end: first frame behind the range
 *
 * What is mapped stays until hvmm_tdp_unmap(). Then nothing of the range is mapped, and
 * what is behind it may be replaced: whoever has looked it up before, or meanwhile, cannot
 * map what it has found.
 *
 * Context: any but interrupts.
 */
void hvmm_tdp_freeze(struct hvmm_tdp *tdp, u64 gfn, u64 end);
void hvmm_tdp_thaw(struct hvmm_tdp *tdp);

/**
 * hvmm_tdp_missing - tables to be added before a frame can be mapped with a 4 KiB leaf
 * @tdp: the table
 * @gfn: guest frame number
 * @write: for a write
 *
 * Context: any.
 * Return: how many; 0 if it is mapped. May get smaller at any time; greater only when tracking
 * of dirty frames begins, or a table is replaced by a 2 MiB leaf that is removed.
 */
unsigned int hvmm_tdp_missing(const struct hvmm_tdp *tdp, u64 gfn, bool write);

/**
 * hvmm_tdp_unmap - remove leaves that translate a range of frames
 * @tdp: the table
 * @gfn: in: first frame; out: where to go on, @end or beyond when all is done
 * @end: first frame behind the range
 * @drop: filled with the folios of removed leaves; the caller now holds their references
 * @max: size of @drop
 *
 * A 2 MiB leaf goes as a whole, even if the range covers only a part of it: were it split, the
 * references of what stays would keep the host from splitting the folio, and so from taking back
 * the part.
 *
 * Context: any but interrupts; takes &hvmm_tdp.locks, one after another.
 * Return: number of leaves removed.
 */
unsigned int hvmm_tdp_unmap(struct hvmm_tdp *tdp, u64 *gfn, u64 end, struct folio **drop,
			    unsigned int max);

/**
 * hvmm_tdp_lookup - where a guest frame is mapped
 * @tdp: the table
 * @gfn: guest frame number
 *
 * Context: any; under rcu_read_lock() for as long as the page is used.
 * Return: kernel address of the 4 KiB page, or %NULL.
 */
void *hvmm_tdp_lookup(const struct hvmm_tdp *tdp, u64 gfn);

/**
 * hvmm_tdp_take_retired - tables to be freed once nobody uses them
 * @tdp: the table
 * @tables: filled
 *
 * Context: any but interrupts.
 * Return: their number. The caller flushes TLBs, waits for a grace period and hands them to
 * hvmm_tdp_free_retired().
 */
unsigned int hvmm_tdp_take_retired(struct hvmm_tdp *tdp, u64 *tables[HVMM_TDP_RETIRED]);

void hvmm_tdp_free_retired(struct hvmm_tdp *tdp, u64 **tables, unsigned int nr);

/**
 * hvmm_tdp_track - begin or end to track dirty frames
 * @tdp: the table
 * @dirty: bitmap with a bit for each frame, all clear; or %NULL to end
 *
 * On return every frame that hvmm_tdp_map() makes writable becomes dirty. Leaves that are
 * writable are for hvmm_tdp_protect(). Who writes himself calls hvmm_tdp_wrote(). The bitmap
 * that was there before may be freed after a grace period.
 *
 * Context: any but interrupts.
 */
void hvmm_tdp_track(struct hvmm_tdp *tdp, unsigned long *dirty);

/**
 * hvmm_tdp_protect - make leaves of a range read-only
 * @tdp: the table; dirty frames are tracked
 * @gfn: in: first frame; out: where to go on, @end or beyond when all is done
 * @end: first frame behind the range
 *
 * The caller flushes TLBs.
 *
 * Context: any but interrupts; for a bounded time.
 */
void hvmm_tdp_protect(struct hvmm_tdp *tdp, u64 *gfn, u64 end);

/**
 * hvmm_tdp_release - make leaves of a range writable, and 2 MiB of them where they are a folio
 * @tdp: the table; dirty frames are tracked no longer
 * @gfn: in: first frame; out: where to go on, @end or beyond when all is done
 * @end: first frame behind the range
 *
 * Context: any but interrupts; for a bounded time. Stops early when tables that were retired
 * must be taken and freed before it can go on.
 */
void hvmm_tdp_release(struct hvmm_tdp *tdp, u64 *gfn, u64 end);

/**
 * hvmm_tdp_harvest - take dirty frames of a range, and make them read-only
 * @tdp: the table; dirty frames are tracked
 * @gfn: first frame, a multiple of 64
 * @nr: number of frames
 * @bits: filled: a bit for each frame
 *
 * The caller flushes TLBs before it looks at the frames.
 *
 * Context: any but interrupts.
 * Return: number of bits set.
 */
u64 hvmm_tdp_harvest(struct hvmm_tdp *tdp, u64 gfn, u64 nr, unsigned long *bits);

/**
 * hvmm_tdp_wrote - the kernel has written to a frame, or has replaced it
 * @tdp: the table
 * @gfn: the frame
 *
 * Context: any, in the RCU section in which it has been written.
 */
static inline void hvmm_tdp_wrote(struct hvmm_tdp *tdp, u64 gfn)
{
	unsigned long *dirty = READ_ONCE(tdp->dirty);

	/* Atomic, and behind the write: who finds the bit finds what was written. */
	if (unlikely(dirty))
		set_bit(gfn, dirty);
}

#endif
