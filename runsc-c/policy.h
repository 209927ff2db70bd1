/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policies: files in TOML or JSON that say what a run may use and touch; docs/policy.md. Each entry
 * but those on paths and addresses is an option of the command by another way.
 */
#pragma once

#include "runsc-c/failure.h"
#include "runsc-c/run_options.h"

#include <jansson.h>

/* --policy and --profile: sets what the file says. -1: failure names its line. */
must_check int policy_apply_file(
	struct run_options *options, const char *file, struct failure *failure);
must_check int policy_apply_profile(
	struct run_options *options, const char *name, struct failure *failure);
/* All options are known: the rules as the sandbox's kernel takes them. */
must_check int policy_make_rules(
	struct run_options *options, const char *working_directory, struct failure *failure);

/* --- policy_rules.c --- */
/* What the guests' environment will have; NULL. */
const char *policy_variable(const struct run_options *options, const char *name);
/* A copy of text is kept. -ENOMEM. */
must_check int policy_add_rule(struct run_options *options, const char *text, unsigned int access);

/* --- policy_read.c --- */
struct policy_file {
	json_t *content; /* an object; a reference */
	json_t *lines;	 /* "limits.memory", "binds.2" to line numbers */
};
must_check int policy_read(const char *file, struct policy_file *policy, struct failure *failure);
void policy_file_free(struct policy_file *policy);

/* --- policy_toml.cc --- */
#ifdef __cplusplus
extern "C" {
#endif
/* The same from TOML. On failure NULL, a message and a line. */
json_t *policy_parse_toml(
	const char *text, size_t size, json_t *lines, char *error, size_t error_size, int *line);
#ifdef __cplusplus
}
#endif

/* --- policy_learn.c --- */
struct outcome;
/* --learn: what the sentry wrote to learned, and what the run used, as the policy that it needed.
 */
must_check int policy_learn_write_file(
	const struct outcome *outcome, int learned, int fd, struct failure *failure);
