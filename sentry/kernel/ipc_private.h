/* SPDX-License-Identifier: Apache-2.0 */
/* What the kinds of System V objects share: ids, keys, permissions. The IPC lock is held in all
 * functions here but ipc_lock(). */
#pragma once

#include "base/lock.h"
#include "base/refcount.h"
#include "sentry/kernel/ipc_namespace.h"

enum ipc_kind { IPC_SEMAPHORES, IPC_MESSAGES, IPC_SHARED_MEMORY, IPC_KINDS };

struct ipc_object {
	struct refcount refs;	  /* one for the table; one for each who uses it without the lock */
	struct ipc_namespace *ns; /* borrowed: only used while not removed */
	enum ipc_kind kind;
	bool removed;
	int id, key;
	uint32_t uid, gid, cuid, cgid; /* global ids */
	uint32_t mode;
	uint16_t sequence;
	int64_t changed; /* seconds, wall clock */
	void (*destroy)(struct ipc_object
			*object); /* the last reference went; the lock may or may not be held */
	void (*on_remove)(struct ipc_object *object); /* it left its table: wakes who waits */
};

extern struct mutex g_ipc_lock; /* RANK_PIPE */

int64_t ipc_now_seconds(void);
struct ipc_object *ipc_object_get(struct ipc_object *object);
void ipc_object_put(struct ipc_object *object);

/* What a ...get call does when there is no object yet: a fresh one with a reference, not in a
 * table. */
struct ipc_get {
	enum ipc_kind kind;
	int key, flags;
	unsigned int maximum; /* of objects in the namespace */
	int (*create)(struct task *task, const struct ipc_get *get, struct ipc_object **out);
	/* Does an existing one satisfy the caller? NULL: always. */
	int (*check)(struct ipc_object *object, const struct ipc_get *get);
	uint64_t size;
};
/* The id. Takes the lock itself. */
must_check int64_t ipc_get(struct task *task, const struct ipc_get *get);

/* Borrowed as long as the lock is held. -EINVAL: no such id; -EIDRM: an older one. */
must_check int ipc_find(struct task *task, enum ipc_kind kind, int id, struct ipc_object **out);
/* By place in the table, for the ..._STAT commands. */
must_check int ipc_find_index(
	struct task *task, enum ipc_kind kind, int index, struct ipc_object **out);
/* wanted: 0444 to read, 0222 to change. -EACCES. */
must_check int ipc_check_access(
	struct task *task, const struct ipc_object *object, uint32_t wanted);
/* IPC_SET and IPC_RMID. -EPERM. */
must_check int ipc_check_owner(struct task *task, const struct ipc_object *object);
void ipc_remove(struct ipc_object *object);
void ipc_perm_show(
	struct task *task, const struct ipc_object *object, struct linux_ipc64_perm *perm);
must_check int ipc_perm_set(
	struct task *task, struct ipc_object *object, const struct linux_ipc64_perm *perm);
/* How many there are, and the highest place in use (-1: none). */
unsigned int ipc_count(struct ipc_namespace *ns, enum ipc_kind kind);
int ipc_highest_index(struct ipc_namespace *ns, enum ipc_kind kind);
/* What all objects of a kind have in them: semaphores, or pages of shared memory. */
uint64_t *ipc_used(struct ipc_namespace *ns, enum ipc_kind kind);
/* Segments that were attached once, and are no more. */
void ipc_shm_remove_forced(struct ipc_namespace *ns);
/* The object at a place, or NULL. */
struct ipc_object *ipc_at(struct ipc_namespace *ns, enum ipc_kind kind, int index);
