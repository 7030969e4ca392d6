// SPDX-License-Identifier: GPL-2.0
/*
 * Sends a number of bytes to a peer, which verifies them, and receives and
 * verifies as many from it.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

#include "stream.h"

#define IDLE_SECONDS	20

static int peer_connect(const char *host, __u16 port)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
	};
	int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (inet_pton(AF_INET, host, &addr.sin_addr) != 1)
		die("'%s' is not an IPv4 address", host);
	stream_timeouts(sock, IDLE_SECONDS);
	if (connect(sock, (struct sockaddr *)&addr, sizeof(addr)))
		die("cannot connect to %s: %s", host, strerror(errno));
	return sock;
}

static void send_out(struct stream *s, __u64 bytes)
{
	__u64 right;

	if (send_all(s->sock, &bytes, sizeof(bytes)))
		die("sending: %s", strerror(errno));
	while (s->offset < bytes)
		if (stream_send(s, sizeof(s->buf)))
			die("sending, at byte %llu: %s", s->offset,
			    strerror(errno));
	if (recv_all(s->sock, &right, sizeof(right)))
		die("the peer gave no answer to what was sent");
	if (right != bytes)
		die("the peer received wrong data at byte %llu", right);
}

static void receive_in(struct stream *s, __u64 bytes)
{
	int err;

	s->offset = 0;
	while (s->offset < bytes) {
		err = stream_recv(s);
		if (err == -EILSEQ)
			die("received wrong data at or after byte %llu",
			    s->offset);
		if (err <= 0)
			die("the peer's stream ended at byte %llu: %s",
			    s->offset, strerror(-err));
	}
}

int main(int argc, char **argv)
{
	static struct stream s;
	__u64 bytes;

	if (argc != 4)
		die("usage: tcp HOST PORT BYTES");
	/* whole chunks, as the peer counts bytes it was told of only */
	bytes = number(argv[3], 1, 1ULL << 40) / STREAM_CHUNK * STREAM_CHUNK;
	s.sock = peer_connect(argv[1], number(argv[2], 1, 65535));
	send_out(&s, bytes);
	receive_in(&s, bytes);
	close(s.sock);
	return 0;
}
