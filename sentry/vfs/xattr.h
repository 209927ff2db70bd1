/* SPDX-License-Identifier: Apache-2.0 */
/* Extended attributes (xattr(7)): who may touch which. Names were checked to have 1 to 255 bytes.
 */
#pragma once

#include "sentry/vfs/path.h"

#include <sys/types.h>

/* size 0 asks for the size. */
must_check int64_t path_getxattr(
	const struct path *path, const char *name, void *value, size_t size);
must_check int path_setxattr(
	const struct path *path, const char *name, const void *value, size_t size, int flags);
must_check int64_t path_listxattr(const struct path *path, char *list, size_t size);
must_check int path_removexattr(const struct path *path, const char *name);
