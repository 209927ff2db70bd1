/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The namespaces of a task other than user and the active pid one: shared by fork, replaced as a
 * whole by unshare(2) and setns(2).
 *
 * Kinds whose owner did not register (cgroup, ipc, net, time) are single: asking for another is
 * -EINVAL, as on a Linux configured without it.
 */
#pragma once

#include "abi/utsname.h"
#include "base/compiler.h"
#include "base/lock.h"
#include "base/refcount.h"
#include "sentry/kernel/task.h"

#include <stdint.h>

struct user_namespace;

struct uts_namespace {
	struct refcount refs;
	struct mutex lock; /* RANK_LEAF: name */
	struct linux_new_utsname name;
	struct user_namespace *user_ns; /* a reference; set once */
	uint64_t ino;
};

must_check int uts_namespace_new(struct user_namespace *user_ns, struct uts_namespace **out);
must_check int uts_namespace_copy(
	struct uts_namespace *from, struct user_namespace *user_ns, struct uts_namespace **out);
struct uts_namespace *uts_namespace_get(struct uts_namespace *ns);
void uts_namespace_put(struct uts_namespace *ns);
void uts_namespace_read(struct uts_namespace *ns, struct linux_new_utsname *out);
/* domain: the domain name instead of the host name. size at most LINUX_NEW_UTS_LEN. */
void uts_namespace_set(struct uts_namespace *ns, bool domain, const char *name, size_t size);

/* What another room offers for its kind of namespace. */
struct namespace_operations {
	void *(*get)(void *ns);
	void (*put)(void *ns);
	/* A fresh one for CLONE_NEW...; from is the old one. */
	int (*create)(void *from, struct user_namespace *user_ns, void **out);
	/* For /proc/PID/ns and setns(2). */
	void *(*initial)(void); /* what a task without one is in: borrowed, lasts for ever */
	uint64_t (*inode)(void *ns);
	struct user_namespace *(*owner)(void *ns); /* borrowed */
};
/* Registered at start: LINUX_CLONE_NEWCGROUP, _NEWIPC, _NEWNET or _NEWTIME. */
void nsproxy_register(uint64_t clone_flag, const struct namespace_operations *operations);

const struct namespace_operations *nsproxy_operations(
	uint64_t clone_flag); /* NULL: not registered */

/* Consumes the references; ipc and net may be NULL. */
must_check int nsproxy_new(struct uts_namespace *uts, struct ipc_namespace *ipc,
	struct mount_namespace *mount, struct net_namespace *net,
	struct pid_namespace *pid_for_children, struct nsproxy **out);
struct nsproxy *nsproxy_get(struct nsproxy *nsproxy);
void nsproxy_put(struct nsproxy *nsproxy);
/*
 * A copy with new namespaces for the LINUX_CLONE_NEW bits in flags, owned by cred's user namespace.
 * fs is moved into a new mount namespace along (it must be the new holder's own). -EPERM without
 * CAP_SYS_ADMIN there.
 */
must_check int nsproxy_copy(struct nsproxy *from, uint64_t flags, const struct cred *cred,
	struct fs_struct *fs, struct nsproxy **out);
/* A copy with references to the same namespaces, for the caller to replace some before anybody sees
 * it. NULL: no memory. */
struct nsproxy *nsproxy_duplicate(struct nsproxy *from);
/* A child, or a program, begins in the time namespace that was chosen for it: is that another one?
 */
bool nsproxy_changes_time(const struct nsproxy *nsproxy);
/* Moves a copy that nobody sees yet there. */
void nsproxy_change_time(struct nsproxy *nsproxy);
/* Puts another one in place of the current task's; consumes the reference. */
void task_switch_nsproxy(struct task *task, struct nsproxy *nsproxy);

/* The inode numbers of namespaces, for /proc/PID/ns. */
#define NAMESPACE_INODE_TIME   0xeffffffau
#define NAMESPACE_INODE_IPC    0xefffffffu
#define NAMESPACE_INODE_UTS    0xeffffffeu
#define NAMESPACE_INODE_PID    0xeffffffcu
#define NAMESPACE_INODE_CGROUP 0xeffffffbu
#define NAMESPACE_INODE_NET    0xeffffff8u
uint64_t namespace_inode_new(void);
