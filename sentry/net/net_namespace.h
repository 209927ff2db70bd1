/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network namespaces: what tells the abstract unix names of one from those of another.
 *
 * Differs from Linux: the loopback of AF_INET and AF_INET6 is one for the whole sandbox. It shows
 * as down and without addresses in a new namespace until it is set up there, but sockets do not
 * mind.
 */
#pragma once

#include "base/compiler.h"
#include "base/refcount.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct user_namespace;

struct net_namespace {
	struct refcount refs;
	struct user_namespace *user_ns; /* a reference; set once */
	uint64_t ino;
	atomic_bool loopback_up, loopback_has_address; /* as they are shown */
};

must_check int net_namespace_new(struct user_namespace *user_ns, struct net_namespace **out);
struct net_namespace *net_namespace_get(struct net_namespace *ns);
void net_namespace_put(struct net_namespace *ns);
/* Gives it its loopback as container runtimes do: up, with its addresses. */
void net_namespace_raise_loopback(struct net_namespace *ns);
/* Of the current task's namespace, as it is shown; the first one's is up. */
bool net_loopback_is_up(void);
bool net_loopback_has_address(void);
/* Has the current task CAP_NET_ADMIN there? */
bool net_may_administer(void);
/* -EPERM without CAP_NET_ADMIN there. Up, it has its addresses. */
must_check int net_loopback_set_up(bool up);
/* 127.0.0.1/8: -EEXIST if it has it. */
must_check int net_loopback_add_address(void);
/* The current task's; borrowed. NULL when it has none. */
struct net_namespace *net_namespace_current(void);
/* Tells the kernel how CLONE_NEWNET makes one. Once at start, before the first task. */
void net_namespace_register(void);
