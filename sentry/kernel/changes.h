/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the writable layers hold at the end, written to descriptors of the command's.
 *
 * The list: records "CHANGE TYPE SIZE BEFORE PATH\0", where CHANGE is A, M or D, TYPE one of
 * f d l p s c b (or - for what is gone), SIZE in bytes, and BEFORE what the host had there when the
 * sandbox first looked: "INO:SIZE:MTIME:CTIME" in decimal, times in nanoseconds, or -. The last
 * record is "E NUMBER", an errno of what went wrong, or 0. The layer: layer_store.h.
 */
#pragma once

struct super_block;

/* A layer of that kind was mounted there; a reference is taken. Before there are tasks. */
void changes_add_layer(struct super_block *overlay, const char *destination);
/* Everything is in place, and the first process may start: from here on there are changes. */
void changes_begin(void);
/* When no task runs any more; lets go of the layers. layer_fd -1: no layer is wanted. */
void changes_write(int list_fd, int layer_fd);
