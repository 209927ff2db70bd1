/* SPDX-License-Identifier: Apache-2.0 */
/* A cgroup of the host around a run. */
#include "runsc-c/host_cgroup.h"

#include "base/cleanup.h"
#include "sentry/mm/memory_held.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PERIOD_US     100000
#define MEMORY_MOST   (1ull << 62)
#define NAME	      "csandbox-run-"
#define PASSES	      1000
#define GENERATIONS   4		/* the sentry, its stubs, and theirs */
#define CLEAN_PASSES  2		/* a list that is read while processes come and go may miss one */
#define PROCESSES_MAX (1 << 22) /* Linux's largest pid_max */

/* --- making --- */

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

static void apply_limits(struct host_cgroup *host, const struct sandbox_limits *limits)
{
	uint64_t memory = min_u64(limits->memory, MEMORY_MOST);

	/* What the host's kernel has for processes is only known to the sentry by rule of thumb: a
	 * quarter more. */
	if (limits->memory && memory_held_knows_heap())
		host->memory = apply(host, "memory",
			json_pack("{s:I}", "limit", (json_int_t)(memory + memory / 4)));
	if (limits->tasks)
		host->tasks =
			apply(host, "pids", json_pack("{s:I}", "limit", (json_int_t)limits->tasks));
	/* The sentry's own work is not in the guests' share: half as much again. */
	if (limits->cpu_milli)
		host->cpu = apply(host, "cpu",
			json_pack("{s:I, s:I}", "quota",
				(json_int_t)(limits->cpu_milli * PERIOD_US / 1000 * 3 / 2),
				"period", (json_int_t)PERIOD_US));
}

/* Those of commands that were killed before they could remove theirs; one with members stays. */
static void remove_abandoned(const struct cgroup_directory *directory)
{
	size_t length = strlen(directory->path) - strlen(strrchr(directory->path, '/'));
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *above;

	(void)snprintf(path, sizeof(path), "%.*s", (int)length, directory->path);
	above = opendir(path);
	while (above && (entry = readdir(above))) {
		pid_t owner = strncmp(entry->d_name, NAME, strlen(NAME))
				      ? 0
				      : atoi(entry->d_name + strlen(NAME));

		if (owner > 0 && kill(owner, 0) && errno == ESRCH)
			(void)unlinkat(dirfd(above), entry->d_name, AT_REMOVEDIR);
	}
	if (above)
		(void)closedir(above);
}

/* False: nothing that was asked for can be had there. Consumes the cgroup. */
static bool make_in(
	struct host_cgroup *host, struct cgroup *place, const struct sandbox_limits *limits)
{
	struct failure unused;

	host->cgroup = *place;
	host->made = true;
	*place = (struct cgroup){0};
	for (size_t i = 0; i < host->cgroup.count; i++)
		remove_abandoned(&host->cgroup.directories[i]);
	if (!cgroup_make(&host->cgroup, &unused))
		apply_limits(host, limits);
	if (host->memory || host->tasks || host->cpu)
		return true;
	host_cgroup_remove(host);
	return false;
}

void host_cgroup_make(struct host_cgroup *host, const struct sandbox_limits *limits)
{
	struct cgroup place;
	struct failure unused;
	char name[64];

	*host = (struct host_cgroup){0};
	if (!limits->memory && !limits->tasks && !limits->cpu_milli)
		return;
	(void)snprintf(name, sizeof(name), NAME "%d", getpid());
	if (cgroup_find(&place, NULL, name, false, &unused))
		return;
	drop_useless(&place);
	if (!make_in(host, &place, limits) && cgroup_find_beside(&place, name))
		(void)make_in(host, &place, limits);
}

/* --- entering --- */

int host_cgroup_enter(const struct host_cgroup *host, pid_t sentry, struct failure *failure)
{
	return host->made ? cgroup_enter(&host->cgroup, sentry, failure) : 0;
}

/* What a pass over a sandbox's processes needs; one bit for each that has entered. */
struct entering {
	const struct host_cgroup *host;
	unsigned char *entered;
	bool found; /* one that had not */
	int generation;
};

static void enter_with_children(struct entering *entering, pid_t pid);

static void enter_children_of(struct entering *entering, pid_t pid, const char *thread)
{
	char path[64];
	pid_t child;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/task/%.20s/children", pid, thread);
	file = fopen(path, "re");
	while (file && fscanf(file, "%d", &child) == 1)
		enter_with_children(entering, child);
	if (file)
		(void)fclose(file);
}

static void enter_children(struct entering *entering, pid_t pid)
{
	struct dirent *thread;
	char path[32];
	DIR *threads;

	(void)snprintf(path, sizeof(path), "/proc/%d/task", pid);
	threads = opendir(path);
	while (threads && (thread = readdir(threads))) {
		if (isdigit((unsigned char)thread->d_name[0]))
			enter_children_of(entering, pid, thread->d_name);
	}
	if (threads)
		(void)closedir(threads);
}

static void enter_with_children(struct entering *entering, pid_t pid)
{
	unsigned char bit = (unsigned char)(1 << pid % 8);
	struct failure unused;

	if (pid <= 0 || pid >= PROCESSES_MAX || entering->generation == GENERATIONS)
		return;
	/* One that ended meanwhile cannot, and need not. */
	if (!(entering->entered[pid / 8] & bit) &&
		!cgroup_enter(&entering->host->cgroup, pid, &unused))
		entering->found = true;
	entering->entered[pid / 8] |= bit;
	entering->generation++;
	enter_children(entering, pid);
	entering->generation--;
}

bool host_cgroup_enter_all(const struct host_cgroup *host, pid_t sentry)
{
	auto_free unsigned char *entered = calloc(PROCESSES_MAX / 8, 1);
	struct entering entering = {.host = host, .entered = entered};
	struct failure unused;
	int clean = 0;

	if (!entered || host_cgroup_enter(host, sentry, &unused))
		return false;
	entered[sentry / 8] |= (unsigned char)(1 << sentry % 8);
	for (int i = 0; i < PASSES && clean < CLEAN_PASSES; i++) {
		entering.found = false;
		enter_with_children(&entering, sentry);
		clean = entering.found ? 0 : clean + 1;
	}
	return clean == CLEAN_PASSES;
}

/* --- the end --- */

void host_cgroup_remove(struct host_cgroup *host)
{
	if (host->made)
		(void)cgroup_remove(&host->cgroup);
	cgroup_free(&host->cgroup);
	host->made = false;
}
