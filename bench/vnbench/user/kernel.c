// SPDX-License-Identifier: GPL-2.0
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../util.h"
#include "kernel.h"

#define LINE		KERNEL_LINE
#define ANSWER_MS	120000

bool kernel_option(struct kernel_options *opt, int c)
{
	switch (c) {
	case 'a':
		opt->append = optarg;
		return true;
	case 'c':
		opt->cpu = number(optarg, 0, CPU_SETSIZE - 1);
		return true;
	case 'l':
		opt->logs = optarg;
		return true;
	case 'm':
		opt->memory = optarg;
		return true;
	}
	return false;
}

void kernel_parse(char *text, struct kernel *k)
{
	char *dir = strchr(text, '=');

	if (!dir)
		die("'%s' is not NAME=DIR", text);
	*dir++ = 0;
	*k = (struct kernel){ .name = text, .dir = dir };
}

/* As undisturbed as we are allowed to be */
static void processor_take(int cpu)
{
	const struct sched_param param = { .sched_priority = 1 };
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		die("processor %d: %s", cpu, strerror(errno));
	if (sched_setscheduler(0, SCHED_RR, &param))
		setpriority(PRIO_PROCESS, 0, -20);
}

static void exec_uml(const struct kernel *k, const struct kernel_options *opt)
{
	char image[LINE], root[LINE], mem[64], dir[LINE];
	const char *args[] = {
		image, mem, dir, "root=/dev/root", "rootfstype=hostfs", root,
		"ro", "con=null", "ssl=null", "con0=fd:0,fd:1", "console=tty0",
		"init=/init", "panic=-1", NULL, NULL, NULL
	};
	const char **end = args + ARRAY_SIZE(args) - 3;

	processor_take(opt->cpu);
	personality(ADDR_NO_RANDOMIZE);
	snprintf(image, sizeof(image), "%s/linux", k->dir);
	snprintf(root, sizeof(root), "rootflags=%s/root", k->dir);
	snprintf(mem, sizeof(mem), "mem=%s", opt->memory);
	snprintf(dir, sizeof(dir), "uml_dir=%s", opt->logs);
	if (k->device)
		*end++ = k->device;
	if (opt->append)
		*end++ = opt->append;
	execv(image, (char **)args);
}

/* One instruction takes a nanosecond there, and that is its clock's unit */
static void exec_qemu(const struct kernel *k, const struct kernel_options *opt)
{
	char image[LINE], initrd[LINE], append[LINE];

	snprintf(image, sizeof(image), "%s/bzImage", k->dir);
	snprintf(initrd, sizeof(initrd), "%s/initrd", k->dir);
	snprintf(append, sizeof(append),
		 "console=ttyS0 loglevel=4 panic=-1 tsc=nowatchdog %s",
		 opt->append ?: "");
	execlp("qemu-system-x86_64", "qemu-system-x86_64", "-accel", "tcg",
	       "-icount", "shift=0,sleep=off", "-m", opt->memory, "-nodefaults",
	       "-no-user-config", "-display", "none", "-no-reboot",
	       "-kernel", image, "-initrd", initrd, "-append", append,
	       "-serial", "stdio", NULL);
}

static void kernel_exec(const struct kernel *k,
			const struct kernel_options *opt, int fd)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (dup2(k->log, 2) < 0 || dup2(fd, 0) < 0 || dup2(fd, 1) < 0)
		_exit(1);
	if (opt->qemu)
		exec_qemu(k, opt);
	else
		exec_uml(k, opt);
	die("%s: %s", k->dir, strerror(errno));
}

void kernel_start(struct kernel *k, const struct kernel_options *opt)
{
	char log[LINE];
	int fds[2];

	snprintf(log, sizeof(log), "%s/%s.log", opt->logs, k->name);
	k->log = open(log, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
	if (k->log < 0)
		die("%s: %s", log, strerror(errno));

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds))
		die("socketpair: %s", strerror(errno));
	k->pid = fork();
	if (k->pid < 0)
		die("fork: %s", strerror(errno));
	if (!k->pid)
		kernel_exec(k, opt, fds[1]);
	close(fds[1]);
	k->fd = fds[0];
	k->qemu = opt->qemu;
}

static bool kernel_poll(struct kernel *k, int ms)
{
	struct pollfd pfd = { .fd = k->fd, .events = POLLIN };

	return poll(&pfd, 1, ms) == 1;
}

static void kernel_more(struct kernel *k)
{
	bool (*wait)(struct kernel *k, int ms) = k->wait ?: kernel_poll;
	ssize_t n;

	if (k->have == sizeof(k->buf))
		k->have = 0;	/* no line of ours */
	if (!wait(k, ANSWER_MS))
		die("%s does not answer", k->name);
	n = read(k->fd, k->buf + k->have, sizeof(k->buf) - k->have);
	if (n <= 0)
		die("%s is gone: see its log", k->name);
	k->have += n;
}

/* The next line of its console, in k->line */
static void kernel_line(struct kernel *k)
{
	size_t len;
	char *end;

	while (!(end = memchr(k->buf, '\n', k->have)))
		kernel_more(k);
	len = end - k->buf;
	memcpy(k->line, k->buf, len);
	k->line[len] = 0;
	k->have -= len + 1;
	memmove(k->buf, end + 1, k->have);
}

/* The answer is told from the kernel's messages by its first character */
const char *kernel_answer(struct kernel *k)
{
	char *at;

	for (;;) {
		kernel_line(k);
		at = strchr(k->line, '@');
		if (at && !strncmp(at, "@ok", 3))
			return at + 3;
		if (at && !strncmp(at, "@failed", 7))
			break;
		dprintf(k->log, "%s\n", k->line);
	}
	snprintf(k->error, sizeof(k->error), "%s", at + 8);
	for (at = k->error; *at; at++)
		if (*at == '"' || *at == '\\' || *at < ' ')
			*at = ' ';
	fprintf(stderr, "%s: %s\n", k->name, k->error);
	return NULL;
}

/* QEMU's clock leaps ahead when nothing is to do, which keeps it busy */
void kernel_pause(const struct kernel *k)
{
	if (k->qemu)
		kill(k->pid, SIGSTOP);
}

static void kernel_resume(const struct kernel *k)
{
	if (k->qemu)
		kill(k->pid, SIGCONT);
}

const char *kernel_do(struct kernel *k, const char *command)
{
	const char *answer;

	kernel_resume(k);
	if (dprintf(k->fd, "%s\n", command) < 0)
		die("%s is gone: see its log", k->name);
	answer = kernel_answer(k);
	kernel_pause(k);
	return answer;
}

void kernel_stop(struct kernel *k)
{
	kernel_resume(k);
	dprintf(k->fd, "quit\n");
	/* who waits in a way of its own may have to serve it to the end */
	while (k->wait && !waitpid(k->pid, NULL, WNOHANG))
		k->wait(k, 10);
	if (!k->wait)
		waitpid(k->pid, NULL, 0);
	close(k->fd);
	close(k->log);
	k->have = 0;
}

double kernel_value(const char *answer, const char *name)
{
	const char *at = strstr(answer, name);

	if (!at)
		die("no %s in '%s'", name, answer);
	return strtod(at + strlen(name), NULL);
}
