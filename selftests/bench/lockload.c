// SPDX-License-Identifier: GPL-2.0
/*
 * For a Linux guest: a thread a CPU, all fighting for locks, a fixed amount of work. Three kinds
 * in turn: a mutex, whose waiters sleep; mapping and unmapping memory of one address space, for
 * the kernel's own locks and TLB flushes on all CPUs; a message passed round. Prints
 * "lockload kind=NAME ms=N" for each, and "lockload done ms=N". Argument: how much (1).
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define THREADS_MAX 16

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static uint64_t shared;
static int pipes[THREADS_MAX][2];
static long nr_threads, amount = 1;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void delay(long n)
{
	while (n--)
		__asm__ __volatile__("");
}

static void with_mutex(long thread)
{
	long i;

	for (i = 0; i < 20000 * amount; i++) {
		pthread_mutex_lock(&mutex);
		shared++;
		delay(500);
		pthread_mutex_unlock(&mutex);
		delay(500);
	}
}

static void with_maps(long thread)
{
	long i;

	for (i = 0; i < 1000 * amount; i++) {
		char *p = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			       0);

		if (p == MAP_FAILED)
			fail("mmap");
		p[0] = 1;
		p[8192] = 1;
		if (munmap(p, 16384))
			fail("munmap");
	}
}

static void with_pipes(long thread)
{
	char c = 0;
	long i;

	for (i = 0; i < 2000 * amount; i++) {
		if (!thread && write(pipes[1 % nr_threads][1], &c, 1) != 1)
			fail("write");
		if (read(pipes[thread][0], &c, 1) != 1)
			fail("read");
		if (thread && write(pipes[(thread + 1) % nr_threads][1], &c, 1) != 1)
			fail("write");
	}
}

static const struct kind {
	const char *name;
	void (*work)(long thread);
} kinds[] = {
	{ "mutex", with_mutex },
	{ "maps", with_maps },
	{ "pipes", with_pipes },
};

static const struct kind *kind;

static void *thread_fn(void *arg)
{
	kind->work((long)arg);
	return NULL;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ULL + t.tv_nsec / 1000000;
}

int main(int argc, char **argv)
{
	uint64_t start = now_ms(), before;
	pthread_t threads[THREADS_MAX];
	size_t k;
	long i;

	if (argc > 1)
		amount = atol(argv[1]);
	nr_threads = sysconf(_SC_NPROCESSORS_ONLN);
	if (nr_threads > THREADS_MAX)
		nr_threads = THREADS_MAX;
	for (i = 0; i < nr_threads; i++)
		if (pipe(pipes[i]))
			fail("pipe");
	for (k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		before = now_ms();
		kind = &kinds[k];
		for (i = 0; i < nr_threads; i++)
			if (pthread_create(&threads[i], NULL, thread_fn, (void *)i))
				fail("thread");
		for (i = 0; i < nr_threads; i++)
			pthread_join(threads[i], NULL);
		printf("lockload kind=%s ms=%llu\n", kind->name,
		       (unsigned long long)(now_ms() - before));
	}
	if (shared != (uint64_t)nr_threads * 20000 * amount)
		fail("the mutex has let two in");
	printf("lockload done ms=%llu threads=%ld\n", (unsigned long long)(now_ms() - start),
	       nr_threads);
	return 0;
}
