/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an execve runs: permission to run it, #! lines followed to a program, ELF headers read
 * (execve(2)).
 */
#include "sentry/kernel/exec_open.h"

#include "abi/fcntl.h"
#include "abi/mount.h"
#include "abi/stat.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/inode.h"
#include "sentry/vfs/path.h"
#include "sentry/vfs/permission.h"
#include "sentry/vfs/policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A file opened for execution, and its first bytes. */
struct opened {
	struct file *file;
	uint8_t head[LOADER_HEAD_SIZE];
	size_t head_size;
};

static int check_executable(struct task *task, const struct path *path)
{
	struct inode *inode = path_inode(path);
	int err;

	if (inode->ops->getattr && (err = inode->ops->getattr(inode)))
		return err;
	if (inode_is_type(inode, LINUX_S_IFLNK))
		return -ELOOP;
	if (!inode_is_type(inode, LINUX_S_IFREG) || (path->mount->flags & LINUX_MS_NOEXEC))
		return -EACCES;
	return inode_permission(inode, task->cred, MAY_EXEC);
}

static void close_program(struct file *file)
{
	inode_allow_write_access(file->inode);
	file_put(file);
}

static int open_program(struct task *task, int dirfd, const char *name, int flags,
	enum loader_role role, struct opened *opened)
{
	unsigned int walk = flags & LINUX_AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW;
	struct path path;
	int64_t size;
	int err;

	if (flags & LINUX_AT_EMPTY_PATH)
		walk |= WALK_EMPTY;
	err = path_lookup(dirfd, name, walk, &path);
	if (err)
		return err;
	err = check_executable(task, &path);
	if (!err && role == LOADER_PROGRAM)
		err = policy_check(&path, POLICY_RUN);
	if (!err)
		err = file_open_path_as(
			&path, LINUX_O_RDONLY, task->cred, FILE_EXEC, &opened->file);
	path_put(&path);
	if (err)
		return err;
	err = inode_deny_write_access(opened->file->inode);
	if (err) {
		file_put(opened->file);
		return err;
	}
	size = file_read_kernel(opened->file, opened->head, sizeof(opened->head), 0);
	if (size < 0) {
		close_program(opened->file);
		return (int)size;
	}
	opened->head_size = (size_t)size;
	return 0;
}

/* An interpreter could not open a script by a descriptor that the execve closes. */
static bool script_is_unreachable(struct task *task, const struct exec_request *request)
{
	int flags;

	if (request->dirfd == LINUX_AT_FDCWD || request->name[0] == '/')
		return false;
	flags = fd_get_flags(task->files, request->dirfd);
	return flags >= 0 && (flags & LINUX_FD_CLOEXEC);
}

static int follow_script(struct task *task, const struct exec_request *request,
	struct opened *opened, struct loader_script *script, const char *path)
{
	int err = loader_parse_script(opened->head, opened->head_size, script);

	if (err)
		return err;
	if (script_is_unreachable(task, request))
		return -ENOENT;
	err = loader_arguments_script(request->arguments, script, path);
	if (err)
		return err;
	close_program(opened->file);
	opened->file = NULL;
	return open_program(task, LINUX_AT_FDCWD, script->interpreter, 0, LOADER_PROGRAM, opened);
}

/* Replaces opened by the program that runs it, as often as that is a script itself. */
static int follow_scripts(
	struct task *task, const struct exec_request *request, struct opened *opened)
{
	struct loader_script *script, *before;
	const char *path = request->arguments->path;
	int err = 0;

	if (loader_identify(opened->head, opened->head_size) != LOADER_SCRIPT)
		return 0;
	script = calloc(2, sizeof(*script));
	if (!script)
		return -ENOMEM;
	before = script + 1;
	for (int depth = 0; loader_identify(opened->head, opened->head_size) == LOADER_SCRIPT;
		depth++) {
		if (depth == LOADER_SCRIPT_DEPTH) {
			err = -ELOOP;
			break;
		}
		err = follow_script(task, request, opened, script, path);
		if (err)
			break;
		/* The next script in the chain goes by the name that this one's line has. */
		*before = *script;
		path = before->interpreter;
	}
	free(script);
	return err;
}

static int read_headers(
	struct exec_elf *elf, const uint8_t *head, size_t head_size, enum loader_role role)
{
	int64_t size;
	void *phdrs;
	int err = loader_parse_header(head, head_size, role, &elf->header);

	if (err)
		return err;
	phdrs = malloc(elf->header.phdr_size);
	if (!phdrs)
		return -ENOMEM;
	size = file_read_kernel(
		elf->file, phdrs, elf->header.phdr_size, (int64_t)elf->header.phdr_offset);
	if (size < 0)
		err = (int)size;
	else
		err = loader_parse_segments(&elf->header, phdrs, (size_t)size, role, &elf->image);
	free(phdrs);
	return err;
}

static int elf_from(struct exec_elf *elf, struct opened *opened, enum loader_role role)
{
	int err;

	*elf = (struct exec_elf){.file = opened->file};
	err = read_headers(elf, opened->head, opened->head_size, role);
	if (err) {
		close_program(elf->file);
		elf->file = NULL;
	}
	return err;
}

int exec_open_program(struct task *task, const struct exec_request *request, struct exec_elf *elf)
{
	struct opened opened;
	int err = open_program(
		task, request->dirfd, request->name, request->flags, LOADER_PROGRAM, &opened);

	*elf = (struct exec_elf){0};
	if (err)
		return err;
	err = follow_scripts(task, request, &opened);
	if (err) {
		if (opened.file)
			close_program(opened.file);
		return err;
	}
	if (loader_identify(opened.head, opened.head_size) != LOADER_ELF) {
		close_program(opened.file);
		return -ENOEXEC;
	}
	return elf_from(elf, &opened, LOADER_PROGRAM);
}

int exec_open_interpreter(struct task *task, const struct exec_elf *program, struct exec_elf *elf)
{
	struct opened opened;
	int64_t size;
	char *name;
	int err;

	*elf = (struct exec_elf){0};
	if (!program->image.has_interpreter)
		return 0;
	name = malloc(program->image.interpreter_size);
	if (!name)
		return -ENOMEM;
	size = file_read_kernel(program->file, name, program->image.interpreter_size,
		(int64_t)program->image.interpreter_offset);
	err = size < 0 ? (int)size : loader_check_interpreter(&program->image, name, (size_t)size);
	if (!err)
		err = open_program(task, LINUX_AT_FDCWD, name, 0, LOADER_INTERPRETER, &opened);
	free(name);
	return err ? err : elf_from(elf, &opened, LOADER_INTERPRETER);
}

void exec_elf_close(struct exec_elf *elf)
{
	if (!elf->file)
		return;
	loader_image_free(&elf->image);
	close_program(elf->file);
	elf->file = NULL;
}
