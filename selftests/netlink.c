// SPDX-License-Identifier: GPL-2.0
/*
 * The netlink family: every attribute with every kind of bad value is refused
 * with words and with the attribute's name; verbs in the wrong state; rights;
 * events; dumps. The VMs made here are named nlt-*, and are removed at the end.
 */
#include <sched.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "kselftest_harness.h"
#include "nl.h"

#define MIB	(1ULL << 20)
#define RAM	(2 * MIB)
#define ENTRY	0x1000

static struct nl_msg msg;

struct listed {
	unsigned int nr;
	uint32_t id[256];
	char name[256][HVMM_NAME_MAX + 1];
};

static void list_add(void *arg, uint8_t cmd, struct nlattr *attrs, int len)
{
	const char *name = nl_get_str(attrs, len, HVMM_A_VM_NAME);
	struct listed *l = arg;

	if (l->nr == 256)
		return;
	l->id[l->nr] = nl_get(attrs, len, HVMM_A_VM_ID);
	snprintf(l->name[l->nr], sizeof(l->name[0]), "%s", name ?: "");
	l->nr++;
}

static int list(struct nl *nl, struct listed *l)
{
	l->nr = 0;
	nl_begin(nl, &msg, nl->family, NLM_F_DUMP, HVMM_CMD_VM_GET);
	return nl_talk(nl, &msg, list_add, l);
}

static void cleanup(struct nl *nl)
{
	static struct listed l;
	unsigned int i;

	if (list(nl, &l))
		return;
	for (i = 0; i < l.nr; i++)
		if (!strncmp(l.name[i], "nlt-", 4))
			nl_verb(nl, HVMM_CMD_VM_DEL, l.id[i]);
}

struct object {
	uint32_t id;
	uint64_t vcpus, memory, state, reason, console, age, uptime;
	char name[HVMM_NAME_MAX + 1];
	bool config;
	uint8_t cmd;
	unsigned int nr;
};

static void object_fill(void *arg, uint8_t cmd, struct nlattr *attrs, int len)
{
	const char *name = nl_get_str(attrs, len, HVMM_A_VM_NAME);
	struct object *o = arg;

	o->nr++;
	o->cmd = cmd;
	o->id = nl_get(attrs, len, HVMM_A_VM_ID);
	o->vcpus = nl_get(attrs, len, HVMM_A_VM_VCPUS);
	o->memory = nl_get(attrs, len, HVMM_A_VM_MEMORY);
	o->state = nl_get(attrs, len, HVMM_A_VM_STATE);
	o->reason = nl_get(attrs, len, HVMM_A_VM_REASON);
	o->console = nl_get(attrs, len, HVMM_A_VM_CONSOLE);
	o->age = nl_get(attrs, len, HVMM_A_VM_AGE);
	o->uptime = nl_get(attrs, len, HVMM_A_VM_UPTIME);
	o->config = nl_find(attrs, len, HVMM_A_VM_CONFIG);
	snprintf(o->name, sizeof(o->name), "%s", name ?: "");
}

/* A vm-new that lacks the attribute @but. */
static void new_begin(struct nl *nl, const char *name, int fd, int but)
{
	nl_begin(nl, &msg, nl->family, 0, HVMM_CMD_VM_NEW);
	if (but != HVMM_A_VM_NAME)
		nl_put_str(&msg, HVMM_A_VM_NAME, name);
	if (but != HVMM_A_VM_VCPUS)
		nl_put_u32(&msg, HVMM_A_VM_VCPUS, 1);
	if (but != HVMM_A_VM_MEMORY)
		nl_put_u64(&msg, HVMM_A_VM_MEMORY, RAM);
	if (but != HVMM_A_VM_RAM_FD)
		nl_put_u32(&msg, HVMM_A_VM_RAM_FD, fd);
}

static int new_vm(struct nl *nl, const char *name, int fd, struct object *o)
{
	memset(o, 0, sizeof(*o));
	new_begin(nl, name, fd, NL_NONE);
	return nl_talk(nl, &msg, object_fill, o);
}

static void boot_begin(struct nl *nl, int cmd, uint32_t id)
{
	nl_begin(nl, &msg, nl->family, 0, cmd);
	nl_put_u32(&msg, HVMM_A_VM_ID, id);
}

/* Starts at ENTRY, where FIXTURE_SETUP put an endless HLT. */
static int boot(struct nl *nl, int cmd, uint32_t id)
{
	size_t nest;

	boot_begin(nl, cmd, id);
	nest = nl_nest(&msg, HVMM_A_VM_BOOT);
	nl_put_u32(&msg, HVMM_A_BOOT_MODE, HVMM_START_MODE_PM32);
	nl_put_u64(&msg, HVMM_A_BOOT_RIP, ENTRY);
	nl_nest_end(&msg, nest);
	return nl_talk(nl, &msg, NULL, NULL);
}

FIXTURE(netlink)
{
	struct nl nl;
	int fd;
	struct object vm;
};

FIXTURE_SETUP(netlink)
{
	static const unsigned char halt[] = { 0xfa, 0xf4, 0xeb, 0xfd };

	ASSERT_EQ(0, nl_open(&self->nl)) {
		TH_LOG("no netlink family hvmm: is the module loaded?");
	}
	cleanup(&self->nl);
	self->fd = nl_ram(RAM);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(sizeof(halt), pwrite(self->fd, halt, sizeof(halt), ENTRY));
	ASSERT_EQ(0, new_vm(&self->nl, "nlt-one", self->fd, &self->vm)) {
		TH_LOG("%s", self->nl.text);
	}
}

FIXTURE_TEARDOWN(netlink)
{
	cleanup(&self->nl);
	close(self->fd);
	close(self->nl.fd);
}

/* Send the request in msg: refused with words, and with the attribute's name. */
#define EXPECT_REFUSED(error, attr)						\
	do {									\
		EXPECT_EQ(-(error), nl_talk(&self->nl, &msg, NULL, NULL));	\
		EXPECT_NE('\0', self->nl.text[0]);				\
		EXPECT_EQ(attr, self->nl.bad) {					\
			TH_LOG("words: %s", self->nl.text);			\
		}								\
	} while (0)

#define EXPECT_MISSES(attr)							\
	do {									\
		EXPECT_EQ(-EINVAL, nl_talk(&self->nl, &msg, NULL, NULL));	\
		EXPECT_NE('\0', self->nl.text[0]);				\
		EXPECT_EQ(attr, self->nl.missing);				\
	} while (0)

/* vm-new with one attribute replaced. */
#define REFUSED_NEW(error, attr, data, len)					\
	do {									\
		new_begin(&self->nl, "nlt-bad", self->fd, attr);		\
		nl_put(&msg, attr, data, len);					\
		EXPECT_REFUSED(error, attr);					\
	} while (0)

TEST_F(netlink, new_replies_with_the_object)
{
	struct object *o = &self->vm, got = {};

	EXPECT_EQ(1, o->nr);
	EXPECT_EQ(HVMM_CMD_VM_NEW, o->cmd);
	EXPECT_NE(0, o->id);
	EXPECT_STREQ("nlt-one", o->name);
	EXPECT_EQ(1, o->vcpus);
	EXPECT_EQ(RAM, o->memory);
	EXPECT_EQ(HVMM_STATE_STOPPED, o->state);
	EXPECT_EQ(HVMM_STATE_REASON_NONE, o->reason);
	EXPECT_NE(UINT64_MAX, o->console);
	EXPECT_NE(UINT64_MAX, o->age);
	EXPECT_EQ(UINT64_MAX, o->uptime);
	EXPECT_FALSE(o->config);

	nl_begin(&self->nl, &msg, self->nl.family, 0, HVMM_CMD_VM_GET);
	nl_put_str(&msg, HVMM_A_VM_NAME, "nlt-one");
	EXPECT_EQ(0, nl_talk(&self->nl, &msg, object_fill, &got));
	EXPECT_EQ(1, got.nr);
	EXPECT_EQ(o->id, got.id);
	EXPECT_LE(o->age, got.age);
}

TEST_F(netlink, new_without_an_attribute)
{
	static const int need[] = {
		HVMM_A_VM_NAME, HVMM_A_VM_VCPUS, HVMM_A_VM_MEMORY, HVMM_A_VM_RAM_FD,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(need); i++) {
		new_begin(&self->nl, "nlt-bad", self->fd, need[i]);
		EXPECT_MISSES(need[i]);
	}
}

TEST_F(netlink, new_with_a_bad_name)
{
	static const char * const bad[] = {
		"", ".hidden", "-x", "a b", "a/b", "a\tb", "a\nb", "a'b", "caf\xe9", "\xff",
		"a:b", "a%sb",
	};
	char name[80];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		REFUSED_NEW(EINVAL, HVMM_A_VM_NAME, bad[i], strlen(bad[i]) + 1);

	memset(name, 'x', sizeof(name));
	name[64] = '\0';
	REFUSED_NEW(EINVAL, HVMM_A_VM_NAME, name, 65);
	/* Without the terminating NUL, and of no length at all. */
	REFUSED_NEW(EINVAL, HVMM_A_VM_NAME, name, 8);
	REFUSED_NEW(EINVAL, HVMM_A_VM_NAME, name, 0);
}

TEST_F(netlink, new_with_the_longest_name)
{
	char name[HVMM_NAME_MAX + 1] = "nlt-";
	struct object o;

	memset(name + 4, 'x', sizeof(name) - 5);
	name[sizeof(name) - 1] = '\0';
	EXPECT_EQ(0, new_vm(&self->nl, name, self->fd, &o));
	EXPECT_STREQ(name, o.name);
}

TEST_F(netlink, new_with_a_name_in_use)
{
	REFUSED_NEW(EEXIST, HVMM_A_VM_NAME, "nlt-one", 8);
}

/* Its limits have begun to give pages back when its name is looked at. */
TEST_F(netlink, refused_when_it_reclaims)
{
	int fd = nl_ram(RAM), i;
	char page[4096] = "x";

	ASSERT_LE(0, fd);
	for (i = 0; i < (int)(RAM / sizeof(page)); i++)
		ASSERT_EQ(sizeof(page), pwrite(fd, page, sizeof(page), i * sizeof(page)));
	for (i = 0; i < 20; i++) {
		new_begin(&self->nl, "nlt-one", fd, NL_NONE);
		nl_put_u64(&msg, HVMM_A_VM_MEM_HIGH, 4096);
		EXPECT_EQ(-EEXIST, nl_talk(&self->nl, &msg, NULL, NULL));
	}
	close(fd);
}

TEST_F(netlink, new_with_bad_vcpus)
{
	uint64_t wide = 1;
	uint32_t n;

	n = 0;
	REFUSED_NEW(ERANGE, HVMM_A_VM_VCPUS, &n, 4);
	n = HVMM_VCPUS_MAX + 1;
	REFUSED_NEW(ERANGE, HVMM_A_VM_VCPUS, &n, 4);
	n = UINT32_MAX;
	REFUSED_NEW(ERANGE, HVMM_A_VM_VCPUS, &n, 4);
	n = 1;
	REFUSED_NEW(EINVAL, HVMM_A_VM_VCPUS, &n, 2);
	REFUSED_NEW(EINVAL, HVMM_A_VM_VCPUS, &n, 0);
	REFUSED_NEW(EINVAL, HVMM_A_VM_VCPUS, &wide, 8);

	n = sysconf(_SC_NPROCESSORS_CONF) + 1;
	if (n <= HVMM_VCPUS_MAX)
		REFUSED_NEW(E2BIG, HVMM_A_VM_VCPUS, &n, 4);
}

TEST_F(netlink, new_with_bad_memory)
{
	static const uint64_t outside[] = { 0, 4096, MIB - 4096, (1ULL << 40) + 4096, UINT64_MAX };
	uint64_t n;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(outside); i++)
		REFUSED_NEW(ERANGE, HVMM_A_VM_MEMORY, &outside[i], 8);
	n = RAM - 1;
	REFUSED_NEW(EINVAL, HVMM_A_VM_MEMORY, &n, 8);
	n = RAM - 2048;
	REFUSED_NEW(EINVAL, HVMM_A_VM_MEMORY, &n, 4);
	n = RAM;
	REFUSED_NEW(EINVAL, HVMM_A_VM_MEMORY, &n, 2);
	REFUSED_NEW(EINVAL, HVMM_A_VM_MEMORY, &n, 0);
}

TEST_F(netlink, new_with_a_bad_ram_fd)
{
	char path[64];
	int fd, p[2];

	fd = -1;
	REFUSED_NEW(ERANGE, HVMM_A_VM_RAM_FD, &fd, 4);
	fd = INT32_MAX;
	REFUSED_NEW(EBADF, HVMM_A_VM_RAM_FD, &fd, 4);
	fd = dup(self->fd);
	close(fd);
	REFUSED_NEW(EBADF, HVMM_A_VM_RAM_FD, &fd, 4);
	REFUSED_NEW(EINVAL, HVMM_A_VM_RAM_FD, &self->fd, 2);

	/* Files, but none that can be RAM. */
	fd = open("/dev/null", O_RDWR);
	REFUSED_NEW(EINVAL, HVMM_A_VM_RAM_FD, &fd, 4);
	close(fd);
	fd = open("/", O_RDONLY);
	REFUSED_NEW(EINVAL, HVMM_A_VM_RAM_FD, &fd, 4);
	close(fd);
	ASSERT_EQ(0, pipe(p));
	REFUSED_NEW(EINVAL, HVMM_A_VM_RAM_FD, &p[1], 4);
	close(p[0]);
	close(p[1]);
	REFUSED_NEW(EINVAL, HVMM_A_VM_RAM_FD, &self->nl.fd, 4);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", self->fd);
	fd = open(path, O_PATH);
	ASSERT_LE(0, fd);
	REFUSED_NEW(EBADF, HVMM_A_VM_RAM_FD, &fd, 4);
	close(fd);
	fd = open(path, O_RDONLY);
	ASSERT_LE(0, fd);
	REFUSED_NEW(EINVAL, HVMM_A_VM_RAM_FD, &fd, 4);
	close(fd);

	/* memfds: not sealed, too short, sealed too much. */
	fd = memfd_create("ram", MFD_ALLOW_SEALING);
	ASSERT_EQ(0, ftruncate(fd, RAM));
	REFUSED_NEW(EINVAL, HVMM_A_VM_RAM_FD, &fd, 4);
	ASSERT_EQ(0, fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_WRITE));
	REFUSED_NEW(EPERM, HVMM_A_VM_RAM_FD, &fd, 4);
	close(fd);
	fd = nl_ram(RAM - 4096);
	REFUSED_NEW(EINVAL, HVMM_A_VM_RAM_FD, &fd, 4);
	close(fd);
}

TEST_F(netlink, config)
{
	static char config[HVMM_CONFIG_MAX + 1];
	struct object o = {};

	REFUSED_NEW(EMSGSIZE, HVMM_A_VM_CONFIG, config, sizeof(config));

	new_begin(&self->nl, "nlt-two", self->fd, NL_NONE);
	nl_put(&msg, HVMM_A_VM_CONFIG, config, sizeof(config) - 1);
	EXPECT_EQ(0, nl_talk(&self->nl, &msg, object_fill, &o));
	EXPECT_TRUE(o.config);
}

TEST_F(netlink, new_with_what_is_not_its_own)
{
	uint64_t n = 1;
	int attr;

	for (attr = 0; attr <= HVMM_A_VM_MAX + 5; attr++) {
		if (attr >= HVMM_A_VM_NAME && attr <= HVMM_A_VM_CONFIG)
			continue;
		if (attr >= HVMM_A_VM_CPU_WEIGHT && attr <= HVMM_A_VM_CPU_AFFINITY)
			continue;
		REFUSED_NEW(EINVAL, attr, &n, 4);
	}
}

TEST_F(netlink, which_vm)
{
	static const int verbs[] = {
		HVMM_CMD_VM_GET, HVMM_CMD_VM_DEL, HVMM_CMD_VM_START, HVMM_CMD_VM_STOP,
		HVMM_CMD_VM_PAUSE, HVMM_CMD_VM_RESUME, HVMM_CMD_VM_RESET, HVMM_CMD_STATS_GET,
		HVMM_CMD_VCPU_GET,
	};
	struct nl *nl = &self->nl;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(verbs); i++) {
		nl_begin(nl, &msg, nl->family, 0, verbs[i]);
		EXPECT_MISSES(HVMM_A_VM_ID);

		nl_begin(nl, &msg, nl->family, 0, verbs[i]);
		nl_put_u32(&msg, HVMM_A_VM_ID, UINT32_MAX);
		EXPECT_REFUSED(ENOENT, HVMM_A_VM_ID);

		nl_begin(nl, &msg, nl->family, 0, verbs[i]);
		nl_put_u32(&msg, HVMM_A_VM_ID, 0);
		EXPECT_REFUSED(ERANGE, HVMM_A_VM_ID);

		nl_begin(nl, &msg, nl->family, 0, verbs[i]);
		nl_put_u64(&msg, HVMM_A_VM_ID, self->vm.id);
		EXPECT_REFUSED(EINVAL, HVMM_A_VM_ID);

		nl_begin(nl, &msg, nl->family, 0, verbs[i]);
		nl_put_str(&msg, HVMM_A_VM_NAME, "nlt-none");
		EXPECT_REFUSED(ENOENT, HVMM_A_VM_NAME);
		EXPECT_NE(NULL, strstr(nl->text, "nlt-none"));

		nl_begin(nl, &msg, nl->family, 0, verbs[i]);
		nl_put_str(&msg, HVMM_A_VM_NAME, "");
		EXPECT_REFUSED(ENOENT, HVMM_A_VM_NAME);

		nl_begin(nl, &msg, nl->family, 0, verbs[i]);
		nl_put_u32(&msg, HVMM_A_VM_ID, self->vm.id);
		nl_put_str(&msg, HVMM_A_VM_NAME, "nlt-one");
		EXPECT_REFUSED(EINVAL, HVMM_A_VM_NAME);
	}
}

/* vm-start with one attribute in the boot nest beside the mode. */
#define REFUSED_BOOT(mode, attr, value)						\
	do {									\
		boot_begin(&self->nl, cmd, self->vm.id);			\
		nest = nl_nest(&msg, HVMM_A_VM_BOOT);				\
		nl_put_u32(&msg, HVMM_A_BOOT_MODE, mode);			\
		if ((mode) == HVMM_START_MODE_LONG64 &&				\
		    (attr) != HVMM_A_BOOT_CR3)					\
			nl_put_u64(&msg, HVMM_A_BOOT_CR3, 0x2000);		\
		nl_put_u64(&msg, attr, value);					\
		nl_nest_end(&msg, nest);					\
		EXPECT_REFUSED(EINVAL, attr);					\
		EXPECT_EQ(HVMM_A_VM_BOOT, self->nl.bad_in);			\
	} while (0)

FIXTURE(boot)
{
	struct nl nl;
	int fd;
	struct object vm;
};

FIXTURE_VARIANT(boot)
{
	int cmd;
};

FIXTURE_VARIANT_ADD(boot, start) { .cmd = HVMM_CMD_VM_START, };
FIXTURE_VARIANT_ADD(boot, reset) { .cmd = HVMM_CMD_VM_RESET, };

FIXTURE_SETUP(boot)
{
	ASSERT_EQ(0, nl_open(&self->nl));
	cleanup(&self->nl);
	self->fd = nl_ram(RAM);
	ASSERT_EQ(0, new_vm(&self->nl, "nlt-boot", self->fd, &self->vm));
}

FIXTURE_TEARDOWN(boot)
{
	cleanup(&self->nl);
	close(self->fd);
	close(self->nl.fd);
}

TEST_F(boot, bad_state)
{
	struct object got = {};
	int cmd = variant->cmd;
	struct nlattr *a;
	size_t nest;
	int i;

	boot_begin(&self->nl, cmd, self->vm.id);
	EXPECT_MISSES(HVMM_A_VM_BOOT);

	boot_begin(&self->nl, cmd, self->vm.id);
	nest = nl_nest(&msg, HVMM_A_VM_BOOT);
	EXPECT_MISSES(HVMM_A_BOOT_MODE);
	EXPECT_EQ(HVMM_A_VM_BOOT, self->nl.missing_in);

	/* A nest that does not say that it is one, and one that holds a fragment. */
	boot_begin(&self->nl, cmd, self->vm.id);
	nl_put(&msg, HVMM_A_VM_BOOT, NULL, 0);
	EXPECT_REFUSED(EINVAL, HVMM_A_VM_BOOT);
	boot_begin(&self->nl, cmd, self->vm.id);
	nl_put(&msg, HVMM_A_VM_BOOT | NLA_F_NESTED, "\x20\x00", 2);
	EXPECT_REFUSED(ERANGE, HVMM_A_VM_BOOT);
	boot_begin(&self->nl, cmd, self->vm.id);
	nest = nl_nest(&msg, HVMM_A_VM_BOOT);
	nl_put_u32(&msg, HVMM_A_BOOT_MODE, 0);
	nl_nest_end(&msg, nest);
	a = (struct nlattr *)(msg.buf + nest + NLA_HDRLEN);
	a->nla_len = 400;
	EXPECT_EQ(-EINVAL, nl_talk(&self->nl, &msg, NULL, NULL));
	EXPECT_NE('\0', self->nl.text[0]);

	for (i = 3; i < 6; i++) {
		boot_begin(&self->nl, cmd, self->vm.id);
		nest = nl_nest(&msg, HVMM_A_VM_BOOT);
		nl_put_u32(&msg, HVMM_A_BOOT_MODE, i);
		nl_nest_end(&msg, nest);
		EXPECT_REFUSED(ERANGE, HVMM_A_BOOT_MODE);
	}
	boot_begin(&self->nl, cmd, self->vm.id);
	nest = nl_nest(&msg, HVMM_A_VM_BOOT);
	nl_put_u16(&msg, HVMM_A_BOOT_MODE, 0);
	nl_nest_end(&msg, nest);
	EXPECT_REFUSED(EINVAL, HVMM_A_BOOT_MODE);

	for (i = HVMM_A_BOOT_RIP; i <= HVMM_A_BOOT_GDT_BASE; i++) {
		REFUSED_BOOT(HVMM_START_MODE_RESET, i, 0);
		REFUSED_BOOT(HVMM_START_MODE_PM32, i, 1ULL << 32);
	}
	REFUSED_BOOT(HVMM_START_MODE_PM32, HVMM_A_BOOT_CR3, 0x2000);
	/* 8 bytes where 2 belong. */
	REFUSED_BOOT(HVMM_START_MODE_PM32, HVMM_A_BOOT_GDT_LIMIT, 31);
	REFUSED_BOOT(HVMM_START_MODE_LONG64, HVMM_A_BOOT_RIP, 1ULL << 47);
	REFUSED_BOOT(HVMM_START_MODE_LONG64, HVMM_A_BOOT_GDT_BASE, 1ULL << 63);
	REFUSED_BOOT(HVMM_START_MODE_LONG64, HVMM_A_BOOT_CR3, 0x2001);
	REFUSED_BOOT(HVMM_START_MODE_LONG64, HVMM_A_BOOT_CR3, 1ULL << 52);
	REFUSED_BOOT(HVMM_START_MODE_LONG64, HVMM_A_BOOT_MAX + 1, 0);

	boot_begin(&self->nl, cmd, self->vm.id);
	nest = nl_nest(&msg, HVMM_A_VM_BOOT);
	nl_put_u32(&msg, HVMM_A_BOOT_MODE, HVMM_START_MODE_LONG64);
	nl_nest_end(&msg, nest);
	EXPECT_MISSES(HVMM_A_BOOT_CR3);

	boot_begin(&self->nl, cmd, self->vm.id);
	nest = nl_nest(&msg, HVMM_A_VM_BOOT);
	nl_put_u32(&msg, HVMM_A_BOOT_MODE, HVMM_START_MODE_PM32);
	nl_put_u16(&msg, HVMM_A_BOOT_GDT_LIMIT, 31);
	nl_nest_end(&msg, nest);
	EXPECT_REFUSED(EINVAL, HVMM_A_BOOT_GDT_LIMIT);

	/* None of it has changed the VM. */
	boot_begin(&self->nl, HVMM_CMD_VM_GET, self->vm.id);
	EXPECT_EQ(0, nl_talk(&self->nl, &msg, object_fill, &got));
	EXPECT_EQ(HVMM_STATE_STOPPED, got.state);
	EXPECT_EQ(HVMM_STATE_REASON_NONE, got.reason);
}

#define EXPECT_VERB(error, cmd)							\
	do {									\
		EXPECT_EQ(-(error), nl_verb(&self->nl, cmd, self->vm.id));	\
		if (error)							\
			EXPECT_NE('\0', self->nl.text[0]);			\
	} while (0)

TEST_F(netlink, verbs_in_the_wrong_state)
{
	EXPECT_VERB(EALREADY, HVMM_CMD_VM_STOP);
	EXPECT_VERB(EBUSY, HVMM_CMD_VM_PAUSE);
	EXPECT_VERB(EBUSY, HVMM_CMD_VM_RESUME);

	ASSERT_EQ(0, boot(&self->nl, HVMM_CMD_VM_START, self->vm.id));
	EXPECT_EQ(-EBUSY, boot(&self->nl, HVMM_CMD_VM_START, self->vm.id));
	EXPECT_NE('\0', self->nl.text[0]);
	EXPECT_VERB(EBUSY, HVMM_CMD_VM_RESUME);
	EXPECT_VERB(0, HVMM_CMD_VM_PAUSE);
	EXPECT_VERB(EBUSY, HVMM_CMD_VM_PAUSE);
	EXPECT_EQ(-EBUSY, boot(&self->nl, HVMM_CMD_VM_START, self->vm.id));
	EXPECT_VERB(0, HVMM_CMD_VM_STOP);
	EXPECT_VERB(EALREADY, HVMM_CMD_VM_STOP);
	EXPECT_VERB(0, HVMM_CMD_VM_DEL);
	EXPECT_VERB(ENOENT, HVMM_CMD_VM_DEL);
}

static int next_event(struct nl *nl, struct object *o)
{
	int ret;

	/* Other people's VMs have events too. */
	do {
		memset(o, 0, sizeof(*o));
		ret = nl_recv(nl, &msg, object_fill, o);
	} while (ret == 1 && strcmp(o->name, "nlt-two"));
	return ret;
}

#define EXPECT_EVENT(command, st, why)						\
	do {									\
		ASSERT_EQ(1, next_event(&events, &o));				\
		EXPECT_EQ(command, o.cmd);					\
		EXPECT_EQ(st, o.state);						\
		EXPECT_EQ(why, o.reason);					\
		EXPECT_EQ((st) == HVMM_STATE_STOPPED, o.uptime == UINT64_MAX);	\
	} while (0)

TEST_F(netlink, events)
{
	struct nl *nl = &self->nl, events;
	struct object vm, o;

	ASSERT_EQ(0, nl_open(&events));
	ASSERT_EQ(0, nl_subscribe(&events));
	/* Events answer no request. */
	events.seq = 0;

	ASSERT_EQ(0, new_vm(nl, "nlt-two", self->fd, &vm));
	EXPECT_EVENT(HVMM_CMD_VM_NEW_NTF, HVMM_STATE_STOPPED, HVMM_STATE_REASON_NONE);
	ASSERT_EQ(0, boot(nl, HVMM_CMD_VM_START, vm.id));
	EXPECT_EVENT(HVMM_CMD_VM_STATE_NTF, HVMM_STATE_RUNNING, HVMM_STATE_REASON_REQUEST);
	ASSERT_EQ(0, nl_verb(nl, HVMM_CMD_VM_PAUSE, vm.id));
	EXPECT_EVENT(HVMM_CMD_VM_STATE_NTF, HVMM_STATE_PAUSED, HVMM_STATE_REASON_REQUEST);
	ASSERT_EQ(0, nl_verb(nl, HVMM_CMD_VM_RESUME, vm.id));
	EXPECT_EVENT(HVMM_CMD_VM_STATE_NTF, HVMM_STATE_RUNNING, HVMM_STATE_REASON_REQUEST);
	ASSERT_EQ(0, boot(nl, HVMM_CMD_VM_RESET, vm.id));
	EXPECT_EVENT(HVMM_CMD_VM_STATE_NTF, HVMM_STATE_RUNNING, HVMM_STATE_REASON_REQUEST);
	ASSERT_EQ(0, nl_verb(nl, HVMM_CMD_VM_STOP, vm.id));
	EXPECT_EVENT(HVMM_CMD_VM_STATE_NTF, HVMM_STATE_STOPPED, HVMM_STATE_REASON_REQUEST);
	ASSERT_EQ(0, nl_verb(nl, HVMM_CMD_VM_DEL, vm.id));
	EXPECT_EVENT(HVMM_CMD_VM_DEL_NTF, HVMM_STATE_STOPPED, HVMM_STATE_REASON_REQUEST);
	close(events.fd);
}

struct figures {
	unsigned int nr, last, bad_sum, bad_sets, bad_order, bad_waits;
	uint64_t wakes;
	uint32_t vm;
};

static unsigned int count(struct nlattr *nest, uint64_t *sum)
{
	unsigned int nr = 0;
	struct nlattr *a;

	*sum = 0;
	if (!nest)
		return 0;
	nl_for_each(a, (struct nlattr *)nl_data(nest), nl_len(nest)) {
		*sum += nl_get(a, a->nla_len, nl_type(a));
		nr++;
	}
	return nr;
}

/* Single waits: the histogram has as many as were counted, none longer than the longest. */
static bool wait_fits(struct nlattr *wait, uint64_t wall)
{
	struct nlattr *attrs = nl_data(wait), *histogram;
	int len = nl_len(wait), i;
	uint64_t longest = nl_get(attrs, len, HVMM_A_WAIT_LONGEST);
	uint32_t bucket[HVMM_WAIT_BUCKETS], sum = 0;

	histogram = nl_find(attrs, len, HVMM_A_WAIT_HISTOGRAM);
	if (!histogram || nl_len(histogram) != sizeof(bucket))
		return false;
	memcpy(bucket, nl_data(histogram), sizeof(bucket));
	for (i = 0; i < HVMM_WAIT_BUCKETS; i++) {
		sum += bucket[i];
		if (i && bucket[i] && longest < 1ULL << (9 + i))
			return false;
	}
	return sum && sum == (uint32_t)nl_get(attrs, len, HVMM_A_WAIT_COUNT) &&
	       longest <= wall && nl_get(attrs, len, HVMM_A_WAIT_LONGEST_END) <= wall;
}

static void waits_check(struct figures *f, struct nlattr *attrs, int len)
{
	uint64_t wall = nl_get(attrs, len, HVMM_A_VCPU_WALL);
	struct nlattr *waits = nl_find(attrs, len, HVMM_A_VCPU_WAITS), *a;

	if (!waits || nl_get(attrs, len, HVMM_A_VCPU_SINCE) > wall) {
		f->bad_waits++;
		return;
	}
	nl_for_each(a, (struct nlattr *)nl_data(waits), nl_len(waits)) {
		if (!wait_fits(a, wall))
			f->bad_waits++;
		if (nl_type(a) == HVMM_A_WAITS_WAKE)
			f->wakes = nl_get(nl_data(a), nl_len(a), HVMM_A_WAIT_COUNT);
	}
}

static void figures_check(void *arg, uint8_t cmd, struct nlattr *attrs, int len)
{
	bool vcpu = cmd == HVMM_CMD_VCPU_GET;
	struct figures *f = arg;
	uint64_t sum, unused, index;

	f->vm = nl_get(attrs, len, HVMM_A_STATS_VM);
	if (count(nl_find(attrs, len, vcpu ? HVMM_A_VCPU_LEDGER : HVMM_A_STATS_LEDGER), &sum) !=
	    HVMM_A_LEDGER_MAX ||
	    count(nl_find(attrs, len, vcpu ? HVMM_A_VCPU_EXITS : HVMM_A_STATS_EXITS), &unused) !=
	    HVMM_A_EXITS_MAX ||
	    count(nl_find(attrs, len, vcpu ? HVMM_A_VCPU_COUNTERS : HVMM_A_STATS_COUNTERS),
		  &unused) != HVMM_A_COUNTERS_MAX)
		f->bad_sets++;
	if (sum != nl_get(attrs, len, vcpu ? HVMM_A_VCPU_WALL : HVMM_A_STATS_WALL))
		f->bad_sum++;
	if (vcpu) {
		waits_check(f, attrs, len);
		index = nl_get(attrs, len, HVMM_A_VCPU_INDEX);
		if (f->nr && index != f->last + 1)
			f->bad_order++;
		f->last = index;
	}
	f->nr++;
}

TEST_F(netlink, figures_add_up)
{
	struct nl *nl = &self->nl;
	struct figures f;
	int i;

	ASSERT_EQ(0, boot(nl, HVMM_CMD_VM_START, self->vm.id));
	for (i = 0; i < 100; i++) {
		memset(&f, 0, sizeof(f));
		nl_begin(nl, &msg, nl->family, 0, HVMM_CMD_STATS_GET);
		nl_put_u32(&msg, HVMM_A_STATS_VM, self->vm.id);
		ASSERT_EQ(0, nl_talk(nl, &msg, figures_check, &f));
		ASSERT_EQ(1, f.nr);
		ASSERT_EQ(0, f.bad_sum);
		ASSERT_EQ(0, f.bad_sets);

		nl_begin(nl, &msg, nl->family, 0, HVMM_CMD_VCPU_GET);
		nl_put_str(&msg, HVMM_A_VCPU_VM_NAME, "nlt-one");
		nl_put_u32(&msg, HVMM_A_VCPU_INDEX, 0);
		ASSERT_EQ(0, nl_talk(nl, &msg, figures_check, &f));
		ASSERT_EQ(2, f.nr);
		ASSERT_EQ(0, f.bad_sum);
		ASSERT_EQ(0, f.bad_waits);
	}
	/* To be started is to be woken. */
	EXPECT_LE(1, f.wakes);
}

TEST_F(netlink, vcpus)
{
	struct nl *nl = &self->nl;
	uint32_t vcpus = sysconf(_SC_NPROCESSORS_ONLN);
	struct object o = {};
	struct figures f = {};

	nl_begin(nl, &msg, nl->family, 0, HVMM_CMD_VCPU_GET);
	nl_put_u32(&msg, HVMM_A_VCPU_VM, self->vm.id);
	EXPECT_MISSES(HVMM_A_VCPU_INDEX);
	nl_begin(nl, &msg, nl->family, 0, HVMM_CMD_VCPU_GET);
	nl_put_u32(&msg, HVMM_A_VCPU_VM, self->vm.id);
	nl_put_u32(&msg, HVMM_A_VCPU_INDEX, 1);
	EXPECT_REFUSED(ENOENT, HVMM_A_VCPU_INDEX);
	nl_begin(nl, &msg, nl->family, 0, HVMM_CMD_VCPU_GET);
	nl_put_u32(&msg, HVMM_A_VCPU_VM, self->vm.id);
	nl_put_u32(&msg, HVMM_A_VCPU_INDEX, HVMM_VCPUS_MAX);
	EXPECT_REFUSED(ERANGE, HVMM_A_VCPU_INDEX);

	nl_begin(nl, &msg, nl->family, 0, HVMM_CMD_VM_NEW);
	nl_put_str(&msg, HVMM_A_VM_NAME, "nlt-smp");
	nl_put_u32(&msg, HVMM_A_VM_VCPUS, vcpus);
	/* 4 bytes are as good as 8 where a uint belongs. */
	nl_put_u32(&msg, HVMM_A_VM_MEMORY, RAM);
	nl_put_u32(&msg, HVMM_A_VM_RAM_FD, self->fd);
	ASSERT_EQ(0, nl_talk(nl, &msg, object_fill, &o));
	EXPECT_EQ(RAM, o.memory);

	nl_begin(nl, &msg, nl->family, NLM_F_DUMP, HVMM_CMD_VCPU_GET);
	nl_put_u32(&msg, HVMM_A_VCPU_VM, o.id);
	EXPECT_EQ(0, nl_talk(nl, &msg, figures_check, &f));
	EXPECT_EQ(vcpus, f.nr);
	EXPECT_EQ(o.id, f.vm);
	EXPECT_EQ(0, f.bad_order + f.bad_sum + f.bad_sets);
	EXPECT_FALSE(nl->interrupted);

	nl_begin(nl, &msg, nl->family, NLM_F_DUMP, HVMM_CMD_VCPU_GET);
	nl_put_str(&msg, HVMM_A_VCPU_VM_NAME, "nlt-none");
	EXPECT_REFUSED(ENOENT, HVMM_A_VCPU_VM_NAME);
	nl_begin(nl, &msg, nl->family, NLM_F_DUMP, HVMM_CMD_VCPU_GET);
	nl_put_u32(&msg, HVMM_A_VCPU_INDEX, 0);
	EXPECT_REFUSED(EINVAL, HVMM_A_VCPU_INDEX);
	nl_begin(nl, &msg, nl->family, NLM_F_DUMP, HVMM_CMD_VM_GET);
	nl_put_u32(&msg, HVMM_A_VM_ID, self->vm.id);
	EXPECT_REFUSED(EINVAL, HVMM_A_VM_ID);
	nl_begin(nl, &msg, nl->family, NLM_F_DUMP, HVMM_CMD_STATS_GET);
	nl_put_str(&msg, HVMM_A_STATS_VM_NAME, "nlt-one");
	EXPECT_REFUSED(EINVAL, HVMM_A_STATS_VM_NAME);
}

static void host_check(void *arg, uint8_t cmd, struct nlattr *attrs, int len)
{
	const char *vendor = nl_get_str(attrs, len, HVMM_A_HOST_VENDOR);
	const char *version = nl_get_str(attrs, len, HVMM_A_HOST_VERSION);
	unsigned int *bad = arg;

	*bad = !vendor || (strcmp(vendor, "svm") && strcmp(vendor, "vmx")) ||
	       !version || !*version ||
	       (long)nl_get(attrs, len, HVMM_A_HOST_PCPUS) > sysconf(_SC_NPROCESSORS_CONF) ||
	       nl_get(attrs, len, HVMM_A_HOST_VMS) > nl_get(attrs, len, HVMM_A_HOST_VM_OBJECTS) ||
	       nl_get(attrs, len, HVMM_A_HOST_VCPUS) < nl_get(attrs, len, HVMM_A_HOST_VMS) ||
	       nl_get(attrs, len, HVMM_A_HOST_TABLE_PAGES) < nl_get(attrs, len, HVMM_A_HOST_VMS);
}

TEST_F(netlink, host)
{
	unsigned int bad = 2;

	nl_begin(&self->nl, &msg, self->nl.family, 0, HVMM_CMD_HOST_GET);
	EXPECT_EQ(0, nl_talk(&self->nl, &msg, host_check, &bad));
	EXPECT_EQ(0, bad);
	nl_begin(&self->nl, &msg, self->nl.family, 0, HVMM_CMD_HOST_GET);
	nl_put_u32(&msg, HVMM_A_HOST_VMS, 1);
	EXPECT_REFUSED(EINVAL, HVMM_A_HOST_VMS);
}

/* What a child process with less rights finds; 0 or the number of the check. */
static int unprivileged(uint32_t id, bool may_read, struct nl *privileged)
{
	static const int verbs[] = {
		HVMM_CMD_VM_DEL, HVMM_CMD_VM_START, HVMM_CMD_VM_STOP, HVMM_CMD_VM_PAUSE,
		HVMM_CMD_VM_RESUME, HVMM_CMD_VM_RESET,
	};
	static const int reads[] = {
		HVMM_CMD_VM_GET, HVMM_CMD_STATS_GET, HVMM_CMD_VCPU_GET, HVMM_CMD_HOST_GET,
	};
	static struct listed l;
	struct object o = {};
	unsigned int i;
	struct nl nl;
	int ret;

	if (nl_open(&nl))
		return 1;
	for (i = 0; i < ARRAY_SIZE(verbs); i++)
		if (nl_verb(&nl, verbs[i], id) != -EPERM || !nl.text[0])
			return 10 + i;
	new_begin(&nl, "nlt-child", nl_ram(RAM), NL_NONE);
	if (nl_talk(&nl, &msg, NULL, NULL) != -EPERM || !nl.text[0])
		return 20;
	/* A socket that root has opened gives no rights. */
	if (privileged && nl_verb(privileged, HVMM_CMD_VM_DEL, id) != -EPERM)
		return 21;

	for (i = 0; i < ARRAY_SIZE(reads); i++) {
		nl_begin(&nl, &msg, nl.family, 0, reads[i]);
		if (reads[i] != HVMM_CMD_HOST_GET)
			nl_put_u32(&msg, HVMM_A_VM_ID, id);
		if (reads[i] == HVMM_CMD_VCPU_GET)
			nl_put_u32(&msg, HVMM_A_VCPU_INDEX, 0);
		ret = nl_talk(&nl, &msg, object_fill, &o);
		if (may_read ? ret : ret != -EPERM || !nl.text[0])
			return 30 + i;
		if (reads[i] == HVMM_CMD_VM_GET && o.config)
			return 40;
	}
	ret = list(&nl, &l);
	if (may_read ? ret || !l.nr : ret != -EPERM || l.nr || !nl.text[0])
		return 41;
	return 0;
}

static int child_status(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

TEST_F(netlink, rights)
{
	struct object o = {};
	pid_t pid;

	new_begin(&self->nl, "nlt-two", self->fd, NL_NONE);
	nl_put(&msg, HVMM_A_VM_CONFIG, "secret", 6);
	ASSERT_EQ(0, nl_talk(&self->nl, &msg, object_fill, &o));
	EXPECT_TRUE(o.config);

	pid = fork();
	if (!pid) {
		if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))
			_exit(2);
		_exit(unprivileged(o.id, true, &self->nl));
	}
	EXPECT_EQ(0, child_status(pid));

	/* Root of a container: all capabilities, but of its own namespaces. */
	pid = fork();
	if (!pid) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
			_exit(3);
		_exit(unprivileged(o.id, false, NULL));
	}
	EXPECT_EQ(0, child_status(pid));

	/* The host's root sees the VMs from everywhere. */
	pid = fork();
	if (!pid) {
		static struct listed l;
		struct nl nl;

		if (unshare(CLONE_NEWNET) || nl_open(&nl))
			_exit(4);
		_exit(list(&nl, &l) || !l.nr ? 5 : 0);
	}
	EXPECT_EQ(0, child_status(pid));

	/* Nothing has happened to it. */
	EXPECT_EQ(0, nl_verb(&self->nl, HVMM_CMD_VM_GET, o.id));
}

TEST_HARNESS_MAIN
