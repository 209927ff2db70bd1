/* SPDX-License-Identifier: Apache-2.0 */
/* What a run changed in its writable layer, as the command shows it. */
#pragma once

#include "base/compiler.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct change {
	char change; /* A, M or D */
	char type;   /* as ls -l has it, but f for a regular file; - for what is gone */
	uint64_t size;
	const char *path;
};

struct changes {
	struct change *list; /* sorted by path */
	size_t count;
	char *text; /* what the paths are in */
};

/*
 * From a file that the sentry wrote, and that it cannot write any more. Directories that are there
 * only as places for mounts are left out: destinations, count of them. -1: errno says why.
 */
must_check int changes_read(
	int fd, const char *const *destinations, size_t destination_count, struct changes *changes);
void changes_free(struct changes *changes);
/* One line each, or one JSON array. -1: errno says why. */
must_check int changes_print(const struct changes *changes, bool json, int fd);
/* Counts, and the first of them; owned by the caller. */
json_t *changes_summary(const struct changes *changes);
