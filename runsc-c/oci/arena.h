/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that goes all at once: what a configuration was read into. */
#pragma once

#include "base/compiler.h"

#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *blocks;
};

/* Zeroed; NULL when there is no memory. count and size may be hostile: their product is checked. */
void *arena_allocate(struct arena *arena, size_t count, size_t size);
char *arena_string(struct arena *arena, const char *text);
char *arena_format(struct arena *arena, const char *format, ...) format_(2, 3);
void arena_free(struct arena *arena);
