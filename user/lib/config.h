/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HV_CONFIG_H
#define HV_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

#define HV_CONFIG_MAX  8192 /* what the kernel keeps for a VM at most */
#define HV_INITRDS_MAX 8
#define HV_MODULES_MAX 32

enum hv_format {
	HV_FORMAT_AUTO,
	HV_FORMAT_LINUX,
	HV_FORMAT_PVH,
	HV_FORMAT_MULTIBOOT,
};

enum hv_on_reset {
	HV_ON_RESET_STOP,
	HV_ON_RESET_RESTART,
};

/**
 * struct hv_module - a file that the boot loader hands to the guest's kernel
 * @file: path
 * @args: its command line, "" if none
 */
struct hv_module {
	char *file;
	char *args;
};

/**
 * struct hv_config - what a VM boots, and what is to be done around it
 *
 * It is kept in the kernel with the VM as text, so that anyone who may start the VM can
 * load it again. Paths are absolute there.
 */
struct hv_config {
	char *kernel;
	enum hv_format format;
	char *cmdline;
	char *initrd[HV_INITRDS_MAX];
	unsigned int nr_initrds;
	struct hv_module module[HV_MODULES_MAX];
	unsigned int nr_modules;
	bool testdev;
	enum hv_on_reset on_reset;
};

void hv_config_free(struct hv_config *config);

/* Each takes a copy; fails on a line break, a missing file or too many of a kind. */
int hv_config_set_kernel(struct hv_config *config, const char *file, struct hv_error *err);
int hv_config_set_cmdline(struct hv_config *config, const char *text, struct hv_error *err);
int hv_config_add_initrd(struct hv_config *config, const char *file, struct hv_error *err);
/* FILE[:ARGS] */
int hv_config_add_module(struct hv_config *config, const char *text, struct hv_error *err);
int hv_config_set_format(struct hv_config *config, const char *name, struct hv_error *err);
int hv_config_set_on_reset(struct hv_config *config, const char *name, struct hv_error *err);

/**
 * hv_config_write - as text
 * @config: the configuration
 * @buf: filled, %HV_CONFIG_MAX bytes
 * @len: filled with the text's length; there is no NUL
 * @err: filled if it is too long
 *
 * Return: 0 or -1.
 */
int hv_config_write(const struct hv_config *config, char *buf, size_t *len, struct hv_error *err);

/**
 * hv_config_read - from text
 * @config: filled; to be freed by the caller, on failure too
 * @text: what the kernel kept
 * @len: its length
 * @err: filled on failure
 *
 * Return: 0 or -1.
 */
int hv_config_read(struct hv_config *config, const char *text, size_t len, struct hv_error *err);

#endif
