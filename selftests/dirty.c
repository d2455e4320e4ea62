// SPDX-License-Identifier: GPL-2.0
/*
 * Tracking of dirty pages on the VM fd: bad arguments, exact sets, a copy that follows a guest
 * which writes all the time. Guests are a few instructions each, 32-bit without paging, so
 * that nothing but they write. With pages of 4 KiB and of 2 MiB. The VMs made here are named
 * vmd-*.
 */
#include "kselftest_harness.h"

#include <sched.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "testvm.h"

#define MIB	(1ULL << 20)
#define RAM	(8 * MIB)
#define PAGES	(RAM >> 12)
#define ENTRY	0x1000
#define BLOCK	0x3000
#define SHMEM	"/sys/kernel/mm/transparent_hugepage/shmem_enabled"
#define PATIENCE_S	20

/* What the host asks of the guest, at BLOCK. */
struct block {
	uint32_t go;
	uint32_t done;
	uint32_t first;
	uint32_t stride;
	uint32_t count;
	uint32_t clock;
};

/* Waits for go to differ from done; a kvmclock at clock; adds 1 at first, first + stride, ... */
static const uint8_t listed_guest[] = {
	0xbd, 0x00, 0x30, 0x00, 0x00,		/* mov $BLOCK, %ebp */
	0xf3, 0x90,				/* 1: pause */
	0x8b, 0x45, 0x00, 0x3b, 0x45, 0x04,	/* mov (%ebp), %eax; cmp 4(%ebp), %eax */
	0x74, 0xf6,				/* je 1b */
	0x8b, 0x45, 0x14, 0x85, 0xc0,		/* mov 20(%ebp), %eax; test %eax, %eax */
	0x74, 0x09,				/* jz 2f */
	0x31, 0xd2,				/* xor %edx, %edx */
	0xb9, 0x01, 0x4d, 0x56, 0x4b,		/* mov $0x4b564d01, %ecx */
	0x0f, 0x30,				/* wrmsr */
	0x8b, 0x7d, 0x08, 0x8b, 0x4d, 0x10,	/* 2: mov 8(%ebp), %edi; mov 16(%ebp), %ecx */
	0xe3, 0x08,				/* jecxz 4f */
	0xff, 0x07, 0x03, 0x7d, 0x0c,		/* 3: incl (%edi); add 12(%ebp), %edi */
	0x49, 0x75, 0xf8,			/* dec %ecx; jnz 3b */
	0x8b, 0x45, 0x00, 0x89, 0x45, 0x04,	/* 4: mov (%ebp), %eax; mov %eax, 4(%ebp) */
	0xeb, 0xce,				/* jmp 1b */
};

/* Adds 1 at the beginning of a page between 2 and 3 MiB, by chance, for ever. */
static const uint8_t random_guest[] = {
	0xbd, 0x00, 0x30, 0x00, 0x00,		/* mov $BLOCK, %ebp */
	0xb8, 0x39, 0x30, 0x00, 0x00,		/* mov $12345, %eax */
	0x69, 0xc0, 0x0d, 0x66, 0x19, 0x00,	/* 1: imul $1664525, %eax, %eax */
	0x05, 0x5f, 0xf3, 0x6e, 0x3c,		/* add $1013904223, %eax */
	0x89, 0xc7, 0xc1, 0xef, 0x08,		/* mov %eax, %edi; shr $8, %edi */
	0x81, 0xe7, 0x00, 0xf0, 0x0f, 0x00,	/* and $0xff000, %edi */
	0xff, 0x87, 0x00, 0x00, 0x20, 0x00,	/* incl 0x200000(%edi) */
	0xff, 0x45, 0x04,			/* incl 4(%ebp) */
	0xeb, 0xdf,				/* jmp 1b */
};

static int track(int vm, int on)
{
	struct hvmm_vm_dirty_track arg = { .size = sizeof(arg), .on = on };

	return vm_call(vm, HVMM_VM_DIRTY_TRACK, &arg);
}

/* The number of dirty pages, or -errno. */
static int get(int vm, uint64_t gpa, uint64_t len, uint64_t *bits)
{
	struct hvmm_vm_dirty_get arg = {
		.size = sizeof(arg), .gpa = gpa, .len = len, .bitmap = (uintptr_t)bits,
	};
	int err = vm_call(vm, HVMM_VM_DIRTY_GET, &arg);

	return err ? err : (int)arg.dirty;
}

static bool is_set(const uint64_t *bits, unsigned int page)
{
	return bits[page / 64] >> page % 64 & 1;
}

/* What the host gives to shared memory that is made from now on. */
static int set_shmem(const char *word)
{
	int fd = open(SHMEM, O_WRONLY | O_CLOEXEC), ok;

	if (fd < 0)
		return -errno;
	ok = write(fd, word, strlen(word)) == (ssize_t)strlen(word);
	close(fd);
	return ok ? 0 : -EIO;
}

FIXTURE(dirty)
{
	struct nl nl;
	int ram, dev, vm;
	uint32_t id;
	volatile struct block *block;
	uint8_t *map;
	uint64_t bits[PAGES / 64];
};

FIXTURE_VARIANT(dirty)
{
	const char *shmem;
};

FIXTURE_VARIANT_ADD(dirty, small)
{
	.shmem = "never",
};

FIXTURE_VARIANT_ADD(dirty, huge)
{
	.shmem = "always",
};

FIXTURE_SETUP(dirty)
{
	struct stat st;

	ASSERT_EQ(0, set_shmem(variant->shmem));
	ASSERT_EQ(0, nl_open(&self->nl)) {
		TH_LOG("no netlink family hvmm: is the module loaded?");
	}
	self->ram = nl_ram(RAM);
	ASSERT_LE(0, self->ram);
	ASSERT_EQ(0, vm_new(&self->nl, "vmd-one", self->ram, RAM, &self->id)) {
		TH_LOG("%s", self->nl.text);
	}
	self->dev = open("/dev/hvmm", O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->dev);
	self->vm = vm_open(self->dev, self->id);
	ASSERT_LE(0, self->vm);
	self->map = mmap(NULL, RAM, PROT_READ | PROT_WRITE, MAP_SHARED, self->vm,
			 HVMM_VM_MMAP_RAM);
	ASSERT_NE(MAP_FAILED, self->map);
	self->block = (volatile struct block *)(self->map + BLOCK);
	self->block->done = 0;
	/* The variant is what its name says. */
	ASSERT_EQ(0, fstat(self->ram, &st));
	ASSERT_EQ(!strcmp(variant->shmem, "always") ? 2 * MIB : 4096,
		  (uint64_t)st.st_blocks << 9);
}

FIXTURE_TEARDOWN(dirty)
{
	munmap(self->map, RAM);
	close(self->vm);
	close(self->dev);
	nl_verb(&self->nl, HVMM_CMD_VM_DEL, self->id);
	close(self->ram);
	close(self->nl.fd);
	set_shmem("never");
}

/* Let the guest do what the block says. Return: whether it did in time. */
static bool go(volatile struct block *block)
{
	uint32_t want = ++block->go;
	time_t end = time(NULL) + PATIENCE_S;

	while (block->done != want) {
		if (time(NULL) > end)
			return false;
		sched_yield();
	}
	return true;
}

TEST_F(dirty, refuses)
{
	struct hvmm_vm_dirty_track on = { .size = sizeof(on), .on = 1 };
	struct hvmm_vm_dirty_get arg = {
		.size = sizeof(arg), .len = RAM, .bitmap = (uintptr_t)self->bits,
	};
	int other;

	EXPECT_EQ(-ENOTCONN, get(self->vm, 0, RAM, self->bits));
	EXPECT_EQ(-ENOTCONN, track(self->vm, 0));
	EXPECT_EQ(-EINVAL, track(self->vm, 2));
	on.flags = 1;
	EXPECT_EQ(-EINVAL, vm_call(self->vm, HVMM_VM_DIRTY_TRACK, &on));
	on.flags = 0;
	on.reserved = 1;
	EXPECT_EQ(-EINVAL, vm_call(self->vm, HVMM_VM_DIRTY_TRACK, &on));
	EXPECT_EQ(0, track(self->vm, 1));
	EXPECT_EQ(-EALREADY, track(self->vm, 1));

	EXPECT_EQ(-EINVAL, get(self->vm, 4096, 4096, self->bits));
	EXPECT_EQ(-EINVAL, get(self->vm, 0, 4095, self->bits));
	EXPECT_EQ(-EINVAL, get(self->vm, 0, 0, self->bits));
	EXPECT_EQ(-EFAULT, get(self->vm, 0, RAM + 4096, self->bits));
	EXPECT_EQ(-EFAULT, get(self->vm, -HVMM_VM_DIRTY_ALIGN, 2 * HVMM_VM_DIRTY_ALIGN,
			       self->bits));
	EXPECT_EQ(-EFAULT, get(self->vm, RAM, 4096, self->bits));
	arg.flags = 1;
	EXPECT_EQ(-EINVAL, vm_call(self->vm, HVMM_VM_DIRTY_GET, &arg));
	arg.flags = 0;
	arg.dirty = 1;
	EXPECT_EQ(-EINVAL, vm_call(self->vm, HVMM_VM_DIRTY_GET, &arg));

	/* One at a time; who closes has ended it. */
	other = vm_open(self->dev, self->id);
	ASSERT_LE(0, other);
	EXPECT_EQ(-EBUSY, track(other, 1));
	EXPECT_EQ(-ENOTCONN, track(other, 0));
	EXPECT_EQ(-ENOTCONN, get(other, 0, RAM, self->bits));
	EXPECT_EQ(0, track(self->vm, 0));
	EXPECT_EQ(0, track(other, 1));
	EXPECT_EQ(-EBUSY, track(self->vm, 1));
	close(other);
	EXPECT_EQ(0, track(self->vm, 1));
}

TEST_F(dirty, exact_set)
{
	volatile struct block *b = self->block;
	unsigned int i, wrong = 0;

	memcpy(self->map + ENTRY, listed_guest, sizeof(listed_guest));
	/* The guest has some of them before, and takes others only later. */
	b->first = MIB;
	b->stride = 4096;
	b->count = 256;
	ASSERT_EQ(0, vm_start(&self->nl, self->id, ENTRY));
	ASSERT_TRUE(go(b));
	ASSERT_EQ(0, track(self->vm, 1));
	/* It reads the block all the time. */
	EXPECT_EQ(0, get(self->vm, 0, RAM, self->bits));

	b->first = MIB + 4096 * 7;
	b->stride = 4096 * 13;
	b->count = 100;
	ASSERT_TRUE(go(b));
	EXPECT_EQ(101, get(self->vm, 0, RAM, self->bits));
	for (i = 0; i < PAGES; i++) {
		unsigned int n = i - (256 + 7);

		wrong += is_set(self->bits, i) !=
			 (i == BLOCK >> 12 || (i >= 256 + 7 && n % 13 == 0 && n / 13 < 100));
	}
	EXPECT_EQ(0, wrong);
	EXPECT_EQ(0, get(self->vm, 0, RAM, self->bits));

	/* Again, a part of the range; what lies outside it stays noted. */
	ASSERT_TRUE(go(b));
	EXPECT_EQ(0, get(self->vm, RAM - HVMM_VM_DIRTY_ALIGN, 4096, self->bits));
	EXPECT_EQ(1, get(self->vm, 0, MIB + 4096 * 7, self->bits));
	EXPECT_EQ(100, get(self->vm, 0, RAM, self->bits));

	/* Not deliverable: nothing is lost. */
	ASSERT_TRUE(go(b));
	EXPECT_EQ(-EFAULT, get(self->vm, 0, RAM, (uint64_t *)8));
	EXPECT_EQ(101, get(self->vm, 0, RAM, self->bits));

	/* Off and on: nothing of before, and the guest goes on. */
	ASSERT_TRUE(go(b));
	ASSERT_EQ(0, track(self->vm, 0));
	ASSERT_TRUE(go(b));
	ASSERT_EQ(0, track(self->vm, 1));
	EXPECT_EQ(0, get(self->vm, 0, RAM, self->bits));
	ASSERT_TRUE(go(b));
	EXPECT_EQ(101, get(self->vm, 0, RAM, self->bits));
}

TEST_F(dirty, written_by_the_kernel)
{
	struct hvmm_vm_discard gone = { .size = sizeof(gone), .gpa = 5 * MIB, .len = 3 << 12 };
	struct hvmm_vm_unmap_page page = { .size = sizeof(page), .gpa = 6 * MIB };
	volatile struct block *b = self->block;

	memcpy(self->map + ENTRY, listed_guest, sizeof(listed_guest));
	memset(self->map + 5 * MIB, 1, MIB + 4096);
	ASSERT_EQ(0, vm_start(&self->nl, self->id, ENTRY));
	ASSERT_TRUE(go(b));
	ASSERT_EQ(0, track(self->vm, 1));
	b->clock = (4 * MIB + 4096) | 1;
	ASSERT_TRUE(go(b));
	b->clock = 0;
	EXPECT_EQ(2, get(self->vm, 0, RAM, self->bits));
	EXPECT_TRUE(is_set(self->bits, 4 * 256 + 1));
	EXPECT_TRUE(is_set(self->bits, BLOCK >> 12));

	/* A page that is discarded becomes another, one that is unmapped does not. */
	ASSERT_EQ(0, vm_call(self->vm, HVMM_VM_DISCARD, &gone));
	ASSERT_EQ(0, vm_call(self->vm, HVMM_VM_UNMAP_PAGE, &page));
	/* From 5 MiB on: the clock is written again whenever the vCPU has been away. */
	EXPECT_EQ(3, get(self->vm, 5 * MIB, 3 * MIB, self->bits));
	EXPECT_EQ(7, self->bits[0]);
}

TEST_F(dirty, a_copy_follows)
{
	struct hvmm_vm_unmap_page page = { .size = sizeof(page), .gpa = 2 * MIB };
	struct hvmm_vm_discard gone = { .size = sizeof(gone), .gpa = 2 * MIB, .len = 4096 };
	unsigned int round, i, wrong = 0;
	uint8_t *copy = malloc(RAM);
	uint32_t seen;

	ASSERT_NE(NULL, copy);
	memcpy(self->map + ENTRY, random_guest, sizeof(random_guest));
	ASSERT_EQ(0, vm_start(&self->nl, self->id, ENTRY));
	while (self->block->done < 1000)
		sched_yield();
	ASSERT_EQ(0, track(self->vm, 1));
	memcpy(copy, self->map, RAM);
	for (round = 0; round <= 40; round++) {
		int err = 0;

		if (round == 40)
			err = nl_verb(&self->nl, HVMM_CMD_VM_PAUSE, self->id);
		else if (round % 4 == 1)
			err = vm_call(self->vm, HVMM_VM_UNMAP_PAGE, &page);
		else if (round % 4 == 3)
			err = vm_call(self->vm, HVMM_VM_DISCARD, &gone);
		ASSERT_EQ(0, err);
		ASSERT_LE(0, get(self->vm, 0, RAM, self->bits));
		for (i = 0; i < PAGES; i++)
			if (is_set(self->bits, i))
				memcpy(copy + i * 4096, self->map + i * 4096, 4096);
		page.gpa = 2 * MIB + (round * 37 % 256) * 4096;
		gone.gpa = 2 * MIB + (round * 59 % 256) * 4096;
		for (seen = self->block->done; round < 39 && self->block->done - seen < 50;)
			sched_yield();
	}
	for (i = 0; i < PAGES; i++)
		wrong += memcmp(copy + i * 4096, self->map + i * 4096, 4096) != 0;
	EXPECT_EQ(0, wrong);
	free(copy);
}

TEST_HARNESS_MAIN
