/* SPDX-License-Identifier: Apache-2.0 */
/* tty_ioctl(4), for both ends of a terminal; what sets termios is in tty_termios.c. */
#include "sentry/fs/devpts/tty.h"

#include "abi/capability.h"
#include "abi/epoll.h"
#include "abi/fcntl.h"
#include "abi/ioctl.h"
#include "sentry/kernel/session.h"
#include "sentry/kernel/signal.h"
#include "sentry/kernel/task.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <string.h>

static int copy_out(struct task *task, uint64_t argument, const void *value, size_t size)
{
	return mm_copy_out(task->mm, argument, value, size);
}

static int copy_in(struct task *task, void *value, uint64_t argument, size_t size)
{
	return mm_copy_in(task->mm, value, argument, size);
}

/* --- flow --- */

static int64_t flush(struct tty *tty, bool from_master, struct task *task, uint64_t queue)
{
	int error = from_master ? 0 : tty_check_background(tty, task, LINUX_SIGTTOU);

	if (error)
		return error;
	if (queue > LINUX_TCIOFLUSH)
		return -EINVAL;
	/* The master's input is the slave's output. */
	if (from_master && queue != LINUX_TCIOFLUSH)
		queue = queue == LINUX_TCIFLUSH ? LINUX_TCOFLUSH : LINUX_TCIFLUSH;
	mutex_lock(&tty->lock);
	if (queue != LINUX_TCOFLUSH)
		line_discipline_flush_input(&tty->line);
	if (queue != LINUX_TCIFLUSH && from_master)
		line_discipline_drop_output(&tty->line, line_discipline_output_size(&tty->line));
	else if (queue != LINUX_TCIFLUSH)
		line_discipline_flush_output(&tty->line);
	if (tty->packet) {
		tty->packet_events |= queue != LINUX_TCOFLUSH ? LINUX_TIOCPKT_FLUSHREAD : 0;
		tty->packet_events |= queue != LINUX_TCIFLUSH ? LINUX_TIOCPKT_FLUSHWRITE : 0;
		tty->driver->output(tty);
	}
	wait_queue_wake(&tty->slave_queue, LINUX_EPOLLOUT | LINUX_EPOLLWRNORM);
	wait_queue_wake(&tty->master_queue, LINUX_EPOLLOUT | LINUX_EPOLLWRNORM);
	mutex_unlock(&tty->lock);
	return 0;
}

static int64_t flow(struct tty *tty, bool from_master, struct task *task, uint64_t action)
{
	int error = from_master ? 0 : tty_check_background(tty, task, LINUX_SIGTTOU);
	uint8_t key;

	if (error)
		return error;
	mutex_lock(&tty->lock);
	switch (action) {
	case LINUX_TCOOFF:
	case LINUX_TCOON:
		tty->line.stopped = action == LINUX_TCOOFF;
		if (tty->packet)
			tty->packet_events |=
				tty->line.stopped ? LINUX_TIOCPKT_STOP : LINUX_TIOCPKT_START;
		wait_queue_wake(&tty->slave_queue, LINUX_EPOLLOUT | LINUX_EPOLLWRNORM);
		break;
	case LINUX_TCIOFF:
	case LINUX_TCION:
		key = tty->line.termios.c_cc[action == LINUX_TCIOFF ? LINUX_VSTOP : LINUX_VSTART];
		if (key != LINUX_POSIX_VDISABLE) {
			(void)line_discipline_write(&tty->line, &key, 1);
			tty->driver->output(tty);
		}
		break;
	default:
		error = -EINVAL;
	}
	mutex_unlock(&tty->lock);
	return error;
}

/* TIOCSTI, as if it had been typed; as Linux 6.2 and later it takes CAP_SYS_ADMIN. */
static int64_t type_byte(struct tty *tty, struct task *task, uint64_t argument)
{
	uint8_t byte;
	int error;

	if (!capable(LINUX_CAP_SYS_ADMIN))
		return -EIO;
	error = copy_in(task, &byte, argument, sizeof(byte));
	if (error)
		return error;
	mutex_lock(&tty->lock);
	(void)tty_type_locked(tty, &byte, 1);
	mutex_unlock(&tty->lock);
	return 0;
}

/* --- small values --- */

static int64_t get_int(
	struct tty *tty, bool from_master, struct task *task, uint32_t command, uint64_t argument)
{
	int32_t value;

	mutex_lock(&tty->lock);
	switch (command) {
	case LINUX_TIOCINQ:
		value = (int32_t)(from_master ? line_discipline_output_size(&tty->line)
					      : line_discipline_pending(&tty->line));
		break;
	case LINUX_TIOCOUTQ:
		value = from_master ? 0 : (int32_t)line_discipline_output_size(&tty->line);
		break;
	case LINUX_TIOCGETD:
		value = LINUX_N_TTY;
		break;
	case LINUX_TIOCGPTLCK:
		value = tty->locked;
		break;
	case LINUX_TIOCGPKT:
		value = tty->packet;
		break;
	case LINUX_TIOCGEXCL:
		value = tty->exclusive;
		break;
	case LINUX_TIOCGDEV:
		/* Major 136 for slaves, 128 for masters, in the old 16-bit encoding that both fit.
		 */
		value = (from_master ? 128 : 136) << 8 | (tty->index & 0xff);
		break;
	case LINUX_TIOCGSOFTCAR:
		value = (tty->line.termios.c_cflag & LINUX_CLOCAL) != 0;
		break;
	default:
		value = tty->index;
	}
	mutex_unlock(&tty->lock);
	return copy_out(task, argument, &value, sizeof(value));
}

static int64_t set_int(struct tty *tty, struct task *task, uint32_t command, uint64_t argument)
{
	int32_t value;
	int error = copy_in(task, &value, argument, sizeof(value));

	if (error)
		return error;
	mutex_lock(&tty->lock);
	if (command == LINUX_TIOCSPTLCK) {
		tty->locked = value != 0;
	} else {
		tty->packet = value != 0;
		tty->packet_events = 0;
	}
	mutex_unlock(&tty->lock);
	return 0;
}

static int64_t session_number(
	struct tty *tty, bool from_master, struct task *task, uint64_t argument)
{
	struct session *session = thread_group_session(task->group);
	int32_t number = 0;

	mutex_lock(&tty->lock);
	if (tty->session && (from_master || tty->session == session))
		number = pid_number_in(tty->session->pid, task_pid_namespace(task));
	mutex_unlock(&tty->lock);
	session_put(session);
	return number ? copy_out(task, argument, &number, sizeof(number)) : -ENOTTY;
}

static int64_t foreground_get(
	struct tty *tty, bool from_master, struct task *task, uint64_t argument)
{
	int64_t number = tty_get_foreground(tty, task, from_master);
	int32_t value = (int32_t)number;

	return number < 0 ? number : copy_out(task, argument, &value, sizeof(value));
}

static int64_t foreground_set(struct tty *tty, struct task *task, uint64_t argument)
{
	int32_t group;
	int error = copy_in(task, &group, argument, sizeof(group));

	return error ? error : tty_set_foreground(tty, task, group);
}

static int64_t window_get(struct tty *tty, struct task *task, uint64_t argument)
{
	struct linux_winsize window;

	mutex_lock(&tty->lock);
	window = tty->window;
	mutex_unlock(&tty->lock);
	return copy_out(task, argument, &window, sizeof(window));
}

static int64_t window_set(struct tty *tty, struct task *task, uint64_t argument)
{
	struct linux_winsize window;
	int error = copy_in(task, &window, argument, sizeof(window));

	if (!error)
		tty_set_window(tty, &window);
	return error;
}

static int64_t signal_foreground(struct tty *tty, uint64_t signal)
{
	if (signal != LINUX_SIGINT && signal != LINUX_SIGQUIT && signal != LINUX_SIGTSTP)
		return -EINVAL;
	mutex_lock(&tty->lock);
	tty_signal_foreground_locked(tty, (int)signal);
	mutex_unlock(&tty->lock);
	return 0;
}

static int64_t set_exclusive(struct tty *tty, bool exclusive)
{
	mutex_lock(&tty->lock);
	tty->exclusive = exclusive;
	mutex_unlock(&tty->lock);
	return 0;
}

static int64_t open_peer(struct tty *tty, struct file *master, struct task *task, uint64_t flags)
{
	struct file *file;
	int error = devpts_open_peer(tty, (uint32_t)flags, master, &file);
	int fd;

	if (error)
		return error;
	fd = fd_install(task->files, 0, file, flags & LINUX_O_CLOEXEC);
	if (fd < 0)
		file_put(file);
	return fd;
}

static int64_t set_line_discipline(struct task *task, uint64_t argument)
{
	int32_t discipline;
	int error = copy_in(task, &discipline, argument, sizeof(discipline));

	if (error)
		return error;
	return discipline == LINUX_N_TTY ? 0 : -EINVAL;
}

/* What only the master's end takes. */
static int64_t master_only(
	struct tty *tty, struct file *file, struct task *task, uint32_t command, uint64_t argument)
{
	switch (command) {
	case LINUX_TIOCGPTN:
	case LINUX_TIOCGPTLCK:
	case LINUX_TIOCGPKT:
		return get_int(tty, true, task, command, argument);
	case LINUX_TIOCSPTLCK:
	case LINUX_TIOCPKT:
		return set_int(tty, task, command, argument);
	case LINUX_TIOCSIG:
		return signal_foreground(tty, argument);
	case LINUX_TIOCGPTPEER:
		return open_peer(tty, file, task, argument);
	default:
		return -ENOTTY;
	}
}

/* Sessions, groups, and the rest that either end takes. */
static int64_t either_end(
	struct tty *tty, bool from_master, struct task *task, uint32_t command, uint64_t argument)
{
	switch (command) {
	case LINUX_TIOCGPGRP:
		return foreground_get(tty, from_master, task, argument);
	case LINUX_TIOCSPGRP:
		return foreground_set(tty, task, argument);
	case LINUX_TIOCGSID:
		return session_number(tty, from_master, task, argument);
	case LINUX_TIOCSCTTY:
		return tty_set_controlling(tty, task, argument == 1);
	case LINUX_TIOCNOTTY:
		return tty_drop_controlling(tty, task);
	case LINUX_TIOCGWINSZ:
		return window_get(tty, task, argument);
	case LINUX_TIOCSWINSZ:
		return window_set(tty, task, argument);
	case LINUX_TIOCSTI:
		return type_byte(tty, task, argument);
	case LINUX_TIOCSETD:
		return set_line_discipline(task, argument);
	case LINUX_TIOCEXCL:
	case LINUX_TIOCNXCL:
		return set_exclusive(tty, command == LINUX_TIOCEXCL);
	case LINUX_TIOCVHANGUP:
		if (!capable(LINUX_CAP_SYS_ADMIN))
			return -EPERM;
		tty_hang_up(tty);
		return 0;
	case LINUX_TIOCINQ:
	case LINUX_TIOCOUTQ:
	case LINUX_TIOCGETD:
	case LINUX_TIOCGEXCL:
	case LINUX_TIOCGDEV:
	case LINUX_TIOCGSOFTCAR:
		return get_int(tty, from_master, task, command, argument);
	default:
		return -ENOTTY;
	}
}

int64_t tty_ioctl(struct tty *tty, bool from_master, struct file *file, struct task *task,
	uint32_t command, uint64_t argument)
{
	int64_t result;
	bool dead;

	mutex_lock(&tty->lock);
	dead = tty->hung_up && !from_master;
	mutex_unlock(&tty->lock);
	if (dead)
		return command == LINUX_TIOCSPGRP ? -ENOTTY : -EIO;

	switch (command) {
	case LINUX_TCGETS:
	case LINUX_TCGETS2:
	case LINUX_TCGETA:
		return tty_get_termios(tty, task, command, argument);
	case LINUX_TCSETS:
	case LINUX_TCSETSW:
	case LINUX_TCSETSF:
	case LINUX_TCSETS2:
	case LINUX_TCSETSW2:
	case LINUX_TCSETSF2:
	case LINUX_TCSETA:
	case LINUX_TCSETAW:
	case LINUX_TCSETAF:
		return tty_set_termios(tty, from_master, task, command, argument);
	case LINUX_TIOCGLCKTRMIOS:
		return tty_get_locked_termios(tty, task, argument);
	case LINUX_TIOCSLCKTRMIOS:
		return tty_set_locked_termios(tty, task, argument);
	case LINUX_TCFLSH:
		return flush(tty, from_master, task, argument);
	case LINUX_TCXONC:
		return flow(tty, from_master, task, argument);
	case LINUX_TCSBRK:
	case LINUX_TCSBRKP:
	case LINUX_TIOCSBRK:
	case LINUX_TIOCCBRK:
		/* A pty has no line to break, and its output is out as soon as it is written. */
		return from_master ? 0 : tty_check_background(tty, task, LINUX_SIGTTOU);
	default:
		break;
	}
	result = either_end(tty, from_master, task, command, argument);
	if (result == -ENOTTY && from_master)
		result = master_only(tty, file, task, command, argument);
	return result;
}
