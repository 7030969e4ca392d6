/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Attaches an XDP program that says the same of every packet.
 */
#ifndef XDP_LINK_H
#define XDP_LINK_H

#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util.h"

static int bpf(int cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

/* Returns what keeps it attached while it is open, or -1 and errno. */
static int xdp_attach(const char *ifname, enum xdp_action verdict)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = verdict },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr prog = {
		.prog_type = BPF_PROG_TYPE_XDP,
		.insns = (unsigned long)insns,
		.insn_cnt = ARRAY_SIZE(insns),
		.license = (unsigned long)"GPL",
	};
	union bpf_attr link = {};
	int fd;

	fd = bpf(BPF_PROG_LOAD, &prog);
	if (fd < 0)
		return -1;
	link.link_create.prog_fd = fd;
	link.link_create.target_ifindex = if_nametoindex(ifname);
	link.link_create.attach_type = BPF_XDP;
	link.link_create.flags = XDP_FLAGS_DRV_MODE;
	fd = bpf(BPF_LINK_CREATE, &link);
	close(link.link_create.prog_fd);
	return fd;
}

#endif
