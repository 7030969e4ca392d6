// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "corpus.h"
#include "print.h"

bool corpus_keep(struct corpus *c, struct script *script)
{
	struct script **entry;

	entry = realloc(c->entry, (c->nr + 1) * sizeof(*entry));
	if (!entry)
		return false;
	c->entry = entry;
	c->entry[c->nr++] = script;
	return true;
}

static int is_script(const struct dirent *e)
{
	const char *dot = strrchr(e->d_name, '.');

	return dot && !strcmp(dot, ".fault");
}

static void load_file(struct corpus *c, const char *name)
{
	struct script *script;
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", c->dir, name);
	script = script_read(path);
	if (script && !corpus_keep(c, script))
		script_free(script);
}

void corpus_load(struct corpus *c, const char *dir)
{
	struct dirent **names;
	int i, nr;

	*c = (struct corpus) { .dir = dir };
	mkdir(dir, 0755);
	nr = scandir(dir, &names, is_script, alphasort);
	for (i = 0; i < nr; i++) {
		load_file(c, names[i]->d_name);
		free(names[i]);
	}
	if (nr >= 0)
		free(names);
}

void corpus_free(struct corpus *c)
{
	while (c->nr)
		script_free(c->entry[--c->nr]);
	free(c->entry);
	c->entry = NULL;
}

/* FNV-1a */
static uint64_t hash_text(const char *text)
{
	uint64_t hash = 0xcbf29ce484222325ull;

	while (*text)
		hash = (hash ^ (uint8_t)*text++) * 0x100000001b3ull;
	return hash;
}

/* The same script has the same name, and is not written again */
static void save(struct corpus *c, const char *text)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%016llx.fault", c->dir,
		 (unsigned long long)hash_text(text));
	file = fopen(path, "wxe");
	if (!file)
		return;
	fprintf(file, "# SPDX-License-Identifier: GPL-2.0\n%s", text);
	if (!fclose(file))
		c->saved++;
}

bool corpus_add(struct corpus *c, struct script *script)
{
	char *text = NULL;
	size_t size;
	FILE *out;

	if (!corpus_keep(c, script))
		return false;
	out = open_memstream(&text, &size);
	if (!out)
		return true;
	print_script(out, script);
	fclose(out);
	save(c, text);
	free(text);
	return true;
}

/* The newest are the most promising */
const struct script *corpus_pick(const struct corpus *c, struct rng *rng)
{
	unsigned int newest = c->nr < 20 ? c->nr : 20;

	if (!c->nr)
		return NULL;
	if (rng_one_in(rng, 3))
		return c->entry[c->nr - 1 - rng_below(rng, newest)];
	return c->entry[rng_below(rng, c->nr)];
}
