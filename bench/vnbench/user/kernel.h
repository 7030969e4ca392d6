/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A kernel that is measured: a child process, told what to do through its
 * console, in lines. What it can be told is in agent.c.
 */
#ifndef VNBENCH_KERNEL_H
#define VNBENCH_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define KERNEL_LINE	2048

struct kernel_options {
	int cpu;		/* where UML runs */
	bool qemu;
	const char *memory;
	const char *append;	/* one more argument, or NULL */
	const char *logs;
};

struct kernel {
	const char *name;
	const char *dir;
	const char *device;	/* argument that names UML's device, or NULL */
	/* Waits until fd can be read: false if it takes too long */
	bool (*wait)(struct kernel *k, int ms);
	pid_t pid;
	bool qemu;
	int fd;
	int log;		/* its standard error, and what else it says */
	size_t have;		/* of buf, beyond the line handed out */
	char buf[KERNEL_LINE];
	char line[KERNEL_LINE];
	char error[KERNEL_LINE];	/* why there are no figures */
};

/* For getopt(): the options that are about how kernels are run */
#define KERNEL_OPTIONS	"a:c:l:m:"

/* Is C, which getopt() has found, one of them? */
bool kernel_option(struct kernel_options *opt, int c);

/* text: NAME=DIR, which is cut in two */
void kernel_parse(char *text, struct kernel *k);

/* Its first answer tells that it is up */
void kernel_start(struct kernel *k, const struct kernel_options *opt);
void kernel_stop(struct kernel *k);

/* An emulated kernel is stopped while it is not its turn */
void kernel_pause(const struct kernel *k);

/*
 * The answer, or NULL if the kernel could not do what it was told, and
 * k->error says why.
 */
const char *kernel_answer(struct kernel *k);
const char *kernel_do(struct kernel *k, const char *command);

/* The number behind name in an answer */
double kernel_value(const char *answer, const char *name);

#endif /* VNBENCH_KERNEL_H */
