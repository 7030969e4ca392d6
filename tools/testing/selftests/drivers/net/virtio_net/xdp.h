/* SPDX-License-Identifier: GPL-2.0 */
/* What the programs that send frames and the BPF programs have in common. */
#ifndef VNET_XDP_H
#define VNET_XDP_H

#include <linux/types.h>

#define XDP_PORT	7001
#define ADDR_FROM	"198.18.0.2"
#define ADDR_TO		"198.18.0.1"

enum action {
	ACTION_DROP,
	ACTION_PASS,
	ACTION_ABORTED,
	ACTION_INVALID,
	ACTION_TX,
	ACTION_VETH,		/* redirect to a veth */
	ACTION_BACK,		/* redirect out of the device it came in by */
	ACTION_CPUMAP,		/* redirect to the stack on another CPU */
	ACTION_XSK,		/* redirect to an AF_XDP socket */
};

/* How the frame is changed before the action */
enum change {
	CHANGE_NONE,
	CHANGE_GROW,		/* the tail grown as far as it can be */
	CHANGE_SHIFT,		/* the frame moved towards its buffer's start */
	CHANGE_CUT,		/* all but headers and probe cut off */
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
	__u64 longest;		/* longest frame, in bytes */
	__u64 frags;		/* frames of more than one buffer */
};

/* Begins the payload of a frame, and is all that may be left of it */
#pragma pack(push, 1)
struct probe {
	__u64 seq;
	__u64 check;
	__u16 tail;
};

#pragma pack(pop)

#define SHIFT_BYTES	128
#define GROW_STEPS	13	/* 4096, 2048, ... 1 */

#endif /* VNET_XDP_H */
