// SPDX-License-Identifier: GPL-2.0
/*
 * Lists the page pools of this network namespace, one a line:
 *	ID IFINDEX NAPI-ID INFLIGHT live|detached
 */
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util.h"

/* linux/netdev.h of 6.8 and later: Debian 12's headers are older */
#define NETDEV_FAMILY			"netdev"
#define NETDEV_CMD_PAGE_POOL_GET	5
enum {
	NETDEV_A_PAGE_POOL_ID = 1,
	NETDEV_A_PAGE_POOL_IFINDEX,
	NETDEV_A_PAGE_POOL_NAPI_ID,
	NETDEV_A_PAGE_POOL_INFLIGHT,
	NETDEV_A_PAGE_POOL_INFLIGHT_MEM,
	NETDEV_A_PAGE_POOL_DETACH_TIME,
	NETDEV_A_PAGE_POOL_COUNT
};

struct request {
	struct nlmsghdr nl;
	struct genlmsghdr genl;
	char attrs[64];
};

/* Attributes of one message, by type; NULL if not there */
typedef const struct nlattr *attr_table[NETDEV_A_PAGE_POOL_COUNT];

static char buf[64 * 1024] __attribute__((aligned(8)));

static const void *attr_data(const struct nlattr *a)
{
	return (const char *)a + NLA_HDRLEN;
}

/* Integers come as 4 or 8 bytes, whichever they need */
static __u64 attr_uint(const struct nlattr *a)
{
	__u64 wide;
	__u32 narrow;

	if (!a)
		return 0;
	if (a->nla_len - NLA_HDRLEN == sizeof(narrow)) {
		memcpy(&narrow, attr_data(a), sizeof(narrow));
		return narrow;
	}
	memcpy(&wide, attr_data(a), sizeof(wide));
	return wide;
}

static void attrs_parse(attr_table table, const struct nlmsghdr *nl)
{
	const char *p = (const char *)NLMSG_DATA(nl) + GENL_HDRLEN;
	const char *end = (const char *)nl + nl->nlmsg_len;
	const struct nlattr *a;

	memset(table, 0, sizeof(attr_table));
	while (p + NLA_HDRLEN <= end) {
		a = (const struct nlattr *)p;
		if (a->nla_len < NLA_HDRLEN)
			return;
		if ((a->nla_type & NLA_TYPE_MASK) < NETDEV_A_PAGE_POOL_COUNT)
			table[a->nla_type & NLA_TYPE_MASK] = a;
		p += NLA_ALIGN(a->nla_len);
	}
}

static void request_send(int sock, struct request *r, __u16 type, __u16 flags,
			 __u8 cmd)
{
	r->nl.nlmsg_len += NLMSG_LENGTH(GENL_HDRLEN);
	r->nl.nlmsg_type = type;
	r->nl.nlmsg_flags = NLM_F_REQUEST | flags;
	r->genl.cmd = cmd;
	r->genl.version = 1;
	if (send(sock, r, r->nl.nlmsg_len, 0) < 0)
		die("netlink: %s", strerror(errno));
}

/* Next datagram; its first message must not be an error */
static ssize_t reply_recv(int sock)
{
	const struct nlmsghdr *nl = (const void *)buf;
	const struct nlmsgerr *err;
	ssize_t len = recv(sock, buf, sizeof(buf), 0);

	if (len < (ssize_t)sizeof(*nl))
		die("netlink: %s", strerror(errno));
	err = NLMSG_DATA(nl);
	if (nl->nlmsg_type == NLMSG_ERROR && err->error)
		die("netlink: %s", strerror(-err->error));
	return len;
}

static __u16 family_id(int sock)
{
	struct nlattr *name;
	struct request r = { 0 };
	attr_table attrs;

	name = (struct nlattr *)r.attrs;
	name->nla_type = CTRL_ATTR_FAMILY_NAME;
	name->nla_len = NLA_HDRLEN + sizeof(NETDEV_FAMILY);
	memcpy(name + 1, NETDEV_FAMILY, sizeof(NETDEV_FAMILY));
	r.nl.nlmsg_len = NLA_ALIGN(name->nla_len);
	request_send(sock, &r, GENL_ID_CTRL, 0, CTRL_CMD_GETFAMILY);
	reply_recv(sock);
	attrs_parse(attrs, (const void *)buf);
	if (!attrs[CTRL_ATTR_FAMILY_ID])
		die("netlink: no family " NETDEV_FAMILY);
	return *(const __u16 *)attr_data(attrs[CTRL_ATTR_FAMILY_ID]);
}

static void pool_print(const struct nlmsghdr *nl)
{
	attr_table a;

	attrs_parse(a, nl);
	printf("%llu %llu %llu %llu %s\n", attr_uint(a[NETDEV_A_PAGE_POOL_ID]),
	       attr_uint(a[NETDEV_A_PAGE_POOL_IFINDEX]),
	       attr_uint(a[NETDEV_A_PAGE_POOL_NAPI_ID]),
	       attr_uint(a[NETDEV_A_PAGE_POOL_INFLIGHT]),
	       a[NETDEV_A_PAGE_POOL_DETACH_TIME] ? "detached" : "live");
}

/* Returns whether there is more to come */
static bool pools_recv(int sock)
{
	unsigned int len = reply_recv(sock);
	const struct nlmsghdr *nl;

	for (nl = (const void *)buf; NLMSG_OK(nl, len);
	     nl = NLMSG_NEXT(nl, len)) {
		if (nl->nlmsg_type == NLMSG_DONE)
			return false;
		pool_print(nl);
	}
	return true;
}

int main(void)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct request r = { 0 };
	int sock;

	sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (connect(sock, (struct sockaddr *)&kernel, sizeof(kernel)))
		die("netlink: %s", strerror(errno));
	request_send(sock, &r, family_id(sock), NLM_F_DUMP,
		     NETDEV_CMD_PAGE_POOL_GET);
	while (pools_recv(sock))
		;
	close(sock);
	return 0;
}
