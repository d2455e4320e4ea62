// SPDX-License-Identifier: GPL-2.0
/*
 * Counts a tracepoint while a command runs, in the two ways of the tools that people use: with
 * an event counter, as perf does, and with a BPF program that reads a field of each record, as
 * bpftrace does. Usage:
 *
 *	tracecount EVENT FIELD VALUE COMMAND [ARG...]
 *
 * EVENT is one of hvmm's, FIELD one of its fields of four bytes. Prints "perf N bpf M": N records,
 * M of them with that value. Status 4 if the kernel lacks perf events or BPF.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define EVENTS "/sys/kernel/tracing/events/hvmm"
#define CPUS_MAX 64

static void die(const char *what)
{
	fprintf(stderr, "tracecount: %s: %s\n", what, strerror(errno));
	exit(errno == ENOSYS || errno == EOPNOTSUPP ? 4 : 2);
}

static long bpf(enum bpf_cmd cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

/* What a file of the event says of it: its number, or where a field is in its records. */
static unsigned int event_figure(const char *event, const char *file, const char *format)
{
	char path[256], line[256];
	unsigned int value;
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), EVENTS "/%s/%s", event, file);
	f = fopen(path, "r");
	if (!f)
		die(path);
	while (!found && fgets(line, sizeof(line), f))
		found = sscanf(line, format, &value) == 1;
	fclose(f);
	if (!found) {
		errno = ENOENT;
		die(format);
	}
	return value;
}

static int counters_map(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1,
	};
	int fd = (int)bpf(BPF_MAP_CREATE, &attr);

	if (fd < 0)
		die("no BPF map");
	return fd;
}

/*
 * if (*(u32 *)(record + offset) == value) __sync_fetch_and_add(&map[0], 1);
 * return 1: with 0 the counters would not see the record.
 */
static int program(int map, unsigned int offset, uint32_t value)
{
	const struct bpf_insn code[] = {
		{ .code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = 6, .src_reg = 1,
		  .off = (int16_t)offset },
		{ .code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = 6, .off = 9,
		  .imm = (int32_t)value },
		{ .code = BPF_ST | BPF_MEM | BPF_W, .dst_reg = 10, .off = -4 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 2, .src_reg = 10 },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 2, .imm = -4 },
		{ .code = BPF_LD | BPF_IMM | BPF_DW, .dst_reg = 1, .src_reg = BPF_PSEUDO_MAP_FD,
		  .imm = map },
		{ 0 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_map_lookup_elem },
		{ .code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = 0, .off = 2 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 1, .imm = 1 },
		{ .code = BPF_STX | BPF_ATOMIC | BPF_DW, .dst_reg = 0, .src_reg = 1,
		  .imm = BPF_ADD },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	static char log[8192];
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_TRACEPOINT,
		.insns = (uintptr_t)code, .insn_cnt = sizeof(code) / sizeof(*code),
		.license = (uintptr_t)"GPL",
		.log_buf = (uintptr_t)log, .log_size = sizeof(log), .log_level = 1,
	};
	int fd = (int)bpf(BPF_PROG_LOAD, &attr);

	if (fd < 0) {
		fputs(log, stderr);
		die("the BPF program is refused");
	}
	return fd;
}

/* A counter of the event on a CPU; -1 if there is no such CPU. */
static int counter(unsigned int id, int cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT, .size = sizeof(attr), .config = id,
		.sample_period = 0, .disabled = 1,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd < 0 && errno != EINVAL && errno != ENODEV)
		die("no perf event");
	return fd;
}

static void run(char **argv)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		dup2(2, 1);
		execvp(argv[0], argv);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) < 0)
		die("waitpid");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
		errno = ENOENT;
		die(argv[0]);
	}
}

int main(int argc, char **argv)
{
	int fds[CPUS_MAX], map, prog, cpu, cpus = 0;
	uint64_t count, perf = 0, seen = 0;
	unsigned int id, offset;
	union bpf_attr lookup;
	uint32_t key = 0;
	char field[64];

	if (argc < 5) {
		fprintf(stderr, "usage: tracecount EVENT FIELD VALUE COMMAND [ARG...]\n");
		return 2;
	}
	snprintf(field, sizeof(field), " field:u32 %s; offset:%%u;", argv[2]);
	id = event_figure(argv[1], "id", "%u");
	offset = event_figure(argv[1], "format", field);
	map = counters_map();
	prog = program(map, offset, (uint32_t)strtoul(argv[3], NULL, 0));
	for (cpu = 0; cpu < CPUS_MAX; cpu++) {
		fds[cpus] = counter(id, cpu);
		if (fds[cpus] < 0)
			continue;
		/* A tracepoint has one list of programs, whichever counter they come by. */
		if (!cpus && ioctl(fds[0], PERF_EVENT_IOC_SET_BPF, prog))
			die("the BPF program cannot be attached");
		if (ioctl(fds[cpus], PERF_EVENT_IOC_ENABLE, 0))
			die("the counter cannot be enabled");
		cpus++;
	}

	run(argv + 4);

	for (cpu = 0; cpu < cpus; cpu++) {
		if (read(fds[cpu], &count, sizeof(count)) != sizeof(count))
			die("the counter cannot be read");
		perf += count;
	}
	memset(&lookup, 0, sizeof(lookup));
	lookup.map_fd = (uint32_t)map;
	lookup.key = (uintptr_t)&key;
	lookup.value = (uintptr_t)&seen;
	if (bpf(BPF_MAP_LOOKUP_ELEM, &lookup))
		die("the BPF map cannot be read");
	printf("perf %llu bpf %llu\n", (unsigned long long)perf, (unsigned long long)seen);
	return 0;
}
