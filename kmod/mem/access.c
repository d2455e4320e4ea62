// SPDX-License-Identifier: GPL-2.0
#include <linux/atomic.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/string.h>

#include "mem/mem.h"

/*
 * Lock-free: an unmapped page, and a nested table that was replaced, stay until a grace
 * period has passed. So what a lookup found stays good until rcu_read_unlock().
 */
static int hvmm_mem_page(struct hvmm_mem *mem, u64 gfn, void **page, u64 *missing_gfn)
{
	*page = hvmm_tdp_lookup(&mem->tdp, gfn);
	if (likely(*page))
		return 0;
	if (!hvmm_mem_is_ram(mem, gfn))
		return -EFAULT;
	*missing_gfn = gfn;
	return -EAGAIN;
}

/*
 * The guest may change the source meanwhile. An aligned access of a natural size is
 * one access, since page table walks and shared structures count on it.
 */
static void hvmm_mem_load(void *buf, const void *src, unsigned int len)
{
	if (IS_ALIGNED((unsigned long)src, 8) && len == 8) {
		u64 val = READ_ONCE(*(const u64 *)src);

		memcpy(buf, &val, 8);
	} else if (IS_ALIGNED((unsigned long)src, 4) && len == 4) {
		u32 val = READ_ONCE(*(const u32 *)src);

		memcpy(buf, &val, 4);
	} else if (IS_ALIGNED((unsigned long)src, 2) && len == 2) {
		u16 val = READ_ONCE(*(const u16 *)src);

		memcpy(buf, &val, 2);
	} else {
		memcpy(buf, src, len);
	}
}

static void hvmm_mem_store(void *dst, const void *buf, unsigned int len)
{
	if (IS_ALIGNED((unsigned long)dst, 8) && len == 8) {
		u64 val;

		memcpy(&val, buf, 8);
		WRITE_ONCE(*(u64 *)dst, val);
	} else if (IS_ALIGNED((unsigned long)dst, 4) && len == 4) {
		u32 val;

		memcpy(&val, buf, 4);
		WRITE_ONCE(*(u32 *)dst, val);
	} else if (IS_ALIGNED((unsigned long)dst, 2) && len == 2) {
		u16 val;

		memcpy(&val, buf, 2);
		WRITE_ONCE(*(u16 *)dst, val);
	} else {
		memcpy(dst, buf, len);
	}
}

int hvmm_mem_read(struct hvmm_mem *mem, u64 gpa, void *buf, unsigned int len,
		  u64 *missing_gfn)
{
	int err = 0;

	while (len) {
		unsigned int offset = offset_in_page(gpa);
		unsigned int n = min_t(unsigned int, len, PAGE_SIZE - offset);
		void *page;

		rcu_read_lock();
		err = hvmm_mem_page(mem, gpa >> PAGE_SHIFT, &page, missing_gfn);
		if (!err)
			hvmm_mem_load(buf, page + offset, n);
		rcu_read_unlock();
		if (err)
			break;

		gpa += n;
		buf += n;
		len -= n;
	}
	return err;
}

int hvmm_mem_write(struct hvmm_mem *mem, u64 gpa, const void *buf, unsigned int len,
		   u64 *missing_gfn)
{
	unsigned int offset = offset_in_page(gpa);
	unsigned int first = min_t(unsigned int, len, PAGE_SIZE - offset);
	u64 gfn = gpa >> PAGE_SHIFT;
	void *page, *next = NULL;
	int err;

	if (WARN_ON_ONCE(len > HVMM_MEM_WRITE_MAX))
		return -EINVAL;
	if (!len)
		return 0;

	/* All pages are found first: all or nothing. */
	rcu_read_lock();
	err = hvmm_mem_page(mem, gfn, &page, missing_gfn);
	if (!err && first < len)
		err = hvmm_mem_page(mem, gfn + 1, &next, missing_gfn);
	if (!err) {
		hvmm_mem_store(page + offset, buf, first);
		hvmm_tdp_wrote(&mem->tdp, gfn);
		if (next) {
			hvmm_mem_store(next, buf + first, len - first);
			hvmm_tdp_wrote(&mem->tdp, gfn + 1);
		}
	}
	rcu_read_unlock();

	return err;
}

/* Whether a locked access here could raise #AC in the kernel (SDM vol. 3, 9.1.2.3). */
static bool hvmm_split_lock_traps(const void *p, unsigned int len)
{
	unsigned int line = boot_cpu_data.x86_clflush_size ?: 64;

	return ((unsigned long)p & (line - 1)) + len > line &&
	       boot_cpu_has(X86_FEATURE_SPLIT_LOCK_DETECT);
}

/* The names are unlike those inside cmpxchg(), which would shadow them. */
#define HVMM_CMPXCHG(type, p, old, new) ({				\
	void *hvmm_buf = (old);						\
	type hvmm_expect, hvmm_val, hvmm_found;				\
									\
	memcpy(&hvmm_expect, hvmm_buf, sizeof(type));			\
	memcpy(&hvmm_val, new, sizeof(type));				\
	hvmm_found = cmpxchg((type *)(p), hvmm_expect, hvmm_val);	\
	memcpy(hvmm_buf, &hvmm_found, sizeof(type));			\
	hvmm_found != hvmm_expect;					\
})

static int hvmm_mem_swap(void *p, void *old, const void *new, unsigned int len)
{
	if (hvmm_split_lock_traps(p, len)) {
		if (memcmp(p, old, len)) {
			memcpy(old, p, len);
			return 1;
		}
		memcpy(p, new, len);
		return 0;
	}

	switch (len) {
	case 1:
		return HVMM_CMPXCHG(u8, p, old, new);
	case 2:
		return HVMM_CMPXCHG(u16, p, old, new);
	case 4:
		return HVMM_CMPXCHG(u32, p, old, new);
	case 8:
		return HVMM_CMPXCHG(u64, p, old, new);
	default: {
		u128 expect, val;
		bool stored;

		memcpy(&expect, old, 16);
		memcpy(&val, new, 16);
		stored = try_cmpxchg128((u128 *)p, &expect, val);
		memcpy(old, &expect, 16);
		return !stored;
	}
	}
}

int hvmm_mem_cmpxchg(struct hvmm_mem *mem, u64 gpa, void *old, const void *new,
		     unsigned int len, u64 *missing_gfn)
{
	unsigned int offset = offset_in_page(gpa);
	void *page;
	int err;

	if (!is_power_of_2(len) || len > 16 || offset + len > PAGE_SIZE)
		return -EINVAL;
	if (len == 16 && (!IS_ALIGNED(gpa, 16) || !boot_cpu_has(X86_FEATURE_CX16)))
		return -EINVAL;

	rcu_read_lock();
	err = hvmm_mem_page(mem, gpa >> PAGE_SHIFT, &page, missing_gfn);
	if (!err) {
		err = hvmm_mem_swap(page + offset, old, new, len);
		if (!err)
			hvmm_tdp_wrote(&mem->tdp, gpa >> PAGE_SHIFT);
	}
	rcu_read_unlock();

	return err;
}
