/* SPDX-License-Identifier: GPL-2.0 */
/* What the guest's kernel says, as it says it. */
#ifndef VNDEV_CONSOLE_H
#define VNDEV_CONSOLE_H

#include <stdbool.h>

#define CONSOLE_LINE	512

struct console {
	int fd;
	unsigned int len;
	char line[CONSOLE_LINE];
	/* since console_forget() */
	bool broken;		/* the driver has given a queue up */
	bool bad;
	char splat[CONSOLE_LINE];	/* the first line of what is bad */
};

/* From the end of the log on. Returns 0 or a negative errno. */
int console_open(struct console *c, const char *log);
void console_close(struct console *c);

/* Reads what has come */
void console_poll(struct console *c);
void console_forget(struct console *c);

#endif /* VNDEV_CONSOLE_H */
