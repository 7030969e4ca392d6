// SPDX-License-Identifier: GPL-2.0
/* The host's end of the verified streams: one connection after the other */
#include <netinet/in.h>
#include <unistd.h>

#include "stream.h"

#define IDLE_SECONDS	10

static int listen_on(__u16 port)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
	};
	int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int one = 1;

	setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(sock, (struct sockaddr *)&addr, sizeof(addr)) ||
	    listen(sock, 1))
		die("cannot listen on port %u: %s", port, strerror(errno));
	return sock;
}

static __u64 receive(struct stream *s, __u64 bytes)
{
	while (s->offset < bytes && stream_recv(s) > 0)
		;
	return s->offset;
}

static void serve(struct stream *s)
{
	__u64 bytes, right;

	if (recv_all(s->sock, &bytes, sizeof(bytes)))
		return;
	right = receive(s, bytes);
	if (send_all(s->sock, &right, sizeof(right)) || right != bytes)
		return;
	s->offset = 0;
	while (!stream_send(s, sizeof(s->buf)))
		;
}

int main(int argc, char **argv)
{
	static struct stream s;
	int sock;

	if (argc != 2)
		die("usage: peer PORT");
	sock = listen_on(number(argv[1], 1, 65535));
	for (;;) {
		s.sock = accept(sock, NULL, NULL);
		if (s.sock < 0)
			die("cannot accept: %s", strerror(errno));
		s.offset = 0;
		s.held = 0;
		stream_timeouts(s.sock, IDLE_SECONDS);
		serve(&s);
		close(s.sock);
	}
}
