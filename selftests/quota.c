// SPDX-License-Identifier: GPL-2.0
/*
 * Quotas and pCPUs through netlink: what is not given stays, several VMs change
 * together or not at all, every refusal names its attribute, the generation keeps
 * changes apart, events tell of each. The VMs made here are named quo-*, and are
 * removed at the end; pCPUs and the host's share are as they are by default then.
 */
#include <sched.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "nl.h"

#define RAM	(2ULL << 20)
#define PPM	1000000

static struct nl_msg msg;

struct quota {
	unsigned int nr;
	uint8_t cmd;
	uint32_t id;
	char name[HVMM_NAME_MAX + 1];
	uint64_t weight, max, period, burst, min, stall, generation;
	int affinity_len;
	uint8_t affinity[HVMM_CPU_MASK_MAX];
};

static void quota_fill(void *arg, uint8_t cmd, struct nlattr *attrs, int len)
{
	struct nlattr *mask = nl_find(attrs, len, HVMM_A_VM_CPU_AFFINITY);
	const char *name = nl_get_str(attrs, len, HVMM_A_VM_NAME);
	struct quota *q = arg;

	q->nr++;
	q->cmd = cmd;
	q->id = nl_get(attrs, len, HVMM_A_VM_ID);
	q->weight = nl_get(attrs, len, HVMM_A_VM_CPU_WEIGHT);
	q->max = nl_get(attrs, len, HVMM_A_VM_CPU_MAX);
	q->period = nl_get(attrs, len, HVMM_A_VM_CPU_PERIOD);
	q->burst = nl_get(attrs, len, HVMM_A_VM_CPU_BURST);
	q->min = nl_get(attrs, len, HVMM_A_VM_CPU_MIN);
	q->stall = nl_get(attrs, len, HVMM_A_VM_CPU_STALL);
	q->generation = nl_get(attrs, len, HVMM_A_VM_GENERATION);
	snprintf(q->name, sizeof(q->name), "%s", name ?: "");
	memset(q->affinity, 0, sizeof(q->affinity));
	q->affinity_len = mask ? nl_len(mask) : -1;
	if (q->affinity_len > 0 && q->affinity_len <= (int)sizeof(q->affinity))
		memcpy(q->affinity, nl_data(mask), q->affinity_len);
}

static struct quota get(struct nl *nl, uint32_t id)
{
	struct quota q = {};

	nl_begin(nl, &msg, nl->family, 0, HVMM_CMD_VM_GET);
	nl_put_u32(&msg, HVMM_A_VM_ID, id);
	if (nl_talk(nl, &msg, quota_fill, &q))
		q.nr = 0;
	return q;
}

static bool same(const struct quota *a, const struct quota *b)
{
	return a->nr == 1 && b->nr == 1 && a->weight == b->weight && a->max == b->max &&
	       a->period == b->period && a->burst == b->burst && a->min == b->min &&
	       a->affinity_len == b->affinity_len &&
	       !memcmp(a->affinity, b->affinity, sizeof(a->affinity));
}

static void delete_one(void *arg, uint8_t cmd, struct nlattr *attrs, int len)
{
	const char *name = nl_get_str(attrs, len, HVMM_A_VM_NAME);
	uint32_t *id = arg;

	if (name && !strncmp(name, "quo-", 4))
		*id = nl_get(attrs, len, HVMM_A_VM_ID);
}

static void cleanup(struct nl *nl)
{
	uint32_t id;

	do {
		id = 0;
		nl_begin(nl, &msg, nl->family, NLM_F_DUMP, HVMM_CMD_VM_GET);
		nl_talk(nl, &msg, delete_one, &id);
		if (id)
			nl_verb(nl, HVMM_CMD_VM_DEL, id);
	} while (id);
	nl_begin(nl, &msg, nl->family, 0, HVMM_CMD_PCPU_SET);
	nl_put(&msg, HVMM_A_PCPU_USE, NULL, 0);
	nl_put_u32(&msg, HVMM_A_PCPU_HOST_SHARE, 100000);
	nl_talk(nl, &msg, NULL, NULL);
}

static void new_begin(struct nl *nl, const char *name, int fd)
{
	nl_begin(nl, &msg, nl->family, 0, HVMM_CMD_VM_NEW);
	nl_put_str(&msg, HVMM_A_VM_NAME, name);
	nl_put_u32(&msg, HVMM_A_VM_VCPUS, 1);
	nl_put_u64(&msg, HVMM_A_VM_MEMORY, RAM);
	nl_put_u32(&msg, HVMM_A_VM_RAM_FD, fd);
}

static void set_begin(struct nl *nl)
{
	nl_begin(nl, &msg, nl->family, 0, HVMM_CMD_VM_SET);
}

static size_t change(uint32_t id)
{
	size_t nest = nl_nest(&msg, HVMM_A_VM_CHANGE);

	nl_put_u32(&msg, HVMM_A_VM_ID, id);
	return nest;
}

static void change_u32(uint32_t id, int attr, uint32_t value)
{
	size_t nest = change(id);

	nl_put_u32(&msg, attr, value);
	nl_nest_end(&msg, nest);
}

static void change_u64(uint32_t id, int attr, uint64_t value)
{
	size_t nest = change(id);

	nl_put_u64(&msg, attr, value);
	nl_nest_end(&msg, nest);
}

FIXTURE(quota)
{
	struct nl nl;
	int fd;
	uint32_t a, b;
};

FIXTURE_SETUP(quota)
{
	struct quota q = {};

	ASSERT_EQ(0, nl_open(&self->nl)) {
		TH_LOG("no netlink family hvmm: is the module loaded?");
	}
	cleanup(&self->nl);
	self->fd = nl_ram(RAM);
	ASSERT_LE(0, self->fd);
	new_begin(&self->nl, "quo-a", self->fd);
	ASSERT_EQ(0, nl_talk(&self->nl, &msg, quota_fill, &q)) {
		TH_LOG("%s", self->nl.text);
	}
	self->a = q.id;
	new_begin(&self->nl, "quo-b", self->fd);
	ASSERT_EQ(0, nl_talk(&self->nl, &msg, quota_fill, &q));
	self->b = q.id;
}

FIXTURE_TEARDOWN(quota)
{
	cleanup(&self->nl);
	close(self->fd);
	close(self->nl.fd);
}

/* Send the request in msg: refused with words, and with the attribute's name. */
#define EXPECT_REFUSED(error, attr, nest)					\
	do {									\
		EXPECT_EQ(-(error), nl_talk(&self->nl, &msg, NULL, NULL));	\
		EXPECT_NE('\0', self->nl.text[0]);				\
		EXPECT_EQ(attr, self->nl.bad) {					\
			TH_LOG("words: %s", self->nl.text);			\
		}								\
		EXPECT_EQ(nest, self->nl.bad_in);				\
	} while (0)

#define EXPECT_DONE()								\
	EXPECT_EQ(0, nl_talk(&self->nl, &msg, NULL, NULL)) {			\
		TH_LOG("%s", self->nl.text);					\
	}

/* One change with one attribute of any bytes. */
#define REFUSED_CHANGE(error, attr, data, len)					\
	do {									\
		size_t nest_;							\
										\
		set_begin(&self->nl);						\
		nest_ = change(self->a);					\
		nl_put(&msg, attr, data, len);					\
		nl_nest_end(&msg, nest_);					\
		EXPECT_REFUSED(error, attr, HVMM_A_VM_CHANGE);			\
	} while (0)

TEST_F(quota, defaults)
{
	struct quota q = get(&self->nl, self->a);

	EXPECT_EQ(1, q.nr);
	EXPECT_EQ(100, q.weight);
	EXPECT_EQ(0, q.max);
	EXPECT_EQ(10000000, q.period);
	EXPECT_EQ(0, q.burst);
	EXPECT_EQ(0, q.min);
	EXPECT_EQ(0, q.affinity_len);
	EXPECT_EQ(0, q.stall);
	EXPECT_NE(0, q.generation);
	EXPECT_NE(UINT64_MAX, q.generation);
}

TEST_F(quota, new_with_a_quota)
{
	const uint8_t cpu0 = 1;
	struct quota q = {}, got;

	new_begin(&self->nl, "quo-c", self->fd);
	nl_put_u32(&msg, HVMM_A_VM_CPU_WEIGHT, 300);
	nl_put_u64(&msg, HVMM_A_VM_CPU_MAX, 5000000);
	nl_put_u64(&msg, HVMM_A_VM_CPU_PERIOD, 20000000);
	nl_put_u32(&msg, HVMM_A_VM_CPU_BURST, 1000000);
	nl_put_u32(&msg, HVMM_A_VM_CPU_MIN, 100000);
	nl_put(&msg, HVMM_A_VM_CPU_AFFINITY, &cpu0, 1);
	EXPECT_EQ(0, nl_talk(&self->nl, &msg, quota_fill, &q)) {
		TH_LOG("%s", self->nl.text);
	}
	EXPECT_EQ(300, q.weight);
	EXPECT_EQ(5000000, q.max);
	EXPECT_EQ(20000000, q.period);
	EXPECT_EQ(1000000, q.burst);
	EXPECT_EQ(100000, q.min);
	EXPECT_LT(0, q.stall);
	if (sysconf(_SC_NPROCESSORS_CONF) > 1) {
		EXPECT_LT(0, q.affinity_len);
		EXPECT_EQ(1, q.affinity[0]);
	}
	got = get(&self->nl, q.id);
	EXPECT_TRUE(same(&q, &got));
}

TEST_F(quota, new_that_is_refused_leaves_nothing)
{
	static const uint32_t weight;
	const uint8_t cpu0 = 1;
	uint32_t generation = get(&self->nl, self->a).generation;
	struct quota q = {};

	new_begin(&self->nl, "quo-c", self->fd);
	nl_put(&msg, HVMM_A_VM_CPU_WEIGHT, &weight, 4);
	EXPECT_REFUSED(ERANGE, HVMM_A_VM_CPU_WEIGHT, NL_NONE);
	/* One vCPU cannot use more than one pCPU. */
	new_begin(&self->nl, "quo-c", self->fd);
	nl_put_u32(&msg, HVMM_A_VM_CPU_MIN, PPM + 1);
	EXPECT_REFUSED(EINVAL, HVMM_A_VM_CPU_MIN, NL_NONE);
	EXPECT_NE(NULL, strstr(self->nl.text, "1000001"));
	/* All of a pCPU is not to be had: some of it is the host's. */
	new_begin(&self->nl, "quo-c", self->fd);
	nl_put_u32(&msg, HVMM_A_VM_CPU_MIN, PPM);
	nl_put(&msg, HVMM_A_VM_CPU_AFFINITY, &cpu0, 1);
	EXPECT_REFUSED(ENOSPC, HVMM_A_VM_CPU_MIN, NL_NONE);
	/* The same name is free, and so is all that can be reserved. */
	nl_begin(&self->nl, &msg, self->nl.family, 0, HVMM_CMD_VM_GET);
	nl_put_str(&msg, HVMM_A_VM_NAME, "quo-c");
	EXPECT_EQ(-ENOENT, nl_talk(&self->nl, &msg, quota_fill, &q));
	EXPECT_EQ(generation, get(&self->nl, self->a).generation);
	new_begin(&self->nl, "quo-c", self->fd);
	nl_put_u32(&msg, HVMM_A_VM_CPU_MIN, 500000);
	EXPECT_DONE();
	/* Nor does a VM have a name that is taken, or a reservation for it. */
	new_begin(&self->nl, "quo-c", self->fd);
	nl_put_u32(&msg, HVMM_A_VM_CPU_MIN, 100000);
	EXPECT_REFUSED(EEXIST, HVMM_A_VM_NAME, NL_NONE);
}

TEST_F(quota, what_is_not_given_stays)
{
	struct quota before = get(&self->nl, self->a), q;

	set_begin(&self->nl);
	change_u32(self->a, HVMM_A_VM_CPU_WEIGHT, 7);
	EXPECT_DONE();
	set_begin(&self->nl);
	change_u64(self->a, HVMM_A_VM_CPU_MAX, 2500000);
	EXPECT_DONE();
	q = get(&self->nl, self->a);
	EXPECT_EQ(7, q.weight);
	EXPECT_EQ(2500000, q.max);
	EXPECT_EQ(before.period, q.period);
	EXPECT_EQ(before.affinity_len, q.affinity_len);
	EXPECT_EQ(100, get(&self->nl, self->b).weight);
	set_begin(&self->nl);
	change_u64(self->a, HVMM_A_VM_CPU_MAX, 0);
	EXPECT_DONE();
	EXPECT_EQ(0, get(&self->nl, self->a).max);
}

TEST_F(quota, several_vms_or_none)
{
	struct quota a = get(&self->nl, self->a), b = get(&self->nl, self->b), q;
	size_t nest;

	/* The last of them is bad: in itself, in what all want together, not there at all. */
	set_begin(&self->nl);
	change_u32(self->a, HVMM_A_VM_CPU_WEIGHT, 7);
	nest = change(self->b);
	nl_put_u64(&msg, HVMM_A_VM_CPU_MAX, 1000000);
	nl_put_u32(&msg, HVMM_A_VM_CPU_MIN, 200000);
	nl_nest_end(&msg, nest);
	EXPECT_REFUSED(EINVAL, HVMM_A_VM_CPU_MIN, HVMM_A_VM_CHANGE);
	set_begin(&self->nl);
	change_u32(self->a, HVMM_A_VM_CPU_WEIGHT, 7);
	change_u32(UINT32_MAX, HVMM_A_VM_CPU_WEIGHT, 7);
	EXPECT_REFUSED(ENOENT, HVMM_A_VM_ID, HVMM_A_VM_CHANGE);
	set_begin(&self->nl);
	change_u32(self->a, HVMM_A_VM_CPU_WEIGHT, 7);
	change_u32(self->b, HVMM_A_VM_CPU_WEIGHT, 7);
	change_u32(self->b, HVMM_A_VM_CPU_WEIGHT, HVMM_CPU_WEIGHT_MAX + 1);
	EXPECT_REFUSED(ERANGE, HVMM_A_VM_CPU_WEIGHT, HVMM_A_VM_CHANGE);
	q = get(&self->nl, self->a);
	EXPECT_TRUE(same(&a, &q));
	EXPECT_EQ(a.generation, q.generation);
	q = get(&self->nl, self->b);
	EXPECT_TRUE(same(&b, &q));

	set_begin(&self->nl);
	change_u32(self->a, HVMM_A_VM_CPU_WEIGHT, 7);
	change_u32(self->b, HVMM_A_VM_CPU_WEIGHT, 8);
	EXPECT_DONE();
	EXPECT_EQ(7, get(&self->nl, self->a).weight);
	EXPECT_EQ(8, get(&self->nl, self->b).weight);
}

struct free_cpu {
	uint64_t reserved, free, share, generation, pcpus;
};

static void free_fill(void *arg, uint8_t cmd, struct nlattr *attrs, int len)
{
	struct free_cpu *f = arg;

	f->reserved = nl_get(attrs, len, HVMM_A_HOST_CPU_RESERVED);
	f->free = nl_get(attrs, len, HVMM_A_HOST_CPU_FREE);
	f->share = nl_get(attrs, len, HVMM_A_HOST_HOST_SHARE);
	f->generation = nl_get(attrs, len, HVMM_A_HOST_GENERATION);
	f->pcpus = nl_get(attrs, len, HVMM_A_HOST_PCPUS);
}

static struct free_cpu host(struct nl *nl)
{
	struct free_cpu f = {};

	nl_begin(nl, &msg, nl->family, 0, HVMM_CMD_HOST_GET);
	nl_talk(nl, &msg, free_fill, &f);
	return f;
}

TEST_F(quota, reservations_are_admitted_together)
{
	struct free_cpu before = host(&self->nl), now;
	unsigned int bound;
	uint8_t cpu0 = 1;
	size_t nest;
	char *words;

	EXPECT_EQ(0, before.reserved);
	EXPECT_LT(0, before.free);
	/* On one pCPU, so that it does not matter how many there are. */
	set_begin(&self->nl);
	nest = change(self->a);
	nl_put_u32(&msg, HVMM_A_VM_CPU_MIN, 500000);
	nl_put(&msg, HVMM_A_VM_CPU_AFFINITY, &cpu0, 1);
	nl_nest_end(&msg, nest);
	nest = change(self->b);
	nl_put_u32(&msg, HVMM_A_VM_CPU_MIN, 100000);
	nl_put(&msg, HVMM_A_VM_CPU_AFFINITY, &cpu0, 1);
	nl_nest_end(&msg, nest);
	EXPECT_DONE();
	now = host(&self->nl);
	EXPECT_EQ(600000, now.reserved);
	EXPECT_LT(now.free, before.free);

	/* It is said how much is possible: that is granted, one more is not. */
	set_begin(&self->nl);
	change_u32(self->b, HVMM_A_VM_CPU_MIN, 600000);
	EXPECT_REFUSED(ENOSPC, HVMM_A_VM_CPU_MIN, HVMM_A_VM_CHANGE);
	words = strstr(self->nl.text, "600000 ppm asked, at most ");
	ASSERT_NE(NULL, words) {
		TH_LOG("words: %s", self->nl.text);
	}
	bound = strtoul(words + strlen("600000 ppm asked, at most "), &words, 10);
	EXPECT_STREQ(" ppm can be reserved", words);
	EXPECT_LE(100000, bound);
	EXPECT_GT(600000, bound);
	set_begin(&self->nl);
	change_u32(self->b, HVMM_A_VM_CPU_MIN, bound + 1);
	EXPECT_REFUSED(ENOSPC, HVMM_A_VM_CPU_MIN, HVMM_A_VM_CHANGE);
	EXPECT_EQ(100000, get(&self->nl, self->b).min);
	set_begin(&self->nl);
	change_u32(self->b, HVMM_A_VM_CPU_MIN, bound);
	EXPECT_DONE();

	/* They change places, which neither could alone. */
	set_begin(&self->nl);
	change_u32(self->b, HVMM_A_VM_CPU_MIN, 500000);
	EXPECT_REFUSED(ENOSPC, HVMM_A_VM_CPU_MIN, HVMM_A_VM_CHANGE);
	set_begin(&self->nl);
	change_u32(self->b, HVMM_A_VM_CPU_MIN, 500000);
	change_u32(self->a, HVMM_A_VM_CPU_MIN, bound);
	EXPECT_DONE();

	/* A VM that is destroyed gives its own back at once. */
	EXPECT_EQ(0, nl_verb(&self->nl, HVMM_CMD_VM_DEL, self->b));
	EXPECT_EQ(bound, host(&self->nl).reserved);
	EXPECT_EQ(0, nl_verb(&self->nl, HVMM_CMD_VM_DEL, self->a));
	now = host(&self->nl);
	EXPECT_EQ(0, now.reserved);
	EXPECT_EQ(before.free, now.free);
}

TEST_F(quota, bad_numbers)
{
	static const struct {
		int attr;
		uint64_t value;
		int len;
		int error;
	} bad[] = {
		{ HVMM_A_VM_CPU_WEIGHT, 0, 4, ERANGE },
		{ HVMM_A_VM_CPU_WEIGHT, 10001, 4, ERANGE },
		{ HVMM_A_VM_CPU_WEIGHT, UINT32_MAX, 4, ERANGE },
		{ HVMM_A_VM_CPU_WEIGHT, 1, 8, EINVAL },
		{ HVMM_A_VM_CPU_WEIGHT, 1, 3, EINVAL },
		{ HVMM_A_VM_CPU_WEIGHT, 1, 0, EINVAL },
		{ HVMM_A_VM_CPU_MAX, HVMM_CPU_MAX_MAX + 1, 8, ERANGE },
		{ HVMM_A_VM_CPU_MAX, UINT64_MAX, 8, ERANGE },
		/* Under a thousandth of the period; more than all there can be. */
		{ HVMM_A_VM_CPU_MAX, 1, 8, ERANGE },
		{ HVMM_A_VM_CPU_MAX, 9999, 4, ERANGE },
		{ HVMM_A_VM_CPU_MAX, 40960000001, 8, ERANGE },
		{ HVMM_A_VM_CPU_MAX, 5000000, 2, EINVAL },
		{ HVMM_A_VM_CPU_PERIOD, 0, 8, ERANGE },
		{ HVMM_A_VM_CPU_PERIOD, 999999, 8, ERANGE },
		{ HVMM_A_VM_CPU_PERIOD, 1000000001, 8, ERANGE },
		{ HVMM_A_VM_CPU_PERIOD, UINT64_MAX, 8, ERANGE },
		{ HVMM_A_VM_CPU_BURST, 1000000001, 8, ERANGE },
		{ HVMM_A_VM_CPU_BURST, UINT64_MAX, 8, ERANGE },
		{ HVMM_A_VM_CPU_BURST, 1, 1, EINVAL },
		{ HVMM_A_VM_CPU_MIN, HVMM_CPU_MIN_MAX + 1ULL, 4, ERANGE },
		{ HVMM_A_VM_CPU_MIN, PPM + 1, 4, EINVAL },
		{ HVMM_A_VM_CPU_MIN, 1, 8, EINVAL },
	};
	struct quota before = get(&self->nl, self->a), q;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		REFUSED_CHANGE(bad[i].error, bad[i].attr, &bad[i].value, bad[i].len);
	q = get(&self->nl, self->a);
	EXPECT_TRUE(same(&before, &q));
	EXPECT_EQ(before.generation, q.generation);
}

TEST_F(quota, bad_affinity)
{
	uint8_t mask[HVMM_CPU_MASK_MAX + 1] = {};
	unsigned int cpus = sysconf(_SC_NPROCESSORS_CONF);
	struct quota before = get(&self->nl, self->a), q;

	REFUSED_CHANGE(EINVAL, HVMM_A_VM_CPU_AFFINITY, mask, 1);
	REFUSED_CHANGE(EINVAL, HVMM_A_VM_CPU_AFFINITY, mask, sizeof(mask) - 1);
	mask[0] = 1;
	REFUSED_CHANGE(EINVAL, HVMM_A_VM_CPU_AFFINITY, mask, sizeof(mask));
	mask[HVMM_CPU_MASK_MAX - 1] = 0x80;
	REFUSED_CHANGE(EINVAL, HVMM_A_VM_CPU_AFFINITY, mask, sizeof(mask) - 1);
	q = get(&self->nl, self->a);
	EXPECT_TRUE(same(&before, &q));

	/* Bytes that are left out are 0, bytes too many may be there. */
	mask[HVMM_CPU_MASK_MAX - 1] = 0;
	set_begin(&self->nl);
	{
		size_t nest = change(self->a);

		nl_put(&msg, HVMM_A_VM_CPU_AFFINITY, mask, sizeof(mask) - 1);
		nl_nest_end(&msg, nest);
	}
	EXPECT_DONE();
	if (cpus > 1)
		EXPECT_EQ(1, get(&self->nl, self->a).affinity[0]);
}

TEST_F(quota, bad_nests)
{
	const uint32_t id = self->a;
	size_t nest;
	int i;

	set_begin(&self->nl);
	EXPECT_EQ(-EINVAL, nl_talk(&self->nl, &msg, NULL, NULL));
	EXPECT_EQ(HVMM_A_VM_CHANGE, self->nl.missing);
	/* Not a nest, an empty one, one without a VM, without a change, with both names. */
	set_begin(&self->nl);
	nl_put(&msg, HVMM_A_VM_CHANGE, &id, 4);
	EXPECT_EQ(-EINVAL, nl_talk(&self->nl, &msg, NULL, NULL));
	set_begin(&self->nl);
	nest = nl_nest(&msg, HVMM_A_VM_CHANGE);
	nl_nest_end(&msg, nest);
	EXPECT_REFUSED(EINVAL, HVMM_A_VM_CHANGE, NL_NONE);
	set_begin(&self->nl);
	nest = nl_nest(&msg, HVMM_A_VM_CHANGE);
	nl_put_u32(&msg, HVMM_A_VM_CPU_WEIGHT, 5);
	nl_nest_end(&msg, nest);
	EXPECT_EQ(-EINVAL, nl_talk(&self->nl, &msg, NULL, NULL));
	EXPECT_EQ(HVMM_A_VM_ID, self->nl.missing);
	EXPECT_EQ(HVMM_A_VM_CHANGE, self->nl.missing_in);
	set_begin(&self->nl);
	nest = change(id);
	nl_nest_end(&msg, nest);
	EXPECT_REFUSED(EINVAL, HVMM_A_VM_CHANGE, NL_NONE);
	set_begin(&self->nl);
	nest = change(id);
	nl_put_str(&msg, HVMM_A_VM_NAME, "quo-a");
	nl_put_u32(&msg, HVMM_A_VM_CPU_WEIGHT, 5);
	nl_nest_end(&msg, nest);
	EXPECT_REFUSED(EINVAL, HVMM_A_VM_NAME, HVMM_A_VM_CHANGE);
	/* An attribute of the set, but not of a change; one that does not exist. */
	set_begin(&self->nl);
	change_u32(id, HVMM_A_VM_VCPUS, 5);
	EXPECT_REFUSED(EINVAL, HVMM_A_VM_VCPUS, HVMM_A_VM_CHANGE);
	set_begin(&self->nl);
	change_u32(id, HVMM_A_VM_MAX + 1, 5);
	EXPECT_REFUSED(EINVAL, HVMM_A_VM_MAX + 1, HVMM_A_VM_CHANGE);
	/* The same VM twice, by id and by name. */
	set_begin(&self->nl);
	change_u32(id, HVMM_A_VM_CPU_WEIGHT, 5);
	nest = nl_nest(&msg, HVMM_A_VM_CHANGE);
	nl_put_str(&msg, HVMM_A_VM_NAME, "quo-a");
	nl_put_u32(&msg, HVMM_A_VM_CPU_WEIGHT, 6);
	nl_nest_end(&msg, nest);
	EXPECT_REFUSED(EINVAL, HVMM_A_VM_CHANGE, NL_NONE);
	/* Too many. */
	set_begin(&self->nl);
	for (i = 0; i <= HVMM_CHANGES_MAX; i++)
		change_u32(id + i, HVMM_A_VM_CPU_WEIGHT, 5);
	EXPECT_REFUSED(E2BIG, HVMM_A_VM_CHANGE, NL_NONE);
	EXPECT_EQ(100, get(&self->nl, self->a).weight);
}

/* Every truncation of a good request: done, or refused with nothing changed. */
TEST_F(quota, truncated_requests)
{
	struct quota before = get(&self->nl, self->a), q;
	unsigned int whole, cut;
	struct nlattr *change_attr;
	size_t nest;

	for (cut = 1;; cut++) {
		set_begin(&self->nl);
		nest = change(self->a);
		nl_put_u32(&msg, HVMM_A_VM_CPU_WEIGHT, 50);
		nl_put_u64(&msg, HVMM_A_VM_CPU_BURST, 1000);
		nl_nest_end(&msg, nest);
		change_attr = (struct nlattr *)(msg.buf + nest);
		whole = change_attr->nla_len;
		if (cut >= whole)
			break;
		/* The nest ends early, the message with it. */
		change_attr->nla_len = whole - cut;
		msg.hdr.nlmsg_len = nest + NLA_ALIGN(whole - cut);
		if (!nl_talk(&self->nl, &msg, NULL, NULL)) {
			/* What was left was a whole request: the burst was cut off. */
			q = get(&self->nl, self->a);
			EXPECT_EQ(50, q.weight);
			EXPECT_EQ(0, q.burst);
			set_begin(&self->nl);
			change_u32(self->a, HVMM_A_VM_CPU_WEIGHT, 100);
			EXPECT_DONE();
		}
		q = get(&self->nl, self->a);
		EXPECT_TRUE(same(&before, &q));
	}
}

TEST_F(quota, generation)
{
	uint32_t generation = get(&self->nl, self->a).generation;
	struct quota q = {};

	EXPECT_EQ(generation, host(&self->nl).generation);
	set_begin(&self->nl);
	nl_put_u32(&msg, HVMM_A_VM_GENERATION, generation);
	change_u32(self->a, HVMM_A_VM_CPU_WEIGHT, 5);
	EXPECT_EQ(0, nl_talk(&self->nl, &msg, quota_fill, &q));
	EXPECT_EQ(1, q.nr);
	EXPECT_NE(generation, q.generation);
	/* It has moved on. */
	set_begin(&self->nl);
	nl_put_u32(&msg, HVMM_A_VM_GENERATION, generation);
	change_u32(self->a, HVMM_A_VM_CPU_WEIGHT, 6);
	EXPECT_REFUSED(ESTALE, HVMM_A_VM_GENERATION, NL_NONE);
	EXPECT_EQ(5, get(&self->nl, self->a).weight);
	nl_begin(&self->nl, &msg, self->nl.family, 0, HVMM_CMD_PCPU_SET);
	nl_put_u32(&msg, HVMM_A_PCPU_HOST_SHARE, 200000);
	nl_put_u32(&msg, HVMM_A_PCPU_GENERATION, generation);
	EXPECT_REFUSED(ESTALE, HVMM_A_PCPU_GENERATION, NL_NONE);
	EXPECT_EQ(100000, host(&self->nl).share);
	/* A VM that comes or goes changes it too. */
	generation = get(&self->nl, self->a).generation;
	EXPECT_EQ(0, nl_verb(&self->nl, HVMM_CMD_VM_DEL, self->b));
	EXPECT_NE(generation, get(&self->nl, self->a).generation);
	generation = get(&self->nl, self->a).generation;
	new_begin(&self->nl, "quo-b", self->fd);
	EXPECT_DONE();
	EXPECT_NE(generation, get(&self->nl, self->a).generation);
}

TEST_F(quota, events)
{
	struct quota q = {};
	struct nl listener;

	ASSERT_EQ(0, nl_open(&listener));
	ASSERT_LT(0, listener.quota_group);
	ASSERT_EQ(0, setsockopt(listener.fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP,
				&listener.quota_group, sizeof(listener.quota_group)));
	/* Events have sequence number 0. */
	listener.seq = 0;
	set_begin(&self->nl);
	change_u32(self->a, HVMM_A_VM_CPU_WEIGHT, 5);
	change_u32(self->b, HVMM_A_VM_CPU_WEIGHT, 6);
	EXPECT_DONE();
	EXPECT_EQ(1, nl_recv(&listener, &msg, quota_fill, &q));
	EXPECT_EQ(HVMM_CMD_VM_SET_NTF, q.cmd);
	EXPECT_EQ(self->a, q.id);
	EXPECT_EQ(5, q.weight);
	EXPECT_EQ(1, nl_recv(&listener, &msg, quota_fill, &q));
	EXPECT_EQ(self->b, q.id);
	EXPECT_EQ(6, q.weight);
	/* A refusal is none; the next is what comes after it. */
	set_begin(&self->nl);
	change_u32(self->a, HVMM_A_VM_CPU_MIN, PPM + 1);
	EXPECT_REFUSED(EINVAL, HVMM_A_VM_CPU_MIN, HVMM_A_VM_CHANGE);
	nl_begin(&self->nl, &msg, self->nl.family, 0, HVMM_CMD_PCPU_SET);
	nl_put_u32(&msg, HVMM_A_PCPU_HOST_SHARE, 200000);
	EXPECT_DONE();
	EXPECT_EQ(1, nl_recv(&listener, &msg, quota_fill, &q));
	EXPECT_EQ(HVMM_CMD_PCPU_SET_NTF, q.cmd);
	EXPECT_EQ(3, q.nr);
	close(listener.fd);
}

struct pcpus {
	unsigned int nr;
	uint64_t id[64], online[64], used[64], sum[64], wall[64], domain[64];
};

static void pcpu_add(void *arg, uint8_t cmd, struct nlattr *attrs, int len)
{
	struct pcpus *p = arg;
	unsigned int i = p->nr;

	if (i == 64)
		return;
	p->id[i] = nl_get(attrs, len, HVMM_A_PCPU_ID);
	p->online[i] = nl_get(attrs, len, HVMM_A_PCPU_ONLINE);
	p->used[i] = nl_get(attrs, len, HVMM_A_PCPU_USED);
	p->domain[i] = nl_get(attrs, len, HVMM_A_PCPU_DOMAIN);
	p->wall[i] = nl_get(attrs, len, HVMM_A_PCPU_WALL);
	p->sum[i] = nl_get(attrs, len, HVMM_A_PCPU_RUN) + nl_get(attrs, len, HVMM_A_PCPU_HOST) +
		    nl_get(attrs, len, HVMM_A_PCPU_IDLE);
	p->nr++;
}

static void pcpus(struct nl *nl, struct pcpus *p)
{
	memset(p, 0, sizeof(*p));
	nl_begin(nl, &msg, nl->family, NLM_F_DUMP, HVMM_CMD_PCPU_GET);
	nl_talk(nl, &msg, pcpu_add, p);
}

TEST_F(quota, pcpus_are_listed)
{
	struct pcpus p;
	unsigned int i;

	pcpus(&self->nl, &p);
	EXPECT_LE(sysconf(_SC_NPROCESSORS_ONLN), p.nr);
	for (i = 0; i < p.nr; i++) {
		EXPECT_EQ(p.wall[i], p.sum[i]);
		EXPECT_EQ(1, p.used[i]);
		EXPECT_NE(UINT64_MAX, p.domain[i]);
		if (i)
			EXPECT_LT(p.id[i - 1], p.id[i]);
	}
	memset(&p, 0, sizeof(p));
	nl_begin(&self->nl, &msg, self->nl.family, 0, HVMM_CMD_PCPU_GET);
	nl_put_u32(&msg, HVMM_A_PCPU_ID, 0);
	EXPECT_EQ(0, nl_talk(&self->nl, &msg, pcpu_add, &p));
	EXPECT_EQ(1, p.nr);
	nl_begin(&self->nl, &msg, self->nl.family, 0, HVMM_CMD_PCPU_GET);
	nl_put_u32(&msg, HVMM_A_PCPU_ID, UINT32_MAX);
	EXPECT_REFUSED(ENOENT, HVMM_A_PCPU_ID, NL_NONE);
	nl_begin(&self->nl, &msg, self->nl.family, 0, HVMM_CMD_PCPU_GET);
	EXPECT_EQ(-EINVAL, nl_talk(&self->nl, &msg, NULL, NULL));
	EXPECT_EQ(HVMM_A_PCPU_ID, self->nl.missing);
}

#define USE(bytes, len)								\
	do {									\
		nl_begin(&self->nl, &msg, self->nl.family, 0, HVMM_CMD_PCPU_SET); \
		nl_put(&msg, HVMM_A_PCPU_USE, bytes, len);			\
	} while (0)

TEST_F(quota, pcpus_are_chosen)
{
	uint8_t none = 0, first = 1, second = 2, far[HVMM_CPU_MASK_MAX] = {};
	uint64_t online = host(&self->nl).pcpus;
	size_t nest;

	far[sizeof(far) - 1] = 0x80;
	USE(&none, 1);
	EXPECT_REFUSED(EINVAL, HVMM_A_PCPU_USE, NL_NONE);
	USE(far, sizeof(far));
	EXPECT_REFUSED(EINVAL, HVMM_A_PCPU_USE, NL_NONE);
	nl_begin(&self->nl, &msg, self->nl.family, 0, HVMM_CMD_PCPU_SET);
	EXPECT_EQ(-EINVAL, nl_talk(&self->nl, &msg, NULL, NULL));
	EXPECT_EQ(HVMM_A_PCPU_USE, self->nl.missing);
	if (online < 2)
		SKIP(return, "needs two pCPUs");

	USE(&first, 1);
	EXPECT_DONE();
	EXPECT_EQ(1, host(&self->nl).pcpus);
	/* What hvmm does not use is no place to run. */
	set_begin(&self->nl);
	nest = change(self->a);
	nl_put(&msg, HVMM_A_VM_CPU_AFFINITY, &second, 1);
	nl_nest_end(&msg, nest);
	EXPECT_REFUSED(EINVAL, HVMM_A_VM_CPU_AFFINITY, HVMM_A_VM_CHANGE);
	USE(NULL, 0);
	EXPECT_DONE();
	EXPECT_EQ(online, host(&self->nl).pcpus);
	set_begin(&self->nl);
	nest = change(self->a);
	nl_put(&msg, HVMM_A_VM_CPU_AFFINITY, &second, 1);
	nl_nest_end(&msg, nest);
	EXPECT_DONE();
	/* It would have nowhere to run; nothing of the request is done. */
	USE(&first, 1);
	nl_put_u32(&msg, HVMM_A_PCPU_HOST_SHARE, 300000);
	EXPECT_REFUSED(EBUSY, HVMM_A_PCPU_USE, NL_NONE);
	EXPECT_EQ(online, host(&self->nl).pcpus);
	EXPECT_EQ(100000, host(&self->nl).share);
}

TEST_F(quota, the_hosts_share)
{
	static const uint32_t bad[] = {
		0, HVMM_HOST_SHARE_MIN - 1, HVMM_HOST_SHARE_MAX + 1, UINT32_MAX,
	};
	uint64_t before = host(&self->nl).free;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		nl_begin(&self->nl, &msg, self->nl.family, 0, HVMM_CMD_PCPU_SET);
		nl_put_u32(&msg, HVMM_A_PCPU_HOST_SHARE, bad[i]);
		EXPECT_REFUSED(ERANGE, HVMM_A_PCPU_HOST_SHARE, NL_NONE);
	}
	nl_begin(&self->nl, &msg, self->nl.family, 0, HVMM_CMD_PCPU_SET);
	nl_put_u32(&msg, HVMM_A_PCPU_HOST_SHARE, 400000);
	EXPECT_DONE();
	EXPECT_EQ(400000, host(&self->nl).share);
	EXPECT_GT(before, host(&self->nl).free);
	/* Not what is reserved. */
	set_begin(&self->nl);
	change_u32(self->a, HVMM_A_VM_CPU_MIN, 400000);
	EXPECT_DONE();
	set_begin(&self->nl);
	change_u32(self->b, HVMM_A_VM_CPU_MIN, 400000);
	nl_talk(&self->nl, &msg, NULL, NULL);
	if (host(&self->nl).pcpus <= 4) {
		nl_begin(&self->nl, &msg, self->nl.family, 0, HVMM_CMD_PCPU_SET);
		nl_put_u32(&msg, HVMM_A_PCPU_HOST_SHARE, HVMM_HOST_SHARE_MAX);
		EXPECT_REFUSED(EBUSY, HVMM_A_PCPU_HOST_SHARE, NL_NONE);
	}
	EXPECT_EQ(400000, host(&self->nl).share);
}

/* Without the capability, from here on in this process only. */
static void nobody(struct nl *nl)
{
	if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
		_exit(1);
	close(nl->fd);
	if (nl_open(nl))
		_exit(2);
}

TEST_F(quota, rights)
{
	struct quota q;
	struct pcpus p;
	int status;
	pid_t pid;

	pid = fork();
	if (!pid) {
		nobody(&self->nl);
		q = get(&self->nl, self->a);
		if (q.nr != 1 || q.weight != 100)
			_exit(3);
		pcpus(&self->nl, &p);
		if (!p.nr)
			_exit(4);
		set_begin(&self->nl);
		change_u32(self->a, HVMM_A_VM_CPU_WEIGHT, 5);
		if (nl_talk(&self->nl, &msg, NULL, NULL) != -EPERM || !self->nl.text[0])
			_exit(5);
		nl_begin(&self->nl, &msg, self->nl.family, 0, HVMM_CMD_PCPU_SET);
		nl_put_u32(&msg, HVMM_A_PCPU_HOST_SHARE, 200000);
		if (nl_talk(&self->nl, &msg, NULL, NULL) != -EPERM || !self->nl.text[0])
			_exit(6);
		_exit(0);
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(100, get(&self->nl, self->a).weight);
	EXPECT_EQ(100000, host(&self->nl).share);
}

TEST_HARNESS_MAIN
