// SPDX-License-Identifier: GPL-2.0
#include <linux/virtio_net.h>

#include "words.h"

const char *const words_base[BASE_NR] = {
	[BASE_ZERO] = "", [BASE_SIZE] = "size", [BASE_WRITTEN] = "written",
	[BASE_HDR] = "hdr", [BASE_ID] = "id", [BASE_NUM] = "num",
};

const char *const words_hdr[HDR_NR] = {
	[HDR_FLAGS] = "flags", [HDR_GSO_TYPE] = "gso_type",
	[HDR_HDR_LEN] = "hdr_len", [HDR_GSO_SIZE] = "gso_size",
	[HDR_CSUM_START] = "csum_start", [HDR_CSUM_OFFSET] = "csum_offset",
	[HDR_NUM_BUFFERS] = "num_buffers", [HDR_HASH_VALUE] = "hash_value",
	[HDR_HASH_REPORT] = "hash_report",
};

const struct words_step words_steps[] = {
	{ "hold", STEP_HOLD, true, 32768 },
	{ "release", STEP_RELEASE, false, 0 },
	{ "forget", STEP_FORGET, false, 0 },
	{ "duplicate", STEP_DUPLICATE, true, 100000 },
	{ "jump", STEP_JUMP, true, 65535 },
	{ "interrupts", STEP_INTERRUPTS, true, 1000000 },
	{ "silent", STEP_SILENT, true, 1 },
	{ "flood", STEP_FLOOD, true, 60000 },
	{ "wait", STEP_WAIT, true, 60000 },
	{ "changed", STEP_CHANGED, false, 0 },
	{ "nag", STEP_NAG, true, 1 },
	{ "refuse", STEP_REFUSE, true, 1000 },
	{ "lie", STEP_LIE, true, 1 },
	{ "disconnect", STEP_DISCONNECT, false, 0 },
	{ NULL, STEP_GUEST, false, 0 }
};

#define FIELD(f) { #f, offsetof(struct virtio_net_config, f), \
		   sizeof(((struct virtio_net_config *)0)->f) }

const struct words_field words_fields[] = {
	FIELD(status),
	FIELD(max_virtqueue_pairs),
	FIELD(mtu),
	FIELD(speed),
	FIELD(duplex),
	FIELD(rss_max_key_size),
	FIELD(rss_max_indirection_table_length),
	FIELD(supported_hash_types),
	{ NULL, 0, 0 }
};

const struct words_step *words_step(enum step_kind kind)
{
	const struct words_step *w;

	for (w = words_steps; w->name; w++)
		if (w->kind == kind)
			return w;
	return NULL;
}

const struct words_field *words_field(unsigned int offset)
{
	const struct words_field *w;

	for (w = words_fields; w->name; w++)
		if (w->offset == offset)
			return w;
	return NULL;
}
