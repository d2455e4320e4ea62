// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fds.h"
#include "hvadm.h"
#include "util.h"

static const struct verb verbs[] = {
	{ "create", verb_create, "NAME [OPTION...]", "create a VM; it is stopped" },
	{ "start", verb_start, "NAME...", "load its images and start it" },
	{ "stop", verb_stop, "NAME...", "switch it off" },
	{ "reset", verb_reset, "NAME...", "switch it off and start it again" },
	{ "pause", verb_pause, "NAME...", "hold its vCPUs" },
	{ "resume", verb_resume, "NAME...", "let it go on" },
	{ "destroy", verb_destroy, "NAME...", "remove it, whatever its state" },
	{ "run", verb_run, "[FILE] [OPTION...]", "create, start, show console, destroy" },
	{ "set", verb_set, "NAME... OPTION...", "change quotas of VMs, all of them or none" },
	{ "pcpu", verb_pcpu, "[OPTION...]", "show or choose what is used of the pCPUs" },
	{ "list", verb_list, "", "list the VMs" },
	{ "stat", verb_stat, "[NAME]", "show figures of a VM, or of the host" },
	{ "why", verb_why, "NAME", "tell what its vCPUs waited for, and what to change" },
	{ "top", verb_top, "", "show all VMs live" },
	{ "console", verb_console, "NAME", "connect to its serial console" },
	{ "monitor", verb_monitor, "", "tell of events as they happen" },
};

int complain(const char *name, const struct hv_error *err)
{
	fflush(stdout);
	if (name)
		fprintf(stderr, "hvadm: %s: %s\n", name, err->text);
	else
		fprintf(stderr, "hvadm: %s\n", err->text);
	return err->code;
}

static void overview(FILE *file)
{
	size_t i;

	fputs("Usage: hvadm VERB [ARGUMENT...]\n\n", file);
	for (i = 0; i < ARRAY_SIZE(verbs); i++)
		fprintf(file, "  %-8s %-20s %s\n", verbs[i].name, verbs[i].args, verbs[i].text);
	fputs("\n'hvadm VERB --help' tells the options of a verb; hvadm(8) has the rest.\n"
	      "\nExit status: 0 done; 1 wrong usage or an unusable file; 2 refused by the kernel;\n"
	      "3 no such VM; 4 module missing. 'run' passes the guest's status on.\n",
	      file);
}

/* What was not printed was not done. Return: the exit status. */
static int written(int status)
{
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	fprintf(stderr, "hvadm: cannot write to stdout\n");
	return status ? status : HV_EXIT_USAGE;
}

int main(int argc, char **argv)
{
	char name[32];
	size_t i;

	hv_fds_fill();
	argp_err_exit_status = HV_EXIT_USAGE;
	if (argc < 2) {
		overview(stderr);
		return HV_EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-?") || !strcmp(argv[1], "-h") ||
	    !strcmp(argv[1], "help")) {
		overview(stdout);
		return written(HV_OK);
	}
	if (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V")) {
		puts("hvadm " HVMM_VERSION);
		return written(HV_OK);
	}
	for (i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(argv[1], verbs[i].name))
			continue;
		snprintf(name, sizeof(name), "hvadm %s", verbs[i].name);
		argv[1] = name;
		return written(verbs[i].run(argc - 1, argv + 1));
	}
	fprintf(stderr, "hvadm: no verb '%s'; 'hvadm --help' lists them\n", argv[1]);
	return HV_EXIT_USAGE;
}
