/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leases on open files (fcntl(2): F_SETLEASE).
 *
 * Every function takes what locks it needs itself; none may be held.
 */
#pragma once

#include "base/compiler.h"

#include <stdatomic.h>
#include <stdbool.h>

struct file;
struct inode;
struct lease_list;
struct text_writer;

/* /proc/sys/fs: seconds until a lease that is in the way ends by itself, 0 for never; may new ones
 * be taken? */
extern atomic_int g_lease_break_time, g_leases_enable;

void lease_list_free(struct lease_list *list); /* with the inode; NULL is fine */
/* F_SETLEASE, F_GETLEASE. type: LINUX_F_*LCK; fd is what the siginfo of a break tells. */
must_check int lease_set(struct file *file, int fd, int type);
int lease_get_type(struct file *file);
/* The file itself goes. */
void lease_release_file(struct file *file);
/*
 * Somebody opens or truncates: tells the holders of leases that are in the way, and waits until
 * they let go. -EAGAIN with no_wait; -ERESTARTSYS.
 */
must_check int lease_break(struct inode *inode, bool write, bool no_wait);
/* Lines of /proc/locks; returns the next number. */
unsigned int lease_show_all(struct text_writer *out, unsigned int number);
