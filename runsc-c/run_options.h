/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of `csandbox run`. */
#pragma once

#include "base/log.h"
#include "runsc-c/failure.h"
#include "runsc-c/option_places.h"
#include "runsc-c/trace_options.h"
#include "sentry/kernel/kernel.h"
#include "sentry/vfs/policy.h"

#include <stdbool.h>
#include <stdint.h>

#define RUN_BINDS_MAX  256
#define RUN_LAYERS_MAX 64

struct bind_option {
	char *source, *destination;
	bool writable;
};

/* Of policies; policy.h. */
struct run_rules {
	struct policy_rule *list; /* owned, with its texts */
	size_t count;
	bool paths, network; /* nothing but what rules allow */
};

struct run_options {
	char **command;	     /* NULL-terminated; inside argv */
	const char *bare;    /* stands before it: an option that takes its value with = alone */
	const char *root;    /* NULL: the host's / */
	const char *workdir; /* NULL: the caller's, or / with --root */
	const char *hostname;
	const char *platform;
	const char *debug_log;
	struct trace_options trace;
	enum log_format log_format;
	bool as_pid_1, debug_jail;
	bool has_user, has_group;
	uint32_t uid, gid;
	struct bind_option binds[RUN_BINDS_MAX];
	size_t bind_count;
	const char *tmpfs[RUN_BINDS_MAX];
	size_t tmpfs_count;
	struct sandbox_limits limits;
	bool show_limits, host_cgroups, progress, changes, json;
	const char *changes_file;   /* NULL: standard error */
	const char *export_changes; /* a file, or fd:N */
	const char *keep_changes;   /* a directory */
	const char *layers[RUN_LAYERS_MAX];
	size_t layer_count;
	struct run_rules rules;
	const char *learn; /* a file */
	bool apply_changes;
	const char *apply_paths[RUN_BINDS_MAX]; /* none: all */
	size_t apply_count;
	const char *result; /* a file, or fd:N; NULL: nobody wants it */
	const char *report; /* a file */
	bool result_junit;
	char **environment; /* owned array, NULL-terminated; strings borrowed */
	size_t environment_count;
	char **texts; /* of policies; owned, with what they point to */
	size_t text_count;
	struct option_places places; /* where policies set which of these */
};

/* Is there any use for the contents of what was changed? */
static inline bool layer_wanted(const struct run_options *options)
{
	return options->export_changes || options->keep_changes || options->apply_changes;
}

/* 0: go on. 1: --help or --version was answered. -1: failure is filled. The options hold until the
 * process ends. */
must_check int run_options_parse(
	struct run_options *options, int argc, char **argv, struct failure *failure);
/* Sets one by its name, without the dashes, as a policy says at place (FILE:LINE); value NULL: it
 * has none. -1: failure is filled. */
must_check int run_option_set(struct run_options *options, const char *name, const char *value,
	const char *place, struct failure *failure);
