/* SPDX-License-Identifier: Apache-2.0 */
/* Paths and addresses that a run may touch. */
#include "sentry/vfs/policy.h"

#include "abi/limits.h"
#include "abi/stat.h"
#include "sentry/kernel/accounting.h"
#include "sentry/vfs/dentry.h"
#include "sentry/vfs/inode.h"
#include "sentry/vfs/policy_learn.h"
#include "sentry/vfs/policy_libraries.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_SYSTEMS_MAX 640
#define NETWORK		 (POLICY_CONNECT | POLICY_BIND)

bool g_policy;

/* Set once, but for the file systems: until the first task runs. */
static struct {
	const struct sandbox_policy *policy;
	struct policy_rule *trees; /* sorted; texts owned */
	struct policy_rule *patterns;
	size_t tree_count, pattern_count;
	struct {
		struct super_block *sb;
		const char *destination;
		bool scratch;
	} file_systems[FILE_SYSTEMS_MAX];
	size_t file_system_count;
} state;

int policy_start(const struct sandbox_policy *policy)
{
	if (!policy)
		return 0;
	state.policy = policy;
	state.patterns = calloc(policy->rule_count + 1, sizeof(*state.patterns));
	if (!state.patterns)
		return -ENOMEM;
	g_policy = true;
	return 0;
}

void policy_add_file_system(struct super_block *sb, const char *destination, bool scratch)
{
	size_t i = state.file_system_count;

	if (!g_policy || i == FILE_SYSTEMS_MAX)
		return;
	state.file_systems[i].sb = super_block_get(sb);
	state.file_systems[i].destination = strcmp(destination, "/") ? destination : "";
	state.file_systems[i].scratch = scratch;
	state.file_system_count++;
}

/* --- where a file is --- */

static bool prepend(char *buffer, size_t *start, const char *text, size_t length)
{
	if (*start < length)
		return false;
	*start -= length;
	memcpy(buffer + *start, text, length);
	return true;
}

/* The name within its file system, at buffer[*start]. */
static bool name_within(const struct dentry *dentry, char *buffer, size_t *start)
{
	bool fits = true;

	dentry_tree_lock();
	for (; fits && dentry->parent != dentry; dentry = dentry->parent)
		fits = prepend(buffer, start, dentry->name, dentry->length) &&
		       prepend(buffer, start, "/", 1);
	dentry_tree_unlock();
	return fits;
}

struct place {
	char buffer[2 * LINUX_PATH_MAX];
	const char *path;
	bool scratch; /* path is the file system's own */
	bool directory;
};

/* 1: found. 0: of a file system of guests' own. -ENAMETOOLONG. */
static int find_place(struct dentry *dentry, const char *name, struct place *place)
{
	size_t start = sizeof(place->buffer), i = 0;
	bool fits;

	while (i < state.file_system_count && state.file_systems[i].sb != dentry->sb)
		i++;
	if (i == state.file_system_count)
		return 0;
	place->scratch = state.file_systems[i].scratch && state.policy->learn;
	fits = prepend(place->buffer, &start, "", 1);
	place->directory = !name && dentry->inode && inode_is_type(dentry->inode, LINUX_S_IFDIR);
	if (!place->scratch) {
		if (name)
			fits = fits && prepend(place->buffer, &start, name, strlen(name)) &&
			       prepend(place->buffer, &start, "/", 1);
		fits = fits && name_within(dentry, place->buffer, &start);
	}
	fits = fits && prepend(place->buffer, &start, state.file_systems[i].destination,
			       strlen(state.file_systems[i].destination));
	if (fits && !place->buffer[start])
		fits = prepend(place->buffer, &start, "/", 1);
	place->path = place->buffer + start;
	return fits ? 1 : -ENAMETOOLONG;
}

/* --- rules --- */

static int compare_rules(const void *a, const void *b)
{
	return strcmp(((const struct policy_rule *)a)->text, ((const struct policy_rule *)b)->text);
}

static unsigned int tree_access(const char *path)
{
	const struct policy_rule key = {.text = path}, *found;

	found = bsearch(&key, state.trees, state.tree_count, sizeof(key), compare_rules);
	return found ? found->access : 0;
}

/* A pattern for directories alone has the end that alone, the path with "/.", has too. */
static bool pattern_matches(const char *pattern, const char *path, const char *alone)
{
	size_t size = strlen(pattern);
	bool is_alone = size > 2 && !strcmp(pattern + size - 2, "/.");

	return !fnmatch(pattern, is_alone ? alone : path, FNM_NOESCAPE);
}

/* What the rules give for a path: its own and those of all directories above. */
static unsigned int path_access(const char *path)
{
	unsigned int access = tree_access("/");
	char above[2 * LINUX_PATH_MAX + 2], alone[2 * LINUX_PATH_MAX + 2];
	char *slash;

	(void)snprintf(alone, sizeof(alone), "%s/.", path[1] ? path : "");
	access |= tree_access(alone);
	(void)snprintf(above, sizeof(above), "%s", path);
	do {
		access |= tree_access(above);
		slash = strrchr(above, '/');
		*slash = '\0';
	} while (slash != above);
	for (size_t i = 0; i < state.pattern_count; i++) {
		if (!(state.patterns[i].access & NETWORK) &&
			pattern_matches(state.patterns[i].text, path, alone))
			access |= state.patterns[i].access;
	}
	return access & POLICY_WRITE ? access | POLICY_READ : access;
}

static void note_refused(const char *text, unsigned int access)
{
	static const struct {
		unsigned int access;
		const char *name;
	} names[] = {{POLICY_RUN, "run"}, {POLICY_WRITE, "write"}, {POLICY_READ, "read"},
		{POLICY_CONNECT, "connect"}, {POLICY_BIND, "bind"}};
	char line[2 * LINUX_PATH_MAX + 16];
	size_t i = 0;

	while (i < array_count(names) - 1 && !(names[i].access & access))
		i++;
	(void)snprintf(line, sizeof(line), "%s %s", names[i].name, text);
	accounting_refused(line);
}

/* That a directory was looked at does not say that all in it was. */
static void learn(const struct place *place, unsigned int access)
{
	char text[2 * LINUX_PATH_MAX + 2];

	(void)snprintf(text, sizeof(text), "%s%s", place->path,
		!place->directory || place->scratch ? ""
		: place->path[1]		    ? "/."
						    : ".");
	policy_learn(text, access);
}

int policy_check_slow(struct dentry *dentry, const char *name, unsigned int access)
{
	unsigned int wanted = access & (POLICY_READ | POLICY_WRITE | POLICY_RUN), missing;
	struct place place;
	int found;

	if (!state.policy->learn && !state.policy->paths)
		return 0;
	found = find_place(dentry, name, &place);
	if (found <= 0)
		return found;
	if (state.policy->learn) {
		learn(&place, place.scratch ? wanted : access);
		return 0;
	}
	missing = wanted & ~path_access(place.path);
	if (!missing)
		return 0;
	note_refused(place.path, missing);
	return -EACCES;
}

int policy_check(const struct path *path, unsigned int access)
{
	return unlikely(g_policy) ? policy_check_slow(path->dentry, NULL, access) : 0;
}

int policy_check_name(const struct path *parent, const char *name, unsigned int access)
{
	return unlikely(g_policy) ? policy_check_slow(parent->dentry, name, access) : 0;
}

int policy_check_address_slow(const char *address, unsigned int access)
{
	if (state.policy->learn)
		policy_learn(address, access);
	if (state.policy->learn || !state.policy->network)
		return 0;
	for (size_t i = 0; i < state.policy->rule_count; i++) {
		const struct policy_rule *rule = &state.policy->rules[i];

		if ((rule->access & access) &&
			(!strcmp(rule->text, address) || !fnmatch(rule->text, address, 0)))
			return 0;
	}
	note_refused(address, access);
	return -EACCES;
}

/* --- the beginning and the end --- */

/*
 * As much of a path as there is, with its symlinks followed, and the rest as it is written. In a
 * file system that is not known, it stays.
 */
static int resolve(const struct path *root, const char *text, char **out)
{
	char *head = strdup(text);
	const char *rest = "";
	struct place place;
	struct path path;
	int error = head ? -ENOENT : -ENOMEM;

	*out = NULL;
	while (error == -ENOENT || error == -ENOTDIR) {
		char *slash;

		error = path_lookup_at(root, root, *head ? head : "/", WALK_FOLLOW, &path);
		if (!error || !*head)
			break;
		slash = strrchr(head, '/');
		if (!slash)
			break;
		*slash = '\0';
		rest = text + (slash - head);
	}
	if (!error) {
		bool known = find_place(path.dentry, NULL, &place) > 0;

		path_put(&path);
		if (!known)
			*out = strdup(text);
		else if (asprintf(out, "%s%s", strcmp(place.path, "/") || !*rest ? place.path : "",
				 rest) < 0)
			*out = NULL;
	} else {
		*out = strdup(text);
	}
	free(head);
	return *out ? 0 : -ENOMEM;
}

/* "/." at the end stays there. */
static int resolve_rule(const struct path *root, const char *text, char **out)
{
	size_t size = strlen(text);
	char *directory = NULL, *resolved = NULL;
	int error;

	if (size < 2 || strcmp(text + size - 2, "/.") != 0)
		return resolve(root, text, out);
	directory = strndup(text, size > 2 ? size - 2 : 1);
	error = directory ? resolve(root, directory, &resolved) : -ENOMEM;
	free(directory);
	if (!error && asprintf(out, "%s/.", resolved[1] ? resolved : "") < 0)
		error = -ENOMEM;
	free(resolved);
	return error;
}

/* Takes text. */
static int add_tree(char *text, unsigned int access)
{
	struct policy_rule *trees =
		reallocarray(state.trees, state.tree_count + 1, sizeof(*state.trees));

	if (!trees) {
		free(text);
		return -ENOMEM;
	}
	state.trees = trees;
	trees[state.tree_count++] = (struct policy_rule){.text = text, .access = access};
	return 0;
}

static int add_library(const struct path *root, const char *library)
{
	char *text;
	int error = resolve(root, library, &text);

	return error ? error : add_tree(text, POLICY_READ);
}

static int add_rule(const struct path *root, const struct policy_rule *rule)
{
	char *text;
	int error = resolve_rule(root, rule->text, &text);

	if (error || !(rule->access & POLICY_LIBRARIES))
		return error ? error : add_tree(text, rule->access);
	error = policy_libraries(root, text, state.policy->library_path, add_library);
	free(text);
	return error;
}

/* Rules of one path become one. */
static void merge_trees(void)
{
	size_t kept = 0;

	qsort(state.trees, state.tree_count, sizeof(*state.trees), compare_rules);
	for (size_t i = 0; i < state.tree_count; i++) {
		struct policy_rule *last = kept ? &state.trees[kept - 1] : NULL;

		if (last && !strcmp(last->text, state.trees[i].text)) {
			last->access |= state.trees[i].access;
			free((char *)(uintptr_t)state.trees[i].text);
		} else {
			state.trees[kept++] = state.trees[i];
		}
	}
	state.tree_count = kept;
}

int policy_resolve(const struct path *root)
{
	int error = 0;

	if (!g_policy)
		return 0;
	for (size_t i = 0; i < state.policy->rule_count && !error; i++) {
		const struct policy_rule *rule = &state.policy->rules[i];

		if (rule->access & NETWORK)
			continue;
		if (strchr(rule->text, '*') && !(rule->access & POLICY_LIBRARIES))
			state.patterns[state.pattern_count++] = *rule;
		else
			error = add_rule(root, rule);
	}
	merge_trees();
	return error;
}

void policy_finish(void)
{
	if (!g_policy)
		return;
	if (state.policy->learn)
		policy_learn_write(state.policy->learn_fd);
	while (state.tree_count)
		free((char *)(uintptr_t)state.trees[--state.tree_count].text);
	free(state.trees);
	free(state.patterns);
	while (state.file_system_count)
		super_block_put(state.file_systems[--state.file_system_count].sb);
	g_policy = false;
}
