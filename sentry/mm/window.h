/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Windows: where the sentry sees the pages of host files that guests map. They are cached across
 * address spaces, since every process maps the same libraries.
 *
 * Pages behind the end of the file fault: only safe_copy() and host system calls may touch a
 * window.
 */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

struct mappable;
struct window;

#define WINDOW_BYTES (2ul << 20) /* aligned to that, too */

/* A reference to the window of a file that holds an offset of fd. -ENOMEM, or the host's error. */
must_check int window_get(
	struct mappable *mappable, int fd, uint64_t offset, bool writable, struct window **out);
struct window *window_share(struct window *window);
/* NULL is allowed. */
void window_put(struct window *window);
/* Does it show this offset, for writing if that is asked? */
bool window_shows(const struct window *window, uint64_t offset, bool writable);
/* The place of an offset that it shows. */
char *window_pointer(const struct window *window, uint64_t offset);
/* The file has changed its place or is gone: nobody finds its windows any more. */
void window_forget(struct mappable *mappable);
