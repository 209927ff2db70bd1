/* SPDX-License-Identifier: Apache-2.0 */
/* The master end of a pseudoterminal (pty(7)): what a terminal emulator reads and writes. */
#include "sentry/fs/devpts/tty.h"

#include "abi/epoll.h"
#include "abi/fcntl.h"
#include "abi/ioctl.h"
#include "sentry/vfs/file.h"

#include <errno.h>

#define READABLE (LINUX_EPOLLIN | LINUX_EPOLLRDNORM)
#define WRITABLE (LINUX_EPOLLOUT | LINUX_EPOLLWRNORM)

static void pty_output(struct tty *tty)
{
	wait_queue_wake(&tty->master_queue, READABLE | (tty->packet_events ? LINUX_EPOLLPRI : 0));
}

static void pty_input_wanted(struct tty *tty unused_)
{
}

const struct tty_driver pty_driver = {.output = pty_output, .input_wanted = pty_input_wanted};

static struct tty *master_of(struct file *file)
{
	return file->private;
}

/* The bytes for one read: with TIOCPKT a first one that says what they are. */
static size_t gather_locked(struct tty *tty, uint8_t *bytes, size_t size)
{
	size_t used = 0, got;

	if (tty->packet) {
		bytes[used++] = tty->packet_events;
		if (tty->packet_events) {
			tty->packet_events = 0;
			return used;
		}
		size--;
	}
	got = line_discipline_peek_output(&tty->line, bytes + used, size);
	line_discipline_drop_output(&tty->line, got);
	return got ? used + got : 0;
}

static int64_t master_read(struct file *file, struct iov_iter *to, int64_t *position)
{
	struct tty *tty = master_of(file);
	uint8_t bytes[4096];
	size_t size = min_u64(iov_iter_count(to), sizeof(bytes));
	size_t got;
	int64_t result = -EAGAIN;

	if (!size)
		return 0;
	mutex_lock(&tty->lock);
	got = gather_locked(tty, bytes, size);
	if (!got && tty->slave_seen && !tty->slave_count)
		result = -EIO;
	if (got)
		wait_queue_wake(&tty->slave_queue, WRITABLE);
	mutex_unlock(&tty->lock);
	if (!got)
		return result;
	return copy_to_iter(bytes, got, to) == got ? (int64_t)got : -EFAULT;
}

static int64_t master_write(struct file *file, struct iov_iter *from, int64_t *position)
{
	struct tty *tty = master_of(file);
	int64_t all = 0;

	while (iov_iter_count(from)) {
		uint8_t bytes[1024];
		size_t size =
			copy_from_iter(bytes, min_u64(iov_iter_count(from), sizeof(bytes)), from);
		size_t taken;

		if (!size)
			return all ? all : -EFAULT;
		mutex_lock(&tty->lock);
		taken = tty_type_locked(tty, bytes, size);
		mutex_unlock(&tty->lock);
		iov_iter_revert(from, size - taken);
		all += (int64_t)taken;
		if (taken < size)
			return all ? all : -EAGAIN;
	}
	return all;
}

static uint32_t master_poll(struct file *file)
{
	struct tty *tty = master_of(file);
	uint32_t events = 0;

	mutex_lock(&tty->lock);
	if (line_discipline_output_size(&tty->line))
		events |= READABLE;
	if (tty->packet && tty->packet_events)
		events |= READABLE | LINUX_EPOLLPRI;
	if (line_discipline_room(&tty->line))
		events |= WRITABLE;
	if (tty->slave_seen && !tty->slave_count)
		events |= LINUX_EPOLLHUP;
	mutex_unlock(&tty->lock);
	return events;
}

static struct wait_queue *master_wait_queue(struct file *file)
{
	return &master_of(file)->master_queue;
}

static int64_t master_ioctl(
	struct file *file, struct task *task, uint32_t command, uint64_t argument)
{
	return tty_ioctl(master_of(file), true, file, task, command, argument);
}

static void master_release(struct file *file)
{
	struct tty *tty = master_of(file);

	bool last;

	mutex_lock(&tty->lock);
	tty->master_open = false;
	last = !tty->slave_count;
	devpts_hold(tty);
	mutex_unlock(&tty->lock);
	tty_hang_up(tty);
	devpts_remove(tty);
	if (last)
		devpts_free_number(tty);
	tty_put(tty);
}

static const struct file_operations pty_master_operations = {
	.read = master_read,
	.write = master_write,
	.poll = master_poll,
	.wait_queue = master_wait_queue,
	.ioctl = master_ioctl,
	.release = master_release,
};

int pty_open_master(struct devpts *devpts, struct file *file)
{
	struct tty *tty;
	int error = tty_new(&pty_driver, &tty);

	if (error)
		return error;
	tty->locked = true;
	error = devpts_add(devpts, tty);
	if (error) {
		tty_put(tty);
		return error;
	}
	file->ops = &pty_master_operations;
	file->private = tty;
	file->mode |= FILE_STREAM;
	file->mode &= ~(unsigned int)FILE_SEEKABLE;
	return 0;
}
