/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What travels in the measurements: the payload of a flood's frames and the
 * bytes of a verified stream. Both are functions of a position, so that lost,
 * doubled, reordered, stale and damaged data all show. Sender and receiver
 * are the same machine architecture: native byte order.
 *
 * Included by the programs on the host, in the guest and by BPF programs.
 */
#ifndef VNRX_PROBE_H
#define VNRX_PROBE_H

#include <linux/types.h>

#define PROBE_FRAME_LEN	60	/* 64 bytes on the wire, with the FCS */
#define PROBE_PORT_XDP	7001
#define PROBE_PORT_UDP	7002
#define PROBE_PORT_TCP	7003

/* UDP payload of a flood's frame: fills it exactly */
struct probe {
	__u64 seq;
	__u64 check;
	__u16 tail;
} __attribute__((packed));

/* What a receiver makes of the frames it saw */
struct probe_tally {
	__u64 good;
	__u64 bad;		/* wrong bytes or wrong length */
	__u64 misordered;	/* right bytes, but not after the last one */
	__u64 next;		/* lowest sequence number not yet passed */
};

/* Neighbouring positions differ in most bytes; zero does not map to zero. */
static inline __u64 probe_word(__u64 position)
{
	__u64 word = (position + 1) * 0x9e3779b97f4a7c15ULL;

	return word ^ (word >> 29);
}

static inline void probe_fill(struct probe *p, __u64 seq)
{
	p->seq = seq;
	p->check = probe_word(seq);
	p->tail = (__u16)~p->check;
}

static inline void probe_count(struct probe_tally *t, const struct probe *p)
{
	if (p->check != probe_word(p->seq) || p->tail != (__u16)~p->check) {
		t->bad++;
		return;
	}
	t->good++;
	if (p->seq < t->next)
		t->misordered++;
	else
		t->next = p->seq + 1;
}

#endif /* VNRX_PROBE_H */
