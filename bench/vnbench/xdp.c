// SPDX-License-Identifier: GPL-2.0
/*
 * UML has no BPF JIT, and its interpreter takes as long as a tenth of what is
 * measured. The programs of the bench only return an action: there, they are
 * what a JIT would have made of them.
 */

#include <linux/bpf.h>
#include <linux/filter.h>

#include "vnbench.h"

#ifdef CONFIG_BPF_JIT

int vn_xdp_compile(int fd, u32 action)
{
	return 0;
}

#else

static unsigned int vn_xdp_drop(const void *ctx, const struct bpf_insn *insn)
{
	return XDP_DROP;
}

static unsigned int vn_xdp_pass(const void *ctx, const struct bpf_insn *insn)
{
	return XDP_PASS;
}

static unsigned int vn_xdp_tx(const void *ctx, const struct bpf_insn *insn)
{
	return XDP_TX;
}

/* The program behind fd, before it is attached, returns the action */
int vn_xdp_compile(int fd, u32 action)
{
	struct bpf_prog *prog;

	prog = bpf_prog_get_type_dev(fd, BPF_PROG_TYPE_XDP, false);
	if (IS_ERR(prog))
		return PTR_ERR(prog);
	if (action == XDP_DROP)
		prog->bpf_func = vn_xdp_drop;
	else if (action == XDP_PASS)
		prog->bpf_func = vn_xdp_pass;
	else if (action == XDP_TX)
		prog->bpf_func = vn_xdp_tx;
	bpf_prog_put(prog);
	return 0;
}

#endif
