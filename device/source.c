// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "frame.h"
#include "source.h"

#define PCAP_MAGIC_US	0xa1b2c3d4
#define PCAP_MAGIC_NS	0xa1b23c4d
#define PCAP_ETHERNET	1

struct pcap_file {
	uint32_t magic;
	uint16_t version[2];
	uint32_t zone[2];
	uint32_t snaplen;
	uint32_t link;
};

struct pcap_record {
	uint32_t time[2];
	uint32_t caplen;
	uint32_t len;
};

int source_memory(struct source *src, uint32_t len, const uint8_t *dst)
{
	*src = (struct source) { .tap_fd = -1, .nr = 1 };
	src->data = malloc(len);
	src->frames = malloc(sizeof(*src->frames));
	if (!src->data || !src->frames) {
		source_close(src);
		return -ENOMEM;
	}
	frame_build(src->data, FRAME_GOOD, len, dst, 0);
	src->frames[0] = (struct source_frame) { src->data, len };
	return 0;
}

static int read_all(const char *path, uint8_t **data, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;
	struct stat st;

	*data = NULL;
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		err = -errno;
	else
		*data = malloc(st.st_size + 1);
	if (!err && !*data)
		err = -ENOMEM;
	if (!err && read(fd, *data, st.st_size) != st.st_size)
		err = -EIO;
	*size = err ? 0 : st.st_size;
	close(fd);
	return err;
}

/* Counts the frames of the file, and notes them if there is a list already */
static int pcap_walk(struct source *src, size_t size)
{
	size_t at = sizeof(struct pcap_file);
	struct pcap_record rec;

	for (src->nr = 0; at < size; src->nr++) {
		if (size - at < sizeof(rec))
			return -EBADMSG;
		memcpy(&rec, src->data + at, sizeof(rec));
		at += sizeof(rec);
		if (rec.caplen > size - at || rec.caplen > FRAME_MAX)
			return -EBADMSG;
		if (src->frames)
			src->frames[src->nr] = (struct source_frame) {
				src->data + at, rec.caplen
			};
		at += rec.caplen;
	}
	return src->nr ? 0 : -EBADMSG;
}

static bool pcap_known(const uint8_t *data, size_t size)
{
	struct pcap_file file;

	if (size < sizeof(file))
		return false;
	memcpy(&file, data, sizeof(file));
	return (file.magic == PCAP_MAGIC_US || file.magic == PCAP_MAGIC_NS) &&
	       (file.link & 0xffff) == PCAP_ETHERNET;
}

int source_pcap(struct source *src, const char *path)
{
	size_t size = 0;
	int err;

	*src = (struct source) { .tap_fd = -1 };
	err = read_all(path, &src->data, &size);
	if (!err && !pcap_known(src->data, size))
		err = -EBADMSG;
	if (!err)
		err = pcap_walk(src, size);
	if (!err) {
		src->frames = calloc(src->nr, sizeof(*src->frames));
		err = src->frames ? pcap_walk(src, size) : -ENOMEM;
	}
	if (err)
		source_close(src);
	return err;
}

int source_tap(struct source *src, const char *name)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int fd;

	*src = (struct source) { .tap_fd = -1, .nr = 1 };
	if (strlen(name) >= IFNAMSIZ)
		return -ENAMETOOLONG;
	strcpy(ifr.ifr_name, name);
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	src->data = malloc(FRAME_MAX);
	if (!src->data || ioctl(fd, TUNSETIFF, &ifr)) {
		int err = src->data ? -errno : -ENOMEM;

		close(fd);
		source_close(src);
		return err;
	}
	src->tap_fd = fd;
	return 0;
}

void source_close(struct source *src)
{
	free(src->frames);
	free(src->data);
	if (src->tap_fd >= 0)
		close(src->tap_fd);
	*src = (struct source) { .tap_fd = -1 };
}

int source_get(struct source *src, struct source_frame *frame)
{
	ssize_t len;

	if (src->tap_fd < 0) {
		if (!src->nr)
			return 0;
		*frame = src->frames[src->next];
		if (++src->next == src->nr)
			src->next = 0;
		return 1;
	}
	len = read(src->tap_fd, src->data, FRAME_MAX);
	if (len <= 0)
		return 0;
	*frame = (struct source_frame) { src->data, len };
	return 1;
}

void source_put(struct source *src, const uint8_t *frame, size_t len)
{
	ssize_t done = 0;

	/* a tap that is full loses frames, as a wire would */
	if (src->tap_fd >= 0)
		done = write(src->tap_fd, frame, len);
	(void)done;
}
