/* SPDX-License-Identifier: Apache-2.0 */
/* Processes and threads as directories: found, listed, owned, hidden (hidepid), and the links self
 * and thread-self. */
#include "sentry/fs/proc/proc_fs.h"

#include "abi/capability.h"
#include "abi/dirent.h"
#include "abi/stat.h"
#include "sentry/kernel/ptrace.h"
#include "sentry/kernel/task.h"
#include "sentry/vfs/permission.h"

#include <errno.h>
#include <stdio.h>

#define WORLD_DIRECTORY (LINUX_S_IFDIR | 0555)

struct task *proc_node_task(const struct proc_node *node)
{
	struct task *task;

	/* Only a task itself changes its own pid. */
	if (current && current->pid == node->pid)
		return task_get(current);
	mutex_guard(&g_tasks.lock);
	task = node->pid->task;
	return task ? task_get(task) : NULL;
}

/* --- owners and permission --- */

/* As task_dump_owner(): what tells of a task that is not dumpable belongs to root, and so do
 * zombies. */
void proc_task_own(struct inode *inode)
{
	struct task *task = proc_node_task(proc_node_of(inode));
	uint32_t uid, gid;

	if (!task)
		return;
	mutex_lock(&task->lock);
	uid = task->cred->euid;
	gid = task->cred->egid;
	if (inode->attributes.mode != WORLD_DIRECTORY && (!task->mm || mm_dumpable(task->mm) != 1))
		uid = gid = 0;
	mutex_unlock(&task->lock);
	task_put(task);
	inode->attributes.uid = uid;
	inode->attributes.gid = gid;
}

static bool in_group(const struct cred *cred, uint32_t gid)
{
	return cred->fsgid == gid || cred_in_group(cred, gid);
}

int proc_mode_permission(struct inode *inode, const struct cred *cred, unsigned int mask)
{
	uint32_t bits = inode->attributes.mode;
	bool directory = inode_is_type(inode, LINUX_S_IFDIR);

	if (!cred)
		return 0;
	if (cred->fsuid == inode->attributes.uid)
		bits >>= 6;
	else if (in_group(cred, inode->attributes.gid))
		bits >>= 3;
	if (!(mask & ~bits & 7))
		return 0;
	/* Nobody can make or remove a name here: who tries gets the error of that, not of the
	 * directory. */
	if (directory && mask == (MAY_WRITE | MAY_EXEC))
		return 0;
	if (!(mask & MAY_WRITE) && (directory || mask == MAY_READ) &&
		inode_capable(inode, cred, LINUX_CAP_DAC_READ_SEARCH))
		return 0;
	return inode_capable(inode, cred, LINUX_CAP_DAC_OVERRIDE) ? 0 : -EACCES;
}

bool proc_may_see(const struct proc_super *super, struct task *task, enum proc_hide least)
{
	const struct cred *cred = vfs_cred();

	if (!cred || super->hide < least)
		return true;
	if (super->hide != PROC_HIDE_NOT_PTRACEABLE && in_group(cred, super->gid))
		return true;
	return ptrace_may_access(current, task, PTRACE_ACCESS_READ | PTRACE_ACCESS_FSCREDS) == 0;
}

static bool is_hidden(const struct inode *inode, enum proc_hide least)
{
	const struct proc_super *super = proc_super_of(inode->sb);
	struct task *task;
	bool hidden;

	if (likely(super->hide == PROC_HIDE_OFF))
		return false;
	task = proc_node_task(proc_node_of(inode));
	hidden = task && !proc_may_see(super, task, least);
	task_put(task);
	return hidden;
}

int proc_task_getattr(struct inode *inode)
{
	if (is_hidden(inode, PROC_HIDE_INVISIBLE))
		return -ENOENT;
	mutex_guard(&inode->lock);
	proc_task_own(inode);
	return 0;
}

int proc_task_permission(struct inode *inode, const struct cred *cred, unsigned int mask)
{
	/* Asked with the directory's lock held, by who wants to make or remove a name; that is
	 * refused later on. */
	bool locked = mask == (MAY_WRITE | MAY_EXEC);

	if (!locked && is_hidden(inode, PROC_HIDE_NO_ACCESS))
		return proc_super_of(inode->sb)->hide == PROC_HIDE_NO_ACCESS ? -EPERM : -ENOENT;
	return proc_mode_permission(inode, cred, mask);
}

int proc_check_access(struct task *task, enum proc_access access, bool at_open)
{
	bool checked_at_open = access == PROC_ACCESS_READ_AT_OPEN ||
			       access == PROC_ACCESS_READ_MEMORY_AT_OPEN ||
			       access == PROC_ACCESS_ATTACH_AT_OPEN;
	bool attach = access == PROC_ACCESS_ATTACH_AT_OPEN || access == PROC_ACCESS_ATTACH_AT_READ;
	unsigned int mode = attach ? PTRACE_ACCESS_ATTACH : PTRACE_ACCESS_READ;

	if (access == PROC_ACCESS_FREE || access == PROC_ACCESS_ADMIN_TO_WRITE ||
		checked_at_open != at_open || !current)
		return 0;
	if (ptrace_may_access(current, task, mode | PTRACE_ACCESS_FSCREDS) == 0)
		return 0;
	return attach && !at_open ? -EPERM : -EACCES;
}

/* --- by number --- */

int proc_parse_number(const char *name)
{
	int number = 0;

	if (!*name || (*name == '0' && name[1]))
		return -1;
	for (; *name; name++) {
		if (*name < '0' || *name > '9' || number > (INT32_MAX - 9) / 10)
			return -1;
		number = number * 10 + *name - '0';
	}
	return number;
}

static uint64_t task_directory_ino(const struct pid *pid, bool process)
{
	return pid->ino << 32 | (process ? 1 : 2);
}

/* The thread with a number in the mount's namespace, and its identity, with references. */
static struct task *find_thread(const struct proc_super *super, int number, struct pid **out)
{
	struct task *task = NULL;
	struct pid *pid;

	mutex_lock(&g_tasks.lock);
	pid = pid_find_locked(super->pid_ns, number);
	if (pid && pid->task)
		task = task_get(pid->task);
	mutex_unlock(&g_tasks.lock);
	if (task)
		*out = pid;
	else
		pid_put(pid);
	return task;
}

int proc_root_lookup(struct inode *directory, const char *name, struct inode **out)
{
	const struct proc_super *super = proc_super_of(directory->sb);
	int number = proc_parse_number(name), error;
	struct task *task;
	struct pid *pid;

	if (number <= 0)
		return -ENOENT;
	task = find_thread(super, number, &pid);
	if (!task)
		return -ENOENT;
	error = proc_inode_new(directory->sb, task_directory_ino(pid, true), &proc_process_entry,
		pid, true, 0, out);
	pid_put(pid);
	task_put(task);
	return error;
}

/* The next process in the namespace from a number on, with references; NULL at the end. */
static struct task *next_process(const struct proc_super *super, int *number, uint64_t *ino)
{
	struct pid_number *entry;

	mutex_guard(&g_tasks.lock);
	for (entry = pid_number_next_locked(super->pid_ns, *number); entry;
		entry = pid_number_next_locked(super->pid_ns, entry->number + 1)) {
		if (!entry->pid->group || !entry->pid->task)
			continue;
		*number = entry->number;
		*ino = task_directory_ino(entry->pid, true);
		return task_get(entry->pid->task);
	}
	return NULL;
}

static bool emit_number(struct dir_context *context, int number, uint64_t ino)
{
	char name[16];
	int size = snprintf(name, sizeof(name), "%d", number);

	return context->emit(context, name, (size_t)size,
		PROC_DYNAMIC_POSITION + (int64_t)number + 1, ino, LINUX_DT_DIR);
}

int proc_root_iterate(struct file *file, struct dir_context *context)
{
	const struct proc_super *super = proc_super_of(file->inode->sb);
	int64_t first = context->position - PROC_DYNAMIC_POSITION;
	struct task *task;
	uint64_t ino;

	if (first > INT32_MAX)
		return 0;
	for (int number = (int)first; (task = next_process(super, &number, &ino)); number++) {
		bool visible = super->hide == PROC_HIDE_OFF ||
			       proc_may_see(super, task, PROC_HIDE_INVISIBLE);

		task_put(task);
		if (visible && !emit_number(context, number, ino))
			break;
	}
	return 0;
}

/* --- /proc/PID/task --- */

static int thread_lookup(struct inode *directory, const char *name, struct inode **out)
{
	const struct proc_node *node = proc_node_of(directory);
	int number = proc_parse_number(name), error = -ENOENT;
	struct task *leader = proc_node_task(node), *task = NULL;
	struct pid *pid = NULL;

	if (leader && number > 0)
		task = find_thread(proc_super_of(directory->sb), number, &pid);
	if (task && task->group == leader->group)
		error = proc_inode_new(directory->sb, task_directory_ino(pid, false),
			&proc_thread_entry, pid, false, 0, out);
	pid_put(pid);
	task_put(task);
	task_put(leader);
	return error;
}

/* The thread of a process with the lowest number from a given one on: threads are few, and in the
 * order they were made. */
static bool next_thread(
	const struct proc_super *super, struct thread_group *group, int *number, uint64_t *ino)
{
	struct task *task;
	int least = INT32_MAX;

	mutex_guard(&g_tasks.lock);
	TAILQ_FOREACH (task, &group->tasks, group_link) {
		int own = pid_number_in(task->pid, super->pid_ns);

		if (own < *number || own >= least || own == 0)
			continue;
		least = own;
		*ino = task_directory_ino(task->pid, false);
		if (own == *number)
			break;
	}
	*number = least;
	return least != INT32_MAX;
}

static int thread_iterate(struct file *file, struct dir_context *context)
{
	int64_t first = context->position - PROC_DYNAMIC_POSITION;
	struct task *task = proc_node_task(proc_node_of(file->inode));
	uint64_t ino;

	if (!task)
		return -ENOENT;
	if (first < 1)
		first = 1;
	for (int number = (int)first; first < INT32_MAX; number++) {
		if (!next_thread(proc_super_of(file->inode->sb), task->group, &number, &ino) ||
			!emit_number(context, number, ino))
			break;
	}
	task_put(task);
	return 0;
}

/* Programs count their threads by the links (a browser's sandbox insists on being alone). */
static int thread_list_getattr(struct inode *inode)
{
	struct task *task = proc_node_task(proc_node_of(inode));
	unsigned int threads = 0;

	if (task) {
		mutex_lock(&g_tasks.lock);
		threads = task->group->task_count;
		mutex_unlock(&g_tasks.lock);
		task_put(task);
	}
	mutex_lock(&inode->lock);
	inode->attributes.nlink = 2 + threads;
	mutex_unlock(&inode->lock);
	return proc_task_getattr(inode);
}

static int thread_list_lookup(struct inode *directory, const char *name, struct inode **out)
{
	return proc_task_inode_operations.lookup(directory, name, out);
}

const struct inode_operations proc_thread_list_operations = {
	.lookup = thread_list_lookup,
	.create = proc_create,
	.getattr = thread_list_getattr,
	.setattr = proc_setattr,
	.permission = proc_task_permission,
};

const struct proc_directory proc_thread_list_directory = {
	.lookup = thread_lookup, .iterate = thread_iterate};

/* --- self and thread-self --- */

static int64_t self_readlink(struct inode *inode, char *buffer, size_t size)
{
	int number =
		current ? pid_number_in(current->group->pid, proc_super_of(inode->sb)->pid_ns) : 0;

	return number ? snprintf(buffer, size, "%d", number) : -ENOENT;
}

static int64_t thread_self_readlink(struct inode *inode, char *buffer, size_t size)
{
	const struct pid_namespace *ns = proc_super_of(inode->sb)->pid_ns;
	int process = current ? pid_number_in(current->group->pid, ns) : 0;

	if (!process)
		return -ENOENT;
	return snprintf(buffer, size, "%d/task/%d", process, pid_number_in(current->pid, ns));
}

const struct inode_operations proc_self_operations = {
	.readlink = self_readlink, .setattr = proc_setattr};
const struct inode_operations proc_thread_self_operations = {
	.readlink = thread_self_readlink, .setattr = proc_setattr};
