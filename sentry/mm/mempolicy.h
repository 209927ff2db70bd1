/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory policies (numa(7)) as on a machine with one node: they are remembered, of tasks and of
 * mappings, and told; all memory comes from node 0 whatever they say.
 */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mempolicy {
	uint16_t mode;	/* LINUX_MPOL_*; DEFAULT: there is none */
	uint16_t flags; /* LINUX_MPOL_F_STATIC_NODES and so on */
	uint64_t nodes; /* as they are told: with one of these flags as they were given */
};

static inline bool mempolicy_equal(const struct mempolicy *a, const struct mempolicy *b)
{
	return a->mode == b->mode && a->flags == b->flags && a->nodes == b->nodes;
}

/* As /proc/PID/numa_maps has it: "bind:0". */
void mempolicy_format(const struct mempolicy *policy, char *text, size_t size);
