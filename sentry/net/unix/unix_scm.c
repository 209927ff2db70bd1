/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SCM_RIGHTS and SCM_CREDENTIALS (unix(7)).
 *
 * Differs from Linux: SCM_SECURITY does not exist, as without a security module; SO_PASSRIGHTS is
 * not offered.
 */
#include "sentry/net/unix/unix.h"

#include "abi/capability.h"
#include "sentry/kernel/credentials.h"
#include "sentry/kernel/pid.h"
#include "sentry/kernel/task.h"
#include "sentry/vfs/file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void unix_scm_destroy(struct unix_scm *scm)
{
	pid_put(scm->pid);
	if (scm->files)
		unix_inflight_remove(scm->files);
	socket_files_put(scm->files);
	*scm = (struct unix_scm){0};
}

void unix_scm_done(struct socket_message *message)
{
	struct unix_scm *scm = message->private;

	if (!scm)
		return;
	unix_scm_destroy(scm);
	free(scm);
	message->private = NULL;
}

/* Adds the files of one SCM_RIGHTS to those of earlier ones. */
static int scm_add_rights(struct socket_files **files, const struct linux_cmsghdr *header)
{
	size_t count = (header->cmsg_len - sizeof(*header)) / sizeof(int32_t);
	struct socket_files *list = *files;
	const uint8_t *bytes = (const uint8_t *)(header + 1);

	if (count == 0)
		return 0;
	if (count > LINUX_SCM_MAX_FD || (list && count + list->count > LINUX_SCM_MAX_FD))
		return -EINVAL;
	if (!list) {
		list = calloc(1, sizeof(*list) + LINUX_SCM_MAX_FD * sizeof(list->file[0]));
		if (!list)
			return -ENOMEM;
		*files = list;
	}
	for (size_t i = 0; i < count; i++) {
		int32_t fd;

		memcpy(&fd, bytes + i * sizeof(fd), sizeof(fd));
		list->file[list->count] = fd < 0 ? NULL : fd_get_path_too(current->files, fd);
		if (!list->file[list->count])
			return -EBADF;
		list->count++;
	}
	return 0;
}

/* May the current task claim to be this one? scm_check_creds() of Linux. */
static int scm_check_cred(const struct linux_ucred *claimed, uint32_t uid, uint32_t gid)
{
	const struct cred *cred = current_cred();

	if (claimed->pid != task_tgid(current) &&
		!cred_capable_in(cred, task_pid_namespace(current)->user_ns, LINUX_CAP_SYS_ADMIN))
		return -EPERM;
	if (uid != cred->uid && uid != cred->euid && uid != cred->suid &&
		!capable(LINUX_CAP_SETUID))
		return -EPERM;
	if (gid != cred->gid && gid != cred->egid && gid != cred->sgid &&
		!capable(LINUX_CAP_SETGID))
		return -EPERM;
	return 0;
}

static int scm_set_cred(struct unix_scm *scm, const struct linux_cmsghdr *header)
{
	const struct user_namespace *ns = current_cred()->user_ns;
	struct linux_ucred claimed;
	struct pid *pid;
	uint32_t uid, gid;
	int error;

	if (header->cmsg_len != LINUX_CMSG_LEN(sizeof(claimed)))
		return -EINVAL;
	memcpy(&claimed, header + 1, sizeof(claimed));
	uid = user_namespace_make_uid(ns, claimed.uid);
	gid = user_namespace_make_gid(ns, claimed.gid);
	error = scm_check_cred(&claimed, uid, gid);
	if (error)
		return error;
	if (uid == UINT32_MAX || gid == UINT32_MAX)
		return -EINVAL;
	pid = pid_find(task_pid_namespace(current), claimed.pid);
	if (!pid)
		return -ESRCH;
	pid_put(scm->pid);
	scm->pid = pid;
	scm->uid = uid;
	scm->gid = gid;
	return 0;
}

static int scm_parse(
	struct socket_message *message, struct unix_scm *scm, struct socket_files **files)
{
	const struct linux_cmsghdr *header = NULL;
	int error = 0;

	while (!error && (header = socket_next_control(message, header, &error))) {
		if (header->cmsg_level != LINUX_SOL_SOCKET)
			continue;
		if (header->cmsg_type == LINUX_SCM_RIGHTS)
			error = scm_add_rights(files, header);
		else if (header->cmsg_type == LINUX_SCM_CREDENTIALS)
			error = scm_set_cred(scm, header);
		else
			error = -EINVAL;
	}
	return error;
}

int unix_scm_prepare(struct socket_message *message)
{
	struct socket_files *files = NULL;
	struct unix_scm *scm;
	int error;

	if (message->private)
		return 0;
	scm = calloc(1, sizeof(*scm));
	if (!scm)
		return -ENOMEM;
	error = scm_parse(message, scm, &files);
	if (!error && files)
		error = unix_inflight_add(files);
	if (error) {
		socket_files_put(files);
		unix_scm_destroy(scm);
		free(scm);
		return error;
	}
	scm->files = files;
	message->private = scm;
	return 0;
}

void unix_scm_attach(struct socket_message *from, struct unix_message *to)
{
	struct unix_scm *scm = from->private;

	if (!scm)
		return;
	if (scm->pid) {
		to->scm.pid = pid_get(scm->pid);
		to->scm.uid = scm->uid;
		to->scm.gid = scm->gid;
	}
	to->scm.files = scm->files;
	scm->files = NULL;
}

bool unix_scm_receive_cred(struct unix_socket *receiver, struct socket_message *out,
	const struct unix_message *message)
{
	const struct user_namespace *ns = current_cred()->user_ns;
	const struct unix_scm *scm = &message->scm;
	struct linux_ucred ucred;

	unsigned int wanted = receiver->socket.options & SOCKET_PASS_SENDER;

	if (!wanted)
		return true;
	if (out->sender.known)
		return out->sender.pid == scm->pid && out->sender.uid == scm->uid &&
		       out->sender.gid == scm->gid;
	out->sender.known = true;
	out->sender.pid = scm->pid;
	out->sender.uid = scm->uid;
	out->sender.gid = scm->gid;
	if ((wanted & SOCKET_PASSPIDFD) && scm->pid && !out->pidfd_of)
		out->pidfd_of = pid_get(scm->pid);
	if (!(wanted & SOCKET_PASSCRED))
		return true;
	ucred.pid = pid_number_in(scm->pid, task_pid_namespace(current));
	ucred.uid = scm->pid ? user_namespace_show_uid(ns, scm->uid) : 65534;
	ucred.gid = scm->pid ? user_namespace_show_gid(ns, scm->gid) : 65534;
	socket_put_control(out, LINUX_SOL_SOCKET, LINUX_SCM_CREDENTIALS, &ucred, sizeof(ucred));
	return true;
}

int unix_scm_receive_files(struct socket_message *out, struct unix_message *message, bool peek)
{
	struct socket_files *files = message->scm.files, *copy;

	if (!peek) {
		out->files = files;
		message->scm.files = NULL;
		return 0;
	}
	copy = calloc(1, sizeof(*copy) + files->count * sizeof(copy->file[0]));
	if (!copy)
		return -ENOMEM;
	for (; copy->count < files->count; copy->count++)
		copy->file[copy->count] = file_get(files->file[copy->count]);
	out->files = copy;
	return 0;
}

void unix_scm_received(struct socket_message *out)
{
	if (!out->files)
		return;
	if (out->flags & LINUX_MSG_PEEK)
		unix_gc_barrier();
	else
		unix_inflight_remove(out->files);
}
