// SPDX-License-Identifier: GPL-2.0
/*
 * Pages that are not in the nested page table, some of which the host has, some of which it has
 * never had, in all orders: each must be found as it was left, whatever the one before it was.
 * Reads, writes, code, and the guest's own page tables.
 */
#include "lib/guest.h"
#include "lib/paging.h"
#include "lib/trap.h"

#define START	(20ull << 20)
#define PAGES	512u
#define RET	0xc3

/* Not alloc_pages(): it would touch them. */
static volatile u64 *fresh = (u64 *)START, *end;

static u64 pattern(u64 i)
{
	return (i + 1) * 0x9e3779b97f4a7c15ull | 1;
}

/* One that nobody has touched yet; they are neighbours. */
static bool touch_fresh(bool write)
{
	volatile u64 *p = fresh;
	bool zero;

	if (p >= end)
		guest_die("no fresh pages left");
	fresh += PAGE_SIZE / 8;
	zero = write || !*p;
	*p = 1;
	return zero;
}

/* After so many fresh pages, a page that is there: it is read, or written and read. */
static void test_orders(volatile u64 *page)
{
	u64 wrong = 0, dirty = 0;
	u32 i, holes, round;

	for (i = 0; i < PAGES; i++)
		page[i * (PAGE_SIZE / 8)] = pattern(i);
	for (round = 0; round < 4; round++)
		for (i = 0, holes = 0; i < PAGES; i += 7, holes = (holes + 1) % 4) {
			volatile u64 *p = &page[i * (PAGE_SIZE / 8)];
			u32 n;

			for (n = 0; n < holes; n++)
				dirty += !touch_fresh(round & 1);
			testdev_unmap((u64)p);
			if (round & 2)
				p[1] = pattern(i) + round;
			wrong += p[0] != pattern(i);
			testdev_unmap((u64)p);
			if (round & 2)
				wrong += p[1] != pattern(i) + round;
			testdev_unmap((u64)p);
			wrong += p[0] != pattern(i);
		}
	ok_eq(wrong, 0, "pages that were there have what was written to them");
	ok_eq(dirty, 0, "fresh pages are zero");
}

static void test_code(u8 *page)
{
	u32 i;

	for (i = 0; i < 64; i++) {
		page[i] = RET;
		testdev_unmap((u64)page);
		if (i % 3 == 0)
			touch_fresh(true);
		((void (*)(void))(page + i))();
	}
	ok(true, "code");
}

static void test_tables(volatile u64 *page)
{
	u64 *pte = pte_of((void *)page), wrong = 0, i;

	for (i = 0; i < 64; i++) {
		page[0] = pattern(i);
		testdev_unmap((u64)pte & ~(PAGE_SIZE - 1ull));
		testdev_unmap((u64)page);
		invlpg((void *)page);
		if (i % 3 == 0)
			touch_fresh(true);
		wrong += page[0] != pattern(i);
	}
	ok_eq(wrong, 0, "page tables");
}

void guest_main(void)
{
	if (!have_testdev())
		guest_skip_all("no test device");
	end = (u64 *)(ram_top() & ~(PAGE_SIZE - 1ull));
	test_orders(alloc_pages(PAGES));
	test_code(alloc_pages(1));
	test_tables(alloc_pages(1));
}
