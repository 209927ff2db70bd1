/* SPDX-License-Identifier: Apache-2.0 */
/* The descriptors that the first process starts with, and its terminal. */
#pragma once

#include "base/compiler.h"

struct cred;
struct fd_table;
struct path;
struct sandbox_config;
struct task;

/* Descriptors 0.. from config->stdio: the guest's own tty where it is the console, the host's file
 * otherwise. */
must_check int boot_make_files(const struct sandbox_config *config, const struct path *root,
	const struct cred *cred, struct fd_table **out);
/* On the first process's thread, before its execve: the console is its controlling terminal. */
must_check int boot_take_console(struct task *task, void *argument);
