/* SPDX-License-Identifier: GPL-2.0 */
/* Host memory of a test: an arena of pages, each with a count of references. */
#ifndef HVMM_UNIT_LINUX_MM_H
#define HVMM_UNIT_LINUX_MM_H

#include <linux/types.h>

#define PAGE_SHIFT	12

struct folio {
	int refs;
};

struct page {
	struct folio folio;
};

#define __va(pa)	((void *)(unsigned long)(pa))
#define __pa(va)	((unsigned long)(va))

unsigned long page_to_pfn(const struct page *page);
struct folio *virt_to_folio(const void *va);
void folio_put(struct folio *folio);

#endif
