/* SPDX-License-Identifier: Apache-2.0 */
/* The character devices that lead to terminals: /dev/tty, /dev/console, ptmx, and the numbers of
 * slave ends. */
#include "sentry/fs/devpts/tty.h"

#include "sentry/vfs/device.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <sys/sysmacros.h>

#define TTY_MAJOR     5
#define TTY_MINOR     0
#define CONSOLE_MINOR 1
#define PTMX_MINOR    2
#define SLAVE_MAJOR   136
#define SLAVE_MAJORS  4

static int open_end(struct tty *tty, struct file *file)
{
	int error = tty_open_slave(tty, file);

	tty_put(tty);
	return error;
}

static int open_current(struct inode *inode, struct file *file)
{
	struct tty *tty = tty_current();

	return tty ? open_end(tty, file) : -ENXIO;
}

static int open_console(struct inode *inode, struct file *file)
{
	struct tty *tty = console_tty();

	return tty ? open_end(tty_get(tty), file) : -ENXIO;
}

/* A ptmx node makes a pty only in the instance that it lies in. */
static int open_ptmx(struct inode *inode, struct file *file)
{
	struct devpts *devpts = devpts_of(inode->sb);

	return devpts ? pty_open_master(devpts, file) : -ENODEV;
}

/* A slave number means something only below its own devpts. */
static int open_slave(struct inode *inode, struct file *file)
{
	struct devpts *devpts = devpts_of(inode->sb);
	struct tty *tty = devpts ? devpts_find(devpts, inode) : NULL;

	return tty ? open_end(tty, file) : -EIO;
}

void tty_devices_register(void)
{
	device_register(TTY_MAJOR, TTY_MINOR, 1, "/dev/tty", open_current);
	device_register(TTY_MAJOR, CONSOLE_MINOR, 1, "/dev/console", open_console);
	device_register(TTY_MAJOR, PTMX_MINOR, 1, "/dev/ptmx", open_ptmx);
	for (unsigned int i = 0; i < SLAVE_MAJORS; i++)
		device_register(SLAVE_MAJOR + i, 0, 256, "pts", open_slave);
}
