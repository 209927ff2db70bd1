/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directory notification (fcntl(2): F_NOTIFY): a signal to the owner of a directory's open file
 * when something happens to what is in it.
 */
#pragma once

#include "base/compiler.h"

#include <stdint.h>

struct fd_table;
struct file;

/* events: LINUX_DN_*; none ends what the table's users asked for through this file. fd is what the
 * signal's siginfo names. -ENOTDIR, -ENOMEM. */
must_check int dnotify_set(struct file *file, struct fd_table *table, int fd, uint32_t events);
/* A descriptor of the table was closed: what was asked for through it ends. */
void dnotify_close(struct file *file, struct fd_table *table);
