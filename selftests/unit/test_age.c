// SPDX-License-Identifier: GPL-2.0
/* Ages of a nested page table's leaves, with a processor that sets accessed bits. */
#include <stdlib.h>
#include <string.h>

#include <linux/gfp.h>
#include <linux/mem_encrypt.h>
#include <linux/mm.h>

#include "check.h"
#include "mem/age.h"
#include "mem/tdp.h"

#define FRAMES	2048

unsigned int check_failed;
unsigned int fake_fail_in;
long fake_pages;

static u8 *arena;
static struct page pages[FRAMES];

unsigned long get_zeroed_page(gfp_t gfp)
{
	void *page = aligned_alloc(4096, 4096);

	memset(page, 0, 4096);
	fake_pages++;
	return (unsigned long)page;
}

void free_page(unsigned long page)
{
	if (page)
		fake_pages--;
	free((void *)page);
}

unsigned long page_to_pfn(const struct page *page)
{
	return ((unsigned long)arena >> 12) + (page - pages);
}

struct folio *virt_to_folio(const void *va)
{
	return &pages[((const u8 *)va - arena) >> 12].folio;
}

void folio_put(struct folio *folio)
{
	folio->refs--;
}

void folio_put_refs(struct folio *folio, int refs)
{
	assert(0);
}

void folio_ref_add(struct folio *folio, int refs)
{
	assert(0);
}

static void map(struct hvmm_tdp *tdp, u64 gfn, bool large)
{
	pages[gfn].folio.refs++;
	CHECK_EQ(hvmm_tdp_map(tdp, gfn, &pages[gfn], large, true, tdp->seq,
			      GFP_KERNEL), 0);
}

/* The leaf itself, as the processor walks to it. */
static u64 *leaf(struct hvmm_tdp *tdp, u64 gfn)
{
	u64 *table = tdp->root, *slot;
	int level;

	for (level = tdp->levels;; level--) {
		slot = &table[hvmm_tdp_index(gfn, level)];
		if (level == 1 || (level == 2 && (*slot & tdp->format->large)))
			return slot;
		table = __va(__sme_clr(*slot & HVMM_TDP_ADDR));
	}
}

static void use(struct hvmm_tdp *tdp, u64 gfn)
{
	*leaf(tdp, gfn) |= tdp->format->accessed;
}

static void scan(struct hvmm_tdp *tdp, u64 *ages)
{
	u64 gfn = 0;

	memset(ages, 0, HVMM_AGES * sizeof(*ages));
	while (gfn < FRAMES)
		hvmm_tdp_age(tdp, &gfn, FRAMES, 7, ages);
}

static unsigned int cold(struct hvmm_tdp *tdp, enum hvmm_cold how, u64 *first)
{
	unsigned int sum = 0;
	u64 gfn = 0, nr;

	*first = ~0ULL;
	while (hvmm_tdp_find_cold(tdp, &gfn, FRAMES, how, &nr)) {
		if (!sum)
			*first = gfn;
		sum += nr;
		gfn += nr;
	}
	return sum;
}

static void begin(struct hvmm_tdp *tdp, const struct hvmm_tdp_format *format)
{
	memset(tdp, 0, sizeof(*tdp));
	hvmm_tdp_set_format(format, 4);
	CHECK_EQ(hvmm_tdp_init(tdp, NULL), 0);
	map(tdp, 3, false);
	map(tdp, 5, false);
	map(tdp, 1024, true);
}

static void end(struct hvmm_tdp *tdp)
{
	unsigned int i;

	hvmm_tdp_exit(tdp);
	CHECK_EQ(fake_pages, 0);
	for (i = 0; i < FRAMES; i++)
		CHECK_EQ(pages[i].folio.refs, 0);
}

static void test_ages(void)
{
	u64 ages[HVMM_AGES], first;
	struct hvmm_tdp tdp;
	unsigned int i;

	begin(&tdp, &hvmm_tdp_npt);
	/* New leaves are used ones. */
	scan(&tdp, ages);
	CHECK_EQ(ages[0], 514);
	use(&tdp, 5);
	scan(&tdp, ages);
	CHECK_EQ(ages[0], 1);
	CHECK_EQ(ages[1], 513);
	use(&tdp, 1024 + 100);
	scan(&tdp, ages);
	CHECK_EQ(ages[0], 512);
	CHECK_EQ(ages[1], 1);
	CHECK_EQ(ages[2], 1);
	for (i = 0; i < 2 * HVMM_AGES; i++)
		scan(&tdp, ages);
	/* The last age is "or more", and does not wrap. */
	CHECK_EQ(ages[HVMM_AGES - 1], 514);
	/* What they translate to is as it was. */
	CHECK(hvmm_tdp_lookup(&tdp, 3) == arena + 3 * 4096);
	CHECK(hvmm_tdp_lookup(&tdp, 1124) == arena + 1124 * 4096);
	CHECK_EQ(cold(&tdp, HVMM_COLD_OLD, &first), 514);
	CHECK_EQ(first, 3);
	end(&tdp);
}

static void test_cold(void)
{
	u64 ages[HVMM_AGES], first;
	struct hvmm_tdp tdp;

	begin(&tdp, &hvmm_tdp_npt);
	/* All used: one look clears, the next finds who was used since. */
	CHECK_EQ(cold(&tdp, HVMM_COLD_OLD, &first), 0);
	CHECK_EQ(cold(&tdp, HVMM_COLD_SINCE, &first), 0);
	CHECK_EQ(cold(&tdp, HVMM_COLD_UNUSED, &first), 0);
	use(&tdp, 3);
	CHECK_EQ(cold(&tdp, HVMM_COLD_SINCE, &first), 513);
	CHECK_EQ(first, 5);
	/* That the look cleared a bit is no reason to think the leaf unused. */
	CHECK_EQ(cold(&tdp, HVMM_COLD_UNUSED, &first), 0);
	scan(&tdp, ages);
	CHECK_EQ(ages[0], 514);
	/* From now on the scan knows. */
	CHECK_EQ(cold(&tdp, HVMM_COLD_UNUSED, &first), 514);
	CHECK_EQ(cold(&tdp, HVMM_COLD_OLD, &first), 0);
	scan(&tdp, ages);
	scan(&tdp, ages);
	use(&tdp, 3);
	CHECK_EQ(cold(&tdp, HVMM_COLD_OLD, &first), 513);
	CHECK_EQ(first, 5);
	CHECK_EQ(cold(&tdp, HVMM_COLD_ANY, &first), 514);
	end(&tdp);
}

static void test_no_accessed_bit(void)
{
	struct hvmm_tdp_format format = hvmm_tdp_npt;
	struct hvmm_tdp tdp;
	u64 first;

	format.accessed = 0;
	begin(&tdp, &format);
	CHECK_EQ(cold(&tdp, HVMM_COLD_OLD, &first), 0);
	CHECK_EQ(cold(&tdp, HVMM_COLD_UNUSED, &first), 0);
	CHECK_EQ(cold(&tdp, HVMM_COLD_SINCE, &first), 0);
	CHECK_EQ(cold(&tdp, HVMM_COLD_ANY, &first), 514);
	end(&tdp);
}

/* A part of a large leaf is the whole of it. */
static void test_inside_large(void)
{
	struct hvmm_tdp tdp;
	u64 gfn = 1100, nr;

	begin(&tdp, &hvmm_tdp_npt);
	CHECK(hvmm_tdp_find_cold(&tdp, &gfn, 1101, HVMM_COLD_ANY, &nr));
	CHECK_EQ(gfn, 1024);
	CHECK_EQ(nr, 512);
	end(&tdp);
}

int main(void)
{
	static const struct check_case cases[] = {
		{ "ages", test_ages },
		{ "who is cold", test_cold },
		{ "a format without an accessed bit", test_no_accessed_bit },
		{ "a look into a 2 MiB leaf", test_inside_large },
	};
	int status;

	arena = aligned_alloc(1 << 21, FRAMES * 4096UL);
	status = check_main(cases, ARRAY_SIZE(cases));
	free(arena);
	return status;
}
