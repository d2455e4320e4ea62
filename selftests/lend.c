// SPDX-License-Identifier: GPL-2.0
/*
 * A thread of the device process that runs the vCPU whose access it has answered: what others
 * want of the vCPU, and of its pCPU, while that thread has left the kernel with the next access.
 * All is on one pCPU. The VMs made here are named lend-*.
 */
#include "kselftest_harness.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

#include "testvm.h"

#define MIB		(1ULL << 20)
#define RAM		(4 * MIB)
#define ENTRY		0x1000
#define RESULT		0x3000
#define PATIENCE_S	20
#define ROUNDS		200
#define HELD_MS		60
#define HELD		20
#define THREADS		4
#define RACE_MS		3000
#define AP_ENTRY	0x8000
#define PARAMETER	"/sys/module/hvmm/parameters/lend"

/* What the guest has got, and how often. */
struct result {
	uint32_t rounds;
	uint8_t last;
};

/* 1: in 0x2f0, what is read to "last", 1 to "rounds"; jmp 1b */
static const uint8_t io_guest[] = {
	0xba, 0xf0, 0x02, 0x00, 0x00,			/* mov $0x2f0, %edx */
	0xec,						/* 1: in %dx, %al */
	0xa2, 0x04, 0x30, 0x00, 0x00,			/* mov %al, 0x3004 */
	0xff, 0x05, 0x00, 0x30, 0x00, 0x00,		/* incl 0x3000 */
	0xeb, 0xf2,					/* jmp 1b */
};

/* Each time a byte to a new page, from 64 KiB on, as long as there are some. */
static const uint8_t pages_guest[] = {
	0xba, 0xf0, 0x02, 0x00, 0x00,			/* mov $0x2f0, %edx */
	0xbf, 0x00, 0x00, 0x01, 0x00,			/* mov $0x10000, %edi */
	0xec,						/* 1: in %dx, %al */
	0x88, 0x07,					/* mov %al, (%edi) */
	0x81, 0xc7, 0x00, 0x10, 0x00, 0x00,		/* add $0x1000, %edi */
	0xff, 0x05, 0x00, 0x30, 0x00, 0x00,		/* incl 0x3000 */
	0xeb, 0xef,					/* jmp 1b */
};

static const uint8_t busy_guest[] = {
	0xff, 0x05, 0x00, 0x30, 0x00, 0x00,		/* 1: incl 0x3000 */
	0xeb, 0xf8,					/* jmp 1b */
};

/* Starts the second vCPU at AP_ENTRY (INIT, SIPI to all others), then as the first one above. */
static const uint8_t two_guest[] = {
	0xc7, 0x05, 0x00, 0x03, 0xe0, 0xfe, 0x00, 0x45, 0x0c, 0x00,	/* movl $0xc4500, ICR */
	0xc7, 0x05, 0x00, 0x03, 0xe0, 0xfe, 0x08, 0x46, 0x0c, 0x00,	/* movl $0xc4608, ICR */
	0xba, 0xf0, 0x02, 0x00, 0x00,			/* mov $0x2f0, %edx */
	0xec,						/* 1: in %dx, %al */
	0xff, 0x05, 0x00, 0x30, 0x00, 0x00,		/* incl 0x3000 */
	0xeb, 0xf7,					/* jmp 1b */
};

/* In real mode: accesses of one instruction follow each other without another entry. */
static const uint8_t second_guest[] = {
	0xba, 0xf0, 0x02,				/* mov $0x2f0, %dx */
	0xfc, 0xbf, 0x00, 0x40,				/* 1: cld; mov $0x4000, %di */
	0xb9, 0x08, 0x00, 0xf3, 0x6c,			/* mov $8, %cx; rep insb */
	0x66, 0x83, 0x06, 0x08, 0x30, 0x08,		/* addl $8, 0x3008 */
	0xeb, 0xef,					/* jmp 1b */
};

static struct nl_msg msg;

struct vm {
	int ram, fd;
	uint32_t id;
	uint8_t *map;
	volatile struct result *result;
	struct hvmm_vm_slot *slot;
	struct hvmm_vm_io_next next;
};

struct figures {
	uint64_t lent, entries, io, sum, wall;
};

static void take_figures(void *arg, uint8_t cmd, struct nlattr *attrs, int len)
{
	struct nlattr *counters = nl_find(attrs, len, HVMM_A_STATS_COUNTERS);
	struct nlattr *ledger = nl_find(attrs, len, HVMM_A_STATS_LEDGER);
	struct figures *f = arg;
	int i;

	f->lent = nl_get(nl_data(counters), nl_len(counters), HVMM_A_COUNTERS_LENT);
	f->entries = nl_get(nl_data(counters), nl_len(counters), HVMM_A_COUNTERS_ENTRIES);
	f->io = nl_get(nl_data(ledger), nl_len(ledger), HVMM_A_LEDGER_IO);
	f->wall = nl_get(attrs, len, HVMM_A_STATS_WALL);
	for (i = 1; i <= HVMM_A_LEDGER_MAX; i++)
		f->sum += nl_get(nl_data(ledger), nl_len(ledger), i);
}

static struct figures figures(struct nl *nl, const struct vm *vm)
{
	struct figures f = {};

	nl_begin(nl, &msg, nl->family, 0, HVMM_CMD_STATS_GET);
	nl_put_u32(&msg, HVMM_A_STATS_VM, vm->id);
	nl_talk(nl, &msg, take_figures, &f);
	return f;
}

static int pin(struct nl *nl, const struct vm *vm, uint8_t cpus)
{
	size_t nest;

	nl_begin(nl, &msg, nl->family, 0, HVMM_CMD_VM_SET);
	nest = nl_nest(&msg, HVMM_A_VM_CHANGE);
	nl_put_u32(&msg, HVMM_A_VM_ID, vm->id);
	nl_put(&msg, HVMM_A_VM_CPU_AFFINITY, &cpus, sizeof(cpus));
	nl_nest_end(&msg, nest);
	return nl_talk(nl, &msg, NULL, NULL);
}

static int pin_self(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

static int set_lend(char c)
{
	int fd = open(PARAMETER, O_WRONLY | O_CLOEXEC);
	int ret = fd >= 0 && write(fd, &c, 1) == 1 ? 0 : -1;

	close(fd);
	return ret;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ULL + t.tv_nsec / 1000000;
}

/* Wait until the guest has done more than @rounds. */
static bool goes_on(const struct vm *vm, uint32_t rounds)
{
	uint64_t end = now_ms() + PATIENCE_S * 1000;

	while (vm->result->rounds <= rounds)
		if (now_ms() > end || sched_yield())
			return false;
	return true;
}

static int make(struct nl *nl, int dev, const char *name, uint32_t vcpus, const uint8_t *code,
		size_t size, struct vm *vm)
{
	int fd, ret;

	vm->ram = nl_ram(RAM);
	ret = vm_new_smp(nl, name, vcpus, vm->ram, RAM, &vm->id);
	if (ret)
		return ret;
	/* A mapping keeps its file open: not of the one that becomes the device process's. */
	fd = vm_open(dev, vm->id);
	vm->map = mmap(NULL, RAM, PROT_READ | PROT_WRITE, MAP_SHARED, fd, HVMM_VM_MMAP_RAM);
	vm->slot = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, HVMM_VM_MMAP_SLOTS);
	close(fd);
	vm->fd = vm_open(dev, vm->id);
	if (vm->fd < 0)
		return vm->fd;
	if (vm->map == MAP_FAILED || vm->slot == MAP_FAILED)
		return -errno;
	vm->result = (volatile struct result *)(vm->map + RESULT);
	memcpy(vm->map + ENTRY, code, size);
	return pin(nl, vm, 1);
}

static void unmake(struct nl *nl, struct vm *vm)
{
	munmap(vm->map, RAM);
	munmap(vm->slot, 4096);
	if (vm->fd >= 0)
		close(vm->fd);
	nl_verb(nl, HVMM_CMD_VM_DEL, vm->id);
	close(vm->ram);
}

/* Answer the request that is held, if there is one, and take the next. */
static int answer(struct vm *vm, uint8_t data)
{
	vm->slot->data[0] = data;
	vm->next.done_vcpu = vm->next.vcpu;
	vm->next.done_seq = vm->next.seq;
	return vm_call(vm->fd, HVMM_VM_IO_NEXT, &vm->next);
}

/* Returns with a request that is not answered. */
static int serve(struct vm *vm, unsigned int rounds)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < rounds && !ret; i++)
		ret = answer(vm, i);
	return ret;
}

FIXTURE(lend)
{
	struct nl nl;
	int dev;
	struct vm io, busy;
};

FIXTURE_SETUP(lend)
{
	struct hvmm_vm_attach attach = { .size = sizeof(attach) };

	ASSERT_EQ(0, nl_open(&self->nl)) {
		TH_LOG("no netlink family hvmm: is the module loaded?");
	}
	self->dev = open("/dev/hvmm", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->dev);
	ASSERT_EQ(0, pin_self(0));
	ASSERT_EQ(0, make(&self->nl, self->dev, "lend-io", 1, io_guest, sizeof(io_guest),
			  &self->io)) {
		TH_LOG("%s", self->nl.text);
	}
	ASSERT_EQ(0, make(&self->nl, self->dev, "lend-busy", 1, busy_guest,
			  sizeof(busy_guest), &self->busy));
	ASSERT_EQ(0, vm_call(self->io.fd, HVMM_VM_ATTACH, &attach));
	self->io.next.size = sizeof(self->io.next);
	self->io.next.vcpu = HVMM_VM_NO_VCPU;
	ASSERT_EQ(0, vm_start(&self->nl, self->io.id, ENTRY));
	ASSERT_EQ(0, serve(&self->io, ROUNDS));
}

FIXTURE_TEARDOWN(lend)
{
	unmake(&self->nl, &self->io);
	unmake(&self->nl, &self->busy);
	close(self->dev);
	close(self->nl.fd);
	set_lend('Y');
}

TEST_F(lend, counted)
{
	struct figures before = figures(&self->nl, &self->io), after;

	/* Who is preempted at the wrong time wakes the runner: not each round is one. */
	EXPECT_LE(ROUNDS / 2, before.lent);
	EXPECT_EQ(before.wall, before.sum);
	ASSERT_EQ(0, serve(&self->io, ROUNDS));
	EXPECT_EQ(2 * ROUNDS - 1, self->io.result->rounds);
	EXPECT_EQ((uint8_t)(ROUNDS - 1), self->io.result->last);
	after = figures(&self->nl, &self->io);
	EXPECT_LE(before.lent + ROUNDS / 2, after.lent);
	EXPECT_EQ(after.wall, after.sum);
}

TEST_F(lend, switched_off)
{
	struct figures f;

	ASSERT_EQ(0, set_lend('N'));
	/* What has been lent comes to its end first. */
	ASSERT_EQ(0, serve(&self->io, 1));
	f = figures(&self->nl, &self->io);
	ASSERT_EQ(0, serve(&self->io, ROUNDS));
	EXPECT_EQ(f.lent, figures(&self->nl, &self->io).lent);
	EXPECT_EQ(2 * ROUNDS, self->io.result->rounds);
}

/* The wait for a device is told as such, however long the thread stays away. */
TEST_F(lend, wait_is_io)
{
	struct timespec held = { 0, HELD_MS * 1000000L };
	struct figures before = figures(&self->nl, &self->io), after;

	nanosleep(&held, NULL);
	after = figures(&self->nl, &self->io);
	EXPECT_LE(HELD_MS * 1000000ULL * 9 / 10, after.io - before.io);
	EXPECT_EQ(after.wall, after.sum);
	EXPECT_EQ(0, serve(&self->io, 2));
}

/* The pCPU is taken back though nobody wants it: each time another residency begins. */
TEST_F(lend, taken_back_after_a_while)
{
	struct timespec held = { 0, 5000000 };
	struct figures before = figures(&self->nl, &self->io), after;
	int i;

	for (i = 0; i < HELD; i++) {
		nanosleep(&held, NULL);
		ASSERT_EQ(0, serve(&self->io, 1));
	}
	after = figures(&self->nl, &self->io);
	EXPECT_LE(before.entries + HELD, after.entries);
}

/* What may sleep is not done by a thread that others may hold back. */
TEST_F(lend, new_pages)
{
	uint32_t i;

	ASSERT_EQ(0, nl_verb(&self->nl, HVMM_CMD_VM_STOP, self->io.id));
	memcpy(self->io.map + ENTRY, pages_guest, sizeof(pages_guest));
	self->io.result->rounds = 0;
	ASSERT_EQ(0, vm_start(&self->nl, self->io.id, ENTRY));
	ASSERT_EQ(0, serve(&self->io, ROUNDS + 1));
	/* The first of them answered what had been held from before. */
	EXPECT_EQ(ROUNDS, self->io.result->rounds);
	for (i = 0; i < ROUNDS; i++)
		EXPECT_EQ((uint8_t)(i + 1), self->io.map[0x10000 + i * 4096]);
}

/* A thread that the host's others could not take the pCPU from waits as ever. */
TEST_F(lend, not_to_other_classes)
{
	struct sched_param fifo = { .sched_priority = 1 }, other = { 0 };
	struct figures f;

	ASSERT_EQ(0, sched_setscheduler(0, SCHED_FIFO, &fifo));
	EXPECT_EQ(0, serve(&self->io, 1));
	f = figures(&self->nl, &self->io);
	EXPECT_EQ(0, serve(&self->io, 10));
	EXPECT_EQ(f.lent, figures(&self->nl, &self->io).lent);
	ASSERT_EQ(0, sched_setscheduler(0, SCHED_OTHER, &other));
}

/* Nor one that has something in a segment register that some processors do not restore. */
TEST_F(lend, not_with_segments)
{
	struct figures f;
	uint16_t ss, es;

	asm volatile("mov %%ss, %0; mov %0, %%es" : "=r"(ss));
	EXPECT_EQ(0, serve(&self->io, 1));
	f = figures(&self->nl, &self->io);
	EXPECT_EQ(0, serve(&self->io, ROUNDS));
	EXPECT_EQ(f.lent, figures(&self->nl, &self->io).lent);
	asm volatile("mov %%es, %0; mov %1, %%es" : "=&r"(es) : "r"(0));
	EXPECT_EQ(ss, es);
}

TEST_F(lend, pause_and_resume)
{
	uint32_t rounds = self->io.result->rounds;

	ASSERT_EQ(0, nl_verb(&self->nl, HVMM_CMD_VM_PAUSE, self->io.id));
	ASSERT_EQ(0, nl_verb(&self->nl, HVMM_CMD_VM_RESUME, self->io.id));
	ASSERT_EQ(0, serve(&self->io, 10));
	EXPECT_EQ(rounds + 10, self->io.result->rounds);
	/* Answered while it is held. */
	ASSERT_EQ(0, nl_verb(&self->nl, HVMM_CMD_VM_PAUSE, self->io.id));
	self->io.next.flags = HVMM_VM_IO_NOWAIT;
	EXPECT_EQ(-EAGAIN, answer(&self->io, 1));
	EXPECT_EQ(rounds + 10, self->io.result->rounds);
	ASSERT_EQ(0, nl_verb(&self->nl, HVMM_CMD_VM_RESUME, self->io.id));
	self->io.next.flags = 0;
	EXPECT_EQ(0, serve(&self->io, 1));
	EXPECT_EQ(rounds + 11, self->io.result->rounds);
}

TEST_F(lend, another_gets_the_pcpu)
{
	ASSERT_EQ(0, vm_start(&self->nl, self->busy.id, ENTRY));
	EXPECT_TRUE(goes_on(&self->busy, 0));
	/* Now that there are two. */
	ASSERT_EQ(0, serve(&self->io, ROUNDS));
	EXPECT_TRUE(goes_on(&self->busy, self->busy.result->rounds));
}

/* The present vCPU of a pCPU that it may not use any more. */
TEST_F(lend, another_pcpu_is_asked_for)
{
	uint32_t rounds = self->io.result->rounds;

	ASSERT_EQ(0, pin(&self->nl, &self->io, 2));
	ASSERT_EQ(0, serve(&self->io, ROUNDS));
	EXPECT_EQ(rounds + ROUNDS, self->io.result->rounds);
}

TEST_F(lend, thread_moves)
{
	uint32_t rounds = self->io.result->rounds;

	ASSERT_EQ(0, pin(&self->nl, &self->io, 3));
	ASSERT_EQ(0, serve(&self->io, 10));
	ASSERT_EQ(0, pin_self(1));
	ASSERT_EQ(0, serve(&self->io, 10));
	ASSERT_EQ(0, pin_self(0));
	ASSERT_EQ(0, serve(&self->io, 10));
	EXPECT_EQ(rounds + 30, self->io.result->rounds);
}

TEST_F(lend, destroyed)
{
	EXPECT_EQ(0, nl_verb(&self->nl, HVMM_CMD_VM_DEL, self->io.id));
	EXPECT_EQ(-ENODEV, answer(&self->io, 1));
}

TEST_F(lend, stopped_and_started)
{
	uint64_t old = self->io.next.seq;

	ASSERT_EQ(0, nl_verb(&self->nl, HVMM_CMD_VM_STOP, self->io.id));
	ASSERT_EQ(0, vm_start(&self->nl, self->io.id, ENTRY));
	/* The answer is to a request that there is no more. */
	ASSERT_EQ(0, answer(&self->io, 0x55));
	EXPECT_NE(old, self->io.next.seq);
	EXPECT_NE(0x55, self->io.result->last);
	EXPECT_EQ(0, serve(&self->io, 10));
}

/* A bad answer is refused, and what has come meanwhile is not lost with it. */
TEST_F(lend, bad_answer)
{
	struct hvmm_vm_io_next bad = self->io.next;

	bad.done_vcpu = 1;
	EXPECT_EQ(-EINVAL, vm_call(self->io.fd, HVMM_VM_IO_NEXT, &bad));
	EXPECT_EQ(0, serve(&self->io, 10));
}

struct racer {
	struct vm *vm;
	uint64_t *last;
	int ret;
	unsigned int twice;
};

/* Serves until the VM is destroyed; each request once. */
static void *race(void *arg)
{
	struct racer *r = arg;
	struct hvmm_vm_io_next next = { .size = sizeof(next), .vcpu = HVMM_VM_NO_VCPU };
	uint64_t was;

	for (;;) {
		next.done_vcpu = next.vcpu;
		next.done_seq = next.seq;
		r->ret = vm_call(r->vm->fd, HVMM_VM_IO_NEXT, &next);
		if (r->ret)
			return NULL;
		if (next.vcpu == HVMM_VM_NO_VCPU)
			continue;
		/* A vCPU's requests come one after the other. */
		was = __atomic_exchange_n(&r->last[next.vcpu], next.seq, __ATOMIC_SEQ_CST);
		r->twice += was >= next.seq;
	}
}

/* Threads that borrow pCPUs of one VM one after the other, each with its vCPUs' requests. */
TEST_F(lend, threads)
{
	struct hvmm_vm_attach attach = { .size = sizeof(attach) };
	volatile uint32_t *second;
	struct racer racers[THREADS];
	pthread_t threads[THREADS];
	unsigned int twice = 0, i;
	uint64_t last[2] = {}, end;
	struct vm vm;

	ASSERT_EQ(0, make(&self->nl, self->dev, "lend-two", 2, two_guest, sizeof(two_guest), &vm)) {
		TH_LOG("%s", self->nl.text);
	}
	memcpy(vm.map + AP_ENTRY, second_guest, sizeof(second_guest));
	second = (uint32_t *)(vm.map + RESULT + 8);
	ASSERT_EQ(0, pin(&self->nl, &vm, 3));
	ASSERT_EQ(0, vm_call(vm.fd, HVMM_VM_ATTACH, &attach));
	ASSERT_EQ(0, vm_start(&self->nl, vm.id, ENTRY));
	for (i = 0; i < THREADS; i++) {
		racers[i] = (struct racer){ .vm = &vm, .last = last };
		pin_self(i % 2);
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, race, &racers[i]));
	}
	usleep(RACE_MS * 1000);
	/* Neither has been forgotten. */
	EXPECT_TRUE(goes_on(&vm, vm.result->rounds));
	i = *second;
	end = now_ms() + PATIENCE_S * 500;
	while (*second == i && now_ms() < end)
		usleep(1000);
	EXPECT_NE(i, *second);
	EXPECT_EQ(0, nl_verb(&self->nl, HVMM_CMD_VM_DEL, vm.id));
	for (i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		EXPECT_EQ(-ENODEV, racers[i].ret);
		twice += racers[i].twice;
	}
	EXPECT_EQ(0, twice);
	pin_self(0);
	unmake(&self->nl, &vm);
}

/* A bad answer of somebody else's, and of the device process itself: nobody's wake-up is lost. */
TEST_F(lend, of_another_fd)
{
	int other = vm_open(self->dev, self->io.id);
	struct hvmm_vm_io_next bad = self->io.next;
	unsigned int i;

	ASSERT_LE(0, other);
	for (i = 0; i < ROUNDS; i++) {
		bad.done_vcpu = i % 2;
		EXPECT_EQ(i % 2 ? -EINVAL : -ENOTCONN, vm_call(other, HVMM_VM_IO_NEXT, &bad));
		ASSERT_EQ(0, serve(&self->io, 1));
	}
	close(other);
}

TEST_F(lend, process_dies)
{
	struct hvmm_vm_attach attach = { .size = sizeof(attach) };
	uint32_t rounds;
	int status;
	pid_t pid;

	close(self->io.fd);
	self->io.fd = -1;
	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		/* Another's requests: its own are of what it starts. */
		self->io.next.vcpu = HVMM_VM_NO_VCPU;
		self->io.fd = vm_open(self->dev, self->io.id);
		_exit(self->io.fd < 0 || vm_call(self->io.fd, HVMM_VM_ATTACH, &attach) ||
		      nl_verb(&self->nl, HVMM_CMD_VM_STOP, self->io.id) ||
		      vm_start(&self->nl, self->io.id, ENTRY) || serve(&self->io, ROUNDS));
	}
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, status);
	rounds = self->io.result->rounds;
	EXPECT_TRUE(goes_on(&self->io, rounds));
	EXPECT_EQ(0xff, self->io.result->last);
}

TEST_HARNESS_MAIN
