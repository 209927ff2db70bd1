/* SPDX-License-Identifier: Apache-2.0 */
/* Life of a tty, typing into it, hanging it up. */
#include "sentry/fs/devpts/tty.h"

#include "abi/epoll.h"
#include "abi/ioctl.h"
#include "sentry/kernel/session.h"
#include "sentry/kernel/signal.h"
#include "sentry/kernel/task.h"
#include "sentry/lock_order.h"
#include "sentry/vfs/inode.h"

#include <errno.h>
#include <stdlib.h>

REFCOUNT_TYPE(tty_refs, "tty");

int tty_new(const struct tty_driver *driver, struct tty **out)
{
	struct tty *tty = calloc(1, sizeof(*tty));

	if (!tty)
		return -ENOMEM;
	refcount_init(&tty->refs, &tty_refs);
	tty->driver = driver;
	mutex_init(&tty->lock, RANK_PIPE, "tty");
	line_discipline_init(&tty->line);
	wait_queue_init(&tty->slave_queue);
	wait_queue_init(&tty->master_queue);
	tty->master_open = true;
	*out = tty;
	return 0;
}

struct tty *tty_get(struct tty *tty)
{
	refcount_get(&tty->refs);
	return tty;
}

void tty_put(struct tty *tty)
{
	if (!tty || !refcount_put(&tty->refs))
		return;
	if (tty->session)
		session_put(tty->session);
	if (tty->foreground)
		pid_put(tty->foreground);
	wait_queue_destroy(&tty->slave_queue);
	wait_queue_destroy(&tty->master_queue);
	mutex_destroy(&tty->lock);
	free(tty->private);
	free(tty);
}

void tty_signal_foreground_locked(struct tty *tty, int signal)
{
	struct linux_siginfo info;

	mutex_assert_held(&tty->lock);
	if (!tty->foreground)
		return;
	siginfo_kernel(&info, signal);
	(void)signal_send_process_group(tty->foreground, &info);
}

size_t tty_type_locked(struct tty *tty, const uint8_t *bytes, size_t size)
{
	struct line_events events;
	size_t taken = line_discipline_type(&tty->line, bytes, size, &events);

	for (int signal = 1; events.signals >> (signal - 1); signal++) {
		if (events.signals >> (signal - 1) & 1)
			tty_signal_foreground_locked(tty, signal);
	}
	if (events.flushed && tty->packet)
		tty->packet_events |= LINUX_TIOCPKT_FLUSHREAD | LINUX_TIOCPKT_FLUSHWRITE;
	if (line_discipline_readable(&tty->line))
		wait_queue_wake(&tty->slave_queue, LINUX_EPOLLIN | LINUX_EPOLLRDNORM);
	if (events.restarted || events.flushed)
		wait_queue_wake(&tty->slave_queue, LINUX_EPOLLOUT | LINUX_EPOLLWRNORM);
	if (line_discipline_output_size(&tty->line) || tty->packet_events)
		tty->driver->output(tty);
	return taken;
}

/* The session's leader, or NULL, with a reference; the session lets go of the tty. */
static struct thread_group *session_detach_locked(struct tty *tty)
{
	struct thread_group *leader = NULL;

	if (!tty->session)
		return NULL;
	mutex_lock(&g_tasks.lock);
	if (tty->session->leader)
		leader = thread_group_get(tty->session->leader);
	if (tty->session->tty == tty)
		tty->session->tty = NULL;
	mutex_unlock(&g_tasks.lock);
	session_put(tty->session);
	tty->session = NULL;
	if (tty->foreground)
		pid_put(tty->foreground);
	tty->foreground = NULL;
	return leader;
}

void tty_hang_up(struct tty *tty)
{
	struct thread_group *leader;
	struct linux_siginfo info;
	bool had_session;

	mutex_lock(&tty->lock);
	tty->hung_up = true;
	had_session = tty->session != NULL;
	leader = session_detach_locked(tty);
	mutex_unlock(&tty->lock);
	if (leader) {
		siginfo_kernel(&info, LINUX_SIGHUP);
		(void)signal_send_group(leader, &info);
		siginfo_kernel(&info, LINUX_SIGCONT);
		(void)signal_send_group(leader, &info);
		thread_group_put(leader);
	}
	/* The session's reference to the tty. */
	if (had_session)
		tty_put(tty);
	wait_queue_wake(&tty->slave_queue,
		LINUX_EPOLLIN | LINUX_EPOLLOUT | LINUX_EPOLLERR | LINUX_EPOLLHUP);
}

void tty_set_window(struct tty *tty, const struct linux_winsize *window)
{
	mutex_guard(&tty->lock);

	if (tty->window.ws_row == window->ws_row && tty->window.ws_col == window->ws_col &&
		tty->window.ws_xpixel == window->ws_xpixel &&
		tty->window.ws_ypixel == window->ws_ypixel)
		return;
	tty->window = *window;
	tty_signal_foreground_locked(tty, LINUX_SIGWINCH);
}
