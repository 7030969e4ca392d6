/* SPDX-License-Identifier: GPL-2.0 */
#ifndef VNDEV_JSON_H
#define VNDEV_JSON_H

#include <stdio.h>

/* What goes between the quotes of a string */
static inline void put_json(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		if ((unsigned char)*text >= ' ')
			fputc(*text, out);
	}
}

#endif /* VNDEV_JSON_H */
