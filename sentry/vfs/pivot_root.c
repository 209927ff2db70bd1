/* SPDX-License-Identifier: Apache-2.0 */
/* pivot_root(2). */
#include "abi/mount.h"
#include "abi/stat.h"
#include "sentry/kernel/task.h"
#include "sentry/vfs/dentry.h"
#include "sentry/vfs/mount.h"

#include <errno.h>

/* Is path somewhere below top, seen through the mounts between? Lock held. */
static bool path_is_below(const struct path *path, const struct path *top)
{
	const struct mount *mount = path->mount;
	const struct dentry *dentry = path->dentry;
	bool below;

	while (mount != top->mount) {
		if (!mount->parent)
			return false;
		dentry = mount->mountpoint;
		mount = mount->parent;
	}
	dentry_tree_lock();
	below = dentry_is_below(dentry, top->dentry);
	dentry_tree_unlock();
	return below;
}

static int check(const struct path *root, const struct path *new_root, const struct path *put_old)
{
	struct mount_namespace *ns = mount_namespace_current();

	if (new_root->mount->ns != ns || root->mount->ns != ns || put_old->mount->ns != ns)
		return -EINVAL;
	if (new_root->mount == root->mount || put_old->mount == root->mount)
		return -EBUSY;
	if (new_root->dentry != new_root->mount->root || root->dentry != root->mount->root)
		return -EINVAL;
	if (!root->mount->parent && root->mount != ns->root)
		return -EINVAL;
	if (!new_root->mount->parent || new_root->mount->locked)
		return -EINVAL;
	if (root->mount->propagation == LINUX_MS_SHARED ||
		new_root->mount->parent->propagation == LINUX_MS_SHARED)
		return -EINVAL;
	if (!path_is_below(put_old, new_root) || !path_is_below(new_root, root))
		return -EINVAL;
	return 0;
}

/* Everybody in the namespace whose root or directory is the old root follows. */
static void move_task(struct fs_struct *fs, const struct path *old, const struct path *new)
{
	struct path *fields[] = {&fs->root, &fs->pwd};

	for (size_t i = 0; i < array_count(fields); i++) {
		struct path replacement = *new;
		bool same;

		mutex_lock(&fs->lock);
		same = fields[i]->mount == old->mount && fields[i]->dentry == old->dentry;
		mutex_unlock(&fs->lock);
		if (!same)
			continue;
		path_get(&replacement);
		fs_struct_set(fs, fields[i], &replacement);
	}
}

static void move_tasks(const struct path *old, const struct path *new)
{
	struct pid_namespace *ns = g_tasks.root_pid_ns;
	struct pid *pid;

	for (int number = 1; (pid = pid_next(ns, number));) {
		struct task *task;
		struct fs_struct *fs = NULL;

		number = pid_number_in(pid, ns) + 1;
		mutex_lock(&g_tasks.lock);
		task = pid->task ? task_get(pid->task) : NULL;
		mutex_unlock(&g_tasks.lock);
		pid_put(pid);
		if (task) {
			fs = task_get_fs(task);
			task_put(task);
		}
		if (fs) {
			move_task(fs, old, new);
			fs_struct_put(fs);
		}
	}
}

/* Lock held, everything checked: the new root goes where the old one was, the old one onto put_old.
 */
static void pivot(const struct path *root, const struct path *new_root, const struct path *put_old)
{
	struct mount *old = root->mount, *new = new_root->mount;
	struct mount *above = old->parent ? mount_get(old->parent) : NULL;
	struct dentry *place = old->parent ? dentry_get(old->mountpoint) : NULL;

	/* What must not be uncovered is now below the new root. */
	if (old->locked) {
		new->locked = true;
		old->locked = false;
	}
	mount_detach_locked(new);
	mount_detach_locked(old);
	mount_attach_locked(old, put_old->mount, put_old->dentry);
	if (above) {
		mount_attach_locked(new, above, place);
		dentry_put(place);
		mount_put(above);
	} else {
		new->ns->root = new;
	}
	mount_changed_locked(new->ns);
}

int mount_pivot_root(const struct path *new_root, const struct path *put_old)
{
	struct path root, where = *put_old;
	int result;

	fs_struct_root(current->fs, &root);
	path_get(&where);
	mount_lock();
	mount_settle_locked(&where);
	result = check(&root, new_root, &where);
	if (result == 0)
		pivot(&root, new_root, &where);
	mount_unlock();
	if (result == 0)
		move_tasks(&root, new_root);
	path_put(&where);
	path_put(&root);
	return result;
}
