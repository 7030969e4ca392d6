// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "ctrlq.h"

#define MAX_COMMAND	1024
#define LIE_LEN		0xffff

struct command {
	uint8_t class;
	uint8_t cmd;
	uint8_t data[MAX_COMMAND - 2];
};

static uint32_t gather(const struct ring_buf *buf, void *to, uint32_t max)
{
	uint32_t done = 0;
	unsigned int i;

	for (i = 0; i < buf->nr_read; i++) {
		uint32_t part = buf->iov[i].iov_len;

		if (part > max - done)
			part = max - done;
		memcpy((uint8_t *)to + done, buf->iov[i].iov_base, part);
		done += part;
	}
	return done;
}

static uint8_t set_pairs(const struct vhost *vh, const struct command *c)
{
	uint16_t pairs;

	memcpy(&pairs, c->data, sizeof(pairs));
	return pairs && pairs <= vh->pairs ? VIRTIO_NET_OK : VIRTIO_NET_ERR;
}

/* What it would change is of no consequence here: it sends what it is told */
static uint8_t execute(struct vhost *vh, const struct command *c, uint32_t len)
{
	if (len < 2)
		return VIRTIO_NET_ERR;
	switch (c->class) {
	case VIRTIO_NET_CTRL_RX:
	case VIRTIO_NET_CTRL_VLAN:
	case VIRTIO_NET_CTRL_ANNOUNCE:
	case VIRTIO_NET_CTRL_GUEST_OFFLOADS:
	case VIRTIO_NET_CTRL_NOTF_COAL:
		return VIRTIO_NET_OK;
	case VIRTIO_NET_CTRL_MAC:
		if (c->cmd == VIRTIO_NET_CTRL_MAC_ADDR_SET && len == 2 + 6)
			memcpy(vh->config.mac, c->data, 6);
		return VIRTIO_NET_OK;
	case VIRTIO_NET_CTRL_MQ:
		if (c->cmd == VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET)
			return set_pairs(vh, c);
		return VIRTIO_NET_OK;
	}
	return VIRTIO_NET_ERR;
}

/* The answer is one byte, the first that may be written */
static uint32_t put_status(const struct ring_buf *buf, uint8_t status)
{
	unsigned int i;

	for (i = buf->nr_read; i < buf->nr_iov; i++) {
		if (!buf->iov[i].iov_len)
			continue;
		memcpy(buf->iov[i].iov_base, &status, sizeof(status));
		return sizeof(status);
	}
	return 0;
}

unsigned int ctrlq_poll(struct ctrlq *ctrl, struct vhost *vh)
{
	struct ring *ring = vhost_ctrl(vh);
	struct command c;
	struct ring_buf buf;
	unsigned int n = 0;
	uint8_t status;
	uint32_t len;

	while (n < ring->num && ring_pop(ring, &buf) > 0) {
		status = execute(vh, &c, gather(&buf, &c, sizeof(c)));
		if (ctrl->refuse) {
			ctrl->refuse--;
			status = VIRTIO_NET_ERR;
		}
		len = put_status(&buf, status);
		ring_complete(ring, buf.nr_desc, buf.id,
			      ctrl->lie ? LIE_LEN : len);
		ctrl->commands++;
		ctrl->refused += status != VIRTIO_NET_OK;
		n++;
	}
	if (n) {
		ring_publish(ring);
		ring_notify(ring);
	}
	return n;
}
