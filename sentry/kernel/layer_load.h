/* SPDX-License-Identifier: Apache-2.0 */
/* Brings an OCI image layer, as layer_store.h writes it or an image has it, into a writable layer.
 */
#pragma once

#include "base/compiler.h"

struct super_block;

/*
 * overlay: nobody uses it yet; mounted at destination, which names in the archive begin with;
 * what is below nested (NULL: nothing) is left out. fd: a tar archive, perhaps compressed; it is
 * read from its start, and borrowed. -EINVAL for what is no layer, or leads out of the tree or
 * through a symlink; -ENOSPC, -ENOMEM. The log says more.
 */
must_check int layer_load(
	int fd, struct super_block *overlay, const char *destination, const char *nested);
