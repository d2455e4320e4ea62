// SPDX-License-Identifier: GPL-2.0
/*
 * tscaux CPU SECONDS: a busy process of the host's on one pCPU that looks at TSC_AUX all the time.
 * Linux keeps the pCPU's number in its low 12 bits. Status 1 if it ever has anything else.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	unsigned long looks = 0, wrong = 0;
	unsigned int cpu, aux, seen = 0;
	cpu_set_t set;
	double end;

	if (argc != 3) {
		fprintf(stderr, "usage: tscaux CPU SECONDS\n");
		return 2;
	}
	cpu = atoi(argv[1]);
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set)) {
		perror("sched_setaffinity");
		return 2;
	}
	for (end = now() + atof(argv[2]); now() < end; looks++) {
		__builtin_ia32_rdtscp(&aux);
		if ((aux & 0xfff) != cpu) {
			seen = aux;
			wrong++;
		}
	}
	printf("# tscaux: %lu looks, %lu wrong, the last one 0x%x\n", looks, wrong, seen);
	return wrong ? 1 : 0;
}
