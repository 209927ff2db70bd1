/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File locks: POSIX record locks, open file description locks, flock(2).
 *
 * Every function takes what locks it needs itself; none may be held.
 */
#pragma once

#include "abi/fcntl.h"
#include "base/compiler.h"
#include "sentry/vfs/file.h"

struct file_lock_list;
struct text_writer;

void file_lock_list_free(struct file_lock_list *list); /* with the inode; NULL is fine */

/* fcntl(2): F_GETLK, F_SETLK, F_SETLKW and the F_OFD_ forms. lock is updated by F_GETLK. Blocks;
 * -EINTR and -ERESTARTSYS included. */
must_check int file_lock_control(
	struct file *file, int fd, unsigned int command, struct linux_flock *lock);
/* flock(2): operation is LOCK_SH, _EX or _UN, perhaps with LOCK_NB. */
must_check int file_flock(struct file *file, unsigned int operation);
/* A descriptor of the table was closed: its record locks on the file go. */
void file_lock_release_posix(struct file *file, struct fd_table *owner);
/* The file itself goes; its lease too. */
void file_lock_release_file(struct file *file);
/* /proc/locks; the lines of one file for /proc/PID/fdinfo. */
void file_lock_show_all(struct text_writer *out);
