/* SPDX-License-Identifier: Apache-2.0 */
/* Who gets SIGIO of a file (fcntl(2): F_SETOWN, F_SETOWN_EX). */
#pragma once

#include "sentry/vfs/file.h"

/* type: LINUX_F_OWNER_*; number 0: nobody. -ESRCH, -EINVAL. */
must_check int file_set_owner(struct file *file, int type, int number);
/* As F_SETOWN: a process, or with a negative number a process group. -ESRCH, -EINVAL. */
must_check int file_set_owner_number(struct file *file, int number);
/* As F_GETOWN. */
int file_get_owner_number(struct file *file);
/* No owner, and SIGIO as its signal. */
void file_forget_owner(struct file *file);
/* The current process, as F_SETOWN would, unless somebody is. */
void file_set_owner_if_none(struct file *file);
/* Sends the owner the file's signal now: fd and events (LINUX_EPOLL*) are what F_SETSIG's siginfo
 * says. No lock held at or below RANK_TASK_SET. */
void file_signal_owner(struct file *file, int fd, uint32_t events);
/* The number as the current task sees it, 0 for nobody. */
int file_get_owner(struct file *file, int *type);
/* The descriptor that the siginfo of F_SETSIG's signal names. */
void file_set_async_fd(struct file *file, int fd);
