/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Character devices by number: who opens a device node, wherever it lies (devtmpfs, tmpfs, a bind
 * mount of the host's).
 *
 * Drivers register at start, before there are tasks. Block devices have no drivers: opening one is
 * -ENXIO.
 */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct file;
struct inode;

/*
 * Opens a device: sets file->ops (and private). Called without locks; may block in task_block().
 * mode has FILE_STREAM and not FILE_SEEKABLE: a device with positions (/dev/zero, /dev/null)
 * changes that. May replace file->inode's meaning only through file->private.
 */
typedef int (*device_open_function)(struct inode *inode, struct file *file);

/* name as /proc/devices shows it; a static string. Panics when the table is full or the numbers are
 * taken. */
void device_register(uint32_t major, uint32_t first_minor, uint32_t minor_count, const char *name,
	device_open_function open);
/* -ENXIO when nobody registered the inode's attributes.rdev. */
must_check int device_open(struct inode *inode, struct file *file);
/* For /proc/devices: false past the last. */
must_check bool device_at(size_t index, uint32_t *major, const char **name);
