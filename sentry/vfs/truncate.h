/* SPDX-License-Identifier: Apache-2.0 */
/* Space of regular files: fallocate(2). path_truncate() is in open.h. */
#pragma once

#include "sentry/vfs/file.h"

must_check int file_fallocate(struct file *file, int mode, int64_t offset, int64_t length);
