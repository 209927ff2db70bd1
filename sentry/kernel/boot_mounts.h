/* SPDX-License-Identifier: Apache-2.0 */
/* The mounts that a sandbox starts with. */
#pragma once

#include "base/compiler.h"

struct mount_namespace;
struct sandbox_config;

/* Every file system, device and kind of namespace makes itself known. Once, before boot_make_mounts(). */
void boot_register_all(void);
/* The tree that config->mounts describes, mount points made where they lack in a writable one. The error's place is logged. */
must_check int boot_make_mounts(const struct sandbox_config *config, struct mount_namespace **out);
