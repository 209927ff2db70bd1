/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The main thread's own work: noticing the death of a stub at once, also of one that waits in the
 * pool or whose task sleeps. Their exit signal is SIGKILL, but the first process of a pid namespace
 * does not die of one that comes from below.
 *
 * By pidfds, which tell of an end and nothing else: a wait4(2) for any child, even with
 * __WNOTHREAD, now and then takes a stop that the thread which attached the stub waits for.
 */
#include "platform/ptrace/ptrace_platform.h"

#include "base/log.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

int watch_init(struct ptrace_platform *platform)
{
	platform->death_fd = epoll_create1(EPOLL_CLOEXEC);
	return platform->death_fd < 0 ? -errno : 0;
}

int watch_add(struct ptrace_platform *platform, pid_t pid)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)pid};
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	/* For a guest that forks, out of descriptors is as out of processes. */
	if (fd < 0)
		return errno == EMFILE || errno == ENFILE ? -EAGAIN : -errno;
	/* Never closed: stubs do not end. */
	return epoll_ctl(platform->death_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

void platform_ptrace_watch(struct platform *platform)
{
	struct ptrace_platform *self = ptrace_platform_of(platform);

	for (;;) {
		struct epoll_event event;
		int count = epoll_wait(self->death_fd, &event, 1, -1);

		panic_if(count < 0 && errno != EINTR, "waiting for stub processes: %s",
			strerror(errno));
		panic_if(count > 0, "stub process %d ended unasked", (int)event.data.u64);
	}
}
