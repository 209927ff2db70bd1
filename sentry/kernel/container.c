/* SPDX-License-Identifier: Apache-2.0 */
/* Containers as objects: their namespaces, their root, and their end. */
#include "abi/sched.h"
#include "sentry/kernel/boot.h"
#include "sentry/kernel/boot_mounts.h"
#include "sentry/kernel/cgroup_namespace.h"
#include "sentry/kernel/container_private.h"
#include "sentry/kernel/ipc_namespace.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/task.h"
#include "sentry/keys/key.h"
#include "sentry/lock_order.h"
#include "sentry/net/net_namespace.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

REFCOUNT_TYPE(container_refs, "container");

struct container_set g_containers = {
	.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

int container_fail(struct container_error *error, int code, const char *format, ...)
{
	va_list arguments;

	error->error = code;
	va_start(arguments, format);
	(void)vsnprintf(error->message, sizeof(error->message), format, arguments);
	va_end(arguments);
	return code;
}

struct container *container_get(struct container *container)
{
	if (container)
		refcount_get(&container->refs);
	return container;
}

/* What has locks of its own went with container_end(): this may be called with any held. */
void container_put(struct container *container)
{
	if (!container || !refcount_put(&container->refs))
		return;
	keys_forget_domain(container->key_domain);
	free(container->id);
	free(container);
}

uint64_t container_key_domain(const struct container *container)
{
	return container->key_domain;
}

const char *container_id(const struct container *container)
{
	return container->id;
}

/* --- namespaces --- */

/* What another container has, for who shares it. */
static struct nsproxy *nsproxy_of(struct container *container)
{
	struct nsproxy *nsproxy = NULL;

	if (!container)
		return task_get_nsproxy(boot_init_task());
	pthread_mutex_lock(&g_containers.lock);
	if (container->nsproxy)
		nsproxy = nsproxy_get(container->nsproxy);
	pthread_mutex_unlock(&g_containers.lock);
	return nsproxy;
}

static int make_uts(const struct container_config *config, struct uts_namespace **out)
{
	struct nsproxy *from = nsproxy_of(config->share_uts);
	int err = -ESRCH;

	if (from && config->new_uts)
		err = uts_namespace_copy(from->uts, user_namespace_initial(), out);
	else if (from) {
		*out = uts_namespace_get(from->uts);
		err = 0;
	}
	nsproxy_put(from);
	if (!err && config->hostname)
		uts_namespace_set(*out, false, config->hostname, strlen(config->hostname));
	if (!err && config->domainname)
		uts_namespace_set(*out, true, config->domainname, strlen(config->domainname));
	return err;
}

static int make_ipc(const struct container_config *config, struct ipc_namespace **out)
{
	struct nsproxy *from;

	*out = NULL;
	if (config->new_ipc)
		return ipc_namespace_new(user_namespace_initial(), out);
	from = nsproxy_of(config->share_ipc);
	if (!from)
		return -ESRCH;
	if (from->ipc)
		*out = ipc_namespace_get(from->ipc);
	nsproxy_put(from);
	return 0;
}

static int make_net(const struct container_config *config, struct net_namespace **out)
{
	struct nsproxy *from;

	*out = NULL;
	if (config->new_net) {
		int error = net_namespace_new(user_namespace_initial(), out);

		/* Container runtimes hand a new one over with its loopback up. */
		if (!error)
			net_namespace_raise_loopback(*out);
		return error;
	}
	from = nsproxy_of(config->share_net);
	if (!from)
		return -ESRCH;
	if (from->net)
		*out = net_namespace_get(from->net);
	nsproxy_put(from);
	return 0;
}

static int make_pid(const struct container_config *config, struct pid_namespace **out)
{
	struct pid_namespace *root = g_tasks.root_pid_ns;

	if (config->new_pid)
		return pid_namespace_new(root, user_namespace_initial(), out);
	*out = pid_namespace_get(config->share_pid ? config->share_pid->pid_ns : root);
	return 0;
}

/* In a nsproxy that nobody sees yet, like the next. */
static int make_time(const struct container_config *config, struct nsproxy *nsproxy)
{
	int err;

	if (!config->new_time)
		return 0;
	err = time_namespace_new(NULL, user_namespace_initial(), &nsproxy->time_for_children);
	if (!err)
		err = time_namespace_set(nsproxy->time_for_children, &config->time_offsets);
	nsproxy_change_time(nsproxy);
	return err;
}

static int make_others(const struct container_config *config, struct nsproxy *nsproxy)
{
	int err = config->new_cgroup
			  ? cgroup_namespace_new(user_namespace_initial(), &nsproxy->cgroup)
			  : 0;

	return err ? err : make_time(config, nsproxy);
}

static int make_namespaces(struct container *container, const struct container_config *config,
	struct mount_namespace *mounts)
{
	struct uts_namespace *uts = NULL;
	struct ipc_namespace *ipc = NULL;
	struct net_namespace *net = NULL;
	int err = make_pid(config, &container->pid_ns);

	if (!err)
		err = make_uts(config, &uts);
	if (!err)
		err = make_ipc(config, &ipc);
	if (!err)
		err = make_net(config, &net);
	if (!err)
		err = nsproxy_new(uts, ipc, mount_namespace_get(mounts), net,
			pid_namespace_get(container->pid_ns), &container->nsproxy);
	if (!err)
		return make_others(config, container->nsproxy);
	uts_namespace_put(uts);
	if (ipc)
		ipc_namespace_put(ipc);
	if (net)
		net_namespace_put(net);
	return err;
}

static struct container *container_allocate(const struct container_config *config)
{
	struct container *container = calloc(1, sizeof(*container));

	if (!container)
		return NULL;
	container->key_domain = keys_domain_new();
	refcount_init(&container->refs, &container_refs);
	container->id = strdup(config->id);
	container->own_pid_ns = config->new_pid;
	container->host_ids = config->host_ids;
	if (container->id)
		return container;
	container_put(container);
	return NULL;
}

int container_new(const struct container_config *config, struct container **out,
	struct container_error *error)
{
	const struct sandbox_config shared = {
		.mounts = config->mounts, .mount_count = 1, .host_ids = config->host_ids};
	struct container *container = container_allocate(config);
	struct mount_namespace *mounts;
	int err;

	if (!container)
		return container_fail(error, -ENOMEM, "no memory for a container");
	err = boot_make_root(&shared, &mounts);
	if (err) {
		container_put(container);
		return container_fail(error, err, "root.path: cannot mount %s: %s",
			config->mounts[0].source, strerror(-err));
	}
	mount_namespace_root(mounts, &container->root);
	err = make_namespaces(container, config, mounts);
	mount_namespace_put(mounts);
	pthread_mutex_lock(&g_containers.lock);
	container->has_all_memory = LIST_EMPTY(&g_containers.containers);
	LIST_INSERT_HEAD(&g_containers.containers, container, link);
	pthread_mutex_unlock(&g_containers.lock);
	container_set_limits(container, &config->limits);
	if (err) {
		container_end(container);
		container_put(container);
		return container_fail(error, err, "linux.%s: %s",
			err == -ERANGE ? "timeOffsets" : "namespaces", strerror(-err));
	}
	*out = container;
	return 0;
}

/* --- the end --- */

void container_end(struct container *container)
{
	struct thread_group *init;
	struct nsproxy *nsproxy;
	struct path root;

	container_signal_all(container, LINUX_SIGKILL);
	pthread_mutex_lock(&g_containers.lock);
	if (!container->root.mount) {
		pthread_mutex_unlock(&g_containers.lock);
		return;
	}
	LIST_REMOVE(container, link);
	init = steal_pointer(&container->init);
	nsproxy = steal_pointer(&container->nsproxy);
	root = container->root;
	container->root = (struct path){0};
	pthread_mutex_unlock(&g_containers.lock);
	path_put(&root);
	nsproxy_put(nsproxy);
	thread_group_put(init);
	pid_namespace_put(steal_pointer(&container->pid_ns));
}

void containers_shutdown(void)
{
	struct container *container;

	for (;;) {
		struct container_process *process;

		pthread_mutex_lock(&g_containers.lock);
		process = LIST_FIRST(&g_containers.processes);
		pthread_mutex_unlock(&g_containers.lock);
		if (!process)
			break;
		container_process_free(process);
	}
	containers_stop_looking();
	while ((container = LIST_FIRST(&g_containers.containers))) {
		container_end(container);
		container_put(container);
	}
}
