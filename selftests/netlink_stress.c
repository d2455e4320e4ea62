// SPDX-License-Identifier: GPL-2.0
/*
 * The netlink family under load: dumps while VMs come and go, and requests made
 * at random. HVMM_SEED repeats a random run, HVMM_ROUNDS sets its length.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "kselftest_harness.h"
#include "nl.h"

#define RAM	(1ULL << 20)
#define STAY	24
/* Of a receive buffer. Figures are long, so that a dump of them takes several rounds. */
#define SMALL	4096

static struct nl_msg msg;

static void begin_new(struct nl *nl, struct nl_msg *m, const char *name, int fd)
{
	nl_begin(nl, m, nl->family, 0, HVMM_CMD_VM_NEW);
	nl_put_str(m, HVMM_A_VM_NAME, name);
	nl_put_u32(m, HVMM_A_VM_VCPUS, 1);
	nl_put_u64(m, HVMM_A_VM_MEMORY, RAM);
	nl_put_u32(m, HVMM_A_VM_RAM_FD, fd);
}

static int new_vm(struct nl *nl, struct nl_msg *m, const char *name, int fd, nl_fn fn,
		  void *arg)
{
	begin_new(nl, m, name, fd);
	return nl_talk(nl, m, fn, arg);
}

static void keep_id(void *arg, uint8_t cmd, struct nlattr *attrs, int len)
{
	*(uint32_t *)arg = nl_get(attrs, len, HVMM_A_VM_ID);
}

/* What a dump of VMs or of their figures has shown. */
struct seen {
	unsigned int nr, stay, disorder;
	uint32_t last;
	uint32_t ours[64];
	unsigned int nr_ours;
};

static void see(void *arg, uint8_t cmd, struct nlattr *attrs, int len)
{
	/* Id and name have the same numbers in both sets. */
	const char *name = nl_get_str(attrs, len, HVMM_A_VM_NAME);
	uint32_t id = nl_get(attrs, len, HVMM_A_VM_ID);
	struct seen *s = arg;

	if (s->nr++ && id <= s->last)
		s->disorder++;
	s->last = id;
	if (!name)
		return;
	if (!strncmp(name, "nls-stay", 8))
		s->stay++;
	if (!strncmp(name, "nls-", 4) && s->nr_ours < 64)
		s->ours[s->nr_ours++] = id;
}

static int dump(struct nl *nl, int cmd, struct seen *s)
{
	int ret;

	memset(s, 0, sizeof(*s));
	nl_begin(nl, &msg, nl->family, NLM_F_DUMP, cmd);
	ret = nl_send(nl, &msg);
	if (ret)
		return ret;
	do {
		ret = nl_recv(nl, &msg, see, s);
	} while (ret > 0);
	return ret;
}

static void cleanup(struct nl *nl)
{
	static struct seen s;
	unsigned int i;

	do {
		if (dump(nl, HVMM_CMD_VM_GET, &s))
			return;
		for (i = 0; i < s.nr_ours; i++)
			nl_verb(nl, HVMM_CMD_VM_DEL, s.ours[i]);
	} while (s.nr_ours);
}

FIXTURE(stress)
{
	struct nl nl;
	int fd;
	uint32_t stay[STAY];
};

FIXTURE_SETUP(stress)
{
	char name[32];
	int i;

	ASSERT_EQ(0, nl_open_size(&self->nl, SMALL)) {
		TH_LOG("no netlink family hvmm: is the module loaded?");
	}
	cleanup(&self->nl);
	self->fd = nl_ram(RAM);
	ASSERT_LE(0, self->fd);
	for (i = 0; i < STAY; i++) {
		snprintf(name, sizeof(name), "nls-stay-%d", i);
		ASSERT_EQ(0, new_vm(&self->nl, &msg, name, self->fd, keep_id, &self->stay[i]));
	}
}

FIXTURE_TEARDOWN(stress)
{
	cleanup(&self->nl);
	close(self->fd);
	close(self->nl.fd);
}

TEST_F(stress, quiet_dump_is_not_interrupted)
{
	struct seen s;

	EXPECT_EQ(0, dump(&self->nl, HVMM_CMD_STATS_GET, &s));
	EXPECT_EQ(STAY, s.stay);
	EXPECT_EQ(0, s.disorder);
	EXPECT_FALSE(self->nl.interrupted);
	EXPECT_EQ(0, dump(&self->nl, HVMM_CMD_VM_GET, &s));
	EXPECT_EQ(STAY, s.stay);
	EXPECT_FALSE(self->nl.interrupted);
}

static void interrupted_by(struct __test_metadata *_metadata, struct nl *nl, int fd,
			   bool destroy)
{
	struct seen s = {};
	struct nl_msg other;
	struct nl nl2;
	uint32_t id;
	int ret;

	ASSERT_EQ(0, nl_open(&nl2));
	ASSERT_EQ(0, new_vm(&nl2, &other, "nls-comes-0", fd, keep_id, &id));

	nl_begin(nl, &msg, nl->family, NLM_F_DUMP, HVMM_CMD_STATS_GET);
	ASSERT_EQ(0, nl_send(nl, &msg));
	ret = nl_recv(nl, &msg, see, &s);
	ASSERT_EQ(1, ret);
	ASSERT_EQ(0, destroy ? nl_verb(&nl2, HVMM_CMD_VM_DEL, id) :
		     new_vm(&nl2, &other, "nls-comes-1", fd, NULL, NULL));
	while (ret > 0)
		ret = nl_recv(nl, &msg, see, &s);
	EXPECT_EQ(0, ret);
	EXPECT_TRUE(nl->interrupted);
	EXPECT_EQ(STAY, s.stay);
	EXPECT_EQ(0, s.disorder);
	close(nl2.fd);
}

TEST_F(stress, creation_interrupts_a_dump)
{
	interrupted_by(_metadata, &self->nl, self->fd, false);
}

TEST_F(stress, destruction_interrupts_a_dump)
{
	interrupted_by(_metadata, &self->nl, self->fd, true);
}

/* A request whose answer cannot be given has failed: no VM stays that nobody knows of. */
TEST_F(stress, new_without_room_for_its_reply)
{
	struct nl_msg m;
	struct seen s;
	struct nl full;
	int one = 1, i;

	ASSERT_EQ(0, nl_open(&full));
	/* The kernel makes the least of it that there can be. */
	ASSERT_EQ(0, setsockopt(full.fd, SOL_SOCKET, SO_RCVBUF, &one, sizeof(one)));
	for (i = 0; i < 16; i++) {
		nl_begin(&full, &m, full.family, 0, HVMM_CMD_VM_GET);
		nl_put_u32(&m, HVMM_A_VM_ID, self->stay[0]);
		ASSERT_EQ(0, nl_send(&full, &m));
	}
	begin_new(&full, &m, "nls-full", self->fd);
	ASSERT_EQ(0, nl_send(&full, &m));
	EXPECT_EQ(0, dump(&self->nl, HVMM_CMD_VM_GET, &s));
	EXPECT_EQ(STAY, s.nr_ours);
	/* The name is free again. */
	EXPECT_EQ(0, new_vm(&self->nl, &m, "nls-full", self->fd, NULL, NULL));
	close(full.fd);
}

struct worker {
	int fd;
	atomic_int left;
	int error;
	char text[256];
};

static void *come_and_go(void *arg)
{
	struct worker *w = arg;
	struct nl_msg *m = malloc(sizeof(*m));
	char name[32];
	struct nl nl;
	uint32_t id;

	w->error = m ? nl_open(&nl) : -ENOMEM;
	while (!w->error && atomic_load(&w->left)) {
		snprintf(name, sizeof(name), "nls-comes-%d", atomic_load(&w->left));
		w->error = new_vm(&nl, m, name, w->fd, keep_id, &id);
		if (!w->error) {
			nl_begin(&nl, m, nl.family, 0, HVMM_CMD_VM_DEL);
			nl_put_u32(m, HVMM_A_VM_ID, id);
			w->error = nl_talk(&nl, m, NULL, NULL);
		}
		strcpy(w->text, nl.text);
		atomic_fetch_sub(&w->left, 1);
	}
	atomic_store(&w->left, 0);
	free(m);
	return NULL;
}

/* VMs that are there all the time are in every dump, once and in order. */
TEST_F_TIMEOUT(stress, dumps_while_vms_come_and_go, 120)
{
	static const int cmds[] = { HVMM_CMD_VM_GET, HVMM_CMD_STATS_GET };
	struct worker w = { .fd = self->fd };
	unsigned int dumps = 0, interrupted = 0;
	pthread_t thread;
	struct seen s;

	atomic_store(&w.left, 50);
	ASSERT_EQ(0, pthread_create(&thread, NULL, come_and_go, &w));
	do {
		ASSERT_EQ(0, dump(&self->nl, cmds[dumps % 2], &s));
		ASSERT_EQ(STAY, s.stay);
		ASSERT_EQ(0, s.disorder);
		dumps++;
		interrupted += self->nl.interrupted;
	} while (atomic_load(&w.left));
	pthread_join(thread, NULL);
	TH_LOG("%u dumps, %u interrupted", dumps, interrupted);
	EXPECT_EQ(0, w.error) {
		TH_LOG("%s", w.text);
	}
}

/* xorshift64* */
static uint64_t rng;

static uint64_t rnd(void)
{
	rng ^= rng >> 12;
	rng ^= rng << 25;
	rng ^= rng >> 27;
	return rng * 0x2545f4914f6cdd1dULL;
}

static uint64_t rnd_value(void)
{
	static const uint64_t odd[] = {
		0, 1, 2, 3, 4095, 4096, RAM, RAM - 1, 1ULL << 31, (1ULL << 32) - 1, 1ULL << 32,
		1ULL << 40, 1ULL << 47, 1ULL << 52, 1ULL << 63, UINT64_MAX,
	};

	return rnd() % 4 ? odd[rnd() % (ARRAY_SIZE(odd))] : rnd();
}

struct pool {
	const uint32_t *ids;
	int fds[6];
};

/* Never the id of a VM that is not ours: this may run beside others. */
static uint32_t rnd_id(const struct pool *pool)
{
	return rnd() % 4 ? pool->ids[rnd() % STAY] : (uint32_t)rnd() | 1U << 31;
}

static void rnd_blob(const struct pool *pool, int type, bool top)
{
	unsigned char data[300];
	size_t len = rnd() % 8 ? rnd() % 20 : rnd() % sizeof(data), i;
	uint32_t id = rnd_id(pool);

	for (i = 0; i < len; i++)
		data[i] = rnd();
	if (top && (type & NLA_TYPE_MASK) == HVMM_A_VM_ID && len >= 4)
		memcpy(data, &id, 4);
	nl_put(&msg, type, data, len);
}

static void rnd_boot(const struct pool *pool)
{
	size_t nest = nl_nest(&msg, HVMM_A_VM_BOOT);
	int n = rnd() % 8, type;

	if (rnd() % 8)
		nl_put_u32(&msg, HVMM_A_BOOT_MODE, rnd() % 4);
	while (n--) {
		type = rnd() % (HVMM_A_BOOT_MAX + 2);
		if (!(rnd() % 8))
			rnd_blob(pool, type, false);
		else if (type == HVMM_A_BOOT_GDT_LIMIT)
			nl_put_u16(&msg, type, rnd());
		else if (rnd() % 2)
			nl_put_u64(&msg, type, rnd_value());
		else
			nl_put_u32(&msg, type, rnd_value());
	}
	nl_nest_end(&msg, nest);
	/* Now and then it ends too early or too late. */
	if (!(rnd() % 16))
		((struct nlattr *)(msg.buf + nest))->nla_len += (int)(rnd() % 9) - 4;
}

static void rnd_attr(const struct pool *pool)
{
	int type = rnd() % (HVMM_A_VM_MAX + 3);
	char name[80];
	size_t len;

	if (!(rnd() % 12)) {
		if (!(rnd() % 4))
			type |= rnd() % 2 ? NLA_F_NESTED : NLA_F_NET_BYTEORDER;
		rnd_blob(pool, type, true);
		return;
	}
	switch (type) {
	case HVMM_A_VM_ID:
		nl_put_u32(&msg, type, rnd_id(pool));
		break;
	case HVMM_A_VM_NAME:
		len = rnd() % 4 ? rnd() % 12 : rnd() % (sizeof(name) - 5);
		memcpy(name, "nls-", 4);
		for (size_t i = 4; i < 4 + len; i++)
			name[i] = rnd() % 16 ? 'a' + rnd() % 3 : rnd();
		nl_put(&msg, type, name, 4 + len);
		if (rnd() % 8)
			nl_put(&msg, type, "nls-stay-3", 11);
		break;
	case HVMM_A_VM_VCPUS:
		nl_put_u32(&msg, type, rnd() % 4 ? 1 : rnd_value());
		break;
	case HVMM_A_VM_MEMORY:
		nl_put_u64(&msg, type, rnd() % 4 ? RAM : rnd_value());
		break;
	case HVMM_A_VM_RAM_FD:
		nl_put_u32(&msg, type, pool->fds[rnd() % 6]);
		break;
	case HVMM_A_VM_BOOT:
		rnd_boot(pool);
		break;
	default:
		rnd_blob(pool, type, true);
	}
}

/* The attributes that a request needs to have a chance. */
static void usual_attrs(const struct pool *pool, int cmd)
{
	char name[32];
	size_t nest;

	switch (cmd) {
	case HVMM_CMD_HOST_GET:
		break;
	case HVMM_CMD_VM_NEW:
		snprintf(name, sizeof(name), "nls-%u", (unsigned int)(rnd() % 20));
		nl_put_str(&msg, HVMM_A_VM_NAME, name);
		nl_put_u32(&msg, HVMM_A_VM_VCPUS, 1);
		nl_put_u64(&msg, HVMM_A_VM_MEMORY, RAM);
		nl_put_u32(&msg, HVMM_A_VM_RAM_FD, pool->fds[0]);
		break;
	default:
		nl_put_u32(&msg, HVMM_A_VM_ID, pool->ids[rnd() % STAY]);
		if (cmd == HVMM_CMD_VCPU_GET)
			nl_put_u32(&msg, HVMM_A_VCPU_INDEX, 0);
		if (cmd == HVMM_CMD_VM_START || cmd == HVMM_CMD_VM_RESET) {
			nest = nl_nest(&msg, HVMM_A_VM_BOOT);
			nl_put_u32(&msg, HVMM_A_BOOT_MODE, rnd() % 2);
			nl_nest_end(&msg, nest);
		}
	}
}

static uint64_t number(const char *name, uint64_t otherwise)
{
	const char *s = getenv(name);

	return s ? strtoull(s, NULL, 0) : otherwise;
}

TEST_F_TIMEOUT(stress, random_requests, 600)
{
	static const int cmds[] = {
		HVMM_CMD_VM_GET, HVMM_CMD_VM_NEW, HVMM_CMD_VM_START, HVMM_CMD_VM_STOP,
		HVMM_CMD_VM_PAUSE, HVMM_CMD_VM_RESUME, HVMM_CMD_VM_RESET, HVMM_CMD_STATS_GET,
		HVMM_CMD_VCPU_GET, HVMM_CMD_HOST_GET, HVMM_CMD_VM_DEL,
	};
	struct pool pool = { .ids = self->stay };
	uint64_t rounds = number("HVMM_ROUNDS", 3000), seed, i;
	unsigned int done = 0, refused = 0, mute = 0;
	struct seen s;
	int cmd, n, ret;

	seed = number("HVMM_SEED", time(NULL) ^ (uint64_t)getpid() << 32);
	rng = seed ?: 1;
	TH_LOG("HVMM_SEED=%llu HVMM_ROUNDS=%llu", (unsigned long long)seed,
	       (unsigned long long)rounds);

	pool.fds[0] = self->fd;
	pool.fds[1] = self->fd;
	pool.fds[2] = -1;
	pool.fds[3] = 999;
	pool.fds[4] = open("/dev/null", O_RDWR);
	pool.fds[5] = memfd_create("unsealed", 0);

	for (i = 0; i < rounds; i++) {
		/* Destroying is rare, so that something is left to play with. */
		cmd = cmds[rnd() % (rnd() % 64 ? 10 : 11)];
		nl_begin(&self->nl, &msg, self->nl.family, rnd() % 8 ? 0 : NLM_F_DUMP, cmd);
		n = rnd() % 7;
		if (rnd() % 2) {
			usual_attrs(&pool, cmd);
			n = n > 4;
		}
		while (n--)
			rnd_attr(&pool);
		/* A message whose end is cut off, or has garbage after it. */
		if (!(rnd() % 16) && msg.hdr.nlmsg_len > NLMSG_HDRLEN + GENL_HDRLEN)
			msg.hdr.nlmsg_len -= 1 + rnd() % 3;

		ret = nl_talk(&self->nl, &msg, NULL, NULL);
		/* Every request has an answer... */
		ASSERT_NE(-EAGAIN, ret) {
			TH_LOG("no answer to round %llu", (unsigned long long)i);
		}
		if (!ret) {
			done++;
			continue;
		}
		refused++;
		/* ... and every refusal has words; what lacks here is the kernel's own. */
		if (!self->nl.text[0] && ret != -EOPNOTSUPP && ret != -ENOMEM) {
			if (!mute++)
				TH_LOG("round %llu, command %d: error %d without words",
				       (unsigned long long)i, cmd, ret);
		}
	}
	TH_LOG("%u done, %u refused", done, refused);
	EXPECT_EQ(0, mute);
	EXPECT_LT(rounds / 16, done);
	EXPECT_LT(rounds / 8, refused);

	/* It still works, and what was made can be found and removed. */
	cleanup(&self->nl);
	EXPECT_EQ(0, dump(&self->nl, HVMM_CMD_VM_GET, &s));
	EXPECT_EQ(0, s.nr_ours);
	EXPECT_EQ(0, new_vm(&self->nl, &msg, "nls-after", self->fd, NULL, NULL));
}

TEST_HARNESS_MAIN
