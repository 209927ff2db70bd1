/* SPDX-License-Identifier: Apache-2.0 */
/* The making of struct file, between file.c, open.c, anon_inode.c and fasync.c. */
#pragma once

#include "sentry/vfs/file.h"

/* No path, inode or operations yet: file_abandon() until it is opened. -ENFILE, -ENOMEM. */
must_check int file_allocate(
	unsigned int mode, uint32_t flags, const struct cred *cred, struct file **out);
/* For a file whose open failed: releases what it holds and calls nothing of the file system's. */
void file_abandon(struct file *file);
/* A regular file opened for writing counts as a writer of its inode and mount; file_put() takes
 * that back. -ETXTBSY, -EROFS. */
must_check int file_hold_write_access(struct file *file);
void file_drop_write_access(struct file *file);

/* Is the inode one of anon_inode.c's, whose names are made up? */
bool inode_is_pseudo(const struct inode *inode);
/* "pipe:[N]", "socket:[N]", "anon_inode:NAME"; false for files that have a place. */
bool file_pseudo_name(const struct file *file, char *buffer, size_t size);

void file_async_free(struct file *file);
