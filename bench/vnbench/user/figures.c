// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "figures.h"

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Of n sorted values, the one that so many of them are below */
static double quantile(const double *sorted, int n, double share)
{
	double at = share * (n - 1);
	int i = at;

	if (i >= n - 1)
		return sorted[n - 1];
	return sorted[i] + (at - i) * (sorted[i + 1] - sorted[i]);
}

double figures_median(const double *figures, int n)
{
	double sorted[MAX_ROUNDS];

	memcpy(sorted, figures, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), compare);
	return quantile(sorted, n, .5);
}

void figures_ratio(const double *first, const double *figures, int n,
		   bool more)
{
	double ratio[MAX_ROUNDS];
	int i;

	for (i = 0; i < n; i++)
		ratio[i] = more ? figures[i] / first[i] : first[i] / figures[i];
	qsort(ratio, n, sizeof(*ratio), compare);
	printf(",\"ratio_to_stock\":%.4f,\"spread\":[%.4f,%.4f]",
	       quantile(ratio, n, .5), quantile(ratio, n, .1),
	       quantile(ratio, n, .9));
}

void figures_error(const char *why)
{
	printf(",\"value\":null,\"ratio_to_stock\":null,\"spread\":null");
	printf(",\"error\":\"%s\"", why);
}
