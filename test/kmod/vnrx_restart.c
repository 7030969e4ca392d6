// SPDX-License-Identifier: GPL-2.0
/*
 * Restarts one RX queue through netdev core, as nobody in 6.12 does but the
 * binding of memory providers. Loading the module is the test: it fails with
 * the error of the restart, and never stays.
 */
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <net/netdev_rx_queue.h>

static char *ifname = "eth0";
module_param(ifname, charp, 0);
MODULE_PARM_DESC(ifname, "Interface");

static unsigned int queue;
module_param(queue, uint, 0);
MODULE_PARM_DESC(queue, "RX queue");

static unsigned int times = 1;
module_param(times, uint, 0);
MODULE_PARM_DESC(times, "How often");

static bool provider;
module_param(provider, bool, 0);
MODULE_PARM_DESC(provider, "Pretend that a memory provider is bound");

typedef int (*restart_fn)(struct net_device *dev, unsigned int rxq_idx);

/* It is not exported */
static restart_fn find_restart(void)
{
	struct kprobe kp = { .symbol_name = "netdev_rx_queue_restart" };
	restart_fn fn;

	if (register_kprobe(&kp))
		return NULL;
	fn = (restart_fn)kp.addr;
	unregister_kprobe(&kp);

	return fn;
}

static int restart(struct net_device *dev, restart_fn fn)
{
	struct netdev_rx_queue *rxq;
	int err = 0;

	if (queue >= dev->real_num_rx_queues)
		return -ERANGE;

	rxq = __netif_get_rx_queue(dev, queue);
	if (provider)
		rxq->mp_params.mp_priv = dev;
	while (!err && times--)
		err = fn(dev, queue);
	if (provider)
		rxq->mp_params.mp_priv = NULL;

	return err;
}

static int __init restart_init(void)
{
	restart_fn fn = find_restart();
	struct net_device *dev;
	int err = -ENODEV;

	if (!fn)
		return -ENOENT;

	rtnl_lock();
	dev = __dev_get_by_name(&init_net, ifname);
	if (dev)
		err = restart(dev, fn);
	rtnl_unlock();
	pr_info("vnrx_restart: %s queue %u: %d\n", ifname, queue, err);

	/* nothing to stay for */
	return err ? err : -EAGAIN;
}
module_init(restart_init);

MODULE_DESCRIPTION("Restart an RX queue");
MODULE_LICENSE("GPL");
