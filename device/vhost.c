// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_config.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "vhost.h"

#define MAX_PAYLOAD	sizeof(union vu_payload)
#define PATIENCE_S	5

/* A message and the file descriptors that came with it */
struct request {
	struct vu_message msg;
	int fds[VU_MAX_REGIONS];
	unsigned int nr_fds;
};

/* --- connection ----------------------------------------------------------- */

static int address(struct sockaddr_un *sun, const char *path)
{
	*sun = (struct sockaddr_un) { .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(sun->sun_path))
		return -ENAMETOOLONG;
	strcpy(sun->sun_path, path);
	return 0;
}

int vhost_open(struct vhost *vh, const char *path, bool connect)
{
	struct sockaddr_un sun;
	unsigned int i;
	int err = address(&sun, path);

	vh->path = path;
	vh->connect = connect;
	vh->listen_fd = -1;
	vh->sock = -1;
	vh->backend_fd = -1;
	for (i = 0; i < VHOST_MAX_RINGS; i++)
		ring_init(&vh->ring[i]);
	if (err || connect)
		return err;
	vh->listen_fd = socket(AF_UNIX,
			       SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (vh->listen_fd < 0)
		return -errno;
	unlink(path);
	if (bind(vh->listen_fd, (struct sockaddr *)&sun, sizeof(sun)) ||
	    listen(vh->listen_fd, 1))
		return -errno;
	return 0;
}

void vhost_close(struct vhost *vh)
{
	vhost_detach(vh);
	if (vh->listen_fd < 0)
		return;
	close(vh->listen_fd);
	unlink(vh->path);
	vh->listen_fd = -1;
}

static int connect_to(const char *path)
{
	struct sockaddr_un sun;
	int sock;

	if (address(&sun, path))
		return -1;
	sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sock < 0 || !connect(sock, (struct sockaddr *)&sun, sizeof(sun)))
		return sock;
	close(sock);
	return -1;
}

bool vhost_attach(struct vhost *vh)
{
	struct timeval patience = { .tv_sec = PATIENCE_S };

	if (vh->sock >= 0)
		return true;
	if (vh->connect)
		vh->sock = connect_to(vh->path);
	else
		vh->sock = accept4(vh->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	if (vh->sock < 0)
		return false;
	/* one that stops in the middle of a message must not stop us */
	setsockopt(vh->sock, SOL_SOCKET, SO_RCVTIMEO, &patience,
		   sizeof(patience));
	vh->connections++;
	return true;
}

static void fd_replace(int *fd, int with)
{
	if (*fd >= 0)
		close(*fd);
	*fd = with;
}

void vhost_detach(struct vhost *vh)
{
	struct ring *ring;

	for (ring = vh->ring; ring < vh->ring + VHOST_MAX_RINGS; ring++) {
		ring_stop(ring);
		fd_replace(&ring->kick_fd, -1);
		fd_replace(&ring->call_fd, -1);
		ring->enabled = false;
	}
	mem_clear(&vh->mem);
	fd_replace(&vh->backend_fd, -1);
	fd_replace(&vh->sock, -1);
	vh->features = 0;
	vh->protocol = 0;
	vh->status = 0;
}

/* --- rings ---------------------------------------------------------------- */

static void ring_update(struct vhost *vh, struct ring *ring)
{
	bool want = ring->enabled && ring->kick_fd >= 0;

	if (ring->running == want)
		return;
	if (!want)
		ring_stop(ring);
	else if (ring_start(ring, &vh->mem, vhost_has(vh, VIRTIO_F_RING_PACKED),
			    vhost_has(vh, VIRTIO_RING_F_EVENT_IDX)))
		fprintf(stderr, "ring %td does not make sense\n",
			ring - vh->ring);
}

/* With no way to enable them one by one, rings are when they have a kick */
static void ring_set_kick(struct vhost *vh, struct ring *ring, int fd)
{
	ring_stop(ring);
	fd_replace(&ring->kick_fd, fd);
	if (fd >= 0)
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	if (!vhost_has(vh, VU_F_PROTOCOL_FEATURES))
		ring->enabled = true;
	ring_update(vh, ring);
}

static void ring_set_call(struct ring *ring, int fd)
{
	fd_replace(&ring->call_fd, fd);
	if (fd >= 0)
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	/* what has happened meanwhile was not signalled to anybody */
	ring_interrupt(ring);
}

static struct ring *ring_of(struct vhost *vh, uint64_t index)
{
	return index < vh->nr_rings ? &vh->ring[index] : NULL;
}

static int on_ring_state(struct vhost *vh, uint32_t what,
			 const struct vu_vring_state *state)
{
	struct ring *ring = ring_of(vh, state->index);

	if (!ring)
		return -EINVAL;
	if (what == VU_SET_VRING_ENABLE) {
		ring->enabled = state->num;
		ring_update(vh, ring);
		return 0;
	}
	ring_stop(ring);
	if (what == VU_SET_VRING_NUM)
		ring->num = state->num;
	else
		ring_set_base(ring, state->num,
			      vhost_has(vh, VIRTIO_F_RING_PACKED));
	return 0;
}

static int on_ring_addr(struct vhost *vh, const struct vu_vring_addr *addr)
{
	struct ring *ring = ring_of(vh, addr->index);

	if (!ring)
		return -EINVAL;
	ring_stop(ring);
	ring->addr = *addr;
	ring_update(vh, ring);
	return 0;
}

static int on_ring_fd(struct vhost *vh, struct request *req)
{
	uint64_t value = req->msg.p.u64;
	struct ring *ring = ring_of(vh, value & VU_VRING_INDEX_MASK);
	int fd = -1;

	if (!ring || (!(value & VU_VRING_NO_FD) && req->nr_fds != 1))
		return -EINVAL;
	if (req->nr_fds)
		fd = req->fds[--req->nr_fds];
	if (req->msg.hdr.request == VU_SET_VRING_KICK)
		ring_set_kick(vh, ring, fd);
	else if (req->msg.hdr.request == VU_SET_VRING_CALL)
		ring_set_call(ring, fd);
	else
		fd_replace(&fd, -1);
	return 0;
}

static int on_get_base(struct vhost *vh, struct vu_vring_state *state)
{
	struct ring *ring = ring_of(vh, state->index);

	if (!ring)
		return -EINVAL;
	state->num = ring_base(ring);
	ring_stop(ring);
	fd_replace(&ring->kick_fd, -1);
	return 0;
}

/* Running rings go on at their new places */
static int on_mem_table(struct vhost *vh, const struct request *req)
{
	struct ring *ring;
	int err;

	if (req->msg.p.mem.nr > VU_MAX_REGIONS ||
	    req->msg.p.mem.nr != req->nr_fds)
		return -EINVAL;
	for (ring = vh->ring; ring < vh->ring + vh->nr_rings; ring++)
		ring_stop(ring);
	err = mem_set(&vh->mem, &req->msg.p.mem, req->fds);
	for (ring = vh->ring; !err && ring < vh->ring + vh->nr_rings; ring++)
		ring_update(vh, ring);
	return err;
}

/* --- messages ------------------------------------------------------------- */

static uint64_t protocol_offered(void)
{
	return 1ull << VU_P_MQ | 1ull << VU_P_REPLY_ACK | 1ull << VU_P_MTU |
	       1ull << VU_P_BACKEND_REQ | 1ull << VU_P_CONFIG |
	       1ull << VU_P_RESET_DEVICE | 1ull << VU_P_STATUS;
}

static int on_set_features(struct vhost *vh, uint64_t features)
{
	if (features & ~(vh->offered | 1ull << VU_F_PROTOCOL_FEATURES))
		return -EINVAL;
	vh->features = features;
	return 0;
}

static int on_config(struct vhost *vh, struct vu_config *config, bool set)
{
	uint8_t *space = (uint8_t *)&vh->config;

	if (config->size > VU_MAX_CONFIG || config->offset > VU_MAX_CONFIG)
		return -EINVAL;
	if (set) {
		if (config->offset + config->size > sizeof(vh->config))
			return -EINVAL;
		memcpy(space + config->offset, config->data, config->size);
		return 0;
	}
	memset(config->data, 0, sizeof(config->data));
	if (config->offset < sizeof(vh->config)) {
		size_t left = sizeof(vh->config) - config->offset;

		memcpy(config->data, space + config->offset,
		       config->size < left ? config->size : left);
	}
	return 0;
}

static void on_reset(struct vhost *vh)
{
	struct ring *ring;

	for (ring = vh->ring; ring < vh->ring + vh->nr_rings; ring++) {
		ring_stop(ring);
		ring->enabled = false;
	}
	vh->status = 0;
}

static void on_backend_fd(struct vhost *vh, struct request *req)
{
	if (!req->nr_fds)
		return;
	fd_replace(&vh->backend_fd, req->fds[--req->nr_fds]);
}

/*
 * A front end that cannot disable rings stops them with GET_VRING_BASE. Not
 * UML: virtio_uml forgets VHOST_USER_F_PROTOCOL_FEATURES when a driver changes
 * its mind about features, and then frees rings that nobody has stopped. What
 * it still does just before is to ask for the features.
 */
static uint64_t on_get_features(struct vhost *vh)
{
	if (!vhost_has(vh, VU_F_PROTOCOL_FEATURES))
		on_reset(vh);
	return vh->offered | 1ull << VU_F_PROTOCOL_FEATURES;
}

/* Requests that are answered with a payload: its size, 0 for none, or < 0 */
static int on_get(struct vhost *vh, struct vu_message *msg)
{
	switch (msg->hdr.request) {
	case VU_GET_FEATURES:
		msg->p.u64 = on_get_features(vh);
		return sizeof(msg->p.u64);
	case VU_GET_PROTOCOL_FEATURES:
		msg->p.u64 = protocol_offered();
		return sizeof(msg->p.u64);
	case VU_GET_QUEUE_NUM:
		/* QEMU and DPDK look whether their pairs are no more, UML from
		 * 7.x on its queues, the one for control included
		 */
		msg->p.u64 = vh->nr_rings;
		return sizeof(msg->p.u64);
	case VU_GET_STATUS:
		msg->p.u64 = vh->status;
		return sizeof(msg->p.u64);
	case VU_GET_VRING_BASE:
		return on_get_base(vh, &msg->p.state) ?: (int)msg->hdr.size;
	case VU_GET_CONFIG:
		return on_config(vh, &msg->p.config, false) ?:
		       (int)msg->hdr.size;
	}
	return 0;
}

static int on_set_ring(struct vhost *vh, struct request *req)
{
	struct vu_message *msg = &req->msg;

	switch (msg->hdr.request) {
	case VU_SET_VRING_NUM:
	case VU_SET_VRING_BASE:
	case VU_SET_VRING_ENABLE:
		return on_ring_state(vh, msg->hdr.request, &msg->p.state);
	case VU_SET_VRING_ADDR:
		return on_ring_addr(vh, &msg->p.addr);
	case VU_SET_VRING_KICK:
	case VU_SET_VRING_CALL:
	case VU_SET_VRING_ERR:
		return on_ring_fd(vh, req);
	}
	return -EOPNOTSUPP;
}

static int on_set(struct vhost *vh, struct request *req)
{
	struct vu_message *msg = &req->msg;

	switch (msg->hdr.request) {
	case VU_SET_OWNER:
	case VU_NET_SET_MTU:
	case VU_SEND_RARP:
		return 0;
	case VU_SET_FEATURES:
		return on_set_features(vh, msg->p.u64);
	case VU_SET_PROTOCOL_FEATURES:
		vh->protocol = msg->p.u64 & protocol_offered();
		return 0;
	case VU_SET_STATUS:
		vh->status = msg->p.u64;
		return 0;
	case VU_RESET_OWNER:
	case VU_RESET_DEVICE:
		on_reset(vh);
		return 0;
	case VU_SET_MEM_TABLE:
		return on_mem_table(vh, req);
	case VU_SET_CONFIG:
		return on_config(vh, &msg->p.config, true);
	case VU_SET_BACKEND_REQ_FD:
		on_backend_fd(vh, req);
		return 0;
	}
	return on_set_ring(vh, req);
}

static int answer(struct vhost *vh, struct vu_message *msg, uint32_t size)
{
	struct iovec iov[] = {
		{ .iov_base = &msg->hdr, .iov_len = sizeof(msg->hdr) },
		{ .iov_base = &msg->p, .iov_len = size },
	};
	struct msghdr mh = { .msg_iov = iov, .msg_iovlen = 2 };
	ssize_t len = sizeof(msg->hdr) + size;

	msg->hdr.flags = VU_VERSION | VU_REPLY;
	msg->hdr.size = size;
	return sendmsg(vh->sock, &mh, MSG_NOSIGNAL) == len ? 0 : -EPIPE;
}

static int handle(struct vhost *vh, struct request *req)
{
	struct vu_message *msg = &req->msg;
	bool ack = msg->hdr.flags & VU_NEED_REPLY;
	int rc = on_get(vh, msg);

	if (rc > 0)
		return answer(vh, msg, rc);
	if (!rc)
		rc = on_set(vh, req);
	if (rc || vh->verbose)
		fprintf(stderr, "%s: request %u: %s\n", vh->path,
			msg->hdr.request, strerror(-rc));
	/* UML wants an answer to the very request that agrees on answers */
	if (!ack || !(vh->protocol >> VU_P_REPLY_ACK & 1))
		return 0;
	msg->p.u64 = !!rc;
	return answer(vh, msg, sizeof(msg->p.u64));
}

static void take_fds(struct msghdr *mh, struct request *req)
{
	struct cmsghdr *cmsg;

	for (cmsg = CMSG_FIRSTHDR(mh); cmsg; cmsg = CMSG_NXTHDR(mh, cmsg)) {
		if (cmsg->cmsg_level != SOL_SOCKET ||
		    cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		req->nr_fds = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(req->fds, CMSG_DATA(cmsg), req->nr_fds * sizeof(int));
	}
}

/* File descriptors arrive with the first byte */
static int receive(struct vhost *vh, struct request *req)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(req->fds))];
	} control;
	struct vu_header *hdr = &req->msg.hdr;
	struct iovec iov = { .iov_base = hdr, .iov_len = sizeof(*hdr) };
	struct msghdr mh = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t len;

	len = recvmsg(vh->sock, &mh, MSG_WAITALL | MSG_CMSG_CLOEXEC);
	if (len <= 0)
		return -EPIPE;
	take_fds(&mh, req);
	if (len != sizeof(*hdr) || hdr->size > MAX_PAYLOAD ||
	    (hdr->flags & VU_VERSION_MASK) != VU_VERSION)
		return -EPROTO;
	if (!hdr->size)
		return 0;
	len = recv(vh->sock, &req->msg.p, hdr->size, MSG_WAITALL);
	return len == hdr->size ? 0 : -EPIPE;
}

void vhost_message(struct vhost *vh)
{
	struct request req = { .nr_fds = 0 };
	int err = receive(vh, &req);

	if (!err)
		err = handle(vh, &req);
	while (req.nr_fds)
		close(req.fds[--req.nr_fds]);
	if (!err)
		return;
	if (err != -EPIPE)
		fprintf(stderr, "%s: %s: closed\n", vh->path, strerror(-err));
	vhost_detach(vh);
}

void vhost_config_changed(struct vhost *vh)
{
	struct vu_header hdr = {
		.request = VU_BACKEND_CONFIG_CHANGE, .flags = VU_VERSION,
	};

	if (vh->backend_fd < 0)
		return;
	if (write(vh->backend_fd, &hdr, sizeof(hdr)) != sizeof(hdr))
		fprintf(stderr, "%s: config change: %s\n", vh->path,
			strerror(errno));
}
