/* SPDX-License-Identifier: Apache-2.0 */
/* A cgroup of the host around a run. */
#include "runsc-c/host_cgroup.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PERIOD_US 100000

/* Only hierarchies that have one of these are of use. */
static bool has_use(const struct cgroup *cgroup, const struct cgroup_directory *directory)
{
	static const char *const controllers[] = {"memory", "pids", "cpu"};

	for (size_t i = 0; i < array_count(controllers); i++) {
		if (cgroup_of(cgroup, controllers[i]) == directory->path)
			return true;
	}
	return false;
}

static void drop_useless(struct cgroup *cgroup)
{
	struct cgroup useful = {.unified = cgroup->unified};

	for (size_t i = 0; i < cgroup->count; i++) {
		struct cgroup_directory *directory = &cgroup->directories[i];

		if (has_use(cgroup, directory)) {
			useful.directories[useful.count++] = *directory;
			continue;
		}
		free(directory->controllers);
		free(directory->path);
		directory->controllers = directory->path = NULL;
	}
	*cgroup = useful;
}

/* One section of resources, with room; false: not to be had. Consumes the section. */
static bool apply(struct host_cgroup *host, const char *name, json_t *section)
{
	json_t *resources = json_pack("{s:o}", name, section);
	json_t *roomy = resources ? cgroup_with_room(resources) : NULL;
	struct failure unused;
	bool applied = roomy && !cgroup_apply(&host->cgroup, roomy, &unused);

	json_decref(roomy);
	json_decref(resources);
	return applied;
}

void host_cgroup_make(struct host_cgroup *host, const struct sandbox_limits *limits)
{
	struct failure unused;
	char name[64];

	*host = (struct host_cgroup){0};
	if (!limits->memory && !limits->tasks && !limits->cpu_milli)
		return;
	(void)snprintf(name, sizeof(name), "csandbox-run-%d", getpid());
	if (cgroup_find(&host->cgroup, NULL, name, false, &unused))
		return;
	drop_useless(&host->cgroup);
	host->made = true;
	if (cgroup_make(&host->cgroup, &unused)) {
		host_cgroup_remove(host);
		return;
	}
	if (limits->memory)
		host->memory = apply(
			host, "memory", json_pack("{s:I}", "limit", (json_int_t)limits->memory));
	if (limits->tasks)
		host->tasks =
			apply(host, "pids", json_pack("{s:I}", "limit", (json_int_t)limits->tasks));
	/* The sentry's own work is not in the guests' share: half as much again. */
	if (limits->cpu_milli)
		host->cpu = apply(host, "cpu",
			json_pack("{s:I, s:I}", "quota",
				(json_int_t)(limits->cpu_milli * PERIOD_US / 1000 * 3 / 2),
				"period", (json_int_t)PERIOD_US));
	if (!host->memory && !host->tasks && !host->cpu)
		host_cgroup_remove(host);
}

int host_cgroup_enter(const struct host_cgroup *host, pid_t sentry, struct failure *failure)
{
	return host->made ? cgroup_enter(&host->cgroup, sentry, failure) : 0;
}

void host_cgroup_remove(struct host_cgroup *host)
{
	if (host->made)
		(void)cgroup_remove(&host->cgroup);
	cgroup_free(&host->cgroup);
	host->made = false;
}
