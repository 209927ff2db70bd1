/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uid_map, gid_map, projid_map and setgroups of /proc/PID (user_namespaces(7)), and timens_offsets
 * (time_namespaces(7)).
 *
 * Differs from Linux: project ids are never mapped.
 */
#include "sentry/fs/proc/task_files.h"

#include "sentry/kernel/task.h"
#include "sentry/kernel/user_namespace.h"
#include "sentry/time/time_namespace.h"

#include <errno.h>

/* The task's, with a reference. */
static struct user_namespace *namespace_of(const struct proc_context *context)
{
	const struct cred *cred = task_get_cred(context->task);
	struct user_namespace *ns = user_namespace_get(cred->user_ns);

	cred_put(cred);
	return ns;
}

int task_show_id_map(const struct proc_context *context, struct text_writer *out)
{
	struct user_namespace *ns = namespace_of(context);

	user_namespace_show_map(
		ns, (enum user_namespace_map_kind)context->entry->data, context->user_ns, out);
	user_namespace_put(ns);
	return 0;
}

int64_t task_store_id_map(const struct proc_context *context, const char *text, size_t size)
{
	struct user_namespace *ns = namespace_of(context), *parent = user_namespace_parent(ns);
	int error = -EINVAL;

	/* The opener is in the namespace or in its parent, and the whole map comes in one write. */
	if (!parent || (context->user_ns != ns && context->user_ns != parent))
		error = -EPERM;
	else if (size < PAGE_SIZE)
		error = user_namespace_write_map(ns,
			(enum user_namespace_map_kind)context->entry->data, context->cred, text,
			size);
	user_namespace_put(ns);
	return error ? error : (int64_t)size;
}

int task_show_projid_map(const struct proc_context *context, struct text_writer *out)
{
	struct user_namespace *ns = namespace_of(context);

	if (!user_namespace_parent(ns))
		text_printf(out, "%10u %10u %10u\n", 0u, 0u, UINT32_MAX);
	user_namespace_put(ns);
	return 0;
}

int task_show_setgroups(const struct proc_context *context, struct text_writer *out)
{
	struct user_namespace *ns = namespace_of(context);

	text_printf(out, "%s\n", user_namespace_setgroups_allowed(ns) ? "allow" : "deny");
	user_namespace_put(ns);
	return 0;
}

int64_t task_store_setgroups(const struct proc_context *context, const char *text, size_t size)
{
	struct user_namespace *ns = namespace_of(context);
	int error = user_namespace_write_setgroups(ns, context->cred, text, size);

	user_namespace_put(ns);
	return error ? error : (int64_t)size;
}

int task_show_time_offsets(const struct proc_context *context, struct text_writer *out)
{
	time_namespace_show(context->task, out);
	return 0;
}

int64_t task_store_time_offsets(const struct proc_context *context, const char *text, size_t size)
{
	int error = size < PAGE_SIZE ? time_namespace_store(context->task, context->cred, text)
				     : -EINVAL;

	return error ? error : (int64_t)size;
}
