/* SPDX-License-Identifier: Apache-2.0 */
/* IPC namespaces: tables of System V objects, their ids and permissions. */
#include "abi/capability.h"
#include "abi/sched.h"
#include "abi/time.h"
#include "sentry/kernel/ipc_private.h"
#include "sentry/kernel/nsproxy.h"
#include "sentry/kernel/task.h"
#include "sentry/lock_order.h"
#include "sentry/time/clock.h"
#include "sentry/vfs/mount.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* An id is a place in the table and a sequence number above it. */
#define INDEX_BITS 15
#define INDEX_MASK ((1 << INDEX_BITS) - 1)

REFCOUNT_TYPE(ipc_namespace_refs, "ipc_namespace");
REFCOUNT_TYPE(ipc_object_refs, "ipc_object");

struct ipc_table {
	struct ipc_object **slots; /* the table's references */
	int size;
	unsigned int count;
	int last_index;
	uint16_t sequence;
};

struct ipc_namespace {
	struct refcount refs;
	struct user_namespace *user_ns; /* a reference */
	uint64_t ino;
	struct ipc_table tables[IPC_KINDS];
	struct mount *_Atomic mqueue; /* see ipc_namespace_mqueue() */
	uint64_t used[IPC_KINDS];
	_Atomic uint64_t limits[IPC_LIMITS];
};

struct mutex g_ipc_lock;
static struct ipc_namespace g_initial = {.ino = NAMESPACE_INODE_IPC};

static const uint64_t default_limits[IPC_LIMITS] = {
	[IPC_MSGMAX] = LINUX_MSGMAX,
	[IPC_MSGMNB] = LINUX_MSGMNB,
	[IPC_MSGMNI] = LINUX_MSGMNI,
	[IPC_SEMMSL] = LINUX_SEMMSL,
	[IPC_SEMMNS] = LINUX_SEMMNS,
	[IPC_SEMOPM] = LINUX_SEMOPM,
	[IPC_SEMMNI] = LINUX_SEMMNI,
	[IPC_SHMALL] = LINUX_SHMALL,
	[IPC_SHMMAX] = LINUX_SHMMAX,
	[IPC_SHMMNI] = LINUX_SHMMNI,
};

static void init_tables(struct ipc_namespace *ns)
{
	for (int kind = 0; kind < IPC_KINDS; kind++)
		ns->tables[kind].last_index = -1;
	for (int limit = 0; limit < IPC_LIMITS; limit++)
		atomic_init(&ns->limits[limit], default_limits[limit]);
}

static void *namespace_get(void *ns)
{
	return ipc_namespace_get(ns);
}

static void namespace_put(void *ns)
{
	ipc_namespace_put(ns);
}

static int namespace_create(void *from, struct user_namespace *user_ns, void **out)
{
	struct ipc_namespace *ns;
	int error = ipc_namespace_new(user_ns, &ns);

	if (!error)
		*out = ns;
	return error;
}

static void *namespace_initial(void)
{
	return &g_initial;
}

static uint64_t namespace_inode(void *ns)
{
	return ipc_namespace_inode(ns);
}

static struct user_namespace *namespace_owner(void *ns)
{
	return ((struct ipc_namespace *)ns)->user_ns;
}

static const struct namespace_operations operations = {
	.get = namespace_get,
	.put = namespace_put,
	.create = namespace_create,
	.initial = namespace_initial,
	.inode = namespace_inode,
	.owner = namespace_owner,
};

__attribute__((constructor)) static void ipc_init(void)
{
	mutex_init(&g_ipc_lock, RANK_PIPE, "System V IPC");
	g_initial.user_ns = user_namespace_initial();
	init_tables(&g_initial);
	nsproxy_register(LINUX_CLONE_NEWIPC, &operations);
}

int ipc_namespace_new(struct user_namespace *user_ns, struct ipc_namespace **out)
{
	struct ipc_namespace *ns = calloc(1, sizeof(*ns));

	if (!ns)
		return -ENOMEM;
	refcount_init(&ns->refs, &ipc_namespace_refs);
	ns->user_ns = user_namespace_get(user_ns);
	ns->ino = namespace_inode_new();
	init_tables(ns);
	*out = ns;
	return 0;
}

struct ipc_namespace *ipc_namespace_get(struct ipc_namespace *ns)
{
	if (ns != &g_initial)
		refcount_get(&ns->refs);
	return ns;
}

static void remove_all(struct ipc_namespace *ns)
{
	struct mount *mount;

	mutex_lock(&g_ipc_lock);
	for (int kind = 0; kind < IPC_KINDS; kind++) {
		struct ipc_table *table = &ns->tables[kind];

		for (int i = 0; i < table->size; i++) {
			if (table->slots[i])
				ipc_remove(table->slots[i]);
		}
		free(steal_pointer(&table->slots));
		table->size = 0;
	}
	mutex_unlock(&g_ipc_lock);
	mount = atomic_exchange(&ns->mqueue, NULL);
	if (mount)
		mount_put(mount);
}

void ipc_namespace_put(struct ipc_namespace *ns)
{
	if (!ns || ns == &g_initial || !refcount_put(&ns->refs))
		return;
	remove_all(ns);
	user_namespace_put(ns->user_ns);
	free(ns);
}

void ipc_shutdown(void)
{
	remove_all(&g_initial);
}

struct ipc_namespace *ipc_namespace_initial(void)
{
	return &g_initial;
}

struct mount *_Atomic *ipc_namespace_mqueue(void)
{
	return current ? &ipc_namespace_of(current)->mqueue : &g_initial.mqueue;
}

uint64_t ipc_namespace_inode(const struct ipc_namespace *ns)
{
	return ns->ino;
}

struct ipc_namespace *ipc_namespace_of(struct task *task)
{
	return task->nsproxy->ipc ? task->nsproxy->ipc : &g_initial;
}

uint64_t ipc_limit(const struct ipc_namespace *ns, enum ipc_limit limit)
{
	return atomic_load(&ns->limits[limit]);
}

void ipc_limit_set(struct ipc_namespace *ns, enum ipc_limit limit, uint64_t value)
{
	atomic_store(&ns->limits[limit], value);
	if (limit != IPC_SHM_RMID_FORCED || !value)
		return;
	mutex_lock(&g_ipc_lock);
	ipc_shm_remove_forced(ns);
	mutex_unlock(&g_ipc_lock);
}

uint64_t *ipc_used(struct ipc_namespace *ns, enum ipc_kind kind)
{
	return &ns->used[kind];
}

int64_t ipc_now_seconds(void)
{
	return clock_now(LINUX_CLOCK_REALTIME) / NSEC_PER_SEC;
}

struct ipc_object *ipc_object_get(struct ipc_object *object)
{
	refcount_get(&object->refs);
	return object;
}

void ipc_object_put(struct ipc_object *object)
{
	if (refcount_put(&object->refs))
		object->destroy(object);
}

/* --- tables --- */

static int table_grow(struct ipc_table *table)
{
	int size = table->size ? table->size * 2 : 16;
	struct ipc_object **slots = realloc(table->slots, (size_t)size * sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	memset(slots + table->size, 0, (size_t)(size - table->size) * sizeof(*slots));
	table->slots = slots;
	table->size = size;
	return 0;
}

/* Puts the object at the lowest free place; the caller's reference becomes the table's. */
static int table_insert(struct ipc_table *table, struct ipc_object *object, unsigned int maximum)
{
	int index = 0;

	if (table->count >= maximum)
		return -ENOSPC;
	while (index < table->size && table->slots[index])
		index++;
	if (index == table->size && table_grow(table))
		return -ENOMEM;
	/* A place that is used again gives another id. */
	if (index <= table->last_index)
		table->sequence = (uint16_t)((table->sequence + 1) & 0xffff);
	table->last_index = index;
	table->slots[index] = object;
	table->count++;
	object->sequence = table->sequence;
	object->id = (int)((uint32_t)(object->sequence & 0xffff) << INDEX_BITS | (uint32_t)index);
	return 0;
}

static struct ipc_object *find_key(struct ipc_table *table, int key)
{
	for (int i = 0; i < table->size; i++) {
		if (table->slots[i] && table->slots[i]->key == key)
			return table->slots[i];
	}
	return NULL;
}

unsigned int ipc_count(struct ipc_namespace *ns, enum ipc_kind kind)
{
	return ns->tables[kind].count;
}

int ipc_highest_index(struct ipc_namespace *ns, enum ipc_kind kind)
{
	struct ipc_table *table = &ns->tables[kind];
	int index = table->size - 1;

	while (index >= 0 && !table->slots[index])
		index--;
	return index;
}

struct ipc_object *ipc_at(struct ipc_namespace *ns, enum ipc_kind kind, int index)
{
	struct ipc_table *table = &ns->tables[kind];

	return index >= 0 && index < table->size ? table->slots[index] : NULL;
}

int ipc_find(struct task *task, enum ipc_kind kind, int id, struct ipc_object **out)
{
	struct ipc_object *object =
		id < 0 ? NULL : ipc_at(ipc_namespace_of(task), kind, id & INDEX_MASK);

	if (!object)
		return -EINVAL;
	if (object->id != id)
		return -EIDRM;
	*out = object;
	return 0;
}

int ipc_find_index(struct task *task, enum ipc_kind kind, int index, struct ipc_object **out)
{
	*out = ipc_at(ipc_namespace_of(task), kind, index & INDEX_MASK);
	return *out ? 0 : -EINVAL;
}

void ipc_remove(struct ipc_object *object)
{
	struct ipc_table *table = &object->ns->tables[object->kind];

	table->slots[object->id & INDEX_MASK] = NULL;
	table->count--;
	object->removed = true;
	object->on_remove(object);
	ipc_object_put(object);
}

/* --- making --- */

static void object_init(struct task *task, struct ipc_object *object, const struct ipc_get *get)
{
	refcount_init(&object->refs, &ipc_object_refs);
	object->ns = ipc_namespace_of(task);
	object->kind = get->kind;
	object->key = get->key;
	object->uid = object->cuid = task->cred->euid;
	object->gid = object->cgid = task->cred->egid;
	object->mode = (uint32_t)get->flags & 0777;
	object->changed = ipc_now_seconds();
}

static int64_t get_new(struct task *task, const struct ipc_get *get, struct ipc_table *table)
{
	struct ipc_object *object;
	int error;

	if (table->count >= get->maximum)
		return -ENOSPC;
	error = get->create(task, get, &object);
	if (error)
		return error;
	object_init(task, object, get);
	error = table_insert(table, object, get->maximum);
	if (error) {
		object->removed = true;
		object->on_remove(object);
		ipc_object_put(object);
		return error;
	}
	return object->id;
}

int64_t ipc_get(struct task *task, const struct ipc_get *get)
{
	struct ipc_table *table = &ipc_namespace_of(task)->tables[get->kind];
	struct ipc_object *object;
	int error;

	mutex_guard(&g_ipc_lock);
	object = get->key == LINUX_IPC_PRIVATE ? NULL : find_key(table, get->key);
	if (!object) {
		if (get->key != LINUX_IPC_PRIVATE && !(get->flags & LINUX_IPC_CREAT))
			return -ENOENT;
		return get_new(task, get, table);
	}
	if ((get->flags & LINUX_IPC_CREAT) && (get->flags & LINUX_IPC_EXCL))
		return -EEXIST;
	error = get->check ? get->check(object, get) : 0;
	if (!error)
		error = ipc_check_access(task, object, (uint32_t)get->flags & 0777);
	return error ? error : object->id;
}

/* --- permissions --- */

int ipc_check_access(struct task *task, const struct ipc_object *object, uint32_t wanted)
{
	const struct cred *cred = task->cred;
	uint32_t granted = object->mode;

	wanted = wanted >> 6 | wanted >> 3 | wanted;
	if (cred->euid == object->cuid || cred->euid == object->uid)
		granted >>= 6;
	else if (cred_in_group(cred, object->cgid) || cred_in_group(cred, object->gid))
		granted >>= 3;
	if ((wanted & ~granted & 7) &&
		!cred_capable_in(cred, object->ns->user_ns, LINUX_CAP_IPC_OWNER))
		return -EACCES;
	return 0;
}

int ipc_check_owner(struct task *task, const struct ipc_object *object)
{
	const struct cred *cred = task->cred;

	if (cred->euid == object->cuid || cred->euid == object->uid ||
		cred_capable_in(cred, object->ns->user_ns, LINUX_CAP_SYS_ADMIN))
		return 0;
	return -EPERM;
}

void ipc_perm_show(
	struct task *task, const struct ipc_object *object, struct linux_ipc64_perm *perm)
{
	const struct user_namespace *ns = task->cred->user_ns;

	*perm = (struct linux_ipc64_perm){
		.key = object->key,
		.uid = user_namespace_show_uid(ns, object->uid),
		.gid = user_namespace_show_gid(ns, object->gid),
		.cuid = user_namespace_show_uid(ns, object->cuid),
		.cgid = user_namespace_show_gid(ns, object->cgid),
		.mode = object->mode,
		.seq = object->sequence,
	};
}

int ipc_perm_set(struct task *task, struct ipc_object *object, const struct linux_ipc64_perm *perm)
{
	uint32_t uid = user_namespace_make_uid(task->cred->user_ns, perm->uid);
	uint32_t gid = user_namespace_make_gid(task->cred->user_ns, perm->gid);

	if (uid == UINT32_MAX || gid == UINT32_MAX)
		return -EINVAL;
	object->uid = uid;
	object->gid = gid;
	object->mode = (object->mode & ~0777u) | (perm->mode & 0777);
	object->changed = ipc_now_seconds();
	return 0;
}
