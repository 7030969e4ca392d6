/* SPDX-License-Identifier: GPL-2.0 */
/* What the programs of the virtio_net tests have in common. */
#ifndef VNET_H
#define VNET_H

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <linux/types.h>

#include "../../../kselftest.h"

#define NSEC_PER_SEC	1000000000ULL
#define NSEC_PER_MSEC	1000000ULL

static inline _Noreturn __printf(2, 3)
void leave(int status, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(status);
}

#define die(...)	leave(1, __VA_ARGS__)
#define skip(...)	leave(KSFT_SKIP, __VA_ARGS__)

static inline __u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
}

static inline void nap_ms(unsigned int ms)
{
	const struct timespec ts = {
		.tv_sec = ms / 1000,
		.tv_nsec = ms % 1000 * NSEC_PER_MSEC,
	};

	nanosleep(&ts, NULL);
}

/* A decimal number from min to max, or the program ends */
static inline __u64 get_number(const char *text, __u64 min, __u64 max)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || end == text || *end || *text == '-' ||
	    value < min || value > max)
		die("'%s' is not a number from %llu to %llu", text,
		    (unsigned long long)min, (unsigned long long)max);
	return value;
}

/*
 * All data is a function of a position, so that what is lost, doubled, stale
 * or damaged shows. Neighbouring positions differ in most bytes.
 */
static inline __u64 pattern_word(__u64 position)
{
	__u64 word = (position + 1) * 0x9e3779b97f4a7c15ULL;

	return word ^ (word >> 29);
}

/* len bytes from byte 0 of the pattern that begins at position seed */
static inline void pattern_fill(void *data, size_t len, __u64 seed)
{
	unsigned char *p = data;
	__u64 word;
	size_t n;

	for (; len; p += n, len -= n) {
		word = pattern_word(seed++);
		n = len < sizeof(word) ? len : sizeof(word);
		memcpy(p, &word, n);
	}
}

static inline bool pattern_right(const void *data, size_t len, __u64 seed)
{
	const unsigned char *p = data;
	__u64 word;
	size_t n;

	for (; len; p += n, len -= n) {
		word = pattern_word(seed++);
		n = len < sizeof(word) ? len : sizeof(word);
		if (memcmp(p, &word, n))
			return false;
	}
	return true;
}

#endif /* VNET_H */
