// SPDX-License-Identifier: GPL-2.0
/*
 * Dumps what the netdev netlink family tells of page pools and queues in this
 * network namespace, one object a line as "name=value ...".
 */
#include <linux/genetlink.h>
#include <linux/netdev.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vnet.h"

#define FAMILY	"netdev"

struct attr_name {
	__u16 type;
	const char *name;
	const struct attr_name *nested;
};

struct dump {
	const char *name;
	__u8 cmd;
	const struct attr_name *attrs;
};

struct request {
	struct nlmsghdr nl;
	struct genlmsghdr genl;
	char attrs[64];
};

static const struct attr_name pool_attrs[] = {
	{ NETDEV_A_PAGE_POOL_ID, "id" },
	{ NETDEV_A_PAGE_POOL_IFINDEX, "ifindex" },
	{ NETDEV_A_PAGE_POOL_NAPI_ID, "napi-id" },
	{ NETDEV_A_PAGE_POOL_INFLIGHT, "inflight" },
	{ NETDEV_A_PAGE_POOL_INFLIGHT_MEM, "inflight-mem" },
	{ NETDEV_A_PAGE_POOL_DETACH_TIME, "detached" },
	{ 0 }
};

static const struct attr_name stats_attrs[] = {
	{ NETDEV_A_PAGE_POOL_STATS_INFO, "info", pool_attrs },
	{ NETDEV_A_PAGE_POOL_STATS_ALLOC_FAST, "alloc-fast" },
	{ NETDEV_A_PAGE_POOL_STATS_ALLOC_SLOW, "alloc-slow" },
	{ NETDEV_A_PAGE_POOL_STATS_ALLOC_SLOW_HIGH_ORDER,
	  "alloc-slow-high-order" },
	{ NETDEV_A_PAGE_POOL_STATS_ALLOC_REFILL, "alloc-refill" },
	{ NETDEV_A_PAGE_POOL_STATS_RECYCLE_CACHED, "recycle-cached" },
	{ NETDEV_A_PAGE_POOL_STATS_RECYCLE_CACHE_FULL, "recycle-cache-full" },
	{ NETDEV_A_PAGE_POOL_STATS_RECYCLE_RING, "recycle-ring" },
	{ NETDEV_A_PAGE_POOL_STATS_RECYCLE_RING_FULL, "recycle-ring-full" },
	{ NETDEV_A_PAGE_POOL_STATS_RECYCLE_RELEASED_REFCNT,
	  "released-refcnt" },
	{ 0 }
};

static const struct attr_name qstats_attrs[] = {
	{ NETDEV_A_QSTATS_IFINDEX, "ifindex" },
	{ NETDEV_A_QSTATS_RX_PACKETS, "rx-packets" },
	{ NETDEV_A_QSTATS_RX_ALLOC_FAIL, "rx-alloc-fail" },
	{ 0 }
};

static const struct attr_name queue_attrs[] = {
	{ NETDEV_A_QUEUE_IFINDEX, "ifindex" },
	{ NETDEV_A_QUEUE_ID, "id" },
	{ NETDEV_A_QUEUE_TYPE, "type" },
	{ NETDEV_A_QUEUE_NAPI_ID, "napi-id" },
	{ 0 }
};

static const struct dump dumps[] = {
	{ "pools", NETDEV_CMD_PAGE_POOL_GET, pool_attrs },
	{ "stats", NETDEV_CMD_PAGE_POOL_STATS_GET, stats_attrs },
	{ "qstats", NETDEV_CMD_QSTATS_GET, qstats_attrs },
	{ "queues", NETDEV_CMD_QUEUE_GET, queue_attrs },
};

static __u64 buf[64 * 1024 / sizeof(__u64)];

static const void *attr_data(const struct nlattr *a)
{
	return (const char *)a + NLA_HDRLEN;
}

/* Integers come as 4 or 8 bytes, whichever they need */
static __u64 attr_uint(const struct nlattr *a)
{
	__u64 wide = 0;
	__u32 narrow;

	if (a->nla_len - NLA_HDRLEN == sizeof(narrow)) {
		memcpy(&narrow, attr_data(a), sizeof(narrow));
		return narrow;
	}
	memcpy(&wide, attr_data(a), sizeof(wide));
	return wide;
}

static const struct attr_name *attr_find(const struct attr_name *names,
					 __u16 type)
{
	for (; names->name; names++)
		if (names->type == type)
			return names;
	return NULL;
}

static void attrs_print(const char *p, const char *end,
			const struct attr_name *names)
{
	const struct attr_name *n;
	const struct nlattr *a;

	while (p + NLA_HDRLEN <= end) {
		a = (const struct nlattr *)p;
		if (a->nla_len < NLA_HDRLEN)
			return;
		n = attr_find(names, a->nla_type & NLA_TYPE_MASK);
		if (n && n->nested)
			attrs_print(attr_data(a), p + a->nla_len, n->nested);
		else if (n)
			printf("%s=%llu ", n->name, attr_uint(a));
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

/* Next datagram; what the kernel does not know is a reason to skip */
static ssize_t reply_recv(int sock)
{
	const struct nlmsghdr *nl = (const void *)buf;
	const struct nlmsgerr *err;
	ssize_t len = recv(sock, buf, sizeof(buf), 0);

	if (len < (ssize_t)sizeof(*nl))
		die("netlink: %s", strerror(errno));
	err = NLMSG_DATA(nl);
	if (nl->nlmsg_type == NLMSG_ERROR && err->error)
		skip("netlink: %s", strerror(-err->error));
	return len;
}

static __u16 family_id(int sock)
{
	const char *p, *end;
	struct request r = { 0 };
	struct nlattr *name = (struct nlattr *)r.attrs;
	const struct nlattr *a;

	name->nla_type = CTRL_ATTR_FAMILY_NAME;
	name->nla_len = NLA_HDRLEN + sizeof(FAMILY);
	memcpy(name + 1, FAMILY, sizeof(FAMILY));
	r.nl.nlmsg_len = NLA_ALIGN(name->nla_len);
	request_send(sock, &r, GENL_ID_CTRL, 0, CTRL_CMD_GETFAMILY);
	p = (const char *)buf;
	end = p + reply_recv(sock);
	for (p += NLMSG_LENGTH(GENL_HDRLEN); p + NLA_HDRLEN <= end;
	     p += NLA_ALIGN(a->nla_len)) {
		a = (const struct nlattr *)p;
		if (a->nla_type == CTRL_ATTR_FAMILY_ID)
			return *(const __u16 *)attr_data(a);
		if (a->nla_len < NLA_HDRLEN)
			break;
	}
	skip("netlink: no family " FAMILY);
}

/* Returns whether there is more to come */
static bool dump_recv(int sock, const struct attr_name *names)
{
	unsigned int len = reply_recv(sock);
	const struct nlmsghdr *nl;

	for (nl = (const void *)buf; NLMSG_OK(nl, len);
	     nl = NLMSG_NEXT(nl, len)) {
		if (nl->nlmsg_type == NLMSG_DONE)
			return false;
		attrs_print((const char *)NLMSG_DATA(nl) + GENL_HDRLEN,
			    (const char *)nl + nl->nlmsg_len, names);
		printf("\n");
	}
	return true;
}

static const struct dump *dump_find(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(dumps); i++)
		if (!strcmp(dumps[i].name, name))
			return &dumps[i];
	die("usage: netdev pools|stats|qstats|queues");
}

int main(int argc, char **argv)
{
	const struct dump *d = dump_find(argc > 1 ? argv[1] : "");
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct request r = { 0 };
	int sock;

	sock = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (connect(sock, (struct sockaddr *)&kernel, sizeof(kernel)))
		die("netlink: %s", strerror(errno));
	request_send(sock, &r, family_id(sock), NLM_F_DUMP, d->cmd);
	while (dump_recv(sock, d->attrs))
		;
	return 0;
}
