/* SPDX-License-Identifier: Apache-2.0 */
/* What the handlers of sockets share: socket.c and socket_message.c. */
#pragma once

#include "base/compiler.h"
#include "sentry/mm/mm.h"

struct file;
struct socket;
struct socket_address;
struct task;

/* A reference to a socket's file, or NULL with *error -EBADF or -ENOTSOCK. */
struct file *get_socket_file(struct task *task, uint64_t fd, struct socket **socket, int *error);
must_check int copy_in_address(
	struct task *task, gaddr_t address, int32_t size, struct socket_address *out);
/* The name, cut to the room that *size_address tells, and its real size there. */
must_check int copy_out_address(struct task *task, const struct socket_address *name,
	gaddr_t address, gaddr_t size_address);
/* May a message be sent there, by the policy? No name is fine. -EACCES. */
must_check int check_destination(
	const struct socket *socket, const struct socket_address *address);
