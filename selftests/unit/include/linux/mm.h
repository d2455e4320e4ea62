/* SPDX-License-Identifier: GPL-2.0 */
/* Host memory of a test: an arena of pages, each with a count of references. */
#ifndef HVMM_UNIT_LINUX_MM_H
#define HVMM_UNIT_LINUX_MM_H

#include <linux/types.h>

#define PAGE_SHIFT	12
#define PAGE_SIZE	(1UL << PAGE_SHIFT)
#define PAGE_MASK	(~(PAGE_SIZE - 1))
#define offset_in_page(p)	((unsigned long)(p) & ~PAGE_MASK)

/* @pages: 0 is 1 */
struct folio {
	int refs;
	unsigned int pages;
};

struct page {
	struct folio folio;
};

#define __va(pa)	((void *)(unsigned long)(pa))
#define __pa(va)	((unsigned long)(va))

unsigned long page_to_pfn(const struct page *page);
struct folio *virt_to_folio(const void *va);
void folio_put(struct folio *folio);
void folio_put_refs(struct folio *folio, int refs);
void folio_ref_add(struct folio *folio, int refs);

static inline void folio_get(struct folio *folio)
{
	folio_ref_add(folio, 1);
}

static inline long folio_nr_pages(const struct folio *folio)
{
	return folio->pages ?: 1;
}

#endif
