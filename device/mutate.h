/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inputs of the fuzzer are fault scripts: how others are made of them. All that
 * comes out of here is tame: it ends within some milliseconds, and leaves the
 * device and the guest as it has found them unless the driver breaks.
 */
#ifndef VNDEV_MUTATE_H
#define VNDEV_MUTATE_H

#include "rng.h"
#include "script.h"

#define MUTATE_MAX_STEPS	10

/*
 * The same steps again, as far as they are for the fuzzer. Returns NULL
 * without memory, as the others do.
 */
struct script *mutate_tame(const struct script *script);

/* SCRIPT in another way, maybe with a part of OTHER */
struct script *mutate(struct rng *rng, const struct script *script,
		      const struct script *other);

#endif /* VNDEV_MUTATE_H */
