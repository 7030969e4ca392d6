// SPDX-License-Identifier: GPL-2.0
/*
 * UML looks whether there is something to do and then sleeps: an interrupt in
 * between is noticed with the next one, which may be the timer's, 10 ms later.
 * So that nobody measures that, a thread that runs when nothing else does takes
 * the place of the idle loop. It sleeps as well, but no signal of the host gets
 * in between.
 */

#include <linux/kthread.h>
#include <linux/sched.h>
#include <uapi/linux/sched/types.h>

#include "vnbench.h"

#ifdef CONFIG_UML

#define VN_SIGSET_SIZE		8
#define VN_SYS_SIGPROCMASK	14	/* rt_sigprocmask on x86-64 */
#define VN_SYS_SIGSUSPEND	130	/* rt_sigsuspend */
#define VN_SIG_BLOCK		0
#define VN_SIG_SETMASK		2
/* of the timer and of all other interrupts: SIGALRM and SIGIO */
#define VN_SIGNALS		(BIT_ULL(14 - 1) | BIT_ULL(29 - 1))

static struct task_struct *vn_idle_task;

/* This kernel is a process, it can call the host */
static long vn_host_call(long nr, long a, const u64 *b, u64 *c)
{
	register long size asm("r10") = VN_SIGSET_SIZE;
	long ret;

	asm volatile("syscall" : "=a"(ret)
		     : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(size)
		     : "rcx", "r11", "memory");
	return ret;
}

static void vn_idle_sleep(void)
{
	const u64 signals = VN_SIGNALS;
	u64 mask;

	vn_host_call(VN_SYS_SIGPROCMASK, VN_SIG_BLOCK, &signals, &mask);
	if (!need_resched())
		vn_host_call(VN_SYS_SIGSUSPEND, (long)&mask,
			     (const u64 *)VN_SIGSET_SIZE, NULL);
	vn_host_call(VN_SYS_SIGPROCMASK, VN_SIG_SETMASK, &mask, NULL);
}

static int vn_idle(void *unused)
{
	while (!kthread_should_stop()) {
		vn_idle_sleep();
		cond_resched_tasks_rcu_qs();
	}
	return 0;
}

int vn_idle_start(void)
{
	const struct sched_attr attr = { .sched_policy = SCHED_IDLE };
	struct task_struct *task;

	if (vn_idle_task)
		return 0;
	task = kthread_create(vn_idle, NULL, "vnbench_idle");
	if (IS_ERR(task))
		return PTR_ERR(task);
	sched_setattr_nocheck(task, &attr);
	vn_idle_task = task;
	wake_up_process(task);
	return 0;
}

void vn_idle_stop(void)
{
	if (vn_idle_task)
		kthread_stop(vn_idle_task);
	vn_idle_task = NULL;
}

#else

int vn_idle_start(void)
{
	return 0;
}

void vn_idle_stop(void)
{
}

#endif
