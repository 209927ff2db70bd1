/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System V IPC (sysvipc(7)): namespaces, and what the system calls do.
 *
 * One lock guards all of it, in all namespaces (ipc_lock()): RANK_PIPE. Objects are found by key or
 * id in a namespace's tables and live on while somebody waits in them.
 */
#pragma once

#include "abi/ipc.h"
#include "base/compiler.h"
#include "sentry/mm/mm.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ipc_namespace;
struct mount;
struct task;
struct user_namespace;

must_check int ipc_namespace_new(struct user_namespace *user_ns, struct ipc_namespace **out);
struct ipc_namespace *ipc_namespace_get(struct ipc_namespace *ns);
void ipc_namespace_put(struct ipc_namespace *ns);
/* The first one, which tasks without another are in; borrowed. */
struct ipc_namespace *ipc_namespace_initial(void);
/* No task is left: what is still in the first one goes. */
void ipc_shutdown(void);
/* fs/mqueue's own, of the current task's namespace: a reference that goes with it, or NULL so far.
 */
struct mount *_Atomic *ipc_namespace_mqueue(void);
uint64_t ipc_namespace_inode(const struct ipc_namespace *ns);

/* What a namespace's objects may grow to: /proc/sys/kernel/msgmax... Each may be read and set by
 * any thread, and holds for what is asked for afterwards. */
enum ipc_limit {
	IPC_MSGMAX,
	IPC_MSGMNB,
	IPC_MSGMNI,
	IPC_SEMMSL, /* these four are one file, in this order */
	IPC_SEMMNS,
	IPC_SEMOPM,
	IPC_SEMMNI,
	IPC_SHMALL,
	IPC_SHMMAX,
	IPC_SHMMNI,
	IPC_SHM_RMID_FORCED,
	IPC_LIMITS,
};
uint64_t ipc_limit(const struct ipc_namespace *ns, enum ipc_limit limit);
/* value: one that the setting may have. IPC_SHM_RMID_FORCED removes segments that nobody has
 * attached any more. */
void ipc_limit_set(struct ipc_namespace *ns, enum ipc_limit limit, uint64_t value);
/* The namespace that a task is in; borrowed. */
struct ipc_namespace *ipc_namespace_of(struct task *task);

/* --- semaphores (ipc_sem.c) --- */

must_check int64_t ipc_semget(struct task *task, int key, int count, int flags);
/* operations: copied in already, 1 to LINUX_SEMOPM. deadline_ns: CLOCK_MONOTONIC. */
must_check int64_t ipc_semop(struct task *task, int id, const struct linux_sembuf *operations,
	size_t count, int64_t deadline_ns);
/* unshare(CLONE_SYSVSEM): undoes now what the task's end would have undone, if nobody shares that.
 */
void ipc_sem_unshare(struct task *task);
must_check int64_t ipc_semctl(
	struct task *task, int id, int number, int command, uint64_t argument);

/* --- messages (ipc_msg.c) --- */

must_check int64_t ipc_msgget(struct task *task, int key, int flags);
must_check int64_t ipc_msgsnd(struct task *task, int id, gaddr_t message, uint64_t size, int flags);
must_check int64_t ipc_msgrcv(
	struct task *task, int id, gaddr_t message, uint64_t size, int64_t type, int flags);
must_check int64_t ipc_msgctl(struct task *task, int id, int command, gaddr_t argument);

/* --- shared memory (ipc_shm.c) --- */

must_check int64_t ipc_shmget(struct task *task, int key, uint64_t size, int flags);
must_check int64_t ipc_shmat(struct task *task, int id, gaddr_t address, int flags);
must_check int64_t ipc_shmdt(struct task *task, gaddr_t address);
must_check int64_t ipc_shmctl(struct task *task, int id, int command, gaddr_t argument);
