/* SPDX-License-Identifier: Apache-2.0 */
/* What CLONE_FS shares: root, working directory, umask. */
#include "sentry/lock_order.h"
#include "sentry/vfs/path.h"

#include <errno.h>
#include <stdlib.h>

REFCOUNT_TYPE(fs_refs, "fs_struct");

int fs_struct_new(
	const struct path *root, const struct path *pwd, uint32_t umask, struct fs_struct **out)
{
	struct fs_struct *fs = calloc(1, sizeof(*fs));

	if (!fs)
		return -ENOMEM;
	refcount_init(&fs->refs, &fs_refs);
	mutex_init(&fs->lock, RANK_FD_TABLE, "fs_struct");
	fs->root = *root;
	fs->pwd = *pwd;
	path_get(&fs->root);
	path_get(&fs->pwd);
	fs->umask = umask & 0777;
	*out = fs;
	return 0;
}

int fs_struct_copy(struct fs_struct *fs, struct fs_struct **out)
{
	struct path root, pwd;
	uint32_t umask;
	int result;

	mutex_lock(&fs->lock);
	root = fs->root;
	pwd = fs->pwd;
	umask = fs->umask;
	path_get(&root);
	path_get(&pwd);
	mutex_unlock(&fs->lock);
	result = fs_struct_new(&root, &pwd, umask, out);
	path_put(&root);
	path_put(&pwd);
	return result;
}

struct fs_struct *fs_struct_get(struct fs_struct *fs)
{
	refcount_get(&fs->refs);
	return fs;
}

void fs_struct_put(struct fs_struct *fs)
{
	if (!fs || !refcount_put(&fs->refs))
		return;
	path_put(&fs->root);
	path_put(&fs->pwd);
	mutex_destroy(&fs->lock);
	free(fs);
}

void fs_struct_root(struct fs_struct *fs, struct path *out)
{
	mutex_guard(&fs->lock);
	*out = fs->root;
	path_get(out);
}

void fs_struct_pwd(struct fs_struct *fs, struct path *out)
{
	mutex_guard(&fs->lock);
	*out = fs->pwd;
	path_get(out);
}

void fs_struct_set(struct fs_struct *fs, struct path *field, struct path *path)
{
	struct path old;

	mutex_lock(&fs->lock);
	old = *field;
	*field = *path;
	mutex_unlock(&fs->lock);
	*path = (struct path){0};
	path_put(&old);
}
