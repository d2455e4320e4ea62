// SPDX-License-Identifier: GPL-2.0
/*
 * memory VM SECONDS FROM TO [SEED]: does at random, to a VM that runs guest memcheck, whatever
 * takes memory away from it: discards of ranges from FROM to TO (bytes), unmapping of single
 * pages, reclaim, other limits, pauses; and tracks its dirty pages now and then, which splits
 * mappings of 2 MiB. Prints what it has done, how long each took on average, and how many of
 * these mappings there were; status 1 if the kernel refused any of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/hvmm_vm.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "nl.h"

enum action { DISCARD, UNMAP, RECLAIM, MAX, HIGH, PAUSE, TOUCH, TRACK, ACTIONS };

static const char *const names[ACTIONS] = {
	"discards", "unmaps", "reclaims", "mem-max", "mem-high", "pauses", "touches",
	"dirty trackings",
};

static struct nl_msg msg;
static struct nl nl;
static uint64_t state;

static uint64_t below(uint64_t n)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (state * 0x2545f4914f6cdd1dULL >> 11) % n;
}

struct vm {
	uint32_t id;
	uint64_t ram, held;
};

static void take_vm(void *arg, uint8_t cmd, struct nlattr *attrs, int len)
{
	struct vm *vm = arg;

	vm->id = nl_get(attrs, len, HVMM_A_VM_ID);
	vm->ram = nl_get(attrs, len, HVMM_A_VM_MEMORY);
	vm->held = nl_get(attrs, len, HVMM_A_VM_MEM_HELD);
}

static int get_vm(const char *name, struct vm *vm)
{
	nl_begin(&nl, &msg, nl.family, 0, HVMM_CMD_VM_GET);
	nl_put_str(&msg, HVMM_A_VM_NAME, name);
	return nl_talk(&nl, &msg, take_vm, vm);
}

static void take_reclaimed(void *arg, uint8_t cmd, struct nlattr *attrs, int len)
{
	*(uint64_t *)arg += nl_get(attrs, len, HVMM_A_VM_RECLAIMED);
}

static int reclaim(uint32_t id, uint64_t bytes, uint64_t *got)
{
	nl_begin(&nl, &msg, nl.family, 0, HVMM_CMD_VM_RECLAIM);
	nl_put_u32(&msg, HVMM_A_VM_ID, id);
	nl_put_u64(&msg, HVMM_A_VM_RECLAIM, bytes);
	return nl_talk(&nl, &msg, take_reclaimed, got);
}

static int limit(uint32_t id, int attr, uint64_t bytes, uint64_t *got)
{
	size_t nest;

	nl_begin(&nl, &msg, nl.family, 0, HVMM_CMD_VM_SET);
	nest = nl_nest(&msg, HVMM_A_VM_CHANGE);
	nl_put_u32(&msg, HVMM_A_VM_ID, id);
	nl_put_u64(&msg, attr, bytes & ~4095ULL);
	nl_nest_end(&msg, nest);
	return nl_talk(&nl, &msg, take_reclaimed, got);
}

static int pause_vm(uint32_t id)
{
	int ret = nl_verb(&nl, HVMM_CMD_VM_PAUSE, id);

	/* It may have ended. */
	if (ret == -EBUSY)
		return 0;
	usleep(below(20000));
	return ret ?: nl_verb(&nl, HVMM_CMD_VM_RESUME, id);
}

static int open_vm(uint32_t id)
{
	struct hvmm_open_vm arg = { .size = sizeof(arg), .id = id };
	int dev = open("/dev/hvmm", O_RDWR | O_CLOEXEC);

	return dev < 0 ? -1 : ioctl(dev, HVMM_OPEN_VM, &arg);
}

/* Mappings of 2 MiB: most at any time, how many tracking has split and its end made whole. */
static unsigned int large_most, split, merged;

static void take_large(void *arg, uint8_t cmd, struct nlattr *attrs, int len)
{
	struct nlattr *nest = nl_find(attrs, len, HVMM_A_STATS_MEMORY);

	if (nest)
		*(unsigned int *)arg = nl_get(nl_data(nest), nl_len(nest),
					      HVMM_A_MEMORY_LARGE_PAGES);
}

static unsigned int large(uint32_t id)
{
	unsigned int nr = 0;

	nl_begin(&nl, &msg, nl.family, 0, HVMM_CMD_STATS_GET);
	nl_put_u32(&msg, HVMM_A_STATS_VM, id);
	nl_talk(&nl, &msg, take_large, &nr);
	if (nr > large_most)
		large_most = nr;
	return nr;
}

/* Return: 0, or -errno; that there is no room for the notes is no error. */
static int track_dirty(int fd, const struct vm *vm, uint64_t *bits)
{
	struct hvmm_vm_dirty_track track = { .size = sizeof(track), .on = 1 };
	struct hvmm_vm_dirty_get get = {
		.size = sizeof(get), .len = vm->ram, .bitmap = (uintptr_t)bits };
	unsigned int before = large(vm->id), during, after;
	int ret;

	if (ioctl(fd, HVMM_VM_DIRTY_TRACK, &track) < 0)
		return errno == EDQUOT || errno == ENOMEM ? 0 : -errno;
	usleep(below(20000));
	during = large(vm->id);
	ret = ioctl(fd, HVMM_VM_DIRTY_GET, &get) < 0 ? -errno : 0;
	track.on = 0;
	if (ioctl(fd, HVMM_VM_DIRTY_TRACK, &track) < 0 && !ret)
		ret = -errno;
	after = large(vm->id);
	if (during < before)
		split += before - during;
	if (after > during)
		merged += after - during;
	return ret;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	double took[ACTIONS] = { 0 }, begun, end;
	uint64_t from, to, reclaimed = 0, at, len;
	unsigned int done[ACTIONS] = { 0 }, i;
	struct hvmm_vm_discard discard;
	struct hvmm_vm_unmap_page unmap;
	const char *name = argv[1];
	volatile uint8_t *map;
	enum action action;
	int ret = 0, fd;
	uint64_t *bits;
	struct vm vm;

	if (argc < 5) {
		fprintf(stderr, "usage: memory VM SECONDS FROM TO [SEED]\n");
		return 2;
	}
	end = now() + atof(argv[2]);
	from = strtoull(argv[3], NULL, 0);
	to = strtoull(argv[4], NULL, 0);
	state = argc > 5 ? strtoull(argv[5], NULL, 0) : (uint64_t)time(NULL);
	printf("# seed %llu\n", (unsigned long long)state);
	state = state * 2 + 1;

	if (nl_open(&nl) || get_vm(name, &vm)) {
		fprintf(stderr, "no VM %s\n", name);
		return 2;
	}
	fd = open_vm(vm.id);
	map = fd < 0 ? MAP_FAILED : mmap(NULL, vm.ram, PROT_READ, MAP_SHARED, fd, HVMM_VM_MMAP_RAM);
	if (map == MAP_FAILED) {
		perror("the VM's memory");
		return 2;
	}
	/* A bit for each page, whole words. */
	bits = calloc((vm.ram >> 18) + 1, sizeof(*bits));
	if (!bits)
		return 2;

	while (now() < end && !ret) {
		action = below(ACTIONS);
		at = from + below((to - from) >> 12 << 12);
		at &= ~4095ULL;
		len = (1 + below(below(8) ? 64 : 2048)) << 12;
		len = len < to - at ? len : to - at;
		begun = now();
		get_vm(name, &vm);
		switch (action) {
		case DISCARD:
			discard = (struct hvmm_vm_discard) {
				.size = sizeof(discard), .gpa = at, .len = len };
			ret = ioctl(fd, HVMM_VM_DISCARD, &discard) < 0 ? -errno : 0;
			break;
		case UNMAP:
			/* Anywhere: nothing is lost. */
			unmap = (struct hvmm_vm_unmap_page) {
				.size = sizeof(unmap), .gpa = below(vm.ram >> 12) << 12 };
			ret = ioctl(fd, HVMM_VM_UNMAP_PAGE, &unmap) < 0 ? -errno : 0;
			break;
		case RECLAIM:
			ret = reclaim(vm.id, (1 + below(4096)) << 12, &reclaimed);
			break;
		case MAX:
			/* At times nothing but what it has, or less. */
			ret = limit(vm.id, HVMM_A_VM_MEM_MAX,
				    below(3) ? 0 : vm.held - vm.held / 8 + below(vm.held / 4),
				    &reclaimed);
			break;
		case HIGH:
			ret = limit(vm.id, HVMM_A_VM_MEM_HIGH,
				    below(3) ? 0 : vm.held / 2 + below(vm.held), &reclaimed);
			/* It may be over mem-max: that is refused. */
			if (ret == -EINVAL)
				ret = 0;
			break;
		case PAUSE:
			ret = pause_vm(vm.id);
			break;
		case TOUCH:
			for (i = 0; i < 256; i++)
				(void)map[below(vm.ram)];
			break;
		case TRACK:
			ret = track_dirty(fd, &vm, bits);
			break;
		case ACTIONS:
			break;
		}
		/* mem-high may be over the new mem-max. */
		if (action == MAX && ret == -EINVAL)
			ret = limit(vm.id, HVMM_A_VM_MEM_HIGH, 0, &reclaimed);
		if (ret)
			fprintf(stderr, "%s: %s %s\n", names[action], strerror(-ret), nl.text);
		took[action] += now() - begun;
		done[action]++;
		usleep(below(30000));
	}
	limit(vm.id, HVMM_A_VM_MEM_HIGH, 0, &reclaimed);
	limit(vm.id, HVMM_A_VM_MEM_MAX, 0, &reclaimed);
	printf("#");
	for (i = 0; i < ACTIONS; i++)
		printf(" %u %s (%.0f ms),", done[i], names[i], took[i] * 1000 / (done[i] ?: 1));
	printf(" %llu KiB reclaimed at request\n", (unsigned long long)reclaimed >> 10);
	printf("# 2 MiB mappings: at most %u, split %u, merged %u\n", large_most, split, merged);
	return !!ret;
}
