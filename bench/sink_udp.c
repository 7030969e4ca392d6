// SPDX-License-Identifier: GPL-2.0
/* Receives a flood in an ordinary UDP socket with the default buffer size */
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "sink.h"
#include "util.h"

#define BATCH	64
#define IDLE_US	20000

struct udp_sink {
	int sock;
	struct probe_tally tally;
	/* one byte more than a probe: a longer datagram must show */
	unsigned char bufs[BATCH][sizeof(struct probe) + 1];
	struct iovec iov[BATCH];
	struct mmsghdr msgs[BATCH];
};

static void sock_open(struct udp_sink *s)
{
	const struct timeval idle = { .tv_usec = IDLE_US };
	struct sockaddr_in addr = {
		.sin_family = AF_INET,
		.sin_port = htons(PROBE_PORT_UDP),
	};

	s->sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	setsockopt(s->sock, SOL_SOCKET, SO_RCVTIMEO, &idle, sizeof(idle));
	if (bind(s->sock, (struct sockaddr *)&addr, sizeof(addr)))
		die("cannot bind a UDP socket: %s", strerror(errno));
}

static void batch_init(struct udp_sink *s)
{
	int i;

	for (i = 0; i < BATCH; i++) {
		s->iov[i].iov_base = s->bufs[i];
		s->iov[i].iov_len = sizeof(s->bufs[i]);
		s->msgs[i].msg_hdr.msg_iov = &s->iov[i];
		s->msgs[i].msg_hdr.msg_iovlen = 1;
	}
}

static void batch_recv(struct udp_sink *s)
{
	int i, n;

	n = recvmmsg(s->sock, s->msgs, BATCH, MSG_WAITFORONE, NULL);
	for (i = 0; i < n; i++)
		if (s->msgs[i].msg_len == sizeof(struct probe))
			probe_count(&s->tally, (void *)s->bufs[i]);
		else
			s->tally.bad++;
}

static __u64 overflow(int sock)
{
	__u32 info[SK_MEMINFO_VARS] = { 0 };
	socklen_t len = sizeof(info);

	if (getsockopt(sock, SOL_SOCKET, SO_MEMINFO, info, &len))
		die("no socket statistics: %s", strerror(errno));
	return info[SK_MEMINFO_DROPS];
}

void sink_udp(const char *dev)
{
	static struct udp_sink s;
	static struct run run;

	sock_open(&s);
	batch_init(&s);
	run_init(&run, dev, true);
	printf("{\"event\":\"flood\",\"port\":%d}\n", PROBE_PORT_UDP);
	fflush(stdout);
	do {
		batch_recv(&s);
	} while (run_tick(&run, s.tally.good + s.tally.bad) < PHASE_DONE);
	run_report(&run, "udp", &s.tally, overflow(s.sock));
	close(s.sock);
}
