/* SPDX-License-Identifier: Apache-2.0 */
/* Links of /proc/PID that lead to a file itself (fd, map_files). Who may is the caller's to say. */
#pragma once

#include "base/compiler.h"

#include <stddef.h>
#include <stdint.h>

struct file;
struct inode;
struct path;

/* Both consume the caller's reference to file. */
must_check int file_link_follow(struct file *file, struct path *out);
/* The name as the current task's root shows it, as readlink(2): its length, -ENAMETOOLONG. */
must_check int64_t file_link_read(struct file *file, char *buffer, size_t size);
/* For getattr: permissions as the file was opened. */
void file_link_set_mode(struct inode *inode, uint32_t permissions);
