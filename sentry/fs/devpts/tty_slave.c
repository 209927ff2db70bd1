/* SPDX-License-Identifier: Apache-2.0 */
/* The slave end of a tty: what programs that run on a terminal read, write and poll. */
#include "sentry/fs/devpts/tty.h"

#include "abi/capability.h"
#include "abi/epoll.h"
#include "abi/fcntl.h"
#include "sentry/kernel/signal.h"
#include "sentry/kernel/task.h"
#include "sentry/time/clock.h"
#include "sentry/vfs/file.h"

#include <errno.h>

#define READABLE   (LINUX_EPOLLIN | LINUX_EPOLLRDNORM)
#define WRITABLE   (LINUX_EPOLLOUT | LINUX_EPOLLWRNORM)
#define DECISECOND (NSEC_PER_SEC / 10)

static struct tty *slave_of(struct file *file)
{
	return file->private;
}

static bool is_canonical(const struct tty *tty)
{
	return tty->line.termios.c_lflag & LINUX_ICANON;
}

/* Is this end dead: hung up, or was it opened before a hang-up? */
static bool is_hung_up(const struct tty *tty)
{
	return tty->hung_up;
}

/* One attempt: 0 at a hang-up, -EAGAIN when there is less than wanted. least: bytes that raw mode
 * waits for. */
static int64_t read_once(struct tty *tty, struct iov_iter *to, size_t least)
{
	uint8_t bytes[LINE_INPUT_SIZE];
	size_t size = min_u64(iov_iter_count(to), sizeof(bytes));
	int64_t got = -EAGAIN;

	mutex_lock(&tty->lock);
	if (is_hung_up(tty)) {
		got = 0;
	} else if (is_canonical(tty) ||
		   line_discipline_pending(&tty->line) >= min_u64(least, size)) {
		got = line_discipline_read(&tty->line, bytes, size);
	}
	if (got == -EAGAIN && !tty->master_open)
		got = -EIO;
	if (got >= 0) {
		tty->driver->input_wanted(tty);
		wait_queue_wake(&tty->master_queue, WRITABLE);
	}
	mutex_unlock(&tty->lock);
	if (got <= 0)
		return got;
	return copy_to_iter(bytes, (size_t)got, to) == (size_t)got ? got : -EFAULT;
}

struct raw_read {
	struct tty *tty;
	struct iov_iter *to;
	size_t least;
};

static int64_t attempt_raw_read(void *argument)
{
	struct raw_read *read = argument;

	return read_once(read->tty, read->to, read->least);
}

/* VTIME: waits here, since the time is the terminal's and not the descriptor's. */
static int64_t read_timed(
	struct file *file, struct iov_iter *to, unsigned int minimum, unsigned int time)
{
	struct raw_read read = {.tty = slave_of(file), .to = to, .least = 1};
	int64_t deadline = clock_monotonic() + time * DECISECOND, got, all = 0;

	/* With VMIN the clock starts at the first byte. */
	got = file_wait(file, READABLE, minimum ? FILE_FOREVER : deadline, attempt_raw_read, &read);
	while (got > 0) {
		all += got;
		if ((uint64_t)all >= minimum || !iov_iter_count(to))
			break;
		deadline = clock_monotonic() + time * DECISECOND;
		got = file_wait(file, READABLE, deadline, attempt_raw_read, &read);
	}
	if (all)
		return all;
	return got == -EAGAIN ? 0 : got;
}

static int64_t slave_read(struct file *file, struct iov_iter *to, int64_t *position)
{
	struct tty *tty = slave_of(file);
	bool may_wait = !(file->flags & LINUX_O_NONBLOCK);
	unsigned int minimum, time;
	bool canonical;
	int64_t got;

	got = tty_check_background(tty, current, LINUX_SIGTTIN);
	if (got)
		return got;
	mutex_lock(&tty->lock);
	canonical = is_canonical(tty);
	minimum = tty->line.termios.c_cc[LINUX_VMIN];
	time = tty->line.termios.c_cc[LINUX_VTIME];
	mutex_unlock(&tty->lock);
	if (!iov_iter_count(to))
		return 0;
	if (canonical || !may_wait) {
		got = read_once(tty, to, 1);
		return got == -EAGAIN && !canonical && !minimum && !time ? 0 : got;
	}
	if (time)
		return read_timed(file, to, minimum, time);
	got = read_once(tty, to, minimum ? minimum : 1);
	return got == -EAGAIN && !minimum ? 0 : got;
}

static int64_t slave_write(struct file *file, struct iov_iter *from, int64_t *position)
{
	struct tty *tty = slave_of(file);
	int64_t all = 0;
	bool check;

	mutex_lock(&tty->lock);
	check = tty->line.termios.c_lflag & LINUX_TOSTOP;
	mutex_unlock(&tty->lock);
	if (check) {
		int error = tty_check_background(tty, current, LINUX_SIGTTOU);

		if (error)
			return error;
	}
	while (iov_iter_count(from)) {
		uint8_t bytes[2048];
		size_t size =
			copy_from_iter(bytes, min_u64(iov_iter_count(from), sizeof(bytes)), from);
		size_t taken = 0;
		bool dead;

		if (!size)
			return all ? all : -EFAULT;
		mutex_lock(&tty->lock);
		dead = is_hung_up(tty) || !tty->master_open;
		if (!dead) {
			taken = line_discipline_write(&tty->line, bytes, size);
			tty->driver->output(tty);
			/* The driver may have made room at once. */
			if (taken < size) {
				taken += line_discipline_write(
					&tty->line, bytes + taken, size - taken);
				tty->driver->output(tty);
			}
		}
		mutex_unlock(&tty->lock);
		iov_iter_revert(from, size - taken);
		all += (int64_t)taken;
		if (dead)
			return all ? all : -EIO;
		if (taken < size)
			return all ? all : -EAGAIN;
	}
	return all;
}

uint32_t tty_poll_slave_locked(struct tty *tty)
{
	unsigned int least = 1;
	uint32_t events = 0;

	if (is_hung_up(tty))
		return READABLE | WRITABLE | LINUX_EPOLLERR | LINUX_EPOLLHUP;
	if (!is_canonical(tty) && !tty->line.termios.c_cc[LINUX_VTIME] &&
		tty->line.termios.c_cc[LINUX_VMIN])
		least = tty->line.termios.c_cc[LINUX_VMIN];
	if (is_canonical(tty) ? line_discipline_readable(&tty->line)
			      : line_discipline_pending(&tty->line) >= least)
		events |= READABLE;
	if (!tty->line.stopped && line_discipline_output_size(&tty->line) < LINE_OUTPUT_SIZE / 2)
		events |= WRITABLE;
	if (!tty->master_open)
		events |= READABLE | LINUX_EPOLLHUP;
	return events;
}

static uint32_t slave_poll(struct file *file)
{
	struct tty *tty = slave_of(file);
	uint32_t events;

	mutex_lock(&tty->lock);
	events = tty_poll_slave_locked(tty);
	mutex_unlock(&tty->lock);
	return events;
}

static struct wait_queue *slave_wait_queue(struct file *file)
{
	return &slave_of(file)->slave_queue;
}

static int64_t slave_ioctl(
	struct file *file, struct task *task, uint32_t command, uint64_t argument)
{
	return tty_ioctl(slave_of(file), false, file, task, command, argument);
}

static void slave_release(struct file *file)
{
	struct tty *tty = slave_of(file);

	bool last;

	mutex_lock(&tty->lock);
	tty->slave_count--;
	last = !tty->slave_count && !tty->master_open && tty->driver == &pty_driver;
	if (!tty->slave_count) {
		tty->exclusive = false;
		wait_queue_wake(&tty->master_queue, READABLE | LINUX_EPOLLHUP);
	}
	mutex_unlock(&tty->lock);
	if (last)
		devpts_free_number(tty);
	tty_put(tty);
}

static const struct file_operations tty_slave_operations = {
	.read = slave_read,
	.write = slave_write,
	.poll = slave_poll,
	.wait_queue = slave_wait_queue,
	.ioctl = slave_ioctl,
	.release = slave_release,
};

int tty_open_slave(struct tty *tty, struct file *file)
{
	int error = 0;

	mutex_lock(&tty->lock);
	if (tty->locked || tty->hung_up || !tty->master_open)
		error = -EIO;
	else if (tty->exclusive && !(current && capable(LINUX_CAP_SYS_ADMIN)))
		error = -EBUSY;
	if (!error) {
		tty->slave_count++;
		tty->slave_seen = true;
	}
	mutex_unlock(&tty->lock);
	if (error)
		return error;
	file->ops = &tty_slave_operations;
	file->private = tty_get(tty);
	/* A session leader without a terminal gets the first one that it opens. */
	if (current && !(file->flags & LINUX_O_NOCTTY) && file->mode & FILE_READ)
		(void)!tty_set_controlling(tty, current, false);
	return 0;
}
