/* SPDX-License-Identifier: Apache-2.0 */
/* The shared libraries that a program links to, so that a policy can admit them and no others. */
#pragma once

#include "base/compiler.h"

struct path;

/*
 * Calls add for each library that ld.so(8) would load when program (a path without symlinks) is
 * started in root: what its DT_NEEDED entries name, and theirs. library_path: LD_LIBRARY_PATH, or
 * NULL. Whether the program means well is not known, so only what is a shared object itself counts:
 * no secret can be had by linking to it. What add returns, unless it is 0, is returned; -ENOMEM.
 */
must_check int policy_libraries(const struct path *root, const char *program,
	const char *library_path, int (*add)(const struct path *root, const char *library));
