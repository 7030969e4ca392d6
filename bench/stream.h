/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A TCP stream in which each byte is a function of its offset. Both ends of
 * a connection: the guest sends a number of bytes, which it names first, is
 * told how many of them were right, and is then sent bytes until it closes.
 */
#ifndef VNRX_STREAM_H
#define VNRX_STREAM_H

#include <sys/socket.h>
#include <sys/time.h>

#include "probe.h"
#include "util.h"

#define STREAM_CHUNK	(256 * 1024)
#define WORD		sizeof(__u64)

struct stream {
	int sock;
	__u64 offset;		/* bytes sent, or received and right */
	size_t held;		/* received, but not yet a whole word */
	__u64 buf[STREAM_CHUNK / WORD];
};

static inline void stream_timeouts(int sock, int seconds)
{
	const struct timeval tv = { .tv_sec = seconds };

	setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
}

/* All of it or nothing: 0 or -1 */
static inline int send_all(int sock, const void *data, size_t len)
{
	const char *p = data;
	ssize_t n;

	while (len) {
		n = send(sock, p, len, MSG_NOSIGNAL);
		if (n <= 0)
			return -1;
		p += n;
		len -= n;
	}
	return 0;
}

static inline int recv_all(int sock, void *data, size_t len)
{
	return recv(sock, data, len, MSG_WAITALL) == (ssize_t)len ? 0 : -1;
}

/* len: a multiple of the word */
static inline int stream_send(struct stream *s, size_t len)
{
	__u64 first = s->offset / WORD;
	size_t i;

	for (i = 0; i < len / WORD; i++)
		s->buf[i] = probe_word(first + i);
	if (send_all(s->sock, s->buf, len))
		return -1;
	s->offset += len;
	return 0;
}

static inline int stream_check(struct stream *s, size_t words)
{
	__u64 first = s->offset / WORD;
	size_t i;

	for (i = 0; i < words; i++)
		if (s->buf[i] != probe_word(first + i))
			return -1;
	s->offset += words * WORD;
	return 0;
}

/*
 * Receives what there is. Returns 1, 0 at the end of the stream, or a
 * negative error: -EILSEQ if the word at s->offset is not what was sent.
 */
static inline int stream_recv(struct stream *s)
{
	char *bytes = (char *)s->buf;
	size_t len;
	ssize_t n;

	n = recv(s->sock, bytes + s->held, sizeof(s->buf) - s->held, 0);
	if (n <= 0)
		return n < 0 ? -errno : 0;
	len = s->held + n;
	if (stream_check(s, len / WORD))
		return -EILSEQ;
	s->held = len % WORD;
	memmove(bytes, bytes + len - s->held, s->held);
	return 1;
}

#endif /* VNRX_STREAM_H */
