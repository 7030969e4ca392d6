/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest as a child process, and lines of text to and from it through its
 * descriptor 3: a serial line of the guest, say.
 */
#ifndef VNDEV_LINK_H
#define VNDEV_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define LINK_FD		3
#define LINK_LINE	1024

struct link {
	pid_t pid;
	int fd;
	size_t len;
	char buf[LINK_LINE];
};

/* Its output is appended to LOG, if not NULL. Returns 0 or a negative errno. */
int link_start(struct link *link, char **command, const char *log);

/* Ends the guest if it has not ended by itself */
void link_stop(struct link *link);

bool link_send(struct link *link, const char *line);

/*
 * Reads what has come. Returns 1 with a line, without its end; 0 if none is
 * complete; -EPIPE if the guest has closed its end.
 */
int link_line(struct link *link, char line[LINK_LINE]);

#endif /* VNDEV_LINK_H */
