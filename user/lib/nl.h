/* SPDX-License-Identifier: GPL-2.0 */
#ifndef HV_NL_H
#define HV_NL_H

#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdbool.h>
#include <stdint.h>

#include "error.h"

/**
 * struct hv_nl - a connection to the kernel's family "hvmm"
 * @sock: libnl's socket, used for requests
 * @events: a second socket for events, or %NULL
 * @family: the family's number
 * @group: number of the multicast group of life-cycle events
 */
struct hv_nl {
	struct nl_sock *sock;
	struct nl_sock *events;
	int family;
	uint32_t group;
};

/**
 * hv_nl_open - connect
 * @nl: filled
 * @err: filled on failure; %HV_EXIT_NO_MODULE if there is no such family
 *
 * Return: 0 or -1.
 */
int hv_nl_open(struct hv_nl *nl, struct hv_error *err);

void hv_nl_close(struct hv_nl *nl);

/**
 * hv_nl_message - begin a request
 * @nl: connection
 * @cmd: HVMM_CMD_...
 * @flags: NLM_F_DUMP or 0
 *
 * Return: the message. Running out of memory ends the program.
 */
struct nl_msg *hv_nl_message(struct hv_nl *nl, uint8_t cmd, int flags);
/* The same with room for @room bytes of attributes. */
struct nl_msg *hv_nl_message_of(struct hv_nl *nl, uint8_t cmd, int flags, size_t room);

/* Add an attribute; running out of room ends the program: callers bound their data. */
void hv_nl_put_u32(struct nl_msg *msg, int attr, uint32_t value);
void hv_nl_put_uint(struct nl_msg *msg, int attr, uint64_t value);
void hv_nl_put_string(struct nl_msg *msg, int attr, const char *text);
void hv_nl_put(struct nl_msg *msg, int attr, const void *data, size_t len);

/* Read an attribute of the spec's type "uint", which takes four bytes or eight. */
uint64_t hv_nl_uint(const struct nlattr *attr);

/* Called for each message of an answer; returns 0, or -1 with @err filled. */
typedef int (*hv_nl_fn)(const struct nlmsghdr *nlh, void *arg, struct hv_error *err);

/**
 * hv_nl_request - send a request and take its answer
 * @nl: connection
 * @msg: the request; freed
 * @fn: called for each message of the answer, may be %NULL
 * @arg: for @fn
 * @interrupted: set if a dump is not of one instant; may be %NULL
 * @err: filled on failure, with the kernel's words and the attribute's name
 *
 * Return: 0 or -1.
 */
int hv_nl_request(struct hv_nl *nl, struct nl_msg *msg, hv_nl_fn fn, void *arg, bool *interrupted,
		  struct hv_error *err);

/**
 * hv_nl_listen - begin to receive events
 * @nl: connection
 * @err: filled on failure
 *
 * Return: file descriptor to be polled, or -1.
 */
int hv_nl_listen(struct hv_nl *nl, struct hv_error *err);

/**
 * hv_nl_listen_quotas - receive events of quotas too
 * @nl: connection that listens
 * @err: filled on failure
 *
 * Return: 0 or -1.
 */
int hv_nl_listen_quotas(struct hv_nl *nl, struct hv_error *err);

/**
 * hv_nl_events - take the events that are there, without waiting
 * @nl: connection
 * @fn: called for each
 * @arg: for @fn
 * @missed: set if the kernel had to drop some
 * @err: filled on failure
 *
 * Return: 0 or -1.
 */
int hv_nl_events(struct hv_nl *nl, hv_nl_fn fn, void *arg, bool *missed, struct hv_error *err);

#endif
