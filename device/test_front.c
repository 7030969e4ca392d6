// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/virtio_config.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "test_front.h"

#define RING_BYTES	16384
#define RING_TOTAL	(RING_BYTES + FRONT_NUM * FRONT_BUF)
#define GPA		0x100000ull	/* not where it is for either of us */
#define AVAIL_AT	8192
#define USED_AT		12288
#define F_AVAIL		(1u << VRING_PACKED_DESC_F_AVAIL)
#define F_USED		(1u << VRING_PACKED_DESC_F_USED)

static bool has_answer(uint32_t request)
{
	return request == VU_GET_FEATURES || request == VU_GET_QUEUE_NUM ||
	       request == VU_GET_PROTOCOL_FEATURES ||
	       request == VU_GET_VRING_BASE || request == VU_GET_CONFIG;
}

int front_request(struct front *f, struct vu_message *msg, int fd)
{
	char control[CMSG_SPACE(sizeof(fd))] = { 0 };
	struct iovec iov[] = {
		{ .iov_base = &msg->hdr, .iov_len = sizeof(msg->hdr) },
		{ .iov_base = &msg->p, .iov_len = msg->hdr.size },
	};
	struct msghdr mh = { .msg_iov = iov, .msg_iovlen = 2 };
	struct cmsghdr *cmsg;

	if (fd >= 0) {
		mh.msg_control = control;
		mh.msg_controllen = sizeof(control);
		cmsg = CMSG_FIRSTHDR(&mh);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(fd));
	}
	msg->hdr.flags |= VU_VERSION;
	if (sendmsg(f->sock, &mh, MSG_NOSIGNAL) < 0)
		return -1;
	if (!has_answer(msg->hdr.request) &&
	    !(msg->hdr.flags & VU_NEED_REPLY))
		return 0;
	if (recv(f->sock, &msg->hdr, sizeof(msg->hdr), MSG_WAITALL) !=
	    sizeof(msg->hdr) || msg->hdr.size > sizeof(msg->p))
		return -1;
	if (recv(f->sock, &msg->p, msg->hdr.size, MSG_WAITALL) !=
	    msg->hdr.size)
		return -1;
	return 0;
}

static int request_u64(struct front *f, uint32_t request, uint64_t value,
		       int fd)
{
	struct vu_message msg = {
		.hdr = { .request = request, .size = sizeof(value) },
		.p.u64 = value,
	};

	return front_request(f, &msg, fd);
}

static int request_state(struct front *f, uint32_t request, uint32_t ring,
			 uint32_t num)
{
	struct vu_message msg = {
		.hdr = { .request = request, .size = sizeof(msg.p.state) },
		.p.state = { .index = ring, .num = num },
	};

	return front_request(f, &msg, -1);
}

static int set_memory(struct front *f)
{
	struct vu_message msg = {
		.hdr = {
			.request = VU_SET_MEM_TABLE,
			.size = 8 + sizeof(struct vu_region),
		},
		.p.mem = {
			.nr = 1,
			.region[0] = {
				.gpa = GPA, .size = f->size,
				.uva = (uintptr_t)f->mem,
			},
		},
	};

	return front_request(f, &msg, f->mem_fd);
}

static int set_ring(struct front *f, unsigned int i)
{
	struct front_ring *r = &f->ring[i];
	struct vu_message addr = {
		.hdr = {
			.request = VU_SET_VRING_ADDR,
			.size = sizeof(addr.p.addr),
		},
		.p.addr = {
			.index = i,
			.desc = (uintptr_t)r->at,
			.avail = (uintptr_t)r->at + AVAIL_AT,
			.used = (uintptr_t)r->at + USED_AT,
		},
	};

	return request_state(f, VU_SET_VRING_NUM, i, FRONT_NUM) ?:
	       request_state(f, VU_SET_VRING_BASE, i, 0) ?:
	       front_request(f, &addr, -1) ?:
	       request_u64(f, VU_SET_VRING_CALL, i, r->call_fd) ?:
	       request_u64(f, VU_SET_VRING_KICK, i, r->kick_fd) ?:
	       request_state(f, VU_SET_VRING_ENABLE, i, 1);
}

static int open_memory(struct front *f)
{
	unsigned int i;

	f->size = 3 * RING_TOTAL;
	f->mem_fd = memfd_create("front", MFD_CLOEXEC);
	if (f->mem_fd < 0 || ftruncate(f->mem_fd, f->size))
		return -1;
	f->mem = mmap(NULL, f->size, PROT_READ | PROT_WRITE, MAP_SHARED,
		      f->mem_fd, 0);
	if (f->mem == MAP_FAILED)
		return -1;
	for (i = 0; i < 3; i++) {
		f->ring[i].at = f->mem + i * RING_TOTAL;
		f->ring[i].bufs = f->ring[i].at + RING_BYTES;
		f->ring[i].avail_wrap = true;
		f->ring[i].used_wrap = true;
		f->ring[i].kick_fd = eventfd(0, EFD_NONBLOCK);
		f->ring[i].call_fd = eventfd(0, EFD_NONBLOCK);
	}
	return 0;
}

int front_open(struct front *f, const char *path, uint64_t features,
	       bool packed)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	unsigned int i;

	memset(f, 0, sizeof(*f));
	f->packed = packed;
	f->features = features | 1ull << VU_F_PROTOCOL_FEATURES;
	if (packed)
		f->features |= 1ull << VIRTIO_F_RING_PACKED;
	strncpy(sun.sun_path, path, sizeof(sun.sun_path) - 1);
	f->sock = socket(AF_UNIX, SOCK_STREAM, 0);
	if (connect(f->sock, (struct sockaddr *)&sun, sizeof(sun)) ||
	    open_memory(f) || request_u64(f, VU_SET_FEATURES, f->features, -1) ||
	    set_memory(f)) {
		perror("front end");
		return -1;
	}
	for (i = 0; i < 3; i++)
		if (set_ring(f, i))
			return -1;
	return 0;
}

void front_close(struct front *f)
{
	unsigned int i;

	for (i = 0; i < 3; i++) {
		close(f->ring[i].kick_fd);
		close(f->ring[i].call_fd);
	}
	munmap(f->mem, f->size);
	close(f->mem_fd);
	close(f->sock);
}

static uint64_t gpa_of(struct front *f, const uint8_t *at)
{
	return GPA + (at - f->mem);
}

static void post_split(struct front *f, unsigned int ring, uint16_t id,
		       uint32_t len, bool write)
{
	struct front_ring *r = &f->ring[ring];
	struct vring_desc *desc = (void *)r->at;
	struct vring_avail *avail = (void *)(r->at + AVAIL_AT);

	desc[id] = (struct vring_desc) {
		.addr = gpa_of(f, front_buf(f, ring, id)), .len = len,
		.flags = write ? VRING_DESC_F_WRITE : 0,
	};
	avail->ring[r->avail_idx++ % FRONT_NUM] = id;
	__atomic_store_n(&avail->idx, r->avail_idx, __ATOMIC_RELEASE);
}

static void post_packed(struct front *f, unsigned int ring, uint16_t id,
			uint32_t len, bool write)
{
	struct front_ring *r = &f->ring[ring];
	struct vring_packed_desc *desc = (void *)r->at;
	uint16_t flags = write ? VRING_DESC_F_WRITE : 0;

	flags |= r->avail_wrap ? F_AVAIL : F_USED;
	desc += r->avail_idx;
	desc->addr = gpa_of(f, front_buf(f, ring, id));
	desc->len = len;
	desc->id = id;
	__atomic_store_n(&desc->flags, flags, __ATOMIC_RELEASE);
	if (++r->avail_idx == FRONT_NUM) {
		r->avail_idx = 0;
		r->avail_wrap = !r->avail_wrap;
	}
}

void front_post(struct front *f, unsigned int ring, uint16_t id, uint32_t len,
		bool write)
{
	if (f->packed)
		post_packed(f, ring, id, len, write);
	else
		post_split(f, ring, id, len, write);
}

static bool used_split(struct front_ring *r, uint32_t *id, uint32_t *len)
{
	struct vring_used *used = (void *)(r->at + USED_AT);
	struct vring_used_elem *elem;

	if (__atomic_load_n(&used->idx, __ATOMIC_ACQUIRE) == r->used_idx)
		return false;
	elem = &used->ring[r->used_idx++ % FRONT_NUM];
	*id = elem->id;
	*len = elem->len;
	return true;
}

static bool used_packed(struct front_ring *r, uint32_t *id, uint32_t *len)
{
	struct vring_packed_desc *desc = (void *)r->at;
	uint16_t flags;

	desc += r->used_idx;
	flags = __atomic_load_n(&desc->flags, __ATOMIC_ACQUIRE);
	if (!!(flags & F_AVAIL) != r->used_wrap ||
	    !!(flags & F_USED) != r->used_wrap)
		return false;
	*id = desc->id;
	*len = desc->len;
	if (++r->used_idx == FRONT_NUM) {
		r->used_idx = 0;
		r->used_wrap = !r->used_wrap;
	}
	return true;
}

bool front_used(struct front *f, unsigned int ring, uint32_t *id,
		uint32_t *len)
{
	struct front_ring *r = &f->ring[ring];

	return f->packed ? used_packed(r, id, len) : used_split(r, id, len);
}
