/* SPDX-License-Identifier: Apache-2.0 */
/*
 * User namespaces (user_namespaces(7)): their family, and the maps of ids.
 *
 * A map holds global ids, translated once when it is written, which happens once: so readers need
 * no lock.
 */
#include "sentry/kernel/user_namespace.h"

#include "abi/capability.h"
#include "base/cleanup.h"
#include "base/lock.h"
#include "base/text_writer.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/task.h"
#include "sentry/keys/key.h"
#include "sentry/lock_order.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define NAMESPACE_LEVEL_MAX 32
#define NAMESPACE_COUNT_MAX 65536
#define MAP_EXTENTS_MAX	    340
#define OVERFLOW_ID	    65534
#define NO_ID		    UINT32_MAX
/* PROC_USER_INIT_INO */
#define INITIAL_INODE 0xeffffffdu

REFCOUNT_TYPE(user_namespace_refs, "user_namespace");

struct id_extent {
	uint32_t first, lower, count; /* lower: global, once the map is in place */
};

struct id_map {
	size_t count;
	struct id_extent extents[];
};

struct user_namespace {
	struct refcount refs;
	struct user_namespace *parent; /* a reference; NULL for the initial one */
	unsigned int level;
	uint32_t owner, group; /* global ids of the creator */
	bool parent_could_setfcap;
	bool setgroups_allowed;		/* g_maps_lock */
	struct id_map *_Atomic maps[2]; /* NULL until written; g_maps_lock to write */
	uint64_t ino;
};

static struct mutex g_maps_lock; /* RANK_LEAF */
static atomic_uint g_count;
static struct user_namespace g_initial = {
	.setgroups_allowed = true,
	.parent_could_setfcap = true,
	.ino = INITIAL_INODE,
};

__attribute__((constructor)) static void user_namespaces_init(void)
{
	mutex_init(&g_maps_lock, RANK_LEAF, "user namespace maps");
}

struct user_namespace *user_namespace_initial(void)
{
	return &g_initial;
}

struct user_namespace *user_namespace_get(struct user_namespace *ns)
{
	if (ns != &g_initial)
		refcount_get(&ns->refs);
	return ns;
}

void user_namespace_put(struct user_namespace *ns)
{
	while (ns && ns != &g_initial && refcount_put(&ns->refs)) {
		struct user_namespace *parent = ns->parent;

		keys_forget_user_namespace(ns);
		free(atomic_load(&ns->maps[0]));
		free(atomic_load(&ns->maps[1]));
		free(ns);
		atomic_fetch_sub(&g_count, 1);
		ns = parent;
	}
}

struct user_namespace *user_namespace_parent(struct user_namespace *ns)
{
	return ns->parent;
}

uint32_t user_namespace_owner(const struct user_namespace *ns)
{
	return ns->owner;
}

uint32_t user_namespace_owner_group(const struct user_namespace *ns)
{
	return ns->group;
}

uint64_t user_namespace_inode(const struct user_namespace *ns)
{
	return ns->ino;
}

bool user_namespace_is_ancestor(
	const struct user_namespace *ancestor, const struct user_namespace *ns)
{
	while (ns && ns != ancestor)
		ns = ns->parent;
	return ns != NULL;
}

bool cred_capable_in(const struct cred *cred, const struct user_namespace *ns, int capability)
{
	for (;;) {
		if (ns == cred->user_ns)
			return cred->cap_effective & LINUX_CAP_MASK(capability);
		/* A namespace that is not below the caller's own. */
		if (ns->level <= cred->user_ns->level)
			return false;
		/* Who made a namespace holds all capabilities in it, seen from its parent. */
		if (ns->parent == cred->user_ns && ns->owner == cred->euid)
			return true;
		ns = ns->parent;
	}
}

/* --- ids --- */

static const struct id_map *map_of(
	const struct user_namespace *ns, enum user_namespace_map_kind kind)
{
	return atomic_load_explicit(
		&((struct user_namespace *)ns)->maps[kind], memory_order_acquire);
}

/* Of a namespace to global; the whole range must be in one extent. NO_ID: it is not. */
static uint32_t range_to_global(const struct user_namespace *ns, enum user_namespace_map_kind kind,
	uint32_t id, uint32_t count)
{
	const struct id_map *map;

	if (ns == &g_initial)
		return id;
	map = map_of(ns, kind);
	for (size_t i = 0; map && i < map->count; i++) {
		const struct id_extent *extent = &map->extents[i];

		if (id >= extent->first && id - extent->first < extent->count &&
			count <= extent->count - (id - extent->first))
			return extent->lower + (id - extent->first);
	}
	return NO_ID;
}

static uint32_t global_to_id(
	const struct user_namespace *ns, enum user_namespace_map_kind kind, uint32_t global)
{
	const struct id_map *map;

	if (ns == &g_initial)
		return global;
	map = map_of(ns, kind);
	for (size_t i = 0; map && i < map->count; i++) {
		const struct id_extent *extent = &map->extents[i];

		if (global >= extent->lower && global - extent->lower < extent->count)
			return extent->first + (global - extent->lower);
	}
	return NO_ID;
}

uint32_t user_namespace_show_uid(const struct user_namespace *ns, uint32_t kuid)
{
	uint32_t id = global_to_id(ns, USER_NAMESPACE_UID_MAP, kuid);

	return id == NO_ID ? OVERFLOW_ID : id;
}

uint32_t user_namespace_show_gid(const struct user_namespace *ns, uint32_t kgid)
{
	uint32_t id = global_to_id(ns, USER_NAMESPACE_GID_MAP, kgid);

	return id == NO_ID ? OVERFLOW_ID : id;
}

uint32_t user_namespace_make_uid(const struct user_namespace *ns, uint32_t uid)
{
	return range_to_global(ns, USER_NAMESPACE_UID_MAP, uid, 1);
}

uint32_t user_namespace_make_gid(const struct user_namespace *ns, uint32_t gid)
{
	return range_to_global(ns, USER_NAMESPACE_GID_MAP, gid, 1);
}

bool user_namespace_has_uid(const struct user_namespace *ns, uint32_t kuid)
{
	return global_to_id(ns, USER_NAMESPACE_UID_MAP, kuid) != NO_ID;
}

bool user_namespace_has_gid(const struct user_namespace *ns, uint32_t kgid)
{
	return global_to_id(ns, USER_NAMESPACE_GID_MAP, kgid) != NO_ID;
}

/* --- making --- */

int user_namespace_new(const struct cred *creator, struct user_namespace **out)
{
	struct user_namespace *parent = creator->user_ns, *ns;

	if (parent->level >= NAMESPACE_LEVEL_MAX)
		return -ENOSPC;
	if (!user_namespace_has_uid(parent, creator->euid) ||
		!user_namespace_has_gid(parent, creator->egid))
		return -EPERM;
	if (atomic_fetch_add(&g_count, 1) >= NAMESPACE_COUNT_MAX) {
		atomic_fetch_sub(&g_count, 1);
		return -ENOSPC;
	}
	ns = calloc(1, sizeof(*ns));
	if (!ns) {
		atomic_fetch_sub(&g_count, 1);
		return -ENOMEM;
	}
	refcount_init(&ns->refs, &user_namespace_refs);
	ns->parent = user_namespace_get(parent);
	ns->level = parent->level + 1;
	ns->owner = creator->euid;
	ns->group = creator->egid;
	ns->parent_could_setfcap = creator->cap_effective & LINUX_CAP_MASK(LINUX_CAP_SETFCAP);
	ns->setgroups_allowed = user_namespace_setgroups_allowed(parent);
	ns->ino = namespace_inode_new();
	*out = ns;
	return 0;
}

/* --- the map files --- */

/* A decimal number and what blanks follow it; NULL if there is none that fits. */
static const char *number_parse(const char *text, const char *end, uint32_t *number)
{
	uint64_t value = 0;
	const char *start;

	while (text < end && (*text == ' ' || *text == '\t'))
		text++;
	start = text;
	while (text < end && *text >= '0' && *text <= '9') {
		value = value * 10 + (uint64_t)(*text++ - '0');
		if (value > UINT32_MAX)
			return NULL;
	}
	if (text == start || (text < end && *text != ' ' && *text != '\t'))
		return NULL;
	while (text < end && (*text == ' ' || *text == '\t'))
		text++;
	*number = (uint32_t)value;
	return text;
}

static bool line_parse(const char *text, const char *end, struct id_extent *extent)
{
	text = number_parse(text, end, &extent->first);
	if (text)
		text = number_parse(text, end, &extent->lower);
	if (text)
		text = number_parse(text, end, &extent->count);
	if (!text || text != end)
		return false;
	return extent->first != NO_ID && extent->lower != NO_ID && extent->count &&
	       extent->first + extent->count > extent->first &&
	       extent->lower + extent->count > extent->lower;
}

static bool ranges_meet(uint32_t a, uint32_t a_count, uint32_t b, uint32_t b_count)
{
	return a <= b + (b_count - 1) && b <= a + (a_count - 1);
}

static bool map_has(const struct id_map *map, const struct id_extent *extent)
{
	for (size_t i = 0; i < map->count; i++) {
		const struct id_extent *other = &map->extents[i];

		if (ranges_meet(extent->first, extent->count, other->first, other->count) ||
			ranges_meet(extent->lower, extent->count, other->lower, other->count))
			return true;
	}
	return false;
}

static int map_parse(const char *text, size_t size, struct id_map *map)
{
	const char *end = text + size;

	while (text < end) {
		const char *line_end = memchr(text, '\n', (size_t)(end - text));
		struct id_extent extent;

		if (!line_end)
			line_end = end;
		if (!line_parse(text, line_end, &extent) || map_has(map, &extent) ||
			map->count == MAP_EXTENTS_MAX)
			return -EINVAL;
		map->extents[map->count++] = extent;
		text = line_end + 1;
	}
	return map->count ? 0 : -EINVAL;
}

/* Who maps the parent's root gives file capabilities of its making a meaning there. */
static bool root_map_allowed(
	const struct user_namespace *ns, const struct cred *opener, const struct id_map *map)
{
	for (size_t i = 0; i < map->count; i++) {
		if (map->extents[i].lower != 0)
			continue;
		if (ns == opener->user_ns)
			return ns->parent_could_setfcap;
		return cred_capable_in(opener, ns->parent, LINUX_CAP_SETFCAP);
	}
	return true;
}

static bool map_allowed(const struct user_namespace *ns, enum user_namespace_map_kind kind,
	const struct cred *opener, const struct id_map *map)
{
	int capability = kind == USER_NAMESPACE_UID_MAP ? LINUX_CAP_SETUID : LINUX_CAP_SETGID;

	if (kind == USER_NAMESPACE_UID_MAP && !root_map_allowed(ns, opener, map))
		return false;
	/* Without privilege: one's own id alone, and one's own group only after giving setgroups(2)
	 * up. */
	if (map->count == 1 && map->extents[0].count == 1 && ns->owner == opener->euid) {
		uint32_t id = range_to_global(ns->parent, kind, map->extents[0].lower, 1);

		if (kind == USER_NAMESPACE_UID_MAP && id == opener->euid)
			return true;
		if (kind == USER_NAMESPACE_GID_MAP && !ns->setgroups_allowed && id == opener->egid)
			return true;
	}
	return cred_capable_in(current_cred(), ns->parent, capability) &&
	       cred_capable_in(opener, ns->parent, capability);
}

static int map_install_locked(struct user_namespace *ns, enum user_namespace_map_kind kind,
	const struct cred *opener, struct id_map *map)
{
	if (atomic_load(&ns->maps[kind]) || !map_allowed(ns, kind, opener, map))
		return -EPERM;
	for (size_t i = 0; i < map->count; i++) {
		struct id_extent *extent = &map->extents[i];
		uint32_t global = range_to_global(ns->parent, kind, extent->lower, extent->count);

		if (global == NO_ID)
			return -EPERM;
		extent->lower = global;
	}
	atomic_store_explicit(&ns->maps[kind], map, memory_order_release);
	return 0;
}

int user_namespace_write_map(struct user_namespace *ns, enum user_namespace_map_kind kind,
	const struct cred *opener, const char *text, size_t size)
{
	auto_free struct id_map *map = NULL;
	int error;

	if (!ns->parent || (opener->user_ns != ns && opener->user_ns != ns->parent))
		return -EPERM;
	if (size >= PAGE_SIZE)
		return -EINVAL;
	if (!cred_capable_in(opener, ns, LINUX_CAP_SYS_ADMIN))
		return -EPERM;
	map = calloc(1, sizeof(*map) + MAP_EXTENTS_MAX * sizeof(map->extents[0]));
	if (!map)
		return -ENOMEM;
	error = map_parse(text, size, map);
	if (error)
		return error;
	mutex_guard(&g_maps_lock);
	error = map_install_locked(ns, kind, opener, map);
	if (!error)
		(void)steal_pointer(&map);
	return error;
}

void user_namespace_show_map(struct user_namespace *ns, enum user_namespace_map_kind kind,
	const struct user_namespace *reader_ns, struct text_writer *out)
{
	const struct id_map *map;

	if (ns == &g_initial) {
		text_printf(out, "%10u %10u %10u\n", 0u, 0u, NO_ID);
		return;
	}
	if (reader_ns == ns)
		reader_ns = ns->parent;
	map = map_of(ns, kind);
	for (size_t i = 0; map && i < map->count; i++)
		text_printf(out, "%10u %10u %10u\n", map->extents[i].first,
			global_to_id(reader_ns, kind, map->extents[i].lower),
			map->extents[i].count);
}

/* --- setgroups --- */

bool user_namespace_setgroups_allowed(const struct user_namespace *ns)
{
	mutex_guard(&g_maps_lock);
	return ns->setgroups_allowed;
}

bool user_namespace_may_setgroups(const struct user_namespace *ns)
{
	return (ns == &g_initial || map_of(ns, USER_NAMESPACE_GID_MAP)) &&
	       user_namespace_setgroups_allowed(ns);
}

int user_namespace_write_setgroups(
	struct user_namespace *ns, const struct cred *opener, const char *text, size_t size)
{
	bool allow;

	while (size && (text[size - 1] == '\n' || text[size - 1] == ' '))
		size--;
	if (size == 5 && memcmp(text, "allow", 5) == 0)
		allow = true;
	else if (size == 4 && memcmp(text, "deny", 4) == 0)
		allow = false;
	else
		return -EINVAL;
	if (!cred_capable_in(opener, ns, LINUX_CAP_SYS_ADMIN))
		return -EPERM;
	mutex_guard(&g_maps_lock);
	if (allow)
		return ns->setgroups_allowed ? 0 : -EPERM;
	if (ns == &g_initial || atomic_load(&ns->maps[USER_NAMESPACE_GID_MAP]))
		return -EPERM;
	ns->setgroups_allowed = false;
	return 0;
}
