/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network namespaces: what tells the abstract unix names of one from those of another.
 *
 * Differs from Linux: the loopback of AF_INET and AF_INET6 is one for the whole sandbox, and it is
 * up in every namespace.
 */
#pragma once

#include "base/compiler.h"
#include "base/refcount.h"

#include <stdint.h>

struct user_namespace;

struct net_namespace {
	struct refcount refs;
	struct user_namespace *user_ns; /* a reference; set once */
	uint64_t ino;
};

must_check int net_namespace_new(struct user_namespace *user_ns, struct net_namespace **out);
struct net_namespace *net_namespace_get(struct net_namespace *ns);
void net_namespace_put(struct net_namespace *ns);
/* The current task's; borrowed. NULL when it has none. */
struct net_namespace *net_namespace_current(void);
/* Tells the kernel how CLONE_NEWNET makes one. Once at start, before the first task. */
void net_namespace_register(void);
