/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sentry/fs/anon/ - files on the anonymous inode: eventfd, timerfd, signalfd, inotify; epoll is in
 * epoll.h.
 *
 * Each new_file function gives a file with one reference; flags: LINUX_O_NONBLOCK.
 */
#pragma once

#include "abi/signal.h"
#include "abi/time.h"
#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

struct file;
struct inode;
struct sighand;
struct task;

/* --- eventfd.c --- */
must_check int eventfd_new_file(uint32_t count, bool semaphore, uint32_t flags, struct file **out);
bool file_is_eventfd(const struct file *file);
/* Adds to the counter as a write would, but never waits: stops at the maximum. For aio. */
void eventfd_signal(struct file *file, uint64_t count);

/* --- timerfd.c. clock: LINUX_CLOCK_*. --- */
must_check int timerfd_new_file(int clock, uint32_t flags, struct file **out);
bool file_is_timerfd(const struct file *file);
/* old may be NULL. flags: LINUX_TFD_TIMER_*. The specification was validated. */
void timerfd_set(struct file *file, int flags, const struct linux_itimerspec *new_value,
	struct linux_itimerspec *old);
void timerfd_get(struct file *file, struct linux_itimerspec *value);

/* --- signalfd.c --- */
must_check int signalfd_new_file(linux_sigset_t mask, uint32_t flags, struct file **out);
bool file_is_signalfd(const struct file *file);
void signalfd_set_mask(struct file *file, linux_sigset_t mask);

/* --- inotify.c --- */
must_check int inotify_new_file(uint32_t flags, struct file **out);
bool file_is_inotify(const struct file *file);
/* The watch descriptor. mask was checked for unknown and contradicting bits. */
must_check int inotify_watch_add(struct file *file, struct inode *inode, uint32_t mask);
must_check int inotify_remove_watch(struct file *file, int watch);
