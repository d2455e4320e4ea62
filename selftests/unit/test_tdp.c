// SPDX-License-Identifier: GPL-2.0
/* The nested page table: leaves, references, tables, failures, a random comparison. */
#include <stdlib.h>
#include <string.h>

#include <linux/gfp.h>
#include <linux/mm.h>

#include "check.h"
#include "mem/tdp.h"
#include "rng.h"

#define ARENA_PAGES	2048

unsigned int check_failed;
unsigned int fake_fail_in;
long fake_pages;

static u8 *arena;
static struct page pages[ARENA_PAGES];
/* Large folios: the page that counts for others. */
static unsigned int head[ARENA_PAGES];

unsigned long get_zeroed_page(gfp_t gfp)
{
	void *page;

	CHECK(gfp & __GFP_ACCOUNT);
	if (fake_fails())
		return 0;
	page = aligned_alloc(4096, 4096);
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
	unsigned long i = ((const u8 *)va - arena) >> 12;

	assert(i < ARENA_PAGES);
	return &pages[head[i]].folio;
}

void folio_put(struct folio *folio)
{
	assert(folio->refs > 0);
	folio->refs--;
}

static struct page *get(unsigned int i)
{
	pages[head[i]].folio.refs++;
	return &pages[i];
}

static void *va(unsigned int i)
{
	return arena + i * 4096UL;
}

static int refs(void)
{
	int i, sum = 0;

	for (i = 0; i < ARENA_PAGES; i++)
		sum += pages[i].folio.refs;
	return sum;
}

static void tdp_new(struct hvmm_tdp *tdp, int levels)
{
	memset(tdp, 0, sizeof(*tdp));
	hvmm_tdp_set_format(&hvmm_tdp_npt, levels);
	CHECK_EQ(hvmm_tdp_init(tdp, NULL), 0);
	CHECK_EQ(fake_pages, 1);
}

/* hvmm_tdp_exit() itself asserts that its counts have come to zero. */
static void tdp_end(struct hvmm_tdp *tdp)
{
	hvmm_tdp_exit(tdp);
	CHECK_EQ(fake_pages, 0);
	CHECK_EQ(refs(), 0);
}

static unsigned int unmap(struct hvmm_tdp *tdp, u64 gfn, u64 end)
{
	struct folio *drop[8];
	unsigned int i, n, sum = 0;

	while (gfn < end) {
		n = hvmm_tdp_unmap(tdp, &gfn, end, drop, 8);
		for (i = 0; i < n; i++)
			folio_put(drop[i]);
		sum += n;
	}
	return sum;
}

static void test_arithmetic(void)
{
	CHECK_EQ(hvmm_tdp_pages(1), 1);
	CHECK_EQ(hvmm_tdp_pages(2), 512);
	CHECK_EQ(hvmm_tdp_pages(3), 1ULL << 18);
	CHECK_EQ(hvmm_tdp_index(0x12345, 1), 0x145);
	CHECK_EQ(hvmm_tdp_index(0x12345, 2), 0x91);
	CHECK_EQ(hvmm_tdp_index(1ULL << 36, 5), 1);
	CHECK_EQ(hvmm_tdp_index(511ULL << 27, 4), 511);
	CHECK_EQ(hvmm_tdp_next(5, 1), 6);
	CHECK_EQ(hvmm_tdp_next(5, 2), 512);
	CHECK_EQ(hvmm_tdp_next(512, 2), 1024);
	CHECK_EQ(hvmm_tdp_next(1, 4), 1ULL << 27);
}

static void test_missing(void)
{
	struct hvmm_tdp tdp;

	tdp_new(&tdp, 4);
	CHECK_EQ(hvmm_tdp_missing(&tdp, 7), 3);
	CHECK_EQ(hvmm_tdp_map(&tdp, 0, get(3), false, tdp.seq, GFP_KERNEL), 0);
	CHECK_EQ(hvmm_tdp_missing(&tdp, 0), 0);
	CHECK_EQ(hvmm_tdp_missing(&tdp, 7), 0);
	CHECK_EQ(hvmm_tdp_missing(&tdp, 512), 1);
	CHECK_EQ(hvmm_tdp_missing(&tdp, 1 << 18), 2);
	CHECK_EQ(hvmm_tdp_missing(&tdp, 1ULL << 27), 3);
	/* As many as are then added. */
	CHECK_EQ(hvmm_tdp_map(&tdp, 1 << 18, get(4), false, tdp.seq, GFP_KERNEL), 0);
	CHECK_EQ(fake_pages, 6);
	CHECK_EQ(hvmm_tdp_map(&tdp, 1024, get(512), true, tdp.seq, GFP_KERNEL), 0);
	CHECK_EQ(hvmm_tdp_missing(&tdp, 1025), 0);
	tdp_end(&tdp);
}

static void test_frozen(void)
{
	struct hvmm_tdp tdp;
	u64 before, during;

	tdp_new(&tdp, 4);
	before = hvmm_tdp_seq(&tdp);
	CHECK_EQ(hvmm_tdp_map(&tdp, 10, get(1), false, before, GFP_KERNEL), 0);
	hvmm_tdp_freeze(&tdp, 10, 12);
	/* What is mapped stays until it is unmapped; nothing new comes. */
	CHECK(hvmm_tdp_lookup(&tdp, 10) == va(1));
	CHECK_EQ(unmap(&tdp, 10, 12), 1);
	during = hvmm_tdp_seq(&tdp);
	CHECK_EQ(-hvmm_tdp_map(&tdp, 10, get(1), false, during, GFP_KERNEL), ESTALE);
	CHECK_EQ(-hvmm_tdp_map(&tdp, 11, get(1), false, during, GFP_KERNEL), ESTALE);
	CHECK_EQ(-hvmm_tdp_map(&tdp, 0, get(512), true, during, GFP_KERNEL), ESTALE);
	CHECK_EQ(hvmm_tdp_map(&tdp, 9, get(2), false, during, GFP_KERNEL), 0);
	CHECK_EQ(hvmm_tdp_map(&tdp, 12, get(3), false, during, GFP_KERNEL), 0);
	hvmm_tdp_thaw(&tdp);
	/* Found before the end: it may be what was replaced. */
	CHECK_EQ(-hvmm_tdp_map(&tdp, 10, get(1), false, before, GFP_KERNEL), ESTALE);
	CHECK_EQ(-hvmm_tdp_map(&tdp, 10, get(1), false, during, GFP_KERNEL), ESTALE);
	CHECK(!hvmm_tdp_lookup(&tdp, 10));
	CHECK_EQ(hvmm_tdp_map(&tdp, 10, get(4), false, hvmm_tdp_seq(&tdp), GFP_KERNEL), 0);
	/* The four that were refused. */
	folio_put(virt_to_folio(va(1)));
	folio_put(virt_to_folio(va(1)));
	folio_put(virt_to_folio(va(1)));
	folio_put(virt_to_folio(va(1)));
	folio_put(virt_to_folio(va(512)));

	/* A 2 MiB leaf that a frozen page lies in. */
	hvmm_tdp_freeze(&tdp, 1030, 1031);
	CHECK_EQ(-hvmm_tdp_map(&tdp, 1024, get(512), true, hvmm_tdp_seq(&tdp), GFP_KERNEL),
		 ESTALE);
	folio_put(virt_to_folio(va(512)));
	CHECK_EQ(hvmm_tdp_map(&tdp, 1536, get(512), true, hvmm_tdp_seq(&tdp), GFP_KERNEL), 0);
	hvmm_tdp_thaw(&tdp);
	tdp_end(&tdp);
}

static void test_small(void)
{
	struct hvmm_tdp tdp;

	tdp_new(&tdp, 4);
	CHECK(!hvmm_tdp_lookup(&tdp, 0));
	CHECK_EQ(hvmm_tdp_map(&tdp, 0, get(3), false, tdp.seq, GFP_KERNEL), 0);
	CHECK_EQ(fake_pages, 4);
	CHECK_EQ(tdp.tables.counter, 4);
	CHECK_EQ(tdp.mapped.counter, 1);
	CHECK(hvmm_tdp_lookup(&tdp, 0) == va(3));
	CHECK(!hvmm_tdp_lookup(&tdp, 1));
	CHECK_EQ(-hvmm_tdp_map(&tdp, 0, get(4), false, tdp.seq, GFP_KERNEL), EEXIST);
	folio_put(virt_to_folio(va(4)));
	CHECK(hvmm_tdp_lookup(&tdp, 0) == va(3));

	/* The highest frame there is, and what would alias frame 0 above it. */
	CHECK_EQ(hvmm_tdp_map(&tdp, (1ULL << 36) - 1, get(5), false, tdp.seq, GFP_KERNEL), 0);
	CHECK(hvmm_tdp_lookup(&tdp, (1ULL << 36) - 1) == va(5));
	CHECK(!hvmm_tdp_lookup(&tdp, 1ULL << 36));
	CHECK(!hvmm_tdp_lookup(&tdp, 1ULL << 63));
	CHECK_EQ(fake_pages, 7);

	CHECK_EQ(unmap(&tdp, 1, 1ULL << 20), 0);
	CHECK_EQ(unmap(&tdp, 0, 1), 1);
	CHECK(!hvmm_tdp_lookup(&tdp, 0));
	CHECK_EQ(refs(), 1);
	CHECK_EQ(unmap(&tdp, 0, ~0ULL), 1);
	CHECK_EQ(tdp.mapped.counter, 0);
	CHECK_EQ(hvmm_tdp_map(&tdp, 0, get(6), false, tdp.seq, GFP_KERNEL), 0);
	tdp_end(&tdp);
}

static void test_five_levels(void)
{
	struct hvmm_tdp tdp;

	tdp_new(&tdp, 5);
	CHECK_EQ(hvmm_tdp_map(&tdp, 0, get(1), false, tdp.seq, GFP_KERNEL), 0);
	CHECK_EQ(hvmm_tdp_map(&tdp, 1ULL << 36, get(2), false, tdp.seq, GFP_KERNEL), 0);
	CHECK_EQ(fake_pages, 9);
	CHECK(hvmm_tdp_lookup(&tdp, 0) == va(1));
	CHECK(hvmm_tdp_lookup(&tdp, 1ULL << 36) == va(2));
	CHECK(!hvmm_tdp_lookup(&tdp, 1ULL << 45));
	CHECK_EQ(unmap(&tdp, 1, ~0ULL), 1);
	CHECK(hvmm_tdp_lookup(&tdp, 0) == va(1));
	tdp_end(&tdp);
}

static void test_large(void)
{
	struct hvmm_tdp tdp;
	unsigned int i;

	for (i = 512; i < 1024; i++)
		head[i] = 512;

	tdp_new(&tdp, 4);
	CHECK_EQ(hvmm_tdp_map(&tdp, 1024, get(512), true, tdp.seq, GFP_KERNEL), 0);
	CHECK_EQ(fake_pages, 3);
	CHECK_EQ(tdp.mapped.counter, 512);
	CHECK_EQ(tdp.large.counter, 1);
	CHECK(hvmm_tdp_lookup(&tdp, 1024) == va(512));
	CHECK(hvmm_tdp_lookup(&tdp, 1024 + 77) == va(512 + 77));
	CHECK(!hvmm_tdp_lookup(&tdp, 1023));
	CHECK(!hvmm_tdp_lookup(&tdp, 1536));
	CHECK_EQ(-hvmm_tdp_map(&tdp, 1024, get(512), true, tdp.seq, GFP_KERNEL), EEXIST);
	folio_put(virt_to_folio(va(512)));
	CHECK_EQ(-hvmm_tdp_map(&tdp, 1030, get(7), false, tdp.seq, GFP_KERNEL), EEXIST);
	folio_put(virt_to_folio(va(7)));

	/* Over a table of small leaves, an empty one too. */
	CHECK_EQ(hvmm_tdp_map(&tdp, 5, get(8), false, tdp.seq, GFP_KERNEL), 0);
	CHECK_EQ(-hvmm_tdp_map(&tdp, 0, get(512), true, tdp.seq, GFP_KERNEL), EISDIR);
	CHECK_EQ(unmap(&tdp, 5, 6), 1);
	CHECK_EQ(-hvmm_tdp_map(&tdp, 0, get(512), true, tdp.seq, GFP_KERNEL), EISDIR);
	folio_put(virt_to_folio(va(512)));
	folio_put(virt_to_folio(va(512)));

	/* One frame of it takes the whole. */
	CHECK_EQ(unmap(&tdp, 1535, 1536), 1);
	CHECK(!hvmm_tdp_lookup(&tdp, 1024));
	CHECK_EQ(tdp.mapped.counter, 0);
	CHECK_EQ(tdp.large.counter, 0);
	CHECK_EQ(hvmm_tdp_map(&tdp, 1024, get(600), false, tdp.seq, GFP_KERNEL), 0);
	CHECK_EQ(pages[512].folio.refs, 1);
	tdp_end(&tdp);

	for (i = 512; i < 1024; i++)
		head[i] = i;
}

static void test_no_memory(void)
{
	struct hvmm_tdp tdp;
	unsigned int i;

	hvmm_tdp_set_format(&hvmm_tdp_npt, 4);
	memset(&tdp, 0, sizeof(tdp));
	fake_fail_in = 1;
	CHECK_EQ(-hvmm_tdp_init(&tdp, NULL), ENOMEM);
	hvmm_tdp_exit(&tdp);

	tdp_new(&tdp, 4);
	for (i = 1; i <= 3; i++) {
		fake_fail_in = i;
		CHECK_EQ(-hvmm_tdp_map(&tdp, (u64)i << 27, get(1), false, 0, GFP_KERNEL), ENOMEM);
		folio_put(virt_to_folio(va(1)));
		CHECK(!hvmm_tdp_lookup(&tdp, (u64)i << 27));
		CHECK_EQ(tdp.tables.counter, fake_pages);
	}
	/* Again, with memory: what was half built is used. */
	fake_fail_in = 0;
	CHECK_EQ(hvmm_tdp_map(&tdp, 3ULL << 27, get(1), false, tdp.seq, GFP_KERNEL), 0);
	CHECK(hvmm_tdp_lookup(&tdp, 3ULL << 27) == va(1));
	tdp_end(&tdp);
}

#define MODEL_FRAMES	4096

static void test_random(void)
{
	static unsigned int model[MODEL_FRAMES];
	struct hvmm_tdp tdp;
	unsigned int i, step;

	/* The upper half of the arena is two large folios. */
	for (i = 1024; i < ARENA_PAGES; i++)
		head[i] = i & ~511U;
	/* 0: not mapped; else arena page + 1, and bit 31 for a part of a large leaf. */
	memset(model, 0, sizeof(model));
	tdp_new(&tdp, 4);

	for (step = 0; step < 20000 && !check_failed; step++) {
		unsigned int gfn = rng_below(MODEL_FRAMES), page, mapped = 0;
		int ret;

		switch (rng_below(8)) {
		case 0:
			gfn &= ~511U;
			page = 1024 + 512 * rng_below(2);
			ret = hvmm_tdp_map(&tdp, gfn, get(page), true, tdp.seq, GFP_KERNEL);
			if (ret)
				folio_put(virt_to_folio(va(page)));
			CHECK(!ret || ret == -EEXIST || ret == -EISDIR);
			if (!ret)
				for (i = 0; i < 512; i++) {
					CHECK(!model[gfn + i]);
					model[gfn + i] = (page + i + 1) | 1U << 31;
				}
			break;
		case 1: {
			unsigned int end = gfn + rng_below(1200);

			if (end > MODEL_FRAMES)
				end = MODEL_FRAMES;
			unmap(&tdp, gfn, end);
			for (i = gfn; i < end; i++) {
				if (model[i] >> 31)
					memset(&model[i & ~511U], 0, 512 * sizeof(*model));
				model[i] = 0;
			}
			break;
		}
		default:
			page = rng_below(1024);
			ret = hvmm_tdp_map(&tdp, gfn, get(page), false, tdp.seq, GFP_KERNEL);
			if (ret)
				folio_put(virt_to_folio(va(page)));
			CHECK_EQ(-ret, model[gfn] ? EEXIST : 0);
			if (!ret)
				model[gfn] = page + 1;
			break;
		}

		for (i = 0; i < MODEL_FRAMES; i++) {
			mapped += !!model[i];
			if (step % 64 == 0)
				CHECK(hvmm_tdp_lookup(&tdp, i) ==
				      (model[i] ? va((model[i] & ~(1U << 31)) - 1) : NULL));
		}
		CHECK_EQ(tdp.mapped.counter, mapped);
		CHECK_EQ(refs(), mapped - 511 * tdp.large.counter);
		CHECK_EQ(tdp.tables.counter, fake_pages);
	}
	tdp_end(&tdp);
	for (i = 1024; i < ARENA_PAGES; i++)
		head[i] = i;
}

int main(void)
{
	static const struct check_case cases[] = {
		{ "index arithmetic", test_arithmetic },
		{ "tables to be added", test_missing },
		{ "a range that must not be mapped", test_frozen },
		{ "4 KiB leaves", test_small },
		{ "five levels", test_five_levels },
		{ "2 MiB leaves", test_large },
		{ "failing allocations", test_no_memory },
		{ "random changes against an array", test_random },
	};
	unsigned int i;
	int status;

	arena = aligned_alloc(1 << 21, ARENA_PAGES * 4096UL);
	for (i = 0; i < ARENA_PAGES; i++)
		head[i] = i;

	status = check_main(cases, ARRAY_SIZE(cases));
	free(arena);
	return status;
}
