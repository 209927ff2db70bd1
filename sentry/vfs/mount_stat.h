/* SPDX-License-Identifier: Apache-2.0 */
/* What statmount(2) and listmount(2) tell of the mounts of a namespace. */
#pragma once

#include "abi/mount.h"
#include "base/text_writer.h"
#include "sentry/vfs/mount.h"

#include <sys/types.h>

/*
 * Fills what mask (LINUX_STATMOUNT_*) asks of the mount with this unique id, paths as seen from
 * root; strings go to strings, as offsets. -ENOENT; -EPERM for what root does not lead to, unless
 * privileged.
 */
must_check int mount_stat(struct mount_namespace *ns, const struct path *root, uint64_t id,
	uint64_t mask, bool privileged, struct linux_statmount *out, struct text_writer *strings);
/*
 * The ids of what is mounted below the mount with this id (LINUX_LSMT_ROOT: root's, which is told
 * too), in order, after last (0: from the start); at most count. Their number.
 */
must_check ssize_t mount_list_ids(struct mount_namespace *ns, const struct path *root, uint64_t id,
	uint64_t last, bool reverse, bool privileged, uint64_t *ids, size_t count);
