// SPDX-License-Identifier: GPL-2.0
#include <linux/bitmap.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "mem/dirty.h"
#include "mem/mem.h"

static size_t bitmap_bytes(const struct hvmm_mem *mem)
{
	return BITS_TO_LONGS(hvmm_ram_end(&mem->ram)) * sizeof(long);
}

u64 hvmm_dirty_bytes(const struct hvmm_mem *mem)
{
	return READ_ONCE(mem->tdp.dirty) ? bitmap_bytes(mem) : 0;
}

static void protect_all(struct hvmm_mem *mem)
{
	u64 gfn = 0, end = hvmm_ram_end(&mem->ram);

	while (gfn < end) {
		hvmm_tdp_protect(&mem->tdp, &gfn, end);
		cond_resched();
	}
	hvmm_mem_flush(mem);
}

/* Nobody needs to be told: who finds a leaf read-only that no longer is faults in vain. */
static void release_all(struct hvmm_mem *mem)
{
	u64 gfn = 0, end = hvmm_ram_end(&mem->ram);

	while (gfn < end) {
		hvmm_tdp_release(&mem->tdp, &gfn, end);
		if (READ_ONCE(mem->tdp.nr_retired))
			hvmm_mem_flush(mem);
		cond_resched();
	}
}

static int start_locked(struct hvmm_mem *mem)
{
	u64 taken = bitmap_bytes(mem);
	struct mem_cgroup *old;
	unsigned long *bitmap;
	int err;

	err = hvmm_mem_quota_take(&mem->quota, &taken, NULL);
	if (err)
		return err;
	old = set_active_memcg(mem->ram.memcg);
	bitmap = kvzalloc(bitmap_bytes(mem), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	set_active_memcg(old);
	if (bitmap)
		hvmm_tdp_track(&mem->tdp, bitmap);
	hvmm_mem_quota_settle(&mem->quota, taken);
	if (!bitmap)
		return -ENOMEM;
	protect_all(mem);
	return 0;
}

int hvmm_dirty_start(struct hvmm_mem *mem, const void *owner)
{
	int err;

	err = mutex_lock_killable(&mem->dirty_lock);
	if (err)
		return err;
	if (mem->dirty_owner)
		err = mem->dirty_owner == owner ? -EALREADY : -EBUSY;
	else
		err = start_locked(mem);
	if (!err)
		mem->dirty_owner = owner;
	mutex_unlock(&mem->dirty_lock);

	return err;
}

int hvmm_dirty_stop(struct hvmm_mem *mem, const void *owner)
{
	unsigned long *bitmap;

	mutex_lock(&mem->dirty_lock);
	if (mem->dirty_owner != owner) {
		mutex_unlock(&mem->dirty_lock);
		return -ENOTCONN;
	}
	mem->dirty_owner = NULL;
	bitmap = mem->tdp.dirty;
	hvmm_tdp_track(&mem->tdp, NULL);
	synchronize_rcu();
	kvfree(bitmap);
	release_all(mem);
	mutex_unlock(&mem->dirty_lock);
	hvmm_mem_quota_returned(&mem->quota);

	return 0;
}

int hvmm_dirty_take(struct hvmm_mem *mem, const void *owner, u64 gfn, u64 nr,
		    unsigned long *bits)
{
	int ret;

	ret = mutex_lock_killable(&mem->dirty_lock);
	if (ret)
		return ret;
	ret = -ENOTCONN;
	if (mem->dirty_owner == owner)
		ret = hvmm_tdp_harvest(&mem->tdp, gfn, nr, bits);
	mutex_unlock(&mem->dirty_lock);

	return ret;
}

void hvmm_dirty_return(struct hvmm_mem *mem, u64 gfn, u64 nr, const unsigned long *bits)
{
	unsigned long i;

	rcu_read_lock();
	for_each_set_bit(i, bits, nr)
		hvmm_tdp_wrote(&mem->tdp, gfn + i);
	rcu_read_unlock();
}
