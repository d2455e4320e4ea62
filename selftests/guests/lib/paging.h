/* SPDX-License-Identifier: GPL-2.0 */
/* The guest's own page tables: an identity map of 4 GiB that tests refine page by page. */
#ifndef GUEST_PAGING_H
#define GUEST_PAGING_H

#include "cpu.h"

#define PTE_P BIT(0)
#define PTE_W BIT(1)
#define PTE_U BIT(2)
#define PTE_PWT BIT(3)
#define PTE_PCD BIT(4)
#define PTE_A BIT(5)
#define PTE_D BIT(6)
#define PTE_PS BIT(7)
#define PTE_NX BIT(63)

#define PF_P BIT(0)
#define PF_W BIT(1)
#define PF_U BIT(2)
#define PF_RSVD BIT(3)
#define PF_I BIT(4)

/* The 4 KiB entry that maps va; tables are made and 2 MiB pages split on the way. */
u64 *pte_of(void *va);
void map_page(void *va, u64 pa, u64 flags);
/* Sets and clears bits of a page's entry and flushes it here. */
void pte_change(void *va, u64 set, u64 clear);
/* Address space nothing is mapped in, in whole pages. */
void *alloc_va(u32 pages);

#endif
