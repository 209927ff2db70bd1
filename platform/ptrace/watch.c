/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The main thread's own work: noticing the death of stubs that are not attached. Their exit signal
 * is SIGKILL, but the first process of a pid namespace does not die of one that comes from below.
 */
#include "platform/ptrace/ptrace_platform.h"

#include "base/log.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

void platform_ptrace_watch(struct platform *platform)
{
	struct ptrace_platform *self = ptrace_platform_of(platform);

	for (;;) {
		int status;
		/* The stops of stubs that others attached are theirs to wait for: __WNOTHREAD. */
		pid_t pid = (pid_t)syscall(SYS_wait4, -1, &status, __WALL | __WNOTHREAD, NULL);

		if (pid < 0) {
			panic_if(errno != EINTR, "waiting for stub processes: %s", strerror(errno));
			continue;
		}
		/* An orphan of somebody else's, or its stop, is no news. */
		panic_if((WIFEXITED(status) || WIFSIGNALED(status)) && stub_pool_knows(self, pid),
			"stub process %d ended unasked (wait status %#x)", pid,
			(unsigned int)status);
	}
}
