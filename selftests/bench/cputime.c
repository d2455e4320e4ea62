// SPDX-License-Identifier: GPL-2.0
/*
 * What pCPU time processes get over a while, as "ledger" prints it for VMs: to compare VMs that
 * are processes. Usage: cputime TIME NAME:PID...
 *
 *	vm=NAME wall=NS run=NS
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "units.h"

#define PROCESSES_MAX 64

/**
 * struct process - one of them
 * @name: of its VM
 * @clock: its CPU time
 * @at: when that was read
 * @run: what it was
 */
struct process {
	const char *name;
	clockid_t clock;
	uint64_t at, run;
};

static void die(const char *what)
{
	fprintf(stderr, "cputime: %s: %s\n", what, strerror(errno));
	exit(2);
}

static uint64_t run_time(const struct process *p)
{
	struct timespec t;

	if (clock_gettime(p->clock, &t))
		die(p->name);
	return (uint64_t)t.tv_sec * NS + (uint64_t)t.tv_nsec;
}

int main(int argc, char **argv)
{
	static struct process processes[PROCESSES_MAX];
	struct process *p = processes, *end;
	uint64_t duration;
	int i;

	if (argc < 3 || argc - 2 > PROCESSES_MAX || !hv_parse_time(argv[1], &duration)) {
		fputs("usage: cputime TIME NAME:PID...\n", stderr);
		return 2;
	}
	for (i = 2; i < argc; i++, p++) {
		char *pid = strchr(argv[i], ':');

		if (!pid)
			die(argv[i]);
		*pid++ = 0;
		p->name = argv[i];
		errno = clock_getcpuclockid(atoi(pid), &p->clock);
		if (errno)
			die(pid);
	}
	end = p;
	for (p = processes; p < end; p++) {
		p->at = now();
		p->run = run_time(p);
	}
	sleep_until(processes[0].at + duration);
	for (p = processes; p < end; p++) {
		uint64_t at = now();

		printf("vm=%s wall=%llu run=%llu\n", p->name, (unsigned long long)(at - p->at),
		       (unsigned long long)(run_time(p) - p->run));
	}
	return 0;
}
