// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <string.h>

#include "print.h"
#include "words.h"

static void print_value(FILE *out, const struct value *v)
{
	fputs(words_base[v->base], out);
	if (v->base == BASE_ZERO)
		fprintf(out, "%" PRId64, v->add);
	else if (v->add)
		fprintf(out, "%+" PRId64, v->add);
}

static bool same_value(const struct value *a, const struct value *b)
{
	return a->set == b->set && a->base == b->base && a->add == b->add;
}

static bool same_lengths(const struct packet_step *p)
{
	unsigned int i;

	for (i = 1; i < SCRIPT_MAX_BUFS; i++)
		if (!same_value(&p->used_len[0], &p->used_len[i]))
			return false;
	return p->used_len[0].set;
}

static void print_lengths(FILE *out, const struct packet_step *p)
{
	unsigned int i;

	if (same_lengths(p)) {
		fputs(" used_len[*]=", out);
		print_value(out, &p->used_len[0]);
		return;
	}
	for (i = 0; i < SCRIPT_MAX_BUFS; i++) {
		if (!p->used_len[i].set)
			continue;
		fprintf(out, " used_len[%u]=", i);
		print_value(out, &p->used_len[i]);
	}
}

/* Equal ones together: a line has an end */
static void print_parts(FILE *out, const struct packet_step *p)
{
	unsigned int i, n;

	for (i = 0; i < p->nr_parts; i += n) {
		for (n = 1; i + n < p->nr_parts; n++)
			if (p->part[i + n] != p->part[i])
				break;
		fprintf(out, "%s%" PRIu32, i ? "," : " split=", p->part[i]);
		if (n > 1)
			fprintf(out, "*%u", n);
	}
}

static void print_packet(FILE *out, const struct packet_step *p)
{
	unsigned int i;

	fprintf(out, "packet len=%" PRIu32 " frame=%s repeat=%u", p->len,
		frame_kind_name(p->frame), p->repeat);
	print_parts(out, p);
	print_lengths(out, p);
	if (p->used_id.set) {
		fputs(" used_id=", out);
		print_value(out, &p->used_id);
	}
	if (p->src.set) {
		fputs(" src=", out);
		print_value(out, &p->src);
	}
	for (i = 0; i < HDR_NR; i++) {
		if (!p->hdr[i].set)
			continue;
		fprintf(out, " hdr.%s=", words_hdr[i]);
		print_value(out, &p->hdr[i]);
	}
	if (p->rewrites)
		fprintf(out, " rewrite=%s:%u", words_hdr[p->rewrite],
			p->rewrite_with);
	fputc('\n', out);
}

void print_step(FILE *out, const struct step *step)
{
	const struct words_step *word = words_step(step->kind);

	if (step->kind == STEP_PACKET)
		print_packet(out, step->packet);
	else if (step->kind == STEP_GUEST)
		fprintf(out, "guest %s\n", step->text);
	else if (step->kind == STEP_CONFIG)
		fprintf(out, "config %s %" PRIu32 "\n",
			words_field(step->offset)->name, step->count);
	else if (word->numbered)
		fprintf(out, "%s %" PRIu32 "\n", word->name, step->count);
	else
		fprintf(out, "%s\n", word->name);
}

void print_script(FILE *out, const struct script *script)
{
	const struct step *step;

	fprintf(out, "title %s\n", script->title);
	for (step = script->steps; step; step = step->next)
		print_step(out, step);
	fputs("expect broken = 1\n", out);
}
