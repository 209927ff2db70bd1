/* SPDX-License-Identifier: Apache-2.0 */
/* Links of /proc/PID that lead to a file itself (fd, map_files): not by its name, which may be
 * gone. */
#include "sentry/fs/proc/file_link.h"

#include "abi/stat.h"
#include "sentry/fs/proc/task_files.h"
#include "sentry/kernel/task.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <string.h>

#define LINK_SIZE 64 /* as Linux says of each */

int file_link_follow(struct file *file, struct path *out)
{
	int error = file_path(file, out);

	file_put(file);
	return error;
}

int64_t file_link_read(struct file *file, char *buffer, size_t size)
{
	struct path root = {0};
	const char *name;
	int64_t length;

	fs_struct_root(current->fs, &root);
	name = file_name(file, &root, buffer, size);
	path_put(&root);
	file_put(file);
	if (!name)
		return -ENAMETOOLONG;
	length = (int64_t)strlen(name);
	memmove(buffer, name, (size_t)length + 1);
	return length;
}

void file_link_set_mode(struct inode *inode, uint32_t permissions)
{
	mutex_guard(&inode->lock);
	inode->attributes.mode = LINUX_S_IFLNK | permissions;
	inode->attributes.size = LINK_SIZE;
	proc_task_own(inode);
}
