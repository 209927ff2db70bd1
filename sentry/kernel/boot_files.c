/* SPDX-License-Identifier: Apache-2.0 */
/* Standard input, output and error of the first process. */
#include "sentry/kernel/boot_files.h"

#include "abi/fcntl.h"
#include "sentry/fs/devpts/tty.h"
#include "sentry/fs/host/host.h"
#include "sentry/kernel/kernel.h"
#include "sentry/kernel/session.h"
#include "sentry/kernel/task.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* The console by its name, so that ttyname(3) finds it. */
static int open_console(const struct path *root, const struct cred *cred, struct file **out)
{
	struct path path;
	char name[32];
	int error;

	snprintf(name, sizeof(name), "/dev/pts/%d", console_tty()->index);
	error = path_lookup_at(root, root, name, WALK_FOLLOW, &path);
	if (error)
		return error;
	error = file_open_path(&path, LINUX_O_RDWR | LINUX_O_NOCTTY, cred, out);
	path_put(&path);
	return error;
}

/* The console's owner inside is who runs there. */
static void own_console(const struct cred *cred)
{
	struct inode *inode = console_tty()->inode;

	mutex_lock(&inode->lock);
	inode->attributes.uid = cred->uid;
	mutex_unlock(&inode->lock);
}

int boot_make_files(const struct sandbox_config *config, const struct path *root,
	const struct cred *cred, struct fd_table **out)
{
	struct file *console = NULL;
	struct fd_table *table;
	int error = fd_table_new(&table);

	for (size_t i = 0; !error && i < config->stdio_count; i++) {
		struct file *file = NULL;

		if (config->stdio[i] < 0)
			continue;
		if (!config->stdio_is_console[i]) {
			error = host_stdio_file_new(
				config->stdio[i], config->host_ids, &file);
		} else {
			if (!console) {
				own_console(cred);
				error = open_console(root, cred, &console);
			}
			if (!error)
				file = file_get(console);
		}
		if (!error)
			error = fd_replace(table, (int)i, file, false);
		if (file)
			file_put(file);
	}
	if (console)
		file_put(console);
	if (error)
		fd_table_put(table);
	else
		*out = table;
	return error;
}

int boot_take_console(struct task *task, void *argument)
{
	struct tty *tty = console_tty();
	struct session *session;
	struct pid *group;

	if (!tty)
		return 0;
	session = thread_group_session(task->group);
	group = thread_group_process_group(task->group);
	tty_force_controlling(tty, session, group);
	pid_put(group);
	session_put(session);
	return 0;
}
