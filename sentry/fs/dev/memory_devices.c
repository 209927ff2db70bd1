/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The devices of major 1: null, zero, full, random, urandom, kmsg (null(4), random(4)). mem, kmem
 * and port are not there. kmsg takes what is written and never has anything to read.
 */
#include "sentry/fs/dev/memory_devices.h"

#include "abi/epoll.h"
#include "abi/ioctl.h"
#include "abi/stat.h"
#include "base/log.h"
#include "sentry/kernel/random.h"
#include "sentry/kernel/task.h"
#include "sentry/vfs/device.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#define MEMORY_MAJOR 1
#define ENTROPY_BITS 256 /* what random(4) shows of a pool that is ready */

enum memory_minor {
	MINOR_NULL = 3,
	MINOR_ZERO = 5,
	MINOR_FULL = 7,
	MINOR_RANDOM,
	MINOR_URANDOM,
	MINOR_KMSG = 11
};

static int64_t read_nothing(struct file *file, struct iov_iter *to, int64_t *position)
{
	return 0;
}

/* Nothing is anywhere here, so a position may also wrap. */
static void move_on(int64_t *position, size_t size)
{
	*position = (int64_t)((uint64_t)*position + size);
}

static int64_t read_zeros(struct file *file, struct iov_iter *to, int64_t *position)
{
	size_t size = iov_iter_count(to);
	size_t done = iov_iter_zero(size, to);

	move_on(position, done);
	return done || !size ? (int64_t)done : -EFAULT;
}

static int64_t write_nowhere(struct file *file, struct iov_iter *from, int64_t *position)
{
	size_t size = iov_iter_count(from);

	/* Never looks at the bytes, so a bad address is no error, as in Linux. */
	iov_iter_advance(from, size);
	move_on(position, size);
	return (int64_t)size;
}

static int64_t write_full(struct file *file, struct iov_iter *from, int64_t *position)
{
	return -ENOSPC;
}

static int64_t seek_nowhere(struct file *file, int64_t offset, int whence)
{
	return 0;
}

static int map_zero(struct file *file, bool shared, int protection, int *max_protection,
	struct mappable **out, bool *anonymous)
{
	*anonymous = true;
	return 0;
}

static int64_t read_random(struct file *file, struct iov_iter *to, int64_t *position)
{
	int64_t total = 0;
	char bytes[1024];

	while (iov_iter_count(to)) {
		size_t size = min_u64(iov_iter_count(to), sizeof(bytes)), copied;

		random_bytes(bytes, size);
		copied = copy_to_iter(bytes, size, to);
		total += (int64_t)copied;
		if (copied < size) {
			total = total ? total : -EFAULT;
			break;
		}
	}
	explicit_bzero(bytes, sizeof(bytes));
	return total;
}

/* What a guest adds changes nothing; but it must be readable. */
static int64_t write_random(struct file *file, struct iov_iter *from, int64_t *position)
{
	int64_t total = 0;
	char bytes[1024];

	while (iov_iter_count(from)) {
		size_t size = min_u64(iov_iter_count(from), sizeof(bytes));
		size_t copied = copy_from_iter(bytes, size, from);

		total += (int64_t)copied;
		if (copied < size)
			return total ? total : -EFAULT;
	}
	return total;
}

static int64_t ioctl_random(
	struct file *file, struct task *task, uint32_t command, uint64_t argument)
{
	int32_t bits = ENTROPY_BITS;

	switch (command) {
	case LINUX_RNDGETENTCNT:
		return mm_copy_out(task->mm, argument, &bits, sizeof(bits));
	case LINUX_RNDADDTOENTCNT:
	case LINUX_RNDADDENTROPY:
	case LINUX_RNDZAPENTCNT:
	case LINUX_RNDCLEARPOOL:
	case LINUX_RNDRESEEDCRNG:
		return -EPERM;
	default:
		return -ENOTTY;
	}
}

/* Never woken: nobody has anything to say to a guest's kernel log. */
static struct wait_queue kmsg_queue;
static pthread_once_t kmsg_once = PTHREAD_ONCE_INIT;

static void kmsg_init(void)
{
	wait_queue_init(&kmsg_queue);
}

static int64_t read_kmsg(struct file *file, struct iov_iter *to, int64_t *position)
{
	return -EAGAIN;
}

static uint32_t poll_kmsg(struct file *file)
{
	return LINUX_EPOLLOUT | LINUX_EPOLLWRNORM;
}

static struct wait_queue *queue_kmsg(struct file *file)
{
	return &kmsg_queue;
}

static const struct file_operations null_ops = {
	.read = read_nothing,
	.write = write_nowhere,
	.seek = seek_nowhere,
};

static const struct file_operations zero_ops = {
	.read = read_zeros,
	.write = write_nowhere,
	.seek = seek_nowhere,
	.mmap = map_zero,
};

static const struct file_operations full_ops = {
	.read = read_zeros,
	.write = write_full,
	.seek = seek_nowhere,
};

static const struct file_operations random_ops = {
	.read = read_random,
	.write = write_random,
	.seek = seek_nowhere,
	.ioctl = ioctl_random,
};

static const struct file_operations kmsg_ops = {
	.read = read_kmsg,
	.write = write_nowhere,
	.seek = seek_nowhere,
	.poll = poll_kmsg,
	.wait_queue = queue_kmsg,
};

static int memory_device_open(struct inode *inode, struct file *file)
{
	switch (LINUX_MINOR(inode->attributes.rdev)) {
	case MINOR_NULL:
		file->ops = &null_ops;
		break;
	case MINOR_ZERO:
		file->ops = &zero_ops;
		break;
	case MINOR_FULL:
		file->ops = &full_ops;
		break;
	case MINOR_RANDOM:
	case MINOR_URANDOM:
		file->ops = &random_ops;
		break;
	case MINOR_KMSG:
		file->ops = &kmsg_ops;
		file->mode |= FILE_SEEKABLE;
		return 0;
	default:
		return -ENXIO;
	}
	file->mode = (file->mode & ~(unsigned int)FILE_STREAM) | FILE_SEEKABLE | FILE_NO_WAIT;
	return 0;
}

void memory_devices_register(void)
{
	pthread_once(&kmsg_once, kmsg_init);
	device_register(MEMORY_MAJOR, 0, 256, "mem", memory_device_open);
}
