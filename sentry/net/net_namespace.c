/* SPDX-License-Identifier: Apache-2.0 */
/* Network namespaces. */
#include "sentry/net/net_namespace.h"

#include "abi/capability.h"
#include "abi/sched.h"
#include "sentry/kernel/credentials.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/task.h"

#include <errno.h>
#include <stdlib.h>

REFCOUNT_TYPE(net_namespace_refs, "net_namespace");

int net_namespace_new(struct user_namespace *user_ns, struct net_namespace **out)
{
	struct net_namespace *ns = calloc(1, sizeof(*ns));

	if (!ns)
		return -ENOMEM;
	refcount_init(&ns->refs, &net_namespace_refs);
	ns->user_ns = user_namespace_get(user_ns);
	ns->ino = namespace_inode_new();
	*out = ns;
	return 0;
}

struct net_namespace *net_namespace_get(struct net_namespace *ns)
{
	if (ns)
		refcount_get(&ns->refs);
	return ns;
}

void net_namespace_put(struct net_namespace *ns)
{
	if (!ns || !refcount_put(&ns->refs))
		return;
	user_namespace_put(ns->user_ns);
	free(ns);
}

void net_namespace_raise_loopback(struct net_namespace *ns)
{
	atomic_store(&ns->loopback_has_address, true);
	atomic_store(&ns->loopback_up, true);
}

struct net_namespace *net_namespace_current(void)
{
	return current && current->nsproxy ? current->nsproxy->net : NULL;
}

bool net_loopback_is_up(void)
{
	struct net_namespace *ns = net_namespace_current();

	return !ns || atomic_load(&ns->loopback_up);
}

bool net_loopback_has_address(void)
{
	struct net_namespace *ns = net_namespace_current();

	return !ns || atomic_load(&ns->loopback_has_address);
}

static bool may_administer(const struct net_namespace *ns)
{
	return cred_capable_in(
		current->cred, ns ? ns->user_ns : user_namespace_initial(), LINUX_CAP_NET_ADMIN);
}

bool net_may_administer(void)
{
	return may_administer(net_namespace_current());
}

int net_loopback_set_up(bool up)
{
	struct net_namespace *ns = net_namespace_current();

	if (!may_administer(ns))
		return -EPERM;
	/* The first one's is the host's: up for ever. */
	if (!ns)
		return up ? 0 : -EPERM;
	if (up)
		net_namespace_raise_loopback(ns);
	else
		atomic_store(&ns->loopback_up, false);
	return 0;
}

int net_loopback_add_address(void)
{
	struct net_namespace *ns = net_namespace_current();

	if (!may_administer(ns))
		return -EPERM;
	return !ns || atomic_exchange(&ns->loopback_has_address, true) ? -EEXIST : 0;
}

static void *net_initial(void);

static void *net_get(void *ns)
{
	return ns == net_initial() ? ns : net_namespace_get(ns);
}

static void net_put(void *ns)
{
	if (ns != net_initial())
		net_namespace_put(ns);
}

static int net_create(void *from, struct user_namespace *user_ns, void **out)
{
	struct net_namespace *ns;
	int error = net_namespace_new(user_ns, &ns);

	if (!error)
		*out = ns;
	return error;
}

/* Sockets of tasks without a namespace of their own belong to none: only its name and its owner are
 * needed. */
static void *net_initial(void)
{
	static struct net_namespace initial = {.ino = NAMESPACE_INODE_NET};

	initial.user_ns = user_namespace_initial();
	return &initial;
}

static uint64_t net_inode(void *ns)
{
	return ((struct net_namespace *)ns)->ino;
}

static struct user_namespace *net_owner(void *ns)
{
	return ((struct net_namespace *)ns)->user_ns;
}

void net_namespace_register(void)
{
	static const struct namespace_operations operations = {.get = net_get,
		.put = net_put,
		.create = net_create,
		.initial = net_initial,
		.inode = net_inode,
		.owner = net_owner};

	nsproxy_register(LINUX_CLONE_NEWNET, &operations);
}
