/* SPDX-License-Identifier: GPL-2.0 */
/* The vhost-user protocol's numbers, as its specification gives them. */
#ifndef VNDEV_PROTO_H
#define VNDEV_PROTO_H

#include <stdint.h>

#define VU_VERSION		1u
#define VU_VERSION_MASK		3u
#define VU_REPLY		(1u << 2)
#define VU_NEED_REPLY		(1u << 3)

#define VU_F_PROTOCOL_FEATURES	30

enum vu_protocol_feature {
	VU_P_MQ = 0,
	VU_P_REPLY_ACK = 3,
	VU_P_MTU = 4,
	VU_P_BACKEND_REQ = 5,
	VU_P_CONFIG = 9,
	VU_P_RESET_DEVICE = 13,
	VU_P_STATUS = 16,
};

enum vu_request {
	VU_GET_FEATURES = 1,
	VU_SET_FEATURES = 2,
	VU_SET_OWNER = 3,
	VU_RESET_OWNER = 4,
	VU_SET_MEM_TABLE = 5,
	VU_SET_VRING_NUM = 8,
	VU_SET_VRING_ADDR = 9,
	VU_SET_VRING_BASE = 10,
	VU_GET_VRING_BASE = 11,
	VU_SET_VRING_KICK = 12,
	VU_SET_VRING_CALL = 13,
	VU_SET_VRING_ERR = 14,
	VU_GET_PROTOCOL_FEATURES = 15,
	VU_SET_PROTOCOL_FEATURES = 16,
	VU_GET_QUEUE_NUM = 17,
	VU_SET_VRING_ENABLE = 18,
	VU_SEND_RARP = 19,
	VU_NET_SET_MTU = 20,
	VU_SET_BACKEND_REQ_FD = 21,
	VU_GET_CONFIG = 24,
	VU_SET_CONFIG = 25,
	VU_RESET_DEVICE = 34,
	VU_SET_STATUS = 39,
	VU_GET_STATUS = 40,
	VU_NR_REQUESTS
};

enum vu_backend_request {
	VU_BACKEND_CONFIG_CHANGE = 2,
};

/* In the payload of SET_VRING_KICK, CALL and ERR */
#define VU_VRING_INDEX_MASK	0xffu
#define VU_VRING_NO_FD		(1u << 8)

#define VU_MAX_REGIONS		8
#define VU_MAX_CONFIG		256

struct vu_header {
	uint32_t request;
	uint32_t flags;
	uint32_t size;
};

struct vu_vring_state {
	uint32_t index;
	uint32_t num;
};

struct vu_vring_addr {
	uint32_t index;
	uint32_t flags;
	uint64_t desc;
	uint64_t used;
	uint64_t avail;
	uint64_t log;
};

struct vu_region {
	uint64_t gpa;
	uint64_t size;
	uint64_t uva;
	uint64_t offset;
};

struct vu_mem_table {
	uint32_t nr;
	uint32_t padding;
	struct vu_region region[VU_MAX_REGIONS];
};

struct vu_config {
	uint32_t offset;
	uint32_t size;
	uint32_t flags;
	uint8_t data[VU_MAX_CONFIG];
};

union vu_payload {
	uint64_t u64;
	struct vu_vring_state state;
	struct vu_vring_addr addr;
	struct vu_mem_table mem;
	struct vu_config config;
};

/* On the wire there is nothing between the two */
struct vu_message {
	struct vu_header hdr;
	union vu_payload p;
};

#endif /* VNDEV_PROTO_H */
