/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Socket filters (SO_ATTACH_FILTER of socket(7)): a classic BPF program decides how much of each
 * message a socket receives. For families whose messages the kernel carries itself, and raw and packet sockets.
 */
#pragma once

#include "base/compiler.h"
#include "sentry/mm/mm.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct socket;

/* Do the messages of its family pass by here? */
bool socket_has_filters(const struct socket *socket);

/* value: a struct sock_fprog; the program is read from the current task's memory. Replaces the one
 * before. -EINVAL, -EFAULT, -ENOMEM; -EPERM once filters are locked. */
must_check int socket_filter_attach(struct socket *socket, const void *value, uint32_t size);
/* -ENOENT, -EPERM. */
must_check int socket_filter_detach(struct socket *socket);
/* SO_GET_FILTER: what was attached, to the current task's memory. *count: how many instructions
 * there is room for, 0 to ask; then how many there are. -EINVAL, -EFAULT, -ENOMEM. */
must_check int socket_filter_get(struct socket *socket, gaddr_t address, uint32_t *count);
/* SO_LOCK_FILTER: for good. */
must_check int socket_filter_lock(struct socket *socket, int on);
/* Does the socket take a message, and how much of it? *size may become smaller. Its lock is held.
 */
bool socket_filter_admits_locked(const struct socket *socket, const void *message, size_t *size);
