/* SPDX-License-Identifier: Apache-2.0 */
/* What stty(1) sets: the ioctls of tty_ioctl(4) on struct termios, and those that lock a part of
 * it. */
#include "sentry/fs/devpts/tty.h"

#include "abi/capability.h"
#include "abi/epoll.h"
#include "abi/ioctl.h"
#include "sentry/kernel/signal.h"
#include "sentry/kernel/task.h"

#include <errno.h>
#include <string.h>

static struct linux_termios2 get_termios(struct tty *tty)
{
	struct linux_termios2 termios;

	mutex_lock(&tty->lock);
	termios = tty->line.termios;
	mutex_unlock(&tty->lock);
	return termios;
}

int64_t tty_get_termios(struct tty *tty, struct task *task, uint32_t command, uint64_t argument)
{
	struct linux_termios2 termios = get_termios(tty);
	struct linux_termio old = {0};

	switch (command) {
	case LINUX_TCGETS2:
		return mm_copy_out(task->mm, argument, &termios, sizeof(termios));
	case LINUX_TCGETS:
		/* struct termios is what struct termios2 begins with. */
		return mm_copy_out(task->mm, argument, &termios, sizeof(struct linux_termios));
	default:
		old.c_iflag = (uint16_t)termios.c_iflag;
		old.c_oflag = (uint16_t)termios.c_oflag;
		old.c_cflag = (uint16_t)termios.c_cflag;
		old.c_lflag = (uint16_t)termios.c_lflag;
		old.c_line = termios.c_line;
		memcpy(old.c_cc, termios.c_cc, LINUX_NCC);
		return mm_copy_out(task->mm, argument, &old, sizeof(old));
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
		return mm_copy_in(task->mm, termios, argument, sizeof(*termios));
	case LINUX_TCSETS:
	case LINUX_TCSETSW:
	case LINUX_TCSETSF:
		return mm_copy_in(task->mm, termios, argument, sizeof(struct linux_termios));
	default:
		error = mm_copy_in(task->mm, &old, argument, sizeof(old));
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

static uint32_t keep_bits(uint32_t locked, uint32_t old, uint32_t new)
{
	return (old & locked) | (new & ~locked);
}

/* What TIOCSLCKTRMIOS locked stays as it is. */
static void keep_locked(const struct linux_termios *locked, const struct linux_termios2 *old,
	struct linux_termios2 *new)
{
	new->c_iflag = keep_bits(locked->c_iflag, old->c_iflag, new->c_iflag);
	new->c_oflag = keep_bits(locked->c_oflag, old->c_oflag, new->c_oflag);
	new->c_cflag = keep_bits(locked->c_cflag, old->c_cflag, new->c_cflag);
	new->c_lflag = keep_bits(locked->c_lflag, old->c_lflag, new->c_lflag);
	new->c_line = locked->c_line ? old->c_line : new->c_line;
	for (size_t i = 0; i < array_count(new->c_cc); i++)
		new->c_cc[i] = locked->c_cc[i] ? old->c_cc[i] : new->c_cc[i];
}

/* Is what was written on its way out? True always for a pty: its master takes it when it likes, as
 * on Linux. */
int64_t tty_set_termios(
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
	keep_locked(&tty->locked_termios, &tty->line.termios, &termios);
	termios_settle(&termios);
	packet_tell_locked(tty, &tty->line.termios, &termios);
	line_discipline_set_termios(&tty->line, &termios);
	wait_queue_wake(&tty->slave_queue, tty_poll_slave_locked(tty));
	tty->driver->input_wanted(tty);
	mutex_unlock(&tty->lock);
	return 0;
}

int64_t tty_get_locked_termios(struct tty *tty, struct task *task, uint64_t argument)
{
	struct linux_termios locked;

	mutex_lock(&tty->lock);
	locked = tty->locked_termios;
	mutex_unlock(&tty->lock);
	return mm_copy_out(task->mm, argument, &locked, sizeof(locked));
}

int64_t tty_set_locked_termios(struct tty *tty, struct task *task, uint64_t argument)
{
	struct linux_termios locked;
	int error;

	if (!capable(LINUX_CAP_SYS_ADMIN))
		return -EPERM;
	error = mm_copy_in(task->mm, &locked, argument, sizeof(locked));
	if (error)
		return error;
	mutex_guard(&tty->lock);
	tty->locked_termios = locked;
	return 0;
}
