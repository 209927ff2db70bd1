/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is kept of containers: a directory each below --root, with state.json, and the control
 * socket of a sandbox in that of its first container. A command that changes a container holds its
 * directory's lock. Whatever a crash leaves is good enough for `state` and `delete --force`.
 */
#pragma once

#include "runsc-c/failure.h"
#include "runsc-c/oci/cgroup.h"

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

struct state {
	char *id;
	int directory;
	json_t *json; /* as in the file */
};

enum container_status { CONTAINER_CREATED, CONTAINER_RUNNING, CONTAINER_PAUSED, CONTAINER_STOPPED };
extern const char *const container_statuses[];

/* A new directory, locked. An error if there is one of this id. */
must_check int state_create(struct state *state, const char *id, struct failure *failure);
/* One that is there; lock: wait for who changes it. "container does not exist". */
must_check int state_open(struct state *state, const char *id, bool lock, struct failure *failure);
/* Waits two seconds at most, and reads again what was changed meanwhile. */
bool state_lock_soon(struct state *state);
must_check int state_save(struct state *state, struct failure *failure);
/* Takes the directory away. */
must_check int state_remove(struct state *state, struct failure *failure);
void state_close(struct state *state);

void state_set_text(struct state *state, const char *name, const char *value);
const char *state_text(const struct state *state, const char *name); /* or NULL */
/* The process that stands for the container on the host. */
void state_set_process(struct state *state, pid_t pid);
pid_t state_pid(const struct state *state);
bool state_is_alive(const struct state *state);
enum container_status state_status(const struct state *state);
/* What `state` prints and hooks read: the caller's reference. status NULL: what it is. */
json_t *state_describe(const struct state *state, const char *status);
/* Every id below --root; the caller frees each and the array. NULL ends. NULL itself: failure is
 * filled; a --root that is not there holds none. */
char **state_list(struct failure *failure);

/* --- the sandbox that it runs in (client.c) --- */

/* A connection to the sentry; -1 and failure is filled when there is none. */
int sentry_connect(const struct state *state, struct failure *failure);
/* Sends a request (its reference is used up) and waits for the answer, seconds at most (0: as long
 * as it takes). NULL, with failure filled, for an answer that is an error. */
json_t *sentry_call(int socket, json_t *request, const int *fds, size_t count, int seconds,
	struct failure *failure);
/* Both, of the container itself. */
json_t *sentry_ask(const struct state *state, json_t *request, struct failure *failure);
