/* SPDX-License-Identifier: GPL-2.0 */
/* Fault scripts as text, such that script_read() makes the same of it. */
#ifndef VNDEV_PRINT_H
#define VNDEV_PRINT_H

#include <stdio.h>

#include "script.h"

void print_step(FILE *out, const struct step *step);

/*
 * Title and steps. As the parser wants an expectation, it is the one that lets
 * the driver give up its queue.
 */
void print_script(FILE *out, const struct script *script);

#endif /* VNDEV_PRINT_H */
