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
	/* What the host had there when the sandbox first looked; all 0: nothing. */
	struct change_before {
		uint64_t ino, size;
		int64_t mtime_ns, ctime_ns;
	} before;
};

struct changes {
	struct change *list; /* sorted by path */
	size_t count;
	char *text; /* what the paths are in */
	int error;  /* an errno: the sentry could not tell, or store, all of it */
};

/* From a file that the sentry wrote, and that it cannot write any more. -1: errno says why. */
must_check int changes_read(int fd, struct changes *changes);
/* The change of that path, or NULL. */
const struct change *changes_find(const struct changes *changes, const char *path);
void changes_free(struct changes *changes);
/* One line each, or one JSON array. -1: errno says why. */
must_check int changes_print(const struct changes *changes, bool json, int fd);
/* Counts, and the first of them; owned by the caller. */
json_t *changes_summary(const struct changes *changes);
