/* SPDX-License-Identifier: Apache-2.0 */
/* Making a container out of a bundle: what `create` and `run` do first. */
#pragma once

#include "runsc-c/oci/launch.h"
#include "runsc-c/oci/state.h"
#include "runsc-c/oci/terminal.h"

struct creation {
	/* Set by the caller. */
	const char *id, *bundle, *pid_file, *console_socket;
	int preserved;	 /* descriptors from 3 on that are passed on */
	bool foreground; /* the caller stays, and its terminal may be used */
	/* The rest is filled on the way. */
	char *bundle_path, *root_path;
	struct oci_spec spec;
	struct oci_launch launch;
	json_t *document;   /* config.json as it was read */
	struct state state; /* locked */
	struct cgroup cgroup;
	struct terminal terminal;
	bool unprivileged; /* the sentry opens the sources */
	bool hooks_began;
	pid_t pid; /* the process that stands for the container; 0: none yet */
};

/* After it the container is created; nothing is left behind by a failure. The creation is to be
 * freed in any case. */
must_check int creation_make(struct creation *creation, struct failure *failure);
void creation_free(struct creation *creation);

/* create_sentry.c: in a sandbox of its own. create_join.c: in one that runs. */
must_check int creation_make_sentry(struct creation *creation, struct failure *failure);
must_check int creation_join(
	struct creation *creation, const char *sandbox, struct failure *failure);
/* The sandbox that the container is to share, by its annotations or its namespaces' paths; the
 * caller frees. NULL: none. */
char *creation_find_sandbox(struct creation *creation);
/* Whose namespace a path leads to: the id of a container of ours. The caller frees. NULL: nobody's.
 */
char *creation_owner_of(const char *path);
/* namespace_paths.c: do paths lead to what they should? */
must_check int creation_check_namespaces(struct creation *creation, struct failure *failure);
/* Hooks of a stage, with the state as it is then. */
must_check int creation_hooks(struct creation *creation, enum oci_hook_stage stage,
	pid_t network_of, struct failure *failure);
/* Puts the process that stands for the container into its cgroup, which has its limits then. */
must_check int creation_enter_cgroup(struct creation *creation, pid_t pid, struct failure *failure);
/* A document in memory, to be handed to a sentry; -1. */
int document_file(json_t *document);
/* No newline, as engines want it. */
must_check int pid_file_write(const char *path, pid_t pid, struct failure *failure);
