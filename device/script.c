// SPDX-License-Identifier: GPL-2.0
/*
 * The parser. A line is a directive with arguments; everything it does not
 * know is an error that names file and line.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "feature.h"
#include "script.h"
#include "words.h"

#define MAX_ARGS	32
#define MAX_LINE	1024

struct parser {
	const char *path;
	unsigned int line;
	struct script *script;
	struct step **next_step;
	struct step **next_before;
	struct expect **next_expect;
	int argc;
	char *argv[MAX_ARGS];
	jmp_buf failed;
};

__attribute__((format(printf, 2, 3), noreturn))
static void fail(struct parser *p, const char *fmt, ...)
{
	va_list args;

	fprintf(stderr, "%s:%u: ", p->path, p->line);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	longjmp(p->failed, 1);
}

static void *zalloc(struct parser *p, size_t size)
{
	void *mem = calloc(1, size);

	if (!mem)
		fail(p, "no memory");
	return mem;
}

/* --- words ---------------------------------------------------------------- */

static int64_t parse_number(struct parser *p, const char *text)
{
	long long value;
	char *end;

	errno = 0;
	value = strtoll(text, &end, 0);
	if (errno || end == text || *end)
		fail(p, "'%s' is not a number", text);
	return value;
}

static uint32_t parse_range(struct parser *p, const char *text, int64_t min,
			    int64_t max)
{
	int64_t value = parse_number(p, text);

	if (value < min || value > max)
		fail(p, "%s is not from %lld to %lld", text, (long long)min,
		     (long long)max);
	return value;
}

static void copy_text(struct parser *p, char *to, size_t size,
		      const char *text)
{
	if (strlen(text) >= size)
		fail(p, "'%s' is longer than %zu characters", text, size - 1);
	strcpy(to, text);
}

/* BASE, BASE+N, BASE-N or N */
static struct value parse_value(struct parser *p, const char *text)
{
	struct value value = { .set = true };
	unsigned int i;
	size_t len;

	for (i = BASE_ZERO + 1; i < BASE_NR; i++) {
		len = strlen(words_base[i]);
		if (strncmp(text, words_base[i], len))
			continue;
		value.base = i;
		text += len;
		if (!*text)
			return value;
		if (*text != '+' && *text != '-')
			fail(p, "'%s' after '%s'", text,
			     words_base[i]);
		break;
	}
	value.add = parse_number(p, text);
	return value;
}

/* WORD|WORD|... */
static void parse_condition(struct parser *p, struct condition *c, char *text)
{
	static const char *const known[] = {
		"small", "mergeable", "big", "split", "packed", "off",
		"single", "multi", "xdp", "plain", "premapped",
	};
	char *word, *save = NULL;
	size_t i;

	for (word = strtok_r(text, "|", &save); word;
	     word = strtok_r(NULL, "|", &save)) {
		for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			if (!strcmp(known[i], word))
				break;
		if (i == sizeof(known) / sizeof(known[0]))
			fail(p, "no condition is called '%s'", word);
		if (c->nr == SCRIPT_MAX_WORDS)
			fail(p, "more than %d conditions", SCRIPT_MAX_WORDS);
		strcpy(c->word[c->nr++], word);
	}
}

static void want_args(struct parser *p, int min, int max)
{
	if (p->argc - 1 < min || p->argc - 1 > max)
		fail(p, "%s takes %d to %d arguments, not %d", p->argv[0], min,
		     max, p->argc - 1);
}

/* The line again, from argument FIRST on */
static void join(struct parser *p, char *to, size_t size, int first)
{
	char line[MAX_LINE] = "";
	int i;

	for (i = first; i < p->argc; i++) {
		if (i > first)
			strcat(line, " ");
		strcat(line, p->argv[i]);
	}
	copy_text(p, to, size, line);
}

/* --- packets -------------------------------------------------------------- */

static enum hdr_field parse_field(struct parser *p, const char *name)
{
	unsigned int i;

	for (i = 0; i < HDR_NR; i++)
		if (!strcmp(words_hdr[i], name))
			return i;
	fail(p, "the virtio header has no '%s'", name);
}

static enum frame_kind parse_frame(struct parser *p, const char *name)
{
	unsigned int i;

	for (i = 0; frame_kind_name(i); i++)
		if (!strcmp(frame_kind_name(i), name))
			return i;
	fail(p, "no frame is called '%s'", name);
}

/* N,N,N*TIMES */
static void parse_parts(struct parser *p, struct packet_step *s, char *text)
{
	char *item, *times, *save = NULL;
	uint32_t len, n;

	for (item = strtok_r(text, ",", &save); item;
	     item = strtok_r(NULL, ",", &save)) {
		times = strchr(item, '*');
		if (times)
			*times++ = 0;
		len = parse_range(p, item, 0, FRAME_MAX);
		n = times ? parse_range(p, times, 1, SCRIPT_MAX_BUFS) : 1;
		while (n--) {
			if (s->nr_parts == SCRIPT_MAX_BUFS)
				fail(p, "more than %d parts", SCRIPT_MAX_BUFS);
			s->part[s->nr_parts++] = len;
		}
	}
}

/* used_len, used_len[N] or used_len[*] */
static void parse_used_len(struct parser *p, struct packet_step *s,
			   const char *index, const char *text)
{
	unsigned int i;
	char digits[8];

	if (!strcmp(index, "[*]")) {
		for (i = 0; i < SCRIPT_MAX_BUFS; i++)
			s->used_len[i] = parse_value(p, text);
		return;
	}
	i = strlen(index);
	if (!i) {
		s->used_len[0] = parse_value(p, text);
		return;
	}
	if (index[0] != '[' || index[i - 1] != ']' || i > sizeof(digits))
		fail(p, "'used_len%s' is not known", index);
	memcpy(digits, index + 1, i - 2);
	digits[i - 2] = 0;
	i = parse_range(p, digits, 0, SCRIPT_MAX_BUFS - 1);
	s->used_len[i] = parse_value(p, text);
}

/* FIELD:VALUE */
static void parse_rewrite(struct parser *p, struct packet_step *s, char *text)
{
	char *value = strchr(text, ':');

	if (!value)
		fail(p, "rewrite=FIELD:VALUE, not '%s'", text);
	*value++ = 0;
	s->rewrite = parse_field(p, text);
	s->rewrite_with = parse_range(p, value, 0, 0xffff);
	s->rewrites = true;
}

static void parse_packet_arg(struct parser *p, struct packet_step *s,
			     char *arg)
{
	char *value = strchr(arg, '=');

	if (!value)
		fail(p, "packet takes KEY=VALUE, not '%s'", arg);
	*value++ = 0;
	if (!strcmp(arg, "len"))
		s->len = parse_range(p, value, 0, FRAME_MAX);
	else if (!strcmp(arg, "frame"))
		s->frame = parse_frame(p, value);
	else if (!strcmp(arg, "repeat"))
		s->repeat = parse_range(p, value, 1, 100000);
	else if (!strcmp(arg, "split"))
		parse_parts(p, s, value);
	else if (!strcmp(arg, "used_id"))
		s->used_id = parse_value(p, value);
	else if (!strcmp(arg, "src"))
		s->src = parse_value(p, value);
	else if (!strncmp(arg, "used_len", 8))
		parse_used_len(p, s, arg + 8, value);
	else if (!strncmp(arg, "hdr.", 4))
		s->hdr[parse_field(p, arg + 4)] = parse_value(p, value);
	else if (!strcmp(arg, "rewrite"))
		parse_rewrite(p, s, value);
	else
		fail(p, "a packet has no '%s'", arg);
}

/* --- directives ----------------------------------------------------------- */

static struct step *new_step(struct parser *p, enum step_kind kind)
{
	struct step *s = zalloc(p, sizeof(*s));

	s->kind = kind;
	s->line = p->line;
	*p->next_step = s;
	p->next_step = &s->next;
	return s;
}

static void do_packet(struct parser *p)
{
	struct step *s = new_step(p, STEP_PACKET);
	int i;

	s->packet = zalloc(p, sizeof(*s->packet));
	s->packet->repeat = 1;
	s->packet->len = FRAME_MIN;
	for (i = 1; i < p->argc; i++)
		parse_packet_arg(p, s->packet, p->argv[i]);
}

/* Directives of one number */
static void do_count(struct parser *p, enum step_kind kind, int64_t max)
{
	struct step *s;

	want_args(p, 1, 1);
	s = new_step(p, kind);
	s->count = parse_range(p, p->argv[1], 0, max);
}

static void do_plain(struct parser *p, enum step_kind kind)
{
	want_args(p, 0, 0);
	new_step(p, kind);
}

static void do_guest(struct parser *p)
{
	struct step *s;

	want_args(p, 1, 4);
	s = new_step(p, STEP_GUEST);
	join(p, s->text, sizeof(s->text), 1);
}

static void set_config(struct parser *p, struct step *s)
{
	const struct words_field *field;

	want_args(p, 2, 2);
	for (field = words_fields; field->name; field++)
		if (!strcmp(field->name, p->argv[1]))
			break;
	if (!field->name)
		fail(p, "the config space has no '%s'", p->argv[1]);
	s->offset = field->offset;
	s->size = field->size;
	s->count = parse_range(p, p->argv[2], 0, UINT32_MAX >>
			       (32 - 8 * s->size));
}

/* Before the driver probes the device, or while it runs */
static void do_config(struct parser *p, bool before)
{
	struct step *s;

	if (!before) {
		set_config(p, new_step(p, STEP_CONFIG));
		return;
	}
	s = zalloc(p, sizeof(*s));
	s->kind = STEP_CONFIG;
	s->line = p->line;
	*p->next_before = s;
	p->next_before = &s->next;
	set_config(p, s);
}

static void do_feature(struct parser *p)
{
	int i, bit;

	want_args(p, 1, 8);
	for (i = 1; i < p->argc; i++) {
		bit = feature_by_name(p->argv[i] + 1);
		if (bit < 0 || !strchr("+-", p->argv[i][0]))
			fail(p, "'%s' is not + or - and a feature",
			     p->argv[i]);
		if (p->argv[i][0] == '+')
			p->script->more |= 1ull << bit;
		else
			p->script->less |= 1ull << bit;
	}
	p->script->alone = true;
}

static const char *const counters[] = {
	"rx_packets", "rx_dropped", "rx_length_errors", "rx_frame_errors",
	"delivered", "good", "wrong", "errors", "broken", "probe", "link",
	"config_mtu",
};

static enum expect_op parse_op(struct parser *p, const char *text)
{
	if (!strcmp(text, "="))
		return OP_EQ;
	if (!strcmp(text, ">="))
		return OP_GE;
	if (!strcmp(text, "<="))
		return OP_LE;
	fail(p, "the comparison is =, >= or <=, not '%s'", text);
}

/* expect COUNTER OP NUMBER [if WORD|WORD] */
static void do_expect(struct parser *p)
{
	struct expect *e;
	size_t i;

	if (p->argc != 4 && p->argc != 6)
		fail(p, "expect COUNTER OP NUMBER [if WORDS]");
	for (i = 0; i < sizeof(counters) / sizeof(counters[0]); i++)
		if (!strcmp(counters[i], p->argv[1]))
			break;
	if (i == sizeof(counters) / sizeof(counters[0]))
		fail(p, "no counter is called '%s'", p->argv[1]);
	e = zalloc(p, sizeof(*e));
	*p->next_expect = e;
	p->next_expect = &e->next;
	e->line = p->line;
	strcpy(e->counter, counters[i]);
	e->op = parse_op(p, p->argv[2]);
	e->value = parse_range(p, p->argv[3], 0, INT32_MAX);
	if (p->argc < 6)
		return;
	if (strcmp(p->argv[4], "if"))
		fail(p, "'if', not '%s'", p->argv[4]);
	parse_condition(p, &e->when, p->argv[5]);
}

static void do_words(struct parser *p, struct condition *c)
{
	want_args(p, 1, 1);
	if (c->nr)
		fail(p, "a second '%s'", p->argv[0]);
	parse_condition(p, c, p->argv[1]);
}

static void do_title(struct parser *p)
{
	want_args(p, 1, MAX_ARGS);
	join(p, p->script->title, sizeof(p->script->title), 1);
}

static void do_disconnect(struct parser *p)
{
	do_plain(p, STEP_DISCONNECT);
	p->script->alone = true;
}

/* Directives that are steps of one number, or of none */
static bool do_simple(struct parser *p)
{
	const struct words_step *word;

	for (word = words_steps; word->name; word++)
		if (!strcmp(word->name, p->argv[0])) {
			if (word->numbered)
				do_count(p, word->kind, word->max);
			else
				do_plain(p, word->kind);
			return true;
		}
	return false;
}

static void directive(struct parser *p)
{
	const char *name = p->argv[0];

	if (!strcmp(name, "title"))
		do_title(p);
	else if (!strcmp(name, "only"))
		do_words(p, &p->script->only);
	else if (!strcmp(name, "not"))
		do_words(p, &p->script->not);
	else if (!strcmp(name, "feature"))
		do_feature(p);
	else if (!strcmp(name, "before"))
		do_config(p, true);
	else if (!strcmp(name, "config"))
		do_config(p, false);
	else if (!strcmp(name, "packet"))
		do_packet(p);
	else if (!strcmp(name, "disconnect"))
		do_disconnect(p);
	else if (!strcmp(name, "guest"))
		do_guest(p);
	else if (!strcmp(name, "expect"))
		do_expect(p);
	else if (!do_simple(p))
		fail(p, "no directive is called '%s'", name);
}

/* --- files ---------------------------------------------------------------- */

static void parse_line(struct parser *p, char *line)
{
	char *word, *save = NULL;

	line[strcspn(line, "#\n")] = 0;
	p->argc = 0;
	for (word = strtok_r(line, " \t", &save); word;
	     word = strtok_r(NULL, " \t", &save)) {
		if (p->argc == MAX_ARGS)
			fail(p, "more than %d words", MAX_ARGS);
		p->argv[p->argc++] = word;
	}
	if (p->argc)
		directive(p);
}

static void parse_file(struct parser *p, FILE *file)
{
	char line[MAX_LINE];

	while (fgets(line, sizeof(line), file)) {
		p->line++;
		if (strlen(line) == sizeof(line) - 1)
			fail(p, "a line of more than %d characters",
			     MAX_LINE - 2);
		parse_line(p, line);
	}
	if (ferror(file))
		fail(p, "%s", strerror(errno));
	if (!p->script->title[0])
		fail(p, "the script has no title");
	if (!p->script->expects)
		fail(p, "the script expects nothing");
}

static void script_name(char *name, const char *path)
{
	const char *base = strrchr(path, '/');
	char *dot;

	snprintf(name, SCRIPT_TEXT, "%s", base ? base + 1 : path);
	dot = strrchr(name, '.');
	if (dot)
		*dot = 0;
}

struct script *script_read(const char *path)
{
	struct script *script = calloc(1, sizeof(*script));
	FILE *file = fopen(path, "re");
	struct parser p = { .path = path, .script = script };

	if (!script || !file) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		free(script);
		if (file)
			fclose(file);
		return NULL;
	}
	script_name(script->name, path);
	p.next_step = &script->steps;
	p.next_before = &script->before;
	p.next_expect = &script->expects;
	if (setjmp(p.failed)) {
		fclose(file);
		script_free(p.script);
		return NULL;
	}
	parse_file(&p, file);
	fclose(file);
	return p.script;
}

static void steps_free(struct step *s)
{
	while (s) {
		struct step *next = s->next;

		free(s->packet);
		free(s);
		s = next;
	}
}

void script_free(struct script *script)
{
	struct expect *e = script->expects;

	while (e) {
		struct expect *next = e->next;

		free(e);
		e = next;
	}
	steps_free(script->before);
	steps_free(script->steps);
	free(script);
}
