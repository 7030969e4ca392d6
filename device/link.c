// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "link.h"

/* A group of its own: UML is several processes. It does not outlive the device,
 * whatever becomes of that.
 */
static void run(int fd, char **command, int log)
{
	sigset_t none;

	if (log >= 0) {
		dup2(log, STDOUT_FILENO);
		dup2(log, STDERR_FILENO);
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (fd == LINK_FD)
		fd = dup(fd);
	if (dup2(fd, LINK_FD) < 0)
		_exit(127);
	execvp(command[0], command);
	_exit(127);
}

int link_start(struct link *link, char **command, const char *log)
{
	int fds[2], log_fd = -1;

	*link = (struct link) { .pid = -1, .fd = -1 };
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		return -errno;
	if (log)
		log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
			      0644);
	link->pid = fork();
	if (!link->pid)
		run(fds[1], command, log_fd);
	close(fds[1]);
	if (log_fd >= 0)
		close(log_fd);
	link->fd = fds[0];
	if (link->pid < 0) {
		close(link->fd);
		return -EAGAIN;
	}
	setpgid(link->pid, link->pid);
	return 0;
}

/* Time to end by itself: it may be powering off */
void link_stop(struct link *link)
{
	const struct timespec nap = { .tv_nsec = 20 * 1000 * 1000 };
	int tries = 50;

	if (link->pid < 0)
		return;
	while (tries-- && !waitpid(link->pid, NULL, WNOHANG))
		nanosleep(&nap, NULL);
	kill(-link->pid, SIGKILL);
	waitpid(link->pid, NULL, 0);
	close(link->fd);
	link->pid = -1;
	link->fd = -1;
}

bool link_send(struct link *link, const char *line)
{
	ssize_t len = strlen(line);

	return send(link->fd, line, len, MSG_NOSIGNAL) == len &&
	       send(link->fd, "\n", 1, MSG_NOSIGNAL) == 1;
}

static bool cut_line(struct link *link, char line[LINK_LINE])
{
	char *end = memchr(link->buf, '\n', link->len);
	size_t len;

	if (!end)
		return false;
	len = end - link->buf;
	memcpy(line, link->buf, len);
	line[len] = 0;
	if (len && line[len - 1] == '\r')
		line[len - 1] = 0;
	link->len -= len + 1;
	memmove(link->buf, end + 1, link->len);
	return true;
}

int link_line(struct link *link, char line[LINK_LINE])
{
	ssize_t len;

	if (cut_line(link, line))
		return 1;
	if (link->len == sizeof(link->buf))
		link->len = 0;
	len = recv(link->fd, link->buf + link->len,
		   sizeof(link->buf) - link->len, MSG_DONTWAIT);
	if (!len || (len < 0 && errno != EAGAIN && errno != EINTR))
		return -EPIPE;
	if (len > 0)
		link->len += len;
	return cut_line(link, line);
}
