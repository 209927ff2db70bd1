/* SPDX-License-Identifier: Apache-2.0 */
/* The text of /proc/PID/mounts, mountinfo and mountstats (proc(5)), and who polls them. */
#pragma once

#include "base/text_writer.h"
#include "sentry/vfs/path.h"

/* What a task with that root sees of a namespace: mounts that its root does not lead to are left
 * out. No lock held. */
void mount_show_mounts(
	struct mount_namespace *ns, const struct path *root, struct text_writer *out);
void mount_show_mountinfo(
	struct mount_namespace *ns, const struct path *root, struct text_writer *out);
void mount_show_mountstats(
	struct mount_namespace *ns, const struct path *root, struct text_writer *out);
/* Woken with EPOLLERR | EPOLLPRI at each change; the count tells a poll whether there was one since
 * it looked. */
struct wait_queue *mount_namespace_queue(struct mount_namespace *ns);
unsigned int mount_namespace_changes(const struct mount_namespace *ns);
uint64_t mount_namespace_ino(const struct mount_namespace *ns);
