/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers tell how many descriptors are in use, since the host always gives the lowest free one. */
#include "base/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/resource.h>
#include <unistd.h>

/* One part in so many is kept. */
#define KEPT_PART 4

static int g_end = INT_MAX; /* guests' numbers are below; set once */

void descriptor_keep_some(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < INT_MAX)
		g_end = (int)(limit.rlim_cur - limit.rlim_cur / KEPT_PART);
}

int descriptor_settle(int fd, bool (*make_room)(void))
{
	int lower = -1;

	if (likely(fd < g_end))
		return fd;
	if (make_room && make_room())
		lower = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	(void)close(fd);
	if (lower >= g_end) {
		(void)close(lower);
		lower = -1;
	}
	return lower < 0 ? -ENFILE : lower;
}
