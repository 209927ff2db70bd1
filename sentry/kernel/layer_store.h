/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the changes of the writable layers as one OCI image layer: a tar archive with PAX headers,
 * where ".wh.NAME" stands for what was deleted, and ".wh..wh..opq" in a directory that shows
 * nothing of what was there before. Sockets have no place in an archive and are left out.
 */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>

struct overlay_difference;
struct layer_store;

/* fd: a regular file, or anything that takes bytes; borrowed. */
must_check int layer_store_new(int fd, struct layer_store **out);
/* Remembers one change; path is absolute. Inodes are kept until the end. */
must_check int layer_store_add(
	struct layer_store *store, const char *path, const struct overlay_difference *difference);
/* Writes all, sorted; frees the store. */
must_check int layer_store_finish(struct layer_store *store);
