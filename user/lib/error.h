/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HV_ERROR_H
#define HV_ERROR_H

/*
 * Exit statuses of hvadm. "run" passes the guest's own status on, and uses those from 124 for
 * what happened to the guest instead.
 */
enum hv_exit {
	HV_OK = 0,
	HV_EXIT_USAGE = 1,   /* wrong usage, or a file that cannot be used */
	HV_EXIT_REFUSED = 2, /* the kernel refused */
	HV_EXIT_NO_VM = 3,
	HV_EXIT_NO_MODULE = 4,
	HV_EXIT_TIMEOUT = 124,
	HV_EXIT_RESET = 125, /* the guest reset itself, or ended in a triple fault */
	HV_EXIT_ERROR = 126, /* the VM was stopped for an exit that hvmm cannot handle */
};

/**
 * struct hv_error - what went wrong
 * @code: exit status that says so
 * @text: one line for people, without a newline
 */
struct hv_error {
	int code;
	char text[1024];
};

/**
 * hv_fail - note an error that is the caller's input's fault
 * @err: filled, with code %HV_EXIT_USAGE
 * @fmt: printf format
 *
 * Return: -1, to be returned.
 */
int hv_fail(struct hv_error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/**
 * hv_fail_code - note an error
 * @err: filled
 * @code: exit status
 * @fmt: printf format
 *
 * Return: -1, to be returned.
 */
int hv_fail_code(struct hv_error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
