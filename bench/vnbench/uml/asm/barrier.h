/* SPDX-License-Identifier: GPL-2.0 */
/*
 * As alternative.h. UML takes the barriers of virtio, which are those of SMP,
 * for barriers towards devices: lfence, sfence and mfence. On x86 the processor
 * keeps these orders by itself, but for a store and a later load.
 */
#include_next <asm/barrier.h>

#undef virt_mb
#undef virt_rmb
#undef virt_wmb
#undef virt_store_mb
#define virt_mb() asm volatile("lock; addl $0,-4(%%rsp)" ::: "memory", "cc")
#define virt_rmb() barrier()
#define virt_wmb() barrier()
#define virt_store_mb(var, value)		\
do {						\
	WRITE_ONCE(var, value);			\
	virt_mb();				\
} while (0)
