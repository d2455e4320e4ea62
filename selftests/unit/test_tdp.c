// SPDX-License-Identifier: GPL-2.0
/* The nested page table: leaves, references, tables, failures, a random comparison. */
#include <stdlib.h>
#include <string.h>

#include <linux/gfp.h>
#include <linux/mm.h>

#include "check.h"
#include "mem/tdp_priv.h"
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

void folio_put_refs(struct folio *folio, int refs)
{
	assert(folio->refs >= refs);
	folio->refs -= refs;
}

void folio_put(struct folio *folio)
{
	folio_put_refs(folio, 1);
}

void folio_ref_add(struct folio *folio, int refs)
{
	folio->refs += refs;
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

static void free_retired(struct hvmm_tdp *tdp, unsigned int expected)
{
	u64 *tables[HVMM_TDP_RETIRED];
	unsigned int nr = hvmm_tdp_take_retired(tdp, tables);

	CHECK_EQ(nr, expected);
	hvmm_tdp_free_retired(tdp, tables, nr);
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
	CHECK_EQ(hvmm_tdp_missing(&tdp, 7, true), 3);
	CHECK_EQ(hvmm_tdp_map(&tdp, 0, get(3), false, true, tdp.seq, GFP_KERNEL), 0);
	CHECK_EQ(hvmm_tdp_missing(&tdp, 0, true), 0);
	CHECK_EQ(hvmm_tdp_missing(&tdp, 7, true), 0);
	CHECK_EQ(hvmm_tdp_missing(&tdp, 512, true), 1);
	CHECK_EQ(hvmm_tdp_missing(&tdp, 1 << 18, true), 2);
	CHECK_EQ(hvmm_tdp_missing(&tdp, 1ULL << 27, true), 3);
	/* As many as are then added. */
	CHECK_EQ(hvmm_tdp_map(&tdp, 1 << 18, get(4), false, true, tdp.seq, GFP_KERNEL), 0);
	CHECK_EQ(fake_pages, 6);
	CHECK_EQ(hvmm_tdp_map(&tdp, 1024, get(512), true, true, tdp.seq, GFP_KERNEL), 0);
	CHECK_EQ(hvmm_tdp_missing(&tdp, 1025, true), 0);
	tdp_end(&tdp);
}

/* Each GiB has a table of level 2; where they are is remembered for a few, and only so far up. */
static void test_far_apart(void)
{
	const u64 gib = 1 << 18, end = 1ULL << 36;
	struct hvmm_tdp tdp;
	unsigned int i, round;
	u64 gfn;

	tdp_new(&tdp, 4);
	for (round = 0; round < 3; round++)
		for (i = 0; i < 4 * HVMM_TDP_RECENT; i++) {
			gfn = i * gib + round;
			CHECK_EQ(hvmm_tdp_map(&tdp, gfn, get(i * 3 + round), false, true, tdp.seq,
					      GFP_KERNEL), 0);
		}
	for (gfn = gib, i = 100; gfn < end; gfn *= 2, i++) {
		CHECK_EQ(hvmm_tdp_map(&tdp, gfn + 5, get(i), false, true, tdp.seq, GFP_KERNEL), 0);
		CHECK_EQ(hvmm_tdp_map(&tdp, gfn + 6, get(i), false, true, tdp.seq, GFP_KERNEL), 0);
	}
	for (round = 0; round < 3; round++)
		for (i = 0; i < 4 * HVMM_TDP_RECENT; i++)
			CHECK(hvmm_tdp_lookup(&tdp, i * gib + round) == va(i * 3 + round));
	for (gfn = gib, i = 100; gfn < end; gfn *= 2, i++) {
		CHECK(hvmm_tdp_lookup(&tdp, gfn + 5) == va(i));
		CHECK(hvmm_tdp_lookup(&tdp, gfn + 6) == va(i));
		CHECK(!hvmm_tdp_lookup(&tdp, gfn + 7));
	}
	CHECK_EQ(tdp.tables.counter, fake_pages);
	tdp_end(&tdp);
}

static void test_frozen(void)
{
	struct hvmm_tdp tdp;
	u64 before, during;

	tdp_new(&tdp, 4);
	before = hvmm_tdp_seq(&tdp);
	CHECK_EQ(hvmm_tdp_map(&tdp, 10, get(1), false, true, before, GFP_KERNEL), 0);
	hvmm_tdp_freeze(&tdp, 10, 12);
	/* What is mapped stays until it is unmapped; nothing new comes. */
	CHECK(hvmm_tdp_lookup(&tdp, 10) == va(1));
	CHECK_EQ(unmap(&tdp, 10, 12), 1);
	during = hvmm_tdp_seq(&tdp);
	CHECK_EQ(-hvmm_tdp_map(&tdp, 10, get(1), false, true, during, GFP_KERNEL), ESTALE);
	CHECK_EQ(-hvmm_tdp_map(&tdp, 11, get(1), false, true, during, GFP_KERNEL), ESTALE);
	CHECK_EQ(-hvmm_tdp_map(&tdp, 0, get(512), true, true, during, GFP_KERNEL), ESTALE);
	CHECK_EQ(hvmm_tdp_map(&tdp, 9, get(2), false, true, during, GFP_KERNEL), 0);
	CHECK_EQ(hvmm_tdp_map(&tdp, 12, get(3), false, true, during, GFP_KERNEL), 0);
	hvmm_tdp_thaw(&tdp);
	/* Found before the end: it may be what was replaced. */
	CHECK_EQ(-hvmm_tdp_map(&tdp, 10, get(1), false, true, before, GFP_KERNEL), ESTALE);
	CHECK_EQ(-hvmm_tdp_map(&tdp, 10, get(1), false, true, during, GFP_KERNEL), ESTALE);
	CHECK(!hvmm_tdp_lookup(&tdp, 10));
	CHECK_EQ(hvmm_tdp_map(&tdp, 10, get(4), false, true, hvmm_tdp_seq(&tdp), GFP_KERNEL), 0);
	/* The four that were refused. */
	folio_put(virt_to_folio(va(1)));
	folio_put(virt_to_folio(va(1)));
	folio_put(virt_to_folio(va(1)));
	folio_put(virt_to_folio(va(1)));
	folio_put(virt_to_folio(va(512)));

	/* A 2 MiB leaf that a frozen page lies in. */
	hvmm_tdp_freeze(&tdp, 1030, 1031);
	CHECK_EQ(-hvmm_tdp_map(&tdp, 1024, get(512), true, true, hvmm_tdp_seq(&tdp), GFP_KERNEL),
		 ESTALE);
	folio_put(virt_to_folio(va(512)));
	CHECK_EQ(hvmm_tdp_map(&tdp, 1536, get(512), true, true, hvmm_tdp_seq(&tdp), GFP_KERNEL), 0);
	hvmm_tdp_thaw(&tdp);
	CHECK_EQ(hvmm_tdp_map(&tdp, 1024, get(512), true, true, hvmm_tdp_seq(&tdp), GFP_KERNEL), 0);
	tdp_end(&tdp);
}

static void test_small(void)
{
	struct hvmm_tdp tdp;

	tdp_new(&tdp, 4);
	CHECK(!hvmm_tdp_lookup(&tdp, 0));
	CHECK_EQ(hvmm_tdp_map(&tdp, 0, get(3), false, true, tdp.seq, GFP_KERNEL), 0);
	CHECK_EQ(fake_pages, 4);
	CHECK_EQ(tdp.tables.counter, 4);
	CHECK_EQ(tdp.mapped.counter, 1);
	CHECK(hvmm_tdp_lookup(&tdp, 0) == va(3));
	CHECK(!hvmm_tdp_lookup(&tdp, 1));
	CHECK_EQ(-hvmm_tdp_map(&tdp, 0, get(4), false, true, tdp.seq, GFP_KERNEL), EEXIST);
	folio_put(virt_to_folio(va(4)));
	CHECK(hvmm_tdp_lookup(&tdp, 0) == va(3));

	/* The highest frame there is, and what would alias frame 0 above it. */
	CHECK_EQ(hvmm_tdp_map(&tdp, (1ULL << 36) - 1, get(5), false, true, tdp.seq, GFP_KERNEL), 0);
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
	CHECK_EQ(hvmm_tdp_map(&tdp, 0, get(6), false, true, tdp.seq, GFP_KERNEL), 0);
	tdp_end(&tdp);
}

static void test_five_levels(void)
{
	struct hvmm_tdp tdp;

	tdp_new(&tdp, 5);
	CHECK_EQ(hvmm_tdp_map(&tdp, 0, get(1), false, true, tdp.seq, GFP_KERNEL), 0);
	CHECK_EQ(hvmm_tdp_map(&tdp, 1ULL << 36, get(2), false, true, tdp.seq, GFP_KERNEL), 0);
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
	CHECK_EQ(hvmm_tdp_map(&tdp, 1024, get(512), true, true, tdp.seq, GFP_KERNEL), 0);
	CHECK_EQ(fake_pages, 3);
	CHECK_EQ(tdp.mapped.counter, 512);
	CHECK_EQ(tdp.large.counter, 1);
	CHECK(hvmm_tdp_lookup(&tdp, 1024) == va(512));
	CHECK(hvmm_tdp_lookup(&tdp, 1024 + 77) == va(512 + 77));
	CHECK(!hvmm_tdp_lookup(&tdp, 1023));
	CHECK(!hvmm_tdp_lookup(&tdp, 1536));
	CHECK_EQ(-hvmm_tdp_map(&tdp, 1024, get(512), true, true, tdp.seq, GFP_KERNEL), EEXIST);
	folio_put(virt_to_folio(va(512)));
	CHECK_EQ(-hvmm_tdp_map(&tdp, 1030, get(7), false, true, tdp.seq, GFP_KERNEL), EEXIST);
	folio_put(virt_to_folio(va(7)));

	/* Over a table of small leaves: only if they are the folio's, or there are none. */
	CHECK_EQ(hvmm_tdp_map(&tdp, 5, get(8), false, true, tdp.seq, GFP_KERNEL), 0);
	CHECK_EQ(-hvmm_tdp_map(&tdp, 0, get(512), true, true, tdp.seq, GFP_KERNEL), EISDIR);
	folio_put(virt_to_folio(va(512)));
	CHECK_EQ(unmap(&tdp, 5, 6), 1);
	CHECK_EQ(hvmm_tdp_map(&tdp, 5, get(512 + 5), false, true, tdp.seq, GFP_KERNEL), 0);
	CHECK_EQ(hvmm_tdp_map(&tdp, 6, get(512 + 7), false, true, tdp.seq, GFP_KERNEL), 0);
	CHECK_EQ(-hvmm_tdp_map(&tdp, 0, get(512), true, true, tdp.seq, GFP_KERNEL), EISDIR);
	folio_put(virt_to_folio(va(512)));
	CHECK_EQ(unmap(&tdp, 6, 7), 1);
	CHECK_EQ(pages[512].folio.refs, 2);
	CHECK_EQ(tdp.tables.counter, 4);
	CHECK_EQ(hvmm_tdp_map(&tdp, 0, get(512), true, true, tdp.seq, GFP_KERNEL), 0);
	CHECK_EQ(pages[512].folio.refs, 2);
	CHECK_EQ(tdp.mapped.counter, 1024);
	CHECK(hvmm_tdp_lookup(&tdp, 5) == va(512 + 5));
	/* The table may be in use. */
	CHECK_EQ(tdp.tables.counter, 4);
	free_retired(&tdp, 1);
	CHECK_EQ(tdp.tables.counter, 3);
	CHECK_EQ(unmap(&tdp, 0, 1), 1);

	/* One frame of it takes the whole. */
	CHECK_EQ(unmap(&tdp, 1535, 1536), 1);
	CHECK(!hvmm_tdp_lookup(&tdp, 1024));
	CHECK_EQ(tdp.mapped.counter, 0);
	CHECK_EQ(tdp.large.counter, 0);
	CHECK_EQ(hvmm_tdp_map(&tdp, 1024, get(600), false, true, tdp.seq, GFP_KERNEL), 0);
	CHECK_EQ(pages[512].folio.refs, 1);
	tdp_end(&tdp);

	for (i = 512; i < 1024; i++)
		head[i] = i;
}

static u64 entry_of(struct hvmm_tdp *tdp, u64 gfn)
{
	int level;
	u64 *slot = hvmm_tdp_region(tdp, gfn, &level);

	if (!slot || !hvmm_tdp_present(tdp, *slot) || hvmm_tdp_is_leaf(tdp, *slot, 2))
		return slot ? *slot : 0;
	return ((u64 *)hvmm_tdp_va(*slot))[gfn & 511];
}

static bool writable(struct hvmm_tdp *tdp, u64 gfn)
{
	return entry_of(tdp, gfn) & hvmm_tdp_npt.leaf_write;
}

static void protect(struct hvmm_tdp *tdp, u64 end)
{
	u64 gfn = 0;

	while (gfn < end)
		hvmm_tdp_protect(tdp, &gfn, end);
}

static int touch(struct hvmm_tdp *tdp, u64 gfn, unsigned int page, bool write)
{
	int err = hvmm_tdp_map(tdp, gfn, get(page), false, write, tdp->seq, GFP_KERNEL);

	if (err)
		folio_put(virt_to_folio(va(page)));
	return -err;
}

#define TRACKED		4096

static void test_dirty(void)
{
	static unsigned long dirty[TRACKED / 64], bits[TRACKED / 64];
	struct hvmm_tdp tdp;
	unsigned int i;

	memset(dirty, 0, sizeof(dirty));
	tdp_new(&tdp, 4);
	for (i = 0; i < 8; i++)
		CHECK_EQ(touch(&tdp, 600 + i, i, false), 0);
	/* Without tracking a read makes it writable too. */
	CHECK(writable(&tdp, 600));
	hvmm_tdp_track(&tdp, dirty);
	protect(&tdp, TRACKED);
	for (i = 0; i < 8; i++)
		CHECK(!writable(&tdp, 600 + i));
	CHECK_EQ(hvmm_tdp_harvest(&tdp, 0, TRACKED, bits), 0);

	/* There, or new; read or written. */
	CHECK_EQ(touch(&tdp, 601, 1, true), EEXIST);
	CHECK_EQ(touch(&tdp, 602, 2, false), EEXIST);
	CHECK_EQ(touch(&tdp, 700, 20, true), 0);
	CHECK_EQ(touch(&tdp, 701, 21, false), 0);
	CHECK(writable(&tdp, 601) && writable(&tdp, 700));
	CHECK(!writable(&tdp, 602) && !writable(&tdp, 701));
	/* By the kernel, also where nothing is mapped. */
	hvmm_tdp_wrote(&tdp, 603);
	hvmm_tdp_wrote(&tdp, 3000);
	CHECK(!writable(&tdp, 603));

	/* A part of a word, then all. */
	CHECK_EQ(hvmm_tdp_harvest(&tdp, 576, 27, bits), 1);
	CHECK_EQ(bits[0], BIT(601 - 576));
	CHECK(!writable(&tdp, 601) && writable(&tdp, 700));
	CHECK_EQ(hvmm_tdp_harvest(&tdp, 0, TRACKED, bits), 3);
	CHECK_EQ(bits[603 / 64], BIT(603 % 64));
	CHECK_EQ(bits[700 / 64], BIT(700 % 64));
	CHECK_EQ(bits[3000 / 64], BIT(3000 % 64));
	CHECK_EQ(hvmm_tdp_harvest(&tdp, 0, TRACKED, bits), 0);
	CHECK(!writable(&tdp, 700));
	CHECK_EQ(touch(&tdp, 601, 1, true), EEXIST);
	CHECK_EQ(hvmm_tdp_harvest(&tdp, 0, TRACKED, bits), 1);

	/* Unmapped meanwhile: what was written stays noted. */
	CHECK_EQ(touch(&tdp, 601, 1, true), EEXIST);
	CHECK_EQ(unmap(&tdp, 601, 602), 1);
	CHECK_EQ(touch(&tdp, 601, 1, false), 0);
	CHECK(!writable(&tdp, 601));
	CHECK_EQ(hvmm_tdp_harvest(&tdp, 0, TRACKED, bits), 1);

	hvmm_tdp_track(&tdp, NULL);
	for (u64 gfn = 0; gfn < TRACKED;)
		hvmm_tdp_release(&tdp, &gfn, TRACKED);
	CHECK(writable(&tdp, 601) && writable(&tdp, 602) && writable(&tdp, 701));
	hvmm_tdp_wrote(&tdp, 602);
	CHECK_EQ(dirty[602 / 64], 0);
	tdp_end(&tdp);
}

static void test_split(void)
{
	static unsigned long dirty[TRACKED / 64], bits[TRACKED / 64];
	struct hvmm_tdp tdp;
	unsigned int i;

	memset(dirty, 0, sizeof(dirty));
	for (i = 512; i < 1024; i++)
		head[i] = 512;
	pages[512].folio.pages = 512;
	tdp_new(&tdp, 4);
	CHECK_EQ(hvmm_tdp_map(&tdp, 1024, get(512), true, false, tdp.seq, GFP_KERNEL), 0);
	CHECK(writable(&tdp, 1024));
	hvmm_tdp_track(&tdp, dirty);
	protect(&tdp, TRACKED);
	CHECK(!writable(&tdp, 1024));
	/* A read leaves it as it is, a write of one page splits it. */
	CHECK_EQ(hvmm_tdp_missing(&tdp, 1030, false), 0);
	CHECK_EQ(touch(&tdp, 1030, 518, false), EEXIST);
	CHECK_EQ(tdp.large.counter, 1);
	CHECK_EQ(-hvmm_tdp_map(&tdp, 1024, get(512), true, true, tdp.seq, GFP_KERNEL), EISDIR);
	folio_put(virt_to_folio(va(512)));
	CHECK_EQ(hvmm_tdp_missing(&tdp, 1030, true), 1);
	fake_fail_in = 1;
	CHECK_EQ(touch(&tdp, 1030, 518, true), ENOMEM);
	CHECK_EQ(tdp.large.counter, 1);
	fake_fail_in = 0;
	CHECK_EQ(touch(&tdp, 1030, 518, true), EEXIST);
	CHECK_EQ(tdp.large.counter, 0);
	CHECK_EQ(tdp.mapped.counter, 512);
	CHECK_EQ(pages[512].folio.refs, 512);
	for (i = 0; i < 512; i++) {
		CHECK(hvmm_tdp_lookup(&tdp, 1024 + i) == va(512 + i));
		CHECK_EQ(writable(&tdp, 1024 + i), i == 6);
	}
	/* No other becomes large as long as pages are counted. */
	CHECK_EQ(-hvmm_tdp_map(&tdp, 2048, get(512), true, true, tdp.seq, GFP_KERNEL), EISDIR);
	folio_put(virt_to_folio(va(512)));
	CHECK_EQ(hvmm_tdp_harvest(&tdp, 0, TRACKED, bits), 1);
	CHECK_EQ(bits[1030 / 64], BIT(1030 % 64));

	/* Whole again when it is over; the table goes when nobody can be using it. */
	hvmm_tdp_track(&tdp, NULL);
	for (u64 gfn = 0; gfn < TRACKED;)
		hvmm_tdp_release(&tdp, &gfn, TRACKED);
	CHECK_EQ(tdp.large.counter, 1);
	CHECK_EQ(tdp.mapped.counter, 512);
	CHECK_EQ(pages[512].folio.refs, 1);
	CHECK(writable(&tdp, 1030));
	CHECK(hvmm_tdp_lookup(&tdp, 1030) == va(518));
	CHECK_EQ(tdp.tables.counter, 4);
	free_retired(&tdp, 1);
	CHECK_EQ(tdp.tables.counter, 3);

	/* Not if a part is missing. */
	hvmm_tdp_track(&tdp, dirty);
	protect(&tdp, TRACKED);
	CHECK_EQ(touch(&tdp, 1030, 518, true), EEXIST);
	CHECK_EQ(unmap(&tdp, 1031, 1032), 1);
	hvmm_tdp_track(&tdp, NULL);
	for (u64 gfn = 0; gfn < TRACKED;)
		hvmm_tdp_release(&tdp, &gfn, TRACKED);
	CHECK_EQ(tdp.large.counter, 0);
	CHECK_EQ(tdp.mapped.counter, 511);
	free_retired(&tdp, 0);
	/* The next fault for it does so. */
	CHECK_EQ(hvmm_tdp_map(&tdp, 1024, get(512), true, false, tdp.seq, GFP_KERNEL), 0);
	CHECK_EQ(tdp.mapped.counter, 512);
	CHECK_EQ(pages[512].folio.refs, 1);
	/* One that is still waiting goes with the whole. */
	tdp_end(&tdp);
	pages[512].folio.pages = 0;
	for (i = 512; i < 1024; i++)
		head[i] = i;
}

/* A format without 2 MiB leaves: nothing is mapped as one, nothing becomes one. */
static void test_no_large(void)
{
	static unsigned long dirty[TRACKED / 64];
	struct hvmm_tdp_format small = hvmm_tdp_ept;
	struct hvmm_tdp tdp;
	unsigned int i;

	memset(dirty, 0, sizeof(dirty));
	for (i = 512; i < 1024; i++)
		head[i] = 512;
	pages[512].folio.pages = 512;
	small.large = 0;
	memset(&tdp, 0, sizeof(tdp));
	hvmm_tdp_set_format(&small, 4);
	CHECK_EQ(hvmm_tdp_init(&tdp, NULL), 0);
	CHECK_EQ(-hvmm_tdp_map(&tdp, 1024, get(512), true, false, tdp.seq, GFP_KERNEL), EISDIR);
	folio_put(virt_to_folio(va(512)));
	for (i = 0; i < 512; i++)
		CHECK_EQ(touch(&tdp, 1024 + i, 512 + i, false), 0);
	hvmm_tdp_track(&tdp, dirty);
	protect(&tdp, TRACKED);
	CHECK_EQ(touch(&tdp, 1030, 518, true), EEXIST);
	hvmm_tdp_track(&tdp, NULL);
	for (u64 gfn = 0; gfn < TRACKED;)
		hvmm_tdp_release(&tdp, &gfn, TRACKED);
	CHECK_EQ(tdp.large.counter, 0);
	CHECK_EQ(tdp.mapped.counter, 512);
	CHECK_EQ(pages[512].folio.refs, 512);
	for (i = 0; i < 512; i++)
		CHECK(hvmm_tdp_lookup(&tdp, 1024 + i) == va(512 + i));
	tdp_end(&tdp);
	pages[512].folio.pages = 0;
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
		CHECK_EQ(-hvmm_tdp_map(&tdp, (u64)i << 27, get(1), false, true, 0, GFP_KERNEL),
			 ENOMEM);
		folio_put(virt_to_folio(va(1)));
		CHECK(!hvmm_tdp_lookup(&tdp, (u64)i << 27));
		CHECK_EQ(tdp.tables.counter, fake_pages);
	}
	/* Again, with memory: what was half built is used. */
	fake_fail_in = 0;
	CHECK_EQ(hvmm_tdp_map(&tdp, 3ULL << 27, get(1), false, true, tdp.seq, GFP_KERNEL), 0);
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
			ret = hvmm_tdp_map(&tdp, gfn, get(page), true, true, tdp.seq, GFP_KERNEL);
			if (ret)
				folio_put(virt_to_folio(va(page)));
			CHECK(!ret || ret == -EEXIST || ret == -EISDIR);
			if (!ret)
				for (i = 0; i < 512; i++) {
					CHECK(!model[gfn + i]);
					model[gfn + i] = (page + i + 1) | 1U << 31;
				}
			free_retired(&tdp, tdp.nr_retired);
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
			ret = hvmm_tdp_map(&tdp, gfn, get(page), false, true, tdp.seq, GFP_KERNEL);
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
		{ "frames far apart", test_far_apart },
		{ "a range that must not be mapped", test_frozen },
		{ "4 KiB leaves", test_small },
		{ "five levels", test_five_levels },
		{ "2 MiB leaves", test_large },
		{ "dirty frames", test_dirty },
		{ "a large leaf is split and made whole", test_split },
		{ "a format without large leaves", test_no_large },
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
