/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where lines go: one buffer for all tasks, written when it is full, or a moment after something
 * came.
 *
 * A reader that stops reading (a pipe, a terminal that is held) stops the tasks that are traced, as
 * it does with strace(1); killing the command ends them all the same.
 */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

must_check int trace_writer_start(int fd);
/* What is still in the buffer. The error that ended the trace early, or 0. */
must_check int trace_writer_finish(void);
void trace_writer_lock(void);
void trace_writer_unlock(void);
/* Locked. */
void trace_write(const char *bytes, size_t size);
void trace_write_text(const char *text);
