/* SPDX-License-Identifier: Apache-2.0 */
/* tty_ioctl(4), for both ends of a terminal. */
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

/* --- settings --- */

static struct linux_termios2 get_termios(struct tty *tty)
{
	struct linux_termios2 termios;

	mutex_lock(&tty->lock);
	termios = tty->line.termios;
	mutex_unlock(&tty->lock);
	return termios;
}

static int64_t termios_get(struct tty *tty, struct task *task, uint32_t command, uint64_t argument)
{
	struct linux_termios2 termios = get_termios(tty);
	struct linux_termio old = {0};

	switch (command) {
	case LINUX_TCGETS2:
		return copy_out(task, argument, &termios, sizeof(termios));
	case LINUX_TCGETS:
		/* struct termios is what struct termios2 begins with. */
		return copy_out(task, argument, &termios, sizeof(struct linux_termios));
	default:
		old.c_iflag = (uint16_t)termios.c_iflag;
		old.c_oflag = (uint16_t)termios.c_oflag;
		old.c_cflag = (uint16_t)termios.c_cflag;
		old.c_lflag = (uint16_t)termios.c_lflag;
		old.c_line = termios.c_line;
		memcpy(old.c_cc, termios.c_cc, LINUX_NCC);
		return copy_out(task, argument, &old, sizeof(old));
	}
}

static int termios_copy_in(struct tty *tty, struct task *task, uint32_t command, uint64_t argument,
	struct linux_termios2 *termios)
{
	struct linux_termio old;
	int error;

	*termios = get_termios(tty);
	switch (command) {
	case LINUX_TCSETS2:
	case LINUX_TCSETSW2:
	case LINUX_TCSETSF2:
		return copy_in(task, termios, argument, sizeof(*termios));
	case LINUX_TCSETS:
	case LINUX_TCSETSW:
	case LINUX_TCSETSF:
		return copy_in(task, termios, argument, sizeof(struct linux_termios));
	default:
		error = copy_in(task, &old, argument, sizeof(old));
		if (error)
			return error;
		termios->c_iflag = (termios->c_iflag & 0xffff0000) | old.c_iflag;
		termios->c_oflag = (termios->c_oflag & 0xffff0000) | old.c_oflag;
		termios->c_cflag = (termios->c_cflag & 0xffff0000) | old.c_cflag;
		termios->c_lflag = (termios->c_lflag & 0xffff0000) | old.c_lflag;
		memcpy(termios->c_cc, old.c_cc, LINUX_NCC);
		return 0;
	}
}

static bool flushes_input(uint32_t command)
{
	return command == LINUX_TCSETSF || command == LINUX_TCSETSF2 || command == LINUX_TCSETAF;
}

/* In bits a second; what CBAUD has no code for stays as it was asked for. */
static uint32_t termios_speed(uint32_t code, uint32_t asked)
{
	static const uint32_t low[] = {0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400,
		4800, 9600, 19200, 38400};
	static const uint32_t high[] = {0, 57600, 115200, 230400, 460800, 500000, 576000, 921600,
		1000000, 1152000, 1500000, 2000000, 2500000, 3000000, 3500000, 4000000};

	if (code == LINUX_BOTHER)
		return asked;
	return code & LINUX_CBAUDEX ? high[code & 15] : low[code & 15];
}

static void termios_settle(struct linux_termios2 *termios)
{
	uint32_t input = termios->c_cflag >> LINUX_IBSHIFT & LINUX_CBAUD;

	/* A pty has eight bits and no parity, whatever is asked for (pty_set_termios()). */
	termios->c_cflag &= ~(uint32_t)(LINUX_CSIZE | LINUX_PARENB);
	termios->c_cflag |= LINUX_CS8 | LINUX_CREAD;
	termios->c_ospeed = termios_speed(termios->c_cflag & LINUX_CBAUD, termios->c_ospeed);
	termios->c_ispeed = input ? termios_speed(input, termios->c_ispeed) : termios->c_ospeed;
}

static bool stops_by_usual_keys(const struct linux_termios2 *termios)
{
	return (termios->c_iflag & LINUX_IXON) && termios->c_cc[LINUX_VSTOP] == 19 &&
	       termios->c_cc[LINUX_VSTART] == 17;
}

/* Tells a master in packet mode what it must do about ^S and ^Q, and of EXTPROC. */
static void packet_tell_locked(
	struct tty *tty, const struct linux_termios2 *old, const struct linux_termios2 *new)
{
	bool stops = stops_by_usual_keys(new),
	     external = (old->c_lflag ^ new->c_lflag) & LINUX_EXTPROC;

	if (!tty->packet || (stops == stops_by_usual_keys(old) && !external))
		return;
	tty->packet_events &= ~(LINUX_TIOCPKT_NOSTOP | LINUX_TIOCPKT_DOSTOP);
	tty->packet_events |= stops ? LINUX_TIOCPKT_DOSTOP : LINUX_TIOCPKT_NOSTOP;
	if (external)
		tty->packet_events |= LINUX_TIOCPKT_IOCTL;
	tty->driver->output(tty);
}

/* Is what was written on its way out? True always for a pty: its master takes it when it likes, as
 * on Linux. */
static int64_t termios_set(
	struct tty *tty, bool from_master, struct task *task, uint32_t command, uint64_t argument)
{
	struct linux_termios2 termios;
	int error = from_master ? 0 : tty_check_background(tty, task, LINUX_SIGTTOU);

	if (!error)
		error = termios_copy_in(tty, task, command, argument, &termios);
	if (error)
		return error;
	mutex_lock(&tty->lock);
	if (flushes_input(command))
		line_discipline_flush_input(&tty->line);
	termios_settle(&termios);
	packet_tell_locked(tty, &tty->line.termios, &termios);
	line_discipline_set_termios(&tty->line, &termios);
	wait_queue_wake(&tty->slave_queue, tty_poll_slave_locked(tty));
	tty->driver->input_wanted(tty);
	mutex_unlock(&tty->lock);
	return 0;
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
		return termios_get(tty, task, command, argument);
	case LINUX_TCSETS:
	case LINUX_TCSETSW:
	case LINUX_TCSETSF:
	case LINUX_TCSETS2:
	case LINUX_TCSETSW2:
	case LINUX_TCSETSF2:
	case LINUX_TCSETA:
	case LINUX_TCSETAW:
	case LINUX_TCSETAF:
		return termios_set(tty, from_master, task, command, argument);
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
