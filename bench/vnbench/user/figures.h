/* SPDX-License-Identifier: GPL-2.0 */
/* What is made of the figures of many turns, as JSON on standard output. */
#ifndef VNBENCH_FIGURES_H
#define VNBENCH_FIGURES_H

#include <stdbool.h>

#define MAX_KERNELS	8
#define MAX_ROUNDS	1000

double figures_median(const double *figures, int n);

/* How many times as good as first, if more of it is better, or less */
void figures_ratio(const double *first, const double *figures, int n,
		   bool more);

/* Instead of all that, in a cell that could not be measured */
void figures_error(const char *why);

#endif /* VNBENCH_FIGURES_H */
