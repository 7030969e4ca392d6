// SPDX-License-Identifier: GPL-2.0
/* Sends a verified stream to the host and receives one from it */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

#include "sink.h"
#include "stream.h"

#define OUT_BYTES	(32ULL << 20)
#define IDLE_SECONDS	10

static int host_connect(const char *host)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = htons(PROBE_PORT_TCP),
	};
	int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (inet_pton(AF_INET, host, &addr.sin_addr) != 1)
		die("'%s' is not an IPv4 address", host);
	stream_timeouts(sock, IDLE_SECONDS);
	if (connect(sock, (struct sockaddr *)&addr, sizeof(addr)))
		die("cannot connect to %s: %s", host, strerror(errno));
	return sock;
}

static void send_out(struct stream *s)
{
	__u64 bytes = OUT_BYTES, right;

	if (send_all(s->sock, &bytes, sizeof(bytes)))
		die("stream to the host: %s", strerror(errno));
	while (s->offset < bytes)
		if (stream_send(s, sizeof(s->buf)))
			die("stream to the host: %s", strerror(errno));
	if (recv_all(s->sock, &right, sizeof(right)))
		die("no answer to the stream from the host");
	if (right != bytes)
		die("stream to the host: wrong data at byte %llu", right);
}

static void receive_in(struct stream *s, struct run *run)
{
	int err;

	s->offset = 0;
	do {
		err = stream_recv(s);
		if (err == -EILSEQ)
			die("stream from the host: wrong data at or after byte %llu",
			    s->offset);
		if (err <= 0)
			die("stream from the host ended: %s", strerror(-err));
	} while (run_tick(run, s->offset) < PHASE_DRAIN);
}

void sink_tcp(const char *dev, const char *host)
{
	struct probe_tally tally = { 0 };
	static struct stream s;
	static struct run run;

	s.sock = host_connect(host);
	send_out(&s);
	run_init(&run, dev, false);
	receive_in(&s, &run);
	close(s.sock);
	tally.good = s.offset;
	run_report(&run, "tcp", &tally, 0);
}
