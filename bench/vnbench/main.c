// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/vnbench: a command is written, its answer is read.
 *
 *   device small|mergeable|big plain|premapped split|packed RINGSIZE
 *	makes the device, in the place of the last one; answers with the
 *	index of its network interface
 *   frame SIZE HELD
 *	the frames to come, and how many skbs are held
 *   xdp FD ACTION
 *	a program that has yet to be attached
 *   idle
 *	from now on no interrupt is slept over: needed if the device is another
 *   run PACKETS, inspect PACKETS
 *	measures; answers with "name=value ..."
 */

#include <linux/dma-mapping.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "vnbench.h"

#define VN_LINE		256

struct vn_bench {
	struct miscdevice misc;
	struct platform_device *parent;
	struct mutex lock;	/* one command at a time */
	struct vn_device *dev;
	u32 held;
	char answer[4 * VN_LINE];
};

static struct vn_bench *vn_bench;

static void vn_bench_drop(struct vn_bench *bench)
{
	if (bench->dev)
		vn_device_destroy(bench->dev);
	bench->dev = NULL;
}

static int vn_shape_parse(const char *args, struct vn_shape *shape)
{
	char mode[16], dma[16], ring[16];

	if (sscanf(args, "%15s %15s %15s %hu", mode, dma, ring,
		   &shape->ring_size) != 4)
		return -EINVAL;
	shape->mergeable = !strcmp(mode, "mergeable");
	shape->big = !strcmp(mode, "big");
	shape->premapped = !strcmp(dma, "premapped");
	shape->packed = !strcmp(ring, "packed");
	if (!is_power_of_2(shape->ring_size))
		return -EINVAL;
	return 0;
}

static int vn_do_device(struct vn_bench *bench, const char *args)
{
	struct net_device *netdev;
	struct vn_device *dev;
	struct vn_shape shape;
	int err;

	err = vn_shape_parse(args, &shape);
	if (err)
		return err;
	vn_bench_drop(bench);
	dev = vn_device_create(&bench->parent->dev, &shape);
	if (IS_ERR(dev))
		return PTR_ERR(dev);
	bench->dev = dev;
	netdev = vn_netdev(dev);
	if (!netdev)
		return -ENODEV;
	sprintf(bench->answer, "ifindex=%d", netdev->ifindex);
	dev_put(netdev);
	return 0;
}

static int vn_do_frame(struct vn_bench *bench, const char *args)
{
	u32 size, held;

	if (!bench->dev || sscanf(args, "%u %u", &size, &held) != 2 ||
	    size < ETH_ZLEN || size > 65550)
		return -EINVAL;
	bench->dev->frame.size = size;
	bench->held = held;
	return 0;
}

static int vn_do_xdp(const char *args)
{
	u32 action;
	int fd;

	if (sscanf(args, "%d %u", &fd, &action) != 2)
		return -EINVAL;
	return vn_xdp_compile(fd, action);
}

static void vn_answer(struct vn_bench *bench, const struct vn_result *r)
{
	snprintf(bench->answer, sizeof(bench->answer),
		 "packets=%llu ticks=%llu buffers=%llu pages=%llu received=%llu dropped=%llu sent=%llu skbs=%llu truesize=%llu frags=%llu",
		 r->packets, r->ticks, r->buffers, r->pages, r->received,
		 r->dropped, r->sent, r->skbs, r->truesize, r->frags);
}

static int vn_do_run(struct vn_bench *bench, const char *args, bool inspect)
{
	struct vn_cell cell = { .held = bench->held, .inspect = inspect };
	struct vn_counters *counters = NULL;
	struct vn_result result;
	u64 packets;
	int err;

	if (!bench->dev || !bench->dev->frame.size ||
	    kstrtou64(args, 10, &packets))
		return -EINVAL;
	cell.netdev = vn_netdev(bench->dev);
	if (!cell.netdev)
		return -ENODEV;
	if (inspect)
		counters = vn_count_start();
	err = vn_run(bench->dev, &cell, packets, &result);
	dev_put(cell.netdev);
	vn_answer(bench, &result);
	vn_count_stop(counters, bench->answer, sizeof(bench->answer));
	return err;
}

static int vn_command(struct vn_bench *bench, char *line)
{
	char *args = strim(line), *name = strsep(&args, " ");

	bench->answer[0] = 0;
	if (!strcmp(name, "idle"))
		return vn_idle_start();
	if (!args)
		return -EINVAL;
	if (!strcmp(name, "device"))
		return vn_do_device(bench, args);
	if (!strcmp(name, "frame"))
		return vn_do_frame(bench, args);
	if (!strcmp(name, "xdp"))
		return vn_do_xdp(args);
	if (!strcmp(name, "run"))
		return vn_do_run(bench, args, false);
	if (!strcmp(name, "inspect"))
		return vn_do_run(bench, args, true);
	return -EINVAL;
}

static struct vn_bench *vn_bench_of(struct file *file)
{
	return container_of(file->private_data, struct vn_bench, misc);
}

static ssize_t vn_write(struct file *file, const char __user *from,
			size_t count, loff_t *pos)
{
	struct vn_bench *bench = vn_bench_of(file);
	char line[VN_LINE];
	int err;

	if (count >= sizeof(line))
		return -EINVAL;
	if (copy_from_user(line, from, count))
		return -EFAULT;
	line[count] = 0;
	mutex_lock(&bench->lock);
	err = vn_command(bench, line);
	mutex_unlock(&bench->lock);
	*pos = 0;
	return err ?: count;
}

static ssize_t vn_read(struct file *file, char __user *to, size_t count,
		       loff_t *pos)
{
	struct vn_bench *bench = vn_bench_of(file);

	*pos = 0;
	return simple_read_from_buffer(to, count, pos, bench->answer,
				       strlen(bench->answer));
}

static const struct file_operations vn_fops = {
	.owner = THIS_MODULE,
	.write = vn_write,
	.read = vn_read,
};

static int vn_parent_create(struct vn_bench *bench)
{
	bench->parent = platform_device_register_simple("vnbench", -1, NULL, 0);
	if (IS_ERR(bench->parent))
		return PTR_ERR(bench->parent);
	return dma_coerce_mask_and_coherent(&bench->parent->dev,
					    DMA_BIT_MASK(64));
}

static void vn_bench_free(struct vn_bench *bench)
{
	vn_bench_drop(bench);
	if (!IS_ERR_OR_NULL(bench->parent))
		platform_device_unregister(bench->parent);
	kfree(bench);
}

static int __init vn_init(void)
{
	int err;

	vn_bench = kzalloc(sizeof(*vn_bench), GFP_KERNEL);
	if (!vn_bench)
		return -ENOMEM;
	mutex_init(&vn_bench->lock);
	vn_bench->misc = (struct miscdevice){
		.minor = MISC_DYNAMIC_MINOR,
		.name = "vnbench",
		.fops = &vn_fops,
	};
	err = vn_parent_create(vn_bench);
	if (!err)
		err = misc_register(&vn_bench->misc);
	if (err)
		vn_bench_free(vn_bench);
	return err;
}

static void __exit vn_exit(void)
{
	vn_idle_stop();
	misc_deregister(&vn_bench->misc);
	vn_bench_free(vn_bench);
}

module_init(vn_init);
module_exit(vn_exit);
MODULE_DESCRIPTION("virtio-net device for benchmarks of its driver");
MODULE_LICENSE("GPL");
