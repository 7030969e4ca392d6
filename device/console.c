// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "console.h"
#include "splat.h"

int console_open(struct console *c, const char *log)
{
	*c = (struct console) { 0 };
	c->fd = open(log, O_RDONLY | O_CREAT | O_CLOEXEC, 0644);
	if (c->fd < 0)
		return -errno;
	lseek(c->fd, 0, SEEK_END);
	return 0;
}

void console_close(struct console *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

void console_forget(struct console *c)
{
	c->broken = false;
	c->bad = false;
	c->splat[0] = 0;
}

/* As virtio_ring says it */
static bool gives_up(const char *line)
{
	return strstr(line, "is not a head!") ||
	       (strstr(line, ":id ") && strstr(line, "out of range"));
}

static void take_line(struct console *c)
{
	c->line[c->len] = 0;
	c->len = 0;
	if (gives_up(c->line))
		c->broken = true;
	if (c->bad || !is_splat(c->line))
		return;
	c->bad = true;
	memcpy(c->splat, c->line, sizeof(c->splat));
}

void console_poll(struct console *c)
{
	char buf[4096];
	ssize_t got, i;

	while ((got = read(c->fd, buf, sizeof(buf))) > 0)
		for (i = 0; i < got; i++) {
			if (buf[i] == '\n' || c->len == CONSOLE_LINE - 1)
				take_line(c);
			if (buf[i] != '\n' && buf[i] != '\r')
				c->line[c->len++] = buf[i];
		}
}
