/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signalfd(2). A read or poll looks at the signals of whoever makes it, so the wait queue is that
 * of the caller's signal handlers (sighand->signalfd_queue).
 */
#include "sentry/fs/anon/anon.h"

#include "abi/epoll.h"
#include "abi/fcntl.h"
#include "base/text_writer.h"
#include "sentry/kernel/signal.h"
#include "sentry/kernel/task.h"
#include "sentry/lock_order.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

struct signalfd {
	_Atomic linux_sigset_t mask;
};

/* Which members of siginfo hold is told by the code, then by the signal (siginfo_layout() of
 * Linux). */
static void signalfd_fill_fault(
	struct linux_signalfd_siginfo *out, const struct linux_siginfo *info)
{
	out->ssi_addr = info->sigfault.si_addr;
	if (info->si_signo == LINUX_SIGBUS && info->si_code >= LINUX_BUS_MCEERR_AR)
		out->ssi_addr_lsb = (uint16_t)info->sigfault.si_addr_lsb;
	if (info->si_signo == LINUX_SIGTRAP)
		out->ssi_trapno = (uint32_t)info->sigfault.si_trapno;
}

static void signalfd_fill_kernel(
	struct linux_signalfd_siginfo *out, const struct linux_siginfo *info)
{
	switch (info->si_signo) {
	case LINUX_SIGCHLD:
		out->ssi_pid = (uint32_t)info->sigchld.si_pid;
		out->ssi_uid = info->sigchld.si_uid;
		out->ssi_status = info->sigchld.si_status;
		out->ssi_utime = (uint64_t)info->sigchld.si_utime;
		out->ssi_stime = (uint64_t)info->sigchld.si_stime;
		break;
	case LINUX_SIGPOLL:
		out->ssi_band = (uint32_t)info->sigpoll.si_band;
		out->ssi_fd = info->sigpoll.si_fd;
		break;
	case LINUX_SIGSYS:
		out->ssi_call_addr = info->sigsys.si_call_addr;
		out->ssi_syscall = info->sigsys.si_syscall;
		out->ssi_arch = info->sigsys.si_arch;
		break;
	case LINUX_SIGILL:
	case LINUX_SIGFPE:
	case LINUX_SIGSEGV:
	case LINUX_SIGBUS:
	case LINUX_SIGTRAP:
		signalfd_fill_fault(out, info);
		break;
	default:
		out->ssi_pid = (uint32_t)info->kill.si_pid;
		out->ssi_uid = info->kill.si_uid;
	}
}

static void signalfd_fill(struct linux_signalfd_siginfo *out, const struct linux_siginfo *info)
{
	*out = (struct linux_signalfd_siginfo){
		.ssi_signo = (uint32_t)info->si_signo,
		.ssi_errno = info->si_errno,
		.ssi_code = info->si_code,
	};
	if (info->si_code > 0 && info->si_code < LINUX_SI_KERNEL) {
		signalfd_fill_kernel(out, info);
	} else if (info->si_code == LINUX_SI_TIMER) {
		out->ssi_tid = (uint32_t)info->timer.si_tid;
		out->ssi_overrun = (uint32_t)info->timer.si_overrun;
		out->ssi_ptr = info->timer.si_sigval.sival_ptr;
		out->ssi_int = info->timer.si_sigval.sival_int;
	} else if (info->si_code == LINUX_SI_SIGIO) {
		out->ssi_band = (uint32_t)info->sigpoll.si_band;
		out->ssi_fd = info->sigpoll.si_fd;
	} else {
		out->ssi_pid = (uint32_t)info->rt.si_pid;
		out->ssi_uid = info->rt.si_uid;
		/* Queued by a program with a value. */
		if (info->si_code < 0 && info->si_code != LINUX_SI_TKILL) {
			out->ssi_ptr = info->rt.si_sigval.sival_ptr;
			out->ssi_int = info->rt.si_sigval.sival_int;
		}
	}
}

static int64_t signalfd_read(struct file *file, struct iov_iter *to, int64_t *position)
{
	struct signalfd *signalfd = file->private;
	int64_t done = 0;

	if (iov_iter_count(to) < sizeof(struct linux_signalfd_siginfo))
		return -EINVAL;
	while (iov_iter_count(to) >= sizeof(struct linux_signalfd_siginfo)) {
		struct linux_signalfd_siginfo out;
		struct linux_siginfo info;

		if (!signal_dequeue(current, signalfd->mask, &info))
			break;
		signalfd_fill(&out, &info);
		if (copy_to_iter(&out, sizeof(out), to) < sizeof(out))
			return done ? done : -EFAULT;
		done += (int64_t)sizeof(out);
	}
	return done ? done : -EAGAIN;
}

static uint32_t signalfd_poll(struct file *file)
{
	struct signalfd *signalfd = file->private;

	mutex_guard(&current->sighand->lock);
	return (current->pending.set | current->group->shared_pending.set) & signalfd->mask
		       ? LINUX_EPOLLIN
		       : 0;
}

static struct wait_queue *signalfd_wait_queue(struct file *file)
{
	return &current->sighand->signalfd_queue;
}

static void signalfd_release(struct file *file)
{
	free(file->private);
}

static void signalfd_show_fdinfo(struct file *file, struct text_writer *out)
{
	struct signalfd *signalfd = file->private;

	text_printf(out, "sigmask:\t%016" PRIx64 "\n", signalfd->mask);
}

static const struct file_operations signalfd_operations = {
	.seek = file_seek_nowhere,
	.read = signalfd_read,
	.poll = signalfd_poll,
	.wait_queue = signalfd_wait_queue,
	.release = signalfd_release,
	.show_fdinfo = signalfd_show_fdinfo,
	.name = "[signalfd]",
};

bool file_is_signalfd(const struct file *file)
{
	return file->ops == &signalfd_operations;
}

static linux_sigset_t signalfd_allowed(linux_sigset_t mask)
{
	return mask & ~(signal_bit(LINUX_SIGKILL) | signal_bit(LINUX_SIGSTOP));
}

void signalfd_set_mask(struct file *file, linux_sigset_t mask)
{
	((struct signalfd *)file->private)->mask = signalfd_allowed(mask);
	wait_queue_wake(&current->sighand->signalfd_queue, LINUX_EPOLLIN);
}

int signalfd_new_file(linux_sigset_t mask, uint32_t flags, struct file **out)
{
	struct signalfd *signalfd = calloc(1, sizeof(*signalfd));
	int error;

	if (!signalfd)
		return -ENOMEM;
	signalfd->mask = signalfd_allowed(mask);
	error = file_new_anonymous(anon_inode_get(), &signalfd_operations,
		FILE_READ | FILE_WRITE | FILE_STREAM, LINUX_O_RDWR | flags, signalfd, "[signalfd]",
		out);
	if (error)
		free(signalfd);
	return error;
}
