// SPDX-License-Identifier: GPL-2.0
/*
 * The nested page table with several threads, under TSan: vCPUs that write, a collector of
 * dirty frames whose copy must come to be the same, discards that replace what is behind frames.
 * A lock stands for what hardware and RCU give: "in the guest" is its reader's side, a flush its
 * writer's. test_tdp_threads [ROUNDS]
 */
#include <stdlib.h>
#include <string.h>

#include <linux/gfp.h>
#include <linux/mm.h>

#include "check.h"
#include "mem/tdp_priv.h"
#include "rng.h"

#define REGIONS		12
#define FRAMES		(REGIONS * 512)
/* Of these, how many are large folios. */
#define LARGE		4
#define VCPUS		3
#define SPARE		FRAMES

unsigned int check_failed;
unsigned int fake_fail_in;
long fake_pages;

static u8 *arena;
static struct page pages[FRAMES + SPARE];
static pthread_rwlock_t guest = PTHREAD_RWLOCK_INITIALIZER;

static struct hvmm_tdp tdp;
/* The page in the file; what is in it; the collector's copy. */
static unsigned int backing[FRAMES];
static u32 value[FRAMES + SPARE];
static u32 copy[FRAMES];
static unsigned long dirty[FRAMES / 64];
static unsigned int rounds = 150;
static int running;

unsigned long get_zeroed_page(gfp_t gfp)
{
	void *page = aligned_alloc(4096, 4096);

	memset(page, 0, 4096);
	__atomic_fetch_add(&fake_pages, 1, __ATOMIC_RELAXED);
	return (unsigned long)page;
}

void free_page(unsigned long page)
{
	__atomic_fetch_sub(&fake_pages, 1, __ATOMIC_RELAXED);
	free((void *)page);
}

unsigned long page_to_pfn(const struct page *page)
{
	return ((unsigned long)arena >> 12) + (page - pages);
}

static unsigned int page_of(const void *va)
{
	return ((const u8 *)va - arena) >> 12;
}

static struct folio *folio_of(unsigned int i)
{
	return &pages[i < LARGE * 512 ? i & ~511U : i].folio;
}

struct folio *virt_to_folio(const void *va)
{
	return folio_of(page_of(va));
}

void folio_put_refs(struct folio *folio, int refs)
{
	assert(__atomic_sub_fetch(&folio->refs, refs, __ATOMIC_ACQ_REL) >= 0);
}

void folio_put(struct folio *folio)
{
	folio_put_refs(folio, 1);
}

void folio_ref_add(struct folio *folio, int refs)
{
	__atomic_fetch_add(&folio->refs, refs, __ATOMIC_RELAXED);
}

static u64 entry_of(u64 gfn)
{
	int level;
	u64 entry, *slot = hvmm_tdp_region(&tdp, gfn, &level);

	if (!slot)
		return 0;
	entry = smp_load_acquire(slot);
	if (!hvmm_tdp_present(&tdp, entry) || hvmm_tdp_is_leaf(&tdp, entry, 2))
		return entry;
	return READ_ONCE(((u64 *)hvmm_tdp_va(entry))[gfn & 511]);
}

/* As the CPU does: one access under one translation. Return: whether there was one. */
static bool guest_write(u64 gfn)
{
	bool done;
	void *va;

	pthread_rwlock_rdlock(&guest);
	va = hvmm_tdp_lookup(&tdp, gfn);
	done = va && (entry_of(gfn) & hvmm_tdp_npt.leaf_write);
	if (done)
		__atomic_fetch_add(&value[page_of(va)], 1, __ATOMIC_RELAXED);
	pthread_rwlock_unlock(&guest);
	return done;
}

/* As the kernel does, without asking whether the leaf is writable. */
static void kernel_write(u64 gfn)
{
	void *va;

	pthread_rwlock_rdlock(&guest);
	va = hvmm_tdp_lookup(&tdp, gfn);
	if (va) {
		__atomic_fetch_add(&value[page_of(va)], 1, __ATOMIC_RELAXED);
		hvmm_tdp_wrote(&tdp, gfn);
	}
	pthread_rwlock_unlock(&guest);
}

static void fault(u64 gfn, bool write)
{
	u64 seq = hvmm_tdp_seq(&tdp);
	unsigned int page = __atomic_load_n(&backing[gfn], __ATOMIC_ACQUIRE);
	int err = -EISDIR;

	folio_get(folio_of(page));
	if (page < LARGE * 512)
		err = hvmm_tdp_map(&tdp, gfn & ~511ULL, &pages[page & ~511U], true, write, seq,
				   GFP_KERNEL);
	if (err == -EISDIR)
		err = hvmm_tdp_map(&tdp, gfn, &pages[page], false, write, seq, GFP_KERNEL);
	if (err)
		folio_put(folio_of(page));
	assert(!err || err == -EEXIST || err == -ESTALE);
}

static void *vcpu(void *arg)
{
	u32 seed = (unsigned long)arg;
	u64 gfn;

	while (__atomic_load_n(&running, __ATOMIC_ACQUIRE)) {
		seed = seed * 1664525 + 1013904223;
		gfn = (seed >> 8) % FRAMES;
		if (seed >> 29 == 0) {
			kernel_write(gfn);
			continue;
		}
		if (seed >> 29 == 1)
			fault(gfn, false);
		while (!guest_write(gfn))
			fault(gfn, true);
	}
	return NULL;
}

/* No vCPU is in the guest with an old translation, no copy is under way. */
static void flush(void)
{
	u64 *tables[HVMM_TDP_RETIRED];
	unsigned int nr = hvmm_tdp_take_retired(&tdp, tables);

	pthread_rwlock_wrlock(&guest);
	pthread_rwlock_unlock(&guest);
	hvmm_tdp_free_retired(&tdp, tables, nr);
}

static void unmap(u64 gfn, u64 end)
{
	struct folio *drop[64];
	unsigned int i, n;

	while (gfn < end) {
		n = hvmm_tdp_unmap(&tdp, &gfn, end, drop, 64);
		if (!n)
			continue;
		flush();
		for (i = 0; i < n; i++)
			folio_put(drop[i]);
	}
}

/* Of a frame that may be changing. */
static u32 content(unsigned int frame)
{
	unsigned int page = __atomic_load_n(&backing[frame], __ATOMIC_ACQUIRE);

	return __atomic_load_n(&value[page], __ATOMIC_RELAXED);
}

static void collect(void)
{
	static unsigned long bits[FRAMES / 64];
	unsigned int i;

	hvmm_tdp_harvest(&tdp, 0, FRAMES, bits);
	flush();
	for (i = 0; i < FRAMES; i++)
		if (test_bit(i, bits))
			copy[i] = content(i);
}

static void track(bool on)
{
	u64 gfn = 0;
	unsigned int i;

	hvmm_tdp_track(&tdp, on ? dirty : NULL);
	while (gfn < FRAMES) {
		if (on)
			hvmm_tdp_protect(&tdp, &gfn, FRAMES);
		else
			hvmm_tdp_release(&tdp, &gfn, FRAMES);
		if (READ_ONCE(tdp.nr_retired))
			flush();
	}
	flush();
	if (!on) {
		memset(dirty, 0, sizeof(dirty));
		return;
	}
	/* All is copied once, what is written meanwhile later. */
	for (i = 0; i < FRAMES; i++)
		copy[i] = content(i);
}

/* Small pages only: the other half of them, and back. */
static void discard(u64 gfn, u64 end)
{
	bool stale = false;
	u64 i;

	hvmm_tdp_freeze(&tdp, gfn, end);
	unmap(gfn, end);
	for (i = gfn; i < end; i++) {
		unsigned int page = backing[i] < FRAMES ? i + FRAMES : i;

		stale |= !!hvmm_tdp_lookup(&tdp, i);
		__atomic_store_n(&value[page], 0, __ATOMIC_RELAXED);
		__atomic_store_n(&backing[i], page, __ATOMIC_RELEASE);
		hvmm_tdp_wrote(&tdp, i);
	}
	CHECK(!stale);
	hvmm_tdp_thaw(&tdp);
	/* Nobody else replaces pages: what is mapped is what is behind it. */
	pthread_rwlock_rdlock(&guest);
	for (i = gfn; i < end; i++) {
		void *va = hvmm_tdp_lookup(&tdp, i);

		stale |= va && page_of(va) != backing[i];
	}
	pthread_rwlock_unlock(&guest);
	CHECK(!stale);
}

static void test_concurrent(void)
{
	pthread_t thread[VCPUS];
	unsigned int i, round, wrong = 0, sum = 0;
	unsigned long v;

	memset(&tdp, 0, sizeof(tdp));
	hvmm_tdp_set_format(&hvmm_tdp_npt, 4);
	CHECK_EQ(hvmm_tdp_init(&tdp, NULL), 0);
	for (i = 0; i < FRAMES; i++)
		backing[i] = i;
	for (i = 0; i < LARGE; i++)
		pages[i * 512].folio.pages = 512;

	__atomic_store_n(&running, 1, __ATOMIC_RELEASE);
	for (v = 0; v < VCPUS; v++)
		CHECK_EQ(pthread_create(&thread[v], NULL, vcpu, (void *)(rng_below(1 << 30) + v)),
			 0);
	for (round = 0; round < rounds; round++) {
		u64 gfn = LARGE * 512 + rng_below(FRAMES - LARGE * 512);

		if (round % 10 == 0)
			track(round % 20 == 0);
		discard(gfn, min(gfn + 1 + rng_below(700), (u64)FRAMES));
		if (rng_below(4) == 0)
			unmap(rng_below(LARGE * 512), LARGE * 512);
		if (round % 20 < 10)
			collect();
	}
	if (rounds % 20 == 0 || rounds % 20 > 10)
		track(true);
	__atomic_store_n(&running, 0, __ATOMIC_RELEASE);
	for (v = 0; v < VCPUS; v++)
		pthread_join(thread[v], NULL);
	collect();
	for (i = 0; i < FRAMES; i++) {
		wrong += copy[i] != value[backing[i]];
		sum += value[backing[i]];
	}
	CHECK_EQ(wrong, 0);
	CHECK(sum);
	track(false);
	hvmm_tdp_exit(&tdp);
	CHECK_EQ(fake_pages, 0);
	for (i = 0; i < FRAMES + SPARE; i++)
		wrong += pages[i].folio.refs;
	CHECK_EQ(wrong, 0);
}

int main(int argc, char **argv)
{
	static const struct check_case cases[] = {
		{ "writers, discards and a collector at once", test_concurrent },
	};
	int status;

	if (argc > 1)
		rounds = strtoul(argv[1], NULL, 10);
	arena = aligned_alloc(1 << 21, (FRAMES + SPARE) * 4096UL);
	status = check_main(cases, ARRAY_SIZE(cases));
	free(arena);
	return status;
}
