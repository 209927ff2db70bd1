/* SPDX-License-Identifier: Apache-2.0 */
/* The mounts that a sandbox starts with. */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>

struct mount_namespace;
struct path;
struct sandbox_config;
struct sandbox_mount;
struct start_failure;

/* Every file system, device and kind of namespace makes itself known. Once, before
 * boot_make_mounts(). */
void boot_register_all(void);
/* The tree that config->mounts describes, mount points made where they lack in a writable one. The
 * error's place is logged, and told. */
must_check int boot_make_mounts(const struct sandbox_config *config, struct mount_namespace **out,
	struct start_failure *failed);

/* The parts of it. Only config->mounts[0], and a namespace with nothing else in it. */
must_check int boot_make_root(const struct sandbox_config *config, struct mount_namespace **out);
/* One mount; of config only what all mounts have in common counts. */
must_check int boot_add_mount(const struct sandbox_config *config, const struct path *root,
	const struct sandbox_mount *mount);
/* A place that exists is found with symlinks followed, as mount(2) does; else it is made. */
must_check int boot_find_mount_point(
	const struct path *root, const char *destination, bool directory, struct path *out);
