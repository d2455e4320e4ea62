// SPDX-License-Identifier: GPL-2.0
/*
 * All VMs' idle memory: the scanner that finds it, and who gives when the host is in want.
 *
 * The scanner is a work item that looks at a part of a VM, goes on to the next one, and then
 * sleeps 199 times as long as it took: half a percent of one pCPU, however many VMs there
 * are and however large they are. What grows with them is the time that a scan takes.
 *
 * The host's reclaim asks through a shrinker. It may be called with any lock held, so it only
 * counts, and leaves the work to a work item. No swap is written while the system is suspended.
 */
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/module.h>
#include <linux/shrinker.h>
#include <linux/sizes.h>
#include <linux/workqueue.h>

#include "core/pressure.h"
#include "core/vm.h"

/* The scanner's share of one pCPU is one part in so many. */
#define SCAN_SHARE	200
/* It sleeps after so long, at most. */
#define SCAN_NS		(500 * NSEC_PER_USEC)

/* What one VM gives before it is asked again who has most. */
#define GIVE_BYTES	SZ_8M
/* What is taken when a VM finds the host out of memory. */
#define KICK_PAGES	(SZ_4M >> PAGE_SHIFT)

static unsigned int scan_ms = 5000;
module_param(scan_ms, uint, 0644);
MODULE_PARM_DESC(scan_ms, "Milliseconds between two looks at which memory a guest uses, 0 for never");

static struct workqueue_struct *wq;
static struct shrinker *shrinker;
static atomic64_t scan_ns;
static u64 began;
/* The scanner's: the next VM, and idle bytes of those before it. */
static u32 scan_next;
static u64 scan_idle;
/* Pages that VMs could give, as of the last time that somebody looked. */
static atomic_long_t can_give;
/* Pages that the host asks for. */
static atomic_long_t wanted;
/* Whether a VM's vCPU waits for them. */
static bool urgent;

u64 hvmm_pressure_scan_ns(void)
{
	return atomic64_read(&scan_ns);
}

u64 hvmm_pressure_age_ns(void)
{
	return ktime_get_ns() - began;
}

/* Bytes that a VM has above its mem-min, and what of them is idle. */
static u64 above_min(struct hvmm_vm *vm, u64 *idle)
{
	u64 held = hvmm_mem_quota_held(&vm->mem.quota), min = READ_ONCE(vm->mem.quota.min);
	u64 above = held > min ? held - min : 0;
	struct hvmm_idle_figures figures;

	hvmm_mem_idle_read(&vm->mem, &figures);
	*idle = min(figures.idle, above);
	return above;
}

static void scan_worker(struct work_struct *work);
static DECLARE_DELAYED_WORK(scan_work, scan_worker);

static void scan_worker(struct work_struct *work)
{
	u64 period = (u64)READ_ONCE(scan_ms) * NSEC_PER_MSEC, begin = ktime_get_ns(), spent;
	unsigned long delay = 1;
	struct hvmm_vm *vm;
	bool busy = false;
	u64 idle;

	do {
		vm = hvmm_vm_next(&scan_next);
		if (!vm)
			break;
		scan_next++;
		if (period)
			busy |= hvmm_mem_idle_scan(&vm->mem, ktime_get_ns(), period);
		/* Userspace takes pages, too, and nobody looks then. */
		hvmm_mem_reclaim_check(&vm->mem);
		above_min(vm, &idle);
		scan_idle += idle;
		hvmm_vm_put(vm);
		spent = ktime_get_ns() - begin;
	} while (spent < SCAN_NS);

	spent = ktime_get_ns() - begin;
	atomic64_add(spent, &scan_ns);
	if (!vm) {
		atomic_long_set(&can_give, scan_idle >> PAGE_SHIFT);
		scan_idle = 0;
		scan_next = 0;
		if (!busy)
			delay = period ? clamp(nsecs_to_jiffies(period / 8), 1UL,
					       (unsigned long)HZ) : HZ;
	}
	delay = max(delay, nsecs_to_jiffies(spent * (SCAN_SHARE - 1)) + 1);
	queue_delayed_work(wq, &scan_work, delay);
}

/* The VM that has most to give, with a reference. */
static struct hvmm_vm *richest(bool idle_only, u64 *most, u64 *sum)
{
	struct hvmm_vm *vm, *best = NULL;
	u64 above, idle;
	u32 id = 0;

	*most = 0;
	*sum = 0;
	for (; (vm = hvmm_vm_next(&id)); id++) {
		above = above_min(vm, &idle);
		*sum += idle;
		if (!idle_only)
			idle = above;
		if (idle > *most) {
			if (best)
				hvmm_vm_put(best);
			best = vm;
			*most = idle;
		} else {
			hvmm_vm_put(vm);
		}
	}
	return best;
}

/* Return: bytes given. */
static u64 give(u64 bytes, bool idle_only)
{
	u64 got = 0, most, sum, part;
	struct hvmm_vm *vm;
	s64 ret;

	while (got < bytes) {
		vm = richest(idle_only, &most, &sum);
		atomic_long_set(&can_give, sum >> PAGE_SHIFT);
		if (!vm)
			break;
		part = min3(bytes - got, most, (u64)GIVE_BYTES);
		ret = hvmm_mem_reclaim(&vm->mem, part, READ_ONCE(vm->mem.quota.min),
				       idle_only ? HVMM_EFFORT_IDLE : HVMM_EFFORT_ALL);
		hvmm_vm_put(vm);
		/* What was thought idle is in use again: the next scan will tell. */
		if (ret <= 0)
			break;
		got += ret;
		cond_resched();
	}
	return got;
}

static void give_worker(struct work_struct *work)
{
	u64 bytes = (u64)atomic_long_xchg(&wanted, 0) << PAGE_SHIFT, got;
	bool hard = xchg(&urgent, false);

	got = give(bytes, true);
	if (hard && got < bytes)
		give(bytes - got, false);
}

static DECLARE_WORK(give_work, give_worker);

void hvmm_pressure_kick(void)
{
	if (atomic_long_read(&wanted) < KICK_PAGES)
		atomic_long_add(KICK_PAGES, &wanted);
	WRITE_ONCE(urgent, true);
	queue_work(wq, &give_work);
}

static unsigned long shrink_count(struct shrinker *s, struct shrink_control *sc)
{
	return atomic_long_read(&can_give) ?: SHRINK_EMPTY;
}

static unsigned long shrink_scan(struct shrinker *s, struct shrink_control *sc)
{
	if (atomic_long_read(&wanted) < (long)sc->nr_to_scan)
		atomic_long_add(sc->nr_to_scan, &wanted);
	queue_work(wq, &give_work);
	return SHRINK_STOP;
}

int hvmm_pressure_init(void)
{
	wq = alloc_workqueue("hvmm_memory", WQ_UNBOUND | WQ_MEM_RECLAIM | WQ_FREEZABLE, 0);
	if (!wq)
		return -ENOMEM;
	shrinker = shrinker_alloc(0, "hvmm");
	if (!shrinker) {
		destroy_workqueue(wq);
		return -ENOMEM;
	}
	began = ktime_get_ns();
	shrinker->count_objects = shrink_count;
	shrinker->scan_objects = shrink_scan;
	shrinker_register(shrinker);
	queue_delayed_work(wq, &scan_work, HZ);
	return 0;
}

void hvmm_pressure_exit(void)
{
	shrinker_free(shrinker);
	cancel_work_sync(&give_work);
	cancel_delayed_work_sync(&scan_work);
	destroy_workqueue(wq);
}
