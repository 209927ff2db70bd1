/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cgroup namespaces (cgroup_namespaces(7)): which cgroup a process sees as the root. All are in the
 * one cgroup that there is, so they differ by what they are alone, and by who owns them.
 */
#include "sentry/kernel/cgroup_namespace.h"

#include "abi/sched.h"
#include "base/refcount.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/user_namespace.h"

#include <errno.h>
#include <stdlib.h>

REFCOUNT_TYPE(cgroup_namespace_refs, "cgroup namespace");

struct cgroup_namespace {
	struct refcount refs;
	struct user_namespace *user_ns; /* a reference; set once */
	uint64_t ino;			/* set once */
};

static struct cgroup_namespace g_initial = {.ino = NAMESPACE_INODE_CGROUP};

int cgroup_namespace_new(struct user_namespace *user_ns, struct cgroup_namespace **out)
{
	struct cgroup_namespace *ns = calloc(1, sizeof(*ns));

	if (!ns)
		return -ENOMEM;
	refcount_init(&ns->refs, &cgroup_namespace_refs);
	ns->user_ns = user_namespace_get(user_ns);
	ns->ino = namespace_inode_new();
	*out = ns;
	return 0;
}

/* --- as nsproxies, nsfs and setns(2) know them --- */

static void *operations_get(void *opaque)
{
	struct cgroup_namespace *ns = opaque;

	if (ns != &g_initial)
		refcount_get(&ns->refs);
	return ns;
}

static void operations_put(void *opaque)
{
	struct cgroup_namespace *ns = opaque;

	if (ns == &g_initial || !refcount_put(&ns->refs))
		return;
	user_namespace_put(ns->user_ns);
	free(ns);
}

static int operations_create(void *from, struct user_namespace *user_ns, void **out)
{
	struct cgroup_namespace *ns;
	int error = cgroup_namespace_new(user_ns, &ns);

	if (!error)
		*out = ns;
	return error;
}

static void *operations_initial(void)
{
	return &g_initial;
}

static uint64_t operations_inode(void *ns)
{
	return ((struct cgroup_namespace *)ns)->ino;
}

static struct user_namespace *operations_owner(void *ns)
{
	return ((struct cgroup_namespace *)ns)->user_ns;
}

static const struct namespace_operations operations = {
	.get = operations_get,
	.put = operations_put,
	.create = operations_create,
	.initial = operations_initial,
	.inode = operations_inode,
	.owner = operations_owner,
};

__attribute__((constructor)) static void cgroup_namespace_init(void)
{
	g_initial.user_ns = user_namespace_initial();
	nsproxy_register(LINUX_CLONE_NEWCGROUP, &operations);
}
