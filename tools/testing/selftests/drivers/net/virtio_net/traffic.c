// SPDX-License-Identifier: GPL-2.0
/*
 * Traffic of which every byte is verified, floods, sockets that hold what they
 * receive, and an interface that goes up and down.
 *
 * The programs that stay are in the background, ready, when their command
 * returns; it prints their pid.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "vnet.h"

#define CHUNK		(256 * 1024)
#define WORD		sizeof(__u64)
#define DATAGRAM_MAX	65507
#define UDP_TRIES	5
#define UDP_PATIENCE_S	2
#define TCP_PATIENCE_S	20
#define BURST		16
#define SHORT_LEN	18
#define HOLD_BYTES	(64 << 20)

static __u64 chunk[CHUNK / WORD];
static unsigned char datagram[DATAGRAM_MAX + 1];

static struct sockaddr_in sock_addr(const char *host, const char *port)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = htons(get_number(port, 1, 65535)),
	};

	if (host && inet_pton(AF_INET, host, &addr.sin_addr) != 1)
		die("'%s' is not an IPv4 address", host);
	return addr;
}

static void patience(int sock, int seconds)
{
	const struct timeval tv = { .tv_sec = seconds };

	setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
}

static int sock_bound(int type, const char *port)
{
	struct sockaddr_in addr = sock_addr(NULL, port);
	int sock = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	const int one = 1;

	setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(sock, (struct sockaddr *)&addr, sizeof(addr)))
		die("cannot bind port %s: %s", port, strerror(errno));
	return sock;
}

static int sock_connected(int type, const char *host, const char *port)
{
	struct sockaddr_in addr = sock_addr(host, port);
	int sock = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	patience(sock, type == SOCK_STREAM ? TCP_PATIENCE_S : UDP_PATIENCE_S);
	if (connect(sock, (struct sockaddr *)&addr, sizeof(addr)))
		die("cannot connect to %s: %s", host, strerror(errno));
	return sock;
}

/* The rest of the program runs in the background */
static void background(void)
{
	int null = open("/dev/null", O_RDWR);
	pid_t pid = fork();

	if (pid < 0)
		die("fork: %s", strerror(errno));
	if (pid) {
		printf("%d\n", pid);
		exit(0);
	}
	setsid();
	dup2(null, 0);
	dup2(null, 1);
	dup2(null, 2);
}

/* --- TCP --- */

static bool send_all(int sock, const void *data, size_t len)
{
	const char *p = data;
	ssize_t n;

	while (len) {
		n = send(sock, p, len, MSG_NOSIGNAL);
		if (n <= 0)
			return false;
		p += n;
		len -= n;
	}
	return true;
}

static bool recv_all(int sock, void *data, size_t len)
{
	return recv(sock, data, len, MSG_WAITALL) == (ssize_t)len;
}

static bool stream_send(int sock, __u64 bytes)
{
	__u64 done;

	for (done = 0; done < bytes; done += CHUNK) {
		pattern_fill(chunk, CHUNK, done / WORD);
		if (!send_all(sock, chunk, CHUNK))
			return false;
	}
	return true;
}

/* Returns the number of bytes that came and were right; errno says why less */
static __u64 stream_recv(int sock, __u64 bytes)
{
	__u64 done = 0;
	ssize_t n;

	errno = 0;
	while (done < bytes) {
		n = recv(sock, chunk, CHUNK, MSG_WAITALL);
		if (n <= 0)
			break;
		if (!pattern_right(chunk, n, done / WORD)) {
			errno = EILSEQ;
			break;
		}
		done += n;
		if (n < CHUNK)
			break;
	}
	return done;
}

static void tcp(char **argv)
{
	__u64 right, bytes = get_number(argv[2], 1, 1ULL << 40);
	int sock = sock_connected(SOCK_STREAM, argv[0], argv[1]);

	/* whole chunks */
	bytes = (bytes + CHUNK - 1) / CHUNK * CHUNK;
	if (!send_all(sock, &bytes, sizeof(bytes)) || !stream_send(sock, bytes))
		die("sending: %s", strerror(errno));
	if (!recv_all(sock, &right, sizeof(right)))
		die("the peer gave no answer to what was sent");
	if (right != bytes)
		die("the peer received %llu of %llu bytes right", right, bytes);
	right = stream_recv(sock, bytes);
	if (right != bytes)
		die("received %llu of %llu bytes right: %s", right, bytes,
		    strerror(errno));
}

static void tcp_serve(int sock)
{
	__u64 bytes, right;

	patience(sock, TCP_PATIENCE_S);
	if (!recv_all(sock, &bytes, sizeof(bytes)))
		return;
	right = stream_recv(sock, bytes);
	if (send_all(sock, &right, sizeof(right)) && right == bytes)
		stream_send(sock, bytes);
}

static void tcp_accept(int listener)
{
	int sock = accept(listener, NULL, NULL);

	if (sock >= 0 && !fork()) {
		tcp_serve(sock);
		exit(0);
	}
	close(sock);
}

/* --- UDP --- */

/* What is right goes back, what is wrong is answered by an empty datagram */
static void udp_echo(int sock)
{
	struct sockaddr_in from;
	socklen_t from_len = sizeof(from);
	ssize_t len;

	len = recvfrom(sock, datagram, sizeof(datagram), 0,
		       (struct sockaddr *)&from, &from_len);
	if (len < 0)
		return;
	if (!pattern_right(datagram, len, len))
		len = 0;
	sendto(sock, datagram, len, 0, (struct sockaddr *)&from, from_len);
}

/* A late answer to an earlier try of another length is not this one's */
static bool udp_answer(int sock, size_t len)
{
	ssize_t got;

	for (;;) {
		got = recv(sock, datagram, sizeof(datagram), 0);
		if (got < 0)
			return false;
		if (!got)
			die("the peer received %zu wrong bytes", len);
		if (!pattern_right(datagram, got, got))
			die("received %zd wrong bytes", got);
		if ((size_t)got == len)
			return true;
	}
}

static void udp_ping(int sock, size_t len)
{
	int tries = UDP_TRIES;

	while (tries--) {
		pattern_fill(datagram, len, len);
		if (send(sock, datagram, len, 0) < 0)
			die("cannot send %zu bytes: %s", len, strerror(errno));
		if (udp_answer(sock, len))
			return;
	}
	die("no answer to %zu bytes", len);
}

static void udp(char **argv)
{
	int sock = sock_connected(SOCK_DGRAM, argv[0], argv[1]);
	size_t len, first = get_number(argv[2], 1, DATAGRAM_MAX);
	size_t last = get_number(argv[3], first, DATAGRAM_MAX);
	size_t step = get_number(argv[4], 1, DATAGRAM_MAX);

	for (len = first; len <= last; len += step)
		udp_ping(sock, len);
}

/* --- programs that stay --- */

static void serve(char **argv)
{
	struct pollfd fds[] = {
		{ .fd = sock_bound(SOCK_STREAM, argv[0]), .events = POLLIN },
		{ .fd = sock_bound(SOCK_DGRAM, argv[0]), .events = POLLIN },
	};

	if (listen(fds[0].fd, 8))
		die("cannot listen: %s", strerror(errno));
	signal(SIGCHLD, SIG_IGN);
	background();
	for (;;) {
		poll(fds, ARRAY_SIZE(fds), -1);
		if (fds[0].revents)
			tcp_accept(fds[0].fd);
		if (fds[1].revents)
			udp_echo(fds[1].fd);
	}
}

static void sink(char **argv)
{
	int sock = sock_bound(SOCK_DGRAM, argv[0]);

	background();
	for (;;)
		recv(sock, datagram, sizeof(datagram), 0);
}

static void hold(char **argv)
{
	int sock = sock_bound(SOCK_DGRAM, argv[0]), bytes = HOLD_BYTES;

	setsockopt(sock, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
	background();
	pause();
}

/*
 * Long and short datagrams in turn, at a rate that leaves the receiver time
 * for other things. Nobody need be there to receive them.
 */
static void blast(int sock, size_t len, __u64 count)
{
	__u64 i;

	pattern_fill(datagram, len, len);
	for (i = 0; i < count; i++) {
		send(sock, datagram, i % 2 ? SHORT_LEN : len, 0);
		if (i % BURST == BURST - 1)
			nap_ms(1);
	}
}

static void send_some(char **argv)
{
	blast(sock_connected(SOCK_DGRAM, argv[0], argv[1]),
	      get_number(argv[2], SHORT_LEN, DATAGRAM_MAX),
	      get_number(argv[3], 1, ~0ULL));
}

static void flood(char **argv)
{
	int sock = sock_connected(SOCK_DGRAM, argv[0], argv[1]);
	size_t len = get_number(argv[2], SHORT_LEN, DATAGRAM_MAX);

	background();
	blast(sock, len, ~0ULL);
}

/* --- the interface --- */

static void flags_set(int sock, struct ifreq *ifr, bool up)
{
	if (ioctl(sock, SIOCGIFFLAGS, ifr))
		die("%s: %s", ifr->ifr_name, strerror(errno));
	if (up)
		ifr->ifr_flags |= IFF_UP;
	else
		ifr->ifr_flags &= ~IFF_UP;
	if (ioctl(sock, SIOCSIFFLAGS, ifr))
		die("cannot set %s %s: %s", ifr->ifr_name, up ? "up" : "down",
		    strerror(errno));
}

static void updown(char **argv)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	__u64 times = get_number(argv[1], 1, 1000000);
	struct ifreq ifr = { 0 };

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", argv[0]);
	while (times--) {
		flags_set(sock, &ifr, false);
		flags_set(sock, &ifr, true);
	}
}

static const struct command {
	const char *name;
	int argc;
	void (*run)(char **argv);
	const char *usage;
} commands[] = {
	{ "serve", 1, serve, "PORT: TCP and UDP, in the background" },
	{ "sink", 1, sink, "PORT: reads UDP, in the background" },
	{ "hold", 1, hold, "PORT: keeps UDP unread, in the background" },
	{ "flood", 3, flood, "HOST PORT LEN: UDP, in the background" },
	{ "send", 4, send_some, "HOST PORT LEN COUNT: UDP" },
	{ "tcp", 3, tcp, "HOST PORT BYTES: there and back, verified" },
	{ "udp", 5, udp, "HOST PORT FIRST LAST STEP: every length, verified" },
	{ "updown", 2, updown, "DEV TIMES" },
};

static const struct command *command_find(const char *name, int argc)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i].name, name) && commands[i].argc == argc)
			return &commands[i];
	return NULL;
}

int main(int argc, char **argv)
{
	const struct command *c = NULL;
	size_t i;

	if (argc > 1)
		c = command_find(argv[1], argc - 2);
	if (c) {
		c->run(argv + 2);
		return 0;
	}
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(stderr, "traffic %s %s\n", commands[i].name,
			commands[i].usage);
	return 1;
}
