/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Found before the kernel's own when the UML kernels of ./vnrx bench are
 * compiled. UML has one processor, and its atomics would come without their
 * "lock": half of what page pools save is the price of atomics.
 */
#include_next <asm/alternative.h>

#ifndef __ASSEMBLY__
#undef LOCK_PREFIX
#define LOCK_PREFIX "\n\tlock "
#endif
