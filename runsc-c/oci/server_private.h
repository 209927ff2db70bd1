/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the server share. */
#pragma once

#include "runsc-c/oci/channel.h"
#include "runsc-c/oci/server.h"

#include <bsd/sys/queue.h>
#include <pthread.h>

/* One container of the sandbox. */
struct hosted {
	char *id;
	struct oci_spec spec;
	struct oci_launch launch;
	struct container *container;
	struct container_process *init; /* NULL once it was freed */
	unsigned int users; /* connections that look at it; it is freed after the last */
	bool started, exited, deleted;
	int status; /* wait(2)'s, once exited */
	int socket; /* the connection that stands for it, told of its end; -1 */
	LIST_ENTRY(hosted) link;
};

/* A process that a connection started: how it ended is told there. */
struct attached {
	struct container_process *process;
	int socket;
	bool exited;
	int status;
};

struct server {
	pthread_mutex_t lock; /* guards all of hosted and attached */
	pthread_cond_t changed;
	LIST_HEAD(, hosted) containers;
	struct hosted *first;
	unsigned int unanswered; /* requests; the sandbox's end waits for their answers */
	unsigned int host_ids;
};
extern struct server g_server;

/* With a use that the caller gives back; NULL: there is none of this id. */
struct hosted *hosted_find(const char *id);
void hosted_put(struct hosted *hosted);
/* Makes and parks one; it is listed, with one use. spec is moved into it. */
must_check int hosted_create(const char *id, struct oci_spec *spec, struct oci_launch *launch,
	struct hosted **out, struct failure *failure);

/* server_requests.c: answers one connection until it ends; the socket is its own. */
void server_serve(int socket);
/* server_exec.c: as long as the process or the connection lives. fds: the document, then the
 * process's descriptors. */
void server_exec(int socket, json_t *request, struct hosted *hosted, int *fds, size_t count);
/* server_pod.c: one more container; fds: the document, the process's descriptors, the sources. */
void server_add(int socket, json_t *request, int *fds, size_t count);
/* Watches a connection whose process runs, until that has ended; signals and sizes come over it.
 * Its end kills the process. */
void server_attend(int socket, struct attached *attached);
void attached_exited(void *attached, int status);
bool server_fail(int socket, const char *message);
/* The text of a document that came as a descriptor, for the caller to free; NULL. */
char *server_document(int fd, size_t *size);
/*
 * What a process has open: fds become its descriptors from 0 on; with a terminal the first is that,
 * and those after it begin at 3. Taken ones are -1 afterwards.
 */
must_check bool server_take_stdio(struct process_config *process, json_t *request,
	struct arena *arena, int *fds, size_t count);
int server_number(json_t *request, const char *name);
