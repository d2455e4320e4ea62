// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "hvdm.h"
#include "util.h"

#define NOBODY 65534

const char *sandbox_namespaces(void)
{
	if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP) < 0)
		return "cannot make namespaces";
	/* An empty, read-only root, of which nothing is seen outside. */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return "cannot make mounts private";
	if (mount("none", "/proc", "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  "size=4k,mode=555") < 0)
		return "cannot make an empty root";
	if (chdir("/proc") < 0 || chroot(".") < 0 || chdir("/") < 0)
		return "cannot enter an empty root";
	return NULL;
}

static const char *drop_rights(void)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct none[2] = { { 0, 0, 0 }, { 0, 0, 0 } };
	const struct rlimit zero = { 0, 0 };
	int cap;

	for (cap = 0; cap <= 63; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0 && errno != EINVAL)
			return "cannot drop capabilities";
	if (setrlimit(RLIMIT_CORE, &zero) < 0 || setrlimit(RLIMIT_FSIZE, &zero) < 0 ||
	    setrlimit(RLIMIT_NPROC, &zero) < 0)
		return "cannot set limits";
	if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
	    setresuid(NOBODY, NOBODY, NOBODY) < 0)
		return "cannot become nobody";
	if (syscall(SYS_capset, &head, none) < 0)
		return "cannot drop capabilities";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return "cannot forgo privileges";
	/* Changing the user has cleared it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return "cannot bind the process to its parent";
	return NULL;
}

/* What the loop in serve() calls, with the arguments that it uses. */
static int add_rules(scmp_filter_ctx ctx, int vm, int report)
{
	static const unsigned int commands[] = {
		HVMM_VM_IO_NEXT,
		HVMM_VM_IRQ_LINE,
		HVMM_VM_UNMAP_PAGE,
	};
	unsigned int i;
	int ret;

	/* It is called for each access of the guest. */
	ret = seccomp_syscall_priority(ctx, SCMP_SYS(ioctl), UINT8_MAX);
	if (ret < 0)
		return ret;
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 2,
				       SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)vm),
				       SCMP_A1(SCMP_CMP_EQ, commands[i]));
		if (ret < 0)
			return ret;
	}
	ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(write), 1,
			       SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)report));
	if (!ret)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(exit_group), 0);
	if (!ret)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(restart_syscall), 0);
	if (!ret)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(rt_sigreturn), 0);
	return ret;
}

const char *sandbox_seal(int vm, int report)
{
	const char *failed = drop_rights();
	scmp_filter_ctx ctx;
	int ret;

	if (failed)
		return failed;
	ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	if (!ctx) {
		errno = ENOMEM;
		return "cannot make a system call filter";
	}
	ret = add_rules(ctx, vm, report);
	if (!ret)
		ret = seccomp_load(ctx);
	seccomp_release(ctx);
	if (ret < 0) {
		errno = -ret;
		return "cannot load the system call filter";
	}
	return NULL;
}
