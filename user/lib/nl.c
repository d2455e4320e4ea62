// SPDX-License-Identifier: GPL-2.0
/*
 * Netlink transport. libnl makes sockets and messages; answers are taken apart here, since
 * libnl 3.7 does not know extended acknowledgments.
 */
#include <errno.h>
#include <linux/genetlink.h>
#include <linux/hvmm.h>
#include <linux/netlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "names.h"
#include "nl.h"

#define SOCKET_BUFFER (256 << 10)

static int nl_problem(struct hv_error *err, const char *what, int ret)
{
	return hv_fail_code(err, HV_EXIT_REFUSED, "netlink: %s: %s", what, nl_geterror(ret));
}

static void out_of_memory(void)
{
	fputs("out of memory\n", stderr);
	exit(HV_EXIT_USAGE);
}

int hv_nl_open(struct hv_nl *nl, struct hv_error *err)
{
	const int on = 1;
	int ret;

	memset(nl, 0, sizeof(*nl));
	nl->sock = nl_socket_alloc();
	if (!nl->sock)
		out_of_memory();
	ret = genl_connect(nl->sock);
	if (ret < 0) {
		nl_problem(err, "cannot connect", ret);
		goto close;
	}
	setsockopt(nl_socket_get_fd(nl->sock), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(nl_socket_get_fd(nl->sock), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	nl_socket_set_buffer_size(nl->sock, SOCKET_BUFFER, SOCKET_BUFFER);
	nl->family = genl_ctrl_resolve(nl->sock, HVMM_FAMILY_NAME);
	if (nl->family < 0) {
		hv_fail_code(err, HV_EXIT_NO_MODULE,
			     "no hvmm in the kernel: 'modprobe hvmm' or 'insmod hvmm.ko' loads it");
		goto close;
	}
	ret = genl_ctrl_resolve_grp(nl->sock, HVMM_FAMILY_NAME, HVMM_MCGRP_LIFECYCLE);
	if (ret < 0) {
		nl_problem(err, "no group of events", ret);
		goto close;
	}
	nl->group = (uint32_t)ret;
	return 0;
close:
	hv_nl_close(nl);
	return -1;
}

void hv_nl_close(struct hv_nl *nl)
{
	nl_socket_free(nl->sock);
	nl_socket_free(nl->events);
	nl->sock = NULL;
	nl->events = NULL;
}

struct nl_msg *hv_nl_message_of(struct hv_nl *nl, uint8_t cmd, int flags, size_t room)
{
	struct nl_msg *msg = nlmsg_alloc_size(room + 256);

	if (!msg || !genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, nl->family, 0, flags, cmd,
				 HVMM_FAMILY_VERSION))
		out_of_memory();
	return msg;
}

struct nl_msg *hv_nl_message(struct hv_nl *nl, uint8_t cmd, int flags)
{
	/* A configuration of the greatest size, and what goes with it. */
	return hv_nl_message_of(nl, cmd, flags, HVMM_CONFIG_MAX + 4096);
}

void hv_nl_put(struct nl_msg *msg, int attr, const void *data, size_t len)
{
	if (nla_put(msg, attr, (int)len, data))
		out_of_memory();
}

void hv_nl_put_u32(struct nl_msg *msg, int attr, uint32_t value)
{
	hv_nl_put(msg, attr, &value, sizeof(value));
}

void hv_nl_put_uint(struct nl_msg *msg, int attr, uint64_t value)
{
	uint32_t small = (uint32_t)value;

	if (small == value)
		hv_nl_put(msg, attr, &small, sizeof(small));
	else
		hv_nl_put(msg, attr, &value, sizeof(value));
}

void hv_nl_put_string(struct nl_msg *msg, int attr, const char *text)
{
	hv_nl_put(msg, attr, text, strlen(text) + 1);
}

uint64_t hv_nl_uint(const struct nlattr *attr)
{
	uint64_t v = 0;
	int len = nla_len(attr);

	if (len == 4 || len == 8)
		memcpy(&v, nla_data(attr), (size_t)len);
	return v;
}

/* The VM that a change is of, for people. */
static const char *change_of(const struct nlattr *change)
{
	const struct nlattr *name = nla_find(nla_data(change), nla_len(change), HVMM_A_VM_NAME);

	return name ? nla_get_string(name) : "?";
}

/* The name of the attribute at an offset of the request, with its nest's name in front. */
static const char *name_at(const struct nlmsghdr *request, uint32_t offset)
{
	static char text[HVMM_NAME_MAX + 96];
	const char *base = (const char *)request;
	const struct nlattr *attr, *inner;
	const struct genlmsghdr *genl = nlmsg_data(request);
	const struct hv_names *set = hv_names_of_command(genl->cmd);
	int left, rest;

	nlmsg_for_each_attr(attr, request, GENL_HDRLEN, left) {
		uint32_t start = (uint32_t)((const char *)attr - base);

		if (offset < start || offset >= start + (uint32_t)nla_total_size(nla_len(attr)))
			continue;
		if (offset == start)
			return hv_attr_name(set, nla_type(attr));
		nla_for_each_nested(inner, attr, rest) {
			if (offset != (uint32_t)((const char *)inner - base))
				continue;
			if (set == &hv_vm_names && nla_type(attr) == HVMM_A_VM_CHANGE) {
				snprintf(text, sizeof(text), "%s of VM '%s'",
					 hv_attr_name(set, nla_type(inner)), change_of(attr));
				return text;
			}
			snprintf(text, sizeof(text), "%s.%s", hv_attr_name(set, nla_type(attr)),
				 hv_attr_name(hv_names_of_nest(set, nla_type(attr)),
					      nla_type(inner)));
			return text;
		}
	}
	return NULL;
}

static const struct hv_names *missing_set(const struct nlmsghdr *request, uint32_t offset)
{
	const struct genlmsghdr *genl = nlmsg_data(request);
	const struct hv_names *set = hv_names_of_command(genl->cmd);
	const struct nlattr *attr;
	int left;

	nlmsg_for_each_attr(attr, request, GENL_HDRLEN, left) {
		if (offset == (uint32_t)((const char *)attr - (const char *)request))
			return hv_names_of_nest(set, nla_type(attr));
	}
	return set;
}

/* What the kernel's policy would have taken: its words do not say. */
static void bounds(const struct nlattr *policy, char *text, size_t size)
{
	struct nlattr *tb[NL_POLICY_TYPE_ATTR_MAX + 1];

	text[0] = '\0';
	if (!policy || nla_parse_nested(tb, NL_POLICY_TYPE_ATTR_MAX, (struct nlattr *)policy, NULL))
		return;
	if (tb[NL_POLICY_TYPE_ATTR_MIN_VALUE_U] && tb[NL_POLICY_TYPE_ATTR_MAX_VALUE_U])
		snprintf(text, size, ", possible are %llu to %llu",
			 (unsigned long long)hv_nl_uint(tb[NL_POLICY_TYPE_ATTR_MIN_VALUE_U]),
			 (unsigned long long)hv_nl_uint(tb[NL_POLICY_TYPE_ATTR_MAX_VALUE_U]));
	else if (tb[NL_POLICY_TYPE_ATTR_MAX_LENGTH])
		snprintf(text, size, ", at most %llu bytes are possible",
			 (unsigned long long)hv_nl_uint(tb[NL_POLICY_TYPE_ATTR_MAX_LENGTH]));
}

static int exit_code(int error)
{
	return error == -ENOENT ? HV_EXIT_NO_VM : HV_EXIT_REFUSED;
}

/* NLMSG_ERROR, or the end of a dump: the extended acknowledgment follows in attributes. */
static int refusal(const struct nlmsghdr *request, const struct nlmsghdr *nlh, int error,
		   uint32_t skip, struct hv_error *err)
{
	const char *words = NULL, *name = NULL, *missing = NULL;
	struct nlattr *tb[NLMSGERR_ATTR_MAX + 1];
	char possible[80];

	memset(tb, 0, sizeof(tb));
	if (nlh->nlmsg_flags & NLM_F_ACK_TLVS && nlmsg_datalen(nlh) >= (int)skip)
		nla_parse(tb, NLMSGERR_ATTR_MAX,
			  (struct nlattr *)((char *)nlmsg_data(nlh) + NLMSG_ALIGN(skip)),
			  nlmsg_datalen(nlh) - (int)NLMSG_ALIGN(skip), NULL);
	if (tb[NLMSGERR_ATTR_MSG] && nla_len(tb[NLMSGERR_ATTR_MSG]) > 0 &&
	    memchr(nla_data(tb[NLMSGERR_ATTR_MSG]), 0, (size_t)nla_len(tb[NLMSGERR_ATTR_MSG])))
		words = nla_get_string(tb[NLMSGERR_ATTR_MSG]);
	if (tb[NLMSGERR_ATTR_OFFS] && nla_len(tb[NLMSGERR_ATTR_OFFS]) == 4)
		name = name_at(request, nla_get_u32(tb[NLMSGERR_ATTR_OFFS]));
	if (tb[NLMSGERR_ATTR_MISS_TYPE] && nla_len(tb[NLMSGERR_ATTR_MISS_TYPE]) == 4) {
		uint32_t nest = 0;

		if (tb[NLMSGERR_ATTR_MISS_NEST] && nla_len(tb[NLMSGERR_ATTR_MISS_NEST]) == 4)
			nest = nla_get_u32(tb[NLMSGERR_ATTR_MISS_NEST]);
		missing = hv_attr_name(missing_set(request, nest),
				       (int)nla_get_u32(tb[NLMSGERR_ATTR_MISS_TYPE]));
	}
	if (!words)
		words = strerror(-error);
	bounds(tb[NLMSGERR_ATTR_POLICY], possible, sizeof(possible));
	if (name)
		return hv_fail_code(err, exit_code(error), "%s%s (attribute %s)", words, possible,
				    name);
	if (missing)
		return hv_fail_code(err, exit_code(error), "%s (attribute %s is missing)", words,
				    missing);
	return hv_fail_code(err, exit_code(error), "%s", words);
}

/* Return: 1 to go on, 0 when the answer is complete, -1 on failure. */
static int take(const struct nlmsghdr *request, const struct nlmsghdr *nlh, hv_nl_fn fn, void *arg,
		bool *interrupted, struct hv_error *err)
{
	const struct nlmsgerr *e;
	uint32_t skip;
	int error;

	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR && interrupted)
		*interrupted = true;
	switch (nlh->nlmsg_type) {
	case NLMSG_NOOP:
	case NLMSG_OVERRUN:
		return 1;
	case NLMSG_DONE:
		if (nlmsg_datalen(nlh) < (int)sizeof(error))
			return 0;
		memcpy(&error, nlmsg_data(nlh), sizeof(error));
		return error < 0 ? refusal(request, nlh, error, sizeof(error), err) : 0;
	case NLMSG_ERROR:
		if (nlmsg_datalen(nlh) < (int)sizeof(*e))
			return hv_fail_code(err, HV_EXIT_REFUSED, "netlink: short answer");
		e = nlmsg_data(nlh);
		if (!e->error) {
			/* Done, but there is something to say. */
			err->text[0] = '\0';
			if (nlh->nlmsg_flags & NLM_F_ACK_TLVS)
				refusal(request, nlh, 0, sizeof(*e), err);
			return 0;
		}
		skip = sizeof(*e);
		if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
			skip += e->msg.nlmsg_len - NLMSG_HDRLEN;
		return refusal(request, nlh, e->error, skip, err);
	default:
		if (fn && fn(nlh, arg, err))
			return -1;
		return 1;
	}
}

int hv_nl_request(struct hv_nl *nl, struct nl_msg *msg, hv_nl_fn fn, void *arg, bool *interrupted,
		  struct hv_error *err)
{
	struct nlmsghdr *request = nlmsg_hdr(msg);
	int ret;

	if (!(request->nlmsg_flags & NLM_F_DUMP))
		request->nlmsg_flags |= NLM_F_ACK;
	nl_complete_msg(nl->sock, msg);
	ret = nl_send(nl->sock, msg);
	if (ret < 0) {
		nl_problem(err, "cannot send", ret);
		ret = -1;
		goto free;
	}
	do {
		unsigned char *buf = NULL;
		struct sockaddr_nl from;
		struct nlmsghdr *nlh;
		int left;

		left = nl_recv(nl->sock, &from, &buf, NULL);
		if (left <= 0) {
			nl_problem(err, "no answer", left);
			ret = -1;
			break;
		}
		ret = 1;
		for (nlh = (struct nlmsghdr *)buf; ret == 1 && nlmsg_ok(nlh, left);
		     nlh = nlmsg_next(nlh, &left))
			if (nlh->nlmsg_seq == request->nlmsg_seq)
				ret = take(request, nlh, fn, arg, interrupted, err);
		free(buf);
	} while (ret == 1);
free:
	nlmsg_free(msg);
	return ret;
}

int hv_nl_listen(struct hv_nl *nl, struct hv_error *err)
{
	int ret;

	nl->events = nl_socket_alloc();
	if (!nl->events)
		out_of_memory();
	nl_socket_disable_seq_check(nl->events);
	ret = genl_connect(nl->events);
	if (!ret)
		ret = nl_socket_add_membership(nl->events, (int)nl->group);
	if (!ret)
		ret = nl_socket_set_nonblocking(nl->events);
	if (ret < 0)
		return nl_problem(err, "cannot listen to events", ret);
	nl_socket_set_buffer_size(nl->events, SOCKET_BUFFER, 0);
	return nl_socket_get_fd(nl->events);
}

int hv_nl_listen_quotas(struct hv_nl *nl, struct hv_error *err)
{
	int ret = genl_ctrl_resolve_grp(nl->sock, HVMM_FAMILY_NAME, HVMM_MCGRP_QUOTA);

	if (ret >= 0)
		ret = nl_socket_add_membership(nl->events, ret);
	return ret < 0 ? nl_problem(err, "cannot listen to events", ret) : 0;
}

int hv_nl_events(struct hv_nl *nl, hv_nl_fn fn, void *arg, bool *missed, struct hv_error *err)
{
	for (;;) {
		unsigned char *buf = NULL;
		struct sockaddr_nl from;
		struct nlmsghdr *nlh;
		int left, ret = 0;

		errno = 0;
		left = nl_recv(nl->events, &from, &buf, NULL);
		/* libnl maps ENOBUFS, the sign of lost events, to "out of memory". */
		if (left == -NLE_NOMEM) {
			*missed = true;
			continue;
		}
		if (left == -NLE_AGAIN || !left)
			return 0;
		if (left < 0)
			return nl_problem(err, "events", left);
		for (nlh = (struct nlmsghdr *)buf; !ret && nlmsg_ok(nlh, left);
		     nlh = nlmsg_next(nlh, &left))
			if (nlh->nlmsg_type == nl->family)
				ret = fn(nlh, arg, err);
		free(buf);
		if (ret)
			return ret;
	}
}
