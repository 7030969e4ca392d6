/* SPDX-License-Identifier: GPL-2.0 */
/* Lines of a kernel log that must not be there. */
#ifndef VNDEV_SPLAT_H
#define VNDEV_SPLAT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* virtio_uml warns when its device has gone: that is not the network driver */
static inline bool is_splat(const char *line)
{
	static const char *const signs[] = {
		"BUG:", "WARNING:", "KASAN", "UBSAN", "Oops", "Bad page",
		"kernel BUG", "general protection", "DMA-API:", "refcount_t:",
		"page_pool_release_retry", "possible circular",
		"inconsistent lock", "suspicious RCU", "list_add corruption",
		"list_del corruption", "hung_task", "blocked for more than",
	};
	size_t i;

	if (strstr(line, "virtio_uml.c") || strstr(line, "DMA-API: preall") ||
	    strstr(line, "DMA-API: debugging enabled"))
		return false;
	for (i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (strstr(line, signs[i]))
			return true;
	return false;
}

#endif /* VNDEV_SPLAT_H */
