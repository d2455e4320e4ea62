/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_MEM_TDP_H
#define HVMM_MEM_TDP_H

#include <linux/atomic.h>
#include <linux/bits.h>
#include <linux/gfp_types.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct folio;
struct mem_cgroup;
struct page;

/* 4 KiB pages under one 2 MiB leaf */
#define HVMM_TDP_LARGE_PAGES	512

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
 * @large: bit that makes a level 2 entry a 2 MiB leaf
 * @present: mask, an entry with none of these bits is not present
 */
struct hvmm_tdp_format {
	u64 table;
	u64 leaf;
	u64 leaf_write;
	u64 large;
	u64 present;
};

/**
 * struct hvmm_tdp - a nested page table (two-dimensional paging)
 * @format: the vendor's entry format; constant
 * @levels: 4 or 5; on SVM the host's CR4.LA57 decides (APM vol. 2, 15.25.5)
 * @root: kernel address of the root table
 * @memcg: charged for tables; belongs to the RAM that is mapped
 * @lock: changes to entries; lookups are lock-free. Tables below the root are
 *        only ever added, until hvmm_tdp_exit() frees them all
 * @seq: goes up when a range is no longer frozen
 * @frozen: first frame of the range that must not be mapped
 * @frozen_end: first frame behind it; @frozen if there is none
 * @tables: table pages held, the root included
 * @mapped: 4 KiB pages of RAM mapped (a 2 MiB leaf counts 512)
 * @large: 2 MiB leaves among them
 */
struct hvmm_tdp {
	const struct hvmm_tdp_format *format;
	int levels;
	u64 *root;
	struct mem_cgroup *memcg;
	spinlock_t lock; /* entries, and what is frozen */
	u64 seq;
	u64 frozen;
	u64 frozen_end;
	atomic64_t tables;
	atomic64_t mapped;
	atomic64_t large;
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

/**
 * hvmm_tdp_map - map one leaf
 * @tdp: the table
 * @gfn: guest frame; a multiple of %HVMM_TDP_LARGE_PAGES with @large
 * @page: host page, the first one of a 2 MiB folio with @large
 * @large: 2 MiB rather than 4 KiB
 * @seq: from hvmm_tdp_seq(), before @page was looked up
 * @gfp: for tables
 *
 * On success the leaf takes over the caller's reference on @page's folio.
 *
 * Context: preemption on; sleeps as @gfp says.
 * Return: 0, -EEXIST (a leaf is there already), -EISDIR (@large, and there is a
 * table of 4 KiB leaves), -ESTALE (@page may no longer be what belongs there), -ENOMEM.
 */
int hvmm_tdp_map(struct hvmm_tdp *tdp, u64 gfn, struct page *page, bool large, u64 seq,
		 gfp_t gfp);

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
 *
 * Context: any.
 * Return: how many; 0 if it is mapped. May get smaller at any time, not greater.
 */
unsigned int hvmm_tdp_missing(const struct hvmm_tdp *tdp, u64 gfn);

/**
 * hvmm_tdp_unmap - remove leaves that translate a range of frames
 * @tdp: the table
 * @gfn: in: first frame; out: where to go on, @end or beyond when all is done
 * @end: first frame behind the range
 * @drop: filled with the folios of removed leaves; the caller now holds their references
 * @max: size of @drop
 *
 * A 2 MiB leaf goes as a whole, even if the range covers only a part of it.
 *
 * Context: any but interrupts; takes &hvmm_tdp.lock for a bounded time.
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

#endif
