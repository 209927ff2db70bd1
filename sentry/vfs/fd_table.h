/* SPDX-License-Identifier: Apache-2.0 */
/* What open(2) needs of descriptor tables beyond vfs/file.h: a descriptor that is taken before the
 * file is there. */
#pragma once

#include "sentry/vfs/file.h"

/* The lowest free descriptor, which nobody can use yet. -EMFILE, -ENOMEM. */
must_check int fd_reserve(struct fd_table *table, int least, bool close_on_exec);
/* Makes it lead to a file; consumes the reference. */
void fd_commit(struct fd_table *table, int fd, struct file *file);
void fd_cancel(struct fd_table *table, int fd);
