// SPDX-License-Identifier: GPL-2.0
/*
 * Datagrams of every length there and back, verified at both ends, and a
 * socket that keeps what it receives.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "probe.h"
#include "util.h"

#define LEN_MAX		65507
#define TRIES		5
#define SHORT_LEN	18
#define BURST		16
#define HOLD_BYTES	(64 << 20)

static unsigned char out[LEN_MAX], in[LEN_MAX + 1];

/* Each byte depends on its place and on the length of the datagram */
static void datagram_fill(unsigned char *p, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		p[i] = probe_word(len + i) >> 8;
}

static bool datagram_right(const unsigned char *p, size_t len)
{
	datagram_fill(out, len);
	return !memcmp(p, out, len);
}

static struct sockaddr_in address(const char *host, const char *port)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = htons(number(port, 1, 65535)),
	};

	if (host && inet_pton(AF_INET, host, &addr.sin_addr) != 1)
		die("'%s' is not an IPv4 address", host);
	return addr;
}

static int sock_bound(const char *port)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in addr = address(NULL, port);

	if (bind(sock, (struct sockaddr *)&addr, sizeof(addr)))
		die("cannot bind port %s: %s", port, strerror(errno));
	return sock;
}

/* Answers what is right with the same, what is wrong with an empty datagram */
static void echo(const char *port)
{
	int sock = sock_bound(port);
	struct sockaddr_in from;
	socklen_t from_len;
	ssize_t len;

	for (;;) {
		from_len = sizeof(from);
		len = recvfrom(sock, in, sizeof(in), 0,
			       (struct sockaddr *)&from, &from_len);
		if (len < 0)
			continue;
		if (!datagram_right(in, len))
			len = 0;
		sendto(sock, in, len, 0, (struct sockaddr *)&from, from_len);
	}
}

/* A late answer to an earlier try of another length is not this one's */
static bool answer(int sock, size_t len)
{
	ssize_t got;

	for (;;) {
		got = recv(sock, in, sizeof(in), 0);
		if (got < 0)
			return false;
		if (!got)
			die("the peer received %zu wrong bytes", len);
		if (!datagram_right(in, got))
			die("received %zd wrong bytes", got);
		if ((size_t)got == len)
			return true;
	}
}

static void ping_one(int sock, size_t len)
{
	int tries = TRIES;

	while (tries--) {
		datagram_fill(out, len);
		if (send(sock, out, len, 0) < 0)
			die("cannot send %zu bytes: %s", len, strerror(errno));
		if (answer(sock, len))
			return;
	}
	die("no answer to %zu bytes", len);
}

static int sock_connected(const char *host, const char *port)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in addr = address(host, port);

	if (connect(sock, (struct sockaddr *)&addr, sizeof(addr)))
		die("connect: %s", strerror(errno));
	return sock;
}

static void ping(char **argv)
{
	const struct timeval patience = { .tv_sec = 2 };
	int sock = sock_connected(argv[0], argv[1]);
	size_t len, max = number(argv[2], 1, LEN_MAX);
	size_t step = number(argv[3], 1, LEN_MAX);

	setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	for (len = 1; len <= max; len += step)
		ping_one(sock, len);
}

/*
 * Datagrams of LEN bytes and short ones in turn, at a rate that leaves the
 * receiver time for other things. Nobody need be there to receive them.
 */
static void send_some(char **argv)
{
	const struct timespec nap = { .tv_nsec = NSEC_PER_MSEC };
	int sock = sock_connected(argv[0], argv[1]);
	size_t len = number(argv[2], SHORT_LEN, LEN_MAX);
	__u64 i, count = number(argv[3], 1, ~0ULL);

	datagram_fill(out, len);
	for (i = 0; i < count; i++) {
		send(sock, out, i % 2 ? SHORT_LEN : len, 0);
		if (i % BURST == BURST - 1)
			nanosleep(&nap, NULL);
	}
}

static void hold(const char *port)
{
	int sock = sock_bound(port), bytes = HOLD_BYTES;

	setsockopt(sock, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
	pause();
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (argc == 3 && !strcmp(what, "echo"))
		echo(argv[2]);
	else if (argc == 3 && !strcmp(what, "hold"))
		hold(argv[2]);
	else if (argc == 6 && !strcmp(what, "ping"))
		ping(argv + 2);
	else if (argc == 6 && !strcmp(what, "send"))
		send_some(argv + 2);
	else
		die("usage: udp echo|hold PORT | udp ping HOST PORT MAX STEP | "
		    "udp send HOST PORT LEN COUNT");
	return 0;
}
