/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A generic netlink client small enough to send what a library would refuse to:
 * the request is a buffer, and the whole extended ack is kept.
 */
#ifndef SELFTESTS_LIB_NL_H
#define SELFTESTS_LIB_NL_H

#include <errno.h>
#include <fcntl.h>
#include <linux/genetlink.h>
#include <linux/hvmm.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

#define NL_BUF	65536
#define NL_NONE	(-1)

/**
 * struct nl - a socket, and what came of the latest request
 * @fd: socket
 * @family: message type of the family
 * @group: number of the multicast group "lifecycle"
 * @quota_group: number of the multicast group "quota"
 * @size: of the buffer that recv() gets; the kernel makes messages of a dump as
 *        long as the longest so far
 * @seq: sequence number of the latest request
 * @interrupted: a message of the dump had NLM_F_DUMP_INTR
 * @text: words of the extended ack
 * @bad: type of the attribute that it names, or NL_NONE
 * @bad_in: type of the nest around it, or NL_NONE
 * @missing: type of the attribute that it misses, or NL_NONE
 * @missing_in: type of the nest that should have it, or NL_NONE
 */
struct nl {
	int fd;
	int family;
	int group;
	int quota_group;
	size_t size;
	uint32_t seq;
	bool interrupted;
	char text[256];
	int bad, bad_in;
	int missing, missing_in;
};

struct nl_msg {
	union {
		struct nlmsghdr hdr;
		char buf[NL_BUF];
	};
};

typedef void (*nl_fn)(void *arg, uint8_t cmd, struct nlattr *attrs, int len);

static inline struct nlattr *nl_next(struct nlattr *a)
{
	return (struct nlattr *)((char *)a + NLA_ALIGN(a->nla_len));
}

#define nl_for_each(a, first, len)						\
	for ((a) = (first);							\
	     (char *)(first) + (len) - (char *)(a) >= NLA_HDRLEN &&		\
	     (a)->nla_len >= NLA_HDRLEN &&					\
	     (a)->nla_len <= (char *)(first) + (len) - (char *)(a);		\
	     (a) = nl_next(a))

static inline void *nl_data(struct nlattr *a)
{
	return (char *)a + NLA_HDRLEN;
}

static inline int nl_len(const struct nlattr *a)
{
	return a->nla_len - NLA_HDRLEN;
}

static inline int nl_type(const struct nlattr *a)
{
	return a->nla_type & NLA_TYPE_MASK;
}

static inline struct nlattr *nl_find(struct nlattr *attrs, int len, int type)
{
	struct nlattr *a;

	nl_for_each(a, attrs, len)
		if (nl_type(a) == type)
			return a;
	return NULL;
}

/* An integer of any size; UINT64_MAX if it is not there. */
static inline uint64_t nl_get(struct nlattr *attrs, int len, int type)
{
	struct nlattr *a = nl_find(attrs, len, type);
	uint64_t value = 0;

	if (!a || nl_len(a) > (int)sizeof(value))
		return UINT64_MAX;
	memcpy(&value, nl_data(a), nl_len(a));
	return value;
}

static inline const char *nl_get_str(struct nlattr *attrs, int len, int type)
{
	struct nlattr *a = nl_find(attrs, len, type);

	return a && nl_len(a) && !((char *)nl_data(a))[nl_len(a) - 1] ? nl_data(a) : NULL;
}

static inline void nl_begin(struct nl *nl, struct nl_msg *msg, int type, int flags, int cmd)
{
	struct genlmsghdr *genl = (struct genlmsghdr *)(msg->buf + NLMSG_HDRLEN);

	memset(msg, 0, NLMSG_HDRLEN + GENL_HDRLEN);
	msg->hdr.nlmsg_len = NLMSG_HDRLEN + GENL_HDRLEN;
	msg->hdr.nlmsg_type = type;
	msg->hdr.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	msg->hdr.nlmsg_seq = ++nl->seq;
	genl->cmd = cmd;
	genl->version = 1;
}

static inline void nl_put(struct nl_msg *msg, int type, const void *data, size_t len)
{
	struct nlattr *a = (struct nlattr *)(msg->buf + msg->hdr.nlmsg_len);
	size_t total = NLA_ALIGN(NLA_HDRLEN + len);

	if (msg->hdr.nlmsg_len + total > sizeof(msg->buf))
		return;
	memset(a, 0, total);
	a->nla_type = type;
	a->nla_len = NLA_HDRLEN + len;
	if (len)
		memcpy(nl_data(a), data, len);
	msg->hdr.nlmsg_len += total;
}

static inline void nl_put_u16(struct nl_msg *msg, int type, uint16_t value)
{
	nl_put(msg, type, &value, sizeof(value));
}

static inline void nl_put_u32(struct nl_msg *msg, int type, uint32_t value)
{
	nl_put(msg, type, &value, sizeof(value));
}

static inline void nl_put_u64(struct nl_msg *msg, int type, uint64_t value)
{
	nl_put(msg, type, &value, sizeof(value));
}

static inline void nl_put_str(struct nl_msg *msg, int type, const char *s)
{
	nl_put(msg, type, s, strlen(s) + 1);
}

static inline size_t nl_nest(struct nl_msg *msg, int type)
{
	size_t at = msg->hdr.nlmsg_len;

	nl_put(msg, type | NLA_F_NESTED, NULL, 0);
	return at;
}

static inline void nl_nest_end(struct nl_msg *msg, size_t at)
{
	((struct nlattr *)(msg->buf + at))->nla_len = msg->hdr.nlmsg_len - at;
}

/* The attribute of a request at an offset, which the kernel counts from its start. */
static inline void nl_blame(struct nl *nl, struct nl_msg *msg, uint32_t offset)
{
	char *at = msg->buf + offset;
	struct nlattr *a, *b, *first = (struct nlattr *)(msg->buf + NLMSG_HDRLEN + GENL_HDRLEN);

	nl_for_each(a, first, (int)msg->hdr.nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN) {
		if ((char *)a == at) {
			nl->bad = nl_type(a);
			return;
		}
		if (at > (char *)a && at < (char *)nl_next(a))
			nl_for_each(b, (struct nlattr *)nl_data(a), nl_len(a))
				if ((char *)b == at) {
					nl->bad = nl_type(b);
					nl->bad_in = nl_type(a);
					return;
				}
	}
}

static inline void nl_extack(struct nl *nl, struct nl_msg *msg, char *from, char *end)
{
	struct nlattr *a, *first = (struct nlattr *)from;
	uint32_t value;

	nl_for_each(a, first, (int)(end - from)) {
		value = 0;
		memcpy(&value, nl_data(a), nl_len(a) < 4 ? nl_len(a) : 4);
		switch (nl_type(a)) {
		case NLMSGERR_ATTR_MSG:
			snprintf(nl->text, sizeof(nl->text), "%.*s", nl_len(a),
				 (char *)nl_data(a));
			break;
		case NLMSGERR_ATTR_OFFS:
			nl_blame(nl, msg, value);
			break;
		case NLMSGERR_ATTR_MISS_TYPE:
			nl->missing = value;
			break;
		case NLMSGERR_ATTR_MISS_NEST: {
			struct nlattr *nest = (struct nlattr *)(msg->buf + value);

			if (value <= msg->hdr.nlmsg_len - NLA_HDRLEN)
				nl->missing_in = nl_type(nest);
			break;
		}
		}
	}
}

static inline void nl_reset(struct nl *nl)
{
	nl->interrupted = false;
	nl->text[0] = '\0';
	nl->bad = NL_NONE;
	nl->bad_in = NL_NONE;
	nl->missing = NL_NONE;
	nl->missing_in = NL_NONE;
}

static inline int nl_send(struct nl *nl, struct nl_msg *msg)
{
	nl_reset(nl);
	return send(nl->fd, msg->buf, msg->hdr.nlmsg_len, 0) < 0 ? -errno : 0;
}

/*
 * One recv() of answers to @msg, each given to @fn. Returns 1 when more is to
 * come, 0 when it is done, or the error.
 */
static inline int nl_recv(struct nl *nl, struct nl_msg *msg, nl_fn fn, void *arg)
{
	char buf[NL_BUF] __attribute__((aligned(8)));
	struct nlmsghdr *hdr;
	ssize_t got;
	char *p, *end;
	int error;

	got = recv(nl->fd, buf, nl->size, MSG_TRUNC);
	if (got < 0)
		return -errno;
	if ((size_t)got > nl->size)
		return -EOVERFLOW;

	for (p = buf; p + NLMSG_HDRLEN <= buf + got; p += NLMSG_ALIGN(hdr->nlmsg_len)) {
		hdr = (struct nlmsghdr *)p;
		end = p + hdr->nlmsg_len;
		if (hdr->nlmsg_len < NLMSG_HDRLEN || end > buf + got)
			return -EBADMSG;
		if (hdr->nlmsg_seq != nl->seq)
			continue;
		if (hdr->nlmsg_flags & NLM_F_DUMP_INTR)
			nl->interrupted = true;

		switch (hdr->nlmsg_type) {
		case NLMSG_ERROR:
			error = ((struct nlmsgerr *)NLMSG_DATA(hdr))->error;
			if (hdr->nlmsg_flags & NLM_F_ACK_TLVS)
				nl_extack(nl, msg, (char *)NLMSG_DATA(hdr) +
					  sizeof(struct nlmsgerr), end);
			return error;
		case NLMSG_DONE:
			error = *(int *)NLMSG_DATA(hdr);
			if (hdr->nlmsg_flags & NLM_F_ACK_TLVS)
				nl_extack(nl, msg, (char *)NLMSG_DATA(hdr) + sizeof(int), end);
			return error;
		default:
			if (fn)
				fn(arg, ((struct genlmsghdr *)NLMSG_DATA(hdr))->cmd,
				   (struct nlattr *)((char *)NLMSG_DATA(hdr) + GENL_HDRLEN),
				   (int)(hdr->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN));
		}
	}
	return 1;
}

/* Send a request and take all answers. Returns 0 or a negative errno. */
static inline int nl_talk(struct nl *nl, struct nl_msg *msg, nl_fn fn, void *arg)
{
	int ret = nl_send(nl, msg);

	if (ret)
		return ret;
	do {
		ret = nl_recv(nl, msg, fn, arg);
	} while (ret > 0);
	return ret;
}

static inline void nl_family_reply(void *arg, uint8_t cmd, struct nlattr *attrs, int len)
{
	struct nlattr *a, *groups = nl_find(attrs, len, CTRL_ATTR_MCAST_GROUPS);
	struct nl *nl = arg;
	const char *name;

	nl->family = nl_get(attrs, len, CTRL_ATTR_FAMILY_ID);
	if (!groups)
		return;
	nl_for_each(a, (struct nlattr *)nl_data(groups), nl_len(groups)) {
		name = nl_get_str(nl_data(a), nl_len(a), CTRL_ATTR_MCAST_GRP_NAME);
		if (name && !strcmp(name, HVMM_MCGRP_LIFECYCLE))
			nl->group = nl_get(nl_data(a), nl_len(a), CTRL_ATTR_MCAST_GRP_ID);
		if (name && !strcmp(name, HVMM_MCGRP_QUOTA))
			nl->quota_group = nl_get(nl_data(a), nl_len(a), CTRL_ATTR_MCAST_GRP_ID);
	}
}

/*
 * Open a socket and look the family up. @size is that of recv()'s buffer, at most
 * NL_BUF. Returns 0 or a negative errno.
 */
static inline int nl_open_size(struct nl *nl, size_t size)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK };
	struct timeval patience = { .tv_sec = 30 };
	struct nl_msg msg;
	int one = 1, ret;

	memset(nl, 0, sizeof(*nl));
	nl_reset(nl);
	nl->size = size;
	nl->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (nl->fd < 0)
		return -errno;
	setsockopt(nl->fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(nl->fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	/* An answer that does not come is an error, not a hang. */
	setsockopt(nl->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (bind(nl->fd, (struct sockaddr *)&addr, sizeof(addr)))
		return -errno;

	nl_begin(nl, &msg, GENL_ID_CTRL, 0, CTRL_CMD_GETFAMILY);
	nl_put_str(&msg, CTRL_ATTR_FAMILY_NAME, HVMM_FAMILY_NAME);
	ret = nl_talk(nl, &msg, nl_family_reply, nl);
	if (ret)
		close(nl->fd);
	return ret;
}

static inline int nl_open(struct nl *nl)
{
	return nl_open_size(nl, NL_BUF);
}

static inline int nl_subscribe(struct nl *nl)
{
	return setsockopt(nl->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &nl->group,
			  sizeof(nl->group)) ? -errno : 0;
}

/* A memfd that can be a VM's RAM. */
static inline int nl_ram(size_t size)
{
	int fd = memfd_create("ram", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, size) || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK))
		return -1;
	return fd;
}

/* An otherwise empty request about a VM, by id. */
static inline int nl_verb(struct nl *nl, int cmd, uint32_t id)
{
	struct nl_msg msg;

	nl_begin(nl, &msg, nl->family, 0, cmd);
	nl_put_u32(&msg, HVMM_A_VM_ID, id);
	return nl_talk(nl, &msg, NULL, NULL);
}

#endif
