// SPDX-License-Identifier: GPL-2.0
/* The bus: ranges, order, overlap, and a random comparison with a plain list. */
#include <errno.h>
#include <string.h>

#include <linux/gfp_types.h>
#include <linux/kernel.h>
#include <linux/rcupdate.h>
#include <linux/types.h>

#include "check.h"
#include "core/bus.h"
#include "rng.h"

unsigned int check_failed;
unsigned int fake_fail_in;
int fake_rcu_depth;
unsigned int fake_rcu_periods;
struct rcu_head *fake_rcu_list;

/* A device that remembers its last access. */
struct fake_dev {
	struct hvmm_bus_dev dev;
	unsigned int reads, writes, released;
	u64 offset;
	unsigned int len;
	bool pass;
	int order;
};

/* As a runner does it: with preemption off. */
static int bus_read(struct hvmm_bus *bus, u64 addr, unsigned int len, void *val)
{
	int ret;

	fake_rcu_depth++;
	ret = hvmm_bus_read(bus, NULL, addr, len, val);
	fake_rcu_depth--;
	return ret;
}

static int bus_write(struct hvmm_bus *bus, u64 addr, unsigned int len, const void *val)
{
	int ret;

	fake_rcu_depth++;
	ret = hvmm_bus_write(bus, NULL, addr, len, val);
	fake_rcu_depth--;
	return ret;
}

static int bus_quick(struct hvmm_bus *bus, u64 addr, unsigned int len, bool write, void *val)
{
	int ret;

	fake_rcu_depth++;
	ret = hvmm_bus_quick(bus, NULL, addr, len, write, val);
	fake_rcu_depth--;
	return ret;
}

static struct fake_dev *to_fake(struct hvmm_bus_dev *dev)
{
	return (struct fake_dev *)dev;
}

static int fake_read(struct hvmm_bus_dev *dev, struct hvmm_vcpu *vcpu, u64 offset,
		     unsigned int len, void *val)
{
	struct fake_dev *f = to_fake(dev);

	CHECK(fake_rcu_depth == 1);
	CHECK(!f->released);
	CHECK(offset < dev->len && len <= dev->len - offset);
	f->reads++;
	f->offset = offset;
	f->len = len;
	if (f->pass)
		return -EOPNOTSUPP;
	memset(val, 0x42, len);
	return 0;
}

static int fake_write(struct hvmm_bus_dev *dev, struct hvmm_vcpu *vcpu, u64 offset,
		      unsigned int len, const void *val)
{
	struct fake_dev *f = to_fake(dev);

	CHECK(!f->released);
	f->writes++;
	f->offset = offset;
	f->len = len;
	return f->pass ? -EOPNOTSUPP : 0;
}

static void fake_release(struct hvmm_bus_dev *dev)
{
	CHECK(!fake_rcu_depth);
	/* Whoever could still use it has gone. */
	CHECK(fake_rcu_periods);
	to_fake(dev)->released++;
}

static const struct hvmm_bus_ops fake_ops = {
	.read = fake_read,
	.write = fake_write,
	.release = fake_release,
};

static const struct hvmm_bus_ops write_only_ops = {
	.write = fake_write,
	.release = fake_release,
};

static void fake_init(struct fake_dev *f, u64 base, u64 len)
{
	memset(f, 0, sizeof(*f));
	f->dev.ops = &fake_ops;
	f->dev.base = base;
	f->dev.len = len;
}

static void bus_del(struct hvmm_bus *bus, struct fake_dev *f)
{
	fake_rcu_periods = 0;
	hvmm_bus_del(bus, &f->dev);
}

static void bus_end(struct hvmm_bus *bus)
{
	/* At the end nobody reads any more: no grace period is needed, or waited for. */
	fake_rcu_periods = 1;
	hvmm_bus_exit(bus);
	CHECK(!bus->table);
	CHECK(!fake_rcu_depth);
	synchronize_rcu();
}

static void test_empty(void)
{
	struct hvmm_bus bus;
	u64 val = 7;

	hvmm_bus_init(&bus);
	CHECK_EQ(-bus_read(&bus, 0x60, 1, &val), EOPNOTSUPP);
	CHECK_EQ(-bus_write(&bus, 0x60, 1, &val), EOPNOTSUPP);
	CHECK_EQ(val, 7);
	bus_end(&bus);
}

static void test_ranges(void)
{
	struct fake_dev bad, low, high, top;
	struct hvmm_bus bus;
	u64 val = 0;

	hvmm_bus_init(&bus);
	fake_init(&bad, 5, 0);
	CHECK_EQ(-hvmm_bus_add(&bus, &bad.dev), EINVAL);
	fake_init(&bad, ~0ULL, 2);
	CHECK_EQ(-hvmm_bus_add(&bus, &bad.dev), EINVAL);

	fake_init(&high, 0x100, 8);
	fake_init(&low, 0x10, 4);
	fake_init(&top, ~0ULL, 1);
	CHECK_EQ(hvmm_bus_add(&bus, &high.dev), 0);
	CHECK_EQ(hvmm_bus_add(&bus, &low.dev), 0);
	CHECK_EQ(hvmm_bus_add(&bus, &top.dev), 0);

	CHECK_EQ(-bus_read(&bus, 0xf, 1, &val), EOPNOTSUPP);
	CHECK_EQ(-bus_read(&bus, 0xf, 2, &val), EOPNOTSUPP);
	CHECK_EQ(bus_read(&bus, 0x13, 1, &val), 0);
	CHECK_EQ(low.offset, 3);
	CHECK_EQ(val, 0x42);
	CHECK_EQ(-bus_read(&bus, 0x13, 2, &val), EOPNOTSUPP);
	CHECK_EQ(-bus_read(&bus, 0x14, 1, &val), EOPNOTSUPP);
	CHECK_EQ(bus_write(&bus, 0x100, 8, &val), 0);
	CHECK_EQ(high.len, 8);
	CHECK_EQ(-bus_write(&bus, 0x101, 8, &val), EOPNOTSUPP);
	CHECK_EQ(bus_read(&bus, ~0ULL, 1, &val), 0);
	/* Wraps to 0: nobody's. */
	CHECK_EQ(-bus_read(&bus, ~0ULL, 2, &val), EOPNOTSUPP);
	CHECK_EQ(low.reads + high.reads + top.reads, 2);

	bus_end(&bus);
	CHECK_EQ(low.released + high.released + top.released, 3);
	CHECK_EQ(bad.released, 0);
}

/* Interrupts may be off: only devices that say so are asked, and nobody before them is left out. */
static void test_quick(void)
{
	struct fake_dev slow, quick, wide;
	struct hvmm_bus bus;
	u64 val = 0;

	hvmm_bus_init(&bus);
	CHECK_EQ(-bus_quick(&bus, 0x60, 1, false, &val), EOPNOTSUPP);
	fake_init(&slow, 0x60, 4);
	fake_init(&quick, 0x80, 4);
	quick.dev.quick = true;
	CHECK_EQ(hvmm_bus_add(&bus, &slow.dev), 0);
	CHECK_EQ(hvmm_bus_add(&bus, &quick.dev), 0);

	CHECK_EQ(-bus_quick(&bus, 0x60, 1, true, &val), EAGAIN);
	CHECK_EQ(slow.writes, 0);
	CHECK_EQ(bus_quick(&bus, 0x81, 1, true, &val), 0);
	CHECK_EQ(quick.writes, 1);
	CHECK_EQ(quick.offset, 1);
	CHECK_EQ(bus_quick(&bus, 0x82, 2, false, &val), 0);
	CHECK_EQ(quick.reads, 1);
	CHECK_EQ(val, 0x4242);
	CHECK_EQ(-bus_quick(&bus, 0x83, 2, false, &val), EOPNOTSUPP);
	/* It declines: whoever else is there is for the others to ask. */
	quick.pass = true;
	CHECK_EQ(-bus_quick(&bus, 0x80, 4, true, &val), EOPNOTSUPP);

	/* One that must be asked first, with interrupts on. */
	quick.pass = false;
	quick.writes = 0;
	fake_init(&wide, 0x70, 0x20);
	CHECK_EQ(hvmm_bus_add(&bus, &wide.dev), 0);
	CHECK_EQ(-bus_quick(&bus, 0x80, 4, true, &val), EAGAIN);
	CHECK_EQ(quick.writes + wide.writes, 0);
	bus_end(&bus);
}

static void test_order(void)
{
	struct fake_dev dev[4], wide;
	struct hvmm_bus bus;
	unsigned int i;
	u64 val;

	hvmm_bus_init(&bus);
	for (i = 0; i < 4; i++) {
		fake_init(&dev[i], 0x1000, 4);
		dev[i].pass = i < 2;
		CHECK_EQ(hvmm_bus_add(&bus, &dev[i].dev), 0);
	}
	dev[0].dev.ops = &write_only_ops;

	/* The first two decline, the third takes it, the fourth is not asked. */
	CHECK_EQ(bus_write(&bus, 0x1000, 4, &val), 0);
	CHECK_EQ(dev[0].writes, 1);
	CHECK_EQ(dev[1].writes, 1);
	CHECK_EQ(dev[2].writes, 1);
	CHECK_EQ(dev[3].writes, 0);
	CHECK_EQ(bus_read(&bus, 0x1000, 4, &val), 0);
	CHECK_EQ(dev[0].reads, 0);
	CHECK_EQ(dev[2].reads, 1);

	/* One around all of them is found where they do not reach. */
	fake_init(&wide, 0x800, 0x1000);
	CHECK_EQ(hvmm_bus_add(&bus, &wide.dev), 0);
	CHECK_EQ(bus_read(&bus, 0x17ff, 1, &val), 0);
	CHECK_EQ(wide.offset, 0xfff);
	CHECK_EQ(bus_read(&bus, 0x1002, 4, &val), 0);
	CHECK_EQ(wide.offset, 0x802);

	bus_del(&bus, &dev[2]);
	CHECK_EQ(dev[2].released, 1);
	bus_del(&bus, &wide);
	CHECK_EQ(bus_write(&bus, 0x1000, 4, &val), 0);
	CHECK_EQ(dev[3].writes, 1);
	/* Not there any more: nothing happens. */
	bus_del(&bus, &dev[2]);
	CHECK_EQ(dev[2].released, 1);

	bus_end(&bus);
	for (i = 0; i < 4; i++)
		CHECK_EQ(dev[i].released, 1);
}

static void test_limits(void)
{
	static struct fake_dev dev[1025];
	struct hvmm_bus bus;
	unsigned int i;
	u64 val;

	hvmm_bus_init(&bus);
	for (i = 0; i < 1025; i++)
		fake_init(&dev[i], 16 * (1025 - i), 16);

	fake_fail_in = 1;
	CHECK_EQ(-hvmm_bus_add(&bus, &dev[0].dev), ENOMEM);
	CHECK_EQ(-bus_read(&bus, dev[0].dev.base, 1, &val), EOPNOTSUPP);

	for (i = 0; i < 1024; i++)
		CHECK_EQ(hvmm_bus_add(&bus, &dev[i].dev), 0);
	CHECK_EQ(-hvmm_bus_add(&bus, &dev[1024].dev), ENOSPC);
	bus_del(&bus, &dev[500]);
	fake_fail_in = 1;
	CHECK_EQ(-hvmm_bus_add(&bus, &dev[1024].dev), ENOMEM);
	CHECK_EQ(hvmm_bus_add(&bus, &dev[1024].dev), 0);
	for (i = 0; i < 1025; i++)
		CHECK_EQ(-bus_read(&bus, dev[i].dev.base, 1, &val),
			 i == 500 ? EOPNOTSUPP : 0);

	bus_end(&bus);
	for (i = 0; i < 1025; i++)
		CHECK_EQ(dev[i].released, 1);
}

/* Who must be asked first: the lowest base, then the oldest. */
static struct fake_dev *model_find(struct fake_dev *dev, unsigned int n, const bool *on,
				   u64 addr, unsigned int len)
{
	struct fake_dev *best = NULL;
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct fake_dev *f = &dev[i];

		if (!on[i] || addr < f->dev.base || addr + len > f->dev.base + f->dev.len)
			continue;
		if (!best || f->dev.base < best->dev.base ||
		    (f->dev.base == best->dev.base && f->order < best->order))
			best = f;
	}
	return best;
}

static void test_random(void)
{
	static struct fake_dev dev[64];
	static const u8 lens[] = { 1, 2, 4, 8 };
	bool on[64] = { 0 };
	struct hvmm_bus bus;
	int order = 0;
	unsigned int i, step;

	hvmm_bus_init(&bus);
	for (step = 0; step < 200000; step++) {
		unsigned int len = lens[rng_below(4)];
		struct fake_dev *want;
		u64 addr, val;
		int ret;

		i = rng_below(64);
		if (rng_below(20) == 0) {
			if (on[i]) {
				bus_del(&bus, &dev[i]);
				CHECK_EQ(dev[i].released, 1);
			} else {
				fake_init(&dev[i], rng_below(256),
					  1 + rng_below(rng_below(8) ? 16 : 200));
				dev[i].order = order++;
				CHECK_EQ(hvmm_bus_add(&bus, &dev[i].dev), 0);
			}
			on[i] = !on[i];
		}
		addr = rng_below(300);
		want = model_find(dev, 64, on, addr, len);
		if (want)
			want->reads = 0;
		ret = bus_read(&bus, addr, len, &val);
		CHECK_EQ(-ret, want ? 0 : EOPNOTSUPP);
		if (want) {
			CHECK_EQ(want->reads, 1);
			CHECK_EQ(want->offset, addr - want->dev.base);
		}
		if (check_failed)
			break;
	}
	bus_end(&bus);
	for (i = 0; i < 64; i++)
		if (on[i])
			CHECK_EQ(dev[i].released, 1);
}

int main(void)
{
	static const struct check_case cases[] = {
		{ "a bus without devices claims nothing", test_empty },
		{ "ranges and their edges", test_ranges },
		{ "order of being asked", test_order },
		{ "devices that need no interrupts", test_quick },
		{ "full bus and failing allocations", test_limits },
		{ "random devices against a plain list", test_random },
	};

	return check_main(cases, ARRAY_SIZE(cases));
}
