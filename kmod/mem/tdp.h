/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVMM_MEM_TDP_H
#define HVMM_MEM_TDP_H

#include <linux/atomic.h>
#include <linux/spinlock.h>
#include <linux/types.h>

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
 * @lock: changes to entries; lookups are lock-free
 * @tables: table pages held, the root included
 * @mapped: 4 KiB pages of RAM mapped (a 2 MiB leaf counts 512)
 * @large: 2 MiB leaves among them
 */
struct hvmm_tdp {
	const struct hvmm_tdp_format *format;
	int levels;
	u64 *root;
	spinlock_t lock;
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

#endif
