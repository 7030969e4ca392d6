/* SPDX-License-Identifier: GPL-2.0 */
/* Where the frames of an honest device come from, and where they go. */
#ifndef VNDEV_SOURCE_H
#define VNDEV_SOURCE_H

#include <stddef.h>
#include <stdint.h>

struct source_frame {
	const uint8_t *at;
	uint32_t len;
};

/* A list of frames that repeats, or a tap if tap_fd is not -1 */
struct source {
	uint8_t *data;
	struct source_frame *frames;
	size_t nr;
	size_t next;
	int tap_fd;
};

/* These return 0, or a negative errno; -EBADMSG for what is no pcap file */
int source_memory(struct source *src, uint32_t len, const uint8_t *dst);
int source_pcap(struct source *src, const char *path);
int source_tap(struct source *src, const char *name);
void source_close(struct source *src);

/* Returns 0 if there is no frame now */
int source_get(struct source *src, struct source_frame *frame);

/* To the tap, if it is one */
void source_put(struct source *src, const uint8_t *frame, size_t len);

#endif /* VNDEV_SOURCE_H */
