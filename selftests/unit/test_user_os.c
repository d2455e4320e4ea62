// SPDX-License-Identifier: GPL-2.0
/* What user/lib has the host do: descriptors, memory, names of files. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config.h"
#include "fds.h"
#include "prealloc.h"
#include "tap.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define SIZE (128ULL << 20)

/* What @fn says in a process of its own. */
static bool in_child(bool (*fn)(void))
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(!fn());
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	       !WEXITSTATUS(status);
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static bool all_missing(void)
{
	close_range(0, ~0U, 0);
	hv_fds_fill();
	return is_open(0) && is_open(1) && is_open(2) && !is_open(3) && write(1, "x", 1) == 1;
}

static bool one_missing(void)
{
	struct stat st;
	int p[2];

	if (pipe(p))
		return false;
	dup2(p[1], 1);
	close(0);
	hv_fds_fill();
	return is_open(0) && !fstat(1, &st) && S_ISFIFO(st.st_mode);
}

static bool keep_one(void)
{
	int fd;

	for (fd = 3; fd < 40; fd++)
		dup2(2, fd);
	hv_fds_keep(20);
	for (fd = 0; fd < 40; fd++)
		if (is_open(fd) != (fd < 3 || fd == 20))
			return false;
	hv_fds_keep(-1);
	return !is_open(20) && is_open(2);
}

static bool keep_first(void)
{
	dup2(2, 3);
	dup2(2, 4);
	hv_fds_keep(3);
	return is_open(3) && !is_open(4);
}

/* From wherever the two are: a pipe's ends, which can be told apart. */
static bool move_two(void)
{
	int a, b, i, p[2];

	if (pipe(p))
		return false;
	dup2(p[0], 30);
	dup2(p[1], 31);
	for (a = 8; a <= 14; a++) {
		for (b = 8; b <= 14; b++) {
			pid_t pid = a == b ? 0 : fork();
			int status;

			if (a == b)
				continue;
			if (pid) {
				if (waitpid(pid, &status, 0) != pid || status)
					return false;
				continue;
			}
			dup2(30, a);
			dup2(31, b);
			hv_fds_only(a, b);
			for (i = 0; i < 40; i++)
				if (is_open(i) != (i == 10 || i == 11))
					_exit(1);
			_exit((fcntl(10, F_GETFL) & O_ACCMODE) != O_RDONLY ||
			      (fcntl(11, F_GETFL) & O_ACCMODE) != O_WRONLY);
		}
	}
	return true;
}

static uint64_t held(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? 0 : (uint64_t)st.st_blocks * 512;
}

static void prealloc(void)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	int fd = memfd_create("unit", 0), got;
	sigset_t set, old;
	bool ok = true;
	size_t i;

	ok = !ftruncate(fd, SIZE);
	for (i = 0; i < ARRAY_SIZE(ends); i++) {
		sigemptyset(&set);
		sigaddset(&set, ends[i]);
		sigprocmask(SIG_BLOCK, &set, &old);
		raise(ends[i]);
		errno = 0;
		ok = ok && hv_prealloc(fd, SIZE) == -1 && errno == EINTR && held(fd) < SIZE;
		sigwait(&set, &got);
		sigprocmask(SIG_SETMASK, &old, NULL);
	}
	tap_ok(ok, "memory is not taken for a program that is told to end");
	tap_ok(!hv_prealloc(fd, SIZE - 4096) && held(fd) == SIZE - 4096, "else all of it is");
	close(fd);
}

static void names(void)
{
	char folder[] = "/tmp/hvmm-unit.XXXXXX", here[200], want[256], link[256];
	struct hv_config config = { 0 };
	struct hv_error err;
	bool ok;

	ok = getcwd(here, sizeof(here)) && mkdtemp(folder);
	snprintf(link, sizeof(link), "%s/current", folder);
	ok = ok && !symlink("/etc/passwd", link) && !hv_config_set_kernel(&config, link, &err);
	tap_ok(ok && !strcmp(config.kernel, link), "a link's name is kept");
	ok = !chdir(folder) && !hv_config_set_kernel(&config, "current", &err);
	/* The folder itself may be reached by a link. */
	ok = ok && getcwd(want, sizeof(want) - 16);
	strcat(want, "/current");
	tap_ok(ok && !strcmp(config.kernel, want), "and made absolute");
	tap_ok(hv_config_set_kernel(&config, "none", &err) && strstr(err.text, "No such file"),
	       "what is not there is refused");
	ok = !chdir(here);
	unlink(link);
	rmdir(folder);
	hv_config_free(&config);
}

int main(void)
{
	tap_plan(10);
	tap_ok(in_child(all_missing), "closed standard descriptors are opened");
	tap_ok(in_child(one_missing), "open ones stay");
	tap_ok(in_child(keep_one), "inherited descriptors are closed but one");
	tap_ok(in_child(keep_first), "which may be the first");
	tap_ok(in_child(move_two), "two are moved, wherever they are");
	prealloc();
	names();
	return tap_done();
}
