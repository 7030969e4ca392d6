// SPDX-License-Identifier: GPL-2.0
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "meter.h"
#include "util.h"

/* Which counters a program feeds; any one of those feeding it will do */
static const struct {
	const char *prog;
	unsigned int feeds;
} probes[] = {
	{ "meter_dma_map", 1 << METER_DMA_MAPS },
	{ "meter_post", 1 << METER_POSTED | 1 << METER_POSTED_BYTES },
	{ "meter_post_premapped", 1 << METER_POSTED | 1 << METER_POSTED_BYTES },
	{ "meter_fresh", 1 << METER_FRESH | 1 << METER_FRESH_PAGES },
};

_Static_assert(ARRAY_SIZE(probes) <= METER_PROBES_MAX, "room for the links");

static const char * const counter_names[METER_COUNTERS] = {
	[METER_DMA_MAPS] = "dma_maps",
	[METER_POSTED] = "posted",
	[METER_POSTED_BYTES] = "posted_bytes",
	[METER_FRESH] = "fresh",
	[METER_FRESH_PAGES] = "fresh_pages",
};

static int quiet(enum libbpf_print_level level, const char *fmt, va_list args)
{
	(void)level;
	(void)fmt;
	(void)args;
	return 0;
}

static void note(struct meter *m, const char *what, const char *why)
{
	size_t used = strlen(m->note);

	snprintf(m->note + used, sizeof(m->note) - used, "%s%s: %s",
		 used ? "; " : "", what, why);
}

static void probe_attach(struct meter *m, unsigned int i)
{
	struct bpf_program *prog;
	struct bpf_link *link;
	unsigned int c;

	prog = bpf_object__find_program_by_name(m->obj, probes[i].prog);
	link = bpf_program__attach(prog);
	if (!link)
		return;
	m->links[m->nr_links++] = link;
	for (c = 0; c < METER_COUNTERS; c++)
		if (probes[i].feeds & 1 << c)
			m->has[c] = true;
}

static void missing_note(struct meter *m)
{
	unsigned int c;

	for (c = 0; c < METER_COUNTERS; c++)
		if (!m->has[c])
			note(m, counter_names[c], "kernel takes no probe for it");
}

static void probes_load(struct meter *m)
{
	libbpf_set_print(quiet);
	m->obj = bpf_object__open_file(m->probes, NULL);
	if (!m->obj)
		die("cannot read %s", m->probes);
	if (bpf_object__load(m->obj)) {
		note(m, "kernel refuses the probes", strerror(errno));
		bpf_object__close(m->obj);
		m->obj = NULL;
		return;
	}
	m->map_fd = bpf_object__find_map_fd_by_name(m->obj, "counters");
}

void meter_init(struct meter *m, const char *dev, const char *probes)
{
	memset(m, 0, sizeof(*m));
	snprintf(m->rx_path, sizeof(m->rx_path),
		 "/sys/class/net/%s/statistics/rx_packets", dev);
	m->probes = probes;
	m->map_fd = -1;
	probes_load(m);
}

void meter_arm(struct meter *m)
{
	unsigned int i;

	if (!m->obj)
		return;
	for (i = 0; i < ARRAY_SIZE(probes); i++)
		probe_attach(m, i);
	missing_note(m);
}

void meter_disarm(struct meter *m)
{
	while (m->nr_links)
		bpf_link__destroy(m->links[--m->nr_links]);
}

static __u64 rx_packets(const struct meter *m)
{
	unsigned long long value;
	FILE *f = fopen(m->rx_path, "r");

	if (!f || fscanf(f, "%llu", &value) != 1)
		die("cannot read %s", m->rx_path);
	fclose(f);
	return value;
}

static __s64 pgalloc(void)
{
	FILE *f = fopen("/proc/vmstat", "r");
	long long value, sum = -1;
	char name[64];

	if (!f)
		return -1;
	while (fscanf(f, "%63s %lld", name, &value) == 2)
		if (!strncmp(name, "pgalloc_", 8))
			sum = (sum < 0 ? 0 : sum) + value;
	fclose(f);
	return sum;
}

static __u64 counter_sum(int fd, __u32 key)
{
	int i, cpus = libbpf_num_possible_cpus();
	__u64 values[cpus > 0 ? cpus : 1], sum = 0;

	if (cpus < 1 || bpf_map_lookup_elem(fd, &key, values))
		die("cannot read the probes' counters");
	for (i = 0; i < cpus; i++)
		sum += values[i];
	return sum;
}

void meter_sample(struct meter *m, struct meter_sample *s, __u64 seen)
{
	__u32 c;

	s->ns = now_ns();
	s->seen = seen;
	s->rx_packets = rx_packets(m);
	s->pgalloc = pgalloc();
	for (c = 0; c < METER_COUNTERS; c++)
		s->probed[c] = m->map_fd < 0 ? 0 : counter_sum(m->map_fd, c);
}

static void print_probed(const struct meter *m, const struct meter_sample *from,
			 const struct meter_sample *to)
{
	int c;

	for (c = 0; c < METER_COUNTERS; c++) {
		printf(",\"%s\":", counter_names[c]);
		if (m->has[c])
			printf("%llu", to->probed[c] - from->probed[c]);
		else
			printf("null");
	}
}

void meter_print(const struct meter *m, const struct meter_sample *from,
		 const struct meter_sample *to, bool probed)
{
	printf("{\"ns\":%llu,\"seen\":%llu,\"rx_packets\":%llu,\"pgalloc\":",
	       to->ns - from->ns, to->seen - from->seen,
	       to->rx_packets - from->rx_packets);
	if (to->pgalloc < 0)
		printf("null");
	else
		printf("%lld", to->pgalloc - from->pgalloc);
	if (probed)
		print_probed(m, from, to);
	printf("}");
}
