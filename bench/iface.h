/* SPDX-License-Identifier: GPL-2.0 */
/* A network interface's statistics, and an XDP program on it that returns. */
#ifndef VNRX_IFACE_H
#define VNRX_IFACE_H

#include <linux/bpf.h>
#include <linux/if_link.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util.h"

/* 0 also for a statistic that the kernel does not have */
static inline __u64 iface_statistic(const char *dev, const char *name)
{
	unsigned long long count = 0;
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "/sys/class/net/%s/statistics/%s", dev,
		 name);
	file = fopen(path, "r");
	if (!file)
		return 0;
	if (fscanf(file, "%llu", &count) != 1)
		count = 0;
	fclose(file);
	return count;
}

static inline int iface_bpf(int cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

/* A program that does nothing but return the action; -1 and errno if not */
static inline int iface_xdp_load(__u32 action)
{
	struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0,
		  .imm = action },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_XDP,
		.insns = (__u64)(unsigned long)insns,
		.insn_cnt = ARRAY_SIZE(insns),
		.license = (__u64)(unsigned long)"GPL",
	};

	return iface_bpf(BPF_PROG_LOAD, &attr);
}

/* In the driver; for as long as what this returns is open */
static inline int iface_xdp_attach(int ifindex, int prog)
{
	union bpf_attr attr = { };

	attr.link_create.prog_fd = prog;
	attr.link_create.target_ifindex = ifindex;
	attr.link_create.attach_type = BPF_XDP;
	attr.link_create.flags = XDP_FLAGS_DRV_MODE;
	return iface_bpf(BPF_LINK_CREATE, &attr);
}

#endif /* VNRX_IFACE_H */
