/* SPDX-License-Identifier: Apache-2.0 */
/* Reading directories. */
#pragma once

#include "sentry/vfs/file.h"

/*
 * Feeds context->emit from the file's position on, "." and ".." included, and moves the position to
 * what was taken. emit runs with locks up to RANK_FILE held. -ENOTDIR, -ENOENT for a directory that
 * was removed.
 */
must_check int file_iterate(struct file *file, struct dir_context *context);
