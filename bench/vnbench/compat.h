/* SPDX-License-Identifier: GPL-2.0 */
/* What differs between kernel versions, or from one way to run to the other */
#ifndef VNBENCH_COMPAT_H
#define VNBENCH_COMPAT_H

#include <linux/io.h>
#include <linux/netdevice.h>
#include <linux/version.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

/*
 * The device's parent has neither an IOMMU nor an offset: what the driver
 * calls a bus address, or a physical one, is a physical address.
 */
static inline void *vn_bus_to_virt(u64 addr)
{
	return phys_to_virt(addr);
}

/*
 * Is the first RX queue being polled, or waiting to be? The list has the NAPI
 * that was added first at its end.
 */
static inline bool vn_napi_busy(const struct net_device *netdev)
{
	const struct napi_struct *napi;

	napi = list_last_entry(&netdev->napi_list, struct napi_struct,
			       dev_list);
	return test_bit(NAPI_STATE_SCHED, &napi->state);
}

/* Every allocation of pages that is not one of many goes through this */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 15, 0)
#define VN_SYMBOLS_PAGE_ALLOC	{ "__alloc_frozen_pages_noprof" }
#else
#define VN_SYMBOLS_PAGE_ALLOC	{ "__alloc_pages_noprof" }
#endif

#endif /* VNBENCH_COMPAT_H */
