/* SPDX-License-Identifier: Apache-2.0 */
/* Files that stand for namespaces, between task_namespaces.c and task_fd.c. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct file;

/* "net:[4026531840]"; false for other files. */
bool namespace_file_name(const struct file *file, char *buffer, size_t size);
