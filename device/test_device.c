// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the device without a guest: the front end is in this process, the
 * device in a thread. TAP on stdout. "test_device speed" measures instead.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "device.h"
#include "test_front.h"
#include "util.h"

#define BIT(nr)		(1ull << (nr))
#define WAIT_NS		(2 * NSEC_PER_SEC)

struct bench {
	struct device dev;
	struct front front;
	char path[64];
	pthread_t thread;
	atomic_bool stop;
	unsigned int tests;
	unsigned int failed;
};

static void ok(struct bench *b, bool good, const char *name)
{
	printf("%sok %u - %s %s\n", good ? "" : "not ", ++b->tests,
	       b->front.packed ? "packed:" : "split:", name);
	b->failed += !good;
}

static void *serve(void *arg)
{
	struct bench *b = arg;

	while (!atomic_load(&b->stop))
		device_poll(&b->dev, -1, 1);
	return NULL;
}

static void start(struct bench *b, const struct device_options *opt)
{
	int err = device_open(&b->dev, opt);

	if (err)
		die("%s: %s", opt->path, strerror(-err));
	atomic_store(&b->stop, false);
	if (pthread_create(&b->thread, NULL, serve, b))
		die("no thread");
}

static void stop(struct bench *b)
{
	atomic_store(&b->stop, true);
	pthread_join(b->thread, NULL);
	device_close(&b->dev);
}

static bool wait_used(struct front *f, unsigned int ring, uint32_t *id,
		      uint32_t *len)
{
	uint64_t end = now_ns() + WAIT_NS;

	while (!front_used(f, ring, id, len))
		if (now_ns() > end)
			return false;
	return true;
}

static void kick(struct front *f, unsigned int ring)
{
	uint64_t one = 1;

	if (write(f->ring[ring].kick_fd, &one, sizeof(one)) < 0)
		die("kick: %s", strerror(errno));
}

/* Frames go out and come back, in one buffer or in several */
static void test_echo(struct bench *b, uint32_t room, uint32_t frame)
{
	uint32_t hdr = sizeof(struct virtio_net_hdr_v1), id, len, got = 0, i;
	struct virtio_net_hdr_v1 *h = (void *)front_buf(&b->front, 0, 0);
	uint32_t need = (hdr + frame + room - 1) / room;
	bool same = true;
	uint8_t *out;

	for (i = 0; i < FRONT_NUM; i++)
		front_post(&b->front, 0, i, room, true);
	out = front_buf(&b->front, 1, 0);
	memset(out, 0, hdr);
	for (i = 0; i < frame; i++)
		out[hdr + i] = i;
	front_post(&b->front, 1, 0, hdr + frame, false);
	kick(&b->front, 1);
	ok(b, wait_used(&b->front, 1, &id, &len) && !id, "frame taken");
	for (i = 0; i < need; i++) {
		same = same && wait_used(&b->front, 0, &id, &len) && id == i;
		got += len;
	}
	ok(b, same && got == hdr + frame, "frame came back");
	ok(b, h->num_buffers == need, "number of buffers");
	for (i = 0, got = hdr; i < frame; i++, got++)
		same = same && front_buf(&b->front, 0, got / room)[got % room]
			       == (uint8_t)i;
	ok(b, same, "with its bytes");
	ok(b, !front_used(&b->front, 0, &id, &len), "and nothing else");
}

/* Refuses what it does not know, answers if it is asked to */
static void test_ctrl(struct bench *b)
{
	uint8_t *cmd = front_buf(&b->front, 2, 0);
	uint32_t id, len;

	cmd[0] = 0xee;
	cmd[1] = 0;
	/* without a place for the answer: one descriptor only */
	front_post(&b->front, 2, 0, 2, false);
	kick(&b->front, 2);
	ok(b, wait_used(&b->front, 2, &id, &len) && !len, "control command");
	ok(b, b->dev.ctrl.refused == 1, "control command refused");
}

static int request(struct front *f, uint32_t what, uint64_t value)
{
	struct vu_message msg = {
		.hdr = { .request = what, .size = 8, .flags = VU_NEED_REPLY },
		.p.u64 = value,
	};

	return front_request(f, &msg, -1) ?: (int)msg.p.u64;
}

static void test_protocol(struct bench *b)
{
	struct front *f = &b->front;
	struct vu_message msg = {
		.hdr = { .request = VU_GET_CONFIG, .size = 12 + 6 },
		.p.config = { .size = 6 },
	};

	/* as UML does it, with an answer to this one already */
	ok(b, !request(f, VU_SET_PROTOCOL_FEATURES, BIT(VU_P_REPLY_ACK)),
	   "protocol features");
	ok(b, request(f, VU_SET_OWNER, 0) == 0, "acknowledged");
	ok(b, request(f, 99, 0) == 1, "unknown request refused");
	ok(b, request(f, VU_SET_VRING_KICK, 200) == 1, "no such ring");
	ok(b, request(f, VU_SET_FEATURES, ~0ull) == 1, "not offered");
	ok(b, !front_request(f, &msg, -1) && msg.p.config.data[0] == 0x52,
	   "config space");
}

/* A ring that makes no sense must not be followed out of the memory */
static void test_broken(struct bench *b)
{
	uint32_t id, len;

	front_post(&b->front, 1, 1, 0x7fffffff, false);
	kick(&b->front, 1);
	usleep(50000);
	ok(b, !front_used(&b->front, 1, &id, &len), "buffer beyond memory");
	ok(b, b->dev.vh.ring[1].broken, "the ring is given up");
}

static void test_garbage(struct bench *b)
{
	char garbage[64];

	memset(garbage, 0xff, sizeof(garbage));
	if (send(b->front.sock, garbage, sizeof(garbage), MSG_NOSIGNAL) < 0)
		die("send: %s", strerror(errno));
	ok(b, recv(b->front.sock, garbage, 1, 0) <= 0, "garbage: hung up");
}

static void test_all(struct bench *b, bool packed)
{
	struct device_options opt = {
		.path = b->path, .mode = MODE_MERGEABLE, .packed = packed,
		.ctrl = true, .pairs = 1, .mtu = 1500,
	};
	uint64_t features = BIT(VIRTIO_F_VERSION_1) |
			    BIT(VIRTIO_NET_F_MRG_RXBUF);
	unsigned int i;

	start(b, &opt);
	b->dev.net.echo = true;
	for (i = 0; i < 2; i++) {
		if (front_open(&b->front, b->path, features, packed))
			die("the front end cannot connect");
		test_echo(b, i ? 256 : FRONT_BUF, i ? 1400 : 60);
		if (i)
			test_broken(b);
		else
			test_ctrl(b);
		test_protocol(b);
		if (i)
			test_garbage(b);
		front_close(&b->front);
		usleep(20000);
	}
	ok(b, b->dev.vh.connections == 2, "connected again");
	stop(b);
}

/* --- speed ---------------------------------------------------------------- */

/* Device and driver take turns on one core: only the device is timed */
static void speed(struct bench *b, bool packed)
{
	struct device_options opt = {
		.path = b->path, .mode = MODE_MERGEABLE, .packed = packed,
		.pairs = 1, .mtu = 1500,
	};
	uint64_t spent = 0, packets = 0, begin;
	uint32_t id, len, i, n;

	start(b, &opt);
	source_memory(&b->dev.net.source, 64, b->dev.vh.config.mac);
	if (front_open(&b->front, b->path, BIT(VIRTIO_F_VERSION_1) |
		       BIT(VIRTIO_NET_F_MRG_RXBUF), packed))
		die("the front end cannot connect");
	usleep(50000);
	atomic_store(&b->stop, true);
	pthread_join(b->thread, NULL);
	for (i = 0; i < FRONT_NUM; i++)
		front_post(&b->front, 0, i, 1536, true);
	while (packets < 20000000) {
		begin = now_ns();
		for (i = 0; i < FRONT_NUM / NET_BURST; i++)
			net_send_burst(&b->dev.net, 0);
		spent += now_ns() - begin;
		for (n = 0; front_used(&b->front, 0, &id, &len); n++)
			front_post(&b->front, 0, id, 1536, true);
		if (!n)
			die("nothing arrives");
		packets += n;
	}
	printf("{\"ring\":\"%s\",\"frame\":64,\"packets\":%llu,"
	       "\"mpps\":%.1f}\n", packed ? "packed" : "split",
	       (unsigned long long)packets, packets * 1e3 / spent);
	device_close(&b->dev);
	front_close(&b->front);
}

int main(int argc, char **argv)
{
	struct bench *b = calloc(1, sizeof(*b));
	unsigned int failed;

	snprintf(b->path, sizeof(b->path), "/tmp/vndev-test.%d", getpid());
	if (argc > 1 && !strcmp(argv[1], "speed")) {
		speed(b, false);
		memset(&b->dev, 0, sizeof(b->dev));
		speed(b, true);
		free(b);
		return 0;
	}
	test_all(b, false);
	memset(&b->dev, 0, sizeof(b->dev));
	test_all(b, true);
	printf("1..%u\n", b->tests);
	failed = b->failed;
	free(b);
	return !!failed;
}
