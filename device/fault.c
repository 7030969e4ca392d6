// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "fault.h"
#include "good.h"
#include "util.h"

#define REWRITE_NS	(200 * 1000ull)
#define PATIENCE_MS	300

void fault_init(struct fault *f, struct device *dev)
{
	memset(f, 0, sizeof(*f));
	f->dev = dev;
	f->patience = PATIENCE_MS;
}

static struct ring *the_ring(struct fault *f)
{
	return vhost_rx(&f->dev->vh, 0);
}

static void show(struct fault *f)
{
	net_show(&f->dev->net, 0);
}

/* Serves the rest of the device meanwhile */
static void pause_ms(struct fault *f, unsigned int ms)
{
	uint64_t end = now_ns() + ms * NSEC_PER_MSEC;

	while (now_ns() < end)
		device_poll(f->dev, -1, 1);
}

/* Waits for the driver to post a buffer; what it has not seen yet is shown */
static bool pop(struct fault *f, struct ring_buf *buf)
{
	uint64_t end = now_ns() + f->patience * NSEC_PER_MSEC;

	if (ring_pop(the_ring(f), buf) > 0)
		return true;
	show(f);
	while (now_ns() < end) {
		device_poll(f->dev, -1, 1);
		if (ring_pop(the_ring(f), buf) > 0)
			return true;
	}
	f->starved++;
	return false;
}

/* --- packets -------------------------------------------------------------- */

static int64_t value_of(const struct fault *f, const struct value *v,
			const struct ring_buf *buf, uint32_t written)
{
	switch (v->base) {
	case BASE_SIZE:
		return buf->size + v->add;
	case BASE_WRITTEN:
		return written + v->add;
	case BASE_HDR:
		return net_hdr_len(&f->dev->vh) + v->add;
	case BASE_ID:
		return buf->id + v->add;
	case BASE_NUM:
		return f->dev->vh.ring[0].num + v->add;
	default:
		return v->add;
	}
}

/* The fields are little endian, as this machine is */
static void set_field(net_hdr *hdr, enum hdr_field field, uint32_t value)
{
	switch (field) {
	case HDR_FLAGS:
		hdr->hdr.flags = value;
		break;
	case HDR_GSO_TYPE:
		hdr->hdr.gso_type = value;
		break;
	case HDR_HDR_LEN:
		hdr->hdr.hdr_len = value;
		break;
	case HDR_GSO_SIZE:
		hdr->hdr.gso_size = value;
		break;
	case HDR_CSUM_START:
		hdr->hdr.csum_start = value;
		break;
	case HDR_CSUM_OFFSET:
		hdr->hdr.csum_offset = value;
		break;
	case HDR_NUM_BUFFERS:
		hdr->hdr.num_buffers = value;
		break;
	case HDR_HASH_VALUE:
		hdr->hash_value = value;
		break;
	case HDR_HASH_REPORT:
		hdr->hash_report = value;
		break;
	case HDR_NR:
		break;
	}
}

/* What the guest's XDP program makes of the frame depends on it: see good.h */
static void set_source(struct fault *f, const struct packet_step *s,
		       uint8_t *frame)
{
	int64_t value = value_of(f, &s->src, &f->buf[0], s->len);

	frame[GOOD_SRC_DO] = value >> 8;
	frame[GOOD_SRC_ACTION] = value;
}

/* Header and frame one after the other; returns their length */
static uint32_t stream_build(struct fault *f, const struct packet_step *s,
			     unsigned int nr_bufs)
{
	uint32_t hdr_len = net_hdr_len(&f->dev->vh);
	uint32_t len = s->len < FRAME_MIN ? FRAME_MIN : s->len;
	net_hdr hdr = { .hdr.num_buffers = nr_bufs };
	unsigned int i;

	for (i = 0; i < HDR_NR; i++)
		if (s->hdr[i].set)
			set_field(&hdr, i, value_of(f, &s->hdr[i], &f->buf[0],
						    hdr_len + s->len));
	memset(f->stream, 0, sizeof(f->stream));
	memcpy(f->stream, &hdr, hdr_len);
	frame_build(f->stream + hdr_len, s->frame, len,
		    f->dev->vh.config.mac, f->seq++);
	if (s->src.set)
		set_source(f, s, f->stream + hdr_len);
	return hdr_len + s->len;
}

/* The buffers for one packet: as many as the script says, or as it takes */
static unsigned int take(struct fault *f, const struct packet_step *s)
{
	uint32_t need = net_hdr_len(&f->dev->vh) + s->len, room = 0;
	bool mergeable = vhost_has(&f->dev->vh, VIRTIO_NET_F_MRG_RXBUF);
	unsigned int n = 0;

	do {
		if (!pop(f, &f->buf[n]))
			return n;
		room += f->buf[n++].size;
	} while (n < SCRIPT_MAX_BUFS &&
		 (s->nr_parts ? n < s->nr_parts : mergeable && room < need));
	return n;
}

/* Writes the packet's bytes and the used entries */
static void write_out(struct fault *f, const struct packet_step *s,
		      unsigned int n)
{
	uint32_t at = 0, left = stream_build(f, s, n), written, id, len;
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct ring_buf *buf = &f->buf[i];
		uint32_t want = s->nr_parts ? s->part[i] : left;

		if (want > sizeof(f->stream) - at)
			want = sizeof(f->stream) - at;
		written = net_fill(buf, 0, f->stream + at, want);
		at += written;
		left -= written < left ? written : left;
		id = s->used_id.set && !i ?
		     value_of(f, &s->used_id, buf, written) : buf->id;
		len = s->used_len[i].set ?
		      value_of(f, &s->used_len[i], buf, written) : written;
		ring_complete(the_ring(f), buf->nr_desc, id, len);
		f->last_id = buf->id;
		f->last_desc = buf->nr_desc;
	}
}

/* The driver may read the header more than once: let it differ each time */
static void rewrite(struct fault *f, const struct packet_step *s,
		    const struct ring_buf *buf)
{
	uint64_t end = now_ns() + REWRITE_NS;
	net_hdr was, other;
	bool turn = false;

	memcpy(&was, f->stream, sizeof(was));
	other = was;
	set_field(&other, s->rewrite, s->rewrite_with);
	while (now_ns() < end) {
		turn = !turn;
		net_fill(buf, 0, (uint8_t *)(turn ? &other : &was),
			 net_hdr_len(&f->dev->vh));
	}
}

static bool lies(const struct packet_step *s)
{
	unsigned int i;

	for (i = 0; i < SCRIPT_MAX_BUFS; i++)
		if (s->used_len[i].set)
			return true;
	for (i = 0; i < HDR_NR; i++)
		if (s->hdr[i].set)
			return true;
	return s->nr_parts || s->used_id.set || s->rewrites;
}

static void packet(struct fault *f, const struct packet_step *s)
{
	bool lying = lies(s);
	unsigned int i, n;

	for (i = 0; i < s->repeat; i++) {
		n = take(f, s);
		if (!n)
			return;
		write_out(f, s, n);
		f->lies += lying ? n : 0;
		if (!s->rewrites)
			continue;
		show(f);
		rewrite(f, s, &f->buf[0]);
	}
	show(f);
}

unsigned int fault_good(struct fault *f, unsigned int nr, uint32_t len)
{
	struct net *net = &f->dev->net;
	uint64_t end = now_ns() + f->patience * NSEC_PER_MSEC;
	struct source_frame frame;
	unsigned int sent = 0;

	frame = (struct source_frame) { f->stream, len };
	while (sent < nr && now_ns() < end) {
		frame_build(f->stream, FRAME_GOOD, len,
			    f->dev->vh.config.mac, f->seq);
		if (net_send(net, 0, NULL, &frame) > 0) {
			f->seq++;
			sent++;
			continue;
		}
		show(f);
		device_poll(f->dev, -1, 1);
	}
	show(f);
	return sent;
}

/* --- buffers -------------------------------------------------------------- */

void fault_forget(struct fault *f)
{
	free(f->held);
	f->held = NULL;
	f->nr_held = 0;
}

static void hold(struct fault *f, unsigned int nr)
{
	fault_forget(f);
	f->held = calloc(nr + 1, sizeof(*f->held));
	f->generation = the_ring(f)->generation;
	while (f->held && f->nr_held < nr &&
	       ring_pop(the_ring(f), &f->held[f->nr_held]) > 0)
		f->nr_held++;
}

/* As short good frames. After a reset these are not the driver's any more. */
static void release(struct fault *f)
{
	uint32_t len = net_hdr_len(&f->dev->vh) + FRAME_MIN;
	struct packet_step step = { .len = FRAME_MIN };
	struct ring *ring = the_ring(f);
	struct ring_buf *buf;

	while (f->nr_held && ring->running &&
	       f->generation == ring->generation) {
		buf = &f->held[--f->nr_held];
		stream_build(f, &step, 1);
		net_fill(buf, 0, f->stream, len);
		ring_complete(ring, buf->nr_desc, buf->id, len);
	}
	fault_forget(f);
	show(f);
}

static void duplicate(struct fault *f, unsigned int nr)
{
	f->lies += nr;
	while (nr--)
		ring_complete(the_ring(f), f->last_desc ?: 1, f->last_id,
			      net_hdr_len(&f->dev->vh) + FRAME_MIN);
	show(f);
}

static void flood(struct fault *f, unsigned int ms)
{
	uint64_t end = now_ns() + ms * NSEC_PER_MSEC;
	struct source_frame frame;

	frame_build(f->stream, FRAME_GOOD, FRAME_MIN, f->dev->vh.config.mac,
		    f->seq);
	frame = (struct source_frame) { f->stream, FRAME_MIN };
	while (now_ns() < end) {
		unsigned int n = 0;

		while (n < NET_BURST &&
		       net_send(&f->dev->net, 0, NULL, &frame) > 0)
			n++;
		show(f);
		device_poll(f->dev, -1, !n);
	}
}

static void interrupts(struct fault *f, unsigned int nr)
{
	while (nr--)
		ring_interrupt(the_ring(f));
}

static void config(struct fault *f, const struct step *s)
{
	memcpy((uint8_t *)&f->dev->vh.config + s->offset, &s->count, s->size);
}

void fault_step(struct fault *f, const struct step *s)
{
	switch (s->kind) {
	case STEP_PACKET:
		packet(f, s->packet);
		break;
	case STEP_HOLD:
		hold(f, s->count);
		break;
	case STEP_RELEASE:
		release(f);
		break;
	case STEP_FORGET:
		fault_forget(f);
		break;
	case STEP_DUPLICATE:
		duplicate(f, s->count);
		break;
	case STEP_JUMP:
		ring_jump(the_ring(f), s->count);
		ring_interrupt(the_ring(f));
		break;
	case STEP_INTERRUPTS:
		interrupts(f, s->count);
		break;
	case STEP_SILENT:
		the_ring(f)->silent = s->count;
		show(f);
		break;
	case STEP_FLOOD:
		flood(f, s->count);
		break;
	case STEP_WAIT:
		pause_ms(f, s->count);
		break;
	case STEP_CONFIG:
		config(f, s);
		break;
	case STEP_CHANGED:
		vhost_config_changed(&f->dev->vh);
		break;
	case STEP_NAG:
		f->dev->nag = s->count;
		break;
	case STEP_REFUSE:
		f->dev->ctrl.refuse = s->count;
		break;
	case STEP_LIE:
		f->dev->ctrl.lie = s->count;
		break;
	case STEP_DISCONNECT:
		vhost_detach(&f->dev->vh);
		break;
	case STEP_GUEST:
		break;
	}
}
