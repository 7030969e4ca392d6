/* SPDX-License-Identifier: GPL-2.0 */
/* Fault scripts, as README.md describes them. */
#ifndef VNDEV_SCRIPT_H
#define VNDEV_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frame.h"

#define SCRIPT_MAX_BUFS		48
#define SCRIPT_MAX_WORDS	8
#define SCRIPT_TEXT		80

/* A number that may be relative to something only known in the ring */
enum value_base {
	BASE_ZERO,
	BASE_SIZE,		/* bytes that the buffer has room for */
	BASE_WRITTEN,		/* bytes that were written to it */
	BASE_HDR,		/* bytes of the virtio header */
	BASE_ID,		/* id of the buffer */
	BASE_NUM,		/* entries of the ring */
	BASE_NR
};

struct value {
	bool set;
	enum value_base base;
	int64_t add;
};

enum hdr_field {
	HDR_FLAGS,
	HDR_GSO_TYPE,
	HDR_HDR_LEN,
	HDR_GSO_SIZE,
	HDR_CSUM_START,
	HDR_CSUM_OFFSET,
	HDR_NUM_BUFFERS,
	HDR_HASH_VALUE,
	HDR_HASH_REPORT,
	HDR_NR
};

/* One packet, repeat times */
struct packet_step {
	unsigned int repeat;
	enum frame_kind frame;
	uint32_t len;
	unsigned int nr_parts;		/* 0: as it fits */
	uint32_t part[SCRIPT_MAX_BUFS];	/* bytes to write to each buffer */
	struct value used_len[SCRIPT_MAX_BUFS];
	struct value used_id;
	struct value hdr[HDR_NR];
	struct value src;		/* last bytes of the source address */
	enum hdr_field rewrite;		/* after completion */
	bool rewrites;
	uint16_t rewrite_with;
};

enum step_kind {
	STEP_PACKET,
	STEP_HOLD,		/* takes buffers, completes nothing */
	STEP_RELEASE,		/* completes what is held, last first */
	STEP_FORGET,		/* never completes what is held */
	STEP_DUPLICATE,		/* completes the last buffer once more */
	STEP_JUMP,		/* shows entries that were not written */
	STEP_INTERRUPTS,
	STEP_SILENT,		/* 1: no interrupts, 0: as the driver wants */
	STEP_FLOOD,		/* good packets for some milliseconds */
	STEP_WAIT,		/* milliseconds */
	STEP_CONFIG,
	STEP_CHANGED,		/* tells the driver that the config changed */
	STEP_NAG,		/* 1: does so whenever it is idle */
	STEP_REFUSE,		/* control commands */
	STEP_LIE,		/* about the length of control answers */
	STEP_DISCONNECT,
	STEP_GUEST,
};

struct step {
	struct step *next;
	enum step_kind kind;
	unsigned int line;
	uint32_t count;
	struct packet_step *packet;
	/* STEP_CONFIG: bytes of the config space */
	unsigned int offset;
	unsigned int size;
	char text[SCRIPT_TEXT];		/* STEP_GUEST */
};

/* Words like "small" or "xdp", of which one must hold */
struct condition {
	unsigned int nr;
	char word[SCRIPT_MAX_WORDS][16];
};

enum expect_op { OP_EQ, OP_GE, OP_LE };

struct expect {
	struct expect *next;
	struct condition when;		/* nr 0: always */
	unsigned int line;
	char counter[24];
	enum expect_op op;
	int64_t value;
};

struct script {
	char name[SCRIPT_TEXT];
	char title[SCRIPT_TEXT];
	struct condition only;		/* nr 0: anywhere */
	struct condition not;
	uint64_t more;			/* features */
	uint64_t less;
	bool alone;			/* needs a guest of its own */
	struct step *before;		/* config before the driver probes */
	struct step *steps;
	struct expect *expects;
};

/*
 * Returns NULL after a message to stderr that says file, line and what is
 * wrong with it.
 */
struct script *script_read(const char *path);
void script_free(struct script *script);

#endif /* VNDEV_SCRIPT_H */
