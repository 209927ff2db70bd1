/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers of a run: archives that its writable layer begins with, and the one that it leaves. The
 * sentry writes the latter into the spool, a file without a name; only the whole gets one.
 */
#pragma once

#include "runsc-c/failure.h"
#include "runsc-c/run_options.h"

struct layers {
	int fds[RUN_LAYERS_MAX]; /* --layer, lowest first */
	size_t count;
	int spool;     /* -1: nobody wants what was changed */
	int export_fd; /* --export-changes fd:N; -1 */
};

/* Before the sandbox is made. -1: failure is filled. */
must_check int layers_open(
	struct layers *layers, const struct run_options *options, struct failure *failure);
/* The spool is complete: --export-changes and --keep-changes get it. */
must_check int layers_finish(
	struct layers *layers, const struct run_options *options, struct failure *failure);
