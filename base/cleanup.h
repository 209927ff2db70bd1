/* SPDX-License-Identifier: Apache-2.0 */
/* Releases at the end of a block: descriptors and memory. */
#pragma once

#include "base/compiler.h"

#include <stdlib.h>
#include <unistd.h>

static inline void close_fd_pointer(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

static inline void free_pointer(void *pointer)
{
	free(*(void **)pointer);
}

#define auto_close cleanup_(close_fd_pointer)
#define auto_free  cleanup_(free_pointer)

static inline int steal_fd(int *fd)
{
	int stolen = *fd;

	*fd = -1;
	return stolen;
}
