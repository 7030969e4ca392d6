/* SPDX-License-Identifier: GPL-2.0 */
/* What xdp.c and the BPF program in actions.bpf.c have in common. */
#ifndef VNRX_ACTIONS_H
#define VNRX_ACTIONS_H

#include <linux/types.h>

enum action {
	ACTION_DROP,
	ACTION_PASS,
	ACTION_TX,
	ACTION_VETH,		/* redirect to a veth */
	ACTION_CPUMAP,		/* redirect to the stack on another CPU */
};

/* How the frame is changed before the action */
enum change {
	CHANGE_NONE,
	CHANGE_GROW,		/* the tail grown as far as it can be */
	CHANGE_SHIFT,		/* the frame moved towards its buffer's start */
};

struct config {
	__u32 action;
	__u32 change;
};

struct counts {
	__u64 seen;		/* frames of ours, before the action */
	__u64 bad;		/* with wrong contents */
	__u64 refused;		/* a change that the kernel refused */
	__u64 grown;		/* most bytes that a tail could be grown by */
	__u64 sunk;		/* arrived at the other end of a redirect */
};

#define SHIFT_BYTES	128
#define GROW_STEPS	13	/* 4096, 2048, ... 1 */

#endif /* VNRX_ACTIONS_H */
