/* SPDX-License-Identifier: Apache-2.0 */
/* Peer groups (mount_namespaces(7)): who hears of mounts made elsewhere. */
#pragma once

#include "sentry/vfs/mount.h"

/* Gives a mount a peer group if it has none. Lock held. */
void mount_make_shared_locked(struct mount *mount);
