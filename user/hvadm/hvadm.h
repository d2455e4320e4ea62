/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HVADM_H
#define HVADM_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "nl.h"
#include "out.h"
#include "vm.h"

/**
 * struct verb - what hvadm can be told to do
 * @name: the word
 * @run: does it; arguments as main()'s, argv[0] is "hvadm VERB"; returns the exit status
 * @args: for the overview
 * @text: for the overview
 */
struct verb {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *args;
	const char *text;
};

/* A file per group of verbs. */
int verb_create(int argc, char **argv);
int verb_start(int argc, char **argv);
int verb_stop(int argc, char **argv);
int verb_reset(int argc, char **argv);
int verb_pause(int argc, char **argv);
int verb_resume(int argc, char **argv);
int verb_destroy(int argc, char **argv);
int verb_list(int argc, char **argv);
int verb_stat(int argc, char **argv);
int verb_console(int argc, char **argv);
int verb_run(int argc, char **argv);
int verb_monitor(int argc, char **argv);
int verb_why(int argc, char **argv);
int verb_top(int argc, char **argv);
int verb_set(int argc, char **argv);
int verb_pcpu(int argc, char **argv);

/**
 * complain - print an error
 * @name: of the VM it is about, or %NULL
 * @err: the error
 *
 * Return: the exit status.
 */
int complain(const char *name, const struct hv_error *err);

/**
 * struct vm_options - what create and run take
 * @name: of the VM
 * @vcpus: number of vCPUs
 * @memory: RAM in bytes
 * @config: what it boots
 * @quota: what it may have of the pCPUs, as far as that is given
 */
struct vm_options {
	const char *name;
	uint32_t vcpus;
	uint64_t memory;
	bool prealloc;
	struct hv_config config;
	struct hv_quota quota;
};

/* Options of a quota; to be used as a child parser, its input is a struct hv_quota. */
extern const struct argp quota_argp;

/* To be used as a child parser; its input is a struct vm_options. */
extern const struct argp vm_argp;

void vm_options_init(struct vm_options *o);

/**
 * vm_options_check - check what would be loaded, as far as that is possible before
 * @o: the options
 * @err: filled on failure
 *
 * Return: 0 or -1.
 */
int vm_options_check(const struct vm_options *o, struct hv_error *err);

/* Show a VM as create, list and monitor do. */
void show_vm(struct hv_out *out, const struct hv_vm *vm);
/* The quota's part of that. */
void show_quota(struct hv_out *out, const struct hv_quota *quota);
/* A set of pCPUs: in JSON a list, null for all. */
void show_cpus(struct hv_out *out, const char *key, const struct hv_cpus *cpus);
/* Show figures of the host. */
void show_host(struct hv_out *out, const struct hv_host *host);

/**
 * boot_vm - load a stopped VM and start it, with its device process where it needs one
 * @nl: connection
 * @vm: the VM with its configuration
 * @status: for %NULL the device process is left alone; else filled with a file descriptor of
 *          what it says (see hvdm(8)), or -1 if there is none
 * @err: filled on failure
 *
 * Return: 0 or -1.
 */
int boot_vm(struct hv_nl *nl, const struct hv_vm *vm, int *status, struct hv_error *err);

#endif
