/* SPDX-License-Identifier: Apache-2.0 */
/* UTS namespaces (uts_namespaces(7)): the host name, the domain name, and what uname(2) says of the
 * kernel. */
#include "sentry/kernel/nsproxy.h"
#include "sentry/lock_order.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define UTS_RELEASE "6.16.0"
#define UTS_VERSION "#1 SMP PREEMPT_DYNAMIC csandbox"

REFCOUNT_TYPE(uts_namespace_refs, "uts_namespace");

int uts_namespace_new(struct user_namespace *user_ns, struct uts_namespace **out)
{
	struct uts_namespace *ns = calloc(1, sizeof(*ns));

	if (!ns)
		return -ENOMEM;
	refcount_init(&ns->refs, &uts_namespace_refs);
	mutex_init(&ns->lock, RANK_LEAF, "uts_namespace");
	ns->user_ns = user_namespace_get(user_ns);
	ns->ino = NAMESPACE_INODE_UTS;
	strcpy(ns->name.sysname, "Linux");
	strcpy(ns->name.nodename, "csandbox");
	strcpy(ns->name.release, UTS_RELEASE);
	strcpy(ns->name.version, UTS_VERSION);
	strcpy(ns->name.machine, "x86_64");
	strcpy(ns->name.domainname, "(none)");
	*out = ns;
	return 0;
}

int uts_namespace_copy(
	struct uts_namespace *from, struct user_namespace *user_ns, struct uts_namespace **out)
{
	int err = uts_namespace_new(user_ns, out);

	if (err)
		return err;
	uts_namespace_read(from, &(*out)->name);
	(*out)->ino = namespace_inode_new();
	return 0;
}

struct uts_namespace *uts_namespace_get(struct uts_namespace *ns)
{
	refcount_get(&ns->refs);
	return ns;
}

void uts_namespace_put(struct uts_namespace *ns)
{
	if (!ns || !refcount_put(&ns->refs))
		return;
	user_namespace_put(ns->user_ns);
	mutex_destroy(&ns->lock);
	free(ns);
}

void uts_namespace_read(struct uts_namespace *ns, struct linux_new_utsname *out)
{
	mutex_guard(&ns->lock);
	*out = ns->name;
}

void uts_namespace_set(struct uts_namespace *ns, bool domain, const char *name, size_t size)
{
	char *field = domain ? ns->name.domainname : ns->name.nodename;

	if (size > LINUX_NEW_UTS_LEN)
		size = LINUX_NEW_UTS_LEN;
	mutex_guard(&ns->lock);
	memset(field, 0, LINUX_NEW_UTS_LEN + 1);
	memcpy(field, name, size);
}
