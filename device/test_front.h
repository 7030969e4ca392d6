/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A vhost-user front end with the driver's side of the rings, in this process:
 * to test the device without a guest.
 */
#ifndef VNDEV_TEST_FRONT_H
#define VNDEV_TEST_FRONT_H

#include <linux/virtio_ring.h>
#include <stdbool.h>
#include <stdint.h>

#include "proto.h"

#define FRONT_NUM	256
#define FRONT_BUF	2048

struct front_ring {
	uint16_t avail_idx;
	uint16_t used_idx;
	bool avail_wrap;
	bool used_wrap;
	int kick_fd;
	int call_fd;
	uint8_t *at;		/* where the ring is in the memory */
	uint8_t *bufs;		/* FRONT_NUM buffers of FRONT_BUF bytes */
};

struct front {
	int sock;
	int mem_fd;
	bool packed;
	uint64_t features;
	uint8_t *mem;
	size_t size;
	struct front_ring ring[3];
};

/* Sends a request; reads the answer into MSG if there is to be one */
int front_request(struct front *f, struct vu_message *msg, int fd);

/* Connects and sets three rings up; 0, or -1 with a message */
int front_open(struct front *f, const char *path, uint64_t features,
	       bool packed);
void front_close(struct front *f);

/* Posts buffer ID of the ring, LEN bytes for the device to write or read */
void front_post(struct front *f, unsigned int ring, uint16_t id, uint32_t len,
		bool write);

/* Returns whether there is a used buffer: its id and length */
bool front_used(struct front *f, unsigned int ring, uint32_t *id,
		uint32_t *len);

static inline uint8_t *front_buf(struct front *f, unsigned int ring,
				 uint16_t id)
{
	return f->ring[ring].bufs + id * FRONT_BUF;
}

#endif /* VNDEV_TEST_FRONT_H */
