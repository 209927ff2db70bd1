/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a string to a path (path_resolution(7)).
 *
 * A component that is cached costs its parent's lock and two references; nothing is copied or
 * allocated. The text of a symlink is copied, since the link may go while its text is walked.
 * Nothing recurses: what is left behind a link is kept in a bounded stack.
 */
#include "sentry/vfs/walk.h"

#include "abi/fcntl.h"
#include "abi/mount.h"
#include "abi/stat.h"
#include "sentry/kernel/task.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/mount.h"
#include "sentry/vfs/permission.h"
#include "sentry/vfs/protected.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WALK_SCOPED (WALK_BENEATH | WALK_IN_ROOT)

void path_get(struct path *path)
{
	if (path->mount)
		mount_get(path->mount);
	if (path->dentry)
		dentry_get(path->dentry);
}

void path_put(struct path *path)
{
	if (path->dentry)
		dentry_put(path->dentry);
	if (path->mount)
		mount_put(path->mount);
	*path = (struct path){0};
}

struct inode *path_inode(const struct path *path)
{
	return dentry_inode(path->dentry);
}

static bool path_equal(const struct path *a, const struct path *b)
{
	return a->mount == b->mount && a->dentry == b->dentry;
}

/* The root is seldom needed: only by absolute names and "..". */
static void take_root(struct walk *walk)
{
	if (walk->has_root)
		return;
	fs_struct_root(current->fs, &walk->root);
	walk->has_root = true;
}

static int jump_to_root(struct walk *walk)
{
	if (walk->flags & WALK_BENEATH)
		return -EXDEV;
	take_root(walk);
	if ((walk->flags & WALK_NO_XDEV) && walk->at.mount && walk->at.mount != walk->root.mount)
		return -EXDEV;
	path_put(&walk->at);
	walk->at = walk->root;
	path_get(&walk->at);
	return 0;
}

static int start_at_descriptor(int dirfd, const char *name, struct path *out)
{
	struct file *file;
	int result;

	if (dirfd == LINUX_AT_FDCWD) {
		fs_struct_pwd(current->fs, out);
		return 0;
	}
	file = fd_get_path_too(current->files, dirfd);
	if (!file)
		return -EBADF;
	if (*name && !inode_is_type(file->inode, LINUX_S_IFDIR))
		result = -ENOTDIR;
	else
		result = file_path(file, out);
	file_put(file);
	return result;
}

static void walk_init(
	struct walk *walk, const char *name, unsigned int flags, const struct cred *cred)
{
	/* Not the stack of rests: it is large, and depth says what of it is valid. */
	memset(walk, 0, offsetof(struct walk, rest));
	walk->climbed = false;
	walk->flags = flags;
	walk->cred = cred;
	walk->name = name;
	if (flags & WALK_SCOPED) {
		walk->moves = dentry_move_count();
		walk->mount_changes = mount_change_count();
	}
}

/* at is the start; an absolute name leaves it for the root. */
static int walk_set_off(struct walk *walk)
{
	int result = 0;

	if (walk->flags & WALK_SCOPED) {
		walk->root = walk->at;
		path_get(&walk->root);
		walk->has_root = true;
	}
	if (*walk->name == '/') {
		if (!(walk->flags & WALK_SCOPED))
			path_put(&walk->at);
		result = jump_to_root(walk);
	} else if (!*walk->name && !(walk->flags & WALK_EMPTY)) {
		result = -ENOENT;
	}
	if (result)
		walk_end(walk);
	return result;
}

int walk_begin(
	struct walk *walk, int dirfd, const char *name, unsigned int flags, const struct cred *cred)
{
	walk_init(walk, name, flags, cred);
	if (!*name && !(flags & WALK_EMPTY))
		return -ENOENT;
	if (*name == '/' && (flags & WALK_BENEATH))
		return -EXDEV;
	if (*name != '/' || (flags & WALK_SCOPED)) {
		int result = start_at_descriptor(dirfd, name, &walk->at);

		if (result)
			return result;
	}
	return walk_set_off(walk);
}

int walk_begin_at(struct walk *walk, const struct path *start, const struct path *root,
	const char *name, unsigned int flags, const struct cred *cred)
{
	walk_init(walk, name, flags, cred);
	if (root && !(flags & WALK_SCOPED)) {
		walk->root = *root;
		path_get(&walk->root);
		walk->has_root = true;
	}
	walk->at = *start;
	path_get(&walk->at);
	return walk_set_off(walk);
}

void walk_end(struct walk *walk)
{
	path_put(&walk->at);
	if (walk->has_root)
		path_put(&walk->root);
	walk->has_root = false;
	while (walk->depth > 0)
		free(walk->rest[--walk->depth].text);
	free(walk->text);
	walk->text = NULL;
}

/* ".." at the root of everything leads to the root. */
static int stay_at_root(const struct walk *walk)
{
	return walk->flags & WALK_BENEATH ? -EXDEV : 0;
}

/* A directory that was renamed out of a bind mount's part of its file system has no way up within
 * that mount. */
static bool is_connected(const struct path *path)
{
	bool connected;

	if (path->mount->root == path->mount->sb->root)
		return true;
	dentry_tree_lock();
	connected = dentry_is_below(path->dentry, path->mount->root);
	dentry_tree_unlock();
	return connected;
}

/* "..": up one directory, through mount points, never above the root. */
static int walk_up(struct walk *walk)
{
	struct dentry *parent;
	struct path up;

	take_root(walk);
	walk->climbed = true;
	if (path_equal(&walk->at, &walk->root))
		return stay_at_root(walk);
	up = walk->at;
	path_get(&up);
	if (up.dentry == up.mount->root && !path_leave_mount(&up, &walk->root)) {
		path_put(&up);
		return stay_at_root(walk);
	}
	if ((walk->flags & WALK_NO_XDEV) && up.mount != walk->at.mount) {
		path_put(&up);
		return -EXDEV;
	}
	parent = dentry_parent(up.dentry);
	dentry_put(up.dentry);
	up.dentry = parent;
	if (!is_connected(&up)) {
		path_put(&up);
		return -ENOENT;
	}
	path_cross_mounts(&up);
	path_put(&walk->at);
	walk->at = up;
	return 0;
}

void walk_step_to(struct walk *walk, struct dentry *dentry)
{
	dentry_put(walk->at.dentry);
	walk->at.dentry = dentry;
	if (unlikely(atomic_load_explicit(&dentry->mounted, memory_order_relaxed)))
		path_cross_mounts(&walk->at);
}

/* The target of a symlink, malloced. */
static int read_link(struct inode *inode, char **out)
{
	const char *cached = atomic_load(&inode->link);
	uninitialized_ char buffer[LINUX_PATH_MAX];

	if (!cached) {
		int64_t size;

		if (!inode->ops->readlink)
			return -EINVAL;
		size = inode->ops->readlink(inode, buffer, sizeof(buffer));
		if (size < 0)
			return (int)size;
		cached = buffer;
	}
	if (!*cached)
		return -ENOENT;
	*out = strdup(cached);
	return *out ? 0 : -ENOMEM;
}

/* Magic links lead to a path, not to a text. */
static int follow_magic(struct walk *walk, struct inode *inode)
{
	struct path to = {0};
	int result;

	if (walk->flags & WALK_NO_MAGICLINKS)
		return -ELOOP;
	if (walk->flags & WALK_SCOPED)
		return -EXDEV;
	result = inode->ops->follow(inode, &to);
	if (result)
		return result;
	if ((walk->flags & WALK_NO_XDEV) && to.mount != walk->at.mount) {
		path_put(&to);
		return -EXDEV;
	}
	path_put(&walk->at);
	walk->at = to;
	return 0;
}

/* Keeps what follows the link for later, and makes its text what is walked next. */
static int push_link(struct walk *walk, char *text, const char *rest)
{
	if (*rest) {
		/* links is at most LINUX_MAX_SYMLINKS, so the stack suffices. */
		walk->rest[walk->depth++] = (struct walk_rest){rest, walk->text};
	} else {
		free(walk->text);
	}
	walk->text = text;
	walk->name = text;
	return *text == '/' ? jump_to_root(walk) : 0;
}

/*
 * at is a symlink that is to be followed; rest is what comes after it. Returns 0 with name set to
 * what to walk next, from at; or 1 when a magic link brought at to where it leads, and only rest is
 * left.
 */
static int follow_link(struct walk *walk, struct path *parent, const char *rest)
{
	struct inode *inode = path_inode(&walk->at);
	char *text;
	int result;

	if (walk->links++ >= LINUX_MAX_SYMLINKS || (walk->flags & WALK_NO_SYMLINKS) ||
		(walk->at.mount->flags & LINUX_MS_NOSYMFOLLOW)) {
		path_put(parent);
		return -ELOOP;
	}
	if (inode->ops->follow) {
		path_put(parent);
		result = follow_magic(walk, inode);
		walk->name = rest;
		return result ? result : 1;
	}
	result = read_link(inode, &text);
	if (result) {
		path_put(parent);
		return result;
	}
	path_put(&walk->at);
	walk->at = *parent;
	return push_link(walk, text, rest);
}

/* Scans one component off name. */
static int next_component(struct walk *walk, struct component *component)
{
	const char *name = walk->name, *end = name;
	uint32_t hash = COMPONENT_HASH_START;

	while (*end && *end != '/')
		hash = component_hash_add(hash, (unsigned char)*end++);
	if (end - name > LINUX_NAME_MAX)
		return -ENAMETOOLONG;
	*component = (struct component){name, hash, (uint16_t)(end - name)};
	walk->name = end;
	return 0;
}

static enum last_type component_type(const struct component *component)
{
	if (component->name[0] != '.' || component->length > 2)
		return LAST_NORMAL;
	if (component->length == 1)
		return LAST_DOT;
	return component->name[1] == '.' ? LAST_DOTDOT : LAST_NORMAL;
}

/* A component in the middle: whatever it leads to, the next step checks that it is a directory. */
static int walk_component(struct walk *walk, const struct component *component, const char *rest)
{
	struct path parent = {0};
	struct dentry *dentry;
	struct inode *inode;
	struct mount *mount = walk->at.mount;
	int result = dentry_lookup(walk->at.dentry, component, &dentry);

	if (unlikely(result))
		return result;
	inode = dentry_inode(dentry);
	if (unlikely(!inode)) {
		dentry_put(dentry);
		return -ENOENT;
	}
	if (unlikely(inode_is_type(inode, LINUX_S_IFLNK))) {
		parent = walk->at;
		path_get(&parent);
		walk_step_to(walk, dentry);
		result = follow_link(walk, &parent, rest);
		return result < 0 ? result : 0;
	}
	walk_step_to(walk, dentry);
	if (unlikely(walk->at.mount != mount) && (walk->flags & WALK_NO_XDEV))
		return -EXDEV;
	walk->name = rest;
	return 0;
}

/* at must be a directory that may be searched. */
static int may_search(const struct walk *walk)
{
	struct inode *inode = path_inode(&walk->at);

	if (!inode_is_type(inode, LINUX_S_IFDIR) || !inode->ops->lookup)
		return -ENOTDIR;
	return inode_permission(inode, walk->cred, MAY_EXEC);
}

/* The text is used up: back to what is left behind the link. False when nothing is. */
static bool pop_rest(struct walk *walk)
{
	if (walk->depth == 0)
		return false;
	free(walk->text);
	walk->depth--;
	walk->text = walk->rest[walk->depth].text;
	walk->name = walk->rest[walk->depth].name;
	return true;
}

static const char *skip_slashes(const char *name)
{
	while (*name == '/')
		name++;
	return name;
}

int walk_to_last(struct walk *walk)
{
	for (;;) {
		struct component component;
		enum last_type type;
		const char *rest;
		int result;

		walk->name = skip_slashes(walk->name);
		if (!*walk->name) {
			if (pop_rest(walk))
				continue;
			if (walk->last_type != LAST_JUMPED)
				walk->last_type = LAST_ROOT;
			return 0;
		}
		result = may_search(walk);
		if (unlikely(result))
			return result;
		result = next_component(walk, &component);
		if (unlikely(result))
			return result;
		type = component_type(&component);
		rest = skip_slashes(walk->name);
		if (!*rest && walk->depth == 0) {
			walk->must_be_directory |= rest != walk->name;
			walk->last = component;
			walk->last_type = type;
			walk->name = rest;
			return 0;
		}
		if (type == LAST_NORMAL)
			result = walk_component(walk, &component, rest);
		else if (type == LAST_DOTDOT)
			result = walk_up(walk);
		if (unlikely(result))
			return result;
		if (type != LAST_NORMAL)
			walk->name = rest;
	}
}

int walk_follow(struct walk *walk, struct path *parent)
{
	int result = protected_may_follow(
		path_inode(parent), path_inode(&walk->at), walk->cred);

	if (unlikely(result)) {
		path_put(parent);
		return result;
	}
	result = follow_link(walk, parent, "");
	if (result <= 0) {
		walk->last_type = LAST_NORMAL;
		return result ? result : 1;
	}
	walk->last_type = LAST_JUMPED;
	return 0;
}

int walk_last(struct walk *walk, bool follow)
{
	struct mount *mount = walk->at.mount;
	struct dentry *dentry;
	struct inode *inode;
	int result;

	if (walk->last_type == LAST_DOTDOT)
		return walk_up(walk);
	if (walk->last_type != LAST_NORMAL)
		return 0;
	result = dentry_lookup(walk->at.dentry, &walk->last, &dentry);
	if (unlikely(result))
		return result;
	inode = dentry_inode(dentry);
	if (!inode) {
		dentry_put(dentry);
		return -ENOENT;
	}
	if (unlikely(inode_is_type(inode, LINUX_S_IFLNK)) && (follow || walk->must_be_directory)) {
		struct path parent = walk->at;

		path_get(&parent);
		walk_step_to(walk, dentry);
		result = walk_follow(walk, &parent);
		if (result)
			return result;
	} else {
		walk_step_to(walk, dentry);
		if (unlikely(walk->at.mount != mount) && (walk->flags & WALK_NO_XDEV))
			return -EXDEV;
	}
	if (walk->must_be_directory && !inode_is_type(path_inode(&walk->at), LINUX_S_IFDIR))
		return -ENOTDIR;
	return 0;
}

int walk_finish(struct walk *walk, struct path *out)
{
	/* A rename or mount in the middle of a walk with ".." may have let it out: Linux lets the
	 * caller try again. */
	if ((walk->flags & WALK_SCOPED) && walk->climbed &&
		(walk->moves != dentry_move_count() || walk->mount_changes != mount_change_count()))
		return -EAGAIN;
	if ((walk->flags & WALK_DIRECTORY) && !inode_is_type(path_inode(&walk->at), LINUX_S_IFDIR))
		return -ENOTDIR;
	*out = walk->at;
	walk->at = (struct path){0};
	return 0;
}

/* From a walk that has begun to its end. */
static int walk_all(struct walk *walk, struct path *out)
{
	int result;

	do {
		result = walk_to_last(walk);
		if (result == 0)
			result = walk_last(walk, walk->flags & WALK_FOLLOW);
	} while (result > 0);
	if (result == 0)
		result = walk_finish(walk, out);
	walk_end(walk);
	return result;
}

int path_lookup_as(
	int dirfd, const char *name, unsigned int flags, const struct cred *cred, struct path *out)
{
	struct walk walk;
	int result = walk_begin(&walk, dirfd, name, flags, cred);

	return result ? result : walk_all(&walk, out);
}

int path_lookup(int dirfd, const char *name, unsigned int flags, struct path *out)
{
	return path_lookup_as(dirfd, name, flags, vfs_cred(), out);
}

int path_lookup_at(const struct path *start, const struct path *root, const char *name,
	unsigned int flags, struct path *out)
{
	struct walk walk;
	int result = walk_begin_at(&walk, start, root, name, flags, vfs_cred());

	return result ? result : walk_all(&walk, out);
}

int path_lookup_parent(int dirfd, const char *name, unsigned int flags, struct path *parent,
	char *last, bool *trailing_slash)
{
	struct walk walk;
	int result = walk_begin(&walk, dirfd, name, flags & ~(unsigned int)WALK_EMPTY, vfs_cred());

	if (result)
		return result;
	result = walk_to_last(&walk);
	if (result == 0) {
		size_t length = walk.last_type == LAST_ROOT ? 0 : walk.last.length;

		if (length)
			memcpy(last, walk.last.name, length);
		last[length] = '\0';
		*trailing_slash = walk.must_be_directory;
		walk.flags &= ~(unsigned int)WALK_DIRECTORY;
		result = walk_finish(&walk, parent);
	}
	walk_end(&walk);
	return result;
}

int path_copy_in(struct task *task, gaddr_t address, char buffer[4096])
{
	int64_t length = mm_copy_in_string(task->mm, buffer, address, LINUX_PATH_MAX);

	return length < 0 ? (int)length : 0;
}
