/* SPDX-License-Identifier: GPL-2.0 */
/* Counters that meter.bpf.c keeps and meter.c reads */
#ifndef VNRX_METER_SHARED_H
#define VNRX_METER_SHARED_H

enum meter_counter {
	METER_DMA_MAPS,		/* not to the device only */
	METER_POSTED,		/* buffers given to the device */
	METER_POSTED_BYTES,
	METER_FRESH,		/* times a pool went to the page allocator */
	METER_FRESH_PAGES,	/* base pages it got there */
	METER_COUNTERS
};

#endif /* VNRX_METER_SHARED_H */
